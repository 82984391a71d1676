"""Vector code of the normalisations: sums over rows and planes, and the maps that use them.

A stack of `planes` planes of `n` elements each, `stride` elements apart, is what one channel of a
batch of images is; a row is a single plane. Where channels lie side by side, as in (N, C), lanes
are channels, and `rows` rows of `n` channels each are summed, `stride` elements apart.

Sums are taken chunk by chunk in the element type and added up in float64, in order, so that the
length of a batch costs no digits. Those of x begin at its first element, and squares at the mean of
their chunk, so that the size of a mean costs none either; the chunks are merged as by Chan, Golub
and LeVeque (1979). Memory is read once for mean and variance: a chunk stays in the first cache.
"""

from contextlib import contextmanager

from .simd import INT, PTR, Module

UNROLL = 4
"""Vectors at once, each with a partial sum of its own, as an addition takes several cycles."""


CHUNK = 1 << 13
"""Elements of a chunk: some hundred for each lane of each partial sum."""

CHUNK_ROWS = 128
"""Rows of a chunk where lanes are channels."""


class Sum:
    """Partial sums, one for each vector of an unrolled loop."""

    def __init__(self, k):
        self.k = k
        self.parts = [k.variable(0.0) for _ in range(UNROLL)]
        self.turn = 0

    def add(self, a, b=None):
        """Add a, or a * b."""
        part = self.parts[self.turn % UNROLL]
        self.turn += 1
        part.set(part.get() + a if b is None else self.k.fma(a, b, part.get()))

    def total(self):
        """One number."""
        parts = [part.get() for part in self.parts]
        while len(parts) > 1:
            parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=True)]
        return self.k.sum_lanes(parts[0])


class Moments:
    """Mean and sum of squares about it, in float64, of all chunks so far."""

    def __init__(self, k, zero):
        self.k = k
        zero = k.widened(zero)
        self.count, self.mean, self.squares = (k.variable(zero) for _ in range(3))

    def merge(self, size, m, off, squares):
        """Take in a chunk: m is nearly its mean, `off` and `squares` are the sums about m."""
        k = self.k
        size, m, off, squares = (k.widened(v) for v in (size, m, off, squares))
        count, mean = self.count.get(), self.mean.get()
        inside = squares - off * off / size
        inside = k.select(inside < 0.0, 0.0, inside)  # by rounding; NaN stays
        step, total = m + off / size - mean, count + size
        between = step * step * (count * (size / total))
        self.squares.set(self.squares.get() + inside + between)
        self.mean.set(mean + step * (size / total))
        self.count.set(total)

    def mean_and_variance(self):
        """What came out, in the element type."""
        variance = self.squares.get() / self.count.get()
        return self.k.narrowed(self.mean.get()), self.k.narrowed(variance)


def within(k, x, rest):
    """X, and zeros in the lanes beyond the end."""
    return x if rest is None else k.select(rest, x, 0.0)


def each_plane(k, begin, planes, n, write):
    """Call write(i, mask) for all vectors of some planes."""
    with k.loop(0, planes) as p:
        start = begin + p * k.stride
        k.each_block(n, lambda i, rest: write(start + i, rest), unroll=UNROLL)


