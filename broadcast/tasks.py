"""Celery entry points: load, call one service, nothing else.

The tick finds due work in the database every second; ``nudge`` only saves its waiting time. Every task may run twice
at once, or not at all, without harm.
"""

from datetime import timedelta

from asgiref.sync import async_to_sync
from celery import shared_task
from celery.signals import worker_process_shutdown
from channels.layers import get_channel_layer
from django.db import transaction
from django.utils import timezone

from broadcast.campaigns import launch
from broadcast.delivery import dispatch as dispatching
from broadcast.delivery import fanout, progress, receipts, stop, sweeper
from broadcast.models import Account, Batch, Campaign, Content, InboxItem, Trouble
from broadcast.models.deliveries import ensure_partitions
from broadcast.states import (
    CAMPAIGN_SENDING,
    AccountStatus,
    BatchStatus,
    ContentStatus,
    DeliveryStatus,
)
from broadcast.stations import bulletins

STEP = timedelta(seconds=20)  # a task gives way after so long and goes on with the next tick
DISPATCHERS = 2  # wake-up calls per tick; idle processes answer, busy ones let them expire


def nudge() -> None:
    """Look for work as soon as the current transaction is committed."""
    transaction.on_commit(lambda: tick.apply_async(expires=2, ignore_result=True))


@shared_task
def tick() -> None:
    launch.launch_due()
    sending = Content.objects.filter(campaign__status__in=CAMPAIGN_SENDING)
    for pk in sending.filter(status=ContentStatus.RENDERING).values_list("pk", flat=True):
        render_clips.apply_async((pk,), expires=1)
    for pk in sending.filter(status=ContentStatus.EXPANDING).values_list("pk", flat=True):
        expand.apply_async((pk,), expires=1)
    if Batch.objects.filter(status=BatchStatus.READY, due_at__lte=timezone.now()).exists():
        for _ in range(DISPATCHERS):
            dispatch.apply_async(expires=1)
    if InboxItem.objects.filter(error="").exists():
        apply_callbacks.apply_async(expires=1)
    progress.fold()
    sweeper.finish()
    publish_progress()


@shared_task
def sweep() -> None:
    sweeper.sweep()
    stop.cancel_rest()
    receipts.unpark()
    if Trouble.objects.filter(status=DeliveryStatus.UNSURE).exists():
        for pk in Account.objects.filter(status=AccountStatus.ACTIVE).values_list("pk", flat=True):
            settle.apply_async((pk,), expires=4)


@shared_task
def housekeeping() -> None:
    ensure_partitions()


@shared_task
def expand(content_id: int) -> None:
    fanout.expand(content_id, until=timezone.now() + STEP)


@shared_task
def dispatch() -> None:
    dispatching.engine().work(STEP.total_seconds())


@shared_task
def apply_callbacks() -> None:
    until = timezone.now() + STEP
    while receipts.drain() and timezone.now() < until:
        pass
    for account_id, asked in receipts.to_confirm().items():
        queries = [query for queries in asked.values() for query in queries]
        receipts.confirmed(account_id, asked, dispatching.engine().settle(account_id, queries))


@shared_task
def settle(account_id: int) -> None:
    """Ask the provider about messages nobody knows the fate of."""
    if messages := receipts.unsure_to_look_up(account_id):
        receipts.record(account_id, dispatching.engine().settle(account_id, messages))


@shared_task
def render_clips(content_id: int) -> None:
    if bulletins.prepare(content_id):
        Content.objects.filter(pk=content_id, status=ContentStatus.RENDERING).update(status=ContentStatus.EXPANDING)
        nudge()


def publish_progress() -> None:
    """One message per campaign for all who watch it."""
    recently = timezone.now() - timedelta(seconds=5)
    watched = Campaign.objects.filter(status__in=CAMPAIGN_SENDING) | Campaign.objects.filter(finished_at__gte=recently)
    layer = get_channel_layer()
    for campaign in watched:
        event = {"type": "progress", "snapshot": progress.snapshot(campaign).as_json()}
        async_to_sync(layer.group_send)(f"campaign_{campaign.pk}", event)


@worker_process_shutdown.connect
def _finish_in_flight(**_kwargs) -> None:
    dispatching.stop_engine()
