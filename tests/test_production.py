"""What docs/production.md promises: every setting is listed, and the listed ones pass the deployment check."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = (ROOT / ".env.example").read_text()


def test_every_setting_is_in_the_example_with_its_line():
    read = set(re.findall(r"env\.\w+\(\"([A-Z_]+)\"", (ROOT / "config/settings.py").read_text()))
    lines = EXAMPLE.splitlines()
    listed = {}
    for above, line in pairwise(lines):
        if setting := re.match(r"#?([A-Z_]+)=", line):
            listed[setting[1]] = above
    assert read
    assert read <= set(listed)
    assert all(above.startswith("# ") for above in listed.values())


def test_the_example_passes_the_deployment_check(tmp_path):
    values = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if re.match(r"[A-Z_]+=", line))
    environment = {"PATH": os.environ["PATH"], **values, "LOA_STATE": str(tmp_path)}
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(check, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
