"""One module per noun."""

from .accounts import Account
from .audit import AuditEntry
from .campaigns import Audience, Campaign, Content
from .consent import AdvertisingSent, Consent, DoNotCall
from .deliveries import Batch, Counter, CounterDelta, Delivery, Move, Trouble
from .imports import ImportProblem, PeopleImport
from .inbox import InboundMessage, InboxItem, ParkedReceipt, ProviderReference, RefusedCallback
from .newsroom import Article
from .officers import Membership, Role, User
from .people import Address, Contact, Refusal, Tally
from .places import Place, PlaceSuccession
from .stations import Bulletin, Clip, Reading, Slot, Station

__all__ = [
    "Account",
    "Address",
    "AdvertisingSent",
    "Article",
    "Audience",
    "AuditEntry",
    "Batch",
    "Bulletin",
    "Campaign",
    "Clip",
    "Consent",
    "Contact",
    "Content",
    "Counter",
    "CounterDelta",
    "Delivery",
    "DoNotCall",
    "ImportProblem",
    "InboundMessage",
    "InboxItem",
    "Membership",
    "Move",
    "ParkedReceipt",
    "PeopleImport",
    "Place",
    "PlaceSuccession",
    "ProviderReference",
    "Reading",
    "Refusal",
    "RefusedCallback",
    "Role",
    "Slot",
    "Station",
    "Tally",
    "Trouble",
    "User",
]
