"""Rows of a table, and rows added to a table (bodies).

An index outside the table is passed over, and told by `bad`.
"""

from .language import at, extern, helper
from .simd import INT, PTR, Module

GRAIN = 1 << 14
"""Elements in one task: some 10 us."""

SHARES = 16
"""Most tasks in which rows are added: each looks at all indices for those in its own rows."""


def rows_of_elements(module: Module) -> None:
    """The vector code."""
    with module.function("copy_row", x=PTR, y=PTR, n=INT) as k:
        k.each_block(k.n, lambda i, rest: k.store(k.y, i, k.load(k.x, i, rest), rest))
    with module.function("add_row", x=PTR, y=PTR, n=INT) as k:

        def add(i, rest):
            k.store(k.y, i, k.load(k.y, i, rest) + k.load(k.x, i, rest), rest)

        k.each_block(k.n, add)


VECTORS = (rows_of_elements,)

copy_row, add_row = extern("copy_row"), extern("add_row")


@helper
def group_of(width):
    """How many rows one task copies."""
    return max(1, GRAIN // max(1, width))


def take_rows(table, indices, y, bad, rows, width, n, one, first, last, worker):
    group = group_of(width)
    for i in range(first * group, min(last * group, n)):
        row = indices[i]
        if 0 <= row < rows:
            copy_row(at(table, row * width), at(y, i * width), width)
        else:
            bad[0] = 1


def take_rows_tasks(table, indices, y, bad, rows, width, n, one):
    if one < 1:
        return 0
    group = group_of(width)
    return (n + group - 1) // group


@helper
def shares(rows, width, n):
    """How many parts the rows of the table are cut into."""
    return max(1, min(SHARES, min(rows, (n + rows) * width // GRAIN)))


def add_rows(g, indices, table, bad, n, width, rows, one, first, last, worker):
    parts = shares(rows, width, n)
    begin, end = rows * first // parts, rows * last // parts
    for i in range(begin * width, end * width):
        table[i] = 0
    for i in range(n):
        row = indices[i]
        if begin <= row < end:
            add_row(at(g, i * width), at(table, row * width), width)
        elif row < 0 or row >= rows:
            bad[0] = 1


def add_rows_tasks(g, indices, table, bad, n, width, rows, one):
    if one < 1:
        return 0
    return shares(rows, width, n)
