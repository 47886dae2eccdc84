"""Zalo: official account v3 (consultation, templates by UID), ZNS by phone, uploads, articles, webhooks.

From the documentation of docs.zaloplatforms.com as compiled in 2026. Zalo has several hosts whose paths do not
collide; all are served at ``/zalo/<path>``, and at ``/zalo/<host>/<path>`` for clients that keep the host. Business
errors come with HTTP 200; the same number means different things on the OA host and on the ZNS host.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from ..callbacks import Post
from ..gateway import Box, Gateway, Special, Step, reference_of, whole
from ..http import Answer, BadRequest, Reply, Request
from ..phone import VIETNAMESE_MOBILE
from ..store import Message
from .zalo_oauth import OAuth

_HOSTS = ("/openapi.zalo.me/", "/business.openapi.zalo.me/", "/oauth.zaloapp.com/")
_HASH = re.compile(r"[0-9a-f]{64}")
_UPLOAD_LIVES = 7 * 86_400  # seconds
FOLLOWERS = "followers"  # the address of what goes to all followers
_OA_ERRORS = {
    -32: "Your application reach limit of request",
    -100: "Attachment id is invalid or expired",
    -201: "Params is invalid",
    -204: "OA has been deleted",
    -210: "Parameter exceeds maximum limit",
    -213: "User has not followed the OA",
    -216: "Access token is invalid",
    -217: "User has blocked the OA",
    -227: "User is banned or has been inactive for more than 45 days",
    -230: "User has not interacted with the OA in the past 7 days",
    -242: "appsecret_proof provided in the API is invalid",
    -200: "Send message failed",
}
_ZNS_ERRORS = {
    -100: "Unknown exception",
    -108: "Phone number is invalid",
    -109: "Template ID is invalid",
    -112: "Template data content is invalid",
    -114: "User is inactive, reject the message, use an outdated Zalo version, or experience another internal error",
    -118: "Zalo account not existed",
    -119: "Account cannot receive ZNS",
    -124: "Access token is invalid",
    -131: "ZNS template not approved",
    -133: "This ZNS is not allowed to be sent at night (from 22h-6h)",
    -139: "User refused to receive this type of ZNS",
    -144: "OA has exceeded the daily ZNS quota",
    -1241: "appsecret_proof provided in the API is invalid",
}
_OA_ENDINGS = {"0001": -213, "0002": -230, "0003": -217, "0004": -227}
_ZNS_ENDINGS = {"0001": -118, "0002": -139, "0003": -114, "0004": -119, "0005": -144, "0006": -133}
# What an agency would have had approved; parameter -> its label and longest value
TEMPLATES: dict[str, dict[str, Any]] = {
    "100001": {
        "name": "Thông báo của UBND",
        "status": "ENABLE",
        "price": 120,
        "params": {"ho_ten": ("Họ tên", 30), "noi_dung": ("Nội dung", 200), "don_vi": ("Đơn vị", 50)},
    },
    "100002": {
        "name": "Mời họp thôn, tổ dân phố",
        "status": "ENABLE",
        "price": 120,
        "params": {
            "ho_ten": ("Họ tên", 30),
            "noi_dung": ("Nội dung", 200),
            "thoi_gian": ("Thời gian", 30),
            "dia_diem": ("Địa điểm", 80),
        },
    },
    "100003": {
        "name": "Trả kết quả hồ sơ",
        "status": "PENDING_REVIEW",
        "price": 120,
        "params": {"ho_ten": ("Họ tên", 30), "ma_ho_so": ("Mã hồ sơ", 30), "ngay_tra": ("Ngày trả", 20)},
    },
}


class _Refused(Exception):
    """An error in Zalo's envelope."""

    def __init__(self, code: int, zns: bool = False, message: str = "") -> None:
        text = message or (_ZNS_ERRORS if zns else _OA_ERRORS).get(code, "Error")
        self.reply = Reply.json({"error": code, "message": text})


