"""fold: a smaller diagram that says the same, or as much of it as an eye can follow.

Three things are folded: modules nested too deep, equal blocks in a row, and, where that is not
enough, stretches of the program of which only the counts are told.
"""

from __future__ import annotations

from bisect import bisect_right

from ..model import Diagram, Vertex
from .groups import Gathered, contract, convex
from .repeats import fold_repeats
from .summary import summarise_stretches

# A diagram folded to fewer vertices than this shows too little: rather one level of modules more,
# and the rest summarised.
ENOUGH = 20


def fold(
    diagram: Diagram, *, depth: int | None = None, repeats: bool = True, limit: int | None = 400
) -> Diagram:
    """Make a diagram smaller.

    Parameters
    ----------
    diagram : Diagram
        It is not changed.
    depth : int, optional
        Clusters nested deeper become one vertex of kind "group" each: 0 folds the outermost
        ones, 1 those inside of them. None: no matter how deep.
    repeats : bool
        Show equal blocks of a chain once, as the first of them, with the number of times.
    limit : int, optional
        Summarise a diagram that still has more vertices, so that about this many are left: the
        inputs and outputs, the marked vertices, the beginning and the end, and groups that count
        what lies between. None: whatever its size.

    Returns
    -------
    Diagram
        `diagram` itself if there is nothing to fold.

    Raises
    ------
    ValueError
        If `depth` is not 0, 1, 2, ... or `limit` is not 1, 2, 3, ...

    Examples
    --------
    >>> from autograd.viz import Diagram, Edge, Vertex
    >>> steps = [Vertex(0, "leaf", name="x")]
    >>> steps += [Vertex(i, "intermediate", "sin") for i in range(1, 11)]
    >>> chain = Diagram(steps, [Edge(i, i + 1, 0, "x") for i in range(10)])
    >>> [(v.op or v.name, v.repeat) for v in fold(chain).vertices]
    [('x', 1), ('sin', 10)]
    """
    _check("depth", depth, 0)
    _check("limit", limit, 1)
    if depth is not None:
        diagram = fold_depth(diagram, depth)
    if repeats:
        diagram = fold_repeats(diagram)
    if limit is None or len(diagram.vertices) <= limit:
        return diagram
    shallower = _shallower(diagram, limit)
    if shallower is not diagram:
        diagram = fold_repeats(shallower) if repeats else shallower
    return summarise_stretches(diagram, limit) if len(diagram.vertices) > limit else diagram


def _check(name: str, value: int | None, least: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (whole and value >= least):
        raise ValueError(f"fold: {name} must be None or an int of {least} or more, not {value!r}")


def fold_depth(diagram: Diagram, depth: int) -> Diagram:
    """Draw each cluster that is nested deeper than `depth` levels as one vertex."""
    around = _folded_into(diagram, depth)
    members: dict[str, list[int]] = {}
    for vertex in diagram.vertices:
        path = around.get(vertex.cluster, "")
        if path:
            members.setdefault(path, []).append(vertex.index)
    if not members:
        return diagram
    paths = list(members)
    pieces = convex(diagram, list(members.values()))

    def describe(number: int, gathered: Gathered) -> Vertex:
        cluster = diagram.clusters[paths[pieces[number][0]]]
        vertex = gathered.vertex(
            op=cluster.type or cluster.name, name=cluster.path, cluster=cluster.parent
        )
        vertex.repeat = cluster.repeat
        if cluster.parameters:
            plural = "" if cluster.parameters == 1 else "s"
            vertex.about = f"{cluster.parameters:,} parameter{plural}"
        return vertex

    return contract(diagram, [found for _, found in pieces], describe)


def _levels(diagram: Diagram) -> dict[str, int]:
    """How deep each cluster is nested: 1 for the outermost."""
    levels: dict[str, int] = {"": 0}
    for path, cluster in diagram.clusters.items():
        levels[path] = levels.get(cluster.parent, 0) + 1
    return levels


def _folded_into(diagram: Diagram, depth: int) -> dict[str, str]:
    """For each cluster that vanishes, the one around it (or itself) that becomes a vertex."""
    levels = _levels(diagram)
    around: dict[str, str] = {}
    for path, cluster in diagram.clusters.items():
        outer = around.get(cluster.parent, "")
        around[path] = outer or (path if levels[path] > depth else "")
    return around


def _shallower(diagram: Diagram, limit: int) -> Diagram:
    """Fold as few levels of clusters as it takes to get below `limit`, if that shows enough."""
    deepest = max(_levels(diagram).values())

    def count(depth: int) -> int:
        around = _folded_into(diagram, depth)
        groups = [around.get(vertex.cluster, "") for vertex in diagram.vertices]
        return len({path for path in groups if path}) + groups.count("")

    depth = bisect_right(range(deepest), limit, key=count) - 1
    if depth < 0 or count(depth) < ENOUGH:
        depth += 1
    return fold_depth(diagram, depth) if depth < deepest else diagram
