"""The receiving end of our own outlets: the adapters `enews_site` and `loudspeaker` publish here.

PUT    /outlets/newsroom/<site>/articles/<reference>    {"title", "body", "summary"?, "language"?, "category"?}
PUT    /outlets/stations/<station>/clips/<reference>    {"title", "audio": {"sha256", "seconds"}, "priority"?,
                                                         "text"?, "not_after"?}
GET    either: what is there now
DELETE either: take it back
GET    /outlets/                                        is this token good?

Bearer token: ``local_token`` of an account of that adapter. A reference names one article or clip for ever, so a
repeat is harmless. 200 and 201 carry the entry, whose ``id`` is the reference; everything else
``{"error": sentence, "code": word}``: 401 no or a wrong token, 403 another channel's account, 404 unknown outlet or
entry, 405, 410 taken back, 413 too large, 415 not JSON, 422 cannot be published as it is.
"""

import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from broadcast.models import Account, Article, Clip, Station
from broadcast.models.accounts import account_of_local_token
from broadcast.newsroom import publish
from broadcast.states import AccountStatus
from broadcast.stations import clips

MOST_BYTES = 1024 * 1024
# A campaign in bulk is no different to a loudspeaker.
_PRIORITY = {"": Clip.Priority.NORMAL, "bulk": Clip.Priority.NORMAL}
_STATUS = {"unknown": 404, "gone": 410}


class _Refused(Exception):
    def __init__(self, status: int, sentence: str, code: str = "refused") -> None:
        self.status, self.sentence, self.code = status, sentence, code


@csrf_exempt
@login_not_required
def root(request: HttpRequest) -> JsonResponse:
    return _answer(request, _root)


@csrf_exempt
@login_not_required
def article(request: HttpRequest, site: str, reference: str) -> JsonResponse:
    return _answer(request, _article, site, reference)


@csrf_exempt
@login_not_required
def clip(request: HttpRequest, station: str, reference: str) -> JsonResponse:
    return _answer(request, _clip, station, reference)


def _answer(request: HttpRequest, handle: Callable[..., JsonResponse], *names: str) -> JsonResponse:
    try:
        return handle(request, *names)
    except _Refused as error:
        response = JsonResponse({"error": error.sentence, "code": error.code}, status=error.status)
    except ValidationError as error:
        code = getattr(error, "code", None) or "invalid"
        response = JsonResponse({"error": error.messages[0], "code": code}, status=_STATUS.get(code, 422))
    if response.status_code == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Loa"'
    if response.status_code == 405:
        response["Allow"] = "GET, PUT, DELETE"
    return response


def _root(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"account": _account(request, "enews_site", "loudspeaker").pk})


def _article(request: HttpRequest, site: str, reference: str) -> JsonResponse:
    account = _account(request, "enews_site")
    contact = publish.outlet(site)
    if contact is None or not account.place.contains(contact.place):
        raise _Refused(404, _("Không có trang tin này trong phạm vi của tài khoản."), "unknown")
    if request.method == "GET":
        found = Article.objects.filter(site=site, reference=reference).first()
        if found is None:
            raise _Refused(404, _("Không có bài này trên trang tin."), "unknown")
        return _article_entry(found, "gone" if found.retracted_at else "published")
    if request.method == "DELETE":
        return _article_entry(publish.retract(site, reference), "gone")
    data = _body(request)
    draft = publish.Draft(
        title=_text(data, "title"),
        body=_text(data, "body"),
        summary=_text(data, "summary"),
        language=_text(data, "language") or "vi",
        category=_text(data, "category") or "notice",
    )
    published, result = publish.publish(site, reference, draft)
    return _article_entry(published, result.value, 201 if result is publish.Result.CREATED else 200)


def _article_entry(article: Article, status: str, http: int = 200) -> JsonResponse:
    url = settings.LOA_URL + reverse("article", args=[article.slug])
    return JsonResponse({"id": article.reference, "url": url, "status": status}, status=http)


