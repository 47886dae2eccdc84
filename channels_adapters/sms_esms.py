"""SMS through eSMS.vn (ViHAT), customer care messages under a sender name.

Contract: github.com/devesms/gitbook_esms_for_develop_v2 at bcddef0 (2026-04-07): tin-nhan-sms-otp-cskh, callback-url,
bang-ma-loi, ham-kiem-tra-tin-nhan-theo-smsid, ham-lay-so-du-tai-khoan.

``RequestId`` is our reference: within 24 hours eSMS sends it once and answers 124 to a repetition. Reports come as
GET requests nobody signs. Each goes to an address that only eSMS was given, since it holds a MAC of the reference;
and what it says is not believed but asked about (:meth:`SmsEsms.lookup`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlencode

from .core import phone, signatures
from .core.brandname import SENDER, TABLES, UNACCENT, UNREADABLE, BrandnameSms, is_unicode, json_object, text_of
from .core.http import Response, TransportError
from .core.interface import (
    Callback,
    Capabilities,
    Field,
    Message,
    Next,
    Outcome,
    Query,
    Reason,
    Receipt,
    ReceiptState,
    Request,
)

HOST = "https://rest.esms.vn"
ACCEPTED = frozenset({"100", "124"})  # 124: this RequestId was accepted before

# bang-ma-loi
ERRORS: Mapping[str, tuple[Next, Reason]] = {
    "160": (Next.RETRY, Reason.RATE_LIMITED),
    "199": (Next.RETRY, Reason.PROVIDER_ERROR),  # still working on it
    "99": (Next.BLOCK_ADDRESS, Reason.BLOCKED),
    "108": (Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    "107": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
    "118": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
    "120": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
    "146": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),  # no such template
    "201": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),  # a banned word
    "101": (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    "103": (Next.PAUSE_ACCOUNT, Reason.NO_CREDIT),
    "104": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # the sender name
    "140": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # our IP address
    "143": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # locked
    "177": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # the name is not registered with the operator
}


class SmsEsms(BrandnameSms):
    codes = ERRORS
    no_advertising = "eSMS chỉ nhận tin quảng cáo theo danh sách từ 30 số. Hãy chọn kênh khác cho tin quảng cáo."
    capabilities = Capabilities(
        label="SMS (eSMS)",
        family="sms",
        address_kind="phone",
        reach="person",
        receipts="push",
        idempotent=True,
        fields=(
            Field("api_key", "ApiKey", secret=True, help="Ở trang Quản lý API của eSMS."),
            Field("secret_key", "SecretKey", secret=True),
            SENDER,
            *TABLES,
        ),
        content_fields=(UNACCENT,),
    )

    def _url(self, method: str) -> str:
        return f"{f'{self.sandbox_url}/esms' if self.sandbox_url else HOST}/MainService.svc/json/{method}"

    @property
    def _keys(self) -> dict[str, str]:
        return {"ApiKey": self.settings["api_key"], "SecretKey": self.settings["secret_key"]}

    # -- sending --------------------------------------------------------------------------------------------
    async def post(self, message: Message) -> Response:
        body = {
            **self._keys,
            "Phone": phone.national(message.address),
            "Content": message.rendered.text,
            "Brandname": self.settings["sender"],
            "SmsType": "2",
            "IsUnicode": "1" if is_unicode(message.rendered.text) else "0",
            "Sandbox": "0",
            "RequestId": message.reference,
        }
        if message.callback_url:
            body["CallbackUrl"] = f"{message.callback_url}&k={self._proof(message.reference)}"
        return await self.post_json(self._url("SendMultipleMessage_V4_post_json/"), body)

    def read(self, message: Message, response: Response) -> Outcome | None:
        answer = json_object(response.body)
        code = text_of(answer.get("CodeResult"))
        if not code:
            return None
        if code in ACCEPTED and response.ok:
            identity = text_of(answer.get("SMSID"))
            return self.accepted(message, identity) if identity or code == "124" else None
        return self.refused(message, response, code, answer.get("ErrorMessage"))

    async def lookup(self, messages: Sequence[Query | tuple[str, str, str]]) -> list[Receipt]:
        """By eSMS's id, for seven days. Without it nothing is known: send again, RequestId keeps it from doubling."""
        receipts = []
        for asked in messages:
            query = Query(*asked)
            if not query.provider_id:
                continue
            url = f"{self._url('GetSendStatus')}?{urlencode({'RefId': query.provider_id, **self._keys})}"
            with suppress(TransportError):
                response = await self.transport.request("GET", url)
                if response.ok and (receipt := _receipt(query, json_object(response.body))):
                    receipts.append(receipt)
        return receipts

    async def probe(self) -> Response:
        return await self.post_json(self._url("GetBalance_json"), self._keys)

    def probed(self, response: Response) -> str:
        answer = json_object(response.body)
        code = text_of(answer.get("CodeResponse"))
        if code == "101":
            return "eSMS từ chối ApiKey hoặc SecretKey. Hãy kiểm tra lại."
        if code != "100":
            return UNREADABLE
        balance = answer.get("Balance")
        return "Tài khoản eSMS đã hết tiền. Hãy nạp thêm." if isinstance(balance, int | float) and balance <= 0 else ""

    # -- what comes back ------------------------------------------------------------------------------------
    def _proof(self, reference: str) -> str:
        return signatures.hmac_hex(self.settings["secret_key"], f"callback {reference}".encode())[:40]

    def verify(self, request: Request) -> bool:
        query = _query(request)
        reference = query.get("r", "")
        if not (reference and self.settings["secret_key"]):
            return False
        return signatures.same(self._proof(reference), query.get("k", ""))

    def parse(self, request: Request) -> Callback:
        query = _query(request)
        if not (query.get("SMSID") and query.get("r")):
            raise ValueError("an eSMS callback without SMSID")
        address = query.get("phonenumber", "")
        with suppress(ValueError):
            address = phone.mobile(address)
        return Callback(ask=(Query(query["r"], query["SMSID"], address),))


def _query(request: Request) -> dict[str, str]:
    """eSMS puts its own question mark after an address that has one already."""
    try:
        fields = parse_qs(request.query.replace("?", "&"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _receipt(query: Query, answer: Mapping[str, Any]) -> Receipt | None:
    """Of one message to one number. SendStatus: 1, 2 waiting; 4 refused; 5 done; 7 waits for the operator's report."""
    status = text_of(answer.get("SendStatus"))
    if text_of(answer.get("CodeResponse")) != "100" or not status:
        return None
    if status == "4":
        failed = (Next.FIX_CONTENT, Reason.REJECTED_CONTENT)
    elif status == "5" and text_of(answer.get("SendSuccess")) not in ("", "0"):
        return Receipt(ReceiptState.DELIVERED, query.reference, query.provider_id, code=status)
    elif status == "5" and text_of(answer.get("SendFailed")) not in ("", "0"):
        failed = (Next.GIVE_UP, Reason.UNREACHABLE)
    else:
        return Receipt(ReceiptState.SENT, query.reference, query.provider_id, code=status)
    next_, reason = failed
    return Receipt(ReceiptState.FAILED, query.reference, query.provider_id, next=next_, reason=reason, code=status)
