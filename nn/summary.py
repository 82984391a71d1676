"""A table of a model's layers: output shapes, parameters, multiply-adds."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Tensor, default_generator, get_default_dtype, no_grad, zeros

from .layers.attention import MultiheadAttention
from .layers.conv import Conv1d, Conv2d, Conv3d
from .layers.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .layers.linear import Bilinear, Linear
from .layers.recurrent_base import RNNBase
from .layers.recurrent_cells import RNNCellBase
from .module import Module
from .utils.rnn import PackedSequence


@dataclass(frozen=True)
class Layer:
    """
    One row of a `Summary`.

    Attributes
    ----------
    name : str
        Dotted; "" for the model itself.
    type : str
    depth : int
        Of the module in the tree.
    output_shape : str
        Of the last call, with the batch of one; "-" if the layer was not called.
    parameters : int
        Numbers that the layer itself holds; one that is shared counts where it is met first.
    multiply_adds : int
        Of all calls of the layer itself.
    """

    name: str
    type: str
    depth: int
    output_shape: str
    parameters: int
    multiply_adds: int


@dataclass(frozen=True, repr=False)
class Summary:
    """
    What `summary` found; its text is the table.

    Attributes
    ----------
    layers : tuple of Layer
    parameters, trainable_parameters : int
        Numbers, each once.
    multiply_adds : int
        For one example.
    parameter_bytes : int
        Memory of the parameters.
    """

    layers: tuple[Layer, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int
    parameter_bytes: int

    @property
    def non_trainable_parameters(self) -> int:
        """Numbers whose parameters do not require gradients."""
        return self.parameters - self.trainable_parameters

    def __str__(self) -> str:
        rows = [("Layer (type)", "Output shape", "Parameters", "Multiply-adds")]
        for layer in self.layers:
            name = layer.name.rpartition(".")[2]
            label = f"{name} ({layer.type})" if name else layer.type
            rows.append(
                (
                    "  " * layer.depth + label,
                    layer.output_shape,
                    _count(layer.parameters),
                    _count(layer.multiply_adds),
                )
            )
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}"
            for a, b, c, d in rows
        ]
        rule = "-" * len(lines[0])
        by_kind = (
            f"trainable {self.trainable_parameters:,}, "
            f"non-trainable {self.non_trainable_parameters:,}"
        )
        return "\n".join(
            [
                lines[0],
                rule,
                *lines[1:],
                rule,
                f"Parameters: {self.parameters:,} ({by_kind})",
                f"Multiply-adds for one example: {self.multiply_adds:,}",
                f"Memory of parameters: {_size(self.parameter_bytes)}",
            ]
        )

    __repr__ = __str__


def _count(n: int) -> str:
    return f"{n:,}" if n else "-"


def _size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"


def _shape(value: Any = None) -> tuple[int, ...]:
    """The shape of a tensor, or of the rows of a packed sequence; (0,) of anything else."""
    if isinstance(value, PackedSequence):
        value = value.data
    return value.shape if isinstance(value, Tensor) else (0,)


def _of_results(module: Any, inputs: tuple[Any, ...], output: Any) -> int:
    """Each number of the result is one unit's, or one kernel's, sum."""
    return math.prod(_shape(output)) * math.prod(module.weight.shape[1:])


def _of_arguments(module: Any, inputs: tuple[Any, ...], output: Any) -> int:
    """A transposed convolution multiplies each number of the argument with a kernel."""
    return math.prod(_shape(*inputs[:1])) * math.prod(module.weight.shape[1:])


def _of_steps(module: Any, inputs: tuple[Any, ...], output: Any) -> int:
    """A recurrent layer applies all its matrices to each step of each sequence."""
    single = isinstance(module, RNNCellBase)
    layers = [[module.weight_ih, module.weight_hh]] if single else module.all_weights
    matrices = sum(p.numel() for layer in layers for p in layer if p.ndim == 2)
    return math.prod(_shape(*inputs[:1])[:-1]) * matrices


def _of_attention(module: Any, inputs: tuple[Any, ...], output: Any) -> int:
    """The four projections, the scores of all pairs, and the sums of the values.

    A causal mask makes it no less.
    """
    query, key = _shape(*inputs[:1]), _shape(*inputs[1:2])
    if len(query) < 2 or len(key) < 2:
        return 0  # a class of the user's with arguments of its own
    along = 1 if module.batch_first and len(query) == 3 else 0
    length, keys, size = query[along], key[along], module.embed_dim
    sequences = query[1 - along] if len(query) == 3 else 1
    projections = 2 * length * size + keys * (module.kdim + module.vdim)
    pairs = length * (keys + (module.bias_k is not None) + module.add_zero_attn)
    return sequences * size * (projections + 2 * pairs)


# How one call of a layer is counted; the first of a class's bases that is here decides.
COUNTED: dict[type[Module], Callable[[Any, tuple[Any, ...], Any], int]] = {
    Linear: _of_results,
    Bilinear: _of_results,
    Conv1d: _of_results,
    Conv2d: _of_results,
    Conv3d: _of_results,
    ConvTranspose1d: _of_arguments,
    ConvTranspose2d: _of_arguments,
    ConvTranspose3d: _of_arguments,
    RNNBase: _of_steps,
    RNNCellBase: _of_steps,
    MultiheadAttention: _of_attention,
}


def multiply_adds(module: Module, inputs: tuple[Any, ...], output: Any) -> int:
    """
    Products that one call of a layer added up, itself only.

    Counted are `Linear`, `Bilinear`, convolutions and transposed convolutions, recurrent layers and
    their cells, and `MultiheadAttention` with its products of queries, keys and values. Biases,
    pooling, normalisation, activations, and what a `forward` computes with functions count as 0.

    Parameters
    ----------
    module : Module
    inputs : tuple
        The arguments of its `forward`; of attention the first two are queries and keys.
    output : object
        What it returned.

    Examples
    --------
    >>> import autograd
    >>> layer, x = Linear(3, 4), autograd.ones(1, 3)
    >>> multiply_adds(layer, (x,), layer(x))
    12
    """
    for kind in type(module).__mro__:
        if kind in COUNTED:
            return COUNTED[kind](module, inputs, output)
    return 0


def summary(
    model: Module,
    input_shape: Sequence[int] | Sequence[Sequence[int]],
    dtype: Any = None,
) -> Summary:
    """
    Describe a model, layer by layer, by running it once on zeros.

    The run is in evaluation mode and records no graph; afterwards modes, buffers and the state of
    the random generator are what they were. Hooks of the model's own do run.

    Parameters
    ----------
    model : Module
    input_shape : sequence of int, or sequence of such
        Shape of one example, without the batch (a batch of one is made); several shapes for a
        model of several inputs.
    dtype : dtype, optional
        Of the input. Default: that of the model's first floating-point parameter, else the default
        dtype.

    Returns
    -------
    Summary
        Prints as a table; its attributes are the numbers. What counts as a multiply-add: see
        `multiply_adds`.

    Raises
    ------
    TypeError
        If `model` is no Module, or the shape not made of ints.
    ValueError
        If a size is negative; whatever the model raises for such an input.

    Examples
    --------
    >>> import nn
    >>> summary(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), (64,))
    Layer (type)  Output shape  Parameters  Multiply-adds
    -----------------------------------------------------
    Sequential    (1, 10)                -              -
      0 (Linear)  (1, 32)            2,080          2,048
      1 (ReLU)    (1, 32)                -              -
      2 (Linear)  (1, 10)              330            320
    -----------------------------------------------------
    Parameters: 2,410 (trainable 2,410, non-trainable 0)
    Multiply-adds for one example: 2,368
    Memory of parameters: 9.4 KiB
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expected a Module, not a {type(model).__name__}")
    shapes = _shapes(input_shape)
    if dtype is None:
        floats = (p.dtype for p in model.parameters() if p.is_floating_point())
        dtype = next(floats, get_default_dtype())
    inputs = [zeros(1, *shape, dtype=dtype) for shape in shapes]

    outputs: dict[int, str] = {}
    work: dict[int, int] = {}

    def see(module: Module, args: Any, kwargs: Any, output: Any) -> None:
        outputs[id(module)] = _described(output)
        given = inspect.signature(module.forward).bind(*args, **kwargs).args
        work[id(module)] = work.get(id(module), 0) + multiply_adds(module, given, output)

    _run_unchanged(model, inputs, see)

    seen: set[int] = set()
    layers = []
    for name, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if id(p) not in seen]
        seen.update(id(p) for p in own)
        layers.append(
            Layer(
                name,
                type(module).__name__,
                name.count(".") + 1 if name else 0,
                outputs.get(id(module), "-"),
                sum(p.numel() for p in own),
                work.get(id(module), 0),
            )
        )
    parameters = list(model.parameters())
    return Summary(
        tuple(layers),
        sum(p.numel() for p in parameters),
        sum(p.numel() for p in parameters if p.requires_grad),
        sum(work.values()),
        sum(p.numel() * p.dtype.itemsize for p in parameters),
    )


