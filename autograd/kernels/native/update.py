"""Optimizer steps and sums over gradients (bodies)."""

from llvmlite import ir

from .language import address, at, extern, helper
from .simd import FLOAT, INT, PTR, Code, Module, Value

GRAIN = 1 << 14
"""Elements in one task: some 10 us, and in Adam 256 KiB of its four arrays of float32."""

CHUNK = 1 << 15
"""Elements whose squares make one partial sum: one task."""


def steps(module: Module) -> None:
    """Vector code of the algorithms, in all their forms."""
    sgd(module, momentum=False)
    sgd(module, momentum=True)
    asgd(module)
    lion(module)
    rprop(module)
    adam(module, largest=False)
    adam(module, largest=True)
    for momentum in (False, True):
        for centered in (False, True):
            rmsprop(module, momentum, centered)


def gradient(k: Code, i: Value, rest: Value | None) -> tuple[Value, Value]:
    """The parameter, and ``sign * grad + weight_decay * param``."""
    param = k.load(k.param, i, rest)
    decay = k.splat(k.weight_decay)
    # Where nothing decays, an infinite parameter must not make the gradient NaN.
    penalty = k.select(decay.ne(0.0), param, 0.0) * decay
    return param, k.load(k.grad, i, rest) * k.splat(k.sign) + penalty


