"""Maps over arrays, element by element (bodies)."""

from typing import Any

from llvmlite import ir

from .formulas import (
    NORMAL_ONE,
    NORMAL_TWO,
    ONE,
    TWO,
    WAVES,
    Formula,
    ramp,
    ramp_backward,
)
from .language import at, extern, helper
from .simd import FLOAT, INT, PTR, Code, Module, Value
from .vtrig import LARGEST_ANGLE

GRAIN = 1 << 14
"""Elements in one task: 2 us of work or more, and 64 KiB of each operand, which stay in L2."""

UNROLL = 2
"""Vectors in a round; more gains nothing, as cores look ahead into later rounds."""


# --- Loops ----------------------------------------------------------------------------------------


def maps(module: Module) -> None:
    """The vector code: one function f(x, y, n), or f(a, b, y, n), for each formula."""
    narrow = module.dtype == "f4"
    for name, formula in ONE.items():
        with module.function(name, x=PTR, y=PTR, n=INT) as k:
            map_one(k, formula)
    for name, formula in TWO.items():
        with module.function(name, a=PTR, b=PTR, y=PTR, n=INT) as k:
            map_two(k, formula)
    for name, formula in WAVES.items():
        with module.function(name, x=PTR, y=PTR, n=INT) as k:
            map_wave(k, name, formula)
    for name, (vectors, numbers) in NORMAL_ONE.items():
        with module.function(name, x=PTR, y=PTR, n=INT) as k:
            if narrow:
                map_one(k, vectors)
            else:
                with k.loop(0, k.n) as i:
                    k.store_scalar(k.y, i, numbers(k, k.load_scalar(k.x, i)))
    for name, (vectors, numbers) in NORMAL_TWO.items():
        with module.function(name, a=PTR, b=PTR, y=PTR, n=INT) as k:
            if narrow:
                map_two(k, vectors)
            else:
                with k.loop(0, k.n) as i:
                    operands = k.load_scalar(k.a, i), k.load_scalar(k.b, i)
                    k.store_scalar(k.y, i, numbers(k, *operands))


def ramps(module: Module) -> None:
    """The same for softplus and its backward form, which have numbers besides."""
    numbers = {"beta": FLOAT, "threshold": FLOAT}
    with module.function("softplus", x=PTR, **numbers, y=PTR, n=INT) as k:
        beta, threshold = k.splat(k.beta), k.splat(k.threshold)
        inverse = 1.0 / beta
        map_one(k, lambda k, x: ramp(k, x, beta, inverse, threshold))
    with module.function("softplus_backward", a=PTR, b=PTR, **numbers, y=PTR, n=INT) as k:
        beta, threshold = k.splat(k.beta), k.splat(k.threshold)
        map_two(k, lambda k, g, x: ramp_backward(k, g, x, beta, threshold))


def map_one(k: Code, formula: Formula) -> None:
    def write(i: Value, rest: Value | None) -> None:
        k.store(k.y, i, formula(k, k.load(k.x, i, rest)), rest)

    k.each_block(k.n, write, unroll=UNROLL)


def map_two(k: Code, formula: Formula) -> None:
    def write(i: Value, rest: Value | None) -> None:
        k.store(k.y, i, formula(k, k.load(k.a, i, rest), k.load(k.b, i, rest)), rest)

    k.each_block(k.n, write, unroll=UNROLL)


def map_wave(k: Code, name: str, formula: Formula) -> None:
    """Sine or cosine; vectors with a large angle in them go to the C library."""

    def write(i: Value, rest: Value | None) -> None:
        x = k.load(k.x, i, rest)
        k.store(k.y, i, formula(k, x), rest)
        with k.when(k.any_lane(~(k.absolute(x) <= LARGEST_ANGLE))):
            stop = k.n if rest is not None else i + k.lanes
            by_elements(k, name, i, stop)

    k.each_block(k.n, write, unroll=UNROLL)


