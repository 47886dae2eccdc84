"""Callbacks to the engine: when they are due, at most so many at a time, again when refused.

Providers differ in how long they insist; this sender is the patient kind (about two minutes), so that a receiver
that restarts loses nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

log = logging.getLogger(__name__)

IN_FLIGHT = 32
TIMEOUT = 15.0  # seconds
BACKOFF = (0.5, 1, 2, 4, 8, 16, 32, 64)  # seconds before each further try


@dataclass(slots=True)
class Post:
    """One callback request. ``heard`` is told after each try whether it was taken."""

    url: str
    body: bytes
    content_type: str
    headers: Sequence[tuple[str, str]] = ()
    method: str = "POST"
    backoff: Sequence[float] = BACKOFF
    heard: Callable[[bool], None] | None = None
    tries: int = 0


Due = Callable[[], "Sequence[Post]"]


class Callbacks:
    def __init__(self, in_flight: int = IN_FLIGHT) -> None:
        self.counts: Counter[str] = Counter()  # sent, retried, given_up
        self._heap: list[tuple[float, int, Due | Post]] = []
        self._sequence = itertools.count()
        self._sleeping: asyncio.TimerHandle | None = None
        self._ready: asyncio.Queue[Post] = asyncio.Queue()
        self._in_flight = in_flight
        self._workers: list[asyncio.Task[None]] = []
        self._client: Client | None = None

    @property
    def pending(self) -> int:
        return len(self._heap) + self._ready.qsize()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = ClientBuilder().no_proxy().follow_redirects(False).timeout(timedelta(seconds=TIMEOUT)).build()
        self._workers = [asyncio.create_task(self._work(self._client)) for _ in range(self._in_flight)]

    async def close(self) -> None:
        if self._sleeping:
            self._sleeping.cancel()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._client:
            await self._client.close()

    def after(self, delay: float, what: Due | Post) -> None:
        """Send ``what``, or what it returns then, in ``delay`` seconds."""
        due = time.monotonic() + delay
        heapq.heappush(self._heap, (due, next(self._sequence), what))
        if self._heap[0][0] == due:
            self._wake(delay)

    def clear(self) -> None:
        self._heap.clear()

    def _wake(self, delay: float) -> None:
        if self._sleeping:
            self._sleeping.cancel()
        # not sooner than a few milliseconds: what falls due together is handled together
        self._sleeping = self._loop.call_later(max(delay, 0.005), self._run_due)

    def _run_due(self) -> None:
        self._sleeping = None
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            what = heapq.heappop(self._heap)[2]
            if isinstance(what, Post):
                self._ready.put_nowait(what)
                continue
            try:
                for post in what():
                    self._ready.put_nowait(post)
            except Exception:
                log.exception("a receipt could not be made")
        if self._heap:
            self._wake(self._heap[0][0] - now)

    async def _work(self, client: Client) -> None:
        while True:
            post = await self._ready.get()
            taken = await self._send(client, post)
            if post.heard:
                post.heard(taken)
            if taken:
                self.counts["sent"] += 1
            elif post.tries < len(post.backoff):
                self.counts["retried"] += 1
                self.after(post.backoff[post.tries], post)
                post.tries += 1
            else:
                self.counts["given_up"] += 1

    async def _send(self, client: Client, post: Post) -> bool:
        try:
            request = client.request(post.method, post.url).headers(
                [("content-type", post.content_type), *post.headers]
            )
            if post.method != "GET":
                request = request.body_bytes(post.body)
            response = await request.build().send()
        except (PyreqwestError, ValueError):
            return False
        return 200 <= response.status < 300
