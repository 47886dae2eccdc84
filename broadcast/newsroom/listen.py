"""The bulletin of the campaign an article belongs to, so that citizens can listen instead of reading."""

from broadcast.models import Article, Bulletin, Delivery


def bulletin_of(article: Article) -> Bulletin | None:
    """The one without a station's greeting."""
    if not article.reference.isdecimal() or len(article.reference) > 18:
        return None
    campaign = Delivery.objects.filter(pk=int(article.reference)).values("campaign_id")
    return Bulletin.objects.filter(content__campaign__in=campaign, station=None).first()
