"""Fetching a Piper voice file: progress, resumption after a cut, SHA-256, and the credit its licence asks for.

fetch_voice("vi_VN-vais1000-medium", folder)        from the voices' own host
fetch_voice("vi_VN-vais1000-medium", folder, base="http://mirror.local/piper-voices")
fetch_voice("/mnt/usb/vi_VN-vais1000-medium.onnx", folder)
"""

from __future__ import annotations

import hashlib
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import VoiceError
from ..store import write_atomically
from .piper import PiperVoice

BASE = "https://huggingface.co/rhasspy/piper-voices/resolve/main"  # where the Piper project publishes its voices
_BLOCK = 256 * 1024
_CONFIG_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Offer:
    """A voice that may be used by an authority. ``sha256`` and ``size`` are those of the model file."""

    path: str
    size: int
    sha256: str
    credit: str


OFFERS = {
    "vi_VN-vais1000-medium": Offer(
        "vi/vi_VN/vais1000/medium/vi_VN-vais1000-medium.onnx",
        63_201_294,
        "ec7c89e2c85f4d1edc24b6120c18aaf1bda614f06b511567eb9c7c0de15e2dab",
        "Giọng đọc: bộ dữ liệu VAIS-1000, giấy phép CC BY 4.0; mô hình của dự án Piper.",
    ),
}

Progress = Callable[[int, int], None]
"""(bytes here, bytes in all)"""


def fetch_voice(
    name: str, folder: Path, *, base: str = BASE, offers: dict[str, Offer] = OFFERS, progress: Progress | None = None
) -> Path:
    """The model's path in ``folder``, its configuration beside it. Raises VoiceError with a sentence.

    A file that is already whole is not fetched again; one that was cut is continued. Nothing usable appears under its
    final name before its checksum is right.
    """
    if name.endswith(".onnx"):
        return _copied(Path(name), folder)
    offer = offers.get(name)
    if offer is None:
        raise VoiceError(f"Không có giọng «{name[:60]}» trong danh sách. Giọng có thể tải: {', '.join(offers)}.")
    model = folder / f"{name}.onnx"
    config = folder / f"{name}.onnx.json"
    folder.mkdir(parents=True, exist_ok=True)
    address = f"{base.rstrip('/')}/{offer.path}"
    if not model.exists() or _sha256(model) != offer.sha256:
        _download(address, model, offer, progress)
    facts = _config(f"{address}.json")
    write_atomically(config, json.dumps({**facts, "licence": offer.credit}, ensure_ascii=False).encode())
    PiperVoice(str(model))  # refuses a pair that is no voice
    return model


def _copied(source: Path, folder: Path) -> Path:
    PiperVoice(str(source))  # refuses what is no voice, and says why
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / source.name
    if model.resolve() != source.resolve():
        for suffix in (".json", ""):  # the model last: it is what makes a voice
            part = folder / f".{source.name}{suffix}.part"
            shutil.copyfile(f"{source}{suffix}", part)
            part.replace(folder / f"{source.name}{suffix}")
    return model


def _download(address: str, model: Path, offer: Offer, progress: Progress | None) -> None:
    part = model.with_name(f".{model.name}.part")
    if part.exists() and part.stat().st_size > offer.size:
        part.unlink()
    here = part.stat().st_size if part.exists() else 0
    if here < offer.size:
        request = urllib.request.Request(address, headers={"Range": f"bytes={here}-"} if here else {})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  the operator's own address
                fresh = answer.status != 206  # the host starts again from the beginning
                here = 0 if fresh else here
                with part.open("wb" if fresh else "ab") as file:
                    while here <= offer.size and (block := answer.read(_BLOCK)):
                        file.write(block)
                        here += len(block)
                        if progress:
                            progress(min(here, offer.size), offer.size)
        except urllib.error.HTTPError as error:
            raise VoiceError(f"Máy chủ tải giọng trả lời mã {error.code}. Hãy kiểm tra lại địa chỉ.") from error
        except (OSError, ValueError) as error:
            raise VoiceError("Mất kết nối khi tải giọng. Chạy lại lệnh để tải tiếp phần còn thiếu.",
                             passing=True) from error  # fmt: skip
    if here < offer.size:
        raise VoiceError("Tệp giọng tải về chưa đủ. Chạy lại lệnh để tải tiếp phần còn thiếu.", passing=True)
    if _sha256(part) != offer.sha256:
        part.unlink()
        raise VoiceError("Tệp giọng tải về sai mã kiểm tra SHA-256 nên đã bị bỏ. Hãy tải lại từ nguồn tin cậy.")
    part.replace(model)


def _config(address: str) -> dict[str, object]:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310
            return dict(json.loads(answer.read(_CONFIG_LIMIT)))
    except (OSError, ValueError) as error:
        raise VoiceError("Chưa tải được tệp mô tả giọng (.onnx.json). Hãy chạy lại lệnh.", passing=True) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
