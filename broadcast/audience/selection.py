"""Who gets a message: one SQL fragment, shared by the counting before approval and the expansion after it.

Rules:

- A value is written to once, however many contacts share it; the oldest address row stands for it.
- Dead and opted-out addresses are left out, and so is every value with an open refusal.
- A person channel takes everybody inside the chosen places who is not an outlet. A channel for both takes
  the outlets inside as well. An outlet channel takes the outlets inside each chosen branch and, where a branch
  has none of its own, the outlets of the nearest place above it: the news page of the province serves a village.
"""

from typing import Literal

from broadcast.models import Contact, Place
from broadcast.states import ADDRESS_USABLE

Reach = Literal["person", "outlet", "both"]

USABLE = ", ".join(f"'{state}'" for state in ADDRESS_USABLE)
OUTLET = f"'{Contact.Kind.OUTLET}'"

NOT_REFUSED = """NOT EXISTS (
        SELECT FROM broadcast_refusal r WHERE r.kind = a.kind AND r.value = a.value AND r.withdrawn_at IS NULL)"""

_IN_RANGE = """a.value >= %(lo)s::bytea AND (%(hi)s::bytea IS NULL OR a.value < %(hi)s::bytea)"""

_PEOPLE = f"""
SELECT DISTINCT ON (a.value) a.id AS address_id, a.contact_id, c.place_id, a.value
FROM broadcast_address a JOIN broadcast_contact c ON c.id = a.contact_id
WHERE a.kind = %(kind)s AND {_IN_RANGE}
    AND a.state IN ({USABLE})
    AND c.place_id IN (SELECT unnest(%(place_ids)s::int[])){{only}}
    AND {NOT_REFUSED}
ORDER BY a.value, a.id
"""

_OUTLETS = f"""
WITH chosen AS MATERIALIZED (
    SELECT id, path FROM broadcast_place WHERE id = ANY(%(place_ids)s::int[])
), outlet AS MATERIALIZED (
    SELECT a.id, a.contact_id, c.place_id, a.value, p.path
    FROM broadcast_address a
    JOIN broadcast_contact c ON c.id = a.contact_id AND c.kind = {OUTLET}
    JOIN broadcast_place p ON p.id = c.place_id
    WHERE a.kind = %(kind)s AND a.state IN ({USABLE}) AND {NOT_REFUSED}
), inside AS (
    SELECT * FROM outlet WHERE place_id IN (SELECT id FROM chosen)
), unserved AS (
    SELECT path FROM chosen t
    WHERE NOT EXISTS (SELECT FROM chosen above WHERE above.path = left(t.path, length(t.path) - {Place.steplen}))
        AND NOT EXISTS (SELECT FROM inside WHERE starts_with(inside.path, t.path))
), nearest AS (
    SELECT o.* FROM unserved t JOIN outlet o ON starts_with(t.path, o.path)
    WHERE length(o.path) = (SELECT max(length(path)) FROM outlet WHERE starts_with(t.path, path))
)
SELECT DISTINCT ON (a.value) a.id AS address_id, a.contact_id, a.place_id, a.value
FROM (SELECT * FROM inside UNION ALL SELECT * FROM nearest) a
WHERE {_IN_RANGE}
ORDER BY a.value, a.id
"""


def recipients_sql(reach: Reach) -> str:
    """A SELECT of (address_id, contact_id, place_id, value), ordered by value, one row for each value.

    Parameters: ``place_ids`` (every place of the chosen branches, as ``Audience.place_ids`` lists them),
    ``kind`` (the adapter's address kind), ``lo`` and ``hi`` (a range of values, ``lo`` included and ``hi`` not;
    b"" and None for all), so that a large audience is expanded in slices that never share a value.
    """
    if reach == "outlet":
        return _OUTLETS
    return _PEOPLE.format(only="" if reach == "both" else f" AND c.kind <> {OUTLET}")
