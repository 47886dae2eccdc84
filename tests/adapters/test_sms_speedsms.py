"""Cases of sms_speedsms, and what only SpeedSMS does."""

from __future__ import annotations

from urllib.parse import urlencode

import orjson
import pytest

from channels_adapters.core.interface import Inbound, Next, Reason, Receipt, ReceiptState, Request
from channels_adapters.sms_speedsms import ERRORS
from tests.adapters.brandname import COMMON, SETTINGS, TEXT, reply
from tests.adapters.contract import Cases, Failure, Signed, build

TOKEN = "SECRETpathSECRETpath"


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", "/speedsms/index.php/sms/send")
    assert seen.headers["authorization"] == "Basic U0VDUkVUYWNjZXNzOng="  # SECRETaccess:x
    assert seen.json == {"to": ["84912345678"], "content": TEXT, "sms_type": 3, "sender": "BACNINH"}


def told(**data) -> object:
    return reply({"status": "success", "code": "00", "data": {"totalSMS": 1, "totalPrice": 250, **data}})


def callback(body: dict) -> Request:
    query = urlencode({"k": TOKEN})
    headers = {"content-type": "application/json"}
    return Request("POST", f"https://loa.example.vn/hooks/k7Qd/?{query}", query, headers, orjson.dumps(body))


def report(status: int) -> Request:
    return callback({"type": "report", "tranId": 123456, "phone": "84912345678", "status": status})


def incoming(text: str) -> Request:
    return callback({"type": "incoming", "tranId": "i-7", "phone": "84912345678", "content": text})


CASES = Cases(
    settings={"token": "SECRETaccess", "webhook_token": TOKEN, **SETTINGS},
    **COMMON,
    accepted=told(tranId=123456, invalidPhone=[]),
    provider_id="123456",
    asks=asks,
    failures=(
        *tuple(
            Failure(code, reply({"status": "error", "code": code, "message": "84912345678 refused"}), *known)
            for code, known in ERRORS.items()
        ),
        Failure("named invalid", told(tranId=1, invalidPhone=["84912345678"]), *ERRORS["105"]),
        Failure("unknown", reply({"status": "error", "code": "999"}), Next.GIVE_UP, Reason.UNKNOWN),
    ),
    unreadable=(told(), told(tranId=None), reply({"code": "00"}), reply({"code": "00", "data": []})),
    callbacks=(
        Signed("arrived", report(0), (Receipt(ReceiptState.DELIVERED, provider_id="123456", code="0"),)),
        Signed("still tried", report(63), (Receipt(ReceiptState.SENT, provider_id="123456", code="63"),)),
        Signed(
            "failed",
            report(64),
            (
                Receipt(
                    ReceiptState.FAILED,
                    provider_id="123456",
                    next=Next.GIVE_UP,
                    reason=Reason.UNREACHABLE,
                    code="64",
                ),
            ),
        ),
        Signed(
            "an answer",
            incoming("Mấy giờ họp?"),
            inbound=(Inbound("i-7", "+84912345678", "text", "Mấy giờ họp?"),),
        ),
        Signed("a refusal", incoming("TC"), inbound=(Inbound("i-7", "+84912345678", "opt_out", "TC"),)),
    ),
    signs_body=False,
    signs_headers=False,
    signing_secrets=("webhook_token",),
    healthy=(reply({"email": "loa@example.vn", "balance": 100000.0, "currency": "VND"}),),
)


@pytest.mark.parametrize("token", ["", "short"])
def test_a_short_secret_path_opens_nothing(token):
    adapter = build("sms_speedsms", None, "http://127.0.0.1:9", webhook_token=token)
    query = f"k={token}"
    assert not adapter.verify(Request("POST", f"https://loa.example.vn/hooks/k7Qd/?{query}", query, {}, b"{}"))


def test_an_answer_without_an_id_gets_one_that_stays_the_same():
    adapter = build("sms_speedsms", None, "http://127.0.0.1:9")
    first, again, other = (
        adapter.parse(callback({"type": "incoming", "phone": "84912345678", "content": text})).inbound[0].provider_id
        for text in ("có", "có", "không")
    )
    assert first == again != other and len(first) == 32
