"""What pages list: campaigns that wait for someone, run, are due or went wrong. Whole pages at a time."""

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet, Sum

from broadcast.delivery.progress import Figures
from broadcast.models import Account, Campaign, Content, Counter, Place, Role, User
from broadcast.states import AccountStatus, CampaignStatus, ContentStatus
from channels_adapters.core import registry
from channels_adapters.core.interface import Capabilities

from .words import Text


def waiting_for(user: User) -> QuerySet[Campaign]:
    """Campaigns this officer may approve: of their branches, and not written or submitted by themselves."""
    waiting = Campaign.objects.filter(status=CampaignStatus.REVIEW).exclude(submitted_by=user).exclude(created_by=user)
    return waiting if user.is_superuser else waiting.filter(place__in=user.places(Role.APPROVER))


def writing_places(user: User) -> QuerySet[Place]:
    """The tops of the branches in which this officer writes; the whole country's for a superuser."""
    if user.is_superuser:
        return Place.objects.current().filter(depth=1)
    held = Place.objects.current().filter(memberships__user=user, memberships__role=Role.WRITER)
    return held.order_by("path").distinct()


def accounts_near(user: User) -> QuerySet[Account]:
    """Accounts of the officer's branches, and those above that carry their messages."""
    accounts = Account.objects.select_related("place").order_by("place__path", "label")
    if user.is_superuser:
        return accounts
    below = Q(place__in=user.places())
    above = Q(pk__in=())
    for membership in user.memberships.select_related("place"):
        path = membership.place.path
        above |= Q(place__path__in=[path[:length] for length in range(Place.steplen, len(path), Place.steplen)])
    return accounts.filter(below | above).distinct()


def figures_of(campaigns: Iterable[Campaign]) -> dict[int, Figures]:
    """How far the campaigns are, in one query."""
    figures = {campaign.pk: Figures() for campaign in campaigns}
    counts = (
        Counter.objects.filter(content__campaign__in=figures)
        .values_list("content__campaign", "status")
        .annotate(Sum("n"))
    )
    for campaign_id, status, n in counts:
        figures[campaign_id].add(status, n)
    return figures


def stopped_contents(user: User) -> QuerySet[Content]:
    """Channels that a provider stopped, of campaigns that are still open or ended today."""
    mine = Campaign.objects.visible_to(user).filter(status__in=[CampaignStatus.RUNNING, CampaignStatus.PAUSED])
    return Content.objects.filter(campaign__in=mine, status=ContentStatus.STOPPED).select_related("campaign")


def paused_accounts(user: User) -> QuerySet[Account]:
    return accounts_near(user).filter(status=AccountStatus.PAUSED)


def with_trouble(user: User) -> QuerySet[Campaign]:
    """Running or finished campaigns with messages that did not arrive, newest first."""
    return (
        Campaign.objects.visible_to(user)
        .filter(status__in=[CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.FINISHED])
        .annotate(troubles=Count("contents__troubles"))
        .filter(troubles__gt=0)
        .order_by("-launched_at")
    )


def capabilities(channel: str) -> Capabilities:
    return registry.get(channel).capabilities


def label(channel: str) -> Text:
    """What officers call the channel, in their language."""
    from django.utils.translation import gettext

    return gettext(capabilities(channel).label)
