"""Telegram bot: persons who pressed Start, groups, and channels the bot administers.

Contract: Bot API 10.0 as in python-telegram-bot 22.8; core.telegram.org/bots/api. Telegram reports neither delivery
nor reading: accepted is the last word. It has no idempotency key and no look-up, so a lost reply stays unsure.

The token is part of every URL, therefore the library's debug log, which would write URLs and texts, is kept shut.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from telegram import Bot, InputFile, LinkPreviewOptions
from telegram import Message as Posted
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)
from telegram.request import BaseRequest, RequestData

from .core import multipart, optout, signatures
from .core.http import Response, Transport, TransportError, outcome_of_error, outcome_of_status
from .core.interface import (
    Adapter,
    Callback,
    Capabilities,
    Content,
    Estimate,
    Field,
    Inbound,
    Media,
    Message,
    Next,
    Outcome,
    Problem,
    Reason,
    Recipient,
    Rendered,
    Request,
    Warning_,
)
from .core.options import is_on
from .core.redact import redacted
from .core.sms import nfc
from .core.text import split, utf16_length

for _name in ("telegram.Bot", "telegram.request.BaseRequest"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

HOST = "https://api.telegram.org"
TEXT_LIMIT = 4096  # UTF-16 code units of a message
CAPTION_LIMIT = 1024
UPLOAD_TIMEOUT = 120.0

# What descriptions of 400 and 403 contain, in lower case. Telegram has no finer codes. Anything else under 403
# means the addressee shut the bot out; anything else under 400 is a fault of the content.
DESCRIPTIONS: tuple[tuple[str, Next, Reason], ...] = (
    ("user is deactivated", Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    ("bot can't initiate conversation", Next.BLOCK_ADDRESS, Reason.NOT_REACHABLE_KIND),
    ("bots can't send messages to bots", Next.BLOCK_ADDRESS, Reason.NOT_REACHABLE_KIND),
    ("bot was blocked", Next.BLOCK_ADDRESS, Reason.BLOCKED),
    ("bot was kicked", Next.BLOCK_ADDRESS, Reason.BLOCKED),
    ("bot is not a member", Next.BLOCK_ADDRESS, Reason.BLOCKED),
    ("group chat was deleted", Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    ("chat not found", Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    ("user not found", Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
    # The bot is no administrator there, or may not write: this outlet only, the account is sound.
    ("administrator rights", Next.GIVE_UP, Reason.MISCONFIGURED),
    ("not enough rights", Next.GIVE_UP, Reason.MISCONFIGURED),
    ("chat_write_forbidden", Next.GIVE_UP, Reason.MISCONFIGURED),
    ("too long", Next.FIX_CONTENT, Reason.TOO_LONG),
    ("message to edit not found", Next.GIVE_UP, Reason.UNKNOWN),
    ("message can't be", Next.GIVE_UP, Reason.EXPIRED),  # ... edited, ... deleted: too old
    ("failed to get http url content", Next.FIX_CONTENT, Reason.MISSING_MEDIA),
    ("wrong type of the web page content", Next.FIX_CONTENT, Reason.MISSING_MEDIA),
)
_FORGOTTEN_FILE = re.compile(r"wrong (remote )?file[ _]id|wrong file identifier|file_reference", re.IGNORECASE).search
_DONE_ALREADY = ("message is not modified", "message to delete not found")

_PERSON_OR_GROUP = re.compile(r"-?[1-9][0-9]{0,15}").fullmatch
_CHANNEL = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{3,31})").fullmatch
_LINK = re.compile(r"(?:https?://)?(?:t\.me|telegram\.me)/(?:s/)?([A-Za-z0-9_]+)/?").fullmatch
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}").fullmatch

UPDATES = ("message", "my_chat_member", "callback_query")


class _Bare(NetworkError):
    """A reply the library has no type for, or (429) whose type warns on use: kept whole."""

    def __init__(self, response: Response, description: str, after: float | None) -> None:
        super().__init__(f"HTTP {response.status}")
        self.response = response
        self.description = description
        self.after = after


class _Request(BaseRequest):
    """The library's requests over the shared transport. Logs nothing."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    @property
    def read_timeout(self) -> float:
        return 30.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *args: Any, **kwargs: Any
    ) -> tuple[int, bytes]:
        headers, body, limit = {}, None, self.read_timeout
        if request_data and request_data.contains_files:
            files = {name: _part(value) for name, value in request_data.multipart_data.items()}
            headers["Content-Type"], body = multipart.encode(request_data.json_parameters, files)
            limit = UPLOAD_TIMEOUT
        elif request_data:
            headers["Content-Type"], body = "application/json", orjson.dumps(request_data.parameters)
        response = await self.transport.request(method, url, headers=headers, body=body, timeout=limit)
        if not response.ok:
            error = _object(response.body)
            description = str(error.get("description") or "")
            if response.status >= 500 or response.status == 429 or not description:
                parameters = error.get("parameters")
                seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
                raise _Bare(response, description, float(seconds) if isinstance(seconds, int | float) else None)
        return response.status, response.body

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        answer = _object(payload)
        if "result" not in answer and "description" not in answer:
            raise _Unreadable
        return answer


