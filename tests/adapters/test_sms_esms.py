"""Cases of sms_esms, and what only eSMS does: its unsigned report is a question, not an answer."""

from __future__ import annotations

import pytest

from channels_adapters.core.interface import Next, Query, Reason, ReceiptState, Request
from channels_adapters.sms_esms import ERRORS
from tests.adapters.brandname import COMMON, SETTINGS, TEXT, reply
from tests.adapters.contract import CALLBACK_URL, REFERENCE, Cases, Failure, Signed, build, message

ID = "dc712784-9c5f-4c69-b9a8-ea69d56adc9a87"
# HMAC-SHA256 with the key SECRETsecret of «callback 0190f3c2-7d51», by OpenSSL.
PROOF = "37d61c2fbbb453aba8a49aa6c9230f10ac8c179f"


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", "/esms/MainService.svc/json/SendMultipleMessage_V4_post_json/")
    assert seen.json == {
        "ApiKey": "SECRETapi",
        "SecretKey": "SECRETsecret",
        "Phone": "0912345678",
        "Content": TEXT,
        "Brandname": "BACNINH",
        "SmsType": "2",
        "IsUnicode": "1",
        "Sandbox": "0",
        "RequestId": REFERENCE,
        "CallbackUrl": f"{CALLBACK_URL}&k={PROOF}",
    }


def callback(**fields: str) -> Request:
    """As eSMS calls: a GET whose own parameters stand before or behind those of the address."""
    own = "&".join(f"{name}={value}" for name, value in {"SMSID": ID, "SendStatus": "5", **fields}.items())
    query = f"{own}&r={REFERENCE}&k={PROOF}"
    return Request("GET", f"{CALLBACK_URL.partition('?')[0]}?{query}", query, {}, b"")


ASKED = (Query(REFERENCE, ID, "+84912345678"),)

CASES = Cases(
    settings={"api_key": "SECRETapi", "secret_key": "SECRETsecret", **SETTINGS},
    **COMMON,
    accepted=reply({"CodeResult": "100", "CountRegenerate": 0, "SMSID": ID}),
    provider_id=ID,
    asks=asks,
    failures=(
        *tuple(
            Failure(code, reply({"CodeResult": code, "ErrorMessage": "0912345678: refused, SMSID"}), *known)
            for code, known in ERRORS.items()
        ),
        Failure("a code nobody told us", reply({"CodeResult": "777"}), Next.GIVE_UP, Reason.UNKNOWN),
    ),
    unreadable=(reply({"CodeResult": "100"}), reply({"CodeResult": "100", "SMSID": ""}), reply({"SMSID": ID})),
    callbacks=(
        Signed("delivered", callback(SendSuccess="1", SendFailed="0", phonenumber="0912345678"), ask=ASKED),
        Signed("failed", callback(SendSuccess="0", SendFailed="1", phonenumber="0912345678"), ask=ASKED),
    ),
    signs_body=False,
    signs_headers=False,
    signs_url=True,
    signing_secrets=("secret_key",),
    healthy=(reply({"Balance": 36693, "CodeResponse": "100", "UserID": 9999}),),
)


async def test_a_repetition_it_knows_is_an_acceptance(provider, transport):
    adapter = build("sms_esms", transport, provider.url)
    for answer, identity in (({"CodeResult": "124"}, ""), ({"CodeResult": 124, "SMSID": ID}, ID)):
        provider.will(reply(answer))
        (outcome,) = await adapter.send([message(adapter, CASES)])
        assert (outcome.next, outcome.provider_id) == (None, identity)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"SendStatus": 5, "SendSuccess": 1, "SendFailed": 0}, (ReceiptState.DELIVERED, None)),
        ({"SendStatus": 5, "SendSuccess": 0, "SendFailed": 1}, (ReceiptState.FAILED, Next.GIVE_UP)),
        ({"SendStatus": "4"}, (ReceiptState.FAILED, Next.FIX_CONTENT)),
        ({"SendStatus": 7}, (ReceiptState.SENT, None)),
        ({"SendStatus": 2}, (ReceiptState.SENT, None)),
    ],
)
async def test_what_the_status_query_says_is_believed(answer, expected, provider, transport):
    adapter = build("sms_esms", transport, provider.url)
    provider.will(reply({"CodeResponse": "100", "SMSID": ID, **answer}))
    (receipt,) = await adapter.lookup(ASKED)
    assert (receipt.state, receipt.next) == expected
    assert (receipt.reference, receipt.provider_id) == (REFERENCE, ID)
    (seen,) = provider.seen
    assert seen.path == "/esms/MainService.svc/json/GetSendStatus" and seen.query["RefId"] == [ID]


async def test_without_its_id_or_an_answer_nothing_is_known(provider, transport):
    adapter = build("sms_esms", transport, provider.url)
    provider.will(reply({"CodeResponse": "101", "SMSID": ID}))
    assert await adapter.lookup([*ASKED, (REFERENCE, "", "+84912345678")]) == []
    assert len(provider.seen) == 1


def test_its_own_question_mark_is_read(transport):
    adapter = build("sms_esms", None, "http://127.0.0.1:9")
    query = f"r={REFERENCE}&k={PROOF}?SMSID={ID}&SendStatus=5&phonenumber=0912345678"
    request = Request("GET", f"https://loa.example.vn/hooks/k7Qd/?{query}", query, {}, b"")
    assert adapter.verify(request) and adapter.parse(request).ask == ASKED


def test_a_proof_is_good_for_one_message_only(transport):
    adapter = build("sms_esms", None, "http://127.0.0.1:9")
    query = f"SMSID={ID}&r=1&k={PROOF}"
    assert not adapter.verify(Request("GET", f"https://loa.example.vn/hooks/k7Qd/?{query}", query, {}, b""))
