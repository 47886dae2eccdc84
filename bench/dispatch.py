"""One HTTP request for each recipient: against a bare client without a ledger, and against a task per recipient."""

import json
import statistics
import subprocess
import sys
import threading
import time

from bench import installation as here
from deploy.stack.handle import Stack
from deploy.stack.processes import Process

PEOPLE = 1_000_000
RECIPIENTS = 200_000
ROUNDS = 3
TASKS = 3_000  # recipients of the task-per-recipient reference: it takes long enough

_REFERENCE = Process(
    "reference",
    ("-m", "deploy.stack.celery", "-A", "bench.per_recipient", "worker", "-Q", "reference", "-c", "2", "-l", "warning",
     "--without-gossip", "--without-mingle"),
)  # fmt: skip
MEASURED = ("dispatch", "work", "beat", "postgres", "valkey")


def run(recipients: int = RECIPIENTS, rounds: int = ROUNDS) -> dict:
    # Two stacks' worth of workers, but never at work at once: those of the other side have nothing to do.
    with (
        here.stack("work", here.process("dispatch", 1), "beat", _REFERENCE) as running,
        here.sink() as sink,
    ):
        here.people(PEOPLE)
        bare, found = [], []
        for _ in range(rounds):
            bare.append(client(sink, recipients))
            found.append(engine(running, sink, recipients))
        each = task_per_recipient(running, sink)
        rate = statistics.median(result["msgs_per_s"] for result in found)
        reference = statistics.median(result["msgs_per_s"] for result in bare)
        middle = min(found, key=lambda result: abs(result["msgs_per_s"] - rate))
    return {
        "msgs_per_s": round(rate),
        "bare_msgs_per_s": round(reference),
        "ratio_bare": round(rate / reference, 2),
        "ratio_task_per_recipient": round(rate / each["msgs_per_s"], 1),
        "task_msgs_per_s": round(each["msgs_per_s"]),
        "task_cpu_s_per_1000": round(each["cpu_s_per_1000"], 2),
        "bare_cpu_s_per_1000": round(statistics.median(result["cpu_s_per_1000"] for result in bare), 3),
        "cpu_s_per_1000": round(statistics.median(result["cpu_s_per_1000"] for result in found), 3),
        "cpu": middle["cpu"],
        "worker_mb": round(max(result["worker_mb"] for result in found)),
        "worker_mb_half": round(middle["worker_mb_half"]),
        "rounds": [round(result["msgs_per_s"]) for result in found],
        "bare_rounds": [round(result["msgs_per_s"]) for result in bare],
    }


def client(sink: here.Sink, count: int) -> dict:
    sink.reset()
    done = subprocess.run(
        [sys.executable, "-m", "bench.client", sink.url, str(count)],
        cwd=here.ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    figures = json.loads(done.stdout)
    assert sink.stats()["unique"] == count
    return {"msgs_per_s": count / figures["seconds"], "cpu_s_per_1000": figures["cpu"] / count * 1000}


def engine(running: Stack, sink: here.Sink, recipients: int, batch: int = 1) -> dict:
    """From the first request on the wire to the last outcome in the ledger."""
    running.stop("dispatch")
    sink.reset()
    here.clean()
    here.gateway(sink.url, batch=batch)
    campaign = here.approved(here.communes_for(recipients))
    total = here.expanded(campaign)
    here.execute("VACUUM ANALYZE broadcast_delivery, broadcast_batch")
    here.execute("CHECKPOINT")
    running.start("dispatch")
    meter = here.Meter(running, *MEASURED)
    half = watch_half(meter, sink, total)
    here.wait(lambda: sink.stats()["accepted"], 60, "nothing was sent")
    here.wait(lambda: not here.open_batches(campaign), 300, "not everything was sent")
    end = time.time()
    cpu = meter.cpu()
    half.join()
    meter.dispatcher_mb()
    stats = sink.stats()
    assert stats["accepted"] == stats["unique"] == total, stats
    counts = dict(here.execute("SELECT status, count(*) FROM broadcast_delivery GROUP BY status"))
    assert counts == {2: total}, counts
    return {
        "msgs_per_s": total / (end - stats["first"]),
        "cpu_s_per_1000": sum(cpu.values()) / total * 1000,
        "cpu": {name: round(value / total * 1000, 4) for name, value in cpu.items()},
        "worker_mb": meter.peak_mb,
        "worker_mb_half": half.mb,
    }


class watch_half(threading.Thread):
    """Memory of the dispatcher when half of the messages are out."""

    def __init__(self, meter: here.Meter, sink: here.Sink, total: int) -> None:
        super().__init__(daemon=True)
        self.meter, self.sink, self.total, self.mb = meter, sink, total, 0.0
        self.start()

    def run(self) -> None:
        while self.sink.stats()["accepted"] < self.total / 2:
            time.sleep(0.2)
        self.mb = self.meter.dispatcher_mb()


def task_per_recipient(running: Stack, sink: here.Sink) -> dict:
    from bench import per_recipient
    from broadcast.models import Delivery

    running.stop("dispatch")
    running.stop("beat")  # or the engine would send these
    sink.reset()
    here.clean()
    here.gateway(sink.url)
    campaign = here.approved(here.communes_for(10_000))
    here.expanded(campaign)
    ids = list(Delivery.objects.values_list("pk", flat=True)[:TASKS])
    meter = here.Meter(running, "reference", "postgres", "valkey")
    begin = time.perf_counter()
    for id in ids:
        per_recipient.send_one.delay(id, sink.url)
    here.wait(lambda: Delivery.objects.filter(status=2).count() == len(ids), 120, "the tasks do not end", every=0.1)
    seconds = time.perf_counter() - begin
    running.start("beat")
    running.start("dispatch")
    return {
        "msgs_per_s": len(ids) / seconds,
        "cpu_s_per_1000": sum(meter.cpu().values()) / len(ids) * 1000,
    }
