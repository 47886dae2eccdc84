"""A configured channel."""

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from broadcast.states import AccountStatus
from channels_adapters.core import registry
from channels_adapters.core.http import Transport
from channels_adapters.core.interface import Adapter

from . import vault
from .places import Place

_CONTEXT = "account"


def new_hook() -> str:
    return secrets.token_urlsafe(24)


class Account(models.Model):
    adapter = models.CharField(_("kênh"), max_length=32)  # a module of channels_adapters
    label = models.CharField(_("tên gọi"), max_length=80)
    place = models.ForeignKey(Place, models.PROTECT, verbose_name=_("đơn vị"))
    sandbox = models.BooleanField(_("hộp cát"), default=False)
    status = models.CharField(
        _("trạng thái"), max_length=8, choices=AccountStatus.choices, default=AccountStatus.ACTIVE
    )
    status_reason = models.CharField(max_length=200, blank=True)
    status_at = models.DateTimeField(auto_now_add=True)
    sealed_settings = models.BinaryField(default=b"", editable=False)
    hook = models.CharField(max_length=40, unique=True, default=new_hook, editable=False)
    per_second = models.FloatField(_("giới hạn mỗi giây"), null=True, blank=True)
    weight = models.PositiveSmallIntegerField(_("ưu tiên"), default=100)

    class Meta:
        verbose_name = _("tài khoản kênh")
        verbose_name_plural = _("tài khoản kênh")

    def __str__(self):
        return self.label

    @property
    def settings(self) -> dict[str, str]:
        return vault.unseal_json(self.sealed_settings, _CONTEXT)

    @settings.setter
    def settings(self, values: dict[str, str]) -> None:
        self.sealed_settings = vault.seal_json(values, _CONTEXT)

    @property
    def adapter_class(self) -> type[Adapter]:
        return registry.get(self.adapter)

    @property
    def callback_base(self) -> str:
        """Where this account's provider reports; unguessable."""
        return f"{settings.LOA_URL}/hooks/{self.hook}/"

    @property
    def rate(self) -> float | None:
        """Requests per second over all workers, None for no limit."""
        return self.per_second or self.adapter_class.capabilities.per_second

    def build(self, transport: Transport) -> Adapter:
        """The adapter of this account, speaking to the provider or to the sandbox."""
        values = self.settings
        if self.adapter_class.capabilities.local:
            values = {**values, "base_url": settings.LOA_INTERNAL_URL, "token": local_token(self)}
        return self.adapter_class(values, transport, sandbox_url=settings.SANDBOX_URL if self.sandbox else "")


def local_token(account: Account) -> str:
    """What proves to our own outlets that a request comes from our own workers."""
    return vault.seal(f"{account.pk}", "local-outlet").hex()


def account_of_local_token(token: str) -> int | None:
    """The account's id, or None for a token that is not ours."""
    try:
        return int(vault.unseal(bytes.fromhex(token), "local-outlet"))
    except ValueError:
        return None
