"""VMG brandname, at ``/vmg/api/SMSBrandname/SendSMS``. The form of its replies is unconfirmed ("000" is success)."""

from __future__ import annotations

import re
from collections.abc import Awaitable

from ..http import Answer, BadRequest, Reply, Request
from ..phone import is_gsm, vietnamese
from ..sms_gateway import SmsGateway, numeric_id

_SCHEDULED = re.compile(r"\d{2}-\d{2}-\d{4} \d{2}:\d{2}")
_TEXTS = {
    "000": "Success",
    "001": "Token is invalid",
    "002": "Brandname is invalid",
    "003": "Phone number is invalid",
    "004": "Message is invalid",
    "005": "Duplicate requestId",
    "099": "Too many requests",
}


class Vmg(SmsGateway):
    name = "vmg"
    label = "SMS (VMG)"
    settings = {
        "SANDBOX_VMG_TOKEN": "sandbox-vmg-token",
        "SANDBOX_VMG_BRANDNAME": "UBND-BN",
    }

    @staticmethod
    def _answer(code: str, id: str = "") -> Reply:
        return Reply.json({"errorCode": code, "errorMessage": _TEXTS[code], "referentId": id})

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        if request.method != "POST" or path != "/api/SMSBrandname/SendSMS":
            return Reply(404)
        if request.headers.get("token") != self.config["SANDBOX_VMG_TOKEN"]:
            return self._answer("001")
        try:
            body = request.json_object
        except BadRequest:
            return self._answer("004")
        if body.get("from") != self.config["SANDBOX_VMG_BRANDNAME"]:
            return self._answer("002")
        phone, text = vietnamese(str(body.get("to", ""))), str(body.get("message") or "")
        if phone is None or self.refuses(phone):
            return self._answer("003")
        unicode, scheduled = body.get("useUnicode", 0), str(body.get("scheduled") or "")
        if not text.strip() or body.get("type") not in (1, 2) or (not unicode and not is_gsm(text)):
            return self._answer("004")
        if scheduled and not _SCHEDULED.fullmatch(scheduled):
            return self._answer("004")
        return self.send(phone, lambda: self._accept(phone, text, str(body.get("requestId") or "")))

    def _accept(self, phone: str, text: str, request_id: str) -> Reply:
        if earlier := self.known_request(request_id):
            return self._answer("005", earlier)
        id, brand = numeric_id(), self.config["SANDBOX_VMG_BRANDNAME"]
        self.accept(self.sms(id, phone, text, brand, reference=request_id, request=request_id))
        self.remember_request(request_id, id)
        return self._answer("000", id)

    def rate_limited(self, seconds: float) -> Reply:
        return self._answer("099")
