"""why: the reason for a gradient that is None, zero, NaN, huge or tiny, in words and as a path."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from ...engine import leading_to
from ...frames import user_frames
from ...graph import Abstract, Node, Variable, toposort
from ..names import Names
from ..record import Keep, Recording, note_of
from ..summary import number, shape_text
from .answer import Answer, Verdict
from .code import first_argument
from .cuts import Case
from .evidence import Evidence, likely_root, made_from
from .nan import bad, causes_of_nan, forward_origins
from .none import causes_of_none
from .size import causes_of_size, norm, way_back
from .zero import causes_of_partial_zero, causes_of_zero

UNNAMED = "the tensor"


def why(
    tensor: Variable,
    loss: Variable | Callable[[], Any] | None = None,
    *,
    names: Mapping[str, Any] | None = None,
) -> Answer:
    """Explain the gradient of a tensor: why it is None, zero, NaN, huge or tiny, and what to do.

    Nothing is changed: no ``.grad``, no graph. Asked of a tensor that holds NaN or infinity
    itself (a loss, say), it tells where that came from.

    Parameters
    ----------
    tensor : Tensor or Scalar
        The one whose gradient is in question.
    loss : Tensor, Scalar or callable, optional
        What the gradient is of. Without it: whatever was made of the tensor and is still alive,
        and the last recording. A function without arguments runs the step and returns the loss;
        it is watched, which tells most. If it calls backward, that adds to ``.grad`` as ever; if
        not, the answer is about the gradient that backward would give.
    names : mapping, optional
        Names for tensors, or for modules whose parameters are meant.

    Returns
    -------
    Answer
        ``str(answer)`` is the explanation, ``answer.causes`` the causes, most likely first,
        ``answer.graph`` the graph with the way and the culprits marked.

    Raises
    ------
    TypeError
        If `tensor` or `loss` is something else, or traced (without values).

    Examples
    --------
    >>> import autograd
    >>> from autograd.viz.why.why import why
    >>> x = autograd.tensor([-1.0, -2.0], requires_grad=True)
    >>> loss = x.relu().sum()
    >>> loss.backward()
    >>> answer = why(x, loss)
    >>> answer
    <Answer: zero (dead_relu)>
    >>> answer.causes[0].text.partition(";")[0]
    'relu: 2 of 2 elements are zero'
    """
    _check("tensor", tensor)
    frames = list(user_frames(sys._getframe(1)))
    recording, keep = Recording.latest, None
    if recording is not None and tensor.node is not None and tensor.node.time > recording.end:
        recording = None  # it knows nothing of what was made after it
    if loss is not None and not isinstance(loss, Variable):
        if not callable(loss):
            raise TypeError(
                "why: loss must be a Tensor, a Scalar or a function without arguments that returns "
                f"one, not {type(loss).__name__}"
            )
        loss, recording, keep = _watched(loss)
    if loss is not None:
        _check("loss", loss)
    known = Names(names)
    known.look_around(frames)
    name = known.of_leaf(tensor, tensor.node, note_of(tensor))
    written = first_argument(frames[0]) if frames else ""
    if not name or (tensor.role == "tensor" and written and not written.isidentifier()):
        name = written or UNNAMED
    return _Inquiry(tensor, loss, name, recording, keep, names).answer()


def _check(what: str, thing: Any) -> None:
    if not isinstance(thing, Variable):
        raise TypeError(f"why: {what} must be a Tensor or Scalar, not {type(thing).__name__}")
    if thing.value.__class__ is Abstract:
        raise TypeError(f"why: {what} is traced: it has no values; ask outside of the trace")


def _watched(function: Callable[[], Any]) -> tuple[Variable, Recording, Keep]:
    """Run a step, and keep all of it until the question is answered."""
    with Recording(private=True) as recording, Keep() as keep:
        loss = function()
    if not isinstance(loss, Variable):
        raise TypeError(f"why: the function must return the loss, not {type(loss).__name__}")
    return loss, recording, keep


class _Inquiry:
    """One question, from the evidence to the answer."""

    def __init__(
        self,
        tensor: Variable,
        loss: Variable | None,
        name: str,
        recording: Recording | None,
        keep: Keep | None,
        names: Mapping[str, Any] | None,
    ) -> None:
        self.tensor = tensor
        self.loss = loss
        self.name = name
        self.names = names
        self.case = Case(tensor, name, loss, recording, keep)
        self.found = Answer("healthy", "")

    def answer(self) -> Answer:
        """Look at the value, then at the gradient."""
        raw = self.tensor.value
        if bad(raw):
            self._of_value(raw)
        elif self._gradient() is None:
            self._of_none()
        else:
            evidence = self._evidence()
            self._of_gradient(self._gradient(), evidence)
            self._show(evidence)
        self.found.remarks += self.case.remarks
        return self.found

    def _gradient(self) -> Any:
        node = self.tensor.node
        grad = None if node is None else node.grad
        return None if grad is None else grad.value

    def _root(self) -> Node | None:
        """Where the gradient came from: the loss, or the likeliest end of what is alive."""
        node = self.tensor.node
        if self.loss is not None:
            root = self.loss.node
            if root is None or node is None:
                return None
            return root if root in leading_to({node}, toposort([root])) else None
        if node is None:
            return None
        own = None if node.grad is None else node.grad.node  # a gradient that was recorded
        made = [n for n in made_from(node, self.case.users) if n is not own]
        inside = set(made)
        ends = [n for n in made if inside.isdisjoint(self.case.users.get(n, ()))]
        return likely_root(ends)

    def _evidence(self) -> Evidence | None:
        root = self._root()
        return None if root is None else Evidence(root, self.tensor.node, self.names)

    def _show(self, evidence: Evidence | None) -> None:
        if evidence is not None:
            self.found.mark(evidence.diagram, evidence.path)
            self.found.remarks += evidence.remarks

    # --- What was found -----------------------------------------------------------------------

    def _of_value(self, raw: Any) -> None:
        """The tensor itself holds NaN or infinity."""
        array, node = np.asarray(raw), self.tensor.node
        what = "NaN" if np.isnan(array).any() else "infinite"
        count = int((~np.isfinite(array)).sum())
        self.found.verdict = "nan"
        self.found.headline = f"{self.name} is {what} itself, in {count} of {array.size} elements."
        if node is None:
            self.found.remarks.append(
                "It has no graph to look into: it is data, or was computed without recording."
            )
            return
        evidence = Evidence(node, node, self.names)
        self.found.causes = forward_origins(evidence)
        self._show(evidence)

    def _of_none(self) -> None:
        name = self.name
        self.found.verdict = "none"
        self.found.headline = f"{name}.grad is None."
        if name == UNNAMED:
            self.found.headline = f"The gradient of {UNNAMED} is None."
        self.found.causes = causes_of_none(self.case)
        evidence = self._evidence()
        if evidence is None:
            self._show_loss()
            return
        gradient = evidence.gradient(evidence.target)
        if gradient is not None:
            self._of_what_it_would_be(gradient, evidence)
        if self.tensor.node is not None:
            self._point(evidence, self.tensor.node)
        self._show(evidence)

    def _of_what_it_would_be(self, gradient: Any, evidence: Evidence) -> None:
        """The gradient that a backward pass gives, or gave, though ``.grad`` does not hold it."""
        outer, self.found = self.found, Answer("healthy", "")
        self._of_gradient(gradient, evidence)
        inner, case = self.found, self.case
        ran = case.recording is not None and case.recording.passes > 0
        if case.keep is not None and not ran and outer.causes[0].kind == "backward_not_called":
            inner.remarks.append(
                f"{self.name}.grad is None: the function ran no backward pass. This is the "
                "gradient that it would give."
            )
            return
        self.found = outer
        if inner.verdict != "healthy":
            outer.causes += inner.causes
            outer.remarks.append("Its gradient would not be healthy: " + inner.headline)
        else:
            outer.remarks.append(
                f"A backward pass gives it a gradient of norm {number(norm(gradient))}."
            )

    def _point(self, evidence: Evidence, node: Node) -> None:
        """Give the tensor's own vertex to causes that name no other."""
        index = evidence.index_of(node)
        if index >= 0:
            self.found.causes = [
                cause if cause.vertices else replace(cause, vertices=(index,))
                for cause in self.found.causes
            ]

    def _show_loss(self) -> None:
        """Draw the graph of the loss, marked where the values enter that left the tensor's."""
        if self.loss is None or self.loss.node is None:
            return
        evidence = Evidence(self.loss.node, None, self.names)
        for rank, cause in enumerate(self.found.causes):
            index = evidence.entry(self.case.entries.get((cause.kind, cause.source), set()))
            if index >= 0:
                self.found.causes[rank] = replace(cause, vertices=(index,))
                if evidence.target < 0:
                    evidence.aim(index)
        self.found.mark(evidence.diagram, evidence.path)

    def _of_gradient(self, gradient: Any, evidence: Evidence | None) -> None:
        """NaN, zero, or a question of size."""
        found, array = self.found, np.asarray(gradient)
        shape = "" if not array.shape else f" ({shape_text(array.shape)})"
        zeros, size = int((array == 0.0).sum()), array.size
        if evidence is not None:
            found.table = way_back(evidence)
        if bad(array):
            what = "NaN" if np.isnan(array).any() else "infinite"
            count = int((~np.isfinite(array)).sum())
            found.verdict = "nan"
            found.headline = f"The gradient of {self.name} is {what} in {count} of {size} elements."
            found.table = []
            if evidence is not None:
                found.causes = causes_of_nan(evidence, gradient)
        elif evidence is not None and bad(evidence.value(evidence.root)):
            found.verdict = "nan"
            found.headline = (
                f"The gradient of {self.name} is finite, but "
                f"{evidence.label(evidence.root)}, of which it was taken, is not."
            )
            found.table = []
            found.causes = forward_origins(evidence)
        elif size and zeros == size:
            found.verdict = "zero"
            found.table = []
            found.headline = f"The gradient of {self.name} is 0 in all {size} elements."
            if size == 1:
                found.headline = f"The gradient of {self.name} is 0."
            if evidence is not None:
                found.causes = causes_of_zero(evidence, gradient)
        else:
            self._of_size(array, evidence, shape)
            if zeros and evidence is not None and found.verdict == "healthy":
                self._of_partial(array, evidence, zeros)
        if not found.causes and found.verdict != "healthy":
            found.remarks.append(self._unknown(evidence))

    def _of_size(self, array: Any, evidence: Evidence | None, shape: str) -> None:
        found = self.found
        if not array.size:
            found.headline = f"The gradient of {self.name} has no elements{shape}."
            return
        text = f"norm {number(norm(array))}"
        if array.size > 1:
            text += f", elements from {number(np.min(array))} to {number(np.max(array))}"
        if evidence is not None and found.table:
            verdict, found.causes = causes_of_size(evidence, found.table)
            found.verdict = cast(Verdict, verdict)
        if found.verdict == "healthy":
            found.headline = f"The gradient of {self.name}{shape} is healthy: {text}."
        else:
            word = "has vanished" if found.verdict == "vanishing" else "has exploded"
            found.headline = f"The gradient of {self.name}{shape} {word}: {text}."

    def _of_partial(self, array: Any, evidence: Evidence, zeros: int) -> None:
        found = self.found
        causes, remarks = causes_of_partial_zero(evidence, array)
        found.remarks += remarks
        if causes:
            found.causes = causes
            found.verdict = "partly zero"
            found.headline = (
                f"The gradient of {self.name} is 0 in {zeros} of {array.size} elements; its norm "
                f"is {number(norm(array))}."
            )

    def _unknown(self, evidence: Evidence | None) -> str:
        if evidence is None:
            return (
                "No graph that it belongs to is alive. Give why the loss, or a function that runs "
                "the step and returns the loss."
            )
        return (
            "What is left of the graph does not tell why: values that it would take are gone. "
            "With viz.record() around the step, or with why(tensor, function), they are kept."
        )
