"""A model's steps for any batch size: traced at two sizes, and compared.

What differs between the traces grows with the batch; what is equal is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import Tensor, trace
from autograd.graph import OPS, Spec
from autograd.ops.attention import from_heads, heads_of, scores, weights_of
from autograd.ops.recurrent import gru_by_ops, lstm_by_ops, rnn_by_ops
from autograd.trace import Graph, Ref, Step


class ExportError(ValueError):
    """A model that cannot be written in another format; the message says what stands in the way."""


@dataclass(frozen=True)
class Size:
    """A number that depends on the batch: ``fixed + per_example * batch``."""

    fixed: int
    per_example: int


Number = int | Size


@dataclass(frozen=True)
class Origin:
    """Where a step was made: the name of the innermost module, and the user's line."""

    module: str = ""
    line: str = ""

    def __str__(self) -> str:
        parts = [f"in module {self.module!r}"] if self.module else []
        parts += [f"at {self.line}"] if self.line else []
        return f" ({', '.join(parts)})" if parts else ""


@dataclass
class Line:
    """
    A step of a model.

    Attributes
    ----------
    op : str
        Its name; "" for an input or a constant.
    args : list
        A `Ref` to an earlier line for each array; numbers, `Size` and None as they are.
    params : dict
        With a `Size` for each number that depends on the batch.
    shape : tuple of int or Size
    dtype : numpy.dtype
    values : pair of ndarray or None
        Of a constant: for the one batch and the other.
    holder : Tensor, optional
        Of a constant: the tensor itself, such as a parameter.
    origin : Origin
    """

    op: str
    args: list[Any]
    params: dict[str, Any]
    shape: tuple[Any, ...]
    dtype: np.dtype[Any]
    values: tuple[np.ndarray, np.ndarray] | None = None
    holder: Any = None
    origin: Origin = Origin()


@dataclass
class Program:
    """The lines of a model, and which of them are inputs and outputs."""

    lines: list[Line] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)


# ---------------------------------------------------------------- large ops, in small ones


def _attention(q: Any, k: Any, v: Any, mask: Any, *, scale: float, causal: bool, **_: Any) -> Any:
    weights = weights_of(scores(q, k, mask, scale, causal), mask is not None)
    return weights @ v


def _self_attention(
    qkv: Any, mask: Any, *, heads: int, rows: int, scale: float, causal: bool
) -> Any:
    size = qkv.shape[2] // 3
    q, k, v = (heads_of(qkv[:, :, i * size : (i + 1) * size], heads, rows) for i in range(3))
    return from_heads(_attention(q, k, v, mask, scale=scale, causal=causal), rows)


IN_SMALL: dict[str, Callable[..., Any]] = {
    "attention": _attention,
    "self_attention": _self_attention,
    "rnn_layer": rnn_by_ops,
    "lstm_layer": lstm_by_ops,
    "gru_layer": gru_by_ops,
}


class _Flat:
    """The steps of a graph, with large ops in small ones, and where each was made."""

    def __init__(self, graph: Graph, origins: Sequence[Origin]) -> None:
        self.steps = [Step(i, graph.steps[at].spec) for i, at in enumerate(graph.inputs)]
        self.origins = [Origin()] * len(self.steps)
        inputs = [Ref(index) for index in range(len(self.steps))]
        self.outputs = self._take(graph, inputs, origins)

    def _take(self, graph: Graph, inputs: Sequence[Any], origins: Sequence[Origin]) -> list[Any]:
        """Append the steps of a graph; returns its outputs among them."""
        places: dict[int, Any] = dict(zip(graph.inputs, inputs, strict=True))

        def moved(arg: Any) -> Any:
            return places[arg.index] if isinstance(arg, Ref) else arg

        for step, origin in zip(graph.steps, origins, strict=True):
            if step.index in places:
                continue
            args = tuple(moved(arg) for arg in step.args)
            if step.op is not None and step.op.name in IN_SMALL:
                places[step.index] = self._expanded(step, args, origin)
                continue
            places[step.index] = Ref(len(self.steps))
            index = len(self.steps)
            self.steps.append(Step(index, step.spec, step.op, args, step.params, step.value))
            self.origins.append(origin)
        return [moved(output) for output in graph.outputs]

    def _expanded(self, step: Step, args: tuple[Any, ...], origin: Origin) -> Any:
        assert step.op is not None
        function, params = IN_SMALL[step.op.name], step.params
        arrays = [arg for arg in args if isinstance(arg, Ref)]

        def run(*tensors: Any) -> Any:
            given = iter(tensors)
            filled = [next(given) if isinstance(arg, Ref) else arg for arg in args]
            return function(*filled, **params)

        inner = trace(run, *(self.steps[arg.index].spec for arg in arrays))
        (output,) = self._take(inner, arrays, [origin] * len(inner))
        return output


