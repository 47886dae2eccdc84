"""Lists of people into the ledger: bounded memory, resumable, and idempotent.

A person is known by an address and a name: the same phone with another name is another member of the household,
the same phone and name in another place is somebody who moved. Only the branch of the unit that imports is read
or written; the people of others are never touched.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from broadcast.models import AuditEntry, Contact, ImportProblem, PeopleImport, Place, Tally, User, vault
from broadcast.models.text import fold
from channels_adapters.core import phone, registry

from . import normalise, sheets
from .gazetteer import Gazetteer
from .sheets import BadFile

BATCH = 20_000
MOST_ROWS = 2_000_000
FIELDS = ("name", "phone", "telegram", "place")

# Headings that officers use, folded.
_HEADINGS = {
    "name": ("ho va ten", "ho ten", "ten", "ten chu ho", "chu ho", "name", "full name"),
    "phone": ("so dien thoai", "dien thoai", "sdt", "so dt", "di dong", "phone", "mobile"),
    "telegram": ("telegram", "ma telegram", "chat id"),
    "place": ("dia ban", "xa", "xa phuong", "xa, phuong", "phuong", "don vi", "dia chi", "ma xa", "place"),
}

_Status = PeopleImport.Status
_Batch = tuple[int, list[tuple[Any, ...]], list[tuple[int, str]]]  # rows read, people, rows left out and why


def guess_columns(header: list[str], place: Place) -> dict[str, int]:
    """Field -> column: as this unit mapped the same header last time, else by the headings."""
    last = PeopleImport.objects.filter(place=place, header=header).order_by("-pk").first()
    if last is not None:
        return last.columns
    folded = [fold(normalise.clean(cell)) for cell in header]
    return {
        field: folded.index(heading)
        for field, headings in _HEADINGS.items()
        if (heading := next((h for h in headings if h in folded), None))
    }


def start(
    user: User, place: Place, path: Path, name: str, columns: dict[str, int] | None = None, *, dry_run: bool = False
) -> PeopleImport:
    """Accept a file. Raises BadFile; then nothing is stored."""
    header = next(sheets.rows(path), [])
    columns = guess_columns(header, place) if columns is None else columns
    if "name" not in columns or not {"phone", "telegram"} & columns.keys():
        raise BadFile("Hãy chỉ ra cột họ tên và cột số điện thoại (hoặc Telegram).")
    if set(columns) - set(FIELDS) or not all(0 <= column < len(header) for column in columns.values()):
        raise BadFile("Có cột được chọn không có trong tệp.")
    with transaction.atomic():
        job = PeopleImport.objects.create(
            place=place,
            created_by=user,
            name=name[:200],
            path=str(path),
            header=header,
            columns=columns,
            dry_run=dry_run,
        )
        AuditEntry.record(user, "people.import", job, dry_run=dry_run, columns=sorted(columns))
    return job


def cancel(user: User, job_id: int) -> bool:
    """Stop at the end of the batch under way; what is stored stays, and ``run`` would go on from there."""
    stopped = PeopleImport.objects.filter(pk=job_id, status__in=(_Status.READY, _Status.RUNNING)).update(
        status=_Status.CANCELLED, finished_at=timezone.now()
    )
    if stopped:
        AuditEntry.record(user, "people.import.cancel", PeopleImport.objects.get(pk=job_id))
    return bool(stopped)


def run(job_id: int, progress: Callable[[PeopleImport], None] = lambda job: None) -> PeopleImport:
    """Store the rows that are left. Also goes on with a run that a crash or ``cancel`` cut short."""
    job = PeopleImport.objects.select_related("place").get(pk=job_id)
    if job.status in (_Status.DONE, _Status.FAILED):
        return job
    PeopleImport.objects.filter(pk=job_id).update(status=_Status.RUNNING, reason="", finished_at=None)
    try:
        _store_all(job, progress)
    except BadFile as error:
        PeopleImport.objects.filter(pk=job_id).update(
            status=_Status.FAILED, reason=str(error)[:300], finished_at=timezone.now()
        )
    Tally.objects.fold()
    job.refresh_from_db()
    return job


def problems(job: PeopleImport) -> Iterator[str]:
    """The rows that were left out, with reasons, as a CSV download."""
    found = job.problems.order_by("row").values_list("row", "reason").iterator(chunk_size=5000)
    return sheets.write([("Dòng", "Lý do"), *found])


def _store_all(job: PeopleImport, progress: Callable[[PeopleImport], None]) -> None:
    reader = _Reader(job)
    seen: set[int] | None = set() if job.dry_run else None
    if job.dry_run and job.rows:  # a dry run keeps what it saw in memory: from the start again
        job.problems.all().delete()
        job.rows = job.added = job.moved = job.same = job.bad = 0
    for read, people, bad in _ahead(reader.batches(Path(job.path), job.rows)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT status FROM broadcast_peopleimport WHERE id = %s FOR UPDATE", [job.pk])
            if cursor.fetchone()[0] != _Status.RUNNING:
                return
            found = _store(cursor, people, list(reader.places.ids), seen)
            job.rows += read
            job.bad += len(bad)
            job.added, job.moved, job.same = job.added + found[0], job.moved + found[1], job.same + found[2]
            ImportProblem.objects.bulk_create(
                (ImportProblem(people_import=job, row=row, reason=reason[:200]) for row, reason in bad),
                batch_size=5000,
            )
            job.save(update_fields=["rows", "added", "moved", "same", "bad"])
        progress(job)
    PeopleImport.objects.filter(pk=job.pk, status=_Status.RUNNING).update(
        status=_Status.DONE, finished_at=timezone.now()
    )


def _ahead(batches: Iterator[_Batch]) -> Iterator[_Batch]:
    """One batch is read while the database stores the one before."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


