"""A bulletin: from a script to the MP3 a loudspeaker plays.

    thông thường   chime, station, reading, pause, reading, closing
    ưu tiên        attention chime, station, reading, pause, reading, short closing
    khẩn cấp       siren, reading three times; no chatter

A reading is the title and body in each language version, in the commune's order. Every part is levelled, encoded and
cached by itself, so 99 communes share one reading and differ in a few seconds of greeting.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from . import mix, text, tones
from .errors import BadRecording, BadScript
from .mix import Part, Tags
from .pcm import PCM, silence
from .store import Store, write_atomically
from .text import Doubt, Entry
from .voices import Voice, open_voice
from .voices.recording import decode, trim_silence

LONGEST_BODY = 20_000  # characters: about 25 minutes aloud
SENTENCE_GAP, PARAGRAPH_GAP = 0.40, 0.75  # seconds


class Priority(StrEnum):
    """Circular 39/2020/TT-BTTTT: the commune picks the hour; ahead of the programme; at once."""

    NORMAL = "normal"
    PRIORITY = "priority"
    EMERGENCY = "emergency"

    @property
    def label(self) -> str:
        return {"normal": "thông thường", "priority": "ưu tiên", "emergency": "khẩn cấp"}[self.value]


@dataclass(frozen=True, slots=True)
class Setting:
    """A station's own manner. Empty texts leave their part out; ``{station}`` stands for its name."""

    chime: str = "chime"
    attention: str = "attention"
    siren: str = "wail"
    greeting: str = "Đây là {station}."
    priority_greeting: str = "Đây là {station}. Xin bà con chú ý lắng nghe thông báo quan trọng sau đây."
    again: str = "Xin nhắc lại."
    closing: str = "Bản tin đến đây là hết. Cảm ơn bà con đã lắng nghe."
    priority_closing: str = "Thông báo đến đây là hết."
    readings: int = 2
    emergency_readings: int = 3
    pause: float = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Version:
    """One language of the bulletin: words for a voice, or a person's recording."""

    language: str  # "vi", "tay", "nung", "san_diu", "en", ...
    body: str = ""
    title: str = ""
    recording: Path | None = None
    voice: str = ""  # empty: the script's


@dataclass(frozen=True, slots=True)
class BulletinScript:
    """What is to be read. Raises nothing until rendered."""

    title: str
    body: str
    station_name: str = ""
    priority: Priority = Priority.NORMAL
    voice: str = "espeak"
    rate: float = 1.0
    lexicon: tuple[Entry, ...] = ()
    recording: Path | None = None  # a person reads the body; ``body`` is then only shown
    others: tuple[Version, ...] = ()  # further languages
    order: tuple[str, ...] = ()  # languages in the commune's order; those not named come last
    spoken: str = ""  # the spoken text as the operator edited it; replaces title and body
    setting: Setting = field(default_factory=Setting)
    campaign: str = ""
    date: str = ""  # ISO 8601, for the tags

    def versions(self) -> list[Version]:
        own = Version("vi", self.spoken or self.body, "" if self.spoken else self.title, self.recording)
        place = {language: i for i, language in enumerate(self.order)}
        return sorted([own, *self.others], key=lambda v: place.get(v.language, len(place)))


@dataclass(frozen=True, slots=True)
class Clip:
    path: Path
    sha256: str
    seconds: float
    lufs: float
    true_peak: float
    spoken_text: str
    doubts: tuple[Doubt, ...]


Progress = Callable[[int, int], None]
"""(sentences done, sentences in all)"""


def render_bulletin(
    script: BulletinScript,
    out_dir: Path,
    cache_dir: Path,
    *,
    keys: Mapping[str, str] | None = None,
    voice: Voice | None = None,
    progress: Progress | None = None,
) -> Clip:
    """Make the clip, or find it made. Its name follows from its content; it appears whole or not at all.

    ``keys`` are the cloud voices' secrets; ``voice`` replaces the one the script names. Raises AudioError with a
    sentence for the officer; then nothing was written.
    """
    check(script)
    store = Store(cache_dir)
    studio = _Studio(store, script, keys or {}, voice, progress)
    key = studio.key()
    path = Path(out_dir) / f"{key}.mp3"
    with store.lock("clip", key):
        known = _known(store, key, path)
        if known is not None:
            return known
        part, spoken, doubts = studio.assemble()
        tags = Tags(script.title, script.station_name, script.campaign, script.date, script.priority.label,
                    credit=studio.credit())  # fmt: skip
        data = mix.tagged(part.frames, tags)
        write_atomically(path, data)
        clip = Clip(path, hashlib.sha256(data).hexdigest(), round(part.seconds, 2), round(part.lufs, 2),
                    round(part.true_peak, 2), spoken, doubts)  # fmt: skip
        store.put(key, ".json", json.dumps({**dataclasses.asdict(clip), "path": ""}).encode())
        return clip