class _Unreadable(TelegramError):
    """A success with a body that is not Telegram's."""

    def __init__(self) -> None:
        super().__init__("the reply cannot be read")


class Telegram(Adapter):
    capabilities = Capabilities(
        label="Telegram",
        family="telegram",
        address_kind="telegram",
        reach="both",
        per_second=30.0,  # of one bot, over all chats
        in_flight=30,
        two_way=True,
        corrects=True,
        retracts=True,
        max_length=TEXT_LIMIT,
        fields=(
            Field("token", "Mã bot (token)", secret=True, help="Lấy từ @BotFather khi tạo bot."),
            Field(
                "webhook_secret",
                "Mã bí mật của phản hồi",
                secret=True,
                help="Từ 1 đến 256 chữ, số, gạch dưới hoặc gạch nối. Telegram gửi kèm mã này trong mỗi phản hồi.",
            ),
        ),
        content_fields=(
            Field("silent", "Gửi không kêu chuông", required=False, kind="bool"),
            Field("no_preview", "Ẩn khung xem trước của đường dẫn", required=False, kind="bool"),
        ),
    )

    def __init__(self, settings: Mapping[str, str], transport: Transport, *, sandbox_url: str = "") -> None:
        super().__init__(settings, transport, sandbox_url=sandbox_url)
        self._uploaded: dict[str, str] = {}  # our file -> Telegram's file_id, so that each goes up once

    # -- before sending -------------------------------------------------------------------------------------
    @classmethod
    def validate(cls, address: str) -> str:
        text = address.strip()
        if _PERSON_OR_GROUP(text):
            return text
        link = _LINK(text)
        channel = _CHANNEL(link[1] if link else text)
        if not channel:
            raise ValueError("Hãy nhập mã số người dùng hoặc nhóm Telegram, hoặc tên kênh như @bacninh_thongbao.")
        return f"@{channel[1].lower()}"

    def render(self, content: Content, recipient: Recipient) -> Rendered:
        body = nfc(content.body if recipient.body is None else recipient.body).strip()
        subject = nfc(content.subject if recipient.subject is None else recipient.subject).strip()
        text = f"{subject}\n\n{body}" if subject and body else subject or body
        media = tuple(m for m in (*recipient.media, *content.media) if m.kind in ("image", "audio"))
        if not text and not media:
            raise ValueError("Tin Telegram chưa có nội dung.")
        data = {
            "silent": is_on(content.options.get("silent")) or content.priority == "bulk",
            "no_preview": is_on(content.options.get("no_preview")),
        }
        return Rendered(text, subject, media, data)

    def estimate(self, rendered: Rendered) -> Estimate:
        parts = len(self.split(rendered))
        limit = CAPTION_LIMIT if rendered.media and parts == 1 else TEXT_LIMIT * parts
        warnings = (Warning_(f"Tin dài, sẽ đến thành {parts} tin liền nhau."),) if parts > 1 else ()
        return Estimate(parts, characters=utf16_length(rendered.text), limit=limit, warnings=warnings)

    def split(self, rendered: Rendered) -> tuple[Rendered, ...]:
        """Each picture and each recording is a message; the text is the first one's caption where it fits."""
        data, text = rendered.data, rendered.text
        if rendered.media and utf16_length(text) <= CAPTION_LIMIT:
            captions = [text] + [""] * (len(rendered.media) - 1)
            texts = []
        else:
            captions = [""] * len(rendered.media)
            texts = split(text, TEXT_LIMIT)
        pictures = [Rendered(c, media=(m,), data=data) for c, m in zip(captions, rendered.media, strict=True)]
        return (*pictures, *(Rendered(part, data=data) for part in texts))

    # -- sending --------------------------------------------------------------------------------------------
    @cached_property
    def _bot(self) -> Bot:
        host = f"{self.sandbox_url}/telegram" if self.sandbox_url else HOST
        request = _Request(self.transport)
        return Bot(
            self.settings["token"] or "0:unset",  # the library refuses to be built without one; Telegram answers 401
            base_url=f"{host}/bot",
            request=request,
            get_updates_request=request,
        )

    async def send(self, batch: Sequence[Message]) -> list[Outcome]:
        (message,) = batch
        rendered = message.rendered
        limit = CAPTION_LIMIT if rendered.media else TEXT_LIMIT
        if len(rendered.media) > 1 or utf16_length(rendered.text) > limit:
            return [Outcome.fail(message.reference, Next.FIX_CONTENT, Reason.TOO_LONG, detail="needs splitting")]
        media = rendered.media[0] if rendered.media else None
        try:
            posted = await (self._post_media(message, media) if media else self._post_text(message))
            return [Outcome.ok(message.reference, str(int(posted.message_id)), parts=1)]
        except OSError:
            detail = "the file cannot be read"
            return [Outcome.fail(message.reference, Next.FIX_CONTENT, Reason.MISSING_MEDIA, detail=detail)]
        except TelegramError as error:
            if media and isinstance(error, BadRequest) and _FORGOTTEN_FILE(error.message):
                if self._uploaded.pop(_key(media), None):  # upload it again
                    return [Outcome.fail(message.reference, Next.RETRY, Reason.MISSING_MEDIA, code=400, after=0.0)]
                return [Outcome.fail(message.reference, Next.FIX_CONTENT, Reason.MISSING_MEDIA, code=400)]
            return [_outcome(message.reference, error, message.address)]
        except (KeyError, TypeError, ValueError, AttributeError):  # a success whose result is no message
            return [Outcome.fail(message.reference, Next.UNSURE, Reason.LOST_REPLY, detail=str(_Unreadable()))]

    async def _post_text(self, message: Message) -> Posted:
        options = message.rendered.data
        return await self._bot.send_message(
            message.address,
            message.rendered.text,
            disable_notification=options.get("silent") or None,
            link_preview_options=LinkPreviewOptions(is_disabled=True) if options.get("no_preview") else None,
        )

    async def _post_media(self, message: Message, media: Media) -> Posted:
        caption = message.rendered.text or None
        silent = message.rendered.data.get("silent") or None
        file = await self._file(media)
        if media.kind == "image":
            posted = await self._bot.send_photo(message.address, file, caption=caption, disable_notification=silent)
            kept = posted.photo[-1].file_id if posted.photo else ""
        else:
            posted = await self._bot.send_audio(
                message.address,
                file,
                caption=caption,
                duration=round(media.seconds) or None,
                title=media.title or None,
                disable_notification=silent,
            )
            kept = posted.audio.file_id if posted.audio else ""
        if kept:
            self._uploaded[_key(media)] = kept
        return posted

    async def _file(self, media: Media) -> str | InputFile:
        if known := self._uploaded.get(_key(media)):
            return known
        if media.path:
            path = Path(media.path)
            return InputFile(await asyncio.to_thread(path.read_bytes), filename=path.name)
        if media.url.startswith(("https://", "http://")):
            return media.url
        raise FileNotFoundError

    async def correct(self, message: Message, provider_id: str) -> Outcome:
        if "," in provider_id or len(self.split(message.rendered)) != 1:
            detail = "posted in several messages: take it back and send it again"
            return Outcome.fail(message.reference, Next.FIX_CONTENT, Reason.TOO_LONG, detail=detail)
        try:
            text, identifier = message.rendered.text, int(provider_id)
            if message.rendered.media:
                await self._bot.edit_message_caption(message.address, identifier, caption=text)
            else:
                await self._bot.edit_message_text(text, message.address, identifier)
        except TelegramError as error:
            return _outcome(message.reference, error, message.address, provider_id)
        except (KeyError, TypeError, ValueError, AttributeError):
            return Outcome.fail(message.reference, Next.UNSURE, Reason.LOST_REPLY)
        return Outcome.ok(message.reference, provider_id)

    async def retract(self, reference: str, provider_id: str, address: str) -> Outcome:
        try:
            identifiers = [int(part) for part in provider_id.split(",")]
        except ValueError:
            return Outcome.fail(reference, Next.GIVE_UP, Reason.UNKNOWN, detail="no message to take back")
        try:
            if len(identifiers) > 1:
                await self._bot.delete_messages(address, identifiers)
            else:
                await self._bot.delete_message(address, identifiers[0])
        except TelegramError as error:
            return _outcome(reference, error, address, provider_id)
        except (KeyError, TypeError):
            return Outcome.fail(reference, Next.UNSURE, Reason.LOST_REPLY)
        return Outcome.ok(reference, provider_id)

    async def check(self) -> list[Problem]:
        problems = []
        if not _SECRET(self.settings["webhook_secret"]):
            problems.append(Problem("Mã bí mật của phản hồi chỉ gồm chữ, số, gạch dưới, gạch nối (1-256 ký tự)."))
        try:
            await self._bot.get_me()
            hook = await self._bot.get_webhook_info()
        except (TelegramError, KeyError, TypeError, ValueError, AttributeError) as error:
            return [*problems, Problem(_sentence(error))]
        if not hook.url:
            problems.append(
                Problem("Telegram chưa biết nơi gửi phản hồi. Hãy bấm «Đăng ký nhận phản hồi».", fatal=False)
            )
        elif hook.last_error_date and datetime.now(UTC) - hook.last_error_date < timedelta(hours=1):
            problems.append(Problem("Trong giờ qua Telegram không gửi được phản hồi đến máy chủ này.", fatal=False))
        return problems

    async def subscribe(self, callback_url: str) -> list[Problem]:
        try:
            await self._bot.set_webhook(
                callback_url, secret_token=self.settings["webhook_secret"], allowed_updates=UPDATES
            )
        except (TelegramError, KeyError, TypeError, ValueError, AttributeError) as error:
            return [Problem(_sentence(error))]
        return []

    # -- what comes back ------------------------------------------------------------------------------------
    def verify(self, request: Request) -> bool:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        return signatures.same(self.settings["webhook_secret"], given)

    def parse(self, request: Request) -> Callback:
        update = orjson.loads(request.body)
        try:
            inbound = _inbound(update)
        except (KeyError, TypeError, AttributeError, OverflowError, OSError):
            raise ValueError("an update in a form the Bot API does not have") from None
        return Callback(inbound=(inbound,) if inbound else ())


