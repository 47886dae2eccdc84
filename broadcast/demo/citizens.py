"""Invented citizens. The same number of citizens gives the same people every time."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from broadcast.models import Contact, Place, Refusal, vault
from broadcast.models.text import fold
from broadcast.states import AddressState

PROVINCE = "24"
HOME = "07627"  # xã Đại Sơn: in every demonstration, with the numbers that fail on purpose

_SEED = 1658  # the resolution that made the province
# Numbers look like mobile numbers, with the operators' prefixes; see the package for why none is ever dialled.
_PREFIXES = ("91", "98", "86", "32", "70", "81", "56", "97", "35", "90")

# What the sandbox does with these endings: see its page. Left out are those that never end (0003, 0007, 0008) or
# that make the engine stop the channel (0005).
_SPECIAL_PHONES = ("0001", "0002", "0006", "0009", "0010")
_SPECIAL_CHATS = ("0001", "0002", "0003", "0009")

_FAMILY = {
    "Nguyễn": 36, "Trần": 10, "Lê": 8, "Phạm": 7, "Hoàng": 6, "Vũ": 5, "Đỗ": 4, "Ngô": 4, "Dương": 4, "Bùi": 3,
    "Đặng": 3, "Ngọ": 1, "Giáp": 3, "Thân": 3, "Nông": 2, "Vi": 2, "Lý": 2, "Chu": 1, "La": 1, "Đào": 2, "Trịnh": 1,
}  # fmt: skip
_WOMEN = (
    ("Thị", "Thị", "Thị", "Thu", "Ngọc", "Thanh", "Phương", "Minh", "Thuỳ", "Bích"),
    ("Hương", "Lan", "Hoa", "Nga", "Hạnh", "Thảo", "Linh", "Trang", "Mai", "Yến", "Hằng", "Loan", "Tuyết", "Oanh",
     "Dung", "Huệ", "Nhung", "Thuỷ", "Liên", "Hiền"),
)  # fmt: skip
_MEN = (
    ("Văn", "Văn", "Văn", "Đức", "Quang", "Minh", "Xuân", "Hữu", "Đình", "Công"),
    ("Hùng", "Dũng", "Sơn", "Tuấn", "Hải", "Nam", "Thắng", "Long", "Kiên", "Cường", "Bình", "Tùng", "Hiếu", "Toàn",
     "Khánh", "Phúc", "Lâm", "Trung", "Quân", "Đạt"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Citizen:
    place: int
    name: str
    phone: str
    telegram: str = ""
    opted_out: bool = False


def citizens(communes: list[Place], number: int) -> Iterator[Citizen]:
    """``number`` citizens over the communes by weight; a third has Telegram, one in fifty shares a phone.

    The first ones live in ``HOME`` and have addresses that the sandbox treats specially.
    """
    dice = random.Random(_SEED)  # noqa: S311 - invented data
    weights = [(3.0 if place.kind == Place.Kind.WARD else 1.7) * dice.uniform(0.6, 1.5) for place in communes]
    reach = list(itertools.accumulate(weights))
    families, family_reach = list(_FAMILY), list(itertools.accumulate(_FAMILY.values()))
    home = next(place for place in communes if place.code == HOME)
    phones = _phones()
    previous: Citizen | None = None
    for n in range(number):
        middle, given = dice.choice((_WOMEN, _MEN))
        family = dice.choices(families, cum_weights=family_reach)[0]
        name = f"{family} {dice.choice(middle)} {dice.choice(given)}"
        place = dice.choices(communes, cum_weights=reach)[0]
        telegram = str(7_100_000_000 + n * 100 + dice.randrange(11, 90)) if dice.random() < 1 / 3 else ""
        luck = dice.random()
        if n < len(_SPECIAL_PHONES):
            telegram = f"700000{_SPECIAL_CHATS[n]}" if n < len(_SPECIAL_CHATS) else ""
            citizen = Citizen(home.pk, name, f"+8491200{_SPECIAL_PHONES[n]}", telegram)
        elif luck < 0.02 and previous:
            citizen = Citizen(previous.place, name, previous.phone, telegram)
        else:
            citizen = Citizen(place.pk, name, next(phones), telegram, opted_out=luck > 0.994)
        yield citizen
        previous = citizen if n >= len(_SPECIAL_PHONES) else None


def _phones() -> Iterator[str]:
    """Numbers that look unrelated and never repeat, without the endings that mean something to the sandbox."""
    for k in itertools.count():
        subscriber = 1_000_000 + k * 6_700_417 % 9_000_000  # a prime step visits every number once
        if subscriber % 10_000 > 10:
            yield f"+84{_PREFIXES[k % len(_PREFIXES)]}{subscriber}"


_NEW_IDS = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"


def install(communes: list[Place], number: int) -> int:
    """Store the citizens that are not there yet, by name and phone; the number stored."""
    people = list(citizens(communes, number))
    sealed = {phone: vault.seal(phone, "phone") for phone in {person.phone for person in people}}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.name, a.value FROM broadcast_address a JOIN broadcast_contact c ON c.id = a.contact_id "
            "WHERE a.kind = 'phone' AND a.value = ANY(%s)",
            [list(sealed.values())],
        )
        there = {(name, bytes(value)) for name, value in cursor.fetchall()}
        people = [person for person in people if (person.name, sealed[person.phone]) not in there]
        if not people:
            return 0
        cursor.execute(_NEW_IDS, ["broadcast_contact", len(people)])
        ids = [row[0] for row in cursor.fetchall()]
        now = timezone.now()
        with cursor.copy(
            "COPY broadcast_contact (id, place_id, kind, name, folded, language, created_at) FROM STDIN"
        ) as copy:
            for id, person in zip(ids, people, strict=True):
                copy.write_row((id, person.place, Contact.Kind.PERSON, person.name, fold(person.name), "vi", now))
        with cursor.copy(
            "COPY broadcast_address (contact_id, kind, value, state, state_at, state_reason) FROM STDIN"
        ) as copy:
            for id, person in zip(ids, people, strict=True):
                state = AddressState.OPTED_OUT if person.opted_out else AddressState.VALID
                copy.write_row((id, "phone", sealed[person.phone], state, now, "reply" if person.opted_out else ""))
                if person.telegram:
                    value = vault.seal(person.telegram, "telegram")
                    copy.write_row((id, "telegram", value, AddressState.VALID, now, ""))
        Refusal.objects.bulk_create(
            (
                Refusal(kind="phone", value=sealed[person.phone], source="reply")
                for person in people
                if person.opted_out
            ),
            ignore_conflicts=True,
        )
        cursor.execute("ANALYZE broadcast_contact, broadcast_address")
    return len(people)
