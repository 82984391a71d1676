"""Vector code of Winograd convolution around the transforms: transposes and small products."""

from .simd import INT, PTR, Code, Module, Value
from .target import target
from .winograd_layout import ROW_GRAIN

LANES = target().bits // 32
WIDE = target().registers == 32

PANEL_TWO = 12 if WIDE else 6
"""Tiles in a panel of products with two vectors of outputs: all but 4 registers hold sums."""

PANEL_ONE = 24 if WIDE else 12
"""The same for one vector of outputs."""

UNROLL = 2
"""Channels in one turn of the innermost loop; it divides LANES."""

GROUP = min(LANES, 8)
"""Input channels in a piece of the weight gradient: 16 sums cover the latency of a multiply-add."""


def write_tiles(module: Module) -> None:
    """All of them."""
    gather(module)
    scatter(module)
    for vectors, panel in ((1, PANEL_ONE), (2, PANEL_TWO)):
        product(module, vectors, panel)
        outer(module, vectors)


def transpose(k: Code, rows: list[Value]) -> list[Value]:
    """Rows for columns of a square of lanes, in registers."""
    n = k.lanes
    distance = 1
    while distance < n:
        low = [i if not i & distance else n + i - distance for i in range(n)]
        high = [i + distance if not i & distance else n + i for i in range(n)]
        for i in range(n):
            if not i & distance:
                a, b = rows[i], rows[i + distance]
                rows[i], rows[i + distance] = k.shuffle(a, b, low), k.shuffle(a, b, high)
        distance *= 2
    return rows


def gather(module: Module) -> None:
    """Pixels of `count` planes, which lie `stride` apart, to (pixels, lanes).

    Lanes from `count` on, and the pixels that fill up the last square, become 0.
    """
    lanes = module.lanes
    with (
        module.function(
            "winograd_gather", planes=PTR, stride=INT, count=INT, pixels=INT, x=PTR
        ) as k,
        k.loop(0, k.pixels, lanes) as p,
    ):
        left = k.pixels - p

        def turn(masks: list[Value | None]) -> None:
            rows = [k.load(k.planes, k.stride * r + p, mask) for r, mask in enumerate(masks)]
            for i, row in enumerate(transpose(k, rows)):
                k.store(k.x, (p + i) * lanes, row)

        whole = (k.count >= lanes) & (left >= lanes)
        with k.when(whole):
            turn([None] * lanes)
        with k.when(~whole):
            none = k.integer(0)
            turn([k.first_lanes(k.select(k.count > r, left, none)) for r in range(lanes)])


def scatter(module: Module) -> None:
    """The way back: (pixels, lanes) to the pixels of `count` planes."""
    lanes = module.lanes
    with (
        module.function(
            "winograd_scatter", x=PTR, planes=PTR, stride=INT, count=INT, pixels=INT
        ) as k,
        k.loop(0, k.pixels, lanes) as p,
    ):
        rows = transpose(k, [k.load(k.x, (p + i) * lanes) for i in range(lanes)])
        left = k.pixels - p
        whole = (k.count >= lanes) & (left >= lanes)
        with k.when(whole):
            for r, row in enumerate(rows):
                k.store(k.planes, k.stride * r + p, row)
        with k.when(~whole):
            mask = k.first_lanes(left)
            for r, row in enumerate(rows):
                with k.when(k.count > r):
                    k.store(k.planes, k.stride * r + p, row, mask)


def product(module: Module, vectors: int, panel: int) -> None:
    """M = V @ U of one point, or M += V @ U: some tiles by one or two vectors of outputs.

    V lies as (inputs / lanes, tiles, lanes), U as (outputs / lanes, inputs, lanes), M as
    (outputs / lanes, tiles, lanes); the steps are those of the first axes. All tiles of a panel are
    thus at fixed distances from one pointer. There is a loop for each even number of tiles.
    """
    lanes = module.lanes
    with module.function(
        f"winograd_product_{vectors}",
        v=PTR,
        v_step=INT,
        u=PTR,
        u_step=INT,
        m=PTR,
        m_step=INT,
        blocks=INT,
        tiles=INT,
        add=INT,
    ) as k:
        for tiles in range(ROW_GRAIN, panel + 1, ROW_GRAIN):
            with k.when(k.tiles.eq(tiles)):
                sums = [[k.variable(0.0) for _ in range(vectors)] for _ in range(tiles)]
                with k.loop(0, k.blocks) as block:
                    v = k.place(k.v, block * k.v_step)
                    u = k.place(k.u, block * (lanes * lanes))
                    with k.loop(0, lanes, UNROLL) as c:
                        for i in range(UNROLL):
                            right = [
                                k.load(u, (c + i) * lanes + k.u_step * j) for j in range(vectors)
                            ]
                            for t, row in enumerate(sums):
                                left = k.splat(k.load_scalar(v, c + (t * lanes + i)))
                                for total, b in zip(row, right, strict=True):
                                    total.set(k.fma(left, b, total.get()))
                with k.when(k.add.ne(0)):
                    for t, row in enumerate(sums):
                        for j, total in enumerate(row):
                            total.set(k.load(k.m, k.m_step * j + t * lanes) + total.get())
                for t, row in enumerate(sums):
                    for j, total in enumerate(row):
                        k.store(k.m, k.m_step * j + t * lanes, total.get())


def outer(module: Module, vectors: int) -> None:
    """U = V^T @ W of one point, or U += V^T @ W: GROUP inputs by one or two vectors of outputs.

    V and W lie as (channels / lanes, tiles, lanes), U as (outputs / lanes, inputs, lanes).
    """
    lanes = module.lanes
    with module.function(
        f"winograd_outer_{vectors}",
        v=PTR,
        w=PTR,
        w_step=INT,
        u=PTR,
        u_step=INT,
        tiles=INT,
        add=INT,
    ) as k:
        sums = [[k.variable(0.0) for _ in range(vectors)] for _ in range(GROUP)]
        with k.loop(0, k.tiles) as t:
            right = [k.load(k.w, t * lanes + k.w_step * j) for j in range(vectors)]
            for c, row in enumerate(sums):
                left = k.splat(k.load_scalar(k.v, t * lanes + c))
                for total, b in zip(row, right, strict=True):
                    total.set(k.fma(left, b, total.get()))
        with k.when(k.add.ne(0)):
            for c, row in enumerate(sums):
                for j, total in enumerate(row):
                    total.set(k.load(k.u, k.u_step * j + c * lanes) + total.get())
        for c, row in enumerate(sums):
            for j, total in enumerate(row):
                k.store(k.u, k.u_step * j + c * lanes, total.get())
