"""``python -m channels_adapters.sandbox --state DIR [--port N | --fd N] ...``

Prints ``sandbox: http://127.0.0.1:PORT`` on standard output once it answers. Settings named SANDBOX_... come from
the environment or from ``--set NAME=VALUE``; every gateway shows its own on the wall.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
from pathlib import Path

import uvloop

from .app import Sandbox
from .http import Server
from .store import KEEP


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m channels_adapters.sandbox", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder of the journal; made when missing")
    listen = parser.add_mutually_exclusive_group()
    listen.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    listen.add_argument("--fd", type=int, help="an already listening socket")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--faults", type=Path, help="JSON file with a list of fault rules, as for POST /control/faults")
    parser.add_argument("--seed", type=int, default=0, help="of the faults' dice")
    parser.add_argument("--keep", type=int, default=KEEP, help="messages kept in memory (default %(default)s)")
    parser.add_argument("--speed", type=float, default=1.0, help="receipts come this many times sooner")
    parser.add_argument("--no-specials", action="store_true", help="special addresses are ordinary ones")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a SANDBOX_... setting")
    return parser.parse_args(argv)


def settings(pairs: list[str]) -> dict[str, str]:
    found = {name: value for name, value in os.environ.items() if name.startswith("SANDBOX_")}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.startswith("SANDBOX_"):
            raise ValueError(f"--set wants SANDBOX_NAME=VALUE, not {name!r}")
        found[name] = value
    return found


async def run(args: argparse.Namespace) -> None:
    sandbox = Sandbox(
        args.state,
        settings(args.set),
        seed=args.seed,
        keep=args.keep,
        speed=args.speed,
        specials=not args.no_specials,
    )
    if args.faults:
        rules = json.loads(args.faults.read_text())
        sandbox.box.faults.add(sandbox.box.faults.parse(rules, list(sandbox.gateways)))
    server = Server(sandbox.handle)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await sandbox.start()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # messages live long and form no cycles: looking through them all is waste
    sock = socket.socket(fileno=args.fd) if args.fd is not None else None
    port = await server.start(sock=sock, host=args.host, port=args.port)
    sys.stdout.write(f"sandbox: http://{args.host}:{port}\n")
    sys.stdout.flush()
    await stop.wait()
    await server.close()
    await sandbox.close()


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    args = arguments()
    if args.keep < 1 or args.speed <= 0:
        sys.exit("sandbox: --keep and --speed must be positive")
    try:
        uvloop.run(run(args))
    except (OSError, ValueError) as e:
        sys.exit(f"sandbox: {e}")


if __name__ == "__main__":
    main()