def by_elements(k: Code, name: str, start: Value, stop: Value) -> None:
    """Large angles of x[start:stop] by a function of the C library, in float64."""
    double = ir.DoubleType()
    narrow = k.module.dtype == "f4"
    with k.loop(start, stop) as i:
        x = k.load_scalar(k.x, i)
        with k.when(~(k.absolute(x) <= LARGEST_ANGLE)):
            wide = k.builder.fpext(x.ir, double) if narrow else x.ir
            y = k.intrinsic(name, double, [wide]).ir
            y = k.builder.fptrunc(y, k.module.element) if narrow else y
            k.store_scalar(k.y, i, Value(k, y))


VECTORS = (maps, ramps)


# --- Bodies ---------------------------------------------------------------------------------------


@helper
def chunk(n, first, last):
    """Elements of the tasks first .. last-1: where they begin, and how many they are."""
    begin = first * GRAIN
    return begin, min(last * GRAIN, n) - begin


def one(name: str) -> Any:
    """The body of a kernel of one array."""
    vector = extern(name)

    def body(x, y, n, first, last, worker):
        begin, count = chunk(n, first, last)
        vector(at(x, begin), at(y, begin), count)

    return body


def two(name: str) -> Any:
    """The body of a kernel of two arrays."""
    vector = extern(name)

    def body(a, b, y, n, first, last, worker):
        begin, count = chunk(n, first, last)
        vector(at(a, begin), at(b, begin), at(y, begin), count)

    return body


def one_tasks(x, y, n):
    return (n + GRAIN - 1) // GRAIN


def two_tasks(a, b, y, n):
    return (n + GRAIN - 1) // GRAIN


# Each kernel by name, for whoever looks for it: the unit's signatures do.
exp, exp_tasks = one("exp"), one_tasks
log, log_tasks = one("log"), one_tasks
sin, sin_tasks = one("sin"), one_tasks
cos, cos_tasks = one("cos"), one_tasks
relu, relu_tasks = one("relu"), one_tasks
tanh, tanh_tasks = one("tanh"), one_tasks
sigmoid, sigmoid_tasks = one("sigmoid"), one_tasks
silu, silu_tasks = one("silu"), one_tasks
erf, erf_tasks = one("erf"), one_tasks
gelu, gelu_tasks = one("gelu"), one_tasks
tanh_gelu, tanh_gelu_tasks = one("tanh_gelu"), one_tasks

relu_backward, relu_backward_tasks = two("relu_backward"), two_tasks
tanh_backward, tanh_backward_tasks = two("tanh_backward"), two_tasks
sigmoid_backward, sigmoid_backward_tasks = two("sigmoid_backward"), two_tasks
silu_backward, silu_backward_tasks = two("silu_backward"), two_tasks
gelu_backward, gelu_backward_tasks = two("gelu_backward"), two_tasks
tanh_gelu_backward, tanh_gelu_backward_tasks = two("tanh_gelu_backward"), two_tasks
add, add_tasks = two("add"), two_tasks
subtract, subtract_tasks = two("subtract"), two_tasks
multiply, multiply_tasks = two("multiply"), two_tasks
divide, divide_tasks = two("divide"), two_tasks

softplus_vectors, softplus_slopes = extern("softplus"), extern("softplus_backward")


def softplus(x, beta, threshold, y, n, first, last, worker):
    begin, count = chunk(n, first, last)
    softplus_vectors(at(x, begin), beta, threshold, at(y, begin), count)


def softplus_tasks(x, beta, threshold, y, n):
    return (n + GRAIN - 1) // GRAIN


def softplus_backward(g, x, beta, threshold, dx, n, first, last, worker):
    begin, count = chunk(n, first, last)
    softplus_slopes(at(g, begin), at(x, begin), beta, threshold, at(dx, begin), count)


def softplus_backward_tasks(g, x, beta, threshold, dx, n):
    return (n + GRAIN - 1) // GRAIN
