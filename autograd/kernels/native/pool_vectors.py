"""Vector code of pooling: lanes lie along a row of windows.

A row function serves `n` windows that lie side by side, all of their `taps` columns inside the
image; only rows of a window may be cut. ``x`` points to the first tap of the first window.
"""

from collections.abc import Callable

from llvmlite import ir

from .simd import I32, I64, INT, MASKED_ALIGNMENT, PTR, Code, Module, Value

STRIDES = (1, 2)
"""Steps between windows that have vector code: contiguous loads, and every other element."""

ROW = {"n": INT, "rows": INT, "row_step": INT, "taps": INT, "tap_step": INT}


def rows(module: Module) -> None:
    """One row of windows of any size, for each stride."""
    for stride in STRIDES:
        largest(module, stride)
        places(module, stride)
        total(module, stride)
        spread(module, stride)


def largest(module: Module, stride: int) -> None:
    """Y = the largest tap; NaN wins."""
    with module.function(f"largest_{stride}", x=PTR, y=PTR, **ROW) as k:

        def write(i: Value, rest: Value | None) -> None:
            best = k.variable(float("-inf"))

            def visit(offset: Value) -> None:
                value = taken(k, k.x, i, offset, stride, rest)
                best.set(k.select(beats(value, best.get()), value, best.get()))

            each_tap(k, visit)
            k.store(k.y, i, best.get(), rest)

        k.each_block(k.n, write)


def places(module: Module, stride: int) -> None:
    """Y = the largest tap, and where it stands: an int64 counted from `origin`, where x points."""
    with module.function(f"places_{stride}", x=PTR, y=PTR, indices=PTR, origin=INT, **ROW) as k:
        lanes = Value(k, wide([stride * lane for lane in range(k.lanes)]))

        def write(i: Value, rest: Value | None) -> None:
            best, place = k.variable(float("-inf")), k.variable(k.bit_splat(0))

            def visit(offset: Value) -> None:
                value = taken(k, k.x, i, offset, stride, rest)
                wins = beats(value, best.get())
                best.set(k.select(wins, value, best.get()))
                place.set(k.select(wins, k.splat(narrow(k, offset)), place.get()))

            each_tap(k, visit)
            k.store(k.y, i, best.get(), rest)
            offsets = place.get().ir
            if module.dtype == "f4":
                offsets = k.builder.sext(offsets, lanes.type)
            index = Value(k, offsets) + lanes + k.splat(k.origin + i * stride)
            store_wide(k, k.indices, i, index, rest)

        k.each_block(k.n, write)


def total(module: Module, stride: int) -> None:
    """Y = the sum of the taps, divided."""
    with module.function(f"total_{stride}", x=PTR, y=PTR, divisor=INT, **ROW) as k:

        def write(i: Value, rest: Value | None) -> None:
            sum = k.variable(0.0)

            def visit(offset: Value) -> None:
                sum.set(sum.get() + taken(k, k.x, i, offset, stride, rest))

            each_tap(k, visit)
            k.store(k.y, i, sum.get() / k.splat(k.as_number(k.divisor)), rest)

        k.each_block(k.n, write)


def spread(module: Module, stride: int) -> None:
    """Every tap of dx += g, divided.

    The taps are taken from right to left, so that a pixel meets its windows from left to right.
    """
    with module.function(f"spread_{stride}", g=PTR, dx=PTR, divisor=INT, **ROW) as k:

        def write(i: Value, rest: Value | None) -> None:
            share = k.load(k.g, i, rest) / k.splat(k.as_number(k.divisor))

            def visit(offset: Value) -> None:
                add(k, k.dx, i, offset, stride, rest, share)

            each_tap(k, visit, backwards=True)

        k.each_block(k.n, write)


def each_tap(k: Code, visit: Callable[[Value], None], *, backwards: bool = False) -> None:
    """Call visit(offset) for the taps of a window, in row-major order."""
    with k.loop(0, k.rows) as row, k.loop(0, k.taps) as tap:
        column = k.taps - tap - 1 if backwards else tap
        visit(row * k.row_step + column * k.tap_step)


def beats(value: Value, best: Value) -> Value:
    """Where a later tap takes over: the first of equal values wins, and the last NaN."""
    return (value > best) | value.ne(value)


def taken(k: Code, x: Value, i: Value, offset: Value, stride: int, rest: Value | None) -> Value:
    """One tap of the windows i, i + 1, ...; no element is read that is not a tap."""
    begin = offset + i * stride
    if stride == 1:
        return k.load(x, begin, rest)
    # The second vector begins a lane early: after the last tap there may be no memory.
    low, high = halves(k, i, rest)
    a, b = k.load(x, begin, low), k.load(x, begin + (k.lanes - 1), high)
    picks = [p if p < k.lanes else p + 1 for p in range(0, 2 * k.lanes, 2)]
    return k.shuffle(a, b, picks)


