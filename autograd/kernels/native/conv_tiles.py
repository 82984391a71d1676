"""The vector code of convolutions: register tiles, transposition, padding.

A register tile holds a small matrix of sums while a loop over input channels and kernel taps adds
products to it: one factor is a vector from memory, the other a number spread over all lanes. Six
kinds differ in what lies in the lanes:

- `product`: lanes are channels. The vectors are rows of a packed matrix, the numbers lie at a
  constant pace in the image, so that strides and dilations cost nothing.
- `slide`: the same for a single vector of channels, where the loads of `product`, one for each
  sum, take longer than its sums. Here neighbouring pixels share them: a number that is spread once
  meets all columns of the kernel.
- `window`: lanes are neighbouring pixels, the numbers are weights. For few output channels.
- `strip`: the same for one input and one output channel and kernels of `STRIP` rows, whose rows of
  pixels are loaded once for all the result rows that they enter. For depthwise layers.
- `overlap`: lanes are neighbouring pixels, which are summed up in the end. For weight gradients
  with few output channels.
- `lap`: the same where `strip` serves: rows of pixels stay in registers for the next rows.

The loop over taps reads its offsets from a table of int64.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from .simd import I64, INT, PTR, Code, Module, Value, Variable

POINTS = {32: 12, 16: 6}
"""Rows of the largest `product` tile, two vectors wide, by the number of vector registers: 24 sums
and 2 vectors leave 6 of 32 registers for numbers that are loaded ahead. With 14 rows the compiler
loads so many ahead that sums are spilled, at half the speed."""

SLIDES = (3, 5)
"""Columns of the kernels that have a `slide`: with 5, 12 sums and 5 vectors leave 15 of 32
registers for numbers."""

SUMS = {32: 24, 16: 12}
"""Sums of the largest `window` tile."""

MOST_ROWS = 6
"""Output channels of the largest `window` tile: 6 x 4 vectors on 32 registers."""

STRIP = 3
"""Rows of the kernels that have a `strip`: those of nearly all depthwise layers."""

STRIPS = {32: 8, 16: 4}
"""Result rows of the largest `strip`: with 8, 10 rows of pixels and 3 weights fill 21 registers."""

LAPS = {32: 3, 16: 2}
"""Columns of the largest `lap`: three need 9 sums, 9 vectors of pixels and one of the gradient."""

OVERLAPS = {32: (3, 5, 9), 16: (2, 5, 9)}
"""The largest `overlap` tiles: output channels and taps, and the taps of a single channel."""


def window_vectors(rows: int, registers: int) -> int:
    """Vectors in the widest `window` tile of so many channels: a power of two up to 8."""
    vectors = 8
    while vectors * rows > SUMS[registers]:
        vectors //= 2
    return vectors


def switch(
    module: Module, name: str, parameters: dict[str, str], choice: Any, cases: dict[int, str]
) -> None:
    """Write a function that passes its arguments on to the one that its integers select."""
    with module.function(name, **parameters) as k:
        end = k.function.append_basic_block("end")
        arms = k.builder.switch(choice(k).ir, end)
        passed = [
            v.ir
            for key, v in k.parameters.items()
            if key not in ("rows", "vectors", "taps", "columns")
        ]
        for number, target in cases.items():
            block = k.function.append_basic_block(target)
            arms.add_case(I64(number), block)
            k.builder.position_at_end(block)
            k.intrinsic(f"{target}_{module.dtype}", ir.VoidType(), passed)
            k.builder.branch(end)
        k.builder.position_at_end(end)


def kinds(pointers: tuple[str, ...], integers: tuple[str, ...]) -> dict[str, str]:
    """Parameters of a function, the pointers first."""
    return dict.fromkeys(pointers, PTR) | dict.fromkeys(integers, INT)


@contextmanager
def tile(module: Module, name: str, parameters: dict[str, str]) -> Iterator[Code]:
    """Write a function for one size of tile.

    It stays a function of its own: put together, the sizes would take far longer to compile.
    """
    with module.function(name, **parameters) as k:
        k.function.attributes.add("noinline")
        yield k


def entry(k: Code, table: Value, index: Any) -> Value:
    """One int64 of a table."""
    index = index if isinstance(index, Value) else k.integer(index)
    place = k.builder.gep(table.ir, [index.ir], source_etype=I64)
    return Value(k, k.builder.load(place, typ=I64))


def products(module: Module) -> None:
    """c[i, :] = first[i, :] + sum over o, t of x[i*pace + o*x_step + t's] * w[o*w_step + t's]."""
    parameters = kinds(
        ("x", "w", "table", "first", "c"),
        ("pace", "x_step", "w_step", "outer", "inner", "first_pace", "c_pace"),
    )
    cases: dict[int, str] = {}
    for vectors in (1, 2):
        for rows in range(1, POINTS[module.target.registers] + 1):
            name = cases[2 * rows + vectors] = f"product_{rows}x{vectors}"
            with tile(module, name, parameters) as k:
                product(k, rows, vectors)
    switch(
        module,
        "product",
        {"rows": INT, "vectors": INT} | parameters,
        lambda k: k.rows * 2 + k.vectors,
        cases,
    )


def product(k: Code, rows: int, vectors: int) -> None:
    """One tile of `products`."""
    width = k.lanes
    sums = [
        [k.variable(k.load(k.first, k.first_pace * i + v * width)) for v in range(vectors)]
        for i in range(rows)
    ]
    # An address may add one or two paces to a pointer: a third of the rows need one.
    points = [k.variable(k.place(k.x, k.pace * i)) for i in range(0, rows, 3)]
    matrix = k.variable(k.w)
    with k.loop(0, k.outer):
        with k.loop(0, k.inner) as t:
            w = k.place(matrix.get(), entry(k, k.table, t * 2 + 1))
            columns = [k.load(w, v * width) for v in range(vectors)]
            offset = entry(k, k.table, t * 2)
            tap = [k.place(point.get(), offset) for point in points]
            for i in range(rows):
                number = k.splat(k.load_scalar(tap[i // 3], k.pace * (i % 3)))
                for v in range(vectors):
                    sums[i][v].set(k.fma(number, columns[v], sums[i][v].get()))
        for point in points:
            point.set(k.place(point.get(), k.x_step))
        matrix.set(k.place(matrix.get(), k.w_step))
    for i in range(rows):
        for v in range(vectors):
            k.store(k.c, k.c_pace * i + v * width, sums[i][v].get())


def slides(module: Module) -> None:
    """`products` of one vector with `columns` taps for each of `inner` rows, at neighbouring x."""
    parameters = kinds(
        ("x", "w", "table", "first", "c"),
        ("x_step", "w_step", "outer", "inner", "first_pace", "c_pace"),
    )
    cases: dict[int, str] = {}
    for columns in SLIDES:
        for rows in range(1, POINTS[module.target.registers] + 1):
            name = cases[16 * rows + columns] = f"slide_{rows}x{columns}"
            with tile(module, name, parameters) as k:
                slide(k, rows, columns)
    switch(
        module,
        "slide",
        {"rows": INT, "columns": INT} | parameters,
        lambda k: k.rows * 16 + k.columns,
        cases,
    )


def slide(k: Code, rows: int, columns: int) -> None:
    """One tile of `slides`."""
    sums = [k.variable(k.load(k.first, k.first_pace * i)) for i in range(rows)]
    with k.loop(0, k.outer) as o, k.loop(0, k.inner) as t:
        x = k.place(k.x, o * k.x_step + entry(k, k.table, t * (2 * columns)))
        places = [entry(k, k.table, (t * columns + j) * 2 + 1) for j in range(columns)]
        weights = [k.load(k.w, o * k.w_step + place) for place in places]
        for i in range(rows + columns - 1):
            number = k.splat(k.load_scalar(x, i))
            for j in range(max(0, i - rows + 1), min(columns, i + 1)):
                sums[i - j].set(k.fma(number, weights[j], sums[i - j].get()))
    for i in range(rows):
        k.store(k.c, k.c_pace * i, sums[i].get())


WINDOW = kinds(
    ("x", "w", "table", "bias", "y"),
    ("x_pace", "x_step", "w_step", "outer", "inner", "y_row", "y_pace", "left", "less"),
)
"""Parameters of `window` and `strip`."""


def windows(module: Module) -> None:
    """y[m, v] = bias[m] + sum over o, t of w[o*w_step + t's + m] * x[v*x_pace + o*x_step + t's]."""
    registers = module.target.registers
    cases: dict[int, str] = {}
    for rows in range(1, MOST_ROWS + 1):
        vectors = window_vectors(rows, registers)
        while vectors:
            name = cases[16 * rows + vectors] = f"window_{rows}x{vectors}"
            with tile(module, name, WINDOW) as k:
                window(k, rows, vectors)
            vectors //= 2
    switch(
        module,
        "window",
        {"rows": INT, "vectors": INT} | WINDOW,
        lambda k: k.rows * 16 + k.vectors,
        cases,
    )


def window(k: Code, rows: int, vectors: int) -> None:
    """One tile of `windows`; of vector v the first left - v*less lanes are written."""
    sums = [
        [k.variable(k.splat(k.load_scalar(k.bias, m))) for _ in range(vectors)] for m in range(rows)
    ]
    with k.loop(0, k.outer) as o:
        x_begin, w_begin = o * k.x_step, o * k.w_step
        with k.loop(0, k.inner) as t:
            x = k.place(k.x, x_begin + entry(k, k.table, t * 2))
            w = k.place(k.w, w_begin + entry(k, k.table, t * 2 + 1))
            pixels = [k.load(x, k.x_pace * v) for v in range(vectors)]
            for m in range(rows):
                number = k.splat(k.load_scalar(w, m))
                for v in range(vectors):
                    sums[m][v].set(k.fma(number, pixels[v], sums[m][v].get()))
    write_rows(k, sums)


def write_rows(k: Code, sums: list[list[Variable]]) -> None:
    """Store the valid lanes of a tile."""
    for v in range(len(sums[0])):
        mask = k.first_lanes(k.left - k.less * v)
        for m, row in enumerate(sums):
            k.store(k.y, k.y_row * m + k.y_pace * v, row[v].get(), mask)


def strips(module: Module) -> None:
    """`windows` of one channel; `inner` counts the kernel's columns, the table goes row by row."""
    vectors = STRIPS[module.target.registers]
    cases: dict[int, str] = {}
    while vectors:
        name = cases[vectors] = f"strip_{vectors}"
        with tile(module, name, WINDOW) as k:
            strip(k, vectors)
        vectors //= 2
    switch(module, "strip", {"vectors": INT} | WINDOW, lambda k: k.vectors, cases)


