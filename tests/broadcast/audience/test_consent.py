"""One test for each rule, named after its article."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from broadcast.audience import consent
from broadcast.audience.consent import Rule
from broadcast.audience.refusals import accept_again, refuse
from broadcast.models import AdvertisingSent, Consent, DoNotCall, vault
from broadcast.states import Category

PHONE = "+84912345678"
NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)  # 12:00 in Việt Nam
ADVERTISING, NOTICE, EMERGENCY = Category.ADVERTISING, Category.NOTICE, Category.EMERGENCY


def gate(*ids, category=ADVERTISING, number=PHONE, now=NOON):
    return consent.gate(category, "phone", [(id, vault.seal(number, "phone")) for id in ids], now)


def agree(number=PHONE):
    consent.give("phone", number, "paper", "Phiếu đăng ký số 12, lưu tại bộ phận một cửa", NOON - timedelta(days=9))


@pytest.mark.django_db
class TestDecree91:
    def test_article_13_prior_consent(self):
        assert gate(1) == {1: Rule.NO_CONSENT}
        agree()
        assert gate(1) == {}
        consent.withdraw("phone", PHONE)
        assert gate(2) == {2: Rule.NO_CONSENT}
        assert Consent.objects.get().evidence, "evidence outlives the withdrawal"

    def test_article_13_consent_needs_evidence_and_comes_before(self):
        with pytest.raises(ValueError, match="bằng chứng"):
            consent.give("phone", PHONE, "paper", "  ")
        consent.give("phone", PHONE, "form", "mẫu A", NOON + timedelta(hours=1))
        assert gate(1) == {1: Rule.NO_CONSENT}

    def test_article_7_national_list(self):
        agree()
        assert consent.load_do_not_call(["0912 345 678", "", "không phải số", "84912345678"]) == (1, [3])
        assert consent.load_do_not_call(["0912345678"]) == (0, [])
        assert gate(1) == {1: Rule.DO_NOT_CALL}
        assert gate(1, category=NOTICE) == {}, "the list is about advertising"
        assert DoNotCall.objects.count() == 1

    def test_article_13_three_in_24_hours(self):
        agree()
        assert gate(1, 2) == {}
        assert gate(2) == {}, "a retry is the same message"
        assert gate(3, 4) == {4: Rule.DAILY_LIMIT}
        assert gate(5, now=NOON + timedelta(hours=23)) == {5: Rule.DAILY_LIMIT}
        assert gate(5, now=NOON + timedelta(hours=24, seconds=1)) == {}
        assert AdvertisingSent.objects.count() == 4

    def test_article_13_stop_at_once(self):
        agree()
        refuse("phone", PHONE, "reply")
        for category in (ADVERTISING, NOTICE):
            assert gate(1, category=category) == {1: Rule.REFUSED}
        accept_again("phone", PHONE)
        assert gate(1) == {}

    def test_only_the_address_that_refused_is_stopped(self):
        other = vault.seal("+84912345679", "phone")
        refuse("phone", PHONE, "link")
        found = consent.gate(NOTICE, "phone", [(1, vault.seal(PHONE, "phone")), (2, other)], NOON)
        assert found == {1: Rule.REFUSED} and consent.gate(NOTICE, "phone", []) == {}


@pytest.mark.django_db(transaction=True)
def test_two_workers_together_keep_the_daily_limit():
    agree()
    passed = []

    def work(first):
        try:
            for id in range(first, first + 10):
                if id not in gate(id):
                    passed.append(id)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n * 100,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 3


def local(hour, minute=0):
    return datetime(2026, 3, 2, hour, minute, tzinfo=consent.VIETNAM)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (local(6, 59), local(7)),
        (local(7), None),
        (local(21, 59), None),
        (local(22), local(7) + timedelta(days=1)),
        (local(0, 30), local(7)),
    ],
)
def test_article_13_hours_of_advertising(now, until):
    for reason in ("", "gấp"):
        stop = consent.hours(ADVERTISING, now.astimezone(UTC), reason=reason)
        assert (stop.until if stop else None) == until
        assert stop is None or stop.rule is Rule.HOURS


def test_quiet_hours_of_notices_are_our_own():
    assert consent.hours(NOTICE, local(20, 59)) is None
    stop = consent.hours(NOTICE, local(23))
    assert stop.rule is Rule.QUIET and stop.until == local(6) + timedelta(days=1)
    assert consent.hours(NOTICE, local(23), reason="Xả đập lúc 1 giờ sáng") is None
    assert consent.hours(EMERGENCY, local(3)) is None


def test_article_15_label_and_article_16_refusal_line():
    line = "Tu choi: soan STOP gui 9123"
    assert consent.text(ADVERTISING, f"[QC] Hội chợ OCOP\n{line}", line) == []
    assert [s.rule for s in consent.text(ADVERTISING, "Hội chợ OCOP", line)] == [Rule.LABEL, Rule.NO_REFUSAL_LINE]
    assert [s.rule for s in consent.text(ADVERTISING, "[AD] Hội chợ", "")] == [Rule.NO_REFUSAL_LINE]
    assert consent.text(NOTICE, "Hội chợ OCOP", "") == []


def test_every_rule_names_its_article():
    assert all(rule.sentence.endswith(".") and rule.article for rule in Rule)
    assert "Điều 7" in Rule.DO_NOT_CALL.article and "Điều 15" in Rule.LABEL.article
