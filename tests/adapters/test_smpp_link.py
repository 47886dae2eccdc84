"""The link against two centres nobody here wrote: npm's ``smpp`` server (Node) and smpp34's ``Server`` (Rust)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import smpp34

from channels_adapters.core.interface import Content, Message, Next, ReceiptState, Recipient, Request
from channels_adapters.core.smpp_link import Config, Link, running
from channels_adapters.sms_smpp import SmsSmpp
from tests.adapters.provider import Answer, Provider, closed_port

TOKEN = "SECRETlinkSECRETlink"
SERVER = Path(__file__).parent / "smsc" / "server.js"
LONG = "Kính mời bà con đến nhà văn hóa thôn lúc 8 giờ sáng mai để họp bàn việc làm đường. " * 2


@pytest.fixture(scope="session")
def node_smpp(tmp_path_factory) -> Path:
    """npm's smpp in a temporary folder."""
    npm = shutil.which("npm")
    folder = tmp_path_factory.mktemp("smsc")
    if npm:
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), "smpp@0.5.1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode == 0:
            return folder / "node_modules" / "smpp"
    why = "NOT TESTED against npm's SMSC: npm could not install smpp@0.5.1"
    warnings.warn(why, stacklevel=1)
    pytest.skip(why)


@dataclass
class Centre:
    port: int
    said: list[dict] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    @property
    def submitted(self) -> list[dict]:
        return [line for line in self.said if "to" in line]


@contextlib.asynccontextmanager
async def centre(package: Path, port: int = 0) -> AsyncIterator[Centre]:
    process = await asyncio.create_subprocess_exec(
        shutil.which("node") or "node", str(SERVER), str(package), str(port), stdout=subprocess.PIPE
    )
    assert process.stdout
    found = Centre(json.loads(await process.stdout.readline())["port"], stop=process.kill)

    async def read() -> None:
        assert process.stdout
        async for line in process.stdout:
            found.said.append(json.loads(line))

    reading = asyncio.create_task(read())
    try:
        yield found
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.02)


def config(port: int, hook: Provider, **more) -> Config:
    given = {"per_second": 200.0, **more}
    return Config("127.0.0.1", port, "bacninh", "SECRETpw", TOKEN, f"{hook.url}/hooks/k7Qd/", **given)


class Sender:
    """The adapter in front of a link, and the account's webhook behind it."""

    def __init__(self, url: str, transport, hook: Provider, link: Link) -> None:
        settings = {"link_url": url, "link_token": TOKEN, "sender": "BACNINH"}
        self.adapter, self.hook, self.link = SmsSmpp(settings, transport), hook, link

    async def send(self, ending: str, text: str = "Mai họp", reference: str = "7"):
        address = f"+8491234{ending}"
        rendered = self.adapter.render(Content(text), Recipient(reference, address))
        callback = f"{self.hook.url}/hooks/k7Qd/?r={reference}"
        (outcome,) = await self.adapter.send([Message(reference, address, rendered, callback)])
        return outcome

    def _callbacks(self):
        for seen in self.hook.seen:
            request = Request(seen.method, self.hook.url + seen.target, "", seen.headers, seen.body)
            assert self.adapter.verify(request)
            yield self.adapter.parse(request)

    @property
    def receipts(self):
        return [receipt for callback in self._callbacks() for receipt in callback.receipts]

    @property
    def inbound(self):
        return [said for callback in self._callbacks() for said in callback.inbound]


@pytest.fixture
async def smsc(node_smpp) -> AsyncIterator[Centre]:
    async with centre(node_smpp) as found:
        yield found


@contextlib.asynccontextmanager
async def sending(port: int, transport, hook: Provider, **more) -> AsyncIterator[Sender]:
    hook.will(Answer(200))
    async with running(config(port, hook, **more), transport, "127.0.0.1", 0) as (link, url):
        yield Sender(url, transport, hook, link)


@pytest.fixture
async def sender(smsc, transport, provider) -> AsyncIterator[Sender]:
    async with sending(smsc.port, transport, provider) as found:
        await until(lambda: found.link.smsc is not None)
        yield found


async def test_a_short_message_arrives_and_its_receipt_comes_back(sender, smsc):
    outcome = await sender.send("5678")
    assert outcome.next is None and outcome.parts == 1 and outcome.provider_id.startswith("0000A1F3")
    await until(lambda: bool(sender.receipts))
    (receipt,) = sender.receipts
    assert (receipt.state, receipt.reference, receipt.provider_id) == (
        ReceiptState.DELIVERED,
        "7",
        outcome.provider_id,
    )
    (seen,) = smsc.submitted
    assert seen["to"] == "84912345678" and (seen["from"], seen["ton"]) == ("BACNINH", 5)
    assert (seen["text"], seen["coding"], seen["esm"], seen["registered"]) == ("Mai họp", 8, 0, 1)


@pytest.mark.parametrize("text", [LONG, "Ngay mai cat dien [thon 1] {tu 8h} €~|^\\ " * 12, "😀ế" * 80])
async def test_a_long_message_is_read_whole_by_another_code_base(text, sender, smsc):
    outcome = await sender.send("5678", text.strip())
    assert outcome.next is None and outcome.parts == len(smsc.submitted) > 1
    parts = sorted(smsc.submitted, key=lambda seen: seen["udh"][0][-2:])
    assert "".join(part["text"] for part in parts) == text.strip()
    assert {part["udh"][0][:4] for part in parts} == {"0804"} and {part["esm"] for part in parts} == {0x40}
    await until(lambda: bool(sender.receipts))  # once, when every part has arrived
    assert [receipt.state for receipt in sender.receipts] == [ReceiptState.DELIVERED]


