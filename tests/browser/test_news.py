"""The news pages as a citizen's browser shows them."""

import pytest
from playwright.sync_api import expect

from broadcast.models import Address, Article, Contact, Place
from broadcast.newsroom import publish
from broadcast.newsroom.publish import Draft

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BODY = """Lúc 5 giờ sáng nay, mực nước sông Thương tại trạm Phủ Lạng Thương là **5,32 m**, trên mức báo động 2.

## Việc cần làm ngay

1. Đưa người già, trẻ nhỏ lên chỗ cao.
2. Cần cứu giúp, gọi [112](tel:112).

| Điểm sơ tán | Địa chỉ |
|---|---|
| Trường THCS Đại Sơn | Thôn Đồng Cao, xã Đại Sơn |
"""


@pytest.fixture
def articles(transactional_db):
    province = Place.add_root(code="24", name="Tỉnh Bắc Ninh", kind="province", valid_from="2025-07-01")
    contact = Contact.objects.create(place=province, name="Văn phòng UBND tỉnh Bắc Ninh", kind="outlet")
    address = Address(contact=contact, kind="newsroom")
    address.plain = "bac-ninh"
    address.save()
    title = "Lũ sông Thương đạt báo động 2, bà con ven sông cần kê cao đồ đạc"
    for number in range(25):
        draft = Draft(f"Lịch tiêm phòng bệnh dại đợt {number}", "Bà con đưa chó, mèo đến.", "Từ 7 giờ 30.")
        publish.publish("bac-ninh", str(number), draft)
    flood = Draft(title, "Nước lên.", "Mực nước còn lên đến chiều.", category="emergency")
    publish.publish("bac-ninh", "100", flood)
    return publish.publish("bac-ninh", "100", Draft(title, BODY, flood.summary, category="emergency"))[0]


def test_reading_listing_and_printing(articles, server, chromium, serious, shoot):
    page = chromium.new_page()
    strangers = []
    page.on("request", lambda request: request.url.startswith(server.url) or strangers.append(request.url))
    page.on("console", lambda line: strangers.append(line.text) if "Content Security" in line.text else None)
    page.goto(f"{server.url}/tin/")
    assert serious(page) == []
    shoot(page, "tin")
    page.get_by_role("link", name=articles.title).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(articles.title)
    expect(page.get_by_text("Đã đính chính lúc")).to_be_visible()
    assert serious(page) == []
    shoot(page, "bai")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="In bài này")).to_be_hidden()
    expect(page.get_by_text(f"/tin/{articles.slug}/")).to_be_visible()
    page.emulate_media(media="screen", color_scheme="dark")
    assert serious(page) == []
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_text("Corrected at")).to_be_visible()
    expect(page.locator("article.article")).to_have_attribute("lang", "vi")  # its words stay Vietnamese
    publish.retract("bac-ninh", "100")
    page.goto(f"{server.url}/tin/{articles.slug}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bài này đã được gỡ")
    assert serious(page) == []
    shoot(page, "da-go")
    assert page.context.cookies() == [] and strangers == []
    assert Article.objects.public().count() == 25
