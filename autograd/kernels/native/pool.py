"""Two-dimensional pooling (bodies).

`form` has the numbers of the windows: kernel, stride, padding and dilation, of height and width
each; for means also whether padding counts and a divisor of one's own. Whatever it says, a window
is cut to the image before anything is read.
"""

import math

from .language import INT64, at, cast, extern, helper, room
from .pool_vectors import VECTORS as VECTORS

TAPS = 1 << 15
"""Taps in one task: some 10 us."""

BLOCK = 256
"""Windows whose places are known before their gradients are added: 2 KiB of stack."""

KH, KW, SH, SW, PH, PW, DH, DW, PADDED, DIVISOR = range(10)
"""Places in `form`."""

largest_1, largest_2 = extern("largest_1"), extern("largest_2")
places_1, places_2 = extern("places_1"), extern("places_2")
total_1, total_2 = extern("total_1"), extern("total_2")
spread_1, spread_2 = extern("spread_1"), extern("spread_2")
largest_of_four, place_of_four = extern("largest_of_four"), extern("place_of_four")
share_of_four = extern("share_of_four")
new_values = room(BLOCK)
new_places = room(BLOCK)


@helper
def cut(corner, step, taps, size):
    """Taps first .. end-1 of a window at `corner` are inside 0 .. size-1."""
    first = 0 if corner >= 0 else (step - 1 - corner) // step
    end = (size - 1 - corner) // step + 1 if corner < size else 0
    end = min(end, taps)
    return min(first, end), end


