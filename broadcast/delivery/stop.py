"""Cancel what waits."""

from broadcast.delivery.ledger import range_of
from broadcast.models import Batch, Content, Delivery, Move
from broadcast.states import BatchStatus, Cause, ContentStatus, DeliveryStatus


def cancel_pending(campaign_id: int) -> int:
    """Cancel every delivery of the campaign that has not left; how many. Call in a transaction.

    Batches a worker holds are left to it: its next claim finds the campaign stopped, ``cancel_rest`` takes the rest.
    """
    cancelled = 0
    ready = Batch.objects.select_for_update(skip_locked=True).filter(
        content__campaign_id=campaign_id, status=BatchStatus.READY
    )
    for batch in ready.iterator(chunk_size=200):
        rows = Delivery.objects.filter(content_id=batch.content_id, status=DeliveryStatus.PENDING)
        if batch.members is None:
            first, last = range_of(batch.pk)
            rows = rows.filter(pk__gte=first, pk__lte=last)
        else:
            rows = rows.filter(pk__in=batch.members)
        moves = [Move(id, DeliveryStatus.CANCELLED) for id in rows.values_list("pk", flat=True)]
        cancelled += len(Delivery.objects.all().move(Cause.GATE, moves))
        Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.DONE)
    Content.objects.filter(campaign_id=campaign_id).exclude(status=ContentStatus.FINISHED).update(
        status=ContentStatus.STOPPED
    )
    return cancelled


def cancel_rest() -> None:
    """Cancel what workers gave back after their campaign was cancelled."""
    for campaign_id in (
        Batch.objects.filter(status=BatchStatus.READY, content__campaign__status="cancelled")
        .values_list("content__campaign_id", flat=True)
        .distinct()
    ):
        cancel_pending(campaign_id)
