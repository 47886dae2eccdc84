"""The contract between the delivery engine and a channel.

The engine owns concurrency, rate, retry, journal and batching. An adapter makes one provider request and
tells the truth about it: an expected failure is an :class:`Outcome`, never an exception. An exception that
escapes ``send`` is a defect; the engine records its messages as *unsure*.

Units: money is whole đồng, time is aware UTC, durations are seconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

if TYPE_CHECKING:
    from .http import Transport


class Next(StrEnum):
    """A failure is named by what we do next."""

    RETRY = "retry"  # certainly not sent; try again after a delay
    RESCHEDULE = "reschedule"  # certainly not sent; try again at a time (quota, sending hours)
    GIVE_UP = "give_up"  # this message to this address will not work
    FIX_CONTENT = "fix_content"  # text or template is wrong: stop this channel of this campaign
    BLOCK_ADDRESS = "block_address"  # gone or opted out: no more messages to this address on this channel
    PAUSE_ACCOUNT = "pause_account"  # key, credit or configuration: a person must act
    UNSURE = "unsure"  # may have been sent: never repeat blindly


class Reason(StrEnum):
    """Why a message was not delivered, in the engine's words. Screens translate these for officers."""

    BAD_ADDRESS = "bad_address"  # malformed or unknown address
    NOT_REACHABLE_KIND = "not_reachable_kind"  # landline, no account on this channel
    OPTED_OUT = "opted_out"
    BLOCKED = "blocked"  # the citizen blocked us, or the operator did
    OUTSIDE_WINDOW = "outside_window"  # the channel only allows answers within some days
    UNREACHABLE = "unreachable"  # phone off, out of coverage, mailbox full
    REJECTED_CONTENT = "rejected_content"  # filtered, template not approved, banned word
    TOO_LONG = "too_long"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"  # daily or monthly allowance used up
    OUTSIDE_HOURS = "outside_hours"
    CREDENTIALS = "credentials"
    NO_CREDIT = "no_credit"
    MISCONFIGURED = "misconfigured"  # sender name, permission, IP list
    PROVIDER_ERROR = "provider_error"
    NETWORK = "network"  # certainly not sent: refused, unresolved, no TLS
    LOST_REPLY = "lost_reply"  # the request went out, no (usable) reply came back
    MISSING_MEDIA = "missing_media"  # no audio or picture to send
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an account's settings form."""

    name: str
    label: str  # Vietnamese source text, translatable
    secret: bool = False  # encrypted at rest, masked on screen, never logged
    required: bool = True
    default: str = ""
    kind: Literal["text", "url", "int", "bool", "choice", "textarea"] = "text"
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    unverified: bool = False  # the default is a guess about the provider's contract


@dataclass(frozen=True, slots=True)
class Capabilities:
    label: str  # what officers call the channel, e.g. "SMS (Twilio)"
    family: Literal[
        "sms", "zalo", "facebook", "telegram", "news", "loudspeaker", "tv", "board", "email", "push", "other"
    ]
    address_kind: str  # "phone", "telegram", "zalo", "psid", "email", "push", "newsroom", "station", ...
    reach: Literal["person", "outlet", "both"]
    max_batch: int = 1  # messages one provider request can carry
    per_second: float | None = None  # the provider's documented limit on requests, None where it has none
    in_flight: int = 100  # requests of one account that may be under way in one process
    receipts: Literal["none", "push", "poll"] = "none"
    echoes: bool = True  # receipts carry our reference (else the engine keeps a table of provider ids)
    two_way: bool = False  # citizens can answer
    idempotent: bool = False  # sending one reference twice delivers once
    needs_audio: bool = False
    corrects: bool = False  # `correct` works
    retracts: bool = False  # `retract` works
    max_length: int | None = None  # characters of one message, where the provider has such a limit
    fields: tuple[Field, ...] = ()
    content_fields: tuple[Field, ...] = ()  # what a content of this channel has besides subject and body
    local: bool = False  # served by this very installation: no sandbox, no outside account


