"""A deep perceptron of equal layers, to watch gradients in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import relu, sigmoid, tanh

from .. import init as initial
from ..layers.containers import Sequential
from ..layers.linear import Linear
from ..layers.norm import LayerNorm
from ..layers.norm_channel import BatchNorm1d
from ..module import Module

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {"sigmoid": sigmoid, "tanh": tanh, "relu": relu}
NORMS: dict[str, Callable[[int], Module]] = {"batch": BatchNorm1d, "layer": LayerNorm}
INITS: dict[str, Callable[[Any], Any]] = {
    "naive": initial.normal_,
    "small": lambda weight: initial.normal_(weight, std=0.01),
    "xavier": initial.xavier_normal_,
    "he": lambda weight: initial.kaiming_normal_(weight, nonlinearity="relu"),
}


class DeepBlock(Module):
    """
    One layer of `DeepMLP`: ``activation(norm(linear(x)))``, and with `residual` ``x`` plus that.

    The first layer of a network whose input has another width than its layers cannot add `x`, and
    leaves it out.

    Examples
    --------
    >>> import autograd
    >>> block = DeepBlock(3, 3, "tanh", residual=True)
    >>> block(autograd.zeros(2, 3)).shape
    (2, 3)
    """

    def __init__(
        self,
        in_features: int,
        width: int,
        activation: str = "relu",
        norm: str | None = None,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.residual = residual and in_features == width
        self.linear = Linear(in_features, width)
        self.norm = None if norm is None else NORMS[norm](width)

    def forward(self, x: Any) -> Any:
        """Map (N, in_features) to (N, width)."""
        y = self.linear(x)
        if self.norm is not None:
            y = self.norm(y)
        y = ACTIVATIONS[self.activation](y)
        return x + y if self.residual else y

    def extra_repr(self) -> str:
        """What the layer does beside its modules."""
        return f"activation={self.activation}, residual={self.residual}"


class DeepMLP(Module):
    """
    A perceptron of many equal layers: with each cure for vanishing gradients, or without it.

    ============ ========== =====================
    layer        output     parameters
    ============ ========== =====================
    20 blocks:   64         85,760
      linear     64         4160 each
      batch norm 64         128 each
      ReLU       64
      + input    64
    linear       10         650
    ============ ========== =====================

    86,410 parameters altogether. (Numbers for the defaults. A layer norm has as many as a batch
    norm; without a norm a block has 128 less.)

    What each option stands for: He's initial weights for ReLU are those of He, Zhang, Ren and Sun
    2015, "Delving deep into rectifiers"; Xavier's those of Glorot and Bengio 2010, "Understanding
    the difficulty of training deep feedforward neural networks"; the residual is the identity
    shortcut of He et al. 2016, "Deep residual learning for image recognition"; batch norm is that
    of Ioffe and Szegedy 2015.

    Parameters
    ----------
    in_features : int, default 64
    num_classes : int, default 10
    depth : int, default 20
        Number of blocks.
    width : int, default 64
        Units of each.
    activation : {"relu", "tanh", "sigmoid"}
    norm : {"batch", "layer"} or None
        Between the linear map and the activation.
    residual : bool, default True
        Add its input to what a block computes.
    init : {"he", "xavier", "small", "naive"}, optional
        Of the blocks' weights; biases are 0 then. "small" draws from a normal distribution with
        standard deviation 0.01, "naive" with 1. Not given: all as `Linear` draws it.

    Raises
    ------
    ValueError
        If a size is below 1 or an option is not among those above; in the call, if the input is
        not (N, in_features).

    Examples
    --------
    >>> import autograd
    >>> DeepMLP(depth=30, width=32)(autograd.zeros(2, 64)).shape
    (2, 10)
    """

    def __init__(
        self,
        in_features: int = 64,
        num_classes: int = 10,
        depth: int = 20,
        width: int = 64,
        activation: str = "relu",
        norm: str | None = "batch",
        residual: bool = True,
        init: str | None = None,
    ) -> None:
        super().__init__()
        sizes = {"in_features": in_features, "num_classes": num_classes}
        for name, size in {**sizes, "depth": depth, "width": width}.items():
            if size < 1:
                raise ValueError(f"DeepMLP: {name} must be at least 1, not {size!r}")
        _check("activation", activation, [*ACTIVATIONS])
        _check("norm", norm, [*NORMS, None])
        _check("init", init, [*INITS, None])
        self.blocks = Sequential(
            *(
                DeepBlock(width if i else in_features, width, activation, norm, residual)
                for i in range(depth)
            )
        )
        self.head = Linear(width, num_classes)
        if init is not None:
            for block in self.blocks:
                INITS[init](block.linear.weight)
                initial.zeros_(block.linear.bias)

    def forward(self, x: Any) -> Any:
        """Map (N, in_features) to scores (N, num_classes)."""
        return self.head(self.blocks(x))


def _check(name: str, value: Any, allowed: list[Any]) -> None:
    if value not in allowed:
        raise ValueError(
            f"DeepMLP: {name} must be one of {', '.join(map(repr, allowed))}, not {value!r}"
        )
