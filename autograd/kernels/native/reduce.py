"""Sums (bodies)."""

from .language import at, extern, helper
from .simd import INT, PTR, Module

UNROLL, WIDTH = 4, 8
"""Partial sums at once: an addition takes several cycles."""
TASK = 1 << 15
"""Elements of one task, so that it is worth a thread."""


def sums(module: Module) -> None:
    """The vector code."""
    with module.function("sum_line", x=PTR, y=PTR, n=INT) as k:
        parts = [k.variable(0.0) for _ in range(UNROLL)]
        turn = 0

        def add(i, rest):
            nonlocal turn
            part = parts[turn % UNROLL]
            turn += 1
            part.set(part.get() + k.load(k.x, i, rest))

        k.each_block(k.n, add, unroll=UNROLL)
        a, b, c, d = (part.get() for part in parts)
        k.store_scalar(k.y, 0, k.sum_lanes((a + b) + (c + d)))
    with module.function("sum_column", x=PTR, y=PTR, rows=INT, pitch=INT, n=INT) as k:

        def wide(column):
            """WIDTH vectors side by side, so that a row is read in one run."""
            totals = [k.variable(0.0) for _ in range(WIDTH)]
            with k.loop(0, k.rows) as row:
                line = k.place(k.x, row * k.pitch + column)
                for j, total in enumerate(totals):
                    total.set(total.get() + k.load(line, j * k.lanes))
            for j, total in enumerate(totals):
                k.store(k.y, column + j * k.lanes, total.get())

        def narrow(column, rest):
            """One vector, several rows at once."""
            totals = [k.variable(0.0) for _ in range(UNROLL)]
            whole = k.rows - k.rows % UNROLL
            with k.loop(0, whole, UNROLL) as row:
                for j, total in enumerate(totals):
                    total.set(total.get() + k.load(k.x, (row + j) * k.pitch + column, rest))
            with k.loop(whole, k.rows) as row:
                totals[0].set(totals[0].get() + k.load(k.x, row * k.pitch + column, rest))
            a, b, c, d = (total.get() for total in totals)
            k.store(k.y, column, (a + b) + (c + d), rest)

        step = WIDTH * k.lanes
        done = k.n - k.n % step
        with k.loop(0, done, step) as column:
            wide(column)
        k.each_block(k.n - done, lambda i, rest: narrow(done + i, rest))


VECTORS = (sums,)

sum_line = extern("sum_line")
sum_column = extern("sum_column")


@helper
def per_task(size):
    """How many pieces of some size make a task."""
    return max(TASK // max(size, 1), 1)


@helper
def stripe(rows):
    """Columns of one task, in whole cache lines."""
    return max(1024, (per_task(rows) + 63) // 64 * 64)


def chunk_sums(x, chunk, parts, y, n, _chunk, _parts, first, last, worker):
    group = per_task(chunk)
    for part in range(first * group, min(last * group, parts)):
        begin = part * chunk
        sum_line(at(x, begin), at(y, part), max(min(chunk, n - begin), 0))


def chunk_sums_tasks(x, chunk, parts, y, n, _chunk, _parts):
    group = per_task(chunk)
    return (parts + group - 1) // group


def column_sums(x, chunk, parts, y, rows, cols, _chunk, _parts, first, last, worker):
    width = stripe(min(rows, chunk))
    stripes = max((cols + width - 1) // width, 1)
    for task in range(first, last):
        part, column = task // stripes, task % stripes * width
        begin = part * chunk
        sum_column(
            at(x, begin * cols + column),
            at(y, part * cols + column),
            max(min(chunk, rows - begin), 0),
            cols,
            max(min(width, cols - column), 0),
        )


def column_sums_tasks(x, chunk, parts, y, rows, cols, _chunk, _parts):
    width = stripe(min(rows, chunk))
    return parts * max((cols + width - 1) // width, 1)


def row_sums(x, y, rows, cols, first, last, worker):
    group = per_task(cols)
    for row in range(first * group, min(last * group, rows)):
        sum_line(at(x, row * cols), at(y, row), cols)


def row_sums_tasks(x, y, rows, cols):
    group = per_task(cols)
    return (rows + group - 1) // group
