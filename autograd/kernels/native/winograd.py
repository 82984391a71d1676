"""Winograd convolution, 3 x 3 with stride 1, and both of its gradients (bodies).

A block of tiles goes through all three steps while it lies in a core's cache: its planes are turned
to lanes of channels, in a band as high as one row of tiles, and transformed; for each point of the
transform one small matrix product runs over the channels; products are transformed back, turned to
planes again and cropped. Blocks differ in nothing but the tiles they have, so that results depend
neither on the size of blocks nor on the threads.

The weight gradient sums over tiles: each task sums those of its chunk, for some of the channels,
and a second kernel adds the chunks in their order.
"""

from .language import address, at, extern, helper, room
from .winograd_layout import (
    ACROSS,
    BLOCK_STRIPS,
    BLOCK_TILES,
    CHUNK_STRIPS,
    FILTERS,
    FLIPPED,
    GROUP_INPUTS,
    GROUP_OUTPUTS,
    INPUT_STEP,
    INPUTS,
    LEFT,
    OUTPUT_STEP,
    OUTPUTS,
    ROW_GRAIN,
    ROW_STRIPS,
    ROWS,
    STRIPS,
    TILE,
    TOP,
    WEIGHT_STEP,
)
from .winograd_tiles import GROUP, LANES, PANEL_ONE, PANEL_TWO, write_tiles
from .winograd_transforms import write_transforms

VECTORS = (write_transforms, write_tiles)

gather = extern("winograd_gather")
scatter = extern("winograd_scatter")
product_one, product_two = extern("winograd_product_1"), extern("winograd_product_2")
outer_one, outer_two = extern("winograd_outer_1"), extern("winograd_outer_2")
input_2, input_4 = extern("winograd_input_2"), extern("winograd_input_4")
gradient_2, gradient_4 = extern("winograd_gradient_2"), extern("winograd_gradient_4")
output_2, output_4 = extern("winograd_output_2"), extern("winograd_output_4")
weight_2, weight_4 = extern("winograd_weight_2"), extern("winograd_weight_4")
weight_gradient_2 = extern("winograd_weight_gradient_2")
weight_gradient_4 = extern("winograd_weight_gradient_4")

TAPS = 9
one_vector = room(LANES)
few_taps = room((TAPS + LANES) * LANES)  # of one channel, filled up to whole squares
many_taps = room((TAPS * FILTERS + LANES) * LANES)


@helper
def clear(x, count):
    for i in range(count):
        x[i] = 0


# --- Images to transforms and back --------------------------------------------------------------


@helper
def fill_band(x, planes, height, width, row, col, rows, pixels, band, pitch):
    """Turn (rows, pixels) of up to LANES planes to lanes, from (row, col) on; 0 beyond the edge."""
    begin, end = max(0, -col), min(pixels, width - col)
    for r in range(rows):
        line = at(band, r * pitch)
        if end > begin and 0 <= row + r < height:
            clear(line, begin * LANES)
            source = at(x, (row + r) * width + col + begin)
            gather(source, height * width, min(planes, LANES), end - begin, at(line, begin * LANES))
            clear(at(line, end * LANES), (pixels - end) * LANES)
        else:
            clear(line, pixels * LANES)


@helper
def transform(x, channels, height, width, plan, border, group, strip, strips, band, v, step):
    """Transform some strips of a group (first vector, vectors) of channels.

    They are inputs or, without a border, gradients.
    """
    tile, across, span = plan[TILE], plan[ACROSS], plan[BLOCK_TILES]
    size = tile + 2 if border else tile
    top, left = (plan[TOP], plan[LEFT]) if border else (0, 0)
    pixels = tile * (across - 1) + size
    pitch = (pixels + LANES) * LANES
    for s in range(strips):
        line, place = divmod(strip + s, plan[ROW_STRIPS])
        image, line = divmod(line, plan[ROWS])
        row, col = line * tile - top, place * across * tile - left
        for b in range(group[1]):
            c = (group[0] + b) * LANES
            source = at(x, (image * channels + c) * height * width)
            fill_band(source, channels - c, height, width, row, col, size, pixels, band, pitch)
            target = at(v, (b * span + s * across) * LANES)
            if tile == 4:
                if border:
                    input_4(band, pitch, target, step, across)
                else:
                    gradient_4(band, pitch, target, step, across)
            elif border:
                input_2(band, pitch, target, step, across)
            else:
                gradient_2(band, pitch, target, step, across)


