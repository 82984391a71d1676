"""zoom: one element of a result, expanded into the scalars that it was computed from."""

from __future__ import annotations

import difflib
import math
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...graph import Abstract, Variable
from ..capture import capture
from ..model import Diagram, Vertex
from ..summary import number
from .build import Builder
from .items import Folded, Part
from .maps import position_of
from .text import table

if TYPE_CHECKING:
    from ..film.film import Film
    from ..graph import Graph

__all__ = ["Folded", "Part", "Zoom", "zoom"]


@dataclass(repr=False)
class Zoom:
    """One element of a result, and what it was computed from.

    Prints as a table; ``zoomed["w[3, 0]"]`` is the vertex of one element. Holds no reference to
    the graph it was read from.

    Attributes
    ----------
    diagram : Diagram
        All vertices are single numbers: elements, called ``w[3, 0]``; products of two of them;
        and sums of terms that were folded, of kind "group". A vertex's ``grad`` is the derivative
        of the zoomed element with respect to it, over all paths that are shown, and ``about``
        says where there are others. An edge's ``slope`` is one factor of the chain rule, its
        ``contribution`` the product of all of them so far.
    folded : list of Folded
        What each group of the diagram stands for.
    cut : dict of str to int
        How many elements were not expanded, by the reason: ``{"depth 3": 12}``.
    """

    diagram: Diagram
    folded: list[Folded] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether nothing was folded, and all is shown down to leaves and constants."""
        return not self.folded and not self.cut

    @property
    def root(self) -> Vertex:
        """The vertex of the element itself."""
        return self.diagram.vertices[self.diagram.outputs[0]]

    def __getitem__(self, name: str) -> Vertex:
        """The vertex of the element called `name`, such as "w[3, 0]".

        Raises
        ------
        KeyError
            If it is not shown.
        """
        named = {v.name: v for v in self.diagram.vertices}
        if name not in named:
            near = difflib.get_close_matches(str(name), named, 3)
            hint = f"; there is {', '.join(near)}" if near else ""
            raise KeyError(f"{name!r} is not among the {len(named)} vertices shown{hint}")
        return named[name]

    @property
    def graph(self) -> Graph:
        """The diagram as a picture, to look at or to save."""
        from ..graph import Graph

        return Graph(self.diagram, repeats=False, limit=None)

    def film(self) -> Film:
        """The diagram as a film: forward, then backward, step by step."""
        from ..film.film import film

        # Closed frames of modules would hide the very steps that it is about.
        vertices = [replace(vertex, cluster="") for vertex in self.diagram.vertices]
        return film(replace(self.diagram, vertices=vertices, clusters={}))

    def __str__(self) -> str:
        value = "?" if self.root.value is None else number(self.root.value)
        lines = [f"{self.root.name} = {value}, as {len(self.diagram.vertices):,} scalars"]
        if self.folded:
            count = sum(folded.count for folded in self.folded)
            lines.append(f"folded terms: {count:,}, drawn as {len(self.folded):,}")
        if self.cut:
            why = ", ".join(f"{count:,} ({reason})" for reason, count in self.cut.items())
            lines.append(f"elements whose operands are not shown: {why}")
        return "\n".join([*lines, "", *table(self.diagram)])

    def __repr__(self) -> str:
        return f"<Zoom of {self.root.name}: {len(self.diagram.vertices)} vertices>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "image/svg+xml": self.graph.svg()}


def zoom(
    tensor: Variable | Callable[[], Variable],
    index: int | Sequence[int] = (),
    *,
    depth: int = 3,
    limit: int = 200,
    terms: int = 6,
    names: Mapping[str, Any] | None = None,
) -> Zoom:
    """Expand one element of a result into its scalar graph, with all partial derivatives.

    Sums are folded: of a dot product or a reduction the largest terms are shown, the others as
    one vertex "sum of 78 more". Ops that only move elements are passed through. Derivatives come
    from the rules that the engine applies in backward; nothing of the graph is changed.

    Parameters
    ----------
    tensor : Tensor, Scalar or callable
        A result whose graph still holds its values (zoom before backward, or give backward
        ``retain_graph=True``); or a function without arguments that returns one, of which then
        every name, source line and value is known. A gradient too, if it was computed with
        ``create_graph=True``.
    index : int or sequence of int
        Of the element; negative numbers count from the end. None needed if there is but one.
    depth : int
        How many ops to go down.
    limit : int
        Most vertices to show: elements with the largest gradients are expanded first.
    terms : int
        Most terms of a sum to show one by one: those with the largest contributions.
    names : mapping, optional
        Name -> Tensor, Scalar or module, where the names of the caller's variables are not right.

    Returns
    -------
    Zoom

    Raises
    ------
    TypeError
        If `tensor` is something else, or `index` is not made of ints.
    IndexError
        If there is no such element.
    ValueError
        If the tensor is a leaf or has no graph, or an option is not a positive int.
    RuntimeError
        If a value was freed by an earlier backward, or changed in place since.

    Examples
    --------
    >>> import autograd
    >>> from autograd.viz.zoom.zoom import zoom
    >>> w = autograd.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> x = autograd.tensor([0.5, -1.0])
    >>> h = autograd.relu(w @ x + 3.0)
    >>> print(zoom(h, 0, names={"w": w, "x": x, "h": h}))
    h[0] = 1.5, as 9 scalars
    <BLANKLINE>
                                  value  slope  gradient
    h[0]                relu        1.5                1
    └ add1[0]           add         1.5      1         1
      └ matmul1[0]      sum        -1.5      1         1
        ├ w[0, 1]·x[1]  mul          -2      1         1
        │ ├ w[0, 1]     leaf          2     -1        -1
        │ └ x[1]        constant     -1
        └ w[0, 0]·x[0]  mul         0.5      1         1
          ├ w[0, 0]     leaf          1    0.5       0.5
          └ x[0]        constant    0.5
    """
    for name, value in (("depth", depth), ("limit", limit), ("terms", terms)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"zoom: {name} must be a positive int, not {value!r}")
    if not isinstance(tensor, Variable) and not callable(tensor):
        raise TypeError(
            f"zoom: expected a Tensor, a Scalar, or a function without arguments that returns "
            f"one, not {type(tensor).__name__}"
        )
    if isinstance(tensor, Variable):
        _check_graph(tensor)
    captured = capture(tensor, backward=False, names=names)
    if len(captured.outputs) != 1:
        raise TypeError(f"zoom: expected one tensor, not {len(captured.outputs)}")
    output = captured.outputs[0]
    _check_graph(output)
    position = position_of(_checked_index(index, output.shape), output.shape)
    root = captured.diagram.outputs[0]
    builder = Builder(captured, root, position, depth, limit, terms)
    builder.grow()
    diagram = builder.diagram()
    return Zoom(diagram, builder.folded(), dict(Counter(why for _, why in builder.cut)))


def _check_graph(tensor: Variable) -> None:
    """Raise if there is nothing to expand."""
    if tensor.value.__class__ is Abstract:
        raise ValueError("zoom: the tensor was traced without values: there are no numbers to show")
    node = tensor.node
    if node is not None and node.op is not None:
        return
    if tensor.requires_grad:
        raise ValueError(
            "zoom: a leaf was not computed from anything: zoom a result that depends on it"
        )
    raise ValueError(
        "zoom: the tensor has no graph: nothing that it was computed from requires grad, or it "
        "was computed inside no_grad, or detached (a gradient has one only if it was computed "
        "with create_graph=True)"
    )


def _checked_index(index: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """One non-negative int for each dimension."""
    entries = list(index) if isinstance(index, tuple | list) else [index]
    found = []
    for entry in entries:
        try:
            if isinstance(entry, bool):
                raise TypeError
            found.append(operator.index(entry))
        except TypeError:
            raise TypeError(
                f"zoom: index must be an int or a tuple of ints, not {index!r}"
            ) from None
    if not found and math.prod(shape) == 1:
        return (0,) * len(shape)
    if len(found) != len(shape):
        raise IndexError(
            f"zoom: a tensor of shape {shape} needs {len(shape)} ints to tell an element, "
            f"met {index!r}"
        )
    if not all(-n <= i < n for i, n in zip(found, shape, strict=True)):
        raise IndexError(f"zoom: index {index!r} is out of range for shape {shape}")
    return tuple(i % n for i, n in zip(found, shape, strict=True))
