"""What all recurrent layers share."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any

import numpy as np

from autograd import cat, dropout, stack, transpose
from autograd.ops.recurrent import spans_of
from autograd.ops.recurrent_cells import GATES, layer
from autograd.ops.shape import _reshape

from .. import init
from ..module import Module, Parameter, factory
from ..utils.rnn import PackedSequence, sizes_of


class RNNBase(Module):
    """
    What all recurrent layers share: their settings, their parameters, and the way over the layers.

    Parameters
    ----------
    mode : {"RNN_TANH", "RNN_RELU", "LSTM", "GRU"}

    The others are those of `RNN`, and `proj_size` of `LSTM`.

    Examples
    --------
    >>> import nn
    >>> isinstance(nn.GRU(3, 4), nn.RNNBase)
    True
    """

    mode: str
    dropout: float

    def __init__(
        self,
        mode: str,
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
        super().__init__()
        who = type(self).__name__
        dtype = factory(who, device, dtype)
        if mode not in GATES:
            raise ValueError(f"{who}: mode must be one of {', '.join(GATES)}, met {mode!r}")
        check_settings(who, input_size, hidden_size, num_layers, bias, batch_first, dropout)
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                f"{who}: proj_size must be from 0 (none) to less than hidden_size, {hidden_size}; "
                f"met {proj_size}"
            )
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, out = GATES[mode] * hidden_size, proj_size or hidden_size
        for k, names in enumerate(self._names()):
            below = input_size if k < self._directions else out * self._directions
            shapes = {"weight_ih": (rows, below), "weight_hh": (rows, out)}
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,), "weight_hr": (out, hidden_size)}
            for kind, name in names.items():
                setattr(self, name, Parameter(np.empty(shapes[kind], dtype)))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _names(self) -> list[dict[str, str]]:
        """Names of the parameters by their kind, for each layer and direction in turn."""
        kinds = ["weight_ih", "weight_hh"]
        kinds += ["bias_ih", "bias_hh"] * self.bias + ["weight_hr"] * (self.proj_size > 0)
        return [
            {kind: f"{kind}_l{number}{suffix}" for kind in kinds}
            for number in range(self.num_layers)
            for suffix in ("", "_reverse")[: self._directions]
        ]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names.values()] for names in self._names()]

    def flatten_parameters(self) -> None:
        """Nothing: in PyTorch it prepares parameters for a GPU."""

    def reset_parameters(self) -> None:
        """Draw all parameters from U(-k, k) with ``k = 1 / sqrt(hidden_size)``."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """
        Run all layers over all steps.

        Parameters
        ----------
        input : Tensor, (steps, batch, input_size) or (steps, input_size), or PackedSequence
            With `batch_first` (batch, steps, input_size).
        hx : Tensor, (layers * directions, batch, width) or (layers * directions, width), optional
            The states before the first step; default zeros. Of an LSTM a pair of them.

        Returns
        -------
        output : as `input`
            The state h of the last layer after each step, of both directions side by side.
        hx : as `hx`
            The states after the last step.
        """
        who, packed = type(self).__name__, isinstance(input, PackedSequence)
        data = input.data if packed else input
        shape = data.shape
        if packed:
            sizes = sizes_of(who, input).tolist()
            if len(shape) != 2:
                raise RuntimeError(
                    f"{who}: expected packed data of 2 dimensions, met shape {shape}"
                )
            batched, batch = True, sizes[0]
        else:
            if len(shape) not in (2, 3):
                raise ValueError(f"{who}: expected input of 2 or 3 dimensions, met shape {shape}")
            batched = len(shape) == 3
            batch = shape[0 if self.batch_first else 1] if batched else 1
            steps = shape[1] if self.batch_first and batched else shape[0]
            if steps == 0:
                raise RuntimeError(
                    f"{who}: expected a sequence of at least one step, met input {shape}"
                )
            sizes = [batch] * steps
        self._check_input(data)
        states = self._states(hx, batched, batch, data.dtype)
        if packed and input.sorted_indices is not None and hx is not None:
            states = [s[:, input.sorted_indices] for s in states]
        if not packed and batched and self.batch_first:
            data = transpose(data, 0, 1)
        rows = _reshape(data, shape=(sum(sizes), self.input_size))
        rows, *after = self._layers(rows, states, sizes)
        width = rows.shape[1]
        if packed:
            if input.unsorted_indices is not None:
                after = [s[:, input.unsorted_indices] for s in after]
            output: Any = PackedSequence(rows, *input[1:])
        elif not batched:
            output = rows
            after = [_reshape(s, shape=(s.shape[0], s.shape[2])) for s in after]
        else:
            output = _reshape(rows, shape=(len(sizes), batch, width))
            if self.batch_first:
                output = transpose(output, 0, 1)
        return output, (tuple(after) if self.mode == "LSTM" else after[0])

    def _layers(self, rows: Any, states: list[Any], sizes: list[int]) -> list[Any]:
        """All layers: the rows of the last one, then the states of all."""
        spans, found, names = spans_of(sizes), [], iter(self._names())
        for number in range(self.num_layers):
            if number and self.dropout and self.training:
                rows = dropout(rows, self.dropout)
            sides = []
            for reverse in (False, True)[: self._directions]:
                side, *after = layer(
                    type(self).__name__,
                    self.mode,
                    rows,
                    [s[len(found)] for s in states],
                    self._parameters(next(names)),
                    spans=spans,
                    reverse=reverse,
                )
                sides.append(side)
                found.append(after)
            rows = sides[0] if len(sides) == 1 else cat(sides, 1)
        return [rows, *(stack(list(after)) for after in zip(*found, strict=True))]

    def _parameters(self, names: dict[str, str]) -> list[Any]:
        """The parameters of one layer and direction, None for those that it does not have."""
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [getattr(self, names[kind]) if kind in names else None for kind in kinds]

    def _check_input(self, data: Any) -> None:
        who, dtype = type(self).__name__, self.weight_ih_l0.dtype
        if data.dtype != dtype:
            raise ValueError(
                f"{who}: the input is of {data.dtype} and the weights of {dtype}: convert the "
                f"input with .to({dtype}), or the module"
            )
        if data.shape[-1] != self.input_size:
            raise RuntimeError(
                f"{who}: the last dimension of the input must be input_size={self.input_size}, met "
                f"{data.shape}"
            )

    def _states(self, hx: Any, batched: bool, batch: int, dtype: Any) -> list[Any]:
        """The states before the first step, (layers * directions, batch, width) each."""
        who, count = type(self).__name__, self.num_layers * self._directions
        widths = {"h": self.proj_size or self.hidden_size}
        if self.mode == "LSTM":
            widths["c"] = self.hidden_size
        if hx is None:
            return [np.zeros((count, batch, width), dtype) for width in widths.values()]
        if self.mode == "LSTM":
            if not isinstance(hx, tuple | list) or len(hx) != 2:
                raise TypeError(f"{who}: hx must be a pair (h_0, c_0), met {type(hx).__name__}")
        elif isinstance(hx, tuple | list):
            raise TypeError(f"{who}: hx must be one tensor, met {type(hx).__name__}")
        given: list[Any] = list(hx) if isinstance(hx, tuple | list) else [hx]
        for (name, width), state in zip(widths.items(), given, strict=True):
            wanted = (count, batch, width) if batched else (count, width)
            if state.shape != wanted:
                raise RuntimeError(
                    f"{who}: {name} of hx must have shape {wanted} (layers * directions, "
                    f"{'batch, ' * batched}width), met {state.shape}"
                )
            if state.dtype != dtype:
                raise RuntimeError(
                    f"{who}: {name} of hx is of {state.dtype}, the input of {dtype}; they must be "
                    "of one dtype"
                )
        if batched:
            return given
        return [_reshape(s, shape=(count, 1, s.shape[1])) for s in given]

    def extra_repr(self) -> str:
        """Sizes, and the settings that are not the default."""
        text = f"{self.input_size}, {self.hidden_size}"
        text += f", proj_size={self.proj_size}" * (self.proj_size != 0)
        text += f", num_layers={self.num_layers}" * (self.num_layers != 1)
        text += f", bias={self.bias}" * (not self.bias)
        text += f", batch_first={self.batch_first}" * self.batch_first
        text += f", dropout={self.dropout}" * (self.dropout != 0)
        return text + f", bidirectional={self.bidirectional}" * self.bidirectional


def check_settings(
    who: str,
    input_size: Any,
    hidden_size: Any,
    num_layers: Any,
    bias: Any,
    batch_first: Any,
    dropout: Any,
) -> None:
    """Refuse arguments of a constructor that make no layer."""
    if (
        not isinstance(dropout, numbers.Real)
        or isinstance(dropout, bool)
        or not 0 <= float(dropout) <= 1
    ):
        raise ValueError(f"{who}: dropout must be a number from 0 to 1, met {dropout!r}")
    for name, flag in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(flag, bool):
            raise TypeError(f"{who}: {name} must be a bool, met {type(flag).__name__}")
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    for name, size in sizes.items():
        if not isinstance(size, int):
            raise TypeError(f"{who}: {name} must be an int, met {type(size).__name__}")
        if size <= 0:
            raise ValueError(f"{who}: {name} must be greater than zero, met {size}")
    if float(dropout) > 0 and num_layers == 1:
        warnings.warn(
            f"{who}: dropout={dropout} acts between layers, and there is one layer",
            stacklevel=4,
        )
