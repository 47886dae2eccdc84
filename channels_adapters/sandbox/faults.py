"""What goes wrong, on purpose.

A rule names a kind of fault, the provider and the addresses it strikes, and how often: a share of the matching
requests, or the next so many. Each rule draws from its own random generator, seeded with the run's seed and the
rule, so that the n-th request a rule looks at always meets the same fate.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    label: str  # Vietnamese, for the panel
    stage: str  # "request": how a request is answered; "receipt": what is reported later
    params: Mapping[str, float | str] = field(default_factory=dict)  # names and defaults


KINDS: dict[str, Kind] = {
    "rate_limit": Kind("Quá tải: từ chối, hẹn gửi lại (429)", "request", {"retry_after": 2}),
    "server_error": Kind("Máy chủ nhà cung cấp lỗi (5xx)", "request", {"status": 503}),
    "slow": Kind("Trả lời chậm", "request", {"seconds": 3}),
    "stall": Kind("Nhận tin rồi treo máy", "request", {"seconds": 30}),
    "lost_reply": Kind("Nhận tin rồi mất hồi đáp", "request"),
    "cut": Kind("Cắt kết nối trước khi nhận", "request"),
    "garbage": Kind("Nhận tin nhưng hồi đáp hỏng", "request"),
    "blocked": Kind("Người nhận chặn", "request"),
    "undelivered": Kind("Tin không tới máy", "receipt", {"code": ""}),
    "receipt_late": Kind("Báo nhận tới muộn", "receipt", {"seconds": 60}),
    "receipt_repeat": Kind("Báo nhận lặp lại", "receipt", {"times": 3}),
    "receipt_shuffle": Kind("Báo nhận sai thứ tự", "receipt"),
    "receipt_never": Kind("Không bao giờ báo nhận", "receipt"),
    "receipt_forged": Kind("Kèm báo nhận giả mạo", "receipt"),
    "stop_reply": Kind("Người nhận trả lời STOP", "receipt"),
}


@dataclass(slots=True)
class Rule:
    id: int
    kind: str
    provider: str = "*"
    address: str = "*"  # a glob such as "+8490*" or "*0007"
    share: float = 1.0
    next: int | None = None  # strike this many more times, then rest
    params: dict[str, Any] = field(default_factory=dict)
    hits: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)

    def seconds(self) -> float:
        return float(self.params["seconds"])

    def as_json(self) -> dict[str, Any]:
        plain = ("id", "kind", "provider", "address", "share", "next", "params", "hits")
        return {name: getattr(self, name) for name in plain}


class Faults:
    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.rules: list[Rule] = []
        self.counts: Counter[str] = Counter()  # "twilio lost_reply" ...
        self._last_id = 0

    def parse(self, data: Any, providers: Sequence[str]) -> list[Rule]:
        """Rules from JSON: one object or a list of them. Raises ValueError with a sentence, and changes nothing."""
        rules = []
        for item in data if isinstance(data, list) else [data]:
            if not isinstance(item, dict) or item.get("kind") not in KINDS:
                raise ValueError(f"Lỗi giả lập phải có «kind» là một trong: {', '.join(KINDS)}.")
            kind = KINDS[item["kind"]]
            unknown = set(item) - {"kind", "provider", "address", "share", "next", *kind.params}
            if unknown:
                raise ValueError(f"«{item['kind']}» không có mục: {', '.join(sorted(map(str, unknown)))}.")
            provider, address = item.get("provider", "*"), item.get("address", "*")
            if provider != "*" and provider not in providers:
                raise ValueError(f"Không có cổng này. Các cổng: {', '.join(providers)}, hoặc * cho mọi cổng.")
            if not isinstance(address, str) or not address:
                raise ValueError("«address» là mẫu địa chỉ, ví dụ *0007.")
            share, left = item.get("share", 1.0), item.get("next")
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
                raise ValueError("«share» là tỷ lệ lớn hơn 0 và không quá 1.")
            if left is not None and (isinstance(left, bool) or not isinstance(left, int) or left < 1):
                raise ValueError("«next» là số lần, từ 1 trở lên.")
            params: dict[str, Any] = {}
            for name, default in kind.params.items():
                value = item.get(name, default)
                if isinstance(default, str):
                    value = str(value)
                elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
                    raise ValueError(f"«{name}» là một số từ 0 đến 86400.")
                params[name] = value
            if item["kind"] == "server_error" and params["status"] not in range(500, 600):
                raise ValueError("«status» là một mã từ 500 đến 599.")
            if item["kind"] == "receipt_repeat" and params["times"] not in range(2, 101):
                raise ValueError("«times» là số lần, từ 2 đến 100.")
            rules.append(Rule(0, item["kind"], provider, address, float(share), left, params))
        return rules

    def add(self, rules: Sequence[Rule]) -> None:
        for rule in rules:
            self._last_id += 1
            rule.id = self._last_id
            rule.dice = random.Random(f"{self.seed} {rule.kind} {rule.provider} {rule.address}")  # noqa: S311
            self.rules.append(rule)

    def remove(self, id: int | None = None) -> None:
        """Remove one rule, or all."""
        self.rules = [r for r in self.rules if id is not None and r.id != id]

    def draw(self, stage: str, provider: str, address: str) -> list[Rule]:
        """The rules that strike now. A request meets at most one fault; a message's receipts may meet several."""
        struck: list[Rule] = []
        for rule in self.rules:
            if (
                rule.next == 0
                or KINDS[rule.kind].stage != stage
                or rule.provider not in ("*", provider)
                or (rule.address != "*" and not fnmatchcase(address, rule.address))
                or rule.dice.random() >= rule.share
            ):
                continue
            if rule.next is not None:
                rule.next -= 1
            rule.hits += 1
            self.counts[f"{provider} {rule.kind}"] += 1
            struck.append(rule)
            if stage == "request":
                break
        return struck
