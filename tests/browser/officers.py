"""Driving the officers' pages, for the browser tests and for `python -m tests.browser.screens`."""

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from deploy.stack.handle import Stack

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = {"executable_path": "/usr/bin/chromium", "args": ["--no-sandbox"]}
PASSWORD = "loa-demo-2026"
WRITER, APPROVER, SENDER, ADMINISTRATOR = "soan.tinh", "duyet.tinh", "gui.tinh", "quantri"
SMS = "UBND tỉnh: Từ 1/12, nộp hồ sơ trực tuyến được giảm 50% lệ phí. Hỏi tổ công nghệ số của thôn."


def fill(stack: Stack, citizens: int) -> None:
    manage(stack, "demo_data", "--citizens", str(citizens))


def manage(stack: Stack, *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=stack.environment, check=True, timeout=300, capture_output=True)


class Desk:
    """One officer's browser. What the page complains about is collected in ``complaints``."""

    def __init__(self, browser: Browser, url: str, username: str = "", **options) -> None:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        self.url = url
        self.complaints: list[str] = []
        self.context = browser.new_context(base_url=url, **options)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", self._watch)
        if username:
            self.page.goto("/dang-nhap/")
            self.page.fill("#id_username", username)
            self.page.fill("#id_password", PASSWORD)
            self.page.click("button.btn-go")
            expect(self.page.locator("nav.nav")).to_be_visible()

    def _hear(self, message) -> None:
        # A refusal (422) is an answer; the browser calls it a failed resource.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def _watch(self, request) -> None:
        if not request.url.startswith((self.url, self.url.replace("http", "ws", 1), "data:", "blob:")):
            self.complaints.append(f"asked another host: {request.url}")


def compose(desk: Desk, title: str, *, send: bool = True) -> int:
    """Write a campaign for one commune through all four steps, and submit it; its number."""
    page = desk.page
    page.goto("/chien-dich/moi/")
    page.fill("#id_title", title)
    page.fill(
        "#id_source", "Từ 1/12/2026, nộp hồ sơ trực tuyến được giảm 50% lệ phí.\n\nMời bà con đến tổ công nghệ số."
    )
    page.click("main .btn-go")
    expect(page.locator("#composer")).to_be_visible()
    campaign = int(re.search(r"/chien-dich/(\d+)/", page.url)[1])
    page.click("#tab-sms_twilio")
    page.check("[name=sms_twilio-on]")
    page.fill("#sms_twilio-body", SMS)
    expect(page.locator("#meter-sms_twilio")).to_contain_text("UCS-2")
    expect(page.locator("#preview-sms_twilio .bubble")).to_have_text(SMS)
    for channel in ("telegram", "enews_site", "loudspeaker"):
        page.click(f"#tab-{channel}")
        page.check(f"[name={channel}-on]")
        page.fill(f"#{channel}-body", "Từ ngày 1/12/2026, bà con nộp hồ sơ trực tuyến được giảm 50% lệ phí.")
    expect(page.locator("#preview-loudspeaker")).to_contain_text("năm mươi phần trăm")
    expect(page.locator("#saved")).to_contain_text("Tự lưu")
    page.click(".sumbar .btn-go")
    expect(page.locator("#tree")).to_be_visible()
    page.fill("#tim-xa", "dai son")
    page.check("text=Xã Đại Sơn")
    expect(page.locator("#counts")).to_contain_text("người")
    page.click(".sumbar .btn-go")
    expect(page.locator("#h-when")).to_be_visible()
    page.click(".sumbar .btn-go")
    expect(page.locator("#h-plan")).to_be_visible()
    if send:
        page.click(".sumbar .btn-go")
        expect(page.locator("h1")).to_have_text(title)
    return campaign


def decide(desk: Desk, campaign: int) -> None:
    desk.page.goto(f"/cho-duyet/{campaign}/")
    desk.page.fill("#password", PASSWORD)
    desk.page.click("[name=approve]")
    expect(desk.page.locator("#h-send")).to_be_visible()
