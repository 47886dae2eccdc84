"""What every stand-in gateway shares: faults around a send, receipts over time, settings."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal
from urllib.parse import unquote_plus

from .callbacks import Callbacks, Post
from .faults import Faults, Rule
from .http import Answer, Cut, Reply, Request
from .store import Message, Store

# A reference inside a text, for providers whose requests carry no metadata: "... [r:12345]"
_IN_TEXT = re.compile(r"\[r:([\w.:-]{1,64})\]")
_IN_URL = re.compile(r"[?&]r=([^&#]+)")
_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Ga"


@dataclass(frozen=True, slots=True)
class Step:
    """One receipt to come: ``delay`` seconds after acceptance the provider says ``status``."""

    delay: float
    status: str
    code: str = ""
    forged: bool = False


@dataclass(frozen=True, slots=True)
class Special:
    """Addresses that always behave in one way, so that every case can be shown at will."""

    ending: str
    what: str  # Vietnamese


@dataclass
class Box:
    """What gateways work with."""

    store: Store
    faults: Faults
    callbacks: Callbacks
    settings: Mapping[str, str] = field(default_factory=dict)  # SANDBOX_... names
    speed: float = 1.0  # receipts come this many times sooner
    specials: bool = True  # the special addresses behave in their special ways


class Gateway(ABC):
    """One provider. A subclass is registered in ``gateways/__init__.py``; its requests come to ``/<name>/...``."""

    name: ClassVar[str]
    label: ClassVar[str]
    skin: ClassVar[Literal["sms", "telegram", "zalo", "messenger", "page"]]  # how the wall draws it
    skins: ClassVar[Sequence[str]] = ()  # others it may have, see `skin_of`
    settings: ClassVar[Mapping[str, str]] = {}  # SANDBOX_... -> default
    specials: ClassVar[Sequence[Special]] = ()
    finals: ClassVar[frozenset[str]] = frozenset()  # statuses after which nothing more is reported
    arrived: ClassVar[frozenset[str]] = frozenset()  # those of them that mean the citizen has it
    default_failure: ClassVar[str] = ""  # error code of the fault "undelivered"
    refusal: ClassVar[str] = ""  # word by which a citizen refuses further messages, where the channel has one
    two_way: ClassVar[bool] = False
    can_block: ClassVar[bool] = False

    def __init__(self, box: Box) -> None:
        self.box = box
        self.config = {name: box.settings.get(name) or default for name, default in self.settings.items()}

    # -- what a provider's module says
    @abstractmethod
    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        """Answer a request; ``path`` is what follows ``/<name>``."""

    @abstractmethod
    def rate_limited(self, seconds: float) -> Reply:
        """The provider's own way to say: too many requests."""

    def server_error(self, status: int) -> Reply:
        return Reply(status, b"<html><body><h1>%d</h1></body></html>" % status, "text/html")

    def plan(self, message: Message) -> Sequence[Step]:
        """The receipts an accepted message will have when nothing goes wrong."""
        return ()

    def report(self, message: Message, step: Step) -> Sequence[Post]:
        """The callback requests for a step; the message already carries the step's status."""
        return ()

    def undelivered(self, step: Step, code: str) -> Step:
        """The last step of a plan, turned into a failure."""
        return replace(step, status="failed", code=code)

    def inbound(self, message: Message) -> Sequence[Post]:
        """The callback requests for what a citizen wrote."""
        return ()

    def block(self, address: str, blocked: bool) -> None:
        """The citizen blocks us, or lets us in again."""
        self.box.store.put(self.name, f"blocked {address}", True if blocked else None)

    def set_webhook(self, url: str | None) -> None:
        """Where citizens' answers go, for providers that are told so on a web page of theirs."""
        self.box.store.put(self.name, "webhook", url)

    def new_inbound_id(self, address: str) -> str:
        raise NotImplementedError(f"{self.name} is one-way")

    async def start(self) -> None:
        """Open what the gateway needs besides HTTP, and take up unfinished receipts."""
        for message in self.box.store.open_messages(self.name, self.finals):
            self.schedule(message)

    async def close(self) -> None:  # noqa: B027 - most gateways have nothing to close
        """Close what ``start`` opened."""

    # -- what they share
    def skin_of(self, address: str) -> str:
        """How the wall draws this address, for providers that have several faces."""
        return self.skin

    def ending(self, address: str) -> str:
        """The four last characters, by which an address is special; nothing where none shall be."""
        return address[-4:] if self.box.specials else ""

    def is_blocked(self, address: str) -> bool:
        return bool(self.box.store.get(self.name, f"blocked {address}"))

    def is_opted_out(self, address: str) -> bool:
        return bool(self.box.store.get(self.name, f"opted_out {address}"))

    def send(self, address: str, accept: Callable[[], Reply]) -> Answer | Awaitable[Answer]:
        """Answer a send by ``accept``, unless a fault strikes."""
        faults = self.box.faults
        struck = faults.draw("request", self.name, address) if faults.rules else None
        return self._strike(struck[0], address, accept) if struck else accept()

    def _strike(self, rule: Rule, address: str, accept: Callable[[], Reply]) -> Answer | Awaitable[Answer]:
        match rule.kind:
            case "rate_limit":
                return self.rate_limited(float(rule.params["retry_after"]))
            case "server_error":
                return self.server_error(int(rule.params["status"]))
            case "cut":
                raise Cut
            case "lost_reply":
                accept()
                raise Cut
            case "garbage":
                accept()
                return Reply(200, _PAGE, "text/html")
            case "blocked":
                self.block(address, True)
                return accept()
            case "slow":
                return self._slow(rule.seconds(), accept)
            case _:
                return self._stall(rule.seconds(), accept)

    async def _slow(self, seconds: float, accept: Callable[[], Reply]) -> Reply:
        await asyncio.sleep(seconds)
        return accept()

    async def _stall(self, seconds: float, accept: Callable[[], Reply]) -> Reply:
        reply = accept()
        await asyncio.sleep(seconds)
        return reply

    def accept(self, *messages: Message) -> None:
        """Journal what was accepted and plan its receipts."""
        self.box.store.accept(messages)
        for message in messages:
            self.schedule(message)

    def schedule(self, message: Message) -> None:
        steps = list(self.plan(message))
        faults = self.box.faults
        struck = faults.draw("receipt", self.name, message.address) if steps and faults.rules else ()
        for rule in struck:
            if rule.kind == "undelivered":
                steps[-1] = self.undelivered(steps[-1], str(rule.params["code"]) or self.default_failure)
            elif rule.kind == "stop_reply" and self.refusal:
                delay = steps[-1].delay + 1
                self.box.callbacks.after(delay, lambda: self.answered(message.address, self.refusal))
            elif rule.kind == "receipt_late":
                steps = [replace(s, delay=s.delay + rule.seconds() * self.box.speed) for s in steps]
            elif rule.kind == "receipt_shuffle":
                delays = [s.delay for s in steps]
                steps = [replace(s, delay=d) for s, d in zip(reversed(steps), delays, strict=True)]
            elif rule.kind == "receipt_repeat":
                times = int(rule.params["times"])
                steps = [replace(s, delay=s.delay + 0.7 * n) for s in steps for n in range(times)]
            elif rule.kind == "receipt_forged":
                forged = self.undelivered(steps[-1], self.default_failure)
                steps.append(replace(forged, delay=steps[0].delay / 2, forged=True))
            elif rule.kind == "receipt_never":
                steps = []
        for step in steps:
            self.box.callbacks.after(step.delay / self.box.speed, self._due(message, step))

    def _due(self, message: Message, step: Step) -> Callable[[], Sequence[Post]]:
        def due() -> Sequence[Post]:
            if not step.forged and message.status not in self.finals and message.status != step.status:
                self.box.store.update(message, status=step.status, code=step.code)
            return self.report(message, step)

        return due

    def answered(self, address: str, text: str) -> Sequence[Post]:
        """A citizen writes back, to whoever wrote last: record it, and return the callbacks that tell the engine."""
        thread = self.box.store.threads.get((self.name, address))
        sender = next((m.sender for m in reversed(thread.messages) if not m.inbound), "") if thread else ""
        message = Message(self.name, self.new_inbound_id(address), address, text, sender=sender, status="received")
        self.box.store.receive(message)
        return self.inbound(message)


def reference_of(url: str, text: str) -> str:
    """The engine's reference: query ``r`` of the callback URL, else ``[r:...]`` in the text, else nothing."""
    if match := _IN_URL.search(url):
        return unquote_plus(match[1])
    if "[r:" in text and (match := _IN_TEXT.search(text)):
        return match[1]
    return ""


def is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"


def whole(value: Any) -> int | None:
    """``value`` as a whole number, or None."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
