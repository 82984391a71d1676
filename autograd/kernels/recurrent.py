"""One layer of a recurrent network in one direction, over all steps of a batch of sequences.

The rows of all steps lie one after the other, as in a packed sequence: the first ``sizes[0]`` rows
are step 0, one row for each sequence; the next ``sizes[1]`` are step 1, and so on. The sequences
stand in order of falling length, so ``sizes`` never rises, and those that go on are the first ones.
In `reverse` the last step comes first. The products with the input are not part of it: they are one
matrix product over all rows, whose result is `inputs`.

A result that a later step needs (the state) is given in one flat array: the rows of `y`, then the
state of each sequence after its last step. What else comes along is for the backward form.
"""

from collections.abc import Iterator

import numpy as np

from .common import Floats, Indices, Sample
from .dispatch import fast, implementation, reference
from .elementwise import sigmoid
from .matmul import matmul
from .memory import empty
from .native import Unit

sigmoid_reference = implementation(sigmoid, "reference")


def steps_of(sizes: Indices, reverse: bool) -> Iterator[tuple[slice, int]]:
    """The rows of each step and their number, in the order of computation."""
    ends = np.cumsum(sizes).tolist()
    steps = [(slice(end - n, end), n) for end, n in zip(ends, sizes.tolist(), strict=True)]
    return iter(steps[::-1] if reverse else steps)


def flat_of(*parts: Floats) -> Floats:
    """All numbers in one line."""
    return np.concatenate([part.reshape(-1) for part in parts])


def parted(g: Floats, total: int, *states: tuple[int, int]) -> list[Floats]:
    """The rows of a flat array, and copies of the states behind them, of these shapes."""
    begin = total * states[0][1]
    parts = [g[:begin].reshape(total, states[0][1])]
    for rows, width in states:
        parts.append(g[begin : begin + rows * width].reshape(rows, width).copy())
        begin += rows * width
    return parts


@reference
def rnn_layer(
    inputs: Floats, hidden: Floats, weight: Floats, sizes: Indices, *, reverse: bool, relu: bool
) -> tuple[Floats, Floats, Floats]:
    """Elman's recurrent layer.

    ::

        h = tanh(inputs[step] + h @ weight.T),    or relu

    Parameters
    ----------
    inputs : array (total, width)
    hidden : array (batch, width)
        The state before the first step.
    weight : array (width, width)
    sizes : array (steps,)
        Rows of each step: at least 1, at most batch, never rising, total together.
    reverse : bool
        From the last step to the first.
    relu : bool
        In the place of tanh.

    Returns
    -------
    flat : array (total * width + batch * width,)
        The state after each step, then the last one of each sequence.
    after, before : array (total, width)
        The state after and before each step.
    """
    h = hidden.copy()
    before, after = np.empty_like(inputs), np.empty_like(inputs)
    for rows, n in steps_of(sizes, reverse):
        before[rows] = h[:n]
        a = inputs[rows] + h[:n] @ weight.T
        after[rows] = h[:n] = np.maximum(a, 0) if relu else np.tanh(a)
    return flat_of(after, h), after, before


@reference
def rnn_layer_backward(
    g: Floats,
    after: Floats,
    before: Floats,
    weight: Floats,
    sizes: Indices,
    *,
    reverse: bool,
    relu: bool,
) -> tuple[Floats, Floats, Floats]:
    """Gradients of <g, flat> in inputs, hidden and weight; the arrays are those of `rnn_layer`."""
    total, width = after.shape
    batch = (g.size - after.size) // max(1, width)
    rising, dh = parted(g, total, (batch, width))
    dinputs = np.empty_like(after)
    for rows, n in steps_of(sizes, not reverse):
        d, y = dh[:n] + rising[rows], after[rows]
        dinputs[rows] = np.where(y <= 0, d.dtype.type(0), d) if relu else d * (1 - y * y)
        dh[:n] = dinputs[rows] @ weight
    return dinputs, dh, dinputs.T @ before


