"""The public news pages: no log-in, no cookies, Vietnamese unless `?lang=en` asks for English."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from broadcast.models import Article, Clip
from broadcast.newsroom import listen as listening
from broadcast.newsroom import publish, text, views_count
from broadcast.states import Category
from broadcast.stations import clips

from .. import sound

PER_PAGE = 20
DESCRIPTION = 200


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For everyone, in the language the address names. Caches ask again each time: a retraction counts at once."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        with translation.override(_language(request)):
            response = view(request, *args, **kwargs)
        response["Content-Language"] = _language(request)
        return response

    return login_not_required(require_safe(cache_control(public=True, no_cache=True)(wrapped)))


def _language(request: HttpRequest) -> str:
    return "en" if request.GET.get("lang") == "en" else "vi"


@dataclass(frozen=True, slots=True)
class Address:
    """A page's own address and the same page in the other language."""

    here: str
    other: str
    suffix: str  # keeps the language in links: "" or "?lang=en"


def _address(request: HttpRequest) -> Address:
    kept = [(name, value) for name, value in request.GET.items() if name in ("thang", "loai", "trang")]
    english = _language(request) == "en"

    def url(*more: tuple[str, str]) -> str:
        query = urlencode([*kept, *more])
        return f"{request.path}?{query}" if query else request.path

    return Address(
        here=settings.LOA_URL + (url(("lang", "en")) if english else url()),
        other=url() if english else url(("lang", "en")),
        suffix="?lang=en" if english else "",
    )


@public
def index(request: HttpRequest) -> HttpResponse:
    articles = Article.objects.public().defer("body_html").order_by("-published_at", "-pk")
    months = (
        Article.objects.public()
        .annotate(month=TruncMonth("published_at"))
        .values("month")
        .annotate(n=Count("pk"))
        .order_by("-month")[:60]
    )
    category = request.GET.get("loai", "")
    if category:
        if category not in Category.values:
            raise Http404
        articles = articles.filter(category=category)
    month = None
    if asked := request.GET.get("thang", ""):
        month = _month(asked)
        articles = articles.filter(published_at__gte=month, published_at__lt=_next_month(month))
    page = Paginator(articles, PER_PAGE).get_page(request.GET.get("trang"))
    context = {
        "articles": page,
        "numbers": page.paginator.get_elided_page_range(page.number, on_each_side=1),
        "months": months,
        "month": month,
        "categories": Category.choices,
        "category": category,
        "category_label": Category(category).label if category else "",
        "address": _address(request),
    }
    return render(request, "news/index.html", context)


def _month(asked: str) -> datetime:
    try:
        return timezone.make_aware(datetime.strptime(asked, "%Y-%m"))
    except ValueError:
        raise Http404 from None


def _next_month(month: datetime) -> datetime:
    years, index = divmod(month.month, 12)
    return month.replace(year=month.year + years, month=index + 1)


@public
def article(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Article, slug=slug)
    address = _address(request)
    if found.retracted_at:
        return render(request, "news/gone.html", {"article": found, "address": address}, status=410)
    if request.method == "GET":
        views_count.add(found.pk)
    outlet = publish.outlet(found.site)
    context = {
        "article": found,
        "address": address,
        "publisher": outlet.name if outlet else "",
        "bulletin": listening.bulletin_of(found),
        "audio_url": settings.LOA_URL + reverse("article_audio", args=[slug]),
        "description": (found.summary or text.to_text(found.body_html))[:DESCRIPTION],
        "others": Article.objects.public()
        .exclude(pk=found.pk)
        .only("slug", "title", "published_at")
        .order_by("-published_at")[:5],
    }
    return render(request, "news/article.html", context)


@public
def listen(request: HttpRequest, slug: str) -> HttpResponse:
    """The article read aloud."""
    found = get_object_or_404(Article.objects.public(), slug=slug)
    bulletin = listening.bulletin_of(found)
    if bulletin is None:
        raise Http404
    return sound.serve(request, bulletin.sha256, f"{slug}.mp3").response


@csrf_exempt  # nobody is logged in here: there is no session to abuse, and citizens get no cookie
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(public=True, no_cache=True)
def feedback(request: HttpRequest, code: str) -> HttpResponse:
    """A bulletin's own page, where a resident says «đã nghe» or «không nghe rõ»."""
    clip = get_object_or_404(Clip.objects.filter(withdrawn_at=None).select_related("station__contact"), code=code)
    answer = request.POST.get("nghe", "")
    with translation.override(_language(request)):
        if answer in ("ro", "khong-ro"):
            clips.answer(code, clear=answer == "ro")
        context = {"clip": clip, "answer": answer, "address": _address(request)}
        return render(request, "news/feedback.html", context)


def article_url(article: Article) -> str:
    return settings.LOA_URL + reverse("article", args=[article.slug])
