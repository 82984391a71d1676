"""Matrix products (bodies): how they are cut into tasks, blocks, panels and tiles.

Addresses are integers here, and `size` is that of an element in bytes, so that one function serves
both dtypes: compiling it takes longer than all tiles do. Strides count elements.

A task is a block of C. It goes through k in chunks of CHUNK; for each, B's part is packed where
that pays, and each panel of rows runs over it with the tiles of tiles.py. A is read where it lies
unless its rows would collide in the cache. Sums do not depend on the cuts along m and n.
"""

from numba import types

from . import tiles
from .language import BYTE, address, at, cast, extern, helper, words
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
DOT_COLUMNS = 8
"""Columns of B that `dots` gets at once."""
LINE = 64
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

panel_f4, panel_f8 = extern("panel_f4", generic=False), extern("panel_f8", generic=False)
dots_f4, dots_f8 = extern("dots_f4", generic=False), extern("dots_f8", generic=False)
rows_f4, rows_f8 = extern("pack_rows_f4", generic=False), extern("pack_rows_f8", generic=False)
columns_f4, columns_f8 = (
    extern("pack_columns_f4", generic=False),
    extern("pack_columns_f8", generic=False),
)
malloc = types.ExternalFunction("malloc", types.int64(types.int64))
free = types.ExternalFunction("free", types.void(types.int64))
new_buffer = words(BUFFER_WORDS)
new_panel = words(ROWS * CHUNK)
vectors_of = helper(tiles.vectors_of)


@helper
def part(n, parts, i):
    """Where the i-th of `parts` near-equal parts of 0 .. n begins."""
    if parts == 1:  # most products; a division takes as long as a row of a small one
        return n * i
    return n // parts * i + min(i, n % parts)


@helper
def ceil(n, step):
    return (n + step - 1) // step


# --- Tasks ----------------------------------------------------------------------------------------


@helper
def cost(size, m, n, k):
    """Cycles that a product takes, roughly, with the reading of A and B from L2."""
    return size * (m * n * k + m * k + k * n + 2 * m * n) // (2 * BYTES)