def strip(k: Code, vectors: int) -> None:
    """One tile of `strips`."""
    bias = k.splat(k.load_scalar(k.bias))
    sums = [[k.variable(bias) for _ in range(vectors)]]
    with k.loop(0, k.inner) as t:
        x = k.place(k.x, entry(k, k.table, t * 2))
        pixels = [k.load(x, k.x_pace * r) for r in range(vectors + STRIP - 1)]
        for i in range(STRIP):
            place = entry(k, k.table, (k.inner * i + t) * 2 + 1)
            number = k.splat(k.load_scalar(k.w, place))
            for v, total in enumerate(sums[0]):
                total.set(k.fma(number, pixels[v + i], total.get()))
    write_rows(k, sums)


def overlaps(module: Module) -> None:
    """sums[m, t, :] += g[m] times x at tap t, over all rows, one vector of pixels at a time."""
    many, few_taps, taps_of_one = OVERLAPS[module.target.registers]
    parameters = kinds(("x", "table", "g", "sums"), ("x_row", "g_channel", "height", "width"))
    cases: dict[int, str] = {}
    for rows in range(1, many + 1):
        for taps in range(1, (taps_of_one if rows == 1 else few_taps) + 1):
            name = cases[16 * rows + taps] = f"overlap_{rows}x{taps}"
            with tile(module, name, parameters) as k:
                overlap(k, rows, taps)
    switch(
        module,
        "overlap",
        {"rows": INT, "taps": INT} | parameters,
        lambda k: k.rows * 16 + k.taps,
        cases,
    )


