"""SMS through Twilio Programmable Messaging, API 2010-04-01.

Contract: github.com/twilio/twilio-oai `spec/json/twilio_api_v2010.json` (2026-04-14); twilio.com/docs «Outbound
message status in status callbacks», «Messaging guidelines: Vietnam», error dictionary; the twilio 9.13.0 library.

Twilio has no idempotency key: a lost reply is settled by its status callback, which carries our reference in the
address we gave it, or by :meth:`SmsTwilio.lookup`. Receipts from Vietnam mean that the operator's centre took the
message, not that the handset did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from twilio.base import values
from twilio.http import AsyncHttpClient
from twilio.http.response import Response as TwilioResponse
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from .core import optout, phone, signatures, sms
from .core.http import MaybeSent, NotSent, Response, Transport, TransportError, outcome_of_error, outcome_of_status
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
    Query,
    Reason,
    Receipt,
    ReceiptState,
    Recipient,
    Rendered,
    Reply,
    Request,
    Warning_,
)
from .core.options import is_on, moment, whole
from .core.redact import redacted

HOST = "https://api.twilio.com"
MAX_LENGTH = 1600  # characters of Body

# twilio.com/docs/api/errors. The same codes come in the reply to a send and in status callbacks.
ERRORS: Mapping[int, tuple[Next, Reason]] = {
    20429: (Next.RETRY, Reason.RATE_LIMITED),
    30001: (Next.RETRY, Reason.RATE_LIMITED),  # queue overflow
    30003: (Next.RETRY, Reason.UNREACHABLE),  # handset switched off or out of coverage
    30008: (Next.RETRY, Reason.UNKNOWN),
    30500: (Next.RETRY, Reason.PROVIDER_ERROR),
    21211: (Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    21214: (Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    21610: (Next.BLOCK_ADDRESS, Reason.OPTED_OUT),
    21614: (Next.BLOCK_ADDRESS, Reason.NOT_REACHABLE_KIND),  # not a mobile number
    21635: (Next.BLOCK_ADDRESS, Reason.NOT_REACHABLE_KIND),  # landline
    30004: (Next.BLOCK_ADDRESS, Reason.BLOCKED),
    30005: (Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),  # unknown or no longer used
    30006: (Next.BLOCK_ADDRESS, Reason.NOT_REACHABLE_KIND),  # landline or unreachable carrier
    63014: (Next.BLOCK_ADDRESS, Reason.BLOCKED),
    21617: (Next.FIX_CONTENT, Reason.TOO_LONG),
    30007: (Next.FIX_CONTENT, Reason.REJECTED_CONTENT),  # filtered by Twilio or the operator
    21612: (Next.FIX_CONTENT, Reason.MISCONFIGURED),  # this sender cannot reach this kind of number
    20003: (Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    21408: (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # sending to Vietnam is not enabled
    21606: (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # the sender cannot send SMS
    30002: (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),  # account suspended
}

# The life of a message; failed, undelivered and canceled have their own branch.
STATES: Mapping[str, ReceiptState] = {
    "queued": ReceiptState.SENT,
    "accepted": ReceiptState.SENT,
    "scheduled": ReceiptState.SENT,
    "sending": ReceiptState.SENT,
    "sent": ReceiptState.SENT,
    "partially_delivered": ReceiptState.SENT,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.READ,
}
FAILURES = frozenset({"failed", "undelivered", "canceled"})


class _Refused(Exception):
    """A reply that is not a success. The library's own exception would lose its headers, and Retry-After."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status}")
        self.response = response
        try:
            body = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            body = None
        error: Mapping[str, Any] = body if isinstance(body, dict) else {}
        code = error.get("code")
        self.code = code if isinstance(code, int) else 0
        self.text = str(error.get("message") or "")


