"""A province to measure: the stack, people with sealed addresses, a campaign on its way."""

import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from bench.processes import cpu_seconds, memory_mb, tree
from deploy.stack.handle import Stack
from deploy.stack.processes import PROCESSES, Process

ROOT = Path(__file__).resolve().parent.parent
COMMUNES = 100
KEY = "bench-signing-key"
BODY = "Kính gửi {{ ten }}, {{ dia_ban }}: lịch tiêm chủng tháng này bắt đầu lúc 7 giờ sáng thứ bảy tại trạm y tế."
_TABLES = (
    "broadcast_delivery, broadcast_batch, broadcast_counterdelta, broadcast_counter, broadcast_trouble, "
    "broadcast_providerreference, broadcast_inboxitem, broadcast_parkedreceipt, broadcast_content, "
    "broadcast_campaign, broadcast_audience, broadcast_account"
)


def process(name: str, children: int | None = None) -> Process:
    """A row of the process table, with another number of worker processes."""
    row = next(row for row in PROCESSES if row.name == name)
    if children is None:
        return row
    at = row.arguments.index("-c") + 1
    return replace(row, arguments=(*row.arguments[:at], str(children), *row.arguments[at + 1 :]))


@contextmanager
def stack(*processes: Process | str, **extra: str) -> Iterator[Stack]:
    """The stack with these processes; Django in this process speaks to it."""
    with Stack(processes=processes, extra={"LOG_LEVEL": "WARNING", **extra}) as running:
        os.environ.update(running.environment, DJANGO_SETTINGS_MODULE="config.settings")
        import django

        django.setup()
        yield running


def execute(statement: str, parameters: Any = None) -> list[tuple]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def people(count: int) -> None:
    """Citizens with a mobile each, over a hundred communes; 1 % have refused. Kept between runs."""
    from broadcast.models import Contact, Place, User, vault

    if not Place.objects.filter(code="24").exists():
        province = Place.objects.add_root(
            {"code": "24", "name": "Tỉnh Bắc Ninh", "kind": Place.Kind.PROVINCE, "valid_from": date(2025, 7, 1)}
        )
        for n in range(COMMUNES):
            unit = {"code": f"{n:05}", "name": f"Xã số {n}", "kind": "commune", "valid_from": date(2025, 7, 1)}
            Place.objects.add_child(province, unit)
        for name in ("writer", "approver"):
            User.objects.create_superuser(name, password="not-used-by-anyone-2026")
    have = Contact.objects.count()
    if have >= count:
        return
    from django.db import connection

    places = list(Place.objects.filter(kind="commune").values_list("pk", flat=True))
    connection.ensure_connection()
    raw = connection.connection
    with raw.cursor() as cursor:
        with cursor.copy(
            "COPY broadcast_contact (id, place_id, kind, name, folded, language, created_at) FROM STDIN"
        ) as copy:
            for n in range(have, count):
                copy.write_row(
                    (n + 1, places[n % COMMUNES], "person", f"Nguyễn Văn {n}", f"nguyen van {n}", "vi", "2026-01-01")
                )
        with cursor.copy(
            "COPY broadcast_address (contact_id, kind, value, state, state_at, state_reason) FROM STDIN"
        ) as copy:
            for n in range(have, count):
                copy.write_row((n + 1, "phone", vault.seal(phone(n), "phone"), "unverified", "2026-01-01", ""))
        cursor.execute(
            "INSERT INTO broadcast_refusal (kind, value, source, at) SELECT kind, value, 'reply', now() "
            "FROM broadcast_address WHERE contact_id %% 100 = 0 AND contact_id > %s ON CONFLICT DO NOTHING",
            [have],
        )
    raw.commit()
    execute("SELECT setval('broadcast_contact_id_seq', %s)", [count])
    execute("VACUUM ANALYZE broadcast_contact, broadcast_address, broadcast_refusal")


def phone(n: int) -> str:
    return f"+849{n:08}"


def communes_for(recipients: int) -> list[int]:
    """Places that hold about so many citizens who take messages."""
    from broadcast.models import Contact, Place

    everyone = Contact.objects.count() * 0.99 / COMMUNES
    wanted = min(COMMUNES, max(1, round(recipients / everyone)))
    return list(Place.objects.filter(kind="commune").values_list("pk", flat=True)[:wanted])


