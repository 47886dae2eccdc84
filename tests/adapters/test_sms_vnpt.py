"""Cases of sms_vnpt, and what only VinaPhone's gateway does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from channels_adapters.core.interface import Content, Next, Query, Reason, ReceiptState
from channels_adapters.sms_vnpt import ERRORS, _opening
from tests.adapters.brandname import COMMON, SETTINGS, TEXT, reply
from tests.adapters.contract import REFERENCE, Cases, Failure, build, message


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", "/vnpt/smsmarketing/api")
    assert seen.json == {
        "RQST": {
            "name": "send_sms_list",
            "REQID": REFERENCE,
            "LABELID": "117",
            "CONTRACTTYPEID": "1",
            "CONTRACTID": "4321",
            "TEMPLATEID": "902",
            "PARAMS": [{"NUM": "1", "CONTENT": TEXT}],
            "SCHEDULETIME": "",
            "MOBILELIST": "84912345678",
            "ISTELCOSUB": "0",
            "AGENTID": "55",
            "APIUSER": "bacninh",
            "APIPASS": "SECRETpass",
            "USERNAME": "loa",
            "DATACODING": "8",
        }
    }


def told(code: object, words: str = "success") -> object:
    return reply({"RPLY": {"name": "send_sms_list", "ERROR": code, "ERROR_DESC": words}})


def status(code: object) -> object:
    return reply({"RPLY": {"name": "get_sms_status_api", "STATUS": code, "MT_COUNT": "1"}})


CASES = Cases(
    settings={
        "endpoint": "http://10.1.2.3:8888/smsmarketing/api",
        "agent_id": "55",
        "api_user": "bacninh",
        "api_pass": "SECRETpass",
        "user_name": "loa",
        "contract_id": "4321",
        "label_id": "117",
        "template_id": "902",
        "prices": SETTINGS["prices"],
        "refusal": "Từ chối: soạn TC gửi 9123",
    },
    **COMMON,
    accepted=told("0"),
    provider_id=REFERENCE,
    asks=asks,
    failures=(
        *tuple(Failure(code, told(code, "84912345678 refused"), *known) for code, known in ERRORS.items()),
        Failure("a number, and unknown", told(99), Next.GIVE_UP, Reason.UNKNOWN),
    ),
    unreadable=(reply({"RPLY": {}}), reply({"RPLY": []}), reply({"RQST": {"ERROR": "0"}})),
    healthy=(status("1"),),
)


async def test_a_repetition_it_knows_is_an_acceptance(provider, transport):
    adapter = build("sms_vnpt", transport, provider.url)
    provider.will(told("33"))
    (outcome,) = await adapter.send([message(adapter, CASES)])
    assert (outcome.next, outcome.provider_id) == (None, REFERENCE)


@pytest.mark.parametrize("code", ["12", "26"])
async def test_what_may_not_be_sent_now_waits_for_seven_in_the_morning(code, provider, transport):
    adapter = build("sms_vnpt", transport, provider.url)
    provider.will(told(code))
    (outcome,) = await adapter.send([message(adapter, CASES)])
    assert outcome.next is Next.RESCHEDULE and outcome.at and outcome.at > datetime.now(UTC)
    assert outcome.at.hour == 0 and outcome.at.minute == 0  # 7:00 in Vietnam


def test_the_opening_of_today_or_of_tomorrow():
    assert _opening(datetime(2026, 11, 22, 23, 30, tzinfo=UTC)) == datetime(2026, 11, 23, tzinfo=UTC)
    assert _opening(datetime(2026, 11, 23, 0, 0, tzinfo=UTC)) == datetime(2026, 11, 24, tzinfo=UTC)


async def test_advertising_is_another_contract_with_its_label_and_refusal(provider, transport):
    adapter = build("sms_vnpt", transport, provider.url)
    provider.will(told("0"))
    await adapter.send([message(adapter, CASES, Content("Giảm giá", category="advertising"))])
    request = provider.seen[0].json["RQST"]
    assert request["CONTRACTTYPEID"] == "2"
    assert request["PARAMS"][0]["CONTENT"] == "[QC] Giảm giá\nTừ chối: soạn TC gửi 9123"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0", (ReceiptState.SENT, None)),
        (1, (ReceiptState.FAILED, Next.GIVE_UP)),
        ("5", (ReceiptState.SENT, None)),
        ("10", None),
        ("-1", None),
    ],
)
async def test_a_lost_reply_is_asked_after_by_our_reference(code, expected, provider, transport):
    adapter = build("sms_vnpt", transport, provider.url)
    provider.will(status(code))
    sent = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    receipts = await adapter.lookup([Query(REFERENCE, "", "+84912345678", TEXT, sent)])
    assert [(r.state, r.next) for r in receipts] == ([expected] if expected else [])
    request = provider.seen[0].json["RQST"]
    assert (request["REQID"], request["SCHEDULETIME"]) == (REFERENCE, "23/11/2026")


async def test_a_refused_account_is_a_problem(provider, transport):
    adapter = build("sms_vnpt", transport, provider.url)
    for answer in (status("10"), told("9")):
        provider.will(answer)
        assert [problem.fatal for problem in await adapter.check()] == [True]
