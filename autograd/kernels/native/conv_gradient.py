"""Bodies of the weight gradient.

Where there are channels enough for the lanes, both images are laid out anew, channels next to each
other: then the pixels under one row of a kernel are consecutive numbers, whatever the number of
channels, and the gradient is a matrix product over all positions. For few output channels pixels
stay next to each other. Either way a task owns a part of the result, for a fixed part of the
images; the parts are added in order.
"""

from .conv_fields import (
    BAND,
    CHANNELS,
    COLUMNS,
    DILATE_COLUMNS,
    DILATE_ROWS,
    DOWN,
    FLAT,
    HEIGHT,
    IMAGES,
    KERNEL_WIDTH,
    LEFT,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUTS,
    PITCH,
    RIGHT,
    SPAN,
    TAPS,
    TOP,
    WIDTH,
)
from .conv_gather import MOST_POINTS, pad_channels
from .conv_parts import (
    clear,
    cut,
    lanes_of,
    lap,
    overlap,
    parts,
    product,
    transpose,
)
from .conv_tiles import LAPS, OVERLAPS, STRIP
from .language import at, helper
from .target import target

MOST_CHANNELS, MOST_TAPS, MOST_TAPS_OF_ONE = OVERLAPS[target().registers]
MOST_COLUMNS = LAPS[target().registers]


# --- Lanes are output channels --------------------------------------------------------------------


def lay(x, g, plan, inputs, gradients, n, c, xh, xw, m, gh, gw, words, rows, cols, groups, blocks,
        positions, wide, first, last, worker):  # fmt: skip
    """inputs[image, row, column, channel], padded; gradients[., ., image, pixel, lane]."""
    for task in range(first, last):
        image = task // 2
        if task % 2 == 0:
            lay_input(x, at(inputs, image * rows * cols * c), plan, image, c, rows, cols)
        else:
            for b in range(groups * blocks):
                channel = b % blocks * wide
                start = b // blocks * plan[OUTPUTS] + channel
                transpose(
                    at(g, (image * m + start) * positions), positions,
                    min(wide, plan[OUTPUTS] - channel), positions,
                    at(gradients, (b * n + image) * positions * wide), wide, 1,
                )  # fmt: skip


def lay_tasks(x, g, plan, inputs, gradients, n, c, xh, xw, m, gh, gw, words, rows, cols, groups,
              blocks, positions, wide):  # fmt: skip
    return 2 * n


@helper
def lay_input(x, target_rows, plan, image, c, rows, cols):
    """One image, channels last."""
    height, width, left = plan[HEIGHT], plan[WIDTH], -plan[LEFT]
    inside = max(min(width, cols - left), 0)
    for r in range(rows):
        row = r + plan[TOP]
        target_row = at(target_rows, r * cols * c)
        if row < 0 or row >= height or inside == 0:
            clear(target_row, cols * c)
        else:
            clear(target_row, left * c)
            source = at(x, (image * c * height + row) * width)
            transpose(source, height * width, c, inside, at(target_row, left * c), c, 0)
            clear(at(target_row, (left + inside) * c), (cols - left - inside) * c)


def gradient(inputs, gradients, table, plan, partial, again, n, rows, cols, c, groups, blocks,
             positions, wide, taps, two, words, splits, kernel_rows, kernel_columns, again_,
             first, last, worker):  # fmt: skip
    """A task is one row of the kernel and one block of channels, over some of the images."""
    band, width = plan[BAND], plan[OUT_WIDTH]
    stretch = kernel_columns
    if plan[DILATE_COLUMNS] > 1 or groups > 1:
        stretch = plan[CHANNELS]
    for task in range(first, last):
        kernel_row = task % kernel_rows
        b = task // kernel_rows % (groups * blocks)
        split = task // kernel_rows // (groups * blocks)
        sums = at(partial, task_place(split, b, kernel_row, groups * blocks, kernel_rows)
                  * kernel_columns * wide)  # fmt: skip
        count = min(wide, plan[OUTPUTS] - b % blocks * wide)
        vectors = parts(count, lanes_of(inputs))
        if again == 0:
            clear(sums, kernel_columns * wide)
        for i in range(cut(n, splits, split), cut(n, splits, split + 1)):
            for row in range(0, plan[OUT_HEIGHT], band):
                height = min(band, plan[OUT_HEIGHT] - row)
                lines = at(
                    inputs,
                    (i * rows + row * plan[DOWN] + kernel_row * plan[DILATE_ROWS]) * cols * c
                    + b // blocks * plan[CHANNELS],
                )
                slopes = at(gradients, ((b * n + i) * positions + row * width) * wide)
                for begin in range(0, kernel_columns, stretch):
                    column = begin // plan[CHANNELS] * plan[DILATE_COLUMNS] * c
                    pieces = parts(stretch, MOST_POINTS)
                    for piece in range(pieces):
                        p = cut(stretch, pieces, piece)
                        points = cut(stretch, pieces, piece + 1) - p
                        place = at(sums, (begin + p) * wide)
                        product(
                            points, vectors, at(lines, column + p), slopes, table, place, place, 1,
                            plan[DOWN] * cols * c, width * wide, height, width, wide, wide,
                        )  # fmt: skip


def gradient_tasks(inputs, gradients, table, plan, partial, again, n, rows, cols, c, groups, blocks,
                   positions, wide, taps, two, words, splits, kernel_rows, kernel_columns,
                   again_):  # fmt: skip
    return splits * groups * blocks * kernel_rows


