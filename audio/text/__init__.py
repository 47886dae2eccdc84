"""Written Vietnamese -> the words a reader says.

    speak(text, extra) -> Spoken(text, sentences, doubts)

A lexicon entry wins over a rule; the operators' entries win over the project's own; what neither reads for certain
comes back as a :class:`Doubt`.
"""

from .lexicon import Entry, lexicon, parse
from .speak import Doubt, Spoken, speak

__all__ = ["Doubt", "Entry", "Spoken", "lexicon", "parse", "speak"]
