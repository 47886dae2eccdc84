"""Signed callbacks at full rate while a campaign runs: accepted, answered, applied; against an ORM update for each."""

import json
import statistics
import subprocess
import sys
import threading
import time

from bench import installation as here
from bench.dispatch import PEOPLE

CALLBACKS = 50_000
ROUNDS = 3
OBJECTS = 3_000  # updated one by one


def run() -> dict:
    with (
        here.stack("web", "work", here.process("dispatch", 1), "beat") as running,
        here.sink() as sink,
    ):
        here.people(PEOPLE)
        found = [campaign(running, sink) for _ in range(ROUNDS)]
        each = orm()
    rate = statistics.median(result["receipts_per_s"] for result in found)
    return {
        "receipts_per_s": round(rate),
        "accepted_per_s": round(statistics.median(result["accepted_per_s"] for result in found)),
        "p99_ms": round(statistics.median(result["p99_ms"] for result in found)),
        "lost": sum(result["lost"] for result in found),
        "orm_per_s": round(each),
        "ratio_orm": round(rate / each, 1),
        "cpu_s_per_1000": round(statistics.median(result["cpu_s_per_1000"] for result in found), 3),
        "rounds": [round(result["receipts_per_s"]) for result in found],
    }


def campaign(running, sink: here.Sink) -> dict:
    """A campaign is sent; then its receipts come in at once, while a second one is being sent."""
    sink.reset()
    here.clean()
    account = here.gateway(sink.url)
    first = here.approved(here.communes_for(CALLBACKS), lane=1)
    here.launch(first)
    here.wait(lambda: first_done(first), 180, "the first campaign is not sent")
    second = here.approved(here.communes_for(CALLBACKS), lane=2)
    here.launch(second)
    here.wait(lambda: sink.stats()["accepted"] > CALLBACKS * 1.05, 60, "the second campaign does not start")
    ids = [row[0] for row in here.execute("SELECT id FROM broadcast_delivery WHERE campaign_id = %s", [first.pk])]
    meter = here.Meter(running, "web", "work", "postgres", "valkey")
    begin = time.time()
    applied = threading.Event()
    caller = subprocess.Popen(
        [sys.executable, "-m", "bench.caller", account.callback_base, here.KEY],
        cwd=here.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    output, _ = caller.communicate("\n".join(map(str, ids)))
    figures = json.loads(output)
    here.wait(lambda: not here.execute("SELECT 1 FROM broadcast_inboxitem LIMIT 1"), 120, "receipts are not applied")
    seconds = time.time() - begin - figures["start"]
    applied.set()
    cpu = sum(meter.cpu().values())
    delivered = here.execute(
        "SELECT count(*) FROM broadcast_delivery WHERE campaign_id = %s AND status = 3", [first.pk]
    )[0][0]
    return {
        "receipts_per_s": len(ids) / seconds,
        "accepted_per_s": len(ids) / figures["seconds"],
        "p99_ms": figures["p99_ms"],
        "lost": len(ids) - delivered,
        "cpu_s_per_1000": cpu / len(ids) * 1000,
    }


def first_done(campaign) -> bool:
    total = here.execute("SELECT count(*) FROM broadcast_batch WHERE lane = 1")[0][0]
    return bool(total) and not here.open_batches(campaign) and campaign_expanded(campaign)


def campaign_expanded(campaign) -> bool:
    return not here.execute(
        "SELECT 1 FROM broadcast_content WHERE campaign_id = %s AND status = 'expanding'", [campaign.pk]
    )


def orm() -> float:
    """What most would write: load, compare, save."""
    from broadcast.models import Delivery

    ids = list(Delivery.objects.values_list("pk", flat=True)[:OBJECTS])
    begin = time.perf_counter()
    for id in ids:
        delivery = Delivery.objects.get(pk=id)
        if delivery.status < 4:
            delivery.status = 4
            delivery.save(update_fields=["status"])
    return len(ids) / (time.perf_counter() - begin)
