"""Batch, layer and group normalisation (bodies).

A task does everything for some rows or some channels: what it read for the statistics is still in
the caches when it normalises.
"""

import math

from .language import at, extern, helper, room
from .moments import ROWS, columns, planes, rows

VECTORS = (planes, columns, rows)

GRAIN = 1 << 14
"""Elements in one task, where one row or channel has fewer."""

BLOCK = 64
"""Channels that a task takes where they lie side by side: whole cache lines of every row."""

moments, affine, products, gradient = map(extern, ("moments", "affine", "products", "gradient"))
column_moments, column_affine, column_products, column_gradient = map(
    extern, ("column_moments", "column_affine", "column_products", "column_gradient")
)
row_affine, row_products, row_gradient, rows_gradient = map(
    extern, ("row_affine", "row_products", "row_gradient1", f"row_gradient{ROWS}")
)

few, blocks, table = room(4), room(3 * BLOCK), room(4 * ROWS)


@helper
def share(count, size):
    """Channels in one task."""
    if size > 1:
        return max(1, GRAIN // (count * size))
    return BLOCK * max(1, GRAIN // (count * BLOCK))


@helper
def rows_of_task(size):
    """How many rows (or planes) of a size make a task."""
    return max(1, GRAIN // size)


@helper
def parts(whole, part):
    """How many parts there are."""
    return (whole + part - 1) // part


# --- Batch normalisation --------------------------------------------------------------------------


@helper
def one_channel(x, weight, bias, eps, y, mean, var, count, stride, size):
    moments(x, count, stride, size, mean, var)
    by = few(x)
    by[0], by[1], by[2] = mean[0], weight[0] / math.sqrt(var[0] + eps), bias[0]
    affine(x, y, count, stride, size, by)


@helper
def some_channels(x, weight, bias, eps, y, mean, var, count, stride, n):
    """As `one_channel`, for up to BLOCK channels that lie side by side."""
    column_moments(x, count, stride, n, mean, var)
    scale = blocks(x)
    for c in range(n):
        scale[c] = weight[c] / math.sqrt(var[c] + eps)
    column_affine(x, y, count, stride, n, mean, scale, bias)


def batch_norm(
    x, weight, bias, count, channels, eps, y, mean, var, total, _channels, _count,
    first, last, worker,
):  # fmt: skip
    size = total // (count * channels)
    per = share(count, size)
    step = 1 if size > 1 else BLOCK
    for c in range(first * per, min(last * per, channels), step):
        i = c * size
        if size > 1:
            one_channel(
                at(x, i), at(weight, c), at(bias, c), eps, at(y, i), at(mean, c), at(var, c),
                count, channels * size, size,
            )  # fmt: skip
        else:
            some_channels(
                at(x, i), at(weight, c), at(bias, c), eps, at(y, i), at(mean, c), at(var, c),
                count, channels, min(BLOCK, channels - c),
            )  # fmt: skip


def batch_norm_tasks(x, weight, bias, count, channels, eps, y, mean, var, total, _channels, _count):
    return parts(channels, share(count, total // (count * channels))) if total else 0


def batch_norm_apply(
    x, mean, invstd, weight, bias, count, channels, y, total, _channels, _count,
    first, last, worker,
):  # fmt: skip
    size = total // (count * channels)
    if size > 1:
        by = few(x)
        per = rows_of_task(size)
        for p in range(first * per, min(last * per, count * channels)):
            c = p % channels
            by[0], by[1], by[2] = mean[c], invstd[c] * weight[c], bias[c]
            affine(at(x, p * size), at(y, p * size), 1, 0, size, by)
        return
    scale = blocks(x)
    per = rows_of_task(channels)
    r = first * per
    several = min(last * per, count) - r
    for c in range(0, channels, BLOCK):
        n = min(BLOCK, channels - c)
        for j in range(n):
            scale[j] = invstd[c + j] * weight[c + j]
        i = r * channels + c
        column_affine(at(x, i), at(y, i), several, channels, n, at(mean, c), scale, at(bias, c))


def batch_norm_apply_tasks(
    x, mean, invstd, weight, bias, count, channels, y, total, _channels, _count
):
    if not total:
        return 0
    size = total // (count * channels)
    if size > 1:
        return parts(count * channels, rows_of_task(size))
    return parts(count, rows_of_task(channels))


@helper
def channel_gradient(g, x, mean, invstd, weight, dx, dweight, dbias, count, stride, size):
    by = few(x)
    products(g, x, count, stride, size, mean, by)
    dbias[0], dweight[0] = by[0], by[1] * invstd[0]
    scale = weight[0] * invstd[0]
    by[0], by[1] = mean[0], scale
    by[2] = scale * dbias[0] / (count * size)
    by[3] = scale * invstd[0] * dweight[0] / (count * size)
    gradient(g, x, dx, count, stride, size, by)


@helper
def channels_gradient(g, x, mean, invstd, weight, dx, dweight, dbias, count, stride, n):
    """As `channel_gradient`, for up to BLOCK channels that lie side by side."""
    column_products(g, x, count, stride, n, mean, dbias, dweight)
    scale = blocks(x)
    level, slope = at(scale, BLOCK), at(scale, 2 * BLOCK)
    for c in range(n):
        dweight[c] *= invstd[c]
        scale[c] = weight[c] * invstd[c]
        level[c] = scale[c] * dbias[c] / count
        slope[c] = scale[c] * invstd[c] * dweight[c] / count
    column_gradient(g, x, dx, count, stride, n, mean, scale, level, slope)


def batch_norm_backward(
    g, x, mean, invstd, weight, count, channels, dx, dweight, dbias, total, _channels, _count,
    first, last, worker,
):  # fmt: skip
    size = total // (count * channels)
    per = share(count, size)
    step = 1 if size > 1 else BLOCK
    for c in range(first * per, min(last * per, channels), step):
        i = c * size
        if size > 1:
            channel_gradient(
                at(g, i), at(x, i), at(mean, c), at(invstd, c), at(weight, c),
                at(dx, i), at(dweight, c), at(dbias, c), count, channels * size, size,
            )  # fmt: skip
        else:
            channels_gradient(
                at(g, i), at(x, i), at(mean, c), at(invstd, c), at(weight, c),
                at(dx, i), at(dweight, c), at(dbias, c), count, channels, min(BLOCK, channels - c),
            )  # fmt: skip


def batch_norm_backward_tasks(
    g, x, mean, invstd, weight, count, channels, dx, dweight, dbias, total, _channels, _count
):
    return parts(channels, share(count, total // (count * channels))) if total else 0


# --- Layer normalisation --------------------------------------------------------------------------


def layer_norm(x, weight, bias, eps, y, mean, rstd, rows, cols, first, last, worker):
    by = few(x)
    per = rows_of_task(cols)
    for r in range(first * per, min(last * per, rows)):
        moments(at(x, r * cols), 1, 0, cols, at(mean, r), at(rstd, r))
        rstd[r] = 1.0 / math.sqrt(rstd[r] + eps)
        by[0], by[1] = mean[r], rstd[r]
        row_affine(at(x, r * cols), at(y, r * cols), weight, bias, cols, by)


def layer_norm_tasks(x, weight, bias, eps, y, mean, rstd, rows, cols):
    return parts(rows, rows_of_task(cols)) if cols else 0


@helper
def coefficients(g, x, mean, rstd, weight, n, by):
    """What the gradient of one row is made of."""
    row_products(g, x, weight, n, mean, by)
    plain, crossed = by[0], by[1]
    by[0], by[1], by[2] = mean[0], rstd[0], rstd[0] * plain / n
    by[3] = rstd[0] * rstd[0] * crossed / n


def layer_norm_backward(
    g, x, mean, rstd, weight, chunks, dx, dweight, dbias, rows, cols, _chunks,
    first, last, worker,
):  # fmt: skip
    by = table(x)
    per = parts(rows, chunks)
    for chunk in range(first, last):
        dw, db = at(dweight, chunk * cols), at(dbias, chunk * cols)
        for j in range(cols):
            dw[j], db[j] = 0.0, 0.0
        stop = min((chunk + 1) * per, rows)
        r = chunk * per
        while r < stop:
            several = ROWS if r + ROWS <= stop else 1
            i = r * cols
            for k in range(several):
                where = i + k * cols
                coefficients(
                    at(g, where), at(x, where), at(mean, r + k), at(rstd, r + k), weight, cols,
                    at(by, 4 * k),
                )  # fmt: skip
            if several == ROWS:
                rows_gradient(at(g, i), at(x, i), weight, at(dx, i), dw, db, cols, by)
            else:
                row_gradient(at(g, i), at(x, i), weight, at(dx, i), dw, db, cols, by)
            r += several


def layer_norm_backward_tasks(
    g, x, mean, rstd, weight, chunks, dx, dweight, dbias, rows, cols, _chunks
):
    return chunks


# --- Group normalisation --------------------------------------------------------------------------


def group_norm(
    x, weight, bias, groups, count, channels, eps, y, mean, rstd, total, _channels, _groups, _count,
    first, last, worker,
):  # fmt: skip
    by = few(x)
    each = channels // groups
    size = total // (count * channels)
    per = rows_of_task(each * size)
    for r in range(first * per, min(last * per, count * groups)):
        begin, c = r * each * size, r % groups * each
        moments(at(x, begin), 1, 0, each * size, at(mean, r), at(rstd, r))
        rstd[r] = 1.0 / math.sqrt(rstd[r] + eps)
        for k in range(each):
            by[0], by[1], by[2] = mean[r], rstd[r] * weight[c + k], bias[c + k]
            i = begin + k * size
            affine(at(x, i), at(y, i), 1, 0, size, by)


def group_norm_tasks(
    x, weight, bias, groups, count, channels, eps, y, mean, rstd, total, _channels, _groups, _count
):
    return parts(count * groups, rows_of_task(total // (count * groups))) if total else 0


def group_norm_backward(
    g, x, mean, rstd, weight, channels, dx, dweight, dbias, total, count, groups, _channels,
    first, last, worker,
):  # fmt: skip
    by = few(x)
    each = channels // groups
    size = total // (count * channels)
    per = rows_of_task(each * size)
    for r in range(first * per, min(last * per, count * groups)):
        begin, c, row = r * each * size, r % groups * each, r // groups * channels
        level, slope = 0.0, 0.0
        for k in range(each):
            i = begin + k * size
            products(at(g, i), at(x, i), 1, 0, size, at(mean, r), by)
            plain, crossed = by[0], by[1] * rstd[r]
            dbias[row + c + k], dweight[row + c + k] = plain, crossed
            level += weight[c + k] * plain
            slope += weight[c + k] * crossed
        by[0], by[2] = mean[r], rstd[r] * level / (each * size)
        by[3] = rstd[r] * rstd[r] * slope / (each * size)
        for k in range(each):
            by[1] = rstd[r] * weight[c + k]
            i = begin + k * size
            gradient(at(g, i), at(x, i), at(dx, i), 1, 0, size, by)


def group_norm_backward_tasks(
    g, x, mean, rstd, weight, channels, dx, dweight, dbias, total, count, groups, _channels
):
    return parts(count * groups, rows_of_task(total // (count * groups))) if total else 0
