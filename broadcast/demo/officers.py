"""The demonstration's officers. All have the same published password, so they are refused on a public site."""

from django.contrib.auth.hashers import make_password

from broadcast.models import Membership, Place, Role, User
from broadcast.models.text import fold

from .citizens import HOME

PASSWORD = "loa-demo-2026"  # noqa: S105 - published, and only ever set for invented officers

WRITER = "soan.tinh"
APPROVER = "duyet.tinh"
SENDER = "gui.tinh"
ADMINISTRATOR = "quantri"
COMMUNE_WRITER = "soan.daison"
COMMUNE_VIEWER = "xem.daison"

_PROVINCE_OFFICERS = (
    (WRITER, "Nguyễn Thị Hạnh", "Chuyên viên, Văn phòng UBND tỉnh", Role.WRITER),
    (APPROVER, "Trần Quốc Bảo", "Phó Chánh Văn phòng UBND tỉnh", Role.APPROVER),
    (SENDER, "Lê Minh Đức", "Chuyên viên, Sở Khoa học và Công nghệ", Role.SENDER),
    (ADMINISTRATOR, "Phạm Thu Trang", "Quản trị hệ thống", Role.ADMINISTRATOR),
)
_COMMUNE_OFFICERS = (
    (COMMUNE_WRITER, "Vi Văn Thắng", "Công chức Văn hoá – Xã hội", Role.WRITER),
    (COMMUNE_VIEWER, "Hoàng Thị Lý", "Công chức Văn phòng – Thống kê", Role.VIEWER),
)


def install(province: Place, communes: list[Place]) -> int:
    """Create the officers that are missing; the number created. Those there, and their passwords, stay as they are."""
    home = next(place for place in communes if place.code == HOME)
    wanted = [(*officer, province) for officer in _PROVINCE_OFFICERS]
    wanted += [(*officer, home) for officer in _COMMUNE_OFFICERS]
    names = _operator_names(communes)
    wanted += [
        (names[place.pk], f"Trực loa {place.name}", "Cán bộ đài truyền thanh", Role.OPERATOR, place)
        for place in communes
    ]
    there = set(User.objects.filter(username__in=[w[0] for w in wanted]).values_list("username", flat=True))
    missing = [w for w in wanted if w[0] not in there]
    # Hashing is slow on purpose; a password that is printed anyway may share its salt.
    password = make_password(PASSWORD) if missing else ""
    users = User.objects.bulk_create(
        User(
            username=username,
            full_name=full_name,
            position=position,
            password=password,
            is_staff=role == Role.ADMINISTRATOR,
            is_superuser=role == Role.ADMINISTRATOR,
        )
        for username, full_name, position, role, _place in missing
    )
    Membership.objects.bulk_create(
        Membership(user=user, place=place, role=role)
        for user, (_username, _name, _position, role, place) in zip(users, missing, strict=True)
    )
    return len(users)


def _operator_names(communes: list[Place]) -> dict[int, str]:
    """``loa.daison``; with the commune's code where two communes would share a name."""
    plain = {place.pk: fold(place.name.split(" ", 1)[1]).replace(" ", "") for place in communes}
    shared = {name for name in plain.values() if list(plain.values()).count(name) > 1}
    return {
        place.pk: f"loa.{plain[place.pk]}" + (f".{place.code}" if plain[place.pk] in shared else "")
        for place in communes
    }
