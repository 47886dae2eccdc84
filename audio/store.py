"""Files named by their content's key: written atomically, read by many processes, bounded in size."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


class Store:
    """A folder of cached files. A hit renews a file; when the folder outgrows ``limit`` bytes the oldest go first."""

    def __init__(self, folder: Path, limit: int = 2 * 1024**3) -> None:
        self.folder = Path(folder)
        self.limit = limit
        self._written = 0

    def path(self, key: str, suffix: str) -> Path:
        return self.folder / key[:2] / f"{key}{suffix}"

    def get(self, key: str, suffix: str) -> bytes | None:
        path = self.path(key, suffix)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return data

    def put(self, key: str, suffix: str, data: bytes) -> Path:
        path = self.path(key, suffix)
        write_atomically(path, data)
        self._written += len(data)
        if self._written > self.limit // 50:
            self._written = 0
            self.prune()
        return path

    def prune(self) -> None:
        """Remove the least recently used files until the folder is a tenth below its limit."""
        files = []
        for path in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        if total <= self.limit:
            return
        for _, size, path in sorted(files):
            path.unlink(missing_ok=True)
            total -= size
            if total <= self.limit * 0.9:
                return

    @contextlib.contextmanager
    def lock(self, level: str, key: str) -> Iterator[None]:
        """One process at a time makes what ``key`` names; the others wait and then find it made.

        Keys of one level share 256 locks, so a level must not be nested in itself: it could wait for its own end.
        """
        path = self.folder / "locks" / f"{level}-{key[:2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_atomically(path: Path, data: bytes) -> None:
    """A reader sees the whole file or none. Safe with several writers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