def sgd(module: Module, *, momentum: bool) -> None:
    name = "sgd_momentum" if momentum else "sgd_plain"
    pointers = {"param": PTR, "grad": PTR} | ({"buffer": PTR} if momentum else {})
    factors = ["sign", "weight_decay", *(["keep", "take", "lead"] if momentum else []), "lr"]
    with module.function(name, **pointers, **dict.fromkeys(factors, FLOAT), n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            param, g = gradient(k, i, rest)
            if momentum:
                buffer = k.load(k.buffer, i, rest) * k.splat(k.keep) + g * k.splat(k.take)
                k.store(k.buffer, i, buffer, rest)
                lead = k.splat(k.lead)
                g = k.select(lead.ne(0.0), buffer * lead + g, buffer)
            k.store(k.param, i, param - g * k.splat(k.lr), rest)

        k.each_block(k.n, write, unroll=2)


def asgd(module: Module) -> None:
    factors = dict.fromkeys(["sign", "weight_decay", "keep", "lr", "share"], FLOAT)
    with module.function("asgd", param=PTR, grad=PTR, ax=PTR, **factors, n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            param, g = gradient(k, i, rest)
            param = param * k.splat(k.keep) - g * k.splat(k.lr)
            k.store(k.param, i, param, rest)
            mean, share = k.load(k.ax, i, rest), k.splat(k.share)
            mean = k.select(share.ne(1.0), mean + (param - mean) * share, param)
            k.store(k.ax, i, mean, rest)

        k.each_block(k.n, write, unroll=2)


def sign_of(k: Code, x: Value) -> Value:
    """1, -1, or what is neither: 0 and NaN."""
    return k.select(x > 0.0, k.splat(1.0), k.select(x < 0.0, k.splat(-1.0), x))


def lion(module: Module) -> None:
    factors = dict.fromkeys(["sign", "decay", "lead", "share", "keep", "take", "lr"], FLOAT)
    with module.function("lion", param=PTR, grad=PTR, exp_avg=PTR, **factors, n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            param, mean = k.load(k.param, i, rest), k.load(k.exp_avg, i, rest)
            g = k.load(k.grad, i, rest) * k.splat(k.sign)
            step = sign_of(k, mean * k.splat(k.lead) + g * k.splat(k.share)) * k.splat(k.lr)
            decay = k.splat(k.decay)
            step = step + k.select(decay.ne(0.0), param, 0.0) * decay
            k.store(k.param, i, param - step, rest)
            k.store(k.exp_avg, i, mean * k.splat(k.keep) + g * k.splat(k.take), rest)

        k.each_block(k.n, write, unroll=2)


def rprop(module: Module) -> None:
    pointers = dict.fromkeys(["param", "grad", "prev", "step_size"], PTR)
    factors = dict.fromkeys(["sign", "shrink", "grow", "low", "high"], FLOAT)
    with module.function("rprop", **pointers, **factors, n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            g = k.load(k.grad, i, rest) * k.splat(k.sign)
            turn = g * k.load(k.prev, i, rest)
            factor = k.select(turn.eq(0.0), k.splat(1.0), turn)
            factor = k.select(turn < 0.0, k.splat(k.shrink), factor)
            factor = k.select(turn > 0.0, k.splat(k.grow), factor)
            size = k.load(k.step_size, i, rest) * factor
            low, high = k.splat(k.low), k.splat(k.high)
            size = k.select(size < low, low, size)
            size = k.select(size > high, high, size)
            k.store(k.step_size, i, size, rest)
            g = k.select(turn < 0.0, 0.0, g)
            k.store(k.prev, i, g, rest)
            k.store(k.param, i, k.load(k.param, i, rest) - sign_of(k, g) * size, rest)

        k.each_block(k.n, write, unroll=2)


def adam(module: Module, *, largest: bool) -> None:
    name = "adam_largest" if largest else "adam_plain"
    pointers = ["param", "grad", "exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if largest else [])]
    factors = ["sign", "weight_decay", "decay", "rate", "keep", "take", "eps", "lr"]
    parameters = dict.fromkeys(pointers, PTR) | dict.fromkeys(factors, FLOAT)
    with module.function(name, **parameters, n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            param, g = gradient(k, i, rest)
            mean = k.load(k.exp_avg, i, rest)
            mean = mean + (g - mean) * k.splat(k.rate)
            k.store(k.exp_avg, i, mean, rest)
            spread = k.load(k.exp_avg_sq, i, rest) * k.splat(k.keep) + g * g * k.splat(k.take)
            k.store(k.exp_avg_sq, i, spread, rest)
            if largest:
                old = k.load(k.max_exp_avg_sq, i, rest)
                spread = k.select((old > spread) | old.ne(old), old, spread)
                k.store(k.max_exp_avg_sq, i, spread, rest)
            step = mean / (k.sqrt(spread) + k.splat(k.eps)) * k.splat(k.lr)
            decay = k.splat(k.decay)
            step = step + k.select(decay.ne(0.0), param, 0.0) * decay
            k.store(k.param, i, param - step, rest)

        k.each_block(k.n, write, unroll=2)


def rmsprop(module: Module, momentum: bool, centered: bool) -> None:
    name = "rmsprop" + "_momentum" * momentum + "_centered" * centered
    pointers = ["param", "grad", "square_avg"]
    pointers += ["buffer"] * momentum + ["grad_avg"] * centered
    factors = ["sign", "weight_decay", "keep", "take", "eps", *["momentum"] * momentum, "lr"]
    parameters = dict.fromkeys(pointers, PTR) | dict.fromkeys(factors, FLOAT)
    with module.function(name, **parameters, n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            param, g = gradient(k, i, rest)
            spread = k.load(k.square_avg, i, rest) * k.splat(k.keep) + g * g * k.splat(k.take)
            k.store(k.square_avg, i, spread, rest)
            if centered:
                mean = k.load(k.grad_avg, i, rest)
                mean = mean + (g - mean) * k.splat(k.take)
                k.store(k.grad_avg, i, mean, rest)
                spread = spread - mean * mean
                spread = k.select(spread < 0.0, 0.0, spread)
            step = g / (k.sqrt(spread) + k.splat(k.eps))
            if momentum:
                step = k.load(k.buffer, i, rest) * k.splat(k.momentum) + step
                k.store(k.buffer, i, step, rest)
            k.store(k.param, i, param - step * k.splat(k.lr), rest)

        k.each_block(k.n, write, unroll=2)


def sums(module: Module) -> None:
    """Vector code of what is done with gradients before a step."""
    with module.function("scale_vector", target=PTR, factor=FLOAT, n=INT) as k:

        def scale(i: Value, rest: Value | None) -> None:
            k.store(k.target, i, k.load(k.target, i, rest) * k.splat(k.factor), rest)

        k.each_block(k.n, scale, unroll=4)
    with module.function("squares_vector", x=PTR, total=PTR, n=INT) as k:
        double = ir.VectorType(ir.DoubleType(), k.lanes)
        zero = Value(k, ir.Constant(double, None))
        parts = [k.variable(zero) for _ in range(4)]
        turn = 0

        def add_squares(i: Value, rest: Value | None) -> None:
            nonlocal turn
            x = k.load(k.x, i, rest)
            if module.dtype == "f4":
                x = Value(k, k.builder.fpext(x.ir, double))
            part = parts[turn % len(parts)]
            part.set(part.get() + x * x)
            turn += 1

        k.each_block(k.n, add_squares, unroll=len(parts))
        a, b, c, d = (part.get() for part in parts)
        total = k.sum_lanes((a + b) + (c + d))
        k.builder.store(total.ir, k.total.ir)


VECTORS = (steps, sums)

sgd_plain, sgd_momentum = extern("sgd_plain"), extern("sgd_momentum")
asgd_vector, lion_vector, rprop_vector = extern("asgd"), extern("lion"), extern("rprop")
adam_plain, adam_largest = extern("adam_plain"), extern("adam_largest")
rmsprop_plain, rmsprop_momentum = extern("rmsprop"), extern("rmsprop_momentum")
rmsprop_centered = extern("rmsprop_centered")
rmsprop_momentum_centered = extern("rmsprop_momentum_centered")
scale_vector = extern("scale_vector")
squares_vector = extern("squares_vector")


@helper
def chunk(n, first, last):
    """Elements of the tasks first .. last-1: where they begin, and how many they are."""
    begin = first * GRAIN
    return begin, min(last * GRAIN, n) - begin


@helper
def chunks(n):
    """How many tasks there are."""
    return (n + GRAIN - 1) // GRAIN


def sgd_step(param, grad, buffer, sign, weight_decay, keep, take, lead, lr, n, first, last, worker):
    begin, count = chunk(n, first, last)
    p, g, b = at(param, begin), at(grad, begin), at(buffer, begin)
    if address(buffer) == 0:
        sgd_plain(p, g, sign, weight_decay, lr, count)
    else:
        sgd_momentum(p, g, b, sign, weight_decay, keep, take, lead, lr, count)


def sgd_step_tasks(param, grad, buffer, sign, weight_decay, keep, take, lead, lr, n):
    return chunks(n)


def asgd_step(param, grad, ax, sign, weight_decay, keep, lr, share, n, first, last, worker):
    begin, count = chunk(n, first, last)
    p, g, mean = at(param, begin), at(grad, begin), at(ax, begin)
    asgd_vector(p, g, mean, sign, weight_decay, keep, lr, share, count)


def asgd_step_tasks(param, grad, ax, sign, weight_decay, keep, lr, share, n):
    return chunks(n)


def lion_step(param, grad, mean, sign, decay, lead, share, keep, take, lr, n, first, last, worker):
    begin, count = chunk(n, first, last)
    p, g, m = at(param, begin), at(grad, begin), at(mean, begin)
    lion_vector(p, g, m, sign, decay, lead, share, keep, take, lr, count)


def lion_step_tasks(param, grad, mean, sign, decay, lead, share, keep, take, lr, n):
    return chunks(n)


def rprop_step(param, grad, prev, size, sign, shrink, grow, low, high, n, first, last, worker):
    begin, count = chunk(n, first, last)
    p, g, old, s = at(param, begin), at(grad, begin), at(prev, begin), at(size, begin)
    rprop_vector(p, g, old, s, sign, shrink, grow, low, high, count)


def rprop_step_tasks(param, grad, prev, size, sign, shrink, grow, low, high, n):
    return chunks(n)


def adam_step(
    param,
    grad,
    mean,
    spread,
    largest,
    sign,
    weight_decay,
    decay,
    rate,
    keep,
    take,
    eps,
    lr,
    n,
    first,
    last,
    worker,
):
    begin, count = chunk(n, first, last)
    p, g, m = at(param, begin), at(grad, begin), at(mean, begin)
    v, u = at(spread, begin), at(largest, begin)
    if address(largest) == 0:
        adam_plain(p, g, m, v, sign, weight_decay, decay, rate, keep, take, eps, lr, count)
    else:
        adam_largest(p, g, m, v, u, sign, weight_decay, decay, rate, keep, take, eps, lr, count)


def adam_step_tasks(
    param, grad, mean, spread, largest, sign, weight_decay, decay, rate, keep, take, eps, lr, n
):
    return chunks(n)


def rmsprop_step(
    param,
    grad,
    spread,
    buffer,
    mean,
    sign,
    weight_decay,
    keep,
    take,
    eps,
    momentum,
    lr,
    n,
    first,
    last,
    worker,
):
    begin, count = chunk(n, first, last)
    p, g, v = at(param, begin), at(grad, begin), at(spread, begin)
    b, a = at(buffer, begin), at(mean, begin)
    if address(buffer) == 0 and address(mean) == 0:
        rmsprop_plain(p, g, v, sign, weight_decay, keep, take, eps, lr, count)
    elif address(mean) == 0:
        rmsprop_momentum(p, g, v, b, sign, weight_decay, keep, take, eps, momentum, lr, count)
    elif address(buffer) == 0:
        rmsprop_centered(p, g, v, a, sign, weight_decay, keep, take, eps, lr, count)
    else:
        rmsprop_momentum_centered(
            p, g, v, b, a, sign, weight_decay, keep, take, eps, momentum, lr, count
        )


def rmsprop_step_tasks(
    param, grad, spread, buffer, mean, sign, weight_decay, keep, take, eps, momentum, lr, n
):
    return chunks(n)


def scale_by(target, factor, n, first, last, worker):
    begin, count = chunk(n, first, last)
    scale_vector(at(target, begin), factor, count)


def scale_by_tasks(target, factor, n):
    return chunks(n)


def square_sums(x, sums, n, pieces, first, last, worker):
    for i in range(first, last):
        begin = i * CHUNK
        squares_vector(at(x, begin), at(sums, i), min(CHUNK, n - begin))


def square_sums_tasks(x, sums, n, pieces):
    return min(pieces, (n + CHUNK - 1) // CHUNK)
