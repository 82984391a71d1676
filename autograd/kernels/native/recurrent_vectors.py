"""The arithmetic of recurrent layers between two products (vector code).

A function does some rows of one step: `rows` rows of `width` numbers each, a gate's numbers side by
side in a row of gates. Tiles of a product come in three widths, as in tiles.py, so that few rows
keep as many chains busy as many do.
"""

from . import tiles, vmath
from .formulas import relu, relu_backward, tanh_backward
from .simd import INT, PTR, Code, Module, Value

GROUPS = {14: 8, 6: 6}
"""Rows that go through the steps together, by the rows of the largest tile: as many as a tile has
use for. The weights are read once for them in each step, out of L2."""

WIDTHS = {tiles.VECTORS: "two", 4: "four", 8: "eight"}
"""Names of the tiles by their width in vectors."""


def products(module: Module) -> None:
    """Panels of one width for any number of rows that may meet it."""
    most = tiles.rows_of(module.target)
    for vectors, name in WIDTHS.items():
        fitting = [r for r in range(1, GROUPS[most] + 1) if tiles.vectors_of(r, most) >= vectors]
        for rows in fitting:
            with module.function(f"{name}{rows}", **tiles.TILE) as k:
                tiles.panel(k, rows, vectors)
        tiles.by_rows(module, name, tiles.TILE, fitting[-1])


def blocks(module: Module) -> None:
    """Rows without gaps: copies, sums, and the activations of a plain layer."""
    with module.function("copy_block", x=PTR, y=PTR, n=INT) as k:
        k.each_block(k.n, lambda i, rest: k.store(k.y, i, k.load(k.x, i, rest), rest))
    with module.function("add_block", a=PTR, b=PTR, y=PTR, n=INT) as k:

        def add(i: Value, rest: Value | None) -> None:
            k.store(k.y, i, k.load(k.a, i, rest) + k.load(k.b, i, rest), rest)

        k.each_block(k.n, add)
    for name, bend, back in (("tanh", vmath.tanh, tanh_backward), ("relu", relu, relu_backward)):
        with module.function(f"{name}_block", y=PTR, n=INT) as k:

            def write(i: Value, rest: Value | None, k: Code = k, bend: object = bend) -> None:
                k.store(k.y, i, bend(k, k.load(k.y, i, rest)), rest)  # pyright: ignore[reportCallIssue]

            k.each_block(k.n, write)
        with module.function(f"{name}_slope_block", g=PTR, y=PTR, dx=PTR, n=INT) as k:

            def write_slope(i: Value, rest: Value | None, k: Code = k, back: object = back) -> None:
                slope = back(k, k.load(k.g, i, rest), k.load(k.y, i, rest))  # pyright: ignore[reportCallIssue]
                k.store(k.dx, i, slope, rest)

            k.each_block(k.n, write_slope)


def lstm(module: Module) -> None:
    """Cells of long short-term memory."""
    sizes = {"rows": INT, "width": INT}
    with module.function("lstm_cell", gates=PTR, c=PTR, h=PTR, **sizes) as k, rows_of(k) as r:
        gates, (c, h) = gates_of(k, k.gates, r, 4), starts(k, r, k.c, k.h)

        def step(i: Value, rest: Value | None) -> None:
            a, f, z, o = (k.load(gate, i, rest) for gate in gates)
            a, f, o = (vmath.sigmoid(k, v) for v in (a, f, o))
            z = vmath.tanh(k, z)
            for gate, value in zip(gates, (a, f, z, o), strict=True):
                k.store(gate, i, value, rest)
            cell = k.fma(f, k.load(c, i, rest), a * z)
            k.store(c, i, cell, rest)
            k.store(h, i, o * vmath.tanh(k, cell), rest)

        k.each_block(k.width, step)

    pointers = dict.fromkeys(("gates", "cells", "d", "dc", "dgates", "inside"), PTR)
    for projected in (False, True):
        name = "lstm_slopes_projected" if projected else "lstm_slopes"
        with module.function(name, **pointers, **sizes) as k, rows_of(k) as r:
            lstm_slopes(k, r, projected)


