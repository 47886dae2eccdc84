"""What providers report later, and what citizens answer: applied in bulk, once, in any order.

The webhook door stores callbacks; ``drain`` applies them. A receipt finds its delivery by our own reference, or by the
provider's id; one that finds none is parked, for it may have overtaken the reply to the send.
"""

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.db import connection, transaction

from broadcast.audience import refusals
from broadcast.delivery import personal
from broadcast.delivery.ledger import retry_batch, rounded
from broadcast.delivery.policy import MAX_ATTEMPTS, backoff
from broadcast.models import (
    Account,
    Campaign,
    Content,
    Delivery,
    InboundMessage,
    InboxItem,
    Move,
    ParkedReceipt,
    ProviderReference,
    Trouble,
    vault,
)
from broadcast.states import CampaignStatus, Cause, ContentStatus, DeliveryStatus
from channels_adapters.core.interface import Inbound, Next, Query, Reason, Receipt, ReceiptState, Recipient, Request

log = logging.getLogger(__name__)

DRAIN = 2_000  # callbacks per transaction
PARKED_FOR = timedelta(hours=1)
TO_CONFIRM = "to confirm"  # InboxItem.error of a callback that proves nothing: its provider is asked
CONFIRM_WITHIN = timedelta(days=1)

_STATUS = {
    ReceiptState.SENT: DeliveryStatus.SENT,
    ReceiptState.DELIVERED: DeliveryStatus.DELIVERED,
    ReceiptState.READ: DeliveryStatus.READ,
    ReceiptState.FAILED: DeliveryStatus.FAILED,
    ReceiptState.NOT_FOUND: DeliveryStatus.PENDING,
}
# Of several receipts for one message the furthest counts; a failure beats "sent" but not proof of arrival.
_RANK = {
    ReceiptState.NOT_FOUND: 0,
    ReceiptState.SENT: 1,
    ReceiptState.FAILED: 2,
    ReceiptState.DELIVERED: 3,
    ReceiptState.READ: 4,
}


def drain() -> int:
    """Apply stored callbacks, oldest first; how many were taken. Safe to run twice at once."""
    with transaction.atomic():
        items = list(InboxItem.objects.select_for_update(skip_locked=True).filter(error="").order_by("id")[:DRAIN])
        if not items:
            return 0
        accounts = Account.objects.in_bulk({item.account_id for item in items})
        receipts: dict[int, list[Receipt]] = defaultdict(list)
        inbound: dict[int, list[Inbound]] = defaultdict(list)
        unreadable = []
        adapters = {pk: account.build(_NoNetwork()) for pk, account in accounts.items()}
        for item in items:
            request = Request(
                method=item.method,
                url=item.url,
                query=urlsplit(item.url).query,
                headers=item.headers,
                body=bytes(item.body),
            )
            try:
                callback = adapters[item.account_id].parse(request)
            except Exception as error:
                # One callback that cannot be read must not hold up the others; a person finds it with its cause.
                item.error = f"{type(error).__name__}"[:200]
                unreadable.append(item)
                continue
            if callback.ask:
                item.error = TO_CONFIRM
                unreadable.append(item)
                continue
            receipts[item.account_id].extend(callback.receipts)
            inbound[item.account_id].extend(callback.inbound)
        InboxItem.objects.bulk_update(unreadable, ["error"])
        kept = {item.pk for item in unreadable}
        InboxItem.objects.filter(pk__in=[item.pk for item in items if item.pk not in kept]).delete()
        for account_id, batch in receipts.items():
            apply(account_id, batch)
        for account_id, messages in inbound.items():
            receive(accounts[account_id], messages)
    return len(items)


def to_confirm(limit: int = 100) -> dict[int, dict[int, list[Query]]]:
    """Account -> stored callback -> the messages its provider has to be asked about, oldest first."""
    found: dict[int, dict[int, list[Query]]] = defaultdict(dict)
    adapters = {}
    for item in InboxItem.objects.filter(error=TO_CONFIRM).order_by("id")[:limit]:
        if item.account_id not in adapters:
            adapters[item.account_id] = Account.objects.get(pk=item.account_id).build(_NoNetwork())
        request = Request(item.method, item.url, urlsplit(item.url).query, item.headers, bytes(item.body))
        found[item.account_id][item.pk] = list(adapters[item.account_id].parse(request).ask)
    return found


def confirmed(account_id: int, asked: dict[int, list[Query]], answers: Sequence[Receipt]) -> None:
    """Apply what the provider answered about these callbacks; ask again where it said nothing, for a day."""
    answered = {receipt.reference for receipt in answers}
    done = [pk for pk, queries in asked.items() if {query.reference for query in queries} <= answered]
    with transaction.atomic():
        apply(account_id, answers)
        InboxItem.objects.filter(pk__in=done).delete()
        InboxItem.objects.filter(error=TO_CONFIRM, received_at__lt=datetime.now(UTC) - CONFIRM_WITHIN).delete()


