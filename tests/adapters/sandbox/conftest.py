"""A sandbox process of its own, a receiver of its callbacks, and a few words to talk to both."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

ROOT = Path(__file__).parents[3]
SID, TOKEN = "AC" + "0" * 32, "0" * 32
MESSAGES = f"/twilio/2010-04-01/Accounts/{SID}/Messages"
BOT = "1000000000:sandbox-sandbox-sandbox-sandbox-sa"


@dataclass
class Sandbox:
    """A running sandbox process."""

    state: Path
    options: tuple[str, ...] = ()
    url: str = ""
    process: subprocess.Popen[str] | None = None

    def start(self) -> Sandbox:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SANDBOX_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "channels_adapters.sandbox", "--state", str(self.state), *self.options],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("sandbox: http://"), line
        self.url = line.split()[1]
        return self

    def kill(self, number: int = signal.SIGKILL) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(10)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            assert self.kill(signal.SIGTERM) == 0

    # control
    def control(self, method: str, path: str, data: Any = None) -> Any:
        content = {"json": data} if method != "GET" else {}
        reply = httpx.request(method, f"{self.url}/control/{path}", **content)
        assert reply.status_code < 300, reply.text
        return reply.json()

    def fault(self, kind: str, **rule: Any) -> None:
        self.control("PUT", "faults", [{"kind": kind, **rule}])

    def accepted(self, reference: str) -> int:
        return self.control("GET", f"accepted?reference={reference}")["count"]

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=20, **options)

    # the wire
    def sms(self, to: str = "+84912345678", body: str = "Xin chào bà con", **form: str) -> httpx.Response:
        data = {"To": to, "From": "UBND", "Body": body, **form}
        return httpx.post(f"{self.messages}.json", data=data, auth=(SID, TOKEN), timeout=5)

    @property
    def messages(self) -> str:
        return self.url + MESSAGES

    def telegram(self, method: str, **data: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/telegram/bot{BOT}/{method}", json=data, timeout=5)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path / "state", ("--speed", "20")).start()
    yield running
    running.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox with other options; the same folder each time."""
    running: list[Sandbox] = []

    def start(*options: str) -> Sandbox:
        running.append(Sandbox(tmp_path / "state", options).start())
        return running[-1]

    yield start
    for sandbox in running:
        sandbox.stop()


@dataclass
class Callback:
    url: str
    headers: dict[str, str]
    body: bytes
    form: dict[str, str]


@dataclass
class Receiver:
    """Where callbacks arrive. ``refuse`` answers that many of them with 503 first."""

    url: str = ""
    got: list[Callback] = field(default_factory=list)
    refuse: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=503)
        body = await request.read()
        form = {k: str(v) for k, v in (await request.post()).items()}
        headers = {k.lower(): v for k, v in request.headers.items()}
        self.got.append(Callback(self.url + request.raw_path, headers, body, form))
        return web.Response(text=request.query.get("hub.challenge", ""))

    async def wait(self, count: int, seconds: float = 20) -> list[Callback]:
        """Wait until so many callbacks came."""
        deadline = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < deadline, f"{len(self.got)} of {count} callbacks came"
            await asyncio.sleep(0.02)
        return self.got

    async def settle(self, sandbox: Sandbox) -> list[Callback]:
        """Wait until the sandbox has nothing more to send."""
        pending = 1
        while pending:
            await asyncio.sleep(0.05)
            pending = (sandbox.control("GET", "stats"))["callbacks"]["pending"]
        await asyncio.sleep(0.2)
        return self.got


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    here = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", here.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield here
    await runner.cleanup()
