"""Submitted by one officer, approved by another. What was approved is frozen."""

import hashlib
import json
from typing import Any

import rules
from django.utils import timezone
from django.utils.translation import gettext as _

from broadcast.campaigns import Refused
from broadcast.models import AuditEntry, Campaign, Role, User
from broadcast.states import CampaignStatus

_S = CampaignStatus
# Which roles may do what, at the campaign's place or above it.
_ROLES = {
    "view": tuple(Role),
    "edit": (Role.WRITER,),
    "submit": (Role.WRITER,),
    "approve": (Role.APPROVER,),
    "send": (Role.SENDER, Role.APPROVER),
    "cancel": (Role.SENDER, Role.APPROVER, Role.WRITER),
}


def _holds(action: str):
    @rules.predicate(name=f"may_{action}")
    def holds(user: User, campaign: Campaign) -> bool:
        if not user.is_authenticated or not user.is_active:
            return False
        return user.is_superuser or user.has_role(campaign.place, *_ROLES[action])

    return holds


for _action in _ROLES:
    rules.set_rule(f"campaign.{_action}", _holds(_action))


def may(user: User, campaign: Campaign, action: str) -> bool:
    """``action``: view, edit, submit, approve, send, cancel. Says nothing about the campaign's status."""
    if not rules.test_rule(f"campaign.{action}", user, campaign):
        return False
    # Four eyes: nobody approves what they wrote or submitted, whatever their role.
    return action != "approve" or user.pk not in (campaign.created_by_id, campaign.submitted_by_id)


def require(user: User, campaign: Campaign, action: str) -> None:
    """Raises Refused where ``may`` says no."""
    if may(user, campaign, action):
        return
    if action == "approve" and user.pk in (campaign.created_by_id, campaign.submitted_by_id):
        raise Refused(_("Bạn là người soạn hoặc trình tin này, nên cần một cán bộ khác duyệt."), code="self_approval")
    raise Refused(
        _("Bạn chưa được phân quyền làm việc này ở %(place)s.") % {"place": campaign.place}, code="permission"
    )


def seen(campaign: Campaign) -> dict[str, Any]:
    """Everything an approver sees: texts, options, audience, category, deadline."""
    audience = campaign.audience
    return {
        "title": campaign.title,
        "category": campaign.category,
        "lane": campaign.lane,
        "deadline": campaign.deadline_at.isoformat() if campaign.deadline_at else None,
        "places": sorted(audience.places.values_list("pk", flat=True)) if audience else [],
        "excluded": sorted(audience.excluded.values_list("pk", flat=True)) if audience else [],
        "contents": [
            [c.channel, c.subject, c.summary, c.body, c.options] for c in campaign.contents.order_by("channel")
        ],
    }


def seen_before(campaign: Campaign) -> dict[str, Any] | None:
    """What was submitted the time before, None for a first version."""
    submitted = AuditEntry.objects.filter(subject=f"campaign:{campaign.pk}", action="campaign.submit")
    earlier = submitted.order_by("-at", "-pk")[1:2]
    return earlier[0].detail.get("seen") if earlier else None


def digest(campaign: Campaign) -> str:
    """A fingerprint of what an approver saw."""
    return hashlib.sha256(json.dumps(seen(campaign), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def submit(user: User, campaign_id: int, revision: int) -> Campaign:
    """draft -> review, if there is something to send and someone to send it to."""
    from broadcast.campaigns.estimate import plan

    campaign = _get(campaign_id)
    require(user, campaign, "submit")
    _same_revision(campaign, revision)
    found = plan(campaign)
    if found.blocking:
        raise Refused(found.blocking, code="not_ready")
    _move(campaign, _S.DRAFT, _S.REVIEW, submitted_by=user, submitted_at=timezone.now(), rejected_reason="")
    AuditEntry.record(
        user, "campaign.submit", campaign, revision=revision, recipients=found.recipients, seen=seen(campaign)
    )
    return _get(campaign_id)


def withdraw(user: User, campaign_id: int) -> Campaign:
    """review or approved -> draft, by those who may edit it."""
    campaign = _get(campaign_id)
    require(user, campaign, "edit")
    _move(campaign, (_S.REVIEW, _S.APPROVED), _S.DRAFT, approved_by=None, approved_at=None, approved_digest="")
    AuditEntry.record(user, "campaign.withdraw", campaign)
    return _get(campaign_id)


def approve(user: User, campaign_id: int, revision: int) -> Campaign:
    campaign = _get(campaign_id)
    require(user, campaign, "approve")
    _same_revision(campaign, revision)
    seal = digest(campaign)
    _move(campaign, _S.REVIEW, _S.APPROVED, approved_by=user, approved_at=timezone.now(), approved_digest=seal)
    AuditEntry.record(user, "campaign.approve", campaign, revision=revision, digest=seal)
    return _get(campaign_id)


def reject(user: User, campaign_id: int, reason: str) -> Campaign:
    campaign = _get(campaign_id)
    require(user, campaign, "approve")
    reason = reason.strip()
    if not reason:
        raise Refused(_("Hãy ghi lý do, để người soạn biết cần sửa gì."), code="no_reason")
    _move(campaign, _S.REVIEW, _S.DRAFT, rejected_reason=reason[:2000])
    AuditEntry.record(user, "campaign.reject", campaign, reason=reason[:2000])
    return _get(campaign_id)


def _get(campaign_id: int) -> Campaign:
    try:
        return Campaign.objects.select_related("place", "audience").get(pk=campaign_id)
    except Campaign.DoesNotExist:
        raise Refused(_("Không tìm thấy chiến dịch này."), code="missing") from None


def _same_revision(campaign: Campaign, revision: int) -> None:
    if campaign.revision != revision:
        raise Refused(
            _("Nội dung đã được người khác sửa sau khi bạn mở trang. Hãy tải lại để xem bản mới."), code="stale"
        )


def _move(campaign: Campaign, start, to: str, **fields) -> None:
    # The revision is part of the comparison: an edit in between makes the move a no-op.
    if not Campaign.objects.filter(revision=campaign.revision).move(campaign.pk, start, to, **fields):
        current = _get(campaign.pk)
        raise Refused(
            _("Việc này không còn làm được: chiến dịch đang ở trạng thái «%(status)s».")
            % {"status": current.get_status_display()},
            code="state",
        )
