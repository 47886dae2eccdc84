"""Texts and receipts as SMPP 3.4 carries them. Pure functions.

A long text goes as several ``submit_sm`` with a user data header of a 16-bit reference (3GPP TS 23.040, 9.2.3.24.8):
``06 08 04 ref-high ref-low total number``. GSM-7 travels unpacked, one septet in an octet (data_coding 0); everything
else as UTF-16 big-endian (data_coding 8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from . import sms

HEADER = 7  # octets, its length octet included
MOST_PARTS = 255
UDHI = 0x40
DEFAULT, LATIN1, UCS2 = 0, 3, 8

_FROM_GSM7 = {code: character for character, code in sms.GSM7_CODES.items()}


@dataclass(frozen=True, slots=True)
class Part:
    short_message: bytes
    data_coding: int
    esm_class: int


def parts(text: str, reference: int) -> list[Part]:
    """The submit_sm of ``text``. ``reference``: 0 to 65535, another for each long message to the same number.

    Raises ValueError for a text of more than 255 parts.
    """
    gsm7 = sms.measure(text, HEADER).encoding == "GSM-7"
    segments = sms.segments(text, HEADER)
    if len(segments) > MOST_PARTS:
        raise ValueError("the text has more parts than a header can count")
    coding = DEFAULT if gsm7 else UCS2
    bodies = [
        b"".join(map(sms.GSM7_CODES.__getitem__, segment)) if gsm7 else segment.encode("utf-16-be", "surrogatepass")
        for segment in segments
    ]
    if len(bodies) == 1:
        return [Part(bodies[0], coding, 0)]
    head = bytes([6, 8, 4]) + reference.to_bytes(2, "big") + bytes([len(bodies)])
    return [Part(head + bytes([number]) + body, coding, UDHI) for number, body in enumerate(bodies, 1)]


class Piece(NamedTuple):
    """One received part: ``reference`` is None for a message in one part."""

    reference: int | None
    total: int
    number: int
    body: bytes


def piece(short_message: bytes, esm_class: int) -> Piece:
    """Take a received part's header off. Raises ValueError where it is not one."""
    if not esm_class & UDHI:
        return Piece(None, 1, 1, short_message)
    if not short_message or len(short_message) <= short_message[0]:
        raise ValueError("a user data header longer than the message")
    head, body = short_message[1 : 1 + short_message[0]], short_message[1 + short_message[0] :]
    while len(head) >= 2:
        kind, value, head = head[0], head[2 : 2 + head[1]], head[2 + head[1] :]
        if kind == 0 and len(value) == 3:
            return Piece(value[0], value[1], value[2], body)
        if kind == 8 and len(value) == 4:
            return Piece(int.from_bytes(value[:2], "big"), value[2], value[3], body)
    return Piece(None, 1, 1, body)


def decode(body: bytes, data_coding: int) -> str:
    """The text of a received message; what cannot be read is U+FFFD."""
    if data_coding == UCS2:
        return body.decode("utf-16-be", "replace")
    if data_coding == LATIN1:
        return body.decode("latin-1")
    characters, at = [], 0
    while at < len(body):
        size = 2 if body[at] == 0x1B else 1
        characters.append(_FROM_GSM7.get(body[at : at + size], "\ufffd"))
        at += size
    return "".join(characters)


# -- receipts -----------------------------------------------------------------------------------------------

RECEIPTED_MESSAGE_ID, MESSAGE_STATE, MESSAGE_PAYLOAD = 0x001E, 0x0427, 0x0424
# message_state (SMPP 3.4, 5.2.28) -> the word of a receipt's text (appendix B).
STATES = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
_FIELD = re.compile(r"(id|stat|err|done date):\s*([^\s]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SmppReceipt:
    id: str  # as the centre wrote it
    state: str  # one of STATES' words, or the centre's own
    error: str = ""
    done: str = ""  # YYMMDDhhmm[ss] in the centre's own time


def is_receipt(esm_class: int) -> bool:
    return esm_class & 0x3C == 0x04


def receipt(body: bytes, tlvs: Iterable[tuple[int, bytes]]) -> SmppReceipt:
    """By the optional parameters where they are, else by the text. Raises ValueError where neither names a message."""
    given = dict(tlvs)
    words = (body or given.get(MESSAGE_PAYLOAD, b"")).decode("latin-1").partition("text:")[0]
    fields = {name.lower(): value for name, value in reversed(_FIELD.findall(words))}
    identity = given.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1").strip() or fields.get("id", "")
    number = int.from_bytes(given.get(MESSAGE_STATE, b""), "big")
    state = STATES.get(number) or fields.get("stat", "").upper()
    if not (identity and state):
        raise ValueError("a receipt that names no message or no state")
    return SmppReceipt(identity, state, fields.get("err", ""), fields.get("done date", ""))


def forms(identity: str) -> tuple[str, ...]:
    """How a centre may write one id: hexadecimal in one place, decimal in the other, zeros in front."""
    plain = identity.strip().lower()
    found = [plain]
    if re.fullmatch(r"[0-9a-f]{1,16}", plain):
        found += [plain.lstrip("0") or "0", str(int(plain, 16))]
        if plain.isdecimal():
            found.append(f"{int(plain):x}")
    return tuple(dict.fromkeys(found))


def done_at(text: str) -> datetime | None:
    """The time of a receipt, naive."""
    for layout in ("%y%m%d%H%M%S", "%y%m%d%H%M"):
        try:
            if len(text) == {"%y%m%d%H%M%S": 12, "%y%m%d%H%M": 10}[layout]:
                return datetime.strptime(text, layout)
        except ValueError:
            return None
    return None