@helper
def grid(size, m, n, k):
    """How many blocks C is cut into: along its rows, and along its columns."""
    width = 2 * BYTES // size
    if m == 0 or n == 0:
        return 0, 0
    down, across = ceil(m, BLOCK_ROWS), ceil(n, BLOCK_COLUMNS)
    wanted = min(TASKS, cost(size, m, n, k) // TASK)
    while down * across < wanted:
        # Across is better: what is packed twice then is A, which is packed seldom.
        if n >= 2 * width * across and (n // across >= m // down or m < 2 * ROWS * down):
            across *= 2
        elif m >= 2 * ROWS * down:
            down *= 2
        else:
            break
    return down, across


def count_tasks(size, m, n, k):
    down, across = grid(size, m, n, k)
    return down * across


def product(size, a, a_row, a_col, b, b_row, b_col, bias, c, m, n, k, first, last):
    """Compute the blocks first .. last-1 of C = bias + A B."""
    width = 2 * BYTES // size
    down, across = grid(size, m, n, k)
    for task in range(first, last):
        i, j = task // across, task % across
        top = part(m, down, i)
        left = min(n, part(ceil(n, width), across, j) * width)
        rows = part(m, down, i + 1) - top
        columns = min(n, part(ceil(n, width), across, j + 1) * width) - left
        a_here, b_here = a + size * top * a_row, b + size * left * b_col
        c_here = c + size * (top * n + left)
        base = bias + size * left if bias != 0 else 0
        if b_row == 1 and a_col == 1 and (m <= DOT_LIMIT or n == 1):
            dot_block(size, a_here, a_row, b_here, b_col, base, c_here, n, rows, columns, k)
        else:
            block(
                size, a_here, a_row, a_col, b_here, b_row, b_col, base, c_here, n, rows, columns, k
            )
    return 0


# --- Blocks ---------------------------------------------------------------------------------------


@helper
def dot_block(size, a, a_row, b, b_col, bias, c, c_row, m, n, k):
    """C = bias + A B for B in columns, a few rows of A at a time."""
    chunks = max(1, ceil(k, DOT_CHUNK))
    base, base_row = bias, 0
    for chunk in range(chunks):
        begin = part(k, chunks, chunk)
        depth = part(k, chunks, chunk + 1) - begin
        for j in range(0, n, DOT_COLUMNS):
            columns = min(DOT_COLUMNS, n - j)
            b_here = cast(b + size * (j * b_col + begin), BYTE)
            for i in range(0, m, tiles.DOT_ROWS):
                rows = min(tiles.DOT_ROWS, m - i)
                a_here = cast(a + size * (i * a_row + begin), BYTE)
                c_here = cast(c + size * (i * c_row + j), BYTE)
                to = cast(base + size * (i * base_row + j) if base != 0 else 0, BYTE)
                if size == 4:
                    dots_f4(
                        rows, a_here, a_row, b_here, b_col, c_here, c_row, to, base_row, depth,
                        columns,
                    )  # fmt: skip
                else:
                    dots_f8(
                        rows, a_here, a_row, b_here, b_col, c_here, c_row, to, base_row, depth,
                        columns,
                    )  # fmt: skip
        base, base_row = c, c_row


@helper
def block(size, a, a_row, a_col, b, b_row, b_col, bias, c, c_row, m, n, k):
    """C = bias + A B by tiles."""
    panels = ceil(m, ROWS)
    width = vectors_of(ceil(m, panels), ROWS) * BYTES // size
    # In columns, a wide panel of packed B must fit the buffer, too.
    chunks = max(1, ceil(k * width * size // (2 * BYTES) if b_col != 1 else k, CHUNK))
    pack_a = a_col == 1 and n > A_TILES * width and size * a_row % A_STRIDE == 0 and a_row > CHUNK
    pack_b = b_col != 1 or (panels > PACK_PANELS and size * b_row >= PACK_STRIDE)
    rows_of_a = address(new_panel())
    packed, heap, step = address(new_buffer()), 0, n
    if pack_b:  # whole panels, as many as there is room for
        panel_bytes = size * width * ceil(max(1, k), chunks)
        room = panel_bytes * min(ceil(n, width), max(1, BLOCK_BYTES // panel_bytes))
        if room > 8 * BUFFER_WORDS:
            heap = malloc(room + LINE)
            if heap != 0:
                packed = (heap + LINE - 1) & -LINE
            else:  # the stack must do, with fewer columns at a time
                room = 8 * BUFFER_WORDS
        step = room // panel_bytes * width
    base, base_row = bias, 0
    for chunk in range(chunks):
        begin = part(k, chunks, chunk)
        depth = part(k, chunks, chunk + 1) - begin
        for j in range(0, n, step):
            columns = min(step, n - j)
            b_here, b_down, b_step = b + size * (begin * b_row + j * b_col), b_row, width
            if pack_b:
                pack(size, b_here, b_row, b_col, depth, columns, width, packed)
                b_here, b_down, b_step = packed, width, width * depth
            i = 0
            for p in range(panels):
                rows = (m - i) // (panels - p) if p + 1 < panels else m - i
                a_here, a_down = a + size * (i * a_row + begin * a_col), a_row
                if pack_a:
                    pack(size, a_here, a_row, 1, rows, depth, CHUNK, rows_of_a)
                    a_here, a_down = rows_of_a, CHUNK
                to = base + size * (i * base_row + j) if base != 0 else 0
                x, y = cast(a_here, BYTE), cast(b_here, BYTE)
                z, w = cast(c + size * (i * c_row + j), BYTE), cast(to, BYTE)
                if size == 4:
                    panel_f4(
                        rows, x, a_down, a_col, y, b_down, b_step, z, c_row, w, base_row, depth,
                        columns,
                    )  # fmt: skip
                else:
                    panel_f8(
                        rows, x, a_down, a_col, y, b_down, b_step, z, c_row, w, base_row, depth,
                        columns,
                    )  # fmt: skip
                i += rows
        base, base_row = c, c_row
    if heap != 0:
        free(heap)


@helper
def pack(size, b, b_row, b_col, k, n, width, to):
    """Copy k x n elements into panels of `width` columns."""
    x, y = cast(b, BYTE), cast(to, BYTE)
    if b_col == 1:
        if size == 4:
            rows_f4(x, b_row, k, n, width, y)
        else:
            rows_f8(x, b_row, k, n, width, y)
    elif size == 4:
        columns_f4(x, b_col, k, n, width, y)
    else:
        columns_f8(x, b_col, k, n, width, y)


# --- Kernels --------------------------------------------------------------------------------------

EXPORTS = {
    "multiply": (product, types.int64(*[types.int64] * 14)),
    "count_tasks": (count_tasks, types.int64(*[types.int64] * 4)),
}
"""Functions of the object file, compiled once; the kernels only call them."""

multiply = extern("multiply", types.int64, generic=False)
count = extern("count_tasks", types.int64, generic=False)
dot, panel = extern("dot"), extern("panel")


@helper
def size_of(pointer):
    """Bytes in one element; a constant when compiled."""
    return address(at(pointer, 1)) - address(pointer)


def nn(a, b, bias, c, m, k, n, first, last, worker):
    size, x, y, z, w = size_of(c), address(a), address(b), address(bias), address(c)
    if n == 1 and z == 0:  # a matrix times a vector
        multiply(size, y, k, 1, x, 1, k, z, w, 1, m, k, first, last)
    else:
        multiply(size, x, k, 1, y, n, 1, z, w, m, n, k, first, last)


def nn_tasks(a, b, bias, c, m, k, n):
    if n == 1 and address(bias) == 0:
        return count(size_of(c), 1, m, k)
    return count(size_of(c), m, n, k)


def nt(a, b, bias, c, m, k, n, first, last, worker):
    size, x, y, z, w = size_of(c), address(a), address(b), address(bias), address(c)
    multiply(size, x, k, 1, y, 1, k, z, w, m, n, k, first, last)


def nt_tasks(a, b, bias, c, m, k, n):
    return count(size_of(c), m, n, k)


def tn(a, b, bias, c, k, m, n, first, last, worker):
    size, x, y, z, w = size_of(c), address(a), address(b), address(bias), address(c)
    multiply(size, x, 1, m, y, n, 1, z, w, m, n, k, first, last)


def tn_tasks(a, b, bias, c, k, m, n):
    return count(size_of(c), m, n, k)


def tt(a, b, bias, c, k, m, n, first, last, worker):
    size, x, y, z, w = size_of(c), address(a), address(b), address(bias), address(c)
    multiply(size, x, 1, m, y, 1, k, z, w, m, n, k, first, last)


def tt_tasks(a, b, bias, c, k, m, n):
    return count(size_of(c), m, n, k)


def mv(a, x, y, m, k, first, last, worker):
    multiply(size_of(y), address(x), k, 1, address(a), 1, k, 0, address(y), 1, m, k, first, last)


def mv_tasks(a, x, y, m, k):
    return count(size_of(y), 1, m, k)


def vm(x, a, y, k, n, first, last, worker):
    multiply(size_of(y), address(x), k, 1, address(a), n, 1, 0, address(y), 1, n, k, first, last)


def vm_tasks(x, a, y, k, n):
    return count(size_of(y), 1, n, k)


def vv(x, y, s, k, first, last, worker):
    dot(x, y, k, s)


# Integer arguments come twice: as such, and among the symbols.
def batches(
    a, b, a_at, b_at, m, n, k, a_row, a_col, b_row, b_col, c,
    p, q, r, _m, _n, _k, _a_row, _a_col, _b_row, _b_col, first, last, worker,
):  # fmt: skip
    each = count(size_of(c), m, n, k)
    group = matrices_in_task(m, n, k, c)
    if group > 1 and one_panel(m, n, k, b_row, b_col, size_of(c)):
        for j in range(first * group, min(r, last * group)):
            x, y, z = at(a, a_at[j]), at(b, b_at[j]), at(c, j * m * n)
            panel(m, x, a_row, a_col, y, b_row, 0, z, n, cast(0, BYTE), 0, k, n)
        return
    for task in range(first, last):
        i, block, blocks = task, 0, each
        if group == 1:
            i, block, blocks = task // each, task % each, 1
        for j in range(i * group, min(r, (i + 1) * group)):
            multiply(
                size_of(c), address(at(a, a_at[j])), a_row, a_col, address(at(b, b_at[j])), b_row,
                b_col, 0, address(at(c, j * m * n)), m, n, k, block, block + blocks,
            )  # fmt: skip


def batches_tasks(
    a, b, a_at, b_at, m, n, k, a_row, a_col, b_row, b_col, c,
    p, q, r, _m, _n, _k, _a_row, _a_col, _b_row, _b_col,
):  # fmt: skip
    group = matrices_in_task(m, n, k, c)
    return ceil(r, group) if group > 1 else r * count(size_of(c), m, n, k)


@helper
def one_panel(m, n, k, b_row, b_col, size):
    """Whether a product is one tile, with B in rows: then finding its cuts would take as long."""
    small = m <= ROWS and k <= CHUNK and n <= vectors_of(m, ROWS) * BYTES // size
    return small and b_col == 1 and b_row != 1


@helper
def matrices_in_task(m, n, k, c):
    """How many small products make up a task; 1 if each has several."""
    return max(1, TASK // (1 + cost(size_of(c), m, n, k)))
