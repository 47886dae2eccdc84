"""Fills the tree of places from the official lists.

Today's units come from ``vietnam-provinces`` (34 provinces, 3,321 communes, wards and special zones, in force
since 2025-07-01). Their coordinates, the units before the reform (63 provinces with districts) and which unit
became which come from ``vietnamadminunits``. Both number units alike except for some: the two lists are joined by
name within a province.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import transaction

from broadcast.models import Place, PlaceSuccession
from broadcast.models.text import fold, sort_key

from . import tilemap

REFORM = date(2025, 7, 1)
LAST_DAY = REFORM - timedelta(days=1)
# The old list shows the units as they stood from this day on; when each of them began, it does not say.
LISTED = date(2025, 1, 1)

Kind = Place.Kind
_KINDS = {"phường": Kind.WARD, "thị trấn": Kind.TOWN}  # all others are communes, special zones too


class UnknownProvince(ValueError):
    """No province has this code."""


@dataclass
class Unit:
    code: str
    name: str
    kind: str
    latitude: float | None = None
    longitude: float | None = None
    children: list["Unit"] = field(default_factory=list)
    place: Place | None = None  # once it is stored


@dataclass(frozen=True)
class Loaded:
    created: int
    updated: int
    linked: int


def load(province_codes: Collection[str] = ()) -> Loaded:
    """Bring the tree up to the lists, for these provinces (of today) or all. Running it twice changes nothing.

    Raises UnknownProvince and then changes nothing.
    """
    codes = [code.zfill(2) for code in province_codes] or [f"{p['code']:02}" for p in _official()]
    trees = [_province(code) for code in codes]
    with transaction.atomic():
        writer = _Writer()
        for new, old, _links in trees:
            for root in old:
                writer.put(root, valid_from=LISTED, valid_to=LAST_DAY)
            writer.put(new, valid_from=REFORM, valid_to=None)
        writer.flush()
        for new, _old, _links in trees:
            writer.draw(new.children)
        links = [pair for _new, _old, pairs in trees for pair in pairs]
        return Loaded(writer.created, writer.updated, _link(links))


def _province(code: str) -> tuple[Unit, list[Unit], list[tuple[Unit, Unit, bool]]]:
    """A province of today, the provinces it was made of, and (old, new, whole) for each unit that was merged."""
    entry = next((p for p in _official() if f"{p['code']:02}" == code), None)
    if entry is None:
        raise UnknownProvince(f"Không có tỉnh, thành phố nào mang mã “{code}”.")
    units = [
        Unit(f"{w['code']:05}", " ".join(w["name"].split()), _KINDS.get(w["division_type"], Kind.COMMUNE))
        for w in entry["wards"]
    ]
    units.sort(key=lambda unit: sort_key(unit.name))
    located = _rows("SELECT * FROM admin_units WHERE provinceCode = ?", code)
    by_key = {row["wardKey"]: unit for row, unit in _join(located, units)}
    prefix = "Tỉnh" if entry["division_type"] == "tỉnh" else ""  # the list writes it out for cities only
    province = Unit(code, f"{prefix} {entry['name']}".strip(), Kind.PROVINCE, children=units)
    province.latitude, province.longitude = located[0]["provinceLat"], located[0]["provinceLon"]

    converter, key = _converter(), located[0]["provinceKey"]
    old_provinces, old_by_key = [], {}
    for old_key in converter["DICT_PROVINCE"][key]:
        old, keys = _old_province(old_key)
        old_provinces.append(old)
        old_by_key.update(keys)
    links = [(old, province, True) for old in old_provinces]
    for ward_key, old_keys in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].get(key, {}).items():
        links += [(old_by_key[old_key], by_key[ward_key], True) for old_key in old_keys]
    for old_key, parts in converter["DICT_PROVINCE_WARD_DIVIDED"].get(key, {}).items():
        links += [(old_by_key[old_key], by_key[part["newWardKey"]], False) for part in parts]
    return province, old_provinces, links


def _join(rows: list[sqlite3.Row], units: list[Unit]) -> Iterable[tuple[sqlite3.Row, Unit]]:
    """Pair the rows of one list with the units of the other and hand over coordinates.

    By name without diacritics, for the lists spell "Hoà" and "Hòa"; where that is ambiguous, by the exact name.
    """
    named = defaultdict(list)
    for unit in units:
        named[fold(unit.name)].append(unit)
    for row in rows:
        namesakes = named[fold(row["ward"])]
        unit = namesakes[0] if len(namesakes) == 1 else next(u for u in namesakes if _same(u.name, row["ward"]))
        unit.latitude, unit.longitude = row["wardLat"], row["wardLon"]
        yield row, unit


def _same(one: str, other: str) -> bool:
    """The same letters, wherever in the syllable the tone is written."""

    def letters_and_tones(name: str) -> tuple[str, list[str]]:
        letters, _, tones = sort_key(" ".join(name.split())).rpartition(" ")
        return letters, sorted(tones)

    return letters_and_tones(one) == letters_and_tones(other)


def _old_province(key: str) -> tuple[Unit, dict[str, Unit]]:
    """A province as it was, and its lowest units by the key the succession lists use."""
    rows = _rows("SELECT * FROM admin_units_legacy WHERE provinceKey = ? ORDER BY districtCode, wardCode", key)
    first = rows[0]
    province = Unit(first["provinceCode"], first["province"], Kind.PROVINCE, first["provinceLat"], first["provinceLon"])
    districts: dict[str, Unit] = {}
    by_key = {}
    for row in rows:
        district = districts.get(row["districtCode"])
        if district is None:
            district = districts[row["districtCode"]] = Unit(
                row["districtCode"], row["district"], Kind.DISTRICT, row["districtLat"], row["districtLon"]
            )
            province.children.append(district)
        lowest = district
        if row["wardCode"]:  # five island districts had no communes
            kind = _KINDS.get(row["wardType"].lower(), Kind.COMMUNE)
            lowest = Unit(row["wardCode"], row["ward"], kind, row["wardLat"], row["wardLon"])
            district.children.append(lowest)
        by_key[f"{key}_{row['districtKey']}_{row['wardKey'] or ''}"] = lowest
    return province, by_key


class _Writer:
    """Creates and updates places level by level, in bulk: paths are arithmetic, so no query for each node."""

    def __init__(self) -> None:
        self.known = {(p.code, p.kind, p.valid_from): p for p in Place.objects.all()}
        self.last_child: dict[str, int] = defaultdict(int)
        for place in self.known.values():
            parent, step = place.path[: -Place.steplen], Place._str2int(place.path[-Place.steplen :])
            self.last_child[parent] = max(self.last_child[parent], step)
        self.fresh: list[Place] = []
        self.changed: dict[int, Place] = {}
        self.created = 0

    @property
    def updated(self) -> int:
        return len(self.changed)

    def put(self, unit: Unit, *, valid_from: date, valid_to: date | None, parent: Place | None = None) -> None:
        wanted: dict[str, Any] = {
            "name": unit.name,
            "folded": fold(unit.name),
            "sort_key": sort_key(unit.name),
            "valid_to": valid_to,
            "latitude": unit.latitude,
            "longitude": unit.longitude,
        }
        place = self.known.get((unit.code, unit.kind, valid_from))
        if place is None:
            above = parent.path if parent else ""
            depth = parent.depth + 1 if parent else 1
            self.last_child[above] += 1
            place = Place(
                code=unit.code,
                kind=unit.kind,
                valid_from=valid_from,
                path=Place._get_path(above, depth, self.last_child[above]),
                depth=depth,
                **wanted,
            )
            self.known[unit.code, unit.kind, valid_from] = place
            self.fresh.append(place)
            if parent is not None:
                self._set(parent, numchild=parent.numchild + 1)
        else:
            self._set(place, **wanted)
        unit.place = place
        for child in unit.children:
            self.put(child, valid_from=valid_from, valid_to=valid_to, parent=place)

    def flush(self) -> None:
        Place.objects.bulk_create(self.fresh, batch_size=5000)
        self.created, self.fresh = self.created + len(self.fresh), []
        self._write_changes("name", "folded", "sort_key", "valid_to", "latitude", "longitude", "numchild")

    def draw(self, units: list[Unit]) -> None:
        """Give a province's units their tiles, unless each has one."""
        places = [unit.place for unit in units if unit.place]
        if all(place.tile_row for place in places):
            return
        tiles = tilemap.assign([(place.latitude or 0.0, place.longitude or 0.0) for place in places])
        for place, (column, row) in zip(places, tiles, strict=True):
            place.tile_column, place.tile_row = column, row
        Place.objects.bulk_update(places, ["tile_column", "tile_row"], batch_size=1000)

    def _set(self, place: Place, **wanted: Any) -> None:
        for name, value in wanted.items():
            if getattr(place, name) != value:
                setattr(place, name, value)
                if place.pk:
                    self.changed[place.pk] = place

    def _write_changes(self, *fields: str) -> None:
        if self.changed:
            Place.objects.bulk_update(self.changed.values(), fields, batch_size=500)


def _link(links: list[tuple[Unit, Unit, bool]]) -> int:
    known = set(PlaceSuccession.objects.values_list("old_id", "new_id"))
    fresh = [
        PlaceSuccession(old=old.place, new=new.place, whole=whole, since=REFORM)
        for old, new, whole in links
        if old.place and new.place and (old.place.pk, new.place.pk) not in known
    ]
    PlaceSuccession.objects.bulk_create(fresh, batch_size=5000)
    return len(fresh)


@cache
def _official() -> list[dict[str, Any]]:
    return json.loads(_data("vietnam_provinces", "nested-divisions.json").read_bytes())


@cache
def _converter() -> dict[str, Any]:
    return json.loads(_data("vietnamadminunits", "converter_2025.json").read_bytes())


def _rows(query: str, *parameters: str) -> list[sqlite3.Row]:
    path = _data("vietnamadminunits", "dataset.db")
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return database.execute(query, parameters).fetchall()


def _data(package: str, name: str) -> Path:
    """A data file of a package, found without importing it: both parse all their data on import, for two seconds."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(spec.submodule_search_locations[0]) / "data" / name
