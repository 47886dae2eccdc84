"""Numbers, digits and letters as a northern Vietnamese reader says them. Strings in, spoken words out."""

from __future__ import annotations

import re

DIGITS = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]
_SCALES = ("", "nghìn", "triệu")
_LETTERS = {
    **{c: c for c in "aăâeêioôơuư"},
    "b": "bê", "c": "xê", "d": "dê", "đ": "đê", "f": "ép", "g": "gờ", "h": "hát", "j": "gi", "k": "ca", "l": "lờ",
    "m": "mờ", "n": "nờ", "p": "pê", "q": "quy", "r": "rờ", "s": "ét", "t": "tê", "v": "vê", "w": "vê kép",
    "x": "ích", "y": "y", "z": "dét",
}  # fmt: skip
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_ROMAN_FORM = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")


def _hundreds(n: int, full: bool) -> list[str]:
    """0-999; ``full`` says the hundreds even where they are zero (after a higher group)."""
    words = []
    hundred, rest = divmod(n, 100)
    if hundred or full:
        words += [DIGITS[hundred], "trăm"]
    ten, unit = divmod(rest, 10)
    if ten == 0:
        if unit:
            words += ["linh", DIGITS[unit]] if words else [DIGITS[unit]]
        return words
    words += ["mười"] if ten == 1 else [DIGITS[ten], "mươi"]
    if unit == 1 and ten > 1:
        words.append("mốt")
    elif unit == 4 and ten > 1:
        words.append("tư")
    elif unit == 5:
        words.append("lăm")
    elif unit:
        words.append(DIGITS[unit])
    return words


def _below_billion(n: int, full: bool) -> list[str]:
    words: list[str] = []
    for power in (2, 1, 0):
        group = n // 1000**power % 1000
        if group:
            words += _hundreds(group, full or bool(words))
            if _SCALES[power]:
                words.append(_SCALES[power])
    return words


def cardinal(n: int) -> str:
    """A whole number of any size: 1005 -> "một nghìn không trăm linh năm"."""
    if n < 0:
        return "âm " + cardinal(-n)
    if n < 10**9:
        return " ".join(_below_billion(n, False)) or "không"
    billions, rest = divmod(n, 10**9)
    tail = _below_billion(rest, True)
    return " ".join([cardinal(billions), "tỷ", *tail])


def digits(text: str) -> str:
    """Each digit by itself: "1022" -> "một không hai hai". Other characters are left out."""
    return " ".join(DIGITS[int(c)] for c in text if c in "0123456789")


def integer(text: str) -> str:
    """A written whole number, digit by digit where it is too long to be a quantity."""
    return digits(text) if len(text) > 15 else cardinal(int(text))


def decimal(whole: str, fraction: str, point: str = "phẩy") -> str:
    """ "20", "5" -> "hai mươi phẩy năm". Fractions of up to two digits are read as a number."""
    tail = integer(fraction) if len(fraction) <= 2 and fraction[0] != "0" else digits(fraction)
    return f"{integer(whole)} {point} {tail}"


def ordinal(n: int) -> str:
    """After "thứ", "lần thứ": first and fourth have words of their own."""
    return {1: "nhất", 4: "tư"}.get(n) or cardinal(n)


def month(n: int) -> str:
    return "tư" if n == 4 else cardinal(n)


def roman(text: str) -> int | None:
    """The value of a well-formed Roman numeral in capitals, else None."""
    if not text or not _ROMAN_FORM.fullmatch(text):
        return None
    values = [_ROMAN[c] for c in text]
    return sum(-v if v < w else v for v, w in zip(values, [*values[1:], 0], strict=True))


def letters(text: str) -> str:
    """Names of the letters, digits read one by one: "H5N1" -> "hát năm nờ một"."""
    return " ".join(DIGITS[int(c)] if c in "0123456789" else _LETTERS.get(c.lower(), "") for c in text).strip()
