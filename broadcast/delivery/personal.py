"""Personal fields in a text: ``{{ ten }}``, ``{{ dia_ban }}`` (``name`` and ``place`` in English texts)."""

import re
from collections.abc import Mapping
from functools import lru_cache

from django.utils.translation import gettext as _
from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.exceptions import LiquidError

FIELDS = ("ten", "name", "dia_ban", "place")
_FIELD = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_environment = Environment(undefined=StrictUndefined, autoescape=False)


@lru_cache(maxsize=64)
def _template(text: str) -> BoundTemplate:
    return _environment.from_string(text)


@lru_cache(maxsize=64)
def _simple(text: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The texts between the fields, and the fields, where there is nothing but known fields; else None."""
    pieces = _FIELD.split(text)
    between, fields = tuple(pieces[::2]), tuple(pieces[1::2])
    if any(is_personal(piece) for piece in between) or not set(fields) <= set(FIELDS):
        return None
    return between, fields


def is_personal(text: str) -> bool:
    return "{{" in text or "{%" in text


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text for one person. Raises ValueError with a sentence where the text asks for what is not there."""
    if not is_personal(text):
        return text
    if simple := _simple(text):  # a tenth of the template engine's time, for every message of a campaign
        between, fields = simple
        return (
            "".join([part for pair in zip(between, [values[f] for f in fields], strict=False) for part in pair])
            + between[-1]
        )
    try:
        return _template(text).render(**values)
    except LiquidError as error:
        raise ValueError(
            _("Trường cá nhân trong nội dung viết chưa đúng. Các trường dùng được: %(fields)s.")
            % {"fields": ", ".join("{{ " + name + " }}" for name in FIELDS)}
        ) from error


def values_for(name: str, place: str) -> dict[str, str]:
    return {"ten": name, "name": name, "dia_ban": place, "place": place}
