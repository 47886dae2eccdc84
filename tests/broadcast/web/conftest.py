"""Officers in front of their pages, and a campaign ready for them."""

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from broadcast.campaigns import approve, compose
from broadcast.models import Campaign, User
from broadcast.web.live import Live

SMS = "UBND tinh: Tu 1/12 nop ho so truc tuyen giam 50% le phi."


@pytest.fixture(autouse=True)
def _fresh(settings):
    cache.clear()
    translation.activate("vi")  # a page read in English leaves its language to the thread
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose


@pytest.fixture
def browse():
    """``browse(user)``: a client logged in as this officer; without one, a stranger."""

    def log_in(user: User | None = None) -> Client:
        client = Client()
        if user:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


@pytest.fixture
def channels(account):
    return [
        account("sms_twilio", settings={"segment_price": "350", "sender": "UBND", "auth_token": "bi-mat-cua-twilio"}),
        account("telegram", sandbox=True),
        account("enews_site"),
    ]


@pytest.fixture
def writer(officer):
    return officer("writer", full_name="Nguyễn Thị Hạnh")


@pytest.fixture
def approver(officer):
    return officer("approver", full_name="Trần Quốc Bảo")


@pytest.fixture
def campaign(writer, province, communes, channels, citizen) -> Campaign:
    """A draft that could be submitted: two people with phones, one of them with Telegram."""
    citizen(communes[0], phone="+84912345678", telegram="1001")
    citizen(communes[1], name="Trần Thị Bình", phone="+84987654321")
    made = compose.create(writer, place=province, title="Nộp hồ sơ trực tuyến", source="Bài viết gốc.")
    contents = {"sms_twilio": {"body": SMS}, "telegram": {"body": "Từ 1/12 nộp hồ sơ trực tuyến."}}
    return compose.save(writer, made.pk, made.revision, contents=contents, places=[province.pk])


@pytest.fixture
def submitted(writer, campaign) -> Campaign:
    return approve.submit(writer, campaign.pk, campaign.revision)


@pytest.fixture
def approved(approver, submitted) -> Campaign:
    return approve.approve(approver, submitted.pk, submitted.revision)


class Socket(ApplicationCommunicator):
    """A watcher of a campaign's live page."""

    def __init__(self, user: User, campaign: Campaign) -> None:
        scope = {"type": "websocket", "user": user, "cookies": {}, "url_route": {"kwargs": {"pk": campaign.pk}}}
        super().__init__(Live.as_asgi(), scope)

    async def open(self) -> int | None:
        """Connect; the code with which the server closed at once, None where it lets us watch."""
        await self.send_input({"type": "websocket.connect"})
        assert (await self.receive_output())["type"] == "websocket.accept"
        if await self.receive_nothing(timeout=0.3):
            return None
        return (await self.receive_output())["code"]

    async def text(self) -> str:
        return (await self.receive_output(timeout=5))["text"]

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait()


@pytest.fixture
def socket():
    return Socket
