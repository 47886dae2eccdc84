"""Twilio Programmable Messaging, at ``/twilio/2010-04-01``.

From Twilio's OpenAPI description (twilio-oai, api v2010), its documentation of status callbacks and of request
signatures, and its error dictionary. Twilio's magic test numbers (+15005550001 and following) behave as documented.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode

from ..callbacks import Post
from ..gateway import Box, Gateway, Special, Step, reference_of
from ..http import Answer, Reply, Request
from ..phone import E164, parts
from ..store import Message

VERSION = "2010-04-01"
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "YES", "UNSTOP"})
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 _+&-]{1,11}")
_SHORT_CODE = re.compile(r"\d{3,8}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_MESSAGE_PATH = re.compile(r"/Messages/((?:SM|MM)[0-9a-f]{32})\.json")
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_URL_SAFE = "%/:?#[]@!$&'()*+,;=~"
_ERROR_TEXTS = {
    "30003": "Unreachable destination handset",
    "30004": "Message blocked",
    "30005": "Unknown destination handset",
    "30006": "Landline or unreachable carrier",
    "30007": "Message filtered",
    "30008": "Unknown error",
}
_MAGIC_TO = {
    "+15005550001": (21211, "Invalid 'To' Phone Number: {}"),
    "+15005550002": (21612, "Message cannot be sent with the current combination of 'To' ({}) and 'From' parameters"),
    "+15005550003": (
        21408,
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {}",
    ),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number is not a valid mobile number: {}"),
}
_MAGIC_FROM = {
    "+15005550001": (21212, "Invalid From Number (caller ID): {}"),
    "+15005550007": (
        21606,
        "The From phone number {} is not a valid, SMS-capable inbound phone number or short code for your account.",
    ),
    "+15005550008": (21611, "This 'From' number {} has exceeded the maximum number of queued messages"),
}
_ENDINGS_AT_RECEIPT = {"0001": "30005", "0003": "30003", "0004": "30006", "0005": "30007"}


class _Refused(Exception):
    """A request Twilio answers with an error body."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        self.reply = _error(status, code, message)


def _error(status: int, code: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply.json({"code": code, "message": message, "more_info": more, "status": status}, status, headers)


@lru_cache(maxsize=1024)
def _rfc2822(at: int) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC))


