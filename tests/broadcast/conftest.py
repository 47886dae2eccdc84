"""A small province: two communes, a few citizens, officers of every role."""

from datetime import date

import pytest

from broadcast.models import Account, Address, Contact, Membership, Place, Role, User


@pytest.fixture
def province(db):
    return Place.objects.add_root(
        {"code": "24", "name": "Tỉnh Bắc Ninh", "kind": Place.Kind.PROVINCE, "valid_from": date(2025, 7, 1)}
    )


@pytest.fixture
def communes(province):
    return [
        Place.objects.add_child(
            province, {"code": code, "name": name, "kind": Place.Kind.COMMUNE, "valid_from": date(2025, 7, 1)}
        )
        for code, name in (("07627", "Xã Đại Sơn"), ("07615", "Xã Sơn Động"))
    ]


@pytest.fixture
def officer(province):
    """``officer("writer", place)``: an officer who holds this role there (the province if not told)."""

    def make(role: str, place: Place | None = None, **fields) -> User:
        place = place or province
        user = User.objects.create_user(f"{role}.{place.code}", password="mat-khau-thu-2026", **fields)
        Membership.objects.create(user=user, place=place, role=Role(role))
        return user

    return make


@pytest.fixture
def citizen():
    """``citizen(place, phone="+84...", telegram="123")``: a contact with these addresses."""

    def make(place: Place, name: str = "Nguyễn Văn An", kind: str = Contact.Kind.PERSON, **addresses: str) -> Contact:
        contact = Contact.objects.create(place=place, name=name, kind=kind)
        for address_kind, value in addresses.items():
            address = Address(contact=contact, kind=address_kind)
            address.plain = value
            address.save()
        return contact

    return make


@pytest.fixture
def account(province):
    """``account("sms_twilio", settings={...}, sandbox=True)`` at the province."""

    def make(adapter: str, *, settings: dict[str, str] | None = None, **fields) -> Account:
        account = Account(adapter=adapter, label=adapter, place=fields.pop("place", province), **fields)
        account.settings = settings or {}
        account.save()
        return account

    return make
