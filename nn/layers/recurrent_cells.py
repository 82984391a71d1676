"""Single steps of recurrent layers: RNNCell, LSTMCell, GRUCell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell

from .. import init
from ..module import Module, Parameter, factory


class RNNCellBase(Module):
    """
    What all cells share: their sizes and parameters.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
    num_chunks : int
        Rows of the weights for each unit.
    device : None or "cpu"
    dtype : dtype, optional

    Examples
    --------
    >>> import nn
    >>> isinstance(nn.GRUCell(3, 4), nn.RNNCellBase)
    True
    """

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        who = type(self).__name__
        dtype = factory(who, device, dtype)
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if not isinstance(size, int):
                raise TypeError(f"{who}: {name} must be an int, met {type(size).__name__}")
        if input_size < 0 or hidden_size < 0:
            raise ValueError(
                f"{who}: sizes must be at least 0, met input_size={input_size}, "
                f"hidden_size={hidden_size}"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(np.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), dtype))
        if bias:
            self.bias_ih = Parameter(np.empty(rows, dtype))
            self.bias_hh = Parameter(np.empty(rows, dtype))
        else:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters from U(-k, k) with ``k = 1 / sqrt(hidden_size)``."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _parameters(self) -> tuple[Any, ...]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _checked(self, input: Any) -> tuple[int, ...]:
        """The shape of the states that belong to an input."""
        shape = input.shape
        if len(shape) not in (1, 2) or shape[-1] != self.input_size:
            raise ValueError(
                f"{type(self).__name__}: expected input (batch, {self.input_size}) or "
                f"({self.input_size},), met {shape}"
            )
        return (*shape[:-1], self.hidden_size)

    def extra_repr(self) -> str:
        """Sizes, and the settings that are not the default."""
        return f"{self.input_size}, {self.hidden_size}" + f", bias={self.bias}" * (not self.bias)


class RNNCell(RNNCellBase):
    """
    One step of Elman's network: ``h' = tanh(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)``.

    Elman 1990, "Finding structure in time".

    Parameters
    ----------
    input_size, hidden_size : int
        Features of x, and units.
    bias : bool, default True
    nonlinearity : {"tanh", "relu"}
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Attributes
    ----------
    weight_ih, weight_hh : Parameter, (hidden_size, input_size) and (hidden_size, hidden_size)
    bias_ih, bias_hh : Parameter, (hidden_size,), or None
        All start from U(-k, k) with ``k = 1 / sqrt(hidden_size)``.

    Raises
    ------
    ValueError
        If `nonlinearity` is another; in the call, if shapes do not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.RNNCell(10, 20)(autograd.randn(3, 10)).shape
    (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"RNNCell: nonlinearity must be 'tanh' or 'relu', met {nonlinearity!r}"
            )
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        """
        Take one step.

        Parameters
        ----------
        input : Tensor, (batch, input_size) or (input_size,)
        hx : Tensor, (batch, hidden_size) or (hidden_size,), optional
            The state before; default zeros.
        """
        shape = self._checked(input)
        hx = np.zeros(shape, input.dtype) if hx is None else hx
        step = rnn_tanh_cell if self.nonlinearity == "tanh" else rnn_relu_cell
        return step(input, hx, *self._parameters())

    def extra_repr(self) -> str:
        """Sizes, and the settings that are not the default."""
        text = f", nonlinearity={self.nonlinearity}" * (self.nonlinearity != "tanh")
        return super().extra_repr() + text


class LSTMCell(RNNCellBase):
    """
    One step of long short-term memory.

    ::

        i, f, g, o = the four quarters of weight_ih @ x + bias_ih + weight_hh @ h + bias_hh
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')

    Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 1999.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight_ih, weight_hh, bias_ih, bias_hh : Parameter
        As in `RNNCell`, with four rows for each unit.

    Raises
    ------
    ValueError, TypeError
        In the call, if shapes do not fit, or the states are not a pair.

    Examples
    --------
    >>> import autograd, nn
    >>> h, c = nn.LSTMCell(10, 20)(autograd.randn(3, 10))
    >>> h.shape, c.shape
    ((3, 20), (3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """
        Take one step.

        Parameters
        ----------
        input : Tensor, (batch, input_size) or (input_size,)
        hx : pair of Tensor, (batch, hidden_size) or (hidden_size,), optional
            The states h and c before; default zeros.

        Returns
        -------
        h, c : Tensor
        """
        shape = self._checked(input)
        hx = (np.zeros(shape, input.dtype),) * 2 if hx is None else hx
        return lstm_cell(input, hx, *self._parameters())


class GRUCell(RNNCellBase):
    """
    One step of a gated recurrent unit.

    ::

        a, b = the thirds of weight_ih @ x + bias_ih, and of weight_hh @ h + bias_hh
        r, z = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
        n = tanh(a[2] + r * b[2])
        h' = (1 - z) * n + z * h

    Cho et al. 2014; the reset gate r stands after the product, as in cuDNN.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool, default True
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight_ih, weight_hh, bias_ih, bias_hh : Parameter
        As in `RNNCell`, with three rows for each unit.

    Raises
    ------
    ValueError
        In the call, if shapes do not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> nn.GRUCell(10, 20)(autograd.randn(3, 10)).shape
    (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """
        Take one step.

        Parameters
        ----------
        input : Tensor, (batch, input_size) or (input_size,)
        hx : Tensor, (batch, hidden_size) or (hidden_size,), optional
            The state before; default zeros.
        """
        shape = self._checked(input)
        return gru_cell(
            input, np.zeros(shape, input.dtype) if hx is None else hx, *self._parameters()
        )
