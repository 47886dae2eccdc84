"""The control interface: faults, the truth, webhooks and citizens' answers, as JSON under ``/control/``.

    GET    /control/stats                    totals per provider, faults that struck, callbacks
    GET    /control/accepted?reference=...   every acceptance of a reference (or ?address=, ?id=)
    GET    /control/accepted.ndjson?from=0   the journal from a byte offset; header x-next-offset says where it ends
    GET    /control/faults                   kinds and rules
    POST   /control/faults                   add a rule or a list of rules
    PUT    /control/faults                   replace all rules
    DELETE /control/faults[/id]              remove all rules, or one
    POST   /control/webhooks                 {"twilio": "http://..."}: where citizens' answers go; null forgets it
    POST   /control/reply                    {"provider", "address", "text"}, or "action" instead of "text":
                                             "stop" | "block" | "unblock"
    POST   /control/clear                    forget all messages and planned receipts

A request that changes something must be ``application/json``: a web page elsewhere cannot make a browser send that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .faults import KINDS
from .gateway import Box, Gateway, is_json, whole
from .http import Answer, Reply, Request, StreamReply


class _Refused(Exception):
    pass


def _refuse(sentence: str, status: int = 400) -> Reply:
    return Reply.json({"error": sentence}, status)


class Control:
    def __init__(self, box: Box, gateways: Mapping[str, Gateway]) -> None:
        self.box = box
        self.gateways = gateways
        self._routes: dict[tuple[str, str], Callable[[Request], Answer | Awaitable[Answer]]] = {
            ("GET", "stats"): lambda _: Reply.json(self.stats()),
            ("GET", "accepted"): self._accepted,
            ("GET", "accepted.ndjson"): self._journal,
            ("GET", "faults"): lambda _: Reply.json(self.faults()),
            ("POST", "faults"): self._add_faults,
            ("PUT", "faults"): self._replace_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "webhooks"): self._webhooks,
            ("POST", "reply"): self._reply,
            ("POST", "clear"): self._clear,
        }

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        if request.method != "GET" and not is_json(request):
            return _refuse("Yêu cầu phải là application/json.", 415)
        name, _, rest = path.strip("/").partition("/")
        if request.method == "DELETE" and name == "faults" and rest:
            return self._remove_fault(rest)
        route = self._routes.get((request.method, name)) if not rest else None
        if route is None:
            return _refuse("Không có lệnh này.", 404)
        try:
            return route(request)
        except (_Refused, ValueError) as e:
            return _refuse(str(e))

    def stats(self) -> dict[str, Any]:
        box = self.box
        per_provider: dict[str, dict[str, int]] = {name: {} for name in self.gateways}
        for key, count in sorted(box.store.totals.items()):
            name, _, what = key.partition(" ")
            per_provider.setdefault(name, {})[what] = count
        struck: dict[str, dict[str, int]] = {}
        for key, count in sorted(box.faults.counts.items()):
            name, _, what = key.partition(" ")
            struck.setdefault(name, {})[what] = count
        return {
            "accepted": sum(totals.get("accepted", 0) for totals in per_provider.values()),
            "providers": per_provider,
            "faults": struck,
            "callbacks": {"pending": box.callbacks.pending, **box.callbacks.counts},
            "journal_bytes": box.store.journal_size,
        }

    async def _accepted(self, request: Request) -> Reply:
        for field in ("reference", "address", "id"):
            if value := request.query.get(field):
                lines = await self.box.store.accepted(field, value)
                return Reply.json({"count": len(lines), "messages": lines})
        return _refuse("Cho biết reference, address hoặc id.")

    def _journal(self, request: Request) -> Answer:
        start = whole(request.query.get("from", "0"))
        size = self.box.store.journal_size
        if start is None or not 0 <= start <= size:
            raise _Refused(f"«from» là một vị trí từ 0 đến {size}.")
        return StreamReply(self.box.store.journal(start), "application/x-ndjson", (("x-next-offset", str(size)),))

    def faults(self) -> dict[str, Any]:
        kinds = {k: {"label": v.label, "stage": v.stage, "params": dict(v.params)} for k, v in KINDS.items()}
        return {"seed": self.box.faults.seed, "kinds": kinds, "rules": [r.as_json() for r in self.box.faults.rules]}

    def _add_faults(self, request: Request) -> Reply:
        self.box.faults.add(self.box.faults.parse(request.json, list(self.gateways)))
        return Reply.json(self.faults(), 201)

    def _replace_faults(self, request: Request) -> Reply:
        rules = self.box.faults.parse(request.json, list(self.gateways))
        self.box.faults.remove()
        self.box.faults.add(rules)
        return Reply.json(self.faults())

    def _clear_faults(self, request: Request) -> Reply:
        self.box.faults.remove()
        return Reply.json(self.faults())

    def _remove_fault(self, id: str) -> Reply:
        if whole(id) not in [r.id for r in self.box.faults.rules]:
            return _refuse("Không có lỗi giả lập này.", 404)
        self.box.faults.remove(int(id))
        return Reply.json(self.faults())

    def _gateway(self, name: Any) -> Gateway:
        gateway = self.gateways.get(name) if isinstance(name, str) else None
        if gateway is None:
            raise _Refused(f"Không có cổng này. Các cổng: {', '.join(self.gateways)}.")
        return gateway

    def _webhooks(self, request: Request) -> Reply:
        for name, url in request.json_object.items():
            self._gateway(name)
            if url is not None and not (isinstance(url, str) and url.startswith(("http://", "https://"))):
                raise _Refused(f"Địa chỉ nhận của {name} phải bắt đầu bằng http:// hoặc https://.")
        for name, url in request.json_object.items():
            self.gateways[name].set_webhook(url)
        return Reply.json({name: self.box.store.get(name, "webhook") for name in self.gateways})

    def _reply(self, request: Request) -> Reply:
        data = request.json_object
        gateway = self._gateway(data.get("provider"))
        address, text, action = data.get("address"), data.get("text"), data.get("action", "reply")
        if not isinstance(address, str) or (gateway.name, address) not in self.box.store.threads:
            raise _Refused("Máy này chưa nhận tin nào.")
        if action == "stop" and gateway.refusal:
            action, text = "reply", gateway.refusal
        if action in ("block", "unblock") and gateway.can_block:
            gateway.block(address, action == "block")
            return Reply.json({"callbacks": 1})
        if action != "reply":
            raise _Refused("Cổng này không làm được việc đó.")
        if not gateway.two_way:
            raise _Refused("Kênh này một chiều, người dân không trả lời được.")
        if not isinstance(text, str) or not 1 <= len(text.strip()) <= 1600:
            raise _Refused("Câu trả lời dài từ 1 đến 1.600 ký tự.")
        posts = gateway.answered(address, text.strip())
        for post in posts:
            self.box.callbacks.after(0, post)
        return Reply.json({"callbacks": len(posts)})

    def _clear(self, request: Request) -> Reply:
        self.box.callbacks.clear()
        self.box.store.clear()
        return Reply.json(self.stats())