class _NoNetwork:
    """Reading a callback needs no network; an adapter that tries has a defect."""

    async def request(self, method, url, **kwargs):
        raise RuntimeError("parse must not use the network")


def record(account_id: int, receipts: Sequence[Receipt]) -> None:
    """Receipts of our own outlets (a clip downloaded, a bulletin played), applied at once."""
    with transaction.atomic():
        apply(account_id, receipts)


def apply(account_id: int, receipts: Sequence[Receipt]) -> set[int]:
    """Move the deliveries these receipts speak of; the ids that moved. Call in a transaction."""
    known = _deliveries_of(account_id, [r.provider_id for r in receipts if not r.reference and r.provider_id])
    best: dict[int, Receipt] = {}
    parked = []
    for receipt in receipts:
        if receipt.reference:
            if not receipt.reference.isdecimal() or len(receipt.reference) > 18:
                continue  # not ours
            delivery_id: int | None = int(receipt.reference)
        else:
            delivery_id = known.get(receipt.provider_id)
        if delivery_id is None:
            if receipt.provider_id:
                parked.append(receipt)
            continue
        if delivery_id not in best or _RANK[receipt.state] > _RANK[best[delivery_id].state]:
            best[delivery_id] = receipt
    ParkedReceipt.objects.bulk_create(
        ParkedReceipt(account_id=account_id, provider_id=receipt.provider_id, receipt=_as_json(receipt))
        for receipt in parked
    )
    return _move(account_id, best)


def _move(account_id: int, receipts: dict[int, Receipt]) -> set[int]:
    again = {id for id, receipt in receipts.items() if _tries_again(receipt)}
    rows = (
        {row.pk: row for row in Delivery.objects.filter(pk__in=again).only("pk", "attempts", "content_id")}
        if again
        else {}
    )
    retry_ids = {id for id, row in rows.items() if row.attempts < MAX_ATTEMPTS}
    now = datetime.now(UTC)
    moves = [
        Move(
            delivery_id,
            DeliveryStatus.PENDING if delivery_id in retry_ids else _status(receipt),
            reason=(receipt.reason or Reason.UNKNOWN).value if receipt.state is ReceiptState.FAILED else "",
            code=receipt.code,
            provider_id=receipt.provider_id,
            account_id=account_id,
            at=min(receipt.at, now) if receipt.at else now,
        )
        for delivery_id, receipt in sorted(receipts.items())
    ]
    moved = Delivery.objects.all().move(Cause.RECEIPT, moves)
    if waiting := retry_ids & moved:
        requeue({id: rows[id].content_id for id in waiting}, {id: backoff(rows[id].attempts) for id in waiting})
    for delivery_id in moved:
        receipt = receipts[delivery_id]
        if receipt.next is Next.BLOCK_ADDRESS:
            refusals.block_address_of(delivery_id, opted_out=receipt.reason is Reason.OPTED_OUT)
    return moved


def _tries_again(receipt: Receipt) -> bool:
    return receipt.state is ReceiptState.NOT_FOUND or (
        receipt.state is ReceiptState.FAILED and receipt.next in (Next.RETRY, Next.RESCHEDULE)
    )


def _status(receipt: Receipt) -> DeliveryStatus:
    # Asked in vain as often as we try: nothing arrived, and nothing more is tried.
    return DeliveryStatus.FAILED if receipt.state is ReceiptState.NOT_FOUND else _STATUS[receipt.state]


def requeue(content_of: dict[int, int], delay_of: dict[int, float]) -> None:
    """Queue deliveries that are pending again, each after its delay in seconds; reopens what was finished."""
    contents = Content.objects.filter(pk__in=set(content_of.values()))
    lanes = dict(contents.values_list("pk", "campaign__lane"))
    contents.filter(status=ContentStatus.FINISHED).update(status=ContentStatus.RUNNING)
    for campaign_id in contents.values_list("campaign_id", flat=True).distinct():
        Campaign.objects.all().move(campaign_id, CampaignStatus.FINISHED, CampaignStatus.RUNNING, finished_at=None)
    groups: dict[tuple[int, datetime], list[int]] = defaultdict(list)
    now = datetime.now(UTC)
    for delivery_id, content_id in content_of.items():
        groups[content_id, rounded(now + timedelta(seconds=delay_of[delivery_id]))].append(delivery_id)
    with connection.cursor() as cursor:
        for (content_id, due), ids in groups.items():
            for start in range(0, len(ids), 512):
                cursor.execute(*retry_batch(content_id, lanes[content_id], due, ids[start : start + 512]))


