"""The contract of every adapter, told by its cases. A new channel adds a module and a file of cases, nothing here."""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import time_machine

from channels_adapters.core import registry
from channels_adapters.core.interface import Next, Query, Reason, Recipient
from tests.adapters.contract import REFERENCE, Cases, altered, build, cases_of, guessed, message, unsigned
from tests.adapters.provider import Answer, closed_port

NAMES = registry.names()
DOCS = Path(__file__).parents[2] / "docs"

each_adapter = pytest.mark.parametrize("name", NAMES)


def each(what: str, *, required: bool = False):
    """Parametrise over (adapter, item) of one list of its cases."""
    rows = [
        pytest.param(name, item, id=f"{name}-{getattr(item, 'name', item)}")
        for name in NAMES
        for item in getattr(cases_of(name), what)
    ]
    assert rows or not required
    return pytest.mark.parametrize(("name", "item"), rows)


@pytest.fixture
def cases(name: str) -> Cases:
    return cases_of(name)


def is_sentence(text: str) -> bool:
    return len(text) > 12 and text[0].isupper() and text[-1] in ".?!" and "\n" not in text


# -- what it says about itself ------------------------------------------------------------------------------


@each_adapter
def test_it_has_a_row_in_the_documentation(name):
    page = (DOCS / "channels.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|") and f"`{name}`" in line]
    assert len(rows) == 1, f"docs/channels.md needs one row for {name}"
    assert f"\n## {registry.get(name).capabilities.label}\n" in page, "and a guide to set it up"


def test_the_order_of_channels_never_changes():
    families = [adapter.capabilities.family for adapter in registry.all_adapters()]
    assert families == sorted(families, key=registry.FAMILIES.index)
    assert {adapter.name for adapter in registry.all_adapters()} == set(NAMES)


@each_adapter
def test_its_capabilities_hold_together(name):
    adapter = registry.get(name)
    can = adapter.capabilities
    assert can.label and can.max_batch >= 1 and can.in_flight >= 1
    fields = [field.name for field in (*can.fields, *can.content_fields)]
    assert len(fields) == len(set(fields)) and all(field.label for field in can.fields)
    assert all(field.required or not field.secret or field.label for field in can.fields)
    assert not can.local or {"base_url", "token"} <= set(fields)
    assert (can.receipts == "push") == bool([s for s in cases_of(name).callbacks if s.receipts or s.ask])
    assert can.two_way == bool([s for s in cases_of(name).callbacks if s.inbound])


# -- before sending -----------------------------------------------------------------------------------------


@each_adapter
def test_good_addresses_become_canonical(name, cases):
    adapter = registry.get(name)
    for typed, canonical in cases.good.items():
        assert adapter.validate(typed) == canonical
        assert adapter.validate(canonical) == canonical


@each("bad", required=True)
def test_bad_addresses_are_refused_with_a_sentence(name, item):
    with pytest.raises(ValueError) as caught:
        registry.get(name).validate(item)
    assert is_sentence(str(caught.value))


@each_adapter
async def test_nothing_to_send_is_refused_with_a_sentence(name, cases, transport):
    adapter = build(name, transport, "http://127.0.0.1:9")
    with pytest.raises(ValueError) as caught:
        message(adapter, cases, cases.empty)
    assert is_sentence(str(caught.value))


@each_adapter
async def test_an_estimate_counts_parts_and_whole_dong(name, cases, transport):
    adapter = build(name, transport, "http://127.0.0.1:9")
    rendered = message(adapter, cases).rendered
    estimate = adapter.estimate(rendered)
    assert estimate.parts >= 1 and isinstance(estimate.cost, int) and estimate.cost >= 0
    assert estimate.characters > 0
    assert all(is_sentence(warning.text) for warning in estimate.warnings)
    assert adapter.split(rendered)


@each_adapter
async def test_the_personal_text_goes_before_the_common_one(name, cases, transport):
    adapter = build(name, transport, "http://127.0.0.1:9")
    recipient = Recipient(REFERENCE, cases.address, body="Riêng cho bà Hoa", media=cases.content.media)
    assert "Riêng cho bà Hoa" in adapter.render(cases.content, recipient).text


