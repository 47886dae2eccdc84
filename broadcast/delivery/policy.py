"""What follows from an outcome: the status, and whether and when to try again. Pure functions."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from broadcast.models import Move
from broadcast.states import DeliveryStatus
from channels_adapters.core.interface import Next, Outcome, Reason

MAX_ATTEMPTS = 6
FIRST_DELAY = 5.0  # seconds; then 20, 80, 320, 1,280
LONGEST_DELAY = 3600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    move: Move
    retry_at: datetime | None = None  # set when the delivery goes back to pending


def backoff(attempts: int, after: float | None = None) -> float:
    """Seconds until the next try after ``attempts`` tries: exponential with jitter, never before Retry-After."""
    delay = min(LONGEST_DELAY, FIRST_DELAY * 4 ** (attempts - 1))
    delay *= random.uniform(0.8, 1.3)  # noqa: S311 - spreads load, guards nothing
    return max(delay, (after or 0.0) * random.uniform(1.0, 1.1))  # noqa: S311


def judge(
    delivery_id: int,
    outcome: Outcome,
    *,
    attempts: int,
    account_id: int,
    may_repeat: bool,
    deadline: datetime | None,
    now: datetime | None = None,
) -> Verdict:
    """``attempts`` counts this one. ``may_repeat``: sending twice is harmless or better than never."""
    now = now or datetime.now(UTC)
    step = outcome.next
    if step is None:
        status = DeliveryStatus.DELIVERED if outcome.delivered else DeliveryStatus.SENT
        return Verdict(
            Move(
                delivery_id, status, provider_id=outcome.provider_id, account_id=account_id,
                parts=outcome.parts, cost=outcome.cost,
            )
        )  # fmt: skip
    reason = (outcome.reason or Reason.UNKNOWN).value
    if step is Next.UNSURE and may_repeat and attempts < MAX_ATTEMPTS:
        step = Next.RETRY
    if step is Next.UNSURE:
        return Verdict(_move(delivery_id, DeliveryStatus.UNSURE, outcome, reason, account_id, now))
    if step in (Next.RETRY, Next.RESCHEDULE, Next.PAUSE_ACCOUNT):
        if step is Next.RESCHEDULE and outcome.at:
            retry_at = outcome.at
        else:
            retry_at = now + timedelta(seconds=backoff(attempts, outcome.after))
        if deadline is not None and retry_at >= deadline:
            return Verdict(_move(delivery_id, DeliveryStatus.EXPIRED, outcome, Reason.EXPIRED.value, account_id, now))
        # A provider that tells us to wait is at work, not at fault: only real failures use up the tries.
        if step is not Next.RETRY or outcome.reason is Reason.RATE_LIMITED or attempts < MAX_ATTEMPTS:
            return Verdict(_move(delivery_id, DeliveryStatus.PENDING, outcome, reason, account_id, now), retry_at)
    return Verdict(_move(delivery_id, DeliveryStatus.FAILED, outcome, reason, account_id, now))


def _move(delivery_id: int, to: int, outcome: Outcome, reason: str, account_id: int, now: datetime) -> Move:
    return Move(
        delivery_id, to, reason=reason, code=outcome.code, provider_id=outcome.provider_id,
        account_id=account_id, at=now,
    )  # fmt: skip
