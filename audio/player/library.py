"""What a player keeps on disk: clips by checksum, the programme, what was played, reports not yet handed over."""

from __future__ import annotations

import contextlib
import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..store import write_atomically
from .protocol import Item, Unreadable, dump, dump_item, parse_programme

LARGEST = 100 * 1024 * 1024  # bytes of one clip
REMEMBERED = 1000  # ids of things played; more than a station plays in a month


class Library:
    """Survives loss of power: every change is one atomic write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clips = folder / "clips"
        self.clips.mkdir(parents=True, exist_ok=True)
        self._file = folder / "state.json"
        self.programme: list[Item] = []
        self.states: dict[str, dict[str, object]] = {}  # id -> the last report about it
        self.outbox: list[dict[str, object]] = []
        self.volume = 80
        self._load()

    def _load(self) -> None:
        try:
            kept: dict[str, Any] = json.loads(self._file.read_bytes())
            self.programme = parse_programme(dump({"items": kept["programme"]}))
            self.states = dict(kept["states"])
            self.outbox = list(kept["outbox"])
            self.volume = int(kept["volume"])
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError, Unreadable):
            with contextlib.suppress(OSError):  # start afresh, but leave what was there for who looks into it
                self._file.replace(self._file.with_suffix(".damaged"))

    def save(self) -> None:
        for id in list(self.states)[: max(0, len(self.states) - REMEMBERED)]:
            del self.states[id]
        kept = {
            "programme": [dump_item(i) for i in self.programme],
            "states": self.states,
            "outbox": self.outbox[-REMEMBERED:],
            "volume": self.volume,
        }
        write_atomically(self._file, dump(kept))

    def path(self, item: Item) -> Path:
        return self.clips / f"{item.sha256}.mp3"

    def has(self, item: Item) -> bool:
        return self.path(item).exists()

    def fetch(self, item: Item, timeout: float = 30.0) -> bool:
        """Get the clip (blocking); False where the network or the file is not good. An old copy is never replaced."""
        if self.has(item):
            return True
        try:
            with urllib.request.urlopen(item.url, timeout=timeout) as answer:  # noqa: S310  protocol.py admits only http
                data = answer.read(LARGEST + 1)
        except (OSError, ValueError, urllib.error.URLError):
            return False
        if len(data) > LARGEST or hashlib.sha256(data).hexdigest() != item.sha256:
            return False
        write_atomically(self.path(item), data)
        return True

    def forget_clips(self, wanted: Iterable[Item]) -> None:
        """Remove clips nothing refers to any more."""
        keep = {self.path(i).name for i in wanted}
        for path in self.clips.glob("*.mp3"):
            if path.name not in keep:
                path.unlink(missing_ok=True)