# ---------------------------------------------------------------- two traces, one program


def program_of(
    graphs: tuple[Graph, Graph],
    batches: tuple[int, int],
    origins: tuple[Sequence[Origin], Sequence[Origin]],
) -> Program:
    """
    Merge the traces of one model at two batch sizes (or one, twice).

    Raises
    ------
    ExportError
        If the model does other things at another batch size.
    """
    one, two = (_Flat(*pair) for pair in zip(graphs, origins, strict=True))
    merge = _Merge(batches)
    program = Program(inputs=list(range(len(graphs[0].inputs))))
    for a, b, origin in zip(one.steps, two.steps, one.origins, strict=False):
        merge.origin = origin
        program.lines.append(_merged_line(merge, a, b, program))
    if len(one.steps) != len(two.steps):
        raise merge.error()
    program.outputs = [merge(a, b) for a, b in zip(one.outputs, two.outputs, strict=True)]
    return program


def _merged_line(merge: _Merge, a: Step, b: Step, program: Program) -> Line:
    name = "" if a.op is None else a.op.name
    if name != ("" if b.op is None else b.op.name) or a.spec.dtype != b.spec.dtype:
        raise merge.error()
    line = Line(
        name,
        [merge(x, y) for x, y in zip(a.args, b.args, strict=True)],
        merge(a.params, b.params),
        merge(a.spec.shape, b.spec.shape),
        np.dtype(np.float32 if a.spec.dtype is float else a.spec.dtype),
        origin=merge.origin,
    )
    if a.op is None:
        if a.value is not None:
            line.values, line.holder = (_raw(a.value), _raw(b.value)), a.value
        return line
    known = [program.lines[arg.index].values for arg in a.args if isinstance(arg, Ref)]
    if "generator" not in a.params and all(values is not None for values in known):
        # Nothing in it depends on the inputs, nor on chance: it is worked out now.
        line.values = (_run(a, program, 0), _run(b, program, 1))
    return line


def _run(step: Step, program: Program, which: int) -> np.ndarray:
    """The value of a step on constants."""
    args = []
    for arg in step.args:
        values = program.lines[arg.index].values if isinstance(arg, Ref) else None
        args.append(arg if values is None else values[which])
    assert step.op is not None
    return run_op(step.op.name, *args, **step.params)


def run_op(name: str, *arrays: Any, **params: Any) -> np.ndarray:
    """The forward of an op on arrays, as it runs inside the library."""
    op = OPS[name]
    values = list(arrays) if op.promotes is None else op.promotes(list(arrays))
    found = op.forward(*values, **params)
    return np.asarray(found[0] if op.aside else found)


class _Merge:
    """Makes one value of two, with a `Size` where they are different integers."""

    def __init__(self, batches: tuple[int, int]) -> None:
        self.batches = batches
        self.origin = Origin()

    def error(self) -> ExportError:
        return ExportError(
            f"the model does something else for a batch of {self.batches[0]} than for one of "
            f"{self.batches[1]}{self.origin}; export it for the example's batch only: "
            "batch_dim=None"
        )

    def __call__(self, a: Any, b: Any) -> Any:
        """One value; `a` where both are equal."""
        if a is b:
            return a
        if isinstance(a, Ref):
            if a != b:
                raise self.error()
            return a
        if type(a) is not type(b):
            raise self.error()
        if isinstance(a, tuple | list):
            if len(a) != len(b):
                raise self.error()
            return type(a)(self(x, y) for x, y in zip(a, b, strict=True))
        if isinstance(a, dict):
            return {key: self(a[key], b[key]) for key in a}
        if isinstance(a, slice):
            return slice(self(a.start, b.start), self(a.stop, b.stop), self(a.step, b.step))
        if isinstance(a, int) and a != b:
            step, rest = divmod(b - a, self.batches[1] - self.batches[0])
            if rest:
                raise self.error()
            return Size(a - step * self.batches[0], step)
        if isinstance(a, np.ndarray):
            if not np.array_equal(a, b):
                raise self.error()
        elif isinstance(a, float):
            if a != b and not (a != a and b != b):
                raise self.error()
        elif repr(a) != repr(b):
            raise self.error()
        return a


def _raw(value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        return value.detach().numpy()
    return np.asarray(value)


def with_batch(spec: Spec, dim: int | None, batch: int) -> Spec:
    """`spec` with another size along the batch's dimension."""
    if dim is None or not spec.shape:
        return spec
    shape = list(spec.shape)
    shape[dim] = batch
    return Spec(tuple(shape), spec.dtype)