def lstm_slopes(k: Code, r: Value, projected: bool) -> None:
    """What flows back through one row; `d` is what arrives at o * tanh(c), and dc at c."""
    gates, slopes = gates_of(k, k.gates, r, 4), gates_of(k, k.dgates, r, 4)
    cells, arriving, dc, inside = starts(k, r, k.cells, k.d, k.dc, k.inside)

    def step(j: Value, rest: Value | None) -> None:
        i, f, z, o = (k.load(gate, j, rest) for gate in gates)
        before, d = k.load(cells, j, rest), k.load(arriving, j, rest)
        bent = vmath.tanh(k, k.fma(f, before, i * z))
        into = k.fma(d * o, k.fma(-bent, bent, 1.0), k.load(dc, j, rest))
        found = (
            into * z * (i * (1.0 - i)),
            into * before * (f * (1.0 - f)),
            into * i * k.fma(-z, z, 1.0),
            d * bent * (o * (1.0 - o)),
        )
        for slope, value in zip(slopes, found, strict=True):
            k.store(slope, j, value, rest)
        k.store(dc, j, into * f, rest)
        if projected:
            k.store(inside, j, o * bent, rest)

    k.each_block(k.width, step)


def gru(module: Module) -> None:
    """Cells of gated recurrent units."""
    sizes = {"rows": INT, "width": INT}
    pointers = dict.fromkeys(("inputs", "bias", "gates", "resets", "h"), PTR)
    with module.function("gru_cell", **pointers, **sizes) as k, rows_of(k) as r:
        gates, new_inputs = gates_of(k, k.gates, r, 3), gates_of(k, k.inputs, r, 3)[2]
        resets, h = starts(k, r, k.resets, k.h)
        biases = [k.place(k.bias, k.width * n) for n in range(2)]

        def step(i: Value, rest: Value | None) -> None:
            reset, z = (
                vmath.sigmoid(k, k.load(gate, i, rest) + k.load(bias, i, rest))
                for gate, bias in zip(gates[:2], biases, strict=True)
            )
            a = k.fma(reset, k.load(resets, i, rest), k.load(new_inputs, i, rest))
            new = vmath.tanh(k, a)
            for gate, value in zip(gates, (reset, z, new), strict=True):
                k.store(gate, i, value, rest)
            k.store(h, i, k.fma(z, k.load(h, i, rest) - new, new), rest)

        k.each_block(k.width, step)

    pointers = dict.fromkeys(("gates", "resets", "before", "d", "dinputs", "dproducts"), PTR)
    with module.function("gru_slopes", **pointers, **sizes) as k, rows_of(k) as r:
        gates = gates_of(k, k.gates, r, 3)
        inputs, states = gates_of(k, k.dinputs, r, 3), gates_of(k, k.dproducts, r, 3)
        resets, before, arriving = starts(k, r, k.resets, k.before, k.d)

        def slopes(i: Value, rest: Value | None) -> None:
            reset, z, new = (k.load(gate, i, rest) for gate in gates)
            d, h = k.load(arriving, i, rest), k.load(before, i, rest)
            dnew = d * (1.0 - z) * k.fma(-new, new, 1.0)
            dreset = dnew * k.load(resets, i, rest) * (reset * (1.0 - reset))
            dz = d * (h - new) * (z * (1.0 - z))
            for places, last in ((inputs, dnew), (states, dnew * reset)):
                for place, value in zip(places, (dreset, dz, last), strict=True):
                    k.store(place, i, value, rest)
            k.store(arriving, i, d * z, rest)

        k.each_block(k.width, slopes)


def rows_of(k: Code):
    """Go over the rows."""
    return k.loop(0, k.rows)


def starts(k: Code, r: Value, *pointers: Value) -> list[Value]:
    """Where row r begins in arrays of rows without gaps."""
    return [k.place(pointer, r * k.width) for pointer in pointers]


def gates_of(k: Code, pointer: Value, r: Value, count: int) -> list[Value]:
    """Where the gates of row r begin."""
    return [k.place(pointer, (r * count + n) * k.width) for n in range(count)]
