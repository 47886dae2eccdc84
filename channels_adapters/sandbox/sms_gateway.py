"""What the stand-ins of Vietnamese SMS gateways share. Their phones are "84..." however the request writes them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from .gateway import Box, Gateway, Special, Step, reference_of
from .http import Reply
from .phone import parts
from .store import Message

_REMEMBERED = 200_000  # request ids kept for de-duplication


class SmsGateway(Gateway):
    skin = "sms"
    specials = (
        Special("0001", "nhận, rồi báo không tới: số không tồn tại"),
        Special("0003", "nhận, rồi báo không tới: máy tắt, ngoài vùng phủ sóng"),
        Special("0006", "từ chối ngay: số không hợp lệ hoặc bị chặn"),
        Special("0007", "nhận, không bao giờ báo tới máy"),
        Special("0008", "báo tới máy sau 60 giây"),
    )
    finals = frozenset({"delivered", "failed"})
    arrived = frozenset({"delivered"})
    default_failure = "unreachable"

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self._requests: OrderedDict[str, str] = OrderedDict()
        for message in box.store.newest(lambda m: m.provider == self.name and bool(m.data.get("request"))):
            self._requests.setdefault(message.data["request"], message.data.get("batch") or message.id)

    def known_request(self, request_id: str) -> str | None:
        """The provider's id of an earlier request with this id of ours."""
        return self._requests.get(request_id) if request_id else None

    def remember_request(self, request_id: str, id: str) -> None:
        if request_id:
            self._requests[request_id] = id
            if len(self._requests) > _REMEMBERED:
                self._requests.popitem(last=False)

    def refuses(self, phone: str) -> bool:
        return self.ending(phone) == "0006"

    def sms(self, id: str, phone: str, text: str, sender: str, *, reference: str = "", **data: Any) -> Message:
        return Message(
            self.name,
            id,
            phone,
            text,
            reference=reference or reference_of(str(data.get("callback", "")), text),
            sender=sender,
            status="accepted",
            data={"segments": parts(text), **data},
        )

    def plan(self, message: Message) -> Sequence[Step]:
        spread = (sum(message.id.encode()) + sum(message.address.encode())) % 32 / 32
        match self.ending(message.address):
            case "0001":
                return [Step(1 + spread, "failed", "unknown")]
            case "0003":
                return [Step(1 + spread, "failed", "unreachable")]
            case "0007":
                return ()
            case "0008":
                return [Step(60, "delivered")]
        return [Step(0.6 + 2 * spread, "delivered")]

    def rate_limited(self, seconds: float) -> Reply:
        return Reply(429, b"Too Many Requests", "text/plain", (("retry-after", f"{seconds:g}"),))


def numeric_id(digits: int = 12) -> str:
    return str(secrets.randbelow(9 * 10 ** (digits - 1)) + 10 ** (digits - 1))