def _key(media: Media) -> str:
    return media.sha256 or media.path or media.url


def _part(value: Any) -> multipart.Part:
    name, content, mime = value
    return name, content if isinstance(content, bytes) else content.read(), mime


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _outcome(reference: str, error: TelegramError, address: str, provider_id: str = "") -> Outcome:
    detail = redacted(error.message, address)
    # BadRequest is a NetworkError to the library: the order of the branches matters.
    match error:
        case ChatMigrated():
            moved = str(error.new_chat_id)
            return Outcome.fail(reference, Next.RETRY, Reason.BAD_ADDRESS, code=400, after=0.0, address=moved)
        case BadRequest() | Forbidden():
            code = 403 if isinstance(error, Forbidden) else 400
            description = error.message.lower()
            if any(done in description for done in _DONE_ALREADY):
                return Outcome.ok(reference, provider_id)
            for fragment, next_, reason in DESCRIPTIONS:
                if fragment in description:
                    return Outcome.fail(reference, next_, reason, code=code, detail=detail)
            if code == 403:
                return Outcome.fail(reference, Next.BLOCK_ADDRESS, Reason.BLOCKED, code=code, detail=detail)
            return Outcome.fail(reference, Next.FIX_CONTENT, Reason.REJECTED_CONTENT, code=code, detail=detail)
        case InvalidToken():  # 401, and 404 for a token of the wrong form
            return Outcome.fail(reference, Next.PAUSE_ACCOUNT, Reason.CREDENTIALS, code=401)
        case Conflict():  # somebody polls with this token
            return Outcome.fail(reference, Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED, code=409, detail=detail)
        case _Bare():
            text = redacted(error.description, address)
            outcome = outcome_of_status(reference, error.response, detail=text, understood=bool(error.description))
            return outcome if error.after is None else replace(outcome, after=error.after)
        case _ if isinstance(error.__cause__, TransportError):
            return outcome_of_error(reference, error.__cause__)
    return Outcome.fail(reference, Next.UNSURE, Reason.LOST_REPLY, detail=detail)


