"""verify: check the rule of every node of a live graph against finite differences.

A gradient check of a whole function says that something is wrong, and of which input. This says
where: each node is taken by itself, moved a little in float64, and its rule asked what it sends
back for a random gradient; the wrong one is painted.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...gradcheck import GradcheckError
from ...graph import Abstract, Node, Spec, Variable
from ..capture import Captured, capture
from ..model import Diagram, Mark, Vertex
from ..summary import number
from .node import Examination, Finding

if TYPE_CHECKING:
    from ..graph import Graph

# The table of failures shows no more than this many lines, and the other lists no more than these.
LONGEST_TABLE = 40
LONGEST_LIST = 8
LEVELS = {"right": "good", "wrong": "bad", "kink": "warn", "imprecise": "warn"}
# From the worst to the best: what a node with several arguments is painted as.
WORST_FIRST = ("wrong", "imprecise", "kink", "skipped", "none", "right")


@dataclass(frozen=True, slots=True)
class Verified:
    """The findings about one node.

    Attributes
    ----------
    vertex : Vertex
        Of the diagram.
    findings : tuple of Finding
        One for each argument to which a gradient flows.
    """

    vertex: Vertex
    findings: tuple[Finding, ...]

    @property
    def status(self) -> str:
        """The worst of the findings."""
        return min((f.status for f in self.findings), key=WORST_FIRST.index)


class Verification:
    """The result of `verify`: true if no rule is wrong.

    Attributes
    ----------
    nodes : list of Verified
        Every recorded call, in topological order.
    diagram : Diagram
        The graph; right nodes are marked good, wrong ones bad, with both numbers.
    """

    def __init__(self, diagram: Diagram, nodes: list[Verified]) -> None:
        self.nodes = nodes
        marks = {v.vertex.index: _mark(v) for v in nodes if v.status in LEVELS}
        self.diagram = diagram.marked(marks)

    @property
    def ok(self) -> bool:
        """True if no rule was found wrong."""
        return not self.wrong

    @property
    def wrong(self) -> list[Verified]:
        """The nodes with a wrong rule."""
        return self.having("wrong")

    @property
    def graph(self) -> Graph:
        """The painted graph."""
        from ..graph import Graph

        return Graph(self.diagram)

    def having(self, status: str) -> list[Verified]:
        """The nodes with an argument of this status: see `Finding`."""
        return [v for v in self.nodes if any(f.status == status for f in v.findings)]

    def raise_if_wrong(self) -> None:
        """Raise if a rule is wrong.

        Raises
        ------
        GradcheckError
            With the text of this verification; its attributes tell of the first wrong argument.
        """
        if self.ok:
            return
        finding = next(f for f in self.wrong[0].findings if f.status == "wrong")
        error = GradcheckError(f"verify: {self}")
        error.input, error.element = finding.slot, finding.element
        error.analytic, error.numeric = finding.rule, finding.difference
        raise error

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"<Verification: {len(self.nodes)} nodes, {len(self.wrong)} wrong>"

    def __str__(self) -> str:
        wrong = self.wrong
        lines = []
        if wrong:
            many = "1 node has" if len(wrong) == 1 else f"{len(wrong)} nodes have"
            lines.append(f"{many} a wrong rule, of {len(self.nodes)}:")
            lines += _table(wrong)
        else:
            lines.append(f"no rule is wrong: {self._count()}")
        for status, title in (
            ("imprecise", "right, but not precise"),
            ("kink", "not differentiable here"),
            ("none", "no gradient on purpose"),
            ("skipped", "not checked"),
        ):
            lines += _listed(title, status, self.having(status))
        return "\n".join(lines)

    def _count(self) -> str:
        sound = sum(v.status == "right" for v in self.nodes)
        nodes = "1 node" if len(self.nodes) == 1 else f"{len(self.nodes)} nodes"
        return f"{nodes} checked" if sound == len(self.nodes) else f"{sound} of {nodes} agree fully"


def verify(
    loss: Variable | Sequence[Variable] | Callable[[], Any],
    *,
    eps: float | None = None,
    tolerance: float = 1e-4,
    samples: int = 2,
    seed: int = 0,
) -> Verification:
    """Compare the rule of every node behind `loss` with finite differences.

    Each node is run again by itself, in float64 whatever the graph's precision, on the values
    that it ran on; so a wrong rule is found where it is and not in all that lies before it.
    Neither the graph nor any ``.grad`` is changed.

    Parameters
    ----------
    loss : Tensor, Scalar, a sequence of them, or a callable
        A callable takes no arguments and returns the loss. Of a graph that a backward pass has
        freed, only what a recording has noted can be checked.
    eps : float, optional
        Size of the steps, relative to the elements; default the cube root of the precision.
    tolerance : float
        How far the rule and the differences may be apart, relative to their size.
    samples : int
        Random directions tried for each argument, and single elements. The first kind finds any
        wrong element; the second is for what cancels.
    seed : int
        Of all random choices: the same graph always gives the same report.

    Returns
    -------
    Verification
        Prints as a table of the failures; its ``graph`` is painted.

    Raises
    ------
    TypeError
        If `loss` is something else.
    ValueError
        If nothing behind `loss` was recorded, or an option is out of range.

    Notes
    -----
    Where a function has a kink (``relu`` at 0, a tie in ``max``) the slopes to both sides differ,
    and no rule is wrong: that is said and not counted. Second derivatives are for
    `autograd.gradgradcheck`.

    Examples
    --------
    >>> import autograd
    >>> from autograd.viz.verify.verify import verify
    >>> x = autograd.tensor([0.5, 2.0], requires_grad=True)
    >>> print(verify((x.sin() * x).sum()))
    no rule is wrong: 3 nodes checked
    """
    if eps is not None and not eps > 0.0:
        raise ValueError(f"verify: eps must be positive, not {eps}")
    if not tolerance > 0.0:
        raise ValueError(f"verify: tolerance must be positive, not {tolerance}")
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise ValueError(f"verify: samples must be 1, 2, 3, ..., not {samples!r}")
    captured = capture(loss, backward=False)
    if any(v.value.__class__ is Abstract for v in captured.outputs):
        raise ValueError("verify: the graph was traced without values: run it on data")
    operands = captured.diagram.operands()
    nodes = []
    for vertex, node in zip(captured.diagram.vertices, captured.nodes, strict=True):
        if node is None or node.op is None:
            continue
        values = _Values(captured, node, {e.slot: e.tail for e in operands[vertex.index]})
        if values.unknown:
            findings = _unknown(node, values.unknown)
        else:
            check = Examination(node, values.found, eps, tolerance, samples, seed)
            findings = check.findings()
        nodes.append(Verified(vertex, tuple(findings)))
    if not nodes:
        raise ValueError("verify: nothing was recorded behind this: it does not require grad")
    return Verification(captured.diagram, nodes)


class _Values:
    """The operands of a node: what it saved, or what is known of them from elsewhere."""

    def __init__(self, captured: Captured, node: Node, tails: dict[int, int]) -> None:
        self.found: list[Any] = []
        self.unknown = ""
        for slot, link in enumerate(node.inputs):
            value = None if node.saved is None else node.saved[slot + 1]
            if value is None or isinstance(value, Node | Spec):
                thing = link() if isinstance(link, weakref.ref) else link
                if isinstance(thing, Variable):
                    value = thing.value
                elif thing is not None and thing.__class__ is not Node:
                    value = thing
                else:
                    tail = tails.get(slot)
                    value = None if tail is None else captured.diagram.vertices[tail].value
                if value is None and link is not None:
                    assert node.op is not None
                    names = node.op.inputs
                    self.unknown = names[0] if node.op.variadic else names[slot]
            self.found.append(value)


def _unknown(node: Node, name: str) -> list[Finding]:
    assert node.op is not None
    if node.saved is None:
        why = "was freed by a backward: give it retain_graph=True, or verify before it"
    else:
        why = "is not known any more: verify inside record(), or give a function"
    slots = [i for i, link in enumerate(node.inputs) if link.__class__ is Node]
    names = node.op.inputs
    return [
        Finding("skipped", i, names[0 if node.op.variadic else i], reason=f"its {name} {why}")
        for i in slots
    ]


# --- What is said of it -------------------------------------------------------------------------


def _mark(verified: Verified) -> Mark:
    finding = next(f for f in verified.findings if f.status == verified.status)
    text = {"right": "rule agrees"}.get(finding.status, finding.reason)
    if finding.status == "wrong":
        text = finding.argument
        if finding.rule is not None and finding.difference is not None:
            text += f": rule {number(finding.rule)}, differences {number(finding.difference)}"
        text += f" ({finding.reason})" if finding.reason else ""
    return Mark(LEVELS[finding.status], text)  # pyright: ignore[reportArgumentType] - of LEVELS


def _table(wrong: list[Verified]) -> list[str]:
    rows: list[tuple[str, ...]] = [
        ("node", "argument", "element", "rule", "differences", "likely", "line")
    ]
    for verified in wrong:
        for finding in verified.findings:
            if finding.status == "wrong":
                rows.append(_row(verified.vertex, finding))
    left = len(rows) - 1 - LONGEST_TABLE
    rows = rows[: LONGEST_TABLE + 1]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  " + "  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return lines + ([f"  ... and {left} more"] if left > 0 else [])


def _row(vertex: Vertex, finding: Finding) -> tuple[str, ...]:
    element = output = ""
    if finding.element:
        element = str(list(finding.element))
    if finding.output:
        output = f" of y{list(finding.output)}"
    elif finding.element is not None and finding.output is None:
        output = " of a random sum of y"
    return (
        _called(vertex),
        finding.argument,
        element + output or "-",
        "-" if finding.rule is None else number(finding.rule, 6),
        "-" if finding.difference is None else number(finding.difference, 6),
        finding.reason or "-",
        _line(vertex),
    )


def _listed(title: str, status: str, nodes: list[Verified]) -> list[str]:
    if not nodes:
        return []
    lines = [f"{title}: {len(nodes)}"]
    for verified in nodes[:LONGEST_LIST]:
        finding = next(f for f in verified.findings if f.status == status)
        where = _line(verified.vertex)
        reason = finding.reason.removeprefix(title).strip(" :,")
        text = f"  {_called(verified.vertex)}, {finding.argument}"
        text += f": {reason}" if reason else ""
        lines.append(text + (f" ({where})" if where else ""))
    if len(nodes) > LONGEST_LIST:
        lines.append(f"  ... and {len(nodes) - LONGEST_LIST} more")
    return lines


def _called(vertex: Vertex) -> str:
    name = f" {vertex.name}" if vertex.name else ""
    return f"{vertex.op}{name} (#{vertex.index})"


def _line(vertex: Vertex) -> str:
    return "" if vertex.source is None else str(vertex.source)
