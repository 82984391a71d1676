"""Attention (bodies and vector code).

A task of the forward is a block of queries of one head, so few that their scores stay in the L2
cache: scores, softmax in place, and the product with the values. A task of the backward is a head,
whose blocks follow one another, since they all add to the gradients of keys and values.

The products are those of matmul.py, in which sums do not depend on how a matrix is cut into blocks
of rows.
"""

from numba import types

from . import tiles
from .language import at, extern, helper
from .matmul import DOT_LIMIT, address, block, dot_block, size_of
from .simd import INT, PTR, Module
from .softmax import UNROLL, folded, total, within
from .vmath import exp

ROW = {"t": PTR, "mask": PTR, "n": INT, "width": INT, "scale": PTR, "stats": PTR}
"""A row of products, of which n are looked at, and the two numbers that are kept of it."""


def rows(module: Module) -> None:
    """What is done to one row of scores; lanes run along it."""
    for name, masked in (("", False), ("_masked", True)):
        with module.function(f"attend{name}", **ROW) as k:
            weigh(k, masked)
        with module.function(f"attend_again{name}", **ROW) as k:
            weigh_again(k, masked)

    with module.function("attend_slope", p=PTR, d=PTR, n=INT, scale=PTR) as k:
        s = total(k, k.n, lambda i, rest: k.load(k.p, i, rest) * k.load(k.d, i, rest))
        factor = k.splat(k.load_scalar(k.scale))

        def slope(i, rest):
            k.store(k.d, i, k.load(k.p, i, rest) * (k.load(k.d, i, rest) - s) * factor, rest)

        k.each_block(k.n, slope, unroll=UNROLL)

    with module.function("attend_add", x=PTR, y=PTR, n=INT) as k:
        k.each_block(
            k.n, lambda i, rest: k.store(k.y, i, k.load(k.y, i, rest) + k.load(k.x, i, rest), rest)
        )
    with module.function("attend_zero", y=PTR, n=INT) as k:
        k.each_block(k.n, lambda i, rest: k.store(k.y, i, k.splat(0.0), rest))


def score(k, i, rest, masked):
    """Scores from products: the same, bit for bit, each time."""
    x = k.load(k.t, i, rest) * k.splat(k.load_scalar(k.scale))
    return x + k.load(k.mask, i, rest) if masked else x


def weigh(k, masked):
    """Turn a row into weights, and keep shift and factor."""
    lowest = float("-inf")
    top = folded(
        k, k.n, lowest, lambda i, rest: within(k, score(k, i, rest, masked), rest, lowest), k.larger
    )
    m = k.splat(k.folded(top, k.larger))
    m = k.select(m > lowest, m, 0.0)

    def term(i, rest):
        e = exp(k, score(k, i, rest, masked) - m)
        k.store(k.t, i, e, rest)
        return within(k, e, rest)

    s = total(k, k.n, term)
    inverse = k.select(s.eq(0.0), s, 1.0 / s)

    def scaled(i, rest):
        k.store(k.t, i, k.load(k.t, i, rest) * inverse, rest)

    k.each_block(k.n, scaled, unroll=UNROLL)
    clear(k)
    one = k.first_lanes(k.integer(1))
    k.store(k.stats, 0, m, one)
    k.store(k.stats, 1, inverse, one)


def weigh_again(k, masked):
    """The same with the shift and the factor that were kept."""
    m, inverse = (k.splat(k.load_scalar(k.stats, i)) for i in range(2))

    def weight(i, rest):
        k.store(k.t, i, exp(k, score(k, i, rest, masked) - m) * inverse, rest)

    k.each_block(k.n, weight, unroll=UNROLL)
    clear(k)


def clear(k):
    """Write 0 behind the first n of a row: weights of keys that are out of sight."""
    to = k.place(k.t, k.n)
    k.each_block(k.width - k.n, lambda i, rest: k.store(to, i, k.splat(0.0), rest))


VECTORS = (tiles.panels, tiles.packing, tiles.dots, rows)

attend, attend_masked = extern("attend"), extern("attend_masked")
attend_again, attend_again_masked = extern("attend_again"), extern("attend_again_masked")
attend_slope, attend_add, attend_zero = (
    extern("attend_slope"),
    extern("attend_add"),
    extern("attend_zero"),
)


def product(size, a, a_row, a_col, b, b_row, b_col, c, c_row, m, n, k):
    """C = A B, all of them anywhere in memory."""
    if b_row == 1 and a_col == 1 and (m <= DOT_LIMIT or n == 1):
        dot_block(size, a, a_row, b, b_col, 0, c, c_row, m, n, k)
    else:
        block(size, a, a_row, a_col, b, b_row, b_col, 0, c, c_row, m, n, k)
    return 0


EXPORTS = {"attend_product": (product, types.int64(*[types.int64] * 12))}
multiply = extern("attend_product", types.int64, generic=False)

# The words of a plan: sizes, and how far the rows of each array lie apart.
LENGTH, SIZE, WIDTH, DEPTH, CAUSAL, ROWS, BLOCKS = range(7)
Q_ROW, K_ROW, V_ROW, M_ROW, Y_ROW = range(7, 12)
G_ROW, DQ_ROW, DK_ROW, DV_ROW = range(11, 15)

# The columns of `places`: where each array begins, for each head.
Q, K, V, M, Y = range(5)
G, DQ, DK, DV = range(4, 8)


