"""Claim, render, call, journal: the only caller of an adapter's ``send``.

One engine lives in each worker process, on an event loop of its own, for as long as the process lives; a Celery task
merely wakes it. Order of events for every message, so that no crash can lose or repeat one:

1. a batch is leased (and the lease renewed while this process lives);
2. up to a hundred of its deliveries go ``pending -> sending``, committed;
3. the adapter is called, many requests in flight;
4. the outcomes are written in bulk, with the retries they cause.

A crash before 2 leaves pending rows for the next worker; between 2 and 4 it leaves rows of which nobody knows whether
they arrived, and the sweeper says so.
"""

import asyncio
import contextlib
import dataclasses
import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime

import uvloop
from django.conf import settings
from django.db import close_old_connections
from psycopg import OperationalError
from psycopg_pool import PoolClosed, PoolTimeout

from broadcast.audience import refusals
from broadcast.delivery import personal
from broadcast.delivery import work as works
from broadcast.delivery.ledger import Entry, Lease, Ledger, Row, open_pool
from broadcast.delivery.limits import Limiter
from broadcast.delivery.policy import judge
from broadcast.models import Account, Content, Move, vault
from broadcast.states import ADDRESS_USABLE, AccountStatus, AddressState, Cause, ContentStatus, DeliveryStatus, Lane
from broadcast.stations import bulletins
from channels_adapters.core.http import HttpTransport, Transport
from channels_adapters.core.interface import Media, Message, Next, Outcome, Query, Reason, Receipt, Recipient

log = logging.getLogger(__name__)

CLAIM = 100  # deliveries that go to `sending` together: what a crash may leave in doubt per claim
BATCHES = 3  # leased at once and not yet all claimed; one more is kept for urgent campaigns
FLUSH_SECONDS = 0.02
FLUSH_ENTRIES = 250
WORK_SECONDS = 2.0  # how long what is known of a content is used before it is read again
DATABASE_AWAY = (OperationalError, PoolTimeout, PoolClosed)


