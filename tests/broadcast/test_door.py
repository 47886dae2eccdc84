"""The webhook door: verify, store, answer; and what becomes of what it stored."""

from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.utils import timezone
from twilio.request_validator import RequestValidator

from broadcast.delivery import receipts
from broadcast.models import (
    Address,
    Campaign,
    Content,
    Delivery,
    InboundMessage,
    InboxItem,
    ParkedReceipt,
    Refusal,
    RefusedCallback,
)
from broadcast.models.deliveries import MONTH_BITS, month_number
from broadcast.states import AddressState, DeliveryStatus
from broadcast.webhooks import LARGEST, Door
from channels_adapters.core.interface import Receipt, ReceiptState

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "0123456789abcdef0123456789abcdef"


async def django_must_not_be_asked(scope, receive, send):
    raise AssertionError("this request belongs to the door")


@pytest.fixture
def twilio(account):
    return account("sms_twilio", settings={"account_sid": "AC" + "1" * 32, "auth_token": TOKEN, "sender": "UBND"})


@pytest.fixture
def delivery(province, officer, citizen, twilio):
    campaign = Campaign.objects.create(place=province, created_by=officer("writer"), title="Thử")
    content = Content.objects.create(campaign=campaign, channel="sms_twilio", body="Thử")
    contact = citizen(province, phone="+84912345678")
    return Delivery.objects.create(
        id=month_number(timezone.now()) << MONTH_BITS, campaign_id=campaign.pk, content_id=content.pk,
        contact_id=contact.pk, address_id=contact.addresses.get().pk, place_id=province.pk,
        account_id=twilio.pk, status=DeliveryStatus.SENT, provider_id="SM" + "a" * 32,
    )  # fmt: skip


async def call(door: Door, path: str, body: bytes = b"", *, query: str = "", headers=None, method="POST"):
    """Status and body of one callback."""
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }  # fmt: skip
    communicator = ApplicationCommunicator(door, scope)
    await communicator.send_input({"type": "http.request", "body": body, "more_body": False})
    start = await communicator.receive_output(5)
    end = await communicator.receive_output(5)
    await communicator.wait(5)
    return start["status"], end["body"]


