"""What a worker must know to send a content: loaded once, kept for seconds."""

from dataclasses import dataclass
from datetime import datetime

from broadcast.models import Account, Content
from broadcast.states import AccountStatus, Category
from channels_adapters.core import registry
from channels_adapters.core.http import Transport
from channels_adapters.core.interface import Adapter, Capabilities
from channels_adapters.core.interface import Content as Message


@dataclass(frozen=True, slots=True)
class Work:
    content_id: int
    campaign_id: int
    lane: int
    message: Message
    deadline: datetime | None
    account_id: int
    rate: float | None  # requests per second over all workers
    callback_base: str
    adapter: Adapter
    capabilities: Capabilities
    may_repeat: bool  # an unknown outcome may be sent again without asking


def account_for(content: Content) -> Account | None:
    """The account that carries this content: of the campaign's place or the closest place above it."""
    place = content.campaign.place
    accounts = [
        account
        for account in Account.objects.filter(adapter=content.channel, status=AccountStatus.ACTIVE).select_related(
            "place"
        )
        if account.place.contains(place)
    ]
    return max(accounts, key=lambda account: (account.place.depth, account.weight, -account.pk), default=None)


def load(content_id: int, transport: Transport) -> Work | None:
    """None where no active account can carry the content (a person is told on its page)."""
    content = Content.objects.select_related("campaign", "campaign__place").get(pk=content_id)
    account = account_for(content)
    if account is None:
        return None
    capabilities = registry.get(content.channel).capabilities
    campaign = content.campaign
    return Work(
        content_id=content.pk,
        campaign_id=campaign.pk,
        lane=campaign.lane,
        message=content.as_message(),
        deadline=campaign.deadline_at,
        account_id=account.pk,
        rate=account.rate,
        callback_base=account.callback_base,
        adapter=account.build(transport),
        capabilities=capabilities,
        may_repeat=capabilities.idempotent or campaign.category == Category.EMERGENCY,
    )