class _HttpClient(AsyncHttpClient):  # type: ignore[misc]  # the library has no types
    """The library's requests over the shared transport. Logs nothing."""

    def __init__(self, transport: Transport, sandbox_url: str) -> None:
        self.is_async = True
        self.transport = transport
        self.host = f"{sandbox_url}/twilio" if sandbox_url else HOST

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        allow_redirects: bool = False,
    ) -> TwilioResponse:
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = signatures.basic_auth(*auth)
        url = self.host + url.removeprefix(HOST)
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
        body = urlencode(data, doseq=True).encode() if data else None
        response = await self.transport.request(method.upper(), url, headers=sent, body=body, timeout=timeout or 30.0)
        if not response.ok:
            raise _Refused(response)
        return TwilioResponse(response.status, response.body.decode("utf-8", "replace"), response.headers)


class SmsTwilio(Adapter):
    capabilities = Capabilities(
        label="SMS (Twilio)",
        family="sms",
        address_kind="phone",
        reach="person",
        receipts="push",
        two_way=True,  # where the sender is a number; Vietnam only allows one-way sender names
        max_length=MAX_LENGTH,
        fields=(
            Field("account_sid", "Mã tài khoản (Account SID)", help="Bắt đầu bằng AC, ở trang đầu của Twilio Console."),
            Field("auth_token", "Khóa xác thực (Auth Token)", secret=True, help="Cũng dùng để kiểm tra phản hồi."),
            Field("api_key_sid", "Mã khóa API (API Key SID)", required=False, help="Bắt đầu bằng SK. Không bắt buộc."),
            Field("api_key_secret", "Mật khẩu khóa API", required=False, secret=True),
            Field("sender", "Tên hoặc số gửi", required=False, help="Tên thương hiệu đã đăng ký, hoặc số của Twilio."),
            Field(
                "messaging_service_sid",
                "Mã dịch vụ nhắn tin (Messaging Service SID)",
                required=False,
                help="Bắt đầu bằng MG. Cần có khi hẹn giờ gửi ở Twilio.",
            ),
            Field(
                "validity_period",
                "Hạn gửi (giây)",
                kind="int",
                default="14400",
                help="Quá hạn này Twilio không gửi nữa. Từ 1 đến 36.000 giây.",
            ),
            Field("segment_price", "Giá một phần tin (đồng)", kind="int", default="0"),
            Field("signing_key_id", "Mã khóa ký (Shared Key)", required=False, help="Chỉ khi dùng chữ ký SHA-256."),
            Field("signing_secret", "Khóa ký (Shared Key)", required=False, secret=True),
            Field(
                "receipt_zone",
                "Múi giờ của giờ nhận",
                default="UTC",
                help="Twilio gửi giờ nhận không kèm múi giờ.",
                unverified=True,
            ),
        ),
        content_fields=(
            Field("unaccent", "Bỏ dấu", required=False, kind="bool", help="Tin không dấu dài gấp hơn hai lần."),
            Field("send_at", "Giờ gửi ở Twilio", required=False, help="Để trống: gửi ngay."),
        ),
    )

    # -- before sending -------------------------------------------------------------------------------------
    @classmethod
    def validate(cls, address: str) -> str:
        return phone.mobile(address)

    def render(self, content: Content, recipient: Recipient) -> Rendered:
        text = sms.nfc(content.body if recipient.body is None else recipient.body).strip()
        if is_on(content.options.get("unaccent")):
            text = sms.plain(text)
        if not text:
            raise ValueError("Tin nhắn chưa có nội dung.")
        if len(text) > MAX_LENGTH:
            raise ValueError(f"Tin nhắn dài {len(text)} ký tự, Twilio chỉ nhận {MAX_LENGTH} ký tự.")
        data: dict[str, Any] = {}
        if send_at := moment(content.options.get("send_at"), "Giờ gửi ở Twilio"):
            if not self.settings["messaging_service_sid"]:
                raise ValueError("Muốn hẹn giờ ở Twilio, tài khoản phải có mã dịch vụ nhắn tin.")
            data["send_at"] = send_at.astimezone(UTC)
        if content.category == "advertising":
            data["advertising"] = True
        if content.media:
            data["media_dropped"] = True
        return Rendered(text, data=data)

    def estimate(self, rendered: Rendered) -> Estimate:
        size = sms.measure(rendered.text)
        warnings = []
        if rendered.data.get("advertising"):
            warnings.append(
                Warning_("Twilio không nhận tin quảng cáo gửi đến Việt Nam. Hãy chọn nhà cung cấp trong nước.", True)
            )
        if rendered.data.get("media_dropped"):
            warnings.append(Warning_("Tin SMS không kèm được ảnh hay âm thanh; chỉ phần chữ được gửi."))
        return Estimate(
            parts=size.parts,
            cost=size.parts * self._segment_price,
            encoding=size.encoding,
            characters=len(rendered.text),
            limit=size.limit,
            warnings=tuple(warnings),
        )

    @cached_property
    def _segment_price(self) -> int:
        return whole(self.settings["segment_price"], "Giá một phần tin (đồng)")

    # -- sending --------------------------------------------------------------------------------------------
    @cached_property
    def _client(self) -> Client:
        key, secret = self.settings["api_key_sid"], self.settings["api_key_secret"]
        sid = self.settings["account_sid"]
        return Client(
            username=key if key and secret else sid,
            password=secret if key and secret else self.settings["auth_token"],
            account_sid=sid,
            http_client=_HttpClient(self.transport, self.sandbox_url),
            environment={"": ""},  # an empty one would make the library read this process's
        )

    @cached_property
    def _constant(self) -> dict[str, Any]:
        """Parameters of every message of this account."""
        given: dict[str, Any] = {
            "from_": self.settings["sender"],
            "messaging_service_sid": self.settings["messaging_service_sid"],
            "validity_period": min(whole(self.settings["validity_period"], "Hạn gửi (giây)"), 36_000),
        }
        return {name: value for name, value in given.items() if value}

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        (message,) = batch
        reference = message.reference
        if "from_" not in self._constant and "messaging_service_sid" not in self._constant:
            detail = "neither a sender nor a messaging service is set"
            return [Outcome.fail(reference, Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED, detail=detail)]
        send_at = message.rendered.data.get("send_at")
        try:
            created = await self._client.messages.create_async(
                to=message.address,
                body=message.rendered.text,
                status_callback=message.callback_url or values.unset,
                schedule_type="fixed" if send_at else values.unset,
                send_at=send_at or values.unset,
                **self._constant,
            )
            sid, parts = created.sid, int(created.num_segments or 0)
        except _Refused as refused:
            return [_outcome(reference, refused, message.address)]
        except TransportError as error:
            return [outcome_of_error(reference, error)]
        except (ValueError, TypeError, AttributeError, KeyError):  # 201 with a body that is no message
            sid, parts = None, 0
        if not isinstance(sid, str) or not sid:
            detail = "accepted, but the reply names no message"
            return [Outcome.fail(reference, Next.UNSURE, Reason.LOST_REPLY, detail=detail)]
        return [Outcome.ok(reference, sid, parts=parts, cost=parts * self._segment_price)]

    async def cancel_scheduled(self, reference: str, provider_id: str) -> Outcome:
        """Take back a message that Twilio still holds for its time. One that has gone out answers with an error."""
        try:
            await self._client.messages(provider_id).update_async(status="canceled")
        except _Refused as refused:
            return _outcome(reference, refused)
        except TransportError as error:
            return outcome_of_error(reference, error)
        except (ValueError, TypeError, AttributeError, KeyError):
            return Outcome.fail(reference, Next.UNSURE, Reason.LOST_REPLY)
        return Outcome.ok(reference, provider_id)

    async def lookup(self, messages: Sequence[Query | tuple[str, str, str]]) -> list[Receipt]:
        """By id where it is known. Otherwise among the latest messages to the address, which name no reference:
        the one with this text from this time is ours, and none at all since then means it never arrived. Anything
        in between cannot be known and is left out.
        """
        receipts = []
        for asked in messages:
            query = Query(*asked)
            try:
                receipt = await (self._by_id(query) if query.provider_id else self._by_address(query))
            except (_Refused, NotSent, MaybeSent, ValueError, TypeError, AttributeError, KeyError):
                continue
            if receipt:
                receipts.append(receipt)
        return receipts

    async def _by_id(self, query: Query) -> Receipt | None:
        try:
            found = await self._client.messages(query.provider_id).fetch_async()
        except _Refused as refused:
            if refused.response.status == 404 and refused.code == 20404:
                return Receipt(ReceiptState.NOT_FOUND, query.reference, query.provider_id)
            raise
        return _receipt_of(found, query.reference)

    async def _by_address(self, query: Query) -> Receipt | None:
        newest = 50
        # Not by DateSent: a message still in the queue has none and would be missed.
        listed = await self._client.messages.list_async(to=query.address, limit=newest, page_size=newest)
        ours = [m for m in listed if str(m.direction).startswith("outbound")]
        if query.sent_at is None:
            return None if ours else Receipt(ReceiptState.NOT_FOUND, query.reference)
        since = query.sent_at - timedelta(minutes=2)  # clocks differ
        recent = [m for m in ours if m.date_created is None or m.date_created >= since]
        if not recent:
            return Receipt(ReceiptState.NOT_FOUND, query.reference)
        same = [m for m in recent if query.text and m.body == query.text]
        return _receipt_of(same[0], query.reference) if len(same) == 1 else None

    async def check(self) -> list[Problem]:
        problems = []
        if not (self.settings["sender"] or self.settings["messaging_service_sid"]):
            problems.append(Problem("Chưa có tên (số) gửi hoặc mã dịch vụ nhắn tin. Hãy điền một trong hai."))
        for name, label in (("segment_price", "Giá một phần tin (đồng)"), ("validity_period", "Hạn gửi (giây)")):
            try:
                whole(self.settings[name], label)
            except ValueError as error:
                problems.append(Problem(str(error)))
        try:
            account = await self._client.api.v2010.accounts(self.settings["account_sid"]).fetch_async()
            status = account.status
        except _Refused as refused:
            if refused.response.status in (401, 403):
                return [*problems, Problem("Twilio từ chối mã tài khoản hoặc khóa xác thực. Hãy kiểm tra lại.")]
            if refused.response.status == 404:
                return [*problems, Problem("Twilio không có tài khoản này. Hãy kiểm tra mã tài khoản.")]
            return [*problems, Problem(f"Twilio trả lời lỗi HTTP {refused.response.status}. Hãy thử lại sau.")]
        except TransportError:
            return [*problems, Problem("Không kết nối được tới Twilio. Hãy kiểm tra đường mạng của máy chủ.")]
        except (ValueError, TypeError, AttributeError, KeyError):
            return [*problems, Problem("Không đọc được trả lời của Twilio. Hãy kiểm tra địa chỉ máy chủ.")]
        if status != "active":
            problems.append(Problem("Tài khoản Twilio đang bị khóa hoặc đã đóng. Hãy liên hệ Twilio."))
        return problems

    # -- what comes back ------------------------------------------------------------------------------------
    def verify(self, request: Request) -> bool:
        """The signature over the public URL and the form, with the Auth Token (SHA-1) or, where the request
        names our Shared Key, with that key (SHA-256). twilio.com/docs/usage/security
        """
        given = request.headers.get("x-twilio-signature", "")
        settings_header = request.headers.get("x-twilio-webhooks-signature-settings", "")
        named = dict(part.strip().partition("=")[::2] for part in settings_header.split(",") if part.strip())
        algorithm = named.get("algorithm", "HMAC_SHA1").upper()
        if algorithm == "HMAC_SHA1":
            key, digest = self.settings["auth_token"], signatures.SHA1
        elif algorithm == "HMAC_SHA256" and signatures.same(self.settings["signing_key_id"], named.get("key", "")):
            key, digest = self.settings["signing_secret"], signatures.SHA256
        else:
            return False
        form = _form(request)
        signed = "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
        genuine = any(
            signatures.is_hmac_base64(key, (url + signed).encode(), given, digest)
            for url in _with_and_without_port(request.url)
        )
        return genuine and form.get("AccountSid", [""])[0] in ("", self.settings["account_sid"])

    def reply(self, request: Request) -> Reply:
        return Reply(200, b"<Response/>", "text/xml; charset=utf-8")  # TwiML: answer nothing

    def parse(self, request: Request) -> Callback:
        form = {name: values_[0] for name, values_ in _form(request).items()}
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        if not sid:
            raise ValueError("a Twilio callback without MessageSid")
        status = form.get("MessageStatus") or form.get("SmsStatus") or ""
        if status in ("", "received", "receiving"):
            return Callback(inbound=(_inbound(sid, form),))
        reference = parse_qs(urlsplit(request.url).query).get("r", [""])[0]
        at = self._receipt_time(form.get("RawDlrDoneDate", ""))
        receipt = _receipt(status, _int(form.get("ErrorCode")), sid, reference, at)
        return Callback(receipts=(receipt,) if receipt else ())

    def _receipt_time(self, raw: str) -> datetime | None:
        """``YYMMDDhhmm`` as the operator wrote it. The zone is not documented: a setting."""
        try:
            return datetime.strptime(raw, "%y%m%d%H%M").replace(tzinfo=ZoneInfo(self.settings["receipt_zone"]))
        except (ValueError, ZoneInfoNotFoundError, OSError):
            return None


