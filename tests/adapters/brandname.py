"""What the cases of all sender-name gateways have in common."""

from __future__ import annotations

from channels_adapters.core.interface import Content
from tests.adapters.provider import Answer

TEXT = "Mai họp thôn lúc 8 giờ."
SETTINGS = {"sender": "BACNINH", "prices": "Viettel 420 650\nVinaPhone 500\n* 700"}
COMMON = {
    "good": {"0912 345 678": "+84912345678", "01662345678": "+84362345678"},
    "bad": ("", "abc", "0222 382 1234", "+12025550123"),
    "content": Content(TEXT),
    "empty": Content(" \n "),
}


def reply(value: object) -> Answer:
    return Answer.json(200, value)
