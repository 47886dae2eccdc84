"""An operator's list: what arrives, and what the operator reports back.

Reports are receipts: downloaded makes the delivery *delivered*, played makes it *read*. Everything may be
repeated (phones queue reports while offline). Refusals are ValidationError with a sentence and a code.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Case, F, IntegerField, Q, Value, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from broadcast.delivery import receipts
from broadcast.models import AuditEntry, Clip, Role, Station, User
from channels_adapters.core.interface import Receipt, ReceiptState

from . import store

SKEW = timedelta(minutes=10)  # phones' clocks differ so much without anybody noticing
KEPT = timedelta(days=7)  # an unplayed bulletin without an end stays listed so long
OPERATING = (Role.OPERATOR, Role.ADMINISTRATOR)

_RANK = Case(
    When(priority=Clip.Priority.URGENT, then=Value(0)),
    When(priority=Clip.Priority.PRIORITY, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A clip as it comes from the delivery line. The audio is in the store already, under ``sha256``."""

    title: str
    sha256: str
    seconds: float
    priority: str = Clip.Priority.NORMAL
    text: str = ""
    not_after: datetime | None = None


def accept(account_id: int, station: Station, reference: str, delivered: Delivered) -> tuple[Clip, bool]:
    """Put a clip in the station's list; True where it is new. A changed repeat replaces what was not played yet.

    Codes: ``invalid``, ``gone`` (withdrawn), ``played`` (too late to change).
    """
    title = " ".join(delivered.title.split())[:200]
    if not title:
        raise ValidationError(_("Bản tin chưa có tên."), "invalid")
    if delivered.priority not in Clip.Priority.values:
        raise ValidationError(_("Không có mức ưu tiên «%(code)s»."), "invalid", {"code": delivered.priority[:20]})
    if not 0 < delivered.seconds < 4 * 3600:
        raise ValidationError(_("Độ dài bản tin không hợp lệ."), "invalid")
    try:
        path = store.relative(delivered.sha256)
    except ValueError:
        raise ValidationError(_("Mã kiểm tra của tệp âm thanh không hợp lệ."), "invalid") from None
    if not store.locate(delivered.sha256).is_file():
        raise ValidationError(_("Chưa có tệp âm thanh của bản tin này trong kho."), "invalid")
    fields = {
        "title": title,
        "priority": delivered.priority,
        "text": delivered.text,
        "path": path,
        "sha256": delivered.sha256,
        "seconds": delivered.seconds,
        "not_after": delivered.not_after,
    }
    try:
        with transaction.atomic():
            if not Clip.objects.filter(reference=reference).exists():
                return Clip.objects.create(reference=reference, station=station, account_id=account_id, **fields), True
    except IntegrityError:
        pass  # another request with the same reference was first
    with transaction.atomic():
        clip = Clip.objects.select_for_update().get(reference=reference)
        if clip.station_id != station.pk:
            raise ValidationError(_("Mã bản tin này thuộc một đài khác."), "invalid")
        if clip.withdrawn_at:
            raise ValidationError(_("Bản tin này đã được thu hồi, không gửi lại được."), "gone")
        if all(getattr(clip, name) == value for name, value in fields.items()):
            return clip, False
        if clip.played_at:
            raise ValidationError(_("Bản tin đã phát, không thay được nữa."), "played")
        for name, value in fields.items():
            setattr(clip, name, value)
        clip.downloaded_at = clip.missed_at = None  # the new audio is on no phone yet
        clip.save()
        return clip, False


def withdraw(station: Station, reference: str) -> Clip:
    """Take a clip back. Repeating is a no-op. Code ``unknown`` where it never came."""
    Clip.objects.filter(station=station, reference=reference, withdrawn_at=None).update(withdrawn_at=timezone.now())
    clip = Clip.objects.filter(station=station, reference=reference).first()
    if clip is None:
        raise ValidationError(_("Đài không có bản tin này."), "unknown")
    return clip


def stations_of(user: User):
    """The stations an operator (or an administrator) works for."""
    everything = Station.objects.select_related("contact__place").order_by("contact__place__sort_key", "code")
    return everything if user.is_superuser else everything.filter(contact__place__in=user.places(*OPERATING))


def clips_of(user: User):
    return Clip.objects.filter(station__in=stations_of(user)).select_related("station__contact")


def todays(station: Station, now: datetime | None = None):
    """What the operator sees today: urgent first, then the oldest. Also what still waits from earlier days."""
    now = now or timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    waiting = Q(played_at=None, missed_at=None, withdrawn_at=None, created_at__gte=now - KEPT) & (
        Q(not_after=None) | Q(not_after__gt=now)
    )
    today = Q(created_at__gte=midnight) | Q(played_at__gte=midnight) | Q(missed_at__gte=midnight)
    return (
        station.clips.filter(waiting | today | Q(withdrawn_at__gte=midnight))
        .select_related("played_by", "station__contact")
        .order_by(_RANK, "created_at", "pk")
    )


def downloaded(clip: Clip, at: datetime | None = None) -> bool:
    """The audio is on the operator's machine. False where that was known."""
    at = at or timezone.now()
    with transaction.atomic():
        if not Clip.objects.filter(pk=clip.pk, downloaded_at=None).update(downloaded_at=at):
            return False
        _report(clip, ReceiptState.DELIVERED, at)
    return True


def played(user: User, clip: Clip, at: datetime, *, now: datetime | None = None) -> bool:
    """The loudspeaker has played it, beginning at ``at`` by the operator's clock. False where that was known.

    Code ``clock``: the time cannot be right.
    """
    at = _plausible(clip, at, now or timezone.now())
    with transaction.atomic():
        fresh = Clip.objects.filter(pk=clip.pk, played_at=None)
        if not fresh.update(played_at=at, played_by=user, missed_at=None, missed_reason=""):
            return False
        _report(clip, ReceiptState.READ, at)
        AuditEntry.record(user, "clip.played", clip, at=at.isoformat())
    return True


def missed(user: User, clip: Clip, at: datetime, reason: str = "", *, now: datetime | None = None) -> bool:
    """It was not played and will not be. A later «played» still counts. False where that was known."""
    at = _plausible(clip, at, now or timezone.now())
    with transaction.atomic():
        fresh = Clip.objects.filter(pk=clip.pk, played_at=None, missed_at=None)
        if not fresh.update(missed_at=at, missed_reason=" ".join(reason.split())[:200]):
            return False
        AuditEntry.record(user, "clip.missed", clip, at=at.isoformat())
    return True


def answer(code: str, *, clear: bool) -> bool:
    """A resident heard the bulletin, or heard it badly. Nothing about them is kept. False for an unknown code."""
    count = "heard" if clear else "unclear"
    return bool(Clip.objects.filter(code=code, withdrawn_at=None).update(**{count: F(count) + 1}))


def _plausible(clip: Clip, at: datetime, now: datetime) -> datetime:
    if at > now + SKEW or at < clip.created_at - SKEW:
        raise ValidationError(
            _("Giờ báo là %(at)s, không khớp với giờ máy chủ (%(now)s). Xem lại đồng hồ của điện thoại rồi báo lại."),
            "clock",
            {"at": _spoken(at), "now": _spoken(now)},
        )
    return min(max(at, clip.created_at), now)


def _spoken(at: datetime) -> str:
    return date_format(timezone.localtime(at), "H:i d/m/Y")


def _report(clip: Clip, state: ReceiptState, at: datetime) -> None:
    seconds = clip.seconds if state is ReceiptState.READ else 0.0
    receipts.record(clip.account_id, [Receipt(state, reference=clip.reference, at=at, seconds=seconds)])
