"""Cases of sms_stringee, and what only Stringee does."""

from __future__ import annotations

import time
from dataclasses import replace

import jwt

from channels_adapters.core.interface import Next, Reason
from tests.adapters.brandname import COMMON, SETTINGS, TEXT, reply
from tests.adapters.contract import Cases, Failure, build, message
from tests.adapters.provider import Answer

SECRET = "SECRETkeySECRETkeySECRETkeySECRETkey"


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", "/stringee/v1/sms")
    assert seen.json == {"sms": [{"from": "BACNINH", "to": "84912345678", "text": TEXT}]}
    token = seen.headers["x-stringee-auth"]
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (header["alg"], header["cty"]) == ("HS256", "stringee-api;v=1")
    assert claims["iss"] == "SKbacninh" and claims["jti"].startswith("SKbacninh-") and claims["rest_api"] is True
    assert 0 < claims["exp"] - time.time() <= 3600


CASES = Cases(
    settings={"api_key_sid": "SKbacninh", "api_key_secret": SECRET, **SETTINGS},
    **COMMON,
    accepted=reply({"smsSent": "1", "result": [{"price": "300", "smsType": 2, "r": 0, "msg": "Success"}]}),
    provider_id="",
    asks=asks,
    failures=(
        Failure(
            "refused",
            reply({"smsSent": "0", "result": [{"r": 6, "msg": "84912345678 is wrong"}]}),
            Next.GIVE_UP,
            Reason.UNKNOWN,
        ),
        Failure("throttled", Answer(429, b"", {"Retry-After": "2"}), Next.RETRY, Reason.RATE_LIMITED, after=2.0),
    ),
    unreadable=(reply({"smsSent": "1"}), reply({"result": []}), reply({"result": [{}]}), reply({"result": ["x"]})),
    healthy=(reply({"smsSent": "0", "result": []}),),
)


async def test_each_message_of_a_request_has_its_own_outcome(provider, transport):
    adapter = build("sms_stringee", transport, provider.url, batch="100")
    assert adapter.max_batch == 100
    base = message(adapter, CASES)
    batch = [replace(base, reference=f"r{n}") for n in range(3)]
    provider.will(reply({"smsSent": "1", "result": [{"r": 0}, {"r": 2, "msg": "no"}]}))
    outcomes = await adapter.send(batch)
    assert [(o.reference, o.next) for o in outcomes] == [("r0", None), ("r1", Next.GIVE_UP), ("r2", Next.UNSURE)]
    assert len(provider.seen) == 1 and len(provider.seen[0].json["sms"]) == 3


def test_how_many_messages_a_request_carries_is_a_setting():
    for setting, batch in (("1", 1), ("0", 1), ("x", 1), ("9999", 100)):
        assert build("sms_stringee", None, "http://127.0.0.1:9", batch=setting).max_batch == batch