@helper
def task_place(split, b, kernel_row, blocks, kernel_rows):
    """Which of the partial results a task adds to."""
    return (split * blocks + b) * kernel_rows + kernel_row


def finish(partial, scratch, plan, dweight, splits, groups, blocks, kernel_rows, kernel_columns,
           wide, workers, depth, words, m, per_group, kh, kw, first, last, worker):  # fmt: skip
    """Add the splits in order, and bring channels, rows and columns into the order of a weight."""
    matrix = at(scratch, worker * depth * wide)
    for b in range(first, last):
        for i in range(kernel_rows):
            for column in range(kernel_columns):
                k, channel = column // per_group, column % per_group
                row = at(matrix, (channel * plan[TAPS] + i * plan[KERNEL_WIDTH] + k) * wide)
                clear(row, wide)
                for split in range(splits):
                    place = task_place(split, b, i, groups * blocks, kernel_rows)
                    found = at(partial, (place * kernel_columns + column) * wide)
                    for lane in range(wide):
                        row[lane] += found[lane]
        channel = b % blocks * wide
        count = min(wide, plan[OUTPUTS] - channel)
        start = b // blocks * plan[OUTPUTS] + channel
        transpose(matrix, wide, depth, count, at(dweight, start * depth), depth, 0)


def finish_tasks(partial, scratch, plan, dweight, splits, groups, blocks, kernel_rows,
                 kernel_columns, wide, workers, depth, words, m, per_group, kh, kw):  # fmt: skip
    return groups * blocks


# --- Lanes are pixels -----------------------------------------------------------------------------


def narrow_gradient(x, g, table, plan, scratch, partial, n, c, xh, xw, m, gh, gw, taps, words,
                    workers, room, splits, per_group, first, last, worker):  # fmt: skip
    """A task is one input channel, over some of the images."""
    lanes = lanes_of(x)
    plane = plan[OUT_HEIGHT] * plan[OUT_WIDTH]
    height = (plan[OUT_HEIGHT] - 1) * plan[DOWN] + plan[SPAN]
    size = height * plan[RIGHT] * plan[PITCH]
    rows, width, pitch = plan[OUT_HEIGHT], plan[OUT_WIDTH], plan[DOWN] * plan[RIGHT] * plan[PITCH]
    if plan[FLAT] == 1 and plan[COLUMNS] == 0:
        rows, width = 1, plane
    outputs = plan[OUTPUTS]
    sums = at(scratch, worker * room)
    padded = at(sums, MOST_CHANNELS * MOST_TAPS_OF_ONE * lanes)
    for task in range(first, last):
        channel, split = task % c, task // c
        begin, end = cut(n, splits, split), cut(n, splits, split + 1)
        start = channel // per_group * outputs
        target = at(partial, ((split * m + start) * per_group + channel % per_group) * taps)
        for o in range(outputs):
            clear(at(target, o * per_group * taps), taps)
        for image in range(begin, end, plan[IMAGES]):
            images = min(plan[IMAGES], end - image)
            for i in range(images):
                source = at(x, ((image + i) * c + channel) * xh * xw)
                pad_channels(source, at(padded, i * size), plan, 0, 1, plan[TOP], height)
            if plan[COLUMNS] != 0:
                slopes = at(g, (image * m + channel) * plane)
                rows_of_one(padded, size, slopes, m * plane, table, plan, images, sums, target)
                continue
            pieces = parts(outputs, MOST_CHANNELS)
            for piece in range(pieces):
                o = cut(outputs, pieces, piece)
                count = cut(outputs, pieces, piece + 1) - o
                batches = parts(taps, MOST_TAPS if count > 1 else MOST_TAPS_OF_ONE)
                for batch in range(batches):
                    t = cut(taps, batches, batch)
                    together = cut(taps, batches, batch + 1) - t
                    clear(sums, count * together * lanes)
                    for i in range(images):
                        overlap(
                            count, together, at(padded, i * size), at(table, t),
                            at(g, ((image + i) * m + start + o) * plane), sums, pitch, plane, rows,
                            width,
                        )  # fmt: skip
                    for j in range(count):
                        for k in range(together):
                            place = (o + j) * per_group * taps + t + k
                            add_lanes(at(sums, (j * together + k) * lanes), at(target, place))


def narrow_gradient_tasks(x, g, table, plan, scratch, partial, n, c, xh, xw, m, gh, gw, taps, words,
                          workers, room, splits, per_group):  # fmt: skip
    return splits * c


@helper
def rows_of_one(padded, size, g, g_size, table, plan, images, sums, target):
    """The gradient of one input and one output channel by `lap`."""
    lanes, columns = lanes_of(padded), plan[COLUMNS]
    pieces = parts(columns, MOST_COLUMNS)
    for piece in range(pieces):
        t = cut(columns, pieces, piece)
        together = cut(columns, pieces, piece + 1) - t
        clear(sums, STRIP * together * lanes)
        for i in range(images):
            lap(
                together, at(padded, i * size), at(table, t), at(g, i * g_size), sums,
                plan[PITCH], plan[OUT_HEIGHT], plan[OUT_WIDTH],
            )  # fmt: skip
        for i in range(STRIP):
            for k in range(together):
                add_lanes(at(sums, (i * together + k) * lanes), at(target, i * columns + t + k))


@helper
def add_lanes(found, target):
    """Add one vector's lanes, in order, to a number."""
    total = found[0]
    for lane in range(1, lanes_of(found)):
        total += found[lane]
    target[0] += total
