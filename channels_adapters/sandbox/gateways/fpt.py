"""FPT SMS brandname, at ``/fpt/oauth2/token`` and ``/fpt/api/push-brandname-otp``.

Requests as published; the form of its error bodies ({"error", "error_description"}) is unconfirmed.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Awaitable, Mapping
from typing import Any

from ..gateway import Box
from ..http import Answer, BadRequest, Reply, Request
from ..phone import vietnamese
from ..sms_gateway import SmsGateway, numeric_id

_TOKEN_LIVES = 3600  # seconds


class Fpt(SmsGateway):
    name = "fpt"
    label = "SMS (FPT)"
    settings = {
        "SANDBOX_FPT_CLIENT_ID": "sandbox-fpt-client",
        "SANDBOX_FPT_CLIENT_SECRET": "sandbox-fpt-secret",
        "SANDBOX_FPT_BRANDNAME": "UBND-BN",
    }

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self._tokens: dict[str, tuple[str, float]] = {}  # token -> (session, until)

    @staticmethod
    def _error(code: int, text: str, status: int = 400) -> Reply:
        return Reply.json({"error": code, "error_description": text}, status)

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        try:
            if request.method == "POST" and path == "/oauth2/token":
                return self._token(request.json_object)
            if request.method == "POST" and path == "/api/push-brandname-otp":
                return self._push(request.json_object)
        except BadRequest as e:
            return self._error(1001, str(e))
        return Reply(404)

    def _token(self, body: Mapping[str, Any]) -> Reply:
        given = (body.get("client_id"), body.get("client_secret"))
        if given != (self.config["SANDBOX_FPT_CLIENT_ID"], self.config["SANDBOX_FPT_CLIENT_SECRET"]):
            return self._error(1010, "Client authentication failed", 401)
        session, scope = str(body.get("session_id") or ""), str(body.get("scope") or "")
        if body.get("grant_type") != "client_credentials" or not session or "send_brandname" not in scope:
            return self._error(1001, "Invalid request parameters")
        now = time.time()
        self._tokens = {t: v for t, v in self._tokens.items() if v[1] > now}
        token = secrets.token_hex(20)
        self._tokens[token] = (session, now + _TOKEN_LIVES)
        return Reply.json({"access_token": token, "expires_in": _TOKEN_LIVES, "token_type": "Bearer", "scope": scope})

    def _push(self, body: Mapping[str, Any]) -> Answer | Awaitable[Answer]:
        session, until = self._tokens.get(str(body.get("access_token")), ("", 0.0))
        if until < time.time() or session != body.get("session_id"):
            return self._error(1011, "Invalid access token", 401)
        if body.get("BrandName") != self.config["SANDBOX_FPT_BRANDNAME"]:
            return self._error(1014, "Brandname is not active")
        phone = vietnamese(str(body.get("Phone", "")))
        if phone is None or self.refuses(phone):
            return self._error(1003, "Phone is invalid")
        try:
            text = base64.b64decode(str(body.get("Message", "")), validate=True).decode()
        except ValueError:
            return self._error(1001, "Message is not base64")
        if not text.strip():
            return self._error(1001, "Message is empty")
        return self.send(phone, lambda: self._accept(phone, text, str(body.get("RequestId") or "")))

    def _accept(self, phone: str, text: str, request_id: str) -> Reply:
        id = self.known_request(request_id)
        if id is None:
            id = numeric_id()
            brand = self.config["SANDBOX_FPT_BRANDNAME"]
            self.accept(self.sms(id, phone, text, brand, reference=request_id, request=request_id))
            self.remember_request(request_id, id)
        return Reply.json(
            {
                "MessageId": id,
                "Phone": phone,
                "BrandName": self.config["SANDBOX_FPT_BRANDNAME"],
                "Message": text,
                "PartnerId": "1",
                "Telco": "viettel",
            }
        )
