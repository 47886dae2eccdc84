"""The commands behind `./loa`, once the environment is installed. `./loa help` describes them."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from . import template
from .errors import Stopped, Trouble
from .handle import without_stack
from .manager import Manager, manage, say
from .processes import PROCESSES, Process
from .schema import fingerprint
from .state import ROOT, State

STARTED = float(os.environ.pop("LOA_STARTED", time.time()))  # when the script was called


def main_state() -> State:
    return State(os.environ.get("LOA_STATE") or ROOT / ".loa")


def side_state(name: str) -> State:
    """A state folder of its own inside the main one, so that tests and benchmarks never touch real data."""
    return State(main_state().path / name)


@contextmanager
def started(
    state: State,
    processes: Iterable[Process] = PROCESSES,
    *,
    kind: str = "up",
    given: Mapping[str, str] | None = None,
    durable: bool = True,
    migrated: bool = True,
    **options: bool,
) -> Iterator[Manager]:
    """A manager whose servers run and whose database is up to date; the processes are the caller's to start."""
    told = False
    while not state.lock():
        if kind == state.running().get("kind") == "up":
            url = state.running().get("addresses", {}).get("LOA_URL", "")
            raise Trouble(f"Loa is already running here: {url}. Use it, or stop it with Ctrl-C in its terminal.")
        if not told:
            say("loa", "waiting for another ./loa command to end")
            told = True
        time.sleep(0.2)
    environment = dict(os.environ if given is None else given)
    with Manager(state, processes, environment, kind=kind, durable=durable, **options) as manager:
        if migrated:
            migrate(manager)
        yield manager


def migrate(manager: Manager) -> None:
    """Bring the database up to date, unless neither it nor the tree has changed since that was last done."""
    url = manager.environment["DATABASE_URL"]
    known = fingerprint(url)
    if known and known == manager.state.migrated():
        return
    prepare(manager, "migrate", "Bringing the database up to date", "migrate", "--noinput")
    manager.state.record_migrated(fingerprint(url))


def prepare(manager: Manager, log: str, what: str, *command: str) -> None:
    """A step of the start: a management command that must succeed, its output in a log."""
    if manager.run(manage(*command), log=log):
        raise Trouble(f"{what} failed. The end of {manager.state.log(log)}:\n{manager.state.tail(log)}")


def demo_data(manager: Manager) -> None:
    """Fill a new installation with the demo's places and people; once."""
    done = manager.state.path / "demo-data"
    if not done.exists():
        say("loa", "filling in the demo data")
        prepare(manager, "demo-data", "Filling in the demo data", "demo_data")
        done.touch()


def show_address(manager: Manager) -> None:
    say("loa", f"ready after {time.time() - STARTED:.1f} s: {manager.environment.get('LOA_URL', '')}")


def up(arguments: list[str]) -> int:
    if arguments:
        raise Trouble("./loa up takes no arguments.")
    with started(main_state()) as manager:
        if manager.embedded_database:  # never into a database that somebody else keeps
            demo_data(manager)
        manager.start_processes()
        show_address(manager)
        return stay(manager)


def stay(manager: Manager) -> int:
    say("loa", "Ctrl-C stops everything")
    with suppress(Stopped):
        manager.forever()
    return 0


def demo(arguments: list[str]) -> int:
    leave, as_json, recipients = demo_arguments(arguments)
    with started(main_state()) as manager, tempfile.TemporaryDirectory() as folder:
        demo_data(manager)
        manager.start_processes()
        show_address(manager)
        setup = round(time.time() - STARTED, 1)
        file = Path(folder) / "result.json"
        status = manager.run(
            manage("demo_run", "--recipients", str(recipients)),
            more={"LOA_DEMO_RESULT": str(file)},
            output=2 if as_json else 1,  # standard output is the result's alone
        )
        run = round(time.time() - STARTED - setup, 1)
        try:
            result = json.loads(file.read_text())
        except (OSError, ValueError):
            result, status = {"channels": {}}, status or 1
        result["seconds"] = {"run": run, **result.get("seconds", {}), "setup": setup}
        result["url"] = manager.environment["LOA_URL"]
        if as_json:
            print(json.dumps(result, ensure_ascii=False), flush=True)
        if not leave:
            stay(manager)
        return status


