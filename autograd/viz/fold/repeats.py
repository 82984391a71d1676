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

import numpy as np

from ..model import Diagram
from .first import Folding
from .rounds import LEAST_ROUNDS, Item

# What hides fewer vertices than this is not worth a new thing to understand.
LEAST_HIDDEN = 6
# Items in a round. Looking for longer ones takes time with each length.
LONGEST_ROUND = 512
# Frames nested deeper are not searched: each level reads all its vertices again.
DEEPEST = 32
# A round may begin at any of its items; the ones where the fewest values cross are tried.
BEGINNINGS = 4
# What a look at a candidate costs, in comparisons of vertices.
COST_OF_A_TRY = 20


def fold_repeats(diagram: Diagram) -> Diagram:
    """Show blocks of a chain that are isomorphic once, as the first, with the number of times."""
    if len(diagram.vertices) <= LEAST_HIDDEN:
        return diagram
    search = _Search(diagram)
    search.run()
    return search.result() if search.folded else diagram


class _Search(Folding):
    """Finds repeats in one frame after the other."""

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
                items = self._forwarded(self._items(scope, inside.get(scope, [])))
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

    def _items(self, scope: str, members: list[int]) -> list[Item]:
        """What stands directly in `scope`, in the order of the first vertex of each."""
        child_of: dict[str, str] = {scope: ""}
        items: list[Item] = []
        frames: dict[str, Item] = {}
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
                items.append(Item([v], child))
                if child:
                    frames[child] = items[-1]
        return items

    def _forwarded(self, items: list[Item]) -> list[Item]:
        """Bring each item forward that had to wait while others went on with its operand.

        What a loop's results are put through after the loop then stands with its step.
        """
        place = {v: number for number, item in enumerate(items) for v in item.vertices}
        keys = [(number, 0) for number in range(len(items))]
        followers = [0] * len(items)
        used = [False] * len(items)
        for number, item in enumerate(items):
            tails = {place.get(e.tail, number) for v in item.vertices for e in self.edges[v]}
            operands = [tail for tail in tails if tail < number]
            last = max(operands, key=keys.__getitem__, default=None)
            if last is not None and (used[last] or keys[last][1]):
                anchor = keys[last][0]
                followers[anchor] += 1
                keys[number] = (anchor, followers[anchor])
            for tail in operands:
                used[tail] = used[tail] or not keys[number][1]
        return [items[number] for number in sorted(range(len(items)), key=keys.__getitem__)]

    # --- Candidates -----------------------------------------------------------------------

    def _fold(self, scope: str, items: list[Item]) -> Iterator[tuple[list[Item], str]]:
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

    def _worthwhile(self, items: list[Item], start: int, end: int, length: int) -> bool:
        rounds = (end - start) // length
        if rounds < LEAST_ROUNDS:
            return False
        second = self._round(items, start + length, length)
        tails = {edge.tail for v in second.vertices for edge in self.edges[v]}
        hidden = len(second.vertices) + sum(self._owns(second, tail) for tail in tails)
        return (rounds - 1) * hidden >= LEAST_HIDDEN

    def _tokens(self, items: list[Item]) -> tuple[np.ndarray, np.ndarray]:
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
        self, items: list[Item], place: dict[int, int], start: int, end: int, length: int
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
