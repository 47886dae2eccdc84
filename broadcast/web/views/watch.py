"""A campaign under way: its live page, what did not arrive and why, and the second try."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from broadcast import tasks
from broadcast.campaigns import Refused, launch
from broadcast.delivery.work import account_for
from broadcast.models import Address, Bulletin, Campaign, Contact, Delivery, Place, Trouble
from broadcast.states import DeliveryStatus
from channels_adapters.core.interface import Reason

from .. import watching, words
from ..access import Request, campaign_for, rights, tell
from ..lists import label
from ..sound import serve

PAGE = 50


@never_cache
def live(request: Request, pk: int):
    campaign = campaign_for(request, pk)
    if campaign.launched_at is None:
        return redirect("campaign.show", pk)
    contents = list(campaign.contents.all())
    accounts = [(content, account_for(content)) for content in contents]
    context = {
        "campaign": campaign,
        "may": rights(request, campaign),
        "live": watching.view(campaign),
        "sandbox": any(account and account.sandbox for _content, account in accounts),
        "silent": [label(content.channel) for content, account in accounts if account is None],
        "bulletin": _bulletin(campaign),
    }
    return render(request, "live/page.html", context)


def sound(request: Request, pk: int) -> HttpResponse:
    """The recording, as one of its stations plays it."""
    bulletin = _bulletin(campaign_for(request, pk))
    if bulletin is None:
        raise Http404
    return serve(request, bulletin.sha256, "ban-tin.mp3").response


def _bulletin(campaign: Campaign) -> Bulletin | None:
    return Bulletin.objects.filter(content__campaign=campaign).select_related("station__contact").order_by("pk").first()


@never_cache
def progress(request: Request, pk: int):
    """What the WebSocket sends, for a page that lost it."""
    return HttpResponse(watching.fragments(watching.view(campaign_for(request, pk))))


def failed(request: Request, pk: int):
    """Who did not get it and why, a page at a time: ``?ly-do=unreachable&kenh=sms_twilio&trang=2``."""
    campaign = campaign_for(request, pk)
    reason, channel = request.GET.get("ly-do", ""), request.GET.get("kenh", "")
    contents = {content.pk: content for content in campaign.contents.all()}
    troubles = Trouble.objects.filter(content__in=contents).order_by("-at", "-delivery_id")
    if reason in words.REASONS:
        troubles = troubles.filter(reason=reason)
    if channel:
        troubles = troubles.filter(content__channel=channel)
    page = Paginator(troubles, PAGE).get_page(request.GET.get("trang"))
    query = request.GET.copy()
    query.pop("trang", None)
    context = {
        "campaign": campaign,
        "may": rights(request, campaign),
        "rows": _rows(list(page.object_list), contents),
        "shown": page,
        "query": query.urlencode(),
        "reason": reason if reason in words.REASONS else "",
        "trouble": words.trouble(reason) if reason in words.REASONS else None,
        "reasons": [(value, words.trouble(value).what) for value in _reasons(campaign)],
        "channels": [(content.channel, label(content.channel)) for content in contents.values()],
        "channel": channel,
        "unsure": troubles.filter(status=DeliveryStatus.UNSURE).count() if reason == Reason.LOST_REPLY else 0,
    }
    return render(request, "live/failed.html", context)


def _reasons(campaign: Campaign) -> list[str]:
    reasons = Trouble.objects.filter(content__campaign=campaign).order_by("reason")
    return list(reasons.values_list("reason", flat=True).distinct())


def _rows(troubles: list[Trouble], contents) -> list[dict]:
    """Four queries for a page, whatever its length. Addresses are shown masked."""
    deliveries = Delivery.objects.in_bulk([trouble.delivery_id for trouble in troubles])
    addresses = Address.objects.in_bulk({d.address_id for d in deliveries.values()})
    contacts = Contact.objects.in_bulk({d.contact_id for d in deliveries.values()})
    places = Place.objects.in_bulk({trouble.place_id for trouble in troubles})
    rows = []
    for trouble in troubles:
        delivery = deliveries.get(trouble.delivery_id)
        address = addresses.get(delivery.address_id) if delivery else None
        contact = contacts.get(delivery.contact_id) if delivery else None
        rows.append(
            {
                "address": address.masked if address else "–",
                "name": contact.name if contact else "–",
                "place": places.get(trouble.place_id),
                "channel": label(contents[trouble.content_id].channel),
                "trouble": words.trouble(trouble.reason),
                "status": words.DELIVERY[trouble.status],
                "unsure": trouble.status == DeliveryStatus.UNSURE,
                "attempts": delivery.attempts if delivery else 0,
                "at": trouble.at,
            }
        )
    return rows


@require_POST
def retry(request: Request, pk: int):
    """Try again what failed for one reason."""
    campaign = campaign_for(request, pk, "send")
    reason = request.POST.get("reason", "")
    if reason not in words.REASONS or not words.REASONS[reason].again:
        messages.error(request, _("Lý do này gửi lại không có tác dụng."))
        return redirect("campaign.live", pk)
    try:
        n = launch.retry_failed(request.user, campaign.pk, [reason])
    except Refused as error:
        tell(request, error)
    else:
        tasks.nudge()
        messages.success(request, ngettext("Đang gửi lại %(n)d tin.", "Đang gửi lại %(n)d tin.", n) % {"n": n})
    return redirect("campaign.live", pk)


@require_POST
def settle(request: Request, pk: int):
    """A person decides about messages nobody knows the fate of."""
    campaign = campaign_for(request, pk, "send")
    unsure = Trouble.objects.filter(content__campaign=campaign, status=DeliveryStatus.UNSURE)
    resend = request.POST.get("do") == "resend"
    try:
        ids = list(unsure.values_list("delivery_id", flat=True))
        n = launch.settle_unsure(request.user, campaign.pk, ids, resend=resend)
    except Refused as error:
        tell(request, error)
    else:
        tasks.nudge()
        done = (
            ngettext("Đang gửi lại %(n)d tin.", "Đang gửi lại %(n)d tin.", n)
            if resend
            else ngettext("Đã ghi nhận %(n)d tin là đã gửi.", "Đã ghi nhận %(n)d tin là đã gửi.", n)
        )
        messages.success(request, done % {"n": n})
    return redirect("campaign.live", pk)
