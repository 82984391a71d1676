"""The rows of a diagram as text: in which order, in which frames, and with which words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..model import Cluster, Diagram, Edge, Vertex
from ..summary import number, shape_text
from .text_width import clean

# Of more operands than this, the first ones and the last are named.
MOST_OPERANDS = 6
# Characters of one piece of metadata.
LONGEST_PARAMETER = 24


@dataclass(slots=True)
class Row:
    """A vertex, or the heading of a frame.

    Attributes
    ----------
    vertex : Vertex or None
    heading : Cluster or None
    continued : bool
        The frame was left before, and is entered again.
    frames : list of str
        Paths of the frames around it, the outermost first.
    closes : int
        How many of these frames, the innermost, end here.
    inline : str
        A frame that has this one row only: it is named in the row.
    """

    vertex: Vertex | None = None
    heading: Cluster | None = None
    continued: bool = False
    frames: list[str] = field(default_factory=list)
    closes: int = 0
    inline: str = ""


def rows(diagram: Diagram) -> list[Row]:
    """Put the vertices in order: each leaf before its first user, frames together."""
    found: list[Row] = []
    open_: list[str] = []
    begun: list[int] = []  # for each open frame its heading's place in `found`
    seen: set[str] = set()
    for vertex, frames in _placed(diagram):
        shared = 0
        while shared < min(len(open_), len(frames)) and open_[shared] == frames[shared]:
            shared += 1
        _close(found, open_, begun, shared)
        for path in frames[shared:]:
            begun.append(len(found))
            open_.append(path)
            cluster = diagram.clusters[path]
            found.append(Row(None, cluster, path in seen, open_[:-1]))
            seen.add(path)
        found.append(Row(vertex, frames=list(open_)))
    _close(found, open_, begun, 0)
    return [row for row in found if row.vertex is not None or row.heading is not None]


def _close(found: list[Row], open_: list[str], begun: list[int], keep: int) -> None:
    """End the open frames but the `keep` outermost ones with the last row."""
    while len(open_) > keep:
        path, start = open_.pop(), begun.pop()
        last = found[-1]
        if len(found) - start == 2 and not last.closes and not last.inline:
            last.inline = path
            last.frames = last.frames[:-1]
            found[start].heading = None  # the row itself names the frame
        else:
            last.closes += 1


def _placed(diagram: Diagram) -> list[tuple[Vertex, list[str]]]:
    """The vertices in the order of rows, with the frames that they are shown in."""
    operands = diagram.operands()
    used = {edge.tail for edge in diagram.edges}
    chains = _chains(diagram)
    shared = _shared_by_rounds(diagram, operands, chains)
    done = [False] * len(diagram.vertices)
    order: list[tuple[Vertex, list[str]]] = []
    last: list[str] = []
    for vertex in diagram.vertices:
        index = vertex.index
        if not operands[index] and index in used:
            continue  # a leaf: before its first user
        frames = chains.get(vertex.cluster, [])
        leaves: list[tuple[list[str], int]] = []
        for depth, path in enumerate(frames):
            leaves.extend((frames[:depth], tail) for tail in shared.pop(path, ()))
        for tail in dict.fromkeys(edge.tail for edge in operands[index]):
            own = chains.get(diagram.vertices[tail].cluster, [])
            if not own or own != frames[: len(own)]:
                own = _common(last, frames)
            leaves.append((own, tail))
        # What stands further outside comes first: a frame is entered once.
        for own, tail in sorted(leaves, key=lambda leaf: len(leaf[0])):
            if not done[tail]:
                order.append((diagram.vertices[tail], own))
                done[tail] = True
        order.append((vertex, frames))
        done[index] = True
        last = frames
    return order


def _shared_by_rounds(
    diagram: Diagram, operands: list[list[Edge]], chains: dict[str, list[str]]
) -> dict[str, list[int]]:
    """For each frame that occurs several times the leaves that all its rounds read.

    They must not stand inside: what stands there, each round has for itself.
    """
    found: dict[str, dict[int, None]] = {}
    for edge in diagram.edges:
        if operands[edge.tail]:
            continue
        inside = chains.get(diagram.vertices[edge.tail].cluster, [])
        for path in chains.get(diagram.vertices[edge.head].cluster, []):
            if diagram.clusters[path].repeat > 1 and path not in inside:
                found.setdefault(path, {})[edge.tail] = None
                break
    return {path: list(leaves) for path, leaves in found.items()}


def _chains(diagram: Diagram) -> dict[str, list[str]]:
    """For each frame the frames around it and itself, the outermost first."""
    chains: dict[str, list[str]] = {}
    for path, cluster in diagram.clusters.items():
        chains[path] = [*chains.get(cluster.parent, []), path]
    return chains


def _common(a: list[str], b: list[str]) -> list[str]:
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    return a[:same]


# --- Words ------------------------------------------------------------------------------------


def label(diagram: Diagram, vertex: Vertex, operands: list[Edge], long: bool = True) -> str:
    """What a vertex is: ``h = sum(x)``, or with the metadata ``h = sum(x, dim=0)``."""
    name = short_name(vertex, vertex.cluster) if vertex.name else f"#{vertex.index}"
    times = f" × {vertex.repeat:,}" if vertex.repeat > 1 else ""
    if not vertex.op:
        return clean(name) + times
    if told_in_label(vertex):
        title = f"{vertex.name}: {vertex.op}" if vertex.name else vertex.op
        return clean(f"{title} · {vertex.about}" if vertex.about else title)
    arguments = ", ".join(
        [*_arguments(diagram, vertex, operands), *(metadata(vertex) if long else ())]
    )
    return f"{clean(name)} = {clean(vertex.op)}({arguments}){times}"


def short_name(vertex: Vertex, cluster: str) -> str:
    """The name of a leaf without the path, inside the frame that tells it."""
    if vertex.cluster and vertex.cluster == cluster and vertex.kind in ("parameter", "buffer"):
        return vertex.name.rpartition(".")[2] or vertex.name
    return vertex.name


def reference(vertex: Vertex, cluster: str = "") -> str:
    """How other rows call a vertex."""
    known = vertex.name and (vertex.kind != "group" or vertex.repeat > 1)
    return clean(short_name(vertex, cluster)) if known else f"#{vertex.index}"


def told_in_label(vertex: Vertex) -> bool:
    """Whether the remark about a vertex is part of its label: that of a group is."""
    return vertex.kind == "group" and vertex.repeat == 1 and not vertex.params


def _arguments(diagram: Diagram, vertex: Vertex, operands: list[Edge]) -> list[str]:
    given: dict[int, str] = {slot: _plain(value) for slot, value in vertex.scalars.items()}
    for edge in operands:
        given[edge.slot] = reference(diagram.vertices[edge.tail], vertex.cluster)
    parts = [text for _, text in sorted(given.items())]
    if len(parts) > MOST_OPERANDS:
        left_out = len(parts) - 3
        parts = [*parts[:2], f"… {left_out:,} more", parts[-1]]
    return parts


def metadata(vertex: Vertex) -> list[str]:
    """What was given besides operands: ``["dim=0"]``; what is off or None is left out."""
    return [
        clean(f"{key}={_plain(value)}")
        for key, value in vertex.params.items()
        if value is not None and value is not False
    ]


def _plain(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return number(value)
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {shape_text(value.shape)}"
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= LONGEST_PARAMETER else text[: LONGEST_PARAMETER - 1] + "…"


def frame_title(cluster: Cluster) -> str:
    """``layer1: Block × 3 · 1,200 parameters``."""
    text = cluster.name
    if cluster.type and cluster.type != cluster.name:
        text = f"{text}: {cluster.type}" if text else cluster.type
    if cluster.repeat > 1:
        text += f" × {cluster.repeat:,}"
    if cluster.parameters:
        text += f" · {cluster.parameters:,} parameter{'' if cluster.parameters == 1 else 's'}"
    return clean(text)
