"""What machines read: the news as Atom and as a news sitemap, a station's bulletins as a podcast and as M3U.

All of them answer 304 to whoever has the newest version already.
"""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.syndication.views import Feed
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.feedgenerator import Atom1Feed, Enclosure, Rss201rev2Feed
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import condition, require_safe

from broadcast.models import Article, Clip, Station
from broadcast.newsroom import publish
from broadcast.stations import clips, store

from . import sound
from .views.news import article_url

NEWEST = 50


class _Atom(Atom1Feed):
    def root_attributes(self):
        return {**super().root_attributes(), "xml:lang": "vi"}


class _News(Feed):
    """The newest articles. A correction keeps its entry and its id; what was taken back is left out."""

    feed_type = _Atom
    title = _("Tin chính thức")
    subtitle = _("Tin và thông báo của chính quyền gửi bà con.")
    author_name = _("Loa")
    item_guid_is_permalink = True

    def link(self):
        return settings.LOA_URL + reverse("news")

    def feed_url(self):
        return settings.LOA_URL + reverse("news_feed")

    def items(self):
        return Article.objects.public().order_by("-published_at")[:NEWEST]

    def item_title(self, item):
        return item.title

    def item_description(self, item):
        return item.body_html

    def item_link(self, item):
        return article_url(item)

    def item_pubdate(self, item):
        return item.published_at

    def item_updateddate(self, item):
        return item.updated_at

    def item_categories(self, item):
        return [item.category]


def _news_version(request: HttpRequest, *args) -> str:
    return _hash(*Article.objects.aggregate(Max("updated_at"), Count("pk")).values())


def _news_changed(request: HttpRequest, *args):
    return Article.objects.aggregate(at=Max("updated_at"))["at"]  # taking an article back counts as a change


def _hash(*values) -> str:
    return f'"{hashlib.sha256(repr(values).encode()).hexdigest()[:32]}"'


@login_not_required
@require_safe
@condition(etag_func=_news_version, last_modified_func=_news_changed)
def news(request: HttpRequest) -> HttpResponse:
    with translation.override("vi"):
        response = _News()(request)
    response["Cache-Control"] = "public, no-cache"
    return response


@login_not_required
@require_safe
@condition(etag_func=_news_version, last_modified_func=_news_changed)
def sitemap(request: HttpRequest) -> HttpResponse:
    """News sitemap 0.9 (developers.google.com): the articles of the last two days, at most 1,000."""
    recent = Article.objects.public().filter(published_at__gte=timezone.now() - timedelta(days=2))
    entries = [
        {"url": article_url(article), "article": article}
        for article in recent.defer("body_html").order_by("-published_at")[:1000]
    ]
    outlet = publish.outlet(entries[0]["article"].site) if entries else None
    context = {"entries": entries, "publisher": outlet.name if outlet else "Loa"}
    return HttpResponse(render_to_string("news/sitemap.xml", context), content_type="application/xml")


# -- a station's podcast: the token in the address is the permission ----------------------------------------------
def _station(token: str) -> Station:
    return get_object_or_404(Station.objects.select_related("contact__place"), feed_token=token)


def _bulletins(station: Station):
    now = timezone.now()
    return (
        station.clips.filter(withdrawn_at=None, created_at__gte=now - clips.KEPT)
        .exclude(not_after__lt=now)
        .order_by("-created_at")[:NEWEST]
    )


def _podcast_version(request: HttpRequest, token: str) -> str:
    state = _bulletins(_station(token)).values_list("pk", "sha256", "title")
    return _hash(*state)


class _PodcastFeed(Rss201rev2Feed):
    def root_attributes(self):
        return {**super().root_attributes(), "xmlns:itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd"}

    def add_root_elements(self, handler):
        super().add_root_elements(handler)
        handler.addQuickElement("itunes:explicit", "false")
        handler.addQuickElement("itunes:block", "Yes")  # a station's feed belongs in no directory

    def add_item_elements(self, handler, item):
        super().add_item_elements(handler, item)
        handler.addQuickElement("itunes:duration", str(item["seconds"]))


@login_not_required
@require_safe
@condition(etag_func=_podcast_version)
def podcast(request: HttpRequest, token: str) -> HttpResponse:
    station = _station(token)
    with translation.override("vi"):
        feed = _PodcastFeed(
            title=station.contact.name,
            link=settings.LOA_URL + reverse("news"),
            description=str(_("Bản tin truyền thanh của %(place)s")) % {"place": station.contact.place.name},
            language="vi",
            feed_url=settings.LOA_URL + reverse("station_feed", args=[token]),
        )
        for clip in _bulletins(station):
            url = _audio_url(token, clip)
            size = store.locate(clip.sha256).stat().st_size if store.locate(clip.sha256).exists() else 0
            feed.add_item(
                title=clip.title,
                link=url,
                description=clip.text,
                pubdate=clip.created_at,
                unique_id=f"{clip.reference}-{clip.sha256[:8]}",  # corrected audio is fetched again
                unique_id_is_permalink=False,
                enclosures=[Enclosure(url, str(size), "audio/mpeg")],
                seconds=round(clip.seconds),
            )
        response = HttpResponse(feed.writeString("utf-8"), content_type=feed.content_type)
    response["Cache-Control"] = "private, no-cache"
    return response


@login_not_required
@require_safe
@condition(etag_func=_podcast_version)
def podcast_playlist(request: HttpRequest, token: str) -> HttpResponse:
    listed = [(clip, _audio_url(token, clip)) for clip in reversed(_bulletins(_station(token)))]
    return m3u(listed, "loa.m3u")


@login_not_required
@require_safe
def podcast_audio(request: HttpRequest, token: str, pk: str) -> HttpResponse:
    clip = get_object_or_404(_station(token).clips.filter(withdrawn_at=None), pk=pk)
    served = sound.serve(request, clip.sha256, f"{clip.pk}.mp3")
    if served.whole:
        clips.downloaded(clip)
    return served.response


def _audio_url(token: str, clip: Clip) -> str:
    return settings.LOA_URL + reverse("station_audio", args=[token, clip.pk])


def m3u(listed: list[tuple[Clip, str]], name: str) -> HttpResponse:
    """An extended M3U playlist in UTF-8."""
    lines = ["#EXTM3U"]
    for clip, url in listed:
        lines += [f"#EXTINF:{round(clip.seconds)},{' '.join(clip.title.split())}", url]
    response = HttpResponse("\n".join(lines) + "\n", content_type="audio/x-mpegurl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
