"""Softmax, its logarithm, their gradients, and cross-entropy (bodies and vector code).

Rows are contiguous and lanes run along them, or, where something lies behind the axis, lanes are
neighbouring rows. A row is read three times: for its largest element, for the sum of exponentials,
and to be scaled; the later times it comes from the caches.
"""

import math

from .language import at, extern, helper, room
from .simd import INT, PTR, Module
from .vmath import exp, log

GRAIN = 1 << 13
"""Elements in one task, where one row has fewer: some 5 us of exponentials."""

BLOCK = 128
"""Neighbouring rows that a task takes together."""

UNROLL = 4
"""Vectors at once, as one result waits for the one before."""


def folded(k, n, first, term, combine):
    """Combine term(i, mask) over all vectors of n elements; one vector for each unrolled one."""
    parts = [k.variable(first) for _ in range(UNROLL)]
    turn = [0]

    def step(i, rest):
        part = parts[turn[0] % UNROLL]
        turn[0] += 1
        part.set(combine(part.get(), term(i, rest)))

    k.each_block(n, step, unroll=UNROLL)
    values = [part.get() for part in parts]
    while len(values) > 1:
        values = [combine(a, b) for a, b in zip(values[::2], values[1::2], strict=True)]
    return values[0]


def within(k, x, rest, otherwise=0.0):
    """X, and another number in the lanes beyond the end."""
    return x if rest is None else k.select(rest, x, otherwise)


def largest(k, x, n):
    """The largest element of a row, in all lanes; anything if there is a NaN."""
    lowest = k.splat(float("-inf"))
    top = folded(
        k, n, lowest, lambda i, rest: within(k, k.load(x, i, rest), rest, lowest), k.larger
    )
    return k.splat(k.folded(top, k.larger))


def total(k, n, term):
    """The sum of term(i, mask), in all lanes."""
    return k.splat(k.sum_lanes(folded(k, n, 0.0, term, lambda a, b: a + b)))


def rows(module: Module) -> None:
    """Lanes along a row."""

    def exponentials(k, x, y, n):
        """Write exp(x - m); return m and the sum."""
        m = largest(k, x, n)

        def term(i, rest):
            e = exp(k, k.load(x, i, rest) - m)
            k.store(y, i, e, rest)
            return within(k, e, rest)

        return m, total(k, n, term)

    with module.function("softmax_row", x=PTR, y=PTR, n=INT) as k:
        inverse = 1.0 / exponentials(k, k.x, k.y, k.n)[1]

        def write(i, rest):
            k.store(k.y, i, k.load(k.y, i, rest) * inverse, rest)

        k.each_block(k.n, write, unroll=UNROLL)

    with module.function("log_softmax_row", x=PTR, y=PTR, n=INT) as k:
        m = largest(k, k.x, k.n)
        s = log(k, total(k, k.n, lambda i, rest: within(k, exp(k, k.load(k.x, i, rest) - m), rest)))

        def write_log(i, rest):
            k.store(k.y, i, (k.load(k.x, i, rest) - m) - s, rest)

        k.each_block(k.n, write_log, unroll=UNROLL)

    with module.function("softmax_row_gradient", g=PTR, y=PTR, dx=PTR, n=INT) as k:
        s = total(k, k.n, lambda i, rest: k.load(k.g, i, rest) * k.load(k.y, i, rest))

        def write_gradient(i, rest):
            k.store(k.dx, i, k.load(k.y, i, rest) * (k.load(k.g, i, rest) - s), rest)

        k.each_block(k.n, write_gradient, unroll=UNROLL)

    with module.function("log_softmax_row_gradient", g=PTR, y=PTR, dx=PTR, n=INT) as k:
        s = total(k, k.n, lambda i, rest: k.load(k.g, i, rest))

        def write_log_gradient(i, rest):
            k.store(k.dx, i, k.load(k.g, i, rest) - exp(k, k.load(k.y, i, rest)) * s, rest)

        k.each_block(k.n, write_log_gradient, unroll=UNROLL)

    with module.function("cross_entropy_row", x=PTR, slope=PTR, n=INT, share=PTR, loss=PTR) as k:
        # Loss: log(sum(exp(x - m))) + m; the caller takes off the target's score.
        m, s = exponentials(k, k.x, k.slope, k.n)
        scale = k.splat(k.load_scalar(k.share)) / s

        def write_slope(i, rest):
            k.store(k.slope, i, k.load(k.slope, i, rest) * scale, rest)

        k.each_block(k.n, write_slope, unroll=UNROLL)
        k.store(k.loss, 0, log(k, s), k.first_lanes(k.integer(1)))
        k.store(k.loss, 1, m, k.first_lanes(k.integer(1)))

    with module.function("row_sum", x=PTR, n=INT, out=PTR) as k:
        s = total(k, k.n, lambda i, rest: k.load(k.x, i, rest))
        k.store(k.out, 0, s, k.first_lanes(k.integer(1)))


