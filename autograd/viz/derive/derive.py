"""derive: the chain rule of a small graph, written out as one would on paper."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from ...graph import Variable, toposort
from ..capture import Captured, capture
from ..places import named_in
from ..record import record
from . import text
from .graph import Reading
from .rows import Rows
from .text import Section

MAX_NODES = 60
"""More would be pages of equations, which nobody reads."""

MAX_PATHS = 6
"""With more ways from a variable to the loss, they are summed where they meet, and not listed."""


@dataclass(slots=True)
class Derivation:
    """The chain rule, written out.

    Prints as text; a notebook shows the equations.

    Attributes
    ----------
    loss : str
        Its name.
    sections : list of Section
    gradients : dict
        For each variable asked for, by name: the engine's own gradient, a float or an array.
    paths : dict
        For each of them, if all on the way are single numbers and the ways are few: a list of
        (names from the variable to the loss, product of the derivatives on the way).
    """

    loss: str
    sections: list[Section] = field(default_factory=list)
    gradients: dict[str, Any] = field(default_factory=dict)
    paths: dict[str, list[tuple[tuple[str, ...], float]]] = field(default_factory=dict)

    @property
    def unicode(self) -> str:
        """Lines of text."""
        return text.as_text(self.sections)

    @property
    def latex(self) -> str:
        """An ``aligned`` environment for mathematical mode (LaTeX with amsmath, MathJax, KaTeX)."""
        return text.as_latex(self.sections)

    def __str__(self) -> str:
        return self.unicode

    def __repr__(self) -> str:
        return f"<derivation of {self.loss} with respect to {', '.join(self.gradients)}>"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"

    def _repr_markdown_(self) -> str:
        return text.as_markdown(self.sections)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/plain": self.unicode,
            "text/latex": self._repr_latex_(),
            "text/markdown": self._repr_markdown_(),
        }


def derive(
    loss: Variable | Callable[[], Variable],
    wrt: Variable | str | Iterable[Variable | str] | None = None,
    *,
    numbers: bool = True,
) -> Derivation:
    """Write out the chain rule: each step, its derivatives, and their products along the paths.

    Parameters
    ----------
    loss : Tensor or Scalar, or a callable
        One number. A callable takes no arguments and returns it; it runs under a recording, so
        that the names of all steps are known.
    wrt : Tensor, Scalar, str, or several of them, optional
        With respect to what: variables of the graph, or their names. Default: every leaf that
        requires grad.
    numbers : bool
        Put the numbers in (of arrays only where there are few).

    Returns
    -------
    Derivation

    Raises
    ------
    ValueError
        If the graph has more than `MAX_NODES` nodes, was freed by a backward pass, or has no
        gradient; if a name in `wrt` is unknown.
    TypeError
        If `loss` or `wrt` is something else.

    Examples
    --------
    >>> from autograd import Scalar, viz
    >>> from autograd.viz.derive.derive import derive
    >>> x, w = Scalar(2.0), Scalar(-3.0)
    >>> def line():
    ...     h = w * x
    ...     loss = h**2
    ...     return loss
    >>> print(derive(line, "w"))
    Given
      x = 2,  w = -3
    <BLANKLINE>
    Forward: what each step computes
      h    = w·x = -3·2 = -6
      loss = h² = (-6)² = 36
    <BLANKLINE>
    Each step's own derivatives
      ∂h/∂w    = x = 2
      ∂loss/∂h = 2·h = 2·(-6) = -12
    <BLANKLINE>
    Backward: from the loss to the variables
      d loss/d h = ∂loss/∂h = -12
      d loss/d w = d loss/d h · ∂h/∂w = -12·2 = -24
    <BLANKLINE>
    Along the paths
      d loss/d w = ∂loss/∂h · ∂h/∂w = -12·2 = -24   (w → h → loss)
    """
    if callable(loss) and not isinstance(loss, Variable):
        with record():
            loss = loss()
    if not isinstance(loss, Variable):
        raise TypeError(
            "derive: expected a Tensor or a Scalar, or a function without arguments that returns "
            f"one, not {type(loss).__name__}"
        )
    size = 0 if loss.node is None else len(toposort([loss.node]))
    if size > MAX_NODES:
        raise ValueError(
            f"derive: the graph has {size} nodes, and written out nobody could read more than "
            f"{MAX_NODES}; viz.zoom shows how one element came about, viz.film plays every step"
        )
    captured = capture(loss)
    if captured.problem:
        raise ValueError(f"derive: {captured.problem}")
    reading = Reading(captured)
    return _written(reading, Rows(reading, numbers), _wanted(captured, wrt, sys._getframe(1)))


def _wanted(captured: Captured, wrt: Any, frame: FrameType) -> list[tuple[int, str]]:
    """The vertices asked for: index and name; index -1 for what is not in the graph."""
    vertices, nodes = captured.diagram.vertices, captured.nodes
    if wrt is None:
        return [(i, "") for i, node in enumerate(nodes) if node is not None and node.op is None]
    found = []
    for position, item in enumerate([wrt] if isinstance(wrt, Variable | str) else list(wrt)):
        if isinstance(item, str):
            named = [v.index for v in vertices if v.name == item and nodes[v.index] is not None]
            if not named:
                known = sorted({v.name for v in vertices if v.name and nodes[v.index] is not None})
                raise ValueError(
                    f"derive: no variable is called {item!r}; those with a gradient that have a "
                    f"name are {known}"
                )
            found.append((named[-1], item))
        elif isinstance(item, Variable):
            name = named_in(frame, item) or f"wrt[{position}]"
            if not item.requires_grad or item.node is None:
                raise ValueError(
                    f"derive: {name} has requires_grad=False, so it was not recorded what depends "
                    "on it"
                )
            found.append((captured.index.get(item.node, -1), name))
        else:
            raise TypeError(
                f"derive: wrt must be variables or their names, not {type(item).__name__}"
            )
    return found


def _written(reading: Reading, rows: Rows, wanted: list[tuple[int, str]]) -> Derivation:
    """All sections."""
    result = Derivation(rows.loss)
    useful = reading.leading_to(i for i, _ in wanted)
    steps = [v for v in reading.vertices if v.op]
    back = [v for v in reversed(reading.vertices) if v.index in useful and v.index != reading.end]
    backward = [rows.gradient(v) for v in back]
    along = []
    for index, name in wanted:
        label = reading.labels[index] if index >= 0 else name
        gradient = reading.vertices[index].grad if index >= 0 else None
        if gradient is None:
            backward.append(rows.unreached(label, is_part=index >= 0))
            gradient = 0.0
        elif index == reading.end:
            backward.append(rows.gradient(reading.vertices[index]))
        else:
            paths = reading.paths(index, MAX_PATHS)
            if paths:
                along += rows.along(paths)
                result.paths[label] = [
                    (tuple(reading.labels[i] for i in path), reading.product(path))
                    for path in paths
                ]
        scalar = not getattr(gradient, "shape", ())
        result.gradients[label] = float(gradient) if scalar else gradient
    sections = [
        Section("Given", rows.given()),
        Section("Forward: what each step computes", [rows.definition(v) for v in steps]),
        Section("Each step's own derivatives", [r for v in steps for r in rows.local(v, useful)]),
        Section("Backward: from the loss to the variables", backward),
        Section("Along the paths", along),
        Section("Where", rows.legend()),
    ]
    result.sections = [s for s in sections if s.rows]
    return result
