"""The linear maps of Winograd's convolution, one vector of channels at a time.

An m x m tile of outputs of a 3 x 3 correlation needs (m+2)^2 products for each pair of channels
instead of 9 m^2::

    y = A^T [(G w G^T) * (B^T x B)] A        * element by element

The matrices follow from m+1 points, at which polynomials are evaluated, and infinity. F(4x4) takes
the points 0, +-3/4 and +-3/2: with the usual 0, +-1 and +-2, of the same cost, errors are twice as
large (root mean square; the largest, nearly three times). F(2x2) takes 0 and +-1. Points in pairs
+-a halve the work: rows of B^T, A and G for the two differ only in the signs of odd columns.
"""

from fractions import Fraction
from math import prod
from typing import Any

from .simd import INT, PTR, Code, Module, Value

POINTS = {
    2: (Fraction(0), Fraction(1), Fraction(-1)),
    4: (Fraction(0), Fraction(3, 4), Fraction(-3, 4), Fraction(3, 2), Fraction(-3, 2)),
}
"""Tile size -> points; those that differ in sign follow each other."""

Matrix = list[list[Fraction]]


def matrices(tile: int) -> tuple[Matrix, Matrix, Matrix]:
    """Return A, G and B^T of F(tile x tile, 3 x 3), by Cook and Toom."""
    points = POINTS[tile]
    scale = [prod(p - q for q in points if q != p) for p in points]

    def powers(width: int) -> Matrix:
        finite = [[p**j for j in range(width)] for p in points]
        return [*finite, [Fraction(j == width - 1) for j in range(width)]]

    g = powers(3)
    for row, factor in zip(g, scale, strict=False):
        row[:] = [value / factor for value in row]
    b = [[*with_roots([q for q in points if q != p]), Fraction(0)] for p in points]
    return powers(tile), g, [*b, with_roots(list(points))]


def with_roots(roots: list[Fraction]) -> list[Fraction]:
    """Coefficients of the polynomial with these roots, the constant first."""
    poly = [Fraction(1)]
    for root in roots:
        shifted, same = [Fraction(0), *poly], [*poly, Fraction(0)]
        poly = [a - root * b for a, b in zip(shifted, same, strict=True)]
    return poly


def transposed(matrix: Matrix) -> Matrix:
    """Rows for columns."""
    return [list(column) for column in zip(*matrix, strict=True)]


def dot(k: Code, row: list[Fraction], x: list[Value]) -> Value:
    """Sum of row[i] * x[i]; terms of factor 1 come first, as they need no product."""
    terms = sorted((c != 1, i) for i, c in enumerate(row) if c)
    total: Value | None = None
    for _, i in terms:
        c, v = row[i], x[i]
        if total is None:
            total = v if c == 1 else v * float(c)
        elif c == 1:
            total = total + v
        else:
            total = k.fma(v, float(c), total)
    assert total is not None
    return total


def by_rows(k: Code, matrix: Matrix, x: list[Value]) -> list[Value]:
    """Matrix @ x for B^T, A or G: the rows of two points +-a share their even and odd parts."""
    out = [dot(k, matrix[0], x)]
    for row in matrix[1:-1:2]:
        lead = next(c for c in reversed(row[1::2]) if c)
        even = dot(k, [c if i % 2 == 0 else Fraction(0) for i, c in enumerate(row)], x)
        odd = dot(k, [c / lead if i % 2 else Fraction(0) for i, c in enumerate(row)], x)
        out += [k.fma(odd, float(lead), even), k.fma(odd, -float(lead), even)]
    return [*out, dot(k, matrix[-1], x)]


def by_columns(k: Code, matrix: Matrix, x: list[Value]) -> list[Value]:
    """Matrix @ x for A^T or G^T: values of two points +-a enter as their sum and difference."""
    x = list(x)
    for i in range(1, len(x) - 1, 2):
        x[i], x[i + 1] = x[i] + x[i + 1], x[i] - x[i + 1]
    out: list[Value] = []
    for j, row in enumerate(matrix):
        part = list(row)
        for i in range(1, len(x) - 1, 2):  # even rows take the sums, odd rows the differences
            part[i + (j + 1) % 2] = Fraction(0)
        if j % 2:
            for i in range(2, len(x) - 1, 2):
                part[i] = row[i - 1]
        out.append(dot(k, part, x))
    return out


