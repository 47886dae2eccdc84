"""The ledger for workers with their own connection: lease, claim, journal. Set-based SQL, no ORM.

Every statement is planned afresh (``prepare_threshold=None``): psycopg's automatic preparation ended in generic plans
that took seconds for what takes milliseconds.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connections
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from broadcast.models import Move
from broadcast.models.deliveries import (
    BATCH_SIZE,
    MONTH_BITS,
    POSITION_BITS,
    month_number,
    move_parameters,
    move_statement,
)
from broadcast.states import CAMPAIGN_SENDING, CONTENT_SENDING, BatchStatus, Cause, DeliveryStatus

LEASE_SECONDS = 6.0  # renewed every 1.5 s: a dead worker's batches are free again within some 7 s
_SENDING = {"campaign_states": [str(s) for s in CAMPAIGN_SENDING], "content_states": [str(s) for s in CONTENT_SENDING]}

_LEASE = f"""
UPDATE broadcast_batch SET status = {BatchStatus.LEASED}, worker = %(worker)s,
    leased_until = now() + %(seconds)s * interval '1 second'
WHERE id = (SELECT id FROM broadcast_batch WHERE content_id = %(content)s AND status = {BatchStatus.READY}
            AND due_at <= now() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, members
"""
_RENEW = f"""
UPDATE broadcast_batch SET leased_until = now() + %(seconds)s * interval '1 second'
WHERE id = ANY(%(ids)s) AND status = {BatchStatus.LEASED} AND worker = %(worker)s
"""
_CLOSE = f"""
UPDATE broadcast_batch SET status = %(status)s, leased_until = NULL, worker = ''
WHERE id = %(id)s AND status = {BatchStatus.LEASED} AND worker = %(worker)s
"""
_ROWS = f"""
SELECT d.id, d.attempts, a.value, a.state, c.name, c.language, p.name
FROM broadcast_delivery d
JOIN broadcast_address a ON a.id = d.address_id
JOIN broadcast_contact c ON c.id = d.contact_id
JOIN broadcast_place p ON p.id = d.place_id
WHERE {{members}} AND d.content_id = %(content)s AND d.status = {DeliveryStatus.PENDING}
ORDER BY d.id
"""
_CLAIM = move_statement(Cause.CLAIM, DeliveryStatus.PENDING)
# The usual case first; what is not there any more (swept meanwhile, reported already) goes the general way.
_WRITE = {
    Cause.OUTCOME: (move_statement(Cause.OUTCOME, DeliveryStatus.SENDING), move_statement(Cause.OUTCOME)),
    Cause.GATE: (move_statement(Cause.GATE, DeliveryStatus.PENDING),),
}


@dataclass(frozen=True, slots=True)
class Lease:
    batch_id: int
    content_id: int
    members: list[int] | None


@dataclass(frozen=True, slots=True)
class Row:
    id: int
    attempts: int
    value: bytes  # sealed address
    state: str
    name: str
    language: str
    place: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry: a move, and what goes with it in the same transaction."""

    move: Move
    content_id: int
    lane: int
    retry_at: datetime | None = None
    account_id: int | None = None  # set: also note which delivery the provider's id belongs to


def conninfo() -> dict[str, str]:
    """The connection Django uses (in tests: the test database)."""
    wanted = connections["default"].settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return {key: str(wanted[django]) for key, django in names.items() if wanted[django]}


def open_pool(size: int) -> AsyncConnectionPool:
    return AsyncConnectionPool(
        kwargs={**conninfo(), "autocommit": True, "prepare_threshold": None, "application_name": "loa-dispatch"},
        min_size=1,
        max_size=size,
        open=False,
        timeout=10,
    )


def range_of(batch_id: int) -> tuple[int, int]:
    """First and last delivery id of a batch."""
    first = batch_id << POSITION_BITS
    return first, first + BATCH_SIZE - 1


class Ledger:
    def __init__(self, pool: AsyncConnectionPool, worker: str) -> None:
        self._pool = pool
        self.worker = worker

    async def _fetch(self, statement: str, parameters: dict) -> list[tuple]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def due_contents(self) -> list[tuple[int, int]]:
        """``(lane, content id)`` of contents that have a batch to send now, urgent first."""
        return await self._fetch(
            f"""SELECT k.lane, c.id FROM broadcast_campaign k JOIN broadcast_content c ON c.campaign_id = k.id
            WHERE k.status = ANY(%(campaign_states)s) AND c.status = ANY(%(content_states)s) AND EXISTS (
                SELECT FROM broadcast_batch b WHERE b.content_id = c.id AND b.status = {BatchStatus.READY}
                AND b.due_at <= now())
            ORDER BY k.lane, k.launched_at, c.id""",
            _SENDING,
        )

    async def lease(self, content_id: int) -> Lease | None:
        rows = await self._fetch(_LEASE, {"content": content_id, "worker": self.worker, "seconds": LEASE_SECONDS})
        return Lease(rows[0][0], content_id, rows[0][1]) if rows else None

    async def renew(self, batch_ids: Sequence[int]) -> None:
        await self._fetch(_RENEW, {"ids": list(batch_ids), "worker": self.worker, "seconds": LEASE_SECONDS})

    async def close(self, lease: Lease, *, done: bool) -> None:
        status = BatchStatus.DONE if done else BatchStatus.READY
        await self._fetch(_CLOSE, {"id": lease.batch_id, "worker": self.worker, "status": int(status)})

    async def rows(self, lease: Lease) -> list[Row]:
        """The batch's deliveries that are still to be sent."""
        parameters: dict = {"content": lease.content_id}
        if lease.members is None:
            parameters["first"], parameters["last"] = range_of(lease.batch_id)
            members = "d.id BETWEEN %(first)s AND %(last)s"
        else:
            parameters["ids"] = lease.members
            members = "d.id = ANY(%(ids)s)"
        return [Row(*row) for row in await self._fetch(_ROWS.format(members=members), parameters)]

    async def claim(self, content_id: int, ids: Sequence[int], account_id: int) -> set[int]:
        """pending -> sending for those still pending in a campaign that still runs; committed before any call."""
        moves = [Move(id, DeliveryStatus.SENDING, account_id=account_id) for id in ids]
        parameters = {**move_parameters(moves), "content": content_id}
        return {row[0] for row in await self._fetch(_CLAIM, parameters)}

    async def write(self, cause: Cause, entries: Sequence[Entry]) -> None:
        """Move deliveries, queue their retries and note provider ids, in one transaction."""
        async with self._pool.connection() as connection, connection.transaction():
            moves = [entry.move for entry in entries]
            moved: set[int] = set()
            for statement in _WRITE[cause]:
                cursor = await connection.execute(statement, move_parameters(moves))
                moved |= {row[0] for row in await cursor.fetchall()}
                if len(moved) == len(entries):
                    break
                moves = [move for move in moves if move.id not in moved]
            await self._queue_retries(connection, [e for e in entries if e.retry_at and e.move.id in moved])
            await self._note_provider_ids(connection, [e for e in entries if e.account_id and e.move.provider_id])

    async def _queue_retries(self, connection: AsyncConnection, entries: Sequence[Entry]) -> None:
        groups: dict[tuple[int, int, datetime], list[int]] = defaultdict(list)
        for entry in entries:
            groups[entry.content_id, entry.lane, rounded(entry.retry_at)].append(entry.move.id)
        for (content_id, lane, due), ids in groups.items():
            for start in range(0, len(ids), BATCH_SIZE):
                members = ids[start : start + BATCH_SIZE]
                await connection.execute(*retry_batch(content_id, lane, due, members))

    async def _note_provider_ids(self, connection: AsyncConnection, entries: Sequence[Entry]) -> None:
        if entries:
            await connection.execute(
                """INSERT INTO broadcast_providerreference (account_id, provider_id, delivery_id)
                SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING""",
                [
                    [e.account_id for e in entries],
                    [e.move.provider_id for e in entries],
                    [e.move.id for e in entries],
                ],
            )


def retry_batch(content_id: int, lane: int, due: datetime, members: list[int]) -> tuple[str, dict]:
    """The statement that queues deliveries, now pending again, for another try."""
    return (
        f"""INSERT INTO broadcast_batch (id, content_id, lane, status, members, size, due_at, worker)
        VALUES (%(month)s::bigint << {MONTH_BITS - POSITION_BITS} | nextval('broadcast_batch_number'),
                %(content)s, %(lane)s, {BatchStatus.READY}, %(members)s, %(size)s, %(due)s, '')""",
        {
            "month": month_number(datetime.now(UTC)),
            "content": content_id,
            "lane": lane,
            "members": members,
            "size": len(members),
            "due": due,
        },
    )


def rounded(at: datetime) -> datetime:
    """Retries of the same few seconds travel together."""
    step = 2
    return datetime.fromtimestamp((int(at.timestamp()) // step + 1) * step, UTC)
