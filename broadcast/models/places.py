"""Administrative units as a tree with validity dates."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node, MP_NodeManager, MP_NodeQuerySet

from .text import fold, sort_key


class PlaceQuerySet(MP_NodeQuerySet):
    def current(self):
        return self.filter(valid_to__isnull=True)

    def within(self, *places):
        """The branches below these places, themselves included. Nothing for no place."""
        branch = Q(pk__in=())
        for place in places:
            branch |= Q(path__startswith=place.path)
        return self.filter(branch)

    def search(self, text: str):
        return self.filter(folded__contains=fold(text))


class PlaceManager(MP_NodeManager.from_queryset(PlaceQuerySet)):
    def get_queryset(self):  # the tree's manager names its own queryset class, so say which one again
        return PlaceQuerySet(self.model, using=self._db).order_by("path")


class Place(MP_Node):
    class Kind(models.TextChoices):
        PROVINCE = "province", _("Tỉnh")
        DISTRICT = "district", _("Huyện")
        COMMUNE = "commune", _("Xã")
        WARD = "ward", _("Phường")
        TOWN = "town", _("Thị trấn")
        VILLAGE = "village", _("Thôn, tổ dân phố")

    node_order_by = ()
    steplen = 4

    code = models.CharField(_("mã đơn vị"), max_length=12)  # official, zero-padded: "24", "07210"
    name = models.CharField(_("tên"), max_length=120)  # with its kind: "Xã Đại Sơn"
    folded = models.CharField(max_length=120, editable=False, db_index=True)
    sort_key = models.CharField(max_length=300, editable=False)
    kind = models.CharField(_("cấp"), max_length=10, choices=Kind.choices)
    valid_from = models.DateField(_("có hiệu lực từ"))
    valid_to = models.DateField(_("đến hết"), null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    tile_column = models.SmallIntegerField(null=True, blank=True)  # where the tile map draws it
    tile_row = models.SmallIntegerField(null=True, blank=True)

    objects = PlaceManager()

    class Meta:
        verbose_name = _("địa bàn")
        verbose_name_plural = _("địa bàn")
        constraints = [models.UniqueConstraint(fields=["code", "kind", "valid_from"], name="place_code_since")]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.folded, self.sort_key = fold(self.name), sort_key(self.name)
        super().save(*args, **kwargs)

    def contains(self, other: "Place") -> bool:
        return other.path.startswith(self.path)


class PlaceSuccession(models.Model):
    """An old unit and the unit that took over (part of) it."""

    old = models.ForeignKey(Place, models.CASCADE, related_name="successors", verbose_name=_("đơn vị cũ"))
    new = models.ForeignKey(Place, models.CASCADE, related_name="predecessors", verbose_name=_("đơn vị mới"))
    whole = models.BooleanField(_("toàn bộ"), default=True)
    since = models.DateField(_("từ ngày"))

    class Meta:
        verbose_name = _("sáp nhập")
        verbose_name_plural = _("sáp nhập")
        constraints = [models.UniqueConstraint(fields=["old", "new"], name="succession_once")]

    def __str__(self):
        return f"{self.old} → {self.new}"
