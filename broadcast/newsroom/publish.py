"""Put an article on the news page, correct it, take it back.

All functions are safe to repeat: the reference (a delivery's id) names the article for ever. They raise
ValidationError with a sentence and a code: ``invalid``, ``unknown`` (no such article) or ``gone`` (taken back).
"""

from dataclasses import dataclass
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from broadcast.models import Address, Article, Contact
from broadcast.states import Category

from . import text

TITLE_LENGTH = 200
SUMMARY_LENGTH = 1_000
BODY_LENGTH = 200_000
LANGUAGES = ("vi", "en", "tyz", "nut", "mlc")  # Vietnamese, English, Tày, Nùng, Sán Dìu (Cao Lan)


class Result(StrEnum):
    CREATED = "created"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Draft:
    """What an article says. ``body`` is Markdown or plain paragraphs."""

    title: str
    body: str
    summary: str = ""
    language: str = "vi"
    category: str = Category.NOTICE

    def fields(self) -> dict[str, str]:
        """Columns of Article. Raises ValidationError."""
        title = " ".join(self.title.replace("\x00", "").split())
        summary = " ".join(self.summary.replace("\x00", "").split())
        if not title:
            raise ValidationError(_("Bài viết chưa có tiêu đề."), "invalid")
        if len(title) > TITLE_LENGTH:
            raise ValidationError(
                _("Tiêu đề dài %(n)s ký tự, tối đa %(most)s."), "invalid", {"n": len(title), "most": TITLE_LENGTH}
            )
        if len(summary) > SUMMARY_LENGTH:
            raise ValidationError(
                _("Tóm tắt dài %(n)s ký tự, tối đa %(most)s."), "invalid", {"n": len(summary), "most": SUMMARY_LENGTH}
            )
        if len(self.body) > BODY_LENGTH:
            raise ValidationError(
                _("Bài viết dài %(n)s ký tự, tối đa %(most)s."), "invalid", {"n": len(self.body), "most": BODY_LENGTH}
            )
        if self.language not in LANGUAGES:
            raise ValidationError(_("Chưa hỗ trợ ngôn ngữ «%(code)s»."), "invalid", {"code": self.language[:20]})
        if self.category not in Category.values:
            raise ValidationError(_("Không có loại tin «%(code)s»."), "invalid", {"code": self.category[:20]})
        html = text.to_html(self.body)
        if not text.to_text(html):
            raise ValidationError(_("Bài viết chưa có nội dung."), "invalid")
        return {
            "title": title,
            "summary": summary,
            "body_html": html,
            "language": self.language,
            "category": self.category,
        }


def outlet(site: str) -> Contact | None:
    """The contact that stands for a news page, None for an unknown one."""
    address = Address.objects.usable().matching("newsroom", site).select_related("contact__place").first()
    return address.contact if address else None


def publish(site: str, reference: str, draft: Draft) -> tuple[Article, Result]:
    """The first call publishes, a repeat changes nothing, a changed repeat corrects and keeps address and date."""
    fields = draft.fields()
    with transaction.atomic():
        article = Article.objects.select_for_update().filter(reference=reference).first()
        if article is None:
            article = _create(site, reference, fields)
            if article is not None:
                return article, Result.CREATED
            article = Article.objects.select_for_update().get(reference=reference)  # another worker was first
        if article.site != site:
            raise ValidationError(_("Mã bài này thuộc một trang tin khác."), "invalid")
        if article.retracted_at:
            raise ValidationError(_("Bài này đã được gỡ, không đăng lại được."), "gone")
        if all(getattr(article, name) == value for name, value in fields.items()):
            return article, Result.UNCHANGED
        for name, value in fields.items():
            setattr(article, name, value)
        article.corrected, article.updated_at = True, timezone.now()
        article.save(update_fields=[*fields, "corrected", "updated_at"])
        return article, Result.CORRECTED


def _create(site: str, reference: str, fields: dict[str, str]) -> Article | None:
    """A new article under the first free slug; None where the reference exists meanwhile."""
    now = timezone.now()
    stem, number = text.slug(fields["title"]), 1
    while True:
        slug = stem if number == 1 else f"{stem}-{number}"
        if not Article.objects.filter(slug=slug).exists():
            try:
                with transaction.atomic():
                    return Article.objects.create(
                        site=site, reference=reference, slug=slug, published_at=now, updated_at=now, **fields
                    )
            except IntegrityError:
                if Article.objects.filter(reference=reference).exists():
                    return None
        number += 1


def retract(site: str, reference: str) -> Article:
    """Take an article off page and feeds. Its address answers 410 from now on. Repeating is a no-op."""
    now = timezone.now()
    Article.objects.public().filter(site=site, reference=reference).update(retracted_at=now, updated_at=now)
    article = Article.objects.filter(site=site, reference=reference).first()
    if article is None:
        raise ValidationError(_("Không có bài này trên trang tin."), "unknown")
    return article
