"""Any Unicode text in, characters the rules know out, each with the place it came from."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from .syllables import is_letter

# Look-alikes that compatibility normalisation leaves or gets wrong for Vietnamese typing habits.
_REPLACE = {
    "Ð": "Đ", "ð": "đ", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
    "ı": "i", "⁰": "°", "ᵒ": "°", "º": "°", "˚": "°", "⁄": "/", "∕": "/", "−": "-", "‐": "-", "‑": "-", "‒": "-",
    "–": "-", "—": "-", "―": "-", "’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"',
    "»": '"', "×": "×", "∙": "•", "·": "•", "‧": "•", "\t": " ", "\r": "\n", "\v": "\n", "\f": "\n", "\u0085": "\n",
    "\u2028": "\n", "\u2029": "\n", "\u00a0": " ", "¬": "", "⁻": " mũ trừ ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clean:
    """``text[i]`` came from ``source[offsets[i]:offsets[i + 1]]`` or a part of it."""

    text: str
    offsets: list[int]  # one more than there are characters


def clean(source: str) -> Clean:
    """Compose, drop what is invisible, fold look-alikes, turn every digit into 0-9."""
    chars: list[str] = []
    offsets: list[int] = []
    i = 0
    while i < len(source):
        j = i + 1
        while j < len(source) and unicodedata.combining(source[j]):
            j += 1
        folded = _fold(source[i:j])
        chars.append(folded)
        offsets.extend([i] * len(folded))
        i = j
    return Clean("".join(chars), [*offsets, len(source)])


def _fold(cluster: str) -> str:
    if len(cluster) == 1 and cluster < "\x7f" and (cluster >= " " or cluster == "\n"):
        return cluster
    if cluster in _REPLACE:
        return _REPLACE[cluster]
    out = []
    composed = unicodedata.normalize("NFC", cluster[:8])  # no letter carries more marks than that
    for char in composed:
        if char in _REPLACE:
            out.append(_REPLACE[char])
            continue
        category = unicodedata.category(char)
        if category in ("Cf", "Cc", "Cs", "Co", "Cn", "Mn", "Me", "Mc") and char != "\n":
            continue
        for plain in _compatible(char, category):
            value = unicodedata.digit(plain, None)
            out.append(str(value) if value is not None else _REPLACE.get(plain, plain))
    return "".join(out)


def _compatible(char: str, category: str) -> str:
    plain = unicodedata.normalize("NFKC", char)
    if category == "No" and "\u2044" in plain:
        return f" {plain.replace(chr(0x2044), ' phần ')} "  # 2½ is not 21/2
    if len(plain) == 1 and category.startswith("L") and ord(plain) < 0x250:
        return _latin(plain)
    return plain


def _latin(char: str) -> str:
    """Foreign accents fall away; Vietnamese letters stay."""
    if is_letter(char):
        return char
    base = unicodedata.normalize("NFD", char)[0]
    return base if is_letter(base) else char
