"""The door of the news page, as the adapter uses it and as a stranger would."""

import json

import pytest

from broadcast.models import Article
from broadcast.models.accounts import local_token


def test_publishing_twice_is_once(put, words):
    first, second = put("12", words), put("12", words)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"] == "12"
    assert first.json()["url"].endswith("/tin/lu-song-thuong-dat-bao-dong-2-ba-con-ven-song-can-ke-cao-do-dac/")
    article = Article.objects.get()
    assert article.body_html.startswith("<p>Mực nước <strong>5,32 m</strong>.</p>")
    assert "<h3>Điểm sơ tán</h3>" in article.body_html  # the page's title is its only h1
    assert not article.corrected


def test_a_changed_repeat_corrects_in_place(put, words):
    url = put("12", words).json()["url"]
    before = Article.objects.get()
    reply = put("12", {**words, "title": "Lũ sông Thương đã xuống", "body": "Nước rút."})
    after = Article.objects.get()
    assert reply.json() == {"id": "12", "url": url, "status": "corrected"}
    assert (after.title, after.body_html, after.corrected) == ("Lũ sông Thương đã xuống", "<p>Nước rút.</p>", True)
    assert (after.slug, after.published_at) == (before.slug, before.published_at)
    assert after.updated_at > before.updated_at


def test_two_articles_of_one_title_have_two_addresses(put, words):
    urls = {put(reference, words).json()["url"] for reference in ("12", "13", "14")}
    assert len(urls) == 3


def test_retracting_is_final_and_repeatable(put, words, client):
    url = put("12", words).json()["url"]
    assert put("12", method="delete").json()["status"] == "gone"
    assert put("12", method="delete").status_code == 200
    again = put("12", words)  # a late repeat must not bring it back
    assert again.status_code == 410 and again.json()["code"] == "gone"
    assert client.get(url.partition("8000")[2] or url).status_code == 410
    assert put("99", method="delete").status_code == 404


@pytest.mark.parametrize("token", [None, "", "zz", "00", "01" * 40, "Bearer"])
def test_without_our_token_nothing_happens(put, words, token):
    reply = put("12", words, token=token)
    assert reply.status_code == 401 and reply["WWW-Authenticate"].startswith("Bearer")
    assert reply.json()["error"]
    assert not Article.objects.exists()


def test_another_channels_account_is_refused(put, words, account):
    assert put("12", words, token=local_token(account("loudspeaker"))).status_code == 403
    assert put("12", words, token=local_token(account("enews_site", status="off"))).status_code == 403
    assert not Article.objects.exists()


def test_an_account_publishes_only_inside_its_branch(put, words, account, communes):
    assert put("12", words, token=local_token(account("enews_site", place=communes[0]))).status_code == 404


def test_an_unknown_site_is_not_found(put, words):
    assert put("12", words, site="ha-noi").status_code == 404


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"title": ""}, "tiêu đề"),
        ({"title": "   \u0000"}, "tiêu đề"),
        ({"title": "a" * 201}, "201"),
        ({"title": 5}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"summary": "a" * 1001}, "1001"),
        ({"body": ""}, "nội dung"),
        ({"body": "\n \n"}, "nội dung"),
        ({"body": ["x"]}, "body"),
        ({"body": "a" * 200_001}, "200001"),
        ({"language": "klingon"}, "klingon"),
        ({"category": "gossip"}, "gossip"),
    ],
)
def test_bad_content_gets_a_sentence(put, words, change, word):
    reply = put("12", raw=json.dumps({**words, **change}))
    assert reply.status_code == 422
    assert word in reply.json()["error"]
    assert not Article.objects.exists()


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        ("{", "application/json", 422),
        ("[1]", "application/json", 422),
        ('{"title": NaN}', "application/json", 422),
        ("[" * 100_000, "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        ('{"title": "x"}', "text/plain", 415),
        ('{"title": "' + "x" * (1024 * 1024) + '"}', "application/json", 413),
    ],
)
def test_rubbish_is_refused(put, raw, kind, status):
    reply = put("12", raw=raw, content_type=kind)
    assert reply.status_code == status and reply.json()["error"]
    assert not Article.objects.exists()


def test_other_methods_are_refused(put, words):
    assert put("12", words, method="post").status_code == 405
    assert put("12", words, method="patch")["Allow"] == "GET, PUT, DELETE"


def test_what_is_there_can_be_asked(put, words, client):
    assert put("12", method="get").status_code == 404
    put("12", words)
    assert put("12", method="get").json()["status"] == "published"


def test_the_root_tells_whether_a_token_is_good(client, account):
    good = {"Authorization": f"Bearer {local_token(account('loudspeaker'))}"}
    assert client.get("/outlets/", headers=good).status_code == 200
    assert client.get("/outlets/").status_code == 401


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://tracker.example/p.gif)",
    '<a href="https://x.example" onclick="alert(1)">x</a>',
    "<style>body{display:none}</style>",
    '<iframe src="https://x.example"></iframe>',
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<svg/onload=alert(1)>",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_bodies_become_plain_words(put, words, client, body):
    url = put("12", {**words, "body": f"Bà con chú ý. {body}"}).json()["url"]
    html = Article.objects.get().body_html
    for forbidden in (
        "<script",
        "<img",
        "<style",
        "<iframe",
        "<svg",
        'href="javascript',
        'href="data',
        '<a href="https://x',
    ):
        assert forbidden not in html
    page = client.get("/tin/" + url.split("/tin/")[1])
    assert page.status_code == 200 and html in page.content.decode()


def test_a_hostile_title_is_text_on_the_page_and_in_the_feed(put, words, client):
    title = "</title><script>alert('x')</script>]]>"
    url = put("12", {**words, "title": title}).json()["url"]
    for address in ("/tin/" + url.split("/tin/")[1], "/tin/", "/tin/feed.atom", "/tin/sitemap.xml"):
        assert b"<script>alert" not in client.get(address).content
