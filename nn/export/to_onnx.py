"""Models as ONNX files, which other runtimes read."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor, no_grad, trace
from autograd.frames import user_frames
from autograd.graph import Abstract, Op, Spec, Variable
from autograd.trace import Graph, Ref
from autograd.watch import WATCHERS, Watcher

from ..module import Module
from ..serialize.files import PathLike, write_atomically
from .builder import BATCH, Builder
from .emitters_layers import LAYERS
from .emitters_rare import RARE
from .emitters_small import SMALL
from .sizes import ExportError, Origin, Program, Size, program_of, with_batch

OPSET = 20  # the first with Gelu
IR_VERSION = 9  # of the file format, as old as that opset
MAX_BYTES = 2**31 - 1  # of a message of protocol buffers
EMITTERS = {**SMALL, **LAYERS, **RARE}


def onnx(
    model: Module,
    example: Any,
    path: PathLike,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    batch_dim: int | None = 0,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """
    Write a model in evaluation mode as an ONNX file, atomically.

    The model is traced from the shapes and dtypes of the example, so what a Python ``if`` or loop
    did is what the file does. Parameters and buffers are in it under their names in `state_dict`.
    Needs the extra: ``pip install dagrad[onnx]``.

    Parameters
    ----------
    model : Module
        Left as it is: traced in evaluation mode, then put back.
    example : Tensor, ndarray, shape, or tuple of them
        One for each argument of ``model(...)``; a shape is that of float32 numbers.
    path : path-like
        Replaced if it exists; a crash leaves the old file or the new.
    input_names, output_names : sequence of str, optional
        Default: the names of the arguments of `forward`, and "output", "output_1", ...
    batch_dim : int or None, default 0
        The dimension of every input that may have any size in the file. None: all sizes are the
        example's.
    metadata : dict of str to str, optional
        Kept in the file.

    Raises
    ------
    ExportError
        If an op has no counterpart (the message names it and the module that used it), or the model
        depends on the batch size in a way that cannot be written.
    TypeError
        If the model asks for a value while it is traced, or an argument is of another kind.
    ModuleNotFoundError
        If the onnx package is not installed.
    OSError
        If the file cannot be written; an existing one stays as it was.

    References
    ----------
    Open Neural Network Exchange, operator set 20, https://onnx.ai/onnx/operators/.

    Examples
    --------
    >>> import nn, nn.export, tempfile
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.export.onnx(model, (1, 3), Path(folder, "model.onnx"))
    ...     Path(folder, "model.onnx").stat().st_size > 0
    True
    """
    try:
        import onnx as library
        import onnx.helper  # what the builder uses of it
        import onnx.numpy_helper
    except ImportError as error:
        raise ModuleNotFoundError(
            "export to ONNX needs the onnx package: pip install dagrad[onnx]"
        ) from error
    specs = _specs(example)
    program = _traced(model, specs, batch_dim)
    inputs = _input_names(model, len(specs), input_names)
    names = {}
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        names[id(tensor.value)] = name
    clash = [name for name in inputs if name in names.values()]
    if clash:
        raise ValueError(f"onnx: {clash[0]!r} is the name of an input and of a parameter")
    builder = Builder(library, program, names, inputs, batch_dim)
    _emit(builder)
    outputs = _outputs(builder, output_names)
    graph = library.helper.make_graph(
        builder.nodes,
        type(model).__name__,
        [
            _value_info(builder, name, program.lines[index].dtype, program.lines[index].shape)
            for name, index in zip(inputs, program.inputs, strict=True)
        ],
        outputs,
        list(builder.initializers.values()),
    )
    made = library.helper.make_model(
        graph,
        opset_imports=[library.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="dagrad",
        producer_version=_version(),
    )
    library.helper.set_model_props(made, {"model": type(model).__name__, **(metadata or {})})
    if made.ByteSize() > MAX_BYTES:
        raise ExportError(f"the model is larger than an ONNX file can be, {MAX_BYTES} bytes")
    library.checker.check_model(made, full_check=True)
    write_atomically(Path(path), made.SerializeToString())


def _specs(example: Any) -> list[Spec]:
    """What the inputs are like."""
    if isinstance(example, list):
        example = tuple(example)
    if not isinstance(example, tuple) or all(isinstance(n, int) for n in example):
        example = (example,)
    specs = []
    for one in example:
        if isinstance(one, tuple):
            specs.append(Spec(one))
        elif isinstance(one, Tensor | np.ndarray | Spec):
            specs.append(Spec(one.shape, np.dtype(one.dtype)))
        else:
            raise TypeError(
                f"onnx: an example is a Tensor, an ndarray or a shape, not a {type(one).__name__}"
            )
    return specs


# ---------------------------------------------------------------- tracing


def _traced(model: Module, specs: list[Spec], batch_dim: int | None) -> Program:
    """The program of a model, in evaluation mode."""
    sizes = {spec.shape[batch_dim] for spec in specs if batch_dim is not None and spec.shape}
    if len(sizes) > 1:
        raise ValueError(
            f"onnx: the examples have batches of different sizes along dimension {batch_dim}: "
            f"{sorted(sizes)}"
        )
    # Sizes that no other dimension is likely to have, and none of them 1, which broadcasts.
    given = max(sizes, default=1)
    batches = (given, given) if batch_dim is None else (given + 1, given + 2)
    training = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        first, origins = _run(model, [with_batch(s, batch_dim, batches[0]) for s in specs])
        if batch_dim is None:
            second, others = first, origins
        else:
            second, others = _run(model, [with_batch(s, batch_dim, batches[1]) for s in specs])
    finally:
        for module, mode in training:
            module.training = mode
    return program_of((first, second), batches, (origins, others))


def _run(model: Module, specs: list[Spec]) -> tuple[Graph, list[Origin]]:
    """Trace a model; where each step was made."""
    spans: list[list[Any]] = []
    lines = _Lines()
    WATCHERS.append(lines)
    try:
        with _watching(model, spans), no_grad():
            graph = trace(lambda *inputs: tuple(_leaves(model(*inputs))), *specs)
    finally:
        WATCHERS.remove(lines)
    modules, places = [""] * len(graph.steps), [""] * len(graph.steps)
    for name, start, stop in spans:  # outer ones first
        modules[start:stop] = [name] * (stop - start)
    for start, place in lines.found:
        places[start:] = [place] * (len(places) - start)
    return graph, [Origin(*pair) for pair in zip(modules, places, strict=True)]


class _Lines(Watcher):
    """Notes the user's line of each op, with the number of steps before it."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> None:
        """Look at a call before it runs."""
        traced = next((value for value in values if isinstance(value, Abstract)), None)
        frame = next(user_frames(sys._getframe(1)), None)
        if traced is not None and frame is not None:
            place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
            self.found.append((len(traced.trace.graph.steps), place))


