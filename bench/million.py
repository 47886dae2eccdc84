"""A million recipients end to end: launch, fan-out, send, receipts, finished."""

import time

from bench import installation as here

PEOPLE = 1_000_000
PATIENCE = 900


def run() -> dict:
    with here.stack("web", "work", "dispatch", "beat") as running, here.sink("--receipts", "20") as sink:
        here.people(PEOPLE)
        here.clean()
        here.gateway(sink.url)
        campaign = here.approved(here.communes_for(PEOPLE))
        meter = here.Meter(running, "web", "work", "dispatch", "beat", "postgres", "valkey")
        begin = time.time()
        here.launch(campaign)
        early = 0.0
        deadline = begin + PATIENCE
        while not finished(campaign):
            if time.time() > deadline:
                raise TimeoutError("the campaign does not end")
            time.sleep(1)
            now = meter.dispatcher_mb()
            if not early and sink.stats()["accepted"] > PEOPLE / 10:
                early = now
        seconds = time.time() - begin
        cpu = meter.cpu()
        stats = sink.stats()
        counts = dict(here.execute("SELECT status, count(*) FROM broadcast_delivery GROUP BY status"))
        total = sum(counts.values())
        assert stats["accepted"] == stats["unique"] == total, stats
        assert counts == {3: total}, counts
    return {
        "minutes": round(seconds / 60, 2),
        "recipients": total,
        "msgs_per_s": round(total / seconds),
        "cpu_s_per_1000": round(sum(cpu.values()) / total * 1000, 3),
        "cpu": {name: round(value / total * 1000, 4) for name, value in cpu.items()},
        "worker_mb": round(meter.peak_mb),
        "worker_mb_100k": round(early),
    }


def finished(campaign) -> bool:
    """Every delivery is reported delivered, by the counters that pages read."""
    from broadcast.delivery.progress import snapshot
    from broadcast.models import Campaign

    found = snapshot(Campaign.objects.get(pk=campaign.pk))
    return found.status == "finished" and found.figures.total > 0 and found.figures.delivered == found.figures.total
