"""Levelling and encoding: every part of a bulletin leaves here at one loudness, as MP3 frames that can be joined.

The chain is high-pass, compressor, gain to target, limiter. Loudness (EBU R 128) and true peak are measured after
encoding, on what a player would decode, and the gain is corrected until they fit.

Frames are 64 kbit/s, 24 kHz, mono, without a bit reservoir: each is 192 bytes and 24 ms, depends on no other, and
parts can be joined by concatenation. A clip's loudness follows from its parts' 100 ms loudness blocks.
"""

from __future__ import annotations

import io
import math
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mutagen import id3 as id3_tags

from . import ffmpeg
from .errors import AudioError, BadRecording
from .pcm import PCM

TARGET = -16.0  # LUFS, integrated
TOLERANCE = 1.0  # LU; what a clip may differ from the target
CEILING = -1.0  # dBTP after encoding
RATE = 24_000
FRAME_BYTES = 192
FRAME_SECONDS = 576 / RATE
CHAIN = "64k/24k/1"  # part of cache keys: change it when the sound of a part changes

_HEAD, _TAIL = 0.10, 0.20  # seconds of silence around each part: joints and the encoder's delay lie in it


@dataclass(frozen=True, slots=True)
class Part:
    """A levelled stretch of sound. ``blocks`` are momentary loudnesses (LUFS, one per 100 ms)."""

    frames: bytes
    blocks: tuple[float, ...]
    true_peak: float  # dBTP

    @property
    def seconds(self) -> float:
        return len(self.frames) // FRAME_BYTES * FRAME_SECONDS

    @property
    def lufs(self) -> float:
        return integrated(self.blocks)

    def dump(self) -> bytes:
        head = struct.pack("<If", len(self.blocks), self.true_peak)
        return head + struct.pack(f"<{len(self.blocks)}f", *self.blocks) + self.frames

    @classmethod
    def load(cls, data: bytes) -> Part:
        """Raises ValueError where the bytes are not a dumped part."""
        try:
            count, peak = struct.unpack_from("<If", data)
            blocks = struct.unpack_from(f"<{count}f", data, 8)
        except struct.error as error:
            raise ValueError("not a part") from error
        return cls(data[8 + 4 * count :], blocks, peak)


def integrated(blocks: Iterable[float]) -> float:
    """Gated loudness of EBU R 128 from momentary blocks; -70 for silence."""

    def mean(values: Sequence[float]) -> float:
        return 10 * math.log10(sum(10 ** (v / 10) for v in values) / len(values)) if values else -70.0

    heard = [b for b in blocks if b > -70]
    gate = mean(heard) - 10
    return mean([b for b in heard if b > gate])


def level(pcm: PCM, target: float = TARGET) -> Part:
    """One part at the target loudness. Raises BadRecording where there is nothing to hear."""
    conditioned, blocks = _condition(pcm)
    loudness = integrated(blocks)
    if loudness <= -69.5:
        raise BadRecording("Đoạn âm thanh không có tiếng. Hãy kiểm tra bản ghi hoặc giọng đọc.")
    gain, ceiling = target - loudness, CEILING - 1.2
    best: Part | None = None
    for _ in range(4):
        part = _encode(conditioned, gain, ceiling)
        error = part.lufs - target
        if best is None or _fault(part, target) < _fault(best, target):
            best = part
        if abs(error) <= 0.5 and part.true_peak < CEILING - 0.1:
            break
        gain -= error
        if part.true_peak >= CEILING - 0.1:
            ceiling -= part.true_peak - CEILING + 0.4
    assert best is not None
    return best


def _fault(part: Part, target: float) -> float:
    return abs(part.lufs - target) + 100 * max(0.0, part.true_peak - CEILING + 0.01)


_CONDITION = (
    f"aresample={RATE},highpass=f=90:poles=2,"
    "acompressor=threshold=-24dB:ratio=3:attack=8:release=150:knee=6,"
    f"adelay={_HEAD * 1000:.0f},apad=pad_dur={_TAIL},ebur128=framelog=info"
)


def _condition(pcm: PCM) -> tuple[PCM, tuple[float, ...]]:
    """The sound with its level evened out, and its loudness blocks."""
    source = ["-f", "s16le", "-ar", str(pcm.rate), "-ac", "1", "-i", "pipe:0"]
    try:
        data, said = ffmpeg.run(
            [*source, "-af", _CONDITION, "-f", "s16le", "-ar", str(RATE), "-ac", "1", "pipe:1"], pcm.data
        )
    except ffmpeg.FFmpegError as error:
        raise AudioError("Không xử lý được âm thanh. Hãy thử lại; nếu vẫn lỗi, báo người quản trị.") from error
    return PCM(RATE, data), _blocks(said)