@dataclass(frozen=True, slots=True)
class Media:
    """A file that goes with a message. ``path`` is readable by this process; ``url`` is public."""

    kind: Literal["image", "audio", "video", "file"]
    path: str = ""
    url: str = ""
    mime: str = ""
    sha256: str = ""
    seconds: float = 0.0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What an officer approved for one channel."""

    body: str
    subject: str = ""
    summary: str = ""
    media: tuple[Media, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # this channel's `content_fields`
    category: Literal["emergency", "notice", "service", "advertising"] = "notice"
    priority: Literal["urgent", "normal", "bulk"] = "normal"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One addressee. ``body`` and ``subject`` hold the personalised text where the content has fields."""

    reference: str  # our delivery id, unique for ever
    address: str  # canonical, as `validate` returned it
    name: str = ""
    language: str = "vi"
    subject: str | None = None
    body: str | None = None
    media: tuple[Media, ...] = ()  # this addressee's own, e.g. the clip with a station's greeting


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as the provider will get it. ``data`` is the adapter's own; the engine only carries it."""

    text: str
    subject: str = ""
    media: tuple[Media, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Warning_:
    """Something an officer should know before approving. ``blocking`` keeps the campaign from being submitted."""

    text: str
    blocking: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    parts: int  # SMS segments, or requests' worth of messages
    cost: int = 0  # đồng
    encoding: str = ""  # "GSM-7" or "UCS-2" for SMS
    characters: int = 0
    limit: int = 0  # characters that fit in `parts` parts
    warnings: tuple[Warning_, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message of a batch handed to ``send``."""

    reference: str
    address: str
    rendered: Rendered
    callback_url: str = ""  # where the provider shall report; carries the reference


@dataclass(frozen=True, slots=True)
class Outcome:
    """The truth about one message of one request. Build with :meth:`ok` or :meth:`fail`."""

    reference: str
    next: Next | None  # None: the provider accepted it
    provider_id: str = ""
    delivered: bool = False  # accepted is already proof of delivery (an article is published)
    reason: Reason | None = None
    code: str = ""  # the provider's own code, for the channel log
    detail: str = ""  # the provider's words, redacted of secrets and addresses
    after: float | None = None  # seconds to wait, from Retry-After and the like
    at: datetime | None = None  # RESCHEDULE: not before
    parts: int = 0
    cost: int = 0
    address: str = ""  # the addressee moved: keep this address from now on, also for the repetition

    @classmethod
    def ok(
        cls, reference: str, provider_id: str = "", *, delivered: bool = False, parts: int = 0, cost: int = 0
    ) -> Outcome:
        return cls(reference, None, provider_id, delivered=delivered, parts=parts, cost=cost)

    @classmethod
    def fail(
        cls,
        reference: str,
        next: Next,
        reason: Reason,
        *,
        code: str | int = "",
        detail: str = "",
        after: float | None = None,
        at: datetime | None = None,
        provider_id: str = "",
        address: str = "",
    ) -> Outcome:
        return cls(
            reference,
            next,
            provider_id,
            reason=reason,
            code=str(code),
            detail=detail[:500],
            after=after,
            at=at,
            address=address,
        )


class Query(NamedTuple):
    """A message to look up. A plain ``(reference, provider_id, address)`` does as well; the rest finds more."""

    reference: str
    provider_id: str  # empty for a lost reply
    address: str
    text: str = ""  # as rendered
    sent_at: datetime | None = None  # when the request went out


class ReceiptState(StrEnum):
    SENT = "sent"  # accepted by the next hop; only confirms an unsure send
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    NOT_FOUND = "not_found"  # `lookup` only: the provider never got it


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider reports later. Matched by ``reference`` where the provider echoes it, else ``provider_id``.

    A watermark receipt (everything up to ``until`` to ``address``) sets neither.
    """

    state: ReceiptState
    reference: str = ""
    provider_id: str = ""
    address: str = ""
    until: datetime | None = None
    next: Next | None = None  # FAILED: GIVE_UP, BLOCK_ADDRESS, RETRY ...
    reason: Reason | None = None
    code: str = ""
    at: datetime | None = None
    seconds: float = 0.0  # of audio played, views of an article ...: what `detail` says
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Something a citizen sent or did."""

    provider_id: str  # unique per account; repeated callbacks carry the same
    address: str
    kind: Literal["text", "media", "opt_out", "opt_in", "follow", "unfollow", "blocked", "press", "other"]
    text: str = ""
    name: str = ""
    at: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A callback as it came in. Header names are lower case; ``url`` is the public one the provider signed."""

    method: str
    url: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Callback:
    """What a callback says. ``ask``: messages it speaks of without a proof of its own (the provider signs nothing);
    the engine believes what ``lookup`` answers about them."""

    receipts: tuple[Receipt, ...] = ()
    inbound: tuple[Inbound, ...] = ()
    ask: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding of ``check``: what is wrong with this account, and what to do."""

    text: str
    fatal: bool = True


class Adapter(ABC):
    """One configured account of one channel. Cheap to build; holds no connection of its own.

    ``settings`` has a value for every field of ``capabilities.fields``; ``transport`` is shared by all adapters
    of a process. ``sandbox_url`` replaces the provider's host when the account is a training account.
    """

    name: ClassVar[str]  # the module's name; set by the registry
    capabilities: ClassVar[Capabilities]

    def __init__(self, settings: Mapping[str, str], transport: Transport, *, sandbox_url: str = "") -> None:
        self.settings = {f.name: settings.get(f.name) or f.default for f in self.capabilities.fields}
        self.transport = transport
        self.sandbox_url = sandbox_url.rstrip("/")

    @property
    def max_batch(self) -> int:
        """Messages one request of this account may carry; never more than ``capabilities.max_batch``."""
        return self.capabilities.max_batch

    # -- before sending: no network -------------------------------------------------------------------------
    @classmethod
    @abstractmethod
    def validate(cls, address: str) -> str:
        """Return the canonical address, or raise ValueError with a sentence for the officer."""

    @abstractmethod
    def render(self, content: Content, recipient: Recipient) -> Rendered:
        """The message as the provider will get it. Raises ValueError with a sentence where it cannot be sent."""

    @abstractmethod
    def estimate(self, rendered: Rendered) -> Estimate:
        """Parts, cost and warnings of one message."""

    def split(self, rendered: Rendered) -> tuple[Rendered, ...]:
        """The messages one rendered message becomes where the provider needs several requests for it.

        Each goes through ``send`` by itself, in order, the next after the last was accepted; their ids joined by
        commas are the provider_id of the whole. ``send`` refuses what should have been split: it never cuts.
        """
        return (rendered,)

    # -- sending: one provider request each -----------------------------------------------------------------
    @abstractmethod
    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        """Make ONE request for at most ``max_batch`` messages; one outcome per message, in order."""

    async def correct(self, message: Message, provider_id: str) -> Outcome:
        """Replace what was published under ``provider_id`` (capability ``corrects``)."""
        raise NotImplementedError(f"{type(self).__name__} cannot correct")

    async def retract(self, reference: str, provider_id: str, address: str) -> Outcome:
        """Take back what was published under ``provider_id`` (capability ``retracts``)."""
        raise NotImplementedError(f"{type(self).__name__} cannot retract")

    async def lookup(self, messages: Sequence[Query | tuple[str, str, str]]) -> list[Receipt]:
        """Ask what became of messages. What cannot be known is left out of the answer, so it may be empty.

        Wait a minute or so after a lost reply: providers list a message a little after they accept it.
        """
        return []

    async def check(self) -> list[Problem]:
        """«Kiểm tra kết nối»: the problems of this account, none if it works."""
        return []

    async def subscribe(self, callback_url: str) -> list[Problem]:
        """Tell the provider where to report, where that is a setting of its own. Problems, none if it worked."""
        return []

    # -- what comes back ------------------------------------------------------------------------------------
    def verify(self, request: Request) -> bool:
        """Is this callback the provider's? Denies by default."""
        return False

    def reply(self, request: Request) -> Reply:
        """The answer the provider expects (also to its verification challenge). Called after ``verify``."""
        return Reply()

    def parse(self, request: Request) -> Callback:
        """Receipts and inbound messages of a verified callback. Raises ValueError on a body it cannot read."""
        return Callback()
