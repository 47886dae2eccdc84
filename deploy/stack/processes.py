"""The process table: what `./loa up` runs beside PostgreSQL and Valkey."""

import signal
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    """One process, always started with the project's Python in the project's folder.

    In `arguments`, `{fd}` is the number of the listening socket the manager opened, `{state}` the state folder.
    Ready means: a process with a port answers an HTTP request; any other writes to the descriptor LOA_READY_FD
    (`deploy.stack.celery` does it) unless `reports` is False.
    """

    name: str
    arguments: tuple[str, ...]
    port: int | None = None  # the preferred one on 127.0.0.1; the next free one if taken
    address: str | None = None  # the variable that tells everyone the address of that port
    reports: bool = True
    forked: bool = True  # from the template; False for what must share no import with the engine
    stop: int = signal.SIGTERM
    grace: float = 15.0  # seconds between asking to stop and killing


def _celery(*arguments: str) -> tuple[str, ...]:
    return ("-m", "deploy.stack.celery", "-A", "config", *arguments, "-l", "info")


def _worker(queue: str, children: int) -> tuple[str, ...]:
    # One machine: nobody to gossip with, and looking for neighbours costs a second at start.
    return _celery(
        "worker", "-n", f"{queue}@%h", "-Q", queue, "-c", str(children), "--without-gossip", "--without-mingle"
    )


_UVICORN = ("-m", "uvicorn", "config.asgi:application", "--fd", "{fd}", "--no-access-log")

PROCESSES = (
    # Open pages keep a WebSocket: without a limit a stop would wait for the reader to leave.
    Process("web", (*_UVICORN, "--timeout-graceful-shutdown", "3"), port=8000, address="LOA_URL"),
    Process(
        "sandbox",
        ("-m", "channels_adapters.sandbox", "--fd", "{fd}", "--state", "{state}/sandbox"),
        port=8025,
        address="SANDBOX_URL",
        forked=False,
    ),
    Process("dispatch", _worker("dispatch", 2)),
    Process("work", _worker("default", 2)),
    Process("audio", _worker("audio", 1)),
    Process("beat", _celery("beat", "-s", "{state}/beat-schedule", "--pidfile=")),
)

# What the template imports before the others are forked from it (`template.py`).
PRELOADED = (
    "config.asgi",
    "config.celery",
    "broadcast.tasks",
    "uvicorn.main",
    "uvicorn.loops.uvloop",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.auto",
    "celery.bin.celery",
    "celery.apps.worker",
    "celery.apps.beat",
    "celery.concurrency.prefork",
    "celery.fixups.django",
    "celery.worker.consumer",
    "kombu.transport.redis",
    "django.core.management.commands.migrate",
)
