"""eSpeak NG from the ``espeakng-loader`` wheel: works on any machine at once, and sounds like a machine.

Run as a module this is the child process that holds the library.
"""

from __future__ import annotations

import ctypes
import re
import sys

from ..errors import VoiceError
from .child import ChildVoice, serve

WORDS_PER_MINUTE = 125  # the clearest for Vietnamese lies between 110 and 130
_NAME = re.compile(r"[a-z]{2,3}(-[a-z0-9-]+)?(\+[A-Za-z0-9]+)?")


class EspeakVoice(ChildVoice):
    engine = "espeak"
    natural = False
    licence = "eSpeak NG, GPL-3.0-or-later"

    def __init__(self, name: str = "vi") -> None:
        super().__init__()
        if not _NAME.fullmatch(name):
            raise VoiceError(f"Không có giọng eSpeak nào tên «{name[:40]}».")
        self.name = name
        self.label = "Giọng máy, chất lượng thấp (eSpeak NG)"
        self.command = [sys.executable, "-m", __name__, name]


def _main(name: str) -> None:
    from pathlib import Path

    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    samples: list[bytes] = []
    on_samples = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

    def keep(wave: ctypes._Pointer[ctypes.c_short], count: int, events: object) -> int:
        if wave and count > 0:
            samples.append(ctypes.string_at(wave, 2 * count))
        return 0

    collect = on_samples(keep)
    # 2 = AUDIO_OUTPUT_SYNCHRONOUS; the library wants the folder that holds espeak-ng-data
    rate = library.espeak_Initialize(2, 500, str(Path(espeakng_loader.get_data_path()).parent).encode(), 0)
    ready = rate > 0 and library.espeak_SetVoiceByName(name.encode()) == 0
    library.espeak_SetSynthCallback(collect)

    def speak(text: str, pace: float) -> tuple[int, bytes]:
        if not ready:
            raise ValueError(f"thiếu giọng «{name}» trong bộ eSpeak NG đã cài.")
        library.espeak_SetParameter(1, int(WORDS_PER_MINUTE * pace), 0)  # 1 = espeakRATE
        data = text.lower().encode() + b"\0"
        samples.clear()
        # position from character 0, no end, 1 = espeakCHARS_UTF8
        if library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, 1, None, None):
            raise ValueError("eSpeak NG không đọc được câu này.")
        return rate, b"".join(samples)

    serve(speak)


if __name__ == "__main__":
    _main(sys.argv[1])
