"""The Twilio gateway, driven by Twilio's own library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from .conftest import SID, TOKEN, Callback, Receiver, Sandbox


class _ToSandbox(TwilioHttpClient):
    """The library's own client, with the provider's host replaced."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._sandbox = url

    def request(self, method, url, *args, **kwargs):
        return super().request(method, url.replace("https://api.twilio.com", self._sandbox), *args, **kwargs)


def client(sandbox: Sandbox, token: str = TOKEN) -> Client:
    return Client(SID, token, http_client=_ToSandbox(f"{sandbox.url}/twilio"))


def genuine(callback: Callback) -> bool:
    return RequestValidator(TOKEN).validate(callback.url, callback.form, callback.headers["x-twilio-signature"])


def test_library_sends_reads_lists_redacts_and_deletes(sandbox):
    twilio = client(sandbox)
    message = twilio.messages.create(to="+84912345678", from_="UBND", body="Xin chào bà con")
    assert (message.status, message.num_segments, message.direction) == ("queued", "1", "outbound-api")
    assert message.error_code is None and message.sid.startswith("SM")
    while twilio.messages(message.sid).fetch().status != "delivered":
        pass
    for n in range(7):
        twilio.messages.create(to="+84987654321", from_="UBND", body=f"Tin {n}")
    today = datetime.now(UTC).date()
    listed = twilio.messages.list(to="+84987654321", date_sent=today, page_size=3)
    assert [m.body for m in listed] == [f"Tin {n}" for n in reversed(range(7))]
    assert twilio.messages.list(to="+84987654321", date_sent_after=datetime.now(UTC) + timedelta(hours=1)) == []
    assert twilio.messages(message.sid).update(body="").body == ""
    assert twilio.messages(message.sid).delete()
    with pytest.raises(TwilioRestException) as gone:
        twilio.messages(message.sid).fetch()
    assert (gone.value.status, gone.value.code) == (404, 20404)
    assert twilio.api.accounts(SID).fetch().status == "active"


def test_scheduled_message_is_cancelled_once(sandbox):
    twilio = client(sandbox)
    at = datetime.now(UTC) + timedelta(hours=2)
    service = "MG" + "a" * 32
    scheduled = {"schedule_type": "fixed", "send_at": at, "messaging_service_sid": service}
    message = twilio.messages.create(to="+84912345678", body="Mai họp", **scheduled)
    assert message.status == "scheduled"
    assert twilio.messages(message.sid).update(status="canceled").status == "canceled"
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages(message.sid).update(status="canceled")
    assert refused.value.code == 30409
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(to="+84912345678", body="x", **{**scheduled, "send_at": datetime.now(UTC)})
    assert refused.value.code == 35111


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "0912345678"}, 21211),
        ({"To": "+15005550002"}, 21612),
        ({"From": ""}, 21603),
        ({"From": "quá dài và có dấu"}, 21606),
        ({"From": "+15005550001"}, 21212),
        ({"Body": ""}, 21602),
        ({"Body": "a" * 1601}, 21617),
        ({"StatusCallback": "ftp://x"}, 21609),
        ({"To": "+84910000002"}, 21610),
        ({"To": "+84910000006"}, 21614),
    ],
)
def test_refusals_are_twilios(sandbox, form, code):
    reply = sandbox.sms(**{"to": form.pop("To", "+84912345678"), **form})
    assert reply.status_code == 400
    body = reply.json()
    assert (body["code"], body["status"]) == (code, 400)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}" and body["message"]
    assert sandbox.control("GET", "stats")["accepted"] == 0


def test_wrong_credentials(sandbox):
    with pytest.raises(TwilioRestException) as refused:
        client(sandbox, "1" * 32).messages.create(to="+84912345678", from_="UBND", body="x")
    assert (refused.value.status, refused.value.code) == (401, 20003)
    assert httpx.post(f"{sandbox.messages}.json").status_code == 401


async def test_callbacks_carry_twilios_signature(sandbox, receiver: Receiver):
    reply = sandbox.sms(StatusCallback=f"{receiver.url}/cb/bí-mật?r=42&x=a%20b")
    sid = reply.json()["sid"]
    callbacks = await receiver.wait(2)
    assert [c.form["MessageStatus"] for c in callbacks] == ["sent", "delivered"]
    for callback in callbacks:
        assert genuine(callback)
        form = callback.form
        assert (form["MessageSid"], form["SmsSid"], form["AccountSid"]) == (sid, sid, SID)
        assert (form["To"], form["From"], form["ApiVersion"]) == ("+84912345678", "UBND", "2010-04-01")
        assert "ErrorCode" not in form
    assert len(callbacks[1].form["RawDlrDoneDate"]) == 10
    assert sandbox.accepted("42") == 1


@pytest.mark.parametrize(
    ("ending", "statuses", "code"),
    [
        ("0001", ["sent", "undelivered"], "30005"),
        ("0003", ["sent", "undelivered"], "30003"),
        ("0004", ["sent", "undelivered"], "30006"),
        ("0005", ["sent", "undelivered"], "30007"),
        ("0007", ["sent"], None),
        ("0008", ["sent", "delivered"], None),
    ],
)
async def test_special_numbers(sandbox, receiver, ending, statuses, code):
    sandbox.sms("+8491000" + ending, StatusCallback=f"{receiver.url}/")
    callbacks = await receiver.settle(sandbox)
    assert [c.form["MessageStatus"] for c in callbacks] == statuses
    assert callbacks[-1].form.get("ErrorCode") == code


async def test_a_citizen_answers_stop_and_is_written_to_no_more(sandbox, receiver):
    sandbox.control("POST", "webhooks", {"twilio": f"{receiver.url}/sms"})
    sandbox.sms()
    await receiver.settle(sandbox)
    reply = {"provider": "twilio", "address": "+84912345678", "text": "stop "}
    assert sandbox.control("POST", "reply", reply) == {"callbacks": 1}
    [callback] = await receiver.wait(1)
    assert genuine(callback)
    form = callback.form
    assert (form["From"], form["To"], form["Body"], form["OptOutType"]) == ("+84912345678", "UBND", "stop", "STOP")
    assert sandbox.sms().json()["code"] == 21610
    sandbox.control("POST", "reply", {**reply, "text": "START"})
    assert sandbox.sms().status_code == 201


async def test_special_numbers_that_answer(sandbox, receiver):
    sandbox.control("POST", "webhooks", {"twilio": f"{receiver.url}/sms"})
    sandbox.sms("+84910000009")
    sandbox.sms("+84910000010")
    bodies = {c.form["From"]: c.form["Body"] for c in await receiver.wait(2)}
    assert bodies["+84910000009"] == "STOP" and bodies["+84910000010"].startswith("Cho tôi hỏi")


async def test_refused_callbacks_come_again(sandbox, receiver):
    receiver.refuse = 2
    sandbox.sms(StatusCallback=f"{receiver.url}/")
    callbacks = await receiver.wait(2)
    assert {c.form["MessageStatus"] for c in callbacks} == {"sent", "delivered"}
    assert sandbox.control("GET", "stats")["callbacks"]["retried"] == 2
