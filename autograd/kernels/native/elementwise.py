"""Maps over arrays, element by element (bodies)."""

from .language import at, extern, helper
from .simd import INT, PTR, Module

GRAIN = 1 << 14
"""Elements in one task: some 5 us of work and 64 KiB of each operand, which stay in L2."""


def maps(module: Module) -> None:
    """The vector code."""
    with module.function("relu", x=PTR, y=PTR, n=INT) as k:

        def write(i, rest):
            x = k.load(k.x, i, rest)
            k.store(k.y, i, k.select(x < 0.0, 0.0, x), rest)

        k.each_block(k.n, write, unroll=4)
    with module.function("relu_backward", g=PTR, y=PTR, dx=PTR, n=INT) as k:

        def write_backward(i, rest):
            y = k.load(k.y, i, rest)
            k.store(k.dx, i, k.select(y > 0.0, k.load(k.g, i, rest), 0.0), rest)

        k.each_block(k.n, write_backward, unroll=4)


VECTORS = (maps,)

relu_vector = extern("relu")
relu_backward_vector = extern("relu_backward")


@helper
def chunk(n, first, last):
    """Elements of the tasks first .. last-1: where they begin, and how many they are."""
    begin = first * GRAIN
    return begin, min(last * GRAIN, n) - begin


def relu(x, y, n, first, last, worker):
    begin, count = chunk(n, first, last)
    relu_vector(at(x, begin), at(y, begin), count)


def relu_tasks(x, y, n):
    return (n + GRAIN - 1) // GRAIN


def relu_backward(g, y, dx, n, first, last, worker):
    begin, count = chunk(n, first, last)
    relu_backward_vector(at(g, begin), at(y, begin), at(dx, begin), count)


def relu_backward_tasks(g, y, dx, n):
    return (n + GRAIN - 1) // GRAIN
