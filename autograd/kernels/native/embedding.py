"""Rows of a table, and rows added to a table (bodies).

An index outside the table is passed over, and told by `bad`.
"""

from .language import at, extern, helper, words
from .simd import INT, PTR, Module

GRAIN = 1 << 14
"""Elements in one task: some 10 us."""

SHARES = 8
"""Most tasks in which rows are added. Each owns some rows, and looks at all indices for them."""

SHARE_COLUMNS = 32
"""Columns for each task: looking at an index takes as long as adding some ten numbers."""

STREAMED = 1 << 24
"""Elements of a table from which on, with few rows added, one thread does all: it clears 100 MB
past the caches in 1.3 ms, and two, in smaller pieces, took 1.7."""

BATCH = 512
"""Indices looked at before the rows that were found are added: a list of 4 KiB."""


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
new_list = words(BATCH)


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
    if rows * width >= STREAMED and n < rows // 4:
        return 1
    most = min(SHARES, width // SHARE_COLUMNS)
    return max(1, min(most, min(rows, (n + rows) * width // GRAIN)))


@helper
def add_all(g, indices, table, bad, n, width, rows):
    """Add every row of g where it belongs."""
    for i in range(n):
        row = indices[i]
        if 0 <= row < rows:
            add_row(at(g, i * width), at(table, row * width), width)
        else:
            bad[0] = 1


def add_rows(g, indices, table, bad, n, width, rows, one, first, last, worker):
    parts = shares(rows, width, n)
    begin, end = rows * first // parts, rows * last // parts
    for i in range(begin * width, end * width):
        table[i] = 0
    if end - begin == rows:
        add_all(g, indices, table, bad, n, width, rows)
        return
    found = new_list()
    for start in range(0, n, BATCH):
        count = 0
        for i in range(start, min(n, start + BATCH)):
            # No branch: whether a row is one's own cannot be foretold.
            row = indices[i]
            found[count] = i
            count += (row >= begin) & (row < end)
            if row < 0 or row >= rows:
                bad[0] = 1
        for j in range(count):
            i = found[j]
            add_row(at(g, i * width), at(table, indices[i] * width), width)


def add_rows_tasks(g, indices, table, bad, n, width, rows, one):
    if one < 1:
        return 0
    return shares(rows, width, n)
