"""Tests that every op gets by being in the op table.

Arguments come from the op itself: its samples, or its domain. A new op needs no test here, only
an oracle in `oracles.py` (a test fails until it has one).
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Generator, Scalar, Spec, Tensor, gradcheck, gradgradcheck, ops
from autograd.graph import OPS, Op, Variable
from tests.autograd.oracles import AT_RANDOM, ORACLES

# An op that only layers use is in the table once its file is loaded: here all are.
for found in pkgutil.iter_modules(ops.__path__, f"{ops.__name__}."):
    importlib.import_module(found.name)

# Ops of the library alone: other test modules may have made their own by now.
TABLE = {n: op for n, op in OPS.items() if op.function.__module__.startswith("autograd.")}
Case = tuple[tuple[Any, ...], dict[str, Any]]

REDUCTIONS: list[dict[str, Any]] = [
    {},
    {"dim": 0},
    {"dim": -1, "keepdim": True},
    {"dim": (0, 2)},
    {"dim": (2, -2), "keepdim": True},
]


def names(keep: Callable[[Op], bool] = lambda op: True) -> list[str]:
    return [name for name, op in TABLE.items() if keep(op)]


def every(keep: Callable[[Op], bool] = lambda op: True) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", names(keep))


def intervals(op: Op) -> list[tuple[float, float]]:
    """An interval for each input."""
    if isinstance(op.domain[0], tuple):
        return list(op.domain)
    return [op.domain] * len(op.inputs)


def drawing(seed: int = 0) -> Callable[[tuple[int, ...]], np.ndarray]:
    rng = np.random.default_rng(seed)
    return lambda shape: np.asarray(rng.uniform(-2.0, 2.0, shape))


def drawn(op: Op, *shapes: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, ...]:
    """Arguments of an elementwise op from its domain."""
    rng = np.random.default_rng(seed)
    return tuple(
        np.asarray(rng.uniform(low, high, shape))
        for (low, high), shape in zip(intervals(op), shapes, strict=True)
    )


def cases(op: Op, seed: int = 0) -> list[Case]:
    """Arguments to call the op with: float64, indices and masks as they are."""
    if op.samples is not None:
        return op.samples(drawing(seed))
    if op.family == "reduction":
        draw = drawing(seed)
        return [((draw((2, 3, 4)),), dict(params)) for params in REDUCTIONS]
    shapes = [(2, 3), (3,), (2, 1)]
    return [
        (drawn(op, *[(2, 3)] * len(op.inputs), seed=seed), {}),
        (drawn(op, *(shapes * 2)[: len(op.inputs)], seed=seed + 1), {}),
    ]


def is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def takes_gradient(op: Op, i: int) -> bool:
    return op.joint is not None or op.rules[0 if op.variadic else i] is not None


def leaves(op: Op, args: tuple[Any, ...], dtype: Any = np.float64) -> list[Any]:
    """The arguments, floats as Tensors that require grad (where the op has a rule for them)."""
    return [
        Tensor(a.astype(dtype, order="K"), requires_grad=takes_gradient(op, i))
        if is_float(a)
        else a
        for i, a in enumerate(args)
    ]


def value(result: Any) -> Any:
    return result.value if isinstance(result, Variable) else result


def run(op: Op, args: Any, params: dict[str, Any]) -> Any:
    return op.function(*args, **params)


def differentiable(op: Op) -> bool:
    return op.differentiable


# --- Completeness -------------------------------------------------------------------------------


def test_every_op_has_an_oracle_or_a_reason():
    assert {*ORACLES, *AT_RANDOM} == set(TABLE), "oracles.py does not fit the op table"
    assert not ORACLES.keys() & AT_RANDOM.keys()
    assert all(AT_RANDOM.values())


@every()
def test_arguments_can_be_drawn(name):
    op = TABLE[name]
    assert op.domain is not None or op.samples is not None
    assert cases(op)


# --- Forward ------------------------------------------------------------------------------------


@every(lambda op: op.name in ORACLES)
def test_forward(name):
    op = TABLE[name]
    for args, params in cases(op):
        given = [np.copy(a) if isinstance(a, np.ndarray) else a for a in args]
        result = run(op, leaves(op, args), params)
        wanted = ORACLES[name](*args, **params)
        np.testing.assert_allclose(value(result), wanted, rtol=1e-12, atol=1e-12)
        assert np.shape(value(result)) == np.shape(wanted)
        for before, after in zip(given, args, strict=True):
            np.testing.assert_array_equal(before, after, err_msg="an input was changed")


def test_dropout_drops_by_its_probability():
    x = Tensor(np.ones(20_000, np.float32))
    key = TABLE["dropout_key"].function(x, generator=Generator(0))
    y = TABLE["dropout"].function(x, key, p=0.3).numpy()
    assert y.dtype == np.float32
    assert set(np.unique(y)) == {np.float32(0.0), np.float32(1.0 / 0.7)}
    assert abs((y == 0).mean() - 0.3) < 0.015


@every(lambda op: op.name not in AT_RANDOM)
def test_raw_arrays_and_tensors_give_the_same(name):
    """A rule calls ops on raw arrays: bit for bit what users get."""
    op = TABLE[name]
    for args, params in cases(op):
        raw = run(op, args, params)
        assert not isinstance(raw, Variable)
        np.testing.assert_array_equal(value(run(op, leaves(op, args), params)), raw)


# --- Gradients ----------------------------------------------------------------------------------


def checked(op: Op, check: Callable[..., bool]) -> None:
    for args, params in cases(op, seed=3):
        inputs = leaves(op, args)
        if any(isinstance(v, Tensor) and v.requires_grad for v in inputs):
            assert check(lambda *a, params=params: run(op, a, params), inputs, atol=1e-7, rtol=1e-6)


@every(differentiable)
def test_gradcheck(name):
    checked(TABLE[name], gradcheck)


@every(differentiable)
def test_gradgradcheck(name):
    checked(TABLE[name], gradgradcheck)


@every(differentiable)
def test_raw_and_recorded_backward_are_the_same(name):
    """One rule, fed arrays or Variables: the same numbers."""
    op = TABLE[name]
    for args, params in cases(op, seed=5):
        inputs = leaves(op, args)
        targets = [v for v in inputs if isinstance(v, Tensor) and v.requires_grad]
        y = run(op, inputs, params)
        seed = np.asarray(drawing(7)(np.shape(value(y))))
        seed = float(seed) if isinstance(y, Scalar) else seed
        raw = autograd.grad(y, targets, seed, retain_graph=True)
        recorded = autograd.grad(y, targets, seed, create_graph=True)
        for a, b in zip(raw, recorded, strict=True):
            np.testing.assert_allclose(a.value, b.value, rtol=1e-12, atol=1e-12)
            assert not a.requires_grad


@every(differentiable)
def test_only_the_inputs_that_require_grad_count(name):
    """What is saved depends on who needs it: one input at a time gives the same gradient."""
    op = TABLE[name]
    for args, params in cases(op, seed=6):
        inputs = leaves(op, args)
        targets = [i for i, v in enumerate(inputs) if isinstance(v, Tensor) and v.requires_grad]
        y = run(op, inputs, params)
        seed = np.asarray(drawing(7)(np.shape(value(y))))
        seed = float(seed) if isinstance(y, Scalar) else seed
        together = autograd.grad(y, [inputs[i] for i in targets], seed)
        for i, wanted in zip(targets, together, strict=True):
            alone = [
                v.detach() if isinstance(v, Tensor) and j != i else v for j, v in enumerate(inputs)
            ]
            (got,) = autograd.grad(run(op, alone, params), alone[i], seed)
            np.testing.assert_array_equal(got.value, wanted.value)


@every(lambda op: not op.differentiable)
def test_no_gradient_through_what_has_none(name):
    op = TABLE[name]
    for args, params in cases(op):
        inputs = [
            Tensor(a, requires_grad=is_float(a)) if isinstance(a, np.ndarray) else a for a in args
        ]
        y = run(op, inputs, params)
        assert not y.requires_grad
        assert y.node is None


# --- Dtypes -------------------------------------------------------------------------------------


@every(lambda op: op.name not in ("cast", "to_scalar"))
def test_float32_stays_float32(name):
    op = TABLE[name]
    for args, params in cases(op):
        inputs = leaves(op, args, np.float32)
        y = run(op, inputs, params)
        if value(y).dtype.kind != "f":
            continue
        assert y.dtype == np.float32
        targets = [v for v in inputs if isinstance(v, Tensor) and v.requires_grad]
        if not targets:
            continue
        for create_graph in (False, True):
            found = autograd.grad(
                y,
                targets,
                np.ones(y.shape, np.float32),
                retain_graph=True,
                create_graph=create_graph,
            )
            assert [g.dtype for g in found] == [np.float32] * len(targets)
            assert [g.shape for g in found] == [t.shape for t in targets]
        wide = run(op, leaves(op, args), params)
        np.testing.assert_allclose(value(y), value(wide), rtol=2e-4, atol=2e-5)


# --- Shapes and layouts -------------------------------------------------------------------------


def relaid(array: np.ndarray, how: str) -> np.ndarray:
    """The same values in another layout of memory."""
    if not array.ndim and how != "read-only":
        return array
    if how == "reversed":
        full = (slice(None, None, -1),) * array.ndim
        return np.ascontiguousarray(array[full])[full]
    if how == "transposed":
        return np.ascontiguousarray(array.T).T
    if how == "gaps":
        wide = np.full([2 * n for n in array.shape], np.nan if is_float(array) else 0)
        wide = wide.astype(array.dtype)
        wide[(slice(None, None, 2),) * array.ndim] = array
        return wide[(slice(None, None, 2),) * array.ndim]
    if how == "offset":  # not aligned to more than the size of an element
        return np.concatenate([array.ravel()[:1], array.ravel()])[1:].reshape(array.shape)
    frozen = array.copy()
    frozen.flags.writeable = False
    return frozen


@pytest.mark.parametrize("how", ["reversed", "transposed", "gaps", "offset", "read-only"])
@every(lambda op: op.name not in AT_RANDOM)
def test_layouts(name, how):
    op = TABLE[name]
    for args, params in cases(op):
        plain = leaves(op, args)
        other = [relaid(a, how) if isinstance(a, np.ndarray) and a.size else a for a in args]
        other = [
            Tensor(a, requires_grad=takes_gradient(op, i)) if is_float(a) else a
            for i, a in enumerate(other)
        ]
        y, z = run(op, plain, params), run(op, other, params)
        np.testing.assert_allclose(value(z), value(y), rtol=1e-12, atol=1e-13)
        if not getattr(y, "requires_grad", False):  # raw, of raw integers
            continue
        seed = np.asarray(drawing(9)(np.shape(value(y))))
        given = float(seed) if isinstance(y, Scalar) else relaid(seed, how) if seed.size else seed
        wanted, found = (
            autograd.grad(r, [v for v in inputs if isinstance(v, Tensor) and v.requires_grad], s)
            for r, inputs, s in (
                (y, plain, float(seed) if isinstance(y, Scalar) else seed),
                (z, other, given),
            )
        )
        for a, b in zip(wanted, found, strict=True):
            np.testing.assert_allclose(b.value, a.value, rtol=1e-12, atol=1e-13)


BROADCASTS = [
    ((), ()),
    ((), (3,)),
    ((2, 3), ()),
    ((1,), (3,)),
    ((2, 1), (1, 3)),
    ((3,), (4, 1, 3)),
    ((0,), (1,)),
    ((2, 0), (0,)),
    ((0, 3), (1, 3)),
    ((1, 1), ()),
]


@every(lambda op: op.family == "elementwise" and op.samples is None)
def test_elementwise_shapes(name):
    """0-d, empty and broadcast: values against the oracle, gradients against differences."""
    op = TABLE[name]
    count = len(op.inputs)
    for first, second in BROADCASTS if count > 1 else [(s, s) for s in [(), (0,), (1,), (2, 0)]]:
        args = drawn(op, *[first, second, first][:count])
        inputs = leaves(op, args)
        y = run(op, inputs, {})
        wanted = ORACLES[name](*args)
        np.testing.assert_allclose(value(y), wanted, rtol=1e-12, atol=1e-12)
        assert y.shape == np.broadcast_shapes(*(a.shape for a in args))
        if op.differentiable:
            assert gradcheck(op.function, inputs, atol=1e-7, rtol=1e-6)
            assert gradgradcheck(op.function, inputs, atol=1e-7, rtol=1e-6)


@every(lambda op: op.family == "reduction")
def test_reduction_shapes(name):
    op = TABLE[name]
    (_, params), *_ = cases(op)
    params = {k: v for k, v in params.items() if k not in ("dim", "keepdim")}
    for shape in [(), (1,), (4,), (3, 1), (1, 1, 2)]:
        x = drawing()(shape)
        for dim in (None, *range(-len(shape), len(shape))):
            size = x.size if dim is None else shape[dim]
            if name in ("var", "std") and size < 2:
                continue
            for keepdim in (False, True):
                y = run(op, [Tensor(x)], params | {"dim": dim, "keepdim": keepdim})
                wanted = ORACLES[name](x, dim=dim, keepdim=keepdim, **params)
                np.testing.assert_allclose(value(y), wanted, rtol=1e-12, atol=1e-12)
                assert y.shape == wanted.shape
    # An empty dimension that is kept is no difficulty; one that is folded may be refused.
    y = run(op, [Tensor(np.ones((0, 3)))], params | {"dim": 1})
    assert y.shape == (0,)
    if not op.differentiable:
        return
    x = Tensor(np.ones((0, 3)), requires_grad=True)
    (g,) = autograd.grad(run(op, [x], params | {"dim": 1}), x, np.ones(0))
    assert g.shape == (0, 3)


def nothing(array: Any, axis: int) -> Any:
    return array[(slice(None),) * axis + (slice(0, 0),)] if isinstance(array, np.ndarray) else array


# Whose first dimension is a batch, so that it may be empty.
BATCHED = [
    "conv2d", "conv2d_input", "max_pool2d", "max_pool2d_indices", "avg_pool2d",
    "avg_pool2d_spread", "softmax", "log_softmax",
]  # fmt: skip


@pytest.mark.parametrize("name", BATCHED)
def test_empty_batches(name):
    op = TABLE[name]
    for args, params in cases(op):
        if params.get("dim") == 0:
            continue
        full = run(op, args, params)
        inputs = leaves(op, (nothing(args[0], 0), *args[1:]))
        y = run(op, inputs, params)
        assert y.shape == (0, *full.shape[1:])
        if y.requires_grad:
            targets = [v for v in inputs if isinstance(v, Tensor)]
            found = autograd.grad(y, targets, np.zeros(y.shape))
            assert [g.shape for g in found] == [t.shape for t in targets]
            assert not any(np.any(g.value) for g in found)


# --- The scalar form ----------------------------------------------------------------------------


@every(lambda op: op.scalar is not None)
def test_scalar_against_array(name):
    op = TABLE[name]
    assert op.scalar is not None
    for seed in range(5):
        if op.samples is None:
            args = tuple(float(a) for a in drawn(op, *[()] * len(op.inputs), seed=seed))
        else:  # where: a condition first
            args = (seed % 2 == 0, *(float(a) for a in drawing(seed)((len(op.inputs) - 1,))))
        arrays = [Tensor(np.array(a), requires_grad=isinstance(a, float)) for a in args]
        scalars = [Scalar(a) if isinstance(a, float) else a for a in args]
        y, z = op.function(*arrays), op.function(*scalars)
        wanted = Scalar if value(y).dtype.kind == "f" else Tensor
        assert isinstance(z, wanted | bool), f"{name} of Scalars gave {type(z).__name__}"
        np.testing.assert_allclose(value(z), value(y), rtol=1e-14, atol=1e-15)
        assert op.function(*args) == pytest.approx(float(value(y)), rel=1e-14, abs=1e-15)
        if not op.differentiable:
            continue
        assert isinstance(z, Scalar)
        tensors = [a for a in arrays if a.requires_grad]
        numbers = [s for s in scalars if isinstance(s, Scalar)]
        for a, b in zip(autograd.grad(y, tensors), autograd.grad(z, numbers), strict=True):
            assert isinstance(b, Scalar)
            np.testing.assert_allclose(b.value, a.value, rtol=1e-13, atol=1e-15)


@every(lambda op: op.scalar is not None and op.differentiable)
def test_scalars_of_first_and_second_order(name):
    op = TABLE[name]
    if op.samples is None:
        args: list[Any] = [Scalar(float(a)) for a in drawn(op, *[()] * len(op.inputs), seed=4)]
    else:
        args = [True, Scalar(0.5), Scalar(-0.7)]
    assert gradcheck(op.function, args, atol=1e-7, rtol=1e-6)
    assert gradgradcheck(op.function, args, atol=1e-7, rtol=1e-6)


@every(lambda op: op.family == "elementwise" and len(op.inputs) > 1 and op.samples is None)
def test_scalars_mixed_with_tensors(name):
    """Every position may be a Scalar, a Tensor or a number, to second order."""
    op = TABLE[name]
    count = len(op.inputs)
    values = drawn(op, *[(2, 3)] * count, seed=8)
    for kinds in np.ndindex(*[3] * count):
        args: list[Any] = [
            (Tensor(v, requires_grad=True), Scalar(float(v[0, 0])), float(v[0, 1]))[k]
            for v, k in zip(values, kinds, strict=True)
        ]
        if not any(isinstance(a, Tensor) for a in args):
            continue
        y = op.function(*args)
        assert isinstance(y, Tensor)
        raw = [value(a) for a in args]
        np.testing.assert_allclose(y.value, ORACLES[name](*raw), rtol=1e-12)
        # A Scalar counts as a number: it does not widen a float32 array.
        narrow = [Tensor(a.value.astype(np.float32)) if isinstance(a, Tensor) else a for a in args]
        assert op.function(*narrow).dtype in (np.float32, np.bool_)
        if op.differentiable:
            assert gradcheck(op.function, args, atol=1e-7, rtol=1e-6)
            assert gradgradcheck(op.function, args, atol=1e-7, rtol=1e-6)


# --- infer --------------------------------------------------------------------------------------


# NumPy, or PyTorch, has no such ops on bools (and bytes overflow in some).
NOT_OF_BOOLS = ("neg", "sub", "sign", "abs", "relu", "floor", "ceil", "trunc", "round")


def spec_of(item: Any) -> Any:
    if isinstance(item, np.ndarray | np.generic):
        return Spec(item.shape, item.dtype)
    return item


def infers(op: Op, args: tuple[Any, ...], params: dict[str, Any]) -> None:
    y = run(op, [Tensor(a) if isinstance(a, np.ndarray) else a for a in args], params)
    if op.family == "reduction":  # the forward sees normalised dimensions
        ndim = args[0].ndim
        dim = params.get("dim")
        dims = range(ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
        params = params | {
            "dim": tuple(sorted(d % ndim for d in dims)),
            "keepdim": params.get("keepdim", False),
        }
    raw = value(y)
    real = Spec((), float) if isinstance(raw, float) else Spec(raw.shape, raw.dtype)
    inferred = op.infer(*(spec_of(a) for a in args), **params)
    assert inferred == real, f"{name_of(op, args, params)}: infer says {inferred}, the run {real}"


def name_of(op: Op, args: Any, params: dict[str, Any]) -> str:
    return f"{op.name}{tuple(spec_of(a) for a in args)} {params}"


@every()
def test_infer(name):
    op = TABLE[name]
    for args, params in cases(op):
        for dtype in (np.float64, np.float32, np.float16):
            infers(op, tuple(a.astype(dtype) if is_float(a) else a for a in args), params)


@every(lambda op: len(op.inputs) > 1 or op.variadic)
def test_infer_of_mixed_dtypes(name):
    op = TABLE[name]
    for args, params in cases(op):
        for k in range(len(args)):
            mixed = tuple(
                a.astype(np.float32 if i == k else np.float64) if is_float(a) else a
                for i, a in enumerate(args)
            )
            infers(op, mixed, params)


@every(lambda op: op.family == "elementwise" and op.samples is None)
def test_infer_of_elementwise_promotion(name):
    op = TABLE[name]
    count = len(op.inputs)
    for first, second in BROADCASTS:
        args = drawn(op, *[first, second, first][:count])
        infers(op, args, {})
        infers(op, tuple(a.astype(np.float32) for a in args[:1]) + args[1:], {})
        for other in (np.int64, np.int32, np.uint8, np.bool_):
            whole = np.asarray(np.abs(args[0]) + 1.0).astype(other)
            if name in NOT_OF_BOOLS and other in (np.bool_, np.uint8):
                continue
            if name == "pow" and count == 2 and args[1].dtype.kind == "f":
                infers(op, (whole, np.asarray(np.abs(args[1]))), {})
                continue
            infers(op, (whole, *args[1:]), {})
            if count == 2:
                infers(op, (args[0], whole), {})
                infers(op, (whole, 2.5), {})
                infers(op, (whole, 2), {})


# --- Recording, and documentation ---------------------------------------------------------------


@every(differentiable)
def test_what_is_recorded(name):
    op = TABLE[name]
    for args, params in cases(op):
        inputs = leaves(op, args)
        y = run(op, inputs, params)
        assert y.requires_grad
        assert y.node is not None
        assert y.node.op is op
        assert y.node.shape == y.shape
        assert y.node.dtype == y.dtype
        assert len(y.node.inputs) == len(args)
        for item, link in zip(inputs, y.node.inputs, strict=True):
            if isinstance(item, Tensor) and item.requires_grad:
                assert link is item.node
        with autograd.no_grad():
            z = run(op, inputs, params)
        assert not z.requires_grad
        assert z.node is None
        np.testing.assert_array_equal(value(z), value(y))


def public_functions() -> dict[str, Any]:
    return {
        name: thing
        for name, thing in vars(autograd).items()
        if not name.startswith("_")
        and inspect.isfunction(thing)
        and thing.__module__.startswith("autograd.ops")
    }


@pytest.mark.parametrize("name", list(public_functions()))
def test_public_ops_are_documented(name):
    documentation = inspect.getdoc(public_functions()[name])
    assert documentation
    assert doctest.DocTestParser().get_examples(documentation), f"{name} shows no example"
    own = getattr(autograd, name).__name__  # of a second name, such as arcsin: the first
    assert f"autograd.{own}(" in documentation


def test_names_are_taken_once():
    before = dict(OPS)
    with pytest.raises(ValueError, match="an op named 'exp' exists already"):

        @autograd.elementwise(lambda g, y, x: g)
        def exp(x):
            return x

    assert before == OPS
