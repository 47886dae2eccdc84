"""Every status, and the table of moves between them. No queries.

A status never moves except by a compare-and-set that consults these tables, so a second claim, a repeated
receipt or a downgrade is a no-op instead of an error.
"""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CampaignStatus(models.TextChoices):
    DRAFT = "draft", _("Bản nháp")
    REVIEW = "review", _("Chờ duyệt")
    APPROVED = "approved", _("Đã duyệt")
    SCHEDULED = "scheduled", _("Đã hẹn giờ")
    PREPARING = "preparing", _("Đang chuẩn bị")
    RUNNING = "running", _("Đang gửi")
    PAUSED = "paused", _("Tạm dừng")
    FINISHED = "finished", _("Đã xong")
    CANCELLED = "cancelled", _("Đã huỷ")


_C = CampaignStatus
CAMPAIGN_MOVES: frozenset[tuple[str, str]] = frozenset(
    [
        (_C.DRAFT, _C.REVIEW),
        (_C.REVIEW, _C.DRAFT),  # rejected with a reason, or withdrawn by its author
        (_C.REVIEW, _C.APPROVED),
        (_C.APPROVED, _C.DRAFT),  # an edit voids an approval
        (_C.APPROVED, _C.SCHEDULED),
        (_C.APPROVED, _C.PREPARING),
        (_C.SCHEDULED, _C.APPROVED),
        (_C.SCHEDULED, _C.PREPARING),
        (_C.PREPARING, _C.RUNNING),
        (_C.PREPARING, _C.PAUSED),
        (_C.RUNNING, _C.PAUSED),
        (_C.PAUSED, _C.RUNNING),
        (_C.RUNNING, _C.FINISHED),
        (_C.FINISHED, _C.RUNNING),  # a new round for the failed
        *((state, _C.CANCELLED) for state in _C if state not in (_C.FINISHED, _C.CANCELLED)),
    ]
)
CAMPAIGN_SENDING = (_C.PREPARING, _C.RUNNING)  # workers may take its batches
CAMPAIGN_OPEN = (_C.PREPARING, _C.RUNNING, _C.PAUSED)  # has deliveries on their way


class Lane(models.IntegerChoices):
    """Urgent never waits behind bulk."""

    URGENT = 0, _("Khẩn cấp")
    NORMAL = 1, _("Thường")
    BULK = 2, _("Hàng loạt")


class Category(models.TextChoices):
    EMERGENCY = "emergency", _("Khẩn cấp")
    NOTICE = "notice", _("Thông báo công")
    SERVICE = "service", _("Tin dịch vụ")
    ADVERTISING = "advertising", _("Quảng cáo")


class ContentStatus(models.TextChoices):
    """How far one channel of a campaign has come."""

    WAITING = "waiting", _("Chưa bắt đầu")
    RENDERING = "rendering", _("Đang thu âm")  # its audio is being made
    EXPANDING = "expanding", _("Đang lập danh sách")
    RUNNING = "running", _("Đang gửi")
    STOPPED = "stopped", pgettext_lazy("channel", "Đã dừng")  # the provider refused the text, or a person stopped it
    FINISHED = "finished", _("Đã xong")


CONTENT_SENDING = (ContentStatus.EXPANDING, ContentStatus.RUNNING)


class DeliveryStatus(models.IntegerChoices):
    PENDING = 0, _("Chờ gửi")
    SENDING = 1, _("Đang gửi")
    SENT = 2, _("Đã gửi")
    DELIVERED = 3, _("Đã đến")
    READ = 4, _("Đã xem")
    FAILED = 5, _("Không gửi được")
    UNSURE = 6, _("Chưa chắc")
    CANCELLED = 7, _("Đã huỷ")
    EXPIRED = 8, _("Quá hạn")


DELIVERY_FINAL = (  # nothing of ours will move these
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.READ,
    DeliveryStatus.FAILED,
    DeliveryStatus.CANCELLED,
    DeliveryStatus.EXPIRED,
)
DELIVERY_REACHED = (DeliveryStatus.DELIVERED, DeliveryStatus.READ)
DELIVERY_GONE_OUT = (DeliveryStatus.SENT, *DELIVERY_REACHED)  # the provider took it


class Cause(StrEnum):
    """Who may move a delivery, and along which arrows."""

    CLAIM = "claim"  # a worker is about to call the provider
    OUTCOME = "outcome"  # the provider answered
    RECEIPT = "receipt"  # the provider reported later; may come before the outcome is stored
    SWEEP = "sweep"  # the worker died during the call
    GATE = "gate"  # a rule stopped it before it left: opt-out, hours, deadline, a stopped campaign
    PERSON = "person"  # an officer decided


_D = DeliveryStatus
DELIVERY_MOVES: dict[Cause, frozenset[tuple[int, int]]] = {
    Cause.CLAIM: frozenset([(_D.PENDING, _D.SENDING)]),
    Cause.OUTCOME: frozenset(
        [
            *((_D.SENDING, to) for to in (_D.PENDING, _D.SENT, _D.DELIVERED, _D.FAILED, _D.UNSURE, _D.EXPIRED)),
            # a worker that was only slow, not dead, brings the answer after all
            *((_D.UNSURE, to) for to in (_D.SENT, _D.DELIVERED, _D.FAILED)),
        ]
    ),
    Cause.RECEIPT: frozenset(
        [
            *((start, to) for start in (_D.SENDING, _D.UNSURE) for to in (_D.SENT, _D.DELIVERED, _D.READ, _D.FAILED)),
            (_D.UNSURE, _D.PENDING),  # looked up: the provider never got it
            (_D.SENT, _D.DELIVERED),
            (_D.SENT, _D.READ),
            (_D.SENT, _D.FAILED),
            (_D.SENT, _D.PENDING),  # the phone was off: worth another try
            (_D.DELIVERED, _D.READ),
            (_D.PENDING, _D.DELIVERED),  # what looked not sent did arrive; now it will not go twice
            (_D.PENDING, _D.READ),
        ]
    ),
    Cause.SWEEP: frozenset([(_D.SENDING, _D.UNSURE), (_D.SENDING, _D.PENDING), (_D.UNSURE, _D.PENDING)]),
    Cause.GATE: frozenset((_D.PENDING, to) for to in (_D.FAILED, _D.CANCELLED, _D.EXPIRED)),
    Cause.PERSON: frozenset(
        [(_D.UNSURE, _D.PENDING), (_D.UNSURE, _D.SENT), (_D.FAILED, _D.PENDING), (_D.EXPIRED, _D.PENDING)]
    ),
}


class BatchStatus(models.IntegerChoices):
    READY = 0, _("Sẵn sàng")
    LEASED = 1, _("Đang xử lý")
    DONE = 2, _("Xong")


class AccountStatus(models.TextChoices):
    ACTIVE = "active", _("Hoạt động")
    PAUSED = "paused", _("Tạm ngưng")
    OFF = "off", _("Đã tắt")


class AddressState(models.TextChoices):
    UNVERIFIED = "unverified", _("Chưa xác minh")
    VALID = "valid", _("Dùng được")
    DEAD = "dead", _("Không còn dùng")
    OPTED_OUT = "opted_out", _("Đã từ chối nhận")


ADDRESS_USABLE = (AddressState.UNVERIFIED, AddressState.VALID)