def _clip(request: HttpRequest, station: str, reference: str) -> JsonResponse:
    account = _account(request, "loudspeaker")
    desk = Station.objects.filter(code=station).select_related("contact__place").first()
    if desk is None or not account.place.contains(desk.contact.place):
        raise _Refused(404, _("Không có đài truyền thanh này trong phạm vi của tài khoản."), "unknown")
    if request.method == "GET":
        found = desk.clips.filter(reference=reference).first()
        if found is None:
            raise _Refused(404, _("Đài không có bản tin này."), "unknown")
        return _clip_entry(found, "gone" if found.withdrawn_at else "listed")
    if request.method == "DELETE":
        return _clip_entry(clips.withdraw(desk, reference), "gone")
    data = _body(request)
    audio = data.get("audio")
    if not isinstance(audio, dict):
        raise ValidationError(_("Bản tin chưa có âm thanh."), "invalid")
    delivered = clips.Delivered(
        title=_text(data, "title"),
        sha256=_text(audio, "sha256"),
        seconds=_seconds(audio),
        priority=_PRIORITY.get(_text(data, "priority"), _text(data, "priority")),
        text=_text(data, "text"),
        not_after=_moment(data, "not_after"),
    )
    accepted, created = clips.accept(account.pk, desk, reference, delivered)
    return _clip_entry(accepted, "listed", 201 if created else 200)


def _clip_entry(clip: Clip, status: str, http: int = 200) -> JsonResponse:
    def moment(value: datetime | None) -> str | None:
        return value.isoformat() if value else None

    return JsonResponse(
        {
            "id": clip.reference,
            "status": status,
            "downloaded_at": moment(clip.downloaded_at),
            "played_at": moment(clip.played_at),
        },
        status=http,
    )


def _account(request: HttpRequest, *adapters: str) -> Account:
    """The account whose token this is; the method is one we answer."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    pk = account_of_local_token(token.strip()) if scheme.lower() == "bearer" else None
    account = Account.objects.select_related("place").filter(pk=pk).first() if pk is not None else None
    if account is None:
        raise _Refused(401, _("Thiếu mã truy cập, hoặc mã không đúng."), "token")
    if account.adapter not in adapters or account.status == AccountStatus.OFF:
        raise _Refused(403, _("Tài khoản này không được đăng ở đây."), "forbidden")
    if request.method not in ("GET", "PUT", "DELETE"):
        raise _Refused(405, _("Chỉ nhận GET, PUT và DELETE."), "method")
    return account


def _body(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise _Refused(415, _("Nội dung phải là JSON."), "json")
    try:
        declared = int(request.headers.get("Content-Length") or 0)
        raw = request.body if declared <= MOST_BYTES else b" " * (MOST_BYTES + 1)
    except (RequestDataTooBig, ValueError):
        raw = b" " * (MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise _Refused(413, _("Nội dung gửi lên quá lớn (tối đa 1 MB)."), "large")
    try:
        data = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _Refused(422, _("Nội dung không phải là JSON đọc được."), "json") from None
    if not isinstance(data, dict):
        raise _Refused(422, _("Nội dung phải là một đối tượng JSON."), "json")
    return data


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValidationError(_("Mục «%(name)s» phải là chữ."), "invalid", {"name": name})
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise ValidationError(_("Mục «%(name)s» có ký tự hỏng."), "invalid", {"name": name}) from None
    return value.replace("\x00", "")


def _seconds(data: dict[str, Any]) -> float:
    value = data.get("seconds")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValidationError(_("Mục «%(name)s» phải là số."), "invalid", {"name": "seconds"})
    return float(value)


def _moment(data: dict[str, Any], name: str) -> datetime | None:
    value = _text(data, name)
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValidationError(_("Mục «%(name)s» phải là ngày giờ có múi giờ."), "invalid", {"name": name})
    return moment
