"""Matrix products (bodies): how they are cut into tasks, blocks, panels and tiles.

A task is a block of C. It goes through k in chunks of CHUNK; for each, B's part is packed where
that pays, and each panel of rows runs over it with the tiles of tiles.py. A is read where it lies
unless its rows would collide in the cache. Sums do not depend on the cuts along m and n.
"""

from numba import types

from . import tiles
from .language import FLOAT32, FLOAT64, address, at, cast, cast_like, extern, helper, words
from .target import target

VECTORS = (tiles.panels, tiles.packing, tiles.dots, tiles.dot)

ROWS = tiles.rows_of(target())
BYTES = target().bits // 8

CHUNK = 256
"""Steps of k at once: a panel of A (14 KiB in float32) stays in L1 while B's panels pass."""
DOT_CHUNK = 1024
"""The same for `dots`: eight columns of B take 32 KiB of L1."""
DOT_LIMIT = 8
"""Rows of A up to which a transposed B is read where it lies, and not packed."""
BLOCK_BYTES = 1 << 19
"""Of packed B: half of the usual L2, of which the other half is for A and C."""
BUFFER_WORDS = 1 << 12
"""32 KiB on the stack for what is packed, if that is enough."""
PACK_PANELS, PACK_STRIDE = 2, 256
"""B in rows is packed for more panels of A than this, if its rows are this many bytes apart: then
a tile's reads of it touch a page each few steps."""
A_STRIDE, A_TILES = 1024, 4
"""A in rows is packed, for more tiles than this, if its rows lie a multiple of this many bytes
apart: then they share a few sets of L1."""

TASK = 24_000
"""Least cost of a task in cycles: some 6 us."""
TASKS = 8
"""Number of tasks that are enough, however large the product: more would pack B more often."""
BLOCK_ROWS, BLOCK_COLUMNS = 280, 512
"""Largest block of C that is one task."""

panel = extern("panel")
pack_rows = extern("pack_rows")
pack_columns = extern("pack_columns")
dots = extern("dots")
dot = extern("dot")
malloc = types.ExternalFunction("malloc", types.int64(types.int64))
free = types.ExternalFunction("free", types.void(types.int64))
new_buffer = words(BUFFER_WORDS)
new_panel = words(ROWS * CHUNK)
vectors_of = helper(tiles.vectors_of)


@helper
def size_of(pointer):
    """Bytes in one element; a constant when compiled."""
    return address(at(pointer, 1)) - address(pointer)


@helper
def lanes_of(pointer):
    """Elements in one vector."""
    return BYTES // size_of(pointer)


@helper
def part(n, parts, i):
    """Where the i-th of `parts` near-equal parts of 0 .. n begins."""
    return n // parts * i + min(i, n % parts)


@helper
def ceil(n, step):
    return (n + step - 1) // step


# --- Tasks ----------------------------------------------------------------------------------------


@helper
def cost(m, n, k, lanes):
    """Cycles that a product takes, roughly, with the reading of A and B from L2."""
    return m * n * k // (2 * lanes) + (m * k + k * n) // (2 * lanes) + m * n // lanes


