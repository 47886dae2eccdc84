"""From an audience to rows of the ledger, set-based, exactly once.

A content is expanded in chunks; the number of chunks done moves in the transaction that writes their rows, so a
crash repeats nothing and loses nothing. Chunks are ranges of the sealed address: sealing scatters addresses evenly,
and all rows that share an address fall into the same chunk, so de-duplication never crosses a border.
"""

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from broadcast.audience.selection import recipients_sql
from broadcast.models import Contact, Content, vault
from broadcast.models.deliveries import BATCH_SIZE, MONTH_BITS, POSITION_BITS, ensure_partitions, month_number
from broadcast.states import CAMPAIGN_SENDING, ContentStatus
from channels_adapters.core import registry

# Rows a transaction writes, at most. Each chunk reads the audience anew, so few and large ones are fast; the first two
# are small, so that sending begins at once.
CHUNK = 500_000
_WEIGHTS = (0.01, 0.1, 1.0)  # of the first, the second and every later chunk

_EXPAND = """
WITH chosen AS MATERIALIZED (
    -- In the order of contacts: rows that are read together later lie together.
    SELECT row_number() OVER (ORDER BY r.contact_id) - 1 AS n, r.contact_id, r.address_id, r.place_id
    FROM ({recipients}) AS r
), size AS (
    SELECT count(*)::int AS total FROM chosen
), numbered AS MATERIALIZED (
    SELECT array_agg(%(month)s::bigint << {batch_shift} | nextval('broadcast_batch_number')) AS ids
    FROM generate_series(1, (SELECT (total + {last}) / {batch} FROM size))
), placed AS (
    INSERT INTO broadcast_delivery (id, campaign_id, content_id, contact_id, address_id, place_id)
    SELECT (numbered.ids[n / {batch} + 1] << {position}) + n %% {batch},
           %(campaign)s, %(content)s, contact_id, address_id, place_id
    FROM chosen, numbered
), queued AS (
    INSERT INTO broadcast_batch (id, content_id, lane, status, size, due_at, worker)
    SELECT numbered.ids[k], %(content)s, %(lane)s, 0,
           least({batch}, total - (k - 1) * {batch}), %(due)s, ''
    FROM size, numbered, generate_series(1, (total + {last}) / {batch}) AS k
), counted AS (
    INSERT INTO broadcast_counterdelta (content_id, place_id, status, reason, n)
    SELECT %(content)s, place_id, 0, '', count(*) FROM chosen GROUP BY place_id
)
SELECT total FROM size
"""


def chunk_bounds(chunks_per_key: int) -> list[tuple[bytes, bytes | None]]:
    """Ranges of sealed addresses, lower bound included, that cover every key version."""
    weights = [_WEIGHTS[min(n, 2)] for n in range(chunks_per_key)]
    edges = [sum(weights[:n]) / sum(weights) for n in range(chunks_per_key)]
    borders = [
        bytes([version]) + round(65536 * edge).to_bytes(2, "big") for version in vault.versions() for edge in edges
    ]
    return list(zip([b"", *borders[1:]], [*borders[1:], None], strict=True))


def begin(content: Content, place_ids: list[int]) -> None:
    """Fix how many chunks the expansion of this content has. Called once, when the campaign is launched."""
    # Contacts are quickly counted, and close enough to the recipients.
    most = Contact.objects.filter(place_id__in=place_ids).count()
    small = sum(1 for weight in _WEIGHTS[:2] if most > weight * CHUNK)
    content.chunks = 1 + small + (max(0, most - CHUNK) // CHUNK if small == 2 else 0)
    content.chunks_done = 0


def expand(content_id: int, until: datetime | None = None) -> bool:
    """Write the content's remaining chunks, one transaction each. False if time ran out before the last."""
    while True:
        with transaction.atomic():
            content = (
                Content.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("campaign", "campaign__audience")
                .filter(pk=content_id, status=ContentStatus.EXPANDING, campaign__status__in=CAMPAIGN_SENDING)
                .first()
            )
            if content is None:
                return True  # someone else is at it, or it is done
            bounds = chunk_bounds(content.chunks)
            if content.chunks_done < len(bounds):
                _expand_chunk(content, *bounds[content.chunks_done])
                content.chunks_done += 1
            if content.chunks_done == len(bounds):
                content.status = ContentStatus.RUNNING
            content.save(update_fields=["chunks_done", "status"])
        if content.status == ContentStatus.RUNNING:
            return True
        if until is not None and timezone.now() >= until:
            return False


def _expand_chunk(content: Content, lo: bytes, hi: bytes | None) -> int:
    campaign = content.campaign
    capabilities = registry.get(content.channel).capabilities
    now = timezone.now()
    ensure_partitions(1, now.date())
    statement = _EXPAND.format(
        recipients=recipients_sql(capabilities.reach),
        batch=BATCH_SIZE,
        last=BATCH_SIZE - 1,
        position=POSITION_BITS,
        batch_shift=MONTH_BITS - POSITION_BITS,
    )
    with connection.cursor() as cursor:
        # A large chunk is joined and sorted in memory, from tables read end to end: visiting half a million rows one
        # by one through an index takes three times as long, though each page may be in memory.
        cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL random_page_cost = 4")
        cursor.execute(
            statement,
            {
                "place_ids": campaign.audience.place_ids(),
                "kind": capabilities.address_kind,
                "lo": lo,
                "hi": hi,
                "month": month_number(now.date()),
                "campaign": campaign.pk,
                "content": content.pk,
                "lane": campaign.lane,
                "due": now,
            },
        )
        return cursor.fetchone()[0]
