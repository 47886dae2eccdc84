"""Prices, sender names and marks, operator by operator."""

from __future__ import annotations

import pytest

from channels_adapters.core import brandname
from channels_adapters.core.interface import Content, Media, Recipient
from tests.adapters.contract import build

VIETTEL, VINAPHONE, MOBIFONE = "+84982345678", "+84912345678", "+84902345678"


def rendered(address: str, text: str = "Mai hop", category: str = "notice", **settings: str):
    adapter = build("sms_vnpt", None, "http://127.0.0.1:9", **settings)
    return adapter, adapter.render(Content(text, category=category), Recipient("1", address))


@pytest.mark.parametrize(
    ("address", "category", "cost"),
    [
        (VIETTEL, "notice", 420),
        (VIETTEL, "advertising", 650),
        (VINAPHONE, "advertising", 500),
        (MOBIFONE, "notice", 700),
        ("", "notice", 700),  # of nobody in particular: the dearest, so that a plan is never too low
    ],
)
def test_each_operator_has_its_price(address, category, cost):
    adapter, message = rendered(address, category=category)
    assert adapter.estimate(message).cost == cost


def test_each_segment_is_paid():
    adapter, message = rendered(VIETTEL, "ă" * 71)
    estimate = adapter.estimate(message)
    assert (estimate.parts, estimate.cost, estimate.encoding) == (2, 840, "UCS-2")


@pytest.mark.parametrize("table", ["Viettel", "Viettel x", "Viettel 1 2 3", "Vietel 420", "Viettel -5"])
async def test_a_table_nobody_can_read_is_named_in_a_sentence(table, provider, transport):
    with pytest.raises(ValueError) as caught:
        brandname.prices(table)
    assert str(caught.value).endswith(".")
    adapter = build("sms_vnpt", transport, provider.url, prices=table)
    assert str(caught.value) in [problem.text for problem in await adapter.check()]
    assert adapter.estimate(adapter.render(Content("x"), Recipient("1", VIETTEL))).cost == 0


def test_an_operator_that_takes_no_marks_gets_none():
    for address, text in ((VIETTEL, "Mai hop thon"), (VINAPHONE, "Mai họp thôn")):
        adapter, message = rendered(address, "Mai họp thôn", plain_operators="viettel, Itel")
        assert message.text == text
    adapter, message = rendered("", "Mai họp thôn", plain_operators="viettel, Itel")
    assert any("Itel, Viettel" in warning.text for warning in adapter.estimate(message).warnings)


def test_a_name_not_registered_with_an_operator_warns_and_never_refuses():
    for address, warned in ((VIETTEL, 0), (MOBIFONE, 1), ("", 1)):
        adapter, message = rendered(address, operators="Viettel, VinaPhone")
        warnings = adapter.estimate(message).warnings
        assert len(warnings) == warned and not any(warning.blocking for warning in warnings)


def test_advertising_needs_a_way_to_refuse():
    adapter, message = rendered(VIETTEL, category="advertising", refusal="")
    assert [warning.blocking for warning in adapter.estimate(message).warnings] == [True]
    assert message.text.startswith("[QC] ")
    adapter, message = rendered(VIETTEL, category="advertising", refusal="Từ chối: soạn TC gửi 9123")
    assert adapter.estimate(message).warnings == ()
    assert message.text == "[QC] Mai hop\nTừ chối: soạn TC gửi 9123"


@pytest.mark.parametrize("name", ["sms_esms", "sms_speedsms", "sms_viettel", "sms_fpt", "sms_stringee"])
def test_accounts_that_carry_no_advertising_say_so(name):
    adapter = build(name, None, "http://127.0.0.1:9", refusal="Từ chối: soạn TC")
    message = adapter.render(Content("x", category="advertising"), Recipient("1", VIETTEL))
    assert [warning.blocking for warning in adapter.estimate(message).warnings] == [True]


def test_a_text_of_too_many_parts_is_refused():
    with pytest.raises(ValueError, match="6 phần"):
        rendered(VIETTEL, "ă" * (67 * 5 + 1))
    rendered(VIETTEL, "ă" * (67 * 5 + 1), max_parts="6")


def test_a_picture_is_left_out_and_said_so():
    adapter = build("sms_vnpt", None, "http://127.0.0.1:9")
    message = adapter.render(Content("x", media=(Media("image"),)), Recipient("1", VIETTEL))
    assert ["chỉ phần chữ" in warning.text for warning in adapter.estimate(message).warnings] == [True]
