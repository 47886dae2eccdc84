"""Every state and every reason in the officer's words, with what to do next."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from broadcast.states import AccountStatus, CampaignStatus, ContentStatus, DeliveryStatus
from channels_adapters.core.interface import Reason

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Word:
    tone: str  # ok, run, warn, bad, idle: the colour
    icon: str  # Lucide's name
    text: Text


CAMPAIGN: dict[str, Word] = {
    CampaignStatus.DRAFT: Word("idle", "pencil", CampaignStatus.DRAFT.label),
    CampaignStatus.REVIEW: Word("warn", "shield-check", CampaignStatus.REVIEW.label),
    CampaignStatus.APPROVED: Word("ok", "circle-check", CampaignStatus.APPROVED.label),
    CampaignStatus.SCHEDULED: Word("run", "clock", CampaignStatus.SCHEDULED.label),
    CampaignStatus.PREPARING: Word("run", "refresh-cw", CampaignStatus.PREPARING.label),
    CampaignStatus.RUNNING: Word("run", "send", CampaignStatus.RUNNING.label),
    CampaignStatus.PAUSED: Word("warn", "pause", CampaignStatus.PAUSED.label),
    CampaignStatus.FINISHED: Word("ok", "circle-check", CampaignStatus.FINISHED.label),
    CampaignStatus.CANCELLED: Word("idle", "circle-x", CampaignStatus.CANCELLED.label),
}

CONTENT: dict[str, Word] = {
    ContentStatus.WAITING: Word("idle", "clock", ContentStatus.WAITING.label),
    ContentStatus.RENDERING: Word("run", "mic", ContentStatus.RENDERING.label),
    ContentStatus.EXPANDING: Word("run", "refresh-cw", ContentStatus.EXPANDING.label),
    ContentStatus.RUNNING: Word("run", "send", ContentStatus.RUNNING.label),
    ContentStatus.STOPPED: Word("bad", "circle-x", ContentStatus.STOPPED.label),
    ContentStatus.FINISHED: Word("ok", "circle-check", ContentStatus.FINISHED.label),
}

DELIVERY: dict[int, Word] = {
    DeliveryStatus.PENDING: Word("idle", "clock", DeliveryStatus.PENDING.label),
    DeliveryStatus.SENDING: Word("run", "refresh-cw", DeliveryStatus.SENDING.label),
    DeliveryStatus.SENT: Word("run", "send", DeliveryStatus.SENT.label),
    DeliveryStatus.DELIVERED: Word("ok", "circle-check", DeliveryStatus.DELIVERED.label),
    DeliveryStatus.READ: Word("ok", "eye", DeliveryStatus.READ.label),
    DeliveryStatus.FAILED: Word("bad", "circle-x", DeliveryStatus.FAILED.label),
    DeliveryStatus.UNSURE: Word("warn", "circle-question-mark", DeliveryStatus.UNSURE.label),
    DeliveryStatus.CANCELLED: Word("idle", "ban", DeliveryStatus.CANCELLED.label),
    DeliveryStatus.EXPIRED: Word("idle", "timer-off", DeliveryStatus.EXPIRED.label),
}

ACCOUNT: dict[str, Word] = {
    AccountStatus.ACTIVE: Word("ok", "circle-check", AccountStatus.ACTIVE.label),
    AccountStatus.PAUSED: Word("warn", "pause", AccountStatus.PAUSED.label),
    AccountStatus.OFF: Word("idle", "power", AccountStatus.OFF.label),
}

FAMILY_ICONS = {
    "sms": "message-square",
    "zalo": "message-circle",
    "facebook": "thumbs-up",
    "telegram": "send",
    "news": "newspaper",
    "loudspeaker": "megaphone",
    "tv": "tv",
    "board": "monitor",
    "email": "mail",
    "push": "bell",
    "other": "radio",
}
FAMILY_ORDER = list(FAMILY_ICONS)  # the order of channels never changes


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why messages did not arrive, and what to do. ``what`` follows the number: "214 tin: số không đúng"."""

    tone: str
    icon: str
    what: Text
    todo: Text
    again: bool = False  # trying once more can help


