"""Cloud voices: one HTTPS request per sentence (FPT.AI: one more for the file). Keys come in as arguments.

Contracts (documentation pages of the providers, not tried against the real services):
- FPT.AI  POST https://api.fpt.ai/hmi/tts/v5, headers api-key, voice, speed (-3..3), body text; the answer
  ``{"async": url, "error": 0}`` names an MP3 that appears some seconds later.
- Google  POST https://texttospeech.googleapis.com/v1/text:synthesize, header X-Goog-Api-Key, JSON; the answer
  ``{"audioContent": base64}``.
- Azure   POST https://{region}.tts.speech.microsoft.com/cognitiveservices/v1, header Ocp-Apim-Subscription-Key, SSML;
  the answer is the sound itself.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape, quoteattr

from ..errors import VoiceError
from ..pcm import PCM
from .base import Voice
from .recording import decode

Fetch = Callable[[str, Mapping[str, str], bytes | None], tuple[int, bytes]]
"""(url, headers, body or None for GET) -> (status, body). Raises OSError where there is no complete answer."""

_LARGEST = 20 * 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key must not travel to another host."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def fetch(url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, headers=dict(headers))  # noqa: S310  https or a local test
    try:
        with _opener.open(request, timeout=30) as answer:
            return answer.status, answer.read(_LARGEST)
    except urllib.error.HTTPError as error:
        return error.code, error.read(_LARGEST)


class CloudVoice(Voice):
    provider: str
    CHOICES: tuple[tuple[str, str], ...]
    KEY: str

    def __init__(self, name: str, keys: Mapping[str, str], *, fetch: Fetch = fetch, base: str = "") -> None:
        self.name = name
        self.label = f"{dict(self.CHOICES).get(name, name)} ({self.provider}, đám mây)"
        self._keys = keys
        self._fetch = fetch
        self._base = base
        if not keys.get(self.KEY):
            raise VoiceError(f"Chưa khai báo khóa truy cập của {self.provider}.")

    def _request(self, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        try:
            status, answer = self._fetch(url, headers, body)
        except OSError as error:
            raise VoiceError(f"Không kết nối được tới {self.provider}. Hãy thử lại sau.", passing=True) from error
        if status in (401, 403):
            raise VoiceError(f"{self.provider} không chấp nhận khóa truy cập. Hãy kiểm tra lại khóa.")
        if status == 429 or status >= 500:
            raise VoiceError(f"{self.provider} đang quá tải hoặc gặp lỗi (mã {status}). Hãy thử lại sau.", passing=True)
        if status != 200:
            raise VoiceError(f"{self.provider} từ chối câu này (mã {status}). Hãy kiểm tra tên giọng «{self.name}».")
        return answer

    def _bad_answer(self) -> VoiceError:
        return VoiceError(f"{self.provider} trả lời không đúng định dạng. Hãy thử lại hoặc chọn giọng khác.")


class FptVoice(CloudVoice):
    engine = "fpt"
    provider = "FPT.AI"
    KEY = "fpt_api_key"
    CHOICES = (
        ("banmai", "Ban Mai, nữ miền Bắc"),
        ("thuminh", "Thu Minh, nữ miền Bắc"),
        ("leminh", "Lê Minh, nam miền Bắc"),
        ("myan", "Mỹ An, nữ miền Trung"),
        ("giahuy", "Gia Huy, nam miền Trung"),
        ("lannhi", "Lan Nhi, nữ miền Nam"),
        ("linhsan", "Linh San, nữ miền Nam"),
    )
    patience = 60.0  # seconds until the file must have appeared

    def synthesise(self, sentence: str, rate: float = 1.0) -> PCM:
        speed = max(-3, min(3, round((rate - 1) * 6)))
        headers = {"api-key": self._keys[self.KEY], "voice": self.name, "speed": str(speed), "format": "mp3"}
        answer = self._request((self._base or "https://api.fpt.ai") + "/hmi/tts/v5", headers, sentence.encode())
        try:
            told = json.loads(answer)
            link = told["async"]
            good = told.get("error") in (0, "0") and isinstance(link, str)
        except (ValueError, KeyError, TypeError) as error:
            raise self._bad_answer() from error
        if not good or not re.match(r"https://[\w.-]+\.fpt\.ai/" if not self._base else re.escape(self._base), link):
            raise self._bad_answer()
        return self._collect(link)

    def _collect(self, link: str) -> PCM:
        until, pause = time.monotonic() + self.patience, 0.3
        while True:
            try:
                status, data = self._fetch(link, {}, None)
            except OSError:
                status, data = 0, b""
            if status == 200 and data:
                return decode(data, name="FPT.AI")
            if time.monotonic() > until:
                raise VoiceError("FPT.AI chưa trả về âm thanh sau một phút. Hãy thử lại sau.", passing=True)
            time.sleep(pause)
            pause = min(3.0, pause * 1.5)


class GoogleVoice(CloudVoice):
    engine = "google"
    provider = "Google Cloud"
    KEY = "google_api_key"
    CHOICES = (
        ("vi-VN-Neural2-A", "Nữ"),
        ("vi-VN-Neural2-D", "Nam"),
        ("vi-VN-Wavenet-A", "Nữ (Wavenet)"),
        ("vi-VN-Wavenet-B", "Nam (Wavenet)"),
    )

    def synthesise(self, sentence: str, rate: float = 1.0) -> PCM:
        body = {
            "input": {"text": sentence},
            "voice": {"languageCode": "-".join(self.name.split("-")[:2]), "name": self.name},
            "audioConfig": {"audioEncoding": "LINEAR16", "sampleRateHertz": 24000, "speakingRate": rate},
        }
        url = (self._base or "https://texttospeech.googleapis.com") + "/v1/text:synthesize"
        headers = {"X-Goog-Api-Key": self._keys[self.KEY], "Content-Type": "application/json; charset=utf-8"}
        answer = self._request(url, headers, json.dumps(body).encode())
        try:
            return PCM.from_wav(base64.b64decode(json.loads(answer)["audioContent"], validate=True))
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise self._bad_answer() from error


class AzureVoice(CloudVoice):
    engine = "azure"
    provider = "Azure"
    KEY = "azure_key"
    CHOICES = (("vi-VN-HoaiMyNeural", "Hoài My, nữ"), ("vi-VN-NamMinhNeural", "Nam Minh, nam"))

    def synthesise(self, sentence: str, rate: float = 1.0) -> PCM:
        region = self._keys.get("azure_region", "")
        if not self._base and not re.fullmatch(r"[a-z0-9]{3,30}", region):
            raise VoiceError("Chưa khai báo khu vực (region) của Azure, ví dụ southeastasia.")
        ssml = (
            f'<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="vi-VN">'
            f"<voice name={quoteattr(self.name)}><prosody rate={quoteattr(f'{(rate - 1) * 100:+.0f}%')}>"
            f"{escape(sentence)}</prosody></voice></speak>"
        )
        headers = {
            "Ocp-Apim-Subscription-Key": self._keys[self.KEY],
            "Content-Type": "application/ssml+xml",
            "X-Microsoft-OutputFormat": "riff-24khz-16bit-mono-pcm",
            "User-Agent": "Loa",
        }
        url = (self._base or f"https://{region}.tts.speech.microsoft.com") + "/cognitiveservices/v1"
        answer = self._request(url, headers, ssml.encode())
        try:
            return PCM.from_wav(answer)
        except ValueError as error:
            raise self._bad_answer() from error
