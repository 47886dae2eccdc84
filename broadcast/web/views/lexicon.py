"""How a station reads names and abbreviations: look, try out, correct, hear."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audio.bulletin import shared_voice
from audio.errors import AudioError
from broadcast.models import Reading, Station
from broadcast.stations import bulletins, clips, lexicon

from ..access import Request
from .loa import chosen_station

LONGEST_TRIAL = 300  # characters


def _page(station: Station) -> str:
    return f"{reverse('loa_lexicon')}?{urlencode({'dai': station.code})}"


@require_http_methods(["GET", "POST"])
def lexicon_page(request: Request) -> HttpResponse:
    """The entries that hold here, a form for one more, and a line to try out (`thu`)."""
    station = chosen_station(request)
    place = station.contact.place
    trial = request.GET.get("thu", "")[:LONGEST_TRIAL]
    context: dict[str, Any] = {"written": "", "spoken": "", "error": ""}
    if request.method == "POST":
        context |= {name: request.POST.get(name, "") for name in ("written", "spoken")}
        try:
            saved = lexicon.save(request.user, place, context["written"], context["spoken"])
        except ValidationError as error:
            context["error"] = error.messages[0]
        else:
            messages.success(request, _("Từ nay «%(written)s» đọc là «%(spoken)s».") % vars(saved))
            return redirect(_page(station))
    context |= {
        "station": station,
        "place": place,
        "readings": lexicon.readings_for(place),
        "trial": trial,
        "said": lexicon.speak(place, trial) if trial.strip() else None,
        "query": "?" + urlencode({"dai": station.code}),
        "listen": f"{reverse('loa_lexicon_audio')}?{urlencode({'dai': station.code, 'thu': trial})}",
    }
    return render(request, "loa/lexicon.html", context)


@require_POST
def lexicon_remove(request: Request, pk: int) -> HttpResponse:
    """Only entries of the operator's own communes; the province's are the province's."""
    own = [station.contact.place_id for station in clips.stations_of(request.user)]
    reading = get_object_or_404(Reading.objects.filter(place__in=own), pk=pk)
    lexicon.remove(request.user, reading)
    messages.success(request, _("Đã bỏ cách đọc riêng của «%(written)s».") % {"written": reading.written})
    return redirect("loa_lexicon")


@require_safe
@cache_control(private=True, no_cache=True)
def lexicon_audio(request: Request) -> HttpResponse:
    """The line tried out, in the station's voice (the built-in one where that is not installed)."""
    station = chosen_station(request)
    said = lexicon.speak(station.contact.place, request.GET.get("thu", "")[:LONGEST_TRIAL])
    if not said.sentences:
        raise Http404
    sentence = " ".join(said.sentences)
    try:
        sound = shared_voice(station.voice or bulletins.LAST_RESORT).synthesise(sentence)
    except AudioError:
        sound = shared_voice(bulletins.LAST_RESORT).synthesise(sentence)
    return HttpResponse(sound.wav(), content_type="audio/wav")
