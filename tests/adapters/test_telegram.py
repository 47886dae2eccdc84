"""Cases of telegram, and what only Telegram does."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from channels_adapters.core.interface import (
    Content,
    Inbound,
    Media,
    Message,
    Next,
    Reason,
    Recipient,
    Request,
)
from channels_adapters.core.text import utf16_length
from channels_adapters.telegram import Telegram
from tests.adapters.contract import REFERENCE, Cases, Failure, Signed, build, message
from tests.adapters.provider import Answer

TOKEN = "SECRET:bot"
HOOK = "SECRET_hook"
PERSON = {"id": 123456789, "type": "private", "first_name": "Hoa", "last_name": "Nguyễn"}
SENT = 1795420800
AT = datetime.fromtimestamp(SENT, UTC)


def posted(**changes) -> Answer:
    result = {"message_id": 55, "date": SENT, "chat": PERSON, "text": "Xin chào", **changes}
    return Answer.json(200, {"ok": True, "result": result})


def refusal(code: int, description: str, **parameters) -> Answer:
    body = {"ok": False, "error_code": code, "description": description}
    return Answer.json(code, {**body, "parameters": parameters} if parameters else body)


def update(**content) -> Request:
    body = orjson.dumps({"update_id": 900, **content})
    headers = {"x-telegram-bot-api-secret-token": HOOK, "content-type": "application/json"}
    return Request("POST", "https://loa.example.vn/hooks/t/", "", headers, body)


def from_person(**content) -> Request:
    return update(message={"message_id": 7, "date": SENT, "chat": PERSON, "from": PERSON, **content})


def member(status: str, chat: dict) -> Request:
    changed = {"chat": chat, "from": PERSON, "date": SENT, "new_chat_member": {"status": status, "user": {"id": 1}}}
    return update(my_chat_member=changed)


def said(kind, text: str = "", **more) -> tuple[Inbound, ...]:
    return (Inbound("900", "123456789", kind, text, "Hoa Nguyễn", AT, **more),)


GROUP = {"id": -1001234, "type": "supergroup", "title": "Tổ dân phố 3"}


def asks(seen) -> None:
    assert (seen.method, seen.path) == ("POST", f"/telegram/bot{TOKEN}/sendMessage")
    assert seen.headers["content-type"] == "application/json"
    assert seen.json == {"chat_id": "123456789", "text": "Lịch tiêm phòng\n\nMời bà con đến trạm y tế."}


CASES = Cases(
    settings={"token": TOKEN, "webhook_secret": HOOK},
    good={
        "123456789": "123456789",
        " -1001234567890 ": "-1001234567890",
        "@BacNinh_ThongBao": "@bacninh_thongbao",
        "https://t.me/bacninh_thongbao": "@bacninh_thongbao",
        "t.me/s/bacninh_thongbao": "@bacninh_thongbao",
    },
    bad=("", "@", "@a", "0", "00123", "@bắc_ninh", "https://example.vn/x", "@a b c d", "1" * 20),
    content=Content("Mời bà con đến trạm y tế.", subject="Lịch tiêm phòng"),
    empty=Content("  "),
    accepted=posted(),
    provider_id="55",
    asks=asks,
    failures=(
        Failure(
            "429",
            refusal(429, "Too Many Requests: retry after 7", retry_after=7),
            Next.RETRY,
            Reason.RATE_LIMITED,
            after=7.0,
        ),
        Failure(
            "blocked",
            refusal(403, "Forbidden: bot was blocked by the user"),
            Next.BLOCK_ADDRESS,
            Reason.BLOCKED,
        ),
        Failure(
            "kicked",
            refusal(403, "Forbidden: bot was kicked from the supergroup chat"),
            Next.BLOCK_ADDRESS,
            Reason.BLOCKED,
        ),
        Failure(
            "deactivated",
            refusal(403, "Forbidden: user is deactivated"),
            Next.BLOCK_ADDRESS,
            Reason.BAD_ADDRESS,
        ),
        Failure(
            "never pressed Start",
            refusal(403, "Forbidden: bot can't initiate conversation with a user"),
            Next.BLOCK_ADDRESS,
            Reason.NOT_REACHABLE_KIND,
        ),
        Failure("other 403", refusal(403, "Forbidden: something new"), Next.BLOCK_ADDRESS, Reason.BLOCKED),
        Failure("no chat", refusal(400, "Bad Request: chat not found"), Next.BLOCK_ADDRESS, Reason.BAD_ADDRESS),
        Failure(
            "deactivated 400",
            refusal(400, "Bad Request: user is deactivated"),
            Next.BLOCK_ADDRESS,
            Reason.BAD_ADDRESS,
        ),
        Failure(
            "no administrator",
            refusal(400, "Bad Request: need administrator rights in the channel chat"),
            Next.GIVE_UP,
            Reason.MISCONFIGURED,
        ),
        Failure("too long", refusal(400, "Bad Request: message is too long"), Next.FIX_CONTENT, Reason.TOO_LONG),
        Failure(
            "other 400",
            refusal(400, "Bad Request: can't parse entities of 123456789"),
            Next.FIX_CONTENT,
            Reason.REJECTED_CONTENT,
        ),
        Failure(
            "moved",
            refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1009),
            Next.RETRY,
            Reason.BAD_ADDRESS,
            after=0.0,
            address="-1009",
        ),
        Failure("401", refusal(401, "Unauthorized"), Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
        Failure("404", refusal(404, "Not Found"), Next.PAUSE_ACCOUNT, Reason.CREDENTIALS),
        Failure(
            "409",
            refusal(409, "Conflict: terminated by other getUpdates request"),
            Next.PAUSE_ACCOUNT,
            Reason.MISCONFIGURED,
        ),
        Failure("500", refusal(500, "Internal Server Error"), Next.RETRY, Reason.PROVIDER_ERROR),
        Failure("502 in its words", refusal(502, "Bad Gateway"), Next.RETRY, Reason.PROVIDER_ERROR),
    ),
    unreadable=(
        Answer.json(200, {"ok": True, "result": 5}),
        Answer.json(200, {"ok": True, "result": {}}),
        Answer.json(200, {"ok": True, "result": True}),
        Answer.json(200, {"ok": True, "description": "no result"}),
    ),
    callbacks=(
        Signed("question", from_person(text="Mấy giờ họp?"), inbound=said("text", "Mấy giờ họp?")),
        Signed("start", from_person(text="/start"), inbound=said("opt_in", "/start")),
        Signed(
            "start with a place",
            from_person(text="/start phuong-07210"),
            inbound=said("opt_in", "/start phuong-07210", data={"start": "phuong-07210"}),
        ),
        Signed("stop", from_person(text="/stop"), inbound=said("opt_out", "/stop")),
        Signed("refusal", from_person(text="Từ chối!"), inbound=said("opt_out", "Từ chối!")),
        Signed(
            "voice",
            from_person(voice={"file_id": "x"}, caption="nghe nhé"),
            inbound=said("media", "nghe nhé", data={"media": "voice"}),
        ),
        Signed(
            "a member of a group cannot stop it",
            update(message={"message_id": 1, "date": SENT, "chat": GROUP, "from": PERSON, "text": "/stop"}),
            inbound=(Inbound("900", "-1001234", "text", "/stop", "Hoa Nguyễn", AT),),
        ),
        Signed("blocked", member("kicked", PERSON), inbound=said("blocked")),
        Signed("unblocked", member("member", PERSON), inbound=said("follow", data={"status": "member"})),
        Signed(
            "thrown out of a group",
            member("left", GROUP),
            inbound=(Inbound("900", "-1001234", "unfollow", "", "Tổ dân phố 3", AT),),
        ),
        Signed(
            "button",
            update(callback_query={"id": "4", "from": PERSON, "message": {"chat": PERSON}, "data": "co"}),
            inbound=(Inbound("900", "123456789", "press", "co", "Hoa Nguyễn"),),
        ),
        Signed(
            "group became a supergroup",
            update(message={"message_id": 1, "date": SENT, "chat": GROUP, "migrate_to_chat_id": -1009}),
            inbound=(Inbound("900", "-1001234", "other", at=AT, data={"moved_to": "-1009"}),),
        ),
        Signed("an update of the future", update(hologram={"id": 1})),
    ),
    signs_body=False,
    signing_secrets=("webhook_secret",),
    corrected=posted(text="Sửa"),
    retracted=Answer.json(200, {"ok": True, "result": True}),
    healthy=(
        Answer.json(200, {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "Loa", "username": "loa_bot"}}),
        Answer.json(
            200,
            {
                "ok": True,
                "result": {
                    "url": "https://loa.example.vn/hooks/t/",
                    "has_custom_certificate": False,
                    "pending_update_count": 0,
                },
            },
        ),
    ),
)


@pytest.fixture
def bot(provider, transport) -> Telegram:
    adapter = build("telegram", transport, provider.url)
    assert isinstance(adapter, Telegram)
    return adapter


def rendered(bot: Telegram, content: Content):
    return bot.render(content, Recipient(REFERENCE, CASES.address))


async def test_a_channel_gets_a_quiet_post_without_preview(bot, provider):
    content = Content("Xem https://loa.example.vn", options={"silent": True, "no_preview": "on"})
    provider.will(posted())
    await bot.send([Message(REFERENCE, "@bacninh_thongbao", rendered(bot, content))])
    assert provider.seen[0].json == {
        "chat_id": "@bacninh_thongbao",
        "text": "Xem https://loa.example.vn",
        "disable_notification": True,
        "link_preview_options": {"is_disabled": True},
    }


LONG = "\n\n".join(f"Đoạn {n}. " + "Ủy ban nhân dân phường thông báo đến bà con. " * 20 for n in range(12))


async def test_a_long_text_becomes_several_messages_and_is_never_cut(bot, provider):
    whole = rendered(bot, Content(LONG))
    parts = bot.split(whole)
    assert len(parts) == bot.estimate(whole).parts == 3
    assert all(utf16_length(part.text) <= 4096 for part in parts)
    assert " ".join(" ".join(part.text for part in parts).split()) == " ".join(LONG.split())
    assert all(part.text.endswith(("con.", "\n")) for part in parts), "cut where a sentence ends"
    (outcome,) = await bot.send([Message(REFERENCE, CASES.address, whole)])
    assert (outcome.next, outcome.reason) == (Next.FIX_CONTENT, Reason.TOO_LONG)
    assert provider.seen == []
    provider.will(posted())
    for part in parts:
        assert (await bot.send([Message(REFERENCE, CASES.address, part)]))[0].next is None
    assert [seen.json["text"] for seen in provider.seen] == [part.text for part in parts]


async def test_several_messages_are_taken_back_in_one_request(bot, provider):
    provider.will(CASES.retracted)
    assert (await bot.retract(REFERENCE, "55,56,57", CASES.address)).next is None
    assert provider.seen[0].path.endswith("/deleteMessages")
    assert provider.seen[0].json == {"chat_id": "123456789", "message_ids": [55, 56, 57]}
    assert (await bot.correct(message(bot, CASES), "55,56")).next is Next.FIX_CONTENT


@pytest.mark.parametrize("gone", ["Bad Request: message to delete not found"])
async def test_what_is_gone_already_is_taken_back(bot, provider, gone):
    provider.will(refusal(400, gone))
    assert (await bot.retract(REFERENCE, "55", CASES.address)).next is None


async def test_correcting_edits_the_message(bot, provider):
    provider.will(CASES.corrected)
    await bot.correct(message(bot, CASES), "55")
    assert provider.seen[0].path.endswith("/editMessageText")
    assert provider.seen[0].json["message_id"] == 55
    provider.will(refusal(400, "Bad Request: message is not modified: specified new message content is the same"))
    assert (await bot.correct(message(bot, CASES), "55")).next is None
    provider.will(refusal(400, "Bad Request: message can't be edited"))
    assert (await bot.correct(message(bot, CASES), "55")).next is Next.GIVE_UP


@pytest.fixture
def clip(tmp_path) -> Media:
    path = tmp_path / "bản tin.mp3"
    path.write_bytes(b"ID3" + bytes(range(256)) * 20)
    return Media("audio", path=str(path), mime="audio/mpeg", sha256="c" * 64, seconds=61.4, title="Bản tin")


AUDIO = {"audio": {"file_id": "FILE1", "file_unique_id": "u", "duration": 61}}


async def test_a_recording_is_uploaded_once_and_again_when_forgotten(bot, provider, clip):
    sample = Message(REFERENCE, CASES.address, rendered(bot, Content("Nghe bản tin", media=(clip,))))
    provider.will(posted(**AUDIO))
    for _ in range(2):
        assert (await bot.send([sample]))[0].provider_id == "55"
    first, second = provider.seen
    assert first.path.endswith("/sendAudio") and first.headers["content-type"].startswith("multipart/form-data")
    assert first.parts["chat_id"] == b"123456789" and first.parts["duration"] == b"61"
    assert first.parts["caption"].decode() == "Nghe bản tin"
    assert first.parts["audio"] == b"ID3" + bytes(range(256)) * 20
    assert second.json["audio"] == "FILE1"

    provider.will(refusal(400, "Bad Request: wrong file identifier/HTTP URL specified"), posted(**AUDIO))
    (forgotten,) = await bot.send([sample])
    assert (forgotten.next, forgotten.after) == (Next.RETRY, 0.0)
    assert (await bot.send([sample]))[0].next is None
    assert provider.seen[1].parts["audio"].startswith(b"ID3")


async def test_a_picture_by_its_address(bot, provider):
    picture = Media("image", url="https://loa.example.vn/m/a.jpg", mime="image/jpeg")
    sample = Message(REFERENCE, CASES.address, rendered(bot, Content("Ảnh", media=(picture,))))
    sizes = [{"file_id": "P1", "file_unique_id": "1", "width": 90, "height": 90}]
    provider.will(posted(photo=sizes))
    assert (await bot.send([sample]))[0].next is None
    assert provider.seen[0].json == {
        "chat_id": "123456789",
        "photo": "https://loa.example.vn/m/a.jpg",
        "caption": "Ảnh",
    }
    provider.will(refusal(400, "Bad Request: failed to get HTTP URL content"))
    other = Media("image", url="https://loa.example.vn/m/b.jpg")
    (outcome,) = await bot.send([Message(REFERENCE, CASES.address, rendered(bot, Content("Ảnh", media=(other,))))])
    assert (outcome.next, outcome.reason) == (Next.FIX_CONTENT, Reason.MISSING_MEDIA)


async def test_a_file_that_is_gone_is_told_before_anything_goes_out(bot, provider, tmp_path):
    missing = Media("audio", path=str(tmp_path / "none.mp3"))
    (outcome,) = await bot.send([Message(REFERENCE, CASES.address, rendered(bot, Content("x", media=(missing,))))])
    assert (outcome.next, outcome.reason) == (Next.FIX_CONTENT, Reason.MISSING_MEDIA)
    nameless = Media("audio")
    (outcome,) = await bot.send([Message(REFERENCE, CASES.address, rendered(bot, Content("x", media=(nameless,))))])
    assert outcome.reason is Reason.MISSING_MEDIA
    assert provider.seen == []


async def test_a_caption_that_is_too_long_follows_as_text(bot, clip):
    picture = Media("image", url="https://loa.example.vn/m/a.jpg")
    short, long = Content("a" * 1024, media=(picture, clip)), Content("a" * 1025, media=(picture, clip))
    assert [(part.text, len(part.media)) for part in bot.split(rendered(bot, short))] == [("a" * 1024, 1), ("", 1)]
    assert [(len(part.text), len(part.media)) for part in bot.split(rendered(bot, long))] == [(0, 1), (0, 1), (1025, 0)]


async def test_subscribing_names_the_secret_and_the_updates_we_read(bot, provider):
    provider.will(CASES.retracted)
    assert await bot.subscribe("https://loa.example.vn/hooks/t/") == []
    assert provider.seen[0].path.endswith("/setWebhook")
    assert provider.seen[0].json == {
        "url": "https://loa.example.vn/hooks/t/",
        "secret_token": HOOK,
        "allowed_updates": ["message", "my_chat_member", "callback_query"],
    }
    provider.will(refusal(400, "Bad Request: bad webhook: HTTPS url must be provided for webhook"))
    assert "HTTPS" in (await bot.subscribe("http://x"))[0].text


async def test_the_check_tells_of_a_missing_subscription_and_a_bad_secret(provider, transport):
    bot = build("telegram", transport, provider.url, webhook_secret="có dấu")
    me, _ = CASES.healthy
    hook = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
    provider.will(me, Answer.json(200, {"ok": True, "result": hook}))
    assert [problem.fatal for problem in await bot.check()] == [True, False]
