"""Who did what, append-only."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    action = models.CharField(_("việc"), max_length=40)  # "campaign.approve", "address.reveal", ...
    subject = models.CharField(_("đối tượng"), max_length=80)  # "campaign:12"
    detail = models.JSONField(default=dict)  # before and after; never a secret or an address

    class Meta:
        verbose_name = _("nhật ký")
        verbose_name_plural = _("nhật ký")
        indexes = [models.Index(fields=["subject", "-at"], name="audit_subject")]

    @classmethod
    def record(cls, user, action: str, subject: models.Model, **detail) -> "AuditEntry":
        return cls.objects.create(
            user=user, action=action, subject=f"{subject._meta.model_name}:{subject.pk}", detail=detail
        )
