"""The manager: what dies comes back, nothing outlives it, and no run disturbs another."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest

from deploy.stack import Process, Stack, Trouble, linux
from deploy.stack.handle import without_stack
from deploy.stack.services import MARK
from deploy.stack.state import ROOT, State

pytestmark = pytest.mark.stack
SERVED = ("web", "sandbox", "dispatch", "work", "audio", "beat", "valkey", "postgres")
PATIENCE = 60  # seconds after which something counts as never happening


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("manager")


@pytest.fixture(scope="module")
def stack(folder):
    with Stack(folder) as stack:
        yield stack


def alive(state: State) -> set[int]:
    """Every process that belongs to the stack on this state folder."""
    found = {*linux.with_variable(MARK, str(state.path)), *linux.working_in((state.path / "pg").resolve(), "postgres")}
    return found | {entry["pid"] for entry in state.running().get("processes", {}).values() if entry["pid"]}


def gone(pids: set[int]) -> bool:
    return linux.wait_until(lambda: not any(linux.identity(pid) for pid in pids), PATIENCE)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=10)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def loa(*arguments: str, state: Path, **options) -> subprocess.CompletedProcess[str]:
    """`./loa` after its environment is installed."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.stack", *arguments],
        cwd=ROOT,
        env={**without_stack(os.environ), "LOA_STATE": str(state), **options},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("name", SERVED)
def test_a_killed_child_is_started_again_and_serves(stack, name):
    before, starts = stack.kill(name), stack.starts(name)
    stack.wait_ready(name)
    assert stack.pid(name) != before
    assert stack.starts(name) == starts + 1
    assert answers(stack.environment["LOA_URL"])
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) FROM django_migrations").fetchone()[0] > 0


def test_the_children_of_a_killed_worker_die_with_it(stack):
    pool = {pid for pid in linux.with_variable(MARK, str(stack.state.path)) if parent(pid) == stack.pid("dispatch")}
    assert len(pool) == 2
    stack.kill("dispatch")
    assert gone(pool)
    stack.wait_ready("dispatch")


def parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def test_without_its_template_processes_start_all_the_same(stack):
    template = stack.state.running()["template"]
    os.kill(template, signal.SIGKILL)
    assert gone({template})
    stack.kill("beat")
    stack.wait_ready("beat")


def test_a_child_can_be_kept_down(stack):
    stack.stop("audio")
    assert stack.pid("audio") is None
    stack.start("audio")
    assert stack.pid("audio")


def test_two_stacks_share_a_machine(stack, tmp_path):
    with Stack(tmp_path, ["sandbox"], migrate=False) as other:
        assert other.environment["SANDBOX_URL"] != stack.environment["SANDBOX_URL"]
        assert other.environment["DATABASE_URL"] != stack.environment["DATABASE_URL"]
        assert other.environment["LOA_KEYS"] != stack.environment["LOA_KEYS"]
        assert answers(other.environment["SANDBOX_URL"]) and answers(stack.environment["SANDBOX_URL"])


def test_a_second_start_on_the_same_folder_is_refused(stack, folder):
    second = loa("up", state=folder)
    assert second.returncode == 1
    assert "already running here: http://127.0.0.1" in second.stderr
    stack.wait_ready()


def test_manage_joins_the_running_stack(stack, folder):
    where = "from django.db import connection; print(connection.settings_dict['HOST'])"
    done = loa("manage", "shell", "-v0", "-c", where, state=folder)
    assert done.stdout.strip() in stack.environment["DATABASE_URL"].replace("%2F", "/")
    assert done.returncode == 0


