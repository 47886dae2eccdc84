"""A person's recording: any format ffmpeg reads, checked, trimmed, and measured for the screen's level meter."""

from __future__ import annotations

import array
import math
import re
import sys
import tempfile
from pathlib import Path

from .. import ffmpeg
from ..errors import BadRecording
from ..pcm import PCM

RATE = 24_000
LARGEST = 200 * 1024 * 1024  # bytes
LONGEST = 30 * 60.0  # seconds
SHORTEST = 0.3
FAINTEST = -50.0  # dBFS: a recording whose loudest tenth of a second lies below has nothing on it


def decode(source: bytes | Path, name: str = "ghi âm") -> PCM:
    """Sound of a file, mono. Raises BadRecording with a sentence that says what is wrong and what to do."""
    if isinstance(source, bytes):
        if not source:
            raise BadRecording(f"Tệp «{name}» rỗng. Hãy ghi âm lại hoặc chọn tệp khác.")
        with tempfile.NamedTemporaryFile(suffix=".audio") as file:
            file.write(source)
            file.flush()
            return _decode(Path(file.name), name)
    return _decode(source, name)


def _decode(path: Path, name: str) -> PCM:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadRecording(f"Không tìm thấy tệp «{name}».") from error
    if size == 0:
        raise BadRecording(f"Tệp «{name}» rỗng. Hãy ghi âm lại hoặc chọn tệp khác.")
    if size > LARGEST:
        raise BadRecording(f"Tệp «{name}» quá lớn ({size // 2**20} MB); tối đa {LARGEST // 2**20} MB.")
    arguments = [*ffmpeg.SAFE_INPUT, "-i", str(path), "-t", str(LONGEST + 1), "-vn", "-map", "0:a:0"]
    try:
        data, _ = ffmpeg.run([*arguments, "-ac", "1", "-ar", str(RATE), "-f", "s16le", "pipe:1"])
    except ffmpeg.FFmpegError as error:
        raise BadRecording(
            f"Tệp «{name}» không phải tệp âm thanh đọc được (có thể hỏng hoặc sai loại). "
            "Hãy dùng MP3, WAV, M4A, OGG hoặc ghi âm trên trang này."
        ) from error
    pcm = PCM(RATE, data)
    if pcm.seconds > LONGEST:
        raise BadRecording(f"Bản ghi «{name}» dài quá {LONGEST / 60:.0f} phút. Hãy cắt ngắn.")
    if pcm.seconds < SHORTEST:
        raise BadRecording(f"Bản ghi «{name}» quá ngắn, chưa nghe được gì. Hãy ghi âm lại.")
    if max(levels(pcm, max(1, int(pcm.seconds * 10)))) < FAINTEST:
        raise BadRecording(f"Bản ghi «{name}» không có tiếng. Hãy kiểm tra micrô rồi ghi âm lại.")
    return pcm


def levels(pcm: PCM, points: int = 200) -> list[float]:
    """Loudness over time for a meter or a waveform: RMS in dBFS (-96 is silence) of ``points`` equal stretches."""
    samples = array.array("h")
    samples.frombytes(pcm.data[: len(pcm.data) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    step = max(1, math.ceil(len(samples) / max(1, points)))
    found = []
    for start in range(0, len(samples), step):
        stretch = samples[start : start + step]
        square = sum(s * s for s in stretch) / len(stretch)
        found.append(10 * math.log10(square / 32768**2) if square >= 0.25 else -96.0)
    return found or [-96.0]


def trim(pcm: PCM, start: float = 0.0, end: float | None = None) -> PCM:
    """What lies between ``start`` and ``end`` seconds. Raises BadRecording where that is nothing."""
    stop = pcm.seconds if end is None else min(end, pcm.seconds)
    if not 0 <= start < stop or stop - start < SHORTEST:
        raise BadRecording("Đoạn được chọn quá ngắn. Hãy chọn lại điểm đầu và điểm cuối.")
    return PCM(pcm.rate, pcm.data[2 * round(start * pcm.rate) : 2 * round(stop * pcm.rate)])


def trim_silence(pcm: PCM, *, keep: float = 0.2, below: float = -45.0) -> PCM:
    """Without the silence before the first and after the last word; ``keep`` seconds of it stay on either side."""
    found = levels(pcm, max(1, math.ceil(pcm.seconds * 50)))
    loud = [i for i, level in enumerate(found) if level > below]
    if not loud:
        return pcm
    step = pcm.seconds / len(found)
    return trim(pcm, max(0.0, loud[0] * step - keep), (loud[-1] + 1) * step + keep)


def duration(path: Path) -> float:
    """Seconds of a sound file without decoding it to memory, as ffmpeg's own report says. 0 where it does not."""
    try:
        _, said = ffmpeg.run([*ffmpeg.SAFE_INPUT, "-i", str(path), "-f", "null", "-"])
    except ffmpeg.FFmpegError:
        return 0.0
    times = re.findall(r"time=(\d+):(\d+):([\d.]+)", said)
    return int(times[-1][0]) * 3600 + int(times[-1][1]) * 60 + float(times[-1][2]) if times else 0.0
