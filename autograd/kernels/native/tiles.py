"""Register tiles of a matrix product, and the packing that feeds them (vector code).

The tile is a block of C that stays in registers while k runs: `rows` rows by `VECTORS` vectors of
columns. Each step of k loads the vectors of B once and broadcasts one number of A for each row:
with 14 x 2 that is 16 loads for 28 multiply-adds, which fill 14 cycles on a core that starts two of
each a cycle. A product of 512 x 512 reaches 240 GFLOP/s in float32 on one thread of a Zen 5.

A is read at any two strides, which costs nothing: few pointers cover 14 rows, as an address may add
one or two row strides to a pointer. B needs its columns side by side: a matrix in rows, or
panels packed by `pack_rows` and `pack_columns`.

========================= ========================================================================
`panel`                   C[rows, n] = base + A B for 1 .. `rows_of(target)` rows
`pack_rows`               B in rows, to panels
`pack_columns`            B in columns (B transposed), to panels
`dot`                     the dot product of two vectors
`dots`                    C[rows, n] = base + A B for B in columns unpacked; for 1 .. DOT_ROWS rows
========================= ========================================================================

`base` is what the sums are added to: the null pointer for nothing, C itself to accumulate, or a
bias with a row stride of 0. Every element of C is one chain of multiply-adds over k (with `dots`:
one chain in each lane), whatever tile it lies in; so results do not depend on how C is cut.
"""

from llvmlite import ir

from .simd import I64, INT, PTR, Code, Module, Value
from .target import Target

VECTORS = 2
"""Width of a tile in vectors."""

DOT_ROWS = 3
"""Rows of A that `dots` takes at once."""

TILE = {
    name: PTR if name in ("a", "b", "c", "base") else INT
    for name in ("a", "a_row", "a_col", "b", "b_row", "b_step", "c", "c_row", "base", "base_row")
} | {"k": INT, "n": INT}
"""Parameters of `panel`: strides in elements; `b_step` leads from one panel of B to the next."""

DOTS = {name: kind for name, kind in TILE.items() if name not in ("a_col", "b_step")}
"""Parameters of `dots`: A's and B's neighbours along k are neighbours in memory."""


def rows_of(target: Target) -> int:
    """Rows of the largest tile: as many as leave registers for B and a broadcast."""
    return 14 if target.registers == 32 else 6


def vectors_of(rows: int, most: int) -> int:
    """Width of a tile of few rows: wider, as the multiply-add needs 8 chains to be busy."""
    if rows * 8 < 2 * most:
        return 8
    return 4 if rows * 4 < 2 * most else VECTORS


# --- Tiles ----------------------------------------------------------------------------------------


def panels(module: Module) -> None:
    """Write `panel`, which picks the code for its number of rows."""
    most = rows_of(module.target)
    for rows in range(1, most + 1):
        with module.function(f"panel{rows}", **TILE) as k:
            panel(k, rows, vectors_of(rows, most))
    by_rows(module, "panel", TILE, most)


def by_rows(module: Module, name: str, parameters: dict[str, str], most: int) -> None:
    """Write the function `name`(rows, ...) that calls name1(...), name2(...) and so on."""
    with module.function(name, rows=INT, **parameters) as k:
        done = k.function.append_basic_block("done")
        choice = k.builder.switch(k.rows.ir, done)
        for rows in range(1, most + 1):
            choice.add_case(I64(rows), block := k.function.append_basic_block(f"rows{rows}"))
            k.builder.position_at_end(block)
            callee = module.module.globals[f"{name}{rows}_{module.dtype}"]
            k.builder.call(callee, k.function.args[1:])
            k.builder.branch(done)
        k.builder.position_at_end(done)


def panel(k: Code, rows: int, vectors: int) -> None:
    """All tiles of one panel of rows, from left to right; the narrow last ones under a mask."""
    lanes = k.lanes
    width = vectors * lanes
    whole = k.n - k.n % width
    b = k.variable(k.b)
    with k.loop(0, whole, width) as j:
        tile(k, rows, vectors, j, b.get(), None)
        b.set(k.place(b.get(), k.b_step))
    if vectors > VECTORS:
        stop = k.n - (k.n - whole) % (VECTORS * lanes)
        with k.loop(whole, stop, VECTORS * lanes) as j:
            tile(k, rows, VECTORS, j, b.get(), None)
            b.set(k.place(b.get(), VECTORS * lanes))
        whole = stop
    with k.loop(whole, k.n, lanes) as j:
        tile(k, rows, 1, j, b.get(), k.first_lanes(k.n - j))
        b.set(k.place(b.get(), lanes))


