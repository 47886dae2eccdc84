"""Rules for expressions with digits, capitals or symbols. Each reads one kind of expression, or declines.

A rule is tried where a token starts; it sees what stands before and after. The order of :data:`RULES` is their
precedence. Rules never look things up: the lexicon has already had its turn, except inside codes and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import sea_g2p

from . import cues, numbers
from .lexicon import Lexicon, document_codes
from .syllables import is_syllable, toneless_split
from .units import PER_ONE, UNITS


@dataclass(frozen=True, slots=True)
class Reading:
    spoken: str  # words and commas
    end: int  # where in the text the expression ends
    doubt: str = ""  # why the reading is not sure, in the operator's words
    entry: bool = False  # it is a lexicon entry's


@dataclass(frozen=True, slots=True)
class Context:
    """A text and what is known about the whole of it."""

    text: str
    lexicon: Lexicon
    comma_groups: bool  # this text writes thousands with commas somewhere: 8,370,739

    def before(self, at: int, width: int = 60) -> str:
        """What stands before, in lower case, within the same line."""
        return self.text[max(0, at - width) : at].rpartition("\n")[2].lower()

    def after(self, at: int, width: int = 40) -> str:
        return self.text[at : at + width].partition("\n")[0]


Rule = Callable[[Context, int], Reading | None]
RULES: list[Rule] = []


def rule(pattern: str, flags: int = 0) -> Callable[[Callable[[Context, re.Match[str]], Reading | None]], Rule]:
    """Register a reader for what ``pattern`` matches at a token's start."""
    regex = re.compile(pattern, flags)

    def register(read: Callable[[Context, re.Match[str]], Reading | None]) -> Rule:
        def tried(context: Context, at: int) -> Reading | None:
            found = regex.match(context.text, at)
            return read(context, found) if found else None

        RULES.append(tried)
        return tried

    return register


# -- numbers ---------------------------------------------------------------------------------------------------------

NUMBER = r"(?:\d{1,3}(?:\.\d{3})+(?![\d.])(?:,\d+)?|\d{1,3}(?:,\d{3}){2,}(?!\d)(?:\.\d+)?|\d+[.,]\d+(?![.,]?\d)|\d+)"
DASH = r"[ ]?[-÷~][ ]?"
_GROUPED = re.compile(r"\d{1,3}(\.\d{3})+(,\d+)?")
_COMMA_GROUPED = re.compile(r"\d{1,3}(,\d{3}){2,}(\.\d+)?")


def _number(context: Context, text: str, at: int) -> tuple[str, str]:
    """Words for one written number that starts at ``at``, and a doubt or nothing."""
    if _GROUPED.fullmatch(text):
        whole, _, fraction = text.replace(".", "").partition(",")
    elif _COMMA_GROUPED.fullmatch(text):
        whole, _, fraction = text.replace(",", "").partition(".")
    elif "," in text:
        whole, fraction = text.split(",")
        if len(fraction) == 3 and len(whole) <= 3 and whole.strip("0"):
            if context.comma_groups:
                return numbers.integer(whole + fraction), "dấu phẩy có thể là dấu thập phân"
            return numbers.decimal(whole, fraction), "dấu phẩy có thể là dấu hàng nghìn"
    elif "." in text:
        whole, fraction = text.split(".")
        point = "chấm" if fraction == "0" or cues.VERSION.search(context.before(at)) else "phẩy"
        return numbers.decimal(whole, fraction, point), ""
    else:
        if len(text) > 2 and text.startswith("0") and text.strip("0"):
            return numbers.digits(text), ""
        whole, fraction = text, ""
    return (numbers.decimal(whole, fraction) if fraction else numbers.integer(whole)), ""


def _value(text: str) -> float:
    if _GROUPED.fullmatch(text):
        text = text.replace(".", "")
    elif _COMMA_GROUPED.fullmatch(text):
        text = text.replace(",", "")
    return float(text.replace(",", "."))


