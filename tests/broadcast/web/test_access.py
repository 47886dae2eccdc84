"""Every address, tried by those who must not get in."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from broadcast.campaigns import compose, launch
from broadcast.web.live import FORBIDDEN

OPEN = {"login", "set_language", "theme", "offline"}  # what a stranger may open of the officers' pages
EVERYBODY = {"home", "logout", "profile", "password", "campaign.list", "approval.list", "account.list"}
SECTIONS = ("campaign.", "approval.", "account.", "home", "profile", "password", "logout", *OPEN)


def names() -> list[str]:
    found: list[str] = []

    def walk(patterns) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver) and pattern.app_name != "admin":
                walk(pattern.url_patterns)
            elif isinstance(pattern, URLPattern) and pattern.name and pattern.name.startswith(SECTIONS):
                found.append(pattern.name)

    walk(get_resolver().url_patterns)
    return sorted(set(found))


def address(name: str, campaign, account) -> str:
    arguments = {
        "campaign.preview": [campaign.pk, "sms_twilio"],
        "account.new": ["sms_twilio"],
        "account.edit": [account.pk],
        "account.check": [account.pk],
    }
    if name in arguments:
        return reverse(name, args=arguments[name])
    if name.startswith(("campaign.", "approval.")) and name not in {*EVERYBODY, "campaign.new"}:
        return reverse(name, args=[campaign.pk])
    return reverse(name)


def state_of(campaign) -> tuple:
    campaign.refresh_from_db()
    return campaign.status, campaign.revision, campaign.title, campaign.contents.count()


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_the_log_in(name, method, browse, campaign, channels):
    before = state_of(campaign)
    response = getattr(browse(), method)(address(name, campaign, channels[0]))
    if name in OPEN:
        assert response.status_code in (200, 302, 405)
        assert not response.get("Location", "").startswith(reverse("login"))
    else:
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("login"))
    assert state_of(campaign) == before


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_officer_of_another_commune_finds_nothing(
    name, method, browse, officer, communes, province, channels, writer
):

    channels[0].place = communes[0]
    channels[0].save()
    theirs = compose.create(writer, place=communes[0], title="Của xã Đại Sơn")
    before = state_of(theirs)
    stranger = officer("writer", communes[1])
    response = getattr(browse(stranger), method)(address(name, theirs, channels[0]))
    if name in OPEN | EVERYBODY | {"campaign.new"}:
        assert response.status_code in (200, 302, 405, 422)
        assert "Của xã Đại Sơn" not in response.content.decode()
    else:
        assert response.status_code in (403, 404, 405)
    assert state_of(theirs) == before


@pytest.mark.parametrize("name", names())
def test_a_viewer_changes_nothing(name, browse, officer, campaign, channels):
    before = state_of(campaign)
    response = browse(officer("viewer")).post(address(name, campaign, channels[0]))
    seen = {f"campaign.{page}" for page in ("show", "live", "failed", "progress", "sound")}
    allowed = OPEN | EVERYBODY | seen
    if name == "campaign.clone":
        assert response.status_code == 302  # and refused: a viewer may not write
    elif name not in allowed:
        assert response.status_code == 403
    assert state_of(campaign) == before
    assert type(campaign).objects.count() == 1


def test_a_writer_cannot_send_and_a_sender_cannot_write(browse, officer, writer, approved):
    assert browse(writer).post(reverse("campaign.send", args=[approved.pk])).status_code == 403
    sender = officer("sender")
    assert browse(sender).post(reverse("campaign.content", args=[approved.pk])).status_code == 403
    assert browse(sender).post(reverse("campaign.send", args=[approved.pk])).status_code == 302


def test_nobody_approves_their_own(browse, writer, submitted, province):
    from broadcast.models import Membership

    Membership.objects.create(user=writer, place=province, role="approver")
    page = browse(writer).get(reverse("campaign.show", args=[submitted.pk]))
    assert "Bạn không tự duyệt được tin mình soạn" in page.content.decode()
    refused = browse(writer).post(
        reverse("approval.show", args=[submitted.pk]), {"approve": "1", "password": "mat-khau-thu-2026"}
    )
    assert refused.status_code == 403
    submitted.refresh_from_db()
    assert submitted.status == "review"


def test_pages_carry_a_strict_policy_and_no_inline_script(browse, approver, submitted):
    pages = ["home", "campaign.list", "approval.list", "account.list", "profile"]
    client = browse(approver)
    for url in [*(reverse(name) for name in pages), reverse("approval.show", args=[submitted.pk])]:
        response = client.get(url)
        policy = response["Content-Security-Policy"]
        html = response.content.decode()
        assert "default-src 'self'" in policy and "unsafe" not in policy
        assert " style=" not in html and "<style" not in html
        assert "<script>" not in html and " onclick=" not in html
        assert "http://" not in html and "https://" not in html


@pytest.mark.django_db(transaction=True)
def test_the_socket_is_closed_to_strangers(socket, campaign, officer, communes, writer):
    async def close_code(user) -> int | None:
        watcher = socket(user, campaign)
        code = await watcher.open()
        await watcher.leave()
        return code

    campaign.place = communes[0]
    campaign.save()
    assert async_to_sync(close_code)(AnonymousUser()) == FORBIDDEN
    assert async_to_sync(close_code)(officer("viewer", communes[1])) == FORBIDDEN
    assert async_to_sync(close_code)(writer) is None


def test_launching_needs_the_right_state(browse, officer, campaign):
    sender = officer("sender")
    page = browse(sender).post(reverse("campaign.send", args=[campaign.pk]), follow=True)
    assert "không còn làm được" in page.content.decode()
    assert launch.launch_due() == 0