@helper
def whole(windows, form, axis, size):
    """Windows first .. end-1 of a row have all their taps inside; `axis` is 0 or 1."""
    kernel, stride = form[KH + axis], form[SH + axis]
    padding, dilation = form[PH + axis], form[DH + axis]
    first = min(windows, (padding + stride - 1) // stride)
    room_left = size - 1 + padding - (kernel - 1) * dilation
    end = room_left // stride + 1 if room_left >= 0 else 0
    return first, max(first, min(end, windows))


@helper
def by_halves(form, rows, cols, height, width):
    """Whether windows of 2 x 2 stand side by side, all of them inside."""
    squares = form[KH] == 2 and form[KW] == 2 and form[SH] == 2 and form[SW] == 2
    plain = form[PH] == 0 and form[PW] == 0 and form[DH] == 1 and form[DW] == 1
    return squares and plain and 2 * rows <= height and 2 * cols <= width


@helper
def has_vectors(form, width):
    """Whether there is vector code: for small strides, and windows that 32 bits can count."""
    return form[SW] <= 2 and form[KH] * form[DH] * width < 1 << 31


@helper
def row_tasks(form, parts, planes, rows, cols):
    """How many rows of windows are one task, and how many tasks there are."""
    if parts <= DIVISOR:
        return 1, 0
    group = max(1, TAPS // max(1, form[KH] * form[KW] * cols))
    return group, (planes * rows + group - 1) // group


@helper
def plane_tasks(parts, planes, work):
    """How many planes are one task, and how many tasks there are."""
    if parts <= DIVISOR:
        return 1, 0
    group = max(1, TAPS // max(1, work))
    return group, (planes + group - 1) // group


# --- Maxima -------------------------------------------------------------------------------------


@helper
def window_place(plane, form, row, col, height, width):
    """Where the largest tap of a window stands, -1 if no tap is inside; corner at (row, col)."""
    top, bottom = cut(row, form[DH], form[KH], height)
    left, right = cut(col, form[DW], form[KW], width)
    place = -1
    if top < bottom and left < right:
        place = (row + top * form[DH]) * width + col + left * form[DW]
        best = plane[place]
        for i in range(top, bottom):
            begin = (row + i * form[DH]) * width + col
            for j in range(left, right):
                value = plane[begin + j * form[DW]]
                if value > best or value != value:
                    best, place = value, begin + j * form[DW]
    return place


@helper
def put_window(plane, y, q, form, row, col, height, width):
    """Largest value of a window that the image cuts."""
    place = window_place(plane, form, row, col, height, width)
    if place >= 0:
        y[q] = plane[place]
    else:
        y[q] = -math.inf


@helper
def row_of_values(plane, y, p, form, height, width, cols):
    """Largest values of one row of windows."""
    row = p * form[SH] - form[PH]
    top, bottom = cut(row, form[DH], form[KH], height)
    first, end = 0, 0
    if has_vectors(form, width):
        first, end = whole(cols, form, 1, width)
    for q in range(first):
        put_window(plane, y, q, form, row, q * form[SW] - form[PW], height, width)
    if first < end:
        origin = (row + top * form[DH]) * width + first * form[SW] - form[PW]
        x, target, n, high = at(plane, origin), at(y, first), end - first, bottom - top
        if form[SW] == 1:
            largest_1(x, target, n, high, form[DH] * width, form[KW], form[DW])
        else:
            largest_2(x, target, n, high, form[DH] * width, form[KW], form[DW])
    for q in range(end, cols):
        put_window(plane, y, q, form, row, q * form[SW] - form[PW], height, width)


def max_values(
    x, _rows, _cols, form, y, n, c, height, width, rows, cols, parts, first, last, worker
):
    group, _ = row_tasks(form, parts, n * c, rows, cols)
    halves = by_halves(form, rows, cols, height, width)
    for r in range(first * group, min(last * group, n * c * rows)):
        plane, p = at(x, r // rows * height * width), r % rows
        if halves:
            largest_of_four(at(plane, 2 * p * width), at(y, r * cols), cols, width)
        else:
            row_of_values(plane, at(y, r * cols), p, form, height, width, cols)


def max_values_tasks(x, _rows, _cols, form, y, n, c, height, width, rows, cols, parts):
    return row_tasks(form, parts, n * c, rows, cols)[1]


@helper
def block_of_places(plane, y, indices, p, q, count, form, height, width, cols):
    """Places of `count` windows of a row from q on, and largest values; -1 where there is none."""
    row = p * form[SH] - form[PH]
    top, bottom = cut(row, form[DH], form[KH], height)
    first, end = q, q
    if has_vectors(form, width) and top < bottom:
        first, end = whole(cols, form, 1, width)
        first, end = max(q, min(first, q + count)), max(q, min(end, q + count))
        end = max(first, end)
    if first < end:
        origin = (row + top * form[DH]) * width + first * form[SW] - form[PW]
        x, values, places = at(plane, origin), at(y, first - q), at(indices, first - q)
        n, high, step = end - first, bottom - top, form[DH] * width
        if form[SW] == 1:
            places_1(x, values, places, origin, n, high, step, form[KW], form[DW])
        else:
            places_2(x, values, places, origin, n, high, step, form[KW], form[DW])
    for i in range(q, q + count):
        if i < first or i >= end:
            col = i * form[SW] - form[PW]
            place = window_place(plane, form, row, col, height, width)
            indices[i - q] = place
            if place >= 0:
                y[i - q] = plane[place]
            else:
                y[i - q] = -math.inf


def max_places(
    x, _rows, _cols, form, y, indices, n, c, height, width, rows, cols, parts, first, last, worker
):
    group, _ = row_tasks(form, parts, n * c, rows, cols)
    for r in range(first * group, min(last * group, n * c * rows)):
        plane, p = at(x, r // rows * height * width), r % rows
        target = at(indices, r * cols)
        block_of_places(plane, at(y, r * cols), target, p, 0, cols, form, height, width, cols)
        for q in range(cols):
            target[q] = max(target[q], 0)


def max_places_tasks(x, _rows, _cols, form, y, indices, n, c, height, width, rows, cols, parts):
    return row_tasks(form, parts, n * c, rows, cols)[1]


def max_input(g, x, form, dx, n, c, rows, cols, height, width, parts, first, last, worker):
    work = height * width + form[KH] * form[KW] * rows * cols
    group, _ = plane_tasks(parts, n * c, work)
    halves = by_halves(form, rows, cols, height, width)
    values, places = new_values(x), new_places(cast(form, INT64))
    for i in range(first * group, min(last * group, n * c)):
        plane, target = at(x, i * height * width), at(dx, i * height * width)
        if halves:
            clear_rest(target, rows, cols, height, width)
        else:
            for j in range(height * width):
                target[j] = 0
        for p in range(rows):
            gradient = at(g, (i * rows + p) * cols)
            if halves:
                begin = 2 * p * width
                place_of_four(at(plane, begin), gradient, at(target, begin), cols, width)
                continue
            for q in range(0, cols, BLOCK):
                count = min(BLOCK, cols - q)
                block_of_places(plane, values, places, p, q, count, form, height, width, cols)
                for j in range(count):
                    if places[j] >= 0:
                        target[places[j]] += gradient[q + j]


def max_input_tasks(g, x, form, dx, n, c, rows, cols, height, width, parts):
    work = height * width + form[KH] * form[KW] * rows * cols
    return plane_tasks(parts, n * c, work)[1]


@helper
def clear_rest(plane, rows, cols, height, width):
    """Zeros where no window of 2 x 2 reaches: to the right and below."""
    for i in range(2 * rows):
        for j in range(2 * cols, width):
            plane[i * width + j] = 0
    for j in range(2 * rows * width, height * width):
        plane[j] = 0


def max_scatter(
    g, indices, _height, _width, bad, dx, n, c, rows, cols, height, width, one, first, last, worker
):
    group, _ = plane_tasks(DIVISOR + 1, n * c, height * width + rows * cols)
    size, windows = height * width, rows * cols
    for i in range(first * group, min(last * group, n * c)):
        target = at(dx, i * size)
        for j in range(size):
            target[j] = 0
        for j in range(i * windows, (i + 1) * windows):
            place = indices[j]
            if 0 <= place < size:
                target[place] += g[j]
            else:
                bad[0] = 1


def max_scatter_tasks(g, indices, _height, _width, bad, dx, n, c, rows, cols, height, width, one):
    return plane_tasks(DIVISOR + 1, n * c, height * width + rows * cols)[1]


def max_gather(x, indices, bad, y, n, c, height, width, rows, cols, one, first, last, worker):
    group, _ = plane_tasks(DIVISOR + 1, n * c, rows * cols)
    size, windows = height * width, rows * cols
    for i in range(first * group, min(last * group, n * c)):
        plane = at(x, i * size)
        for j in range(i * windows, (i + 1) * windows):
            place = indices[j]
            if 0 <= place < size:
                y[j] = plane[place]
            else:
                bad[0] = 1


def max_gather_tasks(x, indices, bad, y, n, c, height, width, rows, cols, one):
    return plane_tasks(DIVISOR + 1, n * c, rows * cols)[1]


# --- Means --------------------------------------------------------------------------------------


@helper
def counted(corner, taps, padding, size, padded):
    """How many taps of a window count along one axis; never less than one."""
    end, begin = min(corner + taps, size + padding), corner
    if padded == 0:
        begin, end = max(corner, 0), min(end, size)
    return max(end - begin, 1)


@helper
def divisor_of(form, row, col, height, width):
    """What the sum of a window is divided by."""
    if form[DIVISOR] != 0:
        return form[DIVISOR]
    high = counted(row, form[KH], form[PH], height, form[PADDED])
    return high * counted(col, form[KW], form[PW], width, form[PADDED])


@helper
def put_mean(plane, y, q, form, row, col, height, width):
    """Mean of a window that the image cuts."""
    top, bottom = cut(row, 1, form[KH], height)
    left, right = cut(col, 1, form[KW], width)
    y[q] = 0
    for i in range(top, bottom):
        for j in range(left, right):
            y[q] += plane[(row + i) * width + col + j]
    y[q] /= divisor_of(form, row, col, height, width)


def avg_values(
    x, _rows, _cols, form, y, n, c, height, width, rows, cols, parts, first, last, worker
):
    group, _ = row_tasks(form, parts, n * c, rows, cols)
    begin, end = 0, 0
    if has_vectors(form, width):
        begin, end = whole(cols, form, 1, width)
    for r in range(first * group, min(last * group, n * c * rows)):
        plane, p, target = at(x, r // rows * height * width), r % rows, at(y, r * cols)
        row = p * form[SH] - form[PH]
        for q in range(begin):
            put_mean(plane, target, q, form, row, q * form[SW] - form[PW], height, width)
        if begin < end:
            top, bottom = cut(row, 1, form[KH], height)
            col = begin * form[SW] - form[PW]
            divisor = divisor_of(form, row, col, height, width)
            source = at(plane, (row + top) * width + col)
            goal, count, high = at(target, begin), end - begin, bottom - top
            if form[SW] == 1:
                total_1(source, goal, divisor, count, high, width, form[KW], 1)
            else:
                total_2(source, goal, divisor, count, high, width, form[KW], 1)
        for q in range(end, cols):
            put_mean(plane, target, q, form, row, q * form[SW] - form[PW], height, width)


def avg_values_tasks(x, _rows, _cols, form, y, n, c, height, width, rows, cols, parts):
    return row_tasks(form, parts, n * c, rows, cols)[1]


@helper
def spread_window(gradient, plane, form, row, col, height, width):
    """Add to the pixels of a window that the image cuts."""
    top, bottom = cut(row, 1, form[KH], height)
    left, right = cut(col, 1, form[KW], width)
    share = gradient / divisor_of(form, row, col, height, width)
    for i in range(top, bottom):
        for j in range(left, right):
            plane[(row + i) * width + col + j] += share


@helper
def spread_row(gradient, plane, p, form, begin, end, height, width, cols):
    """Add one row of windows, of which begin .. end-1 have all their columns inside."""
    row = p * form[SH] - form[PH]
    for q in range(begin):
        spread_window(gradient[q], plane, form, row, q * form[SW] - form[PW], height, width)
    if begin < end:
        top, bottom = cut(row, 1, form[KH], height)
        col = begin * form[SW] - form[PW]
        divisor = divisor_of(form, row, col, height, width)
        source, target = at(gradient, begin), at(plane, (row + top) * width + col)
        n, high = end - begin, bottom - top
        if form[SW] == 1:
            spread_1(source, target, divisor, n, high, width, form[KW], 1)
        else:
            spread_2(source, target, divisor, n, high, width, form[KW], 1)
    for q in range(end, cols):
        spread_window(gradient[q], plane, form, row, q * form[SW] - form[PW], height, width)


def avg_input(
    g, _height, _width, form, dx, n, c, rows, cols, height, width, parts, first, last, worker
):
    group, _ = plane_tasks(parts, n * c, height * width + form[KH] * form[KW] * rows * cols)
    halves = by_halves(form, rows, cols, height, width)
    begin, end = 0, 0
    if has_vectors(form, width):
        begin, end = whole(cols, form, 1, width)
    for i in range(first * group, min(last * group, n * c)):
        target = at(dx, i * height * width)
        if halves:
            clear_rest(target, rows, cols, height, width)
            divisor = divisor_of(form, 0, 0, height, width)
            for p in range(rows):
                goal = at(target, 2 * p * width)
                share_of_four(at(g, (i * rows + p) * cols), goal, divisor, cols, width)
            continue
        for j in range(height * width):
            target[j] = 0
        for p in range(rows):
            gradient = at(g, (i * rows + p) * cols)
            spread_row(gradient, target, p, form, begin, end, height, width, cols)


def avg_input_tasks(g, _height, _width, form, dx, n, c, rows, cols, height, width, parts):
    return plane_tasks(parts, n * c, height * width + form[KH] * form[KW] * rows * cols)[1]
