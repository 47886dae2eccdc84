"""Slots, quiet hours, and what falls where."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from broadcast.models import AuditEntry, Clip, Slot
from broadcast.stations import programme

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
TUESDAY = date(2026, 9, 15)


def at(hour: int, minute: int = 0, day: date = TUESDAY) -> datetime:
    return datetime.combine(day, time(hour, minute), HANOI)


@pytest.fixture
def operator(officer, communes):
    return officer("operator", communes[0])


@pytest.fixture
def slot(desk, operator):
    def make(starts: time, minutes=30, days=EVERY_DAY, kind="bulletin", title="Bản tin xã", **fields) -> Slot:
        fields = {"valid_from": date(2026, 1, 1), **fields}
        made = Slot(station=desk, starts=starts, minutes=minutes, days=days, kind=kind, title=title, **fields)
        return programme.save(operator, made)

    return make


def clip(desk, priority="normal", not_after=None) -> Clip:
    number = Clip.objects.count()
    return Clip.objects.create(
        reference=f"r{number}", station=desk, account_id=1, title=f"Tin {number}", priority=priority, sha256="0" * 64,
        seconds=60, not_after=not_after,
    )  # fmt: skip


def test_a_station_without_a_programme_plays_at_the_usual_hours(desk):
    assert programme.next_slot(desk, at(4)) == at(5)
    assert programme.next_slot(desk, at(5)) == at(17)
    assert programme.next_slot(desk, at(17)) == at(5, day=TUESDAY + timedelta(days=1))


def test_own_slots_replace_the_usual_hours(desk, slot):
    slot(time(6), days=[3])
    assert programme.next_slot(desk, at(7)) == at(6, day=TUESDAY + timedelta(days=1))
    assert programme.next_slot(desk, at(7, day=TUESDAY + timedelta(days=1))) == at(6, day=TUESDAY + timedelta(days=8))


def test_a_slot_ends_with_its_season(desk, slot):
    slot(time(6), valid_to=TUESDAY)
    assert programme.next_slot(desk, at(5)) == at(6)
    assert programme.next_slot(desk, at(7)) is None


def test_each_priority_finds_its_place(desk, slot):
    relay = slot(time(17), 60, kind="relay", title="Tiếp sóng VOV")
    slot(time(18, 30))
    normal, ahead, urgent = clip(desk), clip(desk, "priority"), clip(desk, "urgent")
    planned = programme.plan(desk, [normal, ahead, urgent], at(16))
    assert [(p.clip, p.at) for p in planned] == [(urgent, at(16)), (ahead, at(17)), (normal, at(18, 30))]
    (now,) = programme.plan(desk, [urgent], at(17, 20))
    assert now.at == at(17, 20) and now.slot == relay  # it interrupts the relay


def test_nothing_is_planned_after_its_end(desk, slot):
    slot(time(18))
    (planned,) = programme.plan(desk, [clip(desk, not_after=at(17))], at(16))
    assert planned.at is None


@pytest.mark.parametrize(("hour", "quiet"), [(4, True), (5, False), (20, False), (21, True), (3, True)])
def test_quiet_hours(hour, quiet):
    assert programme.is_quiet(at(hour, 59 if hour in (4, 20) else 0)) is quiet


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (at(3, 15), "3 giờ 15 phút đêm"),
        (at(5), "5 giờ sáng"),
        (at(12, 5), "12 giờ 5 phút trưa"),
        (at(15, 15), "3 giờ 15 phút chiều"),
        (at(19), "7 giờ tối"),
        (at(23, 30), "11 giờ 30 phút đêm"),
        (at(0), "0 giờ đêm"),
    ],
)
def test_an_hour_in_words(moment, words):
    assert programme.hour_in_words(moment) == words


@pytest.mark.parametrize(
    ("bent", "code"),
    [
        ({"starts": time(3, 15)}, "quiet"),
        ({"starts": time(4, 59)}, "quiet"),
        ({"starts": time(20, 45), "minutes": 30}, "quiet"),
        ({"minutes": 0}, "invalid"),
        ({"minutes": 181}, "invalid"),
        ({"days": []}, "invalid"),
        ({"days": [8]}, "invalid"),
        ({"title": "  "}, "invalid"),
        ({"valid_to": date(2025, 1, 1)}, "invalid"),
    ],
)
def test_a_mistyped_slot_is_refused(slot, bent, code):
    with pytest.raises(ValidationError) as refused:
        slot(**{"starts": time(6), **bent})
    assert refused.value.code == code and not Slot.objects.exists()
    if bent.get("starts") == time(3, 15):
        assert "3 giờ 15 phút đêm" in refused.value.messages[0]


def test_overlaps_are_shown_where_days_and_dates_meet(slot):
    first = slot(time(17), 60, kind="relay")
    second = slot(time(17, 30), days=[2])
    slot(time(18), 30)  # begins as the first ends
    slot(time(17), 30, days=[2], valid_from=date(2025, 1, 1), valid_to=date(2025, 12, 31))
    assert programme.collisions(Slot.objects.all()) == [(first, second)]


def test_of_two_editors_the_second_is_told(slot, operator):
    made = slot(time(6))
    mine, theirs = Slot.objects.get(), Slot.objects.get()
    theirs.starts = time(7)
    programme.save(operator, theirs, made.revision)
    mine.starts = time(8)
    with pytest.raises(ValidationError) as refused:
        programme.save(operator, mine, made.revision)
    assert refused.value.code == "stale" and Slot.objects.get().starts == time(7)
    with pytest.raises(ValidationError):
        programme.remove(operator, mine, made.revision)
    programme.remove(operator, mine, theirs.revision)
    assert not Slot.objects.exists() and AuditEntry.objects.filter(action="slot.remove").exists()


def test_the_pages(client, operator, desk, officer, communes):
    client.force_login(operator)
    assert "giờ thường lệ" in client.get("/loa/lich/").content.decode()
    form = {"title": "Bản tin sáng", "kind": "bulletin", "starts": "05:15", "minutes": "20", "days": ["1", "2"]}
    form |= {"valid_from": timezone.localdate().isoformat(), "valid_to": "", "revision": "0"}
    page = client.post("/loa/lich/moi/", {**form, "starts": "03:15"})
    assert "3 giờ 15 phút đêm là ngoài giờ phát" in page.content.decode() and not Slot.objects.exists()
    assert "Bản tin sáng" in client.post("/loa/lich/moi/", form, follow=True).content.decode()
    made = Slot.objects.get()
    assert client.get(f"/loa/lich/{made.pk}/").status_code == 200
    client.post(f"/loa/lich/{made.pk}/", {**form, "minutes": "25", "revision": str(made.revision)})
    assert Slot.objects.get().minutes == 25
    stale = client.post(f"/loa/lich/{made.pk}/", {**form, "minutes": "40", "revision": str(made.revision)})
    assert "Người khác vừa sửa" in stale.content.decode() and Slot.objects.get().minutes == 25
    for query in ("tuan=9999-12-31", "tuan=x", "tuan=2026-13-01", "dai=khong-co"):
        assert client.get(f"/loa/lich/?{query}").status_code in (200, 404)
    client.force_login(officer("operator", communes[1]))
    assert client.get(f"/loa/lich/{made.pk}/").status_code == 404
    assert client.post(f"/loa/lich/{made.pk}/xoa/", {"revision": "2"}).status_code == 404
    client.force_login(operator)
    client.post(f"/loa/lich/{made.pk}/xoa/", {"revision": "2"})
    assert not Slot.objects.exists()
