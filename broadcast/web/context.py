"""What every page's frame shows."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from broadcast.models import Place

from .lists import waiting_for
from .words import Text

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class NavItem:
    text: Text
    url: str
    icon: str
    current: bool
    count: int = 0


class Frame:
    """Asks the database only for what a template really shows."""

    def __init__(self, request: HttpRequest):
        self.request = request
        self.user: Any = request.user  # an officer wherever the frame is shown

    @cached_property
    def _home(self) -> Place | None:
        membership = self.user.memberships.select_related("place").order_by("place__path").first()
        return membership.place if membership else None

    @property
    def place(self) -> str:
        return self._home.name if self._home else ""

    @cached_property
    def above(self) -> str:
        parent = Place.objects.get_parent(self._home) if self._home else None
        return parent.name if parent else _("Hệ thống Loa")

    @property
    def nav(self) -> list[NavItem]:
        match = self.request.resolver_match
        section = match.url_name.split(".")[0] if match and match.url_name else ""
        return [
            NavItem(_("Hôm nay"), reverse("home"), "house", section == "home"),
            NavItem(_("Chiến dịch"), reverse("campaign.list"), "megaphone", section == "campaign"),
            NavItem(
                _("Chờ duyệt"),
                reverse("approval.list"),
                "shield-check",
                section == "approval",
                waiting_for(self.user).count(),
            ),
            NavItem(_("Kênh"), reverse("account.list"), "radio-tower", section == "account"),
        ]


def page(request: HttpRequest) -> dict:
    theme = request.COOKIES.get("theme", "")
    return {"page": Frame(request), "theme": theme if theme in THEMES else ""}
