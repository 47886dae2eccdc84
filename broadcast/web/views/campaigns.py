"""The list of campaigns, and one campaign before it is under way."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from broadcast import tasks
from broadcast.campaigns import Refused, approve, compose, launch
from broadcast.campaigns.estimate import plan
from broadcast.models import Campaign, Place
from broadcast.states import CampaignStatus, Category, Lane

from .. import previews
from ..access import Request, campaign_for, rights, tell
from ..forms import Dressed
from ..lists import figures_of, writing_places

HOLD = timedelta(seconds=30)  # how long a message that is not urgent waits for a change of mind
PAGE = 20

# What the filter offers: a name for the address, a word, and the states behind it.
GROUPS = {
    "nhap": (gettext_lazy("Bản nháp"), [CampaignStatus.DRAFT]),
    "cho-duyet": (gettext_lazy("Chờ duyệt"), [CampaignStatus.REVIEW]),
    "cho-gui": (gettext_lazy("Chờ gửi"), [CampaignStatus.APPROVED, CampaignStatus.SCHEDULED]),
    "dang-gui": (
        gettext_lazy("Đang gửi"),
        [CampaignStatus.PREPARING, CampaignStatus.RUNNING, CampaignStatus.PAUSED],
    ),
    "da-xong": (gettext_lazy("Đã xong"), [CampaignStatus.FINISHED]),
    "da-huy": (gettext_lazy("Đã huỷ"), [CampaignStatus.CANCELLED]),
}


def campaign_list(request: Request):
    """Filters live in the address: ``?trang-thai=dang-gui&tim=lũ&cua-toi=1&trang=2``."""
    group = request.GET.get("trang-thai", "")
    words = request.GET.get("tim", "").strip()
    mine = request.GET.get("cua-toi") == "1"
    campaigns = Campaign.objects.visible_to(request.user).select_related("place", "created_by")
    if group in GROUPS:
        campaigns = campaigns.filter(status__in=GROUPS[group][1])
    if words:
        campaigns = campaigns.filter(title__icontains=words[:100])
    if mine:
        campaigns = campaigns.filter(Q(created_by=request.user) | Q(submitted_by=request.user))
    page = Paginator(campaigns.order_by("-created_at", "-pk").prefetch_related("contents"), PAGE).get_page(
        request.GET.get("trang")
    )
    figures = figures_of(page.object_list)
    query = request.GET.copy()
    query.pop("trang", None)
    context = {
        "rows": [(campaign, figures[campaign.pk], previews.marks(campaign)) for campaign in page],
        "shown": page,
        "groups": [(name, text, name == group) for name, (text, _states) in GROUPS.items()],
        "group": group if group in GROUPS else "",
        "words": words,
        "mine": mine,
        "query": query.urlencode(),
        "filtered": bool(group in GROUPS or words or mine),
        "may_write": writing_places(request.user).exists(),
    }
    return render(request, "campaign/list.html", context)


class NewCampaign(Dressed, forms.Form):
    title = forms.CharField(
        label=gettext_lazy("Tên chiến dịch"), max_length=200, help_text=gettext_lazy("Chỉ cán bộ nhìn thấy.")
    )
    place = forms.ModelChoiceField(
        Place.objects.none(),
        label=gettext_lazy("Đơn vị gửi"),
        empty_label=None,
        error_messages={"invalid_choice": gettext_lazy("Bạn chưa được phân quyền soạn tin ở đơn vị này.")},
    )
    source = forms.CharField(
        label=gettext_lazy("Nội dung gốc"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=gettext_lazy("Dán cả bài vào đây. Bước sau sẽ rút ngắn cho từng kênh."),
    )

    def __init__(self, *args, places, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places  # type: ignore[attr-defined]
        self.fields["title"].error_messages["required"] = _("Hãy đặt tên cho chiến dịch.")


def campaign_new(request: Request):
    places = writing_places(request.user)
    first = places.first()
    if first is None:
        raise PermissionDenied
    form = NewCampaign(request.POST or None, places=places, initial={"place": first})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            campaign = compose.create(request.user, place=data["place"], title=data["title"], source=data["source"])
            return redirect("campaign.content", campaign.pk)
        except Refused as error:
            form.add_error(None, error)
    return render(request, "campaign/new.html", {"form": form}, status=422 if form.is_bound else 200)


def campaign_show(request: Request, pk: int):
    """Where a campaign stands: its composer, its approval, its sending or its live page."""
    campaign = campaign_for(request, pk)
    allowed = rights(request, campaign)
    if campaign.launched_at:
        return redirect("campaign.live", pk)
    if campaign.status == CampaignStatus.DRAFT and allowed["edit"]:
        return redirect("campaign.content", pk)
    if campaign.status == CampaignStatus.REVIEW and allowed["approve"]:
        return redirect("approval.show", pk)
    context = {
        "campaign": campaign,
        "may": allowed,
        "plan": plan(campaign),
        "previews": previews.of(campaign),
        "audience": previews.audience(campaign),
        "hold": campaign.status == CampaignStatus.SCHEDULED and campaign.send_at is not None,
        "seconds": max(0, round((campaign.send_at - timezone.now()).total_seconds())) if campaign.send_at else 0,
        "hold_seconds": HOLD.total_seconds(),
        "urgent": campaign.lane == Lane.URGENT or campaign.category == Category.EMERGENCY,
        "due": campaign.send_at if campaign.send_at and campaign.send_at > timezone.now() else None,
    }
    return render(request, "campaign/show.html", context)


@require_POST
def campaign_clone(request: Request, pk: int):
    campaign = campaign_for(request, pk)
    try:
        copy = compose.clone(request.user, campaign)
    except Refused as error:
        tell(request, error)
        return redirect("campaign.list")
    messages.success(request, _("Đã tạo bản sao. Hãy xem lại nội dung và người nhận trước khi trình."))
    return redirect("campaign.content", copy.pk)


@require_POST
def campaign_withdraw(request: Request, pk: int):
    campaign = campaign_for(request, pk, "edit")
    return _do(request, campaign, approve.withdraw, _("Đã rút về bản nháp để sửa."))


@require_POST
def campaign_send(request: Request, pk: int):
    """Send now: urgent messages at once, all others after a hold in which one click takes it back."""
    campaign = campaign_for(request, pk, "send")
    if campaign.lane == Lane.URGENT or campaign.category == Category.EMERGENCY:
        return _do(request, campaign, launch.send_now, _("Đã bắt đầu gửi."))
    at = timezone.now() + HOLD
    return _do(request, campaign, lambda user, pk: launch.schedule(user, pk, at), "")


@require_POST
def campaign_schedule(request: Request, pk: int):
    """Send at the time its author asked for."""
    campaign = campaign_for(request, pk, "send")
    at = campaign.send_at
    if at is None:
        messages.error(request, _("Chiến dịch này chưa chọn giờ gửi."))
        return redirect("campaign.show", pk)
    return _do(request, campaign, lambda user, pk: launch.schedule(user, pk, at), _("Đã hẹn giờ gửi."))


@require_POST
def campaign_unschedule(request: Request, pk: int):
    campaign = campaign_for(request, pk, "send")
    return _do(request, campaign, launch.unschedule, _("Đã dừng lại, chưa có tin nào được gửi."))


@require_POST
def campaign_cancel(request: Request, pk: int):
    campaign = campaign_for(request, pk, "cancel")
    return _do(request, campaign, launch.cancel, _("Đã huỷ chiến dịch. Những tin chưa gửi sẽ không gửi nữa."))


@require_POST
def campaign_pause(request: Request, pk: int):
    campaign = campaign_for(request, pk, "cancel")
    return _do(request, campaign, launch.pause, _("Đã tạm dừng. Những tin đang trên đường vẫn có thể đến."))


@require_POST
def campaign_resume(request: Request, pk: int):
    campaign = campaign_for(request, pk, "send")
    return _do(request, campaign, launch.resume, _("Đã gửi tiếp."))


def _do(request: Request, campaign: Campaign, service, done: str):
    """One service, and where the campaign stands then."""
    try:
        service(request.user, campaign.pk)
    except Refused as error:
        tell(request, error)
    else:
        tasks.nudge()
        if done:
            messages.success(request, done)
    return redirect("campaign.show", campaign.pk)
