"""What needs this officer today."""

from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

from broadcast.models import Campaign
from broadcast.states import CAMPAIGN_OPEN, CampaignStatus

from .. import previews
from ..access import Request
from ..lists import figures_of, paused_accounts, stopped_contents, waiting_for, with_trouble, writing_places

SHOWN = 5
WEEKDAYS = [
    gettext_lazy("Thứ Hai"),
    gettext_lazy("Thứ Ba"),
    gettext_lazy("Thứ Tư"),
    gettext_lazy("Thứ Năm"),
    gettext_lazy("Thứ Sáu"),
    gettext_lazy("Thứ Bảy"),
    gettext_lazy("Chủ Nhật"),
]


def home(request: Request):
    user = request.user
    mine = Campaign.objects.visible_to(user).select_related("place", "created_by")
    running = list(mine.filter(status__in=CAMPAIGN_OPEN).order_by("lane", "-launched_at")[:SHOWN])
    coming = mine.filter(status__in=[CampaignStatus.SCHEDULED, CampaignStatus.APPROVED]).order_by("send_at", "pk")
    drafts = mine.filter(status=CampaignStatus.DRAFT, created_by=user).order_by("-updated_at")[:SHOWN]
    figures = figures_of(running)
    waiting = list(waiting_for(user).select_related("submitted_by").order_by("lane", "submitted_at")[:SHOWN])
    context = {
        "waiting": waiting,
        "running": [(campaign, figures[campaign.pk]) for campaign in running],
        "coming": [(c, previews.marks(c)) for c in coming.prefetch_related("contents")[:SHOWN]],
        "drafts": list(drafts),
        "stopped": [(content, previews.mark(content.channel)) for content in stopped_contents(user)[:SHOWN]],
        "paused": list(paused_accounts(user)[:SHOWN]),
        "troubled": list(with_trouble(user)[:3]),
        "may_write": writing_places(user).exists(),
        "any": mine.exists(),
        "today": f"{WEEKDAYS[timezone.localdate().weekday()]}, {date_format(timezone.localdate(), 'j/n/Y')}",
    }
    context["tasks"] = sum(len(context[name]) for name in ("waiting", "stopped", "paused", "drafts"))
    return render(request, "home.html", context)
