"""The reference player against a real Mosquitto with the deployed ACL, and its protocol against rubbish."""

import asyncio
import contextlib
import hashlib
import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio import mix, tones
from audio.player import output
from audio.player.library import Library
from audio.player.player import VIETNAM, Config, Player
from audio.player.protocol import Item, Unreadable, dump, parse_command, parse_programme, topic

ROOT = Path(__file__).parents[2]
DEVICE, OTHER = "loa-01", "loa-02"
NOON = datetime.now(VIETNAM).replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC)


def clip(seconds: float) -> bytes:
    sound = tones.siren("yelp")
    return mix.encode(type(sound)(sound.rate, sound.data[: round(seconds * sound.rate) * 2]))


CLIPS = {f"/{name}.mp3": clip(seconds) for name, seconds in (("one", 1.0), ("long", 6.0))}


class _Files(http.server.BaseHTTPRequestHandler):
    down = False

    def do_GET(self) -> None:
        data = CLIPS.get(self.path)
        if data is None or type(self).down:
            self.send_error(503 if self.down else 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(_Files, "down", False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Broker:
    """A Mosquitto of our own, with users, the deployed ACL, and the power to go away and come back."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        passwords = folder / "passwords"
        passwords.touch(mode=0o600)
        for user in ("engine", DEVICE, OTHER):
            subprocess.run(["mosquitto_passwd", "-b", str(passwords), user, f"key-{user}"], check=True)
        acl = folder / "acl"
        shutil.copy(ROOT / "deploy/mosquitto/acl", acl)
        acl.chmod(0o600)
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nacl_file {acl}\n"
            f"user root\npersistence true\npersistence_location {folder}/\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen([program, "-c", str(self.config)], stderr=subprocess.DEVNULL)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError("mosquitto did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    if not (shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()):
        pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto)")
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Broker(folder)
    broker.start()
    yield broker
    broker.stop()


class Engine:
    """The engine's side of the wire: sends, and remembers what devices say."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.said: list[tuple[str, dict]] = []
        self.news = asyncio.Event()

    async def listen(self) -> None:
        with contextlib.suppress(aiomqtt.MqttError):  # the broker may go before we do
            async for message in self.client.messages:
                self.said.append((str(message.topic), json.loads(bytes(message.payload))))
                self.news.set()

    def reports(self, id: str) -> list[dict]:
        return [body for where, body in self.said if where.endswith("/ack") and body["id"] == id]

    def states(self, id: str) -> list[str]:
        return [r["state"] for r in self.reports(id)]

    async def until(self, condition, seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self.news.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), 0.2)

    async def command(self, to: str = DEVICE, **body: object) -> None:
        body = {"not_after": (NOON + timedelta(hours=1)).isoformat(), **body}
        await self.client.publish(topic(to, "command"), dump(body), qos=1)

    async def play(self, id: str, files: str, name: str = "one", **more: object) -> None:
        await self.until(lambda: any(where.endswith("/state") and body["online"] for where, body in self.said))
        path = f"/{name}.mp3"
        await self.command(id=id, type="play", url=files + path, sha256=hashlib.sha256(CLIPS[path]).hexdigest(), **more)


@contextlib.asynccontextmanager
async def engine(broker: Broker) -> AsyncIterator[Engine]:
    async with aiomqtt.Client("127.0.0.1", broker.port, username="engine", password="key-engine") as client:
        await client.subscribe("loa/v1/+/ack", qos=1)
        await client.subscribe("loa/v1/+/state", qos=1)
        engine = Engine(client)
        listening = asyncio.create_task(engine.listen())
        yield engine
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


def config(broker: Broker, folder: Path, **more: object) -> Config:
    return Config(DEVICE, "127.0.0.1", broker.port, f"key-{DEVICE}", folder, ("07210",), "null",
                  heartbeat=1.0, tick=0.05, reconnect=0.2, **more)  # fmt: skip


@contextlib.asynccontextmanager
async def running(config: Config, at: datetime = NOON) -> AsyncIterator[Player]:
    """A player whose clock stands at ``at``, so that tests sound by day."""
    player = Player(config)
    player.offset = at - datetime.now(UTC)
    task = asyncio.create_task(player.run())
    try:
        yield player
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, BaseExceptionGroup):
            await task


