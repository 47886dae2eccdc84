"""Segmentation, reassembly and receipts. Parts pass through the PDU codec of smpp34, which is not ours."""

from __future__ import annotations

import random
from datetime import datetime

import pytest
import smpp34
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_adapters.core import smpp_text, sms

VIETNAMESE = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyAĂÂBCDĐEÊGHIKLMNOÔƠPQRSTUƯVXY"
    "áàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ 0123456789.,;:!?()-\n"
)
texts = st.one_of(
    st.text(VIETNAMESE, min_size=1, max_size=900),
    st.text("abc ^{}\\[~]|€", min_size=1, max_size=900),
    st.text("ab😀🇻🇳ế ", min_size=1, max_size=400),
    st.text("aă\u0301\u0323đ€", min_size=1, max_size=400),
)


def over_the_wire(part: smpp_text.Part) -> smpp34.SubmitSm:
    pdu = smpp34.SubmitSm(
        "BACNINH", "84912345678", part.short_message, esm_class=part.esm_class, data_coding=part.data_coding
    )
    read = smpp34.decode(pdu.encode())
    assert isinstance(read, smpp34.SubmitSm)
    return read


@settings(max_examples=1000, deadline=None)
@given(texts, st.integers(0, 65535), st.randoms())
def test_a_thousand_texts_come_back_identical(text, reference, dice: random.Random):
    text = sms.nfc(text)
    sent = smpp_text.parts(text, reference)
    assert len(sent) == sms.measure(text, smpp_text.HEADER).parts
    received = [over_the_wire(part) for part in sent]
    dice.shuffle(received)
    pieces = [smpp_text.piece(pdu.short_message, pdu.esm_class) for pdu in received]
    assert {piece.reference for piece in pieces} == ({reference} if len(sent) > 1 else {None})
    assert {piece.total for piece in pieces} == {len(sent)}
    bodies = [piece.body for piece in sorted(pieces, key=lambda piece: piece.number)]
    # Each part can be read by itself: no escape and no surrogate pair is split over two.
    assert "".join(smpp_text.decode(body, received[0].data_coding) for body in bodies) == text
    for part in sent:
        # What fits on the air: 140 octets, which are 160 septets, a 7-octet header being worth 8 of them.
        packed = len(part.short_message) - 7 + 8 if part.esm_class else len(part.short_message)
        assert packed <= 160 if part.data_coding == smpp_text.DEFAULT else len(part.short_message) <= 140


def test_the_header_is_the_16_bit_one():
    first, second = smpp_text.parts("ă" * 67 + "b" * 60, 0xABCD)
    assert first.short_message[:7] == bytes.fromhex("060804abcd0201")
    assert second.short_message[:7] == bytes.fromhex("060804abcd0202")
    assert {first.esm_class, second.esm_class} == {0x40}


def test_a_text_of_too_many_parts_is_refused():
    with pytest.raises(ValueError):
        smpp_text.parts("ă" * (66 * 255 + 1), 1)


def test_an_old_8_bit_header_is_read_too():
    assert smpp_text.piece(bytes.fromhex("050003070201") + b"x", 0x40) == smpp_text.Piece(7, 2, 1, b"x")


@pytest.mark.parametrize("message", [b"", b"\x06", b"\x06\x08\x04\x00", b"\xff\x00"])
def test_a_header_longer_than_its_message_is_unreadable(message):
    with pytest.raises(ValueError):
        smpp_text.piece(message, 0x40)


WORDS = b"id:161 sub:001 dlvrd:001 submit date:2611230800 done date:2611230805 stat:UNDELIV err:011 text:stat:DELIVRD"


def test_a_receipt_is_read_from_its_text():
    assert smpp_text.receipt(WORDS, []) == smpp_text.SmppReceipt("161", "UNDELIV", "011", "2611230805")


def test_optional_parameters_go_before_the_text():
    tlvs = [(0x001E, b"00A1\0"), (0x0427, b"\x02")]
    assert smpp_text.receipt(WORDS, tlvs) == smpp_text.SmppReceipt("00A1", "DELIVRD", "011", "2611230805")
    assert smpp_text.receipt(b"", tlvs) == smpp_text.SmppReceipt("00A1", "DELIVRD")


@pytest.mark.parametrize("words", [b"", b"hello", b"id: stat:DELIVRD", b"id:5", b"\xff\xfe"])
def test_a_receipt_of_nothing_is_refused(words):
    with pytest.raises(ValueError):
        smpp_text.receipt(words, [])


@pytest.mark.parametrize(("one", "other"), [("00A1F301", "10613505"), ("a1f301", "10613505"), ("161", "0000000161")])
def test_hexadecimal_and_decimal_ids_meet(one, other):
    assert set(smpp_text.forms(one)) & set(smpp_text.forms(other))
    assert not set(smpp_text.forms(one)) & set(smpp_text.forms("999999999"))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2611230805", datetime(2026, 11, 23, 8, 5)),
        ("261123080507", datetime(2026, 11, 23, 8, 5, 7)),
        ("", None),
        ("9999999999", None),
        ("26112308", None),
    ],
)
def test_the_time_of_a_receipt(text, at):
    assert smpp_text.done_at(text) == at
