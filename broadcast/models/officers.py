"""Officers and what they may do where."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from .places import Place


class Role(models.TextChoices):
    WRITER = "writer", _("Soạn tin")
    APPROVER = "approver", _("Duyệt tin")
    SENDER = "sender", _("Gửi tin")
    OPERATOR = "operator", _("Vận hành loa")
    VIEWER = "viewer", _("Xem")
    ADMINISTRATOR = "administrator", _("Quản trị")


class User(AbstractUser):
    full_name = models.CharField(_("họ và tên"), max_length=120, blank=True)
    position = models.CharField(_("chức vụ"), max_length=120, blank=True)

    class Meta(AbstractUser.Meta):  # type: ignore[name-defined]
        verbose_name = _("cán bộ")
        verbose_name_plural = _("cán bộ")

    def __str__(self):
        return self.full_name or self.username

    def places(self, *roles: str):
        """The branches in which this officer has one of the roles (any role if none is named)."""
        held = self.memberships.select_related("place")
        if roles:
            held = held.filter(role__in=roles)
        return Place.objects.within(*(membership.place for membership in held))

    def has_role(self, place: Place, *roles: str) -> bool:
        """True where a membership with one of the roles stands at ``place`` or above it."""
        return any(
            membership.role in roles and membership.place.contains(place)
            for membership in self.memberships.select_related("place")
        )


class Membership(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("cán bộ"))
    place = models.ForeignKey(Place, models.PROTECT, related_name="memberships", verbose_name=_("địa bàn"))
    role = models.CharField(_("vai trò"), max_length=16, choices=Role.choices)

    class Meta:
        verbose_name = _("phân quyền")
        verbose_name_plural = _("phân quyền")
        constraints = [models.UniqueConstraint(fields=["user", "place", "role"], name="membership_once")]

    def __str__(self):
        return f"{self.user}: {self.get_role_display()} – {self.place}"
