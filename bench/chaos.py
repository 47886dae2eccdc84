"""The fault drill: `python -m bench.chaos [--json]`.

A campaign runs against the sandbox gateways, which keep their own journal of what they accepted: the truth outside the
engine. One kind of fault after the other strikes; then every recipient must have one final state or be *unsure*, nobody
may have been written to twice, and nobody counted as sent whom the gateway does not know.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import installation as here
from bench.processes import tree
from deploy.stack.handle import Stack

RESULTS = Path(__file__).with_name("results.md")
FINAL = (2, 3, 4, 5, 6, 7, 8)  # unsure among them: a person knows of it
WORKERS = ("dispatch", "work", "beat", "web")


class Drill:
    def __init__(self, running: Stack, recipients: int) -> None:
        self.running = running
        self.recipients = recipients
        self.sandbox = running.environment["SANDBOX_URL"]

    def run(self, fault: str, strike: Callable[["Drill"], int]) -> dict:
        """A campaign that is struck while it runs, followed to its end."""
        self.ask("POST", "/control/clear")
        here.clean()
        self.account()
        campaign = here.approved(here.communes_for(self.recipients), channel="sms_twilio", lane=1)
        here.launch(campaign)
        here.wait(lambda: self.accepted_count() > self.recipients * 0.05, 120, "nothing was sent")
        times = strike(self)
        struck = time.monotonic()
        before = self.accepted_count()
        here.wait(lambda: self.accepted_count() > before or not self.under_way(campaign), 120, f"no work after {fault}")
        recover = time.monotonic() - struck
        self.ask("DELETE", "/control/faults")
        here.wait(lambda: not self.under_way(campaign), 600, f"the campaign does not end after {fault}", every=0.5)
        accepted = self.accepted()
        rows = dict(here.execute("SELECT id, status FROM broadcast_delivery WHERE campaign_id = %s", [campaign.pk]))
        lost = sum(
            status not in FINAL or (status in (2, 3, 4) and not accepted[str(id)]) for id, status in rows.items()
        )
        return {
            "fault": fault,
            "times": times,
            "lost": lost,
            "repeated": sum(n > 1 for reference, n in accepted.items() if reference.isdecimal()),
            "unsure": sum(status == 6 for status in rows.values()),
            "recover_s": round(recover, 1),
        }

    def account(self) -> None:
        from broadcast.demo.outlets import install_accounts
        from broadcast.models import Place

        install_accounts(Place.objects.get(code="24"))

    def under_way(self, campaign) -> bool:
        return bool(
            here.open_batches(campaign)
            or here.execute(
                "SELECT 1 FROM broadcast_content WHERE campaign_id = %s AND status = 'expanding'", [campaign.pk]
            )
        )

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.sandbox}{path}", data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.read()

    def accepted(self) -> Counter[str]:
        lines = self.ask("GET", "/control/accepted.ndjson").splitlines()
        return Counter(json.loads(line)["reference"] for line in lines if line.strip())

    def accepted_count(self) -> int:
        return self.ask("GET", "/control/accepted.ndjson").count(b"\n")


def kills(drill: Drill) -> int:
    """kill -9 of a random worker, worker child, beat or web, twenty times."""
    dice = random.Random(3)
    for _ in range(20):
        name = dice.choice(WORKERS)
        pid = drill.running.pid(name)
        if pid is not None:
            children = sorted(tree([pid]) - {pid})
            victim = dice.choice(children) if children and dice.random() < 0.5 else pid
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        time.sleep(dice.uniform(0.3, 1.5))
    return 20


def valkey_wiped(drill: Drill) -> int:
    """Valkey killed, and everything it knew gone."""
    drill.running.stop("valkey")
    for file in (drill.running.state.path / "valkey").rglob("*"):
        if file.is_file():
            file.unlink()
    drill.running.start("valkey")
    return 1


def postgres_killed(drill: Drill) -> int:
    drill.running.kill("postgres")
    drill.running.wait_ready("postgres")
    from django.db import close_old_connections, connection

    close_old_connections()
    connection.close()
    return 1


def gateway(kind: str, count: int, **params) -> Callable[[Drill], int]:
    """The gateway does this to the next ``count`` requests."""

    def strike(drill: Drill) -> int:
        drill.ask("POST", "/control/faults", {"kind": kind, "provider": "twilio", "next": count, "params": params})
        time.sleep(1)
        return count

    return strike


FAULTS: dict[str, Callable[[Drill], int]] = {
    "kill -9 of workers, beat and web": kills,
    "Valkey killed, its data wiped": valkey_wiped,
    "PostgreSQL killed": postgres_killed,
    "lost replies": gateway("lost_reply", 100),
    "429 storm": gateway("rate_limit", 500, retry_after=2),
    "30 s stalls": gateway("stall", 20, seconds=30),
    "garbage bodies": gateway("garbage", 100),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="loa chaos")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--recipients", type=int, default=50_000)
    parser.add_argument("--fault", choices=sorted(FAULTS), help="only this one")
    given = parser.parse_args(arguments)
    rows = []
    with here.stack("web", "sandbox", "work", "dispatch", "beat") as running:
        here.people(max(100_000, given.recipients))
        drill = Drill(running, given.recipients)
        for fault, strike in FAULTS.items():
            if given.fault in (None, fault):
                rows.append(drill.run(fault, strike))
                print("  {fault:<34} {times:>5} lost {lost} repeated {repeated} unsure {unsure} recovered {recover_s} s"
                      .format(**rows[-1]), file=sys.stderr)  # fmt: skip
    with RESULTS.open("a") as file:
        for row in rows:
            shown = ", ".join(f"{name} {value}" for name, value in row.items())
            file.write(f"| {datetime.now(UTC):%Y-%m-%d %H:%M} | chaos | {shown} | – | {os.getloadavg()[0]:.1f} |\n")
    if given.json:
        print(json.dumps({"faults": rows}), flush=True)
    return int(any(row["lost"] or row["repeated"] for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