def _known(store: Store, key: str, path: Path) -> Clip | None:
    facts = store.get(key, ".json")
    if facts is None or not path.exists():
        return None
    try:
        told = json.loads(facts)
        doubts = tuple(Doubt(*d) for d in told["doubts"])
        return Clip(**{**told, "path": path, "doubts": doubts})
    except (ValueError, TypeError, KeyError):
        return None


def preview(script: BulletinScript) -> text.Spoken:
    """The spoken words of the Vietnamese reading and what is doubtful in them; no sound is made."""
    check(script, sound=False)
    return text.speak(_written(Version("vi", script.spoken or script.body, "" if script.spoken else script.title)),
                      script.lexicon)  # fmt: skip


def check(script: BulletinScript, *, sound: bool = True) -> None:
    """Raise BadScript with a sentence where the script cannot be read aloud."""
    if not 0.5 <= script.rate <= 2.0:
        raise BadScript("Tốc độ đọc phải từ 0,5 đến 2 lần tốc độ bình thường.")
    setting = script.setting
    if setting.chime not in tones.CHIMES or setting.attention not in tones.CHIMES or setting.siren not in tones.SIRENS:
        raise BadScript("Nhạc hiệu hoặc còi báo của đài không có trong danh sách. Hãy chọn lại.")
    if not (1 <= setting.readings <= 10 and 1 <= setting.emergency_readings <= 20 and 0 <= setting.pause <= 60):
        raise BadScript("Số lần đọc hoặc quãng nghỉ của đài ngoài giới hạn cho phép.")
    versions = script.versions()
    if len({v.language for v in versions}) != len(versions):
        raise BadScript("Mỗi ngôn ngữ chỉ được có một bản đọc trong một bản tin.")
    for version in versions:
        length = len(version.body)
        if length > LONGEST_BODY:
            raise BadScript(
                f"Bài đọc dài {_thousands(length)} ký tự; một bản tin loa tối đa {_thousands(LONGEST_BODY)} ký tự. "
                "Hãy rút gọn hoặc tách thành nhiều bản tin."
            )
        if version.recording is None and not text.speak(_written(version)).sentences:
            raise BadScript("Bài đọc không có chữ nào để đọc. Hãy nhập nội dung hoặc tải bản ghi âm lên.")


def _thousands(n: int) -> str:
    return f"{n:,}".replace(",", ".")


def _written(version: Version) -> str:
    return f"{version.title.strip()}\n{version.body}" if version.title.strip() else version.body


