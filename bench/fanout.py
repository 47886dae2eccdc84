"""An audience by place becomes rows of the ledger: against a bare INSERT .. SELECT, and against `bulk_create`."""

import statistics
import time

from bench import installation as here

PEOPLE = 1_000_000
OBJECTS = 100_000  # through the ORM; more would only take longer
ROUNDS = 3

# The same table and indexes, no rule of any kind: nobody left out, nobody found twice, not resumable.
_BARE = """
INSERT INTO broadcast_delivery (id, campaign_id, content_id, contact_id, address_id, place_id, status, attempts, parts,
                                cost, reason, code, provider_id)
SELECT (%s::bigint << 40) + row_number() OVER (), 1, 1, c.id, a.id, c.place_id, 0, 0, 0, 0, '', '', ''
FROM broadcast_address a JOIN broadcast_contact c ON c.id = a.contact_id
"""


def run() -> dict:
    with here.stack() as running:
        here.people(PEOPLE)
        rates: dict[str, list[float]] = {"bare": [], "engine": [], "objects": []}
        cpu = 0.0
        for _ in range(ROUNDS):
            rates["bare"].append(bare())
            rates["objects"].append(objects())
            meter = here.Meter(running, "postgres")
            rate, rows = engine()
            rates["engine"].append(rate)
            cpu = meter.cpu()["postgres"] / rows * 1000
        median = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "rows_per_s": round(median["engine"]),
        "bare_rows_per_s": round(median["bare"]),
        "bulk_create_rows_per_s": round(median["objects"]),
        "ratio_bare": round(median["engine"] / median["bare"], 2),
        "ratio_bulk_create": round(median["engine"] / median["objects"], 1),
        "cpu_s_per_1000": round(cpu, 4),
        "rounds": {name: [round(value) for value in values] for name, values in rates.items()},
    }


def month() -> int:
    from django.utils import timezone

    from broadcast.models.deliveries import ensure_partitions, month_number

    here.clean()
    ensure_partitions(1)
    return month_number(timezone.now().date())


def bare() -> float:
    number = month()
    begin = time.perf_counter()
    here.execute(_BARE, [number])
    seconds = time.perf_counter() - begin
    return here.execute("SELECT count(*) FROM broadcast_delivery")[0][0] / seconds


def objects() -> float:
    from broadcast.models import Address, Delivery

    number = month()
    begin = time.perf_counter()
    rows = Address.objects.order_by("pk").values_list("pk", "contact_id", "contact__place_id")[:OBJECTS]
    Delivery.objects.bulk_create(
        (
            Delivery(
                id=(number << 40) + n, campaign_id=1, content_id=1,
                contact_id=contact, address_id=address, place_id=place,
            )
            for n, (address, contact, place) in enumerate(rows)
        ),
        batch_size=10_000,
    )  # fmt: skip
    return OBJECTS / (time.perf_counter() - begin)


def engine() -> tuple[float, int]:
    month()
    here.gateway("http://127.0.0.1:9")
    campaign = here.approved(here.communes_for(PEOPLE))
    begin = time.perf_counter()
    rows = here.expanded(campaign)  # counting included: it is how a campaign is launched
    seconds = time.perf_counter() - begin
    refused = here.execute("SELECT count(*) FROM broadcast_refusal")[0][0]
    assert rows == PEOPLE - refused, f"{rows} rows"
    return rows / seconds, rows
