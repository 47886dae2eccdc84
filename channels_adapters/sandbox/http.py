"""A small HTTP/1.1 server on httptools.

Written for two needs a general server does not meet: a gateway must be able to cut a connection, stall or send
garbage on purpose, and as the sink of measurements it must cost far less than the client it measures (about a
quarter of uvicorn's CPU per request). A handler that needs no waiting returns its reply at once, without a task.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from functools import cached_property, lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

import httptools
import orjson

log = logging.getLogger(__name__)

MAX_BODY = 60_000_000  # bytes; Telegram takes files up to 50 MB
MAX_HEADERS = 100
PIPELINE = 64  # requests read ahead on one connection before it is paused
_REASONS = {int(s): s.phrase for s in HTTPStatus}


class Cut(Exception):
    """Close the connection without an answer."""


class BadRequest(Exception):
    """The body is not what its content type says."""


@lru_cache(maxsize=4096)
def _unescaped(text: str) -> str:
    """A campaign's requests repeat most of their values, and Vietnamese is nearly all escapes: kept for the next."""
    return unquote_plus(text, errors="strict")


def parse_form(body: bytes) -> dict[str, str]:
    """Fields of an URL-encoded form; the last of equal names. Raises BadRequest."""
    fields: dict[str, str] = {}
    try:
        for pair in body.decode().split("&"):
            name, _, value = pair.partition("=")
            if name:
                fields[_unescaped(name)] = _unescaped(value)
    except UnicodeDecodeError as e:
        raise BadRequest("form body is not UTF-8") from e
    return fields


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart form."""

    filename: str
    mime: str
    data: bytes


@dataclass
class Request:
    method: str
    path: str  # decoded
    query_string: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """Fields of an URL-encoded or multipart body; the last of equal names. Raises BadRequest."""
        if self.headers.get("content-type", "").startswith("multipart/"):
            return {k: v for k, v in self._multipart.items() if isinstance(v, str)}
        return parse_form(self.body)

    @property
    def files(self) -> dict[str, Upload]:
        if not self.headers.get("content-type", "").startswith("multipart/"):
            return {}
        return {k: v for k, v in self._multipart.items() if isinstance(v, Upload)}

    @cached_property
    def json(self) -> Any:
        """The JSON body. Raises BadRequest."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as e:
            raise BadRequest("body is not JSON") from e

    @cached_property
    def json_object(self) -> dict[str, Any]:
        if not isinstance(self.json, dict):
            raise BadRequest("body is not a JSON object")
        return self.json

    @cached_property
    def _multipart(self) -> dict[str, str | Upload]:
        head = b"Content-Type: " + self.headers["content-type"].encode("latin-1") + b"\r\n\r\n"
        message = BytesParser(policy=policy.HTTP).parsebytes(head + self.body)
        if not message.is_multipart():
            raise BadRequest("multipart body without parts")
        parts: dict[str, str | Upload] = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            if not isinstance(name, str):
                raise BadRequest("multipart part without a name")
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            filename = part.get_filename()
            if filename is not None:
                parts[name] = Upload(filename, part.get_content_type(), data)
            else:
                parts[name] = data.decode(errors="replace")
        return parts