def add(
    k: Code, dx: Value, i: Value, offset: Value, stride: int, rest: Value | None, share: Value
) -> None:
    """Add to one tap of the windows i, i + 1, ..."""
    begin = offset + i * stride
    if stride == 1:
        k.store(dx, begin, k.load(dx, begin, rest) + share, rest)
        return
    zero, lanes = k.splat(0.0), k.lanes
    low, high = halves(k, i, rest)
    first = k.shuffle(share, zero, [p // 2 if p % 2 == 0 else lanes for p in range(lanes)])
    odd = range(lanes - 1, 2 * lanes - 1)
    second = k.shuffle(share, zero, [p // 2 if p % 2 == 0 else lanes for p in odd])
    k.store(dx, begin, k.load(dx, begin, low) + first, low)
    late = begin + (lanes - 1)
    k.store(dx, late, k.load(dx, late, high) + second, high)


def halves(k: Code, i: Value, rest: Value | None) -> tuple[Value | None, Value | None]:
    """Masks of two vectors that hold every other element, the second beginning a lane early."""
    if rest is None:
        return None, None
    left = (k.n - i) * 2
    return k.first_lanes(left - 1), k.first_lanes(left - k.lanes)


def narrow(k: Code, value: Value) -> Value:
    """An integer of the width of a lane."""
    kind = k.module.integer
    return value if kind.width == 64 else Value(k, k.builder.trunc(value.ir, kind))


def wide(values: list[int]) -> ir.Constant:
    """A constant vector of int64."""
    return ir.Constant(ir.VectorType(I64, len(values)), [I64(v) for v in values])


def store_wide(k: Code, pointer: Value, i: Value, value: Value, rest: Value | None) -> None:
    """Write a vector of int64, whatever the element type."""
    address = k.builder.gep(pointer.ir, [i.ir], source_etype=I64)
    if rest is None:
        k.builder.store(value.ir, address, align=8)
        return
    alignment = [I32(8)] if MASKED_ALIGNMENT else []
    name = f"llvm.masked.store.v{k.lanes}i64.p0"
    k.intrinsic(name, ir.VoidType(), [value.ir, address, *alignment, rest.ir])


# --- Windows of 2 x 2, side by side: what most networks pool by ----------------------------------


def squares(module: Module) -> None:
    """One row of windows of 2 x 2 with stride 2; x and dx point to its first pixel."""
    with module.function("largest_of_four", x=PTR, y=PTR, n=INT, width=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            a, b, c, d = four(k, i, rest)
            for value in (b, c, d):
                a = k.select(beats(value, a), value, a)
            k.store(k.y, i, a, rest)

        k.each_block(k.n, write, unroll=2)
    with module.function("place_of_four", x=PTR, g=PTR, dx=PTR, n=INT, width=INT) as k:

        def write_backward(i: Value, rest: Value | None) -> None:
            best, *others = four(k, i, rest)
            g = k.load(k.g, i, rest)
            shares = [g]
            for value in others:
                wins = beats(value, best)
                best = k.select(wins, value, best)
                shares = [k.select(wins, 0.0, share) for share in shares]
                shares.append(k.select(wins, g, 0.0))
            put_pairs(k, i, rest, k.integer(0), shares[0], shares[1])
            put_pairs(k, i, rest, k.width, shares[2], shares[3])

        k.each_block(k.n, write_backward)
    with module.function("share_of_four", g=PTR, dx=PTR, divisor=INT, n=INT, width=INT) as k:

        def write_shares(i: Value, rest: Value | None) -> None:
            share = k.load(k.g, i, rest) / k.splat(k.as_number(k.divisor))
            put_pairs(k, i, rest, k.integer(0), share, share)
            put_pairs(k, i, rest, k.width, share, share)

        k.each_block(k.n, write_shares)


def four(k: Code, i: Value, rest: Value | None) -> list[Value]:
    """The taps of the windows i, i + 1, ... in row-major order."""
    low, high = pair_masks(k, i, rest)
    taps = []
    for row in (k.integer(0), k.width):
        begin = row + i * 2
        a, b = k.load(k.x, begin, low), k.load(k.x, begin + k.lanes, high)
        taps += [k.shuffle(a, b, list(range(j, 2 * k.lanes, 2))) for j in (0, 1)]
    return taps


def put_pairs(k: Code, i: Value, rest: Value | None, row: Value, left: Value, right: Value) -> None:
    """Write the two pixels that windows i, i + 1, ... have in one row of dx."""
    low, high = pair_masks(k, i, rest)
    begin, lanes = row + i * 2, k.lanes
    zipped = [p // 2 + (p % 2) * lanes for p in range(2 * lanes)]
    k.store(k.dx, begin, k.shuffle(left, right, zipped[:lanes]), low)
    k.store(k.dx, begin + lanes, k.shuffle(left, right, zipped[lanes:]), high)


def pair_masks(k: Code, i: Value, rest: Value | None) -> tuple[Value | None, Value | None]:
    """Masks of the two vectors that the pixels of windows i, i + 1, ... fill."""
    if rest is None:
        return None, None
    left = (k.n - i) * 2
    return k.first_lanes(left), k.first_lanes(left - k.lanes)


VECTORS = (rows, squares)