def overlap(k: Code, rows: int, taps: int) -> None:
    """One tile of `overlaps`."""
    offsets = [entry(k, k.table, t) for t in range(taps)]
    sums = [
        [k.variable(k.load(k.sums, (m * taps + t) * k.lanes)) for t in range(taps)]
        for m in range(rows)
    ]

    def add(x: Value, g: Value, mask: Value | None) -> None:
        gradients = [k.load(g, k.g_channel * m, mask) for m in range(rows)]
        for t in range(taps):
            pixels = k.load(x, offsets[t], mask)
            for m in range(rows):
                sums[m][t].set(k.fma(pixels, gradients[m], sums[m][t].get()))

    whole = k.width - k.width % k.lanes
    with k.loop(0, k.height) as row:
        x, g = k.place(k.x, row * k.x_row), k.place(k.g, row * k.width)
        with k.loop(0, whole, k.lanes) as i:
            add(k.place(x, i), k.place(g, i), None)
        with k.when(whole < k.width):
            # Both sides are masked: zero times whatever lies beyond the row might be NaN.
            add(k.place(x, whole), k.place(g, whole), k.first_lanes(k.width - whole))
    for m in range(rows):
        for t in range(taps):
            k.store(k.sums, (m * taps + t) * k.lanes, sums[m][t].get())


