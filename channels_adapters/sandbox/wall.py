"""The wall of phones: a page where an officer sees what citizens got, and answers in their place.

GET /                         the page
GET /static/...               its style sheets, script and fonts
GET /wall/about               gateways with their special addresses and settings
GET /wall/threads?app=&q=&before=&limit=   conversations, newest first; before: "changed" of the last one seen
GET /wall/thread?provider=&address=        one conversation
GET /wall/files/<sha256>      a picture or sound that was sent
GET /wall/events              server-sent events: totals, whenever they changed
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from .control import Control
from .gateway import Gateway, whole
from .http import Answer, Reply, Request, StreamReply
from .store import Message, Store, Thread

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_SAFE_MEDIA = frozenset(
    {"image/png", "image/jpeg", "image/gif", "audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4", "video/mp4"}
)
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SECURITY = (
    ("content-security-policy", _CSP),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-cache"),
)
_SHOWN = 4  # messages of a conversation on the wall
_EVENT_PAUSE = 0.7  # seconds between two events
_HEARTBEAT = 15.0


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """Lower case without diacritics, for searching."""
    plain = unicodedata.normalize("NFD", text.lower()).replace("đ", "d")
    return "".join(c for c in plain if not unicodedata.combining(c))


class Wall:
    def __init__(self, store: Store, gateways: Mapping[str, Gateway], control: Control) -> None:
        self.store = store
        self.gateways = gateways
        self.control = control
        self._files = {p.relative_to(STATIC).as_posix(): p for p in STATIC.rglob("*") if p.is_file()}

    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        if request.method not in ("GET", "HEAD"):
            return Reply(405)
        if path == "/":
            return self._static("wall.html")
        if path.startswith("/static/"):
            return self._static(path.removeprefix("/static/"))
        if path.startswith("/wall/files/"):
            return self._file(path.rpartition("/")[2])
        match path:
            case "/wall/about":
                return Reply.json(self._about())
            case "/wall/threads":
                return self._threads(request)
            case "/wall/thread":
                return self._thread(request)
            case "/wall/events":
                return StreamReply(self._events(), "text/event-stream", (("cache-control", "no-store"),))
        return Reply(404, "Không có trang này.".encode(), "text/plain; charset=utf-8")

    def _static(self, name: str) -> Reply:
        path = self._files.get(name)
        if path is None:
            return Reply(404)
        return Reply(200, path.read_bytes(), _TYPES.get(path.suffix, "application/octet-stream"), _SECURITY)

    def _file(self, digest: str) -> Reply:
        data = self.store.file(digest)
        if data is None:
            return Reply(404)
        mime = _sniffed(data)
        headers = (*_SECURITY, ("content-disposition", "inline" if mime in _SAFE_MEDIA else "attachment"))
        return Reply(200, data, mime, headers)

    def _about(self) -> list[dict[str, Any]]:
        return [
            {
                "name": g.name,
                "label": g.label,
                "skins": [g.skin, *g.skins],
                "two_way": g.two_way,
                "can_block": g.can_block,
                "refusal": g.refusal,
                "specials": [{"ending": s.ending, "what": s.what} for s in g.specials],
                "settings": g.config,
            }
            for g in self.gateways.values()
        ]

    async def _threads(self, request: Request) -> Reply:
        app, words = request.query.get("app", ""), folded(request.query.get("q", "").strip())
        limit = max(1, min(100, whole(request.query.get("limit")) or 24))
        try:
            before = float(request.query.get("before") or "inf")
        except ValueError:
            return Reply.json({"error": "«before» là một con số."}, 400)
        shown: list[dict[str, Any]] = []
        more = False
        for n, thread in enumerate(list(reversed(self.store.threads.values()))):
            if n % 1000 == 999:
                await asyncio.sleep(0)  # a search over everything must not hold up the gateways
            if not thread.messages or thread.messages[-1].at >= before:
                continue
            if app and app not in (thread.provider, self.gateways[thread.provider].skin_of(thread.address)):
                continue
            if words and not self._matches(thread, words):
                continue
            if len(shown) == limit:
                more = True
                break
            shown.append(self._thread_json(thread, _SHOWN))
        return Reply.json({"threads": shown, "more": more})

    @staticmethod
    def _matches(thread: Thread, words: str) -> bool:
        number = words.replace(" ", "").replace(".", "")
        if number.startswith("0") and number.isdigit():
            number = number[1:]
        if number and number in thread.address.lower():
            return True
        return any(words in folded(m.text) for m in thread.messages)

    def _thread(self, request: Request) -> Reply:
        thread = self.store.threads.get((request.query.get("provider", ""), request.query.get("address", "")))
        if thread is None:
            return Reply.json({"error": "Máy này chưa nhận tin nào."}, 404)
        return Reply.json(self._thread_json(thread, 200))

    def _thread_json(self, thread: Thread, limit: int) -> dict[str, Any]:
        gateway = self.gateways[thread.provider]
        messages = list(thread.messages)
        return {
            "provider": thread.provider,
            "address": thread.address,
            "skin": gateway.skin_of(thread.address),
            "sender": next((m.sender for m in reversed(messages) if not m.inbound), ""),
            "count": len(messages),
            "changed": messages[-1].at,
            "blocked": gateway.is_blocked(thread.address),
            "opted_out": gateway.is_opted_out(thread.address),
            "messages": [self._message_json(gateway, m) for m in messages[-limit:]],
        }

    @staticmethod
    def _message_json(gateway: Gateway, message: Message) -> dict[str, Any]:
        if message.inbound:
            state = "inbound"
        elif message.status in gateway.arrived:
            state = "arrived"
        else:
            state = "lost" if message.status in gateway.finals else "waiting"
        return {
            "id": message.id,
            "text": message.text,
            "at": message.at,
            "state": state,
            "status": message.status,
            "code": message.code,
            "segments": message.data.get("segments", 0),
            "media": message.data.get("media"),
            "card": message.data.get("card"),
            "edited": bool(message.data.get("edited")),
            "deleted": bool(message.data.get("deleted")),
        }

    async def _events(self) -> AsyncIterator[bytes]:
        seen, quiet = -1, 0.0
        while True:
            if self.store.version != seen:
                seen, quiet = self.store.version, 0.0
                yield b"data: " + orjson.dumps(self.control.stats()) + b"\n\n"
            elif quiet >= _HEARTBEAT:
                quiet = 0.0
                yield b": still here\n\n"
            await asyncio.sleep(_EVENT_PAUSE)
            quiet += _EVENT_PAUSE


def _sniffed(data: bytes) -> str:
    """The media type by the first bytes; what the sender claimed is not trusted."""
    for start, mime in (
        (b"\x89PNG", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"\xff\xf3", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
        (b"RIFF", "audio/wav"),
    ):
        if data.startswith(start):
            return mime
    if data[4:8] == b"ftyp":
        return "audio/mp4" if data[8:11] == b"M4A" else "video/mp4"
    return "application/octet-stream"
