"""A provider on a real socket that answers what a test tells it to, well or badly."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import orjson

from channels_adapters.core.http import HttpTransport, Response

# What a provider does to a connection instead of answering.
Fault = Literal["cut", "reset", "stall", "half", "stalled half", "not http", "refuse to read"]


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, status: int, value: object, **headers: str) -> Answer:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, orjson.dumps(value), {"Content-Type": "application/json", **named})


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    @property
    def json(self) -> dict:
        value = orjson.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def parts(self) -> dict[str, bytes]:
        """The fields and files of a multipart form, read by the standard library."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = BytesParser().parsebytes(head + self.body)
        return {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in message.get_payload()
        }


class Provider:
    """Answers requests with the next of ``plan``, the last one for ever. ``seen`` keeps them in order."""

    def __init__(self) -> None:
        self.plan: list[Answer | Fault] = [Answer(500)]
        self.seen: list[Seen] = []
        self.arrived = asyncio.Event()
        self.url = ""
        self._open: set[asyncio.Task] = set()

    def will(self, *plan: Answer | Fault) -> None:
        self.plan = list(plan)
        self.seen.clear()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._once(reader, writer):
                pass
        writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self.plan[0] == "refuse to read":
            return False
        head = await reader.readuntil(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in lines if text)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = line.split(" ")
        self.seen.append(Seen(method, target, headers, body))
        self.arrived.set()
        step = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        match step:
            case Answer(status, content, more):
                sent = {"Content-Length": str(len(content)), **more}
                fields = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
                writer.write(f"HTTP/1.1 {status} Text\r\n{fields}\r\n".encode() + content)
                await writer.drain()
                return True
            case "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "half" | "stalled half":
                writer.write(b'HTTP/1.1 201 Created\r\nContent-Length: 400\r\n\r\n{"id": "1", "sid": "S')
                await writer.drain()
            case "not http":
                writer.write(b"\x15\x03\x01\x00\x02\x02\x46 what\r\n\r\n")
                await writer.drain()
        if step in ("stall", "stalled half"):
            await asyncio.sleep(60)
        return False

    def hang_up(self) -> None:
        for task in self._open:
            task.cancel()


@contextlib.asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    answering = Provider()
    server = await asyncio.start_server(answering.handle, "127.0.0.1", 0)
    answering.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield answering
    finally:
        answering.hang_up()
        server.close()


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class HurriedTransport(HttpTransport):
    """The real transport, for tests in which a provider never answers."""

    async def request(self, *args, timeout: float = 0.0, **kwargs) -> Response:  # noqa: ASYNC109
        return await super().request(*args, timeout=0.4, **kwargs)
