"""Checkpoints: what a function computed on its way is worked out again in backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..graph import Op, Variable, wrap
from ..modes import enable_grad, mode, no_grad
from ..random import default_generator
from ..watch import WATCHERS, Watcher
from .calls import Pieces, make_op, record_call
from .places import fresh, pulled, tracked_inside
from .tree import flatten, unflatten


class Outside(Watcher):
    """Finds what a function uses that requires grad, parameters for one, besides its arguments."""

    def __init__(self) -> None:
        self.found: dict[int, Variable] = {}
        self.beneath = False  # what a vmap took apart is tracked

    def see(
        self, op: Op, inputs: Sequence[Any], values: Sequence[Any], params: dict[str, Any]
    ) -> None:
        """Note the inputs of an op."""
        self.enter(inputs)

    def enter(self, arguments: Sequence[Any]) -> None:
        """Note the arguments of a call that is no op."""
        for item in arguments:
            if isinstance(item, Variable) and item.requires_grad:
                self.found[id(item)] = item
            self.beneath = self.beneath or tracked_inside(item)


class Segment:
    """A function whose inside is not kept.

    Attributes
    ----------
    leaves : list
        Its arguments, None in the place of tensors that require grad.
    slots : list of int
        Where in `leaves` these belong.
    outside : list of Variable
        What else it uses that requires grad.
    """

    def __init__(
        self, function: Callable[..., Any], args: Any, kwargs: Any, preserve: bool
    ) -> None:
        self.function = function
        self.leaves, self.structure = flatten((args, kwargs))
        self.slots = [
            i for i, v in enumerate(self.leaves) if isinstance(v, Variable) and v.requires_grad
        ]
        self.state = default_generator.state_dict() if preserve else None
        self.outside: list[Variable] = []
        self.pieces = Pieces([])
        self.live: list[int] = []

    def call(self, inside: Sequence[Any]) -> list[Any]:
        """The leaves of the result, for `inside` in the place of the arguments."""
        leaves = list(self.leaves)
        for slot, value in zip(self.slots, inside, strict=True):
            leaves[slot] = value
        args, kwargs = unflatten(leaves, self.structure)
        outputs, self.result = flatten(self.function(*args, **kwargs))
        return outputs

    @contextmanager
    def as_before(self) -> Iterator[None]:
        """Draw the random numbers of the first time again."""
        if self.state is None:
            yield
            return
        now = default_generator.state_dict()
        default_generator.load_state_dict(self.state)
        try:
            yield
        finally:
            default_generator.load_state_dict(now)

    def backward(self, g: Any, inputs: Sequence[Any]) -> list[Any]:
        """Run again, recorded; then the gradients, of the arguments and of what else was used."""
        raw = not isinstance(g, Variable)
        record = not raw and mode.grad
        given = [wrap(v) if not isinstance(v, Variable) else v for v in inputs]
        with enable_grad():
            places = [fresh(v, record) for v in given]
            count = len(self.slots)
            with self.as_before(), standing_for(self.outside, places[count:]):
                outputs = self.call(places[:count])
        outputs = [outputs[i] for i in self.live]
        weights = [wrap(w) if raw else w for w in self.pieces.apart(g)]
        self.pieces.arrived.clear()
        found = pulled(outputs, places, weights, record, keep=False)
        return [f.value if raw and f is not None else f for f in found]


def is_float(y: Variable) -> bool:
    """True for floating-point tensors and Scalars: only they have gradients."""
    return y.dtype is float or y.dtype.kind == "f"


@contextmanager
def standing_for(variables: Sequence[Variable], places: Sequence[Variable]) -> Iterator[None]:
    """Let `variables` lead to `places` in what is recorded inside, not on into their own graph."""
    nodes = [v.node for v in variables]
    for v, place in zip(variables, places, strict=True):
        v.node = place.node
    try:
        yield
    finally:
        for v, node in zip(variables, nodes, strict=True):
            v.node = node


def _backward(g: Any, y: Any, *inputs: Any, segment: Segment) -> list[Any]:
    return segment.backward(g, inputs)


def _again(*values: Any, segment: Segment) -> Any:
    with no_grad(), segment.as_before():
        outputs = segment.call([wrap(v) for v in values[: len(segment.slots)]])
    return outputs[segment.live[0]].value, None


CHECKPOINT = make_op("checkpoint", _backward, _again)
CHECKPOINT.reads = [frozenset({"inputs"})]


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call `function` without keeping what it computes on the way; backward calls it again.

    Time for memory: between here and backward only arguments and results are kept.

    Parameters
    ----------
    function : callable
        Takes and returns tensors, or tuples, lists and dictionaries with tensors. It must do the
        same again when it is called again. Tensors that it uses from elsewhere (parameters of a
        module) receive their gradients too.
    *args, **kwargs
        Of the call.
    use_reentrant : bool, optional
        PyTorch has two ways, this library one, which has the limits of neither: gradients of
        gradients, nesting, and ``autograd.grad`` work with either value.
    preserve_rng_state : bool
        Draw the same random numbers again (those of the default generator), for dropout.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> autograd.checkpoint(lambda x: x.exp().sin(), x).sum().backward()
    >>> x.grad
    tensor([-2.4783,  3.3129])
    """
    if not mode.grad:
        return function(*args, **kwargs)
    segment = Segment(function, args, kwargs, preserve_rng_state)
    inside = [segment.leaves[i] for i in segment.slots]
    outside = Outside()
    WATCHERS.append(outside)
    try:
        with no_grad():
            outputs = segment.call(inside)
    finally:
        WATCHERS.remove(outside)
    if outside.beneath:  # this node would hide the function from the graph of what is beneath
        with segment.as_before():
            return function(*args, **kwargs)
    structure = segment.result
    mine = {id(v) for v in inside}
    segment.outside = [v for key, v in outside.found.items() if key not in mine]
    inputs = [*inside, *segment.outside]
    for i in segment.slots:
        segment.leaves[i] = None  # the node holds what it needs of them
    for i, y in enumerate(outputs):
        if isinstance(y, Variable) and not y.requires_grad and is_float(y):
            segment.live.append(i)
    if not inputs or not segment.live:
        return unflatten(outputs, structure)
    tensors = [outputs[i].value for i in segment.live]
    _, variables, segment.pieces = record_call(
        CHECKPOINT, inputs, {"segment": segment}, tensors, [True] * len(tensors), None
    )
    for i, variable in zip(segment.live, variables, strict=True):
        outputs[i] = variable
    return unflatten(outputs, structure)


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Call functions one after the other, in segments of which all but the last are checkpoints.

    Parameters
    ----------
    functions : sequence of callable
        Such as an `nn.Sequential`.
    segments : int
    input : Tensor
    use_reentrant, preserve_rng_state
        As for `checkpoint`.

    Examples
    --------
    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> autograd.checkpoint_sequential([autograd.exp, autograd.sin, autograd.tanh], 2, x).shape
    (2,)
    """
    steps = list(functions)
    if segments < 1 or segments > max(len(steps), 1):
        raise ValueError(
            f"checkpoint_sequential: segments={segments}, but there are {len(steps)} functions"
        )

    def run(start: int, stop: int) -> Callable[[Any], Any]:
        def through(x: Any) -> Any:
            for step in steps[start:stop]:
                x = step(x)
            return x

        return through

    size = len(steps) // segments
    for start in range(0, size * (segments - 1), size):
        input = checkpoint(
            run(start, start + size),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )
    return run(size * (segments - 1), len(steps))(input)
