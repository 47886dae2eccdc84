"""Addresses of our own outlets: where the workers publish, what citizens read, what operators play."""

from django.urls import path, re_path

from . import feeds, outlets
from .views import lexicon, loa, news, programme

urlpatterns = [
    path("outlets/", outlets.root, name="outlets"),
    path("outlets/newsroom/<slug:site>/articles/<str:reference>", outlets.article, name="outlet_article"),
    path("outlets/stations/<str:station>/clips/<str:reference>", outlets.clip, name="outlet_clip"),
    path("tin/", news.index, name="news"),
    path("tin/feed.atom", feeds.news, name="news_feed"),
    path("tin/sitemap.xml", feeds.sitemap, name="news_sitemap"),
    path("tin/<slug:slug>/", news.article, name="article"),
    path("tin/<slug:slug>/nghe.mp3", news.listen, name="article_audio"),
    path("nghe/<slug:code>/", news.feedback, name="feedback"),
    path("loa/", loa.today, name="loa"),
    path("loa/bao-cao/", loa.report, name="loa_report"),
    path("loa/ban-tin/<int:pk>.mp3", loa.audio, name="loa_audio"),
    path("loa/tat-ca.zip", loa.bundle, name="loa_bundle"),
    path("loa/danh-sach.m3u", loa.playlist, name="loa_playlist"),
    path("loa/lich/", programme.week, name="loa_programme"),
    path("loa/lich/moi/", programme.edit, name="loa_slot_new"),
    path("loa/lich/<int:pk>/", programme.edit, name="loa_slot"),
    path("loa/lich/<int:pk>/xoa/", programme.remove, name="loa_slot_remove"),
    path("loa/cach-doc/", lexicon.lexicon_page, name="loa_lexicon"),
    path("loa/cach-doc/nghe.wav", lexicon.lexicon_audio, name="loa_lexicon_audio"),
    path("loa/cach-doc/<int:pk>/bo/", lexicon.lexicon_remove, name="loa_lexicon_remove"),
    path("loa/sw.js", loa.worker, name="loa_worker"),
    path("loa/manifest.webmanifest", loa.manifest, name="loa_manifest"),
    path("loa/kenh/<str:token>/feed.xml", feeds.podcast, name="station_feed"),
    path("loa/kenh/<str:token>/danh-sach.m3u", feeds.podcast_playlist, name="station_playlist"),
    re_path(r"^loa/kenh/(?P<token>[\w-]+)/(?P<pk>\d+)\.mp3$", feeds.podcast_audio, name="station_audio"),
]
