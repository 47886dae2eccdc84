"""What an operator sees, plays and reports; what a stranger does not."""

import io
import json
import zipfile
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from broadcast.models import AuditEntry, Clip, Delivery
from broadcast.states import DeliveryStatus
from broadcast.stations import clips, store


@pytest.fixture
def operator(officer, communes):
    return officer("operator", communes[0], full_name="Vi Văn Tài")


@pytest.fixture
def clip(put, words, delivery):
    def make(**change) -> Clip:
        reference = delivery()
        assert put(reference, {**words, **change}).status_code == 201
        return Clip.objects.get(reference=reference)

    return make


@pytest.fixture
def phone(client, operator):
    client.force_login(operator)
    return client


def status(clip) -> int:
    return Delivery.objects.get(pk=int(clip.reference)).status


def report(client, *events):
    body = json.dumps({"events": [{**event, "clip": event["clip"].pk} for event in events]})
    return client.post("/loa/bao-cao/", body, content_type="application/json")


# -- receipts --------------------------------------------------------------------------------------------------------
def test_fetching_the_audio_is_the_receipt_delivered(phone, clip):
    made = clip()
    phone.get("/loa/")
    phone.head(f"/loa/ban-tin/{made.pk}.mp3")
    phone.get(f"/loa/ban-tin/{made.pk}.mp3", headers={"Range": "bytes=0-99"})
    assert status(made) == DeliveryStatus.SENT
    phone.get(f"/loa/ban-tin/{made.pk}.mp3")
    assert status(made) == DeliveryStatus.DELIVERED
    assert Clip.objects.get().downloaded_at


def test_played_is_the_receipt_read(phone, clip, operator):
    made = clip()
    at = timezone.now()
    reply = report(phone, {"clip": made, "event": "played", "at": at.isoformat()})
    assert reply.json() == {"results": [{"clip": made.pk, "event": "played", "ok": True}]}
    assert status(made) == DeliveryStatus.READ
    played = Clip.objects.get()
    assert (played.played_at, played.played_by) == (at, operator)
    assert Delivery.objects.get().final_at == at


def test_repeats_from_the_queue_change_nothing(phone, clip):
    made = clip()
    at = timezone.now()
    for moment in (at, at, at + timedelta(minutes=1)):
        event = {"clip": made, "event": "played", "at": moment.isoformat()}
        assert report(phone, event, event).json()["results"][0]["ok"]
    assert Clip.objects.get().played_at == at
    assert AuditEntry.objects.filter(action="clip.played").count() == 1


@pytest.mark.parametrize("days", [-3650, -1, 1, 3650])
def test_a_clock_far_off_is_refused_with_a_sentence(phone, clip, days):
    made = clip()
    at = timezone.now() + timedelta(days=days)
    result = report(phone, {"clip": made, "event": "played", "at": at.isoformat()}).json()["results"][0]
    assert not result["ok"] and "đồng hồ" in result["error"]
    assert Clip.objects.get().played_at is None and status(made) == DeliveryStatus.SENT


def test_a_clock_a_little_off_counts_as_now(operator, clip):
    made = clip()
    now = timezone.now()
    assert clips.played(operator, made, now + timedelta(minutes=5), now=now)
    assert Clip.objects.get().played_at == now


def test_missed_then_played_after_all(phone, clip):
    made = clip()
    now = timezone.now().isoformat()
    report(phone, {"clip": made, "event": "missed", "at": now, "reason": "Mất   điện"})
    assert Clip.objects.get().missed_reason == "Mất điện"
    assert status(made) == DeliveryStatus.SENT
    report(phone, {"clip": made, "event": "played", "at": now})
    assert Clip.objects.get().missed_at is None and status(made) == DeliveryStatus.READ
    report(phone, {"clip": made, "event": "missed", "at": now})
    assert Clip.objects.get().missed_at is None


def test_one_bad_report_does_not_hold_up_the_others(phone, clip):
    good, bad = clip(), clip()
    now = timezone.now().isoformat()
    results = report(
        phone,
        {"clip": bad, "event": "sung", "at": now},
        {"clip": bad, "event": "played", "at": "hôm qua"},
        {"clip": bad, "event": "played", "at": "2026-09-15T10:00"},
        {"clip": good, "event": "played", "at": now},
    ).json()["results"]
    assert [result["ok"] for result in results] == [False, False, False, True]
    assert status(good) == DeliveryStatus.READ and status(bad) == DeliveryStatus.SENT


