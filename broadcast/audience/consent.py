"""The gates a message passes before it leaves: law for advertising, courtesy for notices, nothing for emergencies.

Decree 91/2020/NĐ-CP: article 7 (national list of refusals), 13 (prior consent, hours, three a day, stop at once),
15 (label), 16 (the way to refuse). News and social policy of public bodies are no advertising (article 3). Personal
data in an emergency: Law 91/2025/QH15, article 19. The quiet hours of notices are our own rule, not the law's.

A gate that stops a message says which rule did, in ``Rule``; texts for officers are in ``Rule.sentence``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from broadcast.models import Consent, DoNotCall, vault
from broadcast.states import Category
from channels_adapters.core import phone

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
MOST_A_DAY = 3
ADVERTISING_HOURS = (time(7), time(22))
NOTICE_HOURS = (time(6), time(21))
LABELS = ("[QC]", "[AD]")


class Rule(StrEnum):
    REFUSED = "refused"
    DO_NOT_CALL = "do_not_call"
    NO_CONSENT = "no_consent"
    DAILY_LIMIT = "daily_limit"
    HOURS = "hours"
    QUIET = "quiet"
    LABEL = "label"
    NO_REFUSAL_LINE = "no_refusal_line"

    @property
    def article(self) -> str:
        return _RULES[self][0]

    @property
    def sentence(self) -> str:
        return _RULES[self][1]


_DECREE = "Nghị định 91/2020/NĐ-CP"
_RULES: dict[Rule, tuple[str, str]] = {
    Rule.REFUSED: (f"{_DECREE}, Điều 13", "Người nhận đã từ chối nhận tin."),
    Rule.DO_NOT_CALL: (f"{_DECREE}, Điều 7", "Số này trong Danh sách không quảng cáo (DoNotCall)."),
    Rule.NO_CONSENT: (f"{_DECREE}, Điều 13", "Người nhận chưa đồng ý nhận quảng cáo, hoặc không có bằng chứng."),
    Rule.DAILY_LIMIT: (f"{_DECREE}, Điều 13", f"Người nhận đã có {MOST_A_DAY} tin quảng cáo trong 24 giờ."),
    Rule.HOURS: (f"{_DECREE}, Điều 13", "Tin quảng cáo chỉ được gửi từ 7 giờ đến 22 giờ."),
    Rule.QUIET: ("Quy định của đơn vị", "Thông báo không gửi từ 21 giờ đến 6 giờ, trừ khi nêu lý do."),
    Rule.LABEL: (f"{_DECREE}, Điều 15", "Tin quảng cáo phải bắt đầu bằng nhãn [QC] hoặc [AD]."),
    Rule.NO_REFUSAL_LINE: (f"{_DECREE}, Điều 16", "Tin quảng cáo phải kết thúc bằng cách từ chối nhận tin."),
}


@dataclass(frozen=True, slots=True)
class Stop:
    rule: Rule
    until: datetime | None = None  # when the gate opens again; None: by itself never


def hours(category: str, now: datetime | None = None, *, reason: str = "") -> Stop | None:
    """May messages of this category leave now? ``reason`` is why an officer sends a notice at night."""
    local = (now or timezone.now()).astimezone(VIETNAM)
    if category == Category.ADVERTISING:
        rule, (opens, closes) = Rule.HOURS, ADVERTISING_HOURS
    elif category == Category.EMERGENCY or reason.strip():
        return None
    else:
        rule, (opens, closes) = Rule.QUIET, NOTICE_HOURS
    if opens <= local.time() < closes:
        return None
    day = local.date() + timedelta(days=local.time() >= closes)
    return Stop(rule, datetime.combine(day, opens, VIETNAM))


def text(category: str, body: str, refusal_line: str) -> list[Stop]:
    """What the law misses in the final text of a message. ``refusal_line`` is how this channel is refused."""
    if category != Category.ADVERTISING:
        return []
    stops = []
    if not body.startswith(LABELS):
        stops.append(Stop(Rule.LABEL))
    if not refusal_line.strip() or not body.rstrip().endswith(refusal_line.strip()):
        stops.append(Stop(Rule.NO_REFUSAL_LINE))
    return stops


_LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended(encode(value, 'hex'), 91))
FROM (SELECT DISTINCT value FROM unnest(%(values)s::bytea[]) AS value ORDER BY value) AS sorted
"""

