"""SpeedSMS, at ``/speedsms/index.php/...``. From SpeedSMS's client libraries."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Sequence
from typing import Any

import orjson

from ..callbacks import Post
from ..gateway import Box, Step
from ..http import Answer, BadRequest, Reply, Request
from ..phone import vietnamese
from ..sms_gateway import SmsGateway, numeric_id
from ..store import Message

_TEXTS = {
    "007": "IP locked",
    "009": "not allow to send sms",
    "101": "invalid or missing parameters",
    "105": "phone number invalid",
    "110": "not support sms content encoding",
    "113": "sms content too long",
    "300": "your account balance not enough to send sms",
    "500": "internal error, please try again",
}


class SpeedSms(SmsGateway):
    name = "speedsms"
    label = "SMS (SpeedSMS)"
    settings = {
        "SANDBOX_SPEEDSMS_TOKEN": "sandbox-speedsms-token",
        "SANDBOX_SPEEDSMS_SENDER": "UBND-BN",
        "SANDBOX_SPEEDSMS_WEBHOOK": "",
    }
    two_way = True

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self._credentials = base64.b64encode(f"{self.config['SANDBOX_SPEEDSMS_TOKEN']}:x".encode())

    @staticmethod
    def _error(code: str, status: int = 200) -> Reply:
        return Reply.json({"status": "error", "code": code, "message": _TEXTS[code]}, status)

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic" or not hmac.compare_digest(given.strip().encode(), self._credentials):
            return self._error("009", 401)
        if (request.method, path) == ("GET", "/index.php/user/info"):
            return Reply.json({"email": "hop-cat@example.vn", "balance": 10_000_000.0, "currency": "VND"})
        if (request.method, path) != ("POST", "/index.php/sms/send"):
            return Reply(404)
        try:
            return self._send(request.json_object)
        except BadRequest:
            return self._error("101")

    def _send(self, body: dict[str, Any]) -> Answer | Awaitable[Answer]:
        to, text = body.get("to"), str(body.get("content") or "")
        kind = body.get("sms_type", body.get("type"))
        if not isinstance(to, list) or not to or not text.strip() or kind not in (2, 3, 4, 5, 6):
            return self._error("101")
        if kind == 3 and body.get("sender") != self.config["SANDBOX_SPEEDSMS_SENDER"]:
            return self._error("009")
        if len(text) > 918:
            return self._error("113")
        numbers = {str(p): vietnamese(str(p)) for p in to}
        good = [p for p in numbers.values() if p and not self.refuses(p)]
        invalid = [p for p, canonical in numbers.items() if not canonical or self.refuses(canonical)]
        if not good:
            return self._error("105")
        return self.send(good[0], lambda: self._accept(good, invalid, text, str(body.get("sender") or "")))

    def _accept(self, phones: Sequence[str], invalid: Sequence[str], text: str, sender: str) -> Reply:
        batch = numeric_id(9)
        messages = [self.sms(f"{batch}/{n}", p, text, sender, batch=batch) for n, p in enumerate(phones)]
        self.accept(*messages)
        price = sum(300 * int(m.data["segments"]) for m in messages)
        data = {"tranId": int(batch), "totalSMS": len(messages), "totalPrice": price, "invalidPhone": list(invalid)}
        return Reply.json({"status": "success", "code": "00", "data": data})

    def server_error(self, status: int) -> Reply:
        return self._error("500", status)

    def _webhook(self, body: dict[str, Any]) -> Sequence[Post]:
        url = self.box.store.get(self.name, "webhook") or self.config["SANDBOX_SPEEDSMS_WEBHOOK"]
        return [Post(url, orjson.dumps(body), "application/json")] if url else ()

    def report(self, message: Message, step: Step) -> Sequence[Post]:
        status = 0 if step.status == "delivered" else 64
        body = {"type": "report", "tranId": message.data["batch"], "phone": message.address, "status": status}
        return self._webhook(body)

    def new_inbound_id(self, address: str) -> str:
        return "in-" + numeric_id()

    def inbound(self, message: Message) -> Sequence[Post]:
        return self._webhook({"type": "incoming", "phone": message.address, "content": message.text})
