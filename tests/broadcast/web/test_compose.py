"""From an empty draft to a submitted campaign, without script."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from broadcast.models import Campaign
from broadcast.stations import lexicon


def step(name: str, campaign) -> str:
    return reverse(f"campaign.{name}", args=[campaign.pk])


def content_form(campaign, **changes) -> dict:
    campaign.refresh_from_db()
    form = {
        "revision": campaign.revision,
        "title": campaign.title,
        "source": campaign.source,
        "category": campaign.category,
        "lane": campaign.lane,
    }
    for channel in ("sms_twilio", "telegram", "enews_site"):
        content = campaign.contents.filter(channel=channel).first()
        form[f"{channel}-shown"] = "1"
        if content:
            form |= {f"{channel}-on": "on", f"{channel}-body": content.body}
    return form | changes


def test_the_first_steps_without_script(browse, writer, province, channels):
    client = browse(writer)
    assert "Tạo chiến dịch đầu tiên" in client.get("/").content.decode()
    made = client.post(reverse("campaign.new"), {"title": "Lịch cắt điện", "place": province.pk, "source": "Cắt điện."})
    campaign = Campaign.objects.get()
    assert made["Location"] == step("content", campaign)
    form = content_form(campaign, **{"sms_twilio-on": "on", "sms_twilio-body": "Cat dien 8 gio.", "go": "audience"})
    assert client.post(step("content", campaign), form)["Location"] == step("audience", campaign)
    campaign.refresh_from_db()
    saved = client.post(
        step("audience", campaign), {"revision": campaign.revision, "place": [province.pk], "go": "time"}
    )
    assert saved["Location"] == step("time", campaign)
    assert list(campaign.contents.values_list("channel", "body")) == [("sms_twilio", "Cat dien 8 gio.")]
    campaign.refresh_from_db()
    assert [place.pk for place in campaign.audience.places.all()] == [province.pk]


def test_submitting_names_the_number_and_moves_the_campaign(browse, writer, campaign):
    client = browse(writer)
    page = client.get(step("check", campaign)).content.decode()
    assert "Trình duyệt gửi 3 tin" in page
    assert "700" in page  # đồng for two single-part messages
    response = client.post(step("check", campaign), {"revision": campaign.revision, "submit": "1"})
    assert response["Location"] == reverse("campaign.show", args=[campaign.pk])
    campaign.refresh_from_db()
    assert campaign.status == "review"


def test_what_is_missing_is_said_and_there_is_no_button(browse, writer, province, channels):
    client = browse(writer)
    client.post(reverse("campaign.new"), {"title": "Trống", "place": province.pk})
    campaign = Campaign.objects.get()
    page = client.get(step("check", campaign)).content.decode()
    assert "Chưa chọn kênh nào để gửi." in page and "Chưa chọn địa bàn nhận tin." in page
    assert 'name="submit"' not in page
    client.post(step("check", campaign), {"revision": campaign.revision, "submit": "1"})
    campaign.refresh_from_db()
    assert campaign.status == "draft"


def test_a_stale_form_is_refused_and_keeps_what_was_typed(browse, writer, campaign):
    client = browse(writer)
    old = content_form(campaign)
    client.post(step("content", campaign), content_form(campaign, title="Tên của đồng nghiệp"))
    late = client.post(step("content", campaign), old | {"sms_twilio-body": "Chữ tôi vừa gõ"})
    page = late.content.decode()
    assert late.status_code == 422
    assert "người khác sửa" in page and "Chữ tôi vừa gõ" in page
    campaign.refresh_from_db()
    assert campaign.title == "Tên của đồng nghiệp"
    assert campaign.contents.get(channel="sms_twilio").body != "Chữ tôi vừa gõ"


def test_autosave_answers_with_the_new_revision_or_the_conflict(browse, writer, campaign):
    client = browse(writer)
    form = content_form(campaign, **{"sms_twilio-body": "Moi"})
    saved = client.post(step("content", campaign), form, headers={"HX-Request": "true"}).content.decode()
    campaign.refresh_from_db()
    assert re.search(rf'id="revision" value="{campaign.revision}"', saved) and "Tự lưu lúc" in saved
    assert campaign.contents.get(channel="sms_twilio").body == "Moi"
    stale = client.post(step("content", campaign), form, headers={"HX-Request": "true"}).content.decode()
    assert "người khác sửa" in stale and 'id="revision"' not in stale


def test_unticking_a_channel_takes_it_out(browse, writer, campaign):
    form = content_form(campaign)
    del form["telegram-on"]
    browse(writer).post(step("content", campaign), form)
    assert list(campaign.contents.values_list("channel", flat=True)) == ["sms_twilio"]


def test_a_channel_takes_the_source_text(browse, writer, campaign):
    response = browse(writer).post(step("content", campaign), content_form(campaign, fill="enews_site"))
    assert response["Location"].endswith("#kenh-enews_site")
    assert campaign.contents.get(channel="enews_site").body == "Bài viết gốc."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Thong bao khong dau", ["<b>19</b> / 160", "1 tin", "GSM-7"]),
        ("Thông báo có dấu", ["<b>16</b> / 70", "UCS-2", "«ô»"]),
        ("a" * 161, ["<b>161</b> / 306", "2 tin"]),
        ("Gia [re] {va} €", ["GSM-7", "<b>20</b> / 160"]),
        ("ấ" * 71, ["<b>71</b> / 134", "2 tin", "Bỏ dấu thì còn 1 tin", "bớt 700\xa0đ"]),
    ],
)
def test_the_counter_counts_on_the_server(text, said, browse, writer, campaign):
    url = reverse("campaign.preview", args=[campaign.pk, "sms_twilio"])
    page = browse(writer).post(url, {"sms_twilio-on": "on", "sms_twilio-body": text}).content.decode()
    for words in said:
        assert words in page
    campaign.refresh_from_db()
    assert campaign.contents.get(channel="sms_twilio").body != text  # a preview saves nothing


def test_a_preview_shows_what_citizens_read(browse, writer, campaign):
    url = reverse("campaign.preview", args=[campaign.pk, "sms_twilio"])
    form = {
        "sms_twilio-on": "on",
        "sms_twilio-body": "Chào {{ ten }} ở {{ dia_ban }}",
        "sms_twilio-option-unaccent": "on",
    }
    assert "Chao Nguyen Van An o Tinh Bac Ninh" in browse(writer).post(url, form).content.decode()
    bad = browse(writer).post(url, {"sms_twilio-on": "on", "sms_twilio-body": "{{ luong }}"}).content.decode()
    assert "Trường cá nhân trong nội dung viết chưa đúng" in bad


def test_an_article_is_shown_as_the_page_will_be_and_scripts_are_not(browse, writer, campaign):
    url = reverse("campaign.preview", args=[campaign.pk, "enews_site"])
    form = {"enews_site-on": "on", "title": "Tin", "enews_site-body": "## Mục\n\n<script>alert(1)</script> **đậm**"}
    page = browse(writer).post(url, form).content.decode()
    assert "<strong>đậm</strong>" in page and "<script>alert" not in page


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"send_date": "1/1/2020", "send_time": "08:00"}, "Giờ gửi đã qua. Hãy chọn một giờ sau lúc này."),
        ({"send_date": "", "send_time": "08:00"}, "Hãy nhập đủ ngày và giờ cho giờ gửi, ví dụ 15/9/2026 và 06:30."),
        (
            {"send_date": "31/2/2030", "send_time": "08:00"},
            "Hãy nhập đủ ngày và giờ cho giờ gửi, ví dụ 15/9/2026 và 06:30.",
        ),
        (
            {
                "send_date": "2030-01-02",
                "send_time": "08:00",
                "deadline_date": "2030-01-01",
                "deadline_time": "08:00",
            },
            "Hạn của tin phải sau giờ gửi.",
        ),
    ],
)
def test_impossible_times_get_a_sentence_and_change_nothing(form, sentence, browse, writer, campaign):
    response = browse(writer).post(step("time", campaign), form | {"when": "at", "revision": campaign.revision})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    campaign.refresh_from_db()
    assert campaign.send_at is None and campaign.deadline_at is None


def test_a_time_is_kept_in_the_officers_zone(browse, writer, campaign):
    day = timezone.localdate() + timedelta(days=2)
    form = {"when": "at", "send_date": f"{day:%d/%m/%Y}", "send_time": "6h30", "revision": campaign.revision}
    browse(writer).post(step("time", campaign), form)
    campaign.refresh_from_db()
    assert timezone.localtime(campaign.send_at).strftime("%H:%M") == "06:30"
    assert timezone.localtime(campaign.send_at).date() == day


def test_counts_follow_the_ticks(browse, writer, campaign, communes):
    form = {"place": [communes[0].pk], "revision": campaign.revision}
    page = browse(writer).post(step("audience", campaign), form, headers={"HX-Request": "true"}).content.decode()
    assert page.count("1 người") >= 2  # SMS and Telegram in one commune
    assert "Tự lưu lúc" in page


def test_an_officer_cannot_pick_a_place_outside_their_branch(browse, officer, communes, channels):
    client = browse(officer("writer", communes[0]))
    client.post(reverse("campaign.new"), {"title": "Tin xã", "place": communes[0].pk})
    campaign = Campaign.objects.get()
    page = client.get(step("audience", campaign)).content.decode()
    assert "Xã Đại Sơn" in page and "Xã Sơn Động" not in page
    client.post(step("audience", campaign), {"place": [communes[1].pk], "revision": campaign.revision})
    campaign.refresh_from_db()
    assert campaign.audience is None or not campaign.audience.places.exists()


def test_a_too_long_text_is_refused(browse, writer, campaign):
    response = browse(writer).post(step("content", campaign), content_form(campaign, source="a" * 200_001))
    assert response.status_code == 422
    assert "quá mức" in response.content.decode()


def test_the_loudspeaker_preview_reads_the_title_and_the_places_own_words(browse, writer, campaign):
    lexicon.save(writer, campaign.place, "NVH", "nhà văn hoá thôn")
    url = reverse("campaign.preview", args=[campaign.pk, "loudspeaker"])
    form = {"loudspeaker-on": "on", "title": "Họp dân", "loudspeaker-body": "8 giờ tại NVH."}
    page = browse(writer).post(url, form).content.decode()
    sentences = re.findall("<li>(.*?)</li>", page.lower())
    assert sentences[0].startswith("họp dân") and sentences[-1].startswith("tám giờ tại nhà văn hoá thôn"), sentences
    symbols = browse(writer).post(url, {"loudspeaker-on": "on", "loudspeaker-body": "*** ---"})
    assert symbols.status_code == 200
