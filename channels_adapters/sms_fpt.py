"""SMS through FPT «SMS Brandname», API v2 (``push-brandname-otp``).

Contract: client code of FPT's partners; docs/channels.md names what nobody could confirm. A request carries an OAuth
token that lives for about an hour: it is fetched once per account and process. Fetching one sends no message, so a
failure there is certainly not sent.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from .core import phone
from .core.brandname import SENDER, TABLES, UNACCENT, UNREADABLE, BrandnameSms, json_object, text_of
from .core.http import MaybeSent, NotSent, Response, TransportError, outcome_of_error
from .core.interface import Capabilities, Field, Message, Next, Outcome, Reason

ERRORS: Mapping[str, tuple[Next, Reason]] = {
    "invalid_client": (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),  # RFC 6749, 5.2
    "unauthorized_client": (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    "invalid_scope": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
}
MARGIN = 60.0  # seconds before its end that a token is no longer used


class Token(NamedTuple):
    value: str
    until: float  # time.monotonic()


_tokens: dict[str, Token] = {}
_fetching: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()


class _NoToken(Exception):
    """FPT did not give a token; what it answered instead."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status}")
        self.response = response


class SmsFpt(BrandnameSms):
    codes = ERRORS
    no_advertising = "Loa chưa gửi được tin quảng cáo qua FPT. Hãy chọn kênh khác cho tin quảng cáo."
    capabilities = Capabilities(
        label="SMS (FPT)",
        family="sms",
        address_kind="phone",
        reach="person",
        fields=(
            Field(
                "endpoint",
                "Địa chỉ dịch vụ",
                kind="url",
                default="https://app.sms.fpt.net",
                help="FPT cấp: app.sms.fpt.net hoặc api01.sms.fpt.net.",
                unverified=True,
            ),
            Field("client_id", "Client ID"),
            Field("client_secret", "Client secret", secret=True),
            SENDER,
            Field("scope", "Quyền (scope)", default="send_brandname_otp"),
            Field(
                "expired_codes",
                "Mã lỗi khi mã truy cập hết hạn",
                default="1011, invalid_token",
                required=False,
                help="Cách nhau bằng dấu phẩy. Gặp mã này, Loa lấy mã truy cập mới rồi gửi lại.",
                unverified=True,
            ),
            *TABLES,
        ),
        content_fields=(UNACCENT,),
    )

    @property
    def _base(self) -> str:
        return f"{self.sandbox_url}/fpt" if self.sandbox_url else self.settings["endpoint"].rstrip("/")

    # -- the token ------------------------------------------------------------------------------------------
    @property
    def _key(self) -> str:
        parts = (self._base, self.settings["client_id"], self.settings["client_secret"], self.settings["scope"])
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def _session(self) -> str:
        """FPT wants a session id that stays with its token."""
        return self._key[:32]

    def remember(self, value: str, seconds: float) -> None:
        _tokens[self._key] = Token(value, time.monotonic() + seconds - MARGIN)

    def _forget(self) -> None:
        _tokens.pop(self._key, None)

    def _held(self) -> str:
        token = _tokens.get(self._key)
        return token.value if token and token.until > time.monotonic() else ""

    async def _token(self) -> str:
        """Raises TransportError or _NoToken."""
        if held := self._held():
            return held
        locks = _fetching.setdefault(asyncio.get_running_loop(), {})
        async with locks.setdefault(self._key, asyncio.Lock()):
            if held := self._held():  # another request of this account was first
                return held
            response = await self._ask_for_token()
            answer = json_object(response.body)
            value, seconds = text_of(answer.get("access_token")), answer.get("expires_in")
            if not (response.ok and value):
                raise _NoToken(response)
            self.remember(value, float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 3600.0)
            return value

    async def _ask_for_token(self) -> Response:
        return await self.post_json(
            f"{self._base}/oauth2/token",
            {
                "grant_type": "client_credentials",
                "client_id": self.settings["client_id"],
                "client_secret": self.settings["client_secret"],
                "scope": self.settings["scope"],
                "session_id": self._session,
            },
        )

    # -- sending --------------------------------------------------------------------------------------------
    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        (message,) = batch
        try:
            await self._token()
        except MaybeSent as error:
            return [outcome_of_error(message.reference, NotSent(str(error)))]
        except TransportError as error:
            return [outcome_of_error(message.reference, error)]
        except _NoToken as refusal:
            return [self._without_token(message, refusal.response)]
        return await super().send(batch)

    def _without_token(self, message: Message, response: Response) -> Outcome:
        answer = json_object(response.body)
        code, words = text_of(answer.get("error")) or str(response.status), answer.get("error_description")
        outcome = self.refused(message, response, code, words)
        if outcome.next in (Next.UNSURE, Next.GIVE_UP):  # the message itself never left
            return Outcome.fail(message.reference, Next.RETRY, Reason.PROVIDER_ERROR, code=code)
        return outcome

    async def post(self, message: Message) -> Response:
        token = self._held()
        if not token:
            raise NotSent("the access token ran out")
        text = base64.b64encode(message.rendered.text.encode()).decode()
        return await self.post_json(
            f"{self._base}/api/push-brandname-otp",
            {
                "access_token": token,
                "session_id": self._session,
                "BrandName": self.settings["sender"],
                "Phone": phone.digits(message.address),
                "Message": text,
                "RequestId": message.reference,
            },
        )

    def read(self, message: Message, response: Response) -> Outcome | None:
        answer = json_object(response.body)
        if response.status == 401:
            self._forget()
        if identity := text_of(answer.get("MessageId")):
            return self.accepted(message, identity) if response.ok else None
        code = text_of(answer.get("error"))
        if not code:
            return None
        if code in {name.strip() for name in self.settings["expired_codes"].split(",")}:
            self._forget()
            return Outcome.fail(message.reference, Next.RETRY, Reason.PROVIDER_ERROR, code=code)
        return self.refused(message, response, code, answer.get("error_description"))

    async def probe(self) -> Response:
        response = await self._ask_for_token()
        if response.status == 400 and json_object(response.body).get("error"):
            return Response(401, response.headers, response.body)
        return response

    def probed(self, response: Response) -> str:
        return "" if text_of(json_object(response.body).get("access_token")) else UNREADABLE