def _sentence(error: Exception) -> str:
    if isinstance(error, InvalidToken):
        return "Telegram không nhận mã bot này. Hãy lấy lại mã từ @BotFather."
    if isinstance(error.__cause__, TransportError):
        return "Không kết nối được tới Telegram. Hãy kiểm tra đường mạng của máy chủ."
    if isinstance(error, BadRequest):
        return "Telegram không nhận địa chỉ nhận phản hồi: địa chỉ phải là HTTPS và mở ra Internet."
    return "Telegram trả lời lỗi. Hãy thử lại sau ít phút."


def _inbound(update: Mapping[str, Any]) -> Inbound | None:
    number = str(int(update["update_id"]))
    if message := update.get("message"):
        return _message(number, message)
    if press := update.get("callback_query"):
        chat = press["message"]["chat"]["id"] if press.get("message") else press["from"]["id"]
        return Inbound(number, str(chat), "press", str(press.get("data") or ""), _name_of(press["from"]))
    if member := update.get("my_chat_member"):
        chat, status = member["chat"], member["new_chat_member"]["status"]
        private = chat["type"] == "private"
        at = _time(member.get("date"))
        if status in ("kicked", "left"):
            return Inbound(number, str(chat["id"]), "blocked" if private else "unfollow", name=_name_of(chat), at=at)
        return Inbound(number, str(chat["id"]), "follow", name=_name_of(chat), at=at, data={"status": status})
    return None


