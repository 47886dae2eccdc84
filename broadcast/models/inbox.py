"""What comes back: raw callbacks waiting to be applied, receipts without a match, and citizens' messages."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .accounts import Account


class InboxItem(models.Model):
    """A verified callback, stored before it is answered and deleted in the transaction that applies it."""

    account_id = models.BigIntegerField()
    received_at = models.DateTimeField(auto_now_add=True)
    method = models.CharField(max_length=8, default="POST")
    url = models.TextField()
    headers = models.JSONField()
    body = models.BinaryField()
    error = models.CharField(max_length=200, default="", blank=True)  # why it could not be read; kept for a person

    class Meta:
        indexes = [models.Index(fields=["id"], name="inbox_waiting", condition=models.Q(error=""))]


class ParkedReceipt(models.Model):
    """A receipt that names a message we do not know yet: it may overtake the reply to the send."""

    account_id = models.BigIntegerField()
    provider_id = models.CharField(max_length=80)
    receipt = models.JSONField()
    parked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["account_id", "provider_id"], name="parked_by_provider_id")]


class ProviderReference(models.Model):
    """Finds the delivery of a provider's id, for providers that do not echo our reference."""

    account_id = models.BigIntegerField()
    provider_id = models.CharField(max_length=80)
    delivery_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "provider_id"], name="provider_reference_once")]


class RefusedCallback(models.Model):
    """How many callbacks were turned away, per account, day and cause."""

    account_id = models.BigIntegerField()
    day = models.DateField()
    cause = models.CharField(max_length=16)  # forged, stale, unreadable
    n = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "day", "cause"], name="refused_once_per_day")]


class InboundMessage(models.Model):
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    provider_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=12)
    address_kind = models.CharField(max_length=16)
    address = models.BinaryField()  # sealed like Address.value
    text = models.TextField(blank=True)
    name = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("tin đến")
        verbose_name_plural = _("tin đến")
        constraints = [models.UniqueConstraint(fields=["account", "provider_id"], name="inbound_once")]
        indexes = [models.Index(fields=["-received_at"], name="inbound_received")]