class _Reader:
    """Rows of text to rows of the ledger."""

    def __init__(self, job: PeopleImport) -> None:
        self.columns = [job.columns.get(field) for field in FIELDS]
        self.places = Gazetteer(job.place)
        self.home = job.place_id
        self.telegram = registry.get("telegram").validate

    def batches(self, path: Path, done: int) -> Iterator[_Batch]:
        """What is left after ``done`` rows. Raises BadFile."""
        rows = islice(sheets.rows(path), 1 + done, None)
        while batch := list(islice(rows, BATCH)):
            if done + len(batch) > MOST_ROWS:
                raise BadFile("Tệp có hơn 2.000.000 dòng. Hãy chia thành nhiều tệp.")
            yield len(batch), *self.read(batch, first_row=done + 2)  # as a spreadsheet counts, after the header
            done += len(batch)

    def read(self, rows: list[list[str]], first_row: int) -> tuple[list[tuple[Any, ...]], list[tuple[int, str]]]:
        people, bad = [], []
        for number, row in enumerate(rows, first_row):
            if not any(row):
                continue
            try:
                people.append((number, *self._person(row)))
            except ValueError as error:
                bad.append((number, str(error)))
        return people, bad

    def _person(self, row: list[str]) -> tuple[int, str, str, bytes | None, bytes | None]:
        name, number, chat, place = (row[c].strip() if c is not None and c < len(row) else "" for c in self.columns)
        if not number and not chat:
            raise ValueError("Không có số điện thoại hay địa chỉ nào khác.")
        name, folded = _name(name)
        return (
            self.places.find(place) if self.columns[3] is not None else self.home,
            name,
            folded,
            vault.seal(_phone(number), "phone") if number else None,
            vault.seal(self.telegram(chat), "telegram") if chat else None,
        )


def _phone(number: str) -> str:
    # Nearly all are written 0912345678: one step from the canonical form, which is checked fastest.
    return phone.mobile("+84" + number[1:] if len(number) == 10 and number[0] == "0" else number)