def columns(module: Module) -> None:
    """Lanes are `count` neighbouring rows, whose elements lie `stride` apart."""
    shape = {"n": INT, "stride": INT, "count": INT}
    for name, logarithm in (("softmax", False), ("log_softmax", True)):
        with module.function(f"{name}_columns", x=PTR, y=PTR, **shape) as k:
            each_group(k, log_softmax_group if logarithm else softmax_group)
        with module.function(f"{name}_columns_gradient", g=PTR, y=PTR, dx=PTR, **shape) as k:
            each_group(k, log_gradient_group if logarithm else gradient_group)


def each_group(k, write):
    """Call write(k, places, mask) for all columns, UNROLL vectors of them at a time.

    Strides are often powers of two, where every line falls into the same set of a cache: what lies
    side by side must be read at once.
    """
    done = k.integer(0)
    for width in (k.lanes * UNROLL, k.lanes):
        stop = k.count - (k.count - done) % width
        with k.loop(done, stop, width) as i:
            write(k, [i + j for j in range(0, width, k.lanes)], None)
        done = stop
    with k.when(done < k.count):
        write(k, [done], k.first_lanes(k.count - done))


def down(k, places, first, term, combine=lambda a, b: a + b):
    """Combine term(i, j) over the rows, for each of the places by itself; i is where an element is.

    The terms of a row come first, so that their loads and exponentials overlap.
    """
    values = [k.variable(first) for _ in places]
    with k.loop(0, k.n) as r:
        terms = [term(r * k.stride + place, j) for j, place in enumerate(places)]
        for value, new in zip(values, terms, strict=True):
            value.set(combine(value.get(), new))
    return [value.get() for value in values]


def write_down(k, pointer, places, rest, value):
    """Write value(i, j) to all rows of all places."""
    with k.loop(0, k.n) as r:
        for j, place in enumerate(places):
            i = r * k.stride + place
            k.store(pointer, i, value(i, j), rest)


def softmax_group(k, places, rest):
    top = down(k, places, float("-inf"), lambda i, _: k.load(k.x, i, rest), k.larger)

    def term(i, j):
        e = exp(k, k.load(k.x, i, rest) - top[j])
        k.store(k.y, i, e, rest)
        return e

    inverse = [1.0 / s for s in down(k, places, 0.0, term)]
    write_down(k, k.y, places, rest, lambda i, j: k.load(k.y, i, rest) * inverse[j])


def log_softmax_group(k, places, rest):
    top = down(k, places, float("-inf"), lambda i, _: k.load(k.x, i, rest), k.larger)
    sums = down(k, places, 0.0, lambda i, j: exp(k, k.load(k.x, i, rest) - top[j]))
    logs = [log(k, s) for s in sums]
    write_down(k, k.y, places, rest, lambda i, j: (k.load(k.x, i, rest) - top[j]) - logs[j])


def gradient_group(k, places, rest):
    sums = down(k, places, 0.0, lambda i, _: k.load(k.g, i, rest) * k.load(k.y, i, rest))

    def value(i, j):
        return k.load(k.y, i, rest) * (k.load(k.g, i, rest) - sums[j])

    write_down(k, k.dx, places, rest, value)


