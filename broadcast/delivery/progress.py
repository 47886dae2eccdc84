"""Totals without counting: counter rows, their pending changes, and what the live page shows."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.db import connection
from django.utils import timezone

from broadcast.models import Campaign, Place
from broadcast.states import CAMPAIGN_OPEN, DeliveryStatus
from channels_adapters.core import registry

_FOLD = """
WITH taken AS (
    DELETE FROM broadcast_counterdelta WHERE id IN (
        SELECT id FROM broadcast_counterdelta ORDER BY id LIMIT 50000)
    RETURNING content_id, place_id, status, reason, n
)
INSERT INTO broadcast_counter (content_id, place_id, status, reason, n)
SELECT content_id, place_id, status, reason, sum(n) FROM taken
GROUP BY content_id, place_id, status, reason HAVING sum(n) <> 0
ON CONFLICT (content_id, place_id, status, reason) DO UPDATE SET n = broadcast_counter.n + EXCLUDED.n
"""
_COUNTS = """
SELECT content_id, place_id, status, reason, sum(n)::bigint FROM (
    SELECT content_id, place_id, status, reason, n FROM broadcast_counter WHERE content_id = ANY(%(ids)s)
    UNION ALL
    SELECT content_id, place_id, status, reason, n FROM broadcast_counterdelta WHERE content_id = ANY(%(ids)s)
) AS c GROUP BY content_id, place_id, status, reason HAVING sum(n) <> 0
"""


def fold() -> None:
    """Add the collected changes to the counter rows. One at a time; a second caller leaves at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('loa-fold'))")
        if not cursor.fetchone()[0]:
            return
        try:
            cursor.execute(_FOLD)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('loa-fold'))")


@dataclass(slots=True)
class Figures:
    """How many deliveries are where. They add up to ``total``."""

    pending: int = 0
    sending: int = 0
    sent: int = 0  # the provider took it; for channels without receipts the last word
    delivered: int = 0
    read: int = 0
    failed: int = 0
    unsure: int = 0
    cancelled: int = 0
    expired: int = 0

    def add(self, status: int, n: int) -> None:
        name = DeliveryStatus(status).name.lower()
        setattr(self, name, getattr(self, name) + n)

    @property
    def total(self) -> int:
        return sum(asdict(self).values())

    @property
    def reached(self) -> int:
        return self.delivered + self.read

    @property
    def gone_out(self) -> int:
        return self.sent + self.reached

    @property
    def under_way(self) -> int:
        return self.pending + self.sending


@dataclass(slots=True)
class ChannelFigures:
    content_id: int
    channel: str
    label: str
    status: str
    status_reason: str
    receipts: bool  # False: "sent" is all this channel can tell
    figures: Figures = field(default_factory=Figures)
    reasons: dict[str, int] = field(default_factory=dict)  # of failed and unsure


@dataclass(slots=True)
class PlaceFigures:
    place_id: int
    name: str
    tile: tuple[int, int] | None  # column, row of the tile map
    figures: Figures = field(default_factory=Figures)


@dataclass(slots=True)
class Snapshot:
    campaign_id: int
    status: str
    at: datetime
    figures: Figures
    by_channel: list[ChannelFigures]
    by_place: list[PlaceFigures]
    rate: float  # messages per second since the launch
    seconds_left: float | None

    @property
    def done(self) -> bool:
        return self.status not in CAMPAIGN_OPEN

    def as_json(self) -> dict:
        """Plain data for the live page: the figures of the campaign and of each channel and place."""
        figures = lambda f: {**asdict(f), "total": f.total, "reached": f.reached}  # noqa: E731
        return {
            "campaign": self.campaign_id,
            "status": self.status,
            "at": self.at.isoformat(),
            "rate": round(self.rate, 1),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            "figures": figures(self.figures),
            "channels": [
                {
                    "content": c.content_id,
                    "channel": c.channel,
                    "status": c.status,
                    "reasons": c.reasons,
                    **figures(c.figures),
                }
                for c in self.by_channel
            ],
            "places": [{"place": p.place_id, **figures(p.figures)} for p in self.by_place],
        }


def snapshot(campaign: Campaign) -> Snapshot:
    """Three queries, whatever the size of the campaign."""
    channels = {
        content.pk: ChannelFigures(
            content.pk,
            content.channel,
            str(registry.get(content.channel).capabilities.label),
            content.status,
            content.status_reason,
            registry.get(content.channel).capabilities.receipts != "none",
        )
        for content in campaign.contents.order_by("pk")
    }
    places: dict[int, Figures] = defaultdict(Figures)
    total = Figures()
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"ids": list(channels)})
        for content_id, place_id, status, reason, n in cursor.fetchall():
            total.add(status, n)
            channels[content_id].figures.add(status, n)
            places[place_id].add(status, n)
            if reason:
                reasons = channels[content_id].reasons
                reasons[reason] = reasons.get(reason, 0) + n
    order = [adapter.name for adapter in registry.all_adapters()]
    named = Place.objects.filter(pk__in=places).only("pk", "name", "sort_key", "tile_column", "tile_row")
    rate, left = _pace(campaign, total)
    return Snapshot(
        campaign.pk,
        campaign.status,
        timezone.now(),
        total,
        sorted(channels.values(), key=lambda c: order.index(c.channel)),
        [
            PlaceFigures(
                place.pk,
                place.name,
                None if place.tile_column is None else (place.tile_column, place.tile_row),
                places[place.pk],
            )
            for place in sorted(named, key=lambda place: place.sort_key)
        ],
        rate,
        left,
    )


def _pace(campaign: Campaign, figures: Figures) -> tuple[float, float | None]:
    if campaign.launched_at is None:
        return 0.0, None
    seconds = max(1.0, ((campaign.finished_at or timezone.now()) - campaign.launched_at).total_seconds())
    rate = (figures.total - figures.under_way) / seconds
    return rate, (figures.under_way / rate if rate and figures.under_way else None)
