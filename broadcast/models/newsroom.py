"""Articles on our own public news pages."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ArticleQuerySet(models.QuerySet):
    def public(self):
        return self.filter(retracted_at__isnull=True)


class Article(models.Model):
    site = models.CharField(_("trang"), max_length=40)
    reference = models.CharField(max_length=40, unique=True)  # the delivery's id: publishing twice is once
    slug = models.SlugField(_("đường dẫn"), max_length=120, unique=True)
    title = models.CharField(_("tiêu đề"), max_length=200)
    summary = models.TextField(_("tóm tắt"), blank=True)
    body_html = models.TextField(_("nội dung"))  # sanitised when written
    language = models.CharField(max_length=8, default="vi")
    category = models.CharField(max_length=12, default="notice")
    published_at = models.DateTimeField(_("đăng lúc"))
    updated_at = models.DateTimeField(_("sửa lúc"))
    corrected = models.BooleanField(default=False)
    retracted_at = models.DateTimeField(_("gỡ lúc"), null=True, blank=True)
    views = models.PositiveIntegerField(_("lượt xem"), default=0)

    objects = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("bài viết")
        verbose_name_plural = _("bài viết")
        indexes = [
            models.Index(fields=["-published_at"], name="article_public", condition=Q(retracted_at__isnull=True))
        ]

    def __str__(self):
        return self.title
