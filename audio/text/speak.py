"""Written Vietnamese to the words a reader says, with the places where the machine was not sure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from . import cues, numbers
from .clean import clean
from .lexicon import Entry, Lexicon, lexicon
from .rules import RULES, Context, Reading, machine_reading
from .syllables import has_marks, is_letter, is_syllable
from .units import UNITS

LONGEST_SENTENCE = 300  # characters; voices lose their breath (and cloud voices refuse) beyond


class Doubt(NamedTuple):
    """``source[start:end]`` was read as ``spoken`` for want of certainty; ``why`` is for the operator."""

    start: int
    end: int
    written: str
    spoken: str
    why: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """``text`` has letters, spaces, ``, . ? !`` and one newline between paragraphs; nothing else."""

    text: str
    paragraphs: tuple[tuple[str, ...], ...]  # of sentences: what a voice gets, one after the other
    doubts: tuple[Doubt, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        return tuple(sentence for paragraph in self.paragraphs for sentence in paragraph)


_RANK = {",": 1, ".": 2, "?": 3, "!": 3, "\n": 4}


@dataclass(slots=True)
class _Out:
    """Words and marks in order. A stronger mark swallows a weaker neighbour."""

    tokens: list[str] = field(default_factory=list)

    def mark(self, mark: str) -> None:
        if not self.tokens:
            return
        last = _RANK.get(self.tokens[-1], 0)
        if mark == "\n" and last in (0, 1):
            if last:
                self.tokens.pop()
            self.tokens.append(".")
            last = 2
        if not last or (mark == "\n" and last < 4):
            self.tokens.append(mark)
        elif last < _RANK[mark]:
            self.tokens[-1] = mark

    def say(self, spoken: str, *, repeats: bool = True) -> None:
        """``repeats=False``: words that were just said are not said again («nền tảng LGSP»)."""
        tokens = re.findall(r"[^\W\d_]+|[,.?!]", spoken)
        if not repeats:
            for k in range(min(len(tokens), len(self.tokens)), 0, -1):
                if [t.lower() for t in self.tokens[-k:]] == [t.lower() for t in tokens[:k]]:
                    tokens = tokens[k:]
                    break
        for token in tokens:
            if token in _RANK:
                self.mark(token)
            else:
                self.tokens.append(token)


def speak(text: str, extra: Iterable[Entry] = ()) -> Spoken:
    """Read any text. ``extra`` are operators' lexicon entries, which win over the project's own. Never raises."""
    cleaned = clean(text)
    context = Context(cleaned.text, lexicon(tuple(extra)), bool(re.search(r"\d,\d{3},\d{3}", cleaned.text)))
    out, doubts, told = _Out(), [], set()
    at = 0
    while at < len(cleaned.text):
        reading = _read(context, at)
        if reading.spoken in _RANK:
            out.mark(reading.spoken)
        else:
            out.say(reading.spoken, repeats=not reading.entry)
        if reading.doubt:
            start, end = cleaned.offsets[at], cleaned.offsets[reading.end]
            written = text[start:end]
            if (written, reading.doubt) not in told:
                told.add((written, reading.doubt))
                doubts.append(Doubt(start, end, written, reading.spoken, reading.doubt))
        at = reading.end
    spoken = _join(out.tokens)
    paragraphs = (tuple(_sentences(line)) for line in spoken.split("\n"))
    return Spoken(spoken, tuple(p for p in paragraphs if p), tuple(doubts))


_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_PLAIN = re.compile(r"[a-zà-ỹđăâêôơư]+(?![^\W_]|[@./_:-]\w)")
_SPACE = re.compile(r"[^\S\n]+")
_DOTS = re.compile(r"\.{2,}|\.\s?/\.?")
_MARKS = {";": ",", ":": ",", ",": ",", "(": ",", ")": ",", "[": ",", "]": ",", "{": ",", "}": ",", "!": "!", "?": "?",
          "\n": "\n", "•": ",", "|": ",", "→": ",", "…": ","}  # fmt: skip
_SYMBOLS = {"&": "và", "≥": "lớn hơn hoặc bằng", "≤": "nhỏ hơn hoặc bằng", "±": "cộng trừ", "%": "phần trăm",
            "‰": "phần nghìn", "°": "độ", "@": "a còng", "≈": "xấp xỉ", "≠": "khác", "÷": "chia", "$": "đô la",
            "€": "ơ rô", "Ω": "ôm", "α": "an pha", "β": "bê ta", "γ": "gam ma", "μ": "muy", "π": "pi", "√": "căn",
            "∞": "vô cùng", "§": "mục", "✓": "", "×": "nhân"}  # fmt: skip
_BETWEEN_NUMBERS = {">": "lớn hơn", "<": "nhỏ hơn", "=": "bằng", "+": "cộng"}
_SILENT = frozenset("\"'*_#~^`\\/-|<>=+©®™«»“”.")


def _read(context: Context, at: int) -> Reading:
    """The reading of the one token, mark or gap that starts at ``at``. Always moves on."""
    text = context.text
    char = text[at]
    space = _SPACE.match(text, at)
    if space:
        return Reading("", space.end())
    fresh = at == 0 or not (text[at - 1].isalnum() and char.isalnum()) or text[at - 1].isdigit() != char.isdigit()
    if fresh and char.isalnum() and (at == 0 or not text[at - 1].isalnum() or text[at - 1].isdigit()):
        found = context.lexicon.match(text, at, capitals=_capitals(text, at))
        if found and (at == 0 or not text[at - 1].isalnum()):
            entry, end = found
            return Reading(entry.spoken, end, entry.doubt, entry=True)
    plain = _PLAIN.match(text, at) if char.islower() else None
    if plain and len(plain[0]) > 1 and is_syllable(plain[0]):
        return Reading(plain[0], plain.end())
    if fresh:
        for tried in RULES:
            reading = tried(context, at)
            if reading is not None:
                return reading
    if char.isalpha():
        return _word(context, at)
    return _symbol(text, at)


def _capitals(text: str, at: int) -> bool:
    """Do the neighbours write in capitals too, as in a heading?"""
    around = text[max(0, text.rfind("\n", 0, at) + 1, at - 40) : at + 40].partition("\n")[0]
    upper = sum(c.isupper() for c in around)
    lower = sum(c.islower() for c in around)
    return upper > 8 and upper > 3 * lower


def _word(context: Context, at: int) -> Reading:
    """A word neither the lexicon nor a rule knows."""
    text = context.text
    found = _WORD.match(text, at)
    end = found.end() if found else at + 1
    end = min(end, at + 40)  # a longer "word" is noise; take it in bites
    word = text[at:end]
    if not all(is_letter(c) or c == "'" for c in word):
        readable = "".join(c for c in word if is_letter(c))
        name = _SYMBOLS.get(word, "")
        return Reading(name or readable, end, "" if name else "chữ không phải tiếng Việt, máy bỏ qua")
    word = word.replace("'", "")
    if len(word) == 1:
        vowel = word.lower() in "aeiouy" or (has_marks(word) and word not in "đĐ")
        return Reading(word if vowel else numbers.letters(word), end)
    if is_syllable(word) or has_marks(word):
        return Reading(word, end)
    if word in UNITS and cues.UNIT_NAMED.search(context.before(at)):
        return Reading(UNITS[word], end)
    heading = _capitals(text, at)
    vowels = re.search(r"[aeiouy]", word.lower())
    if (word.isupper() and len(word) <= (4 if heading and vowels else 12)) or not vowels:
        return Reading(numbers.letters(word[:12]), end, "chữ viết tắt chưa có trong từ điển")
    return Reading(word, end, "không phải tiếng Việt, máy có thể đọc sai")


def _symbol(text: str, at: int) -> Reading:
    char = text[at]
    dots = _DOTS.match(text, at)
    if dots:
        ends = re.match(r"\s*(?:$|\n|[A-ZĐÀ-Ỹ])", text[dots.end() : dots.end() + 5])
        return Reading("." if ends else ",", dots.end())
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if char == ".":
        if before.isdigit() and after.isdigit():
            return Reading("chấm", at + 1)
        if before.isdigit() and after.isupper():
            return Reading("chấm", at + 1)
        sentence = not after.strip() or not after.islower()
        return Reading("." if sentence else "", at + 1)
    if char == "," and before.isdigit() and after.isdigit():
        return Reading("phẩy", at + 1)
    if char in _MARKS:
        return Reading(_MARKS[char], at + 1)
    if char in _BETWEEN_NUMBERS and re.match(r".\s?\d", text[at : at + 3]):
        left = re.search(r"[\w)%]\s*$", text[max(0, at - 3) : at])
        return Reading(_BETWEEN_NUMBERS[char] if left else "", at + 1)
    if char == "-" and before == " " and re.match(r"-\s+[A-ZĐÀ-Ỹ0-9]", text[at : at + 4]):
        return Reading(",", at + 1)
    if char in _SYMBOLS:
        return Reading(_SYMBOLS[char], at + 1)
    if char in _SILENT or unicodedata.category(char) in ("So", "Sk", "Pi", "Pf", "Pc", "Zs"):
        return Reading("", at + 1)
    guess = machine_reading(char)
    if guess and all(is_letter(c) or c == " " for c in guess):
        return Reading(guess, at + 1, "ký hiệu lạ, máy đoán cách đọc")
    return Reading("", at + 1, "ký hiệu lạ, máy bỏ qua")


def _join(tokens: list[str]) -> str:
    parts: list[str] = []
    fresh = True  # a sentence starts
    for token in tokens:
        if token in _RANK:
            parts.append(token)
            fresh |= _RANK[token] > 1
        else:
            if parts and parts[-1] != "\n":
                parts.append(" ")
            parts.append(token[0].upper() + token[1:] if fresh else token)
            fresh = False
    text = "".join(parts).strip("\n, ")
    if text and text[-1] not in ".?!":
        text += "."
    return unicodedata.normalize("NFC", text)


def _sentences(text: str) -> list[str]:
    found = []
    for piece in re.findall(r"[^.?!\n]+[.?!]?", text):
        sentence = piece.strip()
        while len(sentence) > LONGEST_SENTENCE:
            cut = sentence.rfind(",", 40, LONGEST_SENTENCE)
            cut = cut + 1 if cut > 0 else sentence.rfind(" ", 0, LONGEST_SENTENCE)
            cut = cut if cut > 0 else LONGEST_SENTENCE
            found.append(sentence[:cut].strip())
            sentence = sentence[cut:].strip()
        if sentence.strip(" ,.?!"):
            found.append(sentence)
    return found


__all__ = ["Doubt", "Lexicon", "Spoken", "speak"]
