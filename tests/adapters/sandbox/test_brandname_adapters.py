"""Our adapters of the Vietnamese gateways against the sandbox, which shares no code with them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from channels_adapters.core import registry
from channels_adapters.core.interface import Content, Message, Next, ReceiptState, Recipient, Request
from tests.adapters.sandbox.conftest import Receiver, Sandbox

TOKEN = "sandbox-smpp-link-token"
ACCOUNTS = {
    "sms_esms": {"api_key": "SANDBOXESMSAPIKEY", "secret_key": "SANDBOXESMSSECRET"},
    "sms_speedsms": {"token": "sandbox-speedsms-token", "webhook_token": "0123456789abcdef"},
    "sms_vnpt": {
        "agent_id": "111", "api_user": "ubnd_bacninh", "api_pass": "sandbox-vnpt-password", "user_name": "loa",
        "contract_id": "222", "label_id": "12345", "template_id": "67890",
    },
    "sms_viettel": {"user": "ubnd_bacninh", "password": "sandbox-viettel-password", "cp_code": "UBNDBN"},
    "sms_fpt": {"client_id": "sandbox-fpt-client", "client_secret": "sandbox-fpt-secret"},
    "sms_stringee": {"api_key_sid": "SK.0.sandbox", "api_key_secret": "sandbox-stringee-key-secret-0000"},
    "sms_smpp": {"link_token": TOKEN},
}  # fmt: skip
each = pytest.mark.parametrize("name", ACCOUNTS)


def built(name: str, transport, sandbox: Sandbox, **changes: str):
    return registry.get(name)({"sender": "UBND-BN", **ACCOUNTS[name], **changes}, transport, sandbox_url=sandbox.url)


async def send(adapter, callback: str = "", phone: str = "+84912345678", reference: str = "77"):
    rendered = adapter.render(Content("Mai họp thôn lúc 8 giờ."), Recipient(reference, phone))
    (outcome,) = await adapter.send([Message(reference, phone, rendered, callback)])
    return outcome


@each
async def test_a_message_reaches_the_phone(name, sandbox, transport):
    adapter = built(name, transport, sandbox)
    assert await adapter.check() == []
    outcome = await send(adapter)
    assert outcome.next is None, outcome
    [thread] = sandbox.get("/wall/threads?q=912345678").json()["threads"]
    assert "Mai họp thôn" in str(thread)


@each
async def test_a_wrong_key_pauses_the_account(name, sandbox, transport):
    wrong = {key: "x" for key in ACCOUNTS[name] if key != "webhook_token"}
    adapter = built(name, transport, sandbox, **wrong)
    assert (await send(adapter)).next is Next.PAUSE_ACCOUNT
    assert any(problem.fatal for problem in await adapter.check())


@each
async def test_a_number_the_gateway_refuses_stops_no_campaign(name, sandbox, transport):
    outcome = await send(built(name, transport, sandbox), phone="+84912340006")
    assert outcome.next in (Next.BLOCK_ADDRESS, Next.GIVE_UP)


@pytest.mark.parametrize("name", ["sms_esms", "sms_vnpt"])
async def test_sending_a_reference_twice_delivers_once(name, sandbox, transport):
    adapter = built(name, transport, sandbox)
    first, second = await send(adapter), await send(adapter)
    assert (first.next, second.next) == (None, None) and first.provider_id == second.provider_id
    assert sandbox.accepted("77") == 1


async def test_vnpt_is_asked_after_a_lost_reply(sandbox, transport):
    adapter = built("sms_vnpt", transport, sandbox)
    sandbox.fault("lost_reply", provider="vnpt")
    assert (await send(adapter)).next is Next.UNSURE
    assert [receipt.state for receipt in await adapter.lookup([("77", "", "+84912345678")])] == [ReceiptState.SENT]
    assert await adapter.lookup([("78", "", "+84912345678")]) == []


def as_request(callback) -> Request:
    return Request("POST", callback.url, urlsplit(callback.url).query, callback.headers, callback.body)


async def test_esms_reports_and_confirms(sandbox, receiver: Receiver, transport):
    adapter = built("sms_esms", transport, sandbox)
    outcome = await send(adapter, f"{receiver.url}/hooks/x/?r=77")
    request = as_request((await receiver.wait(1))[0])
    assert adapter.verify(request)
    callback = adapter.parse(request)
    assert callback.receipts == () and callback.ask[0][:2] == ("77", outcome.provider_id)
    (receipt,) = await adapter.lookup(callback.ask)
    assert (receipt.state, receipt.reference) == (ReceiptState.DELIVERED, "77")


async def test_speedsms_reports_to_its_secret_address(sandbox, receiver: Receiver, transport):
    adapter = built("sms_speedsms", transport, sandbox)
    sandbox.control("POST", "webhooks", {"speedsms": f"{receiver.url}/hooks/x/?k=0123456789abcdef"})
    outcome = await send(adapter)
    request = as_request((await receiver.wait(1))[0])
    assert adapter.verify(request)
    (receipt,) = adapter.parse(request).receipts
    assert (receipt.state, receipt.provider_id) == (ReceiptState.DELIVERED, outcome.provider_id)


async def test_the_link_reports_signed(sandbox, receiver: Receiver, transport):
    adapter = built("sms_smpp", transport, sandbox)
    outcome = await send(adapter, f"{receiver.url}/hooks/x/?r=77")
    request = as_request((await receiver.wait(1))[0])
    assert adapter.verify(request)
    (receipt,) = adapter.parse(request).receipts
    assert (receipt.state, receipt.reference, receipt.provider_id) == (
        ReceiptState.DELIVERED, "77", outcome.provider_id,
    )  # fmt: skip
