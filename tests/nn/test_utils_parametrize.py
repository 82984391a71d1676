"""Parametrized weights, the older hooks, and pruning: like PyTorch's, key for key."""

from __future__ import annotations

import copy
import importlib
import pickle
from typing import Any, cast

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import gradcheck, no_grad
from nn.utils import parametrizations, parametrize, prune

RNG = np.random.default_rng(0)


def values(module: Any) -> dict[str, np.ndarray]:
    return {name: value.detach().numpy().copy() for name, value in module.state_dict().items()}


def untyped(module: Any) -> Any:
    """A module whose weights may be assigned."""
    return module


def pair(torch: Any, build: Any, change: Any) -> tuple[Any, Any]:
    """The same module here and in PyTorch, changed in the same way, with the same state."""
    ours, theirs = build(nn).double(), build(torch.nn).double()
    theirs.load_state_dict({n: torch.from_numpy(v) for n, v in values(ours).items()})
    importlib.import_module("torch.nn.utils.prune")
    ours, theirs = change(nn.utils, ours), change(torch.nn.utils, theirs)
    mine, other = values(ours), values(theirs)
    assert list(mine) == list(other)
    assert {n: v.shape for n, v in mine.items()} == {n: v.shape for n, v in other.items()}
    theirs.load_state_dict({n: torch.from_numpy(v) for n, v in mine.items()})
    return ours, theirs


def compare(torch: Any, ours: Any, theirs: Any, shape: tuple[int, ...], steps: int = 2) -> None:
    """Outputs, gradients and buffers, in training and evaluation."""
    for training in (True, False):
        ours.train(training)
        theirs.train(training)
        for _ in range(steps):
            data = RNG.normal(size=shape)
            x: Any = autograd.tensor(data, requires_grad=True)
            y = torch.tensor(data, requires_grad=True)
            ours.zero_grad()
            theirs.zero_grad()
            a, b = ours(x), theirs(y)
            np.testing.assert_allclose(
                a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-11
            )
            (a * a).sum().backward()
            (b * b).sum().backward()
            np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-9, atol=1e-10)
            other = dict(theirs.named_parameters())
            for name, parameter in ours.named_parameters():
                expected = other[name].grad
                expected = np.zeros(parameter.shape) if expected is None else expected.numpy()
                found = (
                    np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.numpy()
                )
                np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9, err_msg=name)
            for name, value in values(ours).items():
                expected = values(theirs)[name]
                np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-11, err_msg=name)


