"""The Zalo gateway over real HTTP: tokens, consultation, ZNS, uploads, articles, events."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from .conftest import Receiver, Sandbox

TOKEN, APP, SECRET, OA_SECRET = (
    "sandbox-zalo-access-token",
    "1234567890123456789",
    "sandbox-zalo-app-secret",
    "sandbox-zalo-oa-secret",
)
USER = "2468135790246813579"
MEETING = {
    "template_id": "100002",
    "template_data": {
        "ho_ten": "Nguyễn Văn An",
        "noi_dung": "Họp bàn làm đường",
        "thoi_gian": "8:00 28/11/2026",
        "dia_diem": "Nhà văn hoá thôn",
    },
}


def post(sandbox: Sandbox, path: str, data: dict, token: str = TOKEN, **headers: str) -> dict:
    reply = httpx.post(f"{sandbox.url}/zalo{path}", json=data, headers={"access_token": token, **headers}, timeout=5)
    assert reply.status_code == 200
    return reply.json()


def consult(sandbox: Sandbox, user: str = USER, **message: object) -> dict:
    return post(sandbox, "/v3.0/oa/message/cs", {"recipient": {"user_id": user}, "message": message})


def zns(sandbox: Sandbox, phone: str, **changes: object) -> dict:
    return post(sandbox, "/message/template", {"phone": phone, **MEETING, "tracking_id": "d-1", **changes})


def genuine(callback) -> bool:
    timestamp = json.loads(callback.body)["timestamp"]
    text = APP.encode() + callback.body + timestamp.encode() + OA_SECRET.encode()
    return callback.headers["x-zevent-signature"] == "mac=" + hashlib.sha256(text).hexdigest()


def refresh(sandbox: Sandbox, token: str) -> dict:
    form = {"grant_type": "refresh_token", "refresh_token": token, "app_id": APP}
    return httpx.post(f"{sandbox.url}/zalo/v4/oa/access_token", data=form, headers={"secret_key": SECRET}).json()


def test_a_refresh_token_works_once(sandbox):
    first = refresh(sandbox, "sandbox-zalo-refresh-token")
    assert first["expires_in"] == "90000"
    assert refresh(sandbox, "sandbox-zalo-refresh-token")["error"] == -14014
    assert consult(sandbox, text="x")["error"] == -216  # the old access token
    assert post(sandbox, "/message/template", {})["error"] == -124
    assert post(sandbox, "/v3.0/oa/quota/message", {}, first["access_token"])["error"] == 0
    second = refresh(sandbox, first["refresh_token"])
    sandbox.kill()
    sandbox.start()  # tokens survive: nobody has to consent again
    assert post(sandbox, "/v3.0/oa/quota/message", {}, second["access_token"])["error"] == 0


def test_consent_with_a_challenge(sandbox):
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {"app_id": APP, "redirect_uri": "http://127.0.0.1:9/back", "code_challenge": challenge, "state": "s"}
    back = sandbox.get("/zalo/v4/oa/permission", params=query).headers["location"]
    answer = parse_qs(urlsplit(back).query)
    assert answer["state"] == ["s"] and answer["oa_id"]

    def exchange(code: str, verifier: str) -> dict:
        form = {"grant_type": "authorization_code", "code": code, "app_id": APP, "code_verifier": verifier}
        return httpx.post(f"{sandbox.url}/zalo/v4/oa/access_token", data=form, headers={"secret_key": SECRET}).json()

    assert exchange(answer["code"][0], "wrong")["error"] == -14007
    back = sandbox.get("/zalo/v4/oa/permission", params=query).headers["location"]
    assert exchange(parse_qs(urlsplit(back).query)["code"][0], verifier)["access_token"]


async def test_consultation_received_seen_answered_and_left(sandbox, receiver: Receiver):
    sandbox.control("POST", "webhooks", {"zalo": f"{receiver.url}/z"})
    sent = consult(sandbox, text="Mời bà con họp [r:d-9]")
    assert sent["error"] == 0 and sent["data"]["user_id"] == USER
    assert sandbox.accepted("d-9") == 1
    event = json.loads((await receiver.wait(1))[0].body)
    assert (event["event_name"], event["message"]["msg_id"]) == ("user_received_message", sent["data"]["message_id"])
    sandbox.control("POST", "reply", {"provider": "zalo", "address": USER, "text": "Vâng"})
    sandbox.control("POST", "reply", {"provider": "zalo", "address": USER, "action": "block"})
    await receiver.settle(sandbox)
    assert all(genuine(c) for c in receiver.got)
    events = {e["event_name"]: e for e in (json.loads(c.body) for c in receiver.got)}
    assert events["user_send_text"]["message"]["text"] == "Vâng"
    assert events["unfollow"]["follower"]["id"] == USER
    assert consult(sandbox, text="x")["error"] == -213


@pytest.mark.parametrize(
    ("user", "message", "error"),
    [
        ("99990001", {"text": "x"}, -213),
        ("99990002", {"text": "x"}, -230),
        (USER, {"text": "a" * 2001}, -210),
        (USER, {"text": " "}, -201),
        (USER, {"attachment": {"type": "file", "payload": {"token": "unknown"}}}, -100),
    ],
)
def test_consultation_refusals(sandbox, user, message, error):
    assert consult(sandbox, user, **message)["error"] == error
    assert sandbox.control("GET", "stats")["accepted"] == 0


def test_files_are_uploaded_first(sandbox):
    url, headers = f"{sandbox.url}/zalo/v2.0/oa/upload/file", {"access_token": TOKEN}
    token = httpx.post(url, files={"file": ("ke-hoach.pdf", b"%PDF-1.7", "application/pdf")}, headers=headers).json()
    sent = consult(sandbox, attachment={"type": "file", "payload": {"token": token["data"]["token"]}})
    assert sent["error"] == 0
    refused = httpx.post(url, files={"file": ("x.exe", b"MZ", "application/pdf")}, headers=headers).json()
    assert refused["error"] == -210


@pytest.mark.parametrize(
    ("phone", "changes", "error"),
    [
        ("0912345678", {}, -108),
        ("84912340001", {}, -118),
        ("84912340002", {}, -139),
        ("84912340005", {}, -144),
        ("84912345678", {"template_id": "7"}, -109),
        ("84912345678", {"template_id": "100003"}, -131),
        ("84912345678", {"template_data": {"ho_ten": "An"}}, -112),
        ("84912345678", {"template_data": {**MEETING["template_data"], "noi_dung": "a" * 201}}, -112),
    ],
)
def test_zns_refusals(sandbox, phone, changes, error):
    assert zns(sandbox, phone, **changes)["error"] == error


async def test_zns_by_phone_and_by_hash(sandbox, receiver):
    sandbox.control("POST", "webhooks", {"zalo": f"{receiver.url}/z"})
    sent = zns(sandbox, "84912345678")["data"]
    assert sandbox.accepted("d-1") == 1
    [callback] = await receiver.wait(1)
    assert genuine(callback) and callback.headers["x-zevent-server"] == "ZNS"
    event = json.loads(callback.body)
    assert event["recipient"]["id"] == "84912345678"
    assert (event["message"]["msg_id"], event["message"]["tracking_id"]) == (sent["msg_id"], "d-1")
    status = sandbox.get(f"/zalo/message/status?message_id={sent['msg_id']}", headers={"access_token": TOKEN}).json()
    assert status["data"]["status"] == 1
    hashed = hashlib.sha256(b"84912345678").hexdigest()
    assert post(sandbox, "/message/template/hashphone", {"phone": hashed, **MEETING})["error"] == 0
    assert (
        post(sandbox, "/business.openapi.zalo.me/message/template", {"phone": "84912345678", **MEETING})["error"] == 0
    )
    assert post(sandbox, "/v3.0/oa/message/template", {"user_id": USER, **MEETING})["error"] == 0


def test_proof_of_the_app_secret(sandbox):
    right = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert post(sandbox, "/v3.0/oa/quota/message", {}, appsecret_proof=right)["error"] == 0
    assert post(sandbox, "/v3.0/oa/quota/message", {}, appsecret_proof="0" * 64)["error"] == -242


def test_article_is_made_polled_and_broadcast(sandbox):
    article = {"type": "normal", "title": "Chuyển đổi số", "author": "Bắc Ninh", "body": [{"type": "text"}]}
    assert post(sandbox, "/v2.0/article/create", {**article, "title": "a" * 151})["error"] == -210
    token = post(sandbox, "/v2.0/article/create", article)["data"]["token"]
    while (verified := post(sandbox, "/v2.0/article/verify", {"token": token}))["error"]:
        assert verified["error"] == -1
    element = {"media_type": "article", "attachment_id": verified["data"]["id"]}
    payload = {"template_type": "media", "elements": [element]}
    body = {"recipient": {"target": {"cities": "4"}}, "message": {"attachment": {"payload": payload}}}
    assert post(sandbox, "/v2.0/oa/message", body)["error"] == 0
    [thread] = sandbox.get("/wall/threads").json()["threads"]
    assert (thread["skin"], thread["messages"][0]["card"]["title"]) == ("page", "Chuyển đổi số")


def test_rate_limit_is_a_business_error(sandbox):
    sandbox.fault("rate_limit")
    assert consult(sandbox, text="x")["error"] == -32
