"""``manage.py send_one`` and what ``smpp_link`` refuses, before any campaign."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from broadcast.states import AccountStatus
from tests.adapters.sandbox.conftest import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = {"api_key": "SANDBOXESMSAPIKEY", "secret_key": "SANDBOXESMSSECRET", "sender": "UBND-BN", "prices": "* 500"}


@pytest.fixture
def sandbox(tmp_path, settings):
    running = Sandbox(tmp_path / "state").start()
    settings.SANDBOX_URL = running.url
    yield running
    running.stop()


def test_one_message_arrives_at_the_sandbox(account, sandbox):
    account("sms_esms", settings=KEYS, sandbox=True)
    out = StringIO()
    call_command("send_one", "sms_esms", "0912 345 678", "Thử một tin", stdout=out)
    assert "(hộp cát): đã nhận, mã " in out.getvalue() and "1 phần, 500 đồng" in out.getvalue()
    assert sandbox.control("GET", "stats")["accepted"] == 1


def test_a_refusal_is_said_and_nothing_goes_out(account, sandbox):
    account("sms_esms", settings={**KEYS, "sender": "KHAC"}, sandbox=True)
    with pytest.raises(CommandError, match="pause_account"):
        call_command("send_one", "sms_esms", "0912345678", "Thử")
    with pytest.raises(CommandError, match="số cố định"):
        call_command("send_one", "sms_esms", "0222 382 1234", "Thử")
    assert sandbox.control("GET", "stats")["accepted"] == 0


def test_without_an_account_or_with_several_it_asks(account):
    with pytest.raises(CommandError, match="Không có kênh"):
        call_command("send_one", "pigeon", "x", "y")
    account("sms_esms", settings=KEYS, sandbox=True, status=AccountStatus.OFF)
    with pytest.raises(CommandError, match="chưa có tài khoản"):
        call_command("send_one", "sms_esms", "0912345678", "Thử")
    account("sms_esms", settings=KEYS, sandbox=True)
    account("sms_esms", settings=KEYS, sandbox=True)
    with pytest.raises(CommandError, match="--account"):
        call_command("send_one", "sms_esms", "0912345678", "Thử")


def test_a_link_wants_a_complete_account(account):
    with pytest.raises(CommandError, match="Không có tài khoản SMPP"):
        call_command("smpp_link", "999")
    for values, why in (({}, "Mã nội bộ"), ({"link_token": "x" * 16}, "máy chủ"), ({"port": "x"}, "Mã nội bộ")):
        found = account("sms_smpp", settings=values)
        with pytest.raises(CommandError, match=why):
            call_command("smpp_link", str(found.pk))
