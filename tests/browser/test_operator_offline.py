"""The operator's page in a real Chromium, with a server that goes away and comes back."""

import subprocess
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from broadcast.models import Account, Address, Clip, Contact, Delivery, Membership, Place, Role, Station, User
from broadcast.models.deliveries import MONTH_BITS, ensure_partitions, month_number
from broadcast.states import DeliveryStatus
from broadcast.stations import clips, store

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def operator(transactional_db):
    province = Place.add_root(code="24", name="Tỉnh Bắc Ninh", kind="province", valid_from="2025-07-01")
    commune = province.add_child(code="07627", name="Xã Đại Sơn", kind="commune", valid_from="2025-07-01")
    contact = Contact.objects.create(place=commune, name="Đài truyền thanh Xã Đại Sơn", kind="outlet")
    address = Address(contact=contact, kind="station")
    address.plain = "dai-07627"
    address.save()
    Station.objects.create(contact=contact, code="dai-07627")
    user = User.objects.create_user("loa.daison", password="mat-khau-thu-2026", full_name="Vi Văn Tài")
    Membership.objects.create(user=user, place=commune, role=Role.OPERATOR)
    return user


@pytest.fixture
def clip(operator, settings):
    """``clip(title, seconds, priority)``: in the operator's list, with real sound and its delivery."""
    account = Account(adapter="loudspeaker", label="Loa", place=Place.objects.get(code="24"))
    account.settings = {}
    account.save()
    station = Station.objects.get()
    today = timezone.now().date()
    ensure_partitions(1, today)
    numbers = iter(range(100))

    def make(title: str, seconds: int, priority: str = "normal") -> Clip:
        pk = (month_number(today) << MONTH_BITS) + next(numbers)
        Delivery.objects.create(
            id=pk,
            campaign_id=1,
            content_id=1,
            contact_id=station.contact_id,
            address_id=1,
            place_id=1,
            account_id=account.pk,
            status=DeliveryStatus.SENT,
        )
        path = Path(settings.MEDIA_ROOT) / f"{pk}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = f"sine=frequency={400 + pk % 100 * 40}:duration={seconds}"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", tone, "-b:a", "64k", str(path)], check=True)
        delivered = clips.Delivered(title, store.keep(path), float(seconds), priority, "Bà con chú ý.\n\nNước lên.")
        return clips.accept(account.pk, station, str(pk), delivered)[0]

    return make


@pytest.fixture
def context(server, operator, chromium):
    client = Client()
    client.force_login(operator)
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh"
    )
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url, "httpOnly": True}]
    )
    return context


@pytest.fixture
def page(context):
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda line: page.errors.append(line.text) if "Content Security Policy" in line.text else None)
    return page


HEARD = """audio => new Promise(done => {
    const look = () => audio.currentTime > 0.2 && done();
    audio.addEventListener("timeupdate", look);
    look();
})"""


def opened(page: Page, server) -> None:
    page.goto(f"{server.url}/loa/")
    expect(page.locator("#loa")).to_have_attribute("data-kept", "yes")


def test_reported_without_a_network_and_synchronised_with_it(server, page, clip, shoot):
    urgent, normal = clip("Lũ sông Thương đạt báo động 2", 2, "urgent"), clip("Lịch tiêm phòng", 30)
    opened(page, server)
    expect(page.locator(f"[data-clip='{urgent.pk}'] [data-saved]")).to_be_visible()  # urgent ones come by themselves
    page.locator("#save-all").click()
    expect(page.locator("#ready")).to_contain_text("2 bản tin đã lưu trong máy")
    shoot(page, "loa")

    server.stop()
    page.reload()
    expect(page.locator("h1")).to_contain_text("2 bản tin cần phát")
    expect(page.locator("#offline")).to_be_visible()
    card = page.locator(f"[data-clip='{normal.pk}']")
    card.locator(".play").click()
    card.locator("audio").evaluate(HEARD)
    part = page.evaluate(
        """async (url) => {
            const reply = await fetch(url, {headers: {Range: "bytes=10-19"}});
            return [reply.status, reply.headers.get("Content-Range"), (await reply.blob()).size];
        }""",
        f"/loa/ban-tin/{normal.pk}.mp3",
    )
    size = store.locate(normal.sha256).stat().st_size
    assert part == [206, f"bytes 10-19/{size}", 10]
    card.locator(".play").click()

    card.get_by_role("button", name="Đã phát").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Bản tin dài 30 giây, máy này chưa phát hết")  # it asks before the time is up
    dialog.get_by_role("button", name="Báo đã phát").click()
    expect(card.locator("[data-pending]")).to_contain_text("chờ gửi báo cáo")
    expect(page.locator("#queued")).to_contain_text("1 báo cáo chờ")
    shoot(page, "loa-mat-mang")
    page.reload()  # the queue outlives the page
    expect(page.locator("#queued")).to_contain_text("1 báo cáo chờ")
    assert Clip.objects.get(pk=normal.pk).played_at is None

    server.start()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(f"[data-clip='{normal.pk}'][data-state='played']")).to_contain_text("Vi Văn Tài đã báo")
    expect(page.locator("#queued")).to_be_hidden()
    expect(page.locator("#offline")).to_be_hidden()
    played = Clip.objects.get(pk=normal.pk)
    assert played.played_at and Delivery.objects.get(pk=int(played.reference)).status == DeliveryStatus.READ
    assert page.errors == []


