"""Chimes and sirens, made by code: the same samples on every machine, nobody's rights."""

from __future__ import annotations

import array
import math
from collections.abc import Sequence
from functools import lru_cache

from .pcm import PCM

RATE = 24_000
_G4, _C5, _D5, _E5, _G5, _A5, _C6 = 392.0, 523.25, 587.33, 659.25, 783.99, 880.0, 1046.5

# (frequency in Hz, start in seconds) of struck bells
_BELLS: dict[str, tuple[tuple[float, float], ...]] = {
    "chime": ((_G5, 0.0), (_E5, 0.45), (_C5, 0.9)),
    "pentatonic": ((_C5, 0.0), (_D5, 0.3), (_G5, 0.6), (_A5, 0.9), (_G5, 1.3)),
    "gong": ((_G4, 0.0),),
    "attention": ((_C6, 0.0), (_G5, 0.25), (_C6, 0.5), (_G5, 0.75), (_C6, 1.0)),
}
_SIRENS = {"wail": (400.0, 1000.0, 3.0, 9.0), "yelp": (600.0, 1300.0, 0.35, 6.0)}  # low, high Hz, sweep, length in s

CHIMES = {"chime": "Ba nốt", "pentatonic": "Ngũ cung", "gong": "Tiếng cồng", "attention": "Chuông báo", "": "Không có"}
SIRENS = {"wail": "Còi hú", "yelp": "Còi gấp"}


@lru_cache(maxsize=16)
def chime(name: str) -> PCM:
    """A short bell figure. Raises KeyError for a name not in :data:`CHIMES`."""
    notes = _BELLS[name]
    decay = 1.2 if name == "gong" else 0.55
    length = notes[-1][1] + 3.2 * decay
    mixed = [0.0] * round(length * RATE)
    for frequency, start in notes:
        first = round(start * RATE)
        for i in range(len(mixed) - first):
            t = i / RATE
            attack = min(1.0, t / 0.006)
            tone = (
                math.sin(math.tau * frequency * t) * math.exp(-t / decay)
                + 0.45 * math.sin(math.tau * 2.0 * frequency * t) * math.exp(-2.2 * t / decay)
                + 0.2 * math.sin(math.tau * 2.76 * frequency * t) * math.exp(-4 * t / decay)
            )
            mixed[first + i] += attack * tone
    return _pcm(mixed)


@lru_cache(maxsize=4)
def siren(name: str = "wail") -> PCM:
    """A rising and falling tone. Raises KeyError for a name not in :data:`SIRENS`."""
    low, high, sweep, length = _SIRENS[name]
    samples, phase = [], 0.0
    count = round(length * RATE)
    for i in range(count):
        t = i / RATE
        position = 0.5 - 0.5 * math.cos(math.tau * t / sweep)
        phase += math.tau * (low * (high / low) ** position) / RATE
        fade = min(1.0, i / (0.05 * RATE), (count - i) / (0.3 * RATE))
        samples.append(fade * (math.sin(phase) + 0.3 * math.sin(3 * phase)))
    return _pcm(samples)


def _pcm(samples: Sequence[float]) -> PCM:
    top = max(abs(s) for s in samples)
    return PCM(RATE, array.array("h", (round(24_000 * s / top) for s in samples)).tobytes())
