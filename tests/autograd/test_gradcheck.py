"""The checker is checked: it is fed wrong rules of every kind, and must name what is wrong."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

import numpy as np
import pytest

import autograd
from autograd import GradcheckError, Scalar, Tensor, gradcheck, gradgradcheck
from autograd.graph import OPS, Spec


@pytest.fixture(autouse=True)
def own_ops() -> Iterator[None]:
    """Take ops that a test defines out of the table again."""
    before = dict(OPS)
    yield
    for name in OPS.keys() - before.keys():
        del OPS[name]


def leaf(*shape: int, seed: int = 0, low: float = 0.5, high: float = 2.0) -> Tensor:
    values = np.random.default_rng(seed).uniform(low, high, shape)
    return autograd.tensor(values, requires_grad=True)


# --- Ops of a user's own, right and wrong -------------------------------------------------------


def product(left, right):
    @autograd.elementwise(left, right)
    def own_product(a, b):
        return a * b

    return own_product


def test_own_elementwise_op_passes():
    own = product(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
    inputs = (leaf(2, 3), leaf(3, seed=1))
    assert gradcheck(own, inputs)
    assert gradgradcheck(own, inputs)


def test_own_ops_of_every_family_pass():
    @autograd.reduction(lambda g, y, x, dim, keepdim: 2.0 * x * (g if keepdim else g[..., None]))
    def own_energy(x, /, *, dim, keepdim):
        return np.sum(x * x, axis=dim, keepdims=keepdim)

    def flipped(g, y, x):
        return own_flip(g)

    @autograd.movement(flipped)
    def own_flip(x, /):
        return x[::-1]

    @autograd.contraction(
        lambda g, y, a, b: g * b,
        lambda g, y, a, b: g * a,
        infer=lambda a, b: Spec((), a.dtype),
    )
    def own_dot(a, b, /):
        return np.dot(a, b)

    @autograd.structured(
        lambda g, y, x, power: g * power * x ** (power - 1.0),
        infer=lambda x, *, power: Spec(x.shape, x.dtype),
    )
    def own_power(x, /, *, power):
        return x**power

    x = leaf(4)
    for func, inputs in (
        (lambda x: own_energy(x, dim=-1), (leaf(2, 3),)),
        (own_flip, (x,)),
        (own_dot, (x, leaf(4, seed=1))),
        (lambda x: own_power(x, power=3.0), (x,)),
    ):
        assert gradcheck(func, inputs)
        assert gradgradcheck(func, inputs)


def failure(func, inputs, check=gradcheck, **options) -> GradcheckError:
    """The error of a check, after seeing that both modes find it."""
    assert not check(func, inputs, raise_exception=False, fast_mode=True, **options)
    with pytest.raises(GradcheckError) as caught:
        check(func, inputs, **options)
    return caught.value


def test_factor_two():
    own = product(lambda g, y, a, b: g * b, lambda g, y, a, b: 2.0 * g * a)
    inputs = (leaf(2, 2), leaf(2, 2, seed=1))
    error = failure(own, inputs)
    assert error.input == 1
    assert error.element is not None
    worst = np.unravel_index(np.argmax(inputs[0].detach().numpy()), (2, 2))
    assert error.element == tuple(int(i) for i in worst)
    value = float(inputs[0].detach()[error.element])
    assert error.analytic == pytest.approx(2.0 * value)
    assert error.numeric == pytest.approx(value)
    text = str(error)
    assert "input 1 (b, shape (2, 2)) is wrong at 4 of 4 elements" in text
    assert f"worst at {list(error.element)}: for output{list(error.element)}, analytic" in text
    assert f"off by {value:.3g} (1 of the numeric value)" in text
    assert "2 times the numeric one everywhere" in text


def test_sign():
    own = product(lambda g, y, a, b: -g * b, lambda g, y, a, b: g * a)
    error = failure(own, (leaf(3), leaf(3, seed=1)))
    assert error.input == 0
    assert "-1 times the numeric one" in str(error)


def test_missing_term():
    @autograd.elementwise(lambda g, y, x: g * autograd.cos(x))  # the product rule has two terms
    def own_missing(x):
        return x * np.sin(x)

    error = failure(own_missing, (leaf(4),))
    assert error.input == 0
    assert "input 0 (x, shape (4,)) is wrong at 4 of 4 elements" in str(error)


def test_rules_swapped():
    own = product(lambda g, y, a, b: g * a, lambda g, y, a, b: g * b)
    error = failure(own, (leaf(2, 2), leaf(2, 2, seed=1)))
    assert error.input == 0
    assert "right for input 1 (b, shape (2, 2)): swapped rules?" in str(error)


def test_transposed():
    @autograd.structured(
        lambda g, y, x: autograd.mT(2.0 * g * x), infer=lambda x: Spec(x.shape, x.dtype)
    )
    def own_square(x, /):
        return x * x

    error = failure(own_square, (leaf(3, 3),))
    assert error.input == 0
    assert error.element is not None
    assert "right when transposed" in str(error)


@pytest.mark.parametrize("element", [(0, 0), (1, 2), (2, 3)])
def test_wrong_at_one_element_only(element):
    spoil = np.zeros((3, 4))
    spoil[element] = 0.01

    @autograd.elementwise(lambda g, y, x: g * (2.0 * x + spoil))
    def own_spoilt(x):
        return x * x

    error = failure(own_spoilt, (leaf(3, 4),))
    assert error.input == 0
    assert error.element == element
    assert f"wrong at 1 of 12 elements, worst at {list(element)}" in str(error)
    assert error.analytic is not None
    assert error.numeric == pytest.approx(error.analytic - 0.01, abs=1e-6)


def test_gradient_lost():
    error = failure(lambda a, b: a * b.detach(), (leaf(2), leaf(2, seed=1)))
    assert error.input == 1
    assert error.analytic == 0.0
    assert "No gradient reaches this input at all" in str(error)


def test_gradient_lost_for_every_input():
    error = failure(lambda a: a.detach() * 2.0, (leaf(2),))
    assert error.input == 0
    assert "No gradient reaches this input" in str(error)


def test_rule_that_ignores_what_flows_in():
    own = product(lambda g, y, a, b: b + 0.0 * g, lambda g, y, a, b: g * a)
    error = failure(own, (leaf(3), leaf(3, seed=1)))
    assert error.input == 0


def test_rule_not_linear_in_what_flows_in():
    own = product(lambda g, y, a, b: g * g * b, lambda g, y, a, b: g * a)
    error = failure(own, (leaf(3), leaf(3, seed=1)))
    assert error.input == 0
    assert "for a random weighting of the outputs" in str(error)


def test_forgotten_rule():
    @autograd.elementwise()
    def own_unruly(x):
        return x * 1.0

    with pytest.raises((RuntimeError, TypeError), match="own_unruly"):
        gradcheck(own_unruly, (leaf(2),))


def test_rule_that_changes_its_arguments():
    def spoil(g, y, x):
        x *= 2.0
        return g * x

    @autograd.structured(spoil, infer=lambda x: Spec(x.shape, x.dtype))
    def own_spoiler(x, /):
        return 0.5 * x * x

    error = failure(own_spoiler, (leaf(2),))
    assert "in place" in str(error)


# --- Second order -------------------------------------------------------------------------------


def test_wrong_only_in_second_order():
    """The rule of sine is right; the rule of the cosine that it calls is not."""

    @autograd.elementwise(lambda g, y, x: g * autograd.sin(x))
    def own_cosine(x):
        return np.cos(x)

    @autograd.elementwise(lambda g, y, x: g * own_cosine(x))
    def own_sine(x):
        return np.sin(x)

    inputs = (leaf(3),)
    assert gradcheck(own_sine, inputs)
    error = failure(own_sine, inputs, gradgradcheck)
    assert error.input == 0
    assert str(error).startswith("gradgradcheck: the gradient of input 0 (x, shape (3,)) is wrong")
    assert "-1 times the numeric one" in str(error)


def test_detached_second_order():
    @autograd.elementwise(lambda g, y, x: g * (x.detach() if isinstance(x, Tensor) else x) * 2.0)
    def own_detached(x):
        return x * x

    inputs = (leaf(3),)
    assert gradcheck(own_detached, inputs)
    error = failure(own_detached, inputs, gradgradcheck)
    assert error.input == 0
    assert error.analytic == 0.0
    assert error.numeric == pytest.approx(2.0 * _seed_weight(error), rel=1e-6)


def _seed_weight(error: GradcheckError) -> float:
    """The random gradient that flowed into the worst element: the first draw of gradgradcheck."""
    rng = np.random.default_rng([0, 2])
    weights = rng.uniform(0.5, 1.5, (3,)) * rng.choice([-1.0, 1.0], (3,))
    assert error.element is not None
    return float(weights[error.element])


def test_second_order_wrong_in_the_gradient_that_flows_in():
    def halved(g, y, x):
        return g.detach() * x if isinstance(g, Tensor) else g * x

    @autograd.elementwise(halved)
    def own_half(x):
        return 0.5 * x * x

    inputs = (leaf(3),)
    assert gradcheck(own_half, inputs)
    error = failure(own_half, inputs, gradgradcheck)
    assert error.input == 1
    assert "input 1 (gradient of output 0, shape (3,))" in str(error)


def test_second_order_of_a_linear_function():
    assert gradgradcheck(lambda x: 3.0 * x, (leaf(3),))
    assert gradgradcheck(lambda a, b: a - b, (leaf(3), leaf(2, 3)))


def test_given_grad_outputs():
    x = leaf(2)
    seeds = autograd.tensor(np.array([2.0, -1.0]))
    assert gradgradcheck(autograd.exp, (x,), seeds)
    assert gradgradcheck(autograd.exp, (x,), [seeds])
    assert not seeds.requires_grad
    with pytest.raises(ValueError, match="1 outputs require grad, but there are 2 grad_outputs"):
        gradgradcheck(autograd.exp, (x,), [seeds, seeds])


# --- Inputs and outputs -------------------------------------------------------------------------


def test_several_outputs():
    assert gradcheck(lambda x: (x.sin(), x.sum(), x > 1.0), (leaf(2, 2),))
    assert gradgradcheck(lambda x: [x.sin(), (x * x).sum()], (leaf(2, 2),))
    assert gradcheck(lambda x: x.max(dim=1), (leaf(2, 3),))  # values and integer indices

    own = product(lambda g, y, a, b: g * b, lambda g, y, a, b: 3.0 * g * a)
    error = failure(lambda a, b: (a + b, own(a, b)), (leaf(2), leaf(2, seed=1)))
    assert error.input == 1
    assert re.search(r"for output 1\[\d\], analytic", str(error))


def test_scalars():
    assert gradcheck(lambda x, w: (x * w).tanh(), (Scalar(0.3), Scalar(-1.2)))
    assert gradgradcheck(lambda x, w: (x * w).tanh(), (Scalar(0.3), Scalar(-1.2)))
    assert gradcheck(lambda x, w: x * w, (Scalar(0.3), leaf(3)))
    assert gradgradcheck(lambda x, w: (x * w * x).exp(), (Scalar(0.3), leaf(3)))

    own = product(lambda g, y, a, b: 3.0 * g * b, lambda g, y, a, b: g * a)
    error = failure(own, (Scalar(0.3), leaf(3)))
    assert error.input == 0
    assert error.element == ()
    assert "input 0 (a, shape ()) is wrong: for output[" in str(error)


def test_a_single_input_needs_no_tuple():
    assert gradcheck(autograd.exp, leaf(2))
    assert gradgradcheck(autograd.exp, leaf(2))


def test_inputs_that_do_not_require_grad_are_passed_as_they_are():
    seen = []

    def func(x, index, scale, text, constant):
        seen.append((index, scale, text, constant))
        return x[index] * scale * constant

    index = autograd.tensor([0, 2, 0])
    constant = autograd.tensor([1.0, 2.0, 3.0])  # float32, and that is nobody's business
    assert gradcheck(func, (leaf(3), index, 2, "name", constant))
    assert all(i is index and c is constant for i, _, _, c in seen)
    assert {(scale, text) for _, scale, text, _ in seen} == {(2, "name")}


def test_nothing_is_changed():
    x = leaf(3)
    x.grad = autograd.zeros_like(x)
    before = x.detach().numpy().copy()
    assert gradcheck(autograd.exp, (x,))
    assert gradgradcheck(autograd.exp, (x,))
    assert np.array_equal(x.detach().numpy(), before)
    assert x.grad is not None
    assert not x.grad.numpy().any()


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(1.0, 7.0).reshape(2, 3)),
        np.arange(1.0, 13.0).reshape(3, 4)[::-1, ::2],
        np.broadcast_to(np.array([1.0, 2.0]), (3, 2)),
        np.array(2.0),
        np.zeros((0, 3)),
    ],
)
def test_layouts(array):
    x = Tensor(array, requires_grad=True)
    assert gradcheck(lambda x: x * x, (x,))
    assert gradgradcheck(lambda x: x * x, (x,))


def test_the_same_tensor_twice():
    x = leaf(3)
    assert gradcheck(autograd.mul, (x, x))
    assert gradgradcheck(autograd.mul, (x, x))


def test_an_intermediate_result_as_input():
    assert gradcheck(autograd.exp, (leaf(3) * 2.0,))


def test_works_inside_no_grad():
    with autograd.no_grad():
        assert gradcheck(autograd.exp, (leaf(2),))
        assert gradgradcheck(autograd.exp, (leaf(2),))
        assert not autograd.is_grad_enabled()


def test_large_values_keep_their_step():
    x = autograd.tensor(np.array([1e6, -3e7]), requires_grad=True)
    assert gradcheck(lambda x: x * 3.0, (x,), eps=1e-3, rtol=1e-6)


# --- Refusals -----------------------------------------------------------------------------------


def test_float32_is_refused():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=r"input 0 is float32; differences need float64.*double"):
        gradcheck(autograd.exp, (x,))
    with pytest.raises(TypeError, match="float64"):
        gradgradcheck(autograd.exp, (x,))


def test_float32_results_are_refused():
    with pytest.raises(TypeError, match="output 0 is float32 although the inputs are float64"):
        gradcheck(lambda x: x.float(), (leaf(2),))


def test_nothing_to_check_is_refused():
    with pytest.raises(ValueError, match="no input is a Tensor or Scalar that requires grad"):
        gradcheck(autograd.exp, (autograd.tensor(np.ones(2)),))
    with pytest.raises(ValueError, match="no output of the function is a float"):
        gradcheck(lambda x: x > 0.0, (leaf(2),))
    with pytest.raises(TypeError, match="must return a Tensor or Scalar"):
        gradcheck(lambda x: x.detach().numpy(), (leaf(2),))
    with pytest.raises(ValueError, match="eps"):
        gradcheck(autograd.exp, (leaf(2),), eps=0.0)
    with (
        autograd.inference_mode(),
        pytest.raises(RuntimeError, match="inference_mode"),
    ):
        gradcheck(autograd.exp, (leaf(2),))


def test_a_function_that_ignores_its_arguments_does_not_pass():
    """A closure over the weight itself would be compared with nothing, and pass in silence."""
    weight = leaf(3)
    with pytest.raises(GradcheckError, match="must use its arguments"):
        gradcheck(lambda w: weight * 2.0, (weight,))


def test_a_function_that_is_random_does_not_pass():
    with pytest.raises(GradcheckError, match="differs when the function is called again"):
        gradcheck(lambda x: autograd.dropout(x, 0.5), (leaf(20),))


def test_outside_the_domain():
    x = autograd.tensor(np.array([1.0, np.inf]), requires_grad=True)
    with pytest.raises(ValueError, match="input 0 has elements that are not finite"):
        gradcheck(lambda x: x * 2.0, (x,))
    zero = autograd.tensor(np.array([1.0, 0.0]), requires_grad=True)
    with (
        np.errstate(all="ignore"),
        pytest.raises(GradcheckError, match=r"output 0 is -inf at \[1\]"),
    ):
        gradcheck(autograd.log, (zero,))
    with (
        np.errstate(all="ignore"),
        pytest.raises(GradcheckError, match=r"wrong at 1 of 2 elements, worst at \[1\].*edge"),
    ):
        gradcheck(autograd.sqrt, (zero,))


def test_tolerances_count():
    own = product(lambda g, y, a, b: 1.0001 * g * b, lambda g, y, a, b: g * a)
    inputs = (leaf(3), leaf(3, seed=1))
    assert gradcheck(own, inputs)
    assert not gradcheck(own, inputs, rtol=1e-5, raise_exception=False)
    assert not gradcheck(own, inputs, rtol=1e-5, raise_exception=False, fast_mode=True)


def test_the_error_is_the_type_that_torch_users_catch():
    assert issubclass(GradcheckError, RuntimeError)


def test_the_function_wins_over_the_module_of_its_name():
    importlib.import_module("autograd.gradcheck")
    assert autograd.gradcheck is gradcheck
