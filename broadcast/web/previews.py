"""A campaign as citizens and approvers will see it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from broadcast.campaigns import approve, estimate
from broadcast.delivery.work import account_for
from broadcast.models import Account, Campaign, Content, Place, Reading
from channels_adapters.core.interface import Estimate, Rendered

from .lists import capabilities, label
from .words import FAMILY_ICONS, FAMILY_ORDER, Text


@dataclass(frozen=True, slots=True)
class Mark:
    """A channel in a list: its name and icon."""

    channel: str
    label: Text
    icon: str


@dataclass(slots=True)
class Preview:
    content: Content
    label: Text
    icon: str
    family: str
    account: Account | None
    rendered: Rendered | None = None
    estimate: Estimate | None = None
    problem: str = ""  # why it cannot be rendered
    spoken: list[str] = field(default_factory=list)  # sentences as the voice will say them
    doubts: list[str] = field(default_factory=list)

    @property
    def html(self) -> str:
        from broadcast.newsroom.text import to_html

        return to_html(self.rendered.text) if self.rendered else ""


def order(contents) -> list[Content]:
    return sorted(contents, key=lambda c: (FAMILY_ORDER.index(capabilities(c.channel).family), c.channel))


def mark(channel: str) -> Mark:
    return Mark(channel, label(channel), FAMILY_ICONS[capabilities(channel).family])


def marks(campaign: Campaign) -> list[Mark]:
    return [mark(content.channel) for content in order(campaign.contents.all())]


def of(campaign: Campaign) -> list[Preview]:
    return [one(content) for content in order(campaign.contents.all())]


def one(content: Content) -> Preview:
    """``content`` need not be saved."""
    family = capabilities(content.channel).family
    shown = Preview(content, label(content.channel), FAMILY_ICONS[family], family, account_for(content))
    if not content.body.strip():
        shown.problem = _("Chưa có nội dung.")
        return shown
    try:
        shown.rendered, shown.estimate = estimate.preview(content)
    except ValueError as error:
        shown.problem = str(error)
        return shown
    if capabilities(content.channel).needs_audio:
        from audio.bulletin import preview
        from broadcast.stations.bulletins import script_for

        try:
            # With the title and the place's own readings, as it will be read.
            spoken = preview(script_for(content, None, Reading.objects.select_related("place")))
        except ValueError as error:
            shown.problem = str(error)
            return shown
        shown.spoken = list(spoken.sentences)
        shown.doubts = [f"{doubt.written} → {doubt.spoken}" for doubt in spoken.doubts]
    return shown


@dataclass(frozen=True, slots=True)
class AudienceView:
    places: list[Place]
    excluded: list[Place]
    units: int  # communes and wards in the chosen branches


def audience(campaign: Campaign) -> AudienceView:
    if campaign.audience is None:
        return AudienceView([], [], 0)
    places = list(campaign.audience.places.order_by("sort_key"))
    excluded = list(campaign.audience.excluded.order_by("sort_key"))
    kinds = (Place.Kind.COMMUNE, Place.Kind.WARD, Place.Kind.TOWN)
    units = Place.objects.filter(pk__in=campaign.audience.place_ids(), kind__in=kinds).count()
    return AudienceView(places, excluded, units)


# -- what changed -----------------------------------------------------------------------------------------------
Piece = tuple[str, str]  # "same", "ins" or "del", and the text


@dataclass(frozen=True, slots=True)
class Change:
    label: Text
    pieces: list[Piece]


def diff(before: str, after: str) -> list[Piece]:
    """Word by word, spaces kept."""
    old, new = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (before, after))
    pieces: list[Piece] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(("same", "".join(new[k:m])))
            continue
        if i < j:
            pieces.append(("del", "".join(old[i:j])))
        if k < m:
            pieces.append(("ins", "".join(new[k:m])))
    return pieces


def changes(campaign: Campaign) -> list[Change] | None:
    """What is different from the version submitted before this one; None where there was none."""
    before = approve.seen_before(campaign)
    if before is None:
        return None
    now = approve.seen(campaign)
    found = []
    if before["title"] != now["title"]:
        found.append(Change(_("Tên chiến dịch"), diff(before["title"], now["title"])))
    old = {channel: parts for channel, *parts in before["contents"]}
    new = {channel: parts for channel, *parts in now["contents"]}
    for channel in sorted(old.keys() | new.keys()):
        was, is_now = (_whole(texts.get(channel)) for texts in (old, new))
        if was != is_now:
            found.append(Change(label(channel), diff(was, is_now)))
    if (before["places"], before["excluded"]) != (now["places"], now["excluded"]):
        found.append(Change(_("Địa bàn"), diff(_names(before["places"]), _names(now["places"]))))
    return found


def _whole(parts: list | None) -> str:
    subject, summary, body, *_options = parts or ["", "", ""]
    return "\n".join(text for text in (subject, summary, body) if text)


def _names(ids: list[int]) -> str:
    return ", ".join(Place.objects.filter(pk__in=ids).order_by("sort_key").values_list("name", flat=True))
