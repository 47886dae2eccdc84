"""SMS through a gateway of one's own: plain JSON over HTTP, for a province that runs or rents a message centre.

Contract (ours; docs/channels.md gives it to whoever writes the gateway):

``POST {endpoint}/messages`` with a bearer token and ``{"sender", "callback", "messages": [{"reference", "to",
"text"}]}``, as many messages as the account's batch setting allows, answers 200 ``{"messages": [{"reference", "id",
"parts"} or {"reference", "error", "detail"}]}``. A message whose reference the gateway knows already is not sent again:
it answers with the id it gave before. A request refused as a whole answers 4xx or 5xx ``{"error", "detail"}``.

The gateway reports with ``POST {callback}``, ``{"receipts": [{"reference", "id", "state", "error", "at"}], "inbound":
[{"id", "from", "text", "at"}]}`` and ``X-Loa-Signature: t=<unix seconds>,v1=<HMAC-SHA256 of "t.body", hex>``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import orjson

from .core import optout, phone, signatures, sms
from .core.http import Response, TransportError, outcome_of_error, outcome_of_status
from .core.interface import (
    Adapter,
    Callback,
    Capabilities,
    Content,
    Estimate,
    Field,
    Inbound,
    Message,
    Next,
    Outcome,
    Problem,
    Reason,
    Receipt,
    ReceiptState,
    Recipient,
    Rendered,
    Request,
    Warning_,
)
from .core.options import is_on, moment, whole
from .core.redact import redacted

LARGEST_BATCH = 500
MAX_LENGTH = 1600  # characters

# Of a message, of a whole request and of a failed receipt.
ERRORS: Mapping[str, tuple[Next, Reason]] = {
    "busy": (Next.RETRY, Reason.RATE_LIMITED),
    "unavailable": (Next.RETRY, Reason.PROVIDER_ERROR),
    "unreachable": (Next.RETRY, Reason.UNREACHABLE),
    "bad_address": (Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    "not_a_mobile": (Next.BLOCK_ADDRESS, Reason.NOT_REACHABLE_KIND),
    "opted_out": (Next.BLOCK_ADDRESS, Reason.OPTED_OUT),
    "blocked": (Next.BLOCK_ADDRESS, Reason.BLOCKED),
    "rejected": (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
    "too_long": (Next.FIX_CONTENT, Reason.TOO_LONG),
    "credentials": (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    "no_credit": (Next.PAUSE_ACCOUNT, Reason.NO_CREDIT),
    "sender": (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
    "quota": (Next.RESCHEDULE, Reason.QUOTA),
    "expired": (Next.GIVE_UP, Reason.EXPIRED),
}
_UNKNOWN = (Next.GIVE_UP, Reason.UNKNOWN)
_STATES = frozenset({"sent", "delivered", "read", "failed"})


class HttpGateway(Adapter):
    capabilities = Capabilities(
        label="Cổng tin nhắn HTTP",
        family="sms",
        address_kind="phone",
        reach="person",
        max_batch=LARGEST_BATCH,
        receipts="push",
        two_way=True,
        idempotent=True,
        max_length=MAX_LENGTH,
        fields=(
            Field("endpoint", "Địa chỉ cổng", kind="url", help="Ví dụ https://sms.bacninh.example.vn/v1."),
            Field("token", "Mã truy cập", secret=True),
            Field("signing_key", "Khóa ký phản hồi", secret=True, help="Cổng ký mỗi phản hồi bằng khóa này."),
            Field("sender", "Tên gửi", required=False, help="Tên thương hiệu đã đăng ký."),
            Field(
                "batch",
                "Số tin mỗi yêu cầu",
                kind="int",
                default="1",
                help=f"Từ 1 đến {LARGEST_BATCH}, theo thỏa thuận với đơn vị vận hành cổng.",
            ),
            Field("segment_price", "Giá một phần tin (đồng)", kind="int", default="0"),
        ),
        content_fields=(
            Field("unaccent", "Bỏ dấu", required=False, kind="bool", help="Tin không dấu dài gấp hơn hai lần."),
        ),
    )

    @cached_property
    def max_batch(self) -> int:
        with suppress(ValueError):
            return min(max(1, whole(self.settings["batch"], "Số tin mỗi yêu cầu")), LARGEST_BATCH)
        return 1

    # -- before sending -------------------------------------------------------------------------------------
    @classmethod
    def validate(cls, address: str) -> str:
        return phone.mobile(address)

    def render(self, content: Content, recipient: Recipient) -> Rendered:
        text = sms.nfc(content.body if recipient.body is None else recipient.body).strip()
        if content.options and is_on(content.options.get("unaccent")):
            text = sms.plain(text)
        if not text:
            raise ValueError("Tin nhắn chưa có nội dung.")
        if len(text) > MAX_LENGTH:
            raise ValueError(f"Tin nhắn dài {len(text)} ký tự, cổng chỉ nhận {MAX_LENGTH} ký tự.")
        return Rendered(text, data={"media_dropped": True} if content.media else {})

    def estimate(self, rendered: Rendered) -> Estimate:
        size = sms.measure(rendered.text)
        dropped = Warning_("Tin SMS không kèm được ảnh hay âm thanh; chỉ phần chữ được gửi.")
        return Estimate(
            parts=size.parts,
            cost=size.parts * self._segment_price,
            encoding=size.encoding,
            characters=len(rendered.text),
            limit=size.limit,
            warnings=(dropped,) if rendered.data.get("media_dropped") else (),
        )

    @cached_property
    def _segment_price(self) -> int:
        with suppress(ValueError):
            return whole(self.settings["segment_price"], "Giá một phần tin (đồng)")
        return 0

    # -- sending --------------------------------------------------------------------------------------------
    @cached_property
    def _url(self) -> str:
        return f"{self.sandbox_url}/http_gateway" if self.sandbox_url else self.settings["endpoint"].rstrip("/")

    @cached_property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.settings['token']}", "Content-Type": "application/json"}

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        body = {
            "sender": self.settings["sender"],
            "callback": batch[0].callback_url.partition("?")[0],  # receipts name the reference themselves
            "messages": [
                {"reference": message.reference, "to": message.address, "text": message.rendered.text}
                for message in batch
            ],
        }
        try:
            response = await self.transport.request(
                "POST", f"{self._url}/messages", headers=self._headers, body=orjson.dumps(body)
            )
        except TransportError as error:
            return [outcome_of_error(message.reference, error) for message in batch]
        answer = _object(response.body)
        results = answer.get("messages")
        if response.ok and isinstance(results, list):
            by_reference = {result.get("reference"): result for result in results if isinstance(result, dict)}
            return [self._outcome(message, by_reference.get(message.reference)) for message in batch]
        return [_refused(message, response, answer) for message in batch]

    def _outcome(self, message: Message, result: Mapping[str, Any] | None) -> Outcome:
        if result is not None:
            identity = result.get("id")
            if isinstance(identity, str) and identity:
                parts = result.get("parts")
                parts = parts if isinstance(parts, int) and 0 < parts < 100 else 0
                return Outcome.ok(message.reference, identity, parts=parts, cost=parts * self._segment_price)
            if error := result.get("error"):
                detail = redacted(result.get("detail"), message.address)
                return Outcome.fail(message.reference, *ERRORS.get(error, _UNKNOWN), code=error, detail=detail)
        detail = "accepted, but the reply does not name the message"
        return Outcome.fail(message.reference, Next.UNSURE, Reason.LOST_REPLY, detail=detail)

    async def check(self) -> list[Problem]:
        problems = []
        for name, label in (("segment_price", "Giá một phần tin (đồng)"), ("batch", "Số tin mỗi yêu cầu")):
            try:
                whole(self.settings[name], label)
            except ValueError as error:
                problems.append(Problem(str(error)))
        if not self.settings["signing_key"]:
            problems.append(Problem("Chưa có khóa ký phản hồi, nên không biết được tin đã tới hay chưa.", False))
        try:
            response = await self.transport.request("GET", f"{self._url}/account", headers=self._headers, timeout=10.0)
        except TransportError:
            return [*problems, Problem("Không kết nối được tới cổng. Hãy kiểm tra địa chỉ và đường mạng của máy chủ.")]
        if response.status in (401, 403):
            problems.append(Problem("Cổng từ chối mã truy cập. Hãy kiểm tra lại."))
        elif not response.ok:
            problems.append(Problem(f"Cổng trả lời lỗi HTTP {response.status}. Hãy hỏi đơn vị vận hành cổng."))
        return problems

    # -- what comes back ------------------------------------------------------------------------------------
    def verify(self, request: Request) -> bool:
        given = request.headers.get("x-loa-signature", "")
        return signatures.is_signed_timed(self.settings["signing_key"], request.body, given, time.time())

    def parse(self, request: Request) -> Callback:
        body = _object(request.body)
        receipts, inbound = body.get("receipts", []), body.get("inbound", [])
        if not (isinstance(receipts, list) and isinstance(inbound, list) and (receipts or inbound)):
            raise ValueError("a callback without receipts and without messages")
        return Callback(
            receipts=tuple(receipt for given in receipts if (receipt := _receipt(given))),
            inbound=tuple(message for given in inbound if (message := _inbound(given))),
        )


def _object(body: bytes) -> dict[str, Any]:
    with suppress(orjson.JSONDecodeError):
        value = orjson.loads(body)
        if isinstance(value, dict):
            return value
    return {}


def _refused(message: Message, response: Response, answer: Mapping[str, Any]) -> Outcome:
    error = answer.get("error")
    detail = redacted(answer.get("detail"), message.address)
    known = ERRORS.get(error) if isinstance(error, str) else None
    if known and 400 <= response.status < 500 and response.status not in (401, 429):
        return Outcome.fail(message.reference, *known, code=str(error), detail=detail)
    return outcome_of_status(message.reference, response, code=str(error or ""), detail=detail, understood=bool(known))


def _receipt(given: Any) -> Receipt | None:
    """None for what names no message or a state we do not know."""
    if not isinstance(given, dict):
        return None
    reference, identity, state = (str(given.get(name) or "") for name in ("reference", "id", "state"))
    if not (reference or identity) or state not in _STATES:
        return None
    at = moment(given.get("at"), "at")
    if state != "failed":
        return Receipt(ReceiptState(state), reference, identity, at=at)
    error = str(given.get("error") or "")
    next_, reason = ERRORS.get(error, _UNKNOWN)
    return Receipt(ReceiptState.FAILED, reference, identity, next=next_, reason=reason, code=error, at=at)


def _inbound(given: Any) -> Inbound | None:
    if not (isinstance(given, dict) and given.get("id") and given.get("from")):
        return None
    sender, text = str(given["from"]), str(given.get("text") or "")
    with suppress(ValueError):  # a short code is kept as the gateway wrote it
        sender = phone.mobile(sender)
    return Inbound(str(given["id"]), sender, optout.keyword(text) or "text", text, at=moment(given.get("at"), "at"))
