"""By what right a citizen gets advertising: their consent, the national refusal list, and what they got today."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Consent(models.Model):
    """An address agreed to advertising. Evidence is kept after a withdrawal, to answer for what was sent before."""

    kind = models.CharField(max_length=16)
    value = models.BinaryField()  # sealed like Address.value
    source = models.CharField(_("nguồn"), max_length=40)  # form, reply, link, paper
    evidence = models.TextField(_("bằng chứng"))  # what was asked and answered, where the paper is
    given_at = models.DateTimeField(_("đồng ý lúc"))
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("đồng ý nhận quảng cáo")
        verbose_name_plural = _("đồng ý nhận quảng cáo")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value"], condition=Q(withdrawn_at__isnull=True), name="consent_once_open"
            )
        ]


class DoNotCall(models.Model):
    """A number on the national list of those who want no advertising (Decree 91/2020, article 7)."""

    value = models.BinaryField(unique=True)  # a phone, sealed
    listed_at = models.DateTimeField(auto_now_add=True)


class AdvertisingSent(models.Model):
    """Advertising handed over, one row for each delivery: what the daily limit counts. Old rows may go."""

    delivery_id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=16)
    value = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kind", "value", "-at"], name="advertising_recent")]
