"""How many people an audience reaches on a channel, and why not more. Agrees with ``selection``."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Sum

from broadcast.models import Tally

from .selection import NOT_REFUSED, OUTLET, USABLE, Reach, recipients_sql


@dataclass(frozen=True, slots=True)
class Counts:
    """``contacts`` = those with an address of the kind + ``no_address``; the other figures count addresses."""

    contacts: int = 0  # in the chosen places
    recipients: int = 0  # distinct addresses that will be written to
    duplicates: int = 0  # further contacts behind those same addresses
    opted_out: int = 0
    unusable: int = 0  # dead
    no_address: int = 0  # contacts without any address of this kind


# Rows without a twin are summed up by place already; only tangled ones must be looked at one by one.
_PEOPLE = f"""
WITH summed AS (
    SELECT kind, state, sum(n) AS n FROM broadcast_tally
    WHERE place_id = ANY(%(place_ids)s::int[]) AND kind IN ('', %(kind)s){{tallied}}
    GROUP BY kind, state
), tangled AS MATERIALIZED (
    SELECT a.value, a.state, a.contact_id
    FROM broadcast_address a JOIN broadcast_contact c ON c.id = a.contact_id
    WHERE a.kind = %(kind)s AND a.tangled AND c.place_id = ANY(%(place_ids)s::int[]){{only}}
), per_value AS (
    SELECT
        count(*) FILTER (WHERE state IN ({USABLE})) AS usable,
        count(*) FILTER (WHERE state = 'dead') AS dead,
        count(*) FILTER (WHERE state = 'opted_out') AS opted_out
    FROM tangled GROUP BY value
), single AS (
    SELECT
        COALESCE(sum(n) FILTER (WHERE kind = ''), 0) AS contacts,
        COALESCE(sum(n) FILTER (WHERE kind <> ''), 0) AS addressed,
        COALESCE(sum(n) FILTER (WHERE state IN ({USABLE})), 0) AS usable,
        COALESCE(sum(n) FILTER (WHERE state = 'dead'), 0) AS dead,
        COALESCE(sum(n) FILTER (WHERE state = 'opted_out'), 0) AS opted_out
    FROM summed
)
SELECT
    min(s.contacts),
    min(s.usable) + count(*) FILTER (WHERE v.usable > 0),
    COALESCE(sum(v.usable - 1) FILTER (WHERE v.usable > 0), 0),
    min(s.opted_out) + count(*) FILTER (WHERE v.usable = 0 AND v.opted_out > 0),
    min(s.dead) + count(*) FILTER (WHERE v.usable = 0 AND v.opted_out = 0 AND v.dead > 0),
    min(s.contacts) - min(s.addressed) - (SELECT count(DISTINCT contact_id) FROM tangled)
FROM single s LEFT JOIN per_value v ON true
"""

_OUTLETS = f"""
SELECT
    count(DISTINCT c.id),
    (SELECT count(*) FROM ({recipients_sql("outlet")}) AS chosen),
    0,
    count(DISTINCT a.value) FILTER (WHERE a.state = 'opted_out' OR NOT {NOT_REFUSED}),
    count(DISTINCT a.value) FILTER (WHERE a.state = 'dead' AND {NOT_REFUSED}),
    0
FROM broadcast_address a JOIN broadcast_contact c ON c.id = a.contact_id
WHERE a.kind = %(kind)s AND c.kind = {OUTLET} AND c.place_id = ANY(%(place_ids)s::int[])
"""


def count(place_ids: Sequence[int], kind: str, reach: Reach) -> Counts:
    """The figures of one channel. ``place_ids`` is every place of the chosen branches."""
    if not place_ids:
        return Counts()
    if reach == "outlet":
        statement = _OUTLETS
    else:
        everybody = reach == "both"
        statement = _PEOPLE.format(
            tallied="" if everybody else " AND NOT outlet", only="" if everybody else f" AND c.kind <> {OUTLET}"
        )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"place_ids": list(place_ids), "kind": kind, "lo": b"", "hi": None})
        return Counts(*map(int, cursor.fetchone()))


def people(place_ids: Sequence[int]) -> int:
    """Contacts that are not outlets in these places."""
    tallied = Tally.objects.filter(place_id__in=place_ids, kind="", outlet=False)
    return tallied.aggregate(n=Sum("n"))["n"] or 0
