"""Stringee SMS, at ``/stringee/v1/sms``. From Stringee's documentation; the token is a JWT signed with HS256."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Awaitable, Sequence
from typing import Any

import orjson

from ..http import Answer, BadRequest, Reply, Request
from ..phone import vietnamese
from ..sms_gateway import SmsGateway, numeric_id


def _part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Stringee(SmsGateway):
    name = "stringee"
    label = "SMS (Stringee)"
    settings = {
        "SANDBOX_STRINGEE_KEY_SID": "SK.0.sandbox",
        "SANDBOX_STRINGEE_KEY_SECRET": "sandbox-stringee-key-secret-0000",
        "SANDBOX_STRINGEE_BRANDNAME": "UBND-BN",
    }

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        if request.method != "POST" or path != "/v1/sms":
            return Reply(404)
        if not self._authentic(request.headers.get("x-stringee-auth", "")):
            return Reply.json({"r": 4, "msg": "AUTHENTICATION_FAILED"}, 401)
        try:
            messages = request.json_object.get("sms")
        except BadRequest:
            messages = None
        if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
            return Reply.json({"r": 3, "msg": "REQUEST_PARAMETERS_INVALID"}, 400)
        if not messages:
            return Reply.json({"smsSent": 0, "result": []})
        first = vietnamese(str(messages[0].get("to", ""))) or ""
        return self.send(first, lambda: self._accept(messages))

    def _authentic(self, token: str) -> bool:
        try:
            head, claims, signature = token.split(".")
            right = hmac.digest(
                self.config["SANDBOX_STRINGEE_KEY_SECRET"].encode(), f"{head}.{claims}".encode(), hashlib.sha256
            )
            header, said = orjson.loads(_part(head)), orjson.loads(_part(claims))
            return (
                hmac.compare_digest(right, _part(signature))
                and header.get("alg") == "HS256"
                and header.get("cty") == "stringee-api;v=1"
                and said.get("iss") == self.config["SANDBOX_STRINGEE_KEY_SID"]
                and said.get("rest_api") is True
                and time.time() < float(said.get("exp", 0)) <= time.time() + 3660
            )
        except (ValueError, AttributeError):
            return False

    def _accept(self, messages: Sequence[dict[str, Any]]) -> Reply:
        results: list[dict[str, Any]] = []
        accepted = []
        for one in messages:
            phone, text = vietnamese(str(one.get("to", ""))), str(one.get("text") or "")
            if one.get("from") != self.config["SANDBOX_STRINGEE_BRANDNAME"]:
                results.append({"r": 5, "msg": "BRANDNAME_NOT_FOUND"})
            elif phone is None or self.refuses(phone):
                results.append({"r": 7, "msg": "TO_NUMBER_INVALID"})
            elif not text.strip():
                results.append({"r": 3, "msg": "TEXT_EMPTY"})
            else:
                accepted.append(self.sms(numeric_id(), phone, text, str(one["from"])))
                results.append({"r": 0, "msg": "Success"})
        if accepted:
            self.accept(*accepted)
        return Reply.json({"smsSent": len(accepted), "result": results})
