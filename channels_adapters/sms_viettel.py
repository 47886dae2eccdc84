"""SMS through Viettel «Bulk SMS», SOAP operation ``wsCpMt``.

Contract: client code of Viettel's partners (namespace ``http://impl.bulkSms.ws/``). The reply is 1 or 0 and a message
in words. No delivery reports come over SOAP, so «sent» is the last word.
"""

from __future__ import annotations

from collections.abc import Mapping

from .core import phone
from .core.brandname import SENDER, TABLES, UNACCENT, UNREADABLE, BrandnameSms, is_unicode
from .core.http import Response
from .core.interface import Capabilities, Field, Message, Next, Outcome, Reason
from .core.soap import envelope, returned

NAMESPACE = "http://impl.bulkSms.ws/"
DUPLICATE = "DUPLICATE MESSAGE"  # accepted before

# What the message of a refusal contains, in capitals.
ERRORS: Mapping[str, tuple[Next, Reason]] = {
    "CHECK INFORMATION ERROR": (Next.RETRY, Reason.PROVIDER_ERROR),
    "MAXLENGTH_LIMIT": (Next.FIX_CONTENT, Reason.TOO_LONG),
    "MSG_ERROR_CONTAIN_BLACKLIST": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
    "CONTENT_NOT_MATCH_TEMPLATE": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
    "IP_INVALID": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
    "CP_CODE_NOT_FOUND": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
    "WRONG_INFORMATION_AUTHENTICATE": (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    "ALIAS_INVALID": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # «ALIAS_INVALID:TELCO=…»
}


class SmsViettel(BrandnameSms):
    codes = ERRORS
    no_advertising = "Dịch vụ này của Viettel chỉ gửi tin chăm sóc. Hãy chọn kênh khác cho tin quảng cáo."
    capabilities = Capabilities(
        label="SMS (Viettel)",
        family="sms",
        address_kind="phone",
        reach="person",
        fields=(
            Field("endpoint", "Địa chỉ dịch vụ", kind="url", help="Viettel cấp, kết thúc bằng /bulkapi."),
            Field("user", "Tên truy cập (User)"),
            Field("password", "Mật khẩu (Password)", secret=True),
            Field("cp_code", "Mã đối tác (CPCode)"),
            SENDER,
            *TABLES,
        ),
        content_fields=(UNACCENT,),
    )

    async def _call(self, operation: str, arguments: Mapping[str, str]) -> Response:
        url = f"{self.sandbox_url}/viettel/bulkapi" if self.sandbox_url else self.settings["endpoint"]
        account = {
            "User": self.settings["user"],
            "Password": self.settings["password"],
            "CPCode": self.settings["cp_code"],
        }
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        body = envelope(NAMESPACE, operation, {**account, **arguments})
        return await self.transport.request("POST", url, headers=headers, body=body)

    async def post(self, message: Message) -> Response:
        number, text = phone.digits(message.address), message.rendered.text
        return await self._call(
            "wsCpMt",
            {
                "RequestID": message.reference,
                "UserID": number,
                "ReceiverID": number,
                "ServiceID": self.settings["sender"],
                "CommandCode": "bulksms",
                "Content": text,
                "ContentType": "1" if is_unicode(text) else "0",
            },
        )

    def read(self, message: Message, response: Response) -> Outcome | None:
        reply = returned(response.body)
        words = reply.get("message", "")
        if response.ok and (reply.get("result") == "1" or words.upper().startswith(DUPLICATE)):
            return self.accepted(message, message.reference)
        if "result" not in reply:
            return None
        code = next((known for known in ERRORS if known in words.upper()), "result 0")
        return self.refused(message, response, code, words)

    async def probe(self) -> Response:
        return await self._call("checkBalance", {})

    def probed(self, response: Response) -> str:
        reply = returned(response.body)
        if not reply:
            return UNREADABLE
        words = " ".join(reply.values()).upper()
        stops = [code for code, (next_, _reason) in ERRORS.items() if next_ is Next.PAUSE_ACCOUNT]
        if code := next((code for code in stops if code in words), ""):
            return f"Viettel từ chối tài khoản ({code}). Hãy kiểm tra lại cấu hình."
        if reply.get("errCode", "0") != "0":
            return "Viettel từ chối tên truy cập hoặc mật khẩu. Hãy kiểm tra lại."
        return ""
