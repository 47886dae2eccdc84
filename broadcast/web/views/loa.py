"""The loudspeaker operator's phone page, and what it needs to work without a network."""

import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from broadcast.models import Clip, Station
from broadcast.models.text import fold
from broadcast.newsroom.text import slug
from broadcast.stations import clips, programme, store

from .. import feeds, sound
from ..access import Request

MOST_EVENTS = 500
MOST_BUNDLE = 200 * 1024 * 1024
_WORKER = Path(__file__).resolve().parent.parent / "static/loa/operator-worker.js"


def _stations(request: Request) -> tuple[list[Station], Station | None]:
    """All stations of this operator, and the one the address asks for (the first if none). Raises Http404."""
    mine = list(clips.stations_of(request.user))
    code = request.GET.get("dai", "")
    chosen = next((station for station in mine if station.code == code), None) if code else next(iter(mine), None)
    if code and chosen is None:
        raise Http404
    return mine, chosen


def chosen_station(request: Request) -> Station:
    _mine, chosen = _stations(request)
    if chosen is None:
        raise Http404
    return chosen


@never_cache
@require_safe
def today(request: Request) -> HttpResponse:
    """Today's list; urgent first, what is done last."""
    mine, station = _stations(request)
    if station is None:
        return render(request, "loa/none.html")
    listed = list(clips.todays(station))
    for clip in listed:
        path = store.locate(clip.sha256)
        clip.bytes = path.stat().st_size if path.exists() else 0
    now = timezone.now()
    waiting = [clip for clip in listed if not (clip.played_at or clip.missed_at or clip.withdrawn_at)]
    planned = programme.plan(station, waiting, now)
    context = {
        "stations": mine,
        "station": station,
        "now": timezone.localtime(now),
        "quiet": programme.hour_in_words(now) if programme.is_quiet(now) else "",
        "slot": programme.next_slot(station, now),
        "waiting": waiting,
        "urgent": [item for item in planned if item.clip.priority == Clip.Priority.URGENT],
        "rest": [item for item in planned if item.clip.priority != Clip.Priority.URGENT],
        "played": [clip for clip in listed if clip.played_at and not clip.withdrawn_at],
        "missed": [clip for clip in listed if clip.missed_at and not clip.withdrawn_at],
        "withdrawn": [clip for clip in listed if clip.withdrawn_at],
        "feed": settings.LOA_URL + reverse("station_feed", args=[station.feed_token]),
        "query": "?" + urlencode({"dai": station.code}),
    }
    return render(request, "loa/today.html", context)


@require_safe
@cache_control(private=True, no_cache=True)
def audio(request: Request, pk: int) -> HttpResponse:
    """A clip, only for the operators of its station. Fetching it whole is the receipt «downloaded»."""
    clip = get_object_or_404(clips.clips_of(request.user).filter(withdrawn_at=None), pk=pk)
    served = sound.serve(request, clip.sha256, _file_name(clip), attachment="tai" in request.GET)
    if served.whole:
        clips.downloaded(clip)
    return served.response


def _file_name(clip: Clip) -> str:
    """`0512-lich-tiem-phong.mp3`: sorts by arrival, plain letters for old amplifiers' displays."""
    return f"{timezone.localtime(clip.created_at):%m%d}-{clip.pk}-{slug(clip.title)[:60]}.mp3"


@require_safe
def bundle(request: Request) -> HttpResponse:
    """Everything that waits to be played, in one file for a memory stick."""
    station = chosen_station(request)
    listed = [clip for clip in _waiting(station) if store.locate(clip.sha256).exists()]
    if not listed:
        messages.warning(request, _("Không có bản tin nào chờ phát."))
        return redirect(_page(station))
    if sum(store.locate(clip.sha256).stat().st_size for clip in listed) > MOST_BUNDLE:
        messages.error(request, _("Các bản tin quá lớn để gói chung. Hãy tải từng bản."))
        return redirect(_page(station))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # MP3 does not shrink
        for number, clip in enumerate(listed, 1):
            archive.write(store.locate(clip.sha256), f"{number:02}-{_file_name(clip)}")
    for clip in listed:
        clips.downloaded(clip)
    response = HttpResponse(packed.getvalue(), content_type="application/zip")
    name = f"loa-{fold(station.code)}-{timezone.localdate():%Y%m%d}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
