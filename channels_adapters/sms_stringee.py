"""SMS through Stringee, REST API v1.

Contract: developer.stringee.com «Send SMS» and «Authentication» (JWT, HS256, ``cty: stringee-api;v=1``). The reply has
one result per message, in order, and no id; Stringee reports nothing later, so «sent» is the last word.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress

import jwt

from .core import phone
from .core.brandname import SENDER, TABLES, UNACCENT, UNREADABLE, BrandnameSms, json_object, text_of
from .core.http import Response, TransportError, outcome_of_error, outcome_of_status
from .core.interface import Capabilities, Field, Message, Next, Outcome, Reason
from .core.options import whole

HOST = "https://api.stringee.com"
TOKEN_SECONDS = 600  # Stringee takes up to an hour
LARGEST_BATCH = 100

ERRORS: Mapping[str, tuple[Next, Reason]] = {}  # Stringee publishes no list: what `r` says besides 0 is in `msg`


class SmsStringee(BrandnameSms):
    codes = ERRORS
    no_advertising = "Loa chưa gửi được tin quảng cáo qua Stringee. Hãy chọn kênh khác cho tin quảng cáo."
    capabilities = Capabilities(
        label="SMS (Stringee)",
        family="sms",
        address_kind="phone",
        reach="person",
        max_batch=LARGEST_BATCH,
        fields=(
            Field("api_key_sid", "API Key SID"),
            Field("api_key_secret", "API Key Secret", secret=True),
            SENDER,
            Field(
                "batch",
                "Số tin mỗi yêu cầu",
                kind="int",
                default="1",
                help=f"Từ 1 đến {LARGEST_BATCH}.",
                unverified=True,
            ),
            *TABLES,
        ),
        content_fields=(UNACCENT,),
    )

    @property
    def max_batch(self) -> int:
        with suppress(ValueError):
            return min(max(1, whole(self.settings["batch"], "Số tin mỗi yêu cầu")), LARGEST_BATCH)
        return 1

    async def _post(self, messages: Sequence[Message]) -> Response:
        url = f"{f'{self.sandbox_url}/stringee' if self.sandbox_url else HOST}/v1/sms"
        sms = [
            {"from": self.settings["sender"], "to": phone.digits(message.address), "text": message.rendered.text}
            for message in messages
        ]
        return await self.post_json(url, {"sms": sms}, {"X-STRINGEE-AUTH": self._token()})

    def _token(self) -> str:
        sid, now = self.settings["api_key_sid"], int(time.time())
        claims = {"jti": f"{sid}-{uuid.uuid4()}", "iss": sid, "exp": now + TOKEN_SECONDS, "rest_api": True}
        # An empty key is not one the library signs with; Stringee refuses the account either way.
        return jwt.encode(
            claims, self.settings["api_key_secret"] or "-" * 32, algorithm="HS256", headers={"cty": "stringee-api;v=1"}
        )

    async def post(self, message: Message) -> Response:
        return await self._post([message])

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        try:
            response = await self._post(batch)
        except TransportError as error:
            return [outcome_of_error(message.reference, error) for message in batch]
        return [
            self._outcome(message, response, number) or outcome_of_status(message.reference, response)
            for number, message in enumerate(batch)
        ]

    def read(self, message: Message, response: Response) -> Outcome | None:
        return self._outcome(message, response, 0)

    def _outcome(self, message: Message, response: Response, number: int) -> Outcome | None:
        results = json_object(response.body).get("result")
        result = results[number] if isinstance(results, list) and len(results) > number else None
        if not (response.ok and isinstance(result, dict)):
            return None
        code = text_of(result.get("r"))
        if code == "0":
            return self.accepted(message, "")
        return self.refused(message, response, code, result.get("msg")) if code else None

    async def probe(self) -> Response:
        """An empty list sends nothing; a refusal of the list itself comes after the account was accepted."""
        response = await self._post([])
        understood = response.status == 400 and "r" in json_object(response.body)
        return Response(200, response.headers, response.body) if understood else response

    def probed(self, response: Response) -> str:
        return "" if json_object(response.body) else UNREADABLE
