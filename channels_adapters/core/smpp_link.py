"""The process that holds one SMPP connection: takes messages over HTTP, keeps the window, reports to the webhook.

What it promises: ``unbound`` and a command_status mean that no part of the message was taken; once a part was taken,
the answer is an id or ``lost``. Receipts and citizens' answers are held in memory until the webhook has stored them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import smpp34
from aiohttp import web

from . import signatures, smpp_text
from .http import Transport, TransportError

log = logging.getLogger(__name__)

# submit_sm_resp statuses after which the same part may be sent again: queue full, throttled.
BUSY = frozenset({0x14, 0x58})
TRIES = 6  # of one further part of a message whose first part was taken
REMEMBERED = 200_000  # message ids whose receipts are still awaited
PARKED_SECONDS = 60.0  # a receipt may overtake the response that tells us its id
ANSWER_SECONDS = 30.0
LONGEST_PAUSE = 60.0  # between attempts to bind, or to report
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")  # of the centre's «done date»


@dataclass(frozen=True, slots=True)
class Config:
    host: str
    port: int
    system_id: str
    password: str
    token: str  # what workers prove themselves with, and reports are signed with
    callback: str  # where reports go that name no message of this process
    tls: bool = False
    system_type: str = ""
    window: int = 10
    per_second: float = 20.0


@dataclass(slots=True)
class _Waiting:
    """A message whose parts are on their way to the handset."""

    reference: str
    callback: str
    id: str = ""  # of its first part: the one the engine knows
    left: int = 0
    failed: bool = False


class Throttle:
    """Even spacing of submits; half as fast after the centre complained, back to full speed step by step."""

    def __init__(self, per_second: float) -> None:
        self.full = self.rate = max(per_second, 0.1)
        self._next = 0.0

    async def turn(self) -> None:
        now = time.monotonic()
        at = max(now, self._next)
        self._next = at + 1 / self.rate
        if at > now:
            await asyncio.sleep(at - now)

    def slower(self) -> None:
        self.rate = max(self.rate / 2, self.full / 64, 0.1)

    def faster(self) -> None:
        self.rate = min(self.full, self.rate * 1.05)


@dataclass
class Link:
    config: Config
    transport: Transport
    smsc: smpp34.Smsc | None = None
    throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        self.throttle = Throttle(self.config.per_second)
        self._window = asyncio.Semaphore(max(1, self.config.window))
        self._references = itertools.count(secrets.randbelow(65536))
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()  # by each form of a part's id
        self._parked: dict[str, tuple[float, smpp_text.SmppReceipt]] = {}
        self._pieces: OrderedDict[tuple[str, int, int], dict[int, bytes]] = OrderedDict()
        self._reports: deque[tuple[str, dict[str, Any]]] = deque()
        self._reporting = asyncio.Event()

    # -- the connection -------------------------------------------------------------------------------------
    async def hold(self) -> None:
        """Bind, read, bind again; until cancelled."""
        pause = 0.5
        while True:
            try:
                client = smpp34.Client(
                    self.config.host,
                    self.config.port,
                    self.config.system_id,
                    self.config.password,
                    bind_type="TRX",
                    system_type=self.config.system_type,
                    tls=self.config.tls,
                    window_size=max(1, self.config.window),
                    connect_timeout_ms=10_000,
                )
                self.smsc = await client.connect()
            except (smpp34.SmppError, OSError, RuntimeError) as error:
                log.warning("the centre does not take the connection: %s", type(error).__name__)
            else:
                log.info("bound")
                pause = 0.5
                try:
                    await self._listen(self.smsc)
                finally:
                    smsc, self.smsc = self.smsc, None
                    with contextlib.suppress(Exception):
                        await asyncio.wait_for(smsc.unbind() if smsc else asyncio.sleep(0), 2)
                    with contextlib.suppress(Exception):
                        await asyncio.wait_for(client.stop(), 2)
                log.warning("the connection ended")
            await asyncio.sleep(pause + secrets.randbelow(1000) / 2000)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _listen(self, smsc: smpp34.Smsc) -> None:
        while not isinstance(event := await smsc.next(), smpp34.Disconnected):
            try:
                self._received(event)
            except ValueError as error:
                log.warning("a deliver_sm could not be read: %s", error)

    # -- sending --------------------------------------------------------------------------------------------
    async def submit(self, message: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send one message in all its parts; the HTTP status and the body to answer with."""
        smsc = self.smsc
        if smsc is None:
            return 503, {"error": "unbound"}
        try:
            parts = smpp_text.parts(str(message["text"]), next(self._references) % 65536)
        except ValueError:
            return 409, {"error": "status", "status": 0x01}
        waiting = _Waiting(str(message["reference"]), str(message.get("callback") or self.config.callback))
        waiting.left = len(parts)
        for number, part in enumerate(parts):
            status, identity = await self._submit(smsc, message, part, tries=TRIES if number else 1)
            if status is None or (status and number):
                return 200, {"error": "lost"}
            if status:
                return 409, {"error": "status", "status": status}
            waiting.id = waiting.id or identity
            self._expect(identity, waiting)
        return 200, {"id": waiting.id, "parts": len(parts)}

    async def _submit(
        self, smsc: smpp34.Smsc, message: Mapping[str, Any], part: smpp_text.Part, tries: int
    ) -> tuple[int | None, str]:
        """command_status and id of one part; None where nobody knows whether it was taken."""
        sender = str(message.get("sender") or "")
        numeric = sender.isdecimal()
        status: int | None = None
        for _ in range(tries):
            async with self._window:
                await self.throttle.turn()
                try:
                    answer = await asyncio.wait_for(
                        smsc.submit_sm(
                            str(message["to"]),
                            part.short_message,
                            source_addr=sender,
                            source_addr_ton=(3 if len(sender) <= 8 else 1) if numeric else 5,
                            source_addr_npi=1 if numeric and len(sender) > 8 else 0,
                            dest_addr_ton=1,
                            dest_addr_npi=1,
                            esm_class=part.esm_class,
                            data_coding=part.data_coding,
                            registered_delivery=1,
                        ),
                        ANSWER_SECONDS,
                    )
                except (smpp34.SmppError, OSError, RuntimeError, TimeoutError):
                    return None, ""
            status = answer.command_status
            if answer.is_success:
                self.throttle.faster()
                # A centre that names no id has still taken the message.
                return 0, (answer.message_id or "").rstrip("\0") or f"none-{secrets.token_hex(8)}"
            if status not in BUSY:
                break
            self.throttle.slower()
        return status, ""

    def _expect(self, identity: str, waiting: _Waiting) -> None:
        for form in smpp_text.forms(identity):
            self._waiting[form] = waiting
        while len(self._waiting) > REMEMBERED:
            self._waiting.popitem(last=False)
        for form in smpp_text.forms(identity):
            if early := self._parked.pop(form, None):
                self._forget_parked(early[1])
                self._settle(early[1], waiting)
                return

    # -- what comes back ------------------------------------------------------------------------------------
    def _received(self, event: smpp34.DeliverSmEvent) -> None:
        tlvs = [(tlv.tag, tlv.value) for tlv in event.tlvs]
        if smpp_text.is_receipt(event.esm_class):
            self._receipt(smpp_text.receipt(event.short_message, tlvs))
            return
        body = event.short_message or dict(tlvs).get(smpp_text.MESSAGE_PAYLOAD, b"")
        piece = smpp_text.piece(body, event.esm_class)
        whole = piece.body
        if piece.reference is not None:
            key = (event.source_addr, piece.reference, piece.total)
            held = self._pieces.setdefault(key, {})
            held[piece.number] = piece.body
            if len(held) < piece.total:
                while len(self._pieces) > 1000:
                    self._pieces.popitem(last=False)
                return
            del self._pieces[key]
            whole = b"".join(held[number] for number in sorted(held))
        text = smpp_text.decode(whole, event.data_coding)
        said = {"id": secrets.token_hex(12), "from": event.source_addr, "text": text}
        self._report(self.config.callback, {"inbound": [said]})

    def _receipt(self, receipt: smpp_text.SmppReceipt) -> None:
        for form in smpp_text.forms(receipt.id):
            if waiting := self._waiting.get(form):
                self._settle(receipt, waiting)
                return
        until = time.monotonic() + PARKED_SECONDS
        for form in smpp_text.forms(receipt.id):
            self._parked[form] = (until, receipt)
        asyncio.get_running_loop().call_later(PARKED_SECONDS, self._give_up, receipt)

    def _give_up(self, receipt: smpp_text.SmppReceipt) -> None:
        """Nobody claimed it: sent before this process began, perhaps. The engine may know the id."""
        if self._forget_parked(receipt):
            self._report(self.config.callback, {"receipts": [_report_of(receipt, "", smpp_text.forms(receipt.id))]})

    def _forget_parked(self, receipt: smpp_text.SmppReceipt) -> bool:
        held = [form for form in smpp_text.forms(receipt.id) if form in self._parked]
        for form in held:
            del self._parked[form]
        return bool(held)

    def _settle(self, receipt: smpp_text.SmppReceipt, waiting: _Waiting) -> None:
        """A message arrived when all its parts did, and failed when one did."""
        if waiting.failed or receipt.state in ("ENROUTE", "ACCEPTD"):
            return
        for form in smpp_text.forms(receipt.id):
            self._waiting.pop(form, None)
        if receipt.state == "DELIVRD":
            waiting.left -= 1
            if waiting.left:
                return
        else:
            waiting.failed = True
        self._report(waiting.callback, {"receipts": [_report_of(receipt, waiting.reference, (waiting.id,))]})

    # -- reporting ------------------------------------------------------------------------------------------
    def _report(self, callback: str, body: dict[str, Any]) -> None:
        self._reports.append((callback, body))
        self._reporting.set()

    async def report(self) -> None:
        """Bring what came back to the webhook, in order, until cancelled. A 200 means it was stored."""
        pause = 0.5
        while True:
            if not self._reports:
                self._reporting.clear()
                await self._reporting.wait()
            callback, body = self._reports[0]
            if await self._post(callback, body):
                self._reports.popleft()
                pause = 0.5
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _post(self, callback: str, body: dict[str, Any]) -> bool:
        raw = orjson.dumps(body)
        headers = {
            "Content-Type": "application/json",
            "X-Loa-Signature": signatures.sign_timed(self.config.token, raw, time.time()),
        }
        try:
            return (await self.transport.request("POST", callback, headers=headers, body=raw)).ok
        except TransportError:
            return False

    # -- HTTP for the workers -------------------------------------------------------------------------------
    def application(self) -> web.Application:
        application = web.Application(client_max_size=100_000)
        application.add_routes([web.post("/messages", self._messages), web.get("/status", self._status)])
        return application

    def _known(self, request: web.Request) -> bool:
        return signatures.same(f"Bearer {self.config.token}", request.headers.get("Authorization", ""))

    async def _messages(self, request: web.Request) -> web.Response:
        if not self._known(request):
            return _answer(401, {"error": "credentials"})
        try:
            message = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or not all(message.get(name) for name in ("reference", "to", "text")):
            return _answer(400, {"error": "a message has a reference, an address and a text"})
        # A worker that hangs up does not stop a message half way.
        return _answer(*await asyncio.shield(self.submit(message)))

    async def _status(self, request: web.Request) -> web.Response:
        if not self._known(request):
            return _answer(401, {"error": "credentials"})
        return _answer(200, {"bound": self.smsc is not None, "reports": len(self._reports), "rate": self.throttle.rate})


def _answer(status: int, body: Mapping[str, Any]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def _report_of(receipt: smpp_text.SmppReceipt, reference: str, ids: tuple[str, ...]) -> dict[str, Any]:
    at: datetime | None = smpp_text.done_at(receipt.done)
    return {
        "reference": reference,
        "ids": ids,
        "state": receipt.state,
        "error": receipt.error,
        "at": at.replace(tzinfo=ZONE).isoformat() if at else None,
    }


@contextlib.asynccontextmanager
async def running(config: Config, transport: Transport, host: str, port: int) -> AsyncIterator[tuple[Link, str]]:
    """A link at work, and the address it listens on. Port 0 takes a free one."""
    link = Link(config, transport)
    runner = web.AppRunner(link.application(), access_log=None)
    await runner.setup()
    tasks: list[asyncio.Task[None]] = []
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        tasks = [asyncio.create_task(link.hold()), asyncio.create_task(link.report())]
        address = runner.addresses[0]
        yield link, f"http://{address[0]}:{address[1]}"
    finally:
        await runner.cleanup()  # no new messages; those under way end first
        for _ in range(50):  # five seconds for what is still to be reported
            if not link._reports:
                break
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
