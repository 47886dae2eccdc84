"""Names and files in every odd form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcast.audience import normalise

NAMES = (
    "Nguyễn Văn Ánh", "Trần Thị Huệ", "Đỗ Đình Thưởng", "Vũ Ngọc Yến", "Giáp Thị Thuỷ", "Ngô Quỳnh Hương",
    "Bùi Hữu Nghĩa", "Đặng Quốc Khánh", "Lý Tự Trọng", "Phạm Thuỳ Dương", "Hoàng Kỷ", "Lưỡng Ỷ", "Nguyễn Thị Ngữ",
)  # fmt: skip
TO_TCVN3 = {ord(new): old for old, new in normalise._TCVN3.items()}


def to_vni(text: str) -> str:
    """As the VNI fonts store it, built from the letters themselves and not from the table under test."""
    single = {"đ": "ñ", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "í": "í", "ì": "ì", "ỵ": "î"}
    tones = {"\u0300": "ø", "\u0309": "û", "\u0303": "õ", "\u0301": "ù", "\u0323": "ï"}
    hat = {"": "â", "\u0301": "á", "\u0300": "à", "\u0309": "å", "\u0303": "ã", "\u0323": "ä"}
    breve = {"": "ê", "\u0301": "é", "\u0300": "è", "\u0309": "ú", "\u0303": "ü", "\u0323": "ë"}
    out = []
    for char in text:
        lower = char.lower()
        marks = unicodedata.normalize("NFD", lower)[1:]
        tone = next((m for m in marks if m in tones), "")
        base = unicodedata.normalize("NFD", lower)[0]
        if lower in single:
            old = single[lower]
        elif "\u0302" in marks:
            old = base + hat[tone]
        elif "\u0306" in marks:
            old = base + breve[tone]
        elif "\u031b" in marks:
            old = {"o": "ô", "u": "ö"}[base] + tones.get(tone, "")
        else:
            old = base + tones.get(tone, "")
        out.append(
            old.upper() if char.isupper() and len(old) == 1 else old[0].upper() + old[1:] if char.isupper() else old
        )
    return "".join(out)


def test_names_written_with_old_fonts_are_read():
    text = "\n".join(NAMES)
    lower = text.lower()  # the fonts write capitals with other fonts, not with other letters
    assert normalise.font_of(text) == ""
    old = lower.translate(TO_TCVN3)
    assert old != lower and normalise.font_of(old) == "TCVN3" and normalise.unfont(old, "TCVN3") == lower
    old = to_vni(text)
    assert normalise.font_of(old) == "VNI" and normalise.unfont(old, "VNI") == text
    assert normalise.font_of("Nguyen Van A, 0912345678") == ""


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_files(codec):
    data = ("Họ tên;Điện thoại\n" + "\n".join(NAMES)).encode(codec)
    assert data.decode(normalise.encoding_of(data)).endswith(NAMES[-1])
    assert normalise.encoding_of(b"Ho ten;Dien thoai") == "utf-8"


def test_a_letter_cut_at_the_end_of_the_sample():
    data = ("Nguyễn Văn Ánh\n" * 20 + "Trần Ệ").encode()
    assert normalise.encoding_of(data[:-1]) == "utf-8"


def test_windows_1258():
    data = b"".join(_cp1258(char) for char in "\n".join(NAMES))
    codec = normalise.encoding_of(data)
    assert codec == "cp1258"
    assert unicodedata.normalize("NFC", data.decode(codec)) == "\n".join(NAMES)


def _cp1258(char: str) -> bytes:
    try:
        return char.encode("cp1258")
    except UnicodeEncodeError:
        decomposed = unicodedata.normalize("NFD", char)
        tone = next(c for c in decomposed if c in "\u0300\u0309\u0303\u0301\u0323")
        rest = unicodedata.normalize("NFC", decomposed.replace(tone, ""))
        return (rest + tone).encode("cp1258")


@pytest.mark.parametrize("font", ["TCVN3", "VNI"])
def test_files_of_old_fonts(font):
    text = "\n".join(NAMES).lower()
    data = (text.translate(TO_TCVN3) if font == "TCVN3" else to_vni(text)).encode("cp1252")
    codec = normalise.encoding_of(data)
    assert codec == "cp1252"
    assert normalise.unfont(data.decode(codec), normalise.font_of(data.decode(codec))) == text


@pytest.mark.parametrize(
    "data", [b"\x00\x01\x02\x03" * 50, b"PK\x03\x04\x00\x00\x00\x00" * 9, bytes(range(128, 256)) * 3]
)
def test_what_is_no_text_is_refused(data):
    with pytest.raises(normalise.UnknownEncoding, match="lưu"):
        normalise.encoding_of(data)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  NGUYỄN   VĂN AN ", "Nguyễn Văn An"),
        ("nguyễn văn an", "Nguyễn Văn An"),
        (unicodedata.normalize("NFD", "Nguyễn Thị Hường"), "Nguyễn Thị Hường"),
        ("Ｎｇｕｙｅｎ\u3000Ｖan", "Nguyen Van"),
        ("Trần\u200b Thị\u00a0Hoa\ufeff", "Trần Thị Hoa"),
        ("H'Hen Niê", "H'Hen Niê"),
        ("Đỗ\tMười\r\n", "Đỗ Mười"),
    ],
)
def test_names(typed, name):
    assert normalise.name(typed) == name


@pytest.mark.parametrize("typed", ["", "  \u200b", "---", "0912345678", "Nguyễn Văn 3", "a@b.vn", "A" * 121])
def test_what_is_no_name(typed):
    with pytest.raises(ValueError, match="ọ tên"):
        normalise.name(typed)


@given(st.text(max_size=60))
def test_cleaning_is_stable_and_leaves_nothing_odd(text):
    once = normalise.clean(text)
    assert normalise.clean(once) == once
    assert not any(unicodedata.category(c) == "Cc" for c in once) and once == once.strip() and "  " not in once


@given(st.text(alphabet=st.characters(categories=["L", "Zs", "Mn"]), min_size=1, max_size=40))
def test_a_name_is_its_own_name(text):
    try:
        once = normalise.name(text)
    except ValueError:
        return
    assert normalise.name(once) == once or once.isupper() or once.islower()


@given(st.binary(max_size=400))
def test_bytes_are_read_or_refused(data):
    try:
        codec = normalise.encoding_of(data)
    except normalise.UnknownEncoding:
        return
    data.decode(codec, errors="replace")


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
def test_unicode_is_never_taken_for_an_old_font(names):
    assert normalise.font_of(" ".join(names)) == ""
