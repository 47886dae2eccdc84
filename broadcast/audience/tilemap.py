"""A map of equal tiles: every unit gets one cell of a grid, as near as can be to where it really lies.

Small wards stay as legible and as easy to tap as large communes, which a true map does not allow.
"""

import math
from collections.abc import Sequence

_SLACK = 1.35  # cells for each unit: the empty ones keep the outline recognisable
_CELL_ASPECT = 1.6  # a tile is drawn wider than high, since it carries a name


def assign(points: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """(column, row) from 1, row 1 in the north, for each (latitude, longitude). No two alike; deterministic.

    The sum of squared distances between units and their tiles is the least possible.
    """
    if not points:
        return []
    latitudes, longitudes = [p[0] for p in points], [p[1] for p in points]
    height = max(latitudes) - min(latitudes)
    width = (max(longitudes) - min(longitudes)) * math.cos(math.radians(sum(latitudes) / len(points)))
    aspect = min(4.0, max(0.25, width / height if width and height else 1.0))
    columns = max(1, round(math.sqrt(len(points) * _SLACK * aspect / _CELL_ASPECT)))
    rows = math.ceil(len(points) * _SLACK / columns)
    across = _spread(longitudes, columns)
    down = [rows - 1 - y for y in _spread(latitudes, rows)]
    cells = [(column, row) for row in range(rows) for column in range(columns)]
    costs = [[(x - column) ** 2 + (y - row) ** 2 for column, row in cells] for x, y in zip(across, down, strict=True)]
    return [(cells[cell][0] + 1, cells[cell][1] + 1) for cell in _least_cost(costs)]


def _spread(values: list[float], size: int) -> list[float]:
    """Positions between 0 and ``size - 1``, half true to scale and half to rank, so that towns get room."""
    low, span = min(values), max(values) - min(values) or 1.0
    ranks = {index: rank for rank, index in enumerate(sorted(range(len(values)), key=lambda i: (values[i], i)))}
    last = max(1, len(values) - 1)
    return [(size - 1) * ((value - low) / span + ranks[i] / last) / 2 for i, value in enumerate(values)]


def _least_cost(costs: list[list[float]]) -> list[int]:
    """The column for each row of ``costs`` that makes the sum least: shortest augmenting paths (Kuhn-Munkres)."""
    rows, columns = len(costs), len(costs[0])
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)  # the row that has this column; rows and columns count from 1, 0 is none
    for row in range(1, rows + 1):
        owner[0] = row
        column = 0
        best = [math.inf] * (columns + 1)
        came_from = [0] * (columns + 1)
        open_columns = set(range(1, columns + 1))
        while owner[column]:
            here = owner[column]
            open_columns.discard(column)
            line, price = costs[here - 1], row_price[here]
            step, nearest = math.inf, 0
            for candidate in sorted(open_columns):
                reduced = line[candidate - 1] - price - column_price[candidate]
                if reduced < best[candidate]:
                    best[candidate], came_from[candidate] = reduced, column
                if best[candidate] < step:
                    step, nearest = best[candidate], candidate
            for candidate in range(columns + 1):
                if candidate in open_columns:
                    best[candidate] -= step
                else:
                    row_price[owner[candidate]] += step
                    column_price[candidate] -= step
            column = nearest
        while column:
            owner[column] = owner[came_from[column]]
            column = came_from[column]
    result = [0] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            result[owner[column] - 1] = column - 1
    return result
