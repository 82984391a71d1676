"""Gradient checks: what the rules say against what small steps of the input do.

A rule may be wrong in ways that no look at its result shows. Here every element of every input is
moved a little to both sides, in float64, and the change of the outputs is compared with the
gradient. The outputs are weighted at random first, so that one backward stands for all of them and
no two errors cancel.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from .differentiate import grad
from .graph import Variable, wrap
from .modes import enable_grad, is_inference_mode_enabled

# How many single output elements are differentiated, after a failure, to name the wrong one.
LOCATED_OUTPUTS = 256
# Random directions tried for each input in the fast mode: one may miss a small error by chance.
DIRECTIONS = 3


class GradcheckError(RuntimeError):
    """A gradient that is not what small steps of the input show.

    Attributes
    ----------
    input : int or None
        Position of the input whose gradient is wrong.
    element : tuple of int or None
        Index of its worst element.
    analytic, numeric : float or None
        The gradient there: what the rules say, and what steps of the input show.
    """

    input: int | None = None
    element: tuple[int, ...] | None = None
    analytic: float | None = None
    numeric: float | None = None


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    *,
    fast_mode: bool = False,
    seed: int = 0,
) -> bool:
    """Compare the gradients of a function with central differences.

    Parameters
    ----------
    func : callable
        Takes `inputs` and returns a Tensor or Scalar, or a tuple or list of them. Must give the
        same result each time. Outputs that are not floats do not take part.
    inputs : sequence, or a single Tensor or Scalar
        Arguments of `func`. Checked are the Tensors and Scalars that require grad; all else is
        passed on as it is. Tensors must be float64: in float32 a small step tells nothing. They
        are not changed, and their ``.grad`` is left alone.
    eps : float
        Size of the steps.
    atol, rtol : float
        An element passes if ``|analytic - numeric| <= atol + rtol * |numeric|``.
    raise_exception : bool
        If False, return False rather than raise `GradcheckError`.
    fast_mode : bool
        Take a few random directions instead of every element: for large inputs. Elements are
        searched one by one only if a direction disagrees.
    seed : int
        Of the random weights and directions.

    Returns
    -------
    bool
        True if all gradients agree.

    Raises
    ------
    GradcheckError
        If a gradient is wrong: says which input and element, both values, and by how much they
        differ. Also if `func` is not deterministic, or nothing depends on the inputs.
    TypeError, ValueError
        If `inputs` or the outputs cannot be checked at all.

    Notes
    -----
    At a kink (``relu`` at 0, a tie in ``max``) the difference is the mean of the slopes on both
    sides, which need not be the subgradient that the op chose: check away from kinks.

    Examples
    --------
    >>> import autograd, numpy as np
    >>> x = autograd.tensor(np.array([0.5, 2.0]), requires_grad=True)
    >>> autograd.gradcheck(lambda x: x.sin() * x, (x,))
    True
    >>> autograd.gradcheck(lambda x: x.detach() * x, (x,), raise_exception=False)
    False
    """
    check = _Check("gradcheck", func, inputs, eps, atol, rtol, fast_mode, seed)
    try:
        with enable_grad():
            check.run()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    *,
    fast_mode: bool = False,
    seed: int = 0,
) -> bool:
    """Compare second-order gradients with central differences of first-order ones.

    What is checked is the function from the inputs *and the gradients that flow into the
    outputs* to the gradients of the inputs, as ``autograd.grad(..., create_graph=True)`` gives
    it. Whether the first order is right is for `gradcheck` to say.

    Parameters
    ----------
    func, inputs, eps, atol, rtol, raise_exception, fast_mode, seed
        As for `gradcheck`.
    grad_outputs : Tensor or Scalar or a sequence of them, optional
        Gradients flowing into the outputs that require grad; default random ones.

    Returns
    -------
    bool
        True if all second-order gradients agree.

    Raises
    ------
    GradcheckError
        As for `gradcheck`. Inputs past the last one of `func` are the `grad_outputs`.

    Examples
    --------
    >>> import autograd, numpy as np
    >>> x = autograd.tensor(np.array([0.5, 2.0]), requires_grad=True)
    >>> autograd.gradgradcheck(lambda x: x.sin() * x, (x,))
    True
    """
    who = "gradgradcheck"
    inputs = _listed(inputs)
    checked = _checked(who, inputs)
    try:
        with enable_grad():
            outputs = _outputs(who, func(*_fresh(inputs, checked)))
            used = [i for i, y in enumerate(outputs) if y.requires_grad]
            if not used:
                raise GradcheckError(f"{who}: no output of the function requires grad")
            if grad_outputs is None:
                rng = np.random.default_rng([seed, 2])
                grad_outputs = [wrap(random_weights(rng, outputs[i].value)) for i in used]
            given = [g.detach().requires_grad_() for g in _listed(grad_outputs)]
            if len(given) != len(used):
                raise ValueError(
                    f"{who}: {len(used)} outputs require grad, but there are {len(given)} "
                    "grad_outputs"
                )

            def first_order(*arguments: Any) -> list[Any]:
                seeds = arguments[len(inputs) :]
                arguments = arguments[: len(inputs)]
                results = _outputs(who, func(*arguments))
                targets = [arguments[i] for i in checked]
                found = grad(
                    [results[i] for i in used],
                    targets,
                    seeds,
                    create_graph=True,
                    allow_unused=True,
                )
                return [
                    wrap(0.0 * t.value) if g is None else g
                    for t, g in zip(targets, found, strict=True)
                ]

            names = [*_names(func, len(inputs)), *(f"gradient of output {i}" for i in used)]
            everything = [*inputs, *given]
            check = _Check(who, first_order, everything, eps, atol, rtol, fast_mode, seed, names)
            # A gradient that is constant in everything but the seeds is right for a linear op.
            check.run()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


# --- Differences, of whatever is checked --------------------------------------------------------

Result = TypeVar("Result")


def both_sides(
    function: Callable[[np.ndarray], Result], value: np.ndarray, direction: np.ndarray, step: float
) -> tuple[Result, Result]:
    """What `function` gives a step along `direction` from `value`, and a step against it."""
    return function(value + step * direction), function(value - step * direction)


def common_factor(analytic: np.ndarray, numeric: np.ndarray) -> float | None:
    """By what `analytic` is larger than `numeric`, if that is the same everywhere and not 0."""
    ratios = analytic / numeric
    if np.allclose(ratios, ratios[0], rtol=1e-3) and abs(ratios[0]) > 1e-6:
        return float(ratios[0])
    return None


def random_weights(rng: np.random.Generator, value: Any) -> Any:
    """Random weights in the shape of `value`, none of them near zero: none hides an error."""
    shape = np.shape(value)
    weights = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
    return float(weights) if value.__class__ is float else np.asarray(weights)


class _Check:
    """One comparison of a function's gradients with its differences."""

    def __init__(
        self,
        who: str,
        func: Callable[..., Any],
        inputs: Any,
        eps: float,
        atol: float,
        rtol: float,
        fast: bool,
        seed: int,
        names: Sequence[str] | None = None,
    ) -> None:
        if is_inference_mode_enabled():
            raise RuntimeError(f"{who}: nothing is recorded inside inference_mode")
        if not eps > 0.0:
            raise ValueError(f"{who}: eps must be positive, not {eps}")
        self.who, self.func, self.fast, self.seed = who, func, fast, seed
        self.eps, self.atol, self.rtol = eps, atol, rtol
        self.inputs = _listed(inputs)
        self.checked = _checked(who, self.inputs)
        self.names = names or _names(func, len(self.inputs))

    def run(self) -> None:
        leaves = _fresh(self.inputs, self.checked)
        targets = [leaves[i] for i in self.checked]
        outputs = _outputs(self.who, self.func(*leaves))
        values = [_array(y) for y in outputs]
        for i, value in enumerate(values):
            if not np.isfinite(value).all():
                place = [int(n) for n in np.argwhere(~np.isfinite(value))[0]]
                raise GradcheckError(
                    f"{self.who}: output {i} is {value[tuple(place)]} at {place}: choose inputs "
                    "inside the domain of the function."
                )
        self._deterministic(values)
        rng = np.random.default_rng(self.seed)
        weights = [random_weights(rng, v) for v in values]

        found = self._analytic(outputs, targets, weights)
        if all(g is None for g in found):
            moved = [self._differs(at, weights) for at in self.checked]
            if values and not any(moved):
                raise GradcheckError(
                    f"{self.who}: no output depends on an input that requires grad. The function "
                    "is called with copies of the inputs: it must use its arguments, not "
                    "variables from outside."
                )
        analytic = [
            np.zeros(np.shape(t.value)) if g is None else np.asarray(_array(g))
            for t, g in zip(targets, found, strict=True)
        ]
        numeric: dict[int, np.ndarray] = {}
        for k, at in enumerate(self.checked):
            if self.fast and self._directions_agree(at, analytic[k], weights, rng):
                continue
            numeric[k] = self._numeric(at, weights)
            wrong = ~self._close(analytic[k], numeric[k])
            if wrong.any():
                for other in range(len(self.checked)):  # for the hint that two are swapped
                    if other not in numeric and analytic[other].shape == analytic[k].shape:
                        numeric[other] = self._numeric(self.checked[other], weights)
                raise self._failure(k, wrong, analytic, numeric, found[k] is None, outputs, targets)

    # --- The two sides ------------------------------------------------------------------------

    def _analytic(
        self, outputs: list[Any], targets: list[Any], weights: list[np.ndarray]
    ) -> list[Any]:
        """What the rules say, or None where no gradient came; twice, to see it stays."""
        pairs = [(y, _like(y, w)) for y, w in zip(outputs, weights, strict=True) if y.requires_grad]
        if not pairs:
            return [None] * len(targets)
        tracked, seeds = zip(*pairs, strict=True)
        first, second = (
            grad(tracked, targets, seeds, retain_graph=True, allow_unused=True) for _ in range(2)
        )
        for i, a, b in zip(self.checked, first, second, strict=True):
            if a is not None and not np.array_equal(_array(a), _array(b), equal_nan=True):
                raise self._error(
                    f"the gradient of {self._called(i)} differs when backward is run again on the "
                    "same graph: a rule changes its arguments in place, or draws at random.",
                    i,
                )
        return list(first)

    def _numeric(self, at: int, weights: list[np.ndarray]) -> np.ndarray:
        """The weighted change of the outputs with each element of one input."""
        result = np.empty(np.shape(self.inputs[at].value))
        for element in np.ndindex(result.shape):
            changes = self._column(at, element)
            result[element] = sum(
                float(np.sum(w * c)) for w, c in zip(weights, changes, strict=True)
            )
        return result

    def _column(self, at: int, element: tuple[int, ...]) -> list[np.ndarray]:
        """The change of every output with one element of one input."""
        direction = np.zeros(np.shape(self.inputs[at].value))
        direction[element] = 1.0
        value = np.asarray(self.inputs[at].value)[element]
        # The step as it is after rounding: near 1e6 it would be off by 1e-4 of itself otherwise.
        width = float((value + self.eps) - (value - self.eps))
        return self._difference(at, direction, width)

    def _difference(self, at: int, direction: np.ndarray, width: float) -> list[np.ndarray]:
        value = np.asarray(self.inputs[at].value)
        up, down = both_sides(lambda x: self._evaluated(at, x), value, direction, self.eps)
        with np.errstate(invalid="ignore"):  # inf - inf is reported as not finite
            return [(a - b) / width for a, b in zip(up, down, strict=True)]

    def _evaluated(self, at: int, value: np.ndarray) -> list[np.ndarray]:
        leaves = _fresh(self.inputs, self.checked)
        moved = _like(self.inputs[at], value)
        leaves[at] = moved.requires_grad_()
        return [_array(y) for y in _outputs(self.who, self.func(*leaves))]

    def _directions_agree(
        self, at: int, analytic: np.ndarray, weights: list[np.ndarray], rng: np.random.Generator
    ) -> bool:
        for _ in range(DIRECTIONS):
            direction = random_weights(rng, analytic)
            changes = self._difference(at, direction, 2.0 * self.eps)
            numeric = sum(float(np.sum(w * c)) for w, c in zip(weights, changes, strict=True))
            if not self._close(np.sum(analytic * direction), np.asarray(numeric)).all():
                return False
        return True

    def _differs(self, at: int, weights: list[np.ndarray]) -> bool:
        direction = np.ones(np.shape(self.inputs[at].value))
        if direction.size == 0:
            return True
        changes = self._difference(at, direction, 2.0 * self.eps)
        return any(w.size and np.any(c != 0.0) for w, c in zip(weights, changes, strict=True))

    def _close(self, analytic: Any, numeric: np.ndarray) -> np.ndarray:
        """Where both agree; what is not finite does not."""
        with np.errstate(invalid="ignore"):
            near = np.abs(analytic - numeric) <= self.atol + self.rtol * np.abs(numeric)
        return near & np.isfinite(analytic) & np.isfinite(numeric)

    def _deterministic(self, values: list[np.ndarray]) -> None:
        again = _outputs(self.who, self.func(*_fresh(self.inputs, self.checked)))
        for i, (a, b) in enumerate(zip(values, again, strict=True)):
            if not np.array_equal(a, _array(b), equal_nan=True):
                raise GradcheckError(
                    f"{self.who}: output {i} differs when the function is called again with the "
                    "same inputs: give it a generator that it seeds itself."
                )

    # --- What is said of a failure ------------------------------------------------------------

    def _failure(
        self,
        k: int,
        wrong: np.ndarray,
        analytic: list[np.ndarray],
        numeric: dict[int, np.ndarray],
        missing: bool,
        outputs: list[Any],
        targets: list[Any],
    ) -> GradcheckError:
        a, n, at = analytic[k], numeric[k], self.checked[k]
        with np.errstate(invalid="ignore"):
            off = np.where(wrong, np.abs(a - n), -1.0)
        off[~np.isfinite(off)] = np.inf
        element = tuple(int(i) for i in np.unravel_index(int(np.argmax(off)), off.shape))
        subject, says, shows = self._entry(k, element, a, n, outputs, targets)
        text = f"the gradient of {self._called(at)} is wrong"
        if a.shape:
            text += f" at {int(wrong.sum())} of {a.size} elements, worst at {list(element)}"
        text += (
            f": {subject}analytic {says:.9g}, numeric {shows:.9g}, off by {abs(says - shows):.3g}"
        )
        if shows and np.isfinite(shows) and np.isfinite(says):
            text += f" ({abs(says / shows - 1.0):.3g} of the numeric value)"
        return self._error(
            f"{text}.{self._hint(k, wrong, analytic, numeric, missing)}", at, element, says, shows
        )

    def _entry(
        self,
        k: int,
        element: tuple[int, ...],
        analytic: np.ndarray,
        numeric: np.ndarray,
        outputs: list[Any],
        targets: list[Any],
    ) -> tuple[str, float, float]:
        """The one derivative that is worst: of an output element by an input element."""
        column = self._column(self.checked[k], element)
        worst = 0.0
        best: tuple[str, float, float] | None = None
        budget = LOCATED_OUTPUTS
        for number, (y, changes) in enumerate(zip(outputs, column, strict=True)):
            for place in np.ndindex(np.shape(changes)):
                budget -= 1
                if budget < 0:
                    break
                says = 0.0
                if y.requires_grad:
                    one = np.zeros(np.shape(changes))
                    one[place] = 1.0
                    (g,) = grad(y, targets[k], _like(y, one), retain_graph=True, allow_unused=True)
                    says = 0.0 if g is None else float(_array(g)[element])
                shows = float(changes[place])
                off = abs(says - shows)
                off = off if np.isfinite(off) else np.inf
                if off > worst and not self._close(says, np.asarray(shows)):
                    worst = off
                    name = "" if len(outputs) == 1 else f" {number}"
                    at = f"{list(place)}" if place else ""
                    subject = f"for output{name}{at}, " if name or at else ""
                    best = subject, says, shows
        if best is not None:
            return best
        return (
            "for a random weighting of the outputs, ",
            float(analytic[element]),
            float(numeric[element]),
        )

    def _hint(
        self,
        k: int,
        wrong: np.ndarray,
        analytic: list[np.ndarray],
        numeric: dict[int, np.ndarray],
        missing: bool,
    ) -> str:
        """A likely cause, where the numbers show one."""
        a, n = analytic[k], numeric[k]
        if missing:
            return " No gradient reaches this input at all."
        if not np.isfinite(n).all():
            return " The function is not finite beside these inputs: they are at its domain's edge."
        if not np.isfinite(a).all():
            return " The rules give a gradient that is not finite."
        for other, theirs in numeric.items():
            if other != k and a.shape == theirs.shape and self._close(a, theirs).all():
                return f" It would be right for {self._called(self.checked[other])}: swapped rules?"
        if a.ndim > 1 and a.shape == a.T.shape and self._close(a.T, n).all():
            return " It would be right when transposed."
        big = wrong & (np.abs(n) > self.atol)
        if big.any() and (wrong | (np.abs(n) <= self.atol)).all():
            factor = common_factor(a[big], n[big])
            if factor is not None:
                return f" It is {factor:.4g} times the numeric one everywhere."
        return ""

    def _called(self, at: int) -> str:
        shape = np.shape(self.inputs[at].value)
        name = f"{self.names[at]}, " if self.names[at] else ""
        return f"input {at} ({name}shape {shape})"

    def _error(
        self,
        text: str,
        at: int,
        element: tuple[int, ...] | None = None,
        analytic: float | None = None,
        numeric: float | None = None,
    ) -> GradcheckError:
        error = GradcheckError(f"{self.who}: {text}")
        error.input, error.element = at, element
        error.analytic, error.numeric = analytic, numeric
        return error


