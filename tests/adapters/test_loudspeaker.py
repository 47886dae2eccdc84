"""Cases of loudspeaker, and what only stations do."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import orjson
import pytest

from channels_adapters.core.interface import (
    Content,
    Media,
    Message,
    Next,
    Reason,
    Receipt,
    ReceiptState,
    Recipient,
    Request,
)
from channels_adapters.core.signatures import sign_timed
from channels_adapters.loudspeaker import Loudspeaker
from tests.adapters.contract import REFERENCE, Cases, Failure, Signed, build, message
from tests.adapters.provider import Answer

TOKEN = "SECRETstation"
CLIP = Media("audio", path="/srv/loa/a.mp3", mime="audio/mpeg", sha256="ab" * 32, seconds=61.5, title="Thông báo")
BULLETIN = Content("Mời bà con đến tiêm phòng.", subject="Lịch tiêm phòng", media=(CLIP,), category="emergency")


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("PUT", f"/outlets/stations/24-07210/clips/{REFERENCE}")
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert seen.json == {
        "title": "Lịch tiêm phòng",
        "priority": "urgent",
        "text": "Mời bà con đến tiêm phòng.",
        "audio": {"path": "/srv/loa/a.mp3", "sha256": "ab" * 32, "seconds": 61.5, "mime": "audio/mpeg"},
        "not_after": None,
    }


def report(body: object, at: float | None = None) -> Request:
    raw = orjson.dumps(body)
    signature = sign_timed(TOKEN, raw, time.time() if at is None else at)
    url = "https://loa.example.vn/hooks/loa/"
    return Request("POST", url, "", {"x-loa-signature": signature}, raw)


DOWNLOADED = {"event": "downloaded", "reference": REFERENCE, "id": "17", "at": "2026-11-23T08:15:00+00:00"}
PLAYED = {**DOWNLOADED, "event": "played", "at": "2026-11-23T17:00:00+07:00", "seconds": 61.5, "detail": "2 lượt"}
AT_DOWNLOAD = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
AT_PLAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

CASES = Cases(
    settings={"token": TOKEN},
    good={"24-07210": "24-07210", " dai.Bac_Ninh ": "dai.Bac_Ninh", "7": "7"},
    bad=("", "đài", "a/b", "../x", ".a", "a" * 65),
    content=BULLETIN,
    empty=Content("", subject="Tiêu đề", media=(CLIP,)),
    accepted=Answer.json(201, {"id": "17"}),
    provider_id="17",
    asks=asks,
    failures=(
        Failure(
            "no such station",
            Answer.json(404, {"error": "station", "code": "unknown"}),
            Next.GIVE_UP,
            Reason.BAD_ADDRESS,
        ),
        Failure("played", Answer.json(422, {"error": "x", "code": "played"}), Next.GIVE_UP, Reason.EXPIRED),
        Failure("taken back", Answer.json(410, {"error": "x", "code": "gone"}), Next.GIVE_UP, Reason.EXPIRED),
        Failure("no such page", Answer(404), Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
        Failure("wrong token", Answer.json(403, {"error": "token"}), Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
        Failure("refused", Answer.json(400, {"error": "not_after"}), Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
        Failure("restarting", Answer.json(503, {"error": "busy"}), Next.RETRY, Reason.PROVIDER_ERROR),
    ),
    unreadable=(Answer.json(200, {"id": []}), Answer.json(200, {"status": "ok"})),
    callbacks=(
        Signed(
            "downloaded",
            report(DOWNLOADED),
            (Receipt(ReceiptState.DELIVERED, REFERENCE, "17", code="downloaded", at=AT_DOWNLOAD),),
        ),
        Signed(
            "played",
            report({"events": [PLAYED]}),
            (Receipt(ReceiptState.READ, REFERENCE, "17", code="played", at=AT_PLAY, seconds=61.5, detail="2 lượt"),),
        ),
        Signed(
            "failed",
            report({"event": "failed", "reference": REFERENCE, "detail": "mất điện"}),
            (
                Receipt(
                    ReceiptState.FAILED,
                    REFERENCE,
                    next=Next.GIVE_UP,
                    reason=Reason.UNKNOWN,
                    code="failed",
                    detail="mất điện",
                ),
            ),
        ),
    ),
    stale=lambda: report(DOWNLOADED, time.time() - 3600),
    signing_secrets=("token",),
    corrected=Answer.json(200, {"id": "17"}),
    retracted=Answer(204),
    healthy=(Answer.json(200, {}),),
)


@pytest.fixture
def stations(provider, transport) -> Loudspeaker:
    adapter = build("loudspeaker", transport, provider.url)
    assert isinstance(adapter, Loudspeaker)
    return adapter


async def test_without_audio_there_is_nothing_to_play(stations, provider):
    rendered = stations.render(Content("Không có tiếng"), Recipient(REFERENCE, "7"))
    (outcome,) = await stations.send([Message(REFERENCE, "7", rendered)])
    assert (outcome.next, outcome.reason) == (Next.GIVE_UP, Reason.MISSING_MEDIA)
    assert provider.seen == []


async def test_a_stations_own_clip_goes_before_the_common_one(stations, provider):
    own = Media("audio", url="https://loa.example.vn/m/7.mp3", seconds=65)
    rendered = stations.render(BULLETIN, Recipient(REFERENCE, "7", media=(own,)))
    provider.will(CASES.accepted)
    await stations.send([Message(REFERENCE, "7", rendered)])
    assert provider.seen[0].json["audio"] == {"url": "https://loa.example.vn/m/7.mp3", "seconds": 65}


async def test_the_last_moment_to_play_is_passed_on_in_utc(stations, provider):
    content = Content("Bão", media=(CLIP,), options={"not_after": "2026-11-23T22:00:00+07:00"})
    provider.will(CASES.accepted)
    await stations.send([message(stations, CASES, content)])
    assert provider.seen[0].json["not_after"] == "2026-11-23T15:00:00+00:00"
    with pytest.raises(ValueError, match="Không phát sau"):
        stations.render(Content("Bão", options={"not_after": "tối nay"}), Recipient(REFERENCE, "7"))


async def test_a_correction_replaces_the_clip(stations, provider):
    provider.will(CASES.corrected)
    await stations.correct(message(stations, CASES), "17")
    assert provider.seen[0].path == "/outlets/stations/24-07210/clips/17"


@pytest.mark.parametrize("offset", [-3600, -301, 400])
def test_an_old_or_future_report_is_refused(offset):
    adapter = Loudspeaker(CASES.settings, None)
    assert not adapter.verify(report(DOWNLOADED, time.time() + offset))


@pytest.mark.parametrize(
    "body",
    [
        {"event": "danced", "reference": REFERENCE},
        {"event": "played"},
        {"events": "played"},
        {"events": ["played"]},
        {"event": "played", "reference": REFERENCE, "at": "yesterday"},
    ],
)
def test_a_report_of_no_known_form_is_refused(body):
    with pytest.raises(ValueError):
        Loudspeaker(CASES.settings, None).parse(report(body))
