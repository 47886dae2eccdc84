"""Cutting a long text where a reader would pause."""

from __future__ import annotations

import re

# From the best place to cut to the worst. A full stop after a capital is an abbreviation: «TP. Bắc Giang».
_PAUSES = (
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?<![A-ZĐ])[.!?…][”»\"')\]]*\s+(?=\S)"),
    re.compile(r"[;:,]\s+"),
    re.compile(r"\s+"),
)


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, as Telegram and SMS count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int) -> list[str]:
    """Parts of at most ``limit`` UTF-16 code units, cut after a paragraph, else a line, a sentence, a word.

    Nothing but the white space at a cut is lost. An empty text has no parts.
    """
    parts = []
    rest = text.strip()
    while utf16_length(rest) > limit:
        window = _fitting(rest, limit)
        cut = _pause(window, rest)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def _fitting(text: str, limit: int) -> int:
    """How many characters of ``text`` fit into ``limit`` code units."""
    units = text[:limit].encode("utf-16-le", "surrogatepass")[: 2 * limit]
    return len(units.decode("utf-16-le", "ignore"))


def _pause(window: int, text: str) -> int:
    # The cut's own white space may lie beyond the window: it is dropped anyway.
    for pattern in _PAUSES:
        ends = [
            m.end() for m in pattern.finditer(text, window // 3, window + 1) if len(text[: m.end()].rstrip()) <= window
        ]
        if ends:
            return ends[-1]
    return max(window, 1)