def item(files: str, id: str, name: str = "one", *, after: float = 0, lasts: float = 600, **more: object) -> dict:
    path = f"/{name}.mp3"
    at = NOON + timedelta(seconds=after)
    return {
        "id": id, "url": files + path, "sha256": hashlib.sha256(CLIPS[path]).hexdigest(), "at": at.isoformat(),
        "not_after": (at + timedelta(seconds=lasts)).isoformat(), **more,
    }  # fmt: skip


async def test_plays_on_command_and_reports_seconds(broker: Broker, files: str, tmp_path: Path) -> None:
    async with engine(broker) as e, running(config(broker, tmp_path / "p")):
        await e.until(lambda: any(w.endswith("/state") and b.get("online") for w, b in e.said))
        await e.play("c1", files)
        await e.until(lambda: "finished" in e.states("c1"))
        assert e.states("c1") == ["accepted", "started", "finished"]
        assert 0.7 < e.reports("c1")[-1]["seconds"] < 10
        await e.play("c1", files)  # delivered twice
        await e.until(lambda: len(e.reports("c1")) > 3)
        assert e.states("c1") == ["accepted", "started", "finished", "finished"]


async def test_emergency_interrupts_and_repeats_until_stopped(broker: Broker, files: str, tmp_path: Path) -> None:
    async with engine(broker) as e, running(config(broker, tmp_path / "p")) as player:
        await e.play("notice", files, "long")
        await e.until(lambda: "started" in e.states("notice"))
        await e.play("alarm", files, priority="emergency", repeat=0)
        await e.until(lambda: "started" in e.states("alarm"))
        assert e.reports("notice")[-1] | {"seconds": 0, "at": ""} == {
            "id": "notice", "state": "interrupted", "reason": "emergency", "seconds": 0, "at": "",
        }  # fmt: skip
        await asyncio.sleep(2.5)
        assert player.playing is not None and player.playing.item.id == "alarm"
        await e.client.publish("loa/v1/group/07210/command", dump(
            {"id": "s1", "type": "stop", "not_after": (NOON + timedelta(hours=1)).isoformat()}), qos=1)  # fmt: skip
        await e.until(lambda: "interrupted" in e.states("alarm"))
        assert e.reports("alarm")[-1]["reason"] == "stopped"
        assert e.reports("alarm")[-1]["seconds"] > 1.5
        assert e.states("s1") == ["finished"]


async def test_stop_for_all_silences_what_waits_too(broker: Broker, files: str, tmp_path: Path) -> None:
    async with engine(broker) as e, running(config(broker, tmp_path / "p")):
        await e.play("a", files, "long")
        await e.play("b", files)
        await e.until(lambda: "started" in e.states("a"))
        body = {"id": "s", "type": "stop", "not_after": (NOON + timedelta(hours=1)).isoformat()}
        await e.client.publish("loa/v1/all/command", dump(body), qos=1)
        await e.until(lambda: "interrupted" in e.states("a") and "interrupted" in e.states("b"))
        assert "started" not in e.states("b")


async def test_without_refresh_the_sound_stops(broker: Broker, files: str, tmp_path: Path) -> None:
    async with engine(broker) as e, running(config(broker, tmp_path / "p")):
        await e.play("a", files, repeat=0, keep_alive=1.5)
        await e.until(lambda: "started" in e.states("a"))
        for i in range(4):
            await asyncio.sleep(0.7)
            await e.command(id=f"r{i}", type="refresh", of="a")
        await e.until(lambda: e.states("r3") == ["finished"])
        assert "interrupted" not in e.states("a")
        await e.until(lambda: "interrupted" in e.states("a"))
        assert e.reports("a")[-1]["reason"] == "no_refresh"
        await e.command(id="r9", type="refresh", of="a")
        await e.until(lambda: e.states("r9") == ["failed"])


