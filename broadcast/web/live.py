"""The live page's WebSocket.

The worker broadcasts one event per campaign and second. All watchers of this process get the same text, rendered
once per language by whoever comes first.
"""

import asyncio
import time

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.urls import path
from django.utils import translation

from broadcast.campaigns.approve import may
from broadcast.models import Campaign, User

from . import watching

FORBIDDEN = 4403
PLACES_EVERY = 3.0  # seconds: the map and its table are the bulk of the page, and change least


class Renderer:
    """The newest text of each campaign and language, made once however many wait for it."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, str], tuple[str, str]] = {}
        self._locks: dict[tuple[int, str], asyncio.Lock] = {}
        self._places_at: dict[tuple[int, str], float] = {}

    async def text(self, campaign_id: int, language: str, stamp: str, *, whole: bool) -> str:
        key = (campaign_id, language)
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._texts.get(key)
            if known is None or known[0] != stamp:
                places = whole or time.monotonic() - self._places_at.get(key, 0.0) >= PLACES_EVERY
                if places:
                    self._places_at[key] = time.monotonic()
                known = self._texts[key] = (stamp, await _render(campaign_id, language, places))
                if len(self._texts) > 200:
                    self._forget(key)
        return known[1]

    def _forget(self, keep: tuple[int, str]) -> None:
        for key in [key for key in self._texts if key != keep]:
            del self._texts[key]
            self._locks.pop(key, None)
            self._places_at.pop(key, None)


RENDERER = Renderer()


@database_sync_to_async
def _render(campaign_id: int, language: str, places: bool) -> str:
    with translation.override(language):
        campaign = Campaign.objects.select_related("place").get(pk=campaign_id)
        return watching.fragments(watching.view(campaign), places=places)


@database_sync_to_async
def _may_watch(user: User, campaign_id: int) -> bool:
    if not user.is_authenticated:
        return False
    campaign = Campaign.objects.visible_to(user).select_related("place").filter(pk=campaign_id).first()
    return campaign is not None and may(user, campaign, "view")


class Live(AsyncWebsocketConsumer):
    async def connect(self):
        self.campaign_id = int(self.scope["url_route"]["kwargs"]["pk"])
        chosen = self.scope.get("cookies", {}).get(settings.LANGUAGE_COOKIE_NAME, "")
        self.language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        self.group = f"campaign_{self.campaign_id}"
        allowed = await _may_watch(self.scope["user"], self.campaign_id)
        await self.accept()  # a refusal before this is a bare 403 that the page cannot tell from a lost network
        if not allowed:
            await self.close(FORBIDDEN)
            return
        await self.channel_layer.group_add(self.group, self.channel_name)

    async def disconnect(self, code):
        if self.channel_layer is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        """Watchers have nothing to say."""

    async def progress(self, event):
        snapshot = event["snapshot"]
        ended = snapshot["status"] in ("finished", "cancelled", "paused")
        await self.send(await RENDERER.text(self.campaign_id, self.language, snapshot["at"], whole=ended))


websocket_urlpatterns = [path("truc-tiep/<int:pk>/", Live.as_asgi())]
