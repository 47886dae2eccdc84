"""The whole line on the whole stack: real servers, real workers, the sandbox as the judge of what arrived."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from deploy.stack.handle import Stack

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
SMS = 300


def manage(stack: Stack, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, check=check, timeout=200,
    )  # fmt: skip


def accepted(stack: Stack) -> Counter[str]:
    """How often the gateways took each message: the truth outside the engine.

    Telegram's requests carry no reference, so a message of a campaign is told by its text and citizen.
    """
    with urllib.request.urlopen(stack.environment["SANDBOX_URL"] + "/control/accepted.ndjson") as reply:
        lines = [json.loads(line) for line in reply if line.strip()]
    return Counter(line["reference"] or f"{line['address']} {line['text']}" for line in lines)


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("line")) as stack:
        manage(stack, "demo_data", "--citizens", "2000")
        yield stack


def test_the_demonstration_ends_with_every_delivery_in_its_final_state(stack, tmp_path):
    result = tmp_path / "result.json"
    environment = {**stack.environment, "LOA_DEMO_RESULT": str(result)}
    run = subprocess.run(
        [sys.executable, "manage.py", "demo_run", "--recipients", str(SMS)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    channels = json.loads(result.read_text())["channels"]
    assert set(channels) == {"sms_twilio", "telegram", "enews_site", "loudspeaker"}
    for counts in channels.values():
        assert counts["recipients"] > 0
        assert counts["pending"] == counts["unsure"] == 0
        assert counts["sent"] + counts["failed"] == counts["recipients"]
    assert channels["enews_site"]["delivered"] == 1
    assert channels["sms_twilio"]["delivered"] > 0
    with urllib.request.urlopen(stack.environment["LOA_URL"] + "/tin/feed.atom") as feed:
        assert "Chuyển đổi số" in feed.read().decode()


def test_workers_killed_in_the_middle_lose_nothing_and_repeat_nothing(stack, tmp_path):
    before = accepted(stack)
    result = tmp_path / "result.json"
    run = subprocess.Popen(
        [sys.executable, "manage.py", "demo_run", "--recipients", "1500"],
        cwd=ROOT, env={**stack.environment, "LOA_DEMO_RESULT": str(result)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    kills = 0
    deadline = time.monotonic() + 60
    while kills < 4 and time.monotonic() < deadline and run.poll() is None:
        if sum(accepted(stack).values()) - sum(before.values()) > 150 * (kills + 1):
            worker = stack.pid("dispatch")
            if worker is not None:  # else it is being restarted after the last blow
                for victim in (children(worker) if kills % 2 else []) or [worker]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                kills += 1
        time.sleep(0.05)
    assert kills >= 2, "the campaign was over before it could be disturbed"
    _, output = run.communicate(timeout=200)
    repeated = {reference: n for reference, n in (accepted(stack) - before).items() if n > 1}
    assert not repeated
    channels = json.loads(result.read_text())["channels"]
    for counts in channels.values():
        assert counts["pending"] == 0, output[-3000:]
        assert counts["sent"] + counts["failed"] + counts["unsure"] == counts["recipients"]
    # Telegram cannot be asked what became of a request that died with its worker: those are unsure, and said to be.
    # Twilio can, and settles them.
    assert channels["sms_twilio"]["unsure"] == 0
    assert run.returncode == (1 if channels["telegram"]["unsure"] else 0), output[-3000:]
