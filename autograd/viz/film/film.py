"""film: forward and backward, step by step, with the arithmetic, as one page of HTML.

Python puts into the page what the engine computed; the page shows it, and computes again only
what the reader changes with a slider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...graph import Variable
from ..capture import capture
from ..fold.fold import fold
from ..model import Diagram
from .origins import Origins

# A film of more steps than this is longer than anybody watches.
LIMIT = 600
FRAME_HEIGHT = 720  # of a film in a notebook, in pixels


class Film:
    """A page on which a graph runs forward and backward; shown by notebooks.

    Holds no reference to the graph it was made of.

    Attributes
    ----------
    diagram : Diagram
        What is shown, with parts folded where there were too many.
    title : str
    """

    def __init__(
        self, diagram: Diagram, title: str = "", hidden: dict[int, set[int]] | None = None
    ) -> None:
        self.diagram = diagram
        self.title = title
        self._hidden = hidden
        self._html = ""

    @property
    def html(self) -> str:
        """The page: one file, which needs no network."""
        if not self._html:
            from .page import page

            self._html = page(self.diagram, self.title, self._hidden)
        return self._html

    def save(self, path: str | Path) -> Path:
        """Write the page.

        Raises
        ------
        ValueError
            If the suffix is not ``.html`` or ``.htm``.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"save: a film is a page: end the name {path.name!r} in .html")
        path.write_text(self.html, encoding="utf-8")
        return path

    def __repr__(self) -> str:
        return f"<Film: {len(self.diagram.vertices)} vertices; save it as .html to watch it>"

    def _repr_html_(self) -> str:
        from html import escape

        return (
            f'<iframe srcdoc="{escape(self.html)}" title="{escape(self.title)}" '
            f'width="100%" height="{FRAME_HEIGHT}" style="border:0"></iframe>'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def film(
    loss: Variable | Callable[[], Any] | Any,
    *,
    names: Mapping[str, Any] | None = None,
    title: str = "",
) -> Film:
    """Show the chain rule at work on a graph: a film to play, step through and try numbers in.

    Parameters
    ----------
    loss : Tensor, Scalar, callable, or anything with a `diagram`
        One number, from which gradients flow back. A function without arguments that returns it
        tells most: it is run, so that all values, names and source lines are known. A Graph or
        a Zoom is shown with what it holds.
    names : mapping, optional
        Names for variables, or for modules whose parameters are meant.
    title : str
        Of the page; default the name of what it shows.

    Returns
    -------
    Film

    Raises
    ------
    TypeError
        If `loss` is something else.
    ValueError
        If there is nothing to show: no gradient flows, or an earlier backward freed the graph.

    Notes
    -----
    A slider computes the recorded operations again, in the page: an ``if`` of the function that
    would choose others with other numbers is not run again.

    Examples
    --------
    >>> from autograd import Scalar
    >>> from autograd.viz.film.film import film
    >>> a, b = Scalar(2.0), Scalar(-3.0)
    >>> shown = film(a * b + b, names={"a": a, "b": b})
    >>> shown
    <Film: 4 vertices; save it as .html to watch it>
    >>> shown.diagram.vertices[1].name, shown.diagram.vertices[1].grad
    ('b', 3.0)
    """
    hidden: dict[int, set[int]] | None = None
    diagram = loss if isinstance(loss, Diagram) else getattr(loss, "diagram", None)
    if diagram is None:
        if not isinstance(loss, Variable | list | tuple) and not callable(loss):
            raise TypeError(
                "film: expected a Tensor, a Scalar, a function without arguments that returns one, "
                f"or something with a diagram, not {type(loss).__name__}"
            )
        with Origins() as origins:
            captured = capture(loss, names=names)
            hidden = origins.hidden(captured) if callable(loss) else None
        if captured.problem:
            raise ValueError(f"film: there are no gradients to show: {captured.problem}")
        diagram = captured.diagram
    elif not isinstance(diagram, Diagram):
        raise TypeError(f"film: .diagram must be a Diagram, not {type(diagram).__name__}")
    if not any(v.grad is not None for v in diagram.vertices):
        raise ValueError(
            "film: this diagram has no gradients: it was drawn from a graph that an earlier "
            "backward had freed (give that retain_graph=True), from shapes alone, or without "
            "backward; pass a function that returns the loss instead"
        )
    if len(diagram.vertices) > LIMIT:
        diagram, hidden = fold(diagram, limit=LIMIT), None
    return Film(diagram, title or _title(diagram), hidden)


def _title(diagram: Diagram) -> str:
    shown = [diagram.vertices[i].name or diagram.vertices[i].op for i in diagram.outputs]
    return diagram.title or ", ".join(shown) or "film"
