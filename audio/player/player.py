"""The player itself: one loop for the network, one for the clock, one that plays, one that fetches ahead."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import aiomqtt

from . import output
from .library import Library
from .protocol import FINAL, RANKS, ROOT, Command, Item, State, Unreadable, dump, parse_command, parse_programme, topic

log = logging.getLogger(__name__)

HOURS = range(5, 21)  # of local time in which anything but an emergency may sound
VIETNAM = timezone(timedelta(hours=7))
CLOCK_FAULT = 120.0  # seconds the own clock may be off before it is reported


def _heed_cancellation() -> None:
    """Raise the CancelledError that `asyncio.wait_for` swallows before Python 3.12 when its future is just done.

    Call after each wait that has a time limit, also inside aiomqtt; without it a player told to end may go on for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@dataclass(frozen=True, slots=True)
class Config:
    device: str
    host: str
    port: int
    password: str
    folder: Path
    groups: tuple[str, ...] = ()  # communes whose commands it obeys
    output: str = "auto"
    tls_ca: str = ""  # path of the authority's certificate; empty: no TLS
    heartbeat: float = 60.0
    tick: float = 0.5
    reconnect: float = 5.0
    position: tuple[float, float] | None = None  # latitude, longitude


@dataclass(slots=True)
class Playing:
    item: Item
    since: float  # time.monotonic
    refreshed: float
    process: asyncio.subprocess.Process | None = None
    cut: str = ""  # why it is being stopped