LINEAR = (lambda lib: lib.Linear(4, 3), (2, 4))
SQUARE = (lambda lib: lib.Linear(4, 4), (2, 4))
CONV = (lambda lib: lib.Conv2d(2, 3, 2), (2, 2, 4, 4))
BACK = (lambda lib: lib.ConvTranspose2d(2, 3, 2), (2, 2, 3, 3))
CHANGES = {
    "weight_norm": (LINEAR, lambda u, m: u.parametrizations.weight_norm(m)),
    "weight_norm None": (CONV, lambda u, m: u.parametrizations.weight_norm(m, dim=None)),
    "weight_norm 1": (CONV, lambda u, m: u.parametrizations.weight_norm(m, "weight", 1)),
    "weight_norm bias": (LINEAR, lambda u, m: u.parametrizations.weight_norm(m, "bias")),
    "spectral_norm": (LINEAR, lambda u, m: u.parametrizations.spectral_norm(m)),
    "spectral_norm 3": (CONV, lambda u, m: u.parametrizations.spectral_norm(m, "weight", 3, 1e-6)),
    "spectral_norm back": (BACK, lambda u, m: u.parametrizations.spectral_norm(m)),
    "spectral_norm bias": (LINEAR, lambda u, m: u.parametrizations.spectral_norm(m, "bias")),
    "two": (
        LINEAR,
        lambda u, m: u.parametrizations.spectral_norm(u.parametrizations.weight_norm(m)),
    ),
    "orthogonal": (SQUARE, lambda u, m: u.parametrizations.orthogonal(m)),
    "cayley": (SQUARE, lambda u, m: u.parametrizations.orthogonal(m, "weight", "cayley")),
    "householder": (LINEAR, lambda u, m: u.parametrizations.orthogonal(m)),
    "old weight_norm": (LINEAR, lambda u, m: u.weight_norm(m)),
    "old weight_norm 1": (CONV, lambda u, m: u.weight_norm(m, dim=1)),
    "old weight_norm None": (LINEAR, lambda u, m: u.weight_norm(m, dim=None)),
    "old spectral_norm": (LINEAR, lambda u, m: u.spectral_norm(m)),
    "old spectral_norm 2": (BACK, lambda u, m: u.spectral_norm(m, n_power_iterations=2)),
    "prune": (LINEAR, lambda u, m: u.prune.l1_unstructured(m, "weight", 0.4)),
    "prune rows": (CONV, lambda u, m: u.prune.ln_structured(m, "weight", 1, n=2, dim=0)),
    "prune twice": (
        LINEAR,
        lambda u, m: u.prune.ln_structured(
            u.prune.l1_unstructured(m, "weight", 3), "weight", 0.5, n=1, dim=-1
        ),
    ),
    "prune the rest": (
        LINEAR,
        lambda u, m: u.prune.l1_unstructured(
            u.prune.l1_unstructured(m, "weight", 0.5), "weight", 0.5
        ),
    ),
    "identity": (LINEAR, lambda u, m: u.prune.identity(m, "bias")),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", CHANGES)
def test_like_pytorch(torch, name):
    (build, shape), change = CHANGES[name]
    ours, theirs = pair(torch, build, change)
    compare(torch, ours, theirs, shape)


@pytest.mark.parametrize(
    ("build", "options"),
    [
        (lambda lib: lib.Linear(4, 4), {"orthogonal_map": "matrix_exp"}),
        (lambda lib: lib.Linear(3, 5), {"orthogonal_map": "matrix_exp"}),
        (lambda lib: lib.Linear(5, 3), {"orthogonal_map": "cayley"}),
        (lambda lib: lib.Linear(5, 3), {"orthogonal_map": "householder"}),
        (lambda lib: lib.Linear(3, 5), {}),
        (lambda lib: lib.Linear(3, 5), {"use_trivialization": False}),
    ],
)
def test_orthogonal_maps_give_orthonormal_rows(build, options):
    layer: Any = build(nn).double()
    before = layer.weight.detach().numpy().copy()
    parametrizations.orthogonal(layer, **options)
    original = layer.parametrizations.weight.original
    with no_grad():
        original += autograd.tensor(RNG.normal(size=original.shape) * 0.3)
    weight = layer.weight.detach().numpy()
    wide = weight.shape[0] <= weight.shape[1]
    found = weight @ weight.T if wide else weight.T @ weight
    np.testing.assert_allclose(found, np.eye(len(found)), atol=1e-12)
    assert weight.shape == before.shape


@pytest.mark.parametrize("name", ["matrix_exp", "cayley"])
def test_orthogonal_maps_have_derivatives_of_second_order(name):
    layer: Any = parametrizations.orthogonal(nn.Linear(3, 3).double(), orthogonal_map=name)
    module: Any = layer.parametrizations.weight[0]
    X = autograd.tensor(RNG.normal(size=(3, 3)), requires_grad=True)
    assert gradcheck(module, (X,))
    assert autograd.gradgradcheck(module, (X,))


def test_a_large_matrix_has_an_exponential():
    from nn.utils.orthogonal import _matrix_exp

    skew = autograd.tensor([[0.0, 30.0], [-30.0, 0.0]])
    expected = [[np.cos(30.0), np.sin(30.0)], [-np.sin(30.0), np.cos(30.0)]]
    np.testing.assert_allclose(_matrix_exp(skew.double()).numpy(), expected, atol=1e-11)


def test_weights_of_the_older_form_load_into_the_newer():
    old = nn.Sequential(nn.utils.weight_norm(nn.Linear(3, 2)))
    new = nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 2)))
    assert not new.load_state_dict(old.state_dict()).missing_keys
    assert not new.load_state_dict(new.state_dict()).missing_keys
    np.testing.assert_array_equal(new[0].weight.detach().numpy(), old[0].weight.detach().numpy())
    parametrize.remove_parametrizations(new[0], "weight")
    with pytest.raises(RuntimeError, match="weight_g"):
        new.load_state_dict(old.state_dict())


def test_weight_decay_leaves_an_orthogonal_weight_orthogonal():
    # PyTorch truncates the decayed signs to 0, and the weight with them.
    layer: Any = parametrizations.orthogonal(nn.Linear(4, 3).double())
    with no_grad():
        layer.parametrizations.weight.original *= 0.9
    weight = layer.weight.detach().numpy()
    np.testing.assert_allclose(weight @ weight.T, np.eye(3), atol=1e-12)


