"""The one place that starts ffmpeg: the system's, else the one a wheel brings (which has no ffprobe)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache

from .errors import AudioError

TIMEOUT = 300.0  # seconds; a bulletin takes a few
# Containers people record in. Playlists and scripts (hls, concat, ...) could make ffmpeg read other files.
_FORMATS = "aac,ac3,aiff,amr,ape,asf,au,caf,flac,mp3,mov,mp4,m4a,3gp,matroska,webm,mpeg,mpegts,ogg,opus,w64,wav,avi,flv"
SAFE_INPUT = ("-protocol_whitelist", "file,pipe", "-format_whitelist", _FORMATS)


@lru_cache(maxsize=1)
def executable() -> str:
    """Path of ffmpeg. ``FFMPEG`` in the environment overrides; AudioError where there is none."""
    found = os.environ.get("FFMPEG") or shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise AudioError("Máy chủ chưa có ffmpeg nên chưa xử lý được âm thanh. Hãy báo người quản trị.") from error


class FFmpegError(Exception):
    """ffmpeg refused; the message is its own last line, for a log."""


def run(arguments: Sequence[str], data: bytes = b"", *, timeout: float = TIMEOUT) -> tuple[bytes, str]:
    """Run ffmpeg on ``data`` as standard input; what it wrote to standard output and what it said."""
    command = [executable(), "-hide_banner", "-nostdin" if not data else "-y", "-threads", "1", *arguments]
    try:
        done = subprocess.run(
            command,
            input=data or None,
            stdin=None if data else subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FFmpegError("timed out") from error
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        lines = [line for line in said.splitlines() if line.strip()]
        raise FFmpegError(re.sub(r"'[^']*'|\S*/\S+", "…", lines[-1])[:200] if lines else f"status {done.returncode}")
    return done.stdout, said
