"""What templates need besides Django's own tags. Built in: no ``{% load %}`` is necessary."""

import functools
from datetime import datetime, timedelta
from importlib.resources import files
from xml.etree import ElementTree
from zipfile import ZipFile

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from . import words

register = template.Library()

_SVG = "{http://www.w3.org/2000/svg}"


@functools.cache
def _drawing(name: str) -> str:
    """The shapes of a Lucide icon. Raises KeyError for a name Lucide does not have."""
    with files("lucide").joinpath("lucide.zip").open("rb") as packed, ZipFile(packed) as archive:
        svg = ElementTree.fromstring(archive.read(f"{name}.svg"))  # noqa: S314 - from our own installed package
    for node in svg.iter():
        node.tag = node.tag.removeprefix(_SVG)
    return "".join(ElementTree.tostring(node, encoding="unicode").strip() for node in svg)


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An inline icon, hidden from screen readers: the word always stands beside it."""
    shapes = mark_safe(_drawing(str(name)))  # noqa: S308 - from our own installed package
    return format_html('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>', f"i {css}".strip(), shapes)


# -- figures and times ------------------------------------------------------------------------------------------
@register.filter
def dong(amount: int | None) -> str:
    """Money: 12.880.000 đ."""
    return f"{number_format(amount or 0, use_l10n=True, force_grouping=True)}\u00a0đ"


@register.filter
def share(part: int, whole: int) -> str:
    """One number as a share of another: 86,8%. Nothing of nothing is 0%; never 100% while something is missing."""
    value = 100 * part / whole if whole else 0.0
    digits = 0 if value in (0.0, 100.0) or (10 <= value < 99 and value.is_integer()) else 1
    value = min(value, 99.9) if part != whole else value
    return f"{number_format(round(value, digits), digits, use_l10n=True)}%"


@register.filter
def clock(moment: datetime | None) -> str:
    """06:30 today, 06:30 ngày 15/9/2026 otherwise."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    today = timezone.localdate()
    time = date_format(local, "H:i")
    if local.date() == today:
        return gettext("%(time)s hôm nay") % {"time": time}
    if local.date() == today + timedelta(days=1):
        return gettext("%(time)s ngày mai") % {"time": time}
    if local.date() == today - timedelta(days=1):
        return gettext("%(time)s hôm qua") % {"time": time}
    return gettext("%(time)s ngày %(date)s") % {"time": time, "date": date_format(local, "j/n/Y")}


@register.filter
def day_word(moment: datetime) -> str:
    """The day of a moment: hôm nay, ngày mai, 15/9."""
    day = timezone.localdate(moment)
    if day == timezone.localdate():
        return gettext("hôm nay")
    if day == timezone.localdate() + timedelta(days=1):
        return gettext("ngày mai")
    return date_format(day, "j/n")


@register.filter
def lower_first(text: object) -> str:
    """For a sentence that goes on after a number. Abbreviations keep their capitals."""
    text = str(text)
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


@register.filter
def finished_share(counts: dict[str, int]) -> int:
    """Whole percent of what needs nothing more, for the live page's announcements."""
    whole = sum(counts.values())
    return 100 * (whole - counts["wait"] - counts["run"]) // whole if whole else 0


@register.filter
def duration(seconds: float | None) -> str:
    """A length of time in words: 47 giây, 6 phút, 1 giờ 5 phút."""
    seconds = round(seconds or 0)
    if seconds < 60:
        return ngettext("%(n)d giây", "%(n)d giây", seconds) % {"n": seconds}
    minutes = round(seconds / 60)
    if minutes < 60:
        return ngettext("%(n)d phút", "%(n)d phút", minutes) % {"n": minutes}
    hours, minutes = divmod(minutes, 60)
    text = ngettext("%(n)d giờ", "%(n)d giờ", hours) % {"n": hours}
    return f"{text} {ngettext('%(n)d phút', '%(n)d phút', minutes) % {'n': minutes}}" if minutes else text


@register.filter
def length_in_words(seconds: float | None) -> str:
    """A recording's length, exact: 2 phút 5 giây."""
    minutes, rest = divmod(round(seconds or 0), 60)
    words_of_rest = ngettext("%(n)d giây", "%(n)d giây", rest) % {"n": rest}
    if not minutes:
        return words_of_rest
    words_of_minutes = ngettext("%(n)d phút", "%(n)d phút", minutes) % {"n": minutes}
    return f"{words_of_minutes} {words_of_rest}" if rest else words_of_minutes


@register.filter
def minutes(seconds: float | None) -> str:
    """A recording's length as players write it: 2:05."""
    whole, rest = divmod(round(seconds or 0), 60)
    return f"{whole}:{rest:02}"


@register.filter
def initials(name: object) -> str:
    """Two letters for the round badge: Nguyễn Thị Hạnh is NH."""
    parts = str(name).split()
    return (parts[0][:1] + parts[-1][:1] if len(parts) > 1 else str(name)[:2]).upper()


# -- states -----------------------------------------------------------------------------------------------------
@register.simple_tag
def badge(word: "words.Word") -> SafeString:
    """A status: icon, word and colour together."""
    return format_html('<span class="st {}">{}{}</span>', word.tone, icon(word.icon), word.text)


@register.simple_tag
def campaign_badge(status: str) -> SafeString:
    return badge(words.CAMPAIGN[status])


@register.simple_tag
def progress_bar(figures, css: str = "") -> SafeString:
    """Delivered, sending, failed, waiting, always in this order. ``figures``: counts, or their shares (see words).

    Drawn in SVG with plain attributes, since the content security policy forbids inline styles.
    """
    counts = figures if isinstance(figures, dict) else words.shares(figures)
    whole = sum(counts.values()) or 1
    x, pieces = 0.0, []
    for kind in ("ok", "run", "bad"):
        if counts[kind]:
            width = max(100 * counts[kind] / whole, 0.8)
            pieces.append((kind, f"{x:.3f}%", f"{width:.3f}%"))
            x += width
    named = zip(words.SHARE_LABELS, counts.values(), strict=False)
    label = ", ".join(f"{text} {share(count, whole)}" for text, count in named if count)
    rects = format_html_join("", '<rect class="{}" x="{}" width="{}" height="100%"/>', pieces)
    return format_html(
        '<svg class="pg {}" role="img" aria-label="{}"><rect class="wait" width="100%" height="100%"/>{}</svg>',
        css,
        label or gettext("Chưa có tin nào"),
        rects,
    )


@register.simple_tag
def segment_bar(segments: list[tuple[int, int]]) -> SafeString:
    """How full each part of an SMS is; the third part and later ones in the colour of a warning."""
    each = 100 / max(1, len(segments))
    rects = format_html_join(
        "",
        '<rect class="wait" x="{0}%" width="{1}%" height="100%"/>'
        '<rect class="{3}" x="{0}%" width="{2}%" height="100%"/>',
        (
            (f"{i * each:.2f}", f"{each - 0.8:.2f}", f"{(each - 0.8) * full / 100:.2f}", "over" if i > 1 else "ok")
            for full, i in segments
        ),
    )
    return format_html('<svg class="segs" aria-hidden="true">{}</svg>', rects)
