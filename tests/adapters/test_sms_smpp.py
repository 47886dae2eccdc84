"""Cases of sms_smpp: what it says to its link, and what it reads from it. The link itself: test_smpp_link.py."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import orjson

from channels_adapters.core import signatures
from channels_adapters.core.interface import Content, Inbound, Next, Reason, Receipt, ReceiptState, Recipient, Request
from channels_adapters.sms_smpp import ERRORS
from tests.adapters.brandname import COMMON, SETTINGS, TEXT, reply
from tests.adapters.contract import CALLBACK_URL, REFERENCE, Cases, Failure, Signed, build
from tests.adapters.provider import Answer

TOKEN = "SECRETlinkSECRETlink"


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", "/smpp/messages")
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert seen.json == {
        "reference": REFERENCE,
        "to": "84912345678",
        "text": TEXT,
        "sender": "BACNINH",
        "callback": CALLBACK_URL.partition("?")[0],
    }


def callback(body: dict, age: float = 0.0) -> Request:
    raw = orjson.dumps(body)
    headers = {"x-loa-signature": signatures.sign_timed(TOKEN, raw, time.time() - age)}
    return Request("POST", CALLBACK_URL.partition("?")[0], "", headers, raw)


def report(state: str, error: str = "000", reference: str = REFERENCE) -> Request:
    given = {"reference": reference, "ids": ["00a1", "a1", "161"], "state": state, "error": error}
    return callback({"receipts": [{**given, "at": "2026-11-23T08:05:00+07:00"}]})


AT = datetime(2026, 11, 23, 1, 5, tzinfo=UTC)

CASES = Cases(
    settings={
        "host": "smsc.example.vn",
        "system_id": "bacninh",
        "password": "SECRETpw",
        "link_token": TOKEN,
        "refusal": "Từ chối: soạn TC",
        **SETTINGS,
    },
    **COMMON,
    accepted=reply({"id": "00a1", "parts": 1}),
    provider_id="00a1",
    asks=asks,
    failures=(
        *(
            Failure(code, Answer.json(409, {"error": "status", "status": int(code, 16)}), *known)
            for code, known in ERRORS.items()
        ),
        Failure("unbound", Answer.json(503, {"error": "unbound"}), Next.RETRY, Reason.NETWORK),
        Failure("another status", Answer.json(409, {"error": "status", "status": 0x42}), Next.GIVE_UP, Reason.UNKNOWN),
    ),
    unreadable=(reply({"error": "lost"}), reply({"id": ""}), reply({"id": None})),
    callbacks=(
        Signed(
            "delivered",
            report("DELIVRD"),
            (Receipt(ReceiptState.DELIVERED, REFERENCE, "00a1", code="DELIVRD", at=AT),),
        ),
        Signed(
            "failed",
            report("UNDELIV", "011"),
            (
                Receipt(
                    ReceiptState.FAILED,
                    REFERENCE,
                    "00a1",
                    next=Next.GIVE_UP,
                    reason=Reason.UNREACHABLE,
                    code="UNDELIV 011",
                    at=AT,
                ),
            ),
        ),
        Signed(
            "of a message sent before the link began",
            report("DELIVRD", reference=""),
            tuple(Receipt(ReceiptState.DELIVERED, "", i, code="DELIVRD", at=AT) for i in ("00a1", "a1", "161")),
        ),
        Signed(
            "a refusal",
            callback({"inbound": [{"id": "i-1", "from": "84912345678", "text": "Từ chối"}]}),
            inbound=(Inbound("i-1", "+84912345678", "opt_out", "Từ chối"),),
        ),
    ),
    stale=lambda: callback({"receipts": [{"reference": "7", "ids": ["1"], "state": "DELIVRD"}]}, age=3600),
    signing_secrets=("link_token",),
    healthy=(reply({"bound": True, "reports": 0, "rate": 20.0}),),
)


async def test_a_link_without_a_connection_is_a_problem(provider, transport):
    adapter = build("sms_smpp", transport, provider.url)
    provider.will(reply({"bound": False}))
    assert [problem.fatal for problem in await adapter.check()] == [True]


def test_its_parts_are_shorter_by_the_longer_header():
    adapter = build("sms_smpp", None, "http://127.0.0.1:9")
    for text, parts in (("a" * 160, 1), ("a" * 304, 2), ("a" * 305, 3), ("ă" * 70, 1), ("ă" * 132, 2), ("ă" * 133, 3)):
        assert adapter.estimate(adapter.render(Content(text), Recipient("1", "+84912345678"))).parts == parts
