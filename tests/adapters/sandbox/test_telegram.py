"""The Telegram gateway, driven by python-telegram-bot's Bot."""

from __future__ import annotations

import asyncio
import json
import struct
import zlib

import pytest
import pytest_asyncio
from telegram import Bot, error

from .conftest import BOT


def png(width: int = 3, height: int = 2) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\xff\0\0" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest_asyncio.fixture
async def bot(sandbox):
    async with Bot(BOT, base_url=f"{sandbox.url}/telegram/bot") as bot:
        yield bot


async def test_library_sends_edits_and_deletes(sandbox, bot):
    assert bot.username == "loa_sandbox_bot"
    message = await bot.send_message(555123, "Mời bà con họp [r:d-7]")
    assert (message.text, message.chat.id, message.chat.type) == ("Mời bà con họp [r:d-7]", 555123, "private")
    assert sandbox.accepted("d-7") == 1
    edited = await bot.edit_message_text("Mời bà con họp lúc 8 giờ", 555123, message.message_id)
    assert edited.text == "Mời bà con họp lúc 8 giờ" and edited.edit_date
    with pytest.raises(error.BadRequest, match=r"(?i)not modified"):
        await bot.edit_message_text("Mời bà con họp lúc 8 giờ", 555123, message.message_id)
    assert await bot.delete_message(555123, message.message_id)
    with pytest.raises(error.BadRequest, match=r"(?i)not found"):
        await bot.delete_message(555123, message.message_id)
    channel = await bot.send_message("@xa_tien_luc", "<b>Lũ</b> &amp; gió", parse_mode="HTML")
    assert (channel.text, channel.chat.type, channel.chat.username) == ("Lũ & gió", "channel", "xa_tien_luc")
    member = await bot.get_chat_member("@xa_tien_luc", bot.id)
    assert member.status == "administrator"


async def test_library_sends_files_once_and_again_by_id(sandbox, bot):
    photo = await bot.send_photo(555123, png(), caption="Bản đồ vùng ngập")
    assert (photo.caption, photo.photo[-1].width, photo.photo[-1].height) == ("Bản đồ vùng ngập", 3, 2)
    audio = await bot.send_audio(555123, b"ID3" + bytes(500), duration=61, title="Bản tin sáng", filename="tin.mp3")
    assert (audio.audio.duration, audio.audio.file_size, audio.audio.file_name) == (61, 503, "tin.mp3")
    again = await bot.send_audio(555124, audio.audio.file_id)
    assert again.audio.file_unique_id == audio.audio.file_unique_id
    with pytest.raises(error.BadRequest, match=r"(?i)IMAGE_PROCESS_FAILED"):
        await bot.send_photo(555123, b"not a picture")
    with pytest.raises(error.BadRequest, match=r"(?i)wrong file identifier"):
        await bot.send_audio(555123, "unknown-file-id")
    with pytest.raises(error.BadRequest, match=r"(?i)caption is too long"):
        await bot.send_photo(555123, png(), caption="a" * 1025)
    [shown] = sandbox.get("/wall/threads?q=555124").json()["threads"]
    kept = sandbox.get(f"/wall/files/{shown['messages'][0]['media']['sha256']}")
    assert kept.content == b"ID3" + bytes(500) and kept.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize(
    ("chat", "expected", "words"),
    [
        (10001, error.BadRequest, "chat not found"),
        (10002, error.Forbidden, "blocked by the user"),
        (10003, error.Forbidden, "deactivated"),
        (-20004, error.ChatMigrated, "New chat id: -10020004"),
        ("khong-phai-kenh", error.BadRequest, "chat not found"),
    ],
)
async def test_special_chats(bot, chat, expected, words):
    with pytest.raises(expected, match=f"(?i){words}"):
        await bot.send_message(chat, "x")


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("", None, "message text is empty"),
        ("a" * 4097, None, "too long"),
        ("<b>lũ", "HTML", "end tag"),
        ("<h1>lũ</h1>", "HTML", "Unsupported start tag"),
    ],
)
async def test_bad_texts(sandbox, bot, text, mode, words):
    with pytest.raises(error.BadRequest, match=f"(?i){words}"):
        await bot.send_message(555123, text, parse_mode=mode)
    assert sandbox.control("GET", "stats")["accepted"] == 0


async def test_wrong_token(sandbox):
    wrong = sandbox.get(f"/telegram/bot1:{'x' * 35}/getMe")
    assert (wrong.status_code, wrong.json()["description"]) == (401, "Unauthorized")
    assert sandbox.telegram("noSuchMethod").status_code == 404
    assert sandbox.get("/telegram/botrubbish/getMe").status_code == 404


async def test_updates_by_webhook(sandbox, bot, receiver):
    await bot.set_webhook(f"{receiver.url}/tg", secret_token="bi-mat_1", allowed_updates=["message", "my_chat_member"])
    assert (await bot.get_webhook_info()).url == f"{receiver.url}/tg"
    with pytest.raises(error.Conflict):
        await bot.get_updates()
    await bot.send_message(555123, "Mời họp")
    talk = {"provider": "telegram", "address": "555123"}
    sandbox.control("POST", "reply", {**talk, "text": "Họp ở đâu?"})
    [first] = await receiver.wait(1)
    assert first.headers["x-telegram-bot-api-secret-token"] == "bi-mat_1"
    update = json.loads(first.body)
    assert (update["message"]["text"], update["message"]["chat"]["id"]) == ("Họp ở đâu?", 555123)
    sandbox.control("POST", "reply", {**talk, "action": "block"})
    second = json.loads((await receiver.wait(2))[1].body)
    assert second["update_id"] == update["update_id"] + 1
    assert second["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    with pytest.raises(error.Forbidden):
        await bot.send_message(555123, "Mời họp")
    sandbox.control("POST", "reply", {**talk, "action": "unblock"})
    assert await bot.send_message(555123, "Mời họp")


async def test_updates_by_polling(sandbox, bot):
    await bot.send_message(555123, "Mời họp")
    waiting = asyncio.create_task(bot.get_updates(timeout=10))
    await asyncio.sleep(0.3)
    sandbox.control("POST", "reply", {"provider": "telegram", "address": "555123", "text": "Vâng"})
    [update] = await waiting
    assert update.message.text == "Vâng"
    assert await bot.get_updates(offset=update.update_id + 1) == ()


async def test_a_chat_that_blocks_after_a_message(sandbox, bot, receiver):
    await bot.set_webhook(f"{receiver.url}/tg")
    await bot.send_message(10009, "Mời họp")
    update = json.loads((await receiver.wait(1))[0].body)
    assert update["my_chat_member"]["chat"]["id"] == 10009
    with pytest.raises(error.Forbidden):
        await bot.send_message(10009, "Mời họp")


async def test_flood_control(sandbox, bot):
    sandbox.fault("rate_limit", provider="telegram", next=1, retry_after=7)
    with pytest.raises(error.RetryAfter) as limited:
        await bot.send_message(555123, "x")
    assert limited.value._retry_after.total_seconds() == 7
    assert await bot.send_message(555123, "x")
