"""The audio of a campaign, rendered for real by the embedded voice and measured by ffprobe."""

import hashlib
import json
import subprocess

import pytest

from broadcast.models import Audience, Bulletin, Campaign, Content, Delivery
from broadcast.newsroom import listen, publish
from broadcast.states import Category, ContentStatus, Lane
from broadcast.stations import bulletins, store


@pytest.fixture
def content(officer, province):
    """``content(body, channel)``: a launched campaign's text for the loudspeakers of the whole province."""

    def make(body="Mời bà con đi tiêm phòng.", **campaign) -> Content:
        audience = Audience.objects.create(owner=province)
        audience.places.add(province)
        made = Campaign.objects.create(
            title="Tiêm phòng", place=province, audience=audience, created_by=officer("writer"), **campaign
        )
        return Content.objects.create(campaign=made, channel="loudspeaker", body=body, status=ContentStatus.RENDERING)

    return make


def probe(sha256: str) -> dict:
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(store.locate(sha256))]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def test_every_station_gets_a_clip_with_its_own_greeting(content, station, communes):
    desks = [station(place) for place in communes]
    made = content()
    assert bulletins.prepare(made.pk)
    assert bulletins.progress(made) == (2, 2)
    media = bulletins.media_for(made.pk, [desk.code for desk in desks])
    assert set(media) == {desk.code for desk in desks}
    assert len({clip.sha256 for clip in media.values()}) == 2
    for desk in desks:
        clip = media[desk.code]
        facts = probe(clip.sha256)
        assert facts["streams"][0]["codec_name"] == "mp3"
        assert abs(float(facts["format"]["duration"]) - clip.seconds) < 0.3
        assert facts["format"]["tags"]["title"] == "Tiêm phòng"
        assert hashlib.sha256(store.locate(clip.sha256).read_bytes()).hexdigest() == clip.sha256
        assert desk.contact.place.name.split()[-1].lower() in Bulletin.objects.get(station=desk).spoken.lower()


def test_a_second_run_makes_nothing_and_a_correction_makes_all_again(content, desk):
    made = content()
    assert bulletins.prepare(made.pk)
    (before,) = Bulletin.objects.all()
    assert bulletins.prepare(made.pk)
    assert Bulletin.objects.get().created_at == before.created_at
    Content.objects.filter(pk=made.pk).update(body="Hoãn tiêm phòng đến thứ hai.")
    assert bulletins.progress(Content.objects.get()) == (0, 1)
    assert bulletins.prepare(made.pk)
    assert Bulletin.objects.get().sha256 != before.sha256


def test_it_gives_way_and_goes_on(content, station, communes, monkeypatch):
    for place in communes:
        station(place)
    made = content()
    monkeypatch.setattr(bulletins, "STEP", 0.0)  # a step is one clip
    assert not bulletins.prepare(made.pk)
    assert bulletins.progress(made) == (1, 2)
    assert bulletins.prepare(made.pk)


@pytest.mark.parametrize("body", ["", "!!! ??? …", "a " * 30_000])
def test_a_text_that_cannot_be_read_aloud_stops_the_channel_with_a_sentence(content, desk, body):
    made = content(body)
    assert not bulletins.prepare(made.pk)
    made.refresh_from_db()
    assert made.status == ContentStatus.STOPPED and made.status_reason.startswith("Chưa thu âm được: Bài đọc")
    assert not Bulletin.objects.exists()


def test_a_voice_that_is_not_there_gives_way_to_the_built_in_one(content, station, communes):
    desk = station(communes[0], voice="piper:/khong/co.onnx")
    made = content()
    assert bulletins.prepare(made.pk)
    assert Bulletin.objects.get(station=desk).voice == "espeak"


def test_an_emergency_is_read_three_times_without_greeting(content, desk):
    urgent = content(lane=Lane.URGENT)
    assert bulletins.prepare(urgent.pk)
    spoken = Bulletin.objects.get().spoken
    assert spoken.lower().count("tiêm phòng") == 6  # title and body, three times
    assert "đây là" not in spoken.lower()
    assert bulletins.priority_of(urgent.campaign, {}) == "emergency"
    urgent.campaign.lane, urgent.campaign.category = Lane.NORMAL, Category.EMERGENCY
    assert bulletins.priority_of(urgent.campaign, {}) == "emergency"


def test_no_station_no_work(content):
    made = content()
    assert bulletins.prepare(made.pk)
    assert bulletins.media_for(made.pk, ["dai-khong-co"]) == {}


def test_the_news_page_of_the_campaign_can_be_heard(content, desk, citizen, province, client, delivery):
    made = content()
    Content.objects.create(campaign=made.campaign, channel="enews_site", body="x")
    assert bulletins.prepare(made.pk)
    assert bulletins.progress(made) == (2, 2)
    citizen(province, "Trang tin", "outlet", newsroom="bac-ninh")
    reference = delivery()
    Delivery.objects.filter(pk=int(reference)).update(campaign_id=made.campaign_id)
    article, _result = publish.publish("bac-ninh", reference, publish.Draft("Tiêm phòng", "Mời bà con."))
    assert listen.bulletin_of(article).station is None
    assert "<audio" in client.get(f"/tin/{article.slug}/").content.decode()
    audio = client.get(f"/tin/{article.slug}/nghe.mp3")
    assert hashlib.sha256(audio.content).hexdigest() == listen.bulletin_of(article).sha256
