"""Facebook: a Page's feed and Messenger, on the Graph API at ``/facebook/v26.0/<path>``.

From developers.facebook.com (Pages API, Messenger Platform, webhooks). On the wall a citizen's conversation is a
phone, and the Page itself is one under the address ``page``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from ..callbacks import Post
from ..gateway import Box, Gateway, Special, Step, is_json, reference_of, whole
from ..http import Answer, BadRequest, Reply, Request
from ..store import Message

_PATH = re.compile(r"/v\d+\.\d+/([^/]+)(?:/([a-z_]+))?")
PAGE = "page"  # the address of what is published on the Page
_ENDINGS = {"0001": (100, 2018001), "0002": (10, 2018278), "0003": (551, 1545041), "0004": (200, 1545041)}
_TEXTS = {
    (1, None): "An unknown error has occurred.",
    (4, None): "(#4) Application request limit reached",
    (10, 2018278): "(#10) This message is sent outside of allowed window.",
    (100, None): "(#100) Invalid parameter",
    (100, 2018001): "(#100) No matching user found",
    (190, None): "Invalid OAuth access token - Cannot parse access token",
    (200, 1545041): "(#200) This person isn't available right now.",
    (551, 1545041): "(#551) This person isn't available right now.",
    (613, None): "(#613) Calls to this api have exceeded the rate limit.",
}
_DAY = 86_400


class _Refused(Exception):
    def __init__(self, code: int, subcode: int | None = None, message: str = "", status: int = 400) -> None:
        kind = "OAuthException"
        text = message or _TEXTS.get((code, subcode), f"(#{code}) Error")
        error: dict[str, Any] = {"message": text, "type": kind, "code": code, "fbtrace_id": secrets.token_urlsafe(8)}
        if subcode:
            error["error_subcode"] = subcode
        if code in (1, 2, 4):
            error["is_transient"] = True
        self.reply = Reply.json({"error": error}, status)


def _invalid(what: str) -> _Refused:
    return _Refused(100, message=f"(#100) {what}")


class Facebook(Gateway):
    name = "facebook"
    label = "Facebook"
    skin = "messenger"
    skins = (PAGE,)
    settings = {
        "SANDBOX_FACEBOOK_PAGE_ID": "102938475610293",
        "SANDBOX_FACEBOOK_PAGE_NAME": "UBND tỉnh Bắc Ninh",
        "SANDBOX_FACEBOOK_TOKEN": "sandbox-facebook-page-token",
        "SANDBOX_FACEBOOK_APP_SECRET": "sandbox-facebook-app-secret",
        "SANDBOX_FACEBOOK_VERIFY_TOKEN": "sandbox-verify-token",
        "SANDBOX_FACEBOOK_WEBHOOK": "",
    }
    specials = (
        Special("0001", "không có người này (100/2018001)"),
        Special("0002", "quá 24 giờ từ lần nhắn trước (10/2018278), mẫu tiện ích vẫn gửi được"),
        Special("0003", "không liên lạc được (551/1545041)"),
        Special("0004", "đã chặn trang (200/1545041)"),
        Special("0007", "nhận, không bao giờ báo tới máy"),
        Special("0010", "nhận tin rồi hỏi lại"),
    )
    finals = frozenset({"read", "lost", "published", "removed"})
    arrived = frozenset({"delivered", "read", "published"})
    two_way = True
    can_block = True

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self._edges: dict[tuple[str, str], Callable[[Request, dict[str, Any]], Answer | Awaitable[Answer]]] = {
            ("GET", ""): lambda request, args: Reply.json(self._page()),
            ("GET", "feed"): self._list,
            ("GET", "posts"): self._list,
            ("GET", "published_posts"): self._list,
            ("GET", "scheduled_posts"): self._list,
            ("POST", "feed"): self._feed,
            ("POST", "photos"): self._photo,
            ("POST", "videos"): self._video,
            ("POST", "messages"): self._send_message,
            ("POST", "message_templates"): self._create_template,
            ("GET", "message_templates"): self._templates,
            ("POST", "subscribed_apps"): lambda request, args: Reply.json({"success": True}),
        }

    def skin_of(self, address: str) -> str:
        return PAGE if address == PAGE else "messenger"

    # -- requests
    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        match = _PATH.fullmatch(path)
        if not match:
            return _Refused(2500, message="Unknown path components", status=400).reply
        node, edge = match[1], match[2] or ""
        try:
            arguments = self._arguments(request)
            self._authenticate(request, arguments)
            if node in ("me", self.config["SANDBOX_FACEBOOK_PAGE_ID"]):
                route = self._edges.get((request.method, edge))
                if route is None:
                    raise _Refused(2500, message="Unknown path components")
                return route(request, arguments)
            return self._post(request, node, arguments)
        except _Refused as e:
            return e.reply
        except BadRequest as e:
            return _invalid(str(e)).reply

    @staticmethod
    def _arguments(request: Request) -> dict[str, Any]:
        arguments: dict[str, Any] = dict(request.query)
        if is_json(request):
            arguments.update(request.json_object)
        elif request.body:
            arguments.update(request.form)
            for name, value in arguments.items():
                if isinstance(value, str) and value[:1] in ("{", "["):
                    try:
                        arguments[name] = orjson.loads(value)
                    except orjson.JSONDecodeError:
                        continue
        return arguments

    def _authenticate(self, request: Request, arguments: Mapping[str, Any]) -> None:
        token = str(arguments.get("access_token", ""))
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            token = given.strip()
        if not hmac.compare_digest(token.encode(), self.config["SANDBOX_FACEBOOK_TOKEN"].encode()):
            raise _Refused(190, status=401)
        if "appsecret_proof" in arguments:
            secret = self.config["SANDBOX_FACEBOOK_APP_SECRET"].encode()
            right = hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()
            if not hmac.compare_digest(str(arguments["appsecret_proof"]), right):
                raise _invalid("Invalid appsecret_proof provided in the API argument")

    def _page(self) -> dict[str, Any]:
        return {"id": self.config["SANDBOX_FACEBOOK_PAGE_ID"], "name": self.config["SANDBOX_FACEBOOK_PAGE_NAME"]}

    # -- the Page
    def _scheduled(self, arguments: Mapping[str, Any]) -> float:
        """When to publish, 0 for now. Raises _Refused."""
        given = arguments.get("scheduled_publish_time")
        unpublished = str(arguments.get("published", "true")).lower() in ("false", "0")
        if given is None:
            return 0.0
        if not unpublished:
            raise _invalid("You cannot set a scheduled publish time for a published post")
        at = float(whole(given) or 0)
        if not at:
            try:
                at = datetime.fromisoformat(str(given)).timestamp()
            except ValueError:
                raise _invalid("scheduled_publish_time is not a time") from None
        if not 600 <= at - time.time() <= 30 * _DAY:
            raise _invalid("The specified scheduled publish time is invalid.")
        return at

    def _feed(self, request: Request, arguments: dict[str, Any]) -> Answer | Awaitable[Answer]:
        text, link = str(arguments.get("message") or ""), str(arguments.get("link") or "")
        data: dict[str, Any] = {"publish_at": self._scheduled(arguments)}
        if link:
            data["card"] = {"link": link}
        for attached in arguments.get("attached_media") or ():
            photo = self.box.store.get(self.name, f"photo {attached.get('media_fbid', '')}")
            if photo is None:
                raise _invalid("attached_media is not valid")
            data["media"] = photo
        if not text.strip() and not link and "media" not in data:
            raise _invalid("Param message must be a non-empty string")

        def accept() -> Reply:
            last = next(self.box.store.newest(lambda m: m.provider == self.name and m.address == PAGE), None)
            if last and text and (last.text, last.data.get("card")) == (text, data.get("card")):
                return _Refused(506, message="(#506) Duplicate status message").reply
            return Reply.json({"id": self._publish(text, data)})

        return self.send(PAGE, accept)

    def _publish(self, text: str, data: dict[str, Any]) -> str:
        id = f"{self.config['SANDBOX_FACEBOOK_PAGE_ID']}_{secrets.randbelow(10**15):015}"
        sender = self.config["SANDBOX_FACEBOOK_PAGE_NAME"]
        status = "scheduled" if data.get("publish_at") else "published"
        reference = reference_of("", text)
        self.accept(Message(self.name, id, PAGE, text, reference=reference, sender=sender, status=status, data=data))
        return id

    def _photo(self, request: Request, arguments: dict[str, Any]) -> Answer | Awaitable[Answer]:
        upload, url = request.files.get("source"), str(arguments.get("url") or "")
        if upload:
            media = {"kind": "photo", "name": upload.filename, "sha256": self.box.store.save_file(upload.data)}
        elif url.startswith(("http://", "https://")):
            media = {"kind": "file", "name": url, "url": url}
        else:
            raise _invalid("(#324) Requires upload file")
        id = str(secrets.randbelow(10**15))
        published = str(arguments.get("published", "true")).lower() not in ("false", "0")
        caption = str(arguments.get("caption") or arguments.get("message") or "")

        def accept() -> Reply:
            self.box.store.put(self.name, f"photo {id}", media)
            if not published:
                return Reply.json({"id": id})
            return Reply.json({"id": id, "post_id": self._publish(caption, {"media": media})})

        return self.send(PAGE, accept)

    def _video(self, request: Request, arguments: dict[str, Any]) -> Answer | Awaitable[Answer]:
        upload, url = request.files.get("source"), str(arguments.get("file_url") or "")
        if upload is None and not url.startswith(("http://", "https://")):
            raise _invalid("Requires upload file")
        media: dict[str, Any] = {"kind": "file", "name": upload.filename if upload else url, "url": url}
        if upload:
            media["sha256"] = self.box.store.save_file(upload.data)
        text = "\n".join(str(arguments[k]) for k in ("title", "description") if arguments.get(k))
        data = {"media": media, "publish_at": self._scheduled(arguments)}
        return self.send(PAGE, lambda: Reply.json({"id": self._publish(text, data).partition("_")[2]}))

    def _post_json(self, message: Message) -> dict[str, Any]:
        made = datetime.fromtimestamp(message.at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        return {"id": message.id, "message": message.text, "created_time": made}

    def _list(self, request: Request, arguments: dict[str, Any]) -> Reply:
        status = "scheduled" if request.path.endswith("scheduled_posts") else "published"
        since = float(whole(arguments.get("since")) or 0)
        limit = min(100, whole(arguments.get("limit")) or 25)
        found = self.box.store.newest(
            lambda m: m.provider == self.name and m.address == PAGE and m.status == status and m.at >= since
        )
        return Reply.json({"data": [self._post_json(m) for m, _ in zip(found, range(limit), strict=False)]})

    async def _post(self, request: Request, id: str, arguments: dict[str, Any]) -> Reply:
        message = await self.box.store.find(self.name, id)
        if message is None or message.address != PAGE or message.status == "removed":
            text = f"Unsupported {request.method.lower()} request. Object with ID '{id}' does not exist"
            return _Refused(100, 33, text).reply
        if request.method == "GET":
            return Reply.json(self._post_json(message))
        if request.method == "DELETE":
            self.box.store.update(message, status="removed", text="", data={"deleted": True})
            return Reply.json({"success": True})
        text = str(arguments.get("message") or "")
        if not text.strip():
            return _invalid("Param message must be a non-empty string").reply
        self.box.store.update(message, text=text, data={**message.data, "edited": True})
        return Reply.json({"success": True})

    # -- Messenger
    def _create_template(self, request: Request, arguments: dict[str, Any]) -> Reply:
        name, language = str(arguments.get("name", "")), str(arguments.get("language", ""))
        if not re.fullmatch(r"[a-z0-9_]{1,512}", name) or arguments.get("category") != "UTILITY" or not language:
            raise _invalid("name, language or category is invalid")
        body = next((c for c in arguments.get("components") or () if str(c.get("type", "")).upper() == "BODY"), None)
        if not body or not str(body.get("text", "")).strip():
            raise _invalid("a BODY component is required")
        id = str(secrets.randbelow(10**15))
        template = {"id": id, "name": name, "language": language, "text": body["text"], "status": "APPROVED"}
        self.box.store.put(self.name, f"template {name} {language}", template)
        names = {*(self.box.store.get(self.name, "templates") or ()), f"{name} {language}"}
        self.box.store.put(self.name, "templates", sorted(names))
        return Reply.json({"id": id, "status": "APPROVED", "category": "UTILITY"})

    def _templates(self, request: Request, arguments: dict[str, Any]) -> Reply:
        names = self.box.store.get(self.name, "templates") or ()
        return Reply.json({"data": [self.box.store.get(self.name, f"template {n}") for n in names]})

    def _send_message(self, request: Request, arguments: dict[str, Any]) -> Answer | Awaitable[Answer]:
        recipient, message = arguments.get("recipient"), arguments.get("message")
        psid = str(recipient.get("id", "")) if isinstance(recipient, dict) else ""
        if not psid.isdigit():
            raise _invalid("Param recipient[id] must be a valid ID string")
        if not isinstance(message, dict):
            raise _invalid("param message must be non-empty.")
        kind = arguments.get("messaging_type", "RESPONSE")
        if kind not in ("RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"):
            raise _invalid("Param messaging_type is invalid")
        if kind == "MESSAGE_TAG" and arguments.get("tag") != "HUMAN_AGENT":
            raise _invalid("This message tag is no longer supported")
        text, data = self._content(message, kind)
        return self.send(psid, lambda: self._accept(psid, text, data, utility=kind == "UTILITY"))

    def _content(self, message: Mapping[str, Any], kind: str) -> tuple[str, dict[str, Any]]:
        if kind == "UTILITY":
            return self._filled(message.get("template")), {}
        text = str(message.get("text") or "")
        if len(text) > 2000:
            raise _invalid("Length of param message[text] must be less than or equal to 2000")
        data: dict[str, Any] = {}
        if attachment := message.get("attachment"):
            payload = attachment.get("payload") or {}
            if url := payload.get("url"):
                data["media"] = {"kind": "file", "name": str(url), "url": str(url)}
            elif payload.get("template_type"):
                text = str(payload.get("text") or "")
                data["card"] = {"buttons": [str(b.get("title", "")) for b in payload.get("buttons") or ()][:3]}
        if replies := message.get("quick_replies"):
            data["card"] = {"buttons": [str(r.get("title", "")) for r in replies][:13]}
        if not text.strip() and not data:
            raise _invalid("Must provide message text or attachment")
        return text, data

    def _filled(self, template: Any) -> str:
        """The text of a utility template. Raises _Refused."""
        if not isinstance(template, dict):
            raise _invalid("message[template] is required for utility messages")
        language = (template.get("language") or {}).get("code", "")
        known = self.box.store.get(self.name, f"template {template.get('name', '')} {language}")
        if known is None:
            raise _invalid("Template does not exist or is not approved")
        body: Mapping[str, Any] = next(
            (c for c in template.get("components") or () if str(c.get("type", "")).lower() == "body"), {}
        )
        values = [str(p.get("text", "")) for p in body.get("parameters") or ()]
        wanted = set(re.findall(r"\{\{(\d+)\}\}", known["text"]))
        if len(values) != len(wanted):
            raise _invalid(f"Number of parameters does not match: {len(wanted)} expected")
        return re.sub(r"\{\{(\d+)\}\}", lambda m: values[int(m[1]) - 1], known["text"])

    def _accept(self, psid: str, text: str, data: dict[str, Any], utility: bool) -> Reply:
        error = _ENDINGS.get(self.ending(psid))
        if self.is_blocked(psid):
            error = _ENDINGS["0004"]
        if error and not (utility and error == _ENDINGS["0002"]):
            return _Refused(*error, status=403 if error[0] == 200 else 400).reply
        sender = self.config["SANDBOX_FACEBOOK_PAGE_NAME"]
        id = "m_" + secrets.token_urlsafe(32)
        reference = reference_of("", text)
        self.accept(Message(self.name, id, psid, text, reference=reference, sender=sender, status="sent", data=data))
        return Reply.json({"recipient_id": psid, "message_id": id})

    def rate_limited(self, seconds: float) -> Reply:
        minutes = max(1, round(seconds / 60))
        usage = {self.config["SANDBOX_FACEBOOK_PAGE_ID"]: [{"type": "messenger", "call_count": 100}]}
        usage[self.config["SANDBOX_FACEBOOK_PAGE_ID"]][0]["estimated_time_to_regain_access"] = minutes
        reply = _Refused(613).reply
        return replace(reply, headers=(("x-business-use-case-usage", orjson.dumps(usage).decode()),))

    def server_error(self, status: int) -> Reply:
        return _Refused(1, status=status).reply

    # -- webhooks
    def plan(self, message: Message) -> Sequence[Step]:
        if message.address == PAGE:
            at = float(message.data.get("publish_at") or 0)
            return [Step(max(0.0, at - time.time()) * self.box.speed, "published")] if at else ()
        if message.status in self.arrived or self.ending(message.address) == "0007":
            return ()
        spread = (ord(message.id[-1]) % 16) / 16
        steps = [Step(0.5 + spread, "delivered")]
        if spread < 0.7:
            steps.append(Step(3 + 15 * spread, "read"))
        return steps

    def undelivered(self, step: Step, code: str) -> Step:
        """Facebook reports no failures after acceptance; such a message just stays unreported."""
        return replace(step, status="lost", code=code)

    def report(self, message: Message, step: Step) -> Sequence[Post]:
        if step.status not in ("delivered", "read") or message.address == PAGE:
            return ()
        posts: list[Post] = []
        if step.status == "delivered" and self.ending(message.address) == "0010" and not message.data.get("answered"):
            message.data["answered"] = True
            posts += self.answered(message.address, "Cho tôi hỏi: việc này làm ở đâu, cần mang giấy tờ gì?")
        watermark = int(time.time() * 1000)
        what: dict[str, Any] = {"read": {"watermark": watermark}}
        if step.status == "delivered":
            # Facebook leaves the ids out at times; the watermark is what counts
            mids = {} if ord(message.id[-2]) % 4 == 0 else {"mids": [message.id]}
            what = {"delivery": {**mids, "watermark": watermark}}
        return [*posts, *self._event(message.address, what, forged=step.forged)]

    def _event(self, psid: str, what: Mapping[str, Any], forged: bool = False) -> Sequence[Post]:
        url = self.box.store.get(self.name, "webhook") or self.config["SANDBOX_FACEBOOK_WEBHOOK"]
        if not url:
            return ()
        page, now = self.config["SANDBOX_FACEBOOK_PAGE_ID"], int(time.time() * 1000)
        messaging = {"sender": {"id": psid}, "recipient": {"id": page}, "timestamp": now, **what}
        raw = orjson.dumps({"object": "page", "entry": [{"id": page, "time": now, "messaging": [messaging]}]})
        secret = b"forged" if forged else self.config["SANDBOX_FACEBOOK_APP_SECRET"].encode()
        mac = hmac.new(secret, raw, hashlib.sha256).hexdigest()
        return [Post(url, raw, "application/json", [("x-hub-signature-256", f"sha256={mac}")])]

    def set_webhook(self, url: str | None) -> None:
        """Facebook first asks the address to prove itself, by a GET with a challenge."""
        super().set_webhook(url)
        if url:
            mark = "&" if "?" in url else "?"
            token = self.config["SANDBOX_FACEBOOK_VERIFY_TOKEN"]
            query = f"hub.mode=subscribe&hub.verify_token={token}&hub.challenge={secrets.randbelow(10**9)}"
            self.box.callbacks.after(0, Post(f"{url}{mark}{query}", b"", "text/plain", method="GET"))

    # -- citizens
    def new_inbound_id(self, address: str) -> str:
        if address == PAGE:
            raise ValueError("Trang không nhận trả lời ở đây; hãy trả lời trong một cuộc trò chuyện.")
        return "m_" + secrets.token_urlsafe(32)

    def inbound(self, message: Message) -> Sequence[Post]:
        return self._event(message.address, {"message": {"mid": message.id, "text": message.text}})
