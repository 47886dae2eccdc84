"""The truth survives, memory stays bounded, and the server keeps its manners."""

from __future__ import annotations

import ast
import json
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from .conftest import MESSAGES, SID, TOKEN

SOURCE = Path(__file__).parents[3] / "channels_adapters" / "sandbox"


def test_every_answered_message_survives_kill_9(start):
    sandbox = start()
    answered: list[str] = []

    def send(worker: int) -> None:
        with httpx.Client(auth=(SID, TOKEN)) as client:
            for n in range(10_000):
                reference = f"w{worker}-{n}"
                form = {"To": "+84912345678", "From": "UBND", "Body": "Tin khẩn"}
                form["StatusCallback"] = f"http://127.0.0.1:9/cb?r={reference}"
                try:
                    reply = client.post(f"{sandbox.messages}.json", data=form)
                except httpx.TransportError:
                    return
                assert reply.status_code == 201
                answered.append(reference)

    with ThreadPoolExecutor(4) as pool:
        for worker in range(4):
            pool.submit(send, worker)
        while len(answered) < 400:
            time.sleep(0.01)
        assert sandbox.kill() == -signal.SIGKILL
    again = start()
    lines = again.get("/control/accepted.ndjson").text.splitlines()
    journal = [json.loads(line)["reference"] for line in lines]
    assert set(answered) <= set(journal) and len(journal) == len(set(journal))
    assert len(journal) <= len(answered) + 4  # at most the requests under way
    assert again.control("GET", "stats")["accepted"] == len(journal)


async def test_state_and_receipts_go_on_after_kill_9(start, receiver):
    sandbox = start()
    sid = sandbox.sms("+84910000008", StatusCallback=f"{receiver.url}/?r=1").json()["sid"]
    await receiver.wait(1)
    sandbox.telegram("sendMessage", chat_id=5, text="x")
    sandbox.control("POST", "reply", {"provider": "telegram", "address": "5", "action": "block"})
    sandbox.kill()
    again = start("--speed", "200")
    assert again.telegram("sendMessage", chat_id=5, text="x").status_code == 403
    while receiver.got[-1].form["MessageStatus"] != "delivered":
        await receiver.wait(len(receiver.got) + 1)
    again.stop()
    once_more = start()
    read = once_more.get(f"{MESSAGES}/{sid}.json", auth=(SID, TOKEN)).json()
    assert (read["status"], read["to"]) == ("delivered", "+84910000008")


def test_messages_beyond_memory_are_still_found(start):
    sandbox = start("--keep", "3", "--speed", "50")
    sids = [sandbox.sms("+84912345678", f"Tin {n}").json()["sid"] for n in range(10)]
    while sandbox.control("GET", "stats")["callbacks"]["pending"]:
        time.sleep(0.05)
    for _ in range(2):
        read = sandbox.get(f"{MESSAGES}/{sids[0]}.json", auth=(SID, TOKEN)).json()
        assert (read["body"], read["status"]) == ("Tin 0", "delivered")
        listed = sandbox.get(f"{MESSAGES}.json", params={"To": "+84912345678"}, auth=(SID, TOKEN)).json()
        assert [m["sid"] for m in listed["messages"]] == sids[::-1]
        [shown] = sandbox.get("/wall/threads").json()["threads"]
        assert shown["count"] == 3
        sandbox.stop()
        sandbox = start("--keep", "3")  # what was found before a restart is found after it


def test_journal_is_read_on_from_where_one_stopped(sandbox):
    sandbox.sms(body="một")
    first = sandbox.get("/control/accepted.ndjson")
    sandbox.sms(body="hai")
    rest = sandbox.get("/control/accepted.ndjson", params={"from": first.headers["x-next-offset"]})
    assert [json.loads(line)["text"] for line in rest.text.splitlines()] == ["hai"]
    assert sandbox.get("/control/accepted.ndjson?from=999999").status_code == 400


def test_control_refuses_what_a_foreign_page_could_send(sandbox):
    for method, path in (("POST", "faults"), ("DELETE", "faults"), ("POST", "clear"), ("POST", "reply")):
        reply = httpx.request(method, f"{sandbox.url}/control/{path}", content=b'{"kind": "cut"}')
        assert reply.status_code == 415
    assert httpx.post(f"{sandbox.url}/control/nothing", json={}).status_code == 404
    bad = httpx.post(f"{sandbox.url}/control/faults", content=b"{", headers={"content-type": "application/json"})
    assert bad.status_code == 400


@pytest.mark.parametrize(
    "reply",
    [
        {"provider": "twilio", "address": "+84999999999", "text": "chưa nhận tin nào"},
        {"provider": "twilio", "address": "+84912345678", "text": " "},
        {"provider": "twilio", "address": "+84912345678", "action": "block"},
        {"provider": "pigeon", "address": "+84912345678", "text": "x"},
    ],
)
def test_impossible_answers_are_refused(sandbox, reply):
    sandbox.sms()
    refused = httpx.post(f"{sandbox.url}/control/reply", json=reply)
    assert refused.status_code == 400 and refused.json()["error"].endswith(".")
    assert sandbox.control("GET", "stats")["providers"]["twilio"].get("inbound", 0) == 0


def test_wall_finds_by_number_and_by_text_without_diacritics(sandbox):
    sandbox.sms("+84912345678", "Lũ sông Thương lên nhanh")
    sandbox.sms("+84987654321", "Lịch tiêm chủng")
    sandbox.telegram("sendMessage", chat_id=555, text="Lũ sông Cầu")

    def found(**query: str) -> list[str]:
        threads = sandbox.get("/wall/threads", params=query).json()["threads"]
        return [t["address"] for t in threads]

    assert found() == ["555", "+84987654321", "+84912345678"]
    assert found(q="0912 345 678") == ["+84912345678"]
    assert found(q="lu song") == found(q="LŨ SÔNG") == ["555", "+84912345678"]
    assert found(q="lu song", app="sms") == ["+84912345678"]
    first = sandbox.get("/wall/threads?limit=1").json()
    assert first["more"] and found(before=str(first["threads"][0]["changed"])) == ["+84987654321", "+84912345678"]


def test_pipelined_and_broken_requests(sandbox):
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as wire:
        wire.sendall(b"GET /control/stats HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        wire.shutdown(socket.SHUT_WR)
        received = b""
        while received.count(b'"accepted":0') < 3:
            piece = wire.recv(65536)
            assert piece, received
            received += piece
    with socket.create_connection((host, int(port)), 5) as wire:
        wire.sendall(b"what is this\r\n\r\n")
        assert wire.recv(1000).startswith(b"HTTP/1.1 400")


def test_serves_a_socket_it_is_given(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        process = subprocess.Popen(
            [sys.executable, "-m", "channels_adapters.sandbox", "--state", str(tmp_path), "--fd", str(number)],
            cwd=SOURCE.parents[1],
            pass_fds=[number],
        )
        reply = httpx.get(f"http://127.0.0.1:{listening.getsockname()[1]}/control/stats", timeout=20)
        assert reply.json()["accepted"] == 0
        process.terminate()
        assert process.wait(10) == 0


def test_sandbox_imports_nothing_of_the_adapters():
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                depth = len(path.relative_to(SOURCE).parts)
                assert node.level <= depth, f"{path} reaches out of the sandbox"
                assert not (node.module or "").startswith("channels_adapters"), path
            elif isinstance(node, ast.Import):
                assert not any(a.name.startswith("channels_adapters") for a in node.names), path