def _form(request: Request) -> dict[str, list[str]]:
    try:
        return parse_qs(request.body.decode(), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return {}


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Twilio signs either form (twilio.request_validator)."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    bare = host if host.endswith("]") else host.partition("]")[0] + "]" if "[" in host else host.partition(":")[0]
    port = host[len(bare) + 1 :] or ("443" if parts.scheme == "https" else "80")
    return parts._replace(netloc=bare).geturl(), parts._replace(netloc=f"{bare}:{port}").geturl()


def _int(text: Any) -> int:
    return int(text) if str(text or "").isdecimal() else 0


def _outcome(reference: str, refused: _Refused, address: str = "") -> Outcome:
    response, code = refused.response, refused.code
    detail = redacted(refused.text, address)
    known = ERRORS.get(code)
    if known and response.status not in (401, 429) and response.status < 500:
        return Outcome.fail(reference, *known, code=code, detail=detail)
    if response.status == 400:  # a code we do not know: this message is lost, the campaign need not be
        return Outcome.fail(reference, Next.GIVE_UP, Reason.UNKNOWN, code=code or 400, detail=detail)
    return outcome_of_status(reference, response, code=code, detail=detail, understood=bool(code))


def _receipt(status: str, error: int, sid: str, reference: str, at: datetime | None) -> Receipt | None:
    if status in FAILURES:
        next_, reason = ERRORS.get(error, (Next.GIVE_UP, Reason.UNKNOWN))
        code = str(error) if error else status
        return Receipt(ReceiptState.FAILED, reference, sid, next=next_, reason=reason, code=code, at=at)
    state = STATES.get(status)
    return Receipt(state, reference, sid, code=status, at=at) if state else None


def _receipt_of(message: MessageInstance, reference: str) -> Receipt | None:
    return _receipt(str(message.status), _int(message.error_code), message.sid, reference, message.date_updated)


def _inbound(sid: str, form: Mapping[str, str]) -> Inbound:
    sender, text = form.get("From", ""), form.get("Body", "")
    with suppress(ValueError):  # a short code or a foreign number is kept as Twilio wrote it
        sender = phone.mobile(sender)
    wish = {"STOP": "opt_out", "START": "opt_in"}.get(form.get("OptOutType", "").upper()) or optout.keyword(text)
    media = _int(form.get("NumMedia"))
    if wish == "opt_out":
        return Inbound(sid, sender, "opt_out", text)
    if wish == "opt_in":
        return Inbound(sid, sender, "opt_in", text)
    return Inbound(sid, sender, "media" if media else "text", text, data={"media": media} if media else {})
