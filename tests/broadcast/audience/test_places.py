"""The official tree, loaded from the packages that carry it."""

from collections import Counter
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from broadcast.audience import places, tilemap
from broadcast.models import Place, PlaceSuccession

pytestmark = pytest.mark.django_db


@pytest.fixture
def bac_ninh():
    return places.load(["24"])


def _versions():
    """Every row with the transaction that last wrote it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text, ctid::text FROM broadcast_place ORDER BY id")
        return cursor.fetchall()


def test_bac_ninh_of_today(bac_ninh):
    province = Place.objects.current().get(code="24", kind="province")
    assert province.name == "Tỉnh Bắc Ninh" and province.numchild == 99
    units = Place.objects.current().within(province).exclude(pk=province.pk)
    assert Counter(units.values_list("kind", flat=True)) == {"commune": 66, "ward": 33}
    assert all(len(unit.code) == 5 and unit.valid_from == date(2025, 7, 1) for unit in units)
    assert all(21.0 <= unit.latitude <= 21.7 and 105.8 <= unit.longitude <= 107.1 for unit in units)


def test_the_units_before_the_reform_are_history(bac_ninh):
    old = Place.objects.filter(valid_to=date(2025, 6, 30))
    assert Counter(old.values_list("kind", flat=True)) == {
        "province": 2, "district": 18, "commune": 209, "ward": 85, "town": 19,
    }  # fmt: skip
    bac_giang = old.get(name="Tỉnh Bắc Giang")
    branch = Place.objects.within(bac_giang)
    assert branch.filter(kind="district").count() == 10 and branch.count() == 1 + 10 + 192


def test_every_old_unit_leads_to_a_new_one(bac_ninh):
    lowest = Place.objects.filter(valid_to__isnull=False).exclude(kind="district")
    assert PlaceSuccession.objects.count() == lowest.count() == 313 + 2
    assert not lowest.filter(successors__isnull=True).exists()
    assert not Place.objects.current().filter(predecessors__isnull=True).exists()
    merged = Place.objects.current().get(name="Xã Đại Sơn").predecessors.values_list("old__name", flat=True)
    assert set(merged) == {"Xã Đại Sơn", "Xã Giáo Liêm", "Xã Phúc Sơn"}


def test_the_tree_is_sound(bac_ninh):
    assert not any(Place.objects.find_problems())
    Place.objects.add_child(Place.objects.current().get(code="24", kind="province"), {
        "code": "99999", "name": "Xã Mới", "kind": "commune", "valid_from": date(2026, 1, 1)})  # fmt: skip
    assert not any(Place.objects.find_problems())


def test_again_changes_nothing(bac_ninh):
    before = _versions()
    assert places.load(["24"]) == places.Loaded(0, 0, 0)
    assert _versions() == before


def test_a_changed_name_is_put_right(bac_ninh):
    place = Place.objects.current().get(name="Xã Đại Sơn")
    Place.objects.filter(pk=place.pk).update(name="Xã Khác", latitude=None)
    assert places.load(["24"]) == places.Loaded(0, 1, 0)
    again = Place.objects.get(pk=place.pk)
    assert (again.name, again.latitude, again.path) == (place.name, place.latitude, place.path)


def test_more_provinces_join_the_ones_there(bac_ninh):
    places.load(["20", "01"])
    assert not any(Place.objects.find_problems())
    assert Place.objects.current().filter(kind="province").count() == 3
    divided = PlaceSuccession.objects.filter(whole=False).values_list("old__name", flat=True)
    assert "Thị trấn Tây Đằng" in divided
    # The two lists number some units of Hà Nội differently; the official number counts.
    assert Place.objects.current().get(name="Phường Cửa Nam").code == "00073"


def test_namesakes_but_for_their_diacritics(db):
    places.load(["51"])
    ba_to, ba_to_ = Place.objects.current().get(name="Xã Ba Tơ"), Place.objects.current().get(name="Xã Ba Tô")
    assert (ba_to.latitude, ba_to.longitude) != (ba_to_.latitude, ba_to_.longitude)


def test_an_unknown_province_changes_nothing(db):
    with pytest.raises(CommandError, match="99"):
        call_command("load_places", "--province", "24", "99")
    assert not Place.objects.exists()


def test_the_tile_map_resembles_the_province(bac_ninh):
    units = list(Place.objects.current().filter(tile_row__isnull=False))
    assert len({(u.tile_column, u.tile_row) for u in units}) == len(units) == 99
    named = {unit.name: unit for unit in units}
    north, south = named["Xã Tân Sơn"], named["Phường Từ Sơn"]
    east, west = named["Xã Dương Hưu"], named["Xã Hợp Thịnh"]
    assert north.tile_row < south.tile_row and west.tile_column < east.tile_column
    # Two units far apart never change sides.
    for one in units:
        for other in units:
            if one.latitude - other.latitude > 0.2:
                assert one.tile_row <= other.tile_row, (one.name, other.name)
            if one.longitude - other.longitude > 0.35:
                assert one.tile_column >= other.tile_column, (one.name, other.name)


@pytest.mark.parametrize("points", [[], [(21.0, 106.0)], [(21.0, 106.0)] * 7, [(21.0, 106.0 + n) for n in range(9)]])
def test_tiles_of_odd_maps(points):
    tiles = tilemap.assign(points)
    assert len(set(tiles)) == len(points) and all(column > 0 and row > 0 for column, row in tiles)
    assert tiles == tilemap.assign(points)
