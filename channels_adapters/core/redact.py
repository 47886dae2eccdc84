"""Providers quote addresses in their error texts. What is kept of those texts must not."""

from __future__ import annotations

import re

_LONG_NUMBER = re.compile(r"\+?\d[\d .\-]{6,}\d")


def redacted(text: object, *private: str) -> str:
    """``text`` on one line without the given values and without anything that looks like a phone number."""
    line = " ".join(str(text or "").split())
    for value in private:
        if value:
            line = line.replace(value, "…")
    return _LONG_NUMBER.sub("…", line)[:300]
