"""A message centre of the province's own, at ``/http_gateway/messages`` and ``/http_gateway/account``.

The contract is ours and stands in docs/channels.md: many messages a request, de-duplicated by reference, and signed
reports with many receipts each.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from ..callbacks import Post
from ..gateway import Box, Step
from ..http import Answer, BadRequest, Reply, Request
from ..phone import E164, vietnamese
from ..sms_gateway import SmsGateway
from ..store import Message

LARGEST_BATCH = 500
_GATHER = 0.1  # seconds; receipts that fall due within it travel together


def _error(status: int, error: str, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply.json({"error": error, "detail": detail}, status, headers)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


class HttpGateway(SmsGateway):
    name = "http_gateway"
    label = "SMS (cổng HTTP)"
    settings = {
        "SANDBOX_HTTP_GATEWAY_TOKEN": "sandbox-http-gateway-token",
        "SANDBOX_HTTP_GATEWAY_KEY": "sandbox-http-gateway-signing-key",
        "SANDBOX_HTTP_GATEWAY_CALLBACK": "",  # where answers go before any message named a callback
    }
    refusal = "STOP"
    two_way = True

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self._gathered: dict[tuple[str, bool], list[dict[str, Any]]] = defaultdict(list)
        self._token = self.config["SANDBOX_HTTP_GATEWAY_TOKEN"].encode()

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            return _error(401, "credentials", "unknown token")
        if (request.method, path) == ("GET", "/account"):
            return Reply.json({"name": "sandbox", "balance": 10_000_000})
        if (request.method, path) != ("POST", "/messages"):
            return _error(404, "not_found", "no such path")
        try:
            body = request.json_object
        except BadRequest as e:
            return _error(400, "bad_request", str(e))
        messages = body.get("messages")
        if not isinstance(messages, list) or not 1 <= len(messages) <= LARGEST_BATCH:
            return _error(400, "bad_request", f"messages is a list of 1 to {LARGEST_BATCH}")
        if not all(isinstance(m, dict) and isinstance(m.get("reference"), str) and m["reference"] for m in messages):
            return _error(400, "bad_request", "each message has a reference")
        return self.send(str(messages[0].get("to", "")), lambda: self._accept(messages, body))

    def _accept(self, given: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> Reply:
        callback, sender = str(body.get("callback") or ""), str(body.get("sender") or "")
        results: list[dict[str, Any]] = []
        accepted: dict[str, Message] = {}
        for one in given:
            reference, to, text = one["reference"], str(one.get("to") or ""), str(one.get("text") or "")
            earlier = self.known_request(reference)
            if earlier or reference in accepted:
                results.append({"reference": reference, "id": earlier or accepted[reference].id})
            elif error := self._refusal(to, text):
                results.append({"reference": reference, "error": error, "detail": error.replace("_", " ")})
            else:
                message = self.sms(
                    secrets.token_hex(8), to, text, sender, reference=reference, callback=callback, request=reference
                )
                accepted[reference] = message
                results.append({"reference": reference, "id": message.id, "parts": message.data["segments"]})
        if accepted:
            self.accept(*accepted.values())
            for reference, message in accepted.items():
                self.remember_request(reference, message.id)
        return Reply.json({"messages": results})

    def _refusal(self, to: str, text: str) -> str:
        if not E164.fullmatch(to):
            return "bad_address"
        if to.startswith("+84") and vietnamese(to) is None:
            return "not_a_mobile"
        if self.refuses(to):
            return "blocked"
        if self.is_opted_out(to):
            return "opted_out"
        if not text.strip():
            return "rejected"
        return "too_long" if len(text) > 1600 else ""

    def rate_limited(self, seconds: float) -> Reply:
        return _error(429, "busy", "too many requests", (("retry-after", f"{seconds:g}"),))

    def server_error(self, status: int) -> Reply:
        return _error(status, "unavailable", "try again")

    # -- reports
    def report(self, message: Message, step: Step) -> Sequence[Post]:
        receipt = {"reference": message.reference, "id": message.id, "state": step.status, "at": _iso(time.time())}
        if step.status == "failed":
            receipt["error"] = "bad_address" if step.code == "unknown" else step.code
        self._gather(message.data["callback"], {"receipts": receipt}, step.forged)
        return ()

    def _gather(self, callback: str, item: dict[str, Any], forged: bool = False) -> None:
        if not callback:
            return
        if not self._gathered:
            self.box.callbacks.after(_GATHER / self.box.speed, self._reports)
        self._gathered[callback, forged].append(item)

    def _reports(self) -> Sequence[Post]:
        gathered, self._gathered = self._gathered, defaultdict(list)
        posts = []
        for (callback, forged), items in gathered.items():
            for start in range(0, len(items), LARGEST_BATCH):
                body: dict[str, list[Any]] = {"receipts": [], "inbound": []}
                for item in items[start : start + LARGEST_BATCH]:
                    for name, value in item.items():
                        body[name].append(value)
                posts.append(self._signed(callback, orjson.dumps(body), forged))
        return posts

    def _signed(self, url: str, body: bytes, forged: bool) -> Post:
        key = b"forged" if forged else self.config["SANDBOX_HTTP_GATEWAY_KEY"].encode()
        now = int(time.time())
        mac = hmac.new(key, b"%d." % now + body, hashlib.sha256).hexdigest()
        return Post(url, body, "application/json", [("x-loa-signature", f"t={now},v1={mac}")])

    # -- citizens
    def new_inbound_id(self, address: str) -> str:
        return "in-" + secrets.token_hex(8)

    def inbound(self, message: Message) -> Sequence[Post]:
        word = message.text.strip().upper()
        if word in ("STOP", "START"):
            self.box.store.put(self.name, f"opted_out {message.address}", word == "STOP" or None)
        said = {"id": message.id, "from": message.address, "text": message.text, "at": _iso(message.at)}
        thread = self.box.store.threads[self.name, message.address]
        named = (m.data["callback"] for m in reversed(thread.messages) if m.data.get("callback"))
        callback = self.box.store.get(self.name, "webhook") or next(named, "")
        self._gather(callback or self.config["SANDBOX_HTTP_GATEWAY_CALLBACK"], {"inbound": said})
        return ()