@helper
def grid(m, n, k, lanes):
    """How many blocks C is cut into: along its rows, and along its columns."""
    width = 2 * lanes
    down, across = ceil(m, BLOCK_ROWS), ceil(n, BLOCK_COLUMNS)
    wanted = min(TASKS, cost(m, n, k, lanes) // TASK)
    while down * across < wanted:
        # Across is better: what is packed twice then is A, which is packed seldom.
        if n >= 2 * width * across and (n // across >= m // down or m < 2 * ROWS * down):
            across *= 2
        elif m >= 2 * ROWS * down:
            down *= 2
        else:
            break
    return max(1, down), max(1, across)


@helper
def tasks_of(m, n, k, pointer):
    down, across = grid(m, n, k, lanes_of(pointer))
    return down * across if m * n > 0 else 0


@helper
def run(a, a_row, a_col, b, b_row, b_col, bias, c, m, n, k, first, last):
    """Compute the blocks first .. last-1 of C = bias + A B."""
    lanes = lanes_of(c)
    width = 2 * lanes
    down, across = grid(m, n, k, lanes)
    panels = ceil(n, width)
    for task in range(first, last):
        i, j = task // across, task % across
        top, bottom = part(m, down, i), part(m, down, i + 1)
        left = min(n, part(panels, across, j) * width)
        right = min(n, part(panels, across, j + 1) * width)
        bias_here = at(bias, left) if address(bias) != 0 else bias
        a_here, b_here = at(a, top * a_row), at(b, left * b_col)
        c_here = at(c, top * n + left)
        rows, columns = bottom - top, right - left
        if b_row == 1 and a_col == 1 and (m <= DOT_LIMIT or n == 1):
            dot_block(a_here, a_row, b_here, b_col, bias_here, c_here, n, rows, columns, k)
        else:
            block(
                a_here, a_row, a_col, b_here, b_row, b_col, bias_here, c_here, n, rows, columns, k
            )


@helper
def copy(source, target, count):
    for i in range(count):
        target[i] = source[i]


# --- Blocks ---------------------------------------------------------------------------------------


@helper
def dot_block(a, a_row, b, b_col, bias, c, c_row, m, n, k):
    """C = bias + A B for B in columns, a few rows of A at a time."""
    chunks = max(1, ceil(k, DOT_CHUNK))
    strips = ceil(n, 8)
    base, base_row = bias, 0
    for chunk in range(chunks):
        begin = part(k, chunks, chunk)
        size = part(k, chunks, chunk + 1) - begin
        for strip in range(strips):
            j = strip * 8
            for i in range(0, m, tiles.DOT_ROWS):
                dots(
                    min(tiles.DOT_ROWS, m - i),
                    at(a, i * a_row + begin),
                    a_row,
                    at(b, j * b_col + begin),
                    b_col,
                    at(c, i * c_row + j),
                    c_row,
                    at(base, i * base_row + j) if address(base) != 0 else base,
                    base_row,
                    size,
                    min(8, n - j),
                )
        base, base_row = c, c_row


@helper
def block(a, a_row, a_col, b, b_row, b_col, bias, c, c_row, m, n, k):
    """C = bias + A B by tiles."""
    lanes = lanes_of(c)
    size = BYTES // lanes
    panels = ceil(m, ROWS)
    width = vectors_of(ceil(m, panels), ROWS) * lanes
    # A wide panel of packed B must fit the buffer, too.
    chunks = max(1, ceil(k * width // (2 * lanes), CHUNK) if b_col != 1 else ceil(k, CHUNK))
    pack = b_col != 1 or (panels > PACK_PANELS and b_row * size >= PACK_STRIDE)
    pack_a = a_col == 1 and n > A_TILES * width and a_row * size % A_STRIDE == 0 and a_row > CHUNK
    # The buffer holds whole panels of packed B.
    step = n
    heap = 0
    if pack:
        panel_size = ceil(max(1, k), chunks) * width
        room = BUFFER_WORDS * 8
        wanted = min(ceil(n, width), max(1, BLOCK_BYTES // (panel_size * size))) * panel_size * size
        buffer = address(new_buffer())
        if wanted > room:
            heap = malloc(wanted + 64)
            if heap != 0:  # else the stack must do, with fewer columns at a time
                buffer, room = (heap + 63) & -64, wanted
        step = room // (panel_size * size) * width
        packed = cast_like(buffer, b)
    else:
        packed = b
    rows_of_a = cast_like(address(new_panel()), a)
    base, base_row = bias, 0
    for chunk in range(chunks):
        begin = part(k, chunks, chunk)
        depth = part(k, chunks, chunk + 1) - begin
        for j in range(0, n, step):
            columns = min(step, n - j)
            b_here = at(b, begin * b_row + j * b_col)
            b_step, down = width, b_row
            if pack:
                if b_col == 1:
                    pack_rows(b_here, b_row, depth, columns, width, packed)
                else:
                    pack_columns(b_here, b_col, depth, columns, width, packed)
                b_here, b_step, down = packed, width * depth, width
            for p in range(panels):
                i = part(m, panels, p)
                rows = part(m, panels, p + 1) - i
                a_here, row, col = at(a, i * a_row + begin * a_col), a_row, a_col
                if pack_a:
                    for r in range(rows):
                        copy(at(a_here, r * a_row), at(rows_of_a, r * depth), depth)
                    a_here, row = rows_of_a, depth
                panel(
                    rows,
                    a_here,
                    row,
                    col,
                    b_here,
                    down,
                    b_step,
                    at(c, i * c_row + j),
                    c_row,
                    at(base, i * base_row + j) if address(base) != 0 else base,
                    base_row,
                    depth,
                    columns,
                )
        base, base_row = c, c_row
    if heap != 0:
        free(heap)


# --- Kernels --------------------------------------------------------------------------------------
#
# All of them run the same code, which is therefore compiled once for each dtype, as a function of
# the object file: `product`.


def product_f4(a, a_row, a_col, b, b_row, b_col, bias, c, m, n, k, first, last):
    f = FLOAT32
    run(
        cast(a, f),
        a_row,
        a_col,
        cast(b, f),
        b_row,
        b_col,
        cast(bias, f),
        cast(c, f),
        m,
        n,
        k,
        first,
        last,
    )
    return 0


def product_f8(a, a_row, a_col, b, b_row, b_col, bias, c, m, n, k, first, last):
    f = FLOAT64
    run(
        cast(a, f),
        a_row,
        a_col,
        cast(b, f),
        b_row,
        b_col,
        cast(bias, f),
        cast(c, f),
        m,
        n,
        k,
        first,
        last,
    )
    return 0


INTEGERS = types.int64(*[types.int64] * 13)
EXPORTS = {"product_f4": (product_f4, INTEGERS), "product_f8": (product_f8, INTEGERS)}
in_float32 = extern("product_f4", types.int64, generic=False)
in_float64 = extern("product_f8", types.int64, generic=False)


@helper
def product(a, a_row, a_col, b, b_row, b_col, bias, c, m, n, k, first, last):
    p, q, r, s = address(a), address(b), address(bias), address(c)
    if size_of(c) == 4:
        in_float32(p, a_row, a_col, q, b_row, b_col, r, s, m, n, k, first, last)
    else:
        in_float64(p, a_row, a_col, q, b_row, b_col, r, s, m, n, k, first, last)


def nn(a, b, bias, c, m, k, n, first, last, worker):
    if n == 1 and address(bias) == 0:  # a matrix times a vector
        product(b, k, 1, a, 1, k, bias, c, 1, m, k, first, last)
    else:
        product(a, k, 1, b, n, 1, bias, c, m, n, k, first, last)


def nn_tasks(a, b, bias, c, m, k, n):
    if n == 1 and address(bias) == 0:
        return tasks_of(1, m, k, c)
    return tasks_of(m, n, k, c)


def nt(a, b, bias, c, m, k, n, first, last, worker):
    product(a, k, 1, b, 1, k, bias, c, m, n, k, first, last)


def nt_tasks(a, b, bias, c, m, k, n):
    return tasks_of(m, n, k, c)


def tn(a, b, bias, c, k, m, n, first, last, worker):
    product(a, 1, m, b, n, 1, bias, c, m, n, k, first, last)


def tn_tasks(a, b, bias, c, k, m, n):
    return tasks_of(m, n, k, c)


def tt(a, b, bias, c, k, m, n, first, last, worker):
    product(a, 1, m, b, 1, k, bias, c, m, n, k, first, last)


def tt_tasks(a, b, bias, c, k, m, n):
    return tasks_of(m, n, k, c)


def mv(a, x, y, m, k, first, last, worker):
    product(x, k, 1, a, 1, k, null(y), y, 1, m, k, first, last)


def mv_tasks(a, x, y, m, k):
    return tasks_of(1, m, k, y)


def vm(x, a, y, k, n, first, last, worker):
    product(x, k, 1, a, n, 1, null(y), y, 1, n, k, first, last)


def vm_tasks(x, a, y, k, n):
    return tasks_of(1, n, k, y)


def vv(x, y, s, k, first, last, worker):
    dot(x, y, k, s)


@helper
def null(model):
    return cast_like(0, model)


# Integer arguments come twice: as such, and among the symbols.
def batches(
    a, b, a_at, b_at, m, n, k, a_row, a_col, b_row, b_col, c,
    p, q, r, _m, _n, _k, _a_row, _a_col, _b_row, _b_col, first, last, worker,
):  # fmt: skip
    each = tasks_of(m, n, k, c)
    group = matrices_in_task(m, n, k, c)
    for task in range(first, last):
        i, block, blocks = task, 0, each
        if group == 1:
            i, block, blocks = task // each, task % each, 1
        for j in range(i * group, min(r, (i + 1) * group)):
            product(
                at(a, a_at[j]), a_row, a_col, at(b, b_at[j]), b_row, b_col, null(c),
                at(c, j * m * n), m, n, k, block, block + blocks,
            )  # fmt: skip


def batches_tasks(
    a, b, a_at, b_at, m, n, k, a_row, a_col, b_row, b_col, c,
    p, q, r, _m, _n, _k, _a_row, _a_col, _b_row, _b_col,
):  # fmt: skip
    group = matrices_in_task(m, n, k, c)
    return ceil(r, group) if group > 1 else r * tasks_of(m, n, k, c)


@helper
def matrices_in_task(m, n, k, c):
    """How many small products make up a task; 1 if each has several."""
    return max(1, TASK // (1 + cost(m, n, k, lanes_of(c))))