_REFUSED = """EXISTS (
    SELECT FROM broadcast_refusal r WHERE r.kind = %(kind)s AND r.value = w.value AND r.withdrawn_at IS NULL)"""

_ADVERTISING = f"""
WITH wished AS (
    SELECT id, value, row_number() OVER (PARTITION BY value ORDER BY id) AS turn
    FROM unnest(%(ids)s::bigint[], %(values)s::bytea[]) AS w(id, value)
    WHERE id NOT IN (SELECT delivery_id FROM broadcast_advertisingsent WHERE delivery_id = ANY(%(ids)s::bigint[]))
), verdict AS (
    SELECT w.id, w.value, CASE
        WHEN {_REFUSED} THEN 'refused'
        WHEN %(kind)s = 'phone' AND EXISTS (SELECT FROM broadcast_donotcall d WHERE d.value = w.value)
            THEN 'do_not_call'
        WHEN NOT EXISTS (
            SELECT FROM broadcast_consent c
            WHERE c.kind = %(kind)s AND c.value = w.value AND c.withdrawn_at IS NULL AND c.given_at <= %(now)s)
            THEN 'no_consent'
        WHEN w.turn + (
            SELECT count(*) FROM broadcast_advertisingsent s
            WHERE s.kind = %(kind)s AND s.value = w.value AND s.at > %(now)s - interval '24 hours') > {MOST_A_DAY}
            THEN 'daily_limit'
    END AS rule
    FROM wished w
), reserved AS (
    INSERT INTO broadcast_advertisingsent (delivery_id, kind, value, at)
    SELECT id, %(kind)s, value, %(now)s FROM verdict WHERE rule IS NULL
)
SELECT id, rule FROM verdict WHERE rule IS NOT NULL
"""

_OTHERS = f"""
SELECT w.id, 'refused' FROM unnest(%(ids)s::bigint[], %(values)s::bytea[]) AS w(id, value) WHERE {_REFUSED}
"""


def gate(
    category: str, kind: str, deliveries: Sequence[tuple[int, bytes]], now: datetime | None = None
) -> dict[int, Rule]:
    """Which of these (delivery id, sealed address) must not leave, and by which rule. Asked just before sending.

    Advertising that passes counts towards the daily limit from here on; asking again for the same delivery (a
    retry) does not count it twice. A refusal made a moment ago stops what was queued before.
    """
    if not deliveries:
        return {}
    parameters = {
        "ids": [id for id, _value in deliveries],
        "values": [bytes(value) for _id, value in deliveries],
        "kind": kind,
        "now": now or timezone.now(),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        if category == Category.ADVERTISING:
            cursor.execute(_LOCK, parameters)  # two workers must not both count two and send two more
            cursor.execute(_ADVERTISING, parameters)
        else:
            cursor.execute(_OTHERS, parameters)
        return {id: Rule(rule) for id, rule in cursor.fetchall()}


def give(kind: str, value: str, source: str, evidence: str, at: datetime | None = None) -> None:
    """Record that a canonical address agreed to advertising. Raises ValueError without evidence."""
    if not evidence.strip():
        raise ValueError("Hãy ghi bằng chứng đồng ý: mẫu phiếu, tin nhắn hoặc trang đăng ký.")
    agreed = Consent(
        kind=kind, value=vault.seal(value, kind), source=source, evidence=evidence, given_at=at or timezone.now()
    )
    Consent.objects.bulk_create([agreed], ignore_conflicts=True)


def withdraw(kind: str, value: str) -> None:
    Consent.objects.filter(kind=kind, value__in=vault.candidates(value, kind), withdrawn_at=None).update(
        withdrawn_at=timezone.now()
    )


def load_do_not_call(numbers: Iterable[str]) -> tuple[int, list[int]]:
    """Add numbers of the national list: (how many are new, the lines that are no phone number, counted from 1)."""
    before = DoNotCall.objects.count()
    bad, values = [], []
    for line, number in enumerate(numbers, 1):
        if not number.strip():
            continue
        try:
            values.append(DoNotCall(value=vault.seal(phone.parse(number).e164, "phone")))
        except ValueError:
            bad.append(line)
    with transaction.atomic():
        DoNotCall.objects.bulk_create(values, batch_size=5000, ignore_conflicts=True)
        return DoNotCall.objects.count() - before, bad
