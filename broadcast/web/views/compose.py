"""The composer: four steps, one address each. Works without script; with it, drafts save themselves.

Nội dung (what) → Người nhận (who) → Lịch (when) → Kiểm tra (is it right).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from broadcast.audience import counting
from broadcast.campaigns import Refused, approve, compose
from broadcast.campaigns.estimate import plan
from broadcast.delivery import personal
from broadcast.delivery.work import account_for
from broadcast.models import Account, Audience, Campaign, Content
from broadcast.states import CampaignStatus, Category, Lane
from channels_adapters.core import registry, sms
from channels_adapters.core.interface import Capabilities, Field

from .. import previews, tree
from ..access import Request, campaign_for, rights, tell
from ..lists import capabilities, writing_places
from ..words import Text

STEPS: list[tuple[str, Text]] = [
    ("content", gettext_lazy("Nội dung")),
    ("audience", gettext_lazy("Người nhận")),
    ("time", gettext_lazy("Lịch")),
    ("check", gettext_lazy("Kiểm tra")),
]
DAY = forms.DateField(input_formats=["%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d"])
CLOCK = forms.TimeField(input_formats=["%H:%M", "%H:"])
OWN_FIELDS = {"title", "summary", "send_at"}  # options for which the composer has a place of its own


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    text: Text
    url: str
    current: bool
    done: bool


def _steps(campaign: Campaign, current: str) -> list[Step]:
    names = [name for name, _text in STEPS]
    return [
        Step(name, text, reverse(f"campaign.{name}", args=[campaign.pk]), name == current, i < names.index(current))
        for i, (name, text) in enumerate(STEPS)
    ]


def _draft(request: Request, pk: int) -> Campaign | None:
    """The campaign if it is a draft this officer may write; None where it has left the composer."""
    campaign = campaign_for(request, pk, "edit")
    return campaign if campaign.status == CampaignStatus.DRAFT else None


def _frame(request: Request, campaign: Campaign, step: str) -> dict[str, Any]:
    steps = _steps(campaign, step)
    i = [s.name for s in steps].index(step)
    return {
        "campaign": campaign,
        "may": rights(request, campaign),
        "steps": steps,
        "before": steps[i - 1] if i else None,
        "after": steps[i + 1] if i + 1 < len(steps) else None,
        "people": _people(campaign),
    }


def _go_on(request: Request, campaign: Campaign, step: str) -> HttpResponse:
    """To the step whose button was pressed; anything else stays."""
    wanted = request.POST.get("go", "")
    return redirect(f"campaign.{wanted if wanted in dict(STEPS) else step}", campaign.pk)


def _save(request: Request, campaign: Campaign, **changes) -> str:
    """Save the step; the sentence that says why not, empty when it is saved."""
    try:
        saved = compose.save(request.user, campaign.pk, _revision(request), **changes)
    except Refused as error:
        return " ".join(error.messages)
    campaign.revision = saved.revision
    return ""


def _revision(request: Request) -> int:
    try:
        return int(request.POST.get("revision", ""))
    except ValueError:
        return -1


def _saved(request: Request, campaign: Campaign, problem: str, **context) -> HttpResponse:
    """What an autosave answers: the new revision, or why nothing was saved."""
    context = {"campaign": campaign, "problem": problem, "now": timezone.now(), "people": _people(campaign)} | context
    return render(request, "campaign/saved.html", context)


# -- what --------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Panel:
    """One channel in the composer."""

    channel: str
    preview: previews.Preview
    on: bool
    capabilities: Capabilities
    account: Account | None

    @property
    def content(self) -> Content:
        return self.preview.content

    @property
    def has_subject(self) -> bool:
        return self.capabilities.family in ("news", "loudspeaker", "telegram", "email", "facebook", "push")

    @property
    def has_summary(self) -> bool:
        return self.capabilities.family == "news"

    @property
    def options(self) -> list[tuple[Field, Any]]:
        values = self.content.options
        shown = [f for f in self.capabilities.content_fields if f.name not in OWN_FIELDS]
        return [(f, values.get(f.name, f.default)) for f in shown]

    @property
    def ready(self) -> bool:
        shown = self.preview
        blocked = shown.estimate and any(warning.blocking for warning in shown.estimate.warnings)
        return self.on and not shown.problem and not blocked

    @property
    def meter(self) -> "Meter | None":
        return Meter.of(self.preview) if self.capabilities.family == "sms" else None


@dataclass(frozen=True, slots=True)
class Meter:
    """The SMS counter."""

    size: sms.Size
    offenders: list[sms.Offender]
    offenders_more: int
    plain_parts: int
    saved: int  # đồng, if sent without diacritics
    cost: int  # đồng for everybody
    people: int
    plain: list[previews.Piece]  # what «Bỏ dấu» changes, word by word
    unaccented: bool

    @classmethod
    def of(cls, shown: previews.Preview) -> "Meter":
        text = shown.rendered.text if shown.rendered else sms.nfc(shown.content.body).strip()
        size = sms.measure(text)
        plain = sms.plain(text)
        people = _recipients(shown.content)
        each = shown.estimate.cost // max(1, shown.estimate.parts) if shown.estimate else 0
        fewer = size.parts - sms.measure(plain).parts
        offenders = sms.offenders(text)
        return cls(
            size=size,
            offenders=offenders[:12],
            offenders_more=max(0, len(offenders) - 12),
            plain_parts=size.parts - fewer,
            saved=fewer * each * people,
            cost=size.parts * each * people,
            people=people,
            plain=[piece for piece in previews.diff(text, plain) if piece[0] != "del"] if plain != text else [],
            unaccented=bool(shown.content.options.get("unaccent")),
        )

    @property
    def segments(self) -> list[tuple[int, int]]:
        """Per part: how full it is in percent, and whether it is one too many for comfort."""
        each = self.size.limit // self.size.parts
        return [(max(0, min(100, round(100 * (self.size.units - i * each) / each))), i) for i in range(self.size.parts)]


def _recipients(content: Content) -> int:
    """How many get this channel's message, as far as the audience is chosen. Remembered for a minute."""
    campaign = content.campaign
    if campaign.audience is None:
        return 0
    key = f"recipients:{campaign.pk}:{campaign.revision}:{content.channel}"
    return cache.get_or_set(key, lambda: _count(campaign.audience, content.channel).recipients, 60) or 0


