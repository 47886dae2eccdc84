"""Every state has someone who comes back for it."""

from collections import defaultdict
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from broadcast.delivery.ledger import range_of
from broadcast.models import Batch, Campaign, Content, Delivery, Move
from broadcast.states import BatchStatus, CampaignStatus, Category, Cause, ContentStatus, DeliveryStatus
from channels_adapters.core import registry
from channels_adapters.core.interface import Reason


def sweep() -> int:
    """Free the batches of workers that gave no sign any more; how many.

    What they had under way may have arrived: it becomes *unsure*, or pending again where sending twice is harmless
    (an idempotent provider) or better than never (an emergency).
    """
    with transaction.atomic():
        lost = list(
            Batch.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("content__campaign")
            .filter(status=BatchStatus.LEASED, leased_until__lt=timezone.now())[:100]
        )
        for batch in lost:
            _settle(batch)
        Batch.objects.filter(pk__in=[batch.pk for batch in lost]).update(
            status=BatchStatus.READY, leased_until=None, worker="", due_at=timezone.now()
        )
    return len(lost)


def _settle(batch: Batch) -> None:
    if batch.members is None:
        first, last = range_of(batch.pk)
        rows = Delivery.objects.filter(pk__gte=first, pk__lte=last)
    else:
        rows = Delivery.objects.filter(pk__in=batch.members)
    ids = list(rows.filter(content_id=batch.content_id, status=DeliveryStatus.SENDING).values_list("pk", flat=True))
    may_repeat = (
        registry.get(batch.content.channel).capabilities.idempotent
        or batch.content.campaign.category == Category.EMERGENCY
    )
    to = DeliveryStatus.PENDING if may_repeat else DeliveryStatus.UNSURE
    reason = "" if may_repeat else Reason.LOST_REPLY.value
    Delivery.objects.all().move(Cause.SWEEP, [Move(id, to, reason=reason) for id in ids])


def finish() -> None:
    """Close contents whose batches are all done, and campaigns whose contents are all closed."""
    # One statement, one snapshot: an expansion committed meanwhile is seen with its batches, or not at all.
    unsent = Batch.objects.filter(content_id=OuterRef("pk")).exclude(status=BatchStatus.DONE)
    Content.objects.filter(
        ~Exists(unsent),
        status=ContentStatus.RUNNING,
        campaign__status__in=(CampaignStatus.PREPARING, CampaignStatus.RUNNING),
    ).update(status=ContentStatus.FINISHED)
    states: dict[int, set[str]] = defaultdict(set)
    sending = Content.objects.filter(campaign__status__in=(CampaignStatus.PREPARING, CampaignStatus.RUNNING))
    for campaign_id, status in sending.values_list("campaign_id", "status"):
        states[campaign_id].add(status)
    now = timezone.now()
    for campaign_id, found in states.items():
        if not found & {ContentStatus.RENDERING, ContentStatus.EXPANDING, ContentStatus.WAITING}:
            Campaign.objects.all().move(campaign_id, CampaignStatus.PREPARING, CampaignStatus.RUNNING)
        if found <= {ContentStatus.FINISHED, ContentStatus.STOPPED}:
            Campaign.objects.all().move(campaign_id, CampaignStatus.RUNNING, CampaignStatus.FINISHED, finished_at=now)


def drop_old_partitions(months: int) -> list[str]:
    """Drop whole months of the ledger that are older than ``months``; totals stay. The dropped tables' names."""
    limit = timezone.now().date().replace(day=1) - timedelta(days=31 * months)
    oldest_kept = f"broadcast_delivery_{limit.year}_{limit.month:02}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'broadcast_delivery'::regclass AND c.relname < %s",
            [oldest_kept],
        )
        names = [row[0] for row in cursor.fetchall()]
        for name in names:
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")
    return names