def test_a_killed_manager_takes_everything_along_and_the_next_one_recovers(stack, folder):
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    running = alive(stack.state)
    assert len(running) > len(SERVED)
    os.kill(stack.manager.pid, signal.SIGKILL)
    assert gone(running)
    with Stack(folder, ["web"]) as again:
        assert answers(again.environment["LOA_URL"])
        with psycopg.connect(again.environment["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_stale_marks_of_living_strangers_are_no_obstacle(folder):
    """After a crash and a restart of the machine, the noted process ids are somebody else's."""
    state = State(folder)
    with Stack(folder, [], migrate=False):
        old = state.running()
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        for entry in old["processes"].values():
            entry["pid"] = stranger.pid
        state.record(old)
        (state.path / "pg/postmaster.pid").write_text(f"{stranger.pid}\n{state.path}/pg\n1\n5432\n\n\n\nready\n")
        with (
            Stack(folder, [], migrate=False) as stack,
            psycopg.connect(stack.environment["DATABASE_URL"]) as connection,
        ):
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_manage_brings_its_own_servers_and_leaves_nothing(folder):
    state = State(folder)
    ask = "from django.db import connection as c; k = c.cursor(); k.execute('TABLE kept'); print(k.fetchone())"
    done = loa("manage", "shell", "-v0", "-c", ask, state=folder)
    assert done.stdout.strip() == "(42,)", done.stderr
    assert not alive(state)
    assert loa("manage", "no_such_command", state=folder).returncode == 1


def test_up_ends_cleanly_on_ctrl_c(folder):
    (folder / "demo-data").touch()  # this is not about filling it in
    state = State(folder)
    with (folder / "up.txt").open("w+") as output:
        up = subprocess.Popen(
            [sys.executable, "-m", "deploy.stack", "up"],
            cwd=ROOT,
            env={**without_stack(os.environ), "LOA_STATE": str(folder)},
            stdout=output,
            stderr=output,
        )
        assert linux.wait_until(lambda: state.running().get("ready") or up.poll() is not None, PATIENCE)
        running = alive(state)
        up.send_signal(signal.SIGINT)
        assert up.wait(PATIENCE) == 0, (folder / "up.txt").read_text()
    assert running and gone(running)


def test_a_terminated_manager_ends_everything(folder):
    with Stack(folder, [], migrate=False) as stack:
        running = alive(stack.state)
        stack.manager.terminate()
        assert stack.manager.wait(PATIENCE) == 0
        assert len(running) >= 2 and gone(running)


def test_a_process_that_cannot_start_is_named_with_the_end_of_its_log(folder):
    broken = Process("broken", ("-c", "raise SystemExit('the roof is missing')"), forked=False)
    with pytest.raises(Trouble, match=r"(?s)broken does not start \(status 1\).*the roof is missing"):
        Stack(folder, [broken], migrate=False).__enter__()
    assert not alive(State(folder))


# -- other users


def as_user(uid: int, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`./loa ...` as another user, with whatever Python that user may run; the manager needs no package of ours."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can become somebody else")
    packages = Path(psycopg.__file__).parents[1]
    become = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin"]
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        python = shutil.which(name, path="/usr/bin:/usr/local/bin")
        probe = "import sys, os; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13) and os.listdir(sys.argv[1])))"
        if python and not subprocess.run([*become, python, "-c", probe, packages], capture_output=True).returncode:
            break
    else:
        pytest.skip("no Python that others may run, or the packages lie where they may not read")
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    (folder / "manage.py").write_text("import os; print(os.getuid(), os.environ['DATABASE_URL'])")
    os.chown(folder, uid, uid)
    return subprocess.run(
        [*become, f"PYTHONPATH={packages}", python, "-m", "deploy.stack", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.fixture
def open_folder():
    """A folder everybody may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_it_runs_as_an_ordinary_user(open_folder):
    done = as_user(65534, "manage", "anything", folder=open_folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("65534 postgresql://loa@/loa?host=")
    assert (open_folder / ".loa/pg/PG_VERSION").stat().st_uid == 65534


def test_a_user_without_a_name_is_told_what_to_do(open_folder):
    done = as_user(54321, "manage", "anything", folder=open_folder)
    assert done.returncode == 1
    assert "The user id 54321 has no name on this machine" in done.stderr
    assert "Traceback" not in done.stderr


# -- the script


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fly"], "there is no command fly"),
        (["demo", "--recipients", "many"], "--recipients needs a whole number above 0, not 'many'"),
        (["demo", "--loud"], "./loa demo does not know --loud"),
        (["up", "now"], "./loa up takes no arguments"),
    ],
)
def test_a_wrong_call_gets_a_sentence(arguments, sentence, tmp_path):
    venv = {"LOA_VENV": sys.prefix, "LOA_STATE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, ROOT / "loa", *arguments],
        env={**os.environ, **venv},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_python_that_does_not_fit_is_named():
    done = subprocess.run(
        [sys.executable, ROOT / "loa", "up"],
        env={**os.environ, "LOA_PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Loa runs on Python 3.11, 3.12 or 3.13; LOA_PYTHON=/bin/false is not one" in done.stderr


def test_help_lists_every_command():
    text = subprocess.run([ROOT / "loa", "help"], capture_output=True, text=True, check=True).stdout
    for command in ("demo", "up", "manage", "test", "check", "bench", "chaos", "lock", "help"):
        assert f"./loa {command}" in text


def test_the_database_is_migrated_again_only_when_it_or_the_tree_has_changed(tmp_path):
    def migrated(change: str = "") -> bool:
        with Stack(tmp_path / "state", []) as stack:
            if change:
                with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
                    connection.execute(change)
            return (tmp_path / "state" / "log" / "migrate.log").exists()

    assert migrated()
    assert not migrated("UPDATE django_migrations SET applied = now() WHERE app = 'sessions'")
    assert migrated()
    (tmp_path / "state" / "migrated").write_text("of another tree")
    assert migrated()
    assert not migrated()