def demo_arguments(arguments: list[str]) -> tuple[bool, bool, int]:
    leave = as_json = False
    recipients = 2000
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--exit":
            leave = True
        elif word == "--json":
            as_json = True
        elif name == "--recipients":
            number = value if equals else next(words, "")
            if not (number.isascii() and number.isdigit() and int(number)):
                raise Trouble(f"--recipients needs a whole number above 0, not {number!r}.")
            recipients = int(number)
        else:
            raise Trouble(f"./loa demo does not know {word}. It takes --exit, --json and --recipients N.")
    return leave, as_json, recipients


def manage_command(arguments: list[str]) -> int:
    """manage.py beside the running stack; without one, with its servers for the while."""
    state = main_state()
    here = os.environ.pop("LOA_CALLED_IN", str(ROOT))
    while not state.lock():
        record = state.running()
        if record.get("kind") == "up" and record.get("ready"):
            os.chdir(here)
            os.execve(sys.executable, [sys.executable, *manage(*arguments)], joined(state))
        time.sleep(0.1)
    with started(state, (), kind="command", migrated=False, quiet=True) as manager:
        return manager.run(manage(*arguments), patient=True, folder=Path(here))


def joined(state: State) -> dict[str, str]:
    """The environment of the stack that runs on this state folder."""
    return {**state.secrets(), **os.environ, **state.running()["addresses"], "LOA_STATE": str(state.path)}


@contextmanager
def test_servers() -> Iterator[Manager]:
    state = side_state("test")
    given = without_stack(os.environ)
    with started(state, (), kind="command", given=given, durable=False, migrated=False) as manager:
        yield manager


def run_tests(manager: Manager, arguments: list[str]) -> int:
    browser = "CHROMIUM" in manager.environment
    if not browser:
        arguments = ["-m", "not browser", *arguments]
    status = manager.run(["-m", "pytest", *arguments], patient=True)
    if not browser:
        say("loa", "no Chromium: the browser tests did not run")
        status = status or 1
    return status


def test(arguments: list[str]) -> int:
    with test_servers() as manager:
        return run_tests(manager, arguments)


# What `./loa check` runs before the tests. The last three import the settings, so they need the servers' addresses.
CHECKS = (
    ("formatting", ["-m", "ruff", "format", "--check", "."]),
    ("lint", ["-m", "ruff", "check", "."]),
    ("templates", ["-m", "djlint", "--quiet", "--lint", "broadcast"]),
    ("types", ["-m", "mypy", "config", "broadcast", "channels_adapters", "audio", "deploy"]),
    ("import walls", ["-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]),
    ("migrations", manage("makemigrations", "--check", "--dry-run")),
)


def check(arguments: list[str]) -> int:
    if arguments:
        raise Trouble("./loa check takes no arguments; ./loa test does.")
    verdicts = {}
    with test_servers() as manager:
        for name, command in CHECKS:
            print(f"\n== {name}", flush=True)
            verdicts[name] = manager.run(command, patient=True)
        print("\n== tests", flush=True)
        verdicts["tests"] = run_tests(manager, [])
    print()
    for name, status in verdicts.items():
        print(f"{'FAILED' if status else 'ok':<8}{name}")
    return int(any(verdicts.values()))


def bench(arguments: list[str]) -> int:
    """A benchmark starts the stack it measures by itself (`deploy.stack.Stack`), on this state folder."""
    return _outside("bench", arguments)


def chaos(arguments: list[str]) -> int:
    return _outside("bench.chaos", arguments)


def _outside(module: str, arguments: list[str]) -> int:
    environment = {**without_stack(os.environ), "LOA_STATE": str(side_state("bench").path)}
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], environment)


def serve(arguments: list[str]) -> int:
    """For `Stack`: run what it ordered until it says stop or is gone."""
    folder, order = arguments[0], json.loads(arguments[1])
    processes = [Process(**{**row, "arguments": tuple(row["arguments"])}) for row in order["processes"]]
    with (
        suppress(Stopped),
        started(State(folder), processes, durable=order["durable"], migrated=order["migrate"], obey=True) as manager,
    ):
        manager.start_processes()
        manager.forever()
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "up": up,
    "demo": demo,
    "manage": manage_command,
    "test": test,
    "check": check,
    "bench": bench,
    "chaos": chaos,
    "serve": serve,
    "template": template.main,
}


def main() -> int:
    try:
        return COMMANDS[sys.argv[1]](sys.argv[2:])
    except Trouble as trouble:
        print(f"loa: {trouble}", file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt):
        return 130


if __name__ == "__main__":
    sys.exit(main())
