"""A stack as a context manager, for tests, benchmarks and fault drills.

The manager is a process of its own: whoever uses the handle may have threads, may be killed, may block.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from signal import SIGKILL
from typing import Any

from . import linux
from .errors import Trouble
from .manager import SERVERS
from .processes import PROCESSES, Process
from .services import MARK
from .state import MANAGER_LOG, ROOT, State

# What another stack may have left in our environment and ours must not inherit.
OF_A_STACK = (
    *SERVERS,
    *("LOA_URL", "LOA_INTERNAL_URL", "SANDBOX_URL", "CSRF_TRUSTED_ORIGINS", "MEDIA_ROOT", "LOA_STATE"),
    *("SECRET_KEY", "LOA_KEYS", MARK),
)


def without_stack(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which a stack starts its own servers and keys."""
    return {name: value for name, value in environment.items() if name not in OF_A_STACK}


class Stack:
    """A running stack on a state folder (default: the environment's LOA_STATE, else `.loa`), with its own servers.

    `processes` are names of the table, or Process objects (`dataclasses.replace(...)` of a row, say); all by default.
    `extra` is added to the environment of all. Raises Trouble when it does not start.
    """

    def __init__(
        self,
        folder: Path | str | None = None,
        processes: Iterable[str | Process] | None = None,
        *,
        extra: Mapping[str, str] | None = None,
        migrate: bool = True,
        durable: bool = True,
        timeout: float = 120.0,
    ) -> None:
        self.state = State(folder or os.environ.get("LOA_STATE") or ROOT / ".loa")
        table = {process.name: process for process in PROCESSES}
        chosen = PROCESSES if processes is None else processes
        self.processes = [table[process] if isinstance(process, str) else process for process in chosen]
        self.extra = dict(extra or {})
        self.migrate = migrate
        self.durable = durable
        self.timeout = timeout
        self.manager: subprocess.Popen[bytes] | None = None
        self._killed: dict[str, int] = {}  # name -> process id that must not count as ready any more

    def __enter__(self) -> "Stack":
        order = {
            "processes": [asdict(process) for process in self.processes],
            "migrate": self.migrate,
            "durable": self.durable,
        }
        with self.state.log(MANAGER_LOG).open("wb") as log:
            self.manager = subprocess.Popen(
                [sys.executable, "-m", "deploy.stack", "serve", str(self.state.path), json.dumps(order)],
                cwd=ROOT,
                env={**without_stack(os.environ), **self.extra},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything and wait for it. The manager stops when our end of its standard input closes."""
        if self.manager and self.manager.stdin:
            self.manager.stdin.close()
            self.manager.wait(self.timeout)

    # -- what runs

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the stack's processes, for a process or client of the caller's own."""
        return {
            **without_stack(os.environ),
            **self.state.secrets(),
            **self.extra,
            **self.state.running().get("addresses", {}),
            "LOA_STATE": str(self.state.path),
        }

    def pid(self, name: str) -> int | None:
        """The process id of a child (`postgres` and `valkey` among them) now; None while it is down."""
        entry = self._processes().get(name)
        return entry["pid"] if entry else None

    def starts(self, name: str) -> int:
        """How often the child was started."""
        return int(self._processes()[name]["starts"])

    def _processes(self) -> dict[str, Any]:
        processes = self.state.running().get("processes", {})
        return processes if isinstance(processes, dict) else {}

    # -- what one does to it

    def kill(self, name: str, number: int = SIGKILL) -> int:
        """Signal a child, by default kill -9; its process id. After SIGKILL, `wait_ready` awaits its successor."""
        pid = self.pid(name)
        if pid is None:
            raise Trouble(f"{name} is not running")
        if number == SIGKILL:
            self._killed[name] = pid
        os.kill(pid, number)
        return pid

    def stop(self, name: str) -> None:
        """Stop a child and keep it down until `start`."""
        self._order("stop", name)
        self._wait(lambda: self.pid(name) is None, f"{name} does not stop")

    def start(self, name: str) -> None:
        self._order("start", name)
        self.wait_ready(name)

    def restart(self, name: str) -> None:
        """Stop a child as at the end of work and start it anew."""
        self.stop(name)
        self.start(name)

    def wait_ready(self, *names: str, timeout: float | None = None) -> None:
        """Wait until these children serve; without names, until the whole stack does."""

        def ready() -> bool:
            record = self.state.running()
            if self.manager is None or record.get("manager", {}).get("pid") != self.manager.pid:
                return False
            processes = record["processes"]
            awaited = names or [name for name, entry in processes.items() if entry["wanted"]]
            return record["ready"] and all(
                processes[name]["ready"] and processes[name]["pid"] != self._killed.get(name) for name in awaited
            )

        self._wait(ready, f"{' '.join(names) or 'The stack'} is not ready", timeout)

    def _order(self, word: str, name: str) -> None:
        assert self.manager and self.manager.stdin, "only within `with`"
        self.manager.stdin.write(f"{word} {name}\n".encode())
        self.manager.stdin.flush()

    def _wait(self, condition: Callable[[], bool], failure: str, timeout: float | None = None) -> None:
        seconds = timeout or self.timeout
        linux.wait_until(lambda: condition() or self.manager is None or self.manager.poll() is not None, seconds)
        if not condition():
            raise Trouble(f"{failure}. The end of {self.state.log(MANAGER_LOG)}:\n{self.state.tail(MANAGER_LOG, 30)}")