def _encode(pcm: PCM, gain: float, ceiling: float) -> Part:
    # The limiter works on four times the samples so that it sees (nearly) the true peaks.
    limiter = f"aresample={4 * RATE},alimiter=limit={10 ** (ceiling / 20):.4f}:attack=4:release=80:level=false"
    filters = f"volume={gain:.2f}dB:precision=float,{limiter},aresample={RATE}"
    frames = encode(pcm, filters)
    return Part(frames, *_meter(["-f", "mp3", "-i", "pipe:0"], frames))


def encode(pcm: PCM, filters: str = "anull") -> bytes:
    """Bare MP3 frames of a whole number of milliseconds times 24."""
    try:
        frames, _ = ffmpeg.run(
            ["-f", "s16le", "-ar", str(pcm.rate), "-ac", "1", "-i", "pipe:0", "-af", filters, "-ar", str(RATE),
             "-c:a", "libmp3lame", "-b:a", "64k", "-reservoir", "0", "-write_xing", "0", "-id3v2_version", "0",
             "-map_metadata", "-1", "-f", "mp3", "pipe:1"],
            pcm.data,
        )  # fmt: skip
    except ffmpeg.FFmpegError as error:
        raise AudioError("Không nén được âm thanh thành MP3. Hãy báo người quản trị.") from error
    if not frames or len(frames) % FRAME_BYTES or not frames.startswith(b"\xff\xf3"):
        raise AudioError("Bộ nén MP3 trên máy chủ cho kết quả lạ. Hãy báo người quản trị.")
    return frames


_BLOCK = re.compile(r" t: *[\d.]+ .*?M: *(-?[\d.]+|nan|-inf)")
_PEAK = re.compile(r"Peak: +(-?[\d.]+|-inf) dBFS")


def _meter(source: Sequence[str], data: bytes) -> tuple[tuple[float, ...], float]:
    """Momentary loudness blocks and the true peak of a sound, by ffmpeg's ebur128."""
    try:
        filters = "apad=pad_dur=0.4,ebur128=peak=true:framelog=info"
        _, said = ffmpeg.run([*source, "-af", filters, "-f", "null", "-"], data)
    except ffmpeg.FFmpegError as error:
        raise AudioError("Không đo được độ lớn âm thanh. Hãy báo người quản trị.") from error
    # Windows are 400 ms: with that much silence behind, and as the meter starts with silence before, the blocks are
    # those of this sound between two pauses.
    peaks = [float(p) for p in _PEAK.findall(said) if p != "-inf"]
    return _blocks(said), max(peaks, default=-120.0)


def _blocks(said: str) -> tuple[float, ...]:
    return tuple(float(m) for m in _BLOCK.findall(said) if m not in ("nan", "-inf"))


def measure(clip: bytes) -> tuple[float, float]:
    """(LUFS, dBTP) of a whole encoded clip, as a player decodes it."""
    blocks, peak = _meter(["-f", "mp3", "-i", "pipe:0"], clip)
    return integrated(blocks), peak


def quiet(seconds: float) -> Part:
    """Silence between parts."""
    frames = encode(PCM(RATE, bytes(2 * max(1, round(seconds / FRAME_SECONDS)) * 576)))
    return Part(frames, (), -120.0)


def join(parts: Sequence[Part]) -> Part:
    """Parts one after the other; their loudness is that of all their blocks together."""
    return Part(
        b"".join(p.frames for p in parts),
        tuple(b for p in parts for b in p.blocks),
        max(p.true_peak for p in parts),
    )


@dataclass(frozen=True, slots=True)
class Tags:
    title: str = ""
    station: str = ""
    campaign: str = ""
    date: str = ""  # ISO 8601
    priority: str = ""
    language: str = "vie"
    credit: str = ""  # of the voice


def _info(frames: bytes) -> bytes:
    """A first frame that tells players the exact length (the «Info» header; others hear 24 ms of silence)."""
    told = b"Info" + struct.pack(">III", 3, len(frames) // FRAME_BYTES, len(frames) + FRAME_BYTES)
    return (frames[:4] + bytes(9) + told).ljust(FRAME_BYTES, b"\0")


def tagged(frames: bytes, tags: Tags) -> bytes:
    """An MP3 file: ID3v2.4 tags in front of the frames."""
    told: tuple[tuple[str, dict[str, str]], ...] = (
        ("TIT2", {"text": tags.title}),
        ("TPE1", {"text": tags.station}),
        ("TALB", {"text": tags.campaign}),
        ("TDRC", {"text": tags.date}),
        ("TCON", {"text": "Speech"}),
        ("TLAN", {"text": tags.language}),
        ("TXXX", {"desc": "PRIORITY", "text": tags.priority}),
        ("COMM", {"lang": "vie", "desc": "", "text": tags.credit}),
    )
    id3: Any = id3_tags.ID3()  # type: ignore[no-untyped-call]
    for name, values in told:
        if values["text"]:
            id3.add(id3_tags.Frames[name](encoding=3, **values))
    out = io.BytesIO()
    id3.save(out, v2_version=4, padding=lambda info: 0)
    return out.getvalue() + _info(frames) + frames
