"""What follows from an outcome."""

from datetime import UTC, datetime, timedelta

import pytest

from broadcast.delivery.policy import MAX_ATTEMPTS, backoff, judge
from broadcast.states import DELIVERY_MOVES, Cause, DeliveryStatus
from channels_adapters.core.interface import Next, Outcome, Reason

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def verdict(outcome, **options):
    defaults = {"attempts": 1, "account_id": 7, "may_repeat": False, "deadline": None, "now": NOW}
    return judge(1, outcome, **{**defaults, **options})


@pytest.mark.parametrize("step", [None, *Next])
@pytest.mark.parametrize("may_repeat", [False, True])
@pytest.mark.parametrize("attempts", [1, MAX_ATTEMPTS])
def test_every_outcome_leads_along_an_arrow_of_the_table(step, may_repeat, attempts):
    outcome = Outcome.ok("1", "SM1") if step is None else Outcome.fail("1", step, Reason.UNKNOWN)
    found = verdict(outcome, may_repeat=may_repeat, attempts=attempts)
    assert (DeliveryStatus.SENDING, found.move.to) in DELIVERY_MOVES[Cause.OUTCOME]
    assert (found.retry_at is not None) == (found.move.to == DeliveryStatus.PENDING)


def test_a_lost_reply_is_repeated_only_where_that_is_allowed():
    lost = Outcome.fail("1", Next.UNSURE, Reason.LOST_REPLY)
    assert verdict(lost).move.to == DeliveryStatus.UNSURE
    assert verdict(lost, may_repeat=True).move.to == DeliveryStatus.PENDING
    assert verdict(lost, may_repeat=True, attempts=MAX_ATTEMPTS).move.to == DeliveryStatus.UNSURE


def test_a_retry_waits_longer_each_time_and_never_less_than_told():
    waits = [min(backoff(n) for _ in range(50)) for n in range(1, 5)]
    assert waits == sorted(waits)
    assert backoff(1, after=120) >= 120


def test_a_provider_that_asks_for_patience_does_not_use_up_the_tries():
    busy = Outcome.fail("1", Next.RETRY, Reason.RATE_LIMITED, after=2)
    assert verdict(busy, attempts=MAX_ATTEMPTS + 5).move.to == DeliveryStatus.PENDING
    broken = Outcome.fail("1", Next.RETRY, Reason.PROVIDER_ERROR)
    assert verdict(broken, attempts=MAX_ATTEMPTS).move.to == DeliveryStatus.FAILED


def test_what_cannot_be_tried_again_in_time_expires():
    again = Outcome.fail("1", Next.RESCHEDULE, Reason.QUOTA, at=NOW + timedelta(hours=9))
    assert verdict(again, deadline=NOW + timedelta(hours=3)).move.to == DeliveryStatus.EXPIRED
    assert verdict(again, deadline=NOW + timedelta(hours=12)).retry_at == NOW + timedelta(hours=9)
