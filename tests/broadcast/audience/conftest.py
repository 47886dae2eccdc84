"""A small tree with people and outlets, made the long way round, so that tests read like the places they name."""

from datetime import date
from types import SimpleNamespace

import pytest

from broadcast.models import Address, Contact, Place
from broadcast.states import AddressState


def place(code: str, name: str, kind: str, parent: Place | None = None) -> Place:
    fields = {"code": code, "name": name, "kind": kind, "valid_from": date(2025, 7, 1)}
    return Place.objects.add_child(parent, fields) if parent else Place.objects.add_root(fields)


def contact(where: Place, kind: str = Contact.Kind.PERSON, name: str = "Nguyễn Văn An", **addresses: str) -> Contact:
    """A contact with one address of each kind; a value may be "value/state"."""
    made = Contact.objects.create(place=where, kind=kind, name=name)
    for address_kind, value in addresses.items():
        plain, _, state = value.partition("/")
        address = Address(contact=made, kind=address_kind, state=state or AddressState.VALID)
        address.plain = plain
        address.save()
    return made


def build_tree() -> SimpleNamespace:
    province = place("24", "Tỉnh Bắc Ninh", Place.Kind.PROVINCE)
    dai_son = place("07210", "Xã Đại Sơn", Place.Kind.COMMUNE, province)
    son_dong = place("07222", "Xã Sơn Động", Place.Kind.COMMUNE, province)
    village = place("07210-01", "Thôn Tân Sơn", Place.Kind.VILLAGE, dai_son)
    return SimpleNamespace(province=province, dai_son=dai_son, son_dong=son_dong, village=village)


@pytest.fixture
def tree(db):
    return build_tree()
