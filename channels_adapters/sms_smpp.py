"""SMS over SMPP 3.4, through the process that holds the connection (``manage.py smpp_link``, core/smpp_link.py).

An operator's centre wants one connection that stays; workers come and go. The link takes messages over HTTP, one
request each, and reports to the account's webhook like any provider, signed with the account's internal token.

``POST {link}/messages`` ``{"reference", "to", "text", "sender", "callback"}`` answers 200 ``{"id", "parts"}``, or 409
``{"error": "status", "status": command_status}``, 503 ``{"error": "unbound"}``, or 200 ``{"error": "lost"}``: some part
went out and no reply came. Reports: ``{"receipts": [{"reference", "ids", "state", "error", "at"}], "inbound": [{"id",
"from", "text"}]}``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .core import optout, phone, signatures, smpp_text, sms
from .core.brandname import SENDER, TABLES, UNACCENT, UNREADABLE, BrandnameSms, json_object, text_of
from .core.http import Response
from .core.interface import (
    Callback,
    Capabilities,
    Field,
    Inbound,
    Message,
    Next,
    Outcome,
    Problem,
    Reason,
    Receipt,
    ReceiptState,
    Request,
)
from .core.options import moment, whole

# command_status of submit_sm_resp (SMPP 3.4, 5.1.3)
ERRORS: Mapping[str, tuple[Next, Reason]] = {
    "0x08": (Next.RETRY, Reason.PROVIDER_ERROR),  # system error
    "0x14": (Next.RETRY, Reason.RATE_LIMITED),  # message queue full
    "0x45": (Next.RETRY, Reason.PROVIDER_ERROR),  # submit failed
    "0x58": (Next.RETRY, Reason.RATE_LIMITED),  # throttled
    "0x64": (Next.RETRY, Reason.PROVIDER_ERROR),  # temporary application error
    "0x0b": (Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    "0x01": (Next.FIX_CONTENT, Reason.TOO_LONG),
    "0x65": (Next.GIVE_UP, Reason.UNKNOWN),
    "0x66": (Next.GIVE_UP, Reason.UNKNOWN),
    "0x0a": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # source address: our sender name
    "0x0d": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # bind failed
    "0x0e": (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    "0x0f": (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
}
_FAILURES: Mapping[str, tuple[Next, Reason]] = {
    "EXPIRED": (Next.GIVE_UP, Reason.UNREACHABLE),  # tried as long as it could
    "UNDELIV": (Next.GIVE_UP, Reason.UNREACHABLE),
    "DELETED": (Next.GIVE_UP, Reason.UNKNOWN),
    "REJECTD": (Next.GIVE_UP, Reason.REJECTED_CONTENT),
    "UNKNOWN": (Next.GIVE_UP, Reason.UNKNOWN),
}
SHORTEST_TOKEN = 16


class SmsSmpp(BrandnameSms):
    codes = ERRORS
    capabilities = Capabilities(
        label="SMS (SMPP)",
        family="sms",
        address_kind="phone",
        reach="person",
        receipts="push",
        echoes=False,  # after a restart the link knows a centre's ids only
        two_way=True,
        fields=(
            Field("host", "Máy chủ SMPP"),
            Field("port", "Cổng", kind="int", default="2775"),
            Field("tls", "Mã hóa TLS", kind="bool", required=False),
            Field("system_id", "System ID"),
            Field("password", "Mật khẩu", secret=True),
            Field("system_type", "System type", required=False),
            SENDER,
            Field("window", "Số tin chờ trả lời cùng lúc", kind="int", default="10"),
            Field("per_second", "Số phần tin mỗi giây", kind="int", default="20", help="Theo hợp đồng."),
            Field(
                "link_url",
                "Địa chỉ của tiến trình kết nối",
                kind="url",
                default="http://127.0.0.1:8790",
                help="Mỗi tài khoản một cổng. Chạy ./manage.py smpp_link và mã của tài khoản.",
            ),
            Field("link_token", "Mã nội bộ", secret=True, help=f"Chuỗi ngẫu nhiên từ {SHORTEST_TOKEN} ký tự."),
            *TABLES,
        ),
        content_fields=(UNACCENT,),
    )

    def measure(self, text: str) -> sms.Size:
        return sms.measure(text, smpp_text.HEADER)

    @property
    def _base(self) -> str:
        return f"{self.sandbox_url}/smpp" if self.sandbox_url else self.settings["link_url"].rstrip("/")

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings['link_token']}"}

    # -- sending --------------------------------------------------------------------------------------------
    async def post(self, message: Message) -> Response:
        body = {
            "reference": message.reference,
            "to": phone.digits(message.address),
            "text": message.rendered.text,
            "sender": self.settings["sender"],
            "callback": message.callback_url.partition("?")[0],
        }
        return await self.post_json(f"{self._base}/messages", body, self._authorization)

    def read(self, message: Message, response: Response) -> Outcome | None:
        answer = json_object(response.body)
        if response.ok:
            identity = text_of(answer.get("id"))
            return self.accepted(message, identity) if identity else None
        if answer.get("error") == "unbound":
            detail = "the link has no connection to the centre"
            return Outcome.fail(message.reference, Next.RETRY, Reason.NETWORK, code="unbound", detail=detail)
        status = answer.get("status")
        return self.refused(message, response, f"0x{status:02x}") if isinstance(status, int) else None

    # -- the connection check -------------------------------------------------------------------------------
    async def check(self) -> list[Problem]:
        problems = []
        if len(self.settings["link_token"]) < SHORTEST_TOKEN:
            problems.append(Problem(f"Mã nội bộ quá ngắn. Hãy đặt chuỗi ngẫu nhiên từ {SHORTEST_TOKEN} ký tự."))
        for name, label in (("port", "Cổng"), ("window", "Số tin chờ trả lời"), ("per_second", "Số phần tin mỗi giây")):
            try:
                whole(self.settings[name], label)
            except ValueError as error:
                problems.append(Problem(str(error)))
        return problems + await super().check()

    async def probe(self) -> Response:
        return await self.transport.request("GET", f"{self._base}/status", headers=self._authorization, timeout=10.0)

    def probed(self, response: Response) -> str:
        bound = json_object(response.body).get("bound")
        if bound is True:
            return ""
        if bound is False:
            return "Tiến trình kết nối đang chạy nhưng tổng đài chưa nhận. Hãy kiểm tra máy chủ, System ID và mật khẩu."
        return UNREADABLE

    # -- what comes back ------------------------------------------------------------------------------------
    def verify(self, request: Request) -> bool:
        given = request.headers.get("x-loa-signature", "")
        return signatures.is_signed_timed(self.settings["link_token"], request.body, given, time.time())

    def parse(self, request: Request) -> Callback:
        body = json_object(request.body)
        receipts, inbound = body.get("receipts", []), body.get("inbound", [])
        if not (isinstance(receipts, list) and isinstance(inbound, list) and (receipts or inbound)):
            raise ValueError("a report without receipts and without messages")
        return Callback(
            receipts=tuple(receipt for given in receipts for receipt in _receipts(given)),
            inbound=tuple(_inbound(given) for given in inbound if isinstance(given, dict) and given.get("id")),
        )


def _receipts(given: Any) -> list[Receipt]:
    """One receipt; where the link knows no reference, one for each way the id may be written."""
    if not isinstance(given, dict):
        return []
    reference, state = str(given.get("reference") or ""), str(given.get("state") or "")
    ids = [str(identity) for identity in given.get("ids") or () if identity]
    at = moment(given.get("at"), "at")
    error = str(given.get("error") or "")
    code = state if error in ("", "0", "000") else f"{state} {error}"
    if state == "DELIVRD":
        kind, failed = ReceiptState.DELIVERED, None
    elif state in _FAILURES:
        kind, failed = ReceiptState.FAILED, _FAILURES[state]
    else:
        kind, failed = ReceiptState.SENT, None
    next_, reason = failed or (None, None)
    return [
        Receipt(kind, reference, identity, next=next_, reason=reason, code=code, at=at)
        for identity in (ids[:1] if reference else ids)
    ]


def _inbound(given: Mapping[str, Any]) -> Inbound:
    sender, text = str(given.get("from") or ""), str(given.get("text") or "")
    with suppress(ValueError):  # a short code is kept as it came
        sender = phone.mobile(sender)
    return Inbound(str(given["id"]), sender, optout.keyword(text) or "text", text)
