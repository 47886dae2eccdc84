"""The ledger: one row per recipient and channel, and the batches that are the queue.

A delivery's id tells where it lives: ``month << 40 | batch << 9 | position``, so

- retention drops a month's partition instead of deleting rows, and a look-up by id touches one partition;
- a batch of 512 *is* a range of ids: workers lease batches in a small table and reach deliveries by primary
  key. No index mentions a delivery's status, so every change of status is a heap-only update.

Counts on pages come from ``Counter`` rows, fed by ``CounterDelta`` rows that are written in the same statement
as the moves they count. What a person must look through (failed, unsure) is listed in ``Trouble``, likewise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from broadcast.states import (
    CAMPAIGN_SENDING,
    CONTENT_SENDING,
    DELIVERY_MOVES,
    BatchStatus,
    Cause,
    DeliveryStatus,
    Lane,
)

from .campaigns import Content

POSITION_BITS = 9
BATCH_SIZE = 1 << POSITION_BITS
MONTH_BITS = 40
FIRST_YEAR = 2020


def month_number(day: date) -> int:
    return (day.year - FIRST_YEAR) * 12 + day.month - 1


def ensure_partitions(months: int = 2, today: date | None = None) -> None:
    """Create the partitions of this month and the following ones where they are missing."""
    start = month_number(today or datetime.now(UTC).date())
    with connection.cursor() as cursor:
        for month in range(start, start + months):
            year, index = divmod(month, 12)
            name = f"broadcast_delivery_{FIRST_YEAR + year}_{index + 1:02}"
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0] is None:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('delivery-partitions'))")
                cursor.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF broadcast_delivery "
                    f"FOR VALUES FROM ({month << MONTH_BITS}) TO ({(month + 1) << MONTH_BITS}) "
                    # Half-empty pages keep updates heap-only; vacuum early, for the rows change three times a day.
                    "WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, "
                    "autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.05)"
                )


@dataclass(frozen=True, slots=True)
class Move:
    """One wished change of a delivery. Fields left at their default keep what the row has."""

    id: int
    to: int
    reason: str = ""
    code: str = ""
    provider_id: str = ""
    account_id: int | None = None
    parts: int = 0
    cost: int = 0
    at: datetime | None = None  # when it happened there; now if unknown


def _arrows(cause: Cause) -> str:
    return ",".join(f"({int(start)},{int(to)})" for start, to in sorted(DELIVERY_MOVES[cause]))


def _names(states: Iterable[str]) -> str:
    return ",".join(f"'{state!s}'" for state in states)


_REPORTED = ",".join(str(int(s)) for s in (DeliveryStatus.FAILED, DeliveryStatus.UNSURE))

# A column of defaults travels as an empty array: unnest fills the shorter ones with NULL.
_MOVE = """
WITH wished AS (
    SELECT id, target, COALESCE(reason, '') AS reason, COALESCE(code, '') AS code,
           COALESCE(provider_id, '') AS provider_id, account_id, COALESCE(parts, 0) AS parts,
           COALESCE(cost, 0) AS cost, COALESCE(at, now()) AS at
    FROM unnest(
        %(id)s::bigint[], %(to)s::smallint[], %(reason)s::text[], %(code)s::text[], %(provider_id)s::text[],
        %(account_id)s::bigint[], %(parts)s::smallint[], %(cost)s::integer[], %(at)s::timestamptz[]
    ) AS w(id, target, reason, code, provider_id, account_id, parts, cost, at)
){{before}}, moved AS (
    UPDATE broadcast_delivery d SET
        status = w.target,
        reason = w.reason,
        code = CASE WHEN w.code <> '' THEN w.code ELSE d.code END,
        provider_id = CASE WHEN w.target = {sending} THEN '' WHEN w.provider_id <> '' THEN w.provider_id
                           ELSE d.provider_id END,
        account_id = COALESCE(w.account_id, d.account_id),
        parts = CASE WHEN w.parts > 0 THEN w.parts ELSE d.parts END,
        cost = CASE WHEN w.cost > 0 THEN w.cost ELSE d.cost END,
        attempts = d.attempts + (w.target = {sending})::int,
        sent_at = CASE WHEN w.target IN ({gone_out}) THEN COALESCE(d.sent_at, w.at) ELSE d.sent_at END,
        final_at = CASE WHEN w.target IN ({pending}, {sending}, {unsure}) THEN NULL ELSE w.at END
    FROM {{source}}
    WHERE d.id = w.id AND {{arrow}}{{extra}}
    RETURNING d.id, d.content_id, d.place_id, {{old}}, d.status, d.reason
), counted AS (
    INSERT INTO broadcast_counterdelta (content_id, place_id, status, reason, n)
    SELECT content_id, place_id, status, reason, sum(n) FROM (
        SELECT content_id, place_id, status, CASE WHEN status IN ({reported}) THEN reason ELSE '' END AS reason, 1 AS n
        FROM moved
        UNION ALL
        SELECT content_id, place_id, old_status, CASE WHEN old_status IN ({reported}) THEN old_reason ELSE '' END, -1
        FROM moved
    ) AS change
    GROUP BY content_id, place_id, status, reason HAVING sum(n) <> 0
), listed AS (
    INSERT INTO broadcast_trouble (delivery_id, content_id, place_id, status, reason, at)
    SELECT id, content_id, place_id, status, reason, now() FROM moved WHERE status IN ({reported})
    ON CONFLICT (delivery_id) DO UPDATE SET status = EXCLUDED.status, reason = EXCLUDED.reason, at = EXCLUDED.at
), unlisted AS (
    DELETE FROM broadcast_trouble WHERE delivery_id IN (
        SELECT id FROM moved WHERE old_status IN ({reported}) AND status NOT IN ({reported}))
)
SELECT id FROM moved
""".format(
    sending=int(DeliveryStatus.SENDING),
    pending=int(DeliveryStatus.PENDING),
    unsure=int(DeliveryStatus.UNSURE),
    gone_out=",".join(str(int(s)) for s in (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ)),
    reported=_REPORTED,
)


_BEFORE = """, before AS (
    SELECT d.id, d.status, d.reason FROM broadcast_delivery d
    WHERE d.id = ANY(%(id)s::bigint[]) ORDER BY d.id FOR UPDATE
)"""
_EXTRA = {
    # A pause, a stop or a cancelled campaign takes effect with the next claim. Wants a parameter `content`.
    Cause.CLAIM: f"""
    AND EXISTS (SELECT FROM broadcast_content c JOIN broadcast_campaign k ON k.id = c.campaign_id
                WHERE c.id = %(content)s AND c.status IN ({_names(CONTENT_SENDING)})
                AND k.status IN ({_names(CAMPAIGN_SENDING)}))""",
    # A receipt counts only from the account that sent, and if it names a provider's id only for the attempt that
    # got this id: a late report of an earlier attempt must not undo a newer one.
    Cause.RECEIPT: """
    AND (w.provider_id = '' OR d.provider_id = '' OR d.provider_id = w.provider_id)
    AND (w.account_id IS NULL OR d.account_id IS NULL OR d.account_id = w.account_id)""",
}


def move_statement(cause: Cause, start: DeliveryStatus | None = None) -> str:
    """The one statement that writes a delivery's status; for whoever holds a connection of their own.

    ``start``: only deliveries that are there now. What they were is known then, so no row has to be locked and read
    before it is written: half the work, for the two moves every message makes.
    """
    if start is None:
        return _MOVE.format(
            before=_BEFORE,
            source="wished w JOIN before b USING (id)",
            arrow=f"(b.status, w.target) IN ({_arrows(cause)})",
            old="b.status AS old_status, b.reason AS old_reason",
            extra=_EXTRA.get(cause, ""),
        )
    targets = ",".join(str(int(to)) for begin, to in sorted(DELIVERY_MOVES[cause]) if begin == start)
    return _MOVE.format(
        before="",
        source="wished w",
        arrow=f"d.status = {int(start)} AND w.target IN ({targets})",
        old=f"{int(start)} AS old_status, '' AS old_reason",  # neither pending nor sending is counted by reason
        extra=_EXTRA.get(cause, ""),
    )


def move_parameters(moves: Sequence[Move]) -> dict[str, str]:
    """Arrays as PostgreSQL reads them: psycopg takes ten times as long to write them value by value."""
    return {
        "id": _numbers([m.id for m in moves]),
        "to": "{" + ",".join([str(int(m.to)) for m in moves]) + "}",
        "reason": _texts([m.reason for m in moves]),
        "code": _texts([m.code[:40] for m in moves]),
        "provider_id": _texts([m.provider_id for m in moves]),
        "account_id": _numbers([m.account_id for m in moves]),
        "parts": _numbers([m.parts for m in moves]),
        "cost": _numbers([m.cost for m in moves]),
        "at": _texts([m.at.isoformat() if m.at else None for m in moves]),
    }


def _numbers(values: Sequence[int | None]) -> str:
    if not any(values):
        return "{}"
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _texts(values: Sequence[str | None]) -> str:
    if not any(values):
        return "{}"
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


class DeliveryQuerySet(models.QuerySet):
    def move(self, cause: Cause, moves: Iterable[Move]) -> set[int]:
        """Compare-and-set of many statuses at once; the ids that really moved.

        ``moves`` name each delivery at most once. Counters and the list of troubles follow in the same statement.
        """
        moves = list(moves)
        if not moves:
            return set()
        with connection.cursor() as cursor:
            cursor.execute(move_statement(cause), move_parameters(moves))
            return {row[0] for row in cursor.fetchall()}


class Delivery(models.Model):
    """References are plain numbers: rows are written by the million, and their targets outlive them."""

    id = models.BigIntegerField(primary_key=True)
    campaign_id = models.BigIntegerField()
    content_id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    address_id = models.BigIntegerField()
    place_id = models.IntegerField()
    account_id = models.BigIntegerField(null=True)
    status = models.SmallIntegerField(choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.SmallIntegerField(default=0)
    parts = models.SmallIntegerField(default=0)
    cost = models.IntegerField(default=0)  # đồng
    reason = models.CharField(max_length=24, default="", blank=True)  # interface.Reason
    code = models.CharField(max_length=40, default="", blank=True)  # the provider's own
    provider_id = models.CharField(max_length=80, default="", blank=True)
    sent_at = models.DateTimeField(null=True)
    final_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("lượt gửi")
        verbose_name_plural = _("lượt gửi")
        indexes = [models.Index(fields=["contact_id"], name="delivery_contact")]

    def __str__(self):
        return f"{self.pk}"


class Batch(models.Model):
    """Work: a range of 512 delivery ids, or the listed ``members`` of a retry. The lease is on the batch."""

    id = models.BigIntegerField(primary_key=True)
    content = models.ForeignKey(Content, models.CASCADE, related_name="batches")
    lane = models.SmallIntegerField(choices=Lane.choices)
    status = models.SmallIntegerField(choices=BatchStatus.choices, default=BatchStatus.READY)
    members = ArrayField(models.BigIntegerField(), null=True)  # delivery ids of a retry; null: the range of `id`
    size = models.SmallIntegerField()
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, default="", blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["content", "due_at"], name="batch_ready", condition=models.Q(status=0)),
            models.Index(fields=["leased_until"], name="batch_leased", condition=models.Q(status=1)),
            models.Index(fields=["content", "id"], name="batch_content"),
        ]


class CounterDelta(models.Model):
    """A change of a count, written with the moves it counts and folded into ``Counter`` by the tick."""

    content_id = models.BigIntegerField()
    place_id = models.IntegerField()
    status = models.SmallIntegerField()
    reason = models.CharField(max_length=24, default="")
    n = models.IntegerField()


class Counter(models.Model):
    content = models.ForeignKey(Content, models.CASCADE, related_name="counters")
    place_id = models.IntegerField()
    status = models.SmallIntegerField(choices=DeliveryStatus.choices)
    reason = models.CharField(max_length=24, default="")
    n = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["content", "place_id", "status", "reason"], name="counter_once")]


class Trouble(models.Model):
    """A delivery that failed or is unsure, so that a page can list them without reading the ledger."""

    delivery_id = models.BigIntegerField(primary_key=True)
    content = models.ForeignKey(Content, models.CASCADE, related_name="troubles")
    place_id = models.IntegerField()
    status = models.SmallIntegerField(choices=DeliveryStatus.choices)
    reason = models.CharField(max_length=24)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["content", "reason", "-at"], name="trouble_content_reason")]
