"""A gateway that takes 500 recipients per request: how much faster than one request each."""

import statistics

from bench import dispatch
from bench import installation as here

ROUNDS = 3
BATCH = 500


def run() -> dict:
    with here.stack("work", here.process("dispatch", 1), "beat") as running, here.sink() as sink:
        here.people(dispatch.PEOPLE)
        single, bulk = [], []
        for _ in range(ROUNDS):
            single.append(dispatch.engine(running, sink, dispatch.RECIPIENTS // 4))
            bulk.append(dispatch.engine(running, sink, dispatch.RECIPIENTS, batch=BATCH))
        rate = statistics.median(result["msgs_per_s"] for result in bulk)
        reference = statistics.median(result["msgs_per_s"] for result in single)
    return {
        "msgs_per_s": round(rate),
        "dispatch_msgs_per_s": round(reference),
        "ratio_dispatch": round(rate / reference, 2),
        "cpu_s_per_1000": round(statistics.median(result["cpu_s_per_1000"] for result in bulk), 3),
        "worker_mb": round(max(result["worker_mb"] for result in bulk)),
    }