class Symmetric(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.triu() + x.triu(1).mT

    def right_inverse(self, x: Any) -> Any:
        return x.triu()


class Doubled(nn.Module):
    def forward(self, x: Any) -> Any:
        return 2.0 * x


def test_parametrized_weights():
    layer = untyped(nn.Linear(3, 3))
    weight = layer.weight
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert type(layer).__name__ == "ParametrizedLinear"
    assert issubclass(type(layer), nn.Linear)
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert layer.parametrizations.weight.original is weight  # which the optimizer has
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    layer(autograd.randn(2, 3)).sum().backward()
    optimizer.step()
    assert bool((layer.weight == layer.weight.mT).all())
    layer.weight = autograd.eye(3)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), np.eye(3))
    parametrize.register_parametrization(layer, "weight", Doubled())
    np.testing.assert_array_equal(layer.weight.detach().numpy(), 2 * np.eye(3))
    # Doubled has no right_inverse.
    with pytest.raises(RuntimeError, match="Doubled has no right_inverse"):
        layer.weight = autograd.eye(3)
    other = nn.Linear(3, 3)
    assert not parametrize.is_parametrized(other)
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert layer.weight is weight
    np.testing.assert_array_equal(layer.weight.detach().numpy(), 2 * np.eye(3))
    assert list(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="not parametrized"):
        parametrize.remove_parametrizations(layer, "weight")


def test_removing_can_go_back_to_the_original():
    layer: Any = nn.Linear(2, 2)
    before = layer.weight.detach().numpy().copy()
    parametrize.register_parametrization(layer, "weight", Doubled())
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), before)
    parametrizations.weight_norm(layer)
    with pytest.raises(ValueError, match="computed from several"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    np.testing.assert_allclose(layer.weight.detach().numpy(), before, rtol=1e-6)


def test_copies_of_parametrized_modules_are_apart():
    layer: Any = parametrizations.weight_norm(nn.Linear(2, 2))
    twin: Any = copy.deepcopy(layer)
    with no_grad():
        twin.parametrizations.weight.original0 *= 2.0
    np.testing.assert_allclose(
        twin.weight.detach().numpy(), 2 * layer.weight.detach().numpy(), rtol=1e-6
    )
    parametrize.remove_parametrizations(twin, "weight")
    assert parametrize.is_parametrized(layer, "weight")
    assert layer.weight.shape == (2, 2)
    with pytest.raises(RuntimeError, match=r"save its state_dict\(\) instead"):
        pickle.dumps(layer)


class Wider(nn.Module):
    def forward(self, x: Any) -> Any:
        return autograd.cat([x, x], 0)


class Shifted(nn.Module):
    """Whose inverse changes the original before its shape is found wrong."""

    def forward(self, x: Any) -> Any:
        return x[:1]

    def right_inverse(self, x: Any) -> Any:
        return x + 1.0


@pytest.mark.parametrize("bad", [Wider(), Shifted()])
def test_a_parametrization_that_does_not_fit_changes_nothing(bad):
    layer: Any = nn.Linear(2, 2)
    before = values(layer)
    with pytest.raises(ValueError, match="must have shape"):
        parametrize.register_parametrization(layer, "weight", bad)
    assert type(layer) is nn.Linear
    after = values(layer)
    assert list(after) == list(before)
    for name, value in after.items():
        np.testing.assert_array_equal(value, before[name])
    parametrize.register_parametrization(layer, "weight", Doubled())
    with pytest.raises(ValueError, match="must have shape"):
        parametrize.register_parametrization(layer, "weight", bad)
    assert len(layer.parametrizations.weight) == 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda m: parametrize.register_parametrization(m, "nothing", Doubled()), ValueError),
        (lambda m: parametrize.register_parametrization(m, "weight", cast(Any, abs)), TypeError),
        (lambda m: parametrizations.weight_norm(m, "nothing"), ValueError),
        (lambda m: parametrizations.weight_norm(m, dim=7), IndexError),
        (lambda m: parametrizations.spectral_norm(m, "nothing"), ValueError),
        (lambda m: parametrizations.spectral_norm(m, dim=7), IndexError),
        (lambda m: parametrizations.spectral_norm(m, n_power_iterations=0), ValueError),
        (lambda m: parametrizations.orthogonal(m, "bias"), ValueError),
        (lambda m: parametrizations.orthogonal(m, orthogonal_map="qr"), ValueError),
        (lambda m: nn.utils.weight_norm(m, "nothing"), ValueError),
        (lambda m: nn.utils.weight_norm(m, dim=7), IndexError),
        (lambda m: nn.utils.weight_norm(nn.utils.weight_norm(m, "bias"), "bias"), RuntimeError),
        (lambda m: nn.utils.remove_weight_norm(m), ValueError),
        (lambda m: nn.utils.spectral_norm(m, n_power_iterations=0), ValueError),
        (lambda m: nn.utils.remove_spectral_norm(m), ValueError),
        (lambda m: prune.l1_unstructured(m, "nothing", 1), ValueError),
        (lambda m: prune.l1_unstructured(m, "weight", 7), ValueError),
        (lambda m: prune.l1_unstructured(m, "weight", 1.5), ValueError),
        (lambda m: prune.l1_unstructured(m, "weight", cast(Any, "a")), TypeError),
        (lambda m: prune.l1_unstructured(m, "weight", 1, autograd.ones(3)), ValueError),
        (lambda m: prune.ln_structured(m, "bias", 1, 2, 0), ValueError),
        (lambda m: prune.ln_structured(m, "weight", 1, 2, 2), IndexError),
        (lambda m: prune.custom_from_mask(m, "weight", autograd.ones(3)), ValueError),
        (lambda m: prune.remove(m, "weight"), ValueError),
        (
            lambda m: prune.global_unstructured([(m, "weight")], prune.LnStructured, amount=1, n=2),
            TypeError,
        ),
        (
            lambda m: prune.global_unstructured(cast(Any, 3), prune.L1Unstructured, amount=1),
            TypeError,
        ),
    ],
)
def test_errors_leave_the_module_as_it_was(call, error):
    layer: Any = nn.Linear(2, 3)
    weight = layer.weight.detach().numpy().copy()
    with pytest.raises(error):
        call(layer)
    assert layer.weight is dict(layer.named_parameters())["weight"]
    np.testing.assert_array_equal(layer.weight.detach().numpy(), weight)


