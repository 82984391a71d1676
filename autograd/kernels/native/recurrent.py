"""Recurrent layers in one direction (bodies).

Sequences do not meet, so a task takes a group of them through all steps, and no thread waits for
another before the end. In each step one product with the packed weights, added to what came from
the input, then the cells (recurrent_vectors.py). Where sequences end early, a group has fewer rows
in the later steps.
"""

from . import tiles
from .language import BYTE, address, at, cast, extern, helper
from .recurrent_vectors import GROUPS, WIDTHS, blocks, gru, lstm, products
from .target import target

VECTORS = (products, tiles.packing, blocks, lstm, gru)

ROWS = tiles.rows_of(target())
GROUP = GROUPS[ROWS]
BYTES = target().bits // 8
WORK = 1 << 17
"""Multiply-adds below which all groups are one task: some 10 us."""

two, four, eight = map(extern, WIDTHS.values())
pack_rows, pack_columns = extern("pack_rows"), extern("pack_columns")
copy_block, add_block = extern("copy_block"), extern("add_block")
tanh_block, relu_block = extern("tanh_block"), extern("relu_block")
tanh_slope, relu_slope = extern("tanh_slope_block"), extern("relu_slope_block")
lstm_cell, lstm_slopes = extern("lstm_cell"), extern("lstm_slopes")
lstm_slopes_projected = extern("lstm_slopes_projected")
gru_cell, gru_slopes = extern("gru_cell"), extern("gru_slopes")
vectors_of = helper(tiles.vectors_of)

# --- Groups of sequences --------------------------------------------------------------------------


@helper
def groups_of(batch):
    """How many groups there are."""
    return (batch + GROUP - 1) // GROUP


@helper
def begin(batch, group):
    """The first sequence of a group; groups are near-equal."""
    groups = groups_of(batch)
    return batch // groups * group + min(group, batch % groups)


@helper
def tasks_of(batch, work):
    """Groups that are worth a task each, or one task for all."""
    return groups_of(batch) if work >= WORK else min(1, batch)


@helper
def groups_before(batch, work, task):
    """The first group of a task."""
    return task if work >= WORK else task * groups_of(batch)