@dataclass(slots=True)
class Player:
    config: Config
    library: Library = field(init=False)
    waiting: list[Item] = field(default_factory=list)
    playing: Playing | None = None
    offset: timedelta = timedelta(0)  # the engine's clock minus ours
    faults: set[str] = field(default_factory=set)
    _client: aiomqtt.Client | None = None
    _task: asyncio.Task[None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _handing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.library = Library(self.config.folder)
        for id, report in list(self.library.states.items()):  # the power went while these were under way
            if report["state"] not in FINAL:
                self._report(id, "interrupted", reason="restart")

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    async def run(self) -> None:
        """Until cancelled. The network may come and go."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for loop in (self._network, self._clock, self._fetching, self._heartbeats):
                    tasks.create_task(loop())
        finally:
            self._cut("shutdown")
            if self._task is not None:
                await asyncio.wait([self._task], timeout=5)

    # -- network ------------------------------------------------------------------------------------------------

    async def _network(self) -> None:
        c = self.config
        will = aiomqtt.Will(topic(c.device, "state"), dump({"online": False}), qos=1, retain=True)
        tls = ssl.create_default_context(cafile=c.tls_ca) if c.tls_ca else None
        while True:
            try:
                client = aiomqtt.Client(
                    c.host, c.port, username=c.device, password=c.password, identifier=c.device, will=will,
                    clean_session=False, keepalive=30, tls_context=tls, timeout=10,
                )  # fmt: skip
                async with client:
                    for name in (topic(c.device, "command"), topic(c.device, "programme"), f"{ROOT}/all/command",
                                 *(f"{ROOT}/group/{g}/command" for g in c.groups)):  # fmt: skip
                        await client.subscribe(name, qos=1)
                        _heed_cancellation()
                    self._client = client
                    await self._hand_over()
                    await self._heartbeat()
                    async for message in client.messages:
                        self._receive(str(message.topic), bytes(message.payload or b""), bool(message.retain))
                        await self._hand_over()
            except (aiomqtt.MqttError, OSError) as error:
                _heed_cancellation()  # leaving failed because we are ending
                log.warning("not connected: %s", type(error).__name__)
            finally:
                self._client = None
            await asyncio.sleep(c.reconnect)

    def _receive(self, where: str, payload: bytes, retained: bool) -> None:
        try:
            if where.endswith("/programme"):
                self.library.programme = parse_programme(payload) if payload else []
                self.library.save()
                self.faults.discard("programme")
            elif not retained:  # a retained command is a mistake: it would be obeyed again at every connection
                self._obey(parse_command(payload, self.now()))
        except Unreadable as error:
            if where.endswith("/programme"):
                self.faults.add("programme")  # the old programme stays
            elif error.id and error.id not in self.library.states:
                self._report(error.id, "failed", reason="unreadable")
        self._changed.set()

    def _obey(self, command: Command) -> None:
        if command.type == "time" and command.now is not None:
            self.offset = command.now - datetime.now(UTC)
            late = abs(self.offset.total_seconds()) > CLOCK_FAULT
            (self.faults.add if late else self.faults.discard)("clock")
            return
        known = self.library.states.get(command.id)
        if known is not None:  # delivered twice: say again what became of it
            self.library.outbox.append(known)
            return
        if command.not_after < self.now():
            self._report(command.id, "failed", reason="expired")
        elif command.type == "play" and command.item is not None:
            self._report(command.id, "accepted")
            self.waiting.append(command.item)
        elif command.type == "stop":
            self._stop(command.of)
            self._report(command.id, "finished")
        elif command.type == "refresh":
            if self.playing is not None and self.playing.item.id == command.of:
                self.playing.refreshed = time.monotonic()
                self._report(command.id, "finished")
            else:
                self._report(command.id, "failed", reason="not_playing")
        elif command.type == "volume":
            self.library.volume = command.volume  # from the next clip on
            self._report(command.id, "finished")

    def _stop(self, of: str) -> None:
        """Silence one item, or everything, also what waits."""
        for item in [i for i in self.waiting if not of or i.id == of]:
            self.waiting.remove(item)
            self._report(item.id, "interrupted", reason="stopped")
        if self.playing is not None and (not of or self.playing.item.id == of):
            self._cut("stopped")

    def _report(self, id: str, state: State, *, seconds: float = 0.0, reason: str = "") -> None:
        report: dict[str, object] = {
            "id": id,
            "state": state,
            "seconds": round(seconds, 1),
            "at": self.now().isoformat(),
        }
        if reason:
            report["reason"] = reason
        self.library.states.pop(id, None)  # to the end: the oldest are forgotten first
        self.library.states[id] = report
        self.library.outbox.append(report)
        self.library.save()
        self._changed.set()

    async def _hand_over(self) -> None:
        """Send reports in order; one leaves the outbox only when the broker has it."""
        async with self._handing:  # several loops call this; each report goes once
            while self._client is not None and self.library.outbox:
                report = self.library.outbox[0]
                try:
                    await self._client.publish(topic(self.config.device, "ack"), dump(report), qos=1)
                except aiomqtt.MqttError:
                    return
                self.library.outbox.remove(report)
                self.library.save()
                _heed_cancellation()

    async def _heartbeats(self) -> None:
        while True:
            await asyncio.sleep(self.config.heartbeat)
            await self._heartbeat()

    async def _heartbeat(self) -> None:
        playing = self.playing
        state: dict[str, object] = {
            "online": True,
            "playing": playing.item.id if playing else "",
            "seconds": round(time.monotonic() - playing.since, 1) if playing else 0,
            "volume": self.library.volume,
            "clips": sum(self.library.has(i) for i in self.library.programme),
            "missing": sum(not self.library.has(i) for i in self._coming()),
            "faults": sorted(self.faults),
            "clock_off": round(self.offset.total_seconds(), 1),
            "at": self.now().isoformat(),
        }
        if self.config.position:
            state["position"] = list(self.config.position)
        if self._client is not None:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._client.publish(topic(self.config.device, "state"), dump(state), qos=1, retain=True)
                _heed_cancellation()

    # -- fetching ahead -----------------------------------------------------------------------------------------

    def _coming(self) -> list[Item]:
        now = self.now()
        return [i for i in self.library.programme if i.not_after >= now and not self._done(i)]

    def _done(self, item: Item) -> bool:
        return item.id in self.library.states

    async def _fetching(self) -> None:
        while True:
            self._changed.clear()
            missing = [i for i in (*self.waiting, *self._coming()) if not self.library.has(i)]
            for item in sorted(missing, key=lambda i: (-RANKS[i.priority], i.at)):
                if not await asyncio.to_thread(self.library.fetch, item):
                    self.faults.add("fetch")
                    break
            else:
                self.faults.discard("fetch")
                current = [self.playing.item] if self.playing else []
                self.library.forget_clips([*self.waiting, *self._coming(), *current])
            with contextlib.suppress(TimeoutError):
                # woken by a new message; a failed fetch is tried again after a while
                await asyncio.wait_for(self._changed.wait(), self.config.reconnect if missing else 60)
                _heed_cancellation()
                await asyncio.sleep(self.config.tick)

    # -- playing by the own clock -------------------------------------------------------------------------------

    async def _clock(self) -> None:
        while True:
            try:
                self._tick()
            except OSError:
                self.faults.add("disk")
            await self._hand_over()
            await asyncio.sleep(self.config.tick)

    def _tick(self) -> None:
        now = self.now()
        for item in self._coming():
            if item.at <= now:
                self._report(item.id, "accepted")
                self.waiting.append(item)
        for item in [i for i in self.waiting if i.not_after < now]:
            self.waiting.remove(item)
            self._report(item.id, "failed", reason="expired")
        playing = self.playing
        if playing is not None:
            alive = playing.item.keep_alive
            if alive and time.monotonic() - playing.refreshed > alive:
                self._cut("no_refresh")
            elif playing.item.not_after < now and playing.item.repeat != 1:
                self._cut("expired")
        following = self._following(now)
        if following is None:
            return
        if playing is None:
            self.waiting.remove(following)
            moment = time.monotonic()
            self.playing = Playing(following, moment, moment)
            self._task = asyncio.create_task(self._play(self.playing))
        elif following.priority == "emergency" and playing.item.priority != "emergency":
            self._cut("emergency")

    def _following(self, now: datetime) -> Item | None:
        """What sounds next: the highest priority, then the earliest; nothing ordinary at night; only what is here."""
        day = now.astimezone(VIETNAM).hour in HOURS
        ready = [i for i in self.waiting if self.library.has(i) and (day or i.priority == "emergency")]
        return min(ready, key=lambda i: (-RANKS[i.priority], i.at), default=None)

    async def _play(self, playing: Playing) -> None:
        item, played, readings = playing.item, 0.0, 0
        self._report(item.id, "started")
        failed = ""
        try:
            while not playing.cut and (item.repeat == 0 or readings < item.repeat):
                began = time.monotonic()
                playing.process = await output.start(self.config.output, self.library.path(item), self.library.volume)
                if playing.cut:
                    playing.process.kill()
                status = await playing.process.wait()
                if status and not playing.cut:
                    failed = "output"
                    break
                played += time.monotonic() - began
                readings += 1
        except (OSError, ValueError):
            failed = "output"
        finally:
            self.playing = None
        if failed:
            self.faults.add("output")
            self._report(item.id, "failed", seconds=played, reason=failed)
        elif playing.cut:
            self._report(item.id, "interrupted", seconds=played, reason=playing.cut)
        else:
            self.faults.discard("output")
            self._report(item.id, "finished", seconds=played)
        await self._hand_over()
        await self._heartbeat()

    def _cut(self, why: str) -> None:
        playing = self.playing
        if playing is not None and not playing.cut:
            playing.cut = why
            if playing.process is not None and playing.process.returncode is None:
                playing.process.kill()
