"""The lexicon: how a written entry is read.

A lexicon file is TSV: entry, reading, note. An entry with a capital letter matches exactly as written, one without
matches in any case. An entry that ends in a full stop ("TP.") only matches before a capitalised word, unless it is
all lower case ("v.v."). A note that starts with "?" says what else the entry may mean: the reading is then marked as
doubtful. Lines that start with "#" are comments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .syllables import is_syllable

_HEAD = re.compile(r"[^\W_]+")
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Entry:
    written: str
    spoken: str
    note: str = ""

    @property
    def doubt(self) -> str:
        return self.note[1:].strip() if self.note.startswith("?") else ""


@dataclass(frozen=True, slots=True)
class _Pattern:
    entry: Entry
    regex: re.Pattern[str]
    like_a_word: bool  # in a line of capitals it may be an ordinary word


class Lexicon:
    """Entries looked up by the word they start with, the longest first. Later entries override earlier ones."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        merged = {_key(e.written): e for e in entries if e.written.strip() and e.spoken.strip()}
        self.version = hashlib.sha256(
            "\n".join(f"{e.written}\t{e.spoken}" for _, e in sorted(merged.items())).encode()
        ).hexdigest()[:16]
        self._heads: dict[str, list[_Pattern]] = {}
        for entry in sorted(merged.values(), key=lambda e: -len(e.written)):
            head = _HEAD.search(entry.written)
            if head is not None and head.start() == 0:
                self._heads.setdefault(head[0].lower(), []).append(_compile(entry))

    def match(self, text: str, at: int, *, capitals: bool = False) -> tuple[Entry, int] | None:
        """The longest entry that starts at ``at`` and where it ends. ``capitals``: the line is all in capitals."""
        head = _HEAD.match(text, at)
        if head is None:
            return None
        for pattern in self._heads.get(head[0].lower(), ()):
            if capitals and pattern.like_a_word:
                continue
            found = pattern.regex.match(text, at)
            if found is not None:
                return pattern.entry, found.end()
        return None

    def get(self, written: str) -> str | None:
        """The reading of exactly this entry."""
        found = self.match(written, 0)
        return found[0].spoken if found and found[1] == len(written) else None


def _key(written: str) -> str:
    return " ".join(written.split())


def _compile(entry: Entry) -> _Pattern:
    written = _key(entry.written)
    body = r"\s+".join(re.escape(word) for word in written.split(" "))
    lower = written == written.lower()
    if written[-1].isalnum():
        body += r"(?![^\W_])"
    elif written.endswith(".") and not lower:
        body += r"(?=\s*[A-ZĐÀ-ÝĂƠƯẠ-Ỹ0-9])"
    return _Pattern(entry, re.compile(body, re.IGNORECASE if lower else 0), not lower and is_syllable(written))


def parse(text: str) -> list[Entry]:
    """Entries of a TSV text. Raises ValueError with a sentence that names the line."""
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) < 2 or not fields[0].strip() or not fields[1].strip():
            raise ValueError(f"Từ điển, dòng {number}: cần hai cột «cách viết» và «cách đọc», ngăn bằng dấu tab.")
        entries.append(Entry(fields[0].strip(), fields[1].strip(), fields[2].strip() if len(fields) > 2 else ""))
    return entries


@lru_cache(maxsize=1)
def _own_entries() -> tuple[Entry, ...]:
    return tuple(parse((HERE / "lexicon.tsv").read_text(encoding="utf-8")))


@lru_cache(maxsize=1)
def document_codes() -> dict[str, str]:
    """What the parts of a document number mean: "QĐ" -> "quyết định"."""
    return {e.written: e.spoken for e in parse((HERE / "documents.tsv").read_text(encoding="utf-8"))}


@lru_cache(maxsize=256)
def lexicon(extra: tuple[Entry, ...] = ()) -> Lexicon:
    """The project's own lexicon with the operators' entries on top."""
    return Lexicon([*_own_entries(), *extra])
