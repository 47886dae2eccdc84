"""What an adapter's file of cases says about it. The suite in test_contract.py does the rest.

A file ``test_<adapter>.py`` defines ``CASES``; tests of what only that channel can do stand below it.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from channels_adapters.core import registry
from channels_adapters.core.http import Transport
from channels_adapters.core.interface import (
    Adapter,
    Content,
    Inbound,
    Message,
    Next,
    Query,
    Reason,
    Receipt,
    Recipient,
    Request,
)
from tests.adapters.provider import Answer, Seen

REFERENCE = "0190f3c2-7d51"
CALLBACK_URL = f"https://loa.example.vn/hooks/k7Qd/?r={REFERENCE}"


@dataclass(frozen=True)
class Failure:
    """One way the provider refuses a message, and what has to follow. Source: the adapter's error table."""

    name: str
    answer: Answer
    next: Next
    reason: Reason
    after: float | None = None
    address: str = ""  # where the addressee moved


@dataclass(frozen=True)
class Signed:
    """A callback as the provider sends it, and what it says."""

    name: str
    request: Request
    receipts: tuple[Receipt, ...] = ()
    inbound: tuple[Inbound, ...] = ()
    ask: tuple[Query, ...] = ()
    signed_at: float = field(default_factory=time.time)  # signatures age: the test travels back to it


@dataclass(frozen=True)
class Cases:
    settings: Mapping[str, str]  # every secret recognisable: the suite looks for them in logs and outcomes
    good: Mapping[str, str]  # as typed -> canonical
    bad: tuple[str, ...]
    content: Content
    empty: Content  # cannot be sent
    accepted: Answer
    provider_id: str
    asks: Callable[[Seen], None]  # asserts that the request is what the provider documents
    failures: tuple[Failure, ...]
    unreadable: tuple[Answer, ...] = ()  # successes nobody can read, besides those of every adapter
    delivered: bool = False
    callbacks: tuple[Signed, ...] = ()
    stale: Callable[[], Request] | None = None  # a genuine callback that is too old
    signs_body: bool = True  # the signature covers the body (a shared token does not)
    signs_url: bool = False
    signs_headers: bool = True  # the proof is in a header; else it is the last parameter of the address
    signing_secrets: tuple[str, ...] = ()  # settings that callbacks are checked with
    corrected: Answer | None = None
    retracted: Answer | None = None
    healthy: tuple[Answer, ...] = ()  # replies to the requests of `check`
    prepare: Callable[[Adapter], None] = lambda adapter: None  # before it sends, e.g. a token it holds already
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return next(iter(self.good.values()))

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(value for name, value in self.settings.items() if value.startswith("SECRET"))


def cases_of(name: str) -> Cases:
    found = importlib.import_module(f"tests.adapters.test_{name}").CASES
    assert isinstance(found, Cases)
    return found


def build(name: str, transport: Transport, url: str, **settings: str) -> Adapter:
    """The adapter against a provider at ``url``, with the settings of its cases changed by ``settings``."""
    adapter, cases = registry.get(name), cases_of(name)
    given = {**cases.settings, **settings}
    if adapter.capabilities.local:
        return adapter({**given, "base_url": url}, transport)
    built = adapter(given, transport, sandbox_url=url)
    cases.prepare(built)
    return built


def message(adapter: Adapter, cases: Cases, content: Content | None = None) -> Message:
    recipient = Recipient(REFERENCE, cases.address, name="Nguyễn Thị Hoa")
    return Message(REFERENCE, cases.address, adapter.render(content or cases.content, recipient), CALLBACK_URL)


def unsigned(request: Request, cases: Cases) -> Request:
    """The same callback without its proof."""
    if cases.signs_headers:
        return replace(request, headers={})
    url = request.url.rpartition("&" if "&" in request.url else "?")[0]
    return replace(request, url=url, query=url.partition("?")[2])


def guessed(request: Request, cases: Cases) -> Request:
    """The same callback with the last character of its proof changed."""
    if cases.signs_headers:
        return replace(request, headers={name: _other(value) for name, value in request.headers.items()})
    return replace(request, url=_other(request.url), query=_other(request.query))


def _other(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def altered(request: Request) -> Request:
    """The same callback with one byte of its body changed to another that stands for itself."""
    body = bytearray(request.body)
    body[-2] = ord("7") if body[-2] != ord("7") else ord("8")
    return replace(request, body=bytes(body))
