"""The public pages: no log-in, no cookies, archive, feed with conditional requests."""

from datetime import datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from broadcast.models import Article
from broadcast.newsroom import publish, views_count
from broadcast.newsroom.publish import Draft

ATOM = "{http://www.w3.org/2005/Atom}"
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
def article(site):
    def make(reference="1", title="Lịch tiêm phòng bệnh dại", **fields):
        made, _result = publish.publish("bac-ninh", reference, Draft(title, "Bà con đưa chó, mèo đến nhà văn hoá."))
        Article.objects.filter(pk=made.pk).update(**fields)
        return Article.objects.get(pk=made.pk)

    return make


def test_citizens_need_no_log_in_and_get_no_cookie(client, article):
    page = client.get(f"/tin/{article().slug}/")
    assert page.status_code == 200 and not page.cookies
    assert "Đăng lúc" in page.content.decode() and "Trang tin tỉnh Bắc Ninh" in page.content.decode()
    assert not client.get("/tin/").cookies
    assert not client.get("/tin/feed.atom").cookies


def test_vietnamese_whatever_the_browser_asks_for(client, article):
    made = article()
    page = client.get(f"/tin/{made.slug}/", headers={"Accept-Language": "en"})
    assert page["Content-Language"] == "vi" and '<html lang="vi"' in page.content.decode()
    english = client.get(f"/tin/{made.slug}/?lang=en")
    assert english["Content-Language"] == "en" and '<html lang="en"' in english.content.decode()


def test_a_correction_says_when(client, article):
    made = article()
    publish.publish("bac-ninh", "1", Draft(made.title, "Đổi sang chiều."))
    assert "Đã đính chính lúc" in client.get(f"/tin/{made.slug}/").content.decode()


def test_what_was_taken_back_answers_410_with_a_sentence(client, article):
    made = article()
    publish.retract("bac-ninh", "1")
    page = client.get(f"/tin/{made.slug}/")
    assert page.status_code == 410
    assert "đã gỡ bài này" in page.content.decode() and "nhà văn hoá" not in page.content.decode()
    assert made.title not in client.get("/tin/").content.decode()
    assert client.get(f"/tin/{made.slug}/nghe.mp3").status_code == 404


def test_the_list_is_paged_and_asks_the_database_the_same_number_of_times(
    client, article, django_assert_max_num_queries
):
    for number in range(45):
        article(str(number), f"Tin số {number}")
    with django_assert_max_num_queries(4):
        first = client.get("/tin/").content.decode()
    assert first.count('class="flat"') == 20 and "?trang=3" in first
    assert client.get("/tin/?trang=3").content.decode().count('class="flat"') == 5


def test_the_archive_goes_by_month_of_hanoi_and_by_category(client, article):
    article("1", "Tin tháng Tám", published_at=datetime(2026, 8, 31, 23, 30, tzinfo=HANOI))
    article("2", "Tin tháng Chín", published_at=datetime(2026, 9, 1, 0, 30, tzinfo=HANOI), category="emergency")
    august, september = (client.get(f"/tin/?thang=2026-0{m}").content.decode() for m in (8, 9))
    assert "Tin tháng Tám</a>" in august and "Tin tháng Chín</a>" not in august
    assert "Tin tháng Chín</a>" in september and "Tin tháng Tám</a>" not in september
    urgent = client.get("/tin/?loai=emergency").content.decode()
    assert "Tin tháng Chín</a>" in urgent and "Tin tháng Tám</a>" not in urgent


@pytest.mark.parametrize("query", ["thang=2026-13", "thang=x", "thang=0000-00", "loai=x"])
def test_a_month_or_category_that_is_none_is_not_found(client, db, query):
    assert client.get(f"/tin/?{query}").status_code == 404


@pytest.mark.parametrize("page", ["0", "-1", "9999999999999", "x"])
def test_a_page_number_out_of_range_shows_the_nearest(client, article, page):
    article()
    assert client.get(f"/tin/?trang={page}").status_code == 200


def test_views_are_counted_without_a_write_per_view(client, article, django_assert_num_queries):
    made = article()
    views_count.flush()
    for _ in range(3):
        client.get(f"/tin/{made.slug}/")
    client.head(f"/tin/{made.slug}/")
    assert Article.objects.get().views == 0
    with django_assert_num_queries(3):  # savepoint, one update, release
        views_count.flush()
    assert Article.objects.get().views == 3


def test_the_feed_lists_the_news_and_leaves_out_what_was_taken_back(client, article):
    article("1", "Tin một")
    article("2", "Tin hai")
    publish.retract("bac-ninh", "2")
    feed = ElementTree.fromstring(client.get("/tin/feed.atom").content)
    assert [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")] == ["Tin một"]
    entry = feed.find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id").endswith("/tin/tin-mot/")
    assert "nhà văn hoá" in entry.findtext(f"{ATOM}summary")


def test_whoever_has_the_newest_feed_gets_304_until_something_changes(client, article):
    article()
    first = client.get("/tin/feed.atom")
    by_tag = {"If-None-Match": first["ETag"]}
    assert client.get("/tin/feed.atom", headers=by_tag).status_code == 304
    assert client.get("/tin/feed.atom", headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 304
    publish.publish("bac-ninh", "1", Draft("Lịch tiêm phòng bệnh dại", "Đổi ngày."))
    assert client.get("/tin/feed.atom", headers=by_tag).status_code == 200
    second = {"If-None-Match": client.get("/tin/feed.atom")["ETag"]}
    publish.retract("bac-ninh", "1")
    assert client.get("/tin/feed.atom", headers=second).status_code == 200


def test_the_feed_of_no_articles_is_a_feed(client, db):
    assert b"<feed" in client.get("/tin/feed.atom").content


def test_the_sitemap_has_the_last_two_days(client, article):
    article("1", "Tin mới")
    article("2", "Tin cũ", published_at=timezone.now() - timedelta(days=3))
    tree = ElementTree.fromstring(client.get("/tin/sitemap.xml").content)
    titles = [node.text for node in tree.iter("{http://www.google.com/schemas/sitemap-news/0.9}title")]
    assert titles == ["Tin mới"]