def laps(module: Module) -> None:
    """`overlap` of one channel with some columns of a kernel of `STRIP` rows, at stride one."""
    parameters = kinds(("x", "table", "g", "sums"), ("x_row", "height", "width"))
    cases: dict[int, str] = {}
    for columns in range(1, LAPS[module.target.registers] + 1):
        name = cases[columns] = f"lap_{columns}"
        with tile(module, name, parameters) as k:
            lap(k, columns)
    switch(module, "lap", {"columns": INT} | parameters, lambda k: k.columns, cases)


def lap(k: Code, columns: int) -> None:
    """One tile of `laps`."""
    offsets = [entry(k, k.table, t) for t in range(columns)]
    sums = [
        [k.variable(k.load(k.sums, (i * columns + t) * k.lanes)) for t in range(columns)]
        for i in range(STRIP)
    ]

    def go_down(begin: Value, mask: Value | None) -> None:
        def pixels(row: Any) -> list[Value]:
            x = k.place(k.x, k.x_row * row + begin)
            return [k.load(x, offset, mask) for offset in offsets]

        kept = [[k.variable(x) for x in pixels(row)] for row in range(STRIP - 1)]
        with k.loop(0, k.height) as row:
            g = k.load(k.g, row * k.width + begin, mask)
            rows = [[x.get() for x in line] for line in kept] + [pixels(row + (STRIP - 1))]
            for i, line in enumerate(rows):
                for t, x in enumerate(line):
                    sums[i][t].set(k.fma(x, g, sums[i][t].get()))
            for line, following in zip(kept, rows[1:], strict=True):
                for x, value in zip(line, following, strict=True):
                    x.set(value)

    whole = k.width - k.width % k.lanes
    with k.loop(0, whole, k.lanes) as begin:
        go_down(begin, None)
    with k.when(whole < k.width):
        # Both sides are masked, as in `overlap`.
        go_down(whole, k.first_lanes(k.width - whole))
    for i in range(STRIP):
        for t in range(columns):
            k.store(k.sums, (i * columns + t) * k.lanes, sums[i][t].get())


