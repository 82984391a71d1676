"""to_json: a diagram as JSON for other programs, and back.

The document is one object:

``format``
    ``"dagrad-diagram"``.
``version``
    1. It grows when the meaning of something that is there changes; new fields may come without.
``title``, ``about``
    Text.
``outputs``
    Indices of vertices.
``vertices``
    Objects with the fields of `Vertex`: ``index``, ``kind``, ``op``, ``name``, ``shape``,
    ``dtype``, ``value``, ``grad``, ``saved``, ``params``, ``scalars`` (an object whose keys are
    positions), ``order``, ``cluster``, ``source`` (null, or ``file``, ``line``, ``function``,
    ``text``), ``about``, ``members``, ``repeat``, ``mark`` (null, or ``level``, ``text``,
    ``heat``). A vertex stands after all that flows into it.
``edges``
    Objects with the fields of `Edge`: ``tail``, ``head``, ``slot``, ``argument``,
    ``contribution``, ``slope``.
``clusters``
    Objects with the fields of `Cluster`, parents first: ``path``, ``name``, ``type``, ``parent``,
    ``parameters``, ``repeat``.

How values are written (``value``, ``grad``, ``contribution``):

- null if unknown, or not asked for;
- a number as it is, and ``"nan"``, ``"inf"``, ``"-inf"`` for what JSON has no number;
- an array with ``values="full"`` as ``{"dtype", "shape", "data"}``, with nested lists as data;
- an array with ``values="summary"`` as ``{"dtype", "shape", "summary"}``, with the fields of
  `Summary` (an array of a single element in full).

In ``params`` what JSON has no notation for is an object with one key: ``tuple``, ``dict`` (a list
of pairs), ``slice``, ``ellipsis``, ``float`` (not finite), ``dtype``, ``array``, ``scalar`` (of
NumPy), or ``repr`` for anything else.
"""

from __future__ import annotations

import json
from typing import Any

from ..model import Cluster, Diagram, Edge, Vertex
from .json_read import FORMAT, VERSION, from_json
from .json_values import Values, metadata, plain, value

__all__ = ["from_json", "to_json"]


def to_json(diagram: Diagram, *, values: Values = "summary") -> str:
    """Write a diagram as JSON; the module's text says what is where.

    Parameters
    ----------
    diagram : Diagram
    values : {"summary", "full", "none"}
        What to write of arrays: their distribution, every element, or nothing.

    Returns
    -------
    str
        One line for each vertex, edge and cluster; the same diagram gives the same text.

    Raises
    ------
    ValueError
        If `values` is another one, or an array's dtype is not one of numbers or bool.

    Examples
    --------
    >>> from autograd.viz import Diagram, Vertex
    >>> x = Diagram([Vertex(0, "leaf", name="x", value=2.0)], outputs=[0])
    >>> from_json(to_json(x)) == x
    True
    """
    if values not in ("summary", "full", "none"):
        raise ValueError(f'to_json: values must be "summary", "full" or "none", not {values!r}')
    parts = {
        "format": _dumped(FORMAT),
        "version": _dumped(VERSION),
        "title": _dumped(diagram.title),
        "about": _dumped(diagram.about),
        "outputs": _dumped([int(index) for index in diagram.outputs]),
        "vertices": _lines([_vertex(vertex, values) for vertex in diagram.vertices]),
        "edges": _lines([_edge(edge, values) for edge in diagram.edges]),
        "clusters": _lines([_cluster(cluster) for cluster in diagram.clusters.values()]),
    }
    return "{\n" + ",\n".join(f'"{key}": {text}' for key, text in parts.items()) + "\n}\n"


def _dumped(item: Any) -> str:
    text = json.dumps(item, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as file names may have
        text = json.dumps(item, allow_nan=False)
    return text


def _lines(items: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(map(_dumped, items)) + "\n]" if items else "[]"


def _vertex(vertex: Vertex, values: Values) -> dict[str, Any]:
    source, mark = vertex.source, vertex.mark
    return {
        "index": vertex.index,
        "kind": vertex.kind,
        "op": vertex.op,
        "name": vertex.name,
        "shape": [int(n) for n in vertex.shape],
        "dtype": vertex.dtype,
        "value": value(vertex.value, values),
        "grad": value(vertex.grad, values),
        "saved": int(vertex.saved),
        "params": {str(key): metadata(item) for key, item in vertex.params.items()},
        "scalars": {str(slot): plain(item) for slot, item in vertex.scalars.items()},
        "order": vertex.order,
        "cluster": vertex.cluster,
        "source": source
        and {
            "file": source.file,
            "line": source.line,
            "function": source.function,
            "text": source.text,
        },
        "about": vertex.about,
        "members": vertex.members,
        "repeat": vertex.repeat,
        "mark": mark and {"level": mark.level, "text": mark.text, "heat": plain(mark.heat)},
    }


def _edge(edge: Edge, values: Values) -> dict[str, Any]:
    return {
        "tail": edge.tail,
        "head": edge.head,
        "slot": edge.slot,
        "argument": edge.argument,
        "contribution": value(edge.contribution, values),
        "slope": None if values == "none" else plain(edge.slope),
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        "path": cluster.path,
        "name": cluster.name,
        "type": cluster.type,
        "parent": cluster.parent,
        "parameters": int(cluster.parameters),
        "repeat": cluster.repeat,
    }
