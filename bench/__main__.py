"""`python -m bench NAME [--json]`, or `all`."""

import importlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

NAMES = ("fanout", "dispatch", "bulk", "receipts", "urgent", "pages", "million")
RESULTS = Path(__file__).with_name("results.md")


def main(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    words = [word for word in arguments if word != "--json"]
    if len(words) != 1 or words[0] not in (*NAMES, "all"):
        print(f"loa: ./loa bench NAME [--json], with NAME one of {', '.join(NAMES)}, all.", file=sys.stderr)
        return 2
    if words[0] != "all":
        return _finish({words[0]: measure(words[0])}, as_json)
    found = {}
    for name in NAMES:  # each in a process of its own: what one leaves behind must not weigh on the next
        done = subprocess.run(
            [sys.executable, "-m", "bench", name, "--json"], stdout=subprocess.PIPE, text=True, check=False
        )
        try:
            found |= json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            found[name] = {"error": f"ended with status {done.returncode}"}
    if as_json:
        print(json.dumps(found), flush=True)
    return int(any("error" in figures for figures in found.values()))


def measure(name: str) -> dict:
    module = importlib.import_module(f"bench.{name}")
    begin = datetime.now(UTC)
    figures = module.run()
    seconds = (datetime.now(UTC) - begin).total_seconds()
    shown = ", ".join(f"{key} {value}" for key, value in figures.items() if not isinstance(value, (dict, list)))
    load = f"{os.getloadavg()[0]:.1f}"
    with RESULTS.open("a") as file:
        file.write(f"| {begin:%Y-%m-%d %H:%M} | {name} | {shown} | {seconds:.0f} s | {load} |\n")
    return figures


def _finish(found: dict, as_json: bool) -> int:
    for name, figures in found.items():
        for key, value in figures.items():
            print(f"  {name:<10} {key:<26} {value}", file=sys.stderr)
    if as_json:
        print(json.dumps(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
