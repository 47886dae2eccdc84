"""eSMS.vn, at ``/esms/MainService.svc/json/...``.

From github devesms/gitbook_esms_for_develop_v2. Its callback is an unsigned GET: a receiver must confirm it by a
status query. Not modelled: the limit of one equal text per phone in five minutes, whose code is undocumented.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from ..callbacks import Post
from ..gateway import Box, Step
from ..http import Answer, BadRequest, Reply, Request
from ..phone import is_gsm, vietnamese
from ..sms_gateway import SmsGateway, numeric_id
from ..store import Message

_ROOT = "/MainService.svc/json/"
_TEXTS = {
    "99": "Phone is blocked",
    "100": "",
    "101": "Authorize Failed",
    "104": "Brandname code is incorrect or inactive",
    "107": "Ads brandname must be sent to 30 phones or more",
    "108": "Phone is invalid",
    "118": "Unsupported message type",
    "120": "Content is invalid",
    "124": "RequestId has been requested",
    "160": "TPS limit exceeded",
    "199": "System is processing",
}
_TELCOS = {  # after number portability only a guess, as at the provider
    **dict.fromkeys(("32", "33", "34", "35", "36", "37", "38", "39", "86", "96", "97", "98"), 1),
    **dict.fromkeys(("70", "76", "77", "78", "79", "89", "90", "93"), 2),
    **dict.fromkeys(("81", "82", "83", "84", "85", "88", "91", "94"), 3),
    **dict.fromkeys(("52", "56", "58", "92"), 4),
    **dict.fromkeys(("59", "99"), 5),
    **dict.fromkeys(("87",), 6),
    **dict.fromkeys(("55",), 7),
}


class Esms(SmsGateway):
    name = "esms"
    label = "SMS (eSMS)"
    settings = {
        "SANDBOX_ESMS_API_KEY": "SANDBOXESMSAPIKEY",
        "SANDBOX_ESMS_SECRET_KEY": "SANDBOXESMSSECRET",
        "SANDBOX_ESMS_BRANDNAME": "UBND-BN",
    }

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self._routes: dict[str, Callable[[Request], Answer | Awaitable[Answer]]] = {
            "SendMultipleMessage_V4_post_json": self._care,
            "SendMultipleSMSBrandname_json": self._ads,
            "GetSendStatus": self._status,
            "GetSmsReceiverStatus_get": self._receivers,
            "GetBalance_json": self._balance,
        }

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        route = self._routes.get(path.removeprefix(_ROOT).rstrip("/"))
        if route is None or not path.startswith(_ROOT):
            return Reply(404, b"Endpoint not found.", "text/html")
        try:
            return route(request)
        except BadRequest:
            return Reply(400, b"<HTML><BODY>Request Error</BODY></HTML>", "text/html")

    def _authentic(self, arguments: Mapping[str, Any]) -> bool:
        given = (arguments.get("ApiKey"), arguments.get("SecretKey"))
        return given == (self.config["SANDBOX_ESMS_API_KEY"], self.config["SANDBOX_ESMS_SECRET_KEY"])

    @staticmethod
    def _answer(code: str, sms_id: str = "") -> Reply:
        body: dict[str, Any] = {"CodeResult": code, "CountRegenerate": 0, "SMSID": sms_id or None}
        if _TEXTS[code]:
            body["ErrorMessage"] = _TEXTS[code]
        return Reply.json(body)

    def _check(self, body: Mapping[str, Any], kind: str) -> str:
        """The code of what is wrong with a request for any phone, or nothing."""
        if not self._authentic(body):
            return "101"
        if body.get("Brandname") != self.config["SANDBOX_ESMS_BRANDNAME"]:
            return "104"
        if str(body.get("SmsType")) != kind:
            return "118"
        text = str(body.get("Content") or "")
        if not text.strip() or (str(body.get("IsUnicode", "0")) != "1" and not is_gsm(text)):
            return "120"
        return ""

    def _care(self, request: Request) -> Answer | Awaitable[Answer]:
        body = request.json_object
        phone = vietnamese(str(body.get("Phone", "")))
        if code := self._check(body, "2"):
            return self._answer(code)
        if phone is None:
            return self._answer("108")
        return self.send(phone, lambda: self._accept([phone], body))

    def _ads(self, request: Request) -> Answer | Awaitable[Answer]:
        body = request.json_object
        given = [p.strip() for p in str(body.get("Phones", "")).split(",") if p.strip()]
        if code := self._check(body, "1"):
            return self._answer(code)
        if not 30 <= len(given) <= 5000:
            return self._answer("107")
        phones = [p for p in map(vietnamese, given) if p]
        return self.send(phones[0], lambda: self._accept(phones, body)) if phones else self._answer("108")

    def _accept(self, phones: Sequence[str], body: Mapping[str, Any]) -> Reply:
        request_id = str(body.get("RequestId") or "")
        if earlier := self.known_request(request_id):
            return self._answer("124", earlier)
        if all(map(self.refuses, phones)):
            return self._answer("99")
        if str(body.get("Sandbox", "0")) == "1":
            return self._answer("100", numeric_id())  # checked, not sent
        batch, callback = numeric_id(), str(body.get("CallbackUrl") or "")
        text, brand = str(body["Content"]), str(body["Brandname"])
        phones = [p for p in phones if not self.refuses(p)]
        data = {"callback": callback, "batch": batch, "request": request_id, "size": len(phones)}
        reference = request_id if len(phones) == 1 else ""
        messages = [
            self.sms(f"{batch}/{n}", phone, text, brand, reference=reference, **data) for n, phone in enumerate(phones)
        ]
        self.accept(*messages)
        self.remember_request(request_id, batch)
        return self._answer("100", batch)

    async def _of_batch(self, request: Request) -> list[Message] | Reply:
        if not self._authentic(request.query):
            return Reply.json({"CodeResponse": "101", "CodeResult": "101", "ErrorMessage": _TEXTS["101"]})
        batch = request.query.get("RefId", "")
        first = await self.box.store.find(self.name, f"{batch}/0")
        if first is None:
            return []
        rest = [await self.box.store.find(self.name, f"{batch}/{n}") for n in range(1, first.data["size"])]
        return [first, *(m for m in rest if m)]

    async def _status(self, request: Request) -> Reply:
        messages = await self._of_batch(request)
        if isinstance(messages, Reply):
            return messages
        if not messages:
            return Reply.json({"CodeResponse": "99", "ErrorMessage": "RefId not found"})
        delivered = sum(m.status == "delivered" for m in messages)
        failed = sum(m.status == "failed" for m in messages)
        done = delivered + failed == len(messages)
        return Reply.json(
            {
                "CodeResponse": "100",
                "SMSID": messages[0].data["batch"],
                "SendFailed": failed,
                "SendStatus": 5 if done else 7,
                "SendSuccess": delivered,
                "TotalReceiver": len(messages),
                "TotalSent": len(messages),
            }
        )

    async def _receivers(self, request: Request) -> Reply:
        messages = await self._of_batch(request)
        if isinstance(messages, Reply):
            return messages
        listed = [{"Phone": m.address, "IsSent": True, "SentResult": m.status == "delivered"} for m in messages]
        return Reply.json({"CodeResult": "100", "ReceiverList": listed})

    def _balance(self, request: Request) -> Reply:
        if not self._authentic(request.json_object):
            return Reply.json({"CodeResponse": "101", "ErrorMessage": _TEXTS["101"]})
        return Reply.json({"CodeResponse": "100", "Balance": 10_000_000, "UserID": 1})

    def rate_limited(self, seconds: float) -> Reply:
        return self._answer("160")

    def report(self, message: Message, step: Step) -> Sequence[Post]:
        if not message.data["callback"]:
            return ()
        delivered = int(step.status == "delivered")
        query = {
            "SMSID": message.data["batch"],
            "SendStatus": "5",
            "SendSuccess": str(delivered),
            "SendFailed": str(1 - delivered),
            "TotalPrice": str(300 * int(message.data["segments"])),
            "TotalReceiver": "1",
            "TotalSent": "1",
            "RequestId": message.data["request"],
            "TypeId": "2",
            "telcoid": str(_TELCOS.get(message.address[2:4], 0)),
            "phonenumber": message.address,
            "partnerids": "",
            "error_info": step.code,
        }
        url = message.data["callback"]
        mark = "&" if "?" in url else "?"
        return [Post(f"{url}{mark}{urlencode(query)}", b"", "text/plain", method="GET", backoff=(1, 2, 4, 8, 16))]
