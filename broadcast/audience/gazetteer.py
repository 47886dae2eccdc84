"""Finds the unit of today that an address names, also by the names of before the reform."""

from collections import defaultdict

from broadcast.models import Place, PlaceSuccession
from broadcast.models.text import fold

_PREFIXES = ("xa ", "phuong ", "thi tran ", "tt ", "tt. ", "p. ", "p.", "x. ", "x.", "thon ")


class Gazetteer:
    """The names and codes of one branch. Built with three queries; looking up takes none."""

    def __init__(self, root: Place) -> None:
        inside = list(Place.objects.current().within(root))
        self.ids = {place.pk for place in inside}
        self._exact: dict[str, set[int]] = defaultdict(set)
        self._bare: dict[str, set[int]] = defaultdict(set)
        self._old: dict[str, set[tuple[str, int]]] = defaultdict(set)  # name -> (district, place of today)
        self._seen: dict[str, int | str] = {}
        for place in inside:
            self._exact[place.folded].add(place.pk)
            self._exact[place.code].add(place.pk)
            self._bare[_bare(place.folded)].add(place.pk)
        links = list(PlaceSuccession.objects.filter(new__in=self.ids).select_related("old"))
        parents = {link.old.path[: -Place.steplen] for link in links}
        districts = dict(Place.objects.filter(path__in=parents).values_list("path", "folded"))
        for link in links:
            district = _bare(districts.get(link.old.path[: -Place.steplen], ""), ("huyen ", "thanh pho ", "thi xa "))
            for name in {link.old.folded, _bare(link.old.folded)}:
                self._old[name].add((district, link.new_id))

    def find(self, text: str) -> int:
        """The id of the place. Raises ValueError with a sentence for the officer."""
        found = self._seen.get(text)
        if found is None:
            try:
                found = self._find(text)
            except ValueError as error:
                found = str(error)
            if len(self._seen) < 100_000:
                self._seen[text] = found
        if isinstance(found, str):
            raise ValueError(found)
        return found

    def _find(self, text: str) -> int:
        first, *rest = [fold(part) for part in text.replace(" - ", ",").split(",")]
        if not first:
            raise ValueError("Chưa ghi địa bàn.")
        if first.isdecimal():
            first = first.zfill(5)
        old = self._old.get(first, set()) | (set() if first in self._exact else self._old.get(_bare(first), set()))
        named = [name for name in rest if name]
        narrowed = {place for district, place in old if district and any(district in name for name in named)}
        for candidates in (
            narrowed,
            self._exact.get(first),
            {place for _d, place in old},
            self._bare.get(_bare(first)),
        ):
            if candidates:
                if len(candidates) == 1:
                    return next(iter(candidates))
                raise ValueError(f"Có nhiều địa bàn tên “{text[:60]}”. Hãy ghi mã đơn vị hoặc thêm tên huyện cũ.")
        raise ValueError(f"Không có địa bàn “{text[:60]}” trong phạm vi của đơn vị.")


def _bare(name: str, prefixes: tuple[str, ...] = _PREFIXES) -> str:
    return next((name[len(prefix) :] for prefix in prefixes if name.startswith(prefix)), name)
