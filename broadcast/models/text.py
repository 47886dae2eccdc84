"""Vietnamese text as the database can search and sort it: no ICU, no unaccent, the same on every server."""

import unicodedata

_LETTERS = {letter: index for index, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}  # huyền, hỏi, ngã, sắc, nặng


def fold(text: str) -> str:
    """Lower case without diacritics, đ as d, single spaces: what a search without diacritics matches."""
    decomposed = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def sort_key(text: str) -> str:
    """A string whose plain byte order is Vietnamese dictionary order (letters first, then tones)."""
    letters, tones = [], []
    for char in unicodedata.normalize("NFC", text.lower()):
        decomposed = unicodedata.normalize("NFD", char)
        tone = next((_TONES[c] for c in decomposed if c in _TONES), 0)
        base = unicodedata.normalize("NFC", "".join(c for c in decomposed if c not in _TONES))
        if base in _LETTERS:
            letters.append(chr(ord("A") + _LETTERS[base]))
            tones.append(str(tone))
        else:
            letters.append(base if base < "A" else "~" + base)
            tones.append("0")
    return "".join(letters) + " " + "".join(tones)