@lru_cache(maxsize=50_000)
def _name(text: str) -> tuple[str, str]:
    name = normalise.name(text)
    return name, fold(name)


_INCOMING = """
CREATE TEMPORARY TABLE IF NOT EXISTS incoming (
    row integer, place_id integer, name text, folded text, phone bytea, telegram bytea,
    contact_id bigint, place_was integer
) ON COMMIT DELETE ROWS;
TRUNCATE incoming
"""

# Whoever of this branch has one of the addresses and the name. A phone says more than a chat.
_KNOWN = """
UPDATE incoming i SET contact_id = k.id, place_was = k.place_id FROM (
    SELECT DISTINCT ON (i.row) i.row, c.id, c.place_id
    FROM (
        SELECT row, folded, 'phone' AS kind, phone AS value FROM incoming WHERE phone IS NOT NULL
        UNION ALL
        SELECT row, folded, 'telegram', telegram FROM incoming WHERE telegram IS NOT NULL
    ) AS i
    JOIN broadcast_address a ON a.kind = i.kind AND a.value = i.value
    JOIN broadcast_contact c ON c.id = a.contact_id
    WHERE c.folded = i.folded AND c.kind <> 'outlet' AND c.place_id = ANY(%(places)s::int[])
    ORDER BY i.row, a.kind, c.id
) AS k WHERE i.row = k.row
"""

_TWICE = """
DELETE FROM incoming i USING incoming earlier
WHERE earlier.row < i.row AND earlier.folded = i.folded
    AND COALESCE(earlier.phone, earlier.telegram) = COALESCE(i.phone, i.telegram)
"""

_MOVE = """
UPDATE broadcast_contact c SET place_id = i.place_id FROM incoming i
WHERE c.id = i.contact_id AND c.place_id <> i.place_id
"""

_ADD = """
WITH fresh AS (
    UPDATE incoming SET contact_id = nextval(pg_get_serial_sequence('broadcast_contact', 'id'))
    WHERE contact_id IS NULL RETURNING contact_id, place_id, name, folded
)
INSERT INTO broadcast_contact (id, place_id, kind, name, folded, language, created_at)
SELECT contact_id, place_id, %(kind)s, name, folded, 'vi', now() FROM fresh
"""

_ADDRESSES = """
INSERT INTO broadcast_address (contact_id, kind, value, state, state_at, state_reason)
SELECT contact_id, kind, value, 'unverified', now(), '' FROM (
    SELECT contact_id, 'phone' AS kind, phone AS value FROM incoming WHERE phone IS NOT NULL
    UNION ALL
    SELECT contact_id, 'telegram', telegram FROM incoming WHERE telegram IS NOT NULL
) AS a
ON CONFLICT DO NOTHING
"""


def _store(
    cursor: Any, people: list[tuple[Any, ...]], places: list[int], seen: set[int] | None
) -> tuple[int, int, int]:
    """(added, moved, the same). With ``seen`` nothing is written but the temporary table: a dry run."""
    if seen is not None:
        first = []
        for person in people:
            key = hash((person[3], person[4] or person[5]))
            if key not in seen:
                seen.add(key)
                first.append(person)
    else:
        first = people
    cursor.execute(_INCOMING)
    with cursor.copy("COPY incoming (row, place_id, name, folded, phone, telegram) FROM STDIN") as copy:
        for person in first:
            copy.write_row(person)
    cursor.execute("ANALYZE incoming")
    cursor.execute(_TWICE)
    cursor.execute(_KNOWN, {"places": places})
    cursor.execute(
        "SELECT count(*) FILTER (WHERE contact_id IS NULL), count(*) FILTER (WHERE place_was <> place_id) FROM incoming"
    )
    added, moved = cursor.fetchone()
    if seen is None:
        cursor.execute(_MOVE)
        cursor.execute(_ADD, {"kind": Contact.Kind.PERSON})
        cursor.execute(_ADDRESSES)
    return added, moved, len(people) - added - moved