def test_logging_out_leaves_nothing_on_the_phone(server, page, clip):
    clip("Lịch tiêm phòng", 1)
    opened(page, server)
    page.locator("#save-all").click()
    expect(page.locator("#ready")).to_be_visible()
    page.get_by_role("button", name="Đăng xuất").click()
    page.wait_for_url("**/dang-nhap/")
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("Object.keys(localStorage)") == []


def test_a_full_phone_says_what_to_do(server, page, context, clip):
    made = clip("Lịch tiêm phòng", 20)
    opened(page, server)
    context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", {"origin": server.url, "quotaSize": 1000})
    page.locator(f"[data-clip='{made.pk}'] [data-save]").click()
    expect(page.locator("#full")).to_contain_text("Máy hết chỗ nhớ")
    expect(page.locator("#ready")).to_be_hidden()


def test_a_refused_report_is_shown_and_not_kept(server, page, clip):
    made = clip("Lịch tiêm phòng", 1)
    opened(page, server)
    event = {"clip": made.pk, "event": "played", "at": "2020-01-01T00:00:00Z"}
    page.evaluate("event => localStorage.setItem('loa.queue', JSON.stringify([event]))", event)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#refused")).to_contain_text("Xem lại đồng hồ của điện thoại")
    expect(page.locator("#queued")).to_be_hidden()


def test_nothing_serious_for_those_who_cannot_see(server, page, clip, serious):
    clip("Lũ sông Thương đạt báo động 2", 2, "urgent")
    clip("Lịch tiêm phòng", 1)
    opened(page, server)
    assert serious(page) == []


def test_the_programme_at_a_glance(server, page, operator, serious, shoot):
    page.goto(f"{server.url}/loa/lich/moi/")
    page.get_by_label("Tên mục").fill("Tiếp sóng VOV")
    page.get_by_label("Bắt đầu").fill("03:15")
    page.get_by_role("button", name="Lưu khung giờ").click()
    expect(page.get_by_role("alert")).to_contain_text("3 giờ 15 phút đêm là ngoài giờ phát")
    assert serious(page) == []
    shoot(page, "khung-gio")
    page.get_by_label("Bắt đầu").fill("17:00")
    page.get_by_role("button", name="Lưu khung giờ").click()
    expect(page.get_by_role("link", name="Tiếp sóng VOV")).to_have_count(7 - timezone.localdate().isoweekday() + 1)
    assert serious(page) == []
    shoot(page, "lich")


def test_teaching_the_station_to_read(server, page, operator, serious, shoot):
    page.goto(f"{server.url}/loa/cach-doc/")
    page.get_by_label("Viết").fill("NVH")
    page.get_by_label("Đọc", exact=True).fill("nhà văn hoá")
    page.get_by_role("button", name="Lưu cách đọc").click()
    page.get_by_label("Thử một câu").fill("Họp tại NVH thôn Đồng Cao")
    page.get_by_role("button", name="Xem và nghe").click()
    expect(page.get_by_text("họp tại nhà văn hoá")).to_be_visible()
    page.locator("audio").evaluate("audio => audio.play()")
    page.locator("audio").evaluate(HEARD)
    assert serious(page) == []
    shoot(page, "cach-doc")
    assert page.errors == []


def test_a_resident_says_it_was_not_clear(server, chromium, clip, serious, shoot):
    made = clip("Lịch tiêm phòng", 1)
    stranger = chromium.new_page()
    stranger.goto(f"{server.url}/nghe/{made.code}/")
    assert serious(stranger) == []
    shoot(stranger, "nghe")
    stranger.get_by_role("button", name="Không nghe rõ").click()
    expect(stranger.get_by_role("status")).to_contain_text("Cảm ơn bà con")
    made.refresh_from_db()
    assert made.unclear == 1 and stranger.context.cookies() == []
