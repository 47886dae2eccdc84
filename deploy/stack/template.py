"""A process that has imported Django, Celery and the server once, and forks the others from that.

Each of five processes would need two seconds of processor time for its imports; on two cores that is all of a start.
A fork has them at once and shares their memory. Nothing but speed depends on it: a command that cannot be forked is
executed as it stands.

A forked process is a grandchild whose parent has gone, so the manager, a subreaper, becomes its parent and watches it
like any other.
"""

import fcntl
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import linux
from .processes import PRELOADED

_LARGEST = 1 << 17  # bytes of an order; an environment is most of it
_ANSWER_WITHIN = 10.0  # seconds


class Template:
    """The manager's end."""

    def __init__(self, child: subprocess.Popen[bytes], line: socket.socket) -> None:
        self.pid = child.pid
        self.ready = False
        self._line = line
        child.returncode = 0  # the manager collects it

    @staticmethod
    def start(root: Path, environment: Mapping[str, str], log: Any) -> "Template":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            child = subprocess.Popen(
                [sys.executable, "-m", "deploy.stack", "template"],
                cwd=root,
                env={**environment, "LOA_TEMPLATE_FD": str(theirs.fileno())},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                preexec_fn=linux.child_setup(),
            )
        ours.setblocking(False)
        return Template(child, ours)

    def is_ready(self) -> bool:
        if not self.ready:
            with suppress(BlockingIOError):
                self.ready = self._line.recv(16) == b"ready"
                self._line.settimeout(_ANSWER_WITHIN)
        return self.ready

    def fork(
        self,
        name: str,
        arguments: Sequence[str],
        files: Mapping[int, int],
        death_signal: int,
        environment: Mapping[str, str],
        folder: Path,
    ) -> int:
        """Run `python arguments` in a fork; its process id. `files`: number there -> descriptor here.

        Raises OSError when the template does not answer.
        """
        order = {
            "name": name,
            "arguments": list(arguments),
            "files": list(files),
            "death_signal": int(death_signal),
            "environment": dict(environment),
            "folder": str(folder),
        }
        socket.send_fds(self._line, [json.dumps(order).encode()], list(files.values()))
        answer = self._line.recv(16)
        if not answer:
            raise ConnectionResetError("the template is gone")
        return int(answer)

    def close(self) -> None:
        self._line.close()


def _load() -> None:
    for name in PRELOADED:
        # Who needs a module that does not import will say so under its own name.
        with suppress(Exception):
            importlib.import_module(name)
    with suppress(Exception):
        from django.urls import get_resolver

        _ = get_resolver().url_patterns


def _serve(line: socket.socket, manager: int) -> dict[str, Any]:
    """Fork for every order; returns in the fork, with its order."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, _LARGEST, 16)
        if not message:
            sys.exit()
        between = os.fork()
        if between:
            for descriptor in descriptors:
                os.close(descriptor)
            os.waitpid(between, 0)
            continue
        if os.fork():
            os._exit(0)
        while os.getppid() != manager:  # until the one between has gone
            if os.getppid() == 1:
                os._exit(1)
            time.sleep(0.001)
        order: dict[str, Any] = json.loads(message)
        linux.die_with_parent(order["death_signal"], manager)
        line.send(str(os.getpid()).encode())
        line.close()  # first: its number may be one of those promised
        _place(descriptors, order["files"])
        return order


def _place(descriptors: list[int], numbers: list[int]) -> None:
    """Give each descriptor the number its process was told."""
    high = max(numbers) + 1
    safe = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, high) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    for descriptor, number in zip(safe, numbers, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def main(_: list[str]) -> int:
    """The template's end: returns in a fork, when its command has run."""
    line = socket.socket(fileno=int(os.environ.pop("LOA_TEMPLATE_FD")))
    manager = os.getppid()
    gc.disable()  # nothing imported is garbage
    _load()
    tasks = len(list(Path("/proc/self/task").iterdir()))
    if tasks > 1:
        sys.exit(f"{tasks - 1} threads run after the imports; a fork would lose them")
    gc.freeze()  # the forks' collector leaves shared memory shared
    gc.enable()
    line.send(b"ready")
    order = _serve(line, manager)

    os.setsid()
    signal.set_wakeup_fd(-1)
    linux.rename(order["name"])
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    first, *rest = order["arguments"]
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = order["arguments"]
        runpy.run_path(first, run_name="__main__")
    return 0