@each_adapter
async def test_text_is_composed_before_it_is_sent(name, cases, transport):
    adapter = build(name, transport, "http://127.0.0.1:9")
    composed = "Bắc Ninh, Từ Sơn, Lục Ngạn"
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    recipient = Recipient(REFERENCE, cases.address, body=decomposed)
    assert composed in adapter.render(cases.content, recipient).text


# -- sending ------------------------------------------------------------------------------------------------


@each_adapter
async def test_an_accepted_message_is_one_request_in_the_providers_form(name, cases, provider, transport):
    adapter = build(name, transport, provider.url)
    provider.will(cases.accepted)
    (outcome,) = await adapter.send([message(adapter, cases)])
    assert outcome.next is None and outcome.reason is None
    assert (outcome.reference, outcome.provider_id) == (REFERENCE, cases.provider_id)
    assert outcome.delivered is cases.delivered
    (seen,) = provider.seen
    cases.asks(seen)


@each("failures", required=True)
async def test_each_refusal_names_what_to_do(name, item, provider, transport):
    cases = cases_of(name)
    adapter = build(name, transport, provider.url)
    provider.will(item.answer)
    (outcome,) = await adapter.send([message(adapter, cases)])
    assert (outcome.next, outcome.reason) == (item.next, item.reason)
    assert outcome.reference == REFERENCE and outcome.provider_id == ""
    assert outcome.after == item.after and outcome.address == item.address
    assert len(provider.seen) == 1
    assert_discreet(outcome, cases)


@each_adapter
async def test_too_many_requests_waits_as_long_as_told(name, cases, provider, transport):
    adapter = build(name, transport, provider.url)
    provider.will(Answer(429, b"slow down", {"Retry-After": "17"}))
    (outcome,) = await adapter.send([message(adapter, cases)])
    assert (outcome.next, outcome.reason, outcome.after) == (Next.RETRY, Reason.RATE_LIMITED, 17.0)
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    provider.will(Answer(429, b"", {"Retry-After": later}))
    (outcome,) = await adapter.send([message(adapter, cases)])
    assert outcome.next is Next.RETRY and outcome.after is not None and 3500 < outcome.after <= 3600


