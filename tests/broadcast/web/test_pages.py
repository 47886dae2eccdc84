"""Lists, approval, sending and the live page."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from broadcast.campaigns import approve, compose, launch
from broadcast.delivery import fanout, progress
from broadcast.models import AuditEntry, Campaign, Delivery, Move
from broadcast.models.deliveries import ensure_partitions
from broadcast.states import Cause, DeliveryStatus

PASSWORD = "mat-khau-thu-2026"


def queries(client, url) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", ["campaign.list", "home", "approval.list"])
def test_lists_ask_the_same_number_of_questions_however_long_they_are(name, browse, approver, writer, submitted):
    client = browse(approver)
    url = reverse(name)
    client.get(url)
    few = queries(client, url)
    for _ in range(6):
        copy = compose.clone(writer, submitted)
        approve.submit(writer, copy.pk, copy.revision)
    assert queries(client, url) == few


def test_filters_are_in_the_address(browse, writer, campaign, province):
    compose.create(writer, place=province, title="Lịch tiêm phòng")
    client = browse(writer)
    url = reverse("campaign.list")
    assert "Lịch tiêm phòng" in client.get(url).content.decode()
    found = client.get(url, {"tim": "hồ sơ"}).content.decode()
    assert "Nộp hồ sơ trực tuyến" in found and "Lịch tiêm phòng" not in found
    none = client.get(url, {"trang-thai": "da-xong"}).content.decode()
    assert "Không có chiến dịch nào khớp" in none
    assert client.get(url, {"trang": "abc", "trang-thai": "khong-co"}).status_code == 200


def test_a_long_list_has_pages_that_keep_the_filter(browse, writer, province):
    for n in range(23):
        compose.create(writer, place=province, title=f"Tin số {n}")
    page = browse(writer).get(reverse("campaign.list"), {"tim": "Tin"}).content.decode()
    assert "Trang 1 trên 2" in page and "?tim=Tin&amp;trang=2" in page


def test_a_copy_is_a_new_draft(browse, writer, submitted):
    response = browse(writer).post(reverse("campaign.clone", args=[submitted.pk]))
    copy = Campaign.objects.latest("pk")
    assert response["Location"] == reverse("campaign.content", args=[copy.pk])
    assert copy.status == "draft" and copy.contents.count() == 2
    assert copy.audience_id != submitted.audience_id


# -- approval ----------------------------------------------------------------------------------------------------
def decide(client, campaign, **form):
    return client.post(reverse("approval.show", args=[campaign.pk]), {"revision": campaign.revision} | form)


def test_the_approver_sees_text_audience_and_cost(browse, approver, submitted):
    page = browse(approver).get(reverse("approval.show", args=[submitted.pk])).content.decode()
    for words in ("Tu 1/12 nop ho so", "Tỉnh Bắc Ninh", "Duyệt gửi 3 tin", "700\xa0đ", "Hộp cát"):
        assert words in page


def test_approval_wants_the_password(browse, approver, submitted):
    client = browse(approver)
    wrong = decide(client, submitted, approve="1", password="sai")
    assert wrong.status_code == 422 and "Mật khẩu chưa đúng" in wrong.content.decode()
    submitted.refresh_from_db()
    assert submitted.status == "review"
    decide(client, submitted, approve="1", password=PASSWORD)
    submitted.refresh_from_db()
    assert submitted.status == "approved" and submitted.approved_by == approver


def test_approving_a_version_that_changed_meanwhile_is_refused(browse, approver, writer, submitted):
    client = browse(approver)
    client.get(reverse("approval.show", args=[submitted.pk]))
    seen = submitted.revision
    approve.withdraw(writer, submitted.pk)
    compose.save(writer, submitted.pk, submitted.revision, title="Đã đổi tên")
    newer = Campaign.objects.get(pk=submitted.pk)
    approve.submit(writer, newer.pk, newer.revision)
    response = decide(client, submitted, approve="1", password=PASSWORD, revision=seen)
    assert response.status_code == 422 and "người khác sửa" in response.content.decode()
    newer.refresh_from_db()
    assert newer.status == "review"


def test_sending_back_needs_a_reason_that_the_writer_reads(browse, approver, writer, submitted):
    client = browse(approver)
    assert "Hãy ghi lý do" in decide(client, submitted, reject="1", reason=" ").content.decode()
    decide(client, submitted, reject="1", reason="Thiếu số điện thoại.")
    submitted.refresh_from_db()
    assert submitted.status == "draft"
    assert (
        "Thiếu số điện thoại." in browse(writer).get(reverse("campaign.content", args=[submitted.pk])).content.decode()
    )
    assert "bị trả lại" in browse(writer).get("/").content.decode()


def test_the_second_time_the_differences_are_shown(browse, approver, writer, submitted):
    client = browse(approver)
    first = client.get(reverse("approval.show", args=[submitted.pk])).content.decode()
    assert "Thay đổi so với" not in first
    approve.reject(approver, submitted.pk, "Ghi rõ ngày.")
    body = submitted.contents.get(channel="sms_twilio").body.replace("1/12", "1/12/2026")
    changed = compose.save(writer, submitted.pk, submitted.revision, contents={"sms_twilio": {"body": body}})
    approve.submit(writer, changed.pk, changed.revision)
    page = client.get(reverse("approval.show", args=[submitted.pk])).content.decode()
    assert "Thay đổi so với lần trình trước" in page
    assert "<ins>/2026</ins>" in page


# -- sending -----------------------------------------------------------------------------------------------------
def test_a_message_waits_for_a_change_of_mind(browse, approver, approved):
    client = browse(approver)
    assert "Gửi ngay 3 tin" in client.get(reverse("campaign.show", args=[approved.pk])).content.decode()
    client.post(reverse("campaign.send", args=[approved.pk]))
    approved.refresh_from_db()
    assert approved.status == "scheduled"
    assert timedelta(seconds=20) < approved.send_at - timezone.now() <= timedelta(seconds=30)
    assert launch.launch_due() == 0
    page = client.get(reverse("campaign.show", args=[approved.pk])).content.decode()
    assert "Huỷ gửi" in page and 'id="hold"' in page
    client.post(reverse("campaign.unschedule", args=[approved.pk]))
    approved.refresh_from_db()
    assert approved.status == "approved" and approved.send_at is None


def test_an_urgent_message_goes_at_once(browse, approver, writer, campaign):
    urgent = compose.save(writer, campaign.pk, campaign.revision, lane=0)
    approve.submit(writer, urgent.pk, urgent.revision)
    approve.approve(approver, urgent.pk, urgent.revision)
    response = browse(approver).post(reverse("campaign.send", args=[urgent.pk]), follow=True)
    urgent.refresh_from_db()
    assert urgent.status == "preparing"
    assert "Dừng hẳn" in response.content.decode()


def test_a_scheduled_campaign_goes_at_its_time(browse, approver, writer, campaign):
    at = timezone.now() + timedelta(days=1)
    later = compose.save(writer, campaign.pk, campaign.revision, send_at=at)
    approve.submit(writer, later.pk, later.revision)
    approve.approve(approver, later.pk, later.revision)
    client = browse(approver)
    assert "Hẹn gửi lúc" in client.get(reverse("campaign.show", args=[later.pk])).content.decode()
    client.post(reverse("campaign.schedule", args=[later.pk]))
    later.refresh_from_db()
    assert later.status == "scheduled" and later.send_at == at


# -- under way ---------------------------------------------------------------------------------------------------
@pytest.fixture
def running(approved, approver) -> Campaign:
    """Launched and expanded: one SMS delivered, one failed for a wrong number."""
    ensure_partitions()
    launch.send_now(approver, approved.pk)
    for content in approved.contents.all():
        fanout.expand(content.pk, until=timezone.now() + timedelta(seconds=20))
    Campaign.objects.filter(pk=approved.pk).update(status="running")
    sms = approved.contents.get(channel="sms_twilio")
    good, bad = Delivery.objects.filter(content_id=sms.pk).order_by("pk")
    Delivery.objects.filter(pk__in=[good.pk, bad.pk]).update(status=DeliveryStatus.SENDING, attempts=1)
    Delivery.objects.all().move(
        Cause.OUTCOME,
        [
            Move(good.pk, DeliveryStatus.DELIVERED),
            Move(bad.pk, DeliveryStatus.FAILED, reason="network"),
        ],
    )
    approved.refresh_from_db()
    return approved


def test_the_live_page_tells_counts_and_reasons(browse, approver, running):
    page = browse(approver).get(reverse("campaign.live", args=[running.pk])).content.decode()
    assert "1 / 2" in page  # SMS
    assert "Không kết nối được với nhà cung cấp" in page.replace("1 tin: không kết", "Không kết")
    assert "Dừng, huỷ" in page and "Tạm dừng" in page and "Hộp cát" in page
    part = browse(approver).get(reverse("campaign.progress", args=[running.pk])).content.decode()
    assert 'id="live-figures"' in part and "<html" not in part


def test_who_did_not_get_it_is_masked(browse, approver, running):
    page = browse(approver).get(reverse("campaign.failed", args=[running.pk])).content.decode()
    assert "1 tin chưa đến được" in page and "•••" in page
    for number in ("0912345678", "0987654321", "+84912345678", "+84987654321"):
        assert number not in page
    filtered = browse(approver).get(reverse("campaign.failed", args=[running.pk]), {"ly-do": "blocked"})
    assert "Không có tin nào ở đây" in filtered.content.decode()


def test_the_failed_are_tried_again_by_reason(browse, approver, running):
    client = browse(approver)
    page = client.get(reverse("campaign.failed", args=[running.pk]), {"ly-do": "network"}).content.decode()
    assert "Gửi lại 1 tin" in page
    client.post(reverse("campaign.retry", args=[running.pk]), {"reason": "network"})
    assert not Delivery.objects.filter(campaign_id=running.pk, status=DeliveryStatus.FAILED).exists()
    refused = client.post(reverse("campaign.retry", args=[running.pk]), {"reason": "bad_address"}, follow=True)
    assert "gửi lại không có tác dụng" in refused.content.decode()


def test_pause_resume_stop(browse, approver, running):
    client = browse(approver)
    for action, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        client.post(reverse(f"campaign.{action}", args=[running.pk]))
        running.refresh_from_db()
        assert running.status == status
    assert Delivery.objects.filter(campaign_id=running.pk, status=DeliveryStatus.CANCELLED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_watchers_get_parts_of_the_page_rendered_once(running, writer, socket):
    event = {"type": "progress", "snapshot": progress.snapshot(running).as_json()}

    async def watch() -> list[str]:
        watchers = [socket(writer, running) for _ in range(3)]
        for watcher in watchers:
            assert await watcher.open() is None
        await get_channel_layer().group_send(f"campaign_{running.pk}", event)
        texts = [await watcher.text() for watcher in watchers]
        for watcher in watchers:
            await watcher.leave()
        return texts

    first, *others = async_to_sync(watch)()
    assert 'id="live-figures"' in first and 'id="live-now"' in first
    assert others == [first, first]


# -- channels ----------------------------------------------------------------------------------------------------
def test_secrets_never_come_back(browse, officer, channels):
    admin = officer("administrator")
    client = browse(admin)
    url = reverse("account.edit", args=[channels[0].pk])
    page = client.get(url).content.decode()
    assert "bi-mat-cua-twilio" not in page and "đã lưu, để trống để giữ nguyên" in page
    form = {
        "label": "SMS tỉnh",
        "place": channels[0].place_id,
        "status": "active",
        "s_account_sid": "AC" + "0" * 32,
        "s_sender": "UBND",
        "s_validity_period": "3600",
        "s_segment_price": "400",
        "s_receipt_zone": "UTC",
    }
    assert client.post(url, form).status_code == 302
    channels[0].refresh_from_db()
    assert channels[0].label == "SMS tỉnh"
    assert channels[0].settings["auth_token"] == "bi-mat-cua-twilio"
    assert channels[0].settings["segment_price"] == "400"
    entry = AuditEntry.objects.get(action="account.edit")
    assert "bi-mat" not in str(entry.detail) and "segment_price" in entry.detail["changed"]


def test_a_new_account_needs_its_secret(browse, officer, province):
    client = browse(officer("administrator"))
    url = reverse("account.new", args=["telegram"])
    response = client.post(url, {"label": "Bot", "place": province.pk, "status": "active"})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()


def test_checking_a_local_channel_says_what_is_wrong(browse, officer, channels, settings):
    settings.LOA_INTERNAL_URL = "http://127.0.0.1:9"  # nobody listens here
    client = browse(officer("administrator"))
    url = reverse("account.check", args=[channels[2].pk])
    part = client.post(url, headers={"HX-Request": "true"}).content.decode()
    assert 'class="note bad"' in part and "<html" not in part
    assert "<html" in client.post(url).content.decode()


# -- frame -------------------------------------------------------------------------------------------------------
def test_wrong_names_and_wrong_passwords_sound_the_same(browse, writer):
    def answer(name: str, password: str) -> str:
        page = browse().post(reverse("login"), {"username": name, "password": password}).content.decode()
        return page[page.index('class="errs"') : page.index("</ul>")]

    assert answer(writer.username, "sai-mat-khau") == answer("khong-co-nguoi-nay", "sai-mat-khau")


def test_too_many_tries_lock_the_door(browse, writer):
    client = browse()
    for _ in range(5):
        last = client.post(reverse("login"), {"username": writer.username, "password": "sai"})
    assert last.status_code == 429
    assert "Tạm khoá đăng nhập" in last.content.decode()
    good = client.post(reverse("login"), {"username": writer.username, "password": PASSWORD})
    assert good.status_code == 429


def test_an_error_has_a_number_and_a_next_step(browse, writer, caplog):
    caplog.set_level("INFO")
    client = browse(writer)
    client.raise_request_exception = False
    missing = client.get("/khong-co/")
    assert missing.status_code == 404
    page = missing.content.decode()
    number = page.split('tick">')[1].split("<")[0]
    assert number in caplog.text and "Về trang Hôm nay" in page


def test_a_crash_shows_our_page_and_logs_its_number(browse, writer, caplog, monkeypatch):
    from broadcast.web.views import home

    def broken(*_args):
        raise RuntimeError("hỏng")

    monkeypatch.setattr(home, "figures_of", broken)
    client = browse(writer)
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    page = response.content.decode()
    assert "Hệ thống gặp trục trặc" in page and "hỏng" not in page
    assert page.split('tick">')[1].split("<")[0] in caplog.text


def test_the_theme_is_remembered_and_goes_nowhere_else(browse):
    client = browse()
    response = client.post(reverse("theme"), {"theme": "dark", "next": "https://example.com/"})
    assert response["Location"] == "/"
    assert 'data-theme="dark"' in client.get(reverse("login")).content.decode()
    client.post(reverse("theme"), {"theme": ""})
    assert "data-theme" not in client.get(reverse("login")).content.decode()


def test_vietnamese_first_whatever_the_browser_says(browse):
    client = browse()
    page = client.get(reverse("login"), headers={"Accept-Language": "en"}).content.decode()
    assert '<html lang="vi"' in page and "Mật khẩu" in page
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    assert '<html lang="en"' in client.get(reverse("login")).content.decode()
