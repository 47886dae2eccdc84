"""Piper: a natural voice from a file the operator supplies (``X.onnx`` with ``X.onnx.json`` beside it).

Needs the package ``piper-tts``, only where such a voice is configured. Run as a module this is the child process that
holds the model, on one thread.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..errors import VoiceError
from .child import ChildVoice, serve


class PiperVoice(ChildVoice):
    engine = "piper"

    def __init__(self, model: str) -> None:
        super().__init__()
        path = Path(model).resolve()
        config = path.with_name(path.name + ".json")
        self.name = path.stem
        self.label = f"Giọng tự nhiên {self.name} (Piper)"
        facts = _facts(path, config)
        self.language = str((facts.get("language") or {}).get("code") or (facts.get("espeak") or {}).get("voice") or "")
        self.licence = str(facts.get("licence") or "Piper, GPL-3.0-or-later; giấy phép của giọng xem tệp đi kèm")
        status = path.stat()
        self._version = f"{status.st_size}:{status.st_mtime_ns}"
        self.command = [sys.executable, "-m", __name__, str(path)]

    @property
    def fingerprint(self) -> str:
        return f"{self.engine}:{self.name}:{self._version}"


def _facts(path: Path, config: Path) -> dict[str, dict[str, str]]:
    """The voice's description; VoiceError where the pair of files is not a Piper voice."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
        size = path.stat().st_size
        facts = json.loads(config.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        raise VoiceError(f"Thiếu tệp giọng «{missing}». Giọng Piper cần cả hai tệp .onnx và .onnx.json.") from error
    except (OSError, ValueError) as error:
        raise VoiceError(f"Tệp giọng «{config.name}» không đọc được, có thể tải chưa xong hoặc sai tệp.") from error
    if size < 100_000 or not head or head.startswith((b"<", b"{", b"version https")) or "audio" not in facts:
        raise VoiceError(f"Tệp «{path.name}» không phải giọng Piper, hoặc tải chưa xong.")
    return dict(facts)


def _main(model: str) -> None:
    loaded: list[object] = []

    def speak(text: str, pace: float) -> tuple[int, bytes]:
        try:
            import onnxruntime
            from piper import PiperVoice as Engine
            from piper import SynthesisConfig
            from piper.config import PiperConfig
        except ImportError as error:
            raise ValueError("máy chủ chưa cài gói piper-tts.") from error
        if not loaded:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1  # many workers share few cores
            options.log_severity_level = 3
            try:
                session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
                config = PiperConfig.from_dict(json.loads(Path(model + ".json").read_text(encoding="utf-8")))
                loaded.append(Engine(session=session, config=config))
            except Exception as error:  # the runtime has its own exception tree, not exported
                raise ValueError("tệp giọng hỏng hoặc không phải giọng Piper.") from error
        engine = loaded[0]
        assert isinstance(engine, Engine)
        settings = SynthesisConfig(length_scale=engine.config.length_scale / pace)
        chunks = list(engine.synthesize(text, settings))
        return engine.config.sample_rate, b"".join(chunk.audio_int16_bytes for chunk in chunks)

    serve(speak)


if __name__ == "__main__":
    _main(sys.argv[1])
