"""Cases of sms_twilio, and what only Twilio does. Signatures are made by Twilio's own library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from channels_adapters.core.interface import (
    Content,
    Inbound,
    Message,
    Next,
    Query,
    Reason,
    Receipt,
    ReceiptState,
    Recipient,
    Request,
)
from channels_adapters.sms_twilio import ERRORS, SmsTwilio
from tests.adapters.contract import CALLBACK_URL, REFERENCE, Cases, Failure, Signed, build, message
from tests.adapters.provider import Answer

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
SID = "SM00000000000000000000000000000001"
TOKEN = "SECRETtoken"
SHARED = "SECRETshared"
BASE = f"/twilio/2010-04-01/Accounts/{ACCOUNT}"


def resource(**changes) -> dict:
    """A message as the API shows it."""
    return {
        "sid": SID, "account_sid": ACCOUNT, "status": "queued", "body": "Xin chào", "num_segments": "2",
        "num_media": "0", "direction": "outbound-api", "from": "BACNINH", "to": "+84912345678", "price": None,
        "price_unit": "USD", "error_code": None, "error_message": None, "messaging_service_sid": None,
        "date_created": "Mon, 23 Nov 2026 08:00:00 +0000", "date_updated": "Mon, 23 Nov 2026 08:00:05 +0000",
        "date_sent": None, "api_version": "2010-04-01", "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}.json",
        "subresource_uris": {},
        **changes,
    }  # fmt: skip


def refusal(code: int, status: int = 400, **headers: str) -> Answer:
    text = f"The 'To' number +84912345678 is wrong, key {code}"
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Answer.json(status, {"code": code, "message": text, "more_info": more, "status": status}, **headers)


def callback(form: dict[str, str], *, url: str = CALLBACK_URL, sha256: bool = False) -> Request:
    """Signed by the library Twilio ships."""
    signature = RequestValidator(SHARED if sha256 else TOKEN).compute_signature(
        url, form, "HMAC_SHA256" if sha256 else None
    )
    headers = {"x-twilio-signature": signature}
    if sha256:
        headers["x-twilio-webhooks-signature-settings"] = "key=WK01,algorithm=HMAC_SHA256"
    return Request("POST", url, url.partition("?")[2], headers, urlencode(form).encode())


def status(state: str, **more: str) -> dict[str, str]:
    return {
        "MessageSid": SID, "SmsSid": SID, "MessageStatus": state, "SmsStatus": state, "To": "+84912345678",
        "From": "BACNINH", "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", **more,
    }  # fmt: skip


def answer_from(text: str, **more: str) -> dict[str, str]:
    return {
        "MessageSid": SID, "SmsSid": SID, "SmsStatus": "received", "AccountSid": ACCOUNT, "From": "+84912345678",
        "To": "+12025550100", "Body": text, "NumMedia": "0", "NumSegments": "1", **more,
    }  # fmt: skip


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", f"{BASE}/Messages.json")
    assert seen.headers["authorization"] == "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpTRUNSRVR0b2tlbg=="
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert seen.form == {
        "To": "+84912345678",
        "From": "BACNINH",
        "Body": "Mời bà con đến nhà văn hóa lúc 8 giờ.",
        "StatusCallback": CALLBACK_URL,
        "ValidityPeriod": "14400",
    }


def said(state: ReceiptState, code: str, **more) -> tuple[Receipt, ...]:
    return (Receipt(state, REFERENCE, SID, code=code, **more),)


CASES = Cases(
    settings={
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "sender": "BACNINH",
        "segment_price": "1.100",
        "signing_key_id": "WK01",
        "signing_secret": SHARED,
    },
    good={
        "0912 345 678": "+84912345678",
        "+84 (0) 912.345.678": "+84912345678",
        "01662345678": "+84362345678",
        "０９１２３４５６７８": "+84912345678",
    },
    bad=("", "0912", "abc", "0222 3822 123", "1900 1000", "+12025550123", "0912345678; DROP TABLE"),
    content=Content("Mời bà con đến nhà văn hóa lúc 8 giờ."),
    empty=Content(" \n "),
    accepted=Answer.json(201, resource()),
    provider_id=SID,
    asks=asks,
    failures=(
        *(Failure(str(code), refusal(code), *known) for code, known in ERRORS.items() if code != 20429),
        Failure("20003", refusal(20003, 401), Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
        Failure("20429", refusal(20429, 429, Retry_After="3"), Next.RETRY, Reason.RATE_LIMITED, after=3.0),
        Failure("20500", refusal(20500, 500), Next.RETRY, Reason.PROVIDER_ERROR),
        Failure("502 in its words", refusal(20502, 502), Next.RETRY, Reason.PROVIDER_ERROR),
        Failure("unknown code", refusal(29999), Next.GIVE_UP, Reason.UNKNOWN),
        Failure("404", refusal(20404, 404), Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
    ),
    unreadable=(Answer.json(201, resource(sid=None)), Answer.json(201, resource(sid=7)), Answer.json(201, ["x"])),
    callbacks=(
        Signed("sent", callback(status("sent")), said(ReceiptState.SENT, "sent")),
        Signed(
            "delivered",
            callback(status("delivered", RawDlrDoneDate="2611230815", FutureField="kept out")),
            said(ReceiptState.DELIVERED, "delivered", at=datetime(2026, 11, 23, 8, 15, tzinfo=UTC)),
        ),
        Signed("read", callback(status("read")), said(ReceiptState.READ, "read")),
        Signed(
            "undelivered",
            callback(status("undelivered", ErrorCode="30003")),
            said(ReceiptState.FAILED, "30003", next=Next.RETRY, reason=Reason.UNREACHABLE),
        ),
        Signed(
            "failed",
            callback(status("failed", ErrorCode="30005")),
            said(ReceiptState.FAILED, "30005", next=Next.BLOCK_ADDRESS, reason=Reason.BAD_ADDRESS),
        ),
        Signed(
            "failed without a reason",
            callback(status("failed")),
            said(ReceiptState.FAILED, "failed", next=Next.GIVE_UP, reason=Reason.UNKNOWN),
        ),
        Signed("a state of the future", callback(status("teleported"))),
        Signed("new signature", callback(status("delivered"), sha256=True), said(ReceiptState.DELIVERED, "delivered")),
        Signed(
            "question",
            callback(answer_from("Mấy giờ họp?")),
            inbound=(Inbound(SID, "+84912345678", "text", "Mấy giờ họp?"),),
        ),
        Signed("stop", callback(answer_from("Stop")), inbound=(Inbound(SID, "+84912345678", "opt_out", "Stop"),)),
        Signed(
            "refusal",
            callback(answer_from("từ chối.")),
            inbound=(Inbound(SID, "+84912345678", "opt_out", "từ chối."),),
        ),
        Signed(
            "opt-out handled by Twilio",
            callback(answer_from("thôi nhé bạn", OptOutType="STOP")),
            inbound=(Inbound(SID, "+84912345678", "opt_out", "thôi nhé bạn"),),
        ),
        Signed("start", callback(answer_from("START")), inbound=(Inbound(SID, "+84912345678", "opt_in", "START"),)),
        Signed(
            "picture",
            callback(answer_from("", NumMedia="2")),
            inbound=(Inbound(SID, "+84912345678", "media", "", data={"media": 2}),),
        ),
    ),
    signs_url=True,
    signing_secrets=("auth_token", "signing_secret"),
    healthy=(Answer.json(200, {"sid": ACCOUNT, "status": "active", "type": "Full"}),),
)


@pytest.fixture
def twilio(provider, transport) -> SmsTwilio:
    adapter = build("sms_twilio", transport, provider.url)
    assert isinstance(adapter, SmsTwilio)
    return adapter


async def test_the_reply_says_how_many_parts_it_was_and_what_it_cost(twilio, provider):
    provider.will(CASES.accepted)
    (outcome,) = await twilio.send([message(twilio, CASES)])
    assert (outcome.parts, outcome.cost) == (2, 2200)


async def test_an_api_key_signs_in_instead_of_the_token(provider, transport):
    adapter = build("sms_twilio", transport, provider.url, api_key_sid="SK1", api_key_secret="SECRETkey")
    provider.will(CASES.accepted)
    await adapter.send([message(adapter, CASES)])
    assert provider.seen[0].headers["authorization"] == "Basic U0sxOlNFQ1JFVGtleQ=="
    assert provider.seen[0].path == f"{BASE}/Messages.json"


async def test_unaccented_text_is_one_part_where_marks_need_two(twilio):
    text = "Ủy ban nhân dân phường thông báo lịch cắt điện ngày mai từ 8 giờ đến 11 giờ tại các tổ dân phố."
    marked = twilio.estimate(twilio.render(Content(text), Recipient(REFERENCE, "+84912345678")))
    plain = twilio.render(Content(text, options={"unaccent": "on"}), Recipient(REFERENCE, "+84912345678"))
    assert (marked.encoding, marked.parts, marked.cost) == ("UCS-2", 2, 2200)
    assert plain.text.startswith("Uy ban nhan dan phuong thong bao")
    assert (twilio.estimate(plain).encoding, twilio.estimate(plain).parts) == ("GSM-7", 1)


async def test_advertising_to_vietnam_is_stopped_before_approval(twilio):
    rendered = twilio.render(Content("Khuyến mãi", category="advertising"), Recipient(REFERENCE, "+84912345678"))
    assert [warning.blocking for warning in twilio.estimate(rendered).warnings] == [True]


async def test_a_text_over_the_limit_is_refused(twilio):
    with pytest.raises(ValueError, match=r"1601 ký tự"):
        twilio.render(Content("a" * 1601), Recipient(REFERENCE, "+84912345678"))


async def test_no_sender_stops_the_account_without_a_request(provider, transport):
    adapter = build("sms_twilio", transport, provider.url, sender="")
    (outcome,) = await adapter.send([message(adapter, CASES)])
    assert (outcome.next, outcome.reason) == (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED)
    assert provider.seen == []
    provider.will(*CASES.healthy)
    assert len(await adapter.check()) == 1


async def test_a_closed_account_is_reported(twilio, provider):
    provider.will(Answer.json(200, {"sid": ACCOUNT, "status": "suspended"}))
    assert len(await twilio.check()) == 1
    assert provider.seen[0].path == f"{BASE}.json"


async def test_a_scheduled_message_and_taking_it_back(provider, transport):
    adapter = build("sms_twilio", transport, provider.url, sender="", messaging_service_sid="MG1")
    content = Content("Họp tổ dân phố", options={"send_at": "2026-11-24T08:00:00+07:00"})
    rendered = adapter.render(content, Recipient(REFERENCE, "+84912345678"))
    provider.will(Answer.json(201, resource(status="scheduled")))
    (outcome,) = await adapter.send([Message(REFERENCE, "+84912345678", rendered)])
    assert outcome.next is None
    assert provider.seen[0].form == {
        "To": "+84912345678", "MessagingServiceSid": "MG1", "Body": "Họp tổ dân phố", "ValidityPeriod": "14400",
        "ScheduleType": "fixed", "SendAt": "2026-11-24T01:00:00Z",
    }  # fmt: skip
    provider.will(Answer.json(200, resource(status="canceled")))
    assert (await adapter.cancel_scheduled(REFERENCE, SID)).next is None
    assert (provider.seen[0].path, provider.seen[0].form) == (f"{BASE}/Messages/{SID}.json", {"Status": "canceled"})
    provider.will(refusal(30409, 409))
    assert (await adapter.cancel_scheduled(REFERENCE, SID)).next is Next.GIVE_UP


@pytest.mark.parametrize("when", ["mai", "2026-11-24T08:00:00"])
async def test_a_time_that_is_none_is_refused(provider, transport, when):
    adapter = build("sms_twilio", transport, provider.url, messaging_service_sid="MG1")
    with pytest.raises(ValueError, match="Giờ gửi ở Twilio"):
        adapter.render(Content("x", options={"send_at": when}), Recipient(REFERENCE, "+84912345678"))


async def test_scheduling_needs_a_messaging_service(twilio):
    with pytest.raises(ValueError, match="mã dịch vụ nhắn tin"):
        twilio.render(Content("x", options={"send_at": "2026-11-24T08:00:00Z"}), Recipient(REFERENCE, "+84912345678"))


SENT_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
OLD = "Mon, 23 Nov 2026 05:00:00 +0000"


def listed(*messages: dict) -> Answer:
    return Answer.json(200, {"messages": messages, "next_page_uri": None, "page": 0, "page_size": 50})


def lost(text: str = "Xin chào", sent_at: datetime | None = SENT_AT) -> Query:
    return Query(REFERENCE, "", "+84912345678", text, sent_at)


async def test_looking_up_by_id(twilio, provider):
    provider.will(Answer.json(200, resource(status="undelivered", error_code=30005)))
    (receipt,) = await twilio.lookup([Query(REFERENCE, SID, "+84912345678")])
    assert (receipt.state, receipt.reference, receipt.provider_id) == (ReceiptState.FAILED, REFERENCE, SID)
    assert (receipt.next, receipt.at) == (Next.BLOCK_ADDRESS, SENT_AT + timedelta(seconds=5))
    assert (provider.seen[0].method, provider.seen[0].path) == ("GET", f"{BASE}/Messages/{SID}.json")
    provider.will(refusal(20404, 404))
    assert [r.state for r in await twilio.lookup([Query(REFERENCE, SID, "+84912345678")])] == [ReceiptState.NOT_FOUND]


@pytest.mark.parametrize(
    ("query", "found", "state"),
    [
        pytest.param(lost(), [resource()], ReceiptState.SENT, id="ours"),
        pytest.param(lost(), [resource(status="delivered")], ReceiptState.DELIVERED, id="ours, delivered"),
        pytest.param(lost(), [], ReceiptState.NOT_FOUND, id="nothing to this number"),
        pytest.param(lost(), [resource(date_created=OLD)], ReceiptState.NOT_FOUND, id="only older ones"),
        pytest.param(lost(), [resource(direction="inbound")], ReceiptState.NOT_FOUND, id="only their answers"),
        pytest.param(lost("khác"), [resource()], None, id="another text: cannot know"),
        pytest.param(lost(), [resource(), resource()], None, id="twice the same: cannot know"),
        pytest.param(lost(sent_at=None), [resource()], None, id="no time to compare: cannot know"),
        pytest.param(lost(sent_at=None), [], ReceiptState.NOT_FOUND, id="nothing at all, ever"),
        pytest.param((REFERENCE, "", "+84912345678"), [], ReceiptState.NOT_FOUND, id="a plain triple"),
    ],
)
async def test_looking_up_a_lost_reply(twilio, provider, query, found, state):
    provider.will(listed(*found))
    assert [receipt.state for receipt in await twilio.lookup([query])] == ([state] if state else [])
    assert provider.seen[0].query["To"] == ["+84912345678"]


async def test_one_failed_look_up_does_not_hide_the_others(twilio, provider):
    provider.will(Answer(500), listed())
    receipts = await twilio.lookup([Query("a", SID, "+84912345678"), Query("b", "", "+84912345678")])
    assert [receipt.reference for receipt in receipts] == ["b"]


FORM = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=6).map(
    lambda form: {**form, "AccountSid": ACCOUNT}
)
URLS = st.sampled_from(
    [
        "https://loa.example.vn/hooks/a?r=1",
        "https://loa.example.vn:443/hooks/a?r=1",
        "https://loa.example.vn:8443/hooks/a?r=1",
        "http://127.0.0.1:8000/hooks/a?r=%C3%A1&x=",
        "http://[::1]:8000/hooks/a",
    ]
)


@given(FORM, URLS, st.booleans())
def test_we_believe_what_twilios_own_validator_believes(form, url, sha256):
    adapter = SmsTwilio(CASES.settings, None)
    genuine = callback(form, url=url, sha256=sha256)
    assert adapter.verify(genuine)
    assert not adapter.verify(callback({**form, "AccountSid": "AC of another"}, url=url, sha256=sha256))


@pytest.mark.parametrize("signed", ["https://loa.example.vn/hooks/?r=1", "https://loa.example.vn:443/hooks/?r=1"])
@pytest.mark.parametrize("received", ["https://loa.example.vn/hooks/?r=1", "https://loa.example.vn:443/hooks/?r=1"])
def test_a_default_port_may_or_may_not_be_signed(signed, received):
    form = status("sent")
    request = callback(form, url=signed)
    here = Request("POST", received, "r=1", request.headers, request.body)
    assert SmsTwilio(CASES.settings, None).verify(here)


@pytest.mark.parametrize(
    "header", ["key=WK01,algorithm=HMAC_MD5", "key=WK02,algorithm=HMAC_SHA256", "algorithm=HMAC_SHA256", "nonsense,"]
)
def test_a_signature_with_an_unknown_key_or_algorithm_is_refused(header):
    genuine = callback(status("sent"), sha256=True)
    headers = {**genuine.headers, "x-twilio-webhooks-signature-settings": header}
    assert not SmsTwilio(CASES.settings, None).verify(
        Request("POST", genuine.url, genuine.query, headers, genuine.body)
    )


def test_the_zone_of_receipts_is_a_setting():
    adapter = SmsTwilio({**CASES.settings, "receipt_zone": "Asia/Ho_Chi_Minh"}, None)
    (receipt,) = adapter.parse(callback(status("delivered", RawDlrDoneDate="2611230815"))).receipts
    assert receipt.at == datetime(2026, 11, 23, 1, 15, tzinfo=UTC)
    for odd in ("", "soon", "9913230815"):
        (receipt,) = adapter.parse(callback(status("delivered", RawDlrDoneDate=odd))).receipts
        assert receipt.at is None