REASONS: dict[str, Trouble] = {
    Reason.BAD_ADDRESS: Trouble(
        "warn",
        "smartphone",
        _("Số hoặc địa chỉ không đúng"),
        _("Gửi lại không có tác dụng. Nhờ xã, phường xác minh lại số của bà con."),
    ),
    Reason.NOT_REACHABLE_KIND: Trouble(
        "warn",
        "phone-off",
        _("Không nhận được qua kênh này"),
        _("Số cố định, hoặc bà con chưa dùng kênh này. Hãy gửi bằng kênh khác."),
    ),
    Reason.OPTED_OUT: Trouble(
        "idle",
        "bell-off",
        _("Đã từ chối nhận tin"),
        _("Bà con đã nhắn từ chối. Hệ thống không gửi nữa, bạn không cần làm gì."),
    ),
    Reason.BLOCKED: Trouble(
        "warn",
        "ban",
        _("Bị chặn"),
        _("Người nhận hoặc nhà mạng chặn tin. Có thể báo tin này qua loa xã hoặc trưởng thôn."),
    ),
    Reason.OUTSIDE_WINDOW: Trouble(
        "warn",
        "calendar-x",
        _("Quá hạn được nhắn tin"),
        _("Kênh này chỉ cho trả lời trong vài ngày sau khi bà con nhắn. Hãy gửi bằng kênh khác."),
    ),
    Reason.UNREACHABLE: Trouble(
        "run",
        "signal-zero",
        _("Máy tắt hoặc ngoài vùng phủ sóng"),
        _("Hệ thống đã tự gửi lại. Có thể gửi bù khi bà con mở máy."),
        again=True,
    ),
    Reason.REJECTED_CONTENT: Trouble(
        "bad",
        "file-x",
        _("Nhà mạng không nhận nội dung này"),
        _("Sửa lời văn hoặc đăng ký mẫu tin với nhà mạng, rồi gửi bằng một chiến dịch mới."),
    ),
    Reason.TOO_LONG: Trouble(
        "bad",
        "text-quote",
        _("Tin quá dài"),
        _("Rút ngắn nội dung của kênh này, rồi gửi bằng một chiến dịch mới."),
    ),
    Reason.RATE_LIMITED: Trouble(
        "run",
        "gauge",
        _("Gửi nhanh quá mức cho phép"),
        _("Hệ thống đã tự giảm tốc. Có thể gửi lại những tin này."),
        again=True,
    ),
    Reason.QUOTA: Trouble(
        "bad",
        "gauge",
        _("Hết hạn mức gửi của tài khoản"),
        _("Chờ sang ngày mới hoặc nâng hạn mức với nhà cung cấp, rồi gửi lại."),
        again=True,
    ),
    Reason.OUTSIDE_HOURS: Trouble(
        "run",
        "moon",
        _("Ngoài giờ được phép gửi"),
        _("Hãy hẹn gửi trong giờ cho phép. Tin khẩn không bị giới hạn giờ."),
        again=True,
    ),
    Reason.CREDENTIALS: Trouble(
        "bad",
        "key-round",
        _("Tài khoản kênh bị từ chối đăng nhập"),
        _("Kiểm tra khoá và mật khẩu của tài khoản ở trang Kênh, rồi gửi lại."),
        again=True,
    ),
    Reason.NO_CREDIT: Trouble(
        "bad",
        "wallet",
        _("Tài khoản kênh hết tiền"),
        _("Nạp thêm tiền cho tài khoản, rồi gửi lại những tin này."),
        again=True,
    ),
    Reason.MISCONFIGURED: Trouble(
        "bad",
        "settings",
        _("Tài khoản kênh cài đặt chưa đúng"),
        _("Kiểm tra tên người gửi và quyền của tài khoản ở trang Kênh, rồi gửi lại."),
        again=True,
    ),
    Reason.PROVIDER_ERROR: Trouble(
        "bad",
        "server-off",
        _("Nhà cung cấp đang trục trặc"),
        _("Chờ nhà cung cấp khắc phục, rồi gửi lại những tin này."),
        again=True,
    ),
    Reason.NETWORK: Trouble(
        "bad",
        "wifi-off",
        _("Không kết nối được với nhà cung cấp"),
        _("Kiểm tra đường truyền của máy chủ, rồi gửi lại những tin này."),
        again=True,
    ),
    Reason.LOST_REPLY: Trouble(
        "warn",
        "circle-question-mark",
        _("Chưa rõ đã đến hay chưa"),
        _("Tin đã gửi đi nhưng không có trả lời. Hệ thống không tự gửi lại, để bà con không nhận hai lần."),
    ),
    Reason.MISSING_MEDIA: Trouble(
        "bad",
        "file-x",
        _("Thiếu tệp âm thanh hoặc hình ảnh"),
        _("Kiểm tra bản đọc và tệp đính kèm, rồi gửi lại."),
        again=True,
    ),
    Reason.EXPIRED: Trouble(
        "idle",
        "timer-off",
        _("Quá hạn, không còn gửi"),
        _("Tin đã hết giá trị trước khi gửi được. Bạn không cần làm gì."),
    ),
    Reason.UNKNOWN: Trouble(
        "warn",
        "circle-question-mark",
        _("Nhà cung cấp không nói rõ lý do"),
        _("Có thể gửi lại một lần. Nếu vẫn hỏng, hãy báo người quản trị."),
        again=True,
    ),
}


def trouble(reason: str) -> Trouble:
    return REASONS.get(reason, REASONS[Reason.UNKNOWN])


SHARE_LABELS = (_("đã đến"), _("đang gửi"), _("không gửi được"), pgettext_lazy("deliveries", "chờ"))


def shares(figures: Any, *, sent_is_final: bool = False) -> dict[str, int]:
    """The stretches of a progress bar; ``off`` was cancelled and is only the bar's ground.

    Where a channel reports receipts, a sent message is still on its way; elsewhere sent is all there is to know.
    """
    on_its_way = figures.sending + figures.unsure
    return {
        "ok": figures.delivered + figures.read + (figures.sent if sent_is_final else 0),
        "run": on_its_way + (0 if sent_is_final else figures.sent),
        "bad": figures.failed + figures.expired,
        "wait": figures.pending,
        "off": figures.cancelled,
    }
