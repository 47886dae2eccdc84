"""What all SMS gateways need to know of phone numbers and SMS parts. Written from GSM 03.38 and the numbering plan."""

from __future__ import annotations

import re

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWO = frozenset("^{}\\[~]|€\f")
E164 = re.compile(r"\+[1-9]\d{6,14}")
# Mobile prefixes of Vietnam after the 2018 change to ten digits: 03x 05x 07x 08x 09x
VIETNAMESE_MOBILE = re.compile(r"84[35789]\d{8}")


def is_gsm(text: str) -> bool:
    return all(c in _GSM or c in _GSM_TWO for c in text)


def parts(text: str) -> int:
    """SMS parts of a text: 160 or 153 septets in GSM-7, 70 or 67 units in UCS-2."""
    if is_gsm(text):
        size, one, many = sum(2 if c in _GSM_TWO else 1 for c in text), 160, 153
    else:
        size, one, many = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if size <= one else -(-size // many)


def vietnamese(number: str) -> str | None:
    """ "84..." of a Vietnamese mobile number written as 0..., 84... or +84...; None for anything else."""
    digits = number.removeprefix("+")
    if digits.startswith("0"):
        digits = "84" + digits[1:]
    return digits if VIETNAMESE_MOBILE.fullmatch(digits) else None
