"""What stays of equal rounds: the first, with the number of times, and with all its edges."""

from __future__ import annotations

from dataclasses import replace

from ..model import Cluster, Diagram, Edge
from .groups import between, copied, pruned, span
from .rounds import Item, Round, Wiring


class Folding(Wiring):
    """A diagram from which rounds are taken away."""

    def _show_first(self, scope: str, items: list[Item], length: int, rounds: int) -> str:
        """Keep the first of the `rounds` in `items`, as a vertex or in a frame; its path or ""."""
        self.folded = True
        first = self._round(items, 0, length)
        final = self._round(items, (rounds - 1) * length, length)
        leaves = self._leaves(first, rounds, items, length)
        dropped = [v for item in items[length:] for v in item.vertices]
        single = len(first.vertices) == 1 and not leaves and not items[0].cluster
        self._rewire(first, final, set(dropped), keep=single)
        for v in dropped:
            self.alive[v] = False
            for edge in self.edges[v]:
                if self.free[edge.tail] and not any(self.alive[u] for u in self.users[edge.tail]):
                    self.alive[edge.tail] = False
        if single:
            v, last = first.vertices[0], self.vertices[final.vertices[0]]
            saved = self.vertices[v].saved + sum(self.vertices[d].saved for d in dropped)
            self.vertices[v] = replace(
                last,
                index=v,
                kind="group",
                saved=saved,
                repeat=rounds * last.repeat,
                members=rounds * last.members,
            )
            self.edges[v] = [replace(edge, slope=None) for edge in self.edges[v]]
            return ""
        path = self._frame(scope, items, length, rounds)
        for leaf in leaves:
            if not self._inside(self.vertices[leaf].cluster, path):
                self.vertices[leaf] = replace(self.vertices[leaf], cluster=path)
        return path

    def _leaves(self, first: Round, rounds: int, items: list[Item], length: int) -> list[int]:
        """Leaves that only the first round uses, where the second has its own in their place."""
        second = self._round(items, length, length)
        found: dict[int, None] = {}
        for a, b in zip(first.vertices, second.vertices, strict=True):
            for mine, other in zip(self.edges[a], self.edges[b], strict=True):
                if self._owns(second, other.tail) and self._owns(first, mine.tail):
                    found[mine.tail] = None
        return list(found)

    def _rewire(self, first: Round, final: Round, dropped: set[int], keep: bool) -> None:
        """Let what reads the last round read the first, which stands for it.

        The contributions are to the gradient of the last: they stay (`keep`) if that is shown.
        """
        for mine, gone in zip(first.vertices, final.vertices, strict=True):
            stay = [user for user in self.users[mine] if user not in dropped]
            for head in dict.fromkeys(self.users[gone]):
                if head in dropped:
                    continue
                edges = self.edges[head]
                known = [edge for edge in edges if edge.tail == mine]
                if known:  # each round has its place there, such as one of many terms
                    last = next(edge for edge in reversed(edges) if edge.tail == gone)
                    argument = span(known[0].argument, last.argument)
                    self.edges[head] = [
                        replace(e, argument=argument) if e is known[0] else e
                        for e in edges
                        if e.tail not in dropped
                    ]
                else:
                    self.edges[head] = [
                        e
                        if e.tail != gone
                        else replace(e, tail=mine)
                        if keep
                        else Edge(mine, head, e.slot, e.argument)
                        for e in edges
                    ]
                    stay.extend(head for e in edges if e.tail == gone)
            self.users[mine] = stay

    def _frame(self, scope: str, items: list[Item], length: int, rounds: int) -> str:
        """The frame around the first round, with the number of times."""
        first, final = items[:length], items[-length:]
        names = [self.clusters[i.cluster].name if i.cluster else "" for i in (first[0], final[-1])]
        span = names[0] if names[0] == names[1] else f"{names[0]}…{names[1]}"
        if length == 1:
            path = first[0].cluster
            known = self.clusters.get(path)
            if known is not None:
                times = known.repeat * rounds
                self.clusters[path] = replace(known, name=span, repeat=times)
                return path
        frames = [self.clusters[item.cluster] for item in first if item.cluster]
        if len(frames) == length:
            name, kind = span, ", ".join(dict.fromkeys(f.type for f in frames if f.type))
        else:
            results = [self.vertices[v].name for item in first for v in item.vertices]
            name, kind = next((n for n in reversed(results) if n), "steps"), ""
        path = base = f"{scope}.{name}" if scope else name
        number = 1
        while path in self.clusters:
            number += 1
            path = f"{base}#{number}"
        parameters = sum(frame.parameters for frame in frames)
        self.clusters[path] = Cluster(path, name, kind, scope, parameters, rounds)
        for item in first:
            if item.cluster:
                frame = self.clusters[item.cluster]
                self.clusters[item.cluster] = replace(frame, parent=path)
            else:
                v = item.vertices[0]
                self.vertices[v] = replace(self.vertices[v], cluster=path)
        return path

    def _inside(self, path: str, outer: str) -> bool:
        while path and path != outer:
            path = self.clusters[path].parent
        return path == outer

    def result(self) -> Diagram:
        """What is left, numbered anew."""
        kept = [v for v in self.vertices if self.alive[v.index]]
        index = {v.index: number for number, v in enumerate(kept)}
        edges = [
            between(edge, index[edge.tail], index[edge.head])
            for v in kept
            for edge in self.edges[v.index]
        ]
        return Diagram(
            [copied(v, place) for place, v in enumerate(kept)],
            edges,
            _parents_first(pruned(self.clusters, (v.cluster for v in kept))),
            [index[v] for v in self.diagram.outputs],
            self.diagram.title,
            self.diagram.about,
        )


def _parents_first(clusters: dict[str, Cluster]) -> dict[str, Cluster]:
    """The same clusters, each after the one around it."""
    ordered: dict[str, Cluster] = {}
    for path in clusters:
        chain = []
        while path and path not in ordered:
            chain.append(path)
            path = clusters[path].parent
        for inner in reversed(chain):
            ordered[inner] = clusters[inner]
    return ordered
