"""Small things all adapters lean on."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_adapters.core import multipart, options, optout, registry, signatures
from channels_adapters.core.redact import redacted
from channels_adapters.core.text import split, utf16_length

# -- registry -----------------------------------------------------------------------------------------------


def test_the_list_of_channels_costs_no_import():
    code = (
        "import sys; from channels_adapters.core import registry; registry.names();"
        "print([m for m in ('twilio', 'telegram', 'pyreqwest') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['pyreqwest']")


def test_an_unknown_channel():
    for name in ("pigeon", "core", "sandbox", "", "../os"):
        with pytest.raises(registry.UnknownAdapter):
            registry.get(name)


# -- signatures ---------------------------------------------------------------------------------------------


@given(st.text(min_size=1), st.binary(), st.integers(0, 2**33))
def test_a_timed_signature_holds_for_its_body_key_and_moment(key, body, now):
    header = signatures.sign_timed(key, body, now)
    assert signatures.is_signed_timed(key, body, header, now + 299)
    assert not signatures.is_signed_timed(key, body, header, now + 301)
    assert not signatures.is_signed_timed(key, body, header, now - 301)
    assert not signatures.is_signed_timed(key, body + b"x", header, now)
    assert not signatures.is_signed_timed(key + "x", body, header, now)
    assert not signatures.is_signed_timed("", body, signatures.sign_timed("", body, now), now)
    later = header.replace(f"t={now}", f"t={now + 10}")
    assert not signatures.is_signed_timed(key, body, later, now)


@given(st.text())
def test_no_text_is_a_signature(header):
    assert not signatures.is_signed_timed("key", b"body", header, time.time())
    assert not signatures.is_hmac_hex("key", b"body", header)
    assert not signatures.is_hmac_base64("key", b"body", header)


def test_known_signatures():
    # RFC 4231, test case 2, and RFC 2202, test case 2
    data = b"what do ya want for nothing?"
    assert signatures.is_hmac_hex("Jefe", data, "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843")
    assert signatures.hmac_hex("Jefe", data, "sha1") == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    assert signatures.is_hmac_base64("Jefe", data, "7/zfauXrL6LSdBbV8YTfnCWafHk=", "sha1")
    assert signatures.basic_auth("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_an_empty_key_signs_nothing():
    assert not signatures.same("", "")
    assert not signatures.is_hmac_hex("", b"", signatures.hmac_hex("", b""))


# -- opting out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        "Stop.",
        "TC",
        "tu choi",
        "Từ chối",
        "TỪ CHỐI QC",
        " hủy ",
        "Huỷ!",
        "Dừng nhận tin",
        "Dừng.",
        "thôi",
    ],
)
def test_refusals(text):
    assert optout.keyword(text) == "opt_out"


@pytest.mark.parametrize("text", ["START", "đăng ký", "ĐK", "Nhận lại"])
def test_wishes_to_start_again(text):
    assert optout.keyword(text) == "opt_in"


@pytest.mark.parametrize(
    "text",
    ["", "Hủy lịch hẹn thế nào?", "tôi từ chối trả lời", "không", "Có", "1", "stopwatch", "đúng", "dung", "?" * 70],
)
def test_other_answers(text):
    assert optout.keyword(text) is None


# -- cutting ------------------------------------------------------------------------------------------------

WORDS = st.lists(
    st.sampled_from(["Bà", "con", "đến.", "trạm", "y", "tế!\n", "\n\n", "TP.", "😀", "a" * 30]), max_size=80
)


@given(WORDS.map(" ".join), st.integers(4, 60))
def test_parts_fit_and_nothing_but_white_space_is_lost(text, limit):
    parts = split(text, limit)
    assert all(0 < utf16_length(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("", 10, []),
        ("ngắn", 10, ["ngắn"]),
        ("Một câu. Hai câu. Ba câu.", 18, ["Một câu. Hai câu.", "Ba câu."]),
        ("Đoạn một dài\n\nĐoạn hai. Câu nữa", 24, ["Đoạn một dài", "Đoạn hai. Câu nữa"]),
        ("Về TP. Bắc Giang và xã", 12, ["Về TP. Bắc", "Giang và xã"]),
        ("khôngcódấucáchnào", 5, ["không", "códấu", "cáchn", "ào"]),
        ("😀😀😀", 4, ["😀😀", "😀"]),
    ],
)
def test_cuts_fall_where_a_reader_pauses(text, limit, parts):
    assert split(text, limit) == parts


# -- the rest -----------------------------------------------------------------------------------------------


def test_a_form_with_files_reads_back():
    name = 'bản "tin"\r\n.mp3'
    kind, body = multipart.encode(
        {"chat_id": "1", "caption": "Xin chào\n--"}, {"audio": (name, b"\r\n--\x00", "audio/mpeg")}
    )
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    chat, caption, audio = message.get_payload()
    assert chat.get_payload(decode=True) == b"1"
    assert caption.get_payload(decode=True).decode() == "Xin chào\n--"
    assert audio.get_payload(decode=True) == b"\r\n--\x00" and audio.get_content_type() == "audio/mpeg"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The 'To' number +84912345678 is not valid", "The 'To' number … is not valid"),
        ("chat 0912 345 678\nwas @hoa_nguyen", "chat … was …"),
        (None, ""),
        ("Error 21211 at 2026", "Error 21211 at 2026"),
    ],
)
def test_redacted(text, kept):
    assert redacted(text, "@hoa_nguyen") == kept


@pytest.mark.parametrize("value", [True, 1, "1", "on", "True", " có "])
def test_a_ticked_box(value):
    assert options.is_on(value)


@pytest.mark.parametrize("value", [False, 0, None, "", "0", "off", "không"])
def test_an_empty_box(value):
    assert not options.is_on(value)


def test_numbers_and_times_of_forms():
    assert [options.whole(value, "Giá") for value in ("1.100", " 7 ", "", 0)] == [1100, 7, 0, 0]
    for bad in ("-1", "1,5", "mười", "²"):
        with pytest.raises(ValueError, match="«Giá»"):
            options.whole(bad, "Giá")
    assert options.moment("2026-11-23T15:00:00+07:00", "Giờ") == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert options.moment("", "Giờ") is None
    for bad in ("mai", "2026-11-23T15:00:00", "32/13"):
        with pytest.raises(ValueError, match="«Giờ»"):
            options.moment(bad, "Giờ")
