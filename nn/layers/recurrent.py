"""Recurrent layers: RNN, LSTM, GRU."""

from __future__ import annotations

from typing import Any

from .recurrent_base import RNNBase


class RNN(RNNBase):
    """
    Elman's recurrent network.

    In each layer, for each step::

        h = tanh(weight_ih @ x + bias_ih + weight_hh @ h + bias_hh)

    Elman 1990, "Finding structure in time".

    Parameters
    ----------
    input_size : int
        Features of x.
    hidden_size : int
        Units of each layer.
    num_layers : int, default 1
        The h of one layer is the x of the next.
    nonlinearity : {"tanh", "relu"}
    bias : bool, default True
    batch_first : bool, default False
        Input and output are (batch, steps, features), not (steps, batch, features); the states are
        not concerned.
    dropout : float, default 0
        Of what goes from one layer to the next, in training.
    bidirectional : bool, default False
        Each layer has a second part that goes from the last step to the first.
    device : None or "cpu"
    dtype : dtype, optional
        Of the parameters; the default dtype (float32) if not given.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        Of the first layer; of the k-th ``..._lk``, and ``..._lk_reverse`` of its second part. All
        start from U(-k, k) with ``k = 1 / sqrt(hidden_size)``.

    Raises
    ------
    ValueError, TypeError
        If an argument makes no layer; in the call ValueError or RuntimeError if input, states
        and parameters do not fit.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.RNN(10, 20, num_layers=2)
    >>> output, h = layer(autograd.randn(5, 3, 10))
    >>> output.shape, h.shape
    ((5, 3, 20), (2, 3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be 'tanh' or 'relu', met {nonlinearity!r}")
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """
    Long short-term memory.

    In each layer, for each step::

        i, f, g, o = the four quarters of weight_ih @ x + bias_ih + weight_hh @ h + bias_hh
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)

    and with projections ``h = weight_hr @ h``. Hochreiter and Schmidhuber 1997, with the forget
    gate of Gers et al. 1999 and the projection of Sak et al. 2014.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        As in `RNN`.
    proj_size : int, default 0
        Width of h where it is projected; less than `hidden_size`, the width of c.
    device : None or "cpu"
    dtype : dtype, optional

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0 : Parameter
        As in `RNN`, with four rows for each unit; `weight_hr_l0` only with projections.

    Raises
    ------
    ValueError, TypeError
        As `RNN`.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.LSTM(10, 20, bidirectional=True)
    >>> output, (h, c) = layer(autograd.randn(5, 3, 10))
    >>> output.shape, h.shape, c.shape
    ((5, 3, 40), (2, 3, 20), (2, 3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )


class GRU(RNNBase):
    """
    Gated recurrent unit.

    In each layer, for each step::

        a, b = the thirds of weight_ih @ x + bias_ih, and of weight_hh @ h + bias_hh
        r, z = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
        n = tanh(a[2] + r * b[2])
        h = (1 - z) * n + z * h

    Cho et al. 2014; the reset gate r stands after the product, as in cuDNN.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, device, dtype
        As in `RNN`.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        As in `RNN`, with three rows for each unit.

    Raises
    ------
    ValueError, TypeError
        As `RNN`.

    Examples
    --------
    >>> import autograd, nn
    >>> layer = nn.GRU(10, 20, batch_first=True)
    >>> output, h = layer(autograd.randn(3, 5, 10))
    >>> output.shape, h.shape
    ((3, 5, 20), (1, 3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
