"""Each fault, observed from outside, with what was really accepted."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from .conftest import Receiver, Sandbox

REF = {"StatusCallback": "http://127.0.0.1:9/cb?r=ref-1"}


def test_rate_limit_and_server_error_accept_nothing(sandbox: Sandbox):
    sandbox.fault("rate_limit", retry_after=9)
    limited = sandbox.sms(**REF)
    assert (limited.status_code, limited.json()["code"], limited.headers["retry-after"]) == (429, 20429, "9")
    sandbox.fault("server_error", status=502)
    assert sandbox.sms(**REF).status_code == 502
    assert sandbox.telegram("sendMessage", chat_id=5, text="x").json()["error_code"] == 502
    assert sandbox.accepted("ref-1") == 0


def test_cut_and_lost_reply_look_alike_but_are_not(sandbox):
    sandbox.fault("cut")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.sms(**REF)
    assert sandbox.accepted("ref-1") == 0
    sandbox.fault("lost_reply")
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.sms(**REF)
    assert sandbox.accepted("ref-1") == 1


def test_garbage_is_accepted_but_unreadable(sandbox):
    sandbox.fault("garbage")
    reply = sandbox.sms(**REF)
    assert reply.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert sandbox.accepted("ref-1") == 1


@pytest.mark.parametrize(("kind", "accepted_at_once"), [("slow", 0), ("stall", 1)])
def test_slow_waits_before_and_stall_after_acceptance(sandbox, kind, accepted_at_once):
    sandbox.fault(kind, seconds=2, next=1)
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{sandbox.messages}.json",
            data={"To": "+84912345678", "From": "UBND", "Body": "x", **REF},
            auth=("AC" + "0" * 32, "0" * 32),
            timeout=0.7,
        )
    assert sandbox.accepted("ref-1") == accepted_at_once
    while sandbox.accepted("ref-1") == 0:  # the sender has left, the provider goes on
        assert time.monotonic() < began + 15
        time.sleep(0.1)


def test_a_rule_strikes_its_share_its_addresses_and_its_number_of_times(start):
    def struck(sandbox: Sandbox) -> list[bool]:
        return [sandbox.sms(f"+8490000{n:04}").status_code == 429 for n in range(1100, 1180)]

    sandbox = start("--seed", "7")
    sandbox.fault("rate_limit", share=0.3)
    first = struck(sandbox)
    assert 10 < sum(first) < 40
    sandbox.fault("rate_limit", share=0.3)  # a new rule throws the same dice again
    assert struck(sandbox) == first
    sandbox.fault("rate_limit", address="*1105")
    assert [n for n, hit in enumerate(struck(sandbox)) if hit] == [5]
    sandbox.fault("rate_limit", next=2)
    assert [n for n, hit in enumerate(struck(sandbox)) if hit] == [0, 1]
    sandbox.fault("rate_limit", provider="telegram")
    assert not any(struck(sandbox))


async def test_receipts_late_repeated_out_of_order_forged_never(sandbox, receiver: Receiver):
    async def statuses(kind: str, **params: float | str) -> list[str]:
        receiver.got.clear()
        sandbox.fault(kind, **params)
        assert sandbox.sms(StatusCallback=f"{receiver.url}/").status_code == 201
        return [c.form["MessageStatus"] for c in await receiver.settle(sandbox)]

    assert await statuses("receipt_never") == []
    assert await statuses("receipt_shuffle") == ["delivered", "sent"]
    assert sorted(await statuses("receipt_repeat", times=2)) == ["delivered", "delivered", "sent", "sent"]
    began = time.monotonic()
    assert await statuses("receipt_late", seconds=1) == ["sent", "delivered"]
    assert time.monotonic() - began > 1
    assert await statuses("undelivered", code="30004") == ["sent", "undelivered"]
    assert receiver.got[1].form["ErrorCode"] == "30004"
    assert sorted(await statuses("receipt_forged")) == ["delivered", "sent", "undelivered"]
    signatures = {c.form["MessageStatus"]: c.headers["x-twilio-signature"] for c in receiver.got}
    assert len(set(signatures.values())) == 3


async def test_stop_reply_and_blocked(sandbox, receiver):
    sandbox.control("POST", "webhooks", {"twilio": f"{receiver.url}/sms"})
    sandbox.fault("stop_reply")
    sandbox.sms()
    assert (await receiver.wait(1))[0].form["Body"] == "STOP"
    sandbox.fault("blocked", provider="telegram")
    assert sandbox.telegram("sendMessage", chat_id=77, text="x").status_code == 403


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "earthquake"},
        {"kind": "cut", "share": 0},
        {"kind": "cut", "share": "half"},
        {"kind": "cut", "next": 0},
        {"kind": "cut", "provider": "pigeon"},
        {"kind": "cut", "seconds": 3},
        {"kind": "slow", "seconds": -1},
        {"kind": "server_error", "status": 404},
        {"kind": "receipt_repeat", "times": 1},
        "cut",
    ],
)
def test_a_bad_rule_changes_nothing(sandbox, rule):
    sandbox.fault("cut", address="*9999")
    before = sandbox.control("GET", "faults")["rules"]
    for method in ("POST", "PUT"):
        reply = httpx.request(method, f"{sandbox.url}/control/faults", json=[{"kind": "cut"}, rule])
        assert reply.status_code == 400 and reply.json()["error"].endswith(".")
    assert sandbox.control("GET", "faults")["rules"] == before


def test_faults_from_a_file(start, tmp_path):
    rules = tmp_path / "faults.json"
    rules.write_text(json.dumps([{"kind": "rate_limit", "next": 1}]))
    sandbox = start("--faults", str(rules))
    assert [sandbox.sms().status_code for _ in range(2)] == [429, 201]