def both_ways(k: Code, apply: Any, matrix: Matrix, columns: list[list[Value]]) -> list[list[Value]]:
    """Matrix @ X @ matrix^T, from the columns of X to the rows of the result."""
    halves = [apply(k, matrix, column) for column in columns]
    return [apply(k, matrix, [half[i] for half in halves]) for i in range(len(matrix))]


def write_transforms(module: Module) -> None:
    """The transforms for each tile size."""
    for tile in POINTS:
        a, g, bt = matrices(tile)
        patches(module, f"input_{tile}", tile, bt)
        patches(module, f"gradient_{tile}", tile, a)
        outputs(module, tile, transposed(a))
        weights(module, tile, g)
        weight_gradient(module, tile, transposed(g))


def patches(module: Module, name: str, tile: int, matrix: Matrix) -> None:
    """Image to transform, for `tiles` tiles of a strip: of inputs (B^T) or of gradients (A).

    A strip lies as (rows, pixels, lanes), the transform as (points, tiles, lanes).
    """
    lanes, size = module.lanes, len(matrix[0])
    with (
        module.function(f"winograd_{name}", x=PTR, pitch=INT, v=PTR, step=INT, tiles=INT) as k,
        k.loop(0, k.tiles) as t,
    ):
        x, v = k.place(k.x, t * (tile * lanes)), k.place(k.v, t * lanes)
        columns = [[k.load(x, k.pitch * i + j * lanes) for i in range(size)] for j in range(size)]
        for row in both_ways(k, by_rows, matrix, columns):
            for value in row:
                k.store(v, 0, value)
                v = k.place(v, k.step)


def outputs(module: Module, tile: int, matrix: Matrix) -> None:
    """Transform to image, by A^T; `bias`, one vector, is added."""
    lanes, size = module.lanes, tile + 2
    with module.function(
        f"winograd_output_{tile}", m=PTR, step=INT, bias=PTR, y=PTR, pitch=INT, tiles=INT
    ) as k:
        bias = k.load(k.bias)
        with k.loop(0, k.tiles) as t:
            m, y = k.place(k.m, t * lanes), k.place(k.y, t * (tile * lanes))
            columns = [
                [k.load(m, k.step * (i * size + j)) for i in range(size)] for j in range(size)
            ]
            for i, row in enumerate(both_ways(k, by_columns, matrix, columns)):
                for j, value in enumerate(row):
                    k.store(y, k.pitch * i + j * lanes, value + bias)


def weights(module: Module, tile: int, matrix: Matrix) -> None:
    """3 x 3 taps, which lie `next` apart, to (points, lanes), by G."""
    with module.function(f"winograd_weight_{tile}", w=PTR, next=INT, u=PTR, step=INT) as k:
        columns = [[k.load(k.w, k.next * (3 * i + j)) for i in range(3)] for j in range(3)]
        u = k.place(k.u)
        for row in both_ways(k, by_rows, matrix, columns):
            for value in row:
                k.store(u, 0, value)
                u = k.place(u, k.step)


def weight_gradient(module: Module, tile: int, matrix: Matrix) -> None:
    """Back to 3 x 3 taps, by G^T; `chunks` partial sums are added in their order."""
    lanes, size = module.lanes, tile + 2
    with module.function(
        f"winograd_weight_gradient_{tile}",
        u=PTR,
        step=INT,
        chunk_step=INT,
        chunks=INT,
        w=PTR,
    ) as k:
        sums = [k.variable(0.0) for _ in range(9)]
        with k.loop(0, k.chunks) as chunk:
            u = k.place(k.u, chunk * k.chunk_step)
            columns = [
                [k.load(u, k.step * (i * size + j)) for i in range(size)] for j in range(size)
            ]
            taps = [tap for row in both_ways(k, by_columns, matrix, columns) for tap in row]
            for total, tap in zip(sums, taps, strict=True):
                total.set(total.get() + tap)
        for i, total in enumerate(sums):
            k.store(k.w, i * lanes, total.get())