def _ok(data: Any) -> Reply:
    return Reply.json({"error": 0, "message": "Success", "data": data})


def signature(app_id: str, body: bytes, timestamp: str, secret: str) -> str:
    """X-ZEvent-Signature: a plain SHA-256 over app id, raw body, timestamp and OA secret key."""
    return "mac=" + hashlib.sha256(app_id.encode() + body + timestamp.encode() + secret.encode()).hexdigest()


class Zalo(Gateway):
    name = "zalo"
    label = "Zalo"
    skin = "zalo"
    skins = ("page",)
    settings = {
        "SANDBOX_ZALO_APP_ID": "1234567890123456789",
        "SANDBOX_ZALO_APP_SECRET": "sandbox-zalo-app-secret",
        "SANDBOX_ZALO_OA_ID": "579745863508352884",
        "SANDBOX_ZALO_OA_NAME": "UBND tỉnh Bắc Ninh",
        "SANDBOX_ZALO_OA_SECRET": "sandbox-zalo-oa-secret",
        "SANDBOX_ZALO_ACCESS_TOKEN": "sandbox-zalo-access-token",
        "SANDBOX_ZALO_REFRESH_TOKEN": "sandbox-zalo-refresh-token",
        "SANDBOX_ZALO_EXPIRES_IN": "90000",
        "SANDBOX_ZALO_WEBHOOK": "",
    }
    specials = (
        Special("0001", "OA: chưa quan tâm (-213); ZNS: số chưa có Zalo (-118)"),
        Special("0002", "OA: quá 7 ngày không tương tác (-230); ZNS: từ chối nhận (-139)"),
        Special("0003", "OA: đã chặn (-217); ZNS: không hoạt động (-114)"),
        Special("0004", "OA: lâu không dùng (-227); ZNS: không nhận được ZNS (-119)"),
        Special("0005", "ZNS: hết hạn mức trong ngày (-144)"),
        Special("0006", "ZNS: ngoài giờ gửi (-133)"),
        Special("0007", "nhận, không bao giờ báo tới máy"),
        Special("0009", "nhận tin rồi bỏ quan tâm"),
        Special("0010", "nhận tin rồi hỏi lại"),
    )
    finals = frozenset({"seen", "lost"})
    arrived = frozenset({"received", "seen"})
    two_way = True
    can_block = True

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self.oauth = OAuth(box.store, self.config)
        self._open = self.oauth.routes()
        self._routes: dict[tuple[str, str], Callable[[Request], Answer | Awaitable[Answer]]] = {
            ("POST", "/v3.0/oa/message/cs"): self._consultation,
            ("POST", "/v3.0/oa/message/template"): self._template_by_uid,
            ("POST", "/v3.0/oa/group/message"): self._group,
            ("POST", "/v3.0/oa/quota/message"): lambda _: _ok(
                [{"quota_type": "sub_quota", "remain": 500, "total": 500}]
            ),
            ("GET", "/v2.0/oa/getoa"): lambda _: _ok(self._oa()),
            ("GET", "/v3.0/oa/user/detail"): self._user,
            ("GET", "/v3.0/oa/user/getlist"): self._users,
            ("POST", "/v2.0/oa/upload/image"): self._uploader("image", 1_000_000, ("image/png", "image/jpeg")),
            ("POST", "/v2.0/oa/upload/gif"): self._uploader("gif", 5_000_000, ("image/gif",)),
            ("POST", "/v2.0/oa/upload/file"): self._uploader("file", 5_000_000, ()),
            ("POST", "/v2.0/article/create"): self._article_create,
            ("POST", "/v2.0/article/verify"): self._article_verify,
            ("POST", "/v2.0/article/update"): self._article_update,
            ("POST", "/v2.0/article/remove"): self._article_remove,
            ("GET", "/v2.0/article/getdetail"): self._article_detail,
            ("POST", "/v2.0/oa/message"): self._broadcast,
            ("POST", "/message/template"): self._zns,
            ("POST", "/message/template/hashphone"): self._zns,
            ("GET", "/message/status"): self._zns_status,
            ("GET", "/message/quota"): lambda _: _ok({"dailyQuota": "5000", "remainingQuota": str(self._zns_left())}),
            ("GET", "/template/all"): self._templates,
            ("GET", "/template/info/v2"): self._template_info,
        }

    def skin_of(self, address: str) -> str:
        return "page" if address == FOLLOWERS else "zalo"

    # -- requests
    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        for host in _HOSTS:
            if path.startswith(host):
                path = path[len(host) - 1 :]
        if free := self._open.get((request.method, path)):
            return free(request)
        route = self._routes.get((request.method, path))
        if route is None:
            return Reply.json({"error": 404, "message": "Empty api"}, 404)
        try:
            self._authenticate(request, zns=path.startswith(("/message/", "/template/")))
            return route(request)
        except _Refused as e:
            return e.reply
        except BadRequest as e:
            return _Refused(-201, message=str(e)).reply

    def _authenticate(self, request: Request, zns: bool) -> None:
        token = request.headers.get("access_token", "")
        if not self.oauth.valid(token):
            raise _Refused(-124 if zns else -216, zns)
        proof = request.headers.get("appsecret_proof")
        if proof is not None:
            right = hmac.new(self.config["SANDBOX_ZALO_APP_SECRET"].encode(), token.encode(), hashlib.sha256)
            if not hmac.compare_digest(proof, right.hexdigest()):
                raise _Refused(-1241 if zns else -242, zns)

    @staticmethod
    def _data(request: Request) -> dict[str, Any]:
        """GET arguments come as one JSON in ``data``."""
        try:
            data = orjson.loads(request.query.get("data", "{}"))
        except orjson.JSONDecodeError:
            raise _Refused(-201) from None
        if not isinstance(data, dict):
            raise _Refused(-201)
        return data

    def _oa(self) -> dict[str, Any]:
        oa = {"oa_id": self.config["SANDBOX_ZALO_OA_ID"], "name": self.config["SANDBOX_ZALO_OA_NAME"]}
        followers = sum(1 for p, a in self.box.store.threads if p == self.name and self._is_user(a))
        return {**oa, "is_verified": True, "oa_type": 4, "num_follower": followers, "package_name": "Advanced"}

    @staticmethod
    def _is_user(address: str) -> bool:
        return address.isdigit() and not VIETNAMESE_MOBILE.fullmatch(address)

    def _user(self, request: Request) -> Reply:
        user = str(self._data(request).get("user_id", ""))
        if not self._is_user(user) or self._follower_error(user) == -213:
            raise _Refused(-213)
        return _ok({"user_id": user, "display_name": f"Bà con {user[-4:]}", "user_is_follower": True})

    def _users(self, request: Request) -> Reply:
        data = self._data(request)
        offset, count = whole(data.get("offset", 0)), whole(data.get("count", 50))
        if offset is None or count is None or not 0 <= offset <= 9951 or not 1 <= count <= 50:
            raise _Refused(-210)
        users = [a for p, a in self.box.store.threads if p == self.name and self._is_user(a) and not self.is_blocked(a)]
        shown = [{"user_id": u} for u in users[offset : offset + count]]
        return _ok({"total": len(users), "count": len(shown), "offset": offset, "users": shown})

    # -- messages of the official account
    def _follower_error(self, user: str) -> int:
        return -213 if self.is_blocked(user) else _OA_ENDINGS.get(self.ending(user), 0)

    def _recipient(self, body: Mapping[str, Any], key: str = "user_id") -> str:
        recipient = body.get("recipient")
        user = str(recipient.get(key, "")) if isinstance(recipient, dict) else ""
        if not user:
            raise _Refused(-201, message=f"recipient.{key} is required")
        return user

    def _consultation(self, request: Request) -> Answer | Awaitable[Answer]:
        user = self._recipient(request.json_object)
        text, data = self._content(request.json_object.get("message"))
        return self.send(user, lambda: self._accept(user, text, data))

    def _group(self, request: Request) -> Answer | Awaitable[Answer]:
        group = "g" + self._recipient(request.json_object, "group_id")
        text, data = self._content(request.json_object.get("message"))
        return self.send(group, lambda: self._accept(group, text, data))

    def _accept(self, user: str, text: str, data: dict[str, Any]) -> Reply:
        if error := self._follower_error(user):
            return _Refused(error).reply
        message = self._message(secrets.token_hex(10), user, text, data)
        self.accept(message)
        return _ok({"message_id": message.id, "user_id": user})

    def _message(self, id: str, address: str, text: str, data: dict[str, Any], reference: str = "") -> Message:
        return Message(
            self.name,
            id,
            address,
            text,
            reference=reference or reference_of("", text),
            sender=self.config["SANDBOX_ZALO_OA_NAME"],
            status="sent",
            data=data,
        )

    def _content(self, message: Any) -> tuple[str, dict[str, Any]]:
        """Text and what the wall shows of a consultation message. Raises _Refused."""
        if not isinstance(message, dict):
            raise _Refused(-201, message="message is required")
        text = str(message.get("text", ""))
        if len(text) > 2000:
            raise _Refused(-210, message="text exceeds 2000 characters")
        attachment = message.get("attachment")
        if not attachment:
            if not text.strip():
                raise _Refused(-201, message="text is empty")
            return text, {}
        payload = attachment.get("payload") if isinstance(attachment, dict) else None
        if not isinstance(payload, dict):
            raise _Refused(-201, message="attachment.payload is required")
        data: dict[str, Any] = {}
        if attachment.get("type") == "file":
            data["media"] = self._attachment(str(payload.get("token", "")), ("file",))
        elif payload.get("template_type") == "media":
            for element in payload.get("elements") or ():
                if element.get("attachment_id"):
                    data["media"] = self._attachment(str(element["attachment_id"]), ("image", "gif"))
                elif element.get("url"):
                    data["media"] = {"kind": "file", "url": str(element["url"]), "name": str(element["url"])}
            if not data:
                raise _Refused(-201, message="elements is required")
        if payload.get("template_type") == "request_user_info" and payload.get("elements"):
            first = payload["elements"][0]
            data["card"] = {"title": first.get("title", ""), "lines": [first.get("subtitle", "")]}
        if buttons := payload.get("buttons"):
            card = data.setdefault("card", {})
            card["buttons"] = [str(b.get("title", "")) for b in buttons][:5]
        return text, data

    def _attachment(self, id: str, kinds: Sequence[str]) -> dict[str, Any]:
        known = self.box.store.get(self.name, f"attachment {id}")
        if not known or known["upload"] not in kinds or time.time() - known["at"] > _UPLOAD_LIVES:
            raise _Refused(-100)
        return dict(known)

    def _uploader(self, kind: str, limit: int, types: Sequence[str]) -> Callable[[Request], Reply]:
        def upload(request: Request) -> Reply:
            file = request.files.get("file")
            if file is None or not file.data:
                raise _Refused(-201, message="file is required")
            allowed = file.filename.lower().endswith((".pdf", ".doc", ".docx", ".csv"))
            if len(file.data) > limit or (file.mime not in types if types else not allowed):
                raise _Refused(-210, message=f"{kind} is too large or not of an accepted type")
            id = secrets.token_urlsafe(30)
            media = {
                "kind": "photo" if types else "file",
                "name": file.filename,
                "sha256": self.box.store.save_file(file.data),
            }
            self.box.store.put(self.name, f"attachment {id}", {**media, "upload": kind, "at": time.time()})
            return _ok({"token" if kind == "file" else "attachment_id": id})

        return upload

    def _template_by_uid(self, request: Request) -> Answer | Awaitable[Answer]:
        body = request.json_object
        user = str(body.get("user_id", ""))
        text, card = self._filled(body)

        def accept() -> Reply:
            if error := self._follower_error(user):
                return _Refused(error).reply
            message = self._message(secrets.token_hex(10), user, text, {"card": card})
            self.accept(message)
            quota = {"quota_type": "sub_quota", "remain": 500}
            return _ok({"message_id": message.id, "sent_time": str(int(message.at * 1000)), "quota": quota})

        return self.send(user, accept)

    # -- ZNS
    def _filled(self, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Text and card of a template with its data. Raises _Refused."""
        template = TEMPLATES.get(str(body.get("template_id", "")))
        if template is None:
            raise _Refused(-109, zns=True)
        if template["status"] != "ENABLE":
            raise _Refused(-131, zns=True)
        data = body.get("template_data")
        if not isinstance(data, dict):
            raise _Refused(-112, zns=True)
        for name, (_, longest) in template["params"].items():
            value = data.get(name)
            if value is None or not str(value).strip():
                raise _Refused(-112, zns=True, message=f"Missing required template param {name}")
            if len(str(value)) > longest:
                raise _Refused(-112, zns=True, message=f"Template param {name} exceeds {longest} characters")
        rows = [[label, str(data[name])] for name, (label, _) in template["params"].items() if name != "noi_dung"]
        return str(data.get("noi_dung", "")), {"title": template["name"], "rows": rows}

    def _zns_left(self) -> int:
        return max(0, 5000 - self.box.store.totals["zalo zns"])

    def _zns(self, request: Request) -> Answer | Awaitable[Answer]:
        body = request.json_object
        phone = str(body.get("phone", ""))
        hashed = request.path.endswith("/hashphone")
        if not (_HASH if hashed else VIETNAMESE_MOBILE).fullmatch(phone):
            raise _Refused(-108, zns=True)
        tracking = str(body.get("tracking_id", ""))
        if len(tracking) > 48:
            raise _Refused(-112, zns=True, message="tracking_id exceeds 48 characters")
        text, card = self._filled(body)
        mode = str(body.get("sending_mode", "1"))
        return self.send(phone, lambda: self._accept_zns(phone, tracking, text, card, mode))

    def _accept_zns(self, phone: str, tracking: str, text: str, card: dict[str, Any], mode: str) -> Reply:
        error = -139 if self.is_blocked(phone) else _ZNS_ENDINGS.get(self.ending(phone), 0)
        if error:
            return _Refused(error, zns=True).reply
        data = {"zns": True, "tracking": tracking, "card": card}
        message = self._message(secrets.token_hex(10), phone, text, data, reference=tracking)
        self.accept(message)
        self.box.store.totals["zalo zns"] += 1
        quota = {"dailyQuota": "5000", "remainingQuota": str(self._zns_left())}
        sent = str(int(message.at * 1000))
        return _ok({"msg_id": message.id, "sent_time": sent, "sending_mode": mode, "quota": quota})

    async def _zns_status(self, request: Request) -> Reply:
        message = await self.box.store.find(self.name, request.query.get("message_id", ""))
        if message is None:
            return _ok({"status": -1, "message": "The message not found", "delivery_time": ""})
        done = message.status in self.arrived
        at = str(int(message.changed * 1000)) if done else ""
        return _ok({"status": int(done), "message": "Delivered" if done else "Sent", "delivery_time": at})

    def _templates(self, request: Request) -> Reply:
        shown = [
            {"templateId": int(id), "templateName": t["name"], "status": t["status"], "templateQuality": "HIGH"}
            for id, t in TEMPLATES.items()
        ]
        return Reply.json({"error": 0, "message": "Success", "data": shown, "metadata": {"total": len(shown)}})

    def _template_info(self, request: Request) -> Reply:
        id = request.query.get("template_id", "")
        template = TEMPLATES.get(id)
        if template is None:
            raise _Refused(-109, zns=True)
        params = [
            {"name": name, "require": True, "type": "STRING", "maxLength": longest, "minLength": 1, "acceptNull": False}
            for name, (_, longest) in template["params"].items()
        ]
        info = {"templateId": int(id), "templateName": template["name"], "status": template["status"]}
        return _ok({**info, "price": template["price"], "templateTag": "IN_TRANSACTION", "listParams": params})

    # -- articles
    def _article(self, body: Mapping[str, Any]) -> dict[str, Any]:
        title, author = str(body.get("title", "")), str(body.get("author", ""))
        description = str(body.get("description", ""))
        if not title.strip() or body.get("type", "normal") not in ("normal", "video"):
            raise _Refused(-201, message="title or type is invalid")
        if len(title) > 150 or len(author) > 50 or len(description) > 300:
            raise _Refused(-210)
        if body.get("type", "normal") == "normal" and not body.get("body"):
            raise _Refused(-201, message="body is required")
        status = body.get("status", "hide")
        if status not in ("show", "hide"):
            raise _Refused(-201, message="status is invalid")
        return {"title": title, "author": author, "description": description, "status": status}

    def _article_create(self, request: Request) -> Answer | Awaitable[Answer]:
        article = self._article(request.json_object)

        def accept() -> Reply:
            id, token = secrets.token_hex(12), secrets.token_urlsafe(30)
            self.box.store.put(self.name, f"article {id}", article)
            self.box.store.put(self.name, f"article token {token}", {"id": id, "at": time.time()})
            return _ok({"token": token})

        return self.send(FOLLOWERS, accept)

    def _article_verify(self, request: Request) -> Reply:
        made = self.box.store.get(self.name, f"article token {request.json_object.get('token', '')}")
        if made is None:
            raise _Refused(-201, message="token is invalid")
        if time.time() - made["at"] < 1 / self.box.speed:
            return Reply.json({"error": -1, "message": "Article is being processed"})
        return _ok({"id": made["id"]})

    def _known_article(self, id: Any) -> dict[str, Any]:
        article = self.box.store.get(self.name, f"article {id}")
        if article is None:
            raise _Refused(-201, message="article id is invalid")
        return dict(article)

    def _article_update(self, request: Request) -> Reply:
        id = request.json_object.get("id")
        self._known_article(id)
        self.box.store.put(self.name, f"article {id}", self._article(request.json_object))
        return _ok({"id": id})

    def _article_remove(self, request: Request) -> Reply:
        id = request.json_object.get("id")
        self._known_article(id)
        self.box.store.put(self.name, f"article {id}", None)
        return _ok({"message": "Success"})

    def _article_detail(self, request: Request) -> Reply:
        id = request.query.get("id", "")
        return _ok({"id": id, **self._known_article(id)})

    def _broadcast(self, request: Request) -> Answer | Awaitable[Answer]:
        body = request.json_object
        try:
            target = body["recipient"]["target"]
            element = body["message"]["attachment"]["payload"]["elements"][0]
        except (KeyError, IndexError, TypeError):
            raise _Refused(-201) from None
        if not isinstance(target, dict) or element.get("media_type") != "article":
            raise _Refused(-201)
        article = self._known_article(element.get("attachment_id"))
        card = {"title": article["title"], "lines": [article["description"]]}

        def accept() -> Reply:
            message = self._message(secrets.token_hex(10), FOLLOWERS, "", {"card": card, "target": target})
            self.accept(message)
            return _ok({"message_id": message.id})

        return self.send(FOLLOWERS, accept)

    def rate_limited(self, seconds: float) -> Reply:
        reply = _Refused(-32).reply
        return replace(reply, headers=(("x-ratelimit-limit", "4000"), ("x-ratelimit-remain", "0")))

    def server_error(self, status: int) -> Reply:
        return Reply(status, b"<html><body>Service Unavailable</body></html>", "text/html")

    # -- events
    def plan(self, message: Message) -> Sequence[Step]:
        if message.status in self.arrived:
            return ()
        if message.address == FOLLOWERS or message.address.startswith("g"):
            return [Step(0.2, "received")]
        if self.ending(message.address) == "0007":
            return ()
        spread = int(message.id[-4:], 16) / 0xFFFF
        steps = [Step(0.6 + 2 * spread, "received")]
        if not message.data.get("zns") and spread < 0.6:
            steps.append(Step(4 + 20 * spread, "seen"))
        return steps

    def undelivered(self, step: Step, code: str) -> Step:
        """Zalo reports no failures after acceptance; such a message just stays unreported."""
        return replace(step, status="lost", code=code)

    def report(self, message: Message, step: Step) -> Sequence[Post]:
        if message.address == FOLLOWERS or message.address.startswith("g") or step.status == "lost":
            return ()
        posts: list[Post] = []
        ending = self.ending(message.address)
        if step.status == "received" and not message.data.get("answered"):
            message.data["answered"] = True
            if ending == "0009":
                self.block(message.address, True)
            elif ending == "0010":
                posts += self.answered(message.address, "Cho tôi hỏi: việc này làm ở đâu, cần mang giấy tờ gì?")
        now = str(int(time.time() * 1000))
        body: dict[str, Any] = {
            "sender": {"id": self.config["SANDBOX_ZALO_OA_ID"]},
            "recipient": {"id": message.address},
        }
        if message.data.get("zns"):
            body["message"] = {"delivery_time": now, "msg_id": message.id, "tracking_id": message.data["tracking"]}
        elif step.status == "seen":
            body["message"] = {"msg_ids": [message.id]}
        else:
            body["message"] = {"msg_id": message.id}
        name = "user_seen_message" if step.status == "seen" else "user_received_message"
        zns = bool(message.data.get("zns"))
        return [*posts, *self._event(name, body, now, zns=zns, forged=step.forged)]

    def _event(
        self, name: str, body: dict[str, Any], now: str, *, zns: bool = False, forged: bool = False
    ) -> Sequence[Post]:
        url = self.box.store.get(self.name, "webhook") or self.config["SANDBOX_ZALO_WEBHOOK"]
        if not url:
            return ()
        app_id = self.config["SANDBOX_ZALO_APP_ID"]
        raw = orjson.dumps({"event_name": name, "app_id": app_id, "timestamp": now, **body})
        secret = "forged" if forged else self.config["SANDBOX_ZALO_OA_SECRET"]
        headers = [("x-zevent-signature", signature(app_id, raw, now, secret))]
        if zns:
            headers.append(("x-zevent-server", "ZNS"))
        return [Post(url, raw, "application/json", headers)]

    # -- citizens
    def new_inbound_id(self, address: str) -> str:
        return secrets.token_hex(10)

    def inbound(self, message: Message) -> Sequence[Post]:
        if not self._is_user(message.address):
            return ()
        body = {
            "sender": {"id": message.address},
            "recipient": {"id": self.config["SANDBOX_ZALO_OA_ID"]},
            "user_id_by_app": message.address,
            "message": {"text": message.text, "msg_id": message.id},
        }
        return self._event("user_send_text", body, str(int(time.time() * 1000)))

    def block(self, address: str, blocked: bool) -> None:
        """On Zalo a citizen leaves by no longer following."""
        if blocked == self.is_blocked(address):
            return
        super().block(address, blocked)
        body = {
            "oa_id": self.config["SANDBOX_ZALO_OA_ID"],
            "follower": {"id": address},
            "user_id_by_app": address,
            "source": "oa_profile",
        }
        for post in self._event("unfollow" if blocked else "follow", body, str(int(time.time() * 1000))):
            self.box.callbacks.after(0, post)
