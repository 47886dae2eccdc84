"""Vietnamese phone numbers: canonical form, kind and operator.

Sources: the numbering plan of Circular 22/2014/TT-BTTTT and the 2018 change of mobile prefixes (Decision
798/QĐ-BTTTT of 30 May 2018). Operators are those the prefixes were given to; since number portability (2018)
a number may have moved, so the operator is a guess for prices, never a proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberType

Kind = Literal["mobile", "landline", "service", "foreign"]

OPERATORS: dict[str, tuple[str, ...]] = {
    "Viettel": ("32", "33", "34", "35", "36", "37", "38", "39", "86", "96", "97", "98"),
    "VinaPhone": ("81", "82", "83", "84", "85", "88", "91", "94"),
    "MobiFone": ("70", "76", "77", "78", "79", "89", "90", "93"),
    "Vietnamobile": ("52", "56", "58", "92"),
    "Gmobile": ("59", "99"),
    "Itel": ("87",),
    "Wintel": ("55",),
}
_BY_PREFIX = {prefix: operator for operator, prefixes in OPERATORS.items() for prefix in prefixes}

# The prefix of an eleven-digit number, without its 0, and what replaced it in 2018.
_SINCE_2018 = {
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip

_IS_CANONICAL = re.compile(rf"\+84(?:{'|'.join(sorted(_BY_PREFIX))})[0-9]{{7}}").fullmatch
_ALLOWED = re.compile(r"[+0-9\s().\-/]+").fullmatch
_OLD_MOBILE = re.compile(r"(1[0-9]{2})([0-9]{7})").fullmatch


@dataclass(frozen=True, slots=True)
class Phone:
    e164: str  # "+84912345678"; a short code stays as it is dialled
    kind: Kind
    operator: str = ""  # of a mobile number

    @property
    def national(self) -> str:
        """As people write it: 0912345678."""
        return national(self.e164)


def parse(text: str) -> Phone:
    """Read a number as people type it. Raises ValueError with a sentence that names what is wrong."""
    if _IS_CANONICAL(text):
        return Phone(text, "mobile", _BY_PREFIX[text[3:5]])
    return _parse(text)


def mobile(text: str) -> str:
    """The canonical E.164 form of a Vietnamese mobile number, or ValueError with a sentence for the officer."""
    if _IS_CANONICAL(text):
        return text
    phone = _parse(text)
    if phone.kind != "mobile":
        raise ValueError(_NOT_MOBILE[phone.kind])
    return phone.e164


def operator(e164: str) -> str:
    """The operator a canonical number's prefix was given to, or an empty text."""
    return _BY_PREFIX.get(e164[3:5], "") if e164.startswith("+84") else ""


def digits(e164: str) -> str:
    """Without the plus, as most gateways want it: 84912345678."""
    return e164.removeprefix("+")


def national(e164: str) -> str:
    """As people write it: 0912345678."""
    return "0" + e164[3:] if e164.startswith("+84") else e164


_NOT_MOBILE: dict[Kind, str] = {
    "landline": "Đây là số cố định, không nhận được tin nhắn. Hãy nhập số di động.",
    "service": "Đây là số tổng đài hoặc đầu số ngắn, không nhận được tin nhắn. Hãy nhập số di động.",
    "foreign": "Đây là số nước ngoài. Hãy nhập số di động Việt Nam, ví dụ 0912 345 678.",
    "mobile": "",
}


def _parse(text: str) -> Phone:
    # Full-width and other digits, then everything people put between them.
    typed = "".join(str(int(c)) if c.isdecimal() else "+" if c == "＋" else c for c in text.strip())
    if not typed:
        raise ValueError("Chưa có số điện thoại.")
    typed = typed.replace("（", "(").replace("）", ")").replace("．", ".")
    typed = "".join("-" if c in "‐‑‒–—−－" else c for c in typed if c not in "\u200b\u200e\u202a\u202c\ufeff")
    if not _ALLOWED(typed) or "+" in typed[1:]:
        raise ValueError("Số điện thoại chỉ gồm chữ số, dấu cộng ở đầu, dấu cách, dấu chấm hoặc gạch nối.")
    international = typed.startswith(("+", "00"))
    digits = re.sub(r"\D", "", typed)
    if international:
        digits = digits[2:] if typed.startswith("00") else digits
        if not digits.startswith("84"):
            return _foreign(digits)
        national = digits[2:]
    elif digits.startswith("84") and len(digits) in (11, 12, 13):
        national = digits[2:]
    elif digits.startswith("0"):
        national = digits[1:]
    elif (len(digits) <= 8 and digits.startswith(("1800", "1900"))) or 3 <= len(digits) <= 6:
        return Phone(digits, "service")
    elif len(digits) == 9 and digits[:2] in _BY_PREFIX:
        national = digits  # a spreadsheet dropped the leading zero
    else:
        raise ValueError(_length(digits))
    return _vietnamese(national.removeprefix("0"))


def _vietnamese(national: str) -> Phone:
    if (old := _OLD_MOBILE(national)) and old[1] in _SINCE_2018:
        national = _SINCE_2018[old[1]] + old[2]
    e164 = f"+84{national}"
    if _IS_CANONICAL(e164):
        return Phone(e164, "mobile", _BY_PREFIX[national[:2]])
    if national.startswith(("1800", "1900")) and 8 <= len(national) <= 10:
        return Phone(national, "service")
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        raise ValueError(_length(national)) from None
    if not phonenumbers.is_valid_number(number):
        if len(national) == 9 and national[0] in "35789":
            raise ValueError(f"Không có đầu số di động 0{national[:2]} ở Việt Nam. Hãy kiểm tra lại số điện thoại.")
        raise ValueError(_length(national))
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.MOBILE:
        return Phone(e164, "mobile", _BY_PREFIX.get(national[:2], ""))
    return Phone(e164, "landline" if kind == PhoneNumberType.FIXED_LINE else "service")


def _foreign(digits: str) -> Phone:
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        raise ValueError("Mã quốc gia của số điện thoại không đúng.") from None
    if not phonenumbers.is_valid_number(number):
        raise ValueError("Số điện thoại nước ngoài này không hợp lệ.")
    return Phone(f"+{digits}", "foreign")


def _length(digits: str) -> str:
    if len(digits) < 9:
        return "Số điện thoại bị thiếu chữ số: số di động Việt Nam có 10 chữ số, ví dụ 0912 345 678."
    if len(digits) > 10:
        return "Số điện thoại bị thừa chữ số: số di động Việt Nam có 10 chữ số, ví dụ 0912 345 678."
    return "Số điện thoại không hợp lệ: số di động Việt Nam có 10 chữ số, ví dụ 0912 345 678."