@helper
def width_of(batch, pointer):
    """Columns of a tile for the groups of a batch."""
    size = address(at(pointer, 1)) - address(pointer)
    groups = max(1, groups_of(batch))
    return vectors_of((batch + groups - 1) // groups, ROWS) * BYTES // size


@helper
def multiply(rows, a, a_row, packed, width, c, c_row, base, base_row, k, n):
    """C = base + A B for some rows, B packed in panels of `width` columns."""
    vectors = width * (address(at(c, 1)) - address(c)) // BYTES
    step = width * k
    if vectors == 2:
        two(rows, a, a_row, 1, packed, width, step, c, c_row, base, base_row, k, n)
    elif vectors == 4:
        four(rows, a, a_row, 1, packed, width, step, c, c_row, base, base_row, k, n)
    else:
        eight(rows, a, a_row, 1, packed, width, step, c, c_row, base, base_row, k, n)


def pack(weight, batch, transposed, packed, a, b, _batch, _transposed, room, first, last, worker):
    width = width_of(batch, weight)
    k, n = (b, a) if transposed else (a, b)
    for panel in range(first, last):
        j = panel * width
        if transposed:
            pack_columns(at(weight, j * b), b, k, min(width, n - j), width, at(packed, j * k))
        else:
            pack_rows(at(weight, j), b, k, min(width, n - j), width, at(packed, j * k))


def pack_tasks(weight, batch, transposed, packed, a, b, _batch, _transposed, room):
    width = width_of(batch, weight)
    n = a if transposed else b
    return min((n + width - 1) // width, room // (width * (b if transposed else a)))


# --- Plain ----------------------------------------------------------------------------------------


def rnn_forward(
    inputs, packed, sizes, reverse, relu, hidden, y, after, before,
    total, width, room, steps, _reverse, _relu, batch, first, last, worker,
):  # fmt: skip
    columns, work = width_of(batch, y), total * width * width
    for group in range(groups_before(batch, work, first), groups_before(batch, work, last)):
        top, bottom = begin(batch, group), begin(batch, group + 1)
        h = at(hidden, top * width)
        offset = total if reverse else 0
        for s in range(steps):
            step = steps - 1 - s if reverse else s
            if reverse:
                offset -= sizes[step]
            rows = min(bottom, sizes[step]) - top
            if rows > 0:
                row, n = (offset + top) * width, rows * width
                copy_block(h, at(before, row), n)
                x, z = at(inputs, row), at(after, row)
                multiply(rows, h, width, packed, columns, z, width, x, width, width, width)
                if relu:
                    relu_block(z, n)
                else:
                    tanh_block(z, n)
                copy_block(z, h, n)
                copy_block(z, at(y, row), n)
            if not reverse:
                offset += sizes[step]


def rnn_forward_tasks(
    inputs, packed, sizes, reverse, relu, hidden, y, after, before,
    total, width, room, steps, _reverse, _relu, batch,
):  # fmt: skip
    return tasks_of(batch, total * width * width)


def rnn_backward(
    g, after, packed, sizes, reverse, relu, dhidden, dinputs,
    total, width, room, steps, _reverse, _relu, batch, first, last, worker,
):  # fmt: skip
    columns, work = width_of(batch, g), total * width * width
    for group in range(groups_before(batch, work, first), groups_before(batch, work, last)):
        top, bottom = begin(batch, group), begin(batch, group + 1)
        d = at(dhidden, top * width)
        offset = 0 if reverse else total
        for s in range(steps):
            step = s if reverse else steps - 1 - s
            if not reverse:
                offset -= sizes[step]
            rows = min(bottom, sizes[step]) - top
            if rows > 0:
                row, n = (offset + top) * width, rows * width
                add_block(d, at(g, row), d, n)
                slope = at(dinputs, row)
                if relu:
                    relu_slope(d, at(after, row), slope, n)
                else:
                    tanh_slope(d, at(after, row), slope, n)
                null = cast(0, BYTE)
                multiply(rows, slope, width, packed, columns, d, width, null, 0, width, width)
            if reverse:
                offset += sizes[step]


def rnn_backward_tasks(
    g, after, packed, sizes, reverse, relu, dhidden, dinputs,
    total, width, room, steps, _reverse, _relu, batch,
):  # fmt: skip
    return tasks_of(batch, total * width * width)


# --- Long short-term memory -----------------------------------------------------------------------


def lstm_forward(
    inputs, packed, projection, sizes, reverse, projected, hidden, cell, inside, y,
    gates, before, cells,
    total, wide, room, _room, steps, _reverse, _projected, batch, out, width, _slots,
    first, last, worker,
):  # fmt: skip
    columns, work = width_of(batch, y), total * wide * out
    for group in range(groups_before(batch, work, first), groups_before(batch, work, last)):
        top, bottom = begin(batch, group), begin(batch, group + 1)
        h, c = at(hidden, top * out), at(cell, top * width)
        bent = at(inside, top * width) if projected else h
        offset = total if reverse else 0
        for s in range(steps):
            step = steps - 1 - s if reverse else s
            if reverse:
                offset -= sizes[step]
            rows = min(bottom, sizes[step]) - top
            if rows > 0:
                row = offset + top
                copy_block(h, at(before, row * out), rows * out)
                copy_block(c, at(cells, row * width), rows * width)
                x, z = at(inputs, row * wide), at(gates, row * wide)
                multiply(rows, h, out, packed, columns, z, wide, x, wide, out, wide)
                lstm_cell(z, c, bent, rows, width)
                if projected:
                    null = cast(0, BYTE)
                    multiply(rows, bent, width, projection, columns, h, out, null, 0, width, out)
                copy_block(h, at(y, row * out), rows * out)
            if not reverse:
                offset += sizes[step]


def lstm_forward_tasks(
    inputs, packed, projection, sizes, reverse, projected, hidden, cell, inside, y,
    gates, before, cells,
    total, wide, room, _room, steps, _reverse, _projected, batch, out, width, _slots,
):  # fmt: skip
    return tasks_of(batch, total * wide * out)


def lstm_backward(
    g, gates, cells, packed, projection, sizes, reverse, projected, dhidden, dcell, inside, outside,
    scratch, dinputs,
    total, out, wide, width, room, _room, steps, _reverse, _projected, batch, _rows, _slots,
    first, last, worker,
):  # fmt: skip
    columns, work = width_of(batch, g), total * wide * out
    for group in range(groups_before(batch, work, first), groups_before(batch, work, last)):
        top, bottom = begin(batch, group), begin(batch, group + 1)
        dh, dc = at(dhidden, top * out), at(dcell, top * width)
        offset = 0 if reverse else total
        for s in range(steps):
            step = s if reverse else steps - 1 - s
            if not reverse:
                offset -= sizes[step]
            rows = min(bottom, sizes[step]) - top
            if rows > 0:
                row, null = offset + top, cast(0, BYTE)
                slopes, z = at(dinputs, row * wide), at(gates, row * wide)
                c, rising = at(cells, row * width), at(g, row * out)
                if projected:
                    d, below = at(outside, row * out), at(scratch, top * width)
                    add_block(dh, rising, d, rows * out)
                    multiply(rows, d, out, projection, columns, below, width, null, 0, out, width)
                    kept = at(inside, row * width)
                    lstm_slopes_projected(z, c, below, dc, slopes, kept, rows, width)
                else:
                    add_block(dh, rising, dh, rows * out)
                    lstm_slopes(z, c, dh, dc, slopes, dh, rows, width)
                multiply(rows, slopes, wide, packed, columns, dh, out, null, 0, wide, out)
            if reverse:
                offset += sizes[step]


def lstm_backward_tasks(
    g, gates, cells, packed, projection, sizes, reverse, projected, dhidden, dcell, inside, outside,
    scratch, dinputs,
    total, out, wide, width, room, _room, steps, _reverse, _projected, batch, _rows, _slots,
):  # fmt: skip
    return tasks_of(batch, total * wide * out)


# --- Gated recurrent unit -------------------------------------------------------------------------


def gru_forward(
    inputs, packed, packed_new, bias, sizes, reverse, hidden, y, gates, resets, before,
    total, wide, room, _room, steps, _reverse, batch, width, first, last, worker,
):  # fmt: skip
    columns, work = width_of(batch, y), total * wide * width
    for group in range(groups_before(batch, work, first), groups_before(batch, work, last)):
        top, bottom = begin(batch, group), begin(batch, group + 1)
        h, new_bias = at(hidden, top * width), at(bias, 2 * width)
        offset = total if reverse else 0
        for s in range(steps):
            step = steps - 1 - s if reverse else s
            if reverse:
                offset -= sizes[step]
            rows = min(bottom, sizes[step]) - top
            if rows > 0:
                row, n = offset + top, rows * width
                copy_block(h, at(before, row * width), n)
                x, z, a = at(inputs, row * wide), at(gates, row * wide), at(resets, row * width)
                multiply(rows, h, width, packed, columns, z, wide, x, wide, width, 2 * width)
                multiply(rows, h, width, packed_new, columns, a, width, new_bias, 0, width, width)
                gru_cell(x, bias, z, a, h, rows, width)
                copy_block(h, at(y, row * width), n)
            if not reverse:
                offset += sizes[step]


def gru_forward_tasks(
    inputs, packed, packed_new, bias, sizes, reverse, hidden, y, gates, resets, before,
    total, wide, room, _room, steps, _reverse, batch, width,
):  # fmt: skip
    return tasks_of(batch, total * wide * width)


def gru_backward(
    g, gates, resets, before, packed, sizes, reverse, dhidden, dinputs, dproducts,
    total, width, wide, room, steps, _reverse, batch, first, last, worker,
):  # fmt: skip
    columns, work = width_of(batch, g), total * wide * width
    for group in range(groups_before(batch, work, first), groups_before(batch, work, last)):
        top, bottom = begin(batch, group), begin(batch, group + 1)
        d = at(dhidden, top * width)
        offset = 0 if reverse else total
        for s in range(steps):
            step = s if reverse else steps - 1 - s
            if not reverse:
                offset -= sizes[step]
            rows = min(bottom, sizes[step]) - top
            if rows > 0:
                row = offset + top
                i, j = row * width, row * wide
                add_block(d, at(g, i), d, rows * width)
                into, through = at(dinputs, j), at(dproducts, j)
                gru_slopes(
                    at(gates, j), at(resets, i), at(before, i), d, into, through, rows, width
                )
                multiply(rows, through, wide, packed, columns, d, width, d, width, wide, width)
            if reverse:
                offset += sizes[step]


def gru_backward_tasks(
    g, gates, resets, before, packed, sizes, reverse, dhidden, dinputs, dproducts,
    total, width, wide, room, steps, _reverse, batch,
):  # fmt: skip
    return tasks_of(batch, total * wide * width)