def _count(audience: Audience, channel: str):
    kind = capabilities(channel)
    return counting.count(audience.place_ids(), kind.address_kind, kind.reach)


def _people(campaign: Campaign) -> int:
    if campaign.audience is None:
        return 0
    key = f"people:{campaign.pk}:{campaign.revision}"
    return cache.get_or_set(key, lambda: counting.people(campaign.audience.place_ids()), 60) or 0


def _panels(campaign: Campaign, posted: dict[str, dict[str, Any] | None] | None = None) -> list[Panel]:
    """Every channel that has an account for this place, and those the campaign already uses."""
    saved = {content.channel: content for content in campaign.contents.all()}
    panels = []
    for adapter in registry.all_adapters():
        content = saved.get(adapter.name) or Content(campaign=campaign, channel=adapter.name)
        account = account_for(content)
        if account is None and adapter.name not in saved:
            continue
        on = adapter.name in saved
        if posted is not None:
            values = posted.get(adapter.name)
            on = values is not None
            for name, value in (values or {}).items():
                setattr(content, name, value)
        panels.append(Panel(adapter.name, previews.one(content), on, adapter.capabilities, account))
    return panels


def _posted(request: Request, campaign: Campaign) -> dict[str, dict[str, Any] | None]:
    """The contents in a form. A channel that was shown and is not ticked is left out of the campaign."""
    existing = set(campaign.contents.values_list("channel", flat=True))
    contents: dict[str, dict[str, Any] | None] = {}
    for channel in registry.names():
        if f"{channel}-shown" not in request.POST:
            continue
        if f"{channel}-on" in request.POST:
            contents[channel] = _posted_one(request, channel)
        elif channel in existing:
            contents[channel] = None
    return contents


def _posted_one(request: Request, channel: str) -> dict[str, Any]:
    posted = request.POST
    options = {}
    for field in capabilities(channel).content_fields:
        if field.name in OWN_FIELDS:
            continue
        value = posted.get(f"{channel}-option-{field.name}", "")
        options[field.name] = value == "on" if field.kind == "bool" else value.strip()
    texts = {name: posted.get(f"{channel}-{name}", "").replace("\r\n", "\n") for name in ("subject", "summary", "body")}
    return {**texts, "options": {name: value for name, value in options.items() if value}}


def content(request: Request, pk: int):
    campaign = _draft(request, pk)
    if campaign is None:
        return redirect("campaign.show", pk)
    problem, posted = "", None
    if request.method == "POST":
        posted = _posted(request, campaign)
        if channel := request.POST.get("fill"):
            posted[channel] = {**(posted.get(channel) or {}), "body": request.POST.get("source", "")}
        problem = _save(
            request,
            campaign,
            title=request.POST.get("title", ""),
            source=request.POST.get("source", "").replace("\r\n", "\n"),
            category=request.POST.get("category", ""),
            lane=_int(request.POST.get("lane")),
            contents=posted,
        )
        if request.htmx:
            panels = None if problem else _panels(campaign_for(request, pk))
            return _saved(request, campaign, problem, panels=panels)
        if not problem:
            if "fill" in request.POST:
                return redirect(f"{reverse('campaign.content', args=[pk])}#kenh-{request.POST['fill']}")
            return _go_on(request, campaign, "content")
        campaign.title, campaign.source = request.POST.get("title", ""), request.POST.get("source", "")
    context = _frame(request, campaign, "content") | {
        "panels": _panels(campaign, posted),
        "problem": problem,
        "lanes": Lane.choices,
        "categories": Category.choices,
        "fields": ", ".join("{{ " + name + " }}" for name in personal.FIELDS[::2]),
    }
    return render(request, "campaign/content.html", context, status=422 if problem else 200)


