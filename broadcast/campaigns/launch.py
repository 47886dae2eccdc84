"""Send now or at a time, pause, resume, cancel."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from broadcast.campaigns import Refused
from broadcast.campaigns.approve import _get, _move, digest, require
from broadcast.delivery import fanout
from broadcast.delivery.receipts import requeue
from broadcast.delivery.stop import cancel_pending
from broadcast.models import AuditEntry, Campaign, Delivery, Move, Trouble, User
from broadcast.states import CampaignStatus, Cause, ContentStatus, DeliveryStatus
from channels_adapters.core import registry

_S = CampaignStatus


def send_now(user: User, campaign_id: int) -> Campaign:
    """Launch an approved campaign. Launching twice is refused the second time."""
    campaign = _get(campaign_id)
    require(user, campaign, "send")
    return _launch(user, campaign, (_S.APPROVED, _S.SCHEDULED))


def schedule(user: User, campaign_id: int, at: datetime) -> Campaign:
    campaign = _get(campaign_id)
    require(user, campaign, "send")
    if at <= timezone.now():
        raise Refused(_("Giờ gửi đã qua. Hãy chọn một giờ sau lúc này."), code="past_date")
    if campaign.deadline_at and at >= campaign.deadline_at:
        raise Refused(_("Giờ gửi muộn hơn hạn của tin."), code="past_date")
    _move(campaign, _S.APPROVED, _S.SCHEDULED, send_at=at, launched_by=user)
    AuditEntry.record(user, "campaign.schedule", campaign, at=at.isoformat())
    return _get(campaign_id)


def unschedule(user: User, campaign_id: int) -> Campaign:
    campaign = _get(campaign_id)
    require(user, campaign, "send")
    _move(campaign, _S.SCHEDULED, _S.APPROVED, send_at=None)
    AuditEntry.record(user, "campaign.unschedule", campaign)
    return _get(campaign_id)


def launch_due() -> int:
    """Launch what is scheduled for now or earlier; how many were launched."""
    due = Campaign.objects.filter(status=_S.SCHEDULED, send_at__lte=timezone.now()).select_related(
        "place", "audience", "launched_by"
    )
    launched = 0
    for campaign in due:
        try:
            _launch(campaign.launched_by, campaign, _S.SCHEDULED)
            launched += 1
        except Refused:
            continue  # another tick was first, or a person stopped it meanwhile
    return launched


def _launch(user: User, campaign: Campaign, start) -> Campaign:
    with transaction.atomic():
        now = timezone.now()
        if campaign.deadline_at and campaign.deadline_at <= now:
            raise Refused(_("Tin đã quá hạn, nên không gửi nữa."), code="past_date")
        _move(campaign, start, _S.PREPARING, launched_by=user, launched_at=now)
        # Approved content is frozen by the states; this finds what got around them.
        if digest(campaign) != campaign.approved_digest:
            raise Refused(_("Nội dung đã khác với bản được duyệt. Hãy trình duyệt lại."), code="changed")
        place_ids = campaign.audience.place_ids()
        for content in campaign.contents.all():
            capabilities = registry.get(content.channel).capabilities
            fanout.begin(content, place_ids)
            content.status = ContentStatus.RENDERING if capabilities.needs_audio else ContentStatus.EXPANDING
            content.save(update_fields=["status", "chunks", "chunks_done"])
        AuditEntry.record(user, "campaign.launch", campaign)
    return _get(campaign.pk)


def pause(user: User, campaign_id: int) -> Campaign:
    """No new sends from now on; what is in flight is finished."""
    campaign = _get(campaign_id)
    require(user, campaign, "cancel")
    _move(campaign, (_S.PREPARING, _S.RUNNING), _S.PAUSED)
    AuditEntry.record(user, "campaign.pause", campaign)
    return _get(campaign_id)


def resume(user: User, campaign_id: int) -> Campaign:
    campaign = _get(campaign_id)
    require(user, campaign, "send")
    _move(campaign, _S.PAUSED, _S.RUNNING)
    AuditEntry.record(user, "campaign.resume", campaign)
    return _get(campaign_id)


def cancel(user: User, campaign_id: int) -> Campaign:
    """Nothing more goes out. What was sent stays sent; what waits is cancelled."""
    campaign = _get(campaign_id)
    require(user, campaign, "cancel")
    with transaction.atomic():
        _move(campaign, tuple(s for s in _S if s not in (_S.FINISHED, _S.CANCELLED)), _S.CANCELLED)
        cancel_pending(campaign.pk)
        AuditEntry.record(user, "campaign.cancel", campaign)
    return _get(campaign_id)


def retry_failed(user: User, campaign_id: int, reasons: Iterable[str]) -> int:
    """A new round for those that failed or expired for the chosen reasons; how many go again."""
    campaign = _get(campaign_id)
    require(user, campaign, "send")
    with transaction.atomic():
        chosen = dict(
            Trouble.objects.filter(
                content__campaign=campaign, status=DeliveryStatus.FAILED, reason__in=list(reasons)
            ).values_list("delivery_id", "content_id")
        )
        moved = Delivery.objects.all().move(Cause.PERSON, [Move(id, DeliveryStatus.PENDING) for id in chosen])
        if not moved:
            return 0
        requeue({id: chosen[id] for id in moved}, dict.fromkeys(moved, 0.0))
        AuditEntry.record(user, "campaign.retry", campaign, n=len(moved), reasons=sorted(reasons))
    return len(moved)


def settle_unsure(user: User, campaign_id: int, delivery_ids: Iterable[int], *, resend: bool) -> int:
    """A person decides what nobody knows: send again, or take it as sent. How many were settled."""
    campaign = _get(campaign_id)
    require(user, campaign, "send")
    with transaction.atomic():
        chosen = dict(
            Trouble.objects.filter(
                content__campaign=campaign, status=DeliveryStatus.UNSURE, delivery_id__in=list(delivery_ids)
            ).values_list("delivery_id", "content_id")
        )
        to = DeliveryStatus.PENDING if resend else DeliveryStatus.SENT
        moved = Delivery.objects.all().move(Cause.PERSON, [Move(id, to) for id in chosen])
        if resend and moved:
            requeue({id: chosen[id] for id in moved}, dict.fromkeys(moved, 0.0))
        AuditEntry.record(user, "campaign.settle", campaign, n=len(moved), resend=resend)
    return len(moved)
