"""The text of an SMS: counted as a phone counts, cut so that it comes back whole."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels_adapters.core import sms

EXTENSION = "[]{}~^|\\€\f"
VIETNAMESE = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyAĂÂĐÊÔƠƯ áàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ.,0123456789"
)
TEXTS = st.one_of(
    st.text(alphabet=st.sampled_from(VIETNAMESE), max_size=500),
    st.text(alphabet=st.sampled_from("abc 123" + EXTENSION), max_size=700),
    st.text(alphabet=st.sampled_from("ếa😀🇻🇳"), max_size=300),
    st.text(max_size=400).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
)


def units(text: str, encoding: str) -> int:
    """Septets or UTF-16 code units, counted one character at a time."""
    if encoding == "GSM-7":
        return sum(2 if c in EXTENSION else 1 for c in text)
    return sum(2 if ord(c) > 0xFFFF else 1 for c in text)


@pytest.mark.parametrize(
    ("text", "encoding", "counted", "parts", "limit", "remaining"),
    [
        ("", "GSM-7", 0, 1, 160, 160),
        ("a" * 160, "GSM-7", 160, 1, 160, 0),
        ("a" * 161, "GSM-7", 161, 2, 306, 145),
        ("a" * 306, "GSM-7", 306, 2, 306, 0),
        ("a" * 307, "GSM-7", 307, 3, 459, 152),
        ("a" * 158 + "€", "GSM-7", 160, 1, 160, 0),
        ("a" * 159 + "€", "GSM-7", 161, 2, 306, 145),
        ("€" * 80, "GSM-7", 160, 1, 160, 0),
        ("€" * 81, "GSM-7", 162, 2, 306, 143),  # 76 whole pairs in the first part, 5 in the second
        ("a" * 152 + "€" + "a" * 151, "GSM-7", 305, 2, 306, 0),  # the pair does not fit behind the 152
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3, 459, 152),
        ("ế" * 70, "UCS-2", 70, 1, 70, 0),
        ("ế" * 71, "UCS-2", 71, 2, 134, 63),
        ("ế" * 134, "UCS-2", 134, 2, 134, 0),
        ("ế" * 135, "UCS-2", 135, 3, 201, 66),
        ("😀" * 35, "UCS-2", 70, 1, 70, 0),
        ("😀" * 36, "UCS-2", 72, 2, 134, 61),  # 33 in the first part
        ("ế" * 66 + "😀" + "ế" * 65, "UCS-2", 133, 2, 134, 0),
        ("ế" * 66 + "😀" + "ế" * 66, "UCS-2", 134, 3, 201, 66),
    ],
)
def test_sizes(text, encoding, counted, parts, limit, remaining):
    assert sms.measure(text) == sms.Size(encoding, counted, parts, limit, remaining)


def test_the_whole_alphabet_of_gsm7_and_its_extension_table():
    # 3GPP TS 23.038: 127 characters besides the escape, of which à è é ì ò ù are Vietnamese letters.
    basic = {chr(c) for c in range(0x20, 0x7F)} - set("`") - set("[]{}~^|\\")
    basic |= set("£¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà")
    assert len(basic) == 127
    for character in basic:
        assert sms.measure(character) == sms.Size("GSM-7", 1, 1, 160, 159), character
    for character in EXTENSION:
        assert sms.measure(character) == sms.Size("GSM-7", 2, 1, 160, 158), character
    for character in "`çđĐăâêôơưáÀ“”…\u00a0\t\x1b":
        assert sms.measure(character).encoding == "UCS-2", character


@settings(max_examples=1000)
@given(TEXTS)
@example("a" * 152 + "[" + "b" * 200)
@example("😀" * 200)
def test_segments_come_back_whole_and_fit(text):
    size, parts = sms.measure(text), sms.segments(text)
    assert "".join(parts) == text
    assert len(parts) == size.parts
    counted = [units(part, size.encoding) for part in parts]
    assert sum(counted) == size.units
    each = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[size.encoding][len(parts) > 1]
    assert size.limit == each * size.parts
    assert all(count <= each for count in counted)
    assert size.remaining == each - counted[-1]
    assert all(count >= each - 1 for count in counted[:-1]), "only a pair may leave a gap, of one unit"


@given(st.text(alphabet=st.sampled_from(VIETNAMESE), max_size=300))
def test_unaccented_vietnamese_is_ascii_whatever_its_form(text):
    bare = sms.unaccent(text)
    assert bare.isascii() and len(bare) == len(text)
    assert sms.unaccent(unicodedata.normalize("NFD", text)) == bare
    assert sms.measure(bare).encoding == "GSM-7"


@given(st.text())
def test_unaccenting_leaves_no_mark_and_is_done_once(text):
    bare = sms.unaccent(text)
    assert not any(unicodedata.category(c) == "Mn" for c in unicodedata.normalize("NFD", bare).replace("đ", "d"))
    assert sms.unaccent(bare) == bare


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Đường Hoàng Diệu, quận Ngũ Hành Sơn", "Duong Hoang Dieu, quan Ngu Hanh Son"),
        ("ĐỪNG QUÊN: tiền điện 1.250.000₫", "DUNG QUEN: tien dien 1.250.000₫"),
        ("tiếng Việt, 한국어, ไทย, café", "tieng Viet, 한국어, ไทย, cafe"),
    ],
)
def test_unaccent(text, bare):
    assert sms.unaccent(text) == bare


def test_plain_also_undoes_what_word_processors_do():
    assert sms.plain("“Họp” – 8h\u00a0sáng… ‘nhà’\u200b văn hóa •") == "\"Hop\" - 8h sang... 'nha' van hoa -"


def test_decomposed_text_is_composed_before_it_is_counted():
    text = "Ủy ban nhân dân"
    assert sms.measure(sms.nfc(unicodedata.normalize("NFD", text))).units == len(text)
    assert sms.nfc("a\r\nb") == "a\nb"


def test_offending_characters_are_named_once_in_order():
    found = sms.offenders("Họp “gấp”\u200b 8h 😀 họp gấp [1] ~\u0007")
    assert [(o.character, o.count, o.plain) for o in found] == [
        ("ọ", 2, "o"),
        ("“", 1, '"'),
        ("ấ", 2, "a"),
        ("”", 1, '"'),
        ("\u200b", 1, ""),
        ("😀", 1, "😀"),
        ("\u0007", 1, "\u0007"),
    ]
    assert [o.name for o in found][4:] == ["dấu cách rộng bằng không", "«😀»", "ký tự ẩn U+0007"]


@given(TEXTS)
def test_a_text_without_offenders_is_gsm7(text):
    assert (sms.offenders(text) == []) == (sms.measure(text).encoding == "GSM-7")


REFUSAL = "Từ chối nhận tin: soạn TC gửi 1234"


@pytest.mark.parametrize("text", ["Khuyến mãi", "[QC] Khuyến mãi", "[ad] Khuyến mãi"])
def test_advertising_is_labelled_at_its_start_and_refusable_at_its_end(text):
    advertisement = sms.advertisement(text, REFUSAL)
    assert advertisement.upper().startswith(("[QC] ", "[AD] ")) and advertisement.upper().count("[") == 1
    assert advertisement.endswith(f"\n{REFUSAL}")
    assert sms.advertisement(advertisement, REFUSAL) == advertisement