@require_POST
def preview(request: Request, pk: int, channel: str):
    """One channel's counter and preview for what is typed, without saving it."""
    campaign = campaign_for(request, pk, "edit")
    if channel not in registry.names():
        raise Http404
    campaign.title = request.POST.get("title", "")
    content = Content(campaign=campaign, channel=channel, **_posted_one(request, channel))
    adapter = capabilities(channel)
    panel = Panel(channel, previews.one(content), f"{channel}-on" in request.POST, adapter, account_for(content))
    return render(request, "campaign/preview.html", {"panel": panel, "campaign": campaign})


def _int(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return -1


# -- who ---------------------------------------------------------------------------------------------------------
def audience(request: Request, pk: int):
    campaign = _draft(request, pk)
    if campaign is None:
        return redirect("campaign.show", pk)
    roots = tree.load(writing_places(request.user))
    tree.mark(roots, tree.chosen(campaign.audience))
    problem = ""
    if request.method == "POST":
        wanted = {int(value) for value in request.POST.getlist("place") if value.isdigit()}
        places, excluded = tree.normalise(roots, wanted)
        problem = _save(request, campaign, places=places, excluded=excluded)
        if not problem and not request.htmx:
            return _go_on(request, campaign, "audience")
        if not problem:
            campaign = campaign_for(request, pk)
    context = _frame(request, campaign, "audience") | {"problem": problem, "counts": _counts(campaign)}
    if request.htmx:
        return _saved(request, campaign, problem, counts=context["counts"])
    return render(request, "campaign/audience.html", context | {"roots": roots}, status=422 if problem else 200)


@dataclass(frozen=True, slots=True)
class ChannelCount:
    mark: previews.Mark
    reach: str
    counts: Any


def _counts(campaign: Campaign) -> list[ChannelCount]:
    if campaign.audience is None:
        return []
    return [
        ChannelCount(
            previews.mark(content.channel),
            capabilities(content.channel).reach,
            _count(campaign.audience, content.channel),
        )
        for content in previews.order(campaign.contents.all())
    ]


# -- when --------------------------------------------------------------------------------------------------------
def time(request: Request, pk: int):
    campaign = _draft(request, pk)
    if campaign is None:
        return redirect("campaign.show", pk)
    problem = ""
    if request.method == "POST":
        try:
            send_at = _moment(request, "send", _("giờ gửi")) if request.POST.get("when") == "at" else None
            deadline_at = _moment(request, "deadline", _("hạn của tin"), required=False)
            if send_at and deadline_at and deadline_at <= send_at:
                raise ValueError(_("Hạn của tin phải sau giờ gửi."))
        except ValueError as error:
            problem = str(error)
        else:
            problem = _save(request, campaign, send_at=send_at, deadline_at=deadline_at)
            if not problem:
                return _go_on(request, campaign, "time")
    context = _frame(request, campaign, "time") | {
        "problem": problem,
        "posted": request.POST if problem else None,
        "at": request.POST.get("when") == "at" if problem else campaign.send_at is not None,
        "today": date_format(timezone.localdate(), "j/n/Y"),
    }
    return render(request, "campaign/time.html", context, status=422 if problem else 200)


def _moment(request: Request, name: str, what: str, *, required: bool = True) -> datetime | None:
    """A date and a time of day in two fields. Raises ValueError with a sentence."""
    day_text, time_text = request.POST.get(f"{name}_date", "").strip(), request.POST.get(f"{name}_time", "").strip()
    if not day_text and not time_text and not required:
        return None
    try:
        day, clock = DAY.clean(day_text), CLOCK.clean(time_text.lower().replace("giờ", ":").replace("h", ":"))
    except ValidationError:
        raise ValueError(
            _("Hãy nhập đủ ngày và giờ cho %(what)s, ví dụ 15/9/2026 và 06:30.") % {"what": what}
        ) from None
    return timezone.make_aware(datetime.combine(day, clock))


# -- is it right -------------------------------------------------------------------------------------------------
def check(request: Request, pk: int):
    campaign = _draft(request, pk)
    if campaign is None:
        return redirect("campaign.show", pk)
    if request.method == "POST":
        if request.POST.get("go") in dict(STEPS):
            return _go_on(request, campaign, "check")
        try:
            approve.submit(request.user, campaign.pk, _revision(request))
        except Refused as error:
            tell(request, error)
            return redirect("campaign.check", pk)
        return redirect("campaign.show", pk)
    context = _frame(request, campaign, "check") | {
        "plan": plan(campaign),
        "previews": previews.of(campaign),
        "audience": previews.audience(campaign),
        "past": campaign.send_at is not None and campaign.send_at <= timezone.now(),
    }
    return render(request, "campaign/check.html", context)
