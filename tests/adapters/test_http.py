"""What the transport is certain of, against servers that misbehave on real sockets."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import logging
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from channels_adapters.core.http import (
    HttpTransport,
    MaybeSent,
    NotSent,
    Response,
    Unusable,
    outcome_of_error,
    outcome_of_status,
    retry_after,
)
from channels_adapters.core.interface import Next, Reason
from tests.adapters.provider import Answer, closed_port

SECRET = "s3cr3t"


async def test_a_reply_comes_back_whole(provider, transport):
    provider.will(Answer(201, "đã nhận".encode(), {"X-Thing": "Yes", "Content-Type": "text/plain"}))
    reply = await transport.request("POST", f"{provider.url}/a?b=1", headers={"X-Mine": "1"}, body=b"text")
    assert (reply.status, reply.body.decode()) == (201, "đã nhận")
    assert reply.headers["x-thing"] == "Yes"
    (seen,) = provider.seen
    assert (seen.method, seen.target, seen.body, seen.headers["x-mine"]) == ("POST", "/a?b=1", b"text", "1")


@pytest.mark.parametrize("status", [204, 302, 307, 404, 500])
async def test_any_status_is_a_reply_and_no_redirect_is_followed(provider, transport, status):
    provider.will(Answer(status, b"", {"Location": "/elsewhere"}))
    assert (await transport.request("POST", provider.url, body=b"x")).status == status
    assert len(provider.seen) == 1


@pytest.mark.parametrize("fault", ["cut", "reset", "half", "not http", "refuse to read"])
async def test_a_connection_lost_after_it_was_made_may_have_sent(provider, transport, fault):
    provider.will(fault)
    with pytest.raises(MaybeSent):
        await transport.request("POST", provider.url, body=b"x")
    assert len(provider.seen) == (0 if fault == "refuse to read" else 1)


@pytest.mark.parametrize("fault", ["stall", "stalled half"])
async def test_a_provider_that_never_answers_may_have_got_it(provider, hurried, fault):
    provider.will(fault)
    with pytest.raises(MaybeSent):
        await hurried.request("POST", provider.url, body=b"x")
    assert len(provider.seen) == 1


async def test_a_broken_encoding_may_have_sent(provider, transport):
    provider.will(Answer(200, b"not gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(MaybeSent):
        await transport.request("POST", provider.url, body=b"x")


async def test_a_kept_connection_cut_under_a_request_is_not_tried_again(provider, transport):
    provider.will(Answer(200), "cut")
    assert (await transport.request("POST", provider.url, body=b"1")).status == 200
    with pytest.raises(MaybeSent):
        await transport.request("POST", provider.url, body=b"2")
    assert [seen.body for seen in provider.seen] == [b"1", b"2"]


async def test_nobody_listens(transport):
    with pytest.raises(NotSent):
        await transport.request("POST", f"http://127.0.0.1:{closed_port()}/", body=b"x")


async def test_a_name_that_does_not_resolve(transport):
    with pytest.raises(NotSent):
        await transport.request("POST", "http://loa.invalid/", body=b"x")


async def test_a_full_pool_has_not_sent(provider):
    provider.will("stall")
    async with HttpTransport(max_connections=1, pool_timeout=0.2) as small:
        first = asyncio.create_task(small.request("POST", provider.url, body=b"first", timeout=2))
        await provider.arrived.wait()
        with pytest.raises(NotSent):
            await small.request("POST", provider.url, body=b"second")
        provider.hang_up()
        with pytest.raises(MaybeSent):
            await first
    assert [seen.body for seen in provider.seen] == [b"first"]


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("", {}),
        ("no scheme", {}),
        ("ftp://127.0.0.1/", {}),
        ("http://", {}),
        ("http://127.0.0.1:99999/", {}),
        ("http://127.0.0.1/", {"X-A": "line\r\nX-B: injected"}),
        ("http://127.0.0.1/", {"bad name": "x"}),
    ],
)
async def test_what_cannot_be_requested_is_told_from_a_dead_network(transport, url, headers):
    with pytest.raises(Unusable):
        await transport.request("POST", url, headers=headers, body=b"x")


async def test_closing_says_what_became_of_requests_under_way(provider):
    provider.will("stall")
    pool = HttpTransport()
    under_way = asyncio.create_task(pool.request("POST", provider.url, body=b"x"))
    await provider.arrived.wait()
    await pool.close()
    with pytest.raises(MaybeSent):
        await under_way
    with pytest.raises(NotSent):
        await pool.request("POST", provider.url, body=b"x")


async def test_the_proxy_of_the_environment_is_not_used(provider, monkeypatch):
    nowhere = f"http://127.0.0.1:{closed_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("NO_PROXY", "")
    provider.will(Answer(200))
    async with HttpTransport() as pool:
        assert (await pool.request("GET", provider.url)).status == 200


async def test_a_configured_proxy_is_used(provider):
    provider.will(Answer(200))
    async with HttpTransport(proxy=provider.url) as pool:
        await pool.request("GET", "http://provider.invalid/path")
    assert provider.seen[0].target == "http://provider.invalid/path"
    async with HttpTransport(proxy=f"http://127.0.0.1:{closed_port()}") as pool:
        with pytest.raises(NotSent):
            await pool.request("GET", provider.url)


async def test_tls_is_checked(tmp_path):
    authority, chain = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    seen = []

    async def answer(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        async with HttpTransport() as wary:
            with pytest.raises(NotSent):
                await wary.request("POST", url, body=b"x")
        assert seen == []
        async with HttpTransport(ca_pem=authority) as knowing:
            assert (await knowing.request("POST", url)).status == 200


async def test_plain_text_where_tls_is_expected_has_not_sent(provider):
    provider.will(Answer(200))
    async with HttpTransport(connect_timeout=0.5) as pool:
        with pytest.raises(NotSent):
            await pool.request("POST", provider.url.replace("http:", "https:"), body=b"x")
    assert provider.seen == []


async def test_failures_and_logs_name_no_secret(provider, transport, caplog):
    caplog.set_level(logging.DEBUG)
    provider.will("cut")
    urls = [f"{provider.url}/bot{SECRET}/x", f"http://127.0.0.1:{closed_port()}/bot{SECRET}/x", f"ftp://x/{SECRET}"]
    for url in urls:
        with pytest.raises((NotSent, MaybeSent)) as caught:
            await transport.request("POST", url, headers={"Authorization": SECRET}, body=SECRET.encode())
        assert caught.value.__context__ is None
        assert SECRET not in repr(caught.value)
    assert SECRET not in caplog.text


async def test_many_requests_share_a_few_connections(provider, transport):
    provider.will(Answer(200, b"ok"))
    for _ in range(3):
        replies = await asyncio.gather(*(transport.request("POST", provider.url, body=b"x") for _ in range(40)))
        assert {reply.status for reply in replies} == {200}
    assert len(provider.seen) == 120


def test_one_transport_per_event_loop_and_a_new_one_in_the_next():
    async def once() -> int:
        async def answer(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server, HttpTransport() as pool:
            return (await pool.request("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")).status

    assert [asyncio.run(once()) for _ in range(2)] == [204, 204]


NOW = datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        (" 0 ", 0.0),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("٣", None),
        ("9" * 400, 999999999.0),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after(Response(429, {"retry-after": value}, b""), NOW) == seconds


@pytest.mark.parametrize(
    ("status", "next_", "reason"),
    [
        (200, Next.UNSURE, Reason.LOST_REPLY),
        (302, Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
        (400, Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
        (401, Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
        (402, Next.PAUSE_ACCOUNT, Reason.NO_CREDIT),
        (403, Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
        (413, Next.FIX_CONTENT, Reason.TOO_LONG),
        (418, Next.GIVE_UP, Reason.UNKNOWN),
        (429, Next.RETRY, Reason.RATE_LIMITED),
        (500, Next.RETRY, Reason.PROVIDER_ERROR),
        (502, Next.UNSURE, Reason.LOST_REPLY),
        (503, Next.RETRY, Reason.PROVIDER_ERROR),
        (504, Next.UNSURE, Reason.LOST_REPLY),
    ],
)
def test_what_a_status_alone_means(status, next_, reason):
    outcome = outcome_of_status("r", Response(status, {"retry-after": "5"}, b""))
    assert (outcome.next, outcome.reason) == (next_, reason)
    assert outcome.after == (5.0 if next_ is Next.RETRY else None)


def test_a_gateway_error_in_the_providers_own_words_is_no_doubt():
    assert outcome_of_status("r", Response(502, {}, b""), understood=True).next is Next.RETRY


def test_what_a_failed_request_means():
    assert outcome_of_error("r", NotSent("x")).next is Next.RETRY
    assert outcome_of_error("r", Unusable("x")).next is Next.PAUSE_ACCOUNT
    assert outcome_of_error("r", MaybeSent("x")).next is Next.UNSURE


def _certificate(folder):
    """A self-signed certificate for 127.0.0.1, and the file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loa test")])
    start = datetime.datetime.fromtimestamp(time.time() - 3600, datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = folder / "chain.pem"
    chain.write_bytes(private + pem)
    return pem, chain
