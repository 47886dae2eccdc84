"""The Facebook gateway over real HTTP: the Page's feed, Messenger, webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import httpx
import pytest

from .conftest import Receiver, Sandbox

TOKEN, PAGE, SECRET = "sandbox-facebook-page-token", "102938475610293", b"sandbox-facebook-app-secret"
PSID = "5550001112223334"


def graph(sandbox: Sandbox, method: str, path: str, data: dict | None = None, token: str = TOKEN, **options: object):
    url = f"{sandbox.url}/facebook/v26.0/{path}"
    return httpx.request(method, url, json=data, headers={"authorization": f"Bearer {token}"}, timeout=5, **options)


def message(sandbox: Sandbox, psid: str = PSID, **changes: object) -> dict:
    data = {"recipient": {"id": psid}, "messaging_type": "UPDATE", "message": {"text": "Mời họp [r:d-3]"}, **changes}
    return graph(sandbox, "POST", f"{PAGE}/messages", data).json()


def test_page_post_is_found_corrected_and_removed(sandbox):
    id = graph(sandbox, "POST", f"{PAGE}/feed", {"message": "Lũ sông Thương", "link": "https://x.vn"}).json()["id"]
    assert id.startswith(f"{PAGE}_")
    again = graph(sandbox, "POST", f"{PAGE}/feed", {"message": "Lũ sông Thương", "link": "https://x.vn"})
    assert again.json()["error"]["code"] == 506
    listed = graph(sandbox, "GET", f"{PAGE}/feed?since={int(time.time()) - 60}").json()["data"]
    assert [(p["id"], p["message"]) for p in listed] == [(id, "Lũ sông Thương")]
    assert graph(sandbox, "POST", id, {"message": "Lũ sông Cầu"}).json() == {"success": True}
    assert graph(sandbox, "GET", id).json()["message"] == "Lũ sông Cầu"
    assert graph(sandbox, "DELETE", id).json() == {"success": True}
    assert graph(sandbox, "GET", id).status_code == 400
    assert graph(sandbox, "GET", f"{PAGE}/feed").json()["data"] == []


def test_scheduled_and_multi_photo_posts(sandbox):
    at = int(time.time()) + 3600
    post = {"message": "Sáng mai", "published": False, "scheduled_publish_time": at}
    assert graph(sandbox, "POST", f"{PAGE}/feed", {**post, "scheduled_publish_time": at - 3500}).status_code == 400
    id = graph(sandbox, "POST", f"{PAGE}/feed", post).json()["id"]
    assert [p["id"] for p in graph(sandbox, "GET", f"{PAGE}/scheduled_posts").json()["data"]] == [id]
    photo = httpx.post(
        f"{sandbox.url}/facebook/v26.0/{PAGE}/photos",
        data={"published": "false", "access_token": TOKEN},
        files={"source": ("a.png", b"\x89PNG....", "image/png")},
    ).json()["id"]
    feed = {"message": "Ảnh", "attached_media": [{"media_fbid": photo}]}
    assert graph(sandbox, "POST", f"{PAGE}/feed", feed).json()["id"]


@pytest.mark.parametrize(
    ("psid", "changes", "code", "subcode"),
    [
        ("99990001", {}, 100, 2018001),
        ("99990002", {}, 10, 2018278),
        ("99990003", {}, 551, 1545041),
        (PSID, {"message": {"text": "a" * 2001}}, 100, None),
        (PSID, {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"}, 100, None),
        (PSID, {"messaging_type": "UTILITY", "message": {"template": {"name": "none"}}}, 100, None),
    ],
)
def test_messenger_refusals(sandbox, psid, changes, code, subcode):
    error = message(sandbox, psid, **changes)["error"]
    assert (error["code"], error.get("error_subcode")) == (code, subcode)
    assert error["message"] and error["fbtrace_id"]


def test_utility_template_passes_the_window(sandbox):
    text = "Kính gửi {{1}}: hồ sơ {{2}} đã có kết quả."
    body = {"type": "BODY", "text": text, "example": {}}
    template = {"name": "ho_so", "category": "UTILITY", "language": "vi", "components": [body]}
    assert graph(sandbox, "POST", f"{PAGE}/message_templates", template).json()["status"] == "APPROVED"
    parameters = [{"type": "text", "text": t} for t in ("bà An", "H-12")]
    use = {"name": "ho_so", "language": {"code": "vi"}, "components": [{"type": "body", "parameters": parameters}]}
    sent = message(sandbox, "99990002", messaging_type="UTILITY", message={"template": use})
    assert sent["recipient_id"] == "99990002"
    [thread] = sandbox.get("/wall/threads").json()["threads"]
    assert thread["messages"][0]["text"] == "Kính gửi bà An: hồ sơ H-12 đã có kết quả."


async def test_webhooks_are_challenged_signed_and_watermarked(sandbox, receiver: Receiver):
    sandbox.control("POST", "webhooks", {"facebook": f"{receiver.url}/fb"})
    [challenge] = await receiver.wait(1)
    assert "hub.mode=subscribe" in challenge.url and "hub.verify_token=sandbox-verify-token" in challenge.url
    mid = message(sandbox)["message_id"]
    assert sandbox.accepted("d-3") == 1
    callback = (await receiver.wait(2))[1]
    mac = hmac.new(SECRET, callback.body, hashlib.sha256).hexdigest()
    assert callback.headers["x-hub-signature-256"] == f"sha256={mac}"
    [event] = json.loads(callback.body)["entry"][0]["messaging"]
    assert event["sender"]["id"] == PSID and event["delivery"]["watermark"] > 1e12
    assert event["delivery"].get("mids", [mid]) == [mid]
    sandbox.control("POST", "reply", {"provider": "facebook", "address": PSID, "text": "Mấy giờ?"})
    await receiver.settle(sandbox)
    events = [json.loads(c.body)["entry"][0]["messaging"][0] for c in receiver.got[1:]]
    assert [e["message"]["text"] for e in events if "message" in e] == ["Mấy giờ?"]
    sandbox.control("POST", "reply", {"provider": "facebook", "address": PSID, "action": "block"})
    assert message(sandbox)["error"]["code"] == 200


def test_wrong_token_and_proof(sandbox):
    wrong = graph(sandbox, "GET", PAGE, token="stolen")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, 190)
    proof = hmac.new(SECRET, TOKEN.encode(), hashlib.sha256).hexdigest()
    assert graph(sandbox, "GET", f"{PAGE}?appsecret_proof={proof}").json()["id"] == PAGE
    assert graph(sandbox, "GET", f"{PAGE}?appsecret_proof=x").status_code == 400
