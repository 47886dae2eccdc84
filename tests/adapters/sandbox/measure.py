"""How much the sandbox takes as a sink: ``python tests/adapters/sandbox/measure.py [REQUESTS] [CONNECTIONS]``.

Prints requests per second, the sandbox's CPU per request and its memory, for Twilio sends without and with
status callbacks. Not a test: figures depend on the machine.
"""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import uvloop

SID, TOKEN = "AC" + "0" * 32, "0" * 32
AUTHORIZATION = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
TEXT = quote("UBND xã mời bà con đến nhà văn hoá thôn họp lúc 8 giờ sáng thứ Bảy, ngày 28/11/2026.")


class _Client(asyncio.Protocol):
    """One connection: a request, its whole answer, the next request."""

    def __init__(self, numbers, callback: str, done: asyncio.Future) -> None:
        self.numbers, self.callback, self.done = numbers, callback, done

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        number = next(self.numbers, None)
        if number is None:
            self.transport.close()
            self.done.set_result(None)
            return
        url = quote(f"{self.callback}?r=d{number}", safe="") if self.callback else ""
        body = f"To=%2B8490{number % 9_000_000 + 1_000_000:07}&From=UBND&Body={TEXT}&StatusCallback={url}"
        self.transport.write(
            (
                f"POST /twilio/2010-04-01/Accounts/{SID}/Messages.json HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Basic {AUTHORIZATION}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 201"):
            raise SystemExit(data.decode())
        self.next()


class _Receiver(asyncio.Protocol):
    """Answers every callback with 200. Callbacks are small: one packet each."""

    got = 0

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        count = data.count(b"POST ")
        _Receiver.got += count
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" * count)


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds and resident megabytes of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return cpu, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def run(requests: int, connections: int, callbacks: bool) -> None:
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as state:
        command = [sys.executable, "-m", "channels_adapters.sandbox", "--state", state, "--no-specials"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
        port = int(process.stdout.readline().strip().rpartition(":")[2])
        receiver = await loop.create_server(_Receiver, "127.0.0.1", 0)
        callback = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/cb" if callbacks else ""
        numbers, done = iter(range(requests)), [loop.create_future() for _ in range(connections)]
        _Receiver.got = 0
        began, (cpu, _) = time.perf_counter(), usage(process.pid)
        for future in done:
            await loop.create_connection(lambda f=future: _Client(numbers, callback, f), "127.0.0.1", port)
        await asyncio.gather(*done)
        seconds = time.perf_counter() - began
        print(f"{requests} sends{' with callbacks' if callbacks else ''}, {connections} connections:")
        print(f"  {requests / seconds:,.0f} requests/s")
        if callbacks:
            while _Receiver.got < 1.99 * requests and time.perf_counter() - began < 120:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            print(f"  {_Receiver.got} callbacks, {_Receiver.got / (time.perf_counter() - began):,.0f}/s")
        after, memory = usage(process.pid)
        print(f"  {(after - cpu) / requests * 1e6:.0f} µs CPU per send, {memory:.0f} MB resident")
        process.terminate()
        process.wait()
        receiver.close()


if __name__ == "__main__":
    count, width = (int(a) for a in (sys.argv[1:] + ["50000", "50"][len(sys.argv) - 1 :]))
    uvloop.run(run(count, width, callbacks=False))
    uvloop.run(run(count, width, callbacks=True))
