"""How stations read local names and abbreviations: entries that operators keep, on top of the project's own.

An entry belongs to a place and holds for its branch; a commune's entry wins over the province's.
"""

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audio import text
from broadcast.models import AuditEntry, Place, Reading, User

_SPOKEN = re.compile(r"[^\W\d_]+(?:[ ,-]+[^\W\d_]+)*")  # words only: what a voice gets has no digit and no symbol


def readings_for(place: Place, readings: Iterable[Reading] | None = None) -> list[Reading]:
    """The entries that hold at a place, one for each written form, the nearest place's."""
    every = Reading.objects.select_related("place") if readings is None else readings
    above = [reading for reading in every if place.path.startswith(reading.place.path)]
    nearest = {reading.written: reading for reading in sorted(above, key=lambda r: len(r.place.path))}
    return sorted(nearest.values(), key=lambda reading: reading.written.lower())


def entries(readings: Iterable[Reading]) -> tuple[text.Entry, ...]:
    return tuple(text.Entry(reading.written, reading.spoken) for reading in readings)


def save(user: User, place: Place, written: str, spoken: str) -> Reading:
    """Add an entry, or change what the place has for it. Raises ValidationError with a sentence."""
    written, spoken = " ".join(written.split()), " ".join(spoken.split()).lower()
    if not written or len(written) > 60 or not written[0].isalnum():
        raise ValidationError(_("Chữ viết phải bắt đầu bằng chữ cái hoặc số, dài tối đa 60 ký tự."), "invalid")
    if len(spoken) > 120 or not _SPOKEN.fullmatch(spoken):
        raise ValidationError(_("Cách đọc viết thành chữ, không có số và ký hiệu. Ví dụ: «quốc lộ ba bảy»."), "invalid")
    with transaction.atomic():
        reading, _new = Reading.objects.update_or_create(
            place=place, written=written, defaults={"spoken": spoken, "changed_by": user}
        )
        AuditEntry.record(user, "reading.save", reading, written=written, spoken=spoken)
    return reading


def remove(user: User, reading: Reading) -> None:
    with transaction.atomic():
        AuditEntry.record(user, "reading.remove", reading, written=reading.written, spoken=reading.spoken)
        reading.delete()


def speak(place: Place, written: str) -> text.Spoken:
    """The spoken words of a text as this place's stations read it."""
    return text.speak(written, entries(readings_for(place)))