@dataclass(slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def json(cls, data: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        return cls(status, orjson.dumps(data), "application/json", headers)


@dataclass(slots=True)
class StreamReply:
    """An answer of unknown length: server-sent events, or a large file piece by piece."""

    chunks: AsyncIterator[bytes]
    content_type: str
    headers: tuple[tuple[str, str], ...] = field(default=())


Answer = Reply | StreamReply
Handler = Callable[[Request], "Answer | Awaitable[Answer]"]


def _head(status: int, content_type: str, length: int | None, headers: tuple[tuple[str, str], ...]) -> bytes:
    reason = _REASONS.get(status, "Unknown")
    lines = [f"HTTP/1.1 {status} {reason}\r\ncontent-type: {content_type}\r\n"]
    lines.append("transfer-encoding: chunked\r\n" if length is None else f"content-length: {length}\r\n")
    lines.extend(f"{name}: {value}\r\n" for name, value in headers)
    lines.append("\r\n")
    return "".join(lines).encode("latin-1")


class _Connection(asyncio.Protocol):
    """One client connection. Answers leave in the order of the requests."""

    def __init__(self, handler: Handler, open_connections: set[_Connection]) -> None:
        self._handler = handler
        self._open = open_connections
        self._waiting: deque[Answer | Awaitable[Answer]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._closing = False

    # -- asyncio.Protocol
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._closing = True
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(501)
        except httptools.HttpParserError:
            self._refuse(400)

    # -- httptools
    def on_message_begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._target = b""

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) >= MAX_HEADERS:
            raise ValueError("too many headers")
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_BODY:
            raise ValueError("body too large")
        self._body.append(body)

    def on_message_complete(self) -> None:
        path, _, query = self._target.decode("latin-1").partition("?")
        if not path.startswith("/"):
            path = "/" + path.partition("://")[2].partition("/")[2]  # absolute form, as sent to a proxy
        request = Request(
            self._parser.get_method().decode("latin-1"),
            unquote(path) if "%" in path else path,
            query,
            self._headers,
            self._body[0] if len(self._body) == 1 else b"".join(self._body),
        )
        keep_alive = self._parser.should_keep_alive()
        try:
            answer = self._handler(request)
        except Cut:
            self.abort()
            return
        except BadRequest as e:
            answer = Reply.json({"error": str(e)}, 400)
        except Exception:
            log.exception("a gateway failed")
            answer = Reply.json({"error": "the sandbox itself failed"}, 500)
        if not keep_alive:
            self._closing = True
        if self._task is None and isinstance(answer, Reply):
            self._write(answer)
            if self._closing:
                self._transport.close()
            return
        self._waiting.append(answer)
        if len(self._waiting) >= PIPELINE:
            self._transport.pause_reading()
        if self._task is None:
            self._task = asyncio.create_task(self._drain())

    # -- answers
    async def _drain(self) -> None:
        try:
            while self._waiting:
                answer = self._waiting[0]
                try:
                    if isinstance(answer, Awaitable):
                        answer = await answer
                    if isinstance(answer, StreamReply):
                        await self._stream(answer)
                    else:
                        self._write(answer)
                except Cut:
                    self.abort()
                    return
                except BadRequest as e:
                    self._write(Reply.json({"error": str(e)}, 400))
                except Exception:
                    log.exception("a gateway failed")
                    self.abort()
                    return
                self._waiting.popleft()
                self._transport.resume_reading()
                await self._writable.wait()
            if self._closing:
                self._transport.close()
        finally:
            self._task = None

    def _write(self, reply: Reply) -> None:
        if not self._transport.is_closing():
            head = _head(reply.status, reply.content_type, len(reply.body), reply.headers)
            self._transport.write(head + reply.body)

    async def _stream(self, reply: StreamReply) -> None:
        self._transport.write(_head(200, reply.content_type, None, reply.headers))
        try:
            async for chunk in reply.chunks:
                if self._transport.is_closing():
                    return
                if chunk:
                    self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await self._writable.wait()
        finally:
            close = getattr(reply.chunks, "aclose", None)
            if close:
                await close()
        self._transport.write(b"0\r\n\r\n")

    def _refuse(self, status: int) -> None:
        self._closing = True
        self._transport.write(_head(status, "text/plain", 0, (("connection", "close"),)))
        self._transport.close()

    def abort(self) -> None:
        self._closing = True
        self._transport.abort()

    def finish(self) -> asyncio.Task[None] | None:
        """Stop reading; close at once when idle, else return what still works."""
        self._closing = True
        if self._task is None:
            self._transport.close()
        return self._task


class Server:
    """Serves ``handler`` on a listening socket until :meth:`close`."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, *, sock: Any = None, host: str = "127.0.0.1", port: int = 0) -> int:
        """Begin to listen; returns the port."""
        loop = asyncio.get_running_loop()

        def factory() -> _Connection:
            return _Connection(self._handler, self._connections)

        if sock is not None:
            self._server = await loop.create_server(factory, sock=sock, backlog=1024)
        else:
            self._server = await loop.create_server(factory, host, port, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self, grace: float = 1.0) -> None:
        """Stop listening; give requests under way ``grace`` seconds."""
        if self._server:
            self._server.close()
        working = [task for c in list(self._connections) if (task := c.finish())]
        if working:
            await asyncio.wait(working, timeout=grace)
        for connection in list(self._connections):
            connection.abort()
