"""What the manager needs from Linux: processes that die with their parent, and processes found again."""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)  # before any fork: loading takes locks
PROC = Path("/proc")


def die_with_parent(number: int, parent: int) -> None:
    """Ask the kernel to send us signal `number` when the thread that started us is gone.

    Set it after changing the user: the kernel forgets it then. A parent that died before this call sends nothing
    any more, so its absence ends us here.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def child_setup(number: int = signal.SIGKILL) -> Callable[[], None]:
    """A `preexec_fn` that ties a new child to this process."""
    parent = os.getpid()
    return lambda: die_with_parent(number, parent)


def rename(name: str) -> None:
    """The name of this process in `ps` and `top`."""
    _libc.prctl(_PR_SET_NAME, f"loa {name}".encode()[:15], 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent died, so that they can be reaped."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def identity(pid: int) -> str | None:
    """The process as no later one with the same id can be: boot and start time. None when it is gone or a zombie."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        boot = (PROC / "sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return None
    return None if fields[0] in "ZX" else f"{boot}-{fields[19]}"


def _pids() -> Iterator[int]:
    own = os.getpid()
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and int(entry.name) != own)


def with_variable(name: str, value: str) -> list[int]:
    """Processes that were started with `name=value` in their environment."""
    wanted = f"{name}={value}".encode()
    found = []
    for pid in _pids():
        try:
            variables = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:  # gone, or another user's
            continue
        if wanted in variables and identity(pid):
            found.append(pid)
    return found


def working_in(folder: Path, command: str) -> list[int]:
    """Processes named `command` whose working folder is `folder`."""
    found = []
    for pid in _pids():
        try:
            if (PROC / str(pid) / "comm").read_text().strip() != command:
                continue
            if (PROC / str(pid) / "cwd").readlink() == folder and identity(pid):
                found.append(pid)
        except OSError:
            continue
    return found


def send(pid: int, number: int, *, group: bool = False) -> None:
    """Signal a process, or the whole group it leads; one that is gone already is fine."""
    try:
        if group and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look again and again, up to `seconds`; the last answer."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