def signature(token: str, url: str, form: dict[str, str]) -> str:
    """X-Twilio-Signature: base64 HMAC-SHA1 of the URL followed by the sorted names and values."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


class Twilio(Gateway):
    name = "twilio"
    label = "SMS (Twilio)"
    skin = "sms"
    settings = {
        "SANDBOX_TWILIO_SID": "AC" + "0" * 32,
        "SANDBOX_TWILIO_TOKEN": "0" * 32,
        "SANDBOX_TWILIO_SMS_URL": "",  # where citizens' answers go; see also POST /control/webhooks
    }
    specials = (
        Special("0001", "nhận, rồi báo không tới: số không tồn tại (30005)"),
        Special("0002", "từ chối ngay: người nhận đã huỷ đăng ký (21610)"),
        Special("0003", "nhận, rồi báo không tới: máy tắt, ngoài vùng phủ sóng (30003)"),
        Special("0004", "nhận, rồi báo không tới: số máy bàn (30006)"),
        Special("0005", "nhận, rồi báo không tới: nhà mạng lọc tin (30007)"),
        Special("0006", "từ chối ngay: không phải số di động (21614)"),
        Special("0007", "nhận, báo đã gửi, không bao giờ báo tới máy"),
        Special("0008", "báo tới máy sau 60 giây"),
        Special("0009", "nhận tin rồi trả lời STOP"),
        Special("0010", "nhận tin rồi hỏi lại"),
    )
    finals = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})
    arrived = frozenset({"delivered", "read"})
    default_failure = "30008"
    refusal = "STOP"
    two_way = True

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        pair = f"{self.config['SANDBOX_TWILIO_SID']}:{self.config['SANDBOX_TWILIO_TOKEN']}"
        self._credentials = base64.b64encode(pair.encode())

    # -- requests
    def handle(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        try:
            return self._route(request, path)
        except _Refused as e:
            return e.reply

    def _route(self, request: Request, path: str) -> Answer | Awaitable[Answer]:
        sid = self.config["SANDBOX_TWILIO_SID"]
        root = f"/{VERSION}/Accounts/{sid}"
        if not self._authentic(request):
            raise _Refused(20003, "Authenticate", 401)
        if path == root + ".json":
            return Reply.json(self._account())
        if not path.startswith(root + "/"):
            raise _Refused(20404, f"The requested resource {path} was not found", 404)
        path = path[len(root) :]
        if path == "/Messages.json":
            if request.method == "POST":
                address = request.form.get("To", "")
                return self.send(address, lambda: self._create(request.form))
            return self._list(request)
        if match := _MESSAGE_PATH.fullmatch(path):
            return self._one(request, match[1])
        raise _Refused(20404, f"The requested resource {path} was not found", 404)

    def _authentic(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "basic" and hmac.compare_digest(given.strip().encode(), self._credentials)

    def _account(self) -> dict[str, object]:
        sid = self.config["SANDBOX_TWILIO_SID"]
        return {
            "sid": sid,
            "friendly_name": "Sandbox",
            "status": "active",
            "type": "Full",
            "owner_account_sid": sid,
            "date_created": _rfc2822(1577836800),
            "date_updated": _rfc2822(1577836800),
            "auth_token": "",
            "uri": f"/{VERSION}/Accounts/{sid}.json",
            "subresource_uris": {"messages": f"/{VERSION}/Accounts/{sid}/Messages.json"},
        }

    def _create(self, form: dict[str, str]) -> Reply:
        try:
            message = self._checked(form)
        except _Refused as e:
            return e.reply
        self.accept(message)
        return Reply.json(self._resource(message), 201)

    def _checked(self, form: dict[str, str]) -> Message:
        to, sender, service = form.get("To", ""), form.get("From", ""), form.get("MessagingServiceSid", "")
        if not to:
            raise _Refused(21604, "A 'To' phone number is required.")
        if not E164.fullmatch(to):
            raise _Refused(21211, f"Invalid 'To' Phone Number: {to}")
        if to in _MAGIC_TO:
            code, text = _MAGIC_TO[to]
            raise _Refused(code, text.format(to))
        if not sender and not service:
            raise _Refused(21603, "A 'From' phone number is required.")
        if service and not _SERVICE.fullmatch(service):
            raise _Refused(21701, "The Messaging Service does not exist", 404)
        if sender:
            if sender in _MAGIC_FROM:
                code, text = _MAGIC_FROM[sender]
                raise _Refused(code, text.format(sender))
            if not (E164.fullmatch(sender) or _SHORT_CODE.fullmatch(sender) or _ALPHANUMERIC.fullmatch(sender)):
                code, text = _MAGIC_FROM["+15005550007"]
                raise _Refused(code, text.format(sender))
        body = form.get("Body", "")
        if not body and not form.get("MediaUrl"):
            raise _Refused(21602, "Message body is required.")
        if len(body) > 1600:
            raise _Refused(21617, "The concatenated message body exceeds the 1600 character limit")
        callback = quote(form.get("StatusCallback", ""), safe=_URL_SAFE)
        if callback and not callback.startswith(("http://", "https://")):
            raise _Refused(21609, f"The StatusCallback URL {callback} is not a valid URL.")
        if self.ending(to) == "0002" or self.is_opted_out(to):
            raise _Refused(21610, "Attempt to send to unsubscribed recipient")
        if self.ending(to) == "0006":
            raise _Refused(21614, f"'To' number is not a valid mobile number: {to}")
        data = {"callback": callback, "service": service, "segments": parts(body)}
        send_at = 0.0
        if service and form.get("ScheduleType") == "fixed":
            send_at = self._send_at(form.get("SendAt", ""))
            data["send_at"] = send_at
        return Message(
            self.name,
            "SM" + secrets.token_hex(16),
            to,
            body,
            reference=reference_of(callback, body),
            sender=sender or service,
            status="scheduled" if send_at else "accepted" if service else "queued",
            data=data,
        )

    def _send_at(self, value: str) -> float:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            raise _Refused(35114, "SendAt must be an ISO 8601 date and time") from None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if not timedelta(minutes=5) <= at - datetime.now(UTC) <= timedelta(days=35):
            raise _Refused(35111, "SendAt time must be between 300 seconds and 35 days from now")
        return at.timestamp()

    async def _one(self, request: Request, sid: str) -> Reply:
        message = await self.box.store.find(self.name, sid)
        if message is None or message.data.get("deleted"):
            return _error(404, 20404, f"The requested resource /Messages/{sid}.json was not found")
        if request.method == "GET":
            return Reply.json(self._resource(message))
        if request.method == "DELETE":
            if message.status not in self.finals:
                return _error(409, 20409, "Cannot delete a message that is not in a final state")
            self.box.store.update(message, text="", data={**message.data, "deleted": True})
            return Reply(204)
        if request.form.get("Status") == "canceled":
            if message.status != "scheduled":
                return _error(409, 30409, "This message cannot be canceled")
            self.box.store.update(message, status="canceled")
        elif "Body" in request.form:
            if request.form["Body"]:
                return _error(400, 20001, "Body can only be set to an empty string")
            if message.status not in self.finals:
                return _error(409, 20009, "Cannot redact a message that is not in a final state")
            self.box.store.update(message, text="")
        return Reply.json(self._resource(message))

    async def _list(self, request: Request) -> Reply:
        query = request.query
        try:
            size = min(1000, max(1, int(query.get("PageSize", "50"))))
            page = max(0, int(query.get("Page", "0")))
            since, until = self._date_range(query)
        except ValueError:
            return _error(400, 20001, "Invalid paging or date parameter")
        to, sender = query.get("To"), query.get("From")

        def match(m: Message) -> bool:
            return (
                m.provider == self.name
                and not m.data.get("deleted")
                and (not to or (m.sender if m.inbound else m.address) == to)
                and (not sender or (m.address if m.inbound else m.sender) == sender)
                and since <= m.at < until
            )

        if to and E164.fullmatch(to):
            found = [m for m in reversed(await self.box.store.to(self.name, to)) if match(m)]
        else:
            found = list(self.box.store.newest(match))
        start = page * size
        shown = found[start : start + size]
        root = f"/{VERSION}/Accounts/{self.config['SANDBOX_TWILIO_SID']}/Messages.json"
        kept = {k: v for k, v in parse_qsl(request.query_string) if k not in ("Page", "PageToken", "PageSize")}

        def uri(number: int) -> str:
            return f"{root}?{urlencode({**kept, 'PageSize': size, 'Page': number})}"

        return Reply.json(
            {
                "messages": [self._resource(m) for m in shown],
                "page": page,
                "page_size": size,
                "start": start,
                "end": start + max(0, len(shown) - 1),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "next_page_uri": uri(page + 1) if start + size < len(found) else None,
                "previous_page_uri": uri(page - 1) if page else None,
            }
        )

    @staticmethod
    def _date_range(query: dict[str, str]) -> tuple[float, float]:
        """[since, until) from DateSent, DateSent> (on or after) and DateSent< (on or before), as Unix seconds."""

        def parse(value: str) -> datetime:
            at = datetime.fromisoformat(value)
            return at if at.tzinfo else at.replace(tzinfo=UTC)

        since, until = 0.0, float("inf")
        if value := query.get("DateSent"):  # a day, whatever time it is written with
            day = parse(value).replace(hour=0, minute=0, second=0, microsecond=0)
            since, until = day.timestamp(), (day + timedelta(days=1)).timestamp()
        if value := query.get("DateSent>"):
            since = parse(value).timestamp()
        if value := query.get("DateSent<"):
            until = parse(value).timestamp() + (86_400 if len(value) == len("2026-01-31") else 1)
        return since, until

    def _resource(self, m: Message) -> dict[str, object]:
        sid = self.config["SANDBOX_TWILIO_SID"]
        service = m.data.get("service") or None
        sent = m.inbound or m.status not in ("queued", "accepted", "scheduled", "canceled")
        uri = f"/{VERSION}/Accounts/{sid}/Messages/{m.id}"
        return {
            "account_sid": sid,
            "api_version": VERSION,
            "body": m.text,
            "date_created": _rfc2822(int(m.at)),
            "date_sent": _rfc2822(int(m.data.get("send_at") or m.at)) if sent else None,
            "date_updated": _rfc2822(int(m.changed)),
            "direction": "inbound" if m.inbound else "outbound-api",
            "error_code": int(m.code) if m.code else None,
            "error_message": _ERROR_TEXTS.get(m.code),
            "from": m.address if m.inbound else (None if m.sender == service else m.sender),
            "messaging_service_sid": service,
            "num_media": "0",
            "num_segments": str(m.data.get("segments", 1)),
            "price": None,
            "price_unit": "USD",
            "sid": m.id,
            "status": m.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": m.sender if m.inbound else m.address,
            "uri": f"{uri}.json",
        }

    def rate_limited(self, seconds: float) -> Reply:
        return _error(429, 20429, "Too Many Requests", (("retry-after", f"{seconds:g}"),))

    def server_error(self, status: int) -> Reply:
        return _error(status, 20500, "An internal server error has occurred")

    # -- receipts
    def plan(self, message: Message) -> Sequence[Step]:
        if message.status == "canceled":
            return ()
        delay = max(0.0, float(message.data.get("send_at", 0)) - time.time()) * self.box.speed
        spread = int(message.id[-4:], 16) / 0xFFFF  # 0..1, each message its own
        steps = [Step(delay + 0.3, "sent")]
        ending = self.ending(message.address)
        if code := _ENDINGS_AT_RECEIPT.get(ending):
            steps.append(Step(delay + 1 + spread, "undelivered", code))
        elif ending == "0008":
            steps.append(Step(delay + 60, "delivered"))
        elif ending != "0007":
            steps.append(Step(delay + 0.6 + 2 * spread, "delivered"))
        return steps

    def undelivered(self, step: Step, code: str) -> Step:
        return Step(step.delay, "undelivered", code)

    def report(self, message: Message, step: Step) -> Sequence[Post]:
        if message.status == "canceled":
            return ()
        posts: list[Post] = []
        if step.status == "delivered" and not step.forged and (text := self._spoken(message)):
            message.data["answered"] = True
            posts += self.answered(message.address, text)
        url = message.data["callback"]
        if not url:
            return posts
        form = {
            "AccountSid": self.config["SANDBOX_TWILIO_SID"],
            "ApiVersion": VERSION,
            "From": message.sender,
            "MessageSid": message.id,
            "MessageStatus": step.status,
            "SmsSid": message.id,
            "SmsStatus": step.status,
            "To": message.address,
        }
        if message.data["service"]:
            form["MessagingServiceSid"] = message.data["service"]
            if message.sender == message.data["service"]:
                del form["From"]
        if step.status in ("delivered", "undelivered"):
            form["RawDlrDoneDate"] = datetime.now(UTC).strftime("%y%m%d%H%M")
        if step.code:
            form["ErrorCode"] = step.code
        return [*posts, self._signed(url, form, forged=step.forged)]

    def _spoken(self, message: Message) -> str:
        """What the citizens at the special addresses answer, once to each message."""
        if message.data.get("answered"):
            return ""
        ending = self.ending(message.address)
        if ending == "0009":
            return "STOP"
        if ending == "0010":
            return "Cho tôi hỏi: việc này làm ở đâu, cần mang giấy tờ gì?"
        return ""

    def _signed(self, url: str, form: dict[str, str], forged: bool = False) -> Post:
        token = "f" * 32 if forged else self.config["SANDBOX_TWILIO_TOKEN"]
        headers = [("x-twilio-signature", signature(token, url, form)), ("user-agent", "TwilioProxy/1.1")]
        return Post(url, urlencode(form).encode(), _FORM, headers)

    # -- citizens
    def new_inbound_id(self, address: str) -> str:
        return "SM" + secrets.token_hex(16)

    def inbound(self, message: Message) -> Sequence[Post]:
        word = message.text.strip().upper()
        if word in _STOP:
            self.box.store.put(self.name, f"opted_out {message.address}", True)
        elif word in _START:
            self.box.store.put(self.name, f"opted_out {message.address}", None)
        url = self.box.store.get(self.name, "webhook") or self.config["SANDBOX_TWILIO_SMS_URL"]
        if not url:
            return ()
        form = {
            "AccountSid": self.config["SANDBOX_TWILIO_SID"],
            "ApiVersion": VERSION,
            "Body": message.text,
            "From": message.address,
            "FromCountry": "VN" if message.address.startswith("+84") else "",
            "MessageSid": message.id,
            "NumMedia": "0",
            "NumSegments": str(parts(message.text)),
            "SmsMessageSid": message.id,
            "SmsSid": message.id,
            "SmsStatus": "received",
            "To": message.sender,
        }
        if _SERVICE.fullmatch(message.sender):
            form["MessagingServiceSid"] = message.sender
        if word in _STOP or word in _START:
            form["OptOutType"] = "STOP" if word in _STOP else "START"
        return [self._signed(url, form)]
