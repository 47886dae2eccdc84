"""Try the voice from a shell: ``python -m audio say "văn bản" [--out clip.mp3 --voice V --priority P]``."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from .bulletin import BulletinScript, Clip, Priority, render_bulletin
from .errors import AudioError
from .text import Entry, Spoken, speak


def say(
    written: str,
    *,
    out: Path | None = None,
    voice: str = "espeak",
    priority: Priority | str = Priority.NORMAL,
    rate: float = 1.0,
    station: str = "",
    title: str = "",
    lexicon: tuple[Entry, ...] = (),
    cache_dir: Path | None = None,
    stream: TextIO | None = None,
) -> tuple[Spoken, Clip | None]:
    """Print the spoken words and what is doubtful in them; with ``out`` also make the clip. Raises AudioError."""
    stream = stream or sys.stdout
    spoken = speak(written, lexicon)
    stream.write(spoken.text + "\n")
    for doubt in spoken.doubts:
        stream.write(f"  ? «{doubt.written}» → «{doubt.spoken}»: {doubt.why}\n")
    if out is None:
        return spoken, None
    script = BulletinScript(title, written, station, Priority(priority), voice, rate, lexicon)
    with tempfile.TemporaryDirectory() as folder:
        clip = render_bulletin(script, Path(folder), cache_dir or Path(folder) / "cache")
        shutil.copyfile(clip.path, out)
    stream.write(f"{out}: {clip.seconds:.1f} giây, {clip.lufs:.1f} LUFS, đỉnh {clip.true_peak:.1f} dBTP\n")
    return spoken, clip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``say``, shared with the management command."""
    parser.add_argument("text", help="văn bản cần đọc; «-» để đọc từ đầu vào chuẩn")
    parser.add_argument("--out", type=Path, help="ghi bản tin MP3 ra tệp này")
    parser.add_argument("--voice", default="espeak", help="espeak, espeak:vi+f2, piper:/duong/dan/giong.onnx")
    parser.add_argument("--priority", default="normal", choices=[p.value for p in Priority])
    parser.add_argument("--rate", type=float, default=1.0, help="tốc độ đọc, 1 là bình thường")
    parser.add_argument("--station", default="", help="tên đài, đọc ở lời chào")
    parser.add_argument("--title", default="")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m audio", description="Đọc văn bản tiếng Việt thành lời")
    commands = parser.add_subparsers(dest="command", required=True)
    add_arguments(commands.add_parser("say", help="in lời đọc, tạo bản tin MP3"))
    options = parser.parse_args(arguments)
    written = sys.stdin.read() if options.text == "-" else options.text
    try:
        say(written, out=options.out, voice=options.voice, priority=options.priority, rate=options.rate,
            station=options.station, title=options.title)  # fmt: skip
    except AudioError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