async def test_programme_plays_by_the_own_clock_while_the_network_is_gone(
    broker: Broker, files: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(broker, tmp_path / "p")
    async with running(settings) as player:
        async with engine(broker) as e:
            programme = {"items": [item(files, "p1", after=6), item(files, "p2", "long", after=3600)]}
            await e.client.publish(topic(DEVICE, "programme"), dump(programme), qos=1, retain=True)
            await e.until(lambda: len(list((tmp_path / "p/clips").glob("*.mp3"))) == 2)  # fetched ahead
        broker.stop()
        monkeypatch.setattr(_Files, "down", True)
        await e.until(lambda: player.library.states.get("p1", {}).get("state") == "finished")
        broker.start()
        async with engine(broker) as e:
            await e.until(lambda: "finished" in e.states("p1"))  # handed over when the network is back
            assert e.states("p1")[-1] == "finished" and e.states("p2") == []


async def test_back_from_the_dark_it_plays_what_is_valid_once(broker: Broker, files: str, tmp_path: Path) -> None:
    settings = config(broker, tmp_path / "p")
    async with engine(broker) as e:
        programme = {"items": [item(files, "gone", after=-600, lasts=60), item(files, "valid", after=-60)]}
        await e.client.publish(topic(DEVICE, "programme"), dump(programme), qos=1, retain=True)
        async with running(settings):
            await e.until(lambda: "finished" in e.states("valid"))
        async with running(settings):  # after a restart nothing is played again
            await e.command(id="v", type="volume", volume=30)
            await e.until(lambda: e.states("v") == ["finished"])
            await asyncio.sleep(1)
        # A report may come twice where the player ended before the broker's answer; the sound may not.
        assert list(dict.fromkeys(e.states("valid"))) == ["accepted", "started", "finished"]
        assert e.states("valid").count("started") == 1
        assert e.states("gone") == []
        assert Library(settings.folder).volume == 30


async def test_expired_and_rubbish_commands(broker: Broker, files: str, tmp_path: Path) -> None:
    async with engine(broker) as e, running(config(broker, tmp_path / "p")) as player:
        await e.until(lambda: any(b.get("online") for _, b in e.said))
        await e.play("late", files, not_after=(NOON - timedelta(minutes=1)).isoformat())
        for payload in (b"", b"\xff\xfe", b"[]", b"{}", b'{"id": 5}', b"[" * 100_000):
            await e.client.publish(topic(DEVICE, "command"), payload, qos=1)
        await e.command(id="odd", type="explode")
        await e.command(id="file", type="play", url="file:///etc/passwd", sha256="0" * 64)
        await e.client.publish(topic(DEVICE, "programme"), b"rubbish", qos=1)
        await e.play("good", files)
        await e.until(lambda: "finished" in e.states("good"))
        assert e.reports("late")[0]["reason"] == "expired"
        assert e.reports("odd")[0]["reason"] == e.reports("file")[0]["reason"] == "unreadable"
        assert "programme" in player.faults


async def test_retained_commands_are_not_obeyed(broker: Broker, files: str, tmp_path: Path) -> None:
    async with engine(broker) as e:
        body = {"id": "old", "type": "volume", "volume": 1, "not_after": (NOON + timedelta(days=1)).isoformat()}
        await e.client.publish(topic(DEVICE, "command"), dump(body), qos=1, retain=True)
        async with running(config(broker, tmp_path / "p")) as player:
            await e.play("x", files)
            await e.until(lambda: "finished" in e.states("x"))
            assert player.library.volume == 80 and e.states("old") == []


async def test_a_clip_that_is_not_what_was_promised_never_sounds(broker: Broker, files: str, tmp_path: Path) -> None:
    async with engine(broker) as e, running(config(broker, tmp_path / "p")) as player:
        await e.until(lambda: any(b.get("online") for _, b in e.said))
        until = (player.now() + timedelta(seconds=3)).isoformat()
        await e.command(id="x", type="play", url=f"{files}/one.mp3", sha256="0" * 64, not_after=until)
        await e.until(lambda: "failed" in e.states("x"))
        assert e.states("x") == ["accepted", "failed"] and "fetch" in player.faults
        assert list((tmp_path / "p/clips").glob("*")) == []


async def test_a_clock_years_off_is_set_and_reported(broker: Broker, files: str, tmp_path: Path) -> None:
    async with engine(broker) as e, running(config(broker, tmp_path / "p"), at=NOON - timedelta(days=2000)) as player:
        await e.until(lambda: any(b.get("online") for _, b in e.said))
        await e.command(id="t", type="time", now=NOON.isoformat())
        await e.play("late", files, not_after=(NOON - timedelta(minutes=5)).isoformat())
        await e.until(lambda: "failed" in e.states("late"))
        assert abs((player.now() - NOON).total_seconds()) < 60


async def test_at_night_only_an_emergency_sounds(broker: Broker, files: str, tmp_path: Path) -> None:
    night = NOON - timedelta(hours=8, minutes=45)  # 03:15
    async with engine(broker) as e, running(config(broker, tmp_path / "p"), at=night) as player:
        await e.play("notice", files)
        await e.play("alarm", files, priority="emergency")
        await e.until(lambda: "finished" in e.states("alarm"))
        await asyncio.sleep(0.5)
        assert e.states("notice") == ["accepted"]
        assert [i.id for i in player.waiting] == ["notice"]


async def test_last_will_and_power_loss(broker: Broker, files: str, tmp_path: Path) -> None:
    password = tmp_path / "key"
    password.write_text(f"key-{DEVICE}\n")
    command = [
        sys.executable, "-m", "audio.player", "--device", DEVICE, "--host", "127.0.0.1", "--port", str(broker.port),
        "--password-file", str(password), "--folder", str(tmp_path / "p"), "--output", "null", "--tls-ca", "",
        "--position", "21.35", "106.42",
    ]  # fmt: skip
    async with engine(broker) as e:
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        state = topic(DEVICE, "state")
        await e.until(lambda: any(w == state and b["online"] for w, b in e.said))
        assert next(b for w, b in e.said if w == state)["position"] == [21.35, 106.42]
        far = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        await e.play("cut", files, "long", priority="emergency", not_after=far)
        await e.until(lambda: "started" in e.states("cut"))
        process.kill()
        await process.wait()
        await e.until(lambda: e.said[-1] == (state, {"online": False}))
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        await e.until(lambda: "interrupted" in e.states("cut"))
        assert e.reports("cut")[-1]["reason"] == "restart"
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_told_to_end_while_its_report_is_confirmed(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = aiomqtt.Client.publish

    async def swallow(client: aiomqtt.Client, *args: object, **more: object) -> None:
        """As asyncio.wait_for before Python 3.12: done and cancelled at once, it returns."""
        if task.cancelling() or not told.is_set():
            await publish(client, *args, **more)
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1)

    told = asyncio.Event()
    player = Player(config(broker, tmp_path / "p"))
    task = asyncio.ensure_future(player._network())
    monkeypatch.setattr(aiomqtt.Client, "publish", swallow)
    told.set()
    done, _ = await asyncio.wait([task], timeout=20)
    assert done and task.cancelled()


async def test_a_device_cannot_speak_or_listen_for_another(broker: Broker) -> None:
    login = {"username": OTHER, "password": f"key-{OTHER}"}
    async with engine(broker) as e, aiomqtt.Client("127.0.0.1", broker.port, **login) as intruder:
        await intruder.subscribe(topic(DEVICE, "command"), qos=1)
        await intruder.subscribe(topic(OTHER, "command"), qos=1)
        for where in (topic(DEVICE, "ack"), topic(DEVICE, "command"), "loa/v1/all/command", topic(OTHER, "programme")):
            await intruder.publish(where, dump({"id": "forged"}), qos=1)
        await intruder.publish(topic(OTHER, "ack"), dump({"id": "own", "state": "finished"}), qos=1)
        await e.until(lambda: e.states("own") == ["finished"])
        assert e.reports("forged") == []
        await e.command(DEVICE, id="secret", type="stop")
        await e.command(OTHER, id="mine", type="stop")
        message = await asyncio.wait_for(anext(aiter(intruder.messages)), 10)
        assert json.loads(bytes(message.payload))["id"] == "mine"
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", broker.port, username=DEVICE, password="wrong"):
            pass


def test_output_programs(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(CLIPS["/one.mp3"])
    assert subprocess.run(output.command("null", path, 80), check=False).returncode == 0
    assert "-volume" in output.command("ffplay", path, 40)
    assert "--volume=40" in output.command("mpv", path, 40)
    path.write_bytes(b"rubbish")
    assert subprocess.run(output.command("null", path, 80), check=False, stderr=subprocess.DEVNULL).returncode != 0


def test_damaged_state_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_bytes(b'{"programme": [')
    assert Library(tmp_path).programme == []
    assert (tmp_path / "state.damaged").exists()


@given(st.one_of(st.binary(max_size=60), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "type", "url", "sha256", "at", "not_after", "items", "of", "volume", "repeat"]), inner
    ), max_leaves=12,
).map(lambda v: json.dumps(v).encode())))  # fmt: skip
def test_any_payload_is_read_or_refused(payload: bytes) -> None:
    for parse in (lambda p: parse_command(p, NOON), parse_programme):
        with contextlib.suppress(Unreadable):
            parse(payload)


def test_a_programme_survives_storage(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.programme = [Item("a", "http://x/a.mp3", "0" * 64, NOON, NOON + timedelta(hours=1), "priority", 2, 30.0)]
    library.save()
    assert Library(tmp_path).programme == library.programme
