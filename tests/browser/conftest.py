"""A real web process and a real Chromium against the tests' own database."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from playwright.sync_api import Browser, Page, sync_playwright

from broadcast.delivery.ledger import conninfo

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs beside our ORM in one thread
ROOT = Path(__file__).resolve().parents[2]
SHOTS = os.environ.get("SHOTS")  # a folder: where to put screenshots for a person to look at


class Server:
    """The web process against the tests' database, on one port through stops and starts."""

    def __init__(self, media: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **os.environ,
            # the host as a parameter: it may be a socket's folder
            "DATABASE_URL": "postgresql:///?" + urlencode(conninfo()),
            "LOA_URL": self.url,
            "MEDIA_ROOT": str(media),
            "SECRET_KEY": django_settings.SECRET_KEY,
            "LOA_KEYS": django_settings.LOA_KEYS,
        }
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--log-level", "warning"], cwd=ROOT, env=self.env, start_new_session=True
        )
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/loa/manifest.webmanifest", timeout=2).read()
                return
            except (URLError, ConnectionError, TimeoutError):
                assert self.process.poll() is None, "the server ended"
                time.sleep(0.1)
        raise AssertionError("the server did not answer")

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture
def server(transactional_db, settings):
    running = Server(Path(settings.MEDIA_ROOT))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def chromium() -> Browser:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shoot():
    """``shoot(page, "name")``: screenshots at 390 and 1280 px, where SHOTS names a folder."""

    def take(page: Page, name: str) -> None:
        if SHOTS:
            for width in (1280, 390):
                page.set_viewport_size({"width": width, "height": 844})
                page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)

    return take


@pytest.fixture
def serious():
    """``serious(page)``: axe's serious and critical findings, and whether the page is wider than a small phone."""

    def look(page: Page) -> list:
        found = []
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            violations = Axe().run(page).response["violations"]
            found += [(v["id"], v["nodes"][0]["html"]) for v in violations if v["impact"] in ("serious", "critical")]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"wider than {width} px")
        return found

    return look
