"""Who may open what. A campaign of another branch is not there at all; one without the right role is refused."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from broadcast.campaigns.approve import may
from broadcast.models import Campaign, User


class Request(HttpRequest):
    """What reaches a view that wants a log-in."""

    user: User
    htmx: HtmxDetails


def campaign_for(request: Request, pk: int, *actions: str) -> Campaign:
    """The campaign, for an officer who may do one of the actions (see it, if none is named)."""
    campaigns = Campaign.objects.visible_to(request.user).select_related(
        "place", "audience", "created_by", "submitted_by", "approved_by", "launched_by"
    )
    campaign = campaigns.filter(pk=pk).first()
    if campaign is None:
        raise Http404
    if not any(may(request.user, campaign, action) for action in actions or ("view",)):
        raise PermissionDenied
    return campaign


def rights(request: Request, campaign: Campaign) -> dict[str, bool]:
    """What this officer may do with this campaign, for templates."""
    actions = ("edit", "submit", "approve", "send", "cancel")
    return {action: may(request.user, campaign, action) for action in actions}


def tell(request: Request, error: ValidationError) -> None:
    """Show the sentences of a refusal on the next page."""
    for sentence in error.messages:
        messages.error(request, sentence)
