"""Phone numbers as people type them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_adapters.core import phone

# Each mobile prefix of today, and a handset's digits.
PREFIXES = sorted(phone._BY_PREFIX)
MOBILE = st.builds(lambda prefix, rest: f"{prefix}{rest:07d}", st.sampled_from(PREFIXES), st.integers(0, 9_999_999))
SEPARATORS = st.sampled_from(["", " ", ".", "-", "  ", "\u00a0", "–"])
FULL_WIDTH = str.maketrans("0123456789+()", "０１２３４５６７８９＋（）")


@given(
    MOBILE,
    st.sampled_from(["0", "84", "+84", "+84 (0) ", "+84 0", "0084", "(+84)", "084", ""]),
    SEPARATORS,
    st.booleans(),
)
def test_every_way_to_write_a_mobile_number_means_the_same(number, start, separator, full_width):
    if start in ("084", ""):  # a spreadsheet's ways: only where they cannot be another number
        typed = number if start == "" else f"0{number}"
    else:
        typed = f"{start}{separator}{number[:2]}{separator}{number[2:5]}{separator}{number[5:]}"
    if start == "(+84)":
        typed = f"+84 ({number[:2]}) {number[2:]}"
    typed = typed.translate(FULL_WIDTH) if full_width else typed
    assert phone.mobile(typed) == f"+84{number}"
    assert phone.mobile(f"+84{number}") == f"+84{number}"


# Decision 798/QĐ-BTTTT of 2018: old prefix, today's prefix, operator.
CHANGED = """
0162 032 Viettel / 0163 033 Viettel / 0164 034 Viettel / 0165 035 Viettel / 0166 036 Viettel / 0167 037 Viettel
0168 038 Viettel / 0169 039 Viettel / 0120 070 MobiFone / 0121 079 MobiFone / 0122 077 MobiFone / 0126 076 MobiFone
0128 078 MobiFone / 0123 083 VinaPhone / 0124 084 VinaPhone / 0125 085 VinaPhone / 0127 081 VinaPhone
0129 082 VinaPhone / 0186 056 Vietnamobile / 0188 058 Vietnamobile / 0199 059 Gmobile
"""


@pytest.mark.parametrize("change", [line.strip() for line in CHANGED.replace("\n", "/").split("/") if line.strip()])
def test_eleven_digit_numbers_got_new_prefixes_in_2018(change):
    old, new, operator = change.split()
    for typed in (f"{old}2345678"[:11], f"+84{old[1:]}2345678"[:13]):
        found = phone.parse(typed)
        assert (found.e164, found.kind, found.operator) == (f"+84{new[1:]}2345678", "mobile", operator)


@pytest.mark.parametrize(
    ("typed", "kind", "e164"),
    [
        ("0222 3822 123", "landline", "+842223822123"),
        ("(024) 3825 1234", "landline", "+842438251234"),
        ("19001000", "service", "19001000"),
        ("1900 6600", "service", "19006600"),
        ("1800 1091", "service", "18001091"),
        ("113", "service", "113"),
        ("5656", "service", "5656"),
        ("+1 202 555 0123", "foreign", "+12025550123"),
        ("0065 9123 4567", "foreign", "+6591234567"),
    ],
)
def test_numbers_that_get_no_sms_are_recognised_and_refused(typed, kind, e164):
    found = phone.parse(typed)
    assert (found.kind, found.e164) == (kind, e164)
    with pytest.raises(ValueError) as caught:
        phone.mobile(typed)
    assert str(caught.value).endswith(".") and "số" in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("", "Chưa có"),
        ("   ", "Chưa có"),
        ("091234567", "thiếu"),
        ("09123456789", "không hợp lệ"),
        ("0912345678901", "thừa"),
        ("0512345678901", "thừa"),
        ("chị Hoa", "chữ số"),
        ("0912345678x", "chữ số"),
        ("0912+345678", "dấu cộng"),
        ("+", "không"),
        ("0312345678901234567890", "thừa"),
        ("+999 123", "không"),
        ("0540123456", "đầu số"),
    ],
)
def test_what_is_wrong_is_said(typed, word):
    with pytest.raises(ValueError) as caught:
        phone.parse(typed)
    assert word in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_a_sentence(text):
    try:
        found = phone.parse(text)
    except ValueError as error:
        assert str(error)[0].isupper() and str(error).endswith(".")
    else:
        assert phone.parse(found.e164).e164 == found.e164 or found.kind == "service"


@given(MOBILE)
def test_operators_go_by_prefix(number):
    found = phone.parse(f"+84{number}")
    assert found.operator == phone.operator(found.e164) != ""
    assert found.national == f"0{number}"


def test_our_prefixes_are_those_of_the_numbering_plan():
    """A prefix is right when the plan has a mobile number with it."""
    for prefix in PREFIXES:
        numbers = (f"+84{prefix}{head}12345" for head in range(10, 100))
        assert any(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers), prefix
