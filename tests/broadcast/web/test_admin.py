"""The administrator's pages, asked for as a browser does."""

import pytest
from django.contrib import admin

from broadcast.models import Account, Address, Membership, Place, Station, User
from tests.broadcast.audience.conftest import build_tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree():
    return build_tree()


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("quantri", password="x"))
    return client


def test_every_page_opens_and_shows_no_secret(boss, tree):
    account = Account(adapter="telegram", label="Telegram tỉnh", place=tree.province)
    account.settings = {"token": "1000000000:very-secret-token-of-telegram"}
    account.save()
    for model in (Place, Account, Station, User):
        name = f"/quan-tri/{model._meta.app_label}/{model._meta.model_name}/"
        for url in [name, name + "add/", *(f"{name}{pk}/change/" for pk in model.objects.values_list("pk", flat=True))]:
            page = boss.get(url)
            assert page.status_code == 200, url
            assert "very-secret" not in page.text and account.hook not in page.text
    assert admin.site.site_header == "Quản trị Loa"


def test_search_needs_no_diacritics(boss, tree):
    assert "Xã Đại Sơn" in boss.get("/quan-tri/broadcast/place/?q=dai son").text
    assert "Xã Sơn Động" not in boss.get("/quan-tri/broadcast/place/?q=Đại Sơn").text


def test_a_village_is_put_below_its_commune(boss, tree):
    fields = {
        "parent": tree.dai_son.pk, "name": "Thôn Mới", "code": "07210-02", "kind": "village",
        "valid_from": "2025-07-01", "successors-TOTAL_FORMS": 0, "successors-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert boss.post("/quan-tri/broadcast/place/add/", fields).status_code == 302
    made = Place.objects.get(name="Thôn Mới")
    assert Place.objects.get(pk=tree.dai_son.pk).contains(made) and made.folded == "thon moi"
    assert not any(Place.objects.find_problems())


def test_a_station_is_a_contact_with_an_address(boss, tree):
    fields = {"name": "Đài xã Đại Sơn", "place": tree.dai_son.pk, "code": "loa-07210", "voice": "espeak"}
    assert boss.post("/quan-tri/broadcast/station/add/", fields).status_code == 302
    station = Station.objects.get()
    assert (station.contact.kind, station.contact.folded) == ("outlet", "dai xa dai son")
    assert station.contact.addresses.get().plain == "loa-07210"
    boss.post(f"/quan-tri/broadcast/station/{station.pk}/change/", {**fields, "code": "loa-9"})
    assert Address.objects.get().plain == "loa-9"
    refused = boss.post("/quan-tri/broadcast/station/add/", {**fields, "code": "mã sai"})
    assert "Mã đài" in refused.text and Station.objects.count() == 1


def test_others_stay_outside(client, tree):
    writer = User.objects.create_user("soan", password="x")
    Membership.objects.create(user=writer, place=tree.province, role="administrator")
    client.force_login(writer)
    assert client.get("/quan-tri/broadcast/account/").status_code in (302, 403)
