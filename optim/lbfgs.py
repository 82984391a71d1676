"""L-BFGS: steps of Newton's method, with curvature learnt from past gradients."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad
from autograd.changes import CHANGES
from autograd.kernels import sgd_step

from .checks import check_count, check_range
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer, Params
from .slots import Group, check_memory, misfit, number

LEAST_CURVATURE = 1e-10
"""Pairs of step and change that curve less would make the estimate of the Hessian indefinite."""


class LBFGS(Optimizer):
    r"""L-BFGS: quasi-Newton steps on the whole of the parameters.

    The direction is ``-H g``, where H estimates the inverse Hessian from the last `history_size`
    steps s and changes y of the gradient, and is never stored (two loops of products with vectors
    do). The step is lr, or what a line search finds::

        d = -H g
        p = p + t * d

    It calls the closure many times in one step, and wants the same loss each time: all data, no
    dropout.

    Parameters
    ----------
    params : iterable of Tensor or of (name, Tensor)
        One group only: options for single parameters are not possible.
    lr : float or Tensor
        Length of a step, or where the line search begins.
    max_iter : int
        Directions in one call of `step`.
    max_eval : int, optional
        Calls of the closure in one call of `step`; without it ``max_iter * 5 // 4``. A line search
        may end it, but not begin beyond it.
    tolerance_grad : float
        Stop if no element of the gradient is larger.
    tolerance_change : float
        Stop if neither parameters nor loss change by more.
    history_size : int
        How many pairs (s, y) are kept.
    line_search_fn : str, optional
        "strong_wolfe".

    Raises
    ------
    TypeError
        If something other than Tensors is to be optimized.
    ValueError
        If there are several groups, an option is negative or NaN, `line_search_fn` is neither None
        nor "strong_wolfe", or for parameters as in `Optimizer`.

    References
    ----------
    D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization",
    1989.

    Examples
    --------
    >>> import autograd, optim
    >>> w = autograd.tensor([-1.5, 2.0], requires_grad=True)
    >>> optimizer = optim.LBFGS([w], max_iter=50, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> w
    tensor([1.0000, 1.0000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max(1, check_count("LBFGS", "max_iter", max_iter) * 5 // 4)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def _validate(self, options: Mapping[str, Any], who: str) -> None:
        for name in ("lr", "tolerance_grad", "tolerance_change"):
            check_range(who, name, options[name])
        check_count(who, "max_iter", options["max_iter"])
        check_count(who, "max_eval", options["max_eval"], low=1)
        check_count(who, "history_size", options["history_size"], low=1)
        if options["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(
                f"{who}: line_search_fn must be None or 'strong_wolfe', not "
                f"{options['line_search_fn']!r}"
            )

    def add_param_group(self, param_group: Group) -> None:
        """Take the one group that there may be.

        Raises
        ------
        TypeError, ValueError
            As for the constructor.
        """
        if self.param_groups:
            raise ValueError(
                "LBFGS: there can be one parameter group only, as a step is of all parameters "
                "together; use one optimizer for each"
            )
        super().add_param_group(param_group)

    def _check_state(self, entry: Mapping[Any, Any], param: Tensor, where: str) -> None:
        """Raise ValueError unless it is a state of all parameters together."""
        if not entry:
            return
        if param is not self.param_groups[0]["params"][0] or "func_evals" not in entry:
            raise ValueError(f"{where}: it is not from {self._who}")
        size = sum(p.numel() for p in self.param_groups[0]["params"])
        vectors = [entry.get("d"), entry.get("prev_flat_grad")]
        for name in ("old_dirs", "old_stps"):
            vectors += entry.get(name) or []
        for vector in vectors:
            if vector is not None and getattr(vector, "shape", None) != (size,):
                raise ValueError(f"{where} is for other than {size} elements in all")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters, in place, by up to `max_iter` steps.

        Parameters
        ----------
        closure : callable
            Computes the loss anew and its gradients; called with recording on.

        Returns
        -------
        loss
            What the first call of `closure` returned.

        Raises
        ------
        TypeError
            Without a closure.
        ValueError
            If a parameter is read-only, or is no longer of the shape of its gradient.
        """
        if closure is None:
            raise TypeError("LBFGS.step needs a closure that computes the loss and its gradients")
        (group,) = self.param_groups
        line = Line(group["params"], closure, self._label)
        state = self.state[group["params"][0]]
        first = line.call()
        loss, gradient = float(first), line.gradient()
        state["func_evals"] = state.get("func_evals", 0) + 1
        state.setdefault("n_iter", 0)
        if largest(gradient) <= group["tolerance_grad"]:
            return first
        history = History(state, group["history_size"])
        with np.errstate(all="ignore"):  # as silent as the compiled steps of other optimizers
            self._iterate(group, line, state, history, loss, gradient)
        history.save(state)
        return first

    def _iterate(
        self,
        group: Group,
        line: Line,
        state: dict[str, Any],
        history: History,
        loss: float,
        gradient: np.ndarray,
    ) -> None:
        """Go on from a loss and a gradient until one of the reasons to stop."""
        rate, tolerance = float(group["lr"]), float(group["tolerance_change"])
        evaluations = 1
        for turn in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = history.direction(gradient)
            step = rate
            if state["n_iter"] == 1:
                step *= min(1.0, 1.0 / float(np.abs(gradient).sum()))
            slope = float(gradient.dot(direction))
            history.remember(direction, step, gradient, loss)
            if slope > -tolerance:
                return
            before, count = loss, 0
            if group["line_search_fn"] is not None:
                start = Point(0.0, loss, gradient, slope)
                room = max(0, group["max_eval"] - evaluations)
                point, count = line.search(direction, start, step, room)
                step, loss, gradient = point.step, point.loss, point.gradient
                history.step = step
                line.move(direction, step)
            else:
                line.move(direction, step)
                if turn != group["max_iter"]:  # after the last step the loss is not needed
                    loss, gradient, count = float(line.call()), line.gradient(), 1
            evaluations += count
            state["func_evals"] += count
            if (
                evaluations >= group["max_eval"]
                or largest(gradient) <= group["tolerance_grad"]
                or largest(direction) * abs(step) <= tolerance
                or abs(loss - before) < tolerance
            ):
                return


class Line:
    """All parameters as one vector, and the closure that evaluates them."""

    def __init__(self, params: list[Tensor], closure: Callable[[], Any], label: str) -> None:
        self.params, self.closure, self.label = params, closure, label
        self.heard = np.geterr()  # what the closure is to warn of
        for param in params:
            check_memory(param.array())

    def call(self) -> Any:
        """Evaluate the closure, with recording on."""
        with enable_grad(), np.errstate(**self.heard):
            return self.closure()

    def gradient(self) -> np.ndarray:
        """All gradients end to end; zeros for parameters without."""
        parts = []
        for param in self.params:
            array = param.array()
            grad = np.zeros(array.shape, array.dtype) if param.grad is None else param.grad.array()
            if grad.shape != array.shape:
                raise misfit(grad, array)
            parts.append(grad.reshape(-1))
        return np.concatenate(parts)

    def move(self, direction: np.ndarray, step: float) -> None:
        """Add a multiple of a direction to the parameters, in place."""
        begin = 0
        for param in self.params:
            array = param.array()
            part = direction[begin : begin + array.size]
            add(array, part.reshape(array.shape), step)
            CHANGES.mark(array, self.label)
            begin += array.size

    def search(
        self, direction: np.ndarray, start: Point, step: float, room: int
    ) -> tuple[Point, int]:
        """Find how far to go; the parameters are left where they were."""
        saved = [param.array().copy() for param in self.params]

        def evaluate(length: float) -> Point:
            try:
                self.move(direction, length)
                loss, gradient = float(self.call()), self.gradient()
            finally:
                for param, values in zip(self.params, saved, strict=True):
                    array = param.array()
                    array[...] = values
                    CHANGES.mark(array, self.label)
            return Point(length, loss, gradient, float(gradient.dot(direction)))

        return strong_wolfe(evaluate, start, step, largest(direction), room)


class History:
    """Past steps and changes of the gradient, and the inverse Hessian that they imply.

    Read from, and kept in, the optimizer's state under PyTorch's names.
    """

    def __init__(self, state: Mapping[str, Any], size: int) -> None:
        self.changes = deque(map(vector, state.get("old_dirs") or []), size)
        self.steps = deque(map(vector, state.get("old_stps") or []), size)
        self.inverses = deque(map(number, state.get("ro") or []), size)
        self.scale = number(state.get("H_diag", 1.0))
        past = state.get("prev_flat_grad")
        self.gradient = None if past is None else vector(past)
        self.last = None if past is None else vector(state["d"])
        self.step = number(state.get("t", 0.0))
        self.loss = number(state.get("prev_loss", 0.0))

    def direction(self, gradient: np.ndarray) -> np.ndarray:
        """``-H g``, after taking in the change since the last gradient."""
        if self.gradient is None or self.last is None:
            return -gradient
        change, step = gradient - self.gradient, self.step * self.last
        curvature = float(change.dot(step))
        if curvature > LEAST_CURVATURE:
            self.changes.append(change)
            self.steps.append(step)
            self.inverses.append(1.0 / curvature)
            self.scale = curvature / float(change.dot(change))
        past = list(zip(self.changes, self.steps, self.inverses, strict=True))
        q, shares = -gradient, []
        for change, step, inverse in reversed(past):
            shares.append(float(step.dot(q)) * inverse)
            add(q, change, -shares[-1])
        q *= self.scale
        for change, step, inverse in past:
            add(q, step, shares.pop() - float(change.dot(q)) * inverse)
        return q

    def remember(
        self, direction: np.ndarray, step: float, gradient: np.ndarray, loss: float
    ) -> None:
        """Keep what the next change is measured from."""
        self.last, self.step, self.gradient, self.loss = direction, step, gradient, loss

    def save(self, state: dict[str, Any]) -> None:
        """Write it into the optimizer's state."""
        if self.last is None or self.gradient is None:
            return
        state.update(
            d=Tensor(self.last),
            t=self.step,
            old_dirs=[Tensor(change) for change in self.changes],
            old_stps=[Tensor(step) for step in self.steps],
            ro=list(self.inverses),
            H_diag=self.scale,
            prev_flat_grad=Tensor(self.gradient),
            prev_loss=self.loss,
        )


def add(x: np.ndarray, y: np.ndarray, factor: float) -> None:
    """``x + factor * y`` in place, in one pass over memory."""
    sgd_step(x, y, None, 1.0, 0.0, 0.0, 1.0, 0.0, -factor)


def vector(value: Any) -> np.ndarray:
    """An entry of the state as an array."""
    return value.array() if isinstance(value, Tensor) else np.asarray(value)


def largest(x: np.ndarray) -> float:
    """The largest absolute value; NaN if there is one."""
    return float(np.abs(x).max(initial=0.0))