def log_gradient_group(k, places, rest):
    sums = down(k, places, 0.0, lambda i, _: k.load(k.g, i, rest))

    def value(i, j):
        return k.load(k.g, i, rest) - exp(k, k.load(k.y, i, rest)) * sums[j]

    write_down(k, k.dx, places, rest, value)


VECTORS = (rows, columns)

softmax_row, log_softmax_row = extern("softmax_row"), extern("log_softmax_row")
softmax_columns, log_softmax_columns = extern("softmax_columns"), extern("log_softmax_columns")
softmax_row_gradient = extern("softmax_row_gradient")
log_softmax_row_gradient = extern("log_softmax_row_gradient")
softmax_columns_gradient = extern("softmax_columns_gradient")
log_softmax_columns_gradient = extern("log_softmax_columns_gradient")
cross_entropy_row = extern("cross_entropy_row")
row_sum = extern("row_sum")
few, single = room(2), room(1)


@helper
def blocks_of(inner):
    """Blocks of neighbouring rows."""
    return (inner + BLOCK - 1) // BLOCK


@helper
def share(length, inner):
    """Rows, or blocks of neighbouring rows, in one task."""
    return max(1, GRAIN // (length * min(inner, BLOCK)))


@helper
def tasks_of(total, length, inner):
    if total == 0:
        return 0
    units = total // (length * inner) * blocks_of(inner)
    per = share(length, inner)
    return (units + per - 1) // per


def softmax(
    x, length, inner, logarithm, y, total, _length, _inner, _logarithm, first, last, worker
):
    blocks, per = blocks_of(inner), share(length, inner)
    for unit in range(first * per, min(last * per, total // (length * inner) * blocks)):
        within = unit % blocks * BLOCK
        i = unit // blocks * length * inner + within
        count = min(BLOCK, inner - within)
        if inner == 1 and logarithm:
            log_softmax_row(at(x, i), at(y, i), length)
        elif inner == 1:
            softmax_row(at(x, i), at(y, i), length)
        elif logarithm:
            log_softmax_columns(at(x, i), at(y, i), length, inner, count)
        else:
            softmax_columns(at(x, i), at(y, i), length, inner, count)


def softmax_tasks(x, length, inner, logarithm, y, total, _length, _inner, _logarithm):
    return tasks_of(total, length, inner)


def softmax_backward(
    g, y, length, inner, logarithm, dx, total, _length, _inner, _logarithm, first, last, worker
):
    blocks, per = blocks_of(inner), share(length, inner)
    for unit in range(first * per, min(last * per, total // (length * inner) * blocks)):
        within = unit % blocks * BLOCK
        i = unit // blocks * length * inner + within
        count = min(BLOCK, inner - within)
        if inner == 1 and logarithm:
            log_softmax_row_gradient(at(g, i), at(y, i), at(dx, i), length)
        elif inner == 1:
            softmax_row_gradient(at(g, i), at(y, i), at(dx, i), length)
        elif logarithm:
            log_softmax_columns_gradient(at(g, i), at(y, i), at(dx, i), length, inner, count)
        else:
            softmax_columns_gradient(at(g, i), at(y, i), at(dx, i), length, inner, count)


def softmax_backward_tasks(g, y, length, inner, logarithm, dx, total, _length, _inner, _logarithm):
    return tasks_of(total, length, inner)


def cross_entropy(x, target, losses, slope, rows, classes, first, last, worker):
    out, portion = few(x), single(x)
    portion[0] = 1.0 / rows
    per = share(classes, 1)
    for r in range(first * per, min(last * per, rows)):
        row, t = at(x, r * classes), target[r]
        to = at(slope, r * classes)
        cross_entropy_row(row, to, classes, portion, out)
        if 0 <= t < classes:
            losses[r] = out[0] - (row[t] - out[1])
            to[t] -= portion[0]
        else:
            losses[r] = math.nan


def cross_entropy_tasks(x, target, losses, slope, rows, classes):
    return tasks_of(rows * classes, classes, 1)


def average(x, mean, n, first, last, worker):
    out, total = few(x), 0.0
    for i in range(0, n, GRAIN):
        row_sum(at(x, i), min(GRAIN, n - i), out)
        total += out[0]
    mean[0] = total / n
