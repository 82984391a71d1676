"""A moving average of a model's weights, which often does better than the last ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import Tensor

from ..module import Module


def copied(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """A state_dict in memory of its own."""
    return {
        name: np.array(value.numpy() if isinstance(value, Tensor) else value, copy=True)
        for name, value in state.items()
    }


class WeightAverage:
    r"""
    Exponential moving average of the parameters: :math:`a \leftarrow d a + (1 - d) w`.

    The first update copies the weights. Buffers, such as running means, are averages already and
    are copied. Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging".

    Parameters
    ----------
    decay : float
        The d: about 1 / (1 - d) steps are averaged over.

    Raises
    ------
    ValueError
        If `decay` is not from 0 to below 1.

    Examples
    --------
    >>> import autograd, nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = WeightAverage(0.5)
    >>> for weight in (1.0, 3.0):
    ...     _ = model.load_state_dict({"weight": np.full((1, 1), weight)})
    ...     average.update(model)
    >>> average.weights["weight"]
    array([[2.]], dtype=float32)
    """

    def __init__(self, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"WeightAverage: decay must be >= 0 and < 1, not {decay!r}")
        self.decay = float(decay)
        self.weights: dict[str, np.ndarray] = {}

    def update(self, model: Module) -> None:
        """Take in the present weights of `model`."""
        state = model.state_dict()
        if not self.weights:
            self.weights = copied(state)
            return
        averaged = {name for name, _ in model.named_parameters()}
        for name, value in state.items():
            held, now = self.weights[name], value.numpy()
            if name in averaged and now.dtype.kind == "f":
                # As a step towards the new weights: exact where they no longer move.
                held += held.dtype.type(1 - self.decay) * (now - held)
            else:
                held[...] = now

    def state_dict(self) -> dict[str, Any]:
        """The average and its decay."""
        return {"decay": self.decay, "weights": dict(self.weights)}

    def load_state_dict(self, state: Any) -> None:
        """
        Go on from what `state_dict` returned.

        Raises
        ------
        ValueError
            If it is none, or of another decay.
        """
        if not isinstance(state, Mapping) or not isinstance(state.get("weights"), Mapping):
            raise ValueError("WeightAverage.load_state_dict: not a state of a WeightAverage")
        if state.get("decay") != self.decay:
            raise ValueError(
                f"WeightAverage.load_state_dict: the state has decay {state.get('decay')}, this "
                f"average {self.decay}"
            )
        self.weights = {
            name: np.array(value, copy=True) for name, value in state["weights"].items()
        }


class Swap:
    """
    Other weights in a model, for use, while those that its training goes on from are kept.

    Parameters
    ----------
    model : Module

    Examples
    --------
    >>> import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> swap, before = Swap(model), model.weight.item()
    >>> swap.put({"weight": np.full((1, 1), 5.0)})
    >>> swap.back()
    >>> model.weight.item() == before
    True
    """

    def __init__(self, model: Module) -> None:
        self.model = model
        self.training: dict[str, np.ndarray] | None = None
        self.given: dict[str, np.ndarray] = {}

    def put(self, weights: Mapping[str, Any]) -> None:
        """Give the model `weights`."""
        if self.training is None:
            self.training = copied(self.model.state_dict())
        self.model.load_state_dict(weights)
        self.given = copied(self.model.state_dict())

    def back(self) -> None:
        """Give it back those from before, unless it has got yet others, which are meant."""
        training, self.training = self.training, None
        if training is None:
            return
        now = copied(self.model.state_dict())
        if all(np.array_equal(now[name], self.given[name], equal_nan=True) for name in now):
            self.model.load_state_dict(training)
