"""The officers' pages in a real Chromium against the whole stack: compose, approve, send, watch."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from deploy.stack.handle import Stack

from .officers import ADMINISTRATOR, APPROVER, PASSWORD, SENDER, WRITER, Desk, compose, decide, fill

pytestmark = [pytest.mark.browser, pytest.mark.stack]
PAGES = {
    WRITER: [
        "/", "/chien-dich/", "/chien-dich/moi/", "/tai-khoan/", "/tai-khoan/mat-khau/", "/kenh/",
        "/khong-co-trang-nay/",
        "/chien-dich/{draft}/noi-dung/", "/chien-dich/{draft}/nguoi-nhan/", "/chien-dich/{draft}/lich/",
        "/chien-dich/{draft}/kiem-tra/", "/chien-dich/{waiting}/", "/chien-dich/{sent}/truc-tiep/",
        "/chien-dich/{sent}/chua-den/",
    ],
    APPROVER: ["/", "/cho-duyet/", "/cho-duyet/{waiting}/"],
    ADMINISTRATOR: ["/kenh/", "/kenh/moi/sms_twilio/", "/kenh/1/"],
}  # fmt: skip


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("officers")) as running:
        fill(running, 2000)
        yield running


@pytest.fixture
def desk(chromium, stack):
    """``desk(username)``: an officer at work; the test fails on what the browser complains about."""
    opened: list[Desk] = []

    def sit_down(username: str = "", **options) -> Desk:
        opened.append(Desk(chromium, stack.environment["LOA_URL"], username, **options))
        return opened[-1]

    yield sit_down
    assert [complaint for one in opened for complaint in one.complaints] == []


def test_compose_approve_send_watch(desk):
    writer, approver, sender = desk(WRITER), desk(APPROVER), desk(SENDER)
    campaign = compose(writer, "Giảm lệ phí hồ sơ trực tuyến")
    expect(writer.page.locator("main")).to_contain_text("Đang chờ một cán bộ khác duyệt")

    approver.page.goto("/cho-duyet/")
    approver.page.click("text=Giảm lệ phí hồ sơ trực tuyến")
    approver.page.fill("#password", "sai-mat-khau")
    approver.page.click("[name=approve]")
    expect(approver.page.locator(".errs")).to_contain_text("Mật khẩu chưa đúng")
    approver.page.fill("#password", PASSWORD)
    approver.page.click("[name=approve]")
    expect(approver.page.locator("#alerts")).to_contain_text("Đã duyệt")

    page = sender.page
    page.goto(f"/chien-dich/{campaign}/")
    page.get_by_role("button", name=re.compile("Gửi ngay")).click()
    expect(page.locator("#hold")).to_contain_text("Còn kịp đổi ý")
    page.get_by_role("button", name="Huỷ gửi").click()
    expect(page.locator("#alerts")).to_contain_text("chưa có tin nào được gửi")
    page.get_by_role("button", name=re.compile("Gửi ngay")).click()
    page.wait_for_url("**/truc-tiep/", timeout=90_000)  # the hold runs out, and the page follows
    # The page is brought up to date by itself until everything is done, then offers other buttons.
    expect(page.locator("#live-now")).to_have_attribute("data-status", "finished", timeout=120_000)
    expect(page.get_by_role("button", name="Nhân bản")).to_be_visible()
    expect(page.locator("#live-figures")).to_contain_text("Trang tin")
    expect(page.locator(".sandbox")).to_contain_text("Hộp cát")


def test_a_lost_socket_is_said_and_polling_takes_over(desk):
    writer, approver, sender = desk(WRITER), desk(APPROVER), desk(SENDER)
    campaign = compose(writer, "Tin khi mất kết nối")
    decide(approver, campaign)
    sender.page.goto(f"/chien-dich/{campaign}/")
    sender.page.get_by_role("button", name=re.compile("Gửi ngay")).click()
    sender.page.wait_for_url("**/truc-tiep/", timeout=90_000)
    watcher = desk(WRITER)
    watcher.page.route_web_socket(re.compile("/truc-tiep/"), lambda route: route.close())
    watcher.page.goto(f"/chien-dich/{campaign}/truc-tiep/")
    if watcher.page.locator("#live").get_attribute("data-done") != "1":
        expect(watcher.page.locator("#live-lost")).to_be_visible()
    expect(watcher.page.locator("#live-now")).to_have_attribute("data-status", "finished", timeout=120_000)


def test_two_officers_in_one_draft(desk):
    one, other = desk(WRITER), desk(WRITER)
    campaign = compose(one, "Hai người cùng sửa", send=False)
    for desk_ in (one, other):
        desk_.page.goto(f"/chien-dich/{campaign}/noi-dung/")
    one.page.fill("#title", "Tên của người thứ nhất")
    expect(one.page.locator("#saved")).to_contain_text("Tự lưu")
    other.page.fill("#title", "Tên của người thứ hai")
    expect(other.page.locator("#problem")).to_contain_text("người khác sửa")
    assert other.page.input_value("#title") == "Tên của người thứ hai"


def test_the_composer_without_script(desk):
    page = desk(WRITER, java_script_enabled=False).page
    page.goto("/chien-dich/moi/")
    page.fill("#id_title", "Không cần tập lệnh")
    page.click("main .btn-go")
    page.check("[name=sms_twilio-on]")
    page.fill("#sms_twilio-body", "Thong bao khong dau.")
    page.check("[name=telegram-on]")  # every channel is in sight: tabs have become sections
    page.fill("#telegram-body", "Thông báo có dấu.")
    page.click(".sumbar .btn-go")
    page.check("text=Xã Đại Sơn")
    page.click(".sumbar .btn-go")
    page.click(".sumbar .btn-go")
    expect(page.locator("#h-plan")).to_be_visible()
    page.click(".sumbar .btn-go")
    expect(page.locator("h1")).to_have_text("Không cần tập lệnh")
    expect(page.locator("main")).to_contain_text("Đang chờ một cán bộ khác duyệt")


def test_the_tree_has_three_states(desk):
    writer = desk(WRITER)
    campaign = compose(writer, "Cả tỉnh trừ một xã", send=False)
    page = writer.page
    page.goto(f"/chien-dich/{campaign}/nguoi-nhan/")
    top = page.locator("#tree input").first
    top.check()
    expect(page.locator("#tree input:checked")).to_have_count(100)
    page.uncheck("text=Xã Đại Sơn")
    assert top.evaluate("box => box.indeterminate")
    page.click(".sumbar .btn-go")
    page.click(".sumbar .btn-go")
    expect(page.locator("#h-facts ~ *, main")).to_contain_text(["trừ Xã Đại Sơn"])


def test_keyboard_reaches_tabs_dialogs_and_the_menu(desk):
    writer = desk(WRITER)
    campaign = compose(writer, "Chỉ dùng bàn phím", send=False)
    page = writer.page
    page.goto(f"/chien-dich/{campaign}/noi-dung/")
    left, right = (page.get_by_role("tab").nth(n).get_attribute("aria-controls") for n in (0, 1))
    page.get_by_role("tab").nth(0).click()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"#{right}")).to_be_visible()
    expect(page.locator(f"#{left}")).to_be_hidden()
    page.get_by_role("button", name="Bỏ bản nháp…").press("Enter")
    expect(page.locator("#d-cancel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#d-cancel")).to_be_hidden()
    page.locator(".menu summary").press("Enter")
    expect(page.get_by_role("link", name="Tài khoản của tôi")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Tài khoản của tôi")).to_be_hidden()


@pytest.fixture(scope="module")
def numbers(stack):
    """A draft, a campaign that waits and one that was sent, for the pages that need one."""
    from playwright.sync_api import sync_playwright

    from .officers import CHROMIUM

    with sync_playwright() as driver:
        browser = driver.chromium.launch(**CHROMIUM)
        writer = Desk(browser, stack.environment["LOA_URL"], WRITER)
        found = {"draft": compose(writer, "Bản nháp", send=False), "waiting": compose(writer, "Chờ duyệt")}
        approver, sender = (Desk(browser, stack.environment["LOA_URL"], name) for name in (APPROVER, SENDER))
        found["sent"] = compose(writer, "Đã gửi")
        decide(approver, found["sent"])
        sender.page.goto(f"/chien-dich/{found['sent']}/")
        sender.page.get_by_role("button", name=re.compile("Gửi ngay")).click()
        sender.page.wait_for_url("**/truc-tiep/", timeout=90_000)
        browser.close()
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_on_a_phone_and_on_a_desk(scheme, chromium, stack, numbers):
    found = []
    for username, paths in PAGES.items():
        one = Desk(chromium, stack.environment["LOA_URL"], username, color_scheme=scheme)
        for path in paths:
            one.page.goto(path.format(**numbers))
            for width in (320, 390, 1280):
                one.page.set_viewport_size({"width": width, "height": 844})
                if one.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found.append((path, width, "wider than the screen"))
                if width == 320:
                    continue
                violations = Axe().run(one.page).response["violations"]
                found += [
                    (path, width, v["id"], v["nodes"][0]["html"][:200])
                    for v in violations
                    if v["impact"] in ("serious", "critical")
                ]
    assert found == []
