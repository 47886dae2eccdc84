"""The process manager: starts everything in order, restarts what dies, lets nothing outlive it.

One thread, one loop. A child ends with us three times over: it is asked to when we stop, the kernel ends it when we
are killed, and the next start ends what is left (found in run.json, and by a mark in the environment).
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from . import linux
from .errors import Stopped, Trouble
from .processes import Process
from .services import MARK, App, Postgres, Service, Valkey
from .state import ROOT, State
from .template import Template

SERVERS = ("DATABASE_URL", "BROKER_URL", "CHANNEL_URL", "VALKEY_URL")
_TRIES = 3  # a process that dies so often before it ever served stops the start
_LONGEST_WAIT = 10.0  # seconds between two restarts
_COMMAND_GRACE = 5.0  # seconds a command has to end
_WELL = 30.0  # seconds alive after which earlier deaths are forgotten


def say(name: str, what: str) -> None:
    """One line per event. Standard output belongs to commands and their results."""
    print(f"  {name:<10} {what}", file=sys.stderr, flush=True)


@dataclass
class Child:
    """A service and its present process."""

    service: Service
    pid: int | None = None
    ready: bool = False
    served: bool = False  # was ready once
    wanted: bool = True
    starts: int = 0
    deaths: int = 0
    since: float = 0.0
    restart_at: float | None = None

    def signal(self, number: int) -> None:
        if self.pid:
            linux.send(self.pid, number, group=number == signal.SIGKILL)


@dataclass
class Manager:
    """Runs `processes` and, unless the environment names others, PostgreSQL and Valkey, on one state folder.

    `kind` tells others what holds the folder: "up" for a stack one may join, "command" for one that ends soon.
    `durable=False` gives up surviving a power cut: for tests. `obey`: lines on standard input are orders, and its
    end is the order to stop.
    """

    state: State
    processes: Iterable[Process] = ()
    given: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    kind: str = "up"
    durable: bool = True
    quiet: bool = False
    obey: bool = False

    def __post_init__(self) -> None:
        self.children: dict[str, Child] = {}
        self.environment: dict[str, str] = {}
        self._orders: list[str] = []
        self._stop = 0  # how often we were asked
        self._why = 0  # by which signal
        self._apps: list[App] = []
        self._template: Template | None = None
        self._command: int | None = None  # the process in the foreground
        self._status: int | None = None  # how it ended
        self._ready = False
        self._buffer = b""
        self._wake, self._alarm = -1, -1

    # -- life

    def __enter__(self) -> "Manager":
        if not self.state.lock():
            raise Trouble(f"Loa is already running in {self.state.path}.")
        self._catch_signals()
        linux.adopt_orphans()
        try:
            self._end_leftovers()
            self.state.rotate_logs()
            self._start_base()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _catch_signals(self) -> None:
        self._wake, self._alarm = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._alarm, False)
        signal.set_wakeup_fd(self._alarm, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # a manager that sleeps restarts nothing

    def _asked_to_stop(self, number: int, _: object) -> None:
        self._stop += 1
        self._why = number

    def _end_leftovers(self) -> None:
        """End what a killed manager left. We hold the lock, so nothing of ours may live."""
        record = self.state.running()
        known = {entry["pid"]: entry["identity"] for entry in record.get("processes", {}).values()}

        def left() -> set[int]:
            alive = {pid for pid, identity in known.items() if pid and linux.identity(pid) == identity}
            return alive | set(linux.with_variable(MARK, str(self.state.path)))

        if left() and not linux.wait_until(lambda: not left(), 3):  # they are told to end by the kernel
            for pid in left():
                linux.send(pid, signal.SIGKILL, group=True)
            if not linux.wait_until(lambda: not left(), 5):
                raise Trouble(f"Processes of an earlier run do not end: {sorted(left())}. End them, then start again.")

    def close(self) -> None:
        """Stop everything: first what uses the servers, then the servers."""
        self.obey = False
        for child in self.children.values():
            child.wanted = False
            child.restart_at = None
        servers = [child for child in self.children.values() if not isinstance(child.service, App)]
        apps = [child for child in self.children.values() if isinstance(child.service, App)]
        if any(child.pid for child in self.children.values()):
            self._say("loa", "stopping")
        for group in (apps, servers):
            self._end(group)
            if group is apps:
                self._end_template()
        for app in self._apps:
            app.close()
        if self._alarm >= 0:
            signal.set_wakeup_fd(-1)
            os.close(self._wake)
            os.close(self._alarm)
            self._wake = self._alarm = -1
        self.state.record({})
        self.state.unlock()

    def _end(self, group: list[Child]) -> None:
        asked = self._stop
        for child in group:
            child.signal(child.service.stop_signal)
        begin = time.monotonic()
        while alive := [child for child in group if child.pid]:
            for child in alive:
                late = time.monotonic() - begin > child.service.grace
                if late or self._stop > asked:  # a second Ctrl-C does not wait
                    child.signal(signal.SIGKILL)
            self._wait(0.1)
            self._reap()

    # -- the environment of every child

    def _start_base(self) -> None:
        given = {name: value for name, value in self.given.items() if name not in (MARK, "LOA_READY_FD")}
        urls = {name: given[name] for name in SERVERS if given.get(name)}
        broker = urls.get("BROKER_URL", "")
        if urlsplit(broker).scheme in ("redis", "rediss", "valkey", "valkeys"):
            # One Valkey serves all three: 0 the broker, 1 live pages, 2 limits.
            for name, database in (("CHANNEL_URL", 1), ("VALKEY_URL", 2)):
                urls.setdefault(name, urlsplit(broker)._replace(path=f"/{database}").geturl())
        servers: list[Service] = []
        if not all(urls.get(name) for name in SERVERS[1:]):
            valkey = Valkey(self.state)
            servers.append(valkey)
            urls.setdefault("BROKER_URL", valkey.url(0, "redis+socket"))
            urls.setdefault("CHANNEL_URL", valkey.url(1))
            urls.setdefault("VALKEY_URL", valkey.url(2))
        self.embedded_database = "DATABASE_URL" not in urls
        if self.embedded_database:
            postgres = Postgres(self.state, durable=self.durable)
            servers.append(postgres)
            urls["DATABASE_URL"] = postgres.url
        own = {**self.state.secrets(), "MEDIA_ROOT": str(self.state.folder("media"))}
        self.environment = {
            **own,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            **given,
            **urls,
            "LOA_STATE": str(self.state.path),
            "PYTHONUNBUFFERED": "1",
        }
        self._open_doors()
        # Its imports take one core; servers, migrations and the sandbox start on the other meanwhile.
        if any(app.process.forked for app in self._apps):
            self._start_template()
        for service in (*servers, *(app for app in self._apps if not app.process.forked)):
            self._add(service)
        self.wait_ready()

    def _open_doors(self) -> None:
        """Choose ports, so that each process knows every address before the first one starts."""
        internal = {}
        for process in self.processes:
            if process.address == "LOA_URL" and self.given.get("LOA_PORT"):
                process = replace(process, port=int(self.given["LOA_PORT"]))
            app = App(self.state, process, self.environment, lambda: self._template)
            self._apps.append(app)
            if app.url and process.address:
                internal[process.address] = app.url
        self.environment.update({name: url for name, url in internal.items() if not self.given.get(name)})
        if "LOA_URL" in internal:
            self.environment["LOA_INTERNAL_URL"] = internal["LOA_URL"]
            self.environment.setdefault("CSRF_TRUSTED_ORIGINS", self.environment["LOA_URL"])

    def start_processes(self) -> None:
        """Start the rest of the table, which needs the servers, and wait until all of it serves."""
        while self._template and not self._template.is_ready():
            self.turn(0.03)
        for app in self._apps:
            if app.process.forked:
                self._add(app)
        self.wait_ready()
        self._ready = True
        self._record()

    # -- the template

    def _start_template(self) -> None:
        with self.state.log("template").open("ab") as log:
            environment = {**self.environment, MARK: str(self.state.path)}  # the forks are found by it too
            self._template = Template.start(ROOT, environment, log)

    def _end_template(self) -> None:
        if self._template:
            linux.send(self._template.pid, signal.SIGKILL)
            self._template.close()
            self._template = None

    # -- one child

    def _add(self, service: Service) -> None:
        self.children[service.name] = child = Child(service)
        self._start(child)

    def _start(self, child: Child) -> None:
        child.restart_at = None
        child.ready = False
        child.pid = child.service.start()
        child.starts += 1
        child.since = time.monotonic()
        if child.starts > 1:
            self._say(child.service.name, f"restarted (process {child.pid})")
        self._record()

    def _died(self, child: Child, code: int) -> None:
        child.pid, child.ready = None, False
        if not child.wanted:
            return
        if time.monotonic() - child.since > _WELL:
            child.deaths = 0
        child.deaths += 1
        why = f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
        if not child.served and child.deaths >= _TRIES:
            raise Trouble(
                f"{child.service.name} does not start ({why}). The end of {self.state.log(child.service.name)}:\n"
                f"{self.state.tail(child.service.name)}"
            )
        wait = min(0.2 * 2 ** (child.deaths - 1), _LONGEST_WAIT)
        child.restart_at = time.monotonic() + wait
        self._say(child.service.name, f"died ({why}), restart in {wait:.1f} s")
        self._record()

    def _record(self) -> None:
        processes = {
            name: {
                "pid": child.pid if child.pid else None,
                "identity": linux.identity(child.pid) if child.pid else None,
                "wanted": child.wanted,
                "ready": child.ready,
                "starts": child.starts,
            }
            for name, child in self.children.items()
        }
        shared = (*SERVERS, "LOA_URL", "LOA_INTERNAL_URL", "SANDBOX_URL", "CSRF_TRUSTED_ORIGINS", "MEDIA_ROOT")
        self.state.record(
            {
                "kind": self.kind,
                "manager": {"pid": os.getpid(), "identity": linux.identity(os.getpid())},
                "ready": self._ready,
                "addresses": {name: self.environment[name] for name in shared if name in self.environment},
                "processes": processes,
                "template": self._template.pid if self._template else None,
            }
        )

    def _say(self, name: str, what: str) -> None:
        if not self.quiet:
            say(name, what)

    # -- the loop

    def turn(self, longest: float = 1.0) -> None:
        """One turn: reap, obey, restart, look who is ready, then sleep until something happens."""
        self._reap()
        while self._orders:
            word, name = self._orders.pop(0).split()
            {"stop": self.stop, "start": self.resume}[word](name)
        now = time.monotonic()
        for child in self.children.values():
            if child.pid is None and child.restart_at is not None and now >= child.restart_at:
                self._start(child)
            elif child.pid and not child.ready:
                self._look(child, now)
        if self._stop:
            raise Stopped
        self._wait(0.03 if any(not child.ready for child in self.children.values() if child.wanted) else longest)

    def _look(self, child: Child, now: float) -> None:
        if child.service.is_ready():
            child.ready = child.served = True
            self._say(child.service.name, f"ready after {now - child.since:.1f} s")
            self._record()
        elif now - child.since > child.service.ready_within:
            self._say(child.service.name, f"does not answer after {child.service.ready_within:.0f} s")
            child.signal(signal.SIGKILL)

    def _wait(self, seconds: float) -> None:
        watched = [self._wake] if self._wake >= 0 else []
        if self.obey:
            watched.append(sys.stdin.fileno())
        readable, _, _ = select.select(watched, [], [], seconds)
        if self._wake in readable:
            os.read(self._wake, 4096)
        if self.obey and sys.stdin.fileno() in readable:
            self._listen()

    def _listen(self) -> None:
        received = os.read(sys.stdin.fileno(), 4096)
        if not received:  # whoever held the other end is gone
            self.obey = False
            self._stop += 1
            return
        *lines, self._buffer = (self._buffer + received).split(b"\n")
        self._orders += [line.decode() for line in lines]

    def _reap(self) -> None:
        """Collect the dead, adopted grandchildren among them; what is left of a dead child's group goes with it."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            code = os.waitstatus_to_exitcode(status)
            if pid == self._command:
                self._command, self._status = None, code
                _end_group(pid)
                continue
            if self._template and pid == self._template.pid:
                self._say("loa", f"the template died, starts take longer now (see {self.state.log('template')})")
                self._end_template()
            for child in self.children.values():
                if child.pid == pid:
                    _end_group(pid)
                    self._died(child, code)
                    break

    # -- what others ask of it

    def wait_ready(self) -> None:
        while not all(child.ready for child in self.children.values() if child.wanted):
            self.turn(0.03)  # short: the turn that finds the last one ready must not sleep on it

    def forever(self) -> None:
        while True:
            self.turn()

    def stop(self, name: str) -> None:
        """Stop one child and keep it stopped."""
        child = self.children[name]
        child.wanted, child.restart_at = False, None
        self._end([child])
        self._say(name, "stopped")
        self._record()

    def resume(self, name: str) -> None:
        child = self.children[name]
        child.wanted, child.deaths = True, 0
        if child.pid is None:
            self._start(child)

    def run(
        self,
        arguments: Sequence[str],
        *,
        log: str | None = None,
        patient: bool = False,
        more: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        output: int = 1,
    ) -> int:
        """Run `python arguments` to its end while the children are watched; its exit status as a shell counts it.

        `log` keeps its output out of sight; else `output` is where its standard output goes. `patient`: Ctrl-C is the
        command's affair, as in pytest or a shell; else it ends the command and us. `more` adds to the environment.
        """
        environment = {**self.environment, **(more or {})}
        with ExitStack() as files:
            errors = 2
            if log:
                output = errors = files.enter_context(self.state.log(log).open("ab")).fileno()
            # A session of its own: the terminal's Ctrl-C comes to us alone, and we pass it on once.
            if self._template and self._template.is_ready() and not patient:
                self._command = self._template.fork(
                    "command", arguments, {1: output, 2: errors}, signal.SIGKILL, environment, folder
                )
            else:
                child = subprocess.Popen(
                    [sys.executable, *arguments],
                    env=environment,
                    cwd=folder,
                    stdin=None if patient else subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,
                    preexec_fn=linux.child_setup(),
                )
                child.returncode = 0  # collected here, not by Popen
                self._command = child.pid
        return self._watch(patient)

    def _watch(self, patient: bool) -> int:
        self._status = None
        try:
            while self._status is None:
                try:
                    self.turn()
                except Stopped:
                    if not (patient and self._why == signal.SIGINT):
                        raise
                    self._stop = 0
                    if self._command:
                        linux.send(self._command, signal.SIGINT, group=True)
        except (Stopped, Trouble):
            self._end_command()
            raise
        return self._status if self._status >= 0 else 128 - self._status

    def _end_command(self) -> None:
        asked, begin = self._stop, time.monotonic()
        if self._command:
            linux.send(self._command, signal.SIGTERM, group=True)
        while self._command:
            if self._stop > asked or time.monotonic() - begin > _COMMAND_GRACE:
                linux.send(self._command, signal.SIGKILL, group=True)
            self._wait(0.1)
            self._reap()


def _end_group(leader: int) -> None:
    """What is left of the group of a process that has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def manage(*arguments: str) -> list[str]:
    """The arguments of Python for a management command."""
    return [str(ROOT / "manage.py"), *arguments]