@helper
def write_outputs(m, bias, plan, group, strip, strips, band, y, channels, height, width):
    """Transform a group (first vector, vectors) of outputs back, into their places in y."""
    tile, across, span = plan[TILE], plan[ACROSS], plan[BLOCK_TILES]
    step = plan[OUTPUT_STEP]
    pitch = (tile * across + LANES) * LANES
    shift = one_vector(m)
    clear(shift, LANES)
    for b in range(group[1]):
        c = (group[0] + b) * LANES
        planes = min(channels - c, LANES)
        if address(bias) != 0:
            for i in range(planes):
                shift[i] = bias[c + i]
        for s in range(strips):
            line, place = divmod(strip + s, plan[ROW_STRIPS])
            image, line = divmod(line, plan[ROWS])
            row, col = line * tile, place * across * tile
            source = at(m, (b * span + s * across) * LANES)
            if tile == 4:
                output_4(source, step, shift, band, pitch, across)
            else:
                output_2(source, step, shift, band, pitch, across)
            pixels = min(tile * across, width - col)
            for r in range(min(tile, height - row)):
                target = at(y, ((image * channels + c) * height + row + r) * width + col)
                scatter(at(band, r * pitch), target, height * width, planes, pixels)


# --- Forward and input gradient -----------------------------------------------------------------


