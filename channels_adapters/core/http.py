"""One HTTP seam for all adapters: a transport that says what is certain about a failure.

    TransportError
      NotSent     the request certainly did not reach the provider (refused, unresolved, TLS, pool exhausted)
        Unusable  it could not even be built: the address or a header in the settings is wrong
      MaybeSent   the request went out and no complete reply came back (timeout, connection cut)

Adapters call :meth:`Transport.request` and turn what comes back into an outcome with :func:`outcome_of_error`
and :func:`outcome_of_status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Protocol, Self

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, PoolTimeoutError, PyreqwestError, RequestError
from pyreqwest.proxy import ProxyBuilder

from .interface import Next, Outcome, Reason


class TransportError(Exception):
    """A request without a complete reply. The message names no address and no secret."""


class NotSent(TransportError):
    pass


class Unusable(NotSent):
    pass


class MaybeSent(TransportError):
    pass


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Transport(Protocol):
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,  # noqa: ASYNC109 - seconds to a complete reply, told apart by the transport
    ) -> Response:
        """Return any complete reply, whatever its status. Raises NotSent or MaybeSent."""
        ...


class HttpTransport:
    """A pool of kept-alive HTTP/1.1 connections for the life of one event loop.

    Nothing happens before the first request, so one may be made before a process forks. Redirects, cookies, the
    environment's proxies and retries of a request that may have gone out are off: one call is at most one
    request on the wire. (A kept-alive connection found closed before the first byte was written is replaced;
    that request had certainly not gone.)

    ``max_connections``: requests under way at once, the rest wait at most ``pool_timeout`` seconds.
    ``proxy``: URL of an outgoing proxy. ``ca_pem``: an additional certificate authority.
    """

    def __init__(
        self,
        *,
        max_connections: int = 256,
        connect_timeout: float = 5.0,
        pool_timeout: float = 30.0,
        idle_timeout: float = 15.0,
        proxy: str = "",
        ca_pem: bytes = b"",
    ) -> None:
        self._max_connections = max_connections
        self._connect_timeout = timedelta(seconds=connect_timeout)
        self._pool_timeout = timedelta(seconds=pool_timeout)
        self._idle_timeout = timedelta(seconds=idle_timeout)
        self._proxy = proxy
        self._ca_pem = ca_pem
        self._client: Client | None = None
        self._closed = False

    def _connected(self) -> Client:
        if self._client is None:
            builder = (
                ClientBuilder()
                .http1_only()
                .follow_redirects(False)
                .referer(False)
                .user_agent("Loa/1")
                .max_connections(self._max_connections)
                .pool_timeout(self._pool_timeout)
                .pool_max_idle_per_host(self._max_connections)
                # Shorter than the keep-alive of usual servers: a connection they close under us is a lost reply.
                .pool_idle_timeout(self._idle_timeout)
                .connect_timeout(self._connect_timeout)
            )
            builder = builder.proxy(ProxyBuilder.all(self._proxy)) if self._proxy else builder.no_proxy()
            if self._ca_pem:
                builder = builder.add_root_certificate_pem(self._ca_pem)
            self._client = builder.build()
        return self._client

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,  # noqa: ASYNC109 - seconds to a complete reply, told apart by the transport
    ) -> Response:
        if self._closed:
            raise NotSent("the transport is closed")
        failure: TransportError
        try:
            builder = self._connected().request(method, url).timeout(_duration(timeout))
            if headers:
                builder = builder.headers(headers)
            if body is not None:
                builder = builder.body_bytes(body)
            request = builder.build()
        except (PyreqwestError, ValueError) as error:
            failure = Unusable(f"the request could not be built ({type(error).__name__})")
        else:
            try:
                reply = await request.send()
                content = await reply.bytes()
                return Response(reply.status, dict(reply.headers), bytes(content))
            except PyreqwestError as error:
                failure = _failure(error)
        # Raised outside of the handler: the client's own exception quotes the URL, which may hold a token.
        raise failure

    async def close(self) -> None:
        """Drop all connections; what is under way ends as MaybeSent."""
        self._closed = True
        if self._client is not None:
            await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


@lru_cache(maxsize=16)
def _duration(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


# How hyper names a failure before there was a connection to write to. The exception classes cannot be used for
# that: pyreqwest 0.15.1 calls a cut connection ConnectError and a stalled reply ConnectTimeoutError. Should the
# wording change, everything becomes MaybeSent, which is safe, and tests/adapters/test_http.py fails.
_NEVER_CONNECTED = "client error (Connect)"


def _failure(error: PyreqwestError) -> TransportError:
    if isinstance(error, PoolTimeoutError):
        return NotSent("no free connection in time")
    if isinstance(error, BuilderError):
        return Unusable("the address cannot be requested")
    if isinstance(error, RequestError):
        causes = [cause["message"] for cause in error.details.get("causes") or ()]
        if _NEVER_CONNECTED in causes:
            return NotSent("no connection to the provider")
        if any("timed out" in cause for cause in causes):
            return MaybeSent("no complete reply in time")
    return MaybeSent("the connection ended before a complete reply")


def retry_after(response: Response, now: datetime | None = None) -> float | None:
    """Seconds to wait by the ``Retry-After`` header: a number or an HTTP date (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def outcome_of_error(reference: str, error: TransportError) -> Outcome:
    """What a request without a complete reply means for one message of it."""
    if isinstance(error, Unusable):
        return Outcome.fail(reference, Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED, detail=str(error))
    if isinstance(error, NotSent):
        return Outcome.fail(reference, Next.RETRY, Reason.NETWORK, detail=str(error))
    return Outcome.fail(reference, Next.UNSURE, Reason.LOST_REPLY, detail=str(error))


_BY_STATUS: Mapping[int, tuple[Next, Reason]] = {
    400: (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
    401: (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    402: (Next.PAUSE_ACCOUNT, Reason.NO_CREDIT),
    403: (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
    404: (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
    405: (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
    407: (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
    408: (Next.RETRY, Reason.PROVIDER_ERROR),
    413: (Next.FIX_CONTENT, Reason.TOO_LONG),
    422: (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
    425: (Next.RETRY, Reason.PROVIDER_ERROR),
    429: (Next.RETRY, Reason.RATE_LIMITED),
}


def outcome_of_status(
    reference: str, response: Response, *, code: str | int = "", detail: str = "", understood: bool = False
) -> Outcome:
    """What a reply without a usable body means, by its status alone.

    ``understood``: the body was an error in the provider's own form. Without it, 502 and 504 come from something
    between us and the provider, which says nothing about whether the message was taken; a 2xx nobody can read
    probably was. Both are UNSURE.
    """
    status = response.status
    code = code or status
    if response.ok or (status in (502, 504) and not understood):
        return Outcome.fail(reference, Next.UNSURE, Reason.LOST_REPLY, code=code, detail=detail)
    if status >= 500:
        next_, reason = Next.RETRY, Reason.PROVIDER_ERROR
    elif status < 400:
        next_, reason = Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED  # a redirect is never followed with a message
    else:
        next_, reason = _BY_STATUS.get(status, (Next.GIVE_UP, Reason.UNKNOWN))
    after = retry_after(response) if next_ is Next.RETRY else None
    return Outcome.fail(reference, next_, reason, code=code, detail=detail, after=after)
