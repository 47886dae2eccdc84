"""The second pair of eyes."""

from django.contrib import messages
from django.contrib.auth import authenticate
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from broadcast.campaigns import Refused, approve
from broadcast.campaigns.estimate import plan
from broadcast.states import CampaignStatus

from .. import previews
from ..access import Request, campaign_for
from ..lists import waiting_for


def approval_list(request: Request):
    campaigns = waiting_for(request.user).select_related("place", "submitted_by").prefetch_related("contents")
    rows = [(campaign, previews.marks(campaign)) for campaign in campaigns.order_by("lane", "submitted_at")]
    return render(request, "approval/list.html", {"rows": rows})


def approval_show(request: Request, pk: int):
    """Exactly what will go out, to whom, for how much, and what changed since it was last submitted."""
    campaign = campaign_for(request, pk, "approve")
    if campaign.status != CampaignStatus.REVIEW:
        return redirect("campaign.show", pk)
    problem = ""
    reason = request.POST.get("reason", "").strip()
    if request.method == "POST":
        problem = _decide(request, campaign, reason)
        if not problem:
            return redirect("campaign.show" if "approve" in request.POST else "approval.list", **_target(request, pk))
    context = {
        "campaign": campaign,
        "plan": plan(campaign),
        "previews": previews.of(campaign),
        "audience": previews.audience(campaign),
        "changes": previews.changes(campaign),
        "problem": problem,
        "reason": reason,
    }
    return render(request, "approval/show.html", context, status=422 if problem else 200)


def _target(request: Request, pk: int) -> dict:
    return {"pk": pk} if "approve" in request.POST else {}


def _decide(request: Request, campaign, reason: str) -> str:
    """Approve or send back; the sentence that says why not, empty when it is done."""
    if "approve" in request.POST:
        # Through the log-in's own door, so that guessing here locks out just the same.
        user = authenticate(request, username=request.user.get_username(), password=request.POST.get("password", ""))
        if user != request.user:
            return _("Mật khẩu chưa đúng, nên tin chưa được duyệt. Hãy nhập lại mật khẩu của bạn.")
        try:
            approve.approve(request.user, campaign.pk, _revision(request))
        except Refused as error:
            return " ".join(error.messages)
        messages.success(request, _("Đã duyệt."))
        return ""
    try:
        approve.reject(request.user, campaign.pk, reason)
    except Refused as error:
        return " ".join(error.messages)
    messages.success(request, _("Đã trả lại cho người soạn."))
    return ""


def _revision(request: Request) -> int:
    try:
        return int(request.POST.get("revision", ""))
    except ValueError:
        return -1
