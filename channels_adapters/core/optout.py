"""What a citizen means by a one-word answer: stop, or start again.

A whole message has to be such a word: «Hủy lịch hẹn thế nào?» is a question, not a refusal.
"""

from __future__ import annotations

import re
from typing import Literal

from .sms import nfc, plain

# English words: the defaults of Twilio's opt-out handling. Vietnamese ones: what Decree 91/2020/NĐ-CP, article
# 16, makes senders teach («TC», «TU CHOI»), and how people vary it.
_STOP = frozenset(
    {
        "STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "REVOKE", "OPTOUT", "CANCEL",
        "TC", "TU CHOI", "TUCHOI", "TC QC", "TU CHOI QC", "TU CHOI NHAN TIN", "TU CHOI TIN NHAN",
        "HUY", "HUY DK", "HUY DANG KY", "HUY NHAN TIN", "HUY TIN NHAN",
        "DUNG NHAN TIN", "DUNG GUI", "DUNG GUI NUA", "DUNG NHAN", "DUNG LAI",
        "NGUNG", "NGUNG NHAN TIN", "NGUNG GUI", "THOI", "KHONG NHAN TIN", "KHONG NHAN TIN NUA", "KHONG NHAN NUA",
    }
)  # fmt: skip
_STOP_WITH_MARKS = frozenset({"DỪNG"})  # without its mark it may as well be «đúng», an answer to a question
_START = frozenset(
    {
        "START", "UNSTOP", "OPTIN", "SUBSCRIBE",
        "DK", "DANG KY", "DANG KI", "DK NHAN TIN", "DANG KY NHAN TIN", "NHAN TIN", "NHAN LAI", "NHAN TIN LAI",
    }
)  # fmt: skip


def keyword(text: str) -> Literal["opt_out", "opt_in"] | None:
    """The wish a message states, with or without marks, in any case, whatever the punctuation."""
    if len(text) > 60:
        return None
    words = " ".join(re.findall(r"[A-Z0-9]+", plain(text).upper()))
    if words in _STOP or nfc(text).strip(" .!,;\n").upper() in _STOP_WITH_MARKS:
        return "opt_out"
    return "opt_in" if words in _START else None
