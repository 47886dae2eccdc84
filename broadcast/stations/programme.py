"""When a station plays: its slots, what falls into them, and the quiet hours.

Circular 39/2020/TT-BTTTT knows three priorities: *thông thường* (the commune picks the hour), *ưu tiên* (the next
slot, ahead of the programme) and *khẩn cấp* (at once, interrupts). Outside 05:00-21:00 nothing but *khẩn cấp* plays:
a commune once woke everybody at 03:15 because of a mistyped hour.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from broadcast.models import AuditEntry, Clip, Slot, Station, User

DAY_BEGINS, DAY_ENDS = time(5, 0), time(21, 0)
LONGEST = 180  # minutes
AHEAD = 14  # days a next slot is looked for
# A station that has not drawn up a programme plays at the hours most communes keep.
USUAL = tuple(
    Slot(
        kind=Slot.Kind.BULLETIN,
        title=gettext_lazy("Giờ phát thường lệ"),
        starts=hour,
        minutes=30,
        days=[1, 2, 3, 4, 5, 6, 7],
        valid_from=date(2020, 1, 1),
    )
    for hour in (time(5, 0), time(17, 0))
)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A slot on one day."""

    slot: Slot
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """When a clip plays. ``at`` is None for one that has no slot before it expires."""

    clip: Clip
    at: datetime | None
    slot: Slot | None = None  # for an urgent one: what it interrupts


def is_quiet(at: datetime) -> bool:
    return not DAY_BEGINS <= timezone.localtime(at).time() < DAY_ENDS


def hour_in_words(at: datetime) -> str:
    """`3 giờ 15 phút đêm`: an hour nobody misreads."""
    local = timezone.localtime(at)
    hour, minute = local.hour, local.minute
    part = next(
        word
        for end, word in (
            (4, _("đêm")),
            (11, _("sáng")),
            (13, _("trưa")),
            (18, _("chiều")),
            (21, _("tối")),
            (24, _("đêm")),
        )
        if hour < end
    )
    shown = hour - 12 if hour > 12 else hour
    if not minute:
        return _("%(hour)d giờ %(part)s") % {"hour": shown, "part": part}
    return _("%(hour)d giờ %(minute)d phút %(part)s") % {"hour": shown, "minute": minute, "part": part}


# -- the calendar -------------------------------------------------------------------------------------------------
def day(slots: Iterable[Slot], on: date) -> list[Occurrence]:
    """What a day holds, in order."""
    found = []
    for slot in slots:
        if on.isoweekday() in slot.days and slot.valid_from <= on and (slot.valid_to is None or on <= slot.valid_to):
            starts = timezone.make_aware(datetime.combine(on, slot.starts))
            found.append(Occurrence(slot, starts, starts + timedelta(minutes=slot.minutes)))
    return sorted(found, key=lambda occurrence: (occurrence.starts, occurrence.slot.pk or 0))


def slots_of(station: Station) -> list[Slot]:
    return list(station.slots.all()) or list(USUAL)


def next_slot(station: Station, now: datetime | None = None) -> datetime | None:
    """The beginning of the station's next slot; None where nothing comes within two weeks."""
    return next((o.starts for o in _coming(slots_of(station), now or timezone.now())), None)


def _coming(slots: list[Slot], now: datetime) -> Iterable[Occurrence]:
    today = timezone.localdate(now)
    for offset in range(AHEAD):
        yield from (o for o in day(slots, today + timedelta(days=offset)) if o.starts > now)