# --- Compiled -------------------------------------------------------------------------------------

UNIT = Unit(
    "recurrent",
    "autograd.kernels.native.recurrent",
    uses=("formulas", "recurrent_vectors", "tiles", "vmath", "vnormal", "vtrig"),
)
UNIT.kernel("pack(weight: T[a, b], batch: int, transposed: int, packed: T[room]!)")

WIDEST = 128
"""Columns of the widest tile on any machine: the last one may be packed half empty."""


def served(inputs: Floats, batch: int) -> bool:
    """Whether there is compiled code for these inputs."""
    return inputs.dtype.char in "fd" and inputs.size > 0 and batch > 0


def packed(weight: Floats, batch: int, transposed: bool) -> Floats:
    """The weights of a product for tiles; `transposed` for ``h @ weight.T``."""
    columns, depth = weight.shape if transposed else weight.shape[::-1]
    to = empty(((columns + WIDEST) * depth,), weight.dtype)
    UNIT.pack(weight, batch, int(transposed), to)
    return to


def flat_with(total: int, *states: Floats) -> list[Floats]:
    """An array for a flat result, its rows, and its states, which begin as those given."""
    width = states[0].shape[1]
    size = total * width + sum(s.size for s in states)
    flat = empty((size,), states[0].dtype)
    parts, begin = [flat, flat[: total * width].reshape(total, width)], total * width
    for state in states:
        part = flat[begin : begin + state.size].reshape(state.shape)
        part[...] = state
        parts.append(part)
        begin += state.size
    return parts


UNIT.kernel(
    "rnn_forward(inputs: T[total, width], packed: T[room], sizes: i8[steps], reverse: int,"
    " relu: int, hidden: T[batch, width]!, y: T[total, width]!)"
    " -> after: T like inputs, before: T like inputs"
)
UNIT.kernel(
    "rnn_backward(g: T[total, width], after: T[total, width], packed: T[room], sizes: i8[steps],"
    " reverse: int, relu: int, dhidden: T[batch, width]!) -> dinputs: T like after"
)


@fast(rnn_layer, UNIT)
def _rnn_layer(
    inputs: Floats, hidden: Floats, weight: Floats, sizes: Indices, *, reverse: bool, relu: bool
) -> tuple[Floats, Floats, Floats]:
    batch = len(hidden)
    if not served(inputs, batch):
        return implementation(rnn_layer, "reference")(
            inputs, hidden, weight, sizes, reverse=reverse, relu=relu
        )
    flat, y, h = flat_with(len(inputs), hidden)
    back = packed(weight, batch, True)
    after, before = UNIT.rnn_forward(inputs, back, sizes, int(reverse), int(relu), h, y)
    return flat, after, before


@fast(rnn_layer_backward, UNIT)
def _rnn_layer_backward(
    g: Floats,
    after: Floats,
    before: Floats,
    weight: Floats,
    sizes: Indices,
    *,
    reverse: bool,
    relu: bool,
) -> tuple[Floats, Floats, Floats]:
    batch = (g.size - after.size) // max(1, after.shape[1])
    if not served(after, batch):
        return implementation(rnn_layer_backward, "reference")(
            g, after, before, weight, sizes, reverse=reverse, relu=relu
        )
    rising, dh = parted(g, len(after), (batch, after.shape[1]))
    back = packed(weight, batch, False)
    dinputs = UNIT.rnn_backward(rising, after, back, sizes, int(reverse), int(relu), dh)
    return dinputs, dh, matmul(dinputs.T, before)


SAMPLES = (
    Sample("text", ((1024, 128), (32, 128), (128, 128)), {"sizes": [32] * 32}),
    Sample("ragged", ((18, 20), (7, 20), (20, 20)), {"sizes": [7, 7, 3, 1]}),
)
"""Arguments of `rnn_layer`, but for the switches; of the others the same with their gates."""
