"""The fragment that says who gets a message, on a real database."""

from itertools import pairwise

import pytest
from django.db import connection

from broadcast.audience.refusals import accept_again
from broadcast.audience.selection import recipients_sql
from broadcast.models import Contact, Place, Refusal, vault
from broadcast.states import AddressState

from .conftest import contact

OUTLET = Contact.Kind.OUTLET


def select(reach, kind, *places, lo=b"", hi=None, place_ids=None):
    """The plain values, in the order the statement gives them."""
    if place_ids is None:
        place_ids = list(Place.objects.within(*places).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(recipients_sql(reach), {"place_ids": place_ids, "kind": kind, "lo": lo, "hi": hi})
        rows = cursor.fetchall()
    values = [bytes(row[3]) for row in rows]
    assert values == sorted(set(values)), "one row for each value, in order"
    return {vault.unseal(value, kind): row for value, row in zip(values, rows, strict=True)}


def test_people_inside_the_branch_once_per_number(tree):
    first = contact(tree.dai_son, phone="+84912000001")
    contact(tree.village, phone="+84912000001")  # the same household
    contact(tree.village, phone="+84912000002")
    contact(tree.son_dong, phone="+84912000003")
    contact(tree.dai_son, telegram="123456")
    chosen = select("person", "phone", tree.dai_son)
    assert set(chosen) == {"+84912000001", "+84912000002"}
    assert chosen["+84912000001"][1:3] == (first.pk, tree.dai_son.pk)
    assert chosen["+84912000001"][0] == first.addresses.get().pk


@pytest.mark.parametrize("state", [AddressState.DEAD, AddressState.OPTED_OUT])
def test_dead_and_opted_out_addresses_are_left_out(tree, state):
    contact(tree.dai_son, phone=f"+84912000001/{state}")
    assert select("person", "phone", tree.dai_son) == {}


def test_a_refusal_counts_until_it_is_withdrawn(tree):
    someone = contact(tree.dai_son, phone="+84912000001", telegram="99")
    Refusal.objects.create(kind="phone", value=someone.addresses.get(kind="phone").value, source="reply")
    assert select("person", "phone", tree.dai_son) == {}
    assert set(select("person", "telegram", tree.dai_son)) == {"99"}, "a refusal speaks of one address"
    accept_again("phone", "+84912000001")
    assert set(select("person", "phone", tree.dai_son)) == {"+84912000001"}


def test_outlets_are_never_people(tree):
    contact(tree.dai_son, OUTLET, phone="+84912000009")
    assert select("person", "phone", tree.province) == {}
    assert set(select("both", "phone", tree.province)) == {"+84912000009"}


def test_a_channel_for_both_takes_only_outlets_inside(tree):
    contact(tree.province, OUTLET, telegram="@bacninh_thongbao")
    contact(tree.dai_son, telegram="1")
    assert set(select("both", "telegram", tree.dai_son)) == {"1"}
    assert set(select("both", "telegram", tree.province)) == {"1", "@bacninh_thongbao"}


def test_an_outlet_channel_takes_the_outlets_inside(tree):
    contact(tree.dai_son, OUTLET, station="loa-07210")
    contact(tree.son_dong, OUTLET, station="loa-07222")
    contact(tree.dai_son, station="not-an-outlet")
    assert set(select("outlet", "station", tree.province)) == {"loa-07210", "loa-07222"}
    assert set(select("outlet", "station", tree.dai_son)) == {"loa-07210"}


def test_a_branch_without_an_outlet_is_served_from_above(tree):
    contact(tree.province, OUTLET, newsroom="bac-ninh")
    contact(tree.dai_son, OUTLET, newsroom="dai-son")
    assert set(select("outlet", "newsroom", tree.village)) == {"dai-son"}, "the nearest, not the highest"
    assert set(select("outlet", "newsroom", tree.son_dong)) == {"bac-ninh"}
    assert set(select("outlet", "newsroom", tree.dai_son, tree.son_dong)) == {"dai-son", "bac-ninh"}
    assert set(select("outlet", "newsroom", tree.province)) == {"bac-ninh", "dai-son"}


def test_an_excluded_branch_keeps_its_outlet_silent(tree):
    contact(tree.dai_son, OUTLET, station="loa-07210")
    contact(tree.son_dong, OUTLET, station="loa-07222")
    assert set(select("outlet", "station", place_ids=[tree.province.pk, tree.son_dong.pk])) == {"loa-07222"}


def test_slices_cover_everybody_once(tree):
    for n in range(40):
        contact(tree.dai_son, phone=f"+8491200{n % 30:04}")
    everybody = select("person", "phone", tree.province)
    assert len(everybody) == 30
    cuts = [b"", *sorted(bytes(row[3]) for row in everybody.values())[7::7], None]
    slices = [select("person", "phone", tree.province, lo=lo, hi=hi) for lo, hi in pairwise(cuts)]
    assert sum(map(len, slices)) == 30 and set().union(*slices) == set(everybody)


@pytest.mark.parametrize("reach", ["person", "outlet", "both"])
def test_an_audience_of_nobody_is_empty(tree, reach):
    contact(tree.dai_son, phone="+84912000001")
    assert select(reach, "phone", place_ids=[]) == {}
    assert select(reach, "phone", tree.son_dong) == {}
