"""Loudspeaker stations, the bulletins made for them and the clips in their lists."""

import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from .campaigns import Content
from .people import Contact
from .places import Place


def new_feed_token() -> str:
    return secrets.token_urlsafe(18)


def new_clip_code() -> str:
    """Six letters and digits a resident can type from a notice board: none look alike."""
    return "".join(secrets.choice("abcdefghkmnpqrstuvwxyz23456789") for _ in range(6))


class Station(models.Model):
    """A commune's loudspeaker desk. Its contact (an outlet) holds place, name and the address of kind "station"."""

    contact = models.OneToOneField(Contact, models.CASCADE, related_name="station", verbose_name=_("đầu mối"))
    code = models.CharField(_("mã đài"), max_length=24, unique=True)
    voice = models.CharField(_("giọng đọc"), max_length=40, default="espeak", blank=True)
    greeting = models.CharField(_("lời xưng danh"), max_length=300, blank=True)
    feed_token = models.CharField(max_length=40, unique=True, default=new_feed_token, editable=False)  # its podcast

    class Meta:
        verbose_name = _("đài truyền thanh")
        verbose_name_plural = _("đài truyền thanh")

    def __str__(self):
        return self.contact.name


class Slot(models.Model):
    """A recurring stretch of a station's day. Slots lie inside 05:00-21:00, so none crosses midnight."""

    class Kind(models.TextChoices):
        RELAY = "relay", _("Tiếp sóng")
        BULLETIN = "bulletin", _("Bản tin của xã")
        NOTICES = "notices", _("Thông báo")

    station = models.ForeignKey(Station, models.CASCADE, related_name="slots", verbose_name=_("đài"))
    kind = models.CharField(_("loại"), max_length=8, choices=Kind.choices, default=Kind.BULLETIN)
    title = models.CharField(_("tên mục"), max_length=80)
    starts = models.TimeField(_("bắt đầu"))
    minutes = models.PositiveSmallIntegerField(_("số phút"))
    days = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("các ngày"))  # ISO: 1 Monday ... 7 Sunday
    valid_from = models.DateField(_("từ ngày"))
    valid_to = models.DateField(_("đến hết ngày"), null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)  # raised by every edit: catches lost updates

    class Meta:
        verbose_name = _("khung giờ phát")
        verbose_name_plural = _("khung giờ phát")

    def __str__(self):
        return f"{self.starts:%H:%M} {self.title}"


class Reading(models.Model):
    """How the stations of a branch read a written entry aloud: local names, abbreviations. The nearest place wins."""

    place = models.ForeignKey(Place, models.CASCADE, related_name="readings", verbose_name=_("địa bàn"))
    written = models.CharField(_("viết"), max_length=60)
    spoken = models.CharField(_("đọc"), max_length=120)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("cách đọc")
        verbose_name_plural = _("cách đọc")
        constraints = [models.UniqueConstraint(fields=["place", "written"], name="reading_once_per_place")]

    def __str__(self):
        return f"{self.written} → {self.spoken}"


class Bulletin(models.Model):
    """The audio of one content for one station, rendered before it is handed over.

    Without a station: the same words without a greeting, for the news page.
    """

    content = models.ForeignKey(Content, models.CASCADE, related_name="bulletins")
    station = models.ForeignKey(Station, models.CASCADE, null=True, related_name="+")
    source = models.CharField(max_length=64, default="")  # SHA-256 of the script: other words need other audio
    path = models.CharField(max_length=200)  # below MEDIA_ROOT, named by content
    sha256 = models.CharField(max_length=64)
    seconds = models.FloatField()
    spoken = models.TextField()
    doubts = models.JSONField(default=list)
    voice = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["content", "station"], name="bulletin_once_per_station", nulls_distinct=False
            )
        ]


class Clip(models.Model):
    """An entry of an operator's list."""

    class Priority(models.TextChoices):
        NORMAL = "normal", _("Thông thường")
        PRIORITY = "priority", _("Ưu tiên")
        URGENT = "urgent", _("Khẩn cấp")

    reference = models.CharField(max_length=40, unique=True)  # the delivery's id
    code = models.CharField(max_length=8, unique=True, default=new_clip_code, editable=False)  # of its public page
    account_id = models.BigIntegerField()  # whose delivery it is; receipts go back to it
    station = models.ForeignKey(Station, models.CASCADE, related_name="clips")
    title = models.CharField(max_length=200)
    priority = models.CharField(max_length=8, choices=Priority.choices, default=Priority.NORMAL)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    seconds = models.FloatField()
    not_after = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    downloaded_at = models.DateTimeField(null=True)
    played_at = models.DateTimeField(null=True)
    played_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    missed_at = models.DateTimeField(null=True)  # the operator said it was not played
    missed_reason = models.CharField(max_length=200, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    heard = models.PositiveIntegerField(default=0)  # residents who said so
    unclear = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("bản tin loa")
        verbose_name_plural = _("bản tin loa")
        indexes = [models.Index(fields=["station", "-created_at"], name="clip_station_created")]

    def __str__(self):
        return self.title