@contextmanager
def each_chunk(k):
    """Cut a stack of planes: yields where a chunk begins, its planes, and elements of each."""
    whole = k.integer(CHUNK)
    together = k.larger(whole // k.n, 1)
    with k.loop(0, k.planes, together) as p, k.loop(0, k.n, CHUNK) as i:
        yield p * k.stride + i, k.smaller(together, k.planes - p), k.smaller(whole, k.n - i)


@contextmanager
def each_row_chunk(k):
    """Cut rows: yields where a chunk begins, and its rows."""
    with k.loop(0, k.rows, CHUNK_ROWS) as r:
        yield r * k.stride, k.smaller(k.integer(CHUNK_ROWS), k.rows - r)


def numbers(k, pointer, count):
    """The first numbers at a pointer, each in all lanes."""
    return [k.splat(k.load_scalar(pointer, i)) for i in range(count)]


def planes(module: Module) -> None:
    """Channels as stacks of planes."""
    shape = {"planes": INT, "stride": INT, "n": INT}
    with module.function("moments", x=PTR, **shape, mean=PTR, var=PTR) as k:
        moments = Moments(k, k.number(0.0))
        with each_chunk(k) as (begin, planes, n):
            size = k.as_number(planes * n)
            first = k.load_scalar(k.x, begin)
            start, ahead = k.splat(first), Sum(k)

            def add(i, rest):
                ahead.add(within(k, k.load(k.x, i, rest) - start, rest))

            each_plane(k, begin, planes, n, add)
            middle = first + ahead.total() / size
            m, off, squares = k.splat(middle), Sum(k), Sum(k)

            def add_about_mean(i, rest):
                d = within(k, k.load(k.x, i, rest) - m, rest)
                off.add(d)
                squares.add(d, d)

            each_plane(k, begin, planes, n, add_about_mean)
            moments.merge(size, middle, off.total(), squares.total())
        mean, var = moments.mean_and_variance()
        k.store_scalar(k.mean, 0, mean)
        k.store_scalar(k.var, 0, var)

    with module.function("affine", x=PTR, y=PTR, **shape, by=PTR) as k:
        mean, scale, shift = numbers(k, k.by, 3)

        def write_affine(i, rest):
            y = k.fma(k.load(k.x, i, rest) - mean, scale, shift)
            k.store(k.y, i, y, rest)

        each_plane(k, k.integer(0), k.planes, k.n, write_affine)

    with module.function("products", g=PTR, x=PTR, **shape, mean=PTR, out=PTR) as k:
        # Out: the sums of g, and of g * (x - mean).
        (mean,) = numbers(k, k.mean, 1)
        totals = [k.variable(k.widened(k.number(0.0))) for _ in range(2)]
        with each_chunk(k) as (begin, planes, n):
            plain, crossed = Sum(k), Sum(k)

            def add_products(i, rest):
                g = k.load(k.g, i, rest)
                plain.add(g)
                crossed.add(g, within(k, k.load(k.x, i, rest) - mean, rest))

            each_plane(k, begin, planes, n, add_products)
            for total, part in zip(totals, (plain, crossed), strict=True):
                total.set(total.get() + k.widened(part.total()))
        for i, total in enumerate(totals):
            k.store_scalar(k.out, i, k.narrowed(total.get()))

    with module.function("gradient", g=PTR, x=PTR, dx=PTR, **shape, by=PTR) as k:
        mean, scale, level, slope = numbers(k, k.by, 4)

        def write_gradient(i, rest):
            inner = k.fma(k.load(k.x, i, rest) - mean, -slope, k.load(k.g, i, rest) * scale)
            k.store(k.dx, i, inner - level, rest)

        each_plane(k, k.integer(0), k.planes, k.n, write_gradient)


def columns(module: Module) -> None:
    """Channels side by side."""
    shape = {"rows": INT, "stride": INT, "n": INT}
    with module.function("column_moments", x=PTR, **shape, mean=PTR, var=PTR) as k:

        def write_moments(i, rest):
            moments = Moments(k, k.splat(0.0))
            with each_row_chunk(k) as (begin, rows):
                size = k.splat(k.as_number(rows))
                start, ahead = k.load(k.x, begin + i, rest), k.variable(0.0)
                with k.loop(0, rows) as r:
                    x = k.load(k.x, begin + r * k.stride + i, rest)
                    ahead.set(ahead.get() + (x - start))
                m = start + ahead.get() / size
                off, squares = k.variable(0.0), k.variable(0.0)
                with k.loop(0, rows) as r:
                    d = k.load(k.x, begin + r * k.stride + i, rest) - m
                    off.set(off.get() + d)
                    squares.set(k.fma(d, d, squares.get()))
                moments.merge(size, m, off.get(), squares.get())
            mean, var = moments.mean_and_variance()
            k.store(k.mean, i, mean, rest)
            k.store(k.var, i, var, rest)

        k.each_block(k.n, write_moments)

    with module.function(
        "column_affine", x=PTR, y=PTR, **shape, mean=PTR, scale=PTR, shift=PTR
    ) as k:

        def write_affine(i, rest):
            mean, scale, shift = (k.load(p, i, rest) for p in (k.mean, k.scale, k.shift))
            with k.loop(0, k.rows) as r:
                at = r * k.stride + i
                k.store(k.y, at, k.fma(k.load(k.x, at, rest) - mean, scale, shift), rest)

        k.each_block(k.n, write_affine)

    with module.function(
        "column_products", g=PTR, x=PTR, **shape, mean=PTR, plain=PTR, crossed=PTR
    ) as k:

        def write_products(i, rest):
            mean = k.load(k.mean, i, rest)
            totals = [k.variable(k.widened(k.splat(0.0))) for _ in range(2)]
            with each_row_chunk(k) as (begin, rows):
                plain, crossed = k.variable(0.0), k.variable(0.0)
                with k.loop(0, rows) as r:
                    at = begin + r * k.stride + i
                    g = k.load(k.g, at, rest)
                    plain.set(plain.get() + g)
                    crossed.set(k.fma(g, k.load(k.x, at, rest) - mean, crossed.get()))
                for total, part in zip(totals, (plain, crossed), strict=True):
                    total.set(total.get() + k.widened(part.get()))
            for pointer, total in zip((k.plain, k.crossed), totals, strict=True):
                k.store(pointer, i, k.narrowed(total.get()), rest)

        k.each_block(k.n, write_products)

    by = dict.fromkeys(("mean", "scale", "level", "slope"), PTR)
    with module.function("column_gradient", g=PTR, x=PTR, dx=PTR, **shape, **by) as k:

        def write_gradient(i, rest):
            mean, scale, level, slope = (
                k.load(p, i, rest) for p in (k.mean, k.scale, k.level, k.slope)
            )
            with k.loop(0, k.rows) as r:
                at = r * k.stride + i
                inner = k.fma(k.load(k.x, at, rest) - mean, -slope, k.load(k.g, at, rest) * scale)
                k.store(k.dx, at, inner - level, rest)

        k.each_block(k.n, write_gradient)


def rows(module: Module) -> None:
    """Rows with a weight and a bias for each element."""
    with module.function("row_affine", x=PTR, y=PTR, weight=PTR, bias=PTR, n=INT, by=PTR) as k:
        mean, scale = numbers(k, k.by, 2)

        def write_affine(i, rest):
            z = (k.load(k.x, i, rest) - mean) * scale
            y = k.fma(z, k.load(k.weight, i, rest), k.load(k.bias, i, rest))
            k.store(k.y, i, y, rest)

        k.each_block(k.n, write_affine, unroll=UNROLL)

    with module.function("row_products", g=PTR, x=PTR, weight=PTR, n=INT, mean=PTR, out=PTR) as k:
        (mean,) = numbers(k, k.mean, 1)
        plain, crossed = Sum(k), Sum(k)

        def add_products(i, rest):
            h = k.load(k.g, i, rest) * k.load(k.weight, i, rest)
            plain.add(h)
            crossed.add(h, within(k, k.load(k.x, i, rest) - mean, rest))

        k.each_block(k.n, add_products, unroll=UNROLL)
        k.store_scalar(k.out, 0, plain.total())
        k.store_scalar(k.out, 1, crossed.total())

    for count in (1, ROWS):
        several_rows(module, count)


ROWS = 4
"""Rows whose sums for weight and bias are added up in registers before they go to memory."""


def several_rows(module: Module, count: int) -> None:
    """The gradient of `count` rows; `by` has the numbers of `gradient` for each, and 1 / std."""
    names = dict.fromkeys(("g", "x", "weight", "dx", "dweight", "dbias"), PTR)
    with module.function(f"row_gradient{count}", **names, n=INT, by=PTR) as k:
        table = [numbers(k, k.place(k.by, 4 * r), 4) for r in range(count)]

        def write(i, rest):
            weight = k.load(k.weight, i, rest)
            dweight, dbias = k.load(k.dweight, i, rest), k.load(k.dbias, i, rest)
            for r, (mean, scale, level, slope) in enumerate(table):
                at = k.n * r + i
                g, z = k.load(k.g, at, rest), (k.load(k.x, at, rest) - mean) * scale
                dweight, dbias = k.fma(g, z, dweight), dbias + g
                inner = k.fma(z, -slope, g * weight * scale)
                k.store(k.dx, at, inner - level, rest)
            k.store(k.dweight, i, dweight, rest)
            k.store(k.dbias, i, dbias, rest)

        k.each_block(k.n, write)
