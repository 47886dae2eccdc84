"""A station's programme: the week, and the form of one slot."""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broadcast.models import Slot, Station
from broadcast.stations import clips, programme

from ..access import Request
from ..forms import Dressed
from .loa import chosen_station

DAYS = (
    (1, gettext_lazy("Thứ Hai")),
    (2, gettext_lazy("Thứ Ba")),
    (3, gettext_lazy("Thứ Tư")),
    (4, gettext_lazy("Thứ Năm")),
    (5, gettext_lazy("Thứ Sáu")),
    (6, gettext_lazy("Thứ Bảy")),
    (7, gettext_lazy("Chủ Nhật")),
)


class SlotForm(Dressed, forms.ModelForm):
    days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Các ngày"), choices=DAYS, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Slot
        fields = ("title", "kind", "starts", "minutes", "days", "valid_from", "valid_to")
        widgets = {
            "starts": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "minutes": forms.NumberInput(attrs={"min": 1, "max": programme.LONGEST}),
            "valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "valid_to": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }


@require_safe
def week(request: Request) -> HttpResponse:
    """Seven days of slots, and which of them overlap."""
    station = chosen_station(request)
    monday = _monday(request.GET.get("tuan", ""))
    slots = programme.slots_of(station)
    days = [(day, programme.day(slots, day)) for day in (monday + timedelta(days=n) for n in range(7))]
    return render(
        request,
        "loa/programme.html",
        {
            "station": station,
            "days": days,
            "today": timezone.localdate(),
            "usual": not station.slots.exists(),
            "collisions": programme.collisions(slots),
            "before": _page(station, monday - timedelta(days=7)),
            "after": _page(station, monday + timedelta(days=7)),
            "query": "?" + urlencode({"dai": station.code}),
        },
    )


def _monday(text: str) -> date:
    try:
        chosen = date.fromisoformat(text) if text else timezone.localdate()
    except ValueError:
        raise Http404 from None
    if not 2020 <= chosen.year <= 2100:
        raise Http404
    return chosen - timedelta(days=chosen.isoweekday() - 1)


def _page(station: Station, monday: date | None = None) -> str:
    query = {"dai": station.code} | ({"tuan": monday.isoformat()} if monday else {})
    return f"{reverse('loa_programme')}?{urlencode(query)}"


@require_http_methods(["GET", "POST"])
def edit(request: Request, pk: int | None = None) -> HttpResponse:
    if pk is None:
        station = chosen_station(request)
        slot = Slot(station=station, minutes=30, days=[1, 2, 3, 4, 5, 6, 7], valid_from=timezone.localdate())
    else:
        slot = _mine(request, pk)
        station = slot.station
    known = slot.revision if pk else 0
    form = SlotForm(request.POST or None, instance=slot, initial={"revision": known})
    if request.method == "POST" and form.is_valid():
        try:
            programme.save(request.user, form.instance, form.cleaned_data["revision"] or 0)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Đã lưu khung giờ %(slot)s.") % {"slot": slot})
            return redirect(_page(station))
    return render(request, "loa/slot.html", {"form": form, "slot": slot, "station": station, "back": _page(station)})


@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    slot = _mine(request, pk)
    try:
        programme.remove(request.user, slot, int(request.POST.get("revision") or 0))
    except (ValidationError, ValueError) as error:
        messages.error(request, error.messages[0] if isinstance(error, ValidationError) else _("Chưa xoá được."))
    else:
        messages.success(request, _("Đã xoá khung giờ %(slot)s.") % {"slot": slot})
    return redirect(_page(slot.station))


def _mine(request: Request, pk: int) -> Slot:
    return get_object_or_404(Slot.objects.filter(station__in=clips.stations_of(request.user)), pk=pk)
