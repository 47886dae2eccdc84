"""The tree of places as tri-state checkboxes. A branch is chosen whole, or some of its parts are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from broadcast.models import Audience, Place


@dataclass(slots=True)
class Node:
    place: Place
    children: list[Node] = field(default_factory=list)
    state: str = ""  # "all", "some" or ""
    inside: int = 0  # places below, at every depth


def load(tops: Iterable[Place]) -> list[Node]:
    """The branches below ``tops``, in the order of the dictionary. One query."""
    nodes: dict[str, Node] = {}
    roots: list[Node] = []
    for place in Place.objects.current().within(*tops).order_by("path"):
        node = nodes[place.path] = Node(place)
        parent = nodes.get(place.path[: -Place.steplen])
        (parent.children if parent else roots).append(node)
    for node in nodes.values():
        node.children.sort(key=lambda child: child.place.sort_key)
    for path in sorted(nodes, reverse=True):
        node = nodes[path]
        node.inside = sum(1 + child.inside for child in node.children)
    return roots


def chosen(audience: Audience | None) -> set[int]:
    """Every place of an audience, itself or by its branch."""
    return set(audience.place_ids()) if audience else set()


def mark(nodes: Iterable[Node], chosen: set[int]) -> None:
    for node in nodes:
        mark(node.children, chosen)
        states = {child.state for child in node.children}
        if node.place.pk in chosen and states <= {"all"}:
            node.state = "all"
        elif node.place.pk in chosen or states & {"all", "some"}:
            node.state = "some"


def normalise(roots: Iterable[Node], posted: set[int]) -> tuple[list[int], list[int]]:
    """What the ticks mean, in as few words as can be: the branches chosen, and those left out of them.

    Wants marked nodes. Where a branch was shown ticked, so were its parts: if its own box is still ticked and some
    part's is not, someone took that part out. (Without script nothing unticks the branch's own box for them.)
    """
    tops: list[int] = []
    excluded: list[int] = []
    for node in roots:
        _whole, some_tops, some_excluded = _read(node, posted)
        tops += some_tops
        excluded += some_excluded
    return tops, excluded


def _read(node: Node, posted: set[int]) -> tuple[bool, list[int], list[int]]:
    """Whether the branch is chosen whole; its branches chosen and left out."""
    pk = node.place.pk
    ticked = pk in posted
    if ticked and (node.state != "all" or not any(child.place.pk in posted for child in node.children)):
        return True, [pk], []
    if not node.children:
        return False, [], []
    parts = [(child, *_read(child, posted)) for child in node.children]
    empty = [child.place.pk for child, _whole, tops, _excluded in parts if not tops]
    whole = sum(whole for _child, whole, _tops, _excluded in parts)
    if whole == len(parts):
        return True, [pk], []
    if whole + len(empty) == len(parts) and whole > len(empty):
        return False, [pk], empty
    return False, [t for _c, _w, tops, _e in parts for t in tops], [e for _c, _w, _t, out in parts for e in out]
