"""What would happen: recipients, parts, cost and warnings per channel. No network."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from broadcast.audience import counting
from broadcast.delivery import personal
from broadcast.delivery.work import account_for
from broadcast.models import Account, Campaign, Content
from channels_adapters.core import registry
from channels_adapters.core.http import Transport
from channels_adapters.core.interface import Capabilities, Estimate, Recipient, Rendered


@dataclass(slots=True)
class Line:
    """One channel of the plan."""

    content_id: int
    channel: str
    label: str
    reach: str
    sandbox: bool = False
    recipients: int = 0
    duplicates: int = 0
    opted_out: int = 0
    no_address: int = 0
    unusable: int = 0
    estimate: Estimate | None = None
    warnings: list[str] = field(default_factory=list)
    blocking: list[str] = field(default_factory=list)

    @property
    def parts(self) -> int:
        return self.recipients * (self.estimate.parts if self.estimate else 0)

    @property
    def cost(self) -> int:
        """đồng"""
        return self.recipients * (self.estimate.cost if self.estimate else 0)


@dataclass(slots=True)
class Plan:
    people: int  # contacts in the chosen places
    lines: list[Line]
    blocking: list[str]  # why it cannot be submitted
    warnings: list[str]

    @property
    def recipients(self) -> int:
        return sum(line.recipients for line in self.lines)

    @property
    def cost(self) -> int:
        return sum(line.cost for line in self.lines)


class _NoNetwork:
    async def request(self, method, url, **kwargs):
        raise RuntimeError("estimating must not use the network")


NO_NETWORK: Transport = _NoNetwork()


def plan(campaign: Campaign) -> Plan:
    place_ids = campaign.audience.place_ids() if campaign.audience else []
    lines = [_line(content, place_ids) for content in _ordered(campaign.contents.all())]
    blocking = []
    if not campaign.title.strip():
        blocking.append(_("Chiến dịch chưa có tên."))
    if not lines:
        blocking.append(_("Chưa chọn kênh nào để gửi."))
    if not place_ids:
        blocking.append(_("Chưa chọn địa bàn nhận tin."))
    elif lines and not any(line.recipients for line in lines):
        blocking.append(_("Không có ai nhận được tin này ở địa bàn và kênh đã chọn."))
    for line in lines:
        blocking.extend(f"{line.label}: {text}" for text in line.blocking)
    warnings = [f"{line.label}: {text}" for line in lines for text in line.warnings]
    return Plan(counting.people(place_ids), lines, blocking, warnings)


def preview(content: Content, *, name: str = "", place: str = "") -> tuple[Rendered, Estimate]:
    """A content, saved or not, as ``name`` of ``place`` would get it. Raises ValueError with a sentence."""
    return _render(content, name or _("Nguyễn Văn An"), place or content.campaign.place.name)


def _render(content: Content, name: str, place: str) -> tuple[Rendered, Estimate]:
    adapter_class = registry.get(content.channel)
    account = account_for(content) or Account(adapter=content.channel)
    adapter = account.build(NO_NETWORK) if account.pk else adapter_class({}, NO_NETWORK)
    message = content.as_message()
    values = personal.values_for(name, place)
    recipient = Recipient(
        "0", "", name, subject=personal.fill(message.subject, values), body=personal.fill(message.body, values)
    )
    rendered = adapter.render(message, recipient)
    return rendered, adapter.estimate(rendered)


def _line(content: Content, place_ids: list[int]) -> Line:
    capabilities: Capabilities = registry.get(content.channel).capabilities
    account = account_for(content)
    line = Line(content.pk, content.channel, str(capabilities.label), capabilities.reach)
    line.sandbox = bool(account and account.sandbox)
    counts = counting.count(place_ids, capabilities.address_kind, capabilities.reach)
    line.recipients, line.duplicates = counts.recipients, counts.duplicates
    line.opted_out, line.no_address, line.unusable = counts.opted_out, counts.no_address, counts.unusable
    if account is None:
        line.blocking.append(_("chưa có tài khoản nào đang hoạt động cho kênh này. Hãy báo quản trị viên."))
    if not content.body.strip():
        line.blocking.append(_("chưa có nội dung."))
        return line
    try:
        _rendered, line.estimate = _render(content, _("Nguyễn Thị Phương Thảo"), content.campaign.place.name)
    except ValueError as error:
        line.blocking.append(str(error))
        return line
    for warning in line.estimate.warnings:
        (line.blocking if warning.blocking else line.warnings).append(warning.text)
    return line


def _ordered(contents: Iterable[Content]) -> list[Content]:
    order = [adapter.name for adapter in registry.all_adapters()]
    return sorted(contents, key=lambda content: order.index(content.channel))