def signed(account, delivery, token=TOKEN, **fields):
    """Path, body, query and headers of a status callback as Twilio sends it."""
    form = {"MessageSid": delivery.provider_id, "AccountSid": "AC" + "1" * 32, "ApiVersion": "2010-04-01", **fields}
    query = f"r={delivery.pk}"
    url = f"{account.callback_base}?{query}"
    headers = {
        "X-Twilio-Signature": RequestValidator(token).compute_signature(url, form),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return {"body": urlencode(form).encode(), "query": query, "headers": headers}


async def test_a_signed_receipt_is_stored_before_it_is_answered_and_applied_once(twilio, delivery):
    door = Door(django_must_not_be_asked)
    receipt = signed(twilio, delivery, MessageStatus="delivered")
    for _ in range(3):  # providers repeat themselves
        status, _body = await call(door, f"/hooks/{twilio.hook}/", **receipt)
        assert 200 <= status < 300
    assert await InboxItem.objects.acount() == 3
    await sync_to_async(receipts.drain)()
    await delivery.arefresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED
    assert await InboxItem.objects.acount() == 0
    # a late "sent" and a replayed "delivered" change nothing
    for state in ("sent", "delivered"):
        await call(door, f"/hooks/{twilio.hook}/", **signed(twilio, delivery, MessageStatus=state))
    await sync_to_async(receipts.drain)()
    before = delivery.final_at
    await delivery.arefresh_from_db()
    assert (delivery.status, delivery.final_at) == (DeliveryStatus.DELIVERED, before)


async def test_forged_and_altered_callbacks_are_refused_and_counted(twilio, delivery):
    door = Door(django_must_not_be_asked)
    forged = signed(twilio, delivery, token="f" * 32, MessageStatus="delivered")
    altered = signed(twilio, delivery, MessageStatus="sent")
    altered["body"] = altered["body"].replace(b"sent", b"delivered")
    moved = {**signed(twilio, delivery, MessageStatus="delivered"), "query": "r=1"}
    unsigned = {**signed(twilio, delivery, MessageStatus="delivered"), "headers": {}}
    for attack in (forged, altered, moved, unsigned, {"body": b"\xff\xfe garbage \x00"}):
        assert (await call(door, f"/hooks/{twilio.hook}/", **attack))[0] == 403
    assert await InboxItem.objects.acount() == 0
    assert (await RefusedCallback.objects.aget()).n == 5


async def test_wrong_doors(twilio, delivery):
    door = Door(django_must_not_be_asked)
    receipt = signed(twilio, delivery, MessageStatus="delivered")
    assert (await call(door, "/hooks/" + "x" * 32 + "/", **receipt))[0] == 404
    assert (await call(door, "/hooks/", **receipt))[0] == 404
    assert (await call(door, "/hooks/../quan-tri/", **receipt))[0] == 404
    assert (await call(door, f"/hooks/{twilio.hook}/", method="DELETE"))[0] == 405
    assert (await call(door, f"/hooks/{twilio.hook}/", body=b"x" * (LARGEST + 1)))[0] == 413
    assert await InboxItem.objects.acount() == 0


async def test_a_refusal_is_obeyed_at_once_also_for_those_who_share_the_number(twilio, delivery, citizen, province):
    await sync_to_async(citizen)(province, "Trần Thị Bình", phone="+84912345678")
    door = Door(django_must_not_be_asked)
    form = {
        "MessageSid": "SM" + "b" * 32, "AccountSid": "AC" + "1" * 32, "ApiVersion": "2010-04-01",
        "From": "+84912345678", "To": "+12025550123", "Body": "STOP", "NumMedia": "0",
    }  # fmt: skip
    headers = {
        "X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(twilio.callback_base, form),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    for _ in range(2):
        status, _body = await call(door, f"/hooks/{twilio.hook}/", urlencode(form).encode(), headers=headers)
        assert status == 200
    await sync_to_async(receipts.drain)()
    assert await InboundMessage.objects.acount() == 1
    assert await Refusal.objects.acount() == 1
    states = [address.state async for address in Address.objects.all()]
    assert states == [AddressState.OPTED_OUT] * 2
    assert b"912345678" not in bytes((await InboundMessage.objects.aget()).address)


async def test_one_unreadable_callback_does_not_hold_up_the_others(twilio, delivery):
    door = Door(django_must_not_be_asked)
    await call(door, f"/hooks/{twilio.hook}/", **signed(twilio, delivery, MessageStatus="delivered"))
    await InboxItem.objects.acreate(account_id=twilio.pk, url="https://x/", headers={}, body=b"\xff\xff")
    await sync_to_async(receipts.drain)()
    await delivery.arefresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED
    assert await InboxItem.objects.filter(error="").acount() == 0


def test_a_receipt_may_come_before_its_reply_is_stored(twilio, delivery):
    from channels_adapters.core.interface import Receipt, ReceiptState

    Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.SENDING, provider_id="")
    receipts.record(twilio.pk, [Receipt(ReceiptState.DELIVERED, provider_id="SM-early")])
    assert ParkedReceipt.objects.count() == 1  # nobody knows this id yet
    receipts.record(twilio.pk, [Receipt(ReceiptState.DELIVERED, reference=str(delivery.pk), provider_id="SM-new")])
    delivery.refresh_from_db()
    assert (delivery.status, delivery.provider_id) == (DeliveryStatus.DELIVERED, "SM-new")
    receipts.unpark()
    assert ParkedReceipt.objects.count() == 1


async def test_a_callback_that_proves_nothing_is_asked_about_before_it_is_believed(account, delivery):
    esms = await sync_to_async(account)("sms_esms", settings={"api_key": "a", "secret_key": "s"})
    await sync_to_async(Delivery.objects.filter(pk=delivery.pk).update)(account_id=esms.pk, provider_id="9")
    proof = esms.build(None)._proof(str(delivery.pk))
    query = f"r={delivery.pk}&k={proof}&SMSID=9&SendStatus=5&SendSuccess=1"
    door = Door(django_must_not_be_asked)
    assert (await call(door, f"/hooks/{esms.hook}/", query=f"r={delivery.pk}&SMSID=9", method="GET"))[0] == 403
    assert (await call(door, f"/hooks/{esms.hook}/", query=query, method="GET"))[0] == 200

    def follow():
        assert receipts.drain() == 1 and receipts.drain() == 0
        assert Delivery.objects.get(pk=delivery.pk).status == DeliveryStatus.SENT
        (asked,) = receipts.to_confirm().values()
        ((pk, (question,)),) = asked.items()
        assert question[:2] == (str(delivery.pk), "9")
        receipts.confirmed(esms.pk, asked, [])  # the provider did not answer: it is asked again
        assert receipts.to_confirm() == {esms.pk: {pk: [question]}}
        receipts.confirmed(esms.pk, asked, [Receipt(ReceiptState.DELIVERED, str(delivery.pk), "9")])
        assert Delivery.objects.get(pk=delivery.pk).status == DeliveryStatus.DELIVERED
        assert receipts.to_confirm() == {} and not InboxItem.objects.exists()

    await sync_to_async(follow)()
