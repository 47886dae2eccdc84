"""What ticks mean."""

import pytest

from broadcast.web.tree import Node, mark, normalise


class Spot:
    def __init__(self, pk: int) -> None:
        self.pk = pk


@pytest.fixture
def roots():
    """1 holds 2, 3, 4 and 5; 5 holds 6 and 7."""
    five = Node(Spot(5), [Node(Spot(6)), Node(Spot(7))])
    return [Node(Spot(1), [Node(Spot(2)), Node(Spot(3)), Node(Spot(4)), five])]


EVERYTHING = {1, 2, 3, 4, 5, 6, 7}


@pytest.mark.parametrize(
    ("before", "posted", "meant"),
    [
        (set(), set(), ([], [])),
        (set(), {1}, ([1], [])),  # without script only the top box is ticked
        (set(), EVERYTHING, ([1], [])),
        (set(), {2}, ([2], [])),
        (set(), {2, 6, 7}, ([2, 5], [])),
        (set(), {6}, ([6], [])),
        (EVERYTHING, EVERYTHING, ([1], [])),
        (EVERYTHING, EVERYTHING - {3}, ([1], [3])),  # without script the top box stays ticked
        (EVERYTHING, EVERYTHING - {1, 3}, ([1], [3])),  # with script it does not
        (EVERYTHING, {1}, ([1], [])),
        (EVERYTHING - {3}, EVERYTHING, ([1], [])),
        (EVERYTHING - {3}, {1, 2}, ([1], [])),  # the half-ticked top box was ticked: everything
        (EVERYTHING, {2, 3}, ([2, 3], [])),
        (EVERYTHING, EVERYTHING - {1, 5, 6}, ([2, 3, 4, 7], [])),
    ],
)
def test_ticks(roots, before, posted, meant):
    mark(roots, before)
    assert normalise(roots, posted) == meant


def test_marks(roots):
    mark(roots, EVERYTHING - {6})
    top = roots[0]
    assert top.state == "some"
    assert [child.state for child in top.children] == ["all", "all", "all", "some"]
    mark(roots, EVERYTHING)
    assert top.state == "all"
