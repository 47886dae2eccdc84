"""What the gateways accepted: the truth that tests compare the engine with.

Two append-only files of JSON lines under the state directory:

    accepted.ndjson  one line per accepted message, written before the sender gets its answer
    events.ndjson    what happened to it later, citizens' answers, and small settings (webhooks, blocked people)

A write goes to the operating system at once, so both survive a killed process; they are not meant to survive a
power cut. Memory holds the newest messages only; older ones are found again in the files.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

KEEP = 50_000  # messages in memory
_CHUNK = 1 << 20


@dataclass(slots=True)
class Message:
    """One message to or from a citizen. ``status`` and ``code`` are the provider's own words."""

    provider: str
    id: str
    address: str
    text: str
    reference: str = ""  # the engine's, where the request carries one
    sender: str = ""  # brand name, number, bot or page it came from
    at: float = 0.0  # Unix seconds
    status: str = ""
    code: str = ""
    inbound: bool = False
    changed: float = 0.0
    data: dict[str, Any] = field(default_factory=dict)  # the provider's own

    def line(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "id": self.id,
            "address": self.address,
            "reference": self.reference,
            "sender": self.sender,
            "at": self.at,
            "status": self.status,
            "text": self.text,
            "data": self.data,
        }


@dataclass(slots=True)
class Thread:
    """All messages in memory between one citizen and one provider, oldest first."""

    provider: str
    address: str
    messages: deque[Message] = field(default_factory=deque)


