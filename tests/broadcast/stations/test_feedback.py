"""A bulletin's public page, where residents say whether they heard it."""

import pytest
from django.test import Client

from broadcast.models import Clip
from broadcast.stations import clips


@pytest.fixture
def clip(put, words) -> Clip:
    put("12", words)
    return Clip.objects.get()


def test_a_resident_answers_without_log_in_or_cookie(clip):
    strict = Client(enforce_csrf_checks=True)
    page = strict.get(f"/nghe/{clip.code}/")
    assert "Không nghe rõ" in page.content.decode() and not page.cookies
    for answer in ("khong-ro", "ro", "ro"):
        page = strict.post(f"/nghe/{clip.code}/", {"nghe": answer})
        assert "Cảm ơn bà con" in page.content.decode() and not page.cookies
    clip.refresh_from_db()
    assert (clip.heard, clip.unclear) == (2, 1)


def test_odd_answers_count_nothing(client, clip):
    assert client.post(f"/nghe/{clip.code}/", {"nghe": "x"}).status_code == 200
    assert client.put(f"/nghe/{clip.code}/").status_code == 405
    assert client.get("/nghe/khong-co/").status_code == 404
    clip.refresh_from_db()
    assert (clip.heard, clip.unclear) == (0, 0)


def test_a_withdrawn_bulletin_has_no_page(client, clip, put):
    put("12", method="delete")
    assert client.get(f"/nghe/{clip.code}/").status_code == 404
    assert not clips.answer(clip.code, clear=True)


def test_the_operator_sees_what_residents_say(client, clip, officer, communes):
    user = officer("operator", communes[0])
    clips.played(user, clip, clip.created_at)
    clips.answer(clip.code, clear=False)
    client.force_login(user)
    assert "0 đã nghe, 1 không nghe rõ" in client.get("/loa/").content.decode()