@pytest.mark.parametrize(
    ("ending", "state", "code"),
    [
        ("0003", ReceiptState.DELIVERED, "DELIVRD"),  # the receipt overtakes the response
        ("0005", ReceiptState.FAILED, "UNDELIV 011"),
        ("0006", ReceiptState.DELIVERED, "DELIVRD"),  # by optional parameters, in hexadecimal
    ],
)
async def test_receipts(ending, state, code, sender):
    outcome = await sender.send(ending)
    assert outcome.next is None
    await until(lambda: bool(sender.receipts))
    (receipt,) = sender.receipts
    assert (receipt.state, receipt.code, receipt.reference) == (state, code, "7")


@pytest.mark.parametrize(("ending", "next_"), [("0001", Next.BLOCK_ADDRESS), ("0008", Next.RETRY)])
async def test_a_refused_message_was_not_sent(ending, next_, sender, smsc):
    outcome = await sender.send(ending)
    assert outcome.next is next_ and len(smsc.submitted) == 1
    assert (sender.link.throttle.rate < sender.link.throttle.full) is (next_ is Next.RETRY)


async def test_a_throttled_part_of_a_begun_message_is_tried_again(sender, smsc):
    outcome = await sender.send("0002", LONG)
    assert outcome.next is None and len(smsc.submitted) == outcome.parts + 1


async def test_a_centre_that_hangs_up_instead_of_answering_leaves_it_unsure(sender, smsc):
    outcome = await sender.send("0004")
    assert outcome.next is Next.UNSURE and len(smsc.submitted) == 1
    await until(lambda: sum("bound" in line for line in smsc.said) == 2)  # and the link binds again
    await until(lambda: sender.link.smsc is not None)
    assert (await sender.send("5678", reference="8")).next is None


async def test_a_citizens_answer_comes_in(sender):
    await sender.send("0009")
    await until(lambda: bool(sender.inbound))
    (said,) = sender.inbound
    assert (said.kind, said.text, said.address) == ("opt_out", "Từ chối", "+84912340009")


async def test_never_more_than_the_window_is_outstanding(smsc, transport, provider):
    async with sending(smsc.port, transport, provider, window=2) as sender:
        await until(lambda: sender.link.smsc is not None)
        outcomes = await asyncio.gather(*(sender.send("5678", reference=str(n)) for n in range(30)))
        assert [outcome.next for outcome in outcomes] == [None] * 30
        await until(lambda: len(sender.receipts) == 30)
        assert {receipt.reference for receipt in sender.receipts} == {str(n) for n in range(30)}


async def test_reports_wait_until_the_webhook_has_stored_them(sender, provider):
    provider.will(Answer(503), "cut", Answer(200))
    await sender.send("5678")
    await until(lambda: len(provider.seen) == 3)
    assert len({seen.body for seen in provider.seen}) == 1


async def test_no_connection_means_certainly_not_sent(node_smpp, transport, provider):
    port = closed_port()
    async with sending(port, transport, provider) as sender:
        assert (await sender.send("5678")).next is Next.RETRY
        assert [problem.fatal for problem in await sender.adapter.check()] == [True]
        async with centre(node_smpp, port) as smsc:  # it comes up later, and goes away again
            await until(lambda: sender.link.smsc is not None)
            assert await sender.adapter.check() == []
            assert (await sender.send("5678")).next is None
            smsc.stop()
            await until(lambda: sender.link.smsc is None)
        assert (await sender.send("5678")).next is Next.RETRY


async def test_a_wrong_password_never_binds(smsc, transport, provider):
    given = config(smsc.port, provider)
    wrong = Config(**{name: getattr(given, name) for name in given.__slots__} | {"password": "another"})
    async with running(wrong, transport, "127.0.0.1", 0) as (link, url):
        sender = Sender(url, transport, provider, link)
        assert (await sender.send("5678")).next is Next.RETRY
        assert not any("bound" in line for line in smsc.said)


async def test_strangers_are_turned_away(sender):
    sender.adapter.settings["link_token"] = "another"
    assert (await sender.send("5678")).next is Next.PAUSE_ACCOUNT


async def test_against_a_second_centre(transport, provider):
    server = smpp34.Server(host="127.0.0.1", port=(port := closed_port()), system_id="SMSC")
    await server.start()
    got: list[smpp34.SubmitSmEvent] = []

    async def serve() -> None:
        sessions = {}
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                sessions[event.session_id] = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                got.append(event)
                event.accept(message_id=f"{len(got):08x}")
                tlvs = [smpp34.Tlv(0x001E, str(len(got)).encode() + b"\0"), smpp34.Tlv(0x0427, b"\x02")]
                await sessions[event.session_id].deliver_sm(
                    destination_addr="BACNINH", source_addr=event.destination_addr, esm_class=0x04, tlvs=tlvs
                )

    serving = asyncio.create_task(serve())
    try:
        async with sending(port, transport, provider) as sender:
            await until(lambda: sender.link.smsc is not None)
            outcome = await sender.send("5678", LONG)
            assert outcome.next is None and outcome.parts == len(got)
            await until(lambda: bool(sender.receipts))
            assert sender.receipts[0].state is ReceiptState.DELIVERED
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await server.stop()
