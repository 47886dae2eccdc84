"""CPU time and memory of processes, read from /proc."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Stat:
    parent: int
    own: float  # CPU seconds of the process
    reaped: float  # and of its children that have ended


def _stats() -> dict[int, _Stat]:
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks = [int(field) for field in fields[11:15]]
        found[int(entry.name)] = _Stat(int(fields[1]), sum(ticks[:2]) / _TICK, sum(ticks[2:]) / _TICK)
    return found


def tree(roots: Iterable[int]) -> set[int]:
    """These processes and all below them."""
    stats = _stats()
    chosen = set(roots)
    while True:
        more = {pid for pid, stat in stats.items() if stat.parent in chosen} - chosen
        if not more:
            return chosen & set(stats)
        chosen |= more


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU used so far by these processes and all below them, ended ones included."""
    stats = _stats()
    return sum(stats[pid].own + stats[pid].reaped for pid in tree(roots) if pid in stats)


def memory_mb(pid: int) -> float:
    """The process's share of the machine's memory: its own pages, and its part of shared ones."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0
