"""Sound in memory: signed 16-bit little-endian mono samples."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

from pydub import AudioSegment


@dataclass(frozen=True, slots=True)
class PCM:
    rate: int  # samples per second
    data: bytes

    @property
    def seconds(self) -> float:
        return len(self.data) / (2 * self.rate)

    def segment(self) -> AudioSegment:
        return AudioSegment(data=self.data, sample_width=2, frame_rate=self.rate, channels=1)

    def wav(self) -> bytes:
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(self.data)
        return out.getvalue()

    @classmethod
    def from_wav(cls, data: bytes) -> PCM:
        """Raises ValueError where the bytes are not 16-bit mono WAV."""
        try:
            with wave.open(io.BytesIO(data)) as file:
                if file.getnchannels() != 1 or file.getsampwidth() != 2:
                    raise ValueError("not 16-bit mono")
                return cls(file.getframerate(), file.readframes(file.getnframes()))
        except (wave.Error, EOFError) as error:
            raise ValueError("not a WAV file") from error

    @classmethod
    def from_segment(cls, segment: AudioSegment) -> PCM:
        segment = segment.set_channels(1).set_sample_width(2)
        return cls(segment.frame_rate, bytes(segment.raw_data))


def silence(seconds: float, rate: int) -> PCM:
    return PCM(rate, bytes(2 * round(seconds * rate)))
