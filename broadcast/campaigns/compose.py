"""A draft: one campaign, one content per channel."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from broadcast.campaigns import Refused
from broadcast.campaigns.approve import require
from broadcast.models import Audience, AuditEntry, Campaign, Content, Place, User
from broadcast.states import CampaignStatus, Category, Lane
from channels_adapters.core import registry

LONGEST_BODY = 200_000
_UNCHANGED: Any = object()


def create(
    user: User,
    *,
    place: Place,
    title: str = "",
    source: str = "",
    category: str = Category.NOTICE,
    lane: int = Lane.NORMAL,
) -> Campaign:
    """An empty draft of an officer who may write at ``place``."""
    campaign = Campaign(
        place=place, title=title.strip()[:200], source=source, category=category, lane=lane, created_by=user
    )
    require(user, campaign, "edit")
    _check_text(source)
    with transaction.atomic():
        campaign.save()
        AuditEntry.record(user, "campaign.create", campaign, title=campaign.title)
    return campaign


def save(
    user: User,
    campaign_id: int,
    revision: int,
    *,
    title: str = _UNCHANGED,
    source: str = _UNCHANGED,
    category: str = _UNCHANGED,
    lane: int = _UNCHANGED,
    send_at=_UNCHANGED,
    deadline_at=_UNCHANGED,
    contents: dict[str, dict[str, Any] | None] | None = None,
    places: list[int] | None = None,
    excluded: list[int] | None = None,
) -> Campaign:
    """Change what is given; ``contents[channel] = None`` removes a channel. Raises Refused, then nothing changed."""
    with transaction.atomic():
        campaign = (
            Campaign.objects.select_for_update(of=("self",))
            .select_related("place", "audience")
            .filter(pk=campaign_id)
            .first()
        )
        if campaign is None:
            raise Refused(_("Không tìm thấy chiến dịch này."), code="missing")
        require(user, campaign, "edit")
        if campaign.status != CampaignStatus.DRAFT:
            raise Refused(_("Chỉ bản nháp mới sửa được. Hãy rút về bản nháp trước khi sửa."), code="state")
        if campaign.revision != revision:
            raise Refused(
                _("Nội dung đã được người khác sửa sau khi bạn mở trang. Hãy tải lại để xem bản mới."), code="stale"
            )
        given = {
            "title": title, "source": source, "category": category,
            "lane": lane, "send_at": send_at, "deadline_at": deadline_at,
        }  # fmt: skip
        changes = {name: value for name, value in given.items() if value is not _UNCHANGED}
        _check(changes)
        before = {name: str(getattr(campaign, name)) for name in changes}
        for name, value in changes.items():
            setattr(campaign, name, value.strip()[:200] if name == "title" else value)
        for channel, content in (contents or {}).items():
            _save_content(campaign, channel, content)
        if places is not None or excluded is not None:
            _save_audience(user, campaign, places, excluded)
        campaign.revision += 1
        campaign.save()
        AuditEntry.record(
            user,
            "campaign.edit",
            campaign,
            before=before,
            after={name: str(getattr(campaign, name)) for name in changes},
            channels=sorted(contents or {}),
        )
    return campaign


def clone(user: User, campaign: Campaign) -> Campaign:
    """A new draft with the same texts and audience."""
    require(user, campaign, "view")
    with transaction.atomic():
        copy = create(
            user,
            place=campaign.place,
            title=_("%(title)s (bản sao)") % {"title": campaign.title[:180]},
            source=campaign.source,
            category=campaign.category,
            lane=campaign.lane,
        )
        for content in campaign.contents.all():
            Content.objects.create(
                campaign=copy,
                channel=content.channel,
                subject=content.subject,
                summary=content.summary,
                body=content.body,
                options=content.options,
            )
        if campaign.audience:
            places = list(campaign.audience.places.values_list("pk", flat=True))
            left_out = list(campaign.audience.excluded.values_list("pk", flat=True))
            _save_audience(user, copy, places, left_out)
            copy.save(update_fields=["audience"])
    return copy


def _check(changes: dict[str, Any]) -> None:
    if "category" in changes and changes["category"] not in Category.values:
        raise Refused(_("Loại tin này không có."), code="unknown")
    if "lane" in changes and changes["lane"] not in Lane.values:
        raise Refused(_("Mức độ này không có."), code="unknown")
    now = timezone.now()
    if changes.get("send_at") and changes["send_at"] <= now:
        raise Refused(_("Giờ gửi đã qua. Hãy chọn một giờ sau lúc này."), code="past_date")
    if changes.get("deadline_at") and changes["deadline_at"] <= now:
        raise Refused(_("Hạn của tin đã qua. Hãy chọn một giờ sau lúc này."), code="past_date")
    if "source" in changes:
        _check_text(changes["source"])


def _check_text(text: str) -> None:
    if len(text) > LONGEST_BODY:
        raise Refused(
            _("Nội dung dài %(length)d ký tự, quá mức %(most)d ký tự.") % {"length": len(text), "most": LONGEST_BODY},
            code="too_long",
        )
    if "\x00" in text:
        raise Refused(_("Nội dung có ký tự không đọc được. Hãy dán lại dưới dạng văn bản thường."), code="bad_text")


def _save_content(campaign: Campaign, channel: str, content: dict[str, Any] | None) -> None:
    if channel not in registry.names():
        raise Refused(_("Không có kênh «%(channel)s».") % {"channel": channel[:40]}, code="unknown")
    if content is None:
        campaign.contents.filter(channel=channel).delete()
        return
    for text in (content.get("body", ""), content.get("summary", ""), content.get("subject", "")):
        _check_text(text)
    options = content.get("options", {})
    known = {field.name for field in registry.get(channel).capabilities.content_fields}
    fields = {name: content[name] for name in ("subject", "summary", "body") if name in content}
    if "subject" in fields:
        fields["subject"] = fields["subject"].strip()[:200]
    if "options" in content:
        fields["options"] = {name: value for name, value in options.items() if name in known}
    Content.objects.update_or_create(campaign=campaign, channel=channel, defaults=fields)


def _save_audience(user: User, campaign: Campaign, places: list[int] | None, excluded: list[int] | None) -> None:
    chosen = list(Place.objects.current().filter(pk__in=places or []))
    left_out = list(Place.objects.current().filter(pk__in=excluded or []))
    if len(chosen) != len(set(places or [])) or len(left_out) != len(set(excluded or [])):
        raise Refused(_("Có địa bàn không còn trong danh mục. Hãy chọn lại."), code="unknown_place")
    allowed = None if user.is_superuser else set(user.places("writer").values_list("pk", flat=True))
    outside = [place for place in chosen if allowed is not None and place.pk not in allowed]
    if outside:
        raise Refused(
            _("Bạn chưa được phân quyền gửi tin tới %(place)s.") % {"place": outside[0].name}, code="permission"
        )
    audience = campaign.audience
    if audience is None or audience.name:  # a saved audience is not changed from inside a campaign
        audience = Audience.objects.create(owner=campaign.place)
    if places is not None:
        audience.places.set(chosen)
    if excluded is not None:
        audience.excluded.set(left_out)
    campaign.audience = audience