def _shapes(input_shape: Any) -> list[tuple[int, ...]]:
    several = bool(input_shape) and all(isinstance(item, Sequence) for item in input_shape)
    shapes = [tuple(shape) for shape in (input_shape if several else [input_shape])]
    for shape in shapes:
        if not all(hasattr(n, "__index__") for n in shape):
            raise TypeError(f"summary: a shape is made of ints, met {shape}")
        if any(n < 0 for n in shape):
            raise ValueError(f"summary: sizes must be at least 0, met {shape}")
    return shapes


def _described(output: Any) -> str:
    if isinstance(output, Tensor):
        return str(output.shape)
    if isinstance(output, Mapping):
        return ", ".join(f"{key}: {_described(value)}" for key, value in output.items())
    if isinstance(output, list | tuple):
        return ", ".join(_described(value) for value in output)
    return type(output).__name__


def _run_unchanged(model: Module, inputs: list[Tensor], see: Callable[..., None]) -> None:
    """Run `model` in evaluation mode, showing `see` every call; leave no trace of it."""
    modules = list(model.modules())
    modes = [module.training for module in modules]
    # A module of the user's own may change its buffers in evaluation too.
    buffers = [
        (module, name, buffer, buffer.array().copy())
        for module in modules
        for name, buffer in module.named_buffers(recurse=False)
    ]
    random_state = default_generator.state_dict()
    handles = [module.register_forward_hook(see, with_kwargs=True) for module in modules]
    try:
        for module in modules:
            module.training = False
        with no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        default_generator.load_state_dict(random_state)
        with no_grad():
            for module, name, buffer, values in buffers:
                if getattr(module, name) is not buffer:
                    setattr(module, name, buffer)
                if not np.array_equal(buffer.array(), values, equal_nan=True):
                    buffer.copy_(values)