def unpark() -> None:
    """Match parked receipts again; give up those nobody claimed for an hour."""
    with transaction.atomic():
        waiting = list(ParkedReceipt.objects.select_for_update(skip_locked=True).order_by("pk")[:DRAIN])
        by_account: dict[int, list[ParkedReceipt]] = defaultdict(list)
        for parked in waiting:
            by_account[parked.account_id].append(parked)
        done = []
        for account_id, group in by_account.items():
            known = _deliveries_of(account_id, [parked.provider_id for parked in group])
            found: dict[int, Receipt] = {}
            for parked in group:
                if parked.provider_id in known:
                    done.append(parked.pk)
                    receipt = _from_json(parked.receipt)
                    delivery_id = known[parked.provider_id]
                    if delivery_id not in found or _RANK[receipt.state] > _RANK[found[delivery_id].state]:
                        found[delivery_id] = receipt
            _move(account_id, found)
        ParkedReceipt.objects.filter(pk__in=done).delete()
        ParkedReceipt.objects.filter(parked_at__lt=datetime.now(UTC) - PARKED_FOR).delete()


def receive(account: Account, messages: Sequence[Inbound]) -> None:
    """Store what citizens sent, once each, and obey a refusal at once."""
    kind = account.adapter_class.capabilities.address_kind
    now = datetime.now(UTC)
    InboundMessage.objects.bulk_create(
        (
            InboundMessage(
                account=account,
                provider_id=message.provider_id[:80],
                kind=message.kind,
                address_kind=kind,
                address=vault.seal(message.address, kind),
                text=message.text[:4000],
                name=message.name[:120],
                at=message.at or now,
            )
            for message in messages
        ),
        ignore_conflicts=True,
    )
    for message in messages:
        if message.kind in ("opt_out", "unfollow", "blocked"):
            refusals.refuse(kind, message.address, "reply" if message.kind == "opt_out" else message.kind)
        elif message.kind in ("opt_in", "follow"):
            refusals.accept_again(kind, message.address)


def unsure_to_look_up(account_id: int, limit: int = 100) -> list[Query]:
    """Unsure deliveries of an account that are some seconds old, for ``Adapter.lookup``."""
    account = Account.objects.get(pk=account_id)
    kind = account.adapter_class.capabilities.address_kind
    troubles = dict(
        Trouble.objects.filter(
            status=DeliveryStatus.UNSURE,
            at__lt=datetime.now(UTC) - timedelta(seconds=5),
            content__channel=account.adapter,
        ).values_list("delivery_id", "at")[:limit]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT d.id, d.provider_id, d.content_id, a.value, c.name, p.name FROM broadcast_delivery d
            JOIN broadcast_address a ON a.id = d.address_id
            JOIN broadcast_contact c ON c.id = d.contact_id
            JOIN broadcast_place p ON p.id = d.place_id
            WHERE d.id = ANY(%s) AND d.account_id = %s""",
            [list(troubles), account_id],
        )
        rows = cursor.fetchall()
    contents = Content.objects.select_related("campaign").in_bulk({row[2] for row in rows})
    adapter = account.build(_NoNetwork())
    queries = []
    for delivery_id, provider_id, content_id, sealed, name, place in rows:
        address = vault.unseal(sealed, kind)
        message = contents[content_id].as_message()
        values = personal.values_for(name, place)
        recipient = Recipient(
            str(delivery_id), address, name,
            subject=personal.fill(message.subject, values), body=personal.fill(message.body, values),
        )  # fmt: skip
        text = adapter.render(message, recipient).text
        queries.append(Query(str(delivery_id), provider_id, address, text, troubles[delivery_id]))
    return queries


def _deliveries_of(account_id: int, provider_ids: Sequence[str]) -> dict[str, int]:
    if not provider_ids:
        return {}
    return dict(
        ProviderReference.objects.filter(account_id=account_id, provider_id__in=set(provider_ids)).values_list(
            "provider_id", "delivery_id"
        )
    )


def _as_json(receipt: Receipt) -> dict:
    data = dataclasses.asdict(receipt)
    return {**data, "at": receipt.at.isoformat() if receipt.at else None, "until": None}


def _from_json(data: dict) -> Receipt:
    return Receipt(
        **{
            **data,
            "state": ReceiptState(data["state"]),
            "next": Next(data["next"]) if data["next"] else None,
            "reason": Reason(data["reason"]) if data["reason"] else None,
            "at": datetime.fromisoformat(data["at"]) if data["at"] else None,
        }
    )
