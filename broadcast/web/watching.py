"""The live page's figures, as its templates want them."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from broadcast.delivery.progress import ChannelFigures, Figures, PlaceFigures, Snapshot, snapshot
from broadcast.models import Campaign, Place
from broadcast.states import ContentStatus

from . import words
from .lists import capabilities, label
from .words import FAMILY_ICONS, Text

TILE_WIDTH, TILE_HEIGHT, GAP = 92, 44, 3
SHADES = ((95, "m5"), (90, "m4"), (85, "m3"), (80, "m2"), (0, "m1"))


@dataclass(frozen=True, slots=True)
class ChannelRow:
    channel: str
    label: Text
    icon: str
    figures: Figures
    shares: dict[str, int]
    receipts: bool
    word: words.Word
    stopped: str  # why, where a provider or a person stopped this channel


@dataclass(slots=True)
class TroubleRow:
    reason: str
    n: int
    words: words.Trouble
    channels: list[Text] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tile:
    name: str  # without its kind, as the map writes it
    x: int
    y: int
    percent: int = 0
    shade: str = ""
    place: PlaceFigures | None = None  # None: not in this campaign


@dataclass(frozen=True, slots=True)
class View:
    """Everything the fragments show."""

    campaign: Campaign
    snapshot: Snapshot
    channels: list[ChannelRow]
    troubles: list[TroubleRow]
    shares: dict[str, int]
    tiles: list[Tile]
    outside: list[Tile]
    map_width: int
    map_height: int

    @property
    def figures(self) -> Figures:
        return self.snapshot.figures

    @property
    def lost(self) -> int:
        return self.figures.failed + self.figures.expired

    @property
    def stages(self) -> list[tuple[str, str]]:
        """The scale of the map: class and words."""
        return [
            ("m1", _("dưới 80%")),
            ("m2", "80–84%"),
            ("m3", "85–89%"),
            ("m4", "90–94%"),
            ("m5", _("từ 95%")),
        ]


def view(campaign: Campaign) -> View:
    shot = snapshot(campaign)
    channels = [_channel(c) for c in shot.by_channel]
    shares = {kind: sum(row.shares[kind] for row in channels) for kind in ("ok", "run", "bad", "wait", "off")}
    tiles = [_tile(place) for place in shot.by_place if place.tile]
    outside = _outside(campaign, {place.place_id for place in shot.by_place}) if tiles else []
    return View(
        campaign,
        shot,
        channels,
        _troubles(shot),
        shares,
        tiles,
        outside,
        max((tile.x for tile in tiles + outside), default=0) + TILE_WIDTH,
        max((tile.y for tile in tiles + outside), default=0) + TILE_HEIGHT,
    )


def _channel(c: ChannelFigures) -> ChannelRow:
    return ChannelRow(
        c.channel,
        label(c.channel),
        FAMILY_ICONS[capabilities(c.channel).family],
        c.figures,
        words.shares(c.figures, sent_is_final=not c.receipts),
        c.receipts,
        words.CONTENT[c.status],
        c.status_reason if c.status == ContentStatus.STOPPED else "",
    )


def _troubles(shot: Snapshot) -> list[TroubleRow]:
    rows: dict[str, TroubleRow] = {}
    for c in shot.by_channel:
        for reason, n in c.reasons.items():
            row = rows.setdefault(reason, TroubleRow(reason, 0, words.trouble(reason)))
            row.n += n
            row.channels.append(label(c.channel))
    return sorted(rows.values(), key=lambda row: -row.n)


def _tile(place: PlaceFigures) -> Tile:
    figures = place.figures
    percent = 100 * figures.gone_out // figures.total if figures.total else 0
    shade = next(shade for least, shade in SHADES if percent >= least)
    return Tile(_short(place.name), *_spot(*(place.tile or (1, 1))), percent, shade, place)


def _outside(campaign: Campaign, inside: set[int]) -> list[Tile]:
    """The province's other tiles, so that the map keeps its outline."""
    root = campaign.place.path[: Place.steplen]
    others = Place.objects.current().filter(path__startswith=root, tile_column__isnull=False).exclude(pk__in=inside)
    named = others.values_list("name", "tile_column", "tile_row")
    return [Tile(_short(name), *_spot(column, row)) for name, column, row in named]


def _spot(column: int, row: int) -> tuple[int, int]:
    return (column - 1) * (TILE_WIDTH + GAP), (row - 1) * (TILE_HEIGHT + GAP)


def _short(name: str) -> str:
    return name.removeprefix("Xã ").removeprefix("Phường ").removeprefix("Thị trấn ")


def fragments(shown: View, *, places: bool = True) -> str:
    """The parts of the page that change, each with the id of what it replaces."""
    names = ["live/now.html", "live/figures.html", "live/troubles.html"] + (["live/places.html"] if places else [])
    return "".join(render_to_string(name, {"live": shown, "campaign": shown.campaign}) for name in names)
