"""The demonstration's data and campaign."""

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from broadcast.campaigns import approve
from broadcast.campaigns.estimate import plan
from broadcast.demo import APPROVER, PASSWORD, WRITER, citizens, demo_campaign, texts
from broadcast.models import Account, Address, Contact, Membership, Place, Refusal, Station, User
from broadcast.models.people import mask
from channels_adapters.core import phone, registry, sms

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo():
    call_command("demo_data", "--citizens", "3000", verbosity=0)


def _rows():
    return [model.objects.count() for model in (Place, Contact, Address, Refusal, User, Membership, Station, Account)]


def test_what_it_holds(demo):
    assert Contact.objects.filter(kind="person").count() == 3000
    by_commune = Contact.objects.filter(kind="person").values("place").annotate(n=Count("id"))
    assert len(by_commune) == 99 and min(row["n"] for row in by_commune) >= 5
    assert Station.objects.count() == 99
    assert Membership.objects.filter(role="operator").values("place").distinct().count() == 99
    assert User.objects.get(username="loa.daison").check_password(PASSWORD)
    assert {a.adapter: a.sandbox for a in Account.objects.all()} == {
        **dict.fromkeys(
            ("sms_esms", "sms_speedsms", "sms_vnpt", "sms_viettel", "sms_fpt", "sms_stringee", "sms_smpp"), True
        ),
        "sms_twilio": True, "telegram": True, "enews_site": False, "loudspeaker": False,
    }  # fmt: skip
    share = Address.objects.filter(kind="telegram").count() / 3000
    assert 0.28 < share < 0.39
    assert Refusal.objects.count() > 0
    assert Address.objects.filter(kind="phone").values("value").annotate(n=Count("id")).filter(n__gt=1).exists()


def test_every_address_is_one_its_adapter_accepts(demo):
    adapters = {adapter.capabilities.address_kind: adapter for adapter in registry.all_adapters()}
    for address in Address.objects.all():
        assert adapters[address.kind].validate(address.plain) == address.plain
        if address.kind == "phone":
            assert phone.mobile(address.plain) == address.plain and "•" in mask("phone", address.plain)


def test_again_and_larger(demo):
    before = _rows()
    call_command("demo_data", "--citizens", "3000", verbosity=0)
    assert _rows() == before
    call_command("demo_data", "--citizens", "3500", verbosity=0)
    assert Contact.objects.filter(kind="person").count() == 3500


def test_not_on_a_public_site(settings):
    settings.SECURE, settings.DEBUG = True, False
    with pytest.raises(CommandError, match="--force"):
        call_command("demo_data", verbosity=0)
    assert not User.objects.exists() and not Place.objects.exists()


@pytest.mark.parametrize("wanted", [1, 300, 1500, 100_000])
def test_the_campaign_can_be_approved(demo, wanted):
    campaign = demo_campaign(User.objects.get(username=WRITER), recipients=wanted)
    found = plan(campaign)
    assert found.blocking == []
    lines = {line.channel: line for line in found.lines}
    assert set(lines) == {"sms_twilio", "telegram", "enews_site", "loudspeaker"}
    assert lines["enews_site"].recipients == 1
    assert lines["sms_twilio"].estimate.parts <= 2
    people = lines["sms_twilio"].recipients + lines["telegram"].recipients
    if wanted == 100_000:
        assert lines["loudspeaker"].recipients == 99 and people > 3000
    elif wanted > 1:
        assert wanted * 0.9 <= people <= wanted * 1.1
    approve.submit(User.objects.get(username=WRITER), campaign.pk, campaign.revision)
    approved = approve.approve(User.objects.get(username=APPROVER), campaign.pk, campaign.revision)
    assert approved.status == "approved"


def test_the_texts_fit_their_channels():
    assert sms.measure(sms.nfc(texts.SMS)).parts == 2
    assert len(texts.TELEGRAM) <= 1000 and "{link}" in texts.TELEGRAM
    assert len(texts.article()) > 7000 and "User Online" not in texts.article()


def test_the_same_people_every_time(demo):
    communes = list(Place.objects.current().filter(depth=2))
    assert list(citizens.citizens(communes, 500)) == list(citizens.citizens(communes, 800))[:500]
