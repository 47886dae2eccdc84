"""The HTTP side of a connection to a message centre, at ``/smpp``: what ``manage.py smpp_link`` answers workers with.

SMPP itself is not spoken here: training needs the messages and their receipts. Receipts are signed with the token.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import orjson

from ..callbacks import Post
from ..gateway import Step
from ..http import Answer, BadRequest, Reply, Request
from ..phone import vietnamese
from ..sms_gateway import SmsGateway
from ..store import Message

_INVALID_DESTINATION, _INVALID_SOURCE, _THROTTLED = 0x0B, 0x0A, 0x58


class Smpp(SmsGateway):
    name = "smpp"
    label = "SMS (SMPP)"
    settings = {
        "SANDBOX_SMPP_TOKEN": "sandbox-smpp-link-token",
        "SANDBOX_SMPP_SENDER": "UBND-BN",
    }
    two_way = True

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        expected = f"Bearer {self.config['SANDBOX_SMPP_TOKEN']}".encode()
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected):
            return Reply.json({"error": "credentials"}, 401)
        if (request.method, path) == ("GET", "/status"):
            return Reply.json({"bound": True, "reports": 0, "rate": 20.0})
        if (request.method, path) != ("POST", "/messages"):
            return Reply(404)
        try:
            body = request.json_object
        except BadRequest:
            body = {}
        if not all(body.get(name) for name in ("reference", "to", "text")):
            return Reply.json({"error": "a message has a reference, an address and a text"}, 400)
        phone = vietnamese(str(body["to"]))
        if body.get("sender") != self.config["SANDBOX_SMPP_SENDER"]:
            return self._status(_INVALID_SOURCE)
        if phone is None or self.refuses(phone):
            return self._status(_INVALID_DESTINATION)
        return self.send(phone, lambda: self._accept(phone, body))

    @staticmethod
    def _status(status: int) -> Reply:
        return Reply.json({"error": "status", "status": status}, 409)

    def _accept(self, phone: str, body: Mapping[str, Any]) -> Reply:
        callback, reference = str(body.get("callback") or ""), str(body["reference"])
        message = self.sms(
            secrets.token_hex(5).upper(), phone, str(body["text"]), str(body["sender"]), reference=reference,
            callback=callback,
        )  # fmt: skip
        self.accept(message)
        return Reply.json({"id": message.id, "parts": message.data["segments"]})

    def rate_limited(self, seconds: float) -> Reply:
        return self._status(_THROTTLED)

    def _signed(self, url: str, body: Mapping[str, Any], forged: bool = False) -> Post:
        raw, stamp = orjson.dumps(body), str(int(time.time()))
        key = "forged" if forged else self.config["SANDBOX_SMPP_TOKEN"]
        digest = hmac.digest(key.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hex()
        return Post(url, raw, "application/json", [("x-loa-signature", f"t={stamp},v1={digest}")])

    def report(self, message: Message, step: Step) -> Sequence[Post]:
        if not message.data["callback"]:
            return ()
        delivered = step.status == "delivered"
        receipt = {
            "reference": message.reference,
            "ids": [message.id],
            "state": "DELIVRD" if delivered else "UNDELIV",
            "error": "000" if delivered else "011",
            "at": None,
        }
        return [self._signed(message.data["callback"], {"receipts": [receipt]}, step.forged)]

    def new_inbound_id(self, address: str) -> str:
        return secrets.token_hex(12)

    def inbound(self, message: Message) -> Sequence[Post]:
        url = self.box.store.get(self.name, "webhook")
        if not url:
            thread = self.box.store.threads.get((self.name, message.address))
            sent = [m for m in thread.messages if m.data.get("callback")] if thread else []
            url = sent[-1].data["callback"] if sent else None
        said = {"id": message.id, "from": message.address, "text": message.text}
        return [self._signed(url, {"inbound": [said]})] if url else ()
