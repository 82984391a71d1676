"""Sums, products and extremes so far, along contiguous lines (bodies).

Each number depends on the one before it, so a line is a plain loop of some cycles for each element.
"""

from .language import at, helper

GRAIN = 1 << 12
"""Elements in one task: some 5 us."""


@helper
def rows_of(n):
    """How many lines one task takes."""
    return max(1, GRAIN // max(1, n))


@helper
def follow(x, places, n, sign):
    """One line; a record is rare, so that a branch costs less than a selection."""
    best, place = sign * x[0], 0
    for i in range(n):
        value = sign * x[i]
        if not value < best and (best == best or value != value):
            # Of equals the last; nothing is ahead of NaN but NaN.
            best, place = value, i
        places[i] = place


def running_sum(x, _back, y, rows, n, back, first, last, worker):
    group = rows_of(n)
    for r in range(first * group, min(last * group, rows)):
        total = 0.0  # float64 keeps long sums of float32 exact
        place, step = r * n, 1
        if back > 0:
            place, step = r * n + n - 1, -1
        for _ in range(n):
            total += x[place]
            y[place] = total
            place += step


def running_sum_tasks(x, _back, y, rows, n, back):
    return (rows + rows_of(n) - 1) // rows_of(n)


def running_product(x, _back, y, rows, n, back, first, last, worker):
    group = rows_of(n)
    for r in range(first * group, min(last * group, rows)):
        total = 1.0
        place, step = r * n, 1
        if back > 0:
            place, step = r * n + n - 1, -1
        for _ in range(n):
            total *= x[place]
            y[place] = total
            place += step


def running_product_tasks(x, _back, y, rows, n, back):
    return (rows + rows_of(n) - 1) // rows_of(n)


def running_extreme(x, _largest, places, rows, n, largest, first, last, worker):
    group = rows_of(n)
    for r in range(first * group, min(last * group, rows)):
        if largest > 0:
            follow(at(x, r * n), at(places, r * n), n, 1)
        else:
            follow(at(x, r * n), at(places, r * n), n, -1)


def running_extreme_tasks(x, _largest, places, rows, n, largest):
    if n < 1:
        return 0
    return (rows + rows_of(n) - 1) // rows_of(n)
