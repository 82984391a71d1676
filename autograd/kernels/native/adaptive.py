"""Steps of Adagrad, Adadelta, Adamax, NAdam and RAdam (bodies)."""

from .language import at, extern
from .simd import FLOAT, INT, PTR, Module, Value
from .update import chunk, chunks, gradient


def steps(module: Module) -> None:
    """Vector code of the algorithms."""
    adagrad(module)
    adadelta(module)
    adamax(module)
    nadam(module)


def adagrad(module: Module) -> None:
    factors = dict.fromkeys(["sign", "weight_decay", "eps", "lr"], FLOAT)
    with module.function("adagrad", param=PTR, grad=PTR, total=PTR, **factors, n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            param, g = gradient(k, i, rest)
            total = k.load(k.total, i, rest) + g * g
            k.store(k.total, i, total, rest)
            step = g / (k.sqrt(total) + k.splat(k.eps))
            k.store(k.param, i, param - step * k.splat(k.lr), rest)

        k.each_block(k.n, write, unroll=2)


def adadelta(module: Module) -> None:
    pointers = dict.fromkeys(["param", "grad", "square_avg", "acc_delta"], PTR)
    factors = dict.fromkeys(["sign", "weight_decay", "keep", "take", "eps", "lr"], FLOAT)
    with module.function("adadelta", **pointers, **factors, n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            param, g = gradient(k, i, rest)
            keep, take, eps = k.splat(k.keep), k.splat(k.take), k.splat(k.eps)
            spread = k.load(k.square_avg, i, rest) * keep + g * g * take
            k.store(k.square_avg, i, spread, rest)
            moved = k.load(k.acc_delta, i, rest)
            step = k.sqrt(moved + eps) / k.sqrt(spread + eps) * g
            k.store(k.acc_delta, i, moved * keep + step * step * take, rest)
            k.store(k.param, i, param - step * k.splat(k.lr), rest)

        k.each_block(k.n, write, unroll=2)


def adamax(module: Module) -> None:
    pointers = dict.fromkeys(["param", "grad", "exp_avg", "exp_inf"], PTR)
    factors = dict.fromkeys(["sign", "weight_decay", "rate", "keep", "eps", "lr"], FLOAT)
    with module.function("adamax", **pointers, **factors, n=INT) as k:

        def write(i: Value, rest: Value | None) -> None:
            param, g = gradient(k, i, rest)
            mean = k.load(k.exp_avg, i, rest)
            mean = mean + (g - mean) * k.splat(k.rate)
            k.store(k.exp_avg, i, mean, rest)
            old, new = k.load(k.exp_inf, i, rest) * k.splat(k.keep), k.absolute(g) + k.splat(k.eps)
            largest = k.select((old > new) | old.ne(old), old, new)
            k.store(k.exp_inf, i, largest, rest)
            k.store(k.param, i, param - mean / largest * k.splat(k.lr), rest)

        k.each_block(k.n, write, unroll=2)


def nadam(module: Module) -> None:
    pointers = dict.fromkeys(["param", "grad", "exp_avg", "exp_avg_sq"], PTR)
    names = ["sign", "weight_decay", "decay", "rate", "keep", "take", "spread", "eps", "lead", "lr"]
    with module.function("nadam", **pointers, **dict.fromkeys(names, FLOAT), n=INT) as k:

        def part(value: Value, factor: Value) -> Value:
            """Their product; 0 where the factor is, whatever the value."""
            wide = k.splat(factor)
            return k.select(wide.ne(0.0), value, 0.0) * wide

        def write(i: Value, rest: Value | None) -> None:
            param, g = gradient(k, i, rest)
            mean = k.load(k.exp_avg, i, rest)
            mean = mean + (g - mean) * k.splat(k.rate)
            k.store(k.exp_avg, i, mean, rest)
            square = k.load(k.exp_avg_sq, i, rest) * k.splat(k.keep) + g * g * k.splat(k.take)
            k.store(k.exp_avg_sq, i, square, rest)
            step = mean * k.splat(k.lr) + part(g, k.lead)
            step = step / (part(k.sqrt(square), k.spread) + k.splat(k.eps)) + part(param, k.decay)
            k.store(k.param, i, param - step, rest)

        k.each_block(k.n, write, unroll=2)


VECTORS = (steps,)

adagrad_vector, adadelta_vector = extern("adagrad"), extern("adadelta")
adamax_vector, nadam_vector = extern("adamax"), extern("nadam")


def adagrad_step(param, grad, total, sign, weight_decay, eps, lr, n, first, last, worker):
    begin, count = chunk(n, first, last)
    p, g, s = at(param, begin), at(grad, begin), at(total, begin)
    adagrad_vector(p, g, s, sign, weight_decay, eps, lr, count)


def adagrad_step_tasks(param, grad, total, sign, weight_decay, eps, lr, n):
    return chunks(n)


def adadelta_step(
    param, grad, square, moved, sign, weight_decay, keep, take, eps, lr, n, first, last, worker
):
    begin, count = chunk(n, first, last)
    p, g, v, a = at(param, begin), at(grad, begin), at(square, begin), at(moved, begin)
    adadelta_vector(p, g, v, a, sign, weight_decay, keep, take, eps, lr, count)


def adadelta_step_tasks(param, grad, square, moved, sign, weight_decay, keep, take, eps, lr, n):
    return chunks(n)


def adamax_step(
    param, grad, mean, largest, sign, weight_decay, rate, keep, eps, lr, n, first, last, worker
):
    begin, count = chunk(n, first, last)
    p, g, m, u = at(param, begin), at(grad, begin), at(mean, begin), at(largest, begin)
    adamax_vector(p, g, m, u, sign, weight_decay, rate, keep, eps, lr, count)


def adamax_step_tasks(param, grad, mean, largest, sign, weight_decay, rate, keep, eps, lr, n):
    return chunks(n)


def nadam_step(
    param,
    grad,
    mean,
    square,
    sign,
    weight_decay,
    decay,
    rate,
    keep,
    take,
    spread,
    eps,
    lead,
    lr,
    n,
    first,
    last,
    worker,
):
    begin, count = chunk(n, first, last)
    p, g, m, v = at(param, begin), at(grad, begin), at(mean, begin), at(square, begin)
    nadam_vector(
        p, g, m, v, sign, weight_decay, decay, rate, keep, take, spread, eps, lead, lr, count
    )


def nadam_step_tasks(
    param,
    grad,
    mean,
    square,
    sign,
    weight_decay,
    decay,
    rate,
    keep,
    take,
    spread,
    eps,
    lead,
    lr,
    n,
):
    return chunks(n)