def layouts(module: Module) -> None:
    """Transposition and padding."""
    names = ("src", "src_pitch", "rows", "cols", "dst", "dst_pitch", "fill")
    parameters = {name: PTR if name in ("src", "dst") else INT for name in names}
    with (
        tile(module, "transpose", parameters) as k,
        k.loop(0, k.rows, k.lanes) as i,
        k.loop(0, k.cols, k.lanes) as j,
    ):
        src = k.place(k.src, i * k.src_pitch + j)
        dst = k.place(k.dst, j * k.dst_pitch + i)
        high, wide = k.rows - i, k.cols - j
        whole = (high >= k.lanes) & (wide >= k.lanes)
        with k.builder.if_else(whole.ir) as (then, otherwise):
            with then:
                transpose_whole(k, src, dst)
            with otherwise:
                transpose_part(k, src, dst, high, wide)
    with module.function("clear", target=PTR, count=INT) as k:
        k.function.attributes.add("noinline")
        k.each_block(k.count, lambda i, rest: k.store(k.target, i, k.splat(0.0), rest))
    with module.function(
        "pad_rows", src=PTR, src_pitch=INT, rows=INT, left=INT, cols=INT, dst=PTR, dst_pitch=INT
    ) as k:
        # Whole vectors are written, in order: the next row overwrites what hangs over.
        end = k.left + k.cols
        with k.loop(0, k.rows) as i, k.loop(0, k.dst_pitch, k.lanes) as j:
            inside = k.first_lanes(end - j) & ~k.first_lanes(k.left - j)
            pixels = k.load(k.src, i * k.src_pitch + j - k.left, inside)
            k.store(k.dst, i * k.dst_pitch + j, pixels)


def transposed(k: Code, rows: list[Value]) -> list[Value]:
    """The transpose of a square of vectors: in each step, blocks of half the size change places."""
    half = k.lanes // 2
    while half:
        low = [j if not j & half else j - half + k.lanes for j in range(k.lanes)]
        high = [j + half if not j & half else j + k.lanes for j in range(k.lanes)]
        rows = [
            k.shuffle(rows[i], rows[i + half], low)
            if not i & half
            else k.shuffle(rows[i - half], rows[i], high)
            for i in range(k.lanes)
        ]
        half //= 2
    return rows


def transpose_whole(k: Code, src: Value, dst: Value) -> None:
    """dst[j, i] = src[i, j] for a square of vectors."""
    rows = [k.load(src, k.src_pitch * i) for i in range(k.lanes)]
    for j, column in enumerate(transposed(k, rows)):
        k.store(dst, k.dst_pitch * j, column)


def transpose_part(k: Code, src: Value, dst: Value, high: Value, wide: Value) -> None:
    """The same at the edge: with `fill`, zeros are written in the lanes beyond the last row."""
    mask = k.first_lanes(wide)
    nothing = k.first_lanes(k.integer(0))
    rows = []
    for i in range(k.lanes):
        # A masked load from pages that do not exist reads nothing, but takes the CPU some hundred
        # cycles to find out: rows that are not there get the address of the first one.
        there = high > i
        row = k.place(src, Value(k, k.builder.select(there.ir, (k.src_pitch * i).ir, I64(0))))
        inside = k.builder.select(there.ir, mask.ir, nothing.ir)
        rows.append(k.load(row, 0, Value(k, inside)))
    written = k.first_lanes(high + k.fill * k.lanes)
    for j, column in enumerate(transposed(k, rows)):
        with k.when(wide > j):
            k.store(dst, k.dst_pitch * j, column, written)


VECTORS = (products, slides, windows, strips, overlaps, laps, layouts)