@helper
def multiply(v, u, m, plan, inputs, outputs, tiles, add):
    """M = V @ U, or M += V @ U, at all points, for some inputs and outputs (first, vectors)."""
    points = (plan[TILE] + 2) * (plan[TILE] + 2)
    span = plan[BLOCK_TILES] * LANES
    u_step = plan[INPUTS] * LANES * LANES
    for point in range(points):
        b = 0
        while b < outputs[1]:
            vectors = 2 if b + 2 <= outputs[1] else 1
            panels = -(-tiles // (PANEL_TWO if vectors == 2 else PANEL_ONE))
            panel = -(-tiles // (panels * ROW_GRAIN)) * ROW_GRAIN
            right = at(u, point * plan[WEIGHT_STEP] + (outputs[0] + b) * u_step)
            right = at(right, inputs[0] * LANES * LANES)
            for t in range(0, tiles, panel):
                left = at(v, point * plan[INPUT_STEP] + t * LANES)
                result = at(m, point * plan[OUTPUT_STEP] + b * span + t * LANES)
                rest = -(-(tiles - t) // ROW_GRAIN) * ROW_GRAIN
                if vectors == 2:
                    product_two(
                        left, span, right, u_step, result, span, inputs[1], min(panel, rest), add
                    )
                else:
                    product_one(
                        left, span, right, u_step, result, span, inputs[1], min(panel, rest), add
                    )
            b += vectors


def convolve(
    x, u, bias, y, scratch, plan, n, c, h, w, weights, o, p, q, workers, size, fields,
    first, last, worker,
):  # fmt: skip
    v = at(scratch, worker * size)
    points = (plan[TILE] + 2) * (plan[TILE] + 2)
    m = at(v, points * plan[INPUT_STEP])
    band = at(m, points * plan[OUTPUT_STEP])
    for task in range(first, last):
        strip = task * plan[CHUNK_STRIPS]
        strips = min(plan[CHUNK_STRIPS], plan[STRIPS] - strip)
        tiles = strips * plan[ACROSS]
        for output in range(0, plan[OUTPUTS], plan[GROUP_OUTPUTS]):
            outputs = (output, min(plan[GROUP_OUTPUTS], plan[OUTPUTS] - output))
            for begin in range(0, plan[INPUTS], plan[GROUP_INPUTS]):
                inputs = (begin, min(plan[GROUP_INPUTS], plan[INPUTS] - begin))
                if output == 0 or plan[INPUTS] > plan[GROUP_INPUTS]:  # else they are still there
                    transform(
                        x, c, h, w, plan, True, inputs, strip, strips, band, v, plan[INPUT_STEP]
                    )
                multiply(v, u, m, plan, inputs, outputs, tiles, 1 if begin else 0)
            write_outputs(m, bias, plan, outputs, strip, strips, band, y, o, p, q)


def convolve_tasks(
    x, u, bias, y, scratch, plan, n, c, h, w, weights, o, p, q, workers, size, fields
):
    return -(-plan[STRIPS] // plan[CHUNK_STRIPS])


def transform_weights(w, u, plan, o, c, taps, size, fields, first, last, worker):
    """U for `convolve`; what fills channels up to whole vectors is 0."""
    flipped = plan[FLIPPED] == 1
    inputs, outputs = (o, c) if flipped else (c, o)
    span = plan[INPUTS] * LANES
    parts = -(-span // FILTERS)
    next_input, next_output = (c * TAPS, TAPS) if flipped else (TAPS, c * TAPS)
    start, turn = ((TAPS - 1) * LANES, -LANES) if flipped else (0, LANES)
    found = few_taps(w)
    for task in range(first, last):
        block, part = divmod(task, parts)
        lanes = min(LANES, outputs - block * LANES)
        for i in range(part * FILTERS, min((part + 1) * FILTERS, span)):
            if i < inputs:
                source = at(w, i * next_input + block * LANES * next_output)
                gather(source, next_output, lanes, TAPS, found)
            else:
                clear(found, TAPS * LANES)
            target = at(u, (block * span + i) * LANES)
            if plan[TILE] == 4:
                weight_4(at(found, start), turn, target, plan[WEIGHT_STEP])
            else:
                weight_2(at(found, start), turn, target, plan[WEIGHT_STEP])


def transform_weights_tasks(w, u, plan, o, c, taps, size, fields):
    return plan[OUTPUTS] * -(-(plan[INPUTS] * LANES) // FILTERS)


# --- Weight gradient ----------------------------------------------------------------------------


@helper
def correlate(v, w, u, plan, inputs, outputs, tiles, add):
    """U = V^T @ W, or U += V^T @ W, at all points, for some inputs and outputs (first, vectors)."""
    points = (plan[TILE] + 2) * (plan[TILE] + 2)
    span = plan[BLOCK_TILES] * LANES
    u_step = plan[INPUTS] * LANES * LANES
    for point in range(points):
        b = 0
        while b < outputs[1]:
            vectors = 2 if b + 2 <= outputs[1] else 1
            right = at(w, point * plan[OUTPUT_STEP] + b * span)
            result = at(u, point * plan[WEIGHT_STEP] + (outputs[0] + b) * u_step)
            for c in range(0, inputs[1] * LANES, GROUP):
                left = at(v, point * plan[INPUT_STEP] + (c // LANES) * span + c % LANES)
                target = at(result, (inputs[0] * LANES + c) * LANES)
                if vectors == 2:
                    outer_two(left, right, span, target, u_step, tiles, add)
                else:
                    outer_one(left, right, span, target, u_step, tiles, add)
            b += vectors


def sum_tiles(
    x, g, u, scratch, plan, n, c, h, w, o, p, q, chunks, step, workers, size, fields,
    first, last, worker,
):  # fmt: skip
    v = at(scratch, worker * size)
    points = (plan[TILE] + 2) * (plan[TILE] + 2)
    m = at(v, points * plan[INPUT_STEP])
    band = at(m, points * plan[OUTPUT_STEP])
    input_groups = -(-plan[INPUTS] // plan[GROUP_INPUTS])
    output_groups = -(-plan[OUTPUTS] // plan[GROUP_OUTPUTS])
    for task in range(first, last):
        rest, b = divmod(task, output_groups)
        chunk, a = divmod(rest, input_groups)
        a, b = a * plan[GROUP_INPUTS], b * plan[GROUP_OUTPUTS]
        inputs = (a, min(plan[GROUP_INPUTS], plan[INPUTS] - a))
        outputs = (b, min(plan[GROUP_OUTPUTS], plan[OUTPUTS] - b))
        begin = chunk * plan[CHUNK_STRIPS]
        end = min(begin + plan[CHUNK_STRIPS], plan[STRIPS])
        for strip in range(begin, end, plan[BLOCK_STRIPS]):
            strips = min(plan[BLOCK_STRIPS], end - strip)
            transform(x, c, h, w, plan, True, inputs, strip, strips, band, v, plan[INPUT_STEP])
            transform(g, o, p, q, plan, False, outputs, strip, strips, band, m, plan[OUTPUT_STEP])
            tiles = strips * plan[ACROSS]
            correlate(v, m, at(u, chunk * step), plan, inputs, outputs, tiles, strip - begin)


def sum_tiles_tasks(
    x, g, u, scratch, plan, n, c, h, w, o, p, q, chunks, step, workers, size, fields
):
    groups = -(-plan[INPUTS] // plan[GROUP_INPUTS]) * -(-plan[OUTPUTS] // plan[GROUP_OUTPUTS])
    return chunks * groups


def add_chunks(u, dw, plan, chunks, step, o, c, taps, fields, first, last, worker):
    """The weight gradient from the sums of all chunks."""
    span = plan[INPUTS] * LANES
    parts = -(-c // FILTERS)
    found = many_taps(u)
    for task in range(first, last):
        block, part = divmod(task, parts)
        begin, end = part * FILTERS, min((part + 1) * FILTERS, c)
        for i in range(begin, end):
            source = at(u, (block * span + i) * LANES)
            target = at(found, (i - begin) * TAPS * LANES)
            if plan[TILE] == 4:
                weight_gradient_4(source, plan[WEIGHT_STEP], step, chunks, target)
            else:
                weight_gradient_2(source, plan[WEIGHT_STEP], step, chunks, target)
        place = at(dw, (block * LANES * c + begin) * TAPS)
        scatter(found, place, c * TAPS, min(LANES, o - block * LANES), (end - begin) * TAPS)


def add_chunks_tasks(u, dw, plan, chunks, step, o, c, taps, fields):
    return plan[OUTPUTS] * -(-c // FILTERS)
