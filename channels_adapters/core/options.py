"""Reading settings and content options, which reach an adapter as text or as JSON values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

_ON = frozenset({"1", "true", "on", "yes", "y", "có"})


def is_on(value: Any) -> bool:
    """A tick box: True, 1, "true", "on" ..."""
    return value is True or str(value).strip().lower() in _ON


def whole(value: Any, label: str) -> int:
    """A whole number of at least 0. Raises ValueError with a sentence that names the field."""
    text = str(value).strip().replace(".", "").replace(" ", "")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"«{label}» phải là số nguyên không âm.")
    return int(text)


def moment(value: Any, label: str) -> datetime | None:
    """An aware time from ISO 8601, None from nothing. Raises ValueError with a sentence that names the field."""
    if not value:
        return None
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"«{label}» không phải là ngày giờ hợp lệ.") from None
    if when.tzinfo is None:
        raise ValueError(f"«{label}» thiếu múi giờ.")
    return when
