"""Screenshots of the officers' pages: `python -m tests.browser.screens [--all] [folder]` (default docs/screens).

Starts a stack of its own with the demonstration's data and takes each page at 390 and 1280 px in light, and at
1280 px in dark; with `--all` at 390, 768 and 1280 px in both. The live page is taken while the campaign runs.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from deploy.stack.handle import Stack

from .officers import ADMINISTRATOR, APPROVER, CHROMIUM, ROOT, SENDER, WRITER, Desk, compose, decide, fill

SOME = ((390, "light"), (1280, "light"), (1280, "dark"))
ALL = tuple((width, scheme) for scheme in ("light", "dark") for width in (390, 768, 1280))
PEOPLE = "4000"


def main(folder: Path, shots: tuple[tuple[int, str], ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state, Stack(state) as stack, sync_playwright() as driver:
        fill(stack, int(PEOPLE))
        browser = driver.chromium.launch(**CHROMIUM)
        url = stack.environment["LOA_URL"]
        command = [sys.executable, "manage.py", "demo_run", "--recipients", PEOPLE]
        campaign = subprocess.Popen(command, cwd=ROOT, env=stack.environment, stderr=subprocess.DEVNULL)
        live = Desk(browser, url, WRITER)
        running(live)
        shoot(live, "", folder, "live", shots)
        campaign.wait(timeout=300)

        writer, approver, sender = (Desk(browser, url, name) for name in (WRITER, APPROVER, SENDER))
        draft = compose(writer, "Lịch tiêm phòng bệnh dại đợt 2", send=False)
        waiting = compose(writer, "Giảm lệ phí hồ sơ trực tuyến")
        sent = compose(writer, "Tạm ngừng cấp nước ngày 16/9")
        decide(approver, sent)
        sender.page.goto(f"/chien-dich/{sent}/")
        step = f"/chien-dich/{draft}"
        pages = {
            "": {"login": "/dang-nhap/"},
            WRITER: {
                "home": "/", "campaigns": "/chien-dich/", "new": "/chien-dich/moi/",
                "compose-content": f"{step}/noi-dung/", "compose-audience": f"{step}/nguoi-nhan/",
                "compose-time": f"{step}/lich/", "compose-check": f"{step}/kiem-tra/",
                "finished": "/chien-dich/1/truc-tiep/", "failed": "/chien-dich/1/chua-den/",
                "profile": "/tai-khoan/", "not-found": "/khong-co-trang-nay/",
            },
            APPROVER: {"approval-list": "/cho-duyet/", "approval": f"/cho-duyet/{waiting}/"},
            ADMINISTRATOR: {"channels": "/kenh/", "channel": "/kenh/1/"},
        }  # fmt: skip
        for username, shown in pages.items():
            desk = Desk(browser, url, username)
            for name, path in shown.items():
                shoot(desk, path, folder, name, shots)
        sender.page.get_by_role("button", name=re.compile("Gửi ngay")).click()
        sender.page.wait_for_selector("#hold")
        shoot(sender, "", folder, "hold", shots)
        browser.close()


def running(desk: Desk) -> None:
    """Open the live page of the campaign once it is well under way."""
    for _ in range(200):
        desk.page.goto("/chien-dich/?trang-thai=dang-gui")
        if desk.page.locator(".rows a.t").count():
            break
        desk.page.wait_for_timeout(200)
    desk.page.locator(".rows a.t").first.click()
    # Not wait_for_function: it wants eval, which the pages' policy forbids.
    while int(desk.page.locator("#live-figures").get_attribute("data-share") or 0) < 50:
        desk.page.wait_for_timeout(200)


def shoot(desk: Desk, path: str, folder: Path, name: str, shots: tuple[tuple[int, str], ...]) -> None:
    """The whole page. The window grows to the page, so that what sticks to its edge stays there."""
    page = desk.page
    if path:
        page.goto(path)
    for width, scheme in shots:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour caught on its way
        page.set_viewport_size({"width": width, "height": 900})
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": max(900, min(height, 6000))})
        page.screenshot(path=folder / f"{name}-{width}{'-dark' if scheme == 'dark' else ''}.png")


if __name__ == "__main__":
    folders = [argument for argument in sys.argv[1:] if argument != "--all"]
    main(Path(folders[0]) if folders else ROOT / "docs/screens", ALL if "--all" in sys.argv else SOME)
