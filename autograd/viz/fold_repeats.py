"""Equal blocks in a row, shown once: residual blocks, steps of a loop, an op applied to itself.

Inside each frame, the child frames and the vertices outside of them are a sequence of items. An
item is described by a token: its ops, shapes and metadata, and where its operands stand counted
back from itself. A stretch in which the tokens come again and again is a candidate; it is a
repeat if each round reads from the one before what the next reads from it, and from outside the
same as the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from .fold_groups import between, copied, floating, pruned, span
from .model import Cluster, Diagram, Edge, Vertex

# Two of a kind are better seen side by side.
LEAST_ROUNDS = 3
# What hides fewer vertices than this is not worth a new thing to understand.
LEAST_HIDDEN = 6
# Items in a round. Looking for longer ones takes time with each length.
LONGEST_ROUND = 512
# Frames nested deeper are not searched: each level reads all its vertices again.
DEEPEST = 32
# A round may begin at any of its items; the ones where the fewest values cross are tried.
BEGINNINGS = 4
# Vertices compared, for each of the diagram's, before the search gives up.
PATIENCE = 4
# What a look at a candidate costs, in comparisons of vertices.
COST_OF_A_TRY = 20
# Ops whose metadata say which part of the data is read: each step of a loop reads its own.
READS_A_PART = frozenset({"getitem", "select", "slice", "narrow"})


def fold_repeats(diagram: Diagram) -> Diagram:
    """Show blocks of a chain that are isomorphic once, as the first, with the number of times."""
    if len(diagram.vertices) <= LEAST_HIDDEN:
        return diagram
    search = _Search(diagram)
    search.run()
    return search.result() if search.folded else diagram


@dataclass(slots=True)
class _Item:
    """A child frame, or a vertex outside of all child frames."""

    vertices: list[int] = field(default_factory=list)
    cluster: str = ""


@dataclass(slots=True)
class _Round:
    """The vertices of one round and the place of each among them.

    `outside` holds (place, user) of each use that is neither in this round nor in the next.
    """

    vertices: list[int]
    place: dict[int, int]
    outside: set[tuple[int, int]] = field(default_factory=set)


class _Search:
    """Finds repeats in one diagram after the other frame, and takes away all but the first."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.vertices = list(diagram.vertices)
        self.clusters = dict(diagram.clusters)
        self.free = floating(diagram)
        self.edges = diagram.operands()
        self.users: list[list[int]] = [[e.head for e in edges] for edges in diagram.users()]
        self.alive = [True] * len(self.vertices)
        self.folded = False
        self.patience = PATIENCE * (len(self.vertices) + len(diagram.edges))
        self.numbers: dict[Hashable, int] = {}
        outputs = set(diagram.outputs)
        self.signs = [self._number(_sign(v, v.index in outputs)) for v in self.vertices]

    def _number(self, key: Hashable) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    # --- The frames -----------------------------------------------------------------------

    def run(self) -> None:
        """Search every frame, the outer ones first: what they drop need not be searched."""
        inside, children = self._contents()
        level = {"": 0}
        waiting = deque([""])
        while waiting:
            scope = waiting.popleft()
            for child in children.get(scope, ()):
                level[child] = level[scope] + 1
            if level[scope] <= DEEPEST:
                items = self._items(scope, inside.get(scope, []))
                for round_, path in self._fold(scope, items):
                    # What repeats may be made of repeats: look again inside of its frame.
                    inside[path] = [v for item in round_ for v in item.vertices]
                    inner = [item.cluster for item in round_ if item.cluster]
                    if path not in inner:
                        children[path] = inner
                        children.setdefault(scope, []).append(path)
                        children[scope] = [c for c in children[scope] if c not in inner]
                        level[path] = level[scope] + 1
            waiting.extend(children.get(scope, ()))

    def _contents(self) -> tuple[dict[str, list[int]], dict[str, list[str]]]:
        """For each frame the vertices at any depth inside it that have operands; its children."""
        inside: dict[str, list[int]] = {}
        children: dict[str, list[str]] = {}
        for path, cluster in self.clusters.items():
            children.setdefault(cluster.parent, []).append(path)
        chains: dict[str, list[str]] = {"": [""]}
        for path, cluster in self.clusters.items():
            chains[path] = [*chains.get(cluster.parent, [""]), path][: DEEPEST + 1]
        for vertex in self.vertices:
            if not self.free[vertex.index]:
                for path in chains.get(vertex.cluster, [""]):
                    inside.setdefault(path, []).append(vertex.index)
        return inside, children

    def _items(self, scope: str, members: list[int]) -> list[_Item]:
        """What stands directly in `scope`, in the order of the first vertex of each."""
        child_of: dict[str, str] = {scope: ""}
        items: list[_Item] = []
        frames: dict[str, _Item] = {}
        for v in members:
            if not self.alive[v]:
                continue
            path = self.vertices[v].cluster
            passed = []
            while path not in child_of and path in self.clusters:
                passed.append(path)
                path = self.clusters[path].parent
            child = child_of.get(path, "") or (passed[-1] if passed else "")
            child_of.update(dict.fromkeys(passed, child))
            if child and child in frames:
                frames[child].vertices.append(v)
            else:
                items.append(_Item([v], child))
                if child:
                    frames[child] = items[-1]
        return items

    # --- Candidates -----------------------------------------------------------------------

    def _fold(self, scope: str, items: list[_Item]) -> Iterator[tuple[list[_Item], str]]:
        """Fold the repeats in `items`; yield the items and the frame of each round shown."""
        if len(items) < LEAST_ROUNDS:
            return
        loose, strict = self._tokens(items)
        candidates = deque(_candidates(loose, strict))
        taken = np.zeros(len(items), bool)
        place = {v: number for number, item in enumerate(items) for v in item.vertices}
        while candidates and self.patience > 0:
            start, end, length = candidates.popleft()
            self.patience -= COST_OF_A_TRY
            start, end = _clipped(taken, start, end)
            if not self._worthwhile(items, start, end, length):
                continue
            rounds, begin = 0, start
            for begin in self._beginnings(items, place, start, end, length):
                rounds = self._verified(items, begin, (end - begin) // length, length)
                if rounds >= LEAST_ROUNDS:
                    break
            stop = begin + max(rounds, 1) * length
            if rounds >= LEAST_ROUNDS and self._worthwhile(items, begin, stop, length):
                taken[begin:stop] = True
                path = self._show_first(scope, items[begin:stop], length, rounds)
                if path:
                    yield items[begin : begin + length], path
            if stop < end:
                candidates.appendleft((stop, end, length))

    def _worthwhile(self, items: list[_Item], start: int, end: int, length: int) -> bool:
        rounds = (end - start) // length
        if rounds < LEAST_ROUNDS:
            return False
        second = self._round(items, start + length, length)
        tails = {edge.tail for v in second.vertices for edge in self.edges[v]}
        hidden = len(second.vertices) + sum(self._owns(second, tail) for tail in tails)
        return (rounds - 1) * hidden >= LEAST_HIDDEN

    def _tokens(self, items: list[_Item]) -> tuple[np.ndarray, np.ndarray]:
        """For each item a number for what it is, and one that also tells its operands."""
        place = {
            v: (number, inner)
            for number, item in enumerate(items)
            for inner, v in enumerate(item.vertices)
        }
        loose, strict = [], []
        for number, item in enumerate(items):
            frame = self.clusters.get(item.cluster)
            what: list[Hashable] = [frame and (frame.type, frame.repeat)]
            wiring: list[Hashable] = []
            for v in item.vertices:
                what.append(self.signs[v])
                for edge in self.edges[v]:
                    at = place.get(edge.tail)
                    if at is not None and at[0] == number:
                        what.append((edge.slot, at[1]))
                    else:
                        what.append(edge.slot)
                        if at is not None:
                            wiring.append((number - at[0], at[1]))
                        elif self.free[edge.tail]:
                            wiring.append(-1 - self.signs[edge.tail])
                        else:
                            wiring.append(edge.tail)
            base = self._number(tuple(what))
            loose.append(base)
            strict.append(self._number((base, *wiring)))
        return np.array(loose), np.array(strict)

    def _beginnings(
        self, items: list[_Item], place: dict[int, int], start: int, end: int, length: int
    ) -> list[int]:
        """Where a round may begin: first where the fewest values pass from round to round."""
        base = start + length
        crossing = np.zeros(2 * length + 1, int)
        for number in range(base, min(base + 2 * length, end)):
            for v in items[number].vertices:
                last = max((place.get(user, -1) for user in self.users[v]), default=-1)
                if last > number:
                    crossing[number - base + 1] += 1
                    crossing[min(last - base, 2 * length - 1) + 1] -= 1
        crossing = np.cumsum(crossing)
        # The cut before item base + length + shift is the one before item start + shift.
        shifts = sorted(
            range(length),
            key=lambda shift: (crossing[length + shift], -((end - start - shift) // length), shift),
        )
        return [start + shift for shift in shifts[:BEGINNINGS]]

    # --- Proof ----------------------------------------------------------------------------

    def _verified(self, items: list[_Item], begin: int, rounds: int, length: int) -> int:
        """How many of the rounds from item `begin` on are the same; fewer than 3: none are."""
        if rounds < LEAST_ROUNDS:
            return 0
        first = unit = self._round(items, begin, length)
        after = self._round(items, begin + length, length)
        template = self._relations(after, first)
        before = None
        for k in range(rounds):
            self.patience -= 2 * len(unit.vertices)
            if self.patience < 0 or not self._agrees(template, unit, before):
                return k
            unit.outside = {
                (place, user)
                for place, v in enumerate(unit.vertices)
                for user in self.users[v]
                if user not in unit.place and user not in after.place
            }
            if unit.outside != first.outside:
                return k + 1 if unit.outside >= first.outside else k
            before, unit = unit, after
            if k + 2 < rounds:
                after = self._round(items, begin + (k + 2) * length, length)
            else:
                after = _Round([], {})
        return rounds

    def _round(self, items: list[_Item], first: int, length: int) -> _Round:
        vertices = [v for item in items[first : first + length] for v in item.vertices]
        return _Round(vertices, {v: place for place, v in enumerate(vertices)})

    def _relations(self, unit: _Round, before: _Round) -> list[list[tuple[str, int]]]:
        """For each operand of each vertex of `unit` where it comes from."""
        return [
            [self._relation(edge.tail, unit, before) for edge in self.edges[v]]
            for v in unit.vertices
        ]

    def _relation(self, tail: int, unit: _Round, before: _Round) -> tuple[str, int]:
        if tail in unit.place:
            return "within", unit.place[tail]
        if tail in before.place:
            return "carried", before.place[tail]
        return ("own" if self._owns(unit, tail) else "shared"), tail

    def _owns(self, unit: _Round, tail: int) -> bool:
        return self.free[tail] and all(user in unit.place for user in self.users[tail])

    def _agrees(
        self,
        template: list[list[tuple[str, int]]],
        unit: _Round,
        before: _Round | None,
    ) -> bool:
        """Whether `unit` is wired like the template.

        The first one has none `before`: it reads from outside what the others read from there.
        """
        matched: dict[int, int] = {}
        begun: dict[int, int] = {}
        for relations, v in zip(template, unit.vertices, strict=True):
            edges = self.edges[v]
            if len(edges) != len(relations):
                return False
            for (how, which), edge in zip(relations, edges, strict=True):
                tail = edge.tail
                if how == "within":
                    fits = unit.vertices[which] == tail
                elif how == "shared":
                    fits = which == tail
                elif how == "own":
                    fits = (
                        self._owns(unit, tail)
                        and self.signs[which] == self.signs[tail]
                        and matched.setdefault(which, tail) == tail
                    )
                elif before is not None:
                    fits = before.vertices[which] == tail
                else:
                    like, this = self.vertices[unit.vertices[which]], self.vertices[tail]
                    fits = (
                        tail not in unit.place
                        and begun.setdefault(which, tail) == tail
                        and (like.shape, like.dtype) == (this.shape, this.dtype)
                    )
                if not fits:
                    return False
        return len(set(matched.values())) == len(matched)

    # --- Taking away ----------------------------------------------------------------------

    def _show_first(self, scope: str, items: list[_Item], length: int, rounds: int) -> str:
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

    def _leaves(self, first: _Round, rounds: int, items: list[_Item], length: int) -> list[int]:
        """Leaves that only the first round uses, where the second has its own in their place."""
        second = self._round(items, length, length)
        found: dict[int, None] = {}
        for a, b in zip(first.vertices, second.vertices, strict=True):
            for mine, other in zip(self.edges[a], self.edges[b], strict=True):
                if self._owns(second, other.tail) and self._owns(first, mine.tail):
                    found[mine.tail] = None
        return list(found)

    def _rewire(self, first: _Round, final: _Round, dropped: set[int], keep: bool) -> None:
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

    def _frame(self, scope: str, items: list[_Item], length: int, rounds: int) -> str:
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
        )


def _sign(vertex: Vertex, output: bool) -> Hashable:
    """All of a vertex that must be the same; an output is like no other."""
    params = "" if vertex.op in READS_A_PART else _text(vertex.params)
    return (
        vertex.kind,
        vertex.op,
        vertex.shape,
        vertex.dtype,
        params,
        _text(vertex.scalars),
        vertex.order,
        vertex.members,
        vertex.repeat,
        vertex.mark,
        vertex.index if output else -1,
    )


def _text(metadata: dict) -> str:
    if not metadata:
        return ""
    return ", ".join(
        f"{key}={value.dtype}{value.tolist()}"
        if isinstance(value, np.ndarray)
        else f"{key}={value!r}"
        for key, value in metadata.items()
    )


def _candidates(loose: np.ndarray, strict: np.ndarray) -> list[tuple[int, int, int]]:
    """Stretches (start, end, length of a round), the ones that hide most first."""
    found = []
    for length in range(1, min(LONGEST_ROUND, len(strict) // LEAST_ROUNDS) + 1):
        # The first round has no round before it: its wiring may differ.
        same = np.concatenate([[False], strict[:-length] == strict[length:], [False]])
        changes = np.flatnonzero(same[1:] != same[:-1])
        for a, b in zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True):
            if b - a < length * (LEAST_ROUNDS - 2):
                continue
            start, stop = a, b + length
            while start > max(0, a - length) and loose[start - 1] == loose[start - 1 + length]:
                start -= 1
            rounds = (stop - start) // length
            if rounds >= LEAST_ROUNDS:
                found.append((-(rounds - 1) * length, length, start, stop))
    return [(start, stop, length) for _, length, start, stop in sorted(found)]


def _clipped(taken: np.ndarray, start: int, end: int) -> tuple[int, int]:
    """The stretch without its ends that are taken; empty if its middle is."""
    free = np.flatnonzero(~taken[start:end])
    if len(free) == 0 or free[-1] - free[0] + 1 != len(free):
        return start, start
    return start + int(free[0]), start + int(free[-1]) + 1


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
