"""The wall of phones in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


@pytest.fixture
def page() -> Iterator[Page]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 390, "height": 800})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        yield page
        browser.close()
        assert [p for p in problems if "400 (Bad Request)" not in p] == []  # a refused fault is one, on purpose


def accessible(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    serious = [v for v in violations if v["impact"] in ("serious", "critical")]
    assert serious == [], [(v["id"], v["nodes"][0]["target"]) for v in serious]


def test_page_is_served_under_a_strict_policy(sandbox):
    page = sandbox.get("/")
    assert page.status_code == 200 and "không tin nào ra ngoài" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert sandbox.get("/static/%2e%2e/store.py").status_code == 404
    assert sandbox.get("/wall/files/%2e%2e/accepted.ndjson").status_code == 404
    assert httpx.post(f"{sandbox.url}/").status_code == 405


def test_dark_themes_are_equal(sandbox):
    tokens = sandbox.get("/static/tokens.css").text
    system = tokens.partition('([data-theme="light"]) {')[2].partition("}")[0].split()
    chosen = tokens.partition('[data-theme="dark"] {')[2].partition("}")[0].split()
    assert system == chosen and system


@pytest.mark.browser
def test_an_officer_watches_searches_and_answers(sandbox, page: Page):
    page.goto(sandbox.url)
    expect(page.get_by_text("Chưa có tin nào")).to_be_visible()
    sandbox.sms("+84912345678", "Mời họp thôn <b>8 giờ</b>")
    sandbox.sms("+84910000003", "Mời họp thôn")
    sandbox.telegram("sendMessage", chat_id=555123, text="Cảnh báo lũ")
    expect(page.get_by_text("Mời họp thôn <b>8 giờ</b>")).to_be_visible()  # arrives by itself, and is text
    expect(page.get_by_text("Không đến máy (30003)")).to_be_visible()
    accessible(page)

    page.get_by_label("Tìm theo số máy").fill("canh bao")
    expect(page.locator(".item")).to_have_count(1)
    expect(page.get_by_text("Cảnh báo lũ")).to_be_visible()
    page.get_by_label("Tìm theo số máy").fill("")
    page.get_by_text("SMS", exact=True).click()
    expect(page.locator(".item")).to_have_count(2)
    assert page.url.endswith("?app=sms")

    page.get_by_role("button", name="Mở máy 0912 345 678").click()
    page.get_by_label("Trả lời thay người dân").fill("Tôi sẽ đến")
    accessible(page)
    page.get_by_role("button", name="Trả lời", exact=True).click()
    expect(page.get_by_role("log").get_by_text("Tôi sẽ đến")).to_be_visible()
    page.get_by_role("button", name="Từ chối nhận (STOP)").click()
    expect(page.get_by_text("Người này đã từ chối nhận tin.")).to_be_visible()
    assert sandbox.sms("+84912345678").json()["code"] == 21610
    page.get_by_role("button", name="Đóng").click()
    expect(page.locator(".item", has_text="0912 345 678").get_by_text("Từ chối nhận")).to_be_visible()


@pytest.mark.browser
def test_an_officer_switches_faults(sandbox, page: Page):
    page.goto(sandbox.url)
    page.get_by_text("Bày sự cố").click()
    row = page.locator('[data-kind="rate_limit"]')
    row.get_by_label("Tỷ lệ phần trăm").fill("100")
    row.get_by_role("switch").check()
    expect(page.get_by_text("1 sự cố đang bật")).to_be_visible()
    accessible(page)
    assert sandbox.sms().status_code == 429
    row.get_by_role("switch").uncheck()
    expect(page.get_by_text("Không có sự cố nào", exact=True)).to_be_visible()
    assert sandbox.sms().status_code == 201
    page.locator('[data-kind="slow"]').get_by_label("trong").fill("-4")
    page.locator('[data-kind="slow"]').get_by_role("switch").click()
    expect(page.get_by_role("alert")).to_have_text("«seconds» là một số từ 0 đến 86400.")
    assert sandbox.control("GET", "faults")["rules"] == []