def clean() -> None:
    """Forget every campaign; the people stay."""
    execute(f"TRUNCATE {_TABLES} CASCADE")
    execute("CHECKPOINT")


def gateway(url: str, *, batch: int = 1, per_second: float | None = None, weight: int = 100):
    from broadcast.models import Account, Place

    account = Account(
        adapter="http_gateway", label="Cổng đo tốc độ", place=Place.objects.get(code="24"),
        per_second=per_second, weight=weight,
    )  # fmt: skip
    account.settings = {"endpoint": url, "token": "bench", "signing_key": KEY, "batch": str(batch)}
    account.save()
    return account


def approved(places: list[int], *, lane: int = 2, channel: str = "http_gateway", category: str = "notice", body=BODY):
    """A campaign that was written by one officer and approved by another."""
    from broadcast.campaigns import approve, compose
    from broadcast.models import Place, User

    writer, approver = User.objects.get(username="writer"), User.objects.get(username="approver")
    campaign = compose.create(
        writer, place=Place.objects.get(code="24"), title="Đo tốc độ", lane=lane, category=category
    )
    campaign = compose.save(
        writer, campaign.pk, campaign.revision, contents={channel: {"subject": "", "body": body}}, places=places
    )
    approve.submit(writer, campaign.pk, campaign.revision)
    return approve.approve(approver, campaign.pk, campaign.revision)


def launch(campaign):
    from broadcast import tasks
    from broadcast.campaigns import launch as launching
    from broadcast.models import User

    launching.send_now(User.objects.get(username="writer"), campaign.pk)
    tasks.nudge()


def expanded(campaign) -> int:
    """Launch without workers: the audience is in the ledger, nothing has been sent. The number of deliveries."""
    from broadcast.delivery import fanout

    launch(campaign)
    for content in campaign.contents.all():
        fanout.expand(content.pk)
    return execute("SELECT count(*) FROM broadcast_delivery WHERE campaign_id = %s", [campaign.pk])[0][0]


def open_batches(campaign) -> int:
    return execute(
        "SELECT count(*) FROM broadcast_batch b JOIN broadcast_content c ON c.id = b.content_id "
        "WHERE c.campaign_id = %s AND b.status <> 2",
        [campaign.pk],
    )[0][0]


def wait(condition: Callable[[], Any], seconds: float, what: str, every: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} after {seconds:.0f} s")
        time.sleep(every)


class Meter:
    """CPU of everything the engine runs on, the sink and the bench itself left out; memory of the dispatchers."""

    def __init__(self, running: Stack, *names: str) -> None:
        self.running = running
        self.names = names
        self.before = self._cpu()
        self.peak_mb = 0.0

    def _cpu(self) -> dict[str, float]:
        return {name: cpu_seconds([pid]) for name in self.names if (pid := self.running.pid(name))}

    def cpu(self) -> dict[str, float]:
        now = self._cpu()
        return {name: now[name] - self.before.get(name, 0.0) for name in now}

    def dispatcher_mb(self) -> float:
        """Memory of the largest dispatch process."""
        parent = self.running.pid("dispatch")
        children = tree([parent]) - {parent} if parent else set()
        largest = max((memory_mb(pid) for pid in children), default=0.0)
        self.peak_mb = max(self.peak_mb, largest)
        return largest


@contextmanager
def sink(*arguments: str) -> Iterator["Sink"]:
    """The gateway all messages go to, in a process of its own."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.sink", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout
        yield Sink(f"http://127.0.0.1:{int(child.stdout.readline())}", child.pid)
    finally:
        child.kill()
        child.wait()


class Sink:
    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid

    def stats(self) -> dict[str, Any]:
        """``accepted, unique, requests, first, last`` (`time.time`), ``receipts``, ``refused``, ``waiting``."""
        with urllib.request.urlopen(f"{self.url}/stats", timeout=30) as reply:
            return json.load(reply)

    def reset(self) -> None:
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/reset", method="POST"), timeout=30).close()


def shuffled(n: int) -> list[int]:
    order = list(range(n))
    random.Random(n).shuffle(order)
    return order
