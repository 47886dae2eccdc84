"""One door for every provider: verify, store, answer.

A small ASGI application in front of Django, because Django's own request cycle costs twenty times what storing a
callback does. A callback is answered only after its row is committed; rows are committed in groups.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from broadcast.delivery.ledger import open_pool
from broadcast.models import Account
from broadcast.states import AccountStatus
from channels_adapters.core.interface import Adapter, Reply, Request

log = logging.getLogger(__name__)

PREFIX = "/hooks/"
LARGEST = 1_000_000  # bytes of one callback
GROUP = 1_000
KEPT_SECONDS = 10.0  # how long an account's key is trusted without asking the database
# Headers that verification and parsing may look at; the rest is not stored.
STORED_HEADERS = ("content-type", "x-")

_STORE = """
INSERT INTO broadcast_inboxitem (account_id, received_at, method, url, headers, body, error)
SELECT account_id, now(), method, url, headers, body, ''
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::jsonb[], %s::bytea[]) AS i(account_id, method, url, headers, body)
"""
_REFUSED = """
INSERT INTO broadcast_refusedcallback (account_id, day, cause, n) VALUES (%s, %s, %s, 1)
ON CONFLICT (account_id, day, cause) DO UPDATE SET n = broadcast_refusedcallback.n + 1
"""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class _Held:
    account_id: int
    adapter: Adapter
    until: float


class _NoNetwork:
    async def request(self, method, url, **kwargs):
        raise RuntimeError("verifying a callback must not use the network")


class Door:
    """Takes ``/hooks/<key>/``; everything else goes to Django."""

    def __init__(self, django: Callable) -> None:
        self._django = django
        self._held: dict[str, _Held | None] = {}
        self._pool: AsyncConnectionPool | None = None
        self._opening = asyncio.Lock()
        self._waiting: list[tuple[int, Request, asyncio.Future[None]]] = []
        self._writer: asyncio.Task | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(PREFIX):
            await self._django(scope, receive, send)
            return
        reply = await self._answer(scope, receive)
        if reply is not None:
            headers = [
                (b"content-type", reply.content_type.encode()),
                (b"content-length", str(len(reply.body)).encode()),
            ]
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Reply | None:
        if scope["method"] not in ("GET", "POST"):
            return Reply(405)
        held = await self._account(scope["path"][len(PREFIX) :].strip("/"))
        if held is None:
            return Reply(404)
        body = await _read(receive)
        if body is None:
            return None  # the client hung up
        if len(body) > LARGEST:
            return Reply(413)
        query = scope["query_string"].decode("latin-1")
        request = Request(
            method=scope["method"],
            # The address the provider was given, and signed: what a proxy made of it does not matter.
            url=f"{settings.LOA_URL}{scope['path']}" + (f"?{query}" if query else ""),
            query=query,
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
        )
        try:
            genuine = held.adapter.verify(request)
        except Exception as error:
            log.warning("a callback could not be verified: %s", type(error).__name__)
            genuine = False
        if not genuine:
            await self._count_refused(held.account_id)
            return Reply(403)
        try:
            await self._store(held.account_id, request)
        except Exception as error:
            # Not stored, not acknowledged: the provider will call again.
            log.error("a callback could not be stored: %s", type(error).__name__)
            return Reply(503)
        return held.adapter.reply(request)

    async def _account(self, hook: str) -> _Held | None:
        now = time.monotonic()
        held = self._held.get(hook)
        if held is not None and held.until > now:
            return held
        if not 16 <= len(hook) <= 40:
            return None
        found = await asyncio.to_thread(_load, hook)
        if found is None:
            return None
        held = self._held[hook] = _Held(*found, until=now + KEPT_SECONDS)
        return held

    async def _store(self, account_id: int, request: Request) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((account_id, request, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        """Commit what is waiting, and what came meanwhile, until nothing is."""
        while self._waiting:
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            error: Exception | None = None
            try:
                pool = await self._open()
                async with pool.connection() as connection:
                    await connection.execute(
                        _STORE,
                        [
                            [account_id for account_id, _, _ in group],
                            [request.method for _, request, _ in group],
                            [request.url for _, request, _ in group],
                            [Jsonb(_stored(request.headers)) for _, request, _ in group],
                            [request.body for _, request, _ in group],
                        ],
                    )
            except Exception as problem:
                error = problem
            for _, _, future in group:
                if future.done():  # its client hung up while waiting
                    continue
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)

    async def _count_refused(self, account_id: int) -> None:
        try:
            pool = await self._open()
            async with pool.connection() as connection:
                await connection.execute(_REFUSED, [account_id, datetime.now(UTC).date(), "forged"])
        except Exception as error:
            log.warning("a refused callback could not be counted: %s", type(error).__name__)

    async def _open(self) -> AsyncConnectionPool:
        async with self._opening:
            if self._pool is None:
                pool = open_pool(2)
                await pool.open()
                self._pool = pool
        return self._pool


def _stored(headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith(STORED_HEADERS)}


def _load(hook: str) -> tuple[int, Adapter] | None:
    close_old_connections()
    try:
        account = Account.objects.exclude(status=AccountStatus.OFF).filter(hook=hook).first()
        return (account.pk, account.build(_NoNetwork())) if account else None
    finally:
        close_old_connections()


async def _read(receive: Receive) -> bytes | None:
    """The request's body, at most a little over the limit; None if the client hung up."""
    chunks, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
        if not event.get("more_body") or size > LARGEST:
            return b"".join(chunks)
