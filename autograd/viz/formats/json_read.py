"""from_json: a diagram from what `to_json` wrote; everything is checked."""

from __future__ import annotations

import json
from typing import Any, get_args

from ..model import Cluster, Diagram, Edge, Kind, Level, Mark, Source, Vertex
from .json_values import read_metadata, read_plain, read_value

FORMAT = "dagrad-diagram"
VERSION = 1
NAMES = {str: "text", int: "an int", list: "a list", dict: "an object"}


def from_json(text: str) -> Diagram:
    """Read a diagram from JSON.

    Parameters
    ----------
    text : str
        As `to_json` writes it. Of arrays that were summarised the values are None; fields that
        are not known are left alone, so that a later program may add some.

    Returns
    -------
    Diagram

    Raises
    ------
    ValueError
        If it is no JSON, another format or version, or if something is missing, of another type,
        or refers to what is not there. The message says where.
    """
    if not isinstance(text, str):
        raise ValueError(f"from_json: expected text, not {type(text).__name__}")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"from_json: not JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f'from_json: expected an object with "format": "{FORMAT}"')
    if data.get("version") != VERSION or isinstance(data["version"], bool):
        raise ValueError(
            f"from_json: expected version {VERSION}, not {data.get('version')!r}: it was written "
            "by another release"
        )
    try:
        return _diagram(data)
    except RecursionError:
        raise ValueError("from_json: metadata is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"from_json: {error}") from None


def _diagram(data: dict[str, Any]) -> Diagram:
    whole = _Fields(data, "")
    clusters: dict[str, Cluster] = {}
    for where in whole.objects("clusters"):
        cluster = _cluster(where)
        if cluster.path in clusters or not cluster.path:
            raise where.wrong("path", "a path of its own")
        if cluster.parent and cluster.parent not in clusters:
            raise where.wrong("parent", "the path of a cluster that stands before it")
        clusters[cluster.path] = cluster
    vertices = []
    for number, where in enumerate(whole.objects("vertices")):
        vertex = _vertex(where)
        if vertex.index != number:
            raise where.wrong("index", f"its place, {number}")
        if vertex.cluster and vertex.cluster not in clusters:
            raise where.wrong("cluster", "the path of a cluster")
        vertices.append(vertex)
    edges = []
    for where in whole.objects("edges"):
        edge = _edge(where)
        if not 0 <= edge.tail < edge.head < len(vertices):
            raise where.wrong("tail", "two vertices of which the tail stands first")
        edges.append(edge)
    outputs = whole.list_of("outputs", int)
    if not all(0 <= index < len(vertices) for index in outputs):
        raise whole.wrong("outputs", "indices of vertices")
    return Diagram(vertices, edges, clusters, outputs, whole.text("title"), whole.text("about"))


def _vertex(fields: _Fields) -> Vertex:
    scalars = {}
    for slot, item in fields.object("scalars").items():
        if not (slot.isascii() and slot.isdigit()):
            raise fields.wrong("scalars", "positions as keys")
        scalars[int(slot)] = read_plain(item, f"{fields.where}.scalars")
    params = fields.object("params")
    return Vertex(
        fields.integer("index"),
        fields.one_of("kind", get_args(Kind)),
        op=fields.text("op"),
        name=fields.text("name"),
        shape=tuple(fields.list_of("shape", int)),
        dtype=fields.text("dtype"),
        value=read_value(fields.get("value"), f"{fields.where}.value"),
        grad=read_value(fields.get("grad"), f"{fields.where}.grad"),
        saved=fields.integer("saved"),
        params={k: read_metadata(v, f"{fields.where}.params.{k}") for k, v in params.items()},
        scalars=scalars,
        order=fields.integer("order"),
        cluster=fields.text("cluster"),
        source=_source(fields.part("source")),
        about=fields.text("about"),
        members=fields.integer("members"),
        repeat=fields.integer("repeat"),
        mark=_mark(fields.part("mark")),
    )


def _source(fields: _Fields | None) -> Source | None:
    if fields is None:
        return None
    return Source(
        fields.text("file"), fields.integer("line"), fields.text("function"), fields.text("text")
    )


def _mark(fields: _Fields | None) -> Mark | None:
    if fields is None:
        return None
    heat = read_plain(fields.get("heat"), f"{fields.where}.heat")
    if heat is None:
        raise fields.wrong("heat", "a number")
    return Mark(fields.one_of("level", get_args(Level)), fields.text("text"), heat)


def _edge(fields: _Fields) -> Edge:
    return Edge(
        fields.integer("tail"),
        fields.integer("head"),
        fields.integer("slot"),
        fields.text("argument"),
        read_value(fields.get("contribution"), f"{fields.where}.contribution"),
        read_plain(fields.get("slope"), f"{fields.where}.slope"),
    )


def _cluster(fields: _Fields) -> Cluster:
    return Cluster(
        fields.text("path"),
        fields.text("name"),
        fields.text("type"),
        fields.text("parent"),
        fields.integer("parameters"),
        fields.integer("repeat"),
    )


class _Fields:
    """An object of the document, and where it is, so that errors can say so."""

    def __init__(self, data: dict[str, Any], where: str) -> None:
        self.data = data
        self.where = where

    def wrong(self, name: str, expected: str) -> ValueError:
        """The error that `name` is not what was expected."""
        text = repr(self.data.get(name))
        met = text if len(text) <= 60 else text[:59] + "…"
        place = f"{self.where}.{name}".lstrip(".")
        return ValueError(f"{place}: expected {expected}, not {met}")

    def get(self, name: str) -> Any:
        """A field that must be there."""
        if name not in self.data:
            raise ValueError(f"{self.where or 'the document'}: {name} is missing")
        return self.data[name]

    def _typed(self, name: str, kind: type) -> Any:
        found = self.get(name)
        if type(found) is not kind:
            raise self.wrong(name, NAMES[kind])
        return found

    def text(self, name: str) -> str:
        """A string."""
        return self._typed(name, str)

    def integer(self, name: str) -> int:
        """An int, which a bool is not."""
        return self._typed(name, int)

    def object(self, name: str) -> dict[str, Any]:
        """A mapping."""
        return self._typed(name, dict)

    def list_of(self, name: str, kind: type) -> list[Any]:
        """A list whose items are all of type `kind`."""
        found = self._typed(name, list)
        if not all(type(item) is kind for item in found):
            raise self.wrong(name, f"a list in which each is {NAMES[kind]}")
        return found

    def one_of(self, name: str, allowed: tuple[str, ...]) -> Any:
        """One of some words."""
        if self.get(name) not in allowed:
            raise self.wrong(name, " or ".join(map(repr, allowed)))
        return self.data[name]

    def part(self, name: str) -> _Fields | None:
        """An object, or null."""
        if self.get(name) is None:
            return None
        return _Fields(self.object(name), f"{self.where}.{name}")

    def objects(self, name: str) -> list[_Fields]:
        """A list of objects."""
        return [
            _Fields(item, f"{name}[{number}]")
            for number, item in enumerate(self.list_of(name, dict))
        ]