def playlist(request: Request) -> HttpResponse:
    """For a player on the commune's network: addresses with the station's own token, for players cannot log in."""
    station = chosen_station(request)
    listed = [
        (clip, request.build_absolute_uri(reverse("station_audio", args=[station.feed_token, clip.pk])))
        for clip in _waiting(station)
    ]
    return feeds.m3u(listed, f"loa-{fold(station.code)}.m3u")


def _waiting(station: Station):
    return clips.todays(station).filter(played_at=None, missed_at=None, withdrawn_at=None)


def _page(station: Station) -> str:
    return f"{reverse('loa')}?{urlencode({'dai': station.code})}"


# -- reports ------------------------------------------------------------------------------------------------------
@require_POST
def report(request: Request) -> HttpResponse:
    """«Đã phát» and «không phát được».

    From the form of one clip: ``clip``, ``event`` (played, missed), ``time`` (HH:MM) and ``reason``.
    As JSON, from a phone that queued them: ``{"events": [{"clip", "event", "at" (ISO 8601), "reason"?}]}``, answered
    by ``{"results": [{"clip", "event", "ok", "error"?}]}`` in the same order.
    """
    if request.content_type == "application/json":
        return _report_queue(request)
    clip = clips.clips_of(request.user).filter(pk=_number(request.POST.get("clip"))).first()
    if clip is None:
        raise Http404
    try:
        _apply(request, clip, request.POST.get("event"), _clock(request.POST.get("time", "")), request.POST)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect(_page(clip.station))


def _report_queue(request: Request) -> JsonResponse:
    try:
        events = json.loads(request.body)["events"]
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        return JsonResponse({"error": _("Báo cáo gửi lên không đọc được.")}, status=400)
    if len(events) > MOST_EVENTS:
        return JsonResponse({"error": _("Quá nhiều báo cáo trong một lần gửi.")}, status=413)
    mine = clips.clips_of(request.user).in_bulk({_number(event.get("clip")) for event in events})
    results = []
    for event in events:
        result = {"clip": event.get("clip"), "event": event.get("event"), "ok": True}
        try:
            clip = mine.get(_number(event.get("clip")))
            if clip is None:
                raise ValidationError(_("Bản tin này không còn trong danh sách của bạn."))
            _apply(request, clip, event.get("event"), _moment(event.get("at")), event)
        except ValidationError as error:
            result |= {"ok": False, "error": error.messages[0]}
        results.append(result)
    return JsonResponse({"results": results})


def _apply(request: Request, clip: Clip, event: object, at: datetime, more) -> None:
    if event == "played":
        clips.played(request.user, clip, at)
    elif event == "missed":
        clips.missed(request.user, clip, at, str(more.get("reason") or ""))
    else:
        raise ValidationError(_("Không rõ báo cáo này nói gì."))


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValidationError(_("Giờ phát không đọc được."))
    return moment


def _clock(text: str) -> datetime:
    """HH:MM of the last 24 hours; now if nothing is given."""
    now = timezone.localtime()
    if not text:
        return now
    try:
        hour = datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise ValidationError(_("Giờ phát phải có dạng 17:05.")) from None
    at = now.replace(hour=hour.hour, minute=hour.minute, second=0, microsecond=0)
    return at if at <= now + clips.SKEW else at - timedelta(days=1)


# -- the installed page -------------------------------------------------------------------------------------------
@login_not_required
@require_safe
def worker(request: Request) -> HttpResponse:
    """The service worker; served from here because its address sets its scope."""
    response = HttpResponse(_WORKER.read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@login_not_required
@require_safe
def manifest(request: Request) -> JsonResponse:
    icon = {"src": static("loa/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    return JsonResponse(
        {
            "id": reverse("loa"),
            "name": _("Loa – bản tin truyền thanh"),
            "short_name": "Loa",
            "lang": "vi",
            "start_url": reverse("loa"),
            "scope": reverse("loa"),
            "display": "standalone",
            "background_color": "#F6F5F0",
            "theme_color": "#0E3228",
            "icons": [icon],
        },
        content_type="application/manifest+json",
    )
