"""Transforms beside torch.func, torch.autograd.functional, Function and checkpoint."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor

# What PyTorch says of its own forward mode and linearize.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit.script.:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr:UserWarning"),
]


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.5, 1.5, shape)


def pair(torch: Any, *arrays: np.ndarray) -> tuple[list[Any], list[Any]]:
    return [Tensor(a.copy()) for a in arrays], [torch.tensor(a) for a in arrays]


def alike(ours: Any, theirs: Any) -> None:
    """The same structure, shapes, dtypes and numbers."""
    if isinstance(theirs, tuple | list):
        assert type(ours) is type(theirs)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            alike(a, b)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            alike(ours[key], theirs[key])
    elif hasattr(theirs, "detach"):
        assert ours.requires_grad == theirs.requires_grad
        assert ours.shape == tuple(theirs.shape)
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
        wanted = theirs.detach().numpy()
        np.testing.assert_allclose(ours.detach().numpy(), wanted, rtol=1e-9, atol=1e-11)
    else:
        assert ours == theirs


def curved(lib: Any) -> Any:
    return lambda x: lib.tanh(x) * x.sum() + lib.exp(x) / (1 + x * x)


def two(lib: Any) -> Any:
    return lambda a, b: {"p": lib.sin(a) * b, "s": (a.sum() * b.sum(),)}


FUNC = {
    "grad": lambda lib, f, x, y: f.grad(lambda x: curved(lib)(x).sum())(x),
    "grad of two": lambda lib, f, x, y: f.grad(lambda a, b: (a * b * b).sum(), argnums=(0, 1))(
        x, y
    ),
    "grad of a dict": lambda lib, f, x, y: f.grad(lambda d: (d["x"] * d["y"][0]).sum())(
        {"x": x, "y": [y]}
    ),
    "grad_and_value": lambda lib, f, x, y: f.grad_and_value(
        lambda x: (curved(lib)(x).sum(), x * 2), has_aux=True
    )(x),
    "argnums as one of a tuple": lambda lib, f, x, y: f.grad(
        lambda a, b: (a * b).sum(), argnums=(1,)
    )(x, y),
    "vjp": lambda lib, f, x, y: f.vjp(curved(lib), x)[1](y),
    "vjp of two": lambda lib, f, x, y: f.vjp(two(lib), x, y)[1]({"p": y, "s": (x.sum(),)}),
    "vjp value": lambda lib, f, x, y: f.vjp(two(lib), x, y)[0],
    "jvp": lambda lib, f, x, y: f.jvp(curved(lib), (x,), (y,)),
    "jvp of two": lambda lib, f, x, y: f.jvp(two(lib), (x, y), (y, x)),
    "linearize": lambda lib, f, x, y: f.linearize(curved(lib), x)[1](y),
    "jacrev": lambda lib, f, x, y: f.jacrev(curved(lib))(x),
    "jacrev of two": lambda lib, f, x, y: f.jacrev(two(lib), argnums=(0, 1))(x, y),
    "jacfwd": lambda lib, f, x, y: f.jacfwd(curved(lib))(x),
    "jacfwd of two": lambda lib, f, x, y: f.jacfwd(two(lib), argnums=(1, 0))(x, y),
    "hessian": lambda lib, f, x, y: (
        f.hessian(lambda x: curved(lib)(x).prod())(x)
        if hasattr(x, "prod")
        else f.hessian(lambda x: curved(lib)(x).sum())(x)
    ),
    "hessian of two": lambda lib, f, x, y: f.hessian(
        lambda a, b: (a * a * b).sum(), argnums=(0, 1)
    )(x, y),
    "vmap of grad": lambda lib, f, x, y: f.vmap(f.grad(lambda a: lib.sin(a * y).sum()))(
        x.reshape(3, 1) * y
    ),
    "grad of vmap": lambda lib, f, x, y: f.grad(
        lambda x: f.vmap(lambda a: lib.exp(a) * a)(x).sum()
    )(x),
    "vmap of hessian": lambda lib, f, x, y: f.vmap(f.hessian(lambda a: curved(lib)(a).sum()))(
        x.reshape(3, 1) * y
    ),
    "hessian of vmap": lambda lib, f, x, y: f.hessian(
        lambda x: f.vmap(lambda a: lib.exp(a) * a)(x).sum()
    )(x),
    "jvp of grad": lambda lib, f, x, y: f.jvp(f.grad(lambda x: curved(lib)(x).sum()), (x,), (y,)),
    "vmap dims": lambda lib, f, x, y: f.vmap(
        lambda a, d: (a + d["k"], a * 2), in_dims=(1, {"k": None}), out_dims=(0, -1)
    )(x.reshape(3, 1) * y, {"k": y}),
    "nested vmap": lambda lib, f, x, y: f.vmap(
        f.vmap(lambda a, b: a * b, in_dims=(None, 0)), in_dims=(0, None)
    )(x, y),
    "vmap in chunks": lambda lib, f, x, y: f.vmap(lambda a: lib.exp(a), chunk_size=2)(x),
}


@pytest.mark.parametrize("name", FUNC)
def test_func(torch, name):
    ours, theirs = pair(torch, drawn(3), drawn(3, seed=1))
    alike(FUNC[name](autograd, autograd.func, *ours), FUNC[name](torch, torch.func, *theirs))


FUNCTIONAL = {
    "jacobian": lambda lib, f, x, y, **k: f.jacobian(curved(lib), x, **k),
    "jacobian of two": lambda lib, f, x, y, **k: f.jacobian(
        lambda a, b: (a * b, lib.exp(a).sum()), (x, y), **k
    ),
    "jacobian of a constant": lambda lib, f, x, y, **k: f.jacobian(lambda a: y, x, **k),
    "hessian": lambda lib, f, x, y, **k: f.hessian(lambda x: curved(lib)(x).sum(), x, **k),
    "hessian of two": lambda lib, f, x, y, **k: f.hessian(
        lambda a, b: (a * a * b).sum(), (x, y), **k
    ),
    "hvp": lambda lib, f, x, y, **k: f.hvp(lambda x: curved(lib)(x).sum(), x, y, **k),
    "vhp": lambda lib, f, x, y, **k: f.vhp(lambda x: curved(lib)(x).sum(), x, y, **k),
    "hvp of two": lambda lib, f, x, y, **k: f.hvp(
        lambda a, b: (a * a * b).sum(), (x, y), (y, x), **k
    ),
    "vjp": lambda lib, f, x, y, **k: f.vjp(curved(lib), x, y, **k),
    "vjp without v": lambda lib, f, x, y, **k: f.vjp(lambda x: curved(lib)(x).sum(), x, **k),
    "jvp": lambda lib, f, x, y, **k: f.jvp(curved(lib), x, y, **k),
    "jvp of two": lambda lib, f, x, y, **k: f.jvp(lambda a, b: (a * b, a), (x, y), (y, x), **k),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", FUNCTIONAL)
def test_functional(torch, name, create_graph):
    ours, theirs = pair(torch, drawn(3), drawn(3, seed=1))
    found = FUNCTIONAL[name](autograd, autograd.functional, *ours)
    alike(found, FUNCTIONAL[name](torch, torch.autograd.functional, *theirs))
    if create_graph:
        for x in (ours[0], theirs[0]):
            x.requires_grad_()
        found = FUNCTIONAL[name](autograd, autograd.functional, *ours, create_graph=True)
        wanted = FUNCTIONAL[name](torch, torch.autograd.functional, *theirs, create_graph=True)
        sums = []
        for result, x, lib in ((found, ours[0], autograd), (wanted, theirs[0], torch.autograd)):
            flat = result if isinstance(result, tuple) else (result,)
            flat = [r for t in flat for r in (t if isinstance(t, tuple) else (t,))]
            live = [r.sum() for r in flat if r.requires_grad]
            sums.append(lib.grad(live, x, allow_unused=True)[0] if live else None)
        assert (sums[0] is None) == (sums[1] is None)
        if sums[0] is not None:
            alike(sums[0], sums[1])


def refusals(lib: Any, f: Any, functional: Any) -> dict[str, Any]:
    """What both refuse, by name."""

    def bend(x):
        return lib.exp(x)

    return {
        "grad of a vector": lambda x: f.grad(bend)(x),
        "grad of a number": lambda x: f.grad(lambda x: 3.0)(x),
        "argnums": lambda x: f.grad(lambda x: x.sum(), argnums=2)(x),
        "aux": lambda x: f.grad(lambda x: x.sum(), has_aux=True)(x),
        "primals": lambda x: f.jvp(bend, x, x),
        "tangent": lambda x: f.jvp(bend, (x,), (x[:2],)),
        "cotangent": lambda x: f.vjp(bend, x)[1](x[:2]),
        "in_dims": lambda x: f.vmap(bend, in_dims=(0, 0))(x),
        "in_dims range": lambda x: f.vmap(bend, in_dims=3)(x),
        "in_dims None": lambda x: f.vmap(bend, in_dims=None)(x),
        "sizes": lambda x: f.vmap(lambda a, b: a)(x, lib.ones(5)),
        "number": lambda x: f.vmap(lambda a, b: a)(x, 3.0),
        "result": lambda x: f.vmap(lambda a: 3.0)(x),
        "out_dims": lambda x: f.vmap(lambda a: (a, a), out_dims=(0, 0, 0))(x),
        "out_dims range": lambda x: f.vmap(lambda a: a, out_dims=4)(x),
        "out_dims None": lambda x: f.vmap(lambda a: a, out_dims=None)(x),
        "item": lambda x: f.vmap(lambda a: a.item())(x),
        "bool": lambda x: f.vmap(lambda a: a if a > 0 else -a)(x),
        "numpy": lambda x: f.vmap(lambda a: a.numpy())(x),
        "randomness": lambda x: f.vmap(bend, randomness="no")(x),
        "chunk_size": lambda x: f.vmap(bend, chunk_size=0)(x),
        "hessian of a vector": lambda x: functional.hessian(bend, x),
        "v": lambda x: functional.vjp(bend, x),
        "v's shape": lambda x: functional.jvp(bend, x, x[:2]),
        "inputs": lambda x: functional.jacobian(bend, 3.0),
        "outputs": lambda x: functional.jacobian(lambda x: 3.0, x),
        "strict": lambda x: functional.jacobian(lambda x: lib.ones(2), x, strict=True),
        "strict hessian": lambda x: functional.vhp(lambda x: x.sum(), x, x, strict=True),
        "forward mode": lambda x: functional.jacobian(bend, x, strategy="forward-mode"),
    }


@pytest.mark.parametrize("name", refusals(None, None, None))
def test_what_is_refused(torch, name):
    with pytest.raises(Exception) as theirs:  # noqa: PT011 - its type is what is asked for
        refusals(torch, torch.func, torch.autograd.functional)[name](torch.ones(3))
    with pytest.raises(Exception) as ours:  # noqa: PT011 - as above
        refusals(autograd, autograd.func, autograd.functional)[name](autograd.ones(3))
    assert ours.type is theirs.type, str(ours.value)


def functions(Function: Any) -> dict[str, Any]:
    """Custom functions, over either library."""

    class Scaled(Function):
        @staticmethod
        def forward(ctx, x, w, n):
            ctx.save_for_backward(x, w)
            ctx.n = n
            return x * w * n, x + w

        @staticmethod
        def backward(ctx, a, b):
            x, w = ctx.saved_tensors
            return a * w * ctx.n + b, a * x * ctx.n + b if ctx.needs_input_grad[1] else None, None

    class Exponential(Function):
        @staticmethod
        def forward(x):
            return x.exp()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    return {"Scaled": Scaled, "Exponential": Exponential}


def test_function(torch):
    found = []
    for lib, make in ((autograd, Tensor), (torch.autograd, torch.tensor)):
        known = functions(lib.Function)
        x, w = (make(drawn(3, seed=s)).requires_grad_() for s in (0, 1))
        y, z = known["Scaled"].apply(x, w, 3.0)
        total = (known["Exponential"].apply(y) * z).sum()
        first = lib.grad(total, [x, w], create_graph=True)
        second = lib.grad((first[0] * first[1]).sum(), [x, w])
        found.append([y.detach(), z.detach(), *(g.detach() for g in first), *second])
    alike(*found)


def test_checkpoint(torch):
    theirs = importlib.import_module("torch.utils.checkpoint")

    found = []
    for lib, make, checkpoint, sequential in (
        (autograd, Tensor, autograd.checkpoint, autograd.checkpoint_sequential),
        (torch.autograd, torch.tensor, theirs.checkpoint, theirs.checkpoint_sequential),
    ):
        x, w = (make(drawn(3, seed=s)).requires_grad_() for s in (0, 1))
        y = checkpoint(lambda x, k, w=w: (x * w).sin() * k, x, 2.0, use_reentrant=False)
        steps = [lambda x: x.exp(), lambda x, w=w: x * w, lambda x: x.tanh()]
        y = sequential(steps, 2, y, use_reentrant=False)
        first = lib.grad(y.sum(), [x, w], create_graph=True)
        second = lib.grad((first[0] * first[1]).sum(), [x, w])
        found.append([y.detach(), *(g.detach() for g in first), *second])
    alike(*found)


def test_functional_call_and_ensembles(torch):
    import nn

    ours = [nn.Linear(3, 2) for _ in range(4)]
    theirs = [torch.nn.Linear(3, 2) for _ in range(4)]
    for a, b in zip(ours, theirs, strict=True):
        b.load_state_dict({k: torch.tensor(v.detach().numpy()) for k, v in a.state_dict().items()})
    x = drawn(5, 3).astype(np.float32)
    results = []
    for lib, models, given in ((autograd, ours, Tensor(x)), (torch, theirs, torch.tensor(x))):
        weights, _ = lib.func.stack_module_state(models)

        def loss(w, x, lib=lib, models=models):
            return (lib.func.functional_call(models[0], w, (x,)) ** 2).sum()

        weights = {k: v.detach() for k, v in weights.items()}
        per = lib.func.vmap(lib.func.grad(loss), in_dims=(0, None))(weights, given)
        results.append({k: v.detach().numpy() for k, v in per.items()})
    for key, value in results[1].items():
        np.testing.assert_allclose(results[0][key], value, rtol=1e-5, atol=1e-5)
