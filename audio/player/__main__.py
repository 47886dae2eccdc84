"""Start a player: see the package's description."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
from pathlib import Path

from .output import KINDS
from .player import Config, Player


def config(arguments: list[str] | None = None) -> Config:
    parser = argparse.ArgumentParser(prog="python -m audio.player", description="Máy phát của cụm loa")
    parser.add_argument("--device", required=True, help="mã thiết bị, cũng là tên đăng nhập")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, default=8883)
    parser.add_argument("--password-file", type=Path, required=True, help="tệp chứa mật khẩu của thiết bị")
    parser.add_argument("--folder", type=Path, required=True, help="nơi giữ bản tin và lịch phát")
    parser.add_argument("--group", action="append", default=[], help="mã xã mà loa nghe lệnh chung")
    parser.add_argument("--output", choices=KINDS, default="auto")
    parser.add_argument("--tls-ca", default="/etc/ssl/certs/ca-certificates.crt", help="để trống nếu không dùng TLS")
    parser.add_argument("--position", type=float, nargs=2, metavar=("VĨ_ĐỘ", "KINH_ĐỘ"))
    o = parser.parse_args(arguments)
    password = o.password_file.read_text(encoding="utf-8").strip()
    position = (o.position[0], o.position[1]) if o.position else None
    return Config(o.device, o.host, o.port, password, o.folder, tuple(o.group), o.output, o.tls_ca, position=position)


async def _run(player: Player) -> None:
    task = asyncio.ensure_future(player.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_run(Player(config())))
