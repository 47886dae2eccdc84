"""A campaign: one message, one content per channel, one audience."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from broadcast.states import CAMPAIGN_MOVES, CampaignStatus, Category, ContentStatus, Lane
from channels_adapters.core import interface

from .places import Place


class Audience(models.Model):
    """Who: branches of the tree, less other branches. Named ones are saved for use again."""

    name = models.CharField(_("tên"), max_length=120, blank=True)
    owner = models.ForeignKey(Place, models.PROTECT, related_name="+", verbose_name=_("đơn vị"))
    places = models.ManyToManyField(Place, related_name="+", verbose_name=_("địa bàn"))
    excluded = models.ManyToManyField(Place, related_name="+", blank=True, verbose_name=_("trừ"))

    class Meta:
        verbose_name = _("nhóm nhận tin")
        verbose_name_plural = _("nhóm nhận tin")

    def __str__(self):
        return self.name or ", ".join(self.places.values_list("name", flat=True)[:3])

    def place_ids(self) -> list[int]:
        """Every place of the chosen branches, the excluded ones left out."""
        left_out = Place.objects.within(*self.excluded.all()).values("pk")
        return list(Place.objects.within(*self.places.all()).exclude(pk__in=left_out).values_list("pk", flat=True))


class CampaignQuerySet(models.QuerySet):
    def move(self, pk: int, start: str | tuple[str, ...], to: str, **fields) -> bool:
        """Compare-and-set of the status. False where the campaign was not (any more) in ``start``."""
        starts = (start,) if isinstance(start, str) else start
        for state in starts:
            if (state, to) not in CAMPAIGN_MOVES:
                raise ValueError(f"no move from {state} to {to}")
        fields.setdefault("updated_at", timezone.now())
        return bool(self.filter(pk=pk, status__in=starts).update(status=to, **fields))

    def visible_to(self, user):
        """Campaigns of the branches where the officer has any role; everything for a superuser."""
        return self if user.is_superuser else self.filter(place__in=user.places())


class Campaign(models.Model):
    title = models.CharField(_("tên chiến dịch"), max_length=200)
    source = models.TextField(_("nội dung gốc"), blank=True)
    category = models.CharField(_("loại tin"), max_length=12, choices=Category.choices, default=Category.NOTICE)
    lane = models.PositiveSmallIntegerField(_("mức độ"), choices=Lane.choices, default=Lane.NORMAL)
    status = models.CharField(
        _("trạng thái"), max_length=10, choices=CampaignStatus.choices, default=CampaignStatus.DRAFT, editable=False
    )
    place = models.ForeignKey(Place, models.PROTECT, related_name="campaigns", verbose_name=_("đơn vị"))
    audience = models.ForeignKey(Audience, models.PROTECT, null=True, blank=True, verbose_name=_("người nhận"))
    send_at = models.DateTimeField(_("giờ gửi"), null=True, blank=True)
    deadline_at = models.DateTimeField(_("hết giá trị lúc"), null=True, blank=True)

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    revision = models.PositiveIntegerField(default=1, editable=False)  # raised by every edit: catches lost updates
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    approved_digest = models.CharField(max_length=64, blank=True)  # of what was approved; checked again at launch
    rejected_reason = models.TextField(blank=True)
    launched_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    launched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("chiến dịch")
        verbose_name_plural = _("chiến dịch")
        indexes = [
            models.Index(fields=["place", "-created_at"], name="campaign_place_created"),
            models.Index(
                fields=["status", "send_at"],
                name="campaign_due",
                condition=Q(status__in=["scheduled", "preparing", "running"]),
            ),
        ]

    def __str__(self):
        return self.title


class Content(models.Model):
    """What one channel of a campaign says, and how far that channel has come."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="contents")
    channel = models.CharField(_("kênh"), max_length=32)  # a module of channels_adapters
    subject = models.CharField(_("tiêu đề"), max_length=200, blank=True)
    summary = models.TextField(_("tóm tắt"), blank=True)
    body = models.TextField(_("nội dung"), blank=True)
    options = models.JSONField(default=dict, blank=True)  # the adapter's `content_fields`

    status = models.CharField(max_length=10, choices=ContentStatus.choices, default=ContentStatus.WAITING)
    status_reason = models.CharField(max_length=300, blank=True)
    chunks_done = models.PositiveIntegerField(default=0)  # of the expansion; moves with the rows it speaks of
    chunks = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("nội dung theo kênh")
        verbose_name_plural = _("nội dung theo kênh")
        constraints = [models.UniqueConstraint(fields=["campaign", "channel"], name="content_once_per_channel")]

    def __str__(self):
        return f"{self.campaign} / {self.channel}"

    def as_message(self, media: tuple[interface.Media, ...] = ()) -> interface.Content:
        return interface.Content(
            body=self.body,
            subject=self.subject or self.campaign.title,
            summary=self.summary,
            media=media,
            options=self.options,
            category=self.campaign.category,
            priority=Lane(self.campaign.lane).name.lower(),
        )