def _grouped_digits(text: str) -> str:
    """Phone-like: the writer's own groups, else threes with the rest in front; a comma is a short breath."""
    groups = [g for g in re.split(r"\D+", text) if g]
    if len(groups) == 1 and len(groups[0]) > 5:
        run = groups[0]
        head = len(run) % 3 or 3
        head += 3 if head == 1 else 0
        groups = [run[:head], *(run[i : i + 3] for i in range(head, len(run), 3))]
    return ", ".join(numbers.digits(g) for g in groups)


# -- addresses on the net --------------------------------------------------------------------------------------------

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,10}"  # bounded: no text may take long
_TOP = {"vn": "vê nờ", "com": "com", "gov": "gờ o vê", "org": "o rờ gờ", "net": "nét", "edu": "e đu", "info": "in phô"}
_MARKS = {".": "chấm", "/": "gạch chéo", "-": "gạch ngang", "_": "gạch dưới", "?": "hỏi chấm", "=": "bằng", "&": "và",
          "@": "a còng", "#": "thăng", "%": "phần trăm", ":": "hai chấm", "+": "cộng", "~": "ngã"}  # fmt: skip
_TAGS = re.compile(r"</?\w+>")


@lru_cache(maxsize=1)
def _sea() -> sea_g2p.Normalizer:
    return sea_g2p.Normalizer()


def machine_reading(text: str) -> str:
    """sea-g2p's reading of a fragment no rule knows: symbols, formulas, run-together words. May be empty."""
    return _TAGS.sub("", str(_sea().normalize(text))).strip(" .,")