@pytest.mark.parametrize(
    ("add", "remove"),
    [
        (nn.utils.weight_norm, nn.utils.remove_weight_norm),
        (nn.utils.spectral_norm, nn.utils.remove_spectral_norm),
    ],
)
def test_the_older_forms_can_be_removed(add, remove):
    layer: Any = add(nn.Linear(4, 3)).eval()
    x = autograd.randn(2, 4)
    before = layer(x).detach().numpy()
    assert remove(layer) is layer
    assert list(layer.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(layer(x).detach().numpy(), before, rtol=1e-6)
    assert not layer._forward_pre_hooks


def test_pruned_weights_stay_zero_while_they_learn():
    layer: Any = prune.random_unstructured(nn.Linear(4, 3), "weight", 5)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    zeros = layer.weight_mask.numpy() == 0
    assert zeros.sum() == 5
    for _ in range(3):
        optimizer.zero_grad()
        layer(autograd.randn(2, 4)).square().sum().backward()
        optimizer.step()
    layer(autograd.randn(1, 4))
    assert (layer.weight.detach().numpy()[zeros] == 0).all()
    assert (layer.weight.detach().numpy()[~zeros] != 0).all()
    prune.random_structured(layer, "weight", 1, dim=1)
    assert (layer.weight_mask.numpy() == 0).all(0).sum() >= 1
    original = layer.weight_orig
    assert prune.is_pruned(nn.Sequential(layer))
    prune.remove(layer, "weight")
    assert not prune.is_pruned(layer)
    assert layer.weight is original  # which the optimizer has
    assert list(layer.state_dict()) == ["bias", "weight"]


def test_global_pruning_like_pytorch(torch):
    ours = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).double()
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2)).double()
    theirs.load_state_dict({n: torch.from_numpy(v) for n, v in values(ours).items()})
    other_prune = importlib.import_module("torch.nn.utils.prune")
    for amount in (0.3, 4):
        for library, model in ((prune, ours), (other_prune, theirs)):
            library.global_unstructured(
                [(model[0], "weight"), (model[1], "weight"), (model[0], "bias")],
                library.L1Unstructured,
                amount=amount,
            )
        mine, other = values(ours), values(theirs)
        assert list(mine) == list(other)
        for name, value in mine.items():
            np.testing.assert_array_equal(value, other[name])