@pytest.mark.parametrize("body", [" ", "[]", "{}", '{"events": 1}', '{"events": [1]}', "[" * 50_000])
def test_a_queue_that_cannot_be_read(phone, body):
    assert phone.post("/loa/bao-cao/", body, content_type="application/json").status_code == 400


def test_the_form_works_without_script(phone, clip):
    made = clip()
    page = phone.post("/loa/bao-cao/", {"clip": made.pk, "event": "played", "time": ""}, follow=True)
    assert page.status_code == 200 and Clip.objects.get().played_at
    page = phone.post("/loa/bao-cao/", {"clip": made.pk, "event": "played", "time": "25:00"}, follow=True)
    assert "17:05" in page.content.decode()
    assert phone.post("/loa/bao-cao/", {"clip": "x", "event": "played"}).status_code == 404


# -- who may ---------------------------------------------------------------------------------------------------------
def test_only_the_operators_of_the_station(client, clip, officer, communes):
    made = clip()
    for user in (officer("operator", communes[1]), officer("writer"), officer("viewer")):
        client.force_login(user)
        assert client.get(f"/loa/ban-tin/{made.pk}.mp3").status_code == 404
        now = timezone.now().isoformat()
        assert not report(client, {"clip": made, "event": "played", "at": now}).json()["results"][0]["ok"]
        assert made.title not in client.get("/loa/").content.decode()
        assert client.get(f"/loa/tat-ca.zip?dai={made.station.code}").status_code == 404
    client.logout()
    assert client.get("/loa/").status_code == 302
    assert client.get(f"/loa/ban-tin/{made.pk}.mp3").status_code == 302
    assert report(client, {"clip": made, "event": "played", "at": now}).status_code == 302
    assert Clip.objects.get().played_at is None


def test_the_page_without_a_station_says_what_to_do(client, officer):
    client.force_login(officer("writer"))
    assert "chưa được giao đài nào" in client.get("/loa/").content.decode()


# -- the list --------------------------------------------------------------------------------------------------------
def test_urgent_first_and_what_is_done_last(phone, clip):
    normal = clip(title="Tin thường")
    urgent = clip(title="Lũ về", priority="urgent")
    page = phone.get("/loa/").content.decode()
    assert page.index(urgent.title) < page.index(normal.title)
    assert "Khẩn cấp: phát ngay" in page and "2 bản tin cần phát" in page
    report(phone, {"clip": urgent, "event": "played", "at": timezone.now().isoformat()})
    page = phone.get("/loa/").content.decode()
    assert page.index(normal.title) < page.index(urgent.title)
    assert "Vi Văn Tài đã báo." in page


def test_withdrawn_and_expired_are_not_to_be_played(phone, clip, put, desk):
    gone, late = clip(title="Thu hồi"), clip(title="Hết hạn")
    put(gone.reference, method="delete")
    Clip.objects.filter(pk=late.pk).update(
        not_after=timezone.now() - timedelta(hours=1), created_at=timezone.now() - timedelta(days=2)
    )
    page = phone.get("/loa/").content.decode()
    assert "Đã thu hồi" in page and "Hết hạn" not in page
    assert phone.get(f"/loa/ban-tin/{gone.pk}.mp3").status_code == 404


def test_what_waits_from_yesterday_stays(desk, clip):
    made = clip()
    Clip.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert list(clips.todays(desk)) == [made]
    Clip.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert not list(clips.todays(desk))


