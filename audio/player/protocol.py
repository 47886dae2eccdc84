"""The messages between engine and device. Contract: ``docs/device-protocol.md``, version 1.

All are JSON objects in UTF-8; times are ISO 8601 with an offset; durations are seconds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

ROOT = "loa/v1"
LARGEST = 256 * 1024  # bytes of one message; more is not read

Rank = Literal["normal", "priority", "emergency"]
RANKS: dict[str, int] = {"normal": 0, "priority": 1, "emergency": 2}
State = Literal["accepted", "started", "finished", "failed", "interrupted"]
FINAL = frozenset({"finished", "failed", "interrupted"})

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Unreadable(ValueError):
    """A message that does not follow the protocol. ``id`` is its id where it has a usable one."""

    def __init__(self, message: str, id: str = "") -> None:
        super().__init__(message)
        self.id = id


@dataclass(frozen=True, slots=True)
class Item:
    """Something to play: ``id`` is acknowledged, ``sha256`` names the file."""

    id: str
    url: str
    sha256: str
    at: datetime
    not_after: datetime
    priority: Rank = "normal"
    repeat: int = 1  # 0: until stopped
    keep_alive: float = 0.0  # >0: stop when no refresh came for so long


@dataclass(frozen=True, slots=True)
class Command:
    id: str
    type: Literal["play", "stop", "refresh", "volume", "time"]
    not_after: datetime
    item: Item | None = None  # play
    of: str = ""  # stop, refresh: the id of what plays; empty for stop: everything
    volume: int = 0  # 0-100
    now: datetime | None = None  # time: the engine's clock


def topic(device: str, name: str) -> str:
    return f"{ROOT}/{device}/{name}"


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > LARGEST:
        raise Unreadable("too large")
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not JSON") from error
    if not isinstance(value, dict):
        raise Unreadable("not an object")
    return value


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Unreadable("bad id")
    return value


def _time(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Unreadable("bad time")
    return moment.astimezone(UTC)


def _number(value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Unreadable("number out of range")
    return float(value)


def _item(value: dict[str, Any], *, id: str = "", at: datetime | None = None) -> Item:
    url, sha256 = value.get("url"), value.get("sha256")
    if not isinstance(url, str) or not re.match(r"https?://[^\s]{1,2000}\Z", url):
        raise Unreadable("bad url")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise Unreadable("bad sha256")
    priority = value.get("priority", "normal")
    if priority not in RANKS:
        raise Unreadable("bad priority")
    return Item(
        id or _id(value.get("id")),
        url,
        sha256,
        at or _time(value.get("at")),
        _time(value.get("not_after")),
        priority,
        int(_number(value.get("repeat", 1), 0, 100)),
        _number(value.get("keep_alive", 0), 0, 3600),
    )


def parse_command(payload: bytes, now: datetime) -> Command:
    """Raises Unreadable."""
    value = _object(payload)
    id = _id(value.get("id"))
    try:
        kind = value.get("type")
        not_after = _time(value.get("not_after"))
        if kind == "play":
            return Command(id, "play", not_after, _item(value, id=id, at=now))
        if kind == "stop":
            return Command(id, "stop", not_after, of=_id(value["of"]) if value.get("of") else "")
        if kind == "refresh":
            return Command(id, "refresh", not_after, of=_id(value.get("of")))
        if kind == "volume":
            return Command(id, "volume", not_after, volume=int(_number(value.get("volume"), 0, 100)))
        if kind == "time":
            return Command(id, "time", not_after, now=_time(value.get("now")))
    except Unreadable as error:
        raise Unreadable(str(error), id) from error
    raise Unreadable("unknown type", id)


def parse_programme(payload: bytes) -> list[Item]:
    """The items a device shall play by its own clock. Raises Unreadable: then the old programme stays."""
    items = _object(payload).get("items")
    if not isinstance(items, list) or len(items) > 1000 or not all(isinstance(i, dict) for i in items):
        raise Unreadable("bad items")
    return [_item(i) for i in items]


def dump_item(item: Item) -> dict[str, object]:
    return {
        "id": item.id,
        "url": item.url,
        "sha256": item.sha256,
        "at": item.at.isoformat(),
        "not_after": item.not_after.isoformat(),
        "priority": item.priority,
        "repeat": item.repeat,
        "keep_alive": item.keep_alive,
    }


def dump(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
