"""Each adapter against its stand-in: two programs written apart, from the same documentation."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from channels_adapters.core.http import HttpTransport
from channels_adapters.core.interface import Content, Message, Next, ReceiptState, Recipient, Request
from channels_adapters.core.registry import get as adapter_class

from .conftest import BOT, SID, TOKEN, Receiver, Sandbox

_COMMON = {"sender": "UBND-BN"}
ACCOUNTS = {
    "sms_twilio": {"account_sid": SID, "auth_token": TOKEN},
    "sms_esms": {"api_key": "SANDBOXESMSAPIKEY", "secret_key": "SANDBOXESMSSECRET"},
    "sms_speedsms": {"token": "sandbox-speedsms-token", "webhook_token": "0123456789abcdef"},
    "sms_vnpt": {
        "endpoint": "http://127.0.0.1:9",
        "agent_id": "111",
        "api_user": "ubnd_bacninh",
        "api_pass": "sandbox-vnpt-password",
        "user_name": "ubnd",
        "contract_id": "222",
        "label_id": "12345",
        "template_id": "67890",
    },
    "sms_viettel": {
        "endpoint": "http://127.0.0.1:9",
        "user": "ubnd_bacninh",
        "password": "sandbox-viettel-password",
        "cp_code": "UBNDBN",
    },
    "sms_fpt": {"client_id": "sandbox-fpt-client", "client_secret": "sandbox-fpt-secret"},
    "sms_stringee": {"api_key_sid": "SK.0.sandbox", "api_key_secret": "sandbox-stringee-key-secret-0000"},
    "http_gateway": {
        "endpoint": "http://127.0.0.1:9",
        "token": "sandbox-http-gateway-token",
        "signing_key": "sandbox-http-gateway-signing-key",
        "batch": "3",
    },
    "telegram": {"token": BOT, "webhook_secret": "a-secret-of-the-webhook"},
}


def build(name: str, sandbox: Sandbox, transport: HttpTransport, **changes: str):
    settings = {**_COMMON, **ACCOUNTS[name], **changes}
    return adapter_class(name)(settings, transport, sandbox_url=sandbox.url)


def message(adapter, address: str, reference: str, callback: str) -> Message:
    content = Content("UBND xã mời bà con họp lúc 8 giờ sáng mai")
    rendered = adapter.render(content, Recipient(reference, address))
    return Message(reference, address, rendered, callback)


def phone(name: str, ending: str) -> str:
    return adapter_class(name).validate(f"4242{ending}" if name == "telegram" else f"091234{ending}")


@pytest.fixture
async def transport():
    async with HttpTransport() as pool:
        yield pool


@pytest.mark.parametrize("name", ACCOUNTS)
async def test_one_send_is_accepted_once(name, sandbox: Sandbox, transport, receiver: Receiver):
    adapter = build(name, sandbox, transport)
    fatal = [p.text for p in await adapter.check() if p.fatal]
    assert fatal == []
    [outcome] = await adapter.send([message(adapter, phone(name, "5678"), "77", f"{receiver.url}/cb?r=77")])
    assert outcome.next is None, outcome
    assert sandbox.control("GET", "stats")["accepted"] == 1


@pytest.mark.parametrize("name", ACCOUNTS)
async def test_lost_replies_are_never_called_failures(name, sandbox, transport, receiver):
    adapter = build(name, sandbox, transport)
    for kind in ("lost_reply", "garbage"):
        sandbox.fault(kind)
        [outcome] = await adapter.send([message(adapter, phone(name, "5678"), kind, f"{receiver.url}/cb?r={kind}")])
        assert outcome.next is Next.UNSURE, (kind, outcome)
    assert sandbox.control("GET", "stats")["accepted"] == 2


@pytest.mark.parametrize("name", ACCOUNTS)
async def test_overload_is_tried_again(name, sandbox, transport, receiver):
    adapter = build(name, sandbox, transport)
    sandbox.fault("rate_limit")
    [outcome] = await adapter.send([message(adapter, phone(name, "5678"), "78", f"{receiver.url}/cb?r=78")])
    assert outcome.next is Next.RETRY, outcome
    assert sandbox.control("GET", "stats")["accepted"] == 0


@pytest.mark.parametrize("name", [n for n in ACCOUNTS if adapter_class(n).capabilities.receipts == "push"])
async def test_receipts_are_believed_and_forged_ones_are_not(name, sandbox, transport, receiver):
    adapter = build(name, sandbox, transport)
    sandbox.control("POST", "webhooks", {"speedsms": f"{receiver.url}/cb?k=0123456789abcdef"})
    sandbox.fault("receipt_forged")
    there, gone = (message(adapter, phone(name, e), e, f"{receiver.url}/cb?r={e}") for e in ("5678", "0001"))
    for one in (there, gone):
        [outcome] = await adapter.send([one])
        assert outcome.next is None, outcome
    states, believed = set(), 0
    for callback in await receiver.settle(sandbox):
        url = urlsplit(callback.url)
        request = Request("POST" if callback.body else "GET", callback.url, url.query, callback.headers, callback.body)
        if not adapter.verify(request):
            continue
        believed += 1
        parsed = adapter.parse(request)
        receipts = list(parsed.receipts) or await adapter.lookup([*parsed.ask])
        states |= {receipt.state for receipt in receipts}
    assert {ReceiptState.DELIVERED, ReceiptState.FAILED} <= states
    if name not in ("sms_esms", "sms_speedsms"):  # these two sign nothing
        assert believed < len(receiver.got)


async def test_many_messages_travel_in_one_request(sandbox, transport, receiver):
    adapter = build("http_gateway", sandbox, transport)
    batch = [message(adapter, phone("http_gateway", f"110{n}"), f"b{n}", f"{receiver.url}/cb?r=b{n}") for n in range(3)]
    assert [o.next for o in await adapter.send(batch)] == [None] * 3
    again = await adapter.send(batch)
    assert [o.next for o in again] == [None] * 3 and sandbox.control("GET", "stats")["accepted"] == 3
    await asyncio.wait_for(receiver.wait(1), 20)
