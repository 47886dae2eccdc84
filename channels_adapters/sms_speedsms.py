"""SMS through SpeedSMS.vn.

Contract: speedsms.vn «SMS API» and its published clients (sms/send, user/info, webhook). SpeedSMS takes no reference of
ours and has no idempotency key; its ``tranId`` is one request's, which here is one message. Its webhook is one address
for the account, unsigned: the address carries a secret of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qs

from .core import optout, phone, signatures
from .core.brandname import (
    SECRET_PATH,
    SENDER,
    TABLES,
    UNACCENT,
    UNREADABLE,
    BrandnameSms,
    json_object,
    text_of,
)
from .core.http import Response
from .core.interface import (
    Callback,
    Capabilities,
    Field,
    Inbound,
    Message,
    Next,
    Outcome,
    Reason,
    Receipt,
    ReceiptState,
    Request,
)

HOST = "https://api.speedsms.vn"

ERRORS: Mapping[str, tuple[Next, Reason]] = {
    "500": (Next.RETRY, Reason.PROVIDER_ERROR),
    "105": (Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    "101": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),  # a parameter is missing or wrong
    "110": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),  # encoding
    "113": (Next.FIX_CONTENT, Reason.TOO_LONG),
    "007": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # our IP address
    "008": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # locked
    "009": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # may not use the API
    "300": (Next.PAUSE_ACCOUNT, Reason.NO_CREDIT),
}
LAST_TEMPORARY = 63  # of a report's status: 0 arrived, 1 to 63 the operator still tries, above that it failed


class SmsSpeedsms(BrandnameSms):
    codes = ERRORS
    no_advertising = "Tài khoản SpeedSMS ở đây chỉ gửi tin chăm sóc. Hãy chọn kênh khác cho tin quảng cáo."
    capabilities = Capabilities(
        label="SMS (SpeedSMS)",
        family="sms",
        address_kind="phone",
        reach="person",
        receipts="push",
        echoes=False,
        two_way=True,
        fields=(
            Field("token", "Access token", secret=True, help="Ở trang Cài đặt của SpeedSMS."),
            SENDER,
            Field(
                "sms_type",
                "Loại tin",
                kind="choice",
                default="3",
                choices=(
                    ("2", "Đầu số ngẫu nhiên"),
                    ("3", "Tên thương hiệu của đơn vị"),
                    ("4", "Tên mặc định (Verify, Notify)"),
                    ("5", "Ứng dụng trên điện thoại Android"),
                ),
            ),
            SECRET_PATH,
            *TABLES,
        ),
        content_fields=(UNACCENT,),
    )

    def _url(self, path: str) -> str:
        return f"{f'{self.sandbox_url}/speedsms' if self.sandbox_url else HOST}/index.php/{path}"

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": signatures.basic_auth(self.settings["token"], "x")}

    # -- sending --------------------------------------------------------------------------------------------
    async def post(self, message: Message) -> Response:
        body = {
            "to": [phone.digits(message.address)],
            "content": message.rendered.text,
            "sms_type": int(self.settings["sms_type"]) if self.settings["sms_type"] in "23456" else 3,
            "sender": self.settings["sender"],
        }
        return await self.post_json(self._url("sms/send"), body, self._authorization)

    def read(self, message: Message, response: Response) -> Outcome | None:
        answer = json_object(response.body)
        code = text_of(answer.get("code"))
        if code == "00" and response.ok:
            data = answer.get("data")
            data = data if isinstance(data, dict) else {}
            if data.get("invalidPhone"):
                return self.refused(message, response, "105")
            identity = text_of(data.get("tranId"))
            return self.accepted(message, identity) if identity else None
        return self.refused(message, response, code, answer.get("message")) if code else None

    async def probe(self) -> Response:
        return await self.transport.request("GET", self._url("user/info"), headers=self._authorization)

    def probed(self, response: Response) -> str:
        answer = json_object(response.body)
        data = answer.get("data")
        try:  # some answers wrap the account in `data`, and write the number as text
            balance = float((data if isinstance(data, dict) else answer)["balance"])
        except (KeyError, TypeError, ValueError):
            return UNREADABLE
        return "" if balance > 0 else "Tài khoản SpeedSMS đã hết tiền. Hãy nạp thêm."

    # -- what comes back ------------------------------------------------------------------------------------
    def verify(self, request: Request) -> bool:
        token = self.settings["webhook_token"]
        try:
            given = parse_qs(request.query).get("k", [""])[0]
        except ValueError:
            return False
        return len(token) >= 16 and signatures.same(token, given)

    def parse(self, request: Request) -> Callback:
        body = json_object(request.body)
        kind, identity = body.get("type"), text_of(body.get("tranId"))
        if kind == "incoming":
            return Callback(inbound=(_inbound(request, identity, body),))
        status = text_of(body.get("status"))
        if kind != "report" or not identity or not status.isdecimal():
            raise ValueError("a SpeedSMS callback of no known kind")
        return Callback(receipts=(_receipt(identity, int(status)),))


def _receipt(identity: str, status: int) -> Receipt:
    code = str(status)
    if status == 0:
        return Receipt(ReceiptState.DELIVERED, provider_id=identity, code=code)
    if status <= LAST_TEMPORARY:
        return Receipt(ReceiptState.SENT, provider_id=identity, code=code)
    failed = (Next.GIVE_UP, Reason.UNREACHABLE)
    return Receipt(ReceiptState.FAILED, provider_id=identity, next=failed[0], reason=failed[1], code=code)


def _inbound(request: Request, identity: str, body: Mapping[str, object]) -> Inbound:
    sender, text = text_of(body.get("phone")), text_of(body.get("content"))
    if not sender:
        raise ValueError("an incoming message from nobody")
    with suppress(ValueError):  # a short code is kept as it came
        sender = phone.mobile(sender)
    identity = identity or hashlib.sha256(request.body).hexdigest()[:32]  # a repetition is byte for byte the same
    return Inbound(identity, sender, optout.keyword(text) or "text", text)
