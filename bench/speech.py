"""What the voice costs and how well it is understood.

    python bench/speech.py [--json] [--stations 99] [--voice espeak]

- CPU seconds and sound seconds of one bulletin made from nothing, and of the same bulletin for another station;
- seconds from the start to the first and to the last of the clips of 99 stations, two processes at work;
- word error rate of each voice at hand by the recogniser ``viet-asr`` (where it and ``jiwer`` are installed).
"""

from __future__ import annotations

import argparse
import importlib.util
import json as json_module
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audio import ffmpeg
from audio.bulletin import BulletinScript, render_bulletin
from audio.pcm import PCM
from audio.text import speak
from audio.voices import open_voice

NOTICE = (
    "Do ảnh hưởng của hoàn lưu bão số 3, từ 19h ngày 21/7 đến hết ngày 23/7/2025, trên địa bàn tỉnh có mưa to đến "
    "rất to, lượng mưa phổ biến 150-250mm, có nơi trên 350mm. Mực nước sông Thương có khả năng lên mức báo động "
    "II - III. UBND xã đề nghị bà con chằng chống nhà cửa, kê cao tài sản, không đi qua ngầm tràn, không vớt củi trên "
    "sông. Các hộ ở vùng trũng, ven sông chuẩn bị sơ tán khi có lệnh. Trường học trong xã cho học sinh nghỉ học "
    "ngày 22/7. Khi cần cứu hộ, gọi ngay 114 hoặc số trực ban của xã 0204.3854.123, trực 24/24h. "
)
SENTENCES = (
    "Đề nghị bà con chú ý lắng nghe thông báo của ủy ban nhân dân xã.",
    "Đêm nay và ngày mai khu vực có mưa to đến rất to.",
    "Trạm y tế xã tổ chức tiêm vắc xin cho trẻ em vào sáng thứ bảy.",
    "Điện lực sẽ ngừng cung cấp điện từ bảy giờ đến mười một giờ ba mươi phút.",
    "Các hộ dân ở ven sông khẩn trương sơ tán đến nơi an toàn.",
    "Cử tri mang theo thẻ cử tri đến khu vực bỏ phiếu đúng giờ.",
)


def _cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _script(voice: str, station: int) -> BulletinScript:
    return BulletinScript("Thông báo về mưa lũ", NOTICE * 2, f"Đài Truyền thanh xã số {station}", voice=voice)


def _clip(voice: str, station: int, folder: str) -> float:
    render_bulletin(_script(voice, station), Path(folder) / "out", Path(folder) / "cache")
    return time.monotonic()


def bulletin(voice: str) -> dict[str, float]:
    """One bulletin from nothing, in a process of its own so that CPU of children is counted."""
    with tempfile.TemporaryDirectory() as folder:
        out, cache = Path(folder) / "out", Path(folder) / "cache"
        start = _cpu()
        clip = render_bulletin(_script(voice, 0), out, cache)
        first = _cpu()
        render_bulletin(_script(voice, 1), out, cache)
        second = _cpu()
        at = time.monotonic()
        render_bulletin(_script(voice, 1), out, cache)
        return {
            "sound_seconds": clip.seconds,
            "lufs": clip.lufs,
            "true_peak": clip.true_peak,
            "cpu_seconds": round(first - start, 2),
            "cpu_seconds_next_station": round(second - first, 2),
            "seconds_again": round(time.monotonic() - at, 4),
        }


def stations(voice: str, count: int, workers: int = 2) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(workers) as pool:
        start = time.monotonic()
        done = sorted(f.result() for f in as_completed(pool.submit(_clip, voice, i, folder) for i in range(count)))
        return {"clips": count, "first": round(done[0] - start, 2), "last": round(done[-1] - start, 2)}


def word_error_rate(voice: str) -> float | None:
    """Of the recogniser on this voice's sentences; None where the recogniser is not installed."""
    if not (importlib.util.find_spec("vietasr") and importlib.util.find_spec("jiwer")):
        return None
    import jiwer
    from vietasr import Pipeline

    recogniser, speaker = Pipeline.preset("transcribe"), open_voice(voice)
    heard, said = [], []
    with tempfile.TemporaryDirectory() as folder:
        for sentence in SENTENCES:
            words = speak(sentence).text
            path = Path(folder) / "s.wav"
            samples, _ = ffmpeg.run(
                ["-f", "wav", "-i", "pipe:0", "-ar", "16000", "-f", "s16le", "pipe:1"], speaker.synthesise(words).wav()
            )
            path.write_bytes(PCM(16_000, samples).wav())
            heard.append(_plain(recogniser.transcribe(str(path)).text))
            said.append(_plain(words))
    speaker.close()
    return round(jiwer.wer(said, heard), 3)


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalpha() else " " for c in speak(text).text.lower()).split())


def run(json: bool = False, voice: str = "espeak", count: int = 99) -> dict[str, object]:
    """Measure everything; print a table, or one line of JSON. Returns the figures."""
    voices = dict.fromkeys(["espeak:vi", "espeak:vi+f2", voice])
    figures: dict[str, object] = {
        "cores": os.cpu_count(),
        "voice": voice,
        "bulletin": bulletin(voice),
        "stations": stations(voice, count),
        "word_error_rate": {name: word_error_rate(name) for name in voices if name != "espeak"},
    }
    if json:
        print(json_module.dumps(figures, ensure_ascii=False))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value}")
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--voice", default="espeak")
    parser.add_argument("--stations", type=int, default=99)
    options = parser.parse_args()
    run(options.json, options.voice, options.stations)
