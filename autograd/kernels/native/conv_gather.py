"""Bodies of the forward pass and of the input gradient.

Both are one computation, a gather: each result pixel collects weighted source pixels at a few
offsets, its taps. Where the forward pass has a stride, the input gradient has phases: the result
pixels whose row and column leave the same remainders share their taps, and each phase is a gather
of stride one. A task is a band of rows of some images: it copies its part of the source, with the
zeros around it, to its worker's scratch and computes from there.
"""

from .conv_fields import (
    ACROSS,
    BAND,
    CHANNELS,
    COLUMNS,
    DEPTH,
    DOWN,
    FIRST_TAP,
    FLAT,
    HEIGHT,
    IMAGES,
    LEFT,
    LINE,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUTS,
    PACK_COLUMNS,
    PACK_ROW,
    PACK_STEP,
    PHASE,
    PHASE_COLUMN,
    PHASE_HEIGHT,
    PHASE_ROW,
    PHASE_TAPS,
    PHASE_WIDTH,
    PITCH,
    RIGHT,
    ROWS,
    SPAN,
    SPLITS,
    TAPS,
    TOP,
    UP,
    WIDTH,
)
from .conv_parts import (
    bias_row,
    clear,
    cut,
    lanes_of,
    pad_row,
    pad_rows,
    parts,
    product,
    slide,
    strip,
    transpose,
    window,
)
from .conv_tiles import MOST_ROWS, POINTS, STRIPS, SUMS
from .language import at, helper
from .target import target

MOST_POINTS = POINTS[target().registers]
MOST_SUMS = SUMS[target().registers]
MOST_STRIPS = STRIPS[target().registers]


