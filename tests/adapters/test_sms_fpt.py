"""Cases of sms_fpt, and the life of its token."""

from __future__ import annotations

import asyncio
import base64
import time

import pytest

from channels_adapters.core.interface import Next, Reason
from channels_adapters.sms_fpt import ERRORS
from tests.adapters.brandname import COMMON, SETTINGS, TEXT, reply
from tests.adapters.contract import REFERENCE, Cases, Failure, build, message
from tests.adapters.provider import Answer


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", "/fpt/api/push-brandname-otp")
    body = seen.json
    assert base64.b64decode(body.pop("Message")).decode() == TEXT
    assert len(body.pop("session_id")) == 32
    assert body == {
        "access_token": "SECRETtoken",
        "BrandName": "BACNINH",
        "Phone": "84912345678",
        "RequestId": REFERENCE,
    }


CASES = Cases(
    settings={"client_id": "bacninh", "client_secret": "SECRETclient", **SETTINGS},
    **COMMON,
    accepted=reply({"MessageId": "m-81", "Phone": "84912345678", "BrandName": "BACNINH", "Telco": "vinaphone"}),
    provider_id="m-81",
    asks=asks,
    failures=(
        *tuple(Failure(code, reply({"error": code}), *known) for code, known in ERRORS.items()),
        Failure("the token ran out", reply({"error": "invalid_token"}), Next.RETRY, Reason.PROVIDER_ERROR),
        Failure(
            "unknown",
            Answer.json(400, {"error": 1008, "error_description": "84912345678 refused"}),
            Next.GIVE_UP,
            Reason.UNKNOWN,
        ),
    ),
    unreadable=(reply({"MessageId": None}), reply({"MessageId": ""})),
    healthy=(reply({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}),),
    prepare=lambda adapter: adapter.remember("SECRETtoken", 3600),
)


@pytest.fixture
def fresh(transport, provider):
    """An adapter whose account holds no token yet."""
    adapter = build("sms_fpt", transport, provider.url, client_secret=f"SECRET{time.monotonic_ns()}")
    adapter._forget()
    return adapter


def token(value: str = "t-1", **more) -> Answer:
    return reply({"access_token": value, "expires_in": 3600, **more})


async def test_one_token_serves_all_messages_of_an_account(fresh, provider, transport):
    provider.will(token(), *[CASES.accepted] * 20)
    outcomes = await asyncio.gather(*(fresh.send([message(fresh, CASES)]) for _ in range(20)))
    assert [outcome.next for (outcome,) in outcomes] == [None] * 20
    asked = [seen for seen in provider.seen if seen.path == "/fpt/oauth2/token"]
    assert len(asked) == 1 and len(provider.seen) == 21
    assert asked[0].json["grant_type"] == "client_credentials" and asked[0].json["scope"] == "send_brandname_otp"
    assert {seen.json["access_token"] for seen in provider.seen[1:]} == {"t-1"}
    assert len({seen.json["session_id"] for seen in provider.seen}) == 1


async def test_a_token_that_ran_out_is_fetched_again(fresh, provider):
    provider.will(token("t-1"), reply({"error": "invalid_token"}), token("t-2"), CASES.accepted)
    (first,) = await fresh.send([message(fresh, CASES)])
    (second,) = await fresh.send([message(fresh, CASES)])
    assert (first.next, second.next) == (Next.RETRY, None)
    assert provider.seen[3].json["access_token"] == "t-2"


async def test_a_token_is_not_used_in_its_last_minute(fresh, provider):
    provider.will(token("t-1", expires_in=61), CASES.accepted)
    await fresh.send([message(fresh, CASES)])
    fresh.remember("t-1", 30)
    provider.will(token("t-2"), CASES.accepted)
    await fresh.send([message(fresh, CASES)])
    assert next(seen.path for seen in provider.seen) == "/fpt/oauth2/token"


@pytest.mark.parametrize(
    ("answer", "next_", "reason"),
    [
        ("cut", Next.RETRY, Reason.NETWORK),
        (Answer(502, b"<html>"), Next.RETRY, Reason.PROVIDER_ERROR),
        (Answer(200, b"garbage"), Next.RETRY, Reason.PROVIDER_ERROR),
        (Answer(401, b"{}"), Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
        (Answer.json(400, {"error": "invalid_client"}), Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
    ],
)
async def test_without_a_token_nothing_was_sent(answer, next_, reason, fresh, provider):
    provider.will(answer)
    (outcome,) = await fresh.send([message(fresh, CASES)])
    assert (outcome.next, outcome.reason) == (next_, reason)
    assert len(provider.seen) == 1
