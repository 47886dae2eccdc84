"""A gateway that takes everything: the other end of a benchmark. `python -m bench.sink` prints its port.

It speaks the contract of `channels_adapters.http_gateway`, remembers every reference (so it can say what came twice)
and, with `--receipts N`, reports each message back in signed callbacks of N receipts. Parsed by hand: whatever the sink
costs is taken from the engine's share of the machine.
"""

import argparse
import asyncio
import time
from collections import deque
from urllib.parse import urlsplit

import orjson
import uvloop

from bench.installation import KEY
from channels_adapters.core.http import HttpTransport, TransportError
from channels_adapters.core.signatures import sign_timed


class Store:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.references: set[str] = set()
        self.accepted = self.requests = self.receipts = self.refused = 0
        self.first = self.last = 0.0
        self.waiting: deque[tuple[str, str]] = deque()  # callback, reference: still to be reported
        self.seconds: dict[int, int] = {}  # whole second -> messages taken in it

    def take(self, body: bytes, *, report: bool) -> bytes:
        request = orjson.loads(body)
        now = time.time()
        self.first = self.first or now
        self.last = now
        self.requests += 1
        messages = request["messages"]
        self.accepted += len(messages)
        self.seconds[int(now)] = self.seconds.get(int(now), 0) + len(messages)
        answers = []
        for message in messages:
            reference = message["reference"]
            self.references.add(reference)
            answers.append({"reference": reference, "id": f"m{reference}"})
            if report:
                self.waiting.append((request["callback"], reference))
        return orjson.dumps({"messages": answers})

    def stats(self) -> bytes:
        return orjson.dumps(
            {
                "accepted": self.accepted,
                "unique": len(self.references),
                "requests": self.requests,
                "first": self.first,
                "last": self.last,
                "receipts": self.receipts,
                "refused": self.refused,
                "waiting": len(self.waiting),
                "seconds": sorted(self.seconds.items()),
            }
        )


class Connection(asyncio.Protocol):
    def __init__(self, store: Store, report: bool) -> None:
        self.store = store
        self.report = report
        self.buffer = b""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            length = 0
            at = head.lower().find(b"content-length:")
            if at >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            answer = self._answer(head, body)
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(answer), answer)
            )

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET /stats"):
            return self.store.stats()
        if head.startswith(b"POST /reset"):
            self.store.clear()
            return b"{}"
        return self.store.take(body, report=self.report)


async def report(store: Store, size: int, at_once: int) -> None:
    """Report what was taken, as fast as it is answered."""
    gate = asyncio.Semaphore(at_once)
    async with HttpTransport(max_connections=at_once, idle_timeout=3.0) as transport:
        running: set[asyncio.Task] = set()
        while True:
            if not store.waiting:
                await asyncio.sleep(0.01)
                continue
            group = [store.waiting.popleft() for _ in range(min(size, len(store.waiting)))]
            await gate.acquire()
            task = asyncio.create_task(_call(transport, store, group))
            running.add(task)
            task.add_done_callback(lambda done: (running.discard(done), gate.release()))


async def _call(transport: HttpTransport, store: Store, group: list[tuple[str, str]]) -> None:
    now = time.time()
    receipts = [{"reference": reference, "state": "delivered"} for _, reference in group]
    body = orjson.dumps({"receipts": receipts})
    headers = {"X-Loa-Signature": sign_timed(KEY, body, now), "Content-Type": "application/json"}
    assert urlsplit(group[0][0]).scheme
    try:
        response = await transport.request("POST", group[0][0], headers=headers, body=body)
        if response.ok:
            store.receipts += len(group)
            return
    except TransportError:
        pass
    store.refused += 1
    store.waiting.extend(group)  # as real gateways do: not acknowledged, so reported again
    await asyncio.sleep(0.2)


async def serve(receipts: int, at_once: int) -> None:
    store = Store()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(store, receipts > 0), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    if receipts:
        await report(store, receipts, at_once)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--receipts", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=50)
    given = parser.parse_args()
    uvloop.run(serve(given.receipts, given.at_once))