# -- audio -----------------------------------------------------------------------------------------------------------
def test_ranges(phone, clip):
    made = clip()
    data = store.locate(made.sha256).read_bytes()
    url = f"/loa/ban-tin/{made.pk}.mp3"
    whole = phone.get(url)
    assert whole.content == data and whole["Accept-Ranges"] == "bytes" and whole["Content-Type"] == "audio/mpeg"
    for asked, start, stop in (
        ("bytes=0-", 0, len(data)),
        ("bytes=10-19", 10, 20),
        ("bytes=-5", len(data) - 5, len(data)),
        (f"bytes=5-{len(data) * 2}", 5, len(data)),
    ):
        part = phone.get(url, headers={"Range": asked})
        assert part.status_code == 206 and part.content == data[start:stop]
        assert part["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"
    beyond = phone.get(url, headers={"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416 and beyond["Content-Range"] == f"bytes */{len(data)}"
    for odd in ("bytes=", "bytes=a-b", "bytes=0-1,4-5", "items=0-1"):
        assert phone.get(url, headers={"Range": odd}).status_code == 200
    assert phone.get(url, headers={"If-None-Match": whole["ETag"]}).status_code == 304
    assert phone.get(url, headers={"Range": "bytes=0-1", "If-Range": '"older"'}).status_code == 200
    assert phone.get(url, headers={"Range": "bytes=0-1", "If-Range": whole["ETag"]}).status_code == 206


def test_a_lost_file_is_not_found(phone, clip):
    made = clip()
    store.locate(made.sha256).unlink()
    assert phone.get(f"/loa/ban-tin/{made.pk}.mp3").status_code == 404
    assert phone.get("/loa/").status_code == 200


def test_all_in_one_file(phone, clip):
    made = [clip(title="Một"), clip(title="Hai")]
    packed = phone.get("/loa/tat-ca.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert archive.read(names[0]) == store.locate(made[0].sha256).read_bytes()
    assert [name.partition("-")[0] for name in names] == ["01", "02"] and names[0].endswith("-mot.mp3")
    assert {status(clip) for clip in made} == {DeliveryStatus.DELIVERED}


def test_nothing_to_pack_says_so(phone, desk):
    assert "Không có bản tin nào chờ phát" in phone.get("/loa/tat-ca.zip", follow=True).content.decode()


def test_the_playlist_plays_without_log_in(phone, clip, client):
    made = clip()
    listed = phone.get("/loa/danh-sach.m3u").content.decode().splitlines()
    assert listed[:2] == ["#EXTM3U", f"#EXTINF:2,{made.title}"]
    phone.logout()
    played = client.get(listed[2].partition("testserver")[2])
    assert played.status_code == 200 and status(made) == DeliveryStatus.DELIVERED


# -- the podcast -----------------------------------------------------------------------------------------------------
def test_a_station_has_a_podcast_of_its_own(client, clip, desk, put):
    made, gone = clip(), clip(title="Thu hồi")
    put(gone.reference, method="delete")
    url = f"/loa/kenh/{desk.feed_token}/feed.xml"
    feed = client.get(url)
    (item,) = ElementTree.fromstring(feed.content).iter("item")
    enclosure = item.find("enclosure").attrib
    assert item.findtext("title") == made.title and enclosure["type"] == "audio/mpeg"
    audio = client.get("/loa/" + enclosure["url"].partition("/loa/")[2])
    assert len(audio.content) == int(enclosure["length"])
    assert client.get(url, headers={"If-None-Match": feed["ETag"]}).status_code == 304
    clip()
    assert client.get(url, headers={"If-None-Match": feed["ETag"]}).status_code == 200


def test_another_token_opens_nothing(client, clip, station, communes):
    made, other = clip(), station(communes[1])
    assert client.get("/loa/kenh/khong-co/feed.xml").status_code == 404
    assert client.get(f"/loa/kenh/{other.feed_token}/{made.pk}.mp3").status_code == 404


# -- the installed page ----------------------------------------------------------------------------------------------
def test_manifest_and_worker_are_there(client, db):
    manifest = client.get("/loa/manifest.webmanifest").json()
    assert manifest["start_url"] == manifest["scope"] == "/loa/"
    worker = client.get("/loa/sw.js")
    assert worker["Content-Type"].startswith("text/javascript") and worker["Cache-Control"] == "no-cache"


def test_refusals_are_sentences(operator, clip):
    with pytest.raises(ValidationError) as refused:
        clips.played(operator, clip(), timezone.now() + timedelta(days=400))
    assert refused.value.code == "clock" and len(refused.value.messages) == 1