@contextlib.contextmanager
def _watching(model: Module, spans: list[list[Any]]) -> Iterator[None]:
    """Note which steps of the trace each module makes."""
    open_now: list[list[Any]] = []
    handles = []

    def length(*values: Any) -> int:
        for value in _leaves(values):
            if isinstance(value, Variable) and isinstance(value.value, Abstract):
                return len(value.value.trace.graph.steps)
        return -1

    def enter(name: str) -> Any:
        def hook(module: Module, args: Any, kwargs: Any) -> None:
            span = [name, length(args, tuple(kwargs.values())), -1]
            open_now.append(span)
            spans.append(span)

        return hook

    def leave(module: Module, args: Any, output: Any) -> None:
        span = open_now.pop()
        span[2] = length(output)
        if -1 in span:
            spans.remove(span)

    try:
        for name, module in model.named_modules():
            hook = enter(name)
            handles.append(module.register_forward_pre_hook(hook, with_kwargs=True))
            handles.append(module.register_forward_hook(leave))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _leaves(value: Any) -> Iterator[Any]:
    """Tensors in what a model returns, from the outside in."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, Mapping):
        yield from _leaves(list(value.values()))
    elif value is not None:
        yield value


# ---------------------------------------------------------------- writing


def _emit(builder: Builder) -> None:
    """Write every line that an output needs."""
    program = builder.program
    needed = {output.index for output in program.outputs if isinstance(output, Ref)}
    for index in range(len(program.lines) - 1, -1, -1):
        if index in needed and program.lines[index].values is None:
            needed |= {a.index for a in program.lines[index].args if isinstance(a, Ref)}
    for index, line in enumerate(program.lines):
        if index not in needed or line.values is not None or not line.op:
            continue
        builder.origin = line.origin
        emitter = EMITTERS.get(line.op)
        if emitter is None:
            raise ExportError(
                f"the op {line.op!r} has no counterpart among the ONNX operators that are written "
                f"here{builder.where()}"
            )
        builder.values[index] = emitter(builder, line)
    builder.origin = Origin()


def _outputs(builder: Builder, names: Sequence[str] | None) -> list[Any]:
    """Name the results; an input or constant that is returned as it is gets a node of its own."""
    outputs = builder.program.outputs
    if names is None:
        names = ["output" if i == 0 else f"output_{i}" for i in range(len(outputs))]
    if len(names) != len(outputs):
        raise ValueError(f"onnx: {len(names)} output names for {len(outputs)} outputs")
    infos = []
    for name, output in zip(names, outputs, strict=True):
        if not isinstance(name, str) or name in builder.taken:
            raise ValueError(f"onnx: the name of an output, {name!r}, is taken or no str")
        builder.taken.add(name)
        builder.nodes.append(
            builder.onnx.helper.make_node("Identity", [builder.value(output)], [name], name=name)
        )
        line = builder.line(output)
        infos.append(_value_info(builder, name, line.dtype, line.shape))
    return infos


def _value_info(builder: Builder, name: str, dtype: Any, shape: Sequence[Any]) -> Any:
    # A size such as 2 * batch + 1 has no name: it is left open.
    sizes = [
        (BATCH if size == Size(0, 1) else None) if isinstance(size, Size) else size
        for size in shape
    ]
    return builder.onnx.helper.make_tensor_value_info(name, builder.kind_of(dtype), sizes)


def _input_names(model: Module, count: int, names: Sequence[str] | None) -> list[str]:
    if names is None:
        found = [
            name
            for name, parameter in inspect.signature(model.forward).parameters.items()
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]
        names = found[:count] if len(found) >= count else [f"input_{i}" for i in range(count)]
    names = list(names)
    if len(names) != count or len(set(names)) != count:
        raise ValueError(f"onnx: {count} different input names expected, got {names}")
    return names


def _version() -> str:
    try:
        return version("dagrad")
    except PackageNotFoundError:  # run from a checkout
        return ""