def tile(k: Code, rows: int, vectors: int, j: Value, b: Value, mask: Value | None) -> None:
    """C[:, j ..] = base + A B for `vectors` vectors of columns; `mask` is for the last of them."""
    masks = [None] * (vectors - 1) + [mask]
    sums = [[k.variable(0.0) for _ in range(vectors)] for _ in range(rows)]
    at_b = k.variable(b)
    at_a = [k.variable(k.place(k.a, k.a_row * i)) for i in range(0, rows, 3)]
    with k.loop(0, k.k):
        loaded = [k.load(at_b.get(), v * k.lanes, masks[v]) for v in range(vectors)]
        for i, row in enumerate(sums):
            number = k.splat(k.load_scalar(at_a[i // 3].get(), k.a_row * (i % 3)))
            for total, vector in zip(row, loaded, strict=True):
                total.set(k.fma(number, vector, total.get()))
        at_b.set(k.place(at_b.get(), k.b_row))
        for pointer in at_a:
            pointer.set(k.place(pointer.get(), k.a_col))
    with k.when(given(k, k.base)):
        for i, row in enumerate(sums):
            base = k.place(k.base, k.base_row * i + j)
            for v, total in enumerate(row):
                total.set(total.get() + k.load(base, v * k.lanes, masks[v]))
    for i, row in enumerate(sums):
        c = k.place(k.c, k.c_row * i + j)
        for v, total in enumerate(row):
            k.store(c, v * k.lanes, total.get(), masks[v])


def given(k: Code, pointer: Value) -> Value:
    """Whether a pointer is not null."""
    return Value(k, k.builder.ptrtoint(pointer.ir, I64)).ne(0)


# --- Packing --------------------------------------------------------------------------------------


def packing(module: Module) -> None:
    """Write the functions that copy k x n numbers of B into panels of `width` columns.

    A panel holds its columns side by side, one row after the other, so that a tile reads it from
    one end to the other. Columns beyond n are left as they are: a tile does not store what
    it makes of them.
    """
    rows = {"b": PTR, "b_row": INT, "k": INT, "n": INT, "width": INT, "to": PTR}
    with module.function("pack_rows", **rows) as k, k.loop(0, k.k) as i:
        copy_row(k, k.place(k.b, k.b_row * i), k.place(k.to, k.width * i))
    with module.function("pack_columns", b=PTR, b_col=INT, k=INT, n=INT, width=INT, to=PTR) as k:
        quad = 16 // module.size
        whole = k.k - k.k % quad
        with k.loop(0, k.n, k.lanes) as j:
            offset = k.width * k.k * (j // k.width) + j % k.width
            target = k.place(k.to, offset)
            columns = [clamped(k, j + i) for i in range(k.lanes)]
            sources = [k.place(k.b, k.b_col * column) for column in columns]
            with k.loop(0, whole, quad) as i:
                for t, vector in enumerate(transposed(k, sources, i)):
                    k.store(target, k.width * (i + t), vector)
            with k.loop(whole, k.k) as i:
                for lane, source in enumerate(sources):
                    k.store_scalar(target, k.width * i + lane, k.load_scalar(source, i))


def copy_row(k: Code, source: Value, target: Value) -> None:
    """Spread one row of B over the panels."""
    to = k.variable(target)
    left = k.variable(k.width)

    def write(j: Value, rest: Value | None) -> None:
        k.store(to.get(), 0, k.load(source, j, rest), rest)
        to.set(k.place(to.get(), k.lanes))
        left.set(left.get() - k.lanes)
        with k.when(left.get().eq(0)):
            to.set(k.place(to.get(), k.width * (k.k - 1)))
            left.set(k.width)

    k.each_block(k.n, write)


def clamped(k: Code, column: Value) -> Value:
    """A column, or the last one there is: reading beyond it would leave the array."""
    return k.select(column < k.n, column, k.n - 1)


def transposed(k: Code, sources: list[Value], i: Value) -> list[Value]:
    """Numbers i .. of as many columns as a vector has lanes, turned into vectors across columns.

    A vector is put together from 128-bit loads so that what remains are transposes of 4 x 4 (for
    float64 2 x 2) within each 128 bits, where shuffles are cheap.
    """
    quad = 16 // k.module.size
    small = ir.VectorType(k.module.element, quad)

    def part(source: Value) -> Value:
        address = k.place(source, i)
        return Value(k, k.builder.load(address.ir, align=k.module.size, typ=small))

    vectors = [joined(k, [part(s) for s in sources[first::quad]]) for first in range(quad)]
    step = quad
    while step > 1:
        step //= 2
        vectors = butterflies(k, vectors, step)
    return vectors


def joined(k: Code, parts: list[Value]) -> Value:
    """Vectors one after the other in one."""
    while len(parts) > 1:
        count = parts[0].type.count
        parts = [
            k.shuffle(a, b, list(range(2 * count)))
            for a, b in zip(parts[::2], parts[1::2], strict=True)
        ]
    return parts[0]


def butterflies(k: Code, vectors: list[Value], step: int) -> list[Value]:
    """One stage of a transpose: vectors `step` apart exchange their off-diagonal blocks."""
    lanes, out = range(k.lanes), list(vectors)
    for i in range(len(vectors)):
        if not i & step:
            x, y = vectors[i], vectors[i + step]
            out[i] = k.shuffle(x, y, [n if not n & step else k.lanes + n - step for n in lanes])
            out[i + step] = k.shuffle(
                x, y, [n + step if not n & step else k.lanes + n for n in lanes]
            )
    return out


# --- Dot products ---------------------------------------------------------------------------------


def dot_columns(module: Module) -> int:
    """Columns of B that `dots` takes at once."""
    return min(8 if module.target.registers == 32 else 4, module.lanes)


def dots(module: Module) -> None:
    """Write `dots`: lanes run along k, and are summed up at the end."""
    for rows in range(1, DOT_ROWS + 1):
        with module.function(f"dots{rows}", **DOTS) as k:
            at = k.variable(k.integer(0))
            columns = dot_columns(module)
            while columns:
                stop = k.n - (k.n - at.get()) % columns
                with k.loop(at.get(), stop, columns) as j:
                    dot_tile(k, rows, columns, j)
                at.set(stop)
                columns //= 2
    by_rows(module, "dots", DOTS, DOT_ROWS)


def dot(module: Module) -> None:
    """Write `dot`, for two long vectors: eight chains in turn, to wait for none of them."""
    with module.function("dot", a=PTR, b=PTR, k=INT, c=PTR) as k:
        chains = [k.variable(0.0) for _ in range(8)]
        turn = 0

        def step(i: Value, rest: Value | None) -> None:
            nonlocal turn
            chain = chains[turn % 8]
            turn += 1
            chain.set(k.fma(k.load(k.a, i, rest), k.load(k.b, i, rest), chain.get()))

        k.each_block(k.k, step, unroll=8)
        totals = [chain.get() for chain in chains]
        while len(totals) > 1:
            totals = [x + y for x, y in zip(totals[::2], totals[1::2], strict=True)]
        k.store_scalar(k.c, 0, k.sum_lanes(totals[0]))


def dot_tile(k: Code, rows: int, columns: int, j: Value) -> None:
    """C[:, j .. j + columns] = base + A B."""
    sums = [[k.variable(0.0) for _ in range(columns)] for _ in range(rows)]
    a = [k.place(k.a, k.a_row * i) for i in range(rows)]
    b = [k.place(k.b, k.b_row * (j + v)) for v in range(columns)]

    def step(i: Value, rest: Value | None) -> None:
        left = [k.load(pointer, i, rest) for pointer in a]
        for v, pointer in enumerate(b):
            right = k.load(pointer, i, rest)
            for row, x in zip(sums, left, strict=True):
                row[v].set(k.fma(x, right, row[v].get()))

    k.each_block(k.k, step)
    for i, row in enumerate(sums):
        total = lane_sums(k, [x.get() for x in row])
        address = k.place(k.c, k.c_row * i + j)
        base = k.place(k.base, k.base_row * i + j)
        outcome = k.variable(total)
        with k.when(given(k, k.base)):
            loaded = k.builder.load(base.ir, align=k.module.size, typ=total.type)
            outcome.set(total + Value(k, loaded))
        k.builder.store(outcome.get().ir, address.ir, align=k.module.size)


def lane_sums(k: Code, vectors: list[Value]) -> Value:
    """The sums of each vector's lanes as one vector; halves are added to halves again and again."""
    segment = k.lanes
    while len(vectors) > 1:
        segment //= 2
        vectors = [
            halves(k, x, y, segment) for x, y in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    total = vectors[0]
    while segment > 1:
        segment //= 2
        total = halves(k, total, total, segment, once=True)
    return total


def halves(k: Code, x: Value, y: Value, half: int, once: bool = False) -> Value:
    """First plus second half of each segment of x, then of y."""
    count = x.type.count
    low = [n for n in range(count if once else 2 * count) if not n // half % 2]
    return k.shuffle(x, y, low) + k.shuffle(x, y, [n + half for n in low])