def plan(station: Station, clips: Iterable[Clip], now: datetime | None = None) -> list[Planned]:
    """When each waiting clip plays, in the order of playing."""
    now = now or timezone.now()
    slots = slots_of(station)
    coming = list(_coming(slots, now))
    own = [o for o in coming if o.slot.kind != Slot.Kind.RELAY] or coming
    current = next((o.slot for o in day(slots, timezone.localdate(now)) if o.starts <= now < o.ends), None)
    planned = []
    for clip in clips:
        if clip.priority == Clip.Priority.URGENT:
            planned.append(Planned(clip, now, current))
            continue
        choice = coming if clip.priority == Clip.Priority.PRIORITY else own
        fits = next((o for o in choice if clip.not_after is None or o.starts < clip.not_after), None)
        planned.append(Planned(clip, fits.starts if fits else None, fits.slot if fits else None))
    rank: dict[str, int] = {Clip.Priority.URGENT: 0, Clip.Priority.PRIORITY: 1, Clip.Priority.NORMAL: 2}
    last = now + timedelta(days=AHEAD)
    return sorted(planned, key=lambda p: (rank[p.clip.priority] > 0, p.at or last, rank[p.clip.priority], p.clip.pk))


def collisions(slots: Iterable[Slot]) -> list[tuple[Slot, Slot]]:
    """Pairs that overlap on some day. Shown, not refused: a relay may well be cut short on purpose."""
    ordered = sorted(slots, key=lambda slot: (slot.starts, slot.pk or 0))
    return [(a, b) for i, a in enumerate(ordered) for b in ordered[i + 1 :] if _overlap(a, b)]


def _overlap(a: Slot, b: Slot) -> bool:
    if not set(a.days) & set(b.days):
        return False
    first, last = max(a.valid_from, b.valid_from), min(a.valid_to or date.max, b.valid_to or date.max)
    return first <= last and _minute(b.starts) < _minute(a.starts) + a.minutes


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


# -- edits --------------------------------------------------------------------------------------------------------
def save(user: User, slot: Slot, revision: int = 0) -> Slot:
    """Add a slot, or change the one with this primary key if nobody else did since ``revision``.

    Raises ValidationError with a sentence; codes ``invalid``, ``quiet`` and ``stale``.
    """
    _check(slot)
    with transaction.atomic():
        if slot.pk is None:
            slot.save()
        else:
            fields = ("kind", "title", "starts", "minutes", "days", "valid_from", "valid_to")
            mine = Slot.objects.filter(pk=slot.pk, station=slot.station, revision=revision)
            if not mine.update(revision=revision + 1, **{name: getattr(slot, name) for name in fields}):
                raise ValidationError(
                    _("Người khác vừa sửa khung giờ này. Hãy tải lại trang, xem bản mới rồi sửa."), "stale"
                )
            slot.revision = revision + 1
        AuditEntry.record(user, "slot.save", slot, starts=f"{slot.starts:%H:%M}", minutes=slot.minutes, days=slot.days)
    return slot


def remove(user: User, slot: Slot, revision: int) -> None:
    """Take a slot out of the programme. Code ``stale`` where somebody changed it meanwhile."""
    with transaction.atomic():
        if not Slot.objects.filter(pk=slot.pk, revision=revision).delete()[0]:
            raise ValidationError(_("Người khác vừa sửa khung giờ này. Hãy tải lại trang rồi xoá."), "stale")
        AuditEntry.record(user, "slot.remove", slot, starts=f"{slot.starts:%H:%M}")


def _check(slot: Slot) -> None:
    if not slot.title.strip():
        raise ValidationError(_("Khung giờ chưa có tên."), "invalid")
    if not 1 <= slot.minutes <= LONGEST:
        raise ValidationError(_("Một khung giờ dài từ 1 đến %(most)s phút."), "invalid", {"most": LONGEST})
    if not slot.days or not set(slot.days) <= set(range(1, 8)):
        raise ValidationError(_("Hãy chọn ít nhất một ngày trong tuần."), "invalid")
    if slot.valid_to is not None and slot.valid_to < slot.valid_from:
        raise ValidationError(_("Ngày cuối phải sau ngày đầu."), "invalid")
    if slot.starts < DAY_BEGINS or _minute(slot.starts) + slot.minutes > _minute(DAY_ENDS):
        at = timezone.make_aware(datetime.combine(slot.valid_from, slot.starts))
        raise ValidationError(
            _("%(hour)s là ngoài giờ phát. Từ 21 giờ đến 5 giờ sáng loa chỉ phát tin khẩn cấp."),
            "quiet",
            {"hour": hour_in_words(at)},
        )
