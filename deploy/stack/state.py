"""The state folder: everything one installation keeps, and the only place it keeps it.

    env            generated secrets, NAME=value, for the owner alone
    run.json       what runs now; written by the manager
    lock           held while a manager lives
    migrated       what the database and the migrations were when they last agreed (see schema.py)
    pg/ valkey/    the embedded servers' data
    media/ log/ sandbox/

Sockets lie elsewhere, because a socket's path may have 107 bytes only.
"""

import base64
import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import Trouble

ROOT = Path(__file__).resolve().parents[2]
_KEPT_LOGS = 3
MANAGER_LOG = "manager"


class State:
    """A state folder; created when missing."""

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder).resolve()
        self.path.mkdir(parents=True, exist_ok=True)
        # Others may pass through, not look: as root, PostgreSQL runs under another account.
        self.path.chmod(0o711)
        self._lock: int | None = None

    def folder(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    # -- one manager at a time

    def lock(self) -> bool:
        """Take the lock; False while another manager has it. The kernel frees it however we end."""
        if self._lock is None:
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # -- what runs

    def running(self) -> dict[str, Any]:
        """The last record a manager left: `kind`, `manager`, `ready`, `addresses`, `processes`; empty without one."""
        try:
            record = json.loads((self.path / "run.json").read_text())
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def record(self, what: Mapping[str, Any]) -> None:
        self._write("run.json", json.dumps(what, indent=1))

    def migrated(self) -> str:
        try:
            return (self.path / "migrated").read_text()
        except OSError:
            return ""

    def record_migrated(self, fingerprint: str) -> None:
        self._write("migrated", fingerprint)

    def _write(self, name: str, text: str) -> None:
        """Replace a file so that a reader sees the old or the new one, whole."""
        draft = self.path / f"{name}.new"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.rename(self.path / name)

    # -- secrets

    def secrets(self) -> dict[str, str]:
        """SECRET_KEY and LOA_KEYS of this installation, made on first use. Without the keys its data is unreadable."""
        file = self.path / "env"
        if not file.exists():
            key = base64.b64encode(secrets.token_bytes(64)).decode()
            self._write("env", f"SECRET_KEY={secrets.token_urlsafe(50)}\nLOA_KEYS=1:{key}\n")
        lines = [line.partition("=") for line in file.read_text().splitlines() if "=" in line]
        return {name: value for name, _, value in lines}

    # -- sockets

    @property
    def sockets(self) -> Path:
        """A short folder only this user can change, the same for every command on this state folder."""
        owner = os.getuid()
        inode = self.path.stat().st_ino
        name = hashlib.sha256(f"{self.path}:{inode}".encode()).hexdigest()[:12]
        # As root the runtime folder is closed to PostgreSQL's account.
        runtime = os.environ.get("XDG_RUNTIME_DIR", "") if owner else ""
        usable = 0 < len(runtime) < 60 and os.access(runtime, os.W_OK | os.X_OK)
        base = Path(runtime if usable else "/tmp")  # noqa: S108 - owner and mode are checked below
        folder = base / f"loa-{owner}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
            raise Trouble(f"{folder} belongs to somebody else. Remove it, then start again.")
        folder.chmod(0o700 if owner else 0o711)
        return folder

    # -- logs

    def log(self, name: str) -> Path:
        return self.folder("log") / f"{name}.log"

    def rotate_logs(self) -> None:
        """Name every log of the last run aside, keeping a few."""
        for log in self.folder("log").glob("*.log"):
            if log.stem == MANAGER_LOG:  # somebody writes into it already
                continue
            for number in range(_KEPT_LOGS - 1, 0, -1):
                older = log.with_name(f"{log.name}.{number}")
                if older.exists():
                    older.rename(log.with_name(f"{log.name}.{number + 1}"))
            log.rename(log.with_name(f"{log.name}.1"))

    def tail(self, name: str, lines: int = 15) -> str:
        """The end of a log, for a message about why something did not start."""
        try:
            text = self.log(name).read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