@helper
def seen(plan, until):
    """How many keys the queries before `until` may attend to."""
    return min(plan[SIZE], until) if plan[CAUSAL] else plan[SIZE]


@helper
def scores(q, k, places, plan, i, top, count, columns, t):
    size = size_of(t)
    x = address(at(q, places[Q] + top * plan[Q_ROW]))
    y = address(at(k, places[K]))
    multiply(
        size, x, plan[Q_ROW], 1, y, 1, plan[K_ROW], address(t), columns, count, columns,
        plan[WIDTH],
    )  # fmt: skip


def attention(
    q, k, v, mask, places, plan, scale, scratch, y, stats,
    a, b, c, d, r, five, fields, one, workers, room, e, s, first, last, worker,
):  # fmt: skip
    size, t = size_of(y), at(scratch, worker * room)
    length, rows, blocks = plan[LENGTH], plan[ROWS], plan[BLOCKS]
    for task in range(first, last):
        i, top = task // blocks, task % blocks * rows
        count = min(rows, length - top)
        if count <= 0:
            continue
        here = at(places, i * five)
        columns = seen(plan, top + count)
        scores(q, k, here, plan, i, top, count, columns, t)
        for j in range(count):
            line, keep = at(t, j * columns), at(stats, 2 * (i * length + top + j))
            n = seen(plan, top + j + 1)
            if address(mask) != 0:
                added = at(mask, here[M] + (top + j) * plan[M_ROW])
                attend_masked(line, added, n, columns, scale, keep)
            else:
                attend(line, line, n, columns, scale, keep)
        multiply(
            size, address(t), columns, 1, address(at(v, here[V])), plan[V_ROW], 1,
            address(at(y, here[Y] + top * plan[Y_ROW])), plan[Y_ROW], count, plan[DEPTH], columns,
        )  # fmt: skip


def attention_tasks(
    q, k, v, mask, places, plan, scale, scratch, y, stats,
    a, b, c, d, r, five, fields, one, workers, room, e, s,
):  # fmt: skip
    return r * plan[BLOCKS]


@helper
def add_product(x, x_row, z, z_row, to, to_row, columns, width, count, begin, tmp):
    """Add x.T @ z (columns x width, a sum over count rows); the first time, write it."""
    size = size_of(to)
    if begin:
        multiply(
            size, address(x), 1, x_row, address(z), z_row, 1, address(to), to_row, columns, width,
            count,
        )  # fmt: skip
        return
    multiply(
        size, address(x), 1, x_row, address(z), z_row, 1, address(tmp), width, columns, width, count
    )
    for j in range(columns):
        attend_add(at(tmp, j * width), at(to, j * to_row), width)


def attention_backward(
    g, q, k, v, mask, stats, places, plan, scale, scratch, dq, dk, dv,
    a, b, c, d, e, s, r, eight, fields, one, workers, room, x, y, z, first, last, worker,
):  # fmt: skip
    size = size_of(g)
    length, keys, rows, blocks = plan[LENGTH], plan[SIZE], plan[ROWS], plan[BLOCKS]
    width, depth = plan[WIDTH], plan[DEPTH]
    p = at(scratch, worker * room)
    slopes, tmp = at(p, rows * keys), at(p, 2 * rows * keys)
    for i in range(first, last):
        here = at(places, i * eight)
        to_k, to_v = at(dk, here[DK]), at(dv, here[DV])
        # The last block first: it sees the most keys.
        for back in range(blocks):
            top = (blocks - 1 - back) * rows
            count = min(rows, length - top)
            columns = seen(plan, top + count)
            scores(q, k, here, plan, i, top, count, columns, p)
            for j in range(count):
                line, kept = at(p, j * columns), at(stats, 2 * (i * length + top + j))
                n = seen(plan, top + j + 1)
                if address(mask) != 0:
                    added = at(mask, here[M] + (top + j) * plan[M_ROW])
                    attend_again_masked(line, added, n, columns, scale, kept)
                else:
                    attend_again(line, line, n, columns, scale, kept)
            up = at(g, here[G] + top * plan[G_ROW])
            multiply(
                size, address(up), plan[G_ROW], 1, address(at(v, here[V])), 1, plan[V_ROW],
                address(slopes), columns, count, columns, depth,
            )  # fmt: skip
            add_product(
                p, columns, up, plan[G_ROW], to_v, plan[DV_ROW], columns, depth, count, back == 0,
                tmp,
            )  # fmt: skip
            for j in range(count):
                attend_slope(at(p, j * columns), at(slopes, j * columns), columns, scale)
            multiply(
                size, address(slopes), columns, 1, address(at(k, here[K])), plan[K_ROW], 1,
                address(at(dq, here[DQ] + top * plan[DQ_ROW])), plan[DQ_ROW], count, width, columns,
            )  # fmt: skip
            add_product(
                slopes, columns, at(q, here[Q] + top * plan[Q_ROW]), plan[Q_ROW], to_k,
                plan[DK_ROW], columns, width, count, back == 0, tmp,
            )  # fmt: skip
            if back == 0:
                for j in range(columns, keys):
                    attend_zero(at(to_k, j * plan[DK_ROW]), width)
                    attend_zero(at(to_v, j * plan[DV_ROW]), depth)


def attention_backward_tasks(
    g, q, k, v, mask, stats, places, plan, scale, scratch, dq, dk, dv,
    a, b, c, d, e, s, r, eight, fields, one, workers, room, x, y, z,
):  # fmt: skip
    return r