def _listed(inputs: Any) -> list[Any]:
    return [inputs] if isinstance(inputs, Variable) else list(inputs)


def _checked(who: str, inputs: list[Any]) -> list[int]:
    """Positions of the inputs to check."""
    checked = [i for i, v in enumerate(inputs) if isinstance(v, Variable) and v.requires_grad]
    for i in checked:
        value = inputs[i].value
        if value.__class__ is not float and value.dtype != np.float64:
            raise TypeError(
                f"{who}: input {i} is {value.dtype}; differences need float64: make the input "
                "with dtype=np.float64, or convert it with .double()"
            )
        if not np.isfinite(value).all():
            raise ValueError(f"{who}: input {i} has elements that are not finite: {value}")
    if not checked:
        raise ValueError(f"{who}: no input is a Tensor or Scalar that requires grad")
    return checked


def _fresh(inputs: list[Any], checked: list[int]) -> list[Any]:
    """The inputs, with new leaves over the same memory for those that are checked.

    The same tensor given twice becomes two leaves: each has its own gradient.
    """
    return [v.detach().requires_grad_() if i in checked else v for i, v in enumerate(inputs)]


def _outputs(who: str, result: Any) -> list[Any]:
    """The float outputs of the function."""
    results = [result] if isinstance(result, Variable) else result
    if not isinstance(results, tuple | list) or not all(isinstance(y, Variable) for y in results):
        raise TypeError(
            f"{who}: the function must return a Tensor or Scalar or a tuple of them, not "
            f"{type(result).__name__}"
        )
    floats = [y for y in results if y.value.__class__ is float or y.value.dtype.kind == "f"]
    if not floats:
        raise ValueError(f"{who}: no output of the function is a float, so none has a gradient")
    for i, y in enumerate(floats):
        if y.value.__class__ is not float and y.value.dtype != np.float64:
            raise TypeError(
                f"{who}: output {i} is {y.value.dtype} although the inputs are float64: the "
                "function lowers the precision, and differences need all of it"
            )
    return floats


def _array(variable: Any) -> np.ndarray:
    return np.array(variable.value, dtype=np.float64)


def _like(variable: Any, array: np.ndarray) -> Any:
    """`array` as a Variable of the kind of another."""
    return wrap(float(array) if variable.value.__class__ is float else np.asarray(array))


def _names(func: Callable[..., Any], count: int) -> list[str]:
    """Names of the first parameters of a function, empty where it does not say."""
    try:
        parameters = list(inspect.signature(func).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in plain][:count]
    return names + [""] * (count - len(names))