def _net_part(part: str, lexicon: Lexicon) -> str:
    if part.lower() in _TOP:
        return _TOP[part.lower()]
    if part.isdigit():
        return numbers.digits(part)
    if any(c.isdigit() for c in part):
        return " ".join(_net_part(p, lexicon) for p in re.findall(r"\d+|\D+", part))
    known = lexicon.get(part.lower())
    if known or is_syllable(part):
        return known or part.lower()
    for start in range(min(len(part) - 2, 7)):  # ubndbacninh: letters, then syllables
        syllables = toneless_split(part[start:].lower())
        if syllables and (start or len(syllables) <= len(part) // 2):
            return " ".join([*([numbers.letters(part[:start])] if start else []), *syllables])
    return numbers.letters(part[:12]) if len(part) <= 5 or not re.search("[aeiouy]", part) else part[:40].lower()


def _net(address: str, lexicon: Lexicon) -> str:
    parts = re.findall(r"[A-Za-z0-9]+|[^A-Za-z0-9\s]", address)
    return " ".join(_MARKS.get(p, "") or _net_part(p, lexicon) for p in parts)


@rule(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@" + _HOST)
def email(context: Context, m: re.Match[str]) -> Reading | None:
    return Reading(_net(m[0], context.lexicon), m.end(), "địa chỉ thư điện tử, nên nghe thử")


@rule(r"(?:https?://|www\.)[^\s<>\"]{2,2000}|" + _HOST + r"(?:/[^\s<>\",;)]{0,500})?", re.IGNORECASE)
def url(context: Context, m: re.Match[str]) -> Reading | None:
    written = m[0].rstrip(".,;:!?)('\"")
    scheme = re.match(r"(https?://)?(www\.)?", written, re.IGNORECASE)
    bare = written[scheme.end() :] if scheme else written
    known = bare.partition("/")[0].rpartition(".")[2].lower() in _TOP
    if not bare or (bare == written and "/" not in bare and not known):
        return None
    return Reading(_net(bare.rstrip("/"), context.lexicon), m.start() + len(written), "địa chỉ mạng, nên nghe thử")


# -- document numbers, dates, times ----------------------------------------------------------------------------------


@rule(r"(\d\d)([A-ZĐ]{1,2}\d?)\s?-\s?(\d{3}\.?\d{1,2})(?!\d)")
def licence_plate(context: Context, m: re.Match[str]) -> Reading | None:
    """98A-123.45: the plate of a vehicle, digit by digit."""
    return Reading(f"{numbers.digits(m[1])} {numbers.letters(m[2])}, {numbers.digits(m[3])}", m.end())


@rule(r"(\d{1,6})([a-zA-Z])?(?:/((?:19|20)\d\d))?([/-])([A-ZĐ][A-ZĐa-zƯ0-9]*(?:[-/&][A-ZĐ][A-ZĐa-zƯ0-9]*)*)(?![^\W_])")
def document(context: Context, m: re.Match[str]) -> Reading | None:
    """749/QĐ-TTg, 13/2023/NĐ-CP, 05-NQ/TW, 91/2025/QH15."""
    codes = re.split(r"[-/&]", m[5])
    lone = len(codes) < 2 and codes[0] not in document_codes()
    if m[5] in UNITS or len(m[5]) < 2 or (m[4] == "-" and not m[3] and lone):
        return None
    spoken = numbers.integer(m[1]) + (f" {numbers.letters(m[2])}" if m[2] else "")
    if m[3]:
        spoken += f" năm {numbers.integer(m[3])}"
    words, unknown = [], False
    for code in codes:
        stem = code.rstrip("0123456789")
        meaning = document_codes().get(code) or document_codes().get(stem) or context.lexicon.get(stem)
        unknown |= meaning is None
        words.append(meaning or numbers.letters(stem))
        if stem != code:
            words.append(("khóa " if stem.endswith("QH") else "") + numbers.integer(code[len(stem) :]))
    doubt = "ký hiệu văn bản có phần chưa có trong từ điển" if unknown else ""
    return Reading(f"{spoken} trên {' '.join(words)}", m.end(), doubt)


@rule(r"(\d{1,4})/((?:19|20)\d\d)(?![\d/])")
def document_year(context: Context, m: re.Match[str]) -> Reading | None:
    """«Thông tư 39/2020» is number 39 of 2020, not a month."""
    if not cues.DOCUMENT.search(context.before(m.start())):
        return None
    return Reading(f"{numbers.integer(m[1])} năm {numbers.integer(m[2])}", m.end())


def _day(context: Context, day: int, at: int, *, first: bool = True) -> str:
    before = context.before(at)
    said = re.search(r"(mùng|mồng)\s+$", before) is not None and first
    words = ("" if said or day > 10 else "mùng ") + numbers.cardinal(day)
    return words if said or not first or cues.DAY.search(before) or day <= 10 else f"ngày {words}"


def _is_day(day: int, month: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= (29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31)


@rule(r"((?:19|20)\d\d)-(\d\d)-(\d\d)(?!\d)")
def iso_date(context: Context, m: re.Match[str]) -> Reading | None:
    day, month = int(m[3]), int(m[2])
    if not _is_day(day, month):
        return None
    return Reading(f"{_day(context, day, m.start())} tháng {numbers.month(month)} năm {numbers.integer(m[1])}", m.end())


_D = r"(\d{1,2})"


@rule(rf"(?:{_D}(?:([/.]){_D})?{DASH})?{_D}([/.-]){_D}\5((?:1[89]|20)\d\d)(?!\d)")
def full_date(context: Context, m: re.Match[str]) -> Reading | None:
    """1/7/2025, 01.07.2025, 15-17/7/2025, 30/8-2/9/2025."""
    day, month = int(m[4]), int(m[6])
    if not _is_day(day, month):
        return None
    spoken = ""
    if m[1]:
        first, first_month = int(m[1]), int(m[3]) if m[3] else month
        if not _is_day(first, first_month):
            return None
        spoken = _day(context, first, m.start())
        spoken += f" tháng {numbers.month(first_month)}" if m[3] else ""
        spoken += " đến "
    spoken += _day(context, day, m.start(), first=not m[1])
    return Reading(f"{spoken} tháng {numbers.month(month)} năm {numbers.integer(m[7])}", m.end())


@rule(rf"(?:(\d{{1,2}}|[IVX]{{1,4}}){DASH})?(\d{{1,2}}|[IVX]{{1,4}})\s?[/-]\s?((?:1[89]|20)\d\d)(?![\d/%])")
def period_of_year(context: Context, m: re.Match[str]) -> Reading | None:
    """tháng 7/2025, quý III/2025, 9-2025 after "tháng"; a bare 7/2025 is a month."""
    noun = cues.PERIOD.search(context.before(m.start()))
    values = [numbers.roman(v) if v.isalpha() else int(v) for v in (m[1], m[2]) if v]
    if None in values or (noun is None and (m[2].isalpha() or m[1] or "-" in m[0])):
        return None
    if (noun is None or noun[1] == "tháng") and not all(1 <= (v or 0) <= 12 for v in values):
        return None
    said = [numbers.month(v or 0) if noun is None or noun[1] == "tháng" else numbers.ordinal(v or 0)
            if noun[1] == "quý" and v == 4 else numbers.cardinal(v or 0) for v in values]  # fmt: skip
    prefix = "tháng " if noun is None else ""
    return Reading(f"{prefix}{' đến '.join(said)} năm {numbers.integer(m[3])}", m.end())


_CLOCK = rf"{_D}\s?(?:(?:h|g|giờ)\s?(?:(\d\d)(?!\d)(?:\s?(?:ph|p|phút|'))?(?![^\W_]))?|:(\d\d)(?::\d\d)?(?!\d))"
_BARE_HOUR = r"(\d{1,2})"


def _clock(hour: str, minute: str | None) -> str | None:
    if int(hour) > 24 or int(minute or 0) > 59:
        return None
    return f"{numbers.integer(hour)} giờ" + (f" {numbers.integer(minute)} phút" if minute and int(minute) else "")


@rule(rf"(?:{_CLOCK}|{_BARE_HOUR}){DASH}{_CLOCK}(?![^\W_])", re.IGNORECASE)
def clock_range(context: Context, m: re.Match[str]) -> Reading | None:
    """7h00 - 11h30, 7-11h, 13:30-17:00."""
    begin = _clock(m[1], m[2] or m[3]) if m[1] else numbers.integer(m[4]) if int(m[4]) <= 24 else None
    end = _clock(m[5], m[6] or m[7])
    return Reading(f"{begin} đến {end}", m.end()) if begin and end else None


@rule(_CLOCK + r"(?![^\W_])", re.IGNORECASE)
def clock(context: Context, m: re.Match[str]) -> Reading | None:
    """7h, 19h30, 7 giờ 30, 14:00, 7g15."""
    if m[3] and cues.SCORE.search(context.before(m.start())):
        return None
    if re.search(r"\d\s?g$", m[0], re.IGNORECASE):  # 5g is a mass
        return None
    spoken = _clock(m[1], m[2] or m[3])
    return Reading(spoken, m.end()) if spoken else None


# -- telephone and other digit strings -------------------------------------------------------------------------------

SHORT = frozenset({"111", "112", "113", "114", "115", "1022", "156", "5656", "198", "1414", "119", "18001091"})


@rule(r"(?:\+84|\(\+84\)|\(0\d{1,3}\)|0\d{1,4})(?:[ .\-]{0,2}\d{2,7}){1,5}(?!\d|/\d{1,2}(?!\d))|\(?\+84\)?\d{8,10}")
def phone(context: Context, m: re.Match[str]) -> Reading | None:
    """0912 345 678, 0204.3854.123, (0204) 3854 123, +84 912 345 678."""
    written = m[0]
    count = sum(c.isdigit() for c in written)
    if not 9 <= count <= 12 or written.startswith("0."):
        return None
    plus = "cộng " if "+" in written else ""
    return Reading(plus + _grouped_digits(written), m.end())


@rule(r"1[89]00[ .-]?\d{2,4}(?:[ .-]?\d{2,4})?(?![\d/%]|[.,]\d)")
def service_phone(context: Context, m: re.Match[str]) -> Reading | None:
    """1800 1091, 1900.9095: numbers of companies and hot lines."""
    separated = not m[0].isdigit()
    if not separated and not cues.CALL.search(context.before(m.start())) and len(m[0]) < 8:
        return None
    if "-" in m[0] and len(m[0]) == 9:  # 1800-1900 are years
        return None
    return Reading(_grouped_digits(m[0] if separated else f"{m[0][:4]} {m[0][4:]}"), m.end())


@rule(r"\d{3,6}(?![\d/%\w]|[.,:-]\d)")
def short_phone(context: Context, m: re.Match[str]) -> Reading | None:
    """114, 1022, 5656: short numbers, known by themselves or by "gọi", "tổng đài" before them."""
    before = context.before(m.start())
    call = cues.CALL.search(before)
    if call is None:
        return None
    if cues.NOT_A_PHONE.match(context.after(m.end())) or not cues.CALL_NEAR.search(before):
        return None
    return Reading(numbers.digits(m[0]), m.end(), "" if m[0] in SHORT else "đọc từng chữ số vì có thể là số điện thoại")


@rule(r"\d{8,}(?![.,]\d|[^\W_])")
def digit_string(context: Context, m: re.Match[str]) -> Reading | None:
    """Account and identity numbers: too long to be said as quantities."""
    if len(m[0]) < 10 and not m[0].startswith("0") and not cues.CODE.search(context.before(m.start())):
        return None
    return Reading(_grouped_digits(m[0]), m.end())


@rule(r"\d{3,}(?![.,]\d|[^\W_])")
def coded_digits(context: Context, m: re.Match[str]) -> Reading | None:
    """«mã số 4521» is said digit by digit."""
    return Reading(numbers.digits(m[0]), m.end()) if cues.CODE.search(context.before(m.start())) else None


@rule(r"\d+(?:\.\d+){2,}(?!\d)")
def dotted(context: Context, m: re.Match[str]) -> Reading | None:
    """1.2.3, 192.168.1.1: neither thousands nor a date."""
    if _GROUPED.fullmatch(m[0]):
        return None
    return Reading(" chấm ".join(numbers.integer(p) for p in m[0].split(".")), m.end())


# -- day and month, fractions, ratios --------------------------------------------------------------------------------


@rule(rf"{_D}(?:/{_D})?{DASH}{_D}/{_D}(?![\d/]|[.,]\d)")
def date_range(context: Context, m: re.Match[str]) -> Reading | None:
    """15-17/7, 30/8 - 2/9."""
    first, last, month = int(m[1]), int(m[3]), int(m[4])
    first_month = int(m[2]) if m[2] else month
    if not _is_day(first, first_month) or not _is_day(last, month) or (not m[2] and first >= last):
        return None
    if not m[2] and cues.COUNTED.match(context.after(m.end())):
        return None
    spoken = _day(context, first, m.start()) + (f" tháng {numbers.month(first_month)}" if m[2] else "")
    anew = bool(m[2]) and not cues.DAY.search(context.before(m.start()))
    spoken += f" đến {_day(context, last, m.start(), first=anew)}"
    return Reading(f"{spoken} tháng {numbers.month(month)}", m.end())


@rule(rf"{_D}/{_D}(?![\d/%]|[.,]\d)")
def day_month(context: Context, m: re.Match[str]) -> Reading | None:
    """30/4 is a day, 10/10 huyện is a ratio, 2/3 số hộ is a fraction; else a day, marked as unsure."""
    day, month = int(m[1]), int(m[2])
    before, after = context.before(m.start()), context.after(m.end())
    if not _is_day(day, month):
        return None
    dated = cues.DATE.search(before)
    if not dated and not cues.COUNTED.match(after) and not cues.PART_OF.match(after):
        dated = cues.MAYBE_DATE.search(before)
    if not dated:
        if cues.RATIO.search(before) or cues.COUNTED.match(after):
            return None
        if day < month <= 10 and not m[0].startswith("0") and cues.PART_OF.match(after):
            return None
    sure = dated or m[1].startswith("0") or m[2].startswith("0") or day > 12
    spoken = f"{_day(context, day, m.start())} tháng {numbers.month(month)}"
    return Reading(spoken, m.end(), "" if sure else "hiểu là ngày và tháng, có thể là tỷ lệ")


@rule(rf"({NUMBER})\s?/\s?({NUMBER})(?![\d])")
def ratio(context: Context, m: re.Match[str]) -> Reading | None:
    """1.380/1.961 -> trên; 2/3 số hộ -> hai phần ba."""
    if sum(c.isdigit() for c in m[1]) >= 8:  # two telephone numbers
        return None
    (a, doubt), (b, doubt2) = _number(context, m[1], m.start(1)), _number(context, m[2], m.start(2))
    part = (
        m[1].isdigit() and m[2].isdigit() and int(m[1]) < int(m[2]) <= 10 and cues.PART_OF.match(context.after(m.end()))
    )
    spoken, unit = f"{a} {'phần' if part else 'trên'} {b}", unit_at(context.text, m.end())
    return Reading(f"{spoken} {unit[0]}" if unit else spoken, unit[1] if unit else m.end(), doubt or doubt2)


@rule(rf"({NUMBER})\s?:\s?({NUMBER})(?![\d])")
def colon_ratio(context: Context, m: re.Match[str]) -> Reading | None:
    """tỷ lệ 1:1000 -> một trên một nghìn."""
    return Reading(f"{_number(context, m[1], m.start(1))[0]} trên {_number(context, m[2], m.start(2))[0]}", m.end())


# -- quantities ------------------------------------------------------------------------------------------------------

_UNIT = "|".join(re.escape(u) for u in sorted(UNITS, key=lambda u: (-len(u), u)))
_UNIT_AT = re.compile(rf"(\s?)({_UNIT})(?![^\W_])")
_TIGHT_ONLY = frozenset({"K", "k", "L", "J", "Đ", "HP", "CV", "TB", "MP", "Ha", "HA", "s"})


def unit_at(text: str, at: int) -> tuple[str, int] | None:
    """The spoken unit that stands at ``at`` (after at most one space) and where it ends."""
    m = _UNIT_AT.match(text, at)
    if m is None or (m[1] and (m[2] in _TIGHT_ONLY or m[1] == "\n")):
        return None
    return UNITS[m[2]], m.end()


@rule(rf"([$€£¥₫])\s?({NUMBER})(\s(?:triệu|tỷ|nghìn))?")
def currency_first(context: Context, m: re.Match[str]) -> Reading | None:
    return Reading(f"{_number(context, m[2], m.start(2))[0]}{m[3] or ''} {UNITS[m[1]]}", m.end())


@rule(rf"(?:[Cc]ấp\s)?({NUMBER})(\s?(?:{_UNIT})(?![^\W_]))?(?:{DASH}({NUMBER})(?![^\W\d_]{{3,}}))?")
def quantity(context: Context, m: re.Match[str]) -> Reading | None:
    """A number or a range, with its unit: 150-200mm, 12-15°C, 41.178m2, 5% - 7%, 2021-2025."""
    if m[0][0] in "Cc":
        return None
    spoken, doubt = _number(context, m[1], m.start(1))
    end = m.end(1)
    before = context.before(m.start())
    if m[1].isdigit() and (cues.ORDINAL.search(before) or (m[1] in "234567" and cues.WEEKDAY.search(before))):
        spoken = numbers.ordinal(int(m[1]))
    elif cues.MONTH.search(before) and m[1] in ("4", "04"):
        spoken = "tư"
    unit = unit_at(context.text, end)
    if unit:
        end = unit[1]
    if m[3] and (m[2] is None) == (unit is None):
        low, high = _value(m[1]), _value(m[3])
        if cues.SCORE.search(before) and max(low, high) < 100:  # a score
            return Reading(f"{spoken} {_number(context, m[3], m.start(3))[0]}", m.end(3))
        last, last_doubt = _number(context, m[3], m.start(3))
        if cues.WEEKDAY.search(before):
            last = numbers.ordinal(int(high))
        elif cues.MONTH.search(before) and high == 4:
            last = "tư"
        tail = unit_at(context.text, m.end(3))
        first_unit = f" {unit[0]}" if unit and not (tail and tail[0] == unit[0]) else ""
        if low >= high and not unit and not tail:
            doubt = "hai số nối bằng gạch ngang, có thể không phải là khoảng"
        spoken = f"{spoken}{first_unit} đến {last}" + (f" {tail[0]}" if tail else "")
        return Reading(spoken, tail[1] if tail else m.end(3), doubt or last_doubt)
    if unit:
        spoken = f"{spoken} {unit[0]}"
    elif re.match(r"(?![x×]\s?\d)[^\W\d_]", context.text[end : end + 3]):
        return None
    return Reading(spoken, end, doubt)


@rule(r"-\s?(?=\d)")
def negative(context: Context, m: re.Match[str]) -> Reading | None:
    """-5°C is minus five where the dash is tight, nothing stands before it, and a degree or percent follows."""
    standing = m.start() == 0 or context.text[m.start() - 1] in " (\n"
    if m[0] != "-" or not standing or re.search(r"\d\s*$", context.before(m.start())):
        return None
    measured = re.match(rf"{NUMBER}\s?(?:°|độ|oC|%|\Z)", context.text[m.end() : m.end() + 30])
    return Reading("âm", m.end()) if measured else None


@rule(rf"([xX×*])(?=\s?{NUMBER})")
def times(context: Context, m: re.Match[str]) -> Reading | None:
    """3x4 m -> ba nhân bốn mét."""
    return Reading("nhân", m.end()) if re.search(r"\d\s?(mm|cm|m)?\s?$", context.before(m.start())) else None


@rule(r"/\s?")
def per(context: Context, m: re.Match[str]) -> Reading | None:
    """đồng/kg -> một ki lô gam; km/h -> trên giờ; xã/phường -> a breath."""
    before = context.before(m.start())
    digits = re.match(r"\d", context.text[m.end() : m.end() + 1])
    if digits and re.search(r"\d\s?(h|giờ|g)\s?(\d\d)?$", before) and re.match(_D + "/" + _D, context.text[m.end() :]):
        return Reading("ngày", m.end())  # 7h/10/9
    if re.search(r"(^|[^\w])[a-z]$", before) and re.match(r"[A-Z]\d", context.text[m.end() :]):
        return Reading(" ", m.end())  # A/H1N1
    if digits:
        phones = re.search(r"\d[\d .]{7,}$", before)
        return Reading("," if phones else "trên", m.end())
    measured = re.search(r"\d[\d.,]*(?:[ ]?-[ ]?[\d.,]+)?(?:[ ]?[^\s\d]+){0,4}$", before)
    unit = _UNIT_AT.match(context.text, m.end())
    if unit and not unit[1] and (measured or unit[2] not in PER_ONE or not unit[2].isalpha() or len(unit[2]) <= 2):
        money = re.search(r"(đồng|vnđ|triệu|tỷ|đ|usd|nghìn)$", before)
        one = money or (unit[2] in PER_ONE and not before.endswith(("m3", "l", "kw")))
        return Reading(f"{'một' if one else 'trên'} {UNITS[unit[2]]}", unit.end())
    word = re.match(r"[^\W\d_]+", context.text[m.end() :])
    if word and measured and word[0].lower() in PER_ONE:
        return Reading("một", m.end())
    return Reading(",", m.end())


# -- codes, Roman numerals, abbreviations ----------------------------------------------------------------------------

_ROMAN = r"[IVXLC]{1,7}"


@rule(rf"({_ROMAN})(?:{DASH}({_ROMAN}))?(?![^\W_])(?!')")
def roman_numeral(context: Context, m: re.Match[str]) -> Reading | None:
    """khóa XV, quý III, báo động II-III, I. at the start of a line; alone only where it can be nothing else."""
    values = [numbers.roman(v) for v in (m[1], m[2]) if v]
    if None in values:
        return None
    before = context.before(m.start())
    noun = cues.ROMAN.search(before)
    heading = not before.strip() and re.match(r"\s?[.)/-]|\s*$", context.after(m.end()))
    alone = len(m[1]) > 1 and set(m[1]) <= set("IVX")
    if not noun and not heading and not alone:
        return None
    counted = noun is not None and noun[1] in ("thứ", "lần") and re.search(r"thứ\s+\S*\s*$", before)
    say = numbers.ordinal if counted else numbers.cardinal
    spoken = " đến ".join(say(v or 0) for v in values)
    return Reading(spoken, m.end(), "" if noun or heading else "hiểu là số La Mã")


@rule(r"T\.?(\d{1,2})(?:/((?:19|20)\d\d))(?!\d)")
def short_month(context: Context, m: re.Match[str]) -> Reading | None:
    if not 1 <= int(m[1]) <= 12:
        return None
    return Reading(f"tháng {numbers.month(int(m[1]))} năm {numbers.integer(m[2])}", m.end())


@rule(r"T([2-7])(?:\s?-\s?T?([2-7]))?(?![\d/\w])")
def weekday(context: Context, m: re.Match[str]) -> Reading | None:
    spoken = f"thứ {numbers.ordinal(int(m[1]))}" + (f" đến thứ {numbers.ordinal(int(m[2]))}" if m[2] else "")
    return Reading(spoken, m.end(), "hiểu là ngày trong tuần")


_ROADS = {"ĐT": "đường tỉnh", "ĐH": "đường huyện", "CT": "cao tốc", "Km": "ki lô mét", "KM": "ki lô mét"}


@rule(
    r"(?:[A-ZĐ][A-ZĐa-z&]{0,7}[.-]?\d|\d{1,3}[A-ZĐ]|\d{1,2}[a-zđ](?![^\W_]))[A-ZĐa-z0-9]*(?:[./-][A-ZĐ0-9]*\d)?(?![^\W_])"
)
def code(context: Context, m: re.Match[str]) -> Reading | None:
    """QL37, H5N1, 5A, ĐT.293, BQ.5: letters by name (or by the lexicon), short numbers as numbers."""
    if re.match(r"\d{1,3}[.,]\d{3}", m[0]):
        return None
    spoken, known = [], False
    for part in re.findall(r"[^\W\d_&]+|\d+|[.,](?=\d)", m[0]):
        if part in ".,":
            if not known:
                spoken.append("chấm")
        elif part.isdigit():
            long = len(part) > (3 if known else 2) or (len(part) > 1 and part[0] == "0")
            spoken.append(numbers.digits(part) if long else numbers.cardinal(int(part)))
        else:
            entry = _ROADS.get(part) or (context.lexicon.get(part) if len(part) > 1 else None)
            known |= entry is not None
            spoken.append(entry or (numbers.letters(part) if not part.islower() or not is_syllable(part) else part))
    return Reading(" ".join(spoken), m.end(), "" if known or len(m[0]) <= 4 else "mã hoặc ký hiệu, nên nghe thử")


@rule(r"\d+")
def any_digits(context: Context, m: re.Match[str]) -> Reading | None:
    """Whatever digits are left, so that none reaches a voice."""
    return Reading(numbers.digits(m[0]) if len(m[0]) > 6 or m[0][0] == "0" else numbers.integer(m[0]), m.end(),
                   "số đứng lẫn trong chữ")  # fmt: skip
