"""The interface every voice has."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..pcm import PCM


class Voice(ABC):
    """One voice of one engine. Used from one thread at a time; cheap to build, warms up when it first speaks."""

    engine: str  # "espeak", "piper", ...
    name: str  # the voice within its engine
    label: str  # what officers read, quality included
    natural: bool = True  # False: the screen asks for a better voice
    licence: str = ""  # what must be credited

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same sentence would sound different; part of the cache key."""
        return f"{self.engine}:{self.name}"

    @abstractmethod
    def synthesise(self, sentence: str, rate: float = 1.0) -> PCM:
        """Speak words (no digits, no symbols). ``rate`` 0.5-2.0 is relative to the voice's own pace.

        Raises VoiceError with a sentence for the officer.
        """

    def close(self) -> None:  # noqa: B027  most voices hold nothing
        """Give back processes and memory. The voice warms up again if used afterwards."""