class _Journal:
    """An append-only file. A torn last line, left by a crash of the machine, is cut off when opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        size = os.fstat(self._fd).st_size
        end = size
        while end:
            start = max(0, end - _CHUNK)
            newline = os.pread(self._fd, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._fd, end)
        self.size = end

    def append(self, data: bytes) -> None:
        """All of ``data`` or nothing: raises OSError, for example on a full disk."""
        try:
            written = os.write(self._fd, data)
            if written != len(data):
                raise OSError(f"wrote {written} of {len(data)} bytes to the journal")
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self.size += len(data)

    def close(self) -> None:
        os.close(self._fd)

    def lines(self) -> Iterator[bytes]:
        with self.path.open("rb", buffering=_CHUNK) as file:
            yield from file

    def grep(self, needle: bytes) -> list[bytes]:
        """Lines that contain ``needle``."""
        found = []
        with self.path.open("rb", buffering=0) as raw, open(raw.fileno(), "rb", _CHUNK, closefd=False) as file:
            while chunk := file.read(_CHUNK):
                chunk += file.readline()
                at = chunk.find(needle)
                while at >= 0:
                    start, end = chunk.rfind(b"\n", 0, at) + 1, chunk.find(b"\n", at)
                    found.append(chunk[start : end if end >= 0 else len(chunk)])
                    at = chunk.find(needle, max(end, at + 1))
        return found


class Store:
    def __init__(self, directory: Path, keep: int = KEEP) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.keep = keep
        self.version = 0  # changes with everything the wall shows
        self.threads: dict[tuple[str, str], Thread] = {}  # least recently used first
        self.totals: Counter[str] = Counter()  # "twilio accepted", "twilio delivered" ...
        self._messages: dict[tuple[str, str], Message] = {}
        self._order: deque[Message] = deque()
        self._settings: dict[tuple[str, str], Any] = {}
        self._late: list[bytes] = []
        self._evicted = False
        self._text = ""
        self._accepted = _Journal(directory / "accepted.ndjson")
        self._events = _Journal(directory / "events.ndjson")
        (directory / "files").mkdir(exist_ok=True)
        self._load()

    # -- writing
    def accept(self, messages: Sequence[Message]) -> None:
        """Journal, then remember. On OSError nothing was accepted."""
        for message in messages:
            message.at = message.changed = message.at or time.time()
        self._accepted.append(b"".join(orjson.dumps(m.line(), option=orjson.OPT_APPEND_NEWLINE) for m in messages))
        for message in messages:
            self.totals[f"{message.provider} accepted"] += 1
            self._remember(message)

    def receive(self, message: Message) -> None:
        """Record what a citizen wrote or did."""
        message.inbound = True
        message.at = message.changed = time.time()
        self._event({"event": "inbound", **message.line()})
        self.totals[f"{message.provider} inbound"] += 1
        self._remember(message)

    def update(self, message: Message, **changes: Any) -> None:
        """Change ``status``, ``code``, ``text`` or ``data`` of a message."""
        message.changed = time.time()
        for name, value in changes.items():
            setattr(message, name, value)
        if "status" in changes:
            self.totals[f"{message.provider} {message.status}"] += 1
        line = {"event": "change", "provider": message.provider, "id": message.id, "at": message.changed, **changes}
        self._event(line)
        self.version += 1

    def put(self, provider: str, name: str, value: Any) -> None:
        """Keep a small setting of a provider; None forgets it."""
        self._event({"event": "set", "provider": provider, "name": name, "value": value}, now=True)
        self._set(provider, name, value)
        self.version += 1

    def save_file(self, data: bytes) -> str:
        """Keep a file; returns its SHA-256, by which :meth:`file` finds it."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.directory / "files" / digest
        if not path.exists():
            part = path.with_suffix(".part")
            part.write_bytes(data)
            part.rename(path)
        return digest

    # -- reading
    def get(self, provider: str, name: str, default: Any = None) -> Any:
        return self._settings.get((provider, name), default)

    def recent(self, provider: str, id: str) -> Message | None:
        """A message still in memory."""
        return self._messages.get((provider, id))

    async def find(self, provider: str, id: str) -> Message | None:
        message = self.recent(provider, id)
        if message or not self._evicted:
            return message
        found = await asyncio.to_thread(self._search, "id", id, provider)
        return found[-1] if found else None

    async def to(self, provider: str, address: str) -> list[Message]:
        """Every accepted message to an address, oldest first."""
        if self._evicted:
            return await asyncio.to_thread(self._search, "address", address, provider)
        thread = self.threads.get((provider, address))
        return [m for m in thread.messages if not m.inbound] if thread else []

    async def accepted(self, field: str, value: str) -> list[dict[str, Any]]:
        """Journal lines whose ``reference``, ``address`` or ``id`` is ``value``."""
        return await asyncio.to_thread(self._lines, field, value)

    async def journal(self, start: int) -> AsyncIterator[bytes]:
        """accepted.ndjson from a byte offset to its present end."""
        end = self._accepted.size
        with self._accepted.path.open("rb") as file:
            file.seek(start)
            while start < end:
                chunk = file.read(min(_CHUNK, end - start))
                start += len(chunk)
                yield chunk
                await asyncio.sleep(0)

    @property
    def journal_size(self) -> int:
        return self._accepted.size

    def newest(self, match: Callable[[Message], bool]) -> Iterator[Message]:
        """Messages in memory that match, newest first."""
        return (m for m in reversed(self._order) if match(m))

    def open_messages(self, provider: str, finals: Iterable[str]) -> list[Message]:
        """Outbound messages in memory that have not reached a final status."""
        done = frozenset(finals)
        return [m for m in self._order if m.provider == provider and not m.inbound and m.status not in done]

    def file(self, digest: str) -> bytes | None:
        path = self.directory / "files" / digest
        return path.read_bytes() if len(digest) == 64 and digest.isalnum() and path.exists() else None

    def clear(self) -> None:
        """Forget every message; settings stay."""
        self._late.clear()
        for journal in (self._accepted, self._events):
            os.ftruncate(journal._fd, 0)
            journal.size = 0
        self._messages.clear()
        self._order.clear()
        self.threads.clear()
        self.totals.clear()
        self._evicted = False
        for (provider, name), value in self._settings.items():
            self._event({"event": "set", "provider": provider, "name": name, "value": value}, now=True)
        self.version += 1

    def close(self) -> None:
        self._flush()
        self._accepted.close()
        self._events.close()

    # -- inside
    def _event(self, line: dict[str, Any], now: bool = False) -> None:
        """Events are gathered for some milliseconds: one lost in a crash only means a receipt sent again."""
        data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        if now:
            self._flush()
            self._events.append(data)
            return
        if not self._late:
            try:
                asyncio.get_running_loop().call_later(0.01, self._flush)
            except RuntimeError:
                self._events.append(data)
                return
        self._late.append(data)

    def _flush(self) -> None:
        if self._late:
            data, self._late = b"".join(self._late), []
            self._events.append(data)

    def _remember(self, message: Message) -> None:
        if message.text == self._text:
            message.text = self._text  # a campaign's messages share one string
        else:
            self._text = message.text
        self._messages[message.provider, message.id] = message
        self._order.append(message)
        key = (message.provider, message.address)
        thread = self.threads.pop(key, None) or Thread(*key)
        thread.messages.append(message)
        self.threads[key] = thread
        self.version += 1
        if len(self._order) > self.keep:
            self._evicted = True
            oldest = self._order.popleft()
            self._messages.pop((oldest.provider, oldest.id), None)
            key = (oldest.provider, oldest.address)
            thread = self.threads[key]
            thread.messages.popleft()
            if not thread.messages:
                del self.threads[key]

    def _set(self, provider: str, name: str, value: Any) -> None:
        if value is None:
            self._settings.pop((provider, name), None)
        else:
            self._settings[provider, name] = value

    def _load(self) -> None:
        """Read the files back: totals of everything, messages for as many as memory keeps."""
        tail: deque[bytes] = deque(maxlen=self.keep)
        for line in self._accepted.lines():
            tail.append(line)
            provider = line[len(b'{"provider":"') : line.index(b'"', len(b'{"provider":"'))].decode()
            self.totals[f"{provider} accepted"] += 1
            self._evicted = self._evicted or len(tail) == self.keep
        loaded = [Message(**orjson.loads(line)) for line in tail]
        by_id = {(m.provider, m.id): m for m in loaded}
        for raw in self._events.lines():
            event = orjson.loads(raw)
            kind = event.pop("event")
            if kind == "set":
                self._set(**event)
            elif kind == "inbound":
                self.totals[f"{event['provider']} inbound"] += 1
                message = Message(**event, inbound=True)
                by_id[message.provider, message.id] = message
                loaded.append(message)
            else:
                if "status" in event:
                    self.totals[f"{event['provider']} {event['status']}"] += 1
                known = by_id.get((event.pop("provider"), event.pop("id")))
                if known:
                    known.changed = event.pop("at")
                    for name, value in event.items():
                        setattr(known, name, value)
        for message in sorted(loaded, key=lambda m: m.at)[-self.keep :]:
            message.changed = message.changed or message.at
            self._remember(message)

    def _lines(self, field: str, value: str) -> list[dict[str, Any]]:
        needle = orjson.dumps({field: value})[1:-1]
        lines = (orjson.loads(line) for line in self._accepted.grep(needle))
        return [line for line in lines if line[field] == value]

    def _search(self, field: str, value: str, provider: str) -> list[Message]:
        """From the files, with what happened since. Runs in a thread, so it looks at no message in memory."""
        messages = [Message(**line) for line in self._lines(field, value) if line["provider"] == provider]
        for message in messages:
            message.changed = message.at
            for raw in self._events.grep(orjson.dumps({"id": message.id})[1:-1]):
                event = orjson.loads(raw)
                if event["event"] == "change" and event["id"] == message.id and event["provider"] == provider:
                    message.changed = event["at"]
                    for name in ("status", "code", "text", "data"):
                        if name in event:
                            setattr(message, name, event[name])
        return messages
