"""Telegram's Bot API, at ``/telegram/bot<token>/<method>``.

From the Bot API documentation (10.0). Accepts what Telegram accepts as a request: URL-encoded, multipart or JSON.
Text marked up as HTML is checked as Telegram does; other markup is kept as it came. A picture or sound given as a
web address is not fetched: nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import re
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

import orjson

from ..callbacks import Post
from ..gateway import Box, Gateway, Special, Step, is_json, reference_of, whole
from ..http import Answer, BadRequest, Reply, Request, Upload
from ..store import Message

_PATH = re.compile(r"/bot(\d+:[\w-]{20,})/(\w+)")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_CHANNEL = re.compile(r"@[A-Za-z][A-Za-z0-9_]{3,31}")
_TAGS = frozenset(
    {
        *("b", "strong", "i", "em", "u", "ins", "s", "strike", "del"),
        *("a", "code", "pre", "blockquote", "span", "tg-spoiler", "tg-emoji"),
    }
)
_BACKOFF = (1, 2, 4, 8, 16, 32, 60, 60, 60, 60)  # Telegram insists "a reasonable amount of attempts"
PENDING = 10_000  # updates kept for a bot that does not fetch them
_RIGHTS = ("can_manage_chat", "can_post_messages", "can_edit_messages", "can_delete_messages")
_OTHER_RIGHTS = (
    *("can_manage_video_chats", "can_restrict_members", "can_promote_members", "can_change_info"),
    *("can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories"),
)
_UPLOADS = {
    "sendPhoto": "photo",
    "sendAudio": "audio",
    "sendVoice": "voice",
    "sendDocument": "document",
    "sendVideo": "video",
}
_MAX_PHOTO, _MAX_FILE = 10_000_000, 50_000_000


class _Refused(Exception):
    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
        if parameters:
            body["parameters"] = parameters
        self.reply = Reply.json(body, code)


def _bad(description: str) -> _Refused:
    return _Refused(400, f"Bad Request: {description}")


class _Markup(HTMLParser):
    """Plain text of a message in Telegram's HTML; raises _Refused where Telegram cannot parse it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise _bad(f'can\'t parse entities: Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise _bad(f'can\'t parse entities: Unmatched end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @classmethod
    def plain(cls, source: str) -> str:
        parser = cls()
        parser.feed(source)
        parser.close()
        if parser.open:
            raise _bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{parser.open[-1]}\"")
        return "".join(parser.text)


def _image_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG or JPEG. Raises _Refused for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise _bad("IMAGE_PROCESS_FAILED")


