"""The audio of a campaign: one bulletin per station, made before anything is handed over.

The reading is synthesised once for all stations; a station's bulletin differs in its greeting and, where it chose
one, its voice. ``prepare`` works in short steps and picks up where it, or another worker, stopped.
"""

import dataclasses
import hashlib
import logging
import random
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from audio.bulletin import BulletinScript, Priority, Setting, check, render_bulletin
from audio.errors import AudioError, VoiceError
from broadcast.audience.selection import recipients_sql
from broadcast.models import Bulletin, Campaign, Content, Reading, Station
from broadcast.states import Category, ContentStatus, Lane
from channels_adapters.core import interface

from . import lexicon, store

log = logging.getLogger(__name__)

STEP = 15.0  # seconds a call of `prepare` works before it gives way
PATIENCE = timedelta(minutes=10)  # how long a voice that is away for a while is waited for
LAST_RESORT = "espeak"  # built in; its label says what it is
Wanted = tuple[Station | None, BulletinScript]
NEWS = "enews_site"  # its pages carry the bulletin without a greeting


def prepare(content_id: int) -> bool:
    """Make what is missing; True when every station of the audience has its bulletin.

    Safe to repeat and to run in several workers at once. A text that cannot be read aloud stops the channel with a
    sentence in ``status_reason``.
    """
    content = Content.objects.select_related("campaign__audience").filter(pk=content_id).first()
    if content is None or content.status == ContentStatus.STOPPED:
        return False
    missing = _missing(content, _wanted(content))
    # Several workers start at different stations, so that they rarely make the same bulletin.
    random.shuffle(missing)
    until = time.monotonic() + STEP
    for done, (station, script) in enumerate(missing):
        if done and time.monotonic() >= until:
            return False
        try:
            check(dataclasses.replace(script, title=""))  # a title alone is no message
            _make(content, station, script)
        except AudioError as error:
            if getattr(error, "passing", False) and not _waited_enough(content.campaign):
                log.warning("content %s: a voice is away: %s", content.pk, error)
                return False
            _stop(content, str(error))
            return False
    return True


def progress(content: Content) -> tuple[int, int]:
    """Bulletins made and wanted."""
    wanted = _wanted(content)
    missing = _missing(content, wanted)
    return len(wanted) - len(missing), len(wanted)


def media_for(content_id: int, station_codes: Sequence[str]) -> dict[str, interface.Media]:
    """The clip of each station that has one, by the station's code."""
    made = Bulletin.objects.filter(content_id=content_id, station__code__in=station_codes)
    return {
        code: interface.Media(
            "audio", path=str(store.locate(sha256)), mime="audio/mpeg", sha256=sha256, seconds=seconds, title=title
        )
        for code, sha256, seconds, title in made.values_list(
            "station__code", "sha256", "seconds", "content__campaign__title"
        )
    }


def stations_of(content: Content) -> list[Station]:
    """The stations that will get this content, by the audience's own rule."""
    if content.campaign.audience is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT contact_id FROM ({recipients_sql('outlet')}) AS r",
            {"place_ids": content.campaign.audience.place_ids(), "kind": "station", "lo": b"", "hi": None},
        )
        contacts = [row[0] for row in cursor.fetchall()]
    return list(Station.objects.filter(contact__in=contacts).select_related("contact__place").order_by("code"))


def script_for(content: Content, station: Station | None, readings: Sequence[Reading] = ()) -> BulletinScript:
    """What is read to this station's listeners; without a station: to readers of the news page.

    ``readings`` are all there are; those that hold at the place are taken.
    """
    campaign = content.campaign
    place = station.contact.place if station else campaign.place
    voice = content.options.get("voice") or (station.voice if station else "") or LAST_RESORT
    script = BulletinScript(
        title=content.subject or campaign.title,
        body=content.body,
        spoken=str(content.options.get("spoken") or ""),
        voice=str(voice),
        lexicon=lexicon.entries(lexicon.readings_for(place, readings)),
        campaign=str(campaign.pk),
        date=timezone.localdate(campaign.launched_at or campaign.created_at).isoformat(),
        setting=Setting(chime="", greeting="", closing="", readings=1),
    )
    if station is None:
        return script
    return dataclasses.replace(
        script,
        station_name=station.contact.name,
        priority=priority_of(campaign, content.options),
        setting=Setting(greeting=station.greeting) if station.greeting else Setting(),
    )


def priority_of(campaign: Campaign, options: Mapping[str, Any]) -> Priority:
    if campaign.category == Category.EMERGENCY or campaign.lane == Lane.URGENT:
        return Priority.EMERGENCY
    return Priority.PRIORITY if options.get("priority") == Priority.PRIORITY else Priority.NORMAL


def _wanted(content: Content) -> list[Wanted]:
    wanted: list[Station | None] = list(stations_of(content))
    if content.campaign.contents.filter(channel=NEWS).exists():
        wanted.append(None)
    readings = list(Reading.objects.select_related("place"))
    return [(station, script_for(content, station, readings)) for station in wanted]


def _missing(content: Content, wanted: list[Wanted]) -> list[Wanted]:
    """What has no bulletin of the present wording."""
    made = set(Bulletin.objects.filter(content=content).values_list("station_id", "source"))
    return [
        (station, script)
        for station, script in wanted
        if (station.pk if station else None, _source(script)) not in made
    ]


def _source(script: BulletinScript) -> str:
    return hashlib.sha256(repr(script).encode()).hexdigest()


def _make(content: Content, station: Station | None, script: BulletinScript) -> None:
    folder = Path(settings.MEDIA_ROOT) / "sound"
    voice = script.voice
    try:
        clip = render_bulletin(script, folder / "made", folder / "cache")
    except VoiceError as error:
        if error.passing or voice.partition(":")[0] == LAST_RESORT:
            raise
        # One station's voice is not installed: its village hears the built-in one rather than nothing.
        log.warning("station %s: voice %s cannot be used: %s", station.code if station else "-", voice, error)
        voice = LAST_RESORT
        clip = render_bulletin(dataclasses.replace(script, voice=voice), folder / "made", folder / "cache")
    sha256 = store.keep(clip.path)
    Bulletin.objects.update_or_create(
        content=content,
        station=station,
        defaults={
            "source": _source(script),
            "path": store.relative(sha256),
            "sha256": sha256,
            "seconds": clip.seconds,
            "spoken": clip.spoken_text,
            "doubts": [list(doubt) for doubt in clip.doubts],
            "voice": voice[:40],
        },
    )


def _waited_enough(campaign: Campaign) -> bool:
    return campaign.launched_at is None or timezone.now() - campaign.launched_at > PATIENCE


def _stop(content: Content, reason: str) -> None:
    Content.objects.filter(pk=content.pk, status=ContentStatus.RENDERING).update(
        status=ContentStatus.STOPPED, status_reason=(_("Chưa thu âm được: %(why)s") % {"why": reason})[:300]
    )
