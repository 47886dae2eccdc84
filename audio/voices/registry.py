"""The list of voices an officer chooses from, with honest labels."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import VoiceError
from .base import Voice
from .cloud import AzureVoice, FptVoice, GoogleVoice
from .espeak import EspeakVoice
from .piper import PiperVoice


@dataclass(frozen=True, slots=True)
class VoiceKind:
    label: str
    build: Callable[[str, Mapping[str, str]], Voice]
    default: str = ""  # the voice taken where the specification names none
    keys: tuple[str, ...] = ()  # settings it needs, secret
    choices: tuple[tuple[str, str], ...] = ()  # (name, label) of voices known beforehand


KINDS: dict[str, VoiceKind] = {
    "espeak": VoiceKind(
        "Giọng máy, chất lượng thấp",
        lambda name, keys: EspeakVoice(name),
        "vi",
        choices=(("vi", "Nam, miền Bắc"), ("vi+f2", "Nữ, miền Bắc"), ("vi-vn-x-south", "Nam, miền Nam")),
    ),
    "piper": VoiceKind("Giọng tự nhiên từ tệp giọng", lambda name, keys: PiperVoice(name)),
    "fpt": VoiceKind("Giọng đám mây FPT.AI", FptVoice, "banmai", ("fpt_api_key",), FptVoice.CHOICES),
    "google": VoiceKind(
        "Giọng đám mây Google", GoogleVoice, "vi-VN-Neural2-A", ("google_api_key",), GoogleVoice.CHOICES
    ),
    "azure": VoiceKind(
        "Giọng đám mây Azure", AzureVoice, "vi-VN-HoaiMyNeural", ("azure_key", "azure_region"), AzureVoice.CHOICES
    ),
}


def open_voice(specification: str, keys: Mapping[str, str] | None = None) -> Voice:
    """``kind`` or ``kind:name``. Raises VoiceError with a sentence where it names nothing usable."""
    kind, _, name = specification.partition(":")
    found = KINDS.get(kind)
    if found is None:
        raise VoiceError(f"Không có giọng đọc «{specification[:40]}». Các loại giọng: {', '.join(KINDS)}.")
    name = name or found.default
    if not name:
        raise VoiceError(f"«{found.label}» cần tên tệp giọng, ví dụ piper:/duong/dan/giong.onnx.")
    if kind == "piper" and importlib.util.find_spec("piper") is None:
        raise VoiceError("Giọng Piper cần gói piper-tts, máy chủ chưa cài. Hãy báo người quản trị.")
    return found.build(name, keys or {})
