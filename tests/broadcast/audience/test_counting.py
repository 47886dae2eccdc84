"""The figures an officer sees before approval agree with the addresses that are then written to."""

from dataclasses import astuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from broadcast.audience import counting
from broadcast.audience.refusals import accept_again, refuse
from broadcast.models import Address, Contact, Place, Tally, vault
from broadcast.states import AddressState

from .conftest import build_tree, contact
from .test_selection import select

OUTLET = Contact.Kind.OUTLET


def ids(*places):
    return list(Place.objects.within(*places).values_list("pk", flat=True))


def test_each_figure(tree):
    contact(tree.dai_son, phone="+84912000001")
    contact(tree.village, phone="+84912000001")
    contact(tree.dai_son, phone="+84912000002/opted_out")
    contact(tree.dai_son, phone="+84912000003")
    refuse("phone", "+84912000003", "reply")
    contact(tree.dai_son, phone="+84912000004/dead")
    contact(tree.dai_son, telegram="5")
    contact(tree.dai_son)
    contact(tree.dai_son, OUTLET, phone="+84912000009")
    contact(tree.son_dong, phone="+84912000007")
    found = counting.count(ids(tree.dai_son), "phone", "person")
    assert found == counting.Counts(contacts=7, recipients=1, duplicates=1, opted_out=2, unusable=1, no_address=2)
    assert counting.people(ids(tree.dai_son)) == 7


def test_one_good_line_among_two_is_reached(tree):
    """A number that one contact's row calls dead and another's valid is tried."""
    contact(tree.dai_son, phone="+84912000001/dead")
    contact(tree.dai_son, phone="+84912000001")
    found = counting.count(ids(tree.dai_son), "phone", "person")
    assert (found.recipients, found.duplicates, found.unusable) == (1, 0, 0)


def test_outlets(tree):
    contact(tree.province, OUTLET, newsroom="bac-ninh")
    contact(tree.dai_son, OUTLET, station="loa-07210")
    contact(tree.son_dong, OUTLET, station="loa-07222/dead")
    found = counting.count(ids(tree.province), "station", "outlet")
    assert (found.contacts, found.recipients, found.unusable) == (2, 1, 1)
    assert counting.count(ids(tree.dai_son), "newsroom", "outlet").recipients == 1


def test_nobody(tree):
    contact(tree.dai_son, phone="+84912000001")
    for reach in ("person", "outlet", "both"):
        assert counting.count([], "phone", reach) == counting.Counts()
    assert counting.count(ids(tree.son_dong), "phone", "person") == counting.Counts()


_PLACES = st.sampled_from(["province", "dai_son", "son_dong", "village"])
_KINDS = st.sampled_from([Contact.Kind.PERSON, Contact.Kind.HOUSEHOLD, OUTLET])
_NUMBERS = st.integers(1, 5)
_PEOPLE = st.lists(
    st.tuples(_PLACES, _KINDS, st.lists(st.tuples(_NUMBERS, st.sampled_from(AddressState.values)), max_size=2)),
    max_size=10,
)
_EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("refuse"), _NUMBERS),
        st.tuples(st.just("accept"), _NUMBERS),
        st.tuples(st.just("state"), _NUMBERS, st.sampled_from(AddressState.values)),
        st.tuples(st.just("renumber"), _NUMBERS, _NUMBERS),
        st.tuples(st.just("move"), st.integers(0, 9), _PLACES, _KINDS),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("fold")),
    ),
    max_size=10,
)


class Agreement(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(before=_EVENTS, people=_PEOPLE, events=_EVENTS, where=_PLACES)
    def test_count_agrees_with_selection(self, before, people, events, where):
        """Whatever is stored, moved, refused and deleted in whatever order."""
        tree = build_tree()
        for event in before:
            self.happen(tree, [], *event)
        contacts = []
        for place, kind, addresses in people:
            made = contact(getattr(tree, place), kind)
            for number, state in dict(addresses).items():
                address = Address(contact=made, kind="phone", state=state)
                address.plain = f"+8491200000{number}"
                address.save()
            contacts.append(made)
        for event in events:
            self.happen(tree, contacts, *event)
        chosen = getattr(tree, where)
        for reach in ("person", "both", "outlet"):
            counted = counting.count(ids(chosen), "phone", reach)
            assert counted.recipients == len(select(reach, "phone", chosen))
            assert min(astuple(counted)) >= 0
        inside = Contact.objects.filter(place__in=ids(chosen))
        everybody = counting.count(ids(chosen), "phone", "both")
        assert everybody.contacts == inside.count()
        assert everybody.no_address == inside.exclude(addresses__kind="phone").count()
        assert counting.people(ids(chosen)) == inside.exclude(kind=OUTLET).count()

    def happen(self, tree, contacts, what, *details):
        phone = f"+8491200000{details[0]}" if details else ""
        rows = Address.objects.matching("phone", phone)
        if what == "refuse":
            refuse("phone", phone, "reply")
        elif what == "accept":
            accept_again("phone", phone)
        elif what == "state":
            rows.update(state=details[1])
        elif what == "renumber":
            value = vault.seal(f"+8491200000{details[1]}", "phone")
            rows.exclude(contact__addresses__value=value).update(value=value)
        elif what == "fold":
            Tally.objects.fold()
        elif details[0] < len(contacts):
            someone = Contact.objects.filter(pk=contacts[details[0]].pk)
            if what == "move":
                someone.update(place=getattr(tree, details[1]), kind=details[2])
            else:
                someone.delete()
