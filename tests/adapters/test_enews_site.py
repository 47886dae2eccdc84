"""Cases of enews_site, and what only the newsroom does."""

from __future__ import annotations

import pytest

from channels_adapters.core.interface import Content, Media, Next, Reason, Recipient
from tests.adapters.contract import REFERENCE, Cases, Failure, build, message
from tests.adapters.provider import Answer

ARTICLE = Content(
    "Từ ngày 1 tháng 12, người dân nộp hồ sơ trực tuyến.\n\nChi tiết tại bộ phận một cửa.",
    subject="Nộp hồ sơ trực tuyến",
    summary="Nộp hồ sơ từ 1/12.",
    media=(Media("image", url="https://loa.example.vn/m/a.jpg", mime="image/jpeg", title="Bộ phận một cửa"),),
    category="service",
)


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("PUT", f"/outlets/newsroom/bac-ninh/articles/{REFERENCE}")
    assert seen.headers["authorization"] == "Bearer SECRETnews"
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {
        "title": "Nộp hồ sơ trực tuyến",
        "summary": "Nộp hồ sơ từ 1/12.",
        "body": ARTICLE.body,
        "language": "vi",
        "media": [
            {
                "kind": "image",
                "url": "https://loa.example.vn/m/a.jpg",
                "mime": "image/jpeg",
                "title": "Bộ phận một cửa",
            }
        ],
        "category": "service",
    }


CASES = Cases(
    settings={"token": "SECRETnews"},
    good={"bac-ninh": "bac-ninh", " Bac-Ninh ": "bac-ninh", "p1": "p1"},
    bad=("", "-bac", "bắc ninh", "a/b", "..", "a" * 65),
    content=ARTICLE,
    empty=Content("", subject="Tiêu đề"),
    accepted=Answer.json(201, {"id": "0190f3c2", "url": "/tin/0190f3c2"}),
    provider_id="0190f3c2",
    delivered=True,
    asks=asks,
    failures=(
        Failure(
            "no such site", Answer.json(404, {"error": "no site", "code": "unknown"}), Next.GIVE_UP, Reason.BAD_ADDRESS
        ),
        Failure("taken back", Answer.json(410, {"error": "x", "code": "gone"}), Next.GIVE_UP, Reason.EXPIRED),
        Failure("no such page", Answer(404), Next.PAUSE_ACCOUNT, Reason.MISCONFIGURED),
        Failure("wrong token", Answer.json(403, {"error": "token"}), Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
        Failure("refused", Answer.json(422, {"error": "no title"}), Next.FIX_CONTENT, Reason.REJECTED_CONTENT),
        Failure("too large", Answer.json(413, {"error": "size"}), Next.FIX_CONTENT, Reason.TOO_LONG),
        Failure("restarting", Answer.json(503, {}, Retry_After="2"), Next.RETRY, Reason.PROVIDER_ERROR, after=2.0),
    ),
    unreadable=(Answer.json(201, {"id": ""}), Answer.json(201, {"id": None}), Answer.json(201, {"url": "/x"})),
    corrected=Answer.json(200, {"id": "0190f3c2", "url": "/tin/0190f3c2"}),
    retracted=Answer(204),
    healthy=(Answer.json(200, {}),),
)


async def test_a_correction_goes_to_the_article_that_stands(provider, transport):
    adapter = build("enews_site", transport, provider.url)
    provider.will(CASES.corrected)
    await adapter.correct(message(adapter, CASES), "0190f3c2")
    assert (provider.seen[0].method, provider.seen[0].path) == ("PUT", "/outlets/newsroom/bac-ninh/articles/0190f3c2")


@pytest.mark.parametrize("status", [200, 204, 404, 410])
async def test_taking_back_twice_is_no_fault(provider, transport, status):
    adapter = build("enews_site", transport, provider.url)
    provider.will(Answer(status))
    assert (await adapter.retract(REFERENCE, "0190f3c2", "bac-ninh")).next is None
    seen = provider.seen[0]
    assert (seen.method, seen.path) == ("DELETE", "/outlets/newsroom/bac-ninh/articles/0190f3c2")


async def test_ids_cannot_leave_their_path(provider, transport):
    adapter = build("enews_site", transport, provider.url)
    provider.will(Answer(204))
    await adapter.retract(REFERENCE, "../../stations/x?y", "bac-ninh")
    assert provider.seen[0].target == "/outlets/newsroom/bac-ninh/articles/..%2F..%2Fstations%2Fx%3Fy"


@pytest.mark.parametrize("title", ["", "a" * 201])
async def test_an_article_needs_a_title_of_sensible_length(provider, transport, title):
    adapter = build("enews_site", transport, provider.url)
    with pytest.raises(ValueError, match="iêu đề"):
        adapter.render(Content("Nội dung", subject=title), Recipient(REFERENCE, "bac-ninh"))


async def test_a_long_summary_is_announced(provider, transport):
    adapter = build("enews_site", transport, provider.url)
    content = Content("Nội dung", subject="Tiêu đề", summary="a" * 501)
    assert adapter.estimate(adapter.render(content, Recipient(REFERENCE, "bac-ninh"))).warnings
