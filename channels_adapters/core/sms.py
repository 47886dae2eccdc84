"""The text of an SMS: its encoding, its segments, its price. Pure functions, fast enough to run per recipient.

GSM-7 and its extension table: 3GPP TS 23.038, 6.2.1. Segments of a concatenated message hold 153 septets or 67
UTF-16 code units because a 6-octet header (TS 23.040, 9.2.3.24.1) takes the rest. A character that needs two
units is never split over two segments. All functions take the text as it will be sent: use :func:`nfc` first.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"  # sent as an escape and a character: two septets

_IS_GSM7 = re.compile(f"[{re.escape(_BASIC + _EXTENSION)}]*").fullmatch
_NOT_GSM7 = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]").findall
_EXTENDED = re.compile(f"[{re.escape(_EXTENSION)}]")
_COMBINING = re.compile("[\u0300-\u036f]+")
_ESCAPE = "\x1b"

Encoding = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True, slots=True)
class Size:
    """``units`` are septets (GSM-7) or UTF-16 code units (UCS-2). ``limit`` is what ``parts`` parts hold;
    ``remaining`` is what the last part still takes."""

    encoding: Encoding
    units: int
    parts: int
    limit: int
    remaining: int


def nfc(text: str) -> str:
    """The composed form, with ``\\r\\n`` as one line feed. Decomposed Vietnamese costs up to three times as much."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n"))


def unaccent(text: str) -> str:
    """«Bỏ dấu»: Vietnamese without marks. All other characters stay, without their combining marks."""
    bare = _COMBINING.sub("", unicodedata.normalize("NFD", unicodedata.normalize("NFC", text)))
    bare = bare.replace("đ", "d").replace("Đ", "D")
    if not bare.isascii():  # marks of other scripts; and what NFD took apart without marks, such as Hangul
        bare = unicodedata.normalize("NFC", "".join(c for c in bare if unicodedata.category(c) != "Mn"))
    return bare


# What word processors put in place of plain characters; each costs the whole message its 7-bit encoding.
_TYPOGRAPHIC = {
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "′": "'", "″": '"',
    "–": "-", "—": "-", "−": "-", "‑": "-", "‐": "-", "…": "...", "•": "-", "·": "-", "×": "x", "₫": "d",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\t": " ",
    "\u200b": "", "\u200c": "", "\u200d": "", "\u00ad": "", "\ufeff": "", "\u2060": "",
}  # fmt: skip
_REPLACED = re.compile(f"[{''.join(_TYPOGRAPHIC)}]")


def plain(text: str) -> str:
    """:func:`unaccent`, and typographic marks replaced by their plain form: fit for GSM-7 where it can be."""
    return unaccent(_REPLACED.sub(lambda match: _TYPOGRAPHIC[match[0]], text))


def measure(text: str, header: int = 6) -> Size:
    """Encoding and segments of ``text``. An empty text is one empty part.

    ``header``: octets in each segment of a long message: 6, or 7 where its reference has 16 bits.
    """
    if _IS_GSM7(text):
        return _size("GSM-7", text, sum(map(text.count, _EXTENSION)), 160, _septets(header), _escaped)
    astral = len(text.encode("utf-16-le", "surrogatepass")) // 2 - len(text)
    return _size("UCS-2", text, astral, 70, _code_units(header), _utf16)


def _septets(header: int) -> int:
    return (140 - header) * 8 // 7


def _code_units(header: int) -> int:
    return (140 - header) // 2


def _size(encoding: Encoding, text: str, pairs: int, single: int, each: int, spell: Callable[[str], str]) -> Size:
    units = len(text) + pairs
    if units <= single:
        return Size(encoding, units, 1, single, single - units)
    if not pairs:
        parts = -(-units // each)
        return Size(encoding, units, parts, parts * each, parts * each - units)
    *full, last = _cuts(spell(text), each)  # a pair moved whole to the next part leaves a gap
    return Size(encoding, units, len(full) + 1, (len(full) + 1) * each, each - len(last))


def _escaped(text: str) -> str:
    """One character per septet."""
    return _EXTENDED.sub(lambda match: _ESCAPE + match[0], text)


def _utf16(text: str) -> str:
    """One character per UTF-16 code unit."""
    return "".join(map(chr, memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")))


def _cuts(units: str, each: int) -> Iterator[str]:
    start = 0
    while start < len(units):
        end = start + each
        if end < len(units) and (units[end - 1] == _ESCAPE or "\ud800" <= units[end - 1] <= "\udbff"):
            end -= 1
        yield units[start:end]
        start = end


def segments(text: str, header: int = 6) -> list[str]:
    """The text of each part. Joined they are ``text`` again."""
    size = measure(text, header)
    if size.parts == 1:
        return [text]
    if size.encoding == "GSM-7":
        return [part.replace(_ESCAPE, "") for part in _cuts(_escaped(text), _septets(header))]
    return [
        part.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        for part in _cuts(_utf16(text), _code_units(header))
    ]


# The codes of the basic table are its positions; 27 is the escape.
GSM7_CODES = {character: bytes([code + (code >= 27)]) for code, character in enumerate(_BASIC)} | {
    character: b"\x1b" + bytes([code])
    for character, code in zip("\f^{}\\[~]|€", (10, 20, 40, 41, 47, 60, 61, 62, 64, 101), strict=True)
}


# Characters nobody sees, by what an officer would call them.
_NAMES = {
    "\u00a0": "dấu cách không ngắt", "\u2009": "dấu cách hẹp", "\u202f": "dấu cách hẹp không ngắt", "\t": "dấu tab",
    "\u200b": "dấu cách rộng bằng không", "\u200c": "dấu ngắt chữ ẩn", "\u200d": "dấu nối chữ ẩn",
    "\u00ad": "dấu gạch nối ẩn", "\ufeff": "dấu thứ tự byte (ẩn)", "\u2060": "dấu nối từ ẩn",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offender:
    """A character that keeps a message from being GSM-7."""

    character: str
    count: int
    name: str  # for an officer: the character in quotes, or what an invisible one is called
    plain: str  # what `plain` makes of it; still not GSM-7 for an emoji


def offenders(text: str) -> list[Offender]:
    """Characters outside GSM-7, in the order they appear."""
    return [
        Offender(character, count, _NAMES.get(character) or _name(character), plain(character))
        for character, count in Counter(_NOT_GSM7(text)).items()
    ]


def _name(character: str) -> str:
    if unicodedata.category(character)[0] in "CZM":
        return f"ký tự ẩn U+{ord(character):04X}"
    return f"«{character}»"


ADVERTISING_LABEL = "[QC]"  # Decree 91/2020/NĐ-CP, article 15: at the very start
_LABELLED = re.compile(r"\s*\[(QC|AD)\]", re.IGNORECASE).match


def advertisement(text: str, refusal: str) -> str:
    """``text`` with the label at its start and the way to refuse at its end (articles 15 and 16)."""
    labelled = text if _LABELLED(text) else f"{ADVERTISING_LABEL} {text}"
    return labelled if refusal in labelled else f"{labelled.rstrip()}\n{refusal}"
