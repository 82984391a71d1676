"""Nodes of an ONNX graph, and the values between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.trace import Ref

from .sizes import ExportError, Line, Number, Origin, Program, Size

BATCH = "batch"  # name of the dimension that is free


class Builder:
    """
    Collects nodes and initializers.

    Parameters
    ----------
    onnx : module
    program : Program
    names : dict of int to str
        Names of the constants that have one: parameters and buffers, by the id of their memory.
    inputs : list of str
    batch_dim : int or None
    """

    def __init__(
        self,
        onnx: Any,
        program: Program,
        names: dict[int, str],
        inputs: Sequence[str],
        batch_dim: int | None,
    ) -> None:
        self.onnx = onnx
        self.program = program
        self.known = names
        self.batch_dim = batch_dim
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.values: dict[int, str] = dict(zip(program.inputs, inputs, strict=True))
        self.taken = {*inputs, *names.values()}
        self.origin = Origin()
        self.kept: dict[Any, str] = {}  # results that are asked for again and again

    # --- Values ---------------------------------------------------------------------------------

    def free_name(self, name: str) -> str:
        """`name`, or one like it that is new."""
        free, count = name, 1
        while free in self.taken:
            free, count = f"{name}_{count}", count + 1
        self.taken.add(free)
        return free

    def line(self, arg: Any) -> Line:
        """The line that an argument refers to."""
        return self.program.lines[arg.index]

    def shape(self, arg: Any) -> tuple[Number, ...]:
        """Shape of an argument."""
        return self.line(arg).shape if isinstance(arg, Ref) else ()

    def fixed(self, size: Number, what: str) -> int:
        """`size`, where it may not depend on the batch."""
        if isinstance(size, Size):
            raise ExportError(
                f"{what} depends on the batch size{self.where()}; export the model for the "
                "example's batch only: batch_dim=None"
            )
        return size

    def where(self) -> str:
        """The module at work and the user's line, for messages."""
        return str(self.origin)

    def value(self, arg: Any, dtype: Any = None) -> str:
        """Name of an argument's value; "" for None. With `dtype`, converted to it."""
        if arg is None:
            return ""
        if isinstance(arg, Size):
            scalar = self.add("Squeeze", self.scalar(arg), self.ints(0))
            return scalar if dtype in (None, np.int64) else self.cast(scalar, dtype)
        if not isinstance(arg, Ref):
            return self.constant(np.asarray(arg, dtype))
        line = self.line(arg)
        if arg.index not in self.values:
            assert line.values is not None
            self.values[arg.index] = self._constant_line(line)
        name = self.values[arg.index]
        if dtype is None or np.dtype(dtype) == line.dtype:
            return name
        return self.cast(name, dtype)

    def _constant_line(self, line: Line) -> str:
        assert line.values is not None
        first, second = line.values
        if not any(isinstance(size, Size) for size in line.shape):
            if not np.array_equal(first, second, equal_nan=first.dtype.kind == "f"):
                raise ExportError(
                    "a constant is another one each time that the model runs: it is random, or "
                    f"depends on the batch size{self.where()}"
                )
            holder = getattr(line.holder, "value", line.holder)
            return self.constant(first, self.known.get(id(holder)))
        # Like zeros for a first state: one example's, laid out along the batch.
        at = tuple(slice(0, 1) if isinstance(s, Size) else slice(None) for s in line.shape)
        one = first[at]
        for value in (first, second):
            if not np.array_equal(np.broadcast_to(one, value.shape), value):
                raise ExportError(
                    f"a constant of shape {first.shape} is not the same for every example"
                    f"{self.where()}; export the model for the example's batch only: "
                    "batch_dim=None"
                )
        return self.add("Expand", self.constant(one), self.sizes(line.shape))

    def constant(self, array: np.ndarray, name: str | None = None) -> str:
        """An initializer; equal small ones are stored once."""
        array = np.asarray(array)
        key = None
        if name is not None:
            if name in self.initializers:
                return name
        else:
            key = (array.dtype.str, array.shape, array.tobytes()) if array.size < 64 else None
            if key is not None and key in self.kept:
                return self.kept[key]
            name = self.free_name("constant")
        self.initializers[name] = self.onnx.numpy_helper.from_array(
            np.ascontiguousarray(array).reshape(array.shape), name
        )
        if key is not None:
            self.kept[key] = name
        return name

    def ints(self, *numbers: int) -> str:
        """A constant list of integers."""
        return self.constant(np.array(numbers, np.int64))

    def scalar(self, size: Number) -> str:
        """A size as a list of one integer, which may depend on the batch."""
        if not isinstance(size, Size):
            return self.ints(size)
        if size not in self.kept:
            if BATCH not in self.kept:
                index = next(i for i in self.program.inputs if self.program.lines[i].shape)
                shape = self.add("Shape", self.values[index])
                self.kept[BATCH] = self.add("Gather", shape, self.ints(self.batch_dim or 0), axis=0)
            name = self.kept[BATCH]
            if size.per_example != 1:
                name = self.add("Mul", name, self.ints(size.per_example))
            if size.fixed:
                name = self.add("Add", name, self.ints(size.fixed))
            self.kept[size] = name
        return self.kept[size]

    def sizes(self, sizes: Sequence[Number]) -> str:
        """A list of integers, some of which may depend on the batch."""
        if not any(isinstance(size, Size) for size in sizes):
            return self.constant(np.array(sizes, np.int64))
        return self.add("Concat", *(self.scalar(size) for size in sizes), axis=0)

    # --- Nodes ----------------------------------------------------------------------------------

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node with one result; returns the result's name."""
        return self.add_many(kind, inputs, 1, **attributes)[0]

    def add_many(
        self, kind: str, inputs: Sequence[str], count: int, **attributes: Any
    ) -> list[str]:
        """A node with several results."""
        stem = f"{self.origin.module}/{kind}" if self.origin.module else kind
        outputs = [self.free_name(stem) for _ in range(count)]
        while inputs and not inputs[-1]:
            inputs = inputs[:-1]
        self.nodes.append(
            self.onnx.helper.make_node(kind, list(inputs), outputs, name=outputs[0], **attributes)
        )
        return outputs

    def kind_of(self, dtype: Any) -> int:
        """ONNX's number of a dtype."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def cast(self, name: str, dtype: Any) -> str:
        """The value in another dtype."""
        return self.add("Cast", name, to=self.kind_of(dtype))

    def reshape(self, name: str, shape: Sequence[Number]) -> str:
        """The value in another shape; one size that depends on the batch is left to be found."""
        free = [size for size in shape if isinstance(size, Size)]
        if len(free) == 1 and 0 not in shape:
            return self.add(
                "Reshape", name, self.ints(*(-1 if isinstance(s, Size) else s for s in shape))
            )
        return self.add("Reshape", name, self.sizes(shape), allowzero=1)

    def along(self, name: str, dim: int, ndim: int, matrix: np.ndarray) -> str:
        """The product with a matrix along one dimension: a linear map of its lines."""
        weight = self.constant(matrix)
        if dim == ndim - 1:
            return self.add("MatMul", name, weight)
        order = [d for d in range(ndim) if d != dim] + [dim]
        back = [*range(dim), ndim - 1, *range(dim, ndim - 1)]
        moved = self.add("MatMul", self.add("Transpose", name, perm=order), weight)
        return self.add("Transpose", moved, perm=back)
