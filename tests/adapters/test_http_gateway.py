"""Cases of http_gateway, and what only a gateway that takes many messages does."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import orjson
import pytest

from channels_adapters.core import signatures
from channels_adapters.core.interface import Content, Inbound, Message, Next, Reason, Receipt, ReceiptState, Request
from channels_adapters.http_gateway import ERRORS
from tests.adapters.contract import CALLBACK_URL, REFERENCE, Cases, Failure, Signed, build, message
from tests.adapters.provider import Answer

KEY = "SECRETkey"
AT = "2026-11-23T08:00:05+00:00"


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", "/http_gateway/messages")
    assert seen.headers["authorization"] == "Bearer SECRETtoken"
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {
        "sender": "BACNINH",
        "callback": CALLBACK_URL.partition("?")[0],
        "messages": [{"reference": REFERENCE, "to": "+84912345678", "text": "Mai họp thôn lúc 8 giờ."}],
    }


def told(**result) -> Answer:
    return Answer.json(200, {"messages": [{"reference": REFERENCE, **result}]})


def callback(body: dict, *, age: float = 0.0) -> Request:
    raw = orjson.dumps(body)
    headers = {"x-loa-signature": signatures.sign_timed(KEY, raw, time.time() - age)}
    return Request("POST", CALLBACK_URL.partition("?")[0], "", headers, raw)


def report(**more) -> Request:
    return callback({"receipts": [{"reference": REFERENCE, "id": "m-1", "at": AT, **more}]})


CASES = Cases(
    settings={
        "endpoint": "https://sms.example.vn/v1",
        "token": "SECRETtoken",
        "signing_key": KEY,
        "sender": "BACNINH",
        "segment_price": "300",
    },
    good={"0912 345 678": "+84912345678", "+84912345678": "+84912345678"},
    bad=("", "abc", "0222 382 1234", "12345"),
    content=Content("Mai họp thôn lúc 8 giờ."),
    empty=Content("  "),
    accepted=told(id="m-1", parts=1),
    provider_id="m-1",
    asks=asks,
    failures=(
        *(
            Failure(f"message: {code}", told(error=code, detail="0912345678 refused"), *ERRORS[code])
            for code in sorted(ERRORS)
        ),
        Failure("message: an error of its own", told(error="e-77"), Next.GIVE_UP, Reason.UNKNOWN),
        Failure("request: no credit", Answer.json(402, {"error": "no_credit"}), *ERRORS["no_credit"]),
        Failure("request: sender", Answer.json(403, {"error": "sender"}), *ERRORS["sender"]),
        Failure(
            "request: busy",
            Answer.json(503, {"error": "unavailable"}, Retry_After="3"),
            Next.RETRY,
            Reason.PROVIDER_ERROR,
            after=3.0,
        ),
    ),
    unreadable=(
        told(id=""),
        told(id=None),
        told(),
        Answer.json(200, {"messages": []}),
        Answer.json(200, {"messages": [{"reference": "another", "id": "m-1"}]}),
    ),
    callbacks=(
        Signed(
            "delivered",
            report(state="delivered"),
            (Receipt(ReceiptState.DELIVERED, REFERENCE, "m-1", at=datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC)),),
        ),
        Signed(
            "failed",
            report(state="failed", error="unreachable"),
            (
                Receipt(
                    ReceiptState.FAILED,
                    REFERENCE,
                    "m-1",
                    next=Next.RETRY,
                    reason=Reason.UNREACHABLE,
                    code="unreachable",
                    at=datetime(2026, 11, 23, 8, 0, 5, tzinfo=UTC),
                ),
            ),
        ),
        Signed(
            "an answer",
            callback({"inbound": [{"id": "i-1", "from": "0912345678", "text": "Mấy giờ họp?"}]}),
            inbound=(Inbound("i-1", "+84912345678", "text", "Mấy giờ họp?"),),
        ),
        Signed(
            "a refusal",
            callback({"inbound": [{"id": "i-2", "from": "0912345678", "text": "Từ chối"}]}),
            inbound=(Inbound("i-2", "+84912345678", "opt_out", "Từ chối"),),
        ),
    ),
    stale=lambda: callback({"receipts": [{"reference": REFERENCE, "state": "delivered"}]}, age=3600),
    signing_secrets=("signing_key",),
    healthy=(Answer.json(200, {"name": "Trung tâm tin nhắn"}),),
)


def several(adapter, n: int) -> list[Message]:
    base = message(adapter, CASES)
    return [Message(f"r{i}", base.address, base.rendered, base.callback_url) for i in range(n)]


@pytest.mark.parametrize(("setting", "batch"), [("1", 1), ("500", 500), ("9999", 500), ("0", 1), ("", 1), ("x", 1)])
def test_how_many_messages_a_request_carries_is_a_setting(setting, batch):
    assert build("http_gateway", None, "http://127.0.0.1:9", batch=setting).max_batch == batch


async def test_each_message_of_a_request_has_its_own_outcome(provider, transport):
    adapter = build("http_gateway", transport, provider.url, batch="500")
    results = [{"reference": "r2", "id": "m-2"}, {"reference": "r0", "id": "m-0", "parts": 2}]
    provider.will(Answer.json(200, {"messages": [*results, {"reference": "r1", "error": "opted_out"}]}))
    outcomes = await adapter.send(several(adapter, 4))
    assert [outcome.reference for outcome in outcomes] == ["r0", "r1", "r2", "r3"]
    assert [outcome.next for outcome in outcomes] == [None, Next.BLOCK_ADDRESS, None, Next.UNSURE]
    assert (outcomes[0].provider_id, outcomes[0].parts, outcomes[0].cost) == ("m-0", 2, 600)
    assert len(provider.seen) == 1


async def test_a_request_refused_as_a_whole_refuses_each_message(provider, transport):
    adapter = build("http_gateway", transport, provider.url, batch="500")
    provider.will(Answer.json(401, {"error": "credentials"}))
    outcomes = await adapter.send(several(adapter, 3))
    assert {(outcome.next, outcome.reason) for outcome in outcomes} == {(Next.PAUSE_ACCOUNT, Reason.CREDENTIALS)}
    provider.will("cut")
    outcomes = await adapter.send(several(adapter, 3))
    assert [(outcome.reference, outcome.next) for outcome in outcomes] == [(f"r{n}", Next.UNSURE) for n in range(3)]


async def test_one_unreadable_receipt_does_not_hide_the_others(transport):
    adapter = build("http_gateway", transport, "http://127.0.0.1:9")
    good = {"reference": "7", "state": "delivered"}
    read = adapter.parse(callback({"receipts": [None, {"state": "delivered"}, {"reference": "8", "state": "?"}, good]}))
    assert read.receipts == (Receipt(ReceiptState.DELIVERED, "7"),)