class Telegram(Gateway):
    name = "telegram"
    label = "Telegram"
    skin = "telegram"
    settings = {"SANDBOX_TELEGRAM_TOKEN": "1000000000:sandbox-sandbox-sandbox-sandbox-sa"}
    specials = (
        Special("0001", "không có cuộc trò chuyện này (400 chat not found)"),
        Special("0002", "người nhận đã chặn (403)"),
        Special("0003", "tài khoản đã xoá (403 user is deactivated)"),
        Special("0004", "nhóm đã chuyển thành siêu nhóm (400 kèm migrate_to_chat_id)"),
        Special("0009", "nhận tin rồi chặn"),
        Special("0010", "nhận tin rồi hỏi lại"),
    )
    finals = arrived = frozenset({"sent"})
    two_way = True
    can_block = True

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        totals = box.store.totals
        self._message_id = totals["telegram accepted"] + totals["telegram inbound"]
        self._update_id = int(time.time()) * 10
        self._updates: deque[dict[str, Any]] = deque(maxlen=PENDING)
        self._undelivered = 0
        self._arrived = asyncio.Event()
        self._webhook_error: tuple[int, str] | None = None
        self._methods: dict[str, Callable[[dict[str, Any], Request], Answer | Awaitable[Answer]]] = {
            "getme": self._get_me,
            "sendmessage": self._send_message,
            "editmessagetext": self._edit,
            "editmessagecaption": self._edit,
            "deletemessage": self._delete,
            "sendchataction": lambda args, _: self._ok(bool(self._chat(args))),
            "getchat": lambda args, _: self._ok(self._chat_object(self._chat(args))),
            "getchatmember": self._member,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._webhook_info,
            "getupdates": self._get_updates,
        }
        for method, kind in _UPLOADS.items():
            self._methods[method.lower()] = self._uploader(kind)

    # -- requests
    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        match = _PATH.fullmatch(path)
        method = self._methods.get(match[2].lower()) if match else None
        if match and match[1] != self.config["SANDBOX_TELEGRAM_TOKEN"]:
            return _Refused(401, "Unauthorized").reply
        if not match or method is None:
            return _Refused(404, "Not Found").reply
        try:
            return method(self._arguments(request), request)
        except _Refused as e:
            return e.reply
        except BadRequest as e:
            return _bad(str(e)).reply

    @staticmethod
    def _arguments(request: Request) -> dict[str, Any]:
        arguments: dict[str, Any] = dict(request.query)
        if is_json(request):
            arguments.update(request.json_object)
        elif request.body:
            arguments.update(request.form)
        return arguments

    @staticmethod
    def _ok(result: Any) -> Reply:
        return Reply.json({"ok": True, "result": result})

    def _bot(self) -> dict[str, Any]:
        bot_id = int(self.config["SANDBOX_TELEGRAM_TOKEN"].partition(":")[0])
        return {"id": bot_id, "is_bot": True, "first_name": "Loa (hộp cát)", "username": "loa_sandbox_bot"}

    def _get_me(self, args: dict[str, Any], request: Request) -> Reply:
        abilities = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
        return self._ok({**self._bot(), **abilities})

    @staticmethod
    def _chat(args: dict[str, Any]) -> str:
        """The canonical address of ``chat_id``. Raises _Refused."""
        given = str(args.get("chat_id", "")).strip()
        if not given:
            raise _bad("chat_id is empty")
        number = whole(given)
        if number is None and not _CHANNEL.fullmatch(given):
            raise _bad("chat not found")
        if number == 0:
            raise _bad("chat not found")
        return given if number is None else str(number)

    def _reachable(self, chat: str) -> None:
        """Raises _Refused for those who cannot be written to."""
        ending = self.ending(chat)
        if ending == "0001":
            raise _bad("chat not found")
        if ending == "0002" or self.is_blocked(chat):
            channel = chat.startswith(("-", "@"))
            what = "bot was kicked from the channel chat" if channel else "bot was blocked by the user"
            raise _Refused(403, f"Forbidden: {what}")
        if ending == "0003":
            raise _Refused(403, "Forbidden: user is deactivated")
        if ending == "0004" and chat.startswith("-") and not chat.startswith("-100"):
            new = int("-100" + chat[1:])
            raise _Refused(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new)

    @staticmethod
    def _chat_object(chat: str) -> dict[str, Any]:
        if chat.startswith("@"):
            number = -1_000_000_000_000 - sum(ord(c) * 131**i for i, c in enumerate(chat)) % 1_000_000_000
            return {"id": number, "type": "channel", "title": chat[1:], "username": chat[1:]}
        if chat.startswith("-100"):
            return {"id": int(chat), "type": "supergroup", "title": f"Nhóm {chat[-4:]}"}
        if chat.startswith("-"):
            return {"id": int(chat), "type": "group", "title": f"Nhóm {chat[-4:]}"}
        return {"id": int(chat), "type": "private", "first_name": f"Bà con {chat[-4:]}"}

    def _member(self, args: dict[str, Any], request: Request) -> Reply:
        chat = self._chat(args)
        if str(args.get("user_id")) != str(self._bot()["id"]):
            raise _bad("user not found")
        if chat.startswith(("@", "-")) and not self.is_blocked(chat):
            rights = {**dict.fromkeys(_OTHER_RIGHTS, False), **dict.fromkeys(_RIGHTS, True)}
            status = {"status": "administrator", "user": self._bot(), "can_be_edited": False, "is_anonymous": False}
            return self._ok({**status, **rights})
        return self._ok({"status": "kicked" if self.is_blocked(chat) else "member", "user": self._bot()})

    # -- messages
    def _send_message(self, args: dict[str, Any], request: Request) -> Answer | Awaitable[Answer]:
        chat = self._chat(args)
        text = self._text(args, "text", 4096)
        if not text.strip():
            raise _bad("message text is empty")
        return self.send(chat, lambda: self._accept(chat, text, {}))

    def _uploader(self, kind: str) -> Callable[[dict[str, Any], Request], Answer | Awaitable[Answer]]:
        def send(args: dict[str, Any], request: Request) -> Answer | Awaitable[Answer]:
            chat = self._chat(args)
            caption = self._text(args, "caption", 1024)
            media = self._media(kind, args, request)
            return self.send(chat, lambda: self._accept(chat, caption, {"media": media}))

        return send

    @staticmethod
    def _text(args: dict[str, Any], name: str, limit: int) -> str:
        text = str(args.get(name) or "")
        if str(args.get("parse_mode", "")).upper() == "HTML":
            text = _Markup.plain(text)
        if len(text) > limit:
            raise _bad("message is too long" if name == "text" else "message caption is too long")
        return text

    def _media(self, kind: str, args: dict[str, Any], request: Request) -> dict[str, Any]:
        """What Telegram would keep of a file: given as an upload, an earlier file_id, or a web address."""
        given = str(args.get(kind) or "")
        upload = request.files.get(given[9:] if given.startswith("attach://") else kind)
        if upload is None and given.startswith(("http://", "https://")):
            return {"kind": kind, "url": given, "file_id": "", "size": 0, "name": given.rsplit("/", 1)[-1]}
        if upload is None and given:
            known = self.box.store.get(self.name, f"file {given}")
            if known is None or known["kind"] != kind:
                raise _bad("wrong file identifier/HTTP URL specified")
            return dict(known)
        if upload is None or not upload.data:
            raise _bad(f"there is no {kind} in the request")
        return self._store_upload(kind, upload, args)

    def _store_upload(self, kind: str, upload: Upload, args: dict[str, Any]) -> dict[str, Any]:
        if len(upload.data) > (_MAX_PHOTO if kind == "photo" else _MAX_FILE):
            raise _Refused(413, "Request Entity Too Large")
        width, height = _image_size(upload.data) if kind == "photo" else (0, 0)
        digest = self.box.store.save_file(upload.data)
        media = {
            "kind": kind,
            "file_id": f"AgAC{kind}{digest[:40]}",
            "sha256": digest,
            "size": len(upload.data),
            "name": upload.filename,
            "mime": upload.mime,
            "width": width,
            "height": height,
            "duration": whole(args.get("duration")) or 0,
            "title": str(args.get("title") or ""),
        }
        if self.box.store.get(self.name, f"file {media['file_id']}") is None:
            self.box.store.put(self.name, f"file {media['file_id']}", media)
        return media

    def _accept(self, chat: str, text: str, data: dict[str, Any]) -> Reply:
        try:
            self._reachable(chat)
        except _Refused as e:
            return e.reply
        self._message_id += 1
        message = Message(
            self.name,
            f"{chat}/{self._message_id}",
            chat,
            text,
            reference=reference_of("", text),
            sender="Loa",
            status="sent",
            data=data,
        )
        self.accept(message)
        return self._ok(self._message_object(message))

    def _message_object(self, message: Message) -> dict[str, Any]:
        chat = self._chat_object(message.address)
        result: dict[str, Any] = {
            "message_id": int(message.id.rpartition("/")[2]),
            "date": int(message.at),
            "chat": chat,
        }
        if chat["type"] == "channel":
            result["sender_chat"] = chat
        else:
            result["from"] = self._bot()
        media = message.data.get("media")
        if not media:
            result["text"] = message.text
            return result
        if message.text:
            result["caption"] = message.text
        file_id = media["file_id"] or "AgACurl"
        file = {"file_id": file_id, "file_unique_id": f"AQAD{file_id[-16:]}", "file_size": media["size"]}
        if media["kind"] == "photo":
            result["photo"] = [{**file, "width": media.get("width", 0), "height": media.get("height", 0)}]
            return result
        file |= {"file_name": media["name"], "mime_type": media.get("mime", "")}
        if media["kind"] in ("audio", "voice", "video"):
            file["duration"] = media.get("duration", 0)
        if media["kind"] == "video":
            file |= {"width": 0, "height": 0}
        if media["kind"] == "audio" and media.get("title"):
            file["title"] = media["title"]
        result[media["kind"]] = file
        return result

    def _existing(self, args: dict[str, Any], what: str) -> Message:
        message = self.box.store.recent(self.name, f"{self._chat(args)}/{whole(args.get('message_id'))}")
        if message is None or message.inbound or message.data.get("deleted"):
            raise _bad(f"message to {what} not found")
        return message

    def _edit(self, args: dict[str, Any], request: Request) -> Reply:
        message = self._existing(args, "edit")
        name, limit = ("caption", 1024) if message.data.get("media") else ("text", 4096)
        text = self._text(args, name, limit)
        if name == "text" and not text.strip():
            raise _bad("message text is empty")
        if text == message.text:
            raise _bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message"
            )
        self.box.store.update(message, text=text, data={**message.data, "edited": True})
        return self._ok({**self._message_object(message), "edit_date": int(message.changed)})

    def _delete(self, args: dict[str, Any], request: Request) -> Reply:
        message = self._existing(args, "delete")
        self.box.store.update(message, text="", data={"deleted": True})
        return self._ok(True)

    def rate_limited(self, seconds: float) -> Reply:
        wait = max(1, round(seconds))
        body = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {wait}"}
        return Reply.json({**body, "parameters": {"retry_after": wait}}, 429, (("retry-after", str(wait)),))

    def server_error(self, status: int) -> Reply:
        return Reply.json({"ok": False, "error_code": status, "description": "Internal Server Error"}, status)

    # -- what citizens do after a message: Telegram has no receipts
    def plan(self, message: Message) -> Sequence[Step]:
        if self.ending(message.address) in ("0009", "0010") and not message.address.startswith(("-", "@")):
            return [Step(1.5, "sent")]
        return ()

    def report(self, message: Message, step: Step) -> Sequence[Post]:
        if self.ending(message.address) == "0009":
            self.block(message.address, True)
            return ()
        return self.answered(message.address, "Cho tôi hỏi: việc này làm ở đâu, cần mang giấy tờ gì?")

    def new_inbound_id(self, address: str) -> str:
        self._message_id += 1
        return f"{address}/{self._message_id}"

    def inbound(self, message: Message) -> Sequence[Post]:
        chat = self._chat_object(message.address)
        if chat["type"] == "channel":
            return ()
        return self._update(
            "message",
            {
                "message_id": int(message.id.rpartition("/")[2]),
                "date": int(message.at),
                "chat": chat,
                "from": self._person(message.address),
                "text": message.text,
            },
        )

    def block(self, address: str, blocked: bool) -> None:
        if blocked == self.is_blocked(address):
            return
        super().block(address, blocked)
        member, kicked = (
            {"status": "member", "user": self._bot()},
            {"status": "kicked", "user": self._bot(), "until_date": 0},
        )
        for post in self._update(
            "my_chat_member",
            {
                "chat": self._chat_object(address),
                "from": self._person(address),
                "date": int(time.time()),
                "old_chat_member": member if blocked else kicked,
                "new_chat_member": kicked if blocked else member,
            },
        ):
            self.box.callbacks.after(0, post)

    @staticmethod
    def _person(address: str) -> dict[str, Any]:
        """The citizen behind a private chat; in a group, some member of it."""
        number = abs(whole(address) or 1)
        return {"id": number, "is_bot": False, "first_name": f"Bà con {str(number)[-4:]}", "language_code": "vi"}

    # -- updates
    def _update(self, kind: str, content: dict[str, Any]) -> Sequence[Post]:
        """Number an update; it goes to the webhook where one is set, else waits for getUpdates."""
        webhook = self.box.store.get(self.name, "webhook")
        if webhook and webhook["allowed"] and kind not in webhook["allowed"]:
            return ()
        self._update_id += 1
        update = {"update_id": self._update_id, kind: content}
        if webhook:
            return [self._webhook_post(webhook, update)]
        self._updates.append(update)
        self._arrived.set()
        self._arrived = asyncio.Event()
        return ()

    def _webhook_post(self, webhook: dict[str, Any], update: dict[str, Any]) -> Post:
        self._undelivered += 1
        headers = [("x-telegram-bot-api-secret-token", webhook["secret"])] if webhook["secret"] else []

        def heard(taken: bool) -> None:
            if taken:
                self._undelivered -= 1
            else:
                self._webhook_error = (int(time.time()), "Wrong response from the webhook or connection failed")

        return Post(webhook["url"], orjson.dumps(update), "application/json", headers, backoff=_BACKOFF, heard=heard)

    def set_webhook(self, url: str | None) -> None:
        webhook: dict[str, Any] = {"url": url, "secret": "", "allowed": [], "max_connections": 40}
        self.box.store.put(self.name, "webhook", webhook if url else None)

    def _set_webhook(self, args: dict[str, Any], request: Request) -> Reply:
        url, secret = str(args.get("url") or ""), str(args.get("secret_token") or "")
        if not url:
            return self._delete_webhook(args, request)
        # Telegram wants https on four ports; the sandbox also takes http, for it runs beside the engine
        if not url.startswith(("https://", "http://")):
            raise _bad("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not _SECRET.fullmatch(secret):
            raise _bad("secret token contains unallowed characters")
        allowed = args.get("allowed_updates") or []
        if isinstance(allowed, str):
            try:
                allowed = orjson.loads(allowed)
            except orjson.JSONDecodeError:
                raise _bad("can't parse allowed updates JSON object") from None
        connections = whole(args.get("max_connections")) or 40
        webhook = {"url": url, "secret": secret, "allowed": allowed, "max_connections": connections}
        self.box.store.put(self.name, "webhook", webhook)
        self._forget(args)
        while self._updates:
            self.box.callbacks.after(0, self._webhook_post(webhook, self._updates.popleft()))
        return Reply.json({"ok": True, "result": True, "description": "Webhook was set"})

    def _delete_webhook(self, args: dict[str, Any], request: Request) -> Reply:
        self.box.store.put(self.name, "webhook", None)
        self._forget(args)
        return Reply.json({"ok": True, "result": True, "description": "Webhook was deleted"})

    def _forget(self, args: dict[str, Any]) -> None:
        if str(args.get("drop_pending_updates", "")).lower() in ("true", "1"):
            self._updates.clear()

    def _webhook_info(self, args: dict[str, Any], request: Request) -> Reply:
        webhook = self.box.store.get(self.name, "webhook")
        pending = self._undelivered if webhook else len(self._updates)
        info: dict[str, Any] = {"url": webhook["url"] if webhook else "", "has_custom_certificate": False}
        info["pending_update_count"] = pending
        if webhook:
            info["max_connections"] = webhook["max_connections"]
            if webhook["allowed"]:
                info["allowed_updates"] = webhook["allowed"]
            if self._webhook_error:
                info["last_error_date"], info["last_error_message"] = self._webhook_error
        return self._ok(info)

    async def _get_updates(self, args: dict[str, Any], request: Request) -> Reply:
        if self.box.store.get(self.name, "webhook"):
            return _Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it first",
            ).reply
        offset, limit = whole(args.get("offset")) or 0, whole(args.get("limit")) or 100
        while offset > 0 and self._updates and self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        wait = min(50.0, float(whole(args.get("timeout")) or 0))
        if not self._updates and wait > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), wait)
        return self._ok(list(self._updates)[: max(1, min(100, limit))])
