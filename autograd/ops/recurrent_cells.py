"""Recurrent layers with the product of their input, and single steps of them: the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..families import shape_of
from .activation import relu
from .linalg import linear
from .recurrent import Spans, gru_layer, lstm_layer, rnn_layer
from .shape import _reshape
from .transcendental import tanh

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
"""Rows of the weights for each unit of the state, by the kind of layer."""


def layer(
    who: str,
    kind: str,
    rows: Any,
    states: Sequence[Any],
    parameters: Sequence[Any],
    *,
    spans: Spans,
    reverse: bool,
) -> tuple[Any, ...]:
    """One layer in one direction.

    Parameters
    ----------
    who : str
        For errors.
    kind : str
        One of `GATES`.
    rows : Tensor, (total, features)
        The rows of all steps, one step after the other.
    states : sequence of Tensor
        h, and c of an LSTM, before the first step.
    parameters : sequence
        w_ih, w_hh, b_ih, b_hh (or None twice) and, of an LSTM, w_hr or None.
    spans, reverse
        As in `recurrent.rnn_layer`.

    Returns
    -------
    tuple of Tensor
        h of all steps as rows, then the states after the last step.

    Raises
    ------
    ValueError
        If the parameters do not fit the rows or each other.
    """
    w_ih, w_hh, b_ih, b_hh, w_hr = parameters
    _check(who, kind, rows.shape[1], states, parameters)
    if kind == "GRU":  # whose reset gate works on the product with the state and its bias
        inputs = linear(rows, w_ih, b_ih)
        return gru_layer(inputs, states[0], w_hh, b_hh, spans=spans, reverse=reverse)
    inputs = linear(rows, w_ih, b_ih if b_hh is None else b_ih + b_hh)
    if kind == "LSTM":
        hidden, cell = states
        return lstm_layer(inputs, hidden, cell, w_hh, w_hr, spans=spans, reverse=reverse)
    relu = kind == "RNN_RELU"
    return rnn_layer(inputs, states[0], w_hh, spans=spans, reverse=reverse, relu=relu)


def _check(
    who: str, kind: str, features: int, states: Sequence[Any], parameters: Sequence[Any]
) -> None:
    """Refuse parameters of other shapes than features and states ask for."""
    rows, out = GATES[kind] * states[-1].shape[1], states[0].shape[1]
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    wanted = ((rows, features), (rows, out), (rows,), (rows,), (out, states[-1].shape[1]))
    if (parameters[2] is None) != (parameters[3] is None):
        raise ValueError(f"{who}: give both biases, or none")
    for name, parameter, shape in zip(names, parameters, wanted, strict=True):
        if parameter is None and name not in names[:2]:
            continue
        if shape_of(parameter, who) != shape:
            raise ValueError(
                f"{who}: for {features} features and {states[-1].shape[1]} units {name} must be "
                f"{shape}, met {shape_of(parameter, who)}"
            )


def _cell(
    who: str, kind: str, input: Any, states: Sequence[Any], parameters: Sequence[Any]
) -> tuple[Any, ...]:
    """One step of a layer; without a batch too."""
    shape, first = shape_of(input, who), shape_of(states[0], who)
    if len(shape) not in (1, 2):
        raise ValueError(f"{who}: expected input (batch, features) or (features,), met {shape}")
    for name, state in zip(("h", "c"), states, strict=False):
        met = shape_of(state, who)
        if len(met) != len(shape) or met[:-1] != shape[:-1] or met[-1] != first[-1]:
            raise ValueError(
                f"{who}: for input {shape} the state {name} must be {(*shape[:-1], 'units')}, met "
                f"{met}"
            )
    if len(shape) == 1:
        input, *states = (_reshape(v, shape=(1, v.shape[0])) for v in (input, *states))
    if kind in ("LSTM", "GRU"):
        spans = ((1, input.shape[0]),)
        _, *after = layer(who, kind, input, states, (*parameters, None), spans=spans, reverse=False)
    else:  # four small ops take less time than one with its wrapping
        _check(who, kind, input.shape[1], states, (*parameters, None))
        w_ih, w_hh, b_ih, b_hh = parameters
        a = linear(input, w_ih, b_ih) + linear(states[0], w_hh, b_hh)
        after = [tanh(a) if kind == "RNN_TANH" else relu(a)]
    if len(shape) == 1:
        after = [_reshape(v, shape=first) for v in after]
    return tuple(after)


def rnn_tanh_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    """One step of Elman's network: ``tanh(w_ih @ x + b_ih + w_hh @ h + b_hh)``.

    Elman 1990, "Finding structure in time".

    Parameters
    ----------
    input : Tensor, (batch, features) or (features,)
    hx : Tensor, (batch, units) or (units,)
        The state h before the step.
    w_ih, w_hh : Tensor, (units, features) and (units, units)
    b_ih, b_hh : Tensor, (units,), optional

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import autograd
    >>> x, h = autograd.tensor([[1.0]]), autograd.tensor([[2.0]])
    >>> autograd.rnn_tanh_cell(x, h, autograd.tensor([[0.0]]), autograd.tensor([[0.5]]))
    tensor([[0.7616]])
    """
    return _cell("rnn_tanh_cell", "RNN_TANH", input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]


def rnn_relu_cell(
    input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    """One step of Elman's network with ReLU: ``max(w_ih @ x + b_ih + w_hh @ h + b_hh, 0)``.

    Parameters, errors and source are those of `rnn_tanh_cell`.

    Examples
    --------
    >>> import autograd
    >>> x, h = autograd.tensor([[1.0]]), autograd.tensor([[2.0]])
    >>> autograd.rnn_relu_cell(x, h, autograd.tensor([[3.0]]), autograd.tensor([[0.5]]))
    tensor([[4.]])
    """
    return _cell("rnn_relu_cell", "RNN_RELU", input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]


def lstm_cell(
    input: Any, hx: Sequence[Any], w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> tuple[Any, Any]:
    """One step of long short-term memory.

    ::

        i, f, g, o = the four quarters of w_ih @ x + b_ih + w_hh @ h + b_hh
        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')

    Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 1999.

    Parameters
    ----------
    input : Tensor, (batch, features) or (features,)
    hx : pair of Tensor, (batch, units) or (units,)
        The states h and c before the step.
    w_ih, w_hh : Tensor, (4 * units, features) and (4 * units, units)
    b_ih, b_hh : Tensor, (4 * units,), optional

    Returns
    -------
    h, c : Tensor
        The states after the step.

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import autograd
    >>> x, h, c = autograd.zeros(2, 3), autograd.zeros(2, 5), autograd.ones(2, 5)
    >>> h, c = autograd.lstm_cell(x, (h, c), autograd.zeros(20, 3), autograd.zeros(20, 5))
    >>> c[0]
    tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000])
    """
    if not isinstance(hx, tuple | list) or len(hx) != 2:
        raise TypeError(f"lstm_cell: hx must be a pair (h, c), met {type(hx).__name__}")
    h, c = _cell("lstm_cell", "LSTM", input, tuple(hx), (w_ih, w_hh, b_ih, b_hh))
    return h, c


def gru_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of a gated recurrent unit, the reset gate after the product.

    ::

        a, b = the thirds of w_ih @ x + b_ih, and of w_hh @ h + b_hh
        r, z = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
        n = tanh(a[2] + r * b[2])
        h' = (1 - z) * n + z * h

    Cho et al. 2014; the place of the reset gate as in cuDNN.

    Parameters
    ----------
    input : Tensor, (batch, features) or (features,)
    hx : Tensor, (batch, units) or (units,)
        The state h before the step.
    w_ih, w_hh : Tensor, (3 * units, features) and (3 * units, units)
    b_ih, b_hh : Tensor, (3 * units,), optional

    Raises
    ------
    ValueError
        If shapes do not fit.

    Examples
    --------
    >>> import autograd
    >>> x, h = autograd.zeros(2, 3), autograd.ones(2, 2)
    >>> autograd.gru_cell(x, h, autograd.zeros(6, 3), autograd.zeros(6, 2))
    tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]])
    """
    return _cell("gru_cell", "GRU", input, (hx,), (w_ih, w_hh, b_ih, b_hh))[0]
