"""The door through which clips arrive."""

import pytest

from broadcast.models import Clip
from broadcast.models.accounts import local_token


def test_accepting_twice_is_once(put, words, desk, loudspeaker):
    first, second = put("12", words), put("12", words)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == "12"
    clip = Clip.objects.get()
    assert (clip.station, clip.account_id, clip.title) == (desk, loudspeaker.pk, words["title"])
    assert clip.path == f"clips/{clip.sha256[:2]}/{clip.sha256}.mp3"  # the path in the message is never believed


def test_a_correction_replaces_what_was_not_played(put, words, mp3):
    put("12", words)
    Clip.objects.update(downloaded_at="2026-09-15T10:00Z")
    changed = {**words, "audio": {"sha256": mp3(3, 880), "seconds": 3.0}}
    assert put("12", changed).status_code == 200
    clip = Clip.objects.get()
    assert clip.seconds == 3 and clip.downloaded_at is None
    Clip.objects.update(played_at="2026-09-15T10:00Z")
    reply = put("12", words)
    assert reply.status_code == 422 and reply.json()["code"] == "played"


def test_withdrawing_is_final_and_repeatable(put, words):
    put("12", words)
    assert put("12", method="delete").json()["status"] == "gone"
    assert put("12", method="delete").status_code == 200
    assert put("12", words).status_code == 410
    assert put("13", method="delete").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"title": " "},
        {"priority": "loudest"},
        {"audio": None},
        {"audio": {"seconds": 2}},
        {"audio": {"sha256": "../../etc/passwd", "seconds": 2}},
        {"audio": {"sha256": "0" * 64, "seconds": 2}},  # not in the store
        {"seconds": 2, "audio": "x"},
        {"not_after": "tomorrow"},
        {"not_after": "2026-09-15T10:00"},  # no zone
    ],
)
def test_bad_clips_get_a_sentence(put, words, change):
    reply = put("12", {**words, **change})
    assert reply.status_code == 422 and reply.json()["error"]
    assert not Clip.objects.exists()


@pytest.mark.parametrize("seconds", [0, -1, True, "2", None, 1e9])
def test_a_length_that_is_none_is_refused(put, words, seconds):
    assert put("12", {**words, "audio": {**words["audio"], "seconds": seconds}}).status_code == 422


def test_one_stations_reference_is_not_anothers(put, words, station, communes):
    other = station(communes[1])
    put("12", words)
    assert put("12", words, station=other.code).status_code == 422
    assert put("12", method="delete", station=other.code).status_code == 404
    assert Clip.objects.get().withdrawn_at is None


def test_strangers_and_strange_stations(put, words, account):
    assert put("12", words, token="00").status_code == 401
    assert put("12", words, token=local_token(account("enews_site"))).status_code == 403
    assert put("12", words, station="dai-khong-co").status_code == 404
