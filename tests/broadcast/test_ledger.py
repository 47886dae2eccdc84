"""The one statement that moves deliveries: compare-and-set, counters and troubles in step."""

from collections import Counter as Tally

import pytest
from django.db import connection
from django.utils import timezone

from broadcast.delivery import progress
from broadcast.models import Campaign, Content, Counter, CounterDelta, Delivery, Move, Trouble
from broadcast.models.deliveries import MONTH_BITS, month_number
from broadcast.states import DELIVERY_MOVES, Cause, DeliveryStatus

S = DeliveryStatus


@pytest.fixture
def ledger(province, officer):
    """``ledger(status, ...)``: deliveries in these states, counted as the line would have."""
    campaign = Campaign.objects.create(place=province, created_by=officer("writer"), title="Thử")
    content = Content.objects.create(campaign=campaign, channel="sms_twilio", body="Thử")
    base = month_number(timezone.now()) << MONTH_BITS

    def make(*states: int, **fields) -> list[Delivery]:
        start = Delivery.objects.count()
        rows = [
            Delivery(
                id=base + start + n, campaign_id=campaign.pk, content_id=content.pk, contact_id=1, address_id=1,
                place_id=province.pk, status=status, **fields,
            )
            for n, status in enumerate(states)
        ]  # fmt: skip
        Delivery.objects.bulk_create(rows)
        for status, n in Tally(states).items():
            CounterDelta.objects.create(content_id=content.pk, place_id=province.pk, status=status, n=n)
        return rows

    make.campaign = campaign
    return make


def counts(campaign) -> dict[int, int]:
    figures = progress.snapshot(campaign).figures
    return {s.value: n for s in S if (n := getattr(figures, s.name.lower()))}


@pytest.mark.parametrize("cause", [c for c in Cause if c is not Cause.CLAIM])
def test_every_arrow_of_the_table_is_taken_and_no_other(ledger, cause):
    for start in S:
        for target in S:
            (row,) = ledger(start)
            moved = Delivery.objects.all().move(cause, [Move(row.pk, target, reason="unknown")])
            row.refresh_from_db()
            allowed = (start, target) in DELIVERY_MOVES[cause]
            assert moved == ({row.pk} if allowed else set())
            assert row.status == (target if allowed else start)


def test_a_second_claim_and_a_repeated_receipt_change_nothing(ledger):
    (row,) = ledger(S.SENT, provider_id="SM1", account_id=1)
    delivered = [Move(row.pk, S.DELIVERED, provider_id="SM1", account_id=1)]
    assert Delivery.objects.all().move(Cause.RECEIPT, delivered) == {row.pk}
    assert Delivery.objects.all().move(Cause.RECEIPT, delivered) == set()
    late = [Move(row.pk, S.FAILED, provider_id="SM1", account_id=1, reason="unreachable")]
    assert Delivery.objects.all().move(Cause.RECEIPT, late) == set()
    row.refresh_from_db()
    assert (row.status, row.reason) == (S.DELIVERED, "")


def test_a_receipt_counts_only_for_its_attempt_and_its_account(ledger):
    (row,) = ledger(S.SENT, provider_id="SM2", account_id=1)
    for stale in (
        Move(row.pk, S.FAILED, provider_id="SM1", account_id=1),
        Move(row.pk, S.FAILED, provider_id="SM2", account_id=2),
    ):
        assert Delivery.objects.all().move(Cause.RECEIPT, [stale]) == set()


def test_counters_and_troubles_follow_the_moves(ledger):
    rows = ledger(S.SENDING, S.SENDING, S.SENDING, S.SENDING)
    Delivery.objects.all().move(
        Cause.OUTCOME,
        [
            Move(rows[0].pk, S.SENT, provider_id="SM1"),
            Move(rows[1].pk, S.FAILED, reason="bad_address"),
            Move(rows[2].pk, S.UNSURE, reason="lost_reply"),
        ],
    )
    assert counts(ledger.campaign) == {S.SENDING: 1, S.SENT: 1, S.FAILED: 1, S.UNSURE: 1}
    assert set(Trouble.objects.values_list("delivery_id", "status", "reason")) == {
        (rows[1].pk, S.FAILED, "bad_address"),
        (rows[2].pk, S.UNSURE, "lost_reply"),
    }
    progress.fold()
    assert not CounterDelta.objects.exists()
    assert sum(Counter.objects.values_list("n", flat=True)) == 4
    # what was unsure turns out to have arrived: it leaves the list, and its reason's count goes back to nothing
    Delivery.objects.all().move(Cause.RECEIPT, [Move(rows[2].pk, S.DELIVERED)])
    progress.fold()
    assert counts(ledger.campaign) == {S.SENDING: 1, S.SENT: 1, S.FAILED: 1, S.DELIVERED: 1}
    assert progress.snapshot(ledger.campaign).by_channel[0].reasons == {"bad_address": 1}
    assert not Trouble.objects.filter(delivery_id=rows[2].pk).exists()


def test_a_snapshot_takes_the_same_queries_for_any_size(ledger, django_assert_num_queries):
    ledger(*[S.PENDING] * 3)
    with django_assert_num_queries(3):
        progress.snapshot(ledger.campaign)
    ledger(*[S.DELIVERED] * 300)
    with django_assert_num_queries(3):
        progress.snapshot(ledger.campaign)


def test_status_updates_stay_on_their_page(ledger):
    """No index mentions a status, so PostgreSQL can update in place; an index that did would cost half the speed."""
    ledger()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'broadcast_delivery%%' AND indexdef ~ "
            "'status|provider_id|final_at|reason|attempts'"
        )
        assert cursor.fetchall() == []
