"""Contacts and their addresses. One ledger for people and outlets: a station or a news page is a contact too."""

from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from broadcast.states import ADDRESS_USABLE, AddressState

from . import vault
from .places import Place
from .text import fold


class Contact(models.Model):
    class Kind(models.TextChoices):
        PERSON = "person", _("Người dân")
        OFFICIAL = "official", _("Cán bộ")
        HOUSEHOLD = "household", _("Hộ gia đình")
        OUTLET = "outlet", _("Đầu mối phát tin")  # a station, a news page, a group, a desk

    # No index of its own here and below: a wider one begins with the same column.
    place = models.ForeignKey(Place, models.PROTECT, related_name="contacts", verbose_name=_("địa bàn"), db_index=False)
    kind = models.CharField(_("loại"), max_length=10, choices=Kind.choices, default=Kind.PERSON)
    name = models.CharField(_("tên"), max_length=120)
    folded = models.CharField(max_length=120, editable=False)
    language = models.CharField(_("ngôn ngữ"), max_length=8, default="vi")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("liên hệ")
        verbose_name_plural = _("liên hệ")
        indexes = [models.Index(fields=["place", "kind"], name="contact_place_kind")]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.folded = fold(self.name)
        super().save(*args, **kwargs)


class AddressQuerySet(models.QuerySet):
    def usable(self):
        return self.filter(state__in=ADDRESS_USABLE)

    def matching(self, kind: str, value: str):
        """Every row of this canonical address, whichever key sealed it."""
        return self.filter(kind=kind, value__in=vault.candidates(value, kind))


class Address(models.Model):
    """One way to reach a contact. ``value`` is the sealed canonical form; see ``vault``."""

    contact = models.ForeignKey(
        Contact, models.CASCADE, related_name="addresses", verbose_name=_("liên hệ"), db_index=False
    )
    kind = models.CharField(_("loại địa chỉ"), max_length=16)  # an adapter's `address_kind`
    value = models.BinaryField()
    state = models.CharField(
        _("trạng thái"), max_length=12, choices=AddressState.choices, default=AddressState.UNVERIFIED
    )
    state_at = models.DateTimeField(auto_now_add=True)
    state_reason = models.CharField(max_length=40, blank=True)
    # Shares its value, or its contact's kind, with another row, or once did: such rows are counted one by one.
    tangled = models.BooleanField(default=False, db_default=False, editable=False)

    objects = AddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("địa chỉ")
        verbose_name_plural = _("địa chỉ")
        constraints = [models.UniqueConstraint(fields=["contact", "kind", "value"], name="address_once_per_contact")]
        # Everyone who shares a number is found together, and a large audience is expanded in this order.
        indexes = [
            models.Index(fields=["kind", "value"], name="address_kind_value"),
            models.Index(fields=["kind", "value"], name="address_tangled", condition=Q(tangled=True)),
        ]

    def __str__(self):
        return f"{self.kind} {self.masked}"

    @property
    def plain(self) -> str:
        return vault.unseal(self.value, self.kind)

    @plain.setter
    def plain(self, value: str) -> None:
        self.value = vault.seal(value, self.kind)

    @property
    def masked(self) -> str:
        """Enough to recognise an address, not enough to use it: 091•••678."""
        return mask(self.kind, self.plain)


def mask(kind: str, plain: str) -> str:
    if kind in ("station", "newsroom") or plain.startswith("@"):
        return plain  # outlets are public
    if kind == "phone" and plain.startswith("+84"):
        plain = "0" + plain[3:]
    return f"{plain[:3]}•••{plain[-3:]}" if len(plain) > 7 else "•••" + plain[-2:]


class TallyManager(models.Manager):
    def fold(self) -> None:
        """Replace the changes so far by their sums. Safe beside writers and beside itself."""
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH folded AS (DELETE FROM broadcast_tally RETURNING place_id, outlet, kind, state, n) "
                "INSERT INTO broadcast_tally (place_id, outlet, kind, state, n) "
                "SELECT place_id, outlet, kind, state, sum(n) FROM folded GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0"
            )


class Tally(models.Model):
    """Changes of the number of contacts (kind "") and of addresses that are not tangled, by place.

    Written by triggers on both tables, never by hand; only the sum of the rows of a key has a meaning.
    """

    place_id = models.IntegerField()
    outlet = models.BooleanField()
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=12)
    n = models.IntegerField()

    objects = TallyManager()

    class Meta:
        indexes = [models.Index(fields=["place_id", "kind"], name="tally_place_kind")]


class Refusal(models.Model):
    """A citizen said no. Kept apart from contacts, so that it outlives a re-import and an unknown number counts."""

    kind = models.CharField(max_length=16)
    value = models.BinaryField()
    source = models.CharField(max_length=40)  # reply, link, officer, provider
    at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)  # they subscribed again

    class Meta:
        verbose_name = _("từ chối nhận tin")
        verbose_name_plural = _("từ chối nhận tin")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value"], condition=Q(withdrawn_at__isnull=True), name="refusal_once_open"
            )
        ]
