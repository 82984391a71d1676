"""Places on a line, drawn to each other, with least distances between some of them."""

from __future__ import annotations

from .rank import topological

# Rounds in which all columns move at once, then one by one.
ROUNDS_TOGETHER, ROUNDS_SINGLE = 12, 16
MANY, ROUNDS_OF_MANY = 12_000, 6
# Closer than this to the least distance two touch.
TOUCH = 1e-3

Segment = tuple[int, int]


class Problem:
    """Unknowns on a line with least distances between some of them."""

    def __init__(self, total: int, distances: dict[Segment, float]) -> None:
        self.before: list[list[tuple[int, float]]] = [[] for _ in range(total)]
        self.after: list[list[tuple[int, float]]] = [[] for _ in range(total)]
        heads: list[list[int]] = [[] for _ in range(total)]
        for (a, b), distance in distances.items():
            self.after[a].append((b, distance))
            self.before[b].append((a, distance))
            heads[a].append(b)
        self.order = topological(total, heads)

    def project(self, wish: list[float]) -> list[float]:
        """A solution near the wishes: the mean of moving right and of moving left as needed."""
        right, left = wish[:], wish[:]
        for i in self.order:
            at = right[i]
            for j, distance in self.before[i]:
                if right[j] + distance > at:
                    at = right[j] + distance
            right[i] = at
        for i in reversed(self.order):
            at = left[i]
            for j, distance in self.after[i]:
                if left[j] - distance < at:
                    at = left[j] - distance
            left[i] = at
        return [(a + b) / 2 for a, b in zip(left, right, strict=True)]

    def settle(self, neighbours: list[list[tuple[int, float]]], movable: int) -> list[float]:
        """Draw each of the first `movable` unknowns to its neighbours; the others close in."""
        total = len(self.order)
        x = self.project([0.0] * total)
        many = total > MANY
        weights = [sum(w for _, w in found) for found in neighbours]
        for _ in range(ROUNDS_OF_MANY if many else ROUNDS_TOGETHER):
            wish = x[:]
            for i, found in enumerate(neighbours):
                if found:
                    wish[i] = (x[i] + sum([x[j] * w for j, w in found]) / weights[i]) / 2
            x = self.project(wish)
            self.close_in(x, movable)
        for step in range(ROUNDS_OF_MANY if many else ROUNDS_SINGLE):
            self.single(x, neighbours, weights, movable, leftwards=step % 2 == 0)
            if not many:
                self.pairs(x, neighbours, weights, movable)
        return x

    def close_in(self, x: list[float], movable: int) -> None:
        """Draw the sides of frames to their contents, inner ones first."""
        for i in self.order:
            if i >= movable and (i - movable) % 2:
                x[i] = max((x[j] + d for j, d in self.before[i]), default=x[i])
        for i in reversed(self.order):
            if i >= movable and not (i - movable) % 2:
                x[i] = min((x[j] - d for j, d in self.after[i]), default=x[i])

    def single(
        self,
        x: list[float],
        neighbours: list[list[tuple[int, float]]],
        weights: list[float],
        movable: int,
        leftwards: bool,
    ) -> None:
        """Move one unknown after the other as far to its neighbours as the others allow."""
        before, after = self.before, self.after
        for i in self.order if leftwards else reversed(self.order):
            if i < movable:
                found = neighbours[i]
                if not found:
                    continue
                total = 0.0
                for j, w in found:
                    total += x[j] * w
                at = total / weights[i]
                for j, distance in after[i]:
                    if x[j] - distance < at:
                        at = x[j] - distance
                for j, distance in before[i]:
                    if x[j] + distance > at:
                        at = x[j] + distance
                x[i] = at
            elif leftwards and not (i - movable) % 2:
                x[i] = max((x[j] + d for j, d in before[i]), default=x[i])
            elif not leftwards and (i - movable) % 2:
                x[i] = min((x[j] - d for j, d in after[i]), default=x[i])
        self.close_in(x, movable)

    def pairs(
        self,
        x: list[float],
        neighbours: list[list[tuple[int, float]]],
        weights: list[float],
        movable: int,
    ) -> None:
        """Move two that touch, each in the way of the other, to the mean of what both wish."""
        before, after = self.before, self.after
        for a in range(movable):
            for b, distance in after[a]:
                if b >= movable or x[b] - x[a] > distance + TOUCH or not (weights[a] + weights[b]):
                    continue
                pull = sum([(x[j] - x[a]) * w for j, w in neighbours[a]])
                pull += sum([(x[j] - x[b]) * w for j, w in neighbours[b]])
                shift = pull / (weights[a] + weights[b])
                if shift < 0:
                    room = [x[j] + d - x[a] for j, d in before[a]]
                    room += [x[j] + d - x[b] for j, d in before[b] if j != a]
                    shift = max([shift, *room])
                    if shift > 0:
                        continue
                else:
                    room = [x[j] - d - x[b] for j, d in after[b]]
                    room += [x[j] - d - x[a] for j, d in after[a] if j != b]
                    shift = min([shift, *room])
                    if shift < 0:
                        continue
                x[a] += shift
                x[b] += shift
        self.close_in(x, movable)
