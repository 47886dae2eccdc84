"""SMS through VNPT VinaPhone «SMS Brandname», JSON form.

Contract: client code of VinaPhone's partners (``send_sms_list``, ``get_sms_status_api``); docs/channels.md names what
nobody could confirm. The message is the first parameter of a registered template. ``REQID`` is our reference: a
repetition answers 33 and is not sent again. The gateway speaks plain HTTP: reach it over a VPN or a leased line only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .core import phone
from .core.brandname import TABLES, UNACCENT, UNREADABLE, BrandnameSms, is_unicode, json_object, text_of
from .core.http import Response, TransportError
from .core.interface import Capabilities, Field, Message, Next, Outcome, Query, Reason, Receipt, ReceiptState

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
OPENING = time(7)  # Decree 91/2020/NĐ-CP, article 13: messages between 7 and 22 o'clock

ACCEPTED = frozenset({"0", "33"})  # 33: this REQID was accepted before
_CONTENT = (Next.FIX_CONTENT, Reason.REJECTED_CONTENT)
_ACCOUNT = (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED)
ERRORS: Mapping[str, tuple[Next, Reason]] = {
    "-1": (Next.RETRY, Reason.PROVIDER_ERROR),
    "16": (Next.RETRY, Reason.PROVIDER_ERROR),
    "12": (Next.RESCHEDULE, Reason.OUTSIDE_HOURS),
    "26": (Next.RESCHEDULE, Reason.QUOTA),  # three advertisements today
    "23": (Next.GIVE_UP, Reason.BAD_ADDRESS),
    "25": (Next.GIVE_UP, Reason.NOT_REACHABLE_KIND),
    **dict.fromkeys(("2", "7", "8", "11", "17", "24", "30"), _CONTENT),
    **dict.fromkeys(("1", "3", "9", "10", "13", "14", "15", "20", "21", "22"), _ACCOUNT),
}
# STATUS of get_sms_status_api. 0 is «sent» for care messages and «delivered» for advertisements only.
STATES: Mapping[str, ReceiptState] = {
    "0": ReceiptState.SENT,
    "1": ReceiptState.FAILED,
    "2": ReceiptState.SENT,  # waits to be sent
    "3": ReceiptState.SENT,  # waits for the operator's report
    "4": ReceiptState.SENT,  # will be tried again
    "5": ReceiptState.SENT,  # taken, not yet made into messages
}
_DENIED = "10"


class SmsVnpt(BrandnameSms):
    codes = ERRORS
    capabilities = Capabilities(
        label="SMS (VNPT VinaPhone)",
        family="sms",
        address_kind="phone",
        reach="person",
        idempotent=True,
        fields=(
            Field(
                "endpoint",
                "Địa chỉ dịch vụ",
                kind="url",
                help="Ví dụ http://10.1.2.3:8888/smsmarketing/api. Chỉ dùng qua VPN hoặc kênh riêng.",
            ),
            Field("agent_id", "Mã đại lý (AGENTID)"),
            Field("api_user", "Tên truy cập API (APIUSER)"),
            Field("api_pass", "Mật khẩu API (APIPASS)", secret=True),
            Field("user_name", "Người gửi (USERNAME)"),
            Field("contract_id", "Mã hợp đồng (CONTRACTID)"),
            Field("label_id", "Mã tên gửi (LABELID)"),
            Field("template_id", "Mã mẫu tin (TEMPLATEID)", help="Mẫu có một tham số là toàn bộ lời tin."),
            Field(
                "telco_sub",
                "ISTELCOSUB",
                default="0",
                required=False,
                help="0: gửi cả các mạng khác.",
                unverified=True,
            ),
            *TABLES,
        ),
        content_fields=(UNACCENT,),
    )

    @property
    def _url(self) -> str:
        return f"{self.sandbox_url}/vnpt/smsmarketing/api" if self.sandbox_url else self.settings["endpoint"]

    @property
    def _account(self) -> dict[str, str]:
        return {
            "AGENTID": self.settings["agent_id"],
            "APIUSER": self.settings["api_user"],
            "APIPASS": self.settings["api_pass"],
            "CONTRACTID": self.settings["contract_id"],
        }

    async def post(self, message: Message) -> Response:
        text = message.rendered.text
        request: dict[str, Any] = {
            "name": "send_sms_list",
            "REQID": message.reference,
            "LABELID": self.settings["label_id"],
            "CONTRACTTYPEID": "2" if message.rendered.data.get("advertising") else "1",
            "TEMPLATEID": self.settings["template_id"],
            "PARAMS": [{"NUM": "1", "CONTENT": text}],
            "SCHEDULETIME": "",
            "MOBILELIST": phone.digits(message.address),
            "ISTELCOSUB": self.settings["telco_sub"],
            "USERNAME": self.settings["user_name"],
            "DATACODING": "8" if is_unicode(text) else "0",
            **self._account,
        }
        return await self.post_json(self._url, {"RQST": request})

    def read(self, message: Message, response: Response) -> Outcome | None:
        code, words = _reply(response)
        if not code:
            return None
        if code in ACCEPTED and response.ok:
            return self.accepted(message, message.reference)
        outcome = self.refused(message, response, code, words)
        return replace(outcome, at=_opening(datetime.now(UTC))) if outcome.next is Next.RESCHEDULE else outcome

    async def lookup(self, messages: Sequence[Query | tuple[str, str, str]]) -> list[Receipt]:
        """By our reference, which is the REQID."""
        receipts = []
        for asked in messages:
            query = Query(*asked)
            with suppress(TransportError):
                response = await self._status(query.reference, query.sent_at or datetime.now(UTC))
                status = _status(response) if response.ok else ""
                if state := STATES.get(status):
                    failed = state is ReceiptState.FAILED
                    receipts.append(
                        Receipt(
                            state,
                            query.reference,
                            query.reference,
                            next=Next.GIVE_UP if failed else None,
                            reason=Reason.UNREACHABLE if failed else None,
                            code=status,
                        )
                    )
        return receipts

    async def _status(self, reference: str, day: datetime) -> Response:
        request = {
            "name": "get_sms_status_api",
            "REQID": reference,
            "LABELID": self.settings["label_id"],
            "TEMPLATEID": self.settings["template_id"],
            "SCHEDULETIME": day.astimezone(_ZONE).strftime("%d/%m/%Y"),
            **self._account,
        }
        return await self.post_json(self._url, {"RQST": request})

    async def probe(self) -> Response:
        """Ask after a request that never was: any answer but one about the account shows that the account works."""
        return await self._status("0", datetime.now(UTC))

    def probed(self, response: Response) -> str:
        status, (code, _words) = _status(response), _reply(response)
        if not (status or code):
            return UNREADABLE
        if status == _DENIED or ERRORS.get(code) == _ACCOUNT:
            return "VinaPhone từ chối tên truy cập, mật khẩu hoặc địa chỉ IP. Hãy kiểm tra lại."
        return ""


def _status(response: Response) -> str:
    reply = json_object(response.body).get("RPLY")
    return text_of(reply.get("STATUS")) if isinstance(reply, dict) else ""


def _reply(response: Response) -> tuple[str, Any]:
    reply = json_object(response.body).get("RPLY")
    return (text_of(reply.get("ERROR")), reply.get("ERROR_DESC")) if isinstance(reply, dict) else ("", None)


def _opening(now: datetime) -> datetime:
    """The next seven o'clock in Vietnam."""
    local = now.astimezone(_ZONE)
    opening = datetime.combine(local.date(), OPENING, _ZONE)
    return (opening if local < opening else opening + timedelta(days=1)).astimezone(UTC)