class Window:
    """Messages of one account under way in this process. Urgent ones are let in first."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, wanted: int, *, urgent: bool) -> int:
        """Wait for room for ``wanted`` messages, or for half the window if they are more."""
        wanted = min(wanted, max(1, self.size // 2))
        if self.free < wanted or self._waiting:
            future = asyncio.get_running_loop().create_future()
            entry = (wanted, future)
            if urgent:
                self._waiting.appendleft(entry)
            else:
                self._waiting.append(entry)
            self._admit()
            try:
                await future
            except asyncio.CancelledError:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                else:
                    self.leave(wanted)
                raise
            return wanted
        self.free -= wanted
        return wanted

    def leave(self, count: int) -> None:
        self.free += count
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.free >= self._waiting[0][0]:
            wanted, future = self._waiting.popleft()
            if not future.done():
                self.free -= wanted
                future.set_result(None)


class Journal:
    """Writes outcomes in groups. An entry counts as written only after the commit."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: list[tuple[list[Entry], asyncio.Future[None]]] = []
        self._size = 0
        self._news = asyncio.Event()

    def add(self, entries: list[Entry]) -> asyncio.Future[None]:
        """Resolved when all of them are committed, together."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, future))
        self._size += len(entries)
        self._news.set()
        return future

    async def run(self) -> None:
        while True:
            await self._news.wait()
            if self._size < FLUSH_ENTRIES:
                await asyncio.sleep(FLUSH_SECONDS)
            group, self._waiting, self._size = self._waiting, [], 0
            self._news.clear()
            await self._write(group)

    async def _write(self, group: list[tuple[list[Entry], asyncio.Future[None]]]) -> None:
        entries = [entry for added, _ in group for entry in added]
        while True:
            try:
                await self._ledger.write(Cause.OUTCOME, entries)
                break
            except DATABASE_AWAY:
                log.warning("the database is away; %d outcomes are kept until it is back", len(entries))
                await asyncio.sleep(0.5)
        for _, future in group:
            if not future.done():
                future.set_result(None)


@dataclass(slots=True)
class _Known:
    work: works.Work | None
    until: float


class Engine:
    """The dispatcher of one process. ``start`` once, ``wake`` as often as there may be work, ``stop`` at the end."""

    def __init__(self) -> None:
        self.worker = f"{socket.gethostname()}:{os.getpid()}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False

    # -- from other threads ---------------------------------------------------------------------------------
    def start(self) -> None:
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._main, args=(ready,), name="dispatch", daemon=True)
        self._thread.start()
        ready.result(timeout=30)

    def work(self, seconds: float) -> int:
        """Wake the engine and wait until nothing is due or the time is over; messages called so far."""
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(self._work(seconds), self._loop)
        return future.result(timeout=seconds + 30)

    def settle(self, account_id: int, messages: Sequence[Query]) -> list[Receipt]:
        """Ask the account's provider what became of unsure messages (see ``Adapter.lookup``)."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self._lookup(account_id, messages), self._loop).result(timeout=60)

    def stop(self, seconds: float = 10.0) -> None:
        """Lease nothing more and finish what is in flight."""
        if self._loop is None or self._thread is None:
            return
        self._stopping = True
        self._loop.call_soon_threadsafe(self._wake.set)
        self._thread.join(seconds)

    # -- the loop -------------------------------------------------------------------------------------------
    def _main(self, ready: Future[None]) -> None:
        uvloop.run(self._run(ready))

    async def _run(self, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._active_until = 0.0
        self.called = 0
        self._known: dict[int, _Known] = {}
        self._windows: dict[int, Window] = {}
        self._leases: dict[int, Lease] = {}
        self._claiming: dict[asyncio.Task, int] = {}  # batch tasks that still claim -> their lane
        self._tasks: set[asyncio.Task] = set()
        self._turn: deque[int] = deque()
        pool = open_pool(4)
        try:
            await pool.open()
            async with HttpTransport() as transport:
                self._transport: Transport = transport
                self._limiter = Limiter(settings.VALKEY_URL)
                self._ledger = Ledger(pool, self.worker)
                self._journal = Journal(self._ledger)
                background = [asyncio.create_task(self._journal.run()), asyncio.create_task(self._renew())]
                ready.set_result(None)
                try:
                    await self._pump()
                    while self._tasks:
                        await asyncio.wait(self._tasks, timeout=1)
                finally:
                    for task in background:
                        task.cancel()
                    await self._limiter.close()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise
        finally:
            await pool.close()

    async def _work(self, seconds: float) -> int:
        before = self.called
        self._active_until = max(self._active_until, time.monotonic() + seconds)
        self._idle.clear()
        self._wake.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
        return self.called - before

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(1.5)
            if self._leases:
                try:
                    await self._ledger.renew(list(self._leases))
                except DATABASE_AWAY:
                    log.warning("the database is away; leases could not be renewed")

    async def _pump(self) -> None:
        """Lease batches while there are any; sleep when there are none or the caller's time is over."""
        quiet = 0
        while not self._stopping:
            if time.monotonic() >= self._active_until:
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                started = await self._lease_some()
            except DATABASE_AWAY:
                log.warning("the database is away; trying again")
                await asyncio.sleep(0.5)
                continue
            quiet = 0 if started or self._tasks else quiet + 1
            if quiet > 3:
                self._active_until = 0.0
            elif not started:
                await asyncio.sleep(0.1)

    async def _lease_some(self) -> bool:
        """Start as many batches as there is room for. True if any was started."""
        bulk = sum(lane != Lane.URGENT for lane in self._claiming.values())
        if len(self._claiming) > BATCHES:
            return False
        started = False
        for lane, content_id in self._in_turn(await self._ledger.due_contents()):
            if len(self._claiming) > BATCHES:
                break
            if lane != Lane.URGENT and bulk >= BATCHES:
                continue
            known = await self._work_of(content_id)
            if known is None:
                continue
            lease = await self._ledger.lease(content_id)
            if lease is None:
                continue
            self._leases[lease.batch_id] = lease
            task = asyncio.create_task(self._carry(lease, known))
            self._claiming[task] = lane
            self._tasks.add(task)
            task.add_done_callback(self._forget)
            bulk += lane != Lane.URGENT
            if content_id in self._turn:
                self._turn.remove(content_id)
            self._turn.append(content_id)
            started = True
        return started

    def _in_turn(self, due: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Urgent first; inside a lane whoever was served longest ago."""
        return sorted(due, key=lambda item: (item[0], self._turn.index(item[1]) if item[1] in self._turn else -1))

    def _forget(self, task: asyncio.Task) -> None:
        self._claiming.pop(task, None)
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease runs out and the sweeper hands the batch on.
            log.error("a batch was dropped: %s", type(error).__name__, exc_info=error)

    async def _work_of(self, content_id: int) -> works.Work | None:
        now = time.monotonic()
        known = self._known.get(content_id)
        if known is None or known.until < now:
            loaded = await asyncio.to_thread(_in_django, works.load, content_id, self._transport)
            if known is not None and known.work is not None and loaded is not None:
                # Same account, same adapter object: adapters may keep what is costly to build.
                loaded = known.work if _same(known.work, loaded) else loaded
            known = self._known[content_id] = _Known(loaded, now + WORK_SECONDS)
            if len(self._known) > 1000:
                self._known = {content_id: known}
        return known.work

    async def _carry(self, lease: Lease, job: works.Work) -> None:
        """One batch from lease to done."""
        done = True
        calls: set[asyncio.Task] = set()
        try:
            rows = await self._ledger.rows(lease)
            messages = await self._prepare(rows, job)
            attempts = {row.id: row.attempts + 1 for row in rows}
            done = await self._claim_all(messages, attempts, job, calls)
            self._claiming.pop(asyncio.current_task(), None)  # type: ignore[arg-type]
            if calls:
                await asyncio.wait(calls)
        finally:
            if self._leases.pop(lease.batch_id, None) is not None:
                await self._ledger.close(lease, done=done)

    async def _claim_all(
        self, messages: list[Message], attempts: dict[int, int], job: works.Work, calls: set[asyncio.Task]
    ) -> bool:
        """Claim and send everything, in small steps. False if the campaign stopped in between."""
        # Twice what may be under way, so that the next messages are claimed meanwhile.
        room = max(2 * job.capabilities.in_flight, 4 * job.adapter.max_batch)
        window = self._windows.setdefault(job.account_id, Window(room))
        urgent = job.lane == Lane.URGENT
        start = 0
        while start < len(messages):
            if self._stopping:
                return False
            size = max(CLAIM, job.adapter.max_batch)
            allowed = await self._allowed(job, min(size, len(messages) - start), urgent=urgent)
            if allowed == 0:
                return False
            allowed = await window.enter(allowed, urgent=urgent)
            step = messages[start : start + allowed]
            try:
                claimed = await self._ledger.claim(job.content_id, [int(m.reference) for m in step], job.account_id)
            except BaseException:
                window.leave(allowed)
                raise
            mine = [message for message in step if int(message.reference) in claimed]
            window.leave(len(step) - len(mine))
            if not mine:
                if not await self._still_open(job):
                    return False
                start += len(step)
                continue
            for at in range(0, len(mine), job.adapter.max_batch):
                group = mine[at : at + job.adapter.max_batch]
                task = asyncio.create_task(self._call(group, attempts, job, window))
                calls.add(task)
                task.add_done_callback(calls.discard)
            start += len(step)
        return True

    async def _still_open(self, job: works.Work) -> bool:
        return any(content_id == job.content_id for _, content_id in await self._ledger.due_contents())

    async def _allowed(self, job: works.Work, wanted: int, *, urgent: bool) -> int:
        """How many messages may go now, after waiting for the first; 0 if the engine stops meanwhile."""
        waited = 0.0
        while not self._stopping:
            if job.rate is None:
                wait = await self._limiter.wait_blocked(job.account_id)
                if wait == 0:
                    return wanted
            else:
                requests = -(-wanted // job.adapter.max_batch)
                given, wait = await self._limiter.take(job.account_id, job.rate, requests, urgent=urgent)
                if given:
                    return min(wanted, given * job.adapter.max_batch)
            waited += wait
            if waited > 5:
                return 0  # give the batch back; others may have room
            await asyncio.sleep(min(wait, 1.0))
        return 0

    async def _call(self, group: list[Message], attempts: dict[int, int], job: works.Work, window: Window) -> None:
        """One request, and its outcomes into the journal."""
        try:
            self.called += len(group)
            try:
                outcomes = await _send(job, group)
            except Exception as error:
                # The request may have gone out before the defect showed; say so, without the message's text.
                log.error("%s.send raised %s", type(job.adapter).__name__, type(error).__name__)
                outcomes = []
            answered = {outcome.reference: outcome for outcome in outcomes}
            now = datetime.now(UTC)
            entries = []
            for message in group:
                outcome = answered.get(message.reference) or Outcome.fail(
                    message.reference, Next.UNSURE, Reason.LOST_REPLY, detail="no outcome"
                )
                delivery_id = int(message.reference)
                verdict = judge(
                    delivery_id,
                    outcome,
                    attempts=attempts[delivery_id],
                    account_id=job.account_id,
                    may_repeat=job.may_repeat,
                    deadline=job.deadline,
                    now=now,
                )
                note = job.capabilities.receipts != "none" and not job.capabilities.echoes and verdict.move.provider_id
                entries.append(
                    Entry(verdict.move, job.content_id, job.lane, verdict.retry_at, job.account_id if note else None)
                )
            written = self._journal.add(entries)
            if any(outcome.next is not None for outcome in outcomes):
                await self._follow(job, group, outcomes)
            await written
        finally:
            window.leave(len(group))

    async def _follow(self, job: works.Work, group: list[Message], outcomes: Sequence[Outcome]) -> None:
        """What an outcome means beyond its message: for the account, the content, the address."""
        for outcome in outcomes:
            if outcome.next is None:
                continue
            if outcome.reason is Reason.RATE_LIMITED and outcome.after:
                await self._limiter.block(job.account_id, outcome.after)
            elif outcome.next is Next.PAUSE_ACCOUNT:
                self._known.pop(job.content_id, None)
                await asyncio.to_thread(_in_django, pause_account, job.account_id, outcome)
            elif outcome.next is Next.FIX_CONTENT:
                await asyncio.to_thread(_in_django, stop_content, job.content_id, outcome)
            elif outcome.next is Next.BLOCK_ADDRESS:
                await asyncio.to_thread(_in_django, block_address, int(outcome.reference), outcome.reason)
            if outcome.address:
                await asyncio.to_thread(_in_django, refusals.move_address_of, int(outcome.reference), outcome.address)

    async def _prepare(self, rows: list[Row], job: works.Work) -> list[Message]:
        """Render what can be sent; what cannot is turned away here, with its reason."""
        now = datetime.now(UTC)
        if job.deadline is not None and now >= job.deadline:
            await self._turn_away(job, {row.id: (DeliveryStatus.EXPIRED, Reason.EXPIRED) for row in rows})
            return []
        refused: dict[int, tuple[DeliveryStatus, Reason]] = {}
        messages: list[Message] = []
        kind = job.capabilities.address_kind
        addresses = {row.id: vault.unseal(row.value, kind) for row in rows}
        media: dict[str, Media] = {}
        if job.capabilities.needs_audio:
            media = await asyncio.to_thread(_in_django, bulletins.media_for, job.content_id, list(addresses.values()))
        message = job.message
        fields = personal.is_personal(message.subject) or personal.is_personal(message.body)
        shared = None
        for row in rows:
            if row.state not in ADDRESS_USABLE:
                reason = Reason.OPTED_OUT if row.state == AddressState.OPTED_OUT else Reason.BAD_ADDRESS
                refused[row.id] = (DeliveryStatus.FAILED, reason)
                continue
            address = addresses[row.id]
            own = (media[address],) if address in media else ()
            try:
                if fields:
                    values = personal.values_for(row.name, row.place)
                    subject, body = personal.fill(message.subject, values), personal.fill(message.body, values)
                    recipient = Recipient(str(row.id), address, row.name, row.language, subject, body, own)
                    rendered = job.adapter.render(message, recipient)
                elif own or shared is None:
                    recipient = Recipient(str(row.id), address, row.name, row.language, media=own)
                    rendered = job.adapter.render(message, recipient)
                    if not own and not job.capabilities.needs_audio:
                        shared = rendered
                else:
                    rendered = shared
            except ValueError:
                refused[row.id] = (DeliveryStatus.FAILED, Reason.REJECTED_CONTENT)
                continue
            messages.append(Message(str(row.id), address, rendered, f"{job.callback_base}?r={row.id}"))
        if refused:
            await self._turn_away(job, refused)
        return messages

    async def _turn_away(self, job: works.Work, refused: dict[int, tuple[DeliveryStatus, Reason]]) -> None:
        entries = [
            Entry(Move(id, status, reason=reason.value), job.content_id, job.lane)
            for id, (status, reason) in refused.items()
        ]
        await self._ledger.write(Cause.GATE, entries)

    async def _lookup(self, account_id: int, messages: Sequence[Query]) -> list[Receipt]:
        account = await asyncio.to_thread(_in_django, Account.objects.get, pk=account_id)
        return await account.build(self._transport).lookup(messages)


async def _send(job: works.Work, group: list[Message]) -> list[Outcome]:
    """One request; or, for a message the provider takes only in parts, one after the other."""
    parts = job.adapter.split(group[0].rendered) if len(group) == 1 else ()
    if len(parts) < 2:
        return await job.adapter.send(group)
    ids = []
    for number, part in enumerate(parts):
        (outcome,) = await job.adapter.send([dataclasses.replace(group[0], rendered=part)])
        if outcome.next is not None:
            if number and outcome.next in (Next.RETRY, Next.RESCHEDULE, Next.PAUSE_ACCOUNT):
                # The beginning has arrived: repeating the whole would send it twice.
                outcome = dataclasses.replace(outcome, next=Next.UNSURE)
            return [dataclasses.replace(outcome, provider_id=",".join(ids))]
        ids.append(outcome.provider_id)
    return [dataclasses.replace(outcome, provider_id=",".join(ids), parts=len(parts))]


def _same(old: works.Work, new: works.Work) -> bool:
    return (
        old.account_id == new.account_id
        and old.rate == new.rate
        and old.deadline == new.deadline
        and old.message == new.message
        and old.adapter.settings == new.adapter.settings
        and old.adapter.sandbox_url == new.adapter.sandbox_url
    )


def _in_django(function, *args, **kwargs):
    """Run a piece of ORM work in a thread, giving its connection back."""
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()


def pause_account(account_id: int, outcome: Outcome) -> None:
    """A person must act: key, credit or configuration. Its messages wait."""
    Account.objects.filter(pk=account_id, status=AccountStatus.ACTIVE).update(
        status=AccountStatus.PAUSED,
        status_reason=f"{outcome.reason}: {outcome.code} {outcome.detail}"[:200],
        status_at=datetime.now(UTC),
    )


def stop_content(content_id: int, outcome: Outcome) -> None:
    """The provider refuses this text: the channel stops, the others go on."""
    Content.objects.filter(pk=content_id, status__in=(ContentStatus.EXPANDING, ContentStatus.RUNNING)).update(
        status=ContentStatus.STOPPED, status_reason=f"{outcome.reason}: {outcome.code} {outcome.detail}"[:300]
    )


def block_address(delivery_id: int, reason: Reason | None) -> None:
    """No more messages to this address on this channel, for anyone who shares it."""
    refusals.block_address_of(delivery_id, opted_out=reason is Reason.OPTED_OUT)


_engine: Engine | None = None
_starting = threading.Lock()


def engine() -> Engine:
    """This process's engine, started on first use (never before a worker forks)."""
    global _engine
    with _starting:
        if _engine is None or _engine._thread is None or not _engine._thread.is_alive():
            _engine = Engine()
            _engine.start()
        return _engine


def stop_engine() -> None:
    global _engine
    with _starting:
        if _engine is not None:
            _engine.stop()
            _engine = None
