"""Where the sound goes: a program that plays one file and ends. Killing it is how sound stops."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from .. import ffmpeg

KINDS = ("auto", "mpv", "ffplay", "null")


def command(kind: str, path: Path, volume: int) -> list[str]:
    """``null`` decodes at the pace of the sound and lets nothing be heard. Raises ValueError for no such output."""
    if kind == "auto":
        kind = next((name for name in ("mpv", "ffplay") if shutil.which(name)), "")
    if kind == "mpv":
        return ["mpv", "--no-video", "--really-quiet", "--no-terminal", f"--volume={volume}", str(path)]
    if kind == "ffplay":
        return ["ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "-volume", str(volume), str(path)]
    if kind == "null":
        return [ffmpeg.executable(), "-v", "error", "-xerror", "-nostdin", "-re", "-i", str(path), "-f", "null", "-"]
    raise ValueError("Máy chưa có chương trình phát âm thanh: hãy cài mpv hoặc ffplay.")


async def start(kind: str, path: Path, volume: int) -> asyncio.subprocess.Process:
    null = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(*command(kind, path, volume), stdin=null, stdout=null, stderr=null)