def pack(weight, packed, plan, size, groups, blocks, depth, wide, words, first, last, worker):
    """packed[group, block, o*cols + t, lane] = weight[start of both + o*step + lane*row + t]."""
    cols = plan[PACK_COLUMNS]
    for b in range(first, last):
        channel = b % blocks * wide
        start = b // blocks * (size // groups) + channel * plan[PACK_ROW]
        count = min(wide, plan[OUTPUTS] - channel)
        for o in range(depth // cols):
            rows = at(weight, start + o * plan[PACK_STEP])
            found = at(packed, (b * depth + o * cols) * wide)
            transpose(rows, plan[PACK_ROW], count, cols, found, wide, 1)


def pack_tasks(weight, packed, plan, size, groups, blocks, depth, wide, words):
    return groups * blocks


@helper
def gather_tasks(plan, n):
    """Image groups x bands x splits."""
    return parts(n, plan[IMAGES]) * parts(plan[ROWS], plan[BAND]) * plan[SPLITS]


# --- Lanes are channels ---------------------------------------------------------------------------


def channels(x, packed, bias, phases, table, plan, scratch, y, n, c, xh, xw, groups, blocks, depth,
             wide, m, phase_count, fields, taps, two, words, workers, room, oh, ow,
             first, last, worker):  # fmt: skip
    """Lanes are the channels of one block; the sums of a band lie pixel by pixel in scratch."""
    bands = parts(plan[ROWS], plan[BAND])
    plane = plan[OUT_HEIGHT] * plan[OUT_WIDTH]
    positions = plan[BAND] * plan[UP] * plan[OUT_WIDTH]
    row_size = c * plan[PITCH]
    part = at(scratch, worker * room)
    for task in range(first, last):
        split = task % plan[SPLITS]
        begin = task // plan[SPLITS] % bands * plan[BAND]
        end = min(begin + plan[BAND], plan[ROWS])
        image = task // plan[SPLITS] // bands * plan[IMAGES]
        images = min(plan[IMAGES], n - image)
        height = (end - 1 - begin) * plan[DOWN] + plan[SPAN]
        source = at(part, wide)
        for i in range(images * height):
            row = begin * plan[DOWN] + plan[TOP] + i % height
            pad_row(x, at(source, i * row_size), plan, image + i // height, c, row)
        sums = at(source, images * height * row_size + lanes_of(x))
        top = begin * plan[UP]
        written = (min(end * plan[UP], plan[OUT_HEIGHT]) - top) * plan[OUT_WIDTH]
        total = groups * blocks
        for b in range(cut(total, plan[SPLITS], split), cut(total, plan[SPLITS], split + 1)):
            channel = b % blocks * wide
            start = b // blocks * plan[OUTPUTS] + channel
            count = min(wide, plan[OUTPUTS] - channel)
            bias_row(bias, start, count, part, wide)
            matrix = at(packed, b * depth * wide)
            for o in range(0, plan[CHANNELS], plan[DEPTH]):
                for phase in range(phase_count):
                    phase_rows(
                        at(source, (b // blocks * plan[CHANNELS] + o) * plan[PITCH]),
                        at(matrix, o * plan[TAPS] * wide),
                        part if o == 0 else sums,
                        sums, at(phases, phase * PHASE), table, plan,
                        begin, end, images, height * row_size, row_size, positions, wide,
                        parts(count, lanes_of(x)), min(plan[DEPTH], plan[CHANNELS] - o), o != 0,
                    )  # fmt: skip
            for i in range(images):
                result = at(y, ((image + i) * m + start) * plane + top * plan[OUT_WIDTH])
                deliver(at(sums, i * positions * wide), wide, written, count, result, plane)


def channels_tasks(x, packed, bias, phases, table, plan, scratch, y, n, c, xh, xw, groups, blocks,
                   depth, wide, m, phase_count, fields, taps, two, words, workers, room, oh,
                   ow):  # fmt: skip
    return gather_tasks(plan, n)


@helper
def phase_rows(source, matrix, first, sums, phase, table, plan, begin, end, images, image_size,
               row_size, positions, wide, vectors, outer, again):  # fmt: skip
    """All tiles of one phase in a band; with `again` they add to the sums."""
    offsets = at(table, phase[FIRST_TAP] * 2)
    # A tile's pixels lie along one axis, columns or images; the other one is walked through.
    along, pace, result_pace = phase[PHASE_WIDTH], plan[RIGHT], plan[ACROSS] * wide
    others, other_pace, other_result_pace = images, image_size, positions * wide
    if plan[LINE] == 1:
        along, others = others, along
        pace, other_pace = other_pace, pace
        result_pace, other_result_pace = other_result_pace, result_pace
    pieces = parts(along, MOST_POINTS)
    for r in range(begin, min(end, phase[PHASE_HEIGHT])):
        inputs = at(source, (r - begin) * plan[DOWN] * row_size)
        row = ((r - begin) * plan[UP] + phase[PHASE_ROW]) * plan[OUT_WIDTH] + phase[PHASE_COLUMN]
        for other in range(others):
            for piece in range(pieces):
                i = cut(along, pieces, piece)
                place = row * wide + other * other_result_pace + i * result_pace
                points = cut(along, pieces, piece + 1) - i
                inside = at(inputs, other * other_pace + i * pace)
                if plan[COLUMNS] != 0:
                    slide(
                        points, plan[COLUMNS], inside, matrix, offsets, at(first, place * again),
                        at(sums, place), plan[PITCH], plan[TAPS] * wide, outer,
                        phase[PHASE_TAPS] // plan[COLUMNS], result_pace * again, result_pace,
                    )  # fmt: skip
                else:
                    product(
                        points, vectors, inside, matrix, offsets, at(first, place * again),
                        at(sums, place), pace, plan[PITCH], plan[TAPS] * wide, outer,
                        phase[PHASE_TAPS], result_pace * again, result_pace,
                    )  # fmt: skip


@helper
def deliver(sums, wide, positions, count, result, plane):
    """From pixel by pixel to channel by channel."""
    if plane == 1:
        for j in range(count):
            result[j] = sums[j]
    else:
        transpose(sums, wide, positions, count, result, plane, 0)


# --- Lanes are pixels -----------------------------------------------------------------------------


def pixels(x, packed, bias, phases, table, plan, scratch, y, n, c, xh, xw, groups, per_group, taps,
           outputs, m, phase_count, fields, entries, two, words, workers, room, oh, ow,
           first, last, worker):  # fmt: skip
    """Lanes are neighbouring pixels of a row, or of a whole band where rows leave no gap."""
    bands = parts(plan[ROWS], plan[BAND])
    plane = plan[OUT_HEIGHT] * plan[OUT_WIDTH]
    direct = plan[UP] == 1 and plan[ACROSS] == 1
    wide = plan[OUT_WIDTH] // plan[ACROSS] + 1
    part = at(scratch, worker * room)
    for task in range(first, last):
        split = task % plan[SPLITS]
        begin = task // plan[SPLITS] % bands * plan[BAND]
        end = min(begin + plan[BAND], plan[ROWS])
        image = task // plan[SPLITS] // bands * plan[IMAGES]
        height = (end - 1 - begin) * plan[DOWN] + plan[SPAN]
        channel_size = height * plan[RIGHT] * plan[PITCH]
        biases, inputs = part, at(part, outputs + lanes_of(x))
        sums = at(inputs, per_group * channel_size + plan[PITCH] + lanes_of(x))
        for i in range(image, min(image + plan[IMAGES], n)):
            for b in range(cut(groups, plan[SPLITS], split), cut(groups, plan[SPLITS], split + 1)):
                channel, top = i * c + b * per_group, begin * plan[DOWN] + plan[TOP]
                pad_channels(x, inputs, plan, channel, per_group, top, height)
                bias_row(bias, b * outputs, outputs, biases, outputs)
                weights = at(packed, b * per_group * taps * outputs)
                for p in range(phase_count):
                    phase = at(phases, p * PHASE)
                    rows = min(end, phase[PHASE_HEIGHT]) - begin
                    result = at(y, (i * m + b * outputs) * plane)
                    found, row, pitch = sums, plan[BAND] * wide, wide
                    if direct:
                        found, row, pitch = at(result, begin * plan[OUT_WIDTH]), plane, wide - 1
                    panels(
                        inputs, weights, biases, found, phase, table, plan, rows, per_group,
                        channel_size, outputs, row, pitch,
                    )  # fmt: skip
                    if not direct:
                        spread(sums, result, phase, plan, begin, rows, outputs, wide)


def pixels_tasks(x, packed, bias, phases, table, plan, scratch, y, n, c, xh, xw, groups, per_group,
                 taps, outputs, m, phase_count, fields, entries, two, words, workers, room, oh,
                 ow):  # fmt: skip
    return gather_tasks(plan, n)


@helper
def pad_channels(x, padded, plan, channel, count, top, height):
    """Part of some channels, counted through all images, with the zeros around it.

    With a stride the columns of a row are sorted by their remainder, so that the pixels that
    neighbouring results read at one tap are neighbours.
    """
    size, pitch, pace = plan[HEIGHT] * plan[WIDTH], plan[PITCH], plan[RIGHT]
    low, high = min(max(-top, 0), height), min(max(plan[HEIGHT] - top, 0), height)
    for i in range(count):
        source = at(x, (channel + i) * size + (low + top) * plan[WIDTH])
        rows = at(padded, i * height * pace * pitch)
        clear(rows, low * pace * pitch)
        if pace == 1:
            inside = at(rows, low * pitch)
            pad_rows(source, plan[WIDTH], high - low, -plan[LEFT], plan[WIDTH], inside, pitch)
        else:
            for r in range(low, high):
                row = at(source, (r - low) * plan[WIDTH] + plan[LEFT])
                for remainder in range(pace):
                    target_row = at(rows, (r * pace + remainder) * pitch)
                    for j in range(pitch):
                        column = j * pace + remainder
                        target_row[j] = 0.0
                        if 0 <= column + plan[LEFT] < plan[WIDTH]:
                            target_row[j] = row[column]
        clear(at(rows, high * pace * pitch), (height - high) * pace * pitch)
    clear(at(padded, count * height * pace * pitch), pitch + lanes_of(x))


@helper
def panels(inputs, weights, biases, result, phase, table, plan, rows, per_group, channel_size,
           outputs, result_row, result_pitch):  # fmt: skip
    """All tiles of one phase in the band of an image and group."""
    lanes = lanes_of(inputs)
    offsets = at(table, phase[FIRST_TAP] * 2)
    pieces = parts(outputs, MOST_ROWS)
    width = phase[PHASE_WIDTH]
    pitch = plan[DOWN] * plan[RIGHT] * plan[PITCH]
    less = 0
    if plan[FLAT] == 1:
        width = rows * plan[PITCH]
        rows = parts(width, lanes)
        pitch, result_pitch, less = lanes, lanes, lanes
    for piece in range(pieces):
        m = cut(outputs, pieces, piece)
        count = cut(outputs, pieces, piece + 1) - m
        most = widest(count) if plan[COLUMNS] == 0 else MOST_STRIPS
        for j in range(0, lanes if plan[FLAT] == 1 else width, lanes):
            vectors = most
            r = 0
            while r < rows:
                while vectors > rows - r:
                    vectors //= 2
                source, found = at(inputs, r * pitch + j), at(result, r * result_pitch + j)
                if plan[COLUMNS] != 0:
                    strip(
                        vectors, source, weights, offsets, biases, found, pitch, channel_size,
                        plan[TAPS], 1, plan[COLUMNS], result_row, result_pitch, width - j, 0,
                    )  # fmt: skip
                else:
                    window(
                        count, vectors, source, at(weights, m), offsets, at(biases, m),
                        at(found, m * result_row), pitch, channel_size, plan[TAPS] * outputs,
                        per_group, phase[PHASE_TAPS], result_row, result_pitch,
                        width - j - r * less, less,
                    )  # fmt: skip
                r += vectors


@helper
def widest(rows):
    """Vectors of the widest tile with so many channels."""
    vectors = 8
    while vectors * rows > MOST_SUMS:
        vectors //= 2
    return vectors


@helper
def spread(sums, result, phase, plan, begin, rows, outputs, wide):
    """Put a phase's pixels where they belong among those of the others."""
    plane, width = plan[OUT_HEIGHT] * plan[OUT_WIDTH], plan[OUT_WIDTH]
    for m in range(outputs):
        for r in range(rows):
            row = at(
                result,
                m * plane
                + ((begin + r) * plan[UP] + phase[PHASE_ROW]) * width
                + phase[PHASE_COLUMN],
            )
            found = at(sums, (m * plan[BAND] + r) * wide)
            for j in range(phase[PHASE_WIDTH]):
                row[j * plan[ACROSS]] = found[j]
