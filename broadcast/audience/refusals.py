"""A citizen says no, or an address is dead: in force at once, also for messages already queued."""

from django.db import transaction
from django.utils import timezone

from broadcast.models import Address, Delivery, Refusal, vault
from broadcast.states import AddressState


def refuse(kind: str, value: str, source: str) -> None:
    """Record an opt-out of a canonical address, known or not. Repeating it changes nothing."""
    with transaction.atomic():
        Refusal.objects.bulk_create(
            [Refusal(kind=kind, value=vault.seal(value, kind), source=source)], ignore_conflicts=True
        )
        _mark(kind, value, AddressState.OPTED_OUT, source)


def accept_again(kind: str, value: str) -> None:
    """The citizen wants messages again."""
    with transaction.atomic():
        Refusal.objects.filter(kind=kind, value__in=vault.candidates(value, kind), withdrawn_at__isnull=True).update(
            withdrawn_at=timezone.now()
        )
        Address.objects.matching(kind, value).filter(state=AddressState.OPTED_OUT).update(
            state=AddressState.UNVERIFIED, state_at=timezone.now(), state_reason=""
        )


def mark_dead(kind: str, value: str, reason: str) -> None:
    _mark(kind, value, AddressState.DEAD, reason)


def block_address_of(delivery_id: int, *, opted_out: bool) -> None:
    """The provider says this addressee refused or is gone."""
    address_id = Delivery.objects.values_list("address_id", flat=True).get(pk=delivery_id)
    address = Address.objects.filter(pk=address_id).first()
    if address is None:
        return
    if opted_out:
        refuse(address.kind, address.plain, "provider")
    else:
        mark_dead(address.kind, address.plain, "provider")


def move_address_of(delivery_id: int, value: str) -> None:
    """The provider says this addressee has a new address (a group that was moved)."""
    address = Address.objects.filter(pk__in=Delivery.objects.filter(pk=delivery_id).values("address_id")).first()
    if address is None:
        return
    old = bytes(address.value)
    address.plain = value
    if not Address.objects.filter(contact=address.contact_id, kind=address.kind, value=address.value).exists():
        Address.objects.filter(kind=address.kind, value=old).update(value=address.value)


def _mark(kind: str, value: str, state: AddressState, reason: str) -> None:
    Address.objects.matching(kind, value).exclude(state=state).update(
        state=state, state_at=timezone.now(), state_reason=reason
    )