def _message(number: str, message: Mapping[str, Any]) -> Inbound:
    chat = message["chat"]
    address, at = str(chat["id"]), _time(message.get("date"))
    name = _name_of(message.get("from") or chat)
    text = str(message.get("text") or message.get("caption") or "")
    if moved := message.get("migrate_to_chat_id"):
        return Inbound(number, address, "other", at=at, data={"moved_to": str(moved)})
    if chat["type"] == "private":  # in a group, one member's word must not stop it for all
        command, _, rest = text.partition(" ")
        if command == "/start":
            return Inbound(number, address, "opt_in", text, name, at, {"start": rest} if rest else {})
        if command == "/stop":
            return Inbound(number, address, "opt_out", text, name, at)
        if wish := optout.keyword(text):
            return Inbound(number, address, wish, text, name, at)
    kind = next(
        (k for k in ("photo", "voice", "audio", "video", "document", "location", "contact") if k in message), ""
    )
    if kind:
        return Inbound(number, address, "media", text, name, at, {"media": kind})
    return Inbound(number, address, "text" if text else "other", text, name, at)


def _name_of(party: Mapping[str, Any]) -> str:
    if title := party.get("title"):
        return str(title)
    return " ".join(str(party[part]) for part in ("first_name", "last_name") if party.get(part))


def _time(stamp: Any) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromtimestamp(int(stamp), UTC) if stamp is not None else None
    return None