class _Studio:
    """The work on one script: what each part says, its key, its sound."""

    def __init__(self, store: Store, script: BulletinScript, keys: Mapping[str, str], voice: Voice | None,
                 progress: Progress | None) -> None:  # fmt: skip
        self.store, self.script, self.keys, self.progress = store, script, keys, progress
        self.main = voice or shared_voice(script.voice, keys)
        self._voices = {"": self.main, script.voice: self.main}
        self.lexicon_version = text.lexicon(script.lexicon).version
        self._recordings: dict[Path, str] = {}

    def voice(self, version: Version) -> Voice:
        if version.voice not in self._voices:
            self._voices[version.voice] = shared_voice(version.voice, self.keys)
        return self._voices[version.voice]

    def credit(self) -> str:
        used = [self.voice(v).licence for v in self.script.versions() if v.recording is None]
        return "; ".join(dict.fromkeys(filter(None, used)))

    # -- what is said when --------------------------------------------------------------------------------------

    def plan(self) -> list[tuple[str, str | Version | float]]:
        """The parts in order: ("tone" | "siren", name), ("say", text), ("version", version), ("quiet", seconds)."""
        s, form = self.script.setting, self.script.priority
        station = self.script.station_name.strip()
        parts: list[tuple[str, str | Version | float]] = []
        reading: list[tuple[str, str | Version | float]] = []
        for version in self.script.versions():
            reading += [("version", version), ("quiet", 0.8)]
        if form is Priority.EMERGENCY:
            parts.append(("siren", s.siren))
            for _ in range(s.emergency_readings):
                parts += [*reading, ("quiet", s.pause)]
            return parts[:-1]
        chime, greeting, closing = (
            (s.chime, s.greeting, s.closing)
            if form is Priority.NORMAL
            else (s.attention, s.priority_greeting, s.priority_closing)
        )
        if chime:
            parts.append(("tone", chime))
        if greeting and station:
            parts += [("say", greeting.replace("{station}", station)), ("quiet", 0.6)]
        for again in range(s.readings):
            if again:
                parts.append(("quiet", s.pause))
                if s.again:
                    parts += [("say", s.again), ("quiet", 0.5)]
            parts += reading
        if closing:
            parts.append(("say", closing.replace("{station}", station)))
        return parts

    # -- keys -----------------------------------------------------------------------------------------------------

    def key(self) -> str:
        s = self.script
        facts = [s.title, s.station_name, s.campaign, s.date, s.priority.value,
                 *(self._part_key(kind, what) for kind, what in self.plan())]  # fmt: skip
        return _digest("bulletin", *facts)

    def _part_key(self, kind: str, what: str | Version | float) -> str:
        if isinstance(what, Version):
            if what.recording is not None:
                return _digest("recording", mix.CHAIN, self._recording_digest(what.recording))
            return self._said_key(_written(what), self.voice(what))
        if kind == "say":
            return self._said_key(str(what), self.main)
        return _digest(kind, mix.CHAIN, str(what))

    def _said_key(self, written: str, voice: Voice) -> str:
        return _digest("said", mix.CHAIN, voice.fingerprint, f"{self.script.rate:.3f}", self.lexicon_version, written)

    def _recording_digest(self, path: Path) -> str:
        if path not in self._recordings:
            try:
                with path.open("rb") as file:
                    self._recordings[path] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise BadRecording("Không tìm thấy bản ghi âm của bản tin. Hãy tải lên lại.") from error
        return self._recordings[path]

    # -- sound ----------------------------------------------------------------------------------------------------

    def assemble(self) -> tuple[Part, str, tuple[Doubt, ...]]:
        spoken: list[str] = []
        doubts: list[Doubt] = []
        parts = []
        for kind, what in self.plan():
            parts.append(self._part(kind, what))
            if kind == "say" or (isinstance(what, Version) and what.recording is None):
                written = _written(what) if isinstance(what, Version) else str(what)
                said = text.speak(written, self.script.lexicon)
                spoken.append(said.text)
                if isinstance(what, Version) and not doubts:
                    doubts = list(said.doubts)
        return mix.join(parts), "\n".join(spoken), tuple(doubts)

    def _part(self, kind: str, what: str | Version | float) -> Part:
        key = self._part_key(kind, what)
        part = self._stored(key)
        if part is not None:
            return part
        with self.store.lock("part", key):  # 99 workers ask for one body: one makes it
            part = self._stored(key)
            if part is None:
                part = self._made(kind, what)
                self.store.put(key, ".part", part.dump())
        return part

    def _stored(self, key: str) -> Part | None:
        data = self.store.get(key, ".part")
        try:
            return Part.load(data) if data else None
        except ValueError:
            return None

    def _made(self, kind: str, what: str | Version | float) -> Part:
        if isinstance(what, Version):
            if what.recording is not None:
                return mix.level(trim_silence(decode(what.recording, what.recording.name)))
            return mix.level(self._read(_written(what), self.voice(what)))
        if kind == "say":
            return mix.level(self._read(str(what), self.main))
        if kind == "siren":
            return mix.level(tones.siren(str(what)))
        if kind == "tone":
            return mix.level(tones.chime(str(what)))
        return mix.quiet(float(what))

    def _read(self, written: str, voice: Voice) -> PCM:
        said = text.speak(written, self.script.lexicon)
        done, total = 0, len(said.sentences)
        rate = 0
        paragraphs = []
        for paragraph in said.paragraphs:
            pieces = []
            for sentence in paragraph:
                sound = self._sentence(sentence, voice)
                rate = rate or sound.rate
                pieces.append(sound.segment().set_frame_rate(rate))
                done += 1
                if self.progress:
                    self.progress(done, total)
            gap = silence(SENTENCE_GAP, rate).segment()
            joined = pieces[0]
            for piece in pieces[1:]:
                joined = joined + gap + piece
            paragraphs.append(joined)
        gap = silence(PARAGRAPH_GAP, rate).segment()
        whole = paragraphs[0]
        for paragraph_sound in paragraphs[1:]:
            whole = whole + gap + paragraph_sound
        return PCM.from_segment(whole)

    def _sentence(self, sentence: str, voice: Voice) -> PCM:
        key = _digest("sentence", voice.fingerprint, f"{self.script.rate:.3f}", self.lexicon_version, sentence)
        data = self.store.get(key, ".wav")
        if data:
            try:
                return PCM.from_wav(data)
            except ValueError:
                pass
        sound = voice.synthesise(sentence, self.script.rate)
        self.store.put(key, ".wav", sound.wav())
        return sound


def _digest(*facts: str) -> str:
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()


_voices: dict[str, Voice] = {}
_voices_lock = threading.Lock()


def shared_voice(specification: str, keys: Mapping[str, str] | None = None) -> Voice:
    """This process's voice of that name, warm from the last bulletin. One that takes keys is built anew."""
    if keys:
        return open_voice(specification, keys)
    with _voices_lock:
        if specification not in _voices:
            _voices[specification] = open_voice(specification)
        return _voices[specification]


__all__: Sequence[str] = (
    "BulletinScript", "Clip", "Priority", "Setting", "Version", "check", "preview", "render_bulletin", "shared_voice",
)  # fmt: skip
