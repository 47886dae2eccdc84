"""Celery under the manager: `python -m deploy.stack.celery ...` is `celery ...`, plus two things.

It says when it serves (LOA_READY_FD), and its pool processes die with it: Celery ends them itself, but not after
a kill -9 of the worker.
"""

import os
import signal
from contextlib import suppress
from typing import Any

from celery.__main__ import main
from celery.signals import beat_init, worker_process_init, worker_ready

from . import linux

_parent = os.getpid()


@worker_ready.connect
@beat_init.connect
def _serve(**_: Any) -> None:
    number = os.environ.get("LOA_READY_FD")
    if number:
        with suppress(OSError):  # nobody waits any more
            os.write(int(number), b"1")


@worker_process_init.connect
def _tie(**_: Any) -> None:
    linux.die_with_parent(signal.SIGKILL, _parent)


if __name__ == "__main__":
    main()