@each_adapter
@pytest.mark.parametrize(
    ("status", "next_", "reason"),
    [
        (500, Next.RETRY, Reason.PROVIDER_ERROR),
        (503, Next.RETRY, Reason.PROVIDER_ERROR),
        (502, Next.UNSURE, Reason.LOST_REPLY),
        (504, Next.UNSURE, Reason.LOST_REPLY),
        (307, Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
        (401, Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    ],
)
async def test_a_status_with_a_strangers_body(name, cases, status, next_, reason, provider, transport):
    adapter = build(name, transport, provider.url)
    provider.will(Answer(status, b"<html>gateway</html>", {"Location": "/x", "Content-Type": "text/html"}))
    (outcome,) = await adapter.send([message(adapter, cases)])
    assert (outcome.next, outcome.reason) == (next_, reason)
    assert len(provider.seen) == 1


GARBAGE = (b"", b"<html>ok</html>", b"\xff\xfe\x00", b"{}", b"[]", b"[1]", b"null", b"1", b'"x"', b'{"ok": true}', b"{")


@each_adapter
@pytest.mark.parametrize("body", GARBAGE, ids=repr)
async def test_a_success_nobody_can_read_is_unsure(name, cases, body, provider, transport):
    adapter = build(name, transport, provider.url)
    for status in (200, 201):
        provider.will(Answer(status, body))
        (outcome,) = await adapter.send([message(adapter, cases)])
        assert (outcome.next, outcome.reason) == (Next.UNSURE, Reason.LOST_REPLY)


@each("unreadable")
async def test_a_success_without_its_id_is_unsure(name, item, provider, transport):
    adapter = build(name, transport, provider.url)
    provider.will(item)
    (outcome,) = await adapter.send([message(adapter, cases_of(name))])
    assert (outcome.next, outcome.reason) == (Next.UNSURE, Reason.LOST_REPLY)


@each_adapter
@pytest.mark.parametrize("fault", ["cut", "reset", "half", "not http", "refuse to read", "stall", "stalled half"])
async def test_a_lost_reply_is_unsure_and_not_repeated(name, cases, fault, provider, hurried):
    adapter = build(name, hurried, provider.url)
    provider.will(fault)
    (outcome,) = await adapter.send([message(adapter, cases)])
    assert (outcome.next, outcome.reason, outcome.reference) == (Next.UNSURE, Reason.LOST_REPLY, REFERENCE)
    assert len(provider.seen) <= 1
    assert_discreet(outcome, cases)


@each_adapter
async def test_a_provider_that_is_not_there_was_not_reached(name, cases, transport):
    adapter = build(name, transport, f"http://127.0.0.1:{closed_port()}")
    (outcome,) = await adapter.send([message(adapter, cases)])
    assert (outcome.next, outcome.reason) == (Next.RETRY, Reason.NETWORK)
    assert_discreet(outcome, cases)


@each_adapter
async def test_an_impossible_address_of_the_provider_stops_the_account(name, cases, transport):
    adapter = build(name, transport, "nowhere")
    (outcome,) = await adapter.send([message(adapter, cases)])
    assert (outcome.next, outcome.reason) == (Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED)


@each_adapter
async def test_a_settings_form_left_empty_never_raises(name, cases, provider, transport):
    adapter = build(name, transport, provider.url)
    sample = message(adapter, cases)
    bare = build(name, transport, provider.url, **dict.fromkeys(cases.settings, ""))
    provider.will(Answer(401, b"{}"))
    (outcome,) = await bare.send([sample])
    assert outcome.next is Next.PAUSE_ACCOUNT
    assert all(is_sentence(problem.text) for problem in await bare.check())
    for signed in cases.callbacks:
        assert not bare.verify(signed.request)


@each_adapter
async def test_nothing_personal_or_secret_is_logged(name, cases, provider, transport, caplog):
    caplog.set_level(logging.DEBUG)
    adapter = build(name, transport, provider.url)
    sample = message(adapter, cases)
    refused = [failure.answer for failure in cases.failures]
    for answer in (cases.accepted, *refused, Answer(200, b"garbage"), Answer(500, b"garbage"), "cut"):
        provider.will(answer)
        await adapter.send([sample])
    for signed in cases.callbacks:
        adapter.verify(signed.request)
        adapter.parse(signed.request)
    await adapter.check()
    for private in (*cases.secrets, cases.address.lstrip("+@"), sample.rendered.text):
        assert private not in caplog.text


# -- after sending ------------------------------------------------------------------------------------------


@each_adapter
async def test_correcting(name, cases, provider, transport):
    adapter = build(name, transport, provider.url)
    sample = message(adapter, cases)
    if not adapter.capabilities.corrects:
        assert cases.corrected is None
        with pytest.raises(NotImplementedError):
            await adapter.correct(sample, cases.provider_id)
        return
    assert cases.corrected
    provider.will(cases.corrected)
    outcome = await adapter.correct(sample, cases.provider_id)
    assert outcome.next is None and outcome.provider_id == cases.provider_id
    assert len(provider.seen) == 1
    for answer, next_ in ((Answer(503), Next.RETRY), (Answer(401), Next.PAUSE_ACCOUNT), ("cut", Next.UNSURE)):
        provider.will(answer)
        assert (await adapter.correct(sample, cases.provider_id)).next is next_


@each_adapter
async def test_taking_back(name, cases, provider, transport):
    adapter = build(name, transport, provider.url)
    if not adapter.capabilities.retracts:
        assert cases.retracted is None
        with pytest.raises(NotImplementedError):
            await adapter.retract(REFERENCE, cases.provider_id, cases.address)
        return
    assert cases.retracted
    provider.will(cases.retracted)
    outcome = await adapter.retract(REFERENCE, cases.provider_id, cases.address)
    assert outcome.next is None
    assert len(provider.seen) == 1
    for answer, next_ in ((Answer(503), Next.RETRY), (Answer(401), Next.PAUSE_ACCOUNT), ("cut", Next.UNSURE)):
        provider.will(answer)
        assert (await adapter.retract(REFERENCE, cases.provider_id, cases.address)).next is next_


@each_adapter
async def test_the_connection_check(name, cases, provider, transport):
    adapter = build(name, transport, provider.url)
    provider.will(*cases.healthy)
    assert await adapter.check() == []
    for answer in (Answer(401, b"{}"), Answer(500), "cut"):
        provider.will(answer)
        problems = await adapter.check()
        assert problems and all(is_sentence(problem.text) for problem in problems)
        assert any(problem.fatal for problem in problems)
    unreachable = build(name, transport, f"http://127.0.0.1:{closed_port()}")
    assert [problem for problem in await unreachable.check() if problem.fatal]


@each_adapter
async def test_looking_up_says_nothing_when_nothing_can_be_known(name, cases, provider, transport):
    adapter = build(name, transport, provider.url)
    asked = [(REFERENCE, "", cases.address), Query(REFERENCE, cases.provider_id, cases.address)]
    for answer in (Answer(500), Answer(401), Answer(200, b"garbage"), "cut"):
        provider.will(answer)
        assert await adapter.lookup(asked) == []


# -- what comes back ----------------------------------------------------------------------------------------


@each("callbacks")
async def test_a_genuine_callback_is_believed_and_read(name, item, transport):
    adapter = build(name, transport, "http://127.0.0.1:9")
    with time_machine.travel(item.signed_at):
        assert adapter.verify(item.request)
    read = adapter.parse(item.request)
    assert (read.receipts, read.inbound, read.ask) == (item.receipts, item.inbound, item.ask)
    assert 200 <= adapter.reply(item.request).status < 300


@each("callbacks")
async def test_a_repeated_callback_says_the_same_so_it_changes_nothing(name, item, transport):
    adapter = build(name, transport, "http://127.0.0.1:9")
    first, second = adapter.parse(item.request), adapter.parse(item.request)
    assert first == second
    assert all(inbound.provider_id for inbound in first.inbound)
    assert all(receipt.reference or receipt.provider_id or receipt.until for receipt in first.receipts)


@each("callbacks")
async def test_a_forged_callback_is_refused(name, item, transport):
    cases = cases_of(name)
    adapter = build(name, transport, "http://127.0.0.1:9")
    assert not adapter.verify(unsigned(item.request, cases))
    assert not adapter.verify(guessed(item.request, cases))
    assert cases.signing_secrets
    others = dict.fromkeys(cases.signing_secrets, "SECRET of somebody else")
    assert not build(name, transport, "http://127.0.0.1:9", **others).verify(item.request)
    if cases.signs_body:
        assert not adapter.verify(altered(item.request))
    if cases.signs_url:
        elsewhere = replace(item.request, url=item.request.url.replace("0190", "0191"))
        assert not adapter.verify(replace(elsewhere, query=elsewhere.url.partition("?")[2]))


@each_adapter
async def test_a_stale_callback_is_refused(name, cases, transport):
    if cases.stale is None:
        pytest.skip("the provider dates no callback")
    assert not build(name, transport, "http://127.0.0.1:9").verify(cases.stale())


@each("callbacks")
@pytest.mark.parametrize("body", [*GARBAGE, b'{"update_id": {}}', b"a=b&c", b"\x00" * 50], ids=repr)
async def test_an_unreadable_callback_is_a_value_error_at_worst(name, item, body, transport):
    adapter = build(name, transport, "http://127.0.0.1:9")
    request = replace(item.request, body=body)
    assert not cases_of(name).signs_body or not adapter.verify(request)
    try:
        adapter.parse(request)
    except ValueError:
        return


@each_adapter
async def test_without_callbacks_everything_is_refused(name, cases, transport):
    if cases.callbacks:
        pytest.skip("has callbacks, tested above")
    from tests.adapters.test_sms_twilio import CASES

    assert not build(name, transport, "http://127.0.0.1:9").verify(CASES.callbacks[0].request)


def assert_discreet(outcome, cases: Cases) -> None:
    shown = f"{outcome.code} {outcome.detail}"
    assert "\n" not in shown and len(outcome.detail) <= 500
    for private in (*cases.secrets, cases.address.lstrip("+@")):
        assert private not in shown
