"""One argument of one recorded call: whether its rule sends back what small steps show.

Random directions test all elements at once; where one disagrees it is halved until a single
element is left. A rule that is wrong is then asked what it got wrong: see `verify_slips`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...gradcheck import random_weights
from .call import Rule
from .probe import Probe, Prober, scales

# How far off a difference may be in its likely rounding errors before it counts.
DOUBTS = 3.0
# Elements of the result that are tried, to say which one is wrong.
LOCATED = 16


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number as the rule and as the differences have it.

    Attributes
    ----------
    says, shows : float
        By the rule, and by differences.
    limit : float
        By how much they may differ.
    blind : bool
        Rounding hides whether they do.
    """

    says: float
    shows: float
    limit: float
    blind: bool

    @property
    def off(self) -> float:
        """How far they differ, in units of what is allowed; infinite if one is not a number."""
        gap = abs(self.says - self.shows)
        if not np.isfinite(gap):
            return float("inf")
        return gap / self.limit if self.limit else (float("inf") if gap else 0.0)

    @property
    def agrees(self) -> bool:
        """Whether they are the same."""
        return self.off <= 1.0


@dataclass(frozen=True, slots=True)
class Wrong:
    """Where an argument's rule is wrong.

    Attributes
    ----------
    probe : Probe
        Along the wrong element alone.
    element : tuple of int
        Of the argument.
    output : tuple of int or None
        The element of the result whose derivative is given; None if it is that of the whole
        result weighted at random.
    rule, difference : float
    """

    probe: Probe
    element: tuple[int, ...]
    output: tuple[int, ...] | None
    rule: float
    difference: float


class Argument:
    """The check of one argument.

    Parameters
    ----------
    prober : Prober
    rule : Rule
        Of the node that `prober.call` makes.
    slot : int
    upstream : ndarray
        A random gradient of the result.
    tolerance : float
        Allowed relative difference.
    rng : Generator

    Attributes
    ----------
    unsure : ndarray of bool
        Elements of the result that were found to have no derivative.
    kinks : list of tuple of int
        Elements of the argument at which the rule gives no number, and neither do differences.
    """

    def __init__(
        self,
        prober: Prober,
        rule: Rule,
        slot: int,
        upstream: np.ndarray,
        tolerance: float,
        rng: np.random.Generator,
    ) -> None:
        self.prober, self.rule, self.slot = prober, rule, slot
        self.upstream, self.rng = upstream, rng
        # What is computed in single precision needs steps whose own error is larger.
        self.tolerance = max(tolerance, 40.0 * prober.step**2)
        self.value = np.asarray(prober.call.values[slot])
        self.scales = scales(self.value)
        self.piece = self.sends(upstream)
        self.unsure = np.zeros(prober.base.shape, bool)
        self.kinks: list[tuple[int, ...]] = []

    def sends(self, upstream: np.ndarray, saved: tuple[Any, ...] | None = None) -> Any:
        """What the rule of this argument makes of a gradient of the result."""
        return self.rule.sends(upstream, only=self.slot, saved=saved)[self.slot]

    # --- Comparing ----------------------------------------------------------------------------

    def check(self, samples: int) -> Wrong | None:
        """Try `samples` random directions and as many single elements."""
        usable = self._with_numbers(samples)
        if usable is None or isinstance(usable, Wrong):
            return usable
        for _ in range(samples):
            direction = random_weights(self.rng, np.zeros(self.value.shape)) * usable
            wrong = self._try(direction)
            if wrong is not None:
                return wrong
            if self.value.size <= 1:
                return None
        places = np.flatnonzero(usable)
        for place in self.rng.permutation(places)[:samples]:
            wrong = self._try(self._along(int(place)))
            if wrong is not None:
                return wrong
        return None

    def _with_numbers(self, samples: int) -> np.ndarray | Wrong | None:
        """1 at the elements that can be moved; None if there are none; a failure if one shows.

        Left out are those at which the rule gives no finite number, if differences do neither.
        """
        usable = np.isfinite(self.value) & np.isfinite(self.piece)
        beside = np.flatnonzero(np.isfinite(self.value) & ~np.isfinite(self.piece))
        for place in beside[:samples]:
            direction = self._along(int(place))
            probe = self.prober.probe(self.slot, direction * self.scales[1], careful=True)
            if probe.sure.all() and np.any(direction):
                return self._located(probe, int(place))
            self.unsure |= ~probe.sure
        self.kinks = [_index(int(p), self.value.shape) for p in beside]
        return usable.astype(np.float64) if usable.any() else None

    def _try(self, direction: np.ndarray) -> Wrong | None:
        """Move along `direction`, by other scales if the first does not agree."""
        failed: np.ndarray | None = None
        hidden: Probe | None = None
        for scale in self.scales:
            probe = self.prober.probe(self.slot, direction * scale)
            found = self.compare(probe)
            if not found.agrees:
                probe = self.prober.probe(self.slot, direction * scale, careful=True)
                found = self.compare(probe)
            if found.blind:
                hidden = hidden or probe
            elif found.agrees:
                self.unsure |= ~probe.sure
                return None
            elif failed is None:
                failed = scale
        if failed is None:  # all that can be seen is that nothing large is wrong
            if hidden is not None:
                self.unsure |= ~hidden.sure
            return None
        return self._narrowed(direction, failed)

    def compare(
        self,
        probe: Probe,
        sends: Callable[[np.ndarray], Any] | None = None,
        upstream: np.ndarray | None = None,
    ) -> Comparison:
        """Compare what the rule (or `sends` in its place) and the differences make of a probe."""
        g = self.upstream if upstream is None else upstream
        if upstream is None and sends is None and probe.sure.all():
            piece = self.piece
        else:
            piece = (sends or self.sends)(np.where(probe.sure, g, 0.0))
        if piece is None:
            piece = np.zeros(self.value.shape)
        moved = probe.direction != 0.0
        terms = np.where(moved, np.where(moved, piece, 0.0) * probe.direction, 0.0)
        with np.errstate(all="ignore"):
            says, size = float(np.sum(terms)), float(np.sqrt(np.sum(terms * terms)))
        shows, doubt = probe.shows(g), DOUBTS * probe.doubt(g)
        limit = self.tolerance * max(abs(shows), size) + doubt
        return Comparison(says, shows, limit, bool(doubt > 0.1 * max(abs(says), abs(shows))))

    # --- Locating -----------------------------------------------------------------------------

    def _narrowed(self, direction: np.ndarray, scale: np.ndarray) -> Wrong:
        """Halve the moved elements as long as one half disagrees."""
        places = np.flatnonzero(direction)
        probe = self.prober.probe(self.slot, direction * scale, careful=True)
        while places.size > 1:
            halves = []
            for half in np.array_split(places, 2):
                part = np.zeros(direction.size)
                part[half] = direction.reshape(-1)[half]
                probe = self.prober.probe(
                    self.slot, part.reshape(direction.shape) * scale, careful=True
                )
                halves.append((self.compare(probe).off, half, probe))
            off, places, probe = max(halves, key=lambda found: found[0])
            if off <= 1.0:
                break  # it only shows in the sum of many
        return self._located(probe, int(places[0]))

    def _located(self, probe: Probe, place: int) -> Wrong:
        element = _index(place, self.value.shape)
        step = float(probe.direction[element])
        candidates = np.argsort(-np.abs(probe.change), axis=None, kind="stable")[:LOCATED]
        if probe.change.shape == self.value.shape:
            candidates = np.append(place, candidates)
        for candidate in candidates:
            output = _index(int(candidate), probe.change.shape)
            one = np.zeros(probe.change.shape)
            one[output] = 1.0
            if probe.sure[output] and not self.compare(probe, upstream=one).agrees:
                says, shows = self._entry(one, element), float(probe.change[output]) / step
                return Wrong(probe, element, output, says, shows)
        says, shows = self._entry(self.upstream, element), probe.shows(self.upstream) / step
        return Wrong(probe, element, None, says, shows)

    def _entry(self, upstream: np.ndarray, element: tuple[int, ...]) -> float:
        piece = self.sends(upstream)
        return 0.0 if piece is None else float(np.asarray(piece)[element])

    def _along(self, place: int) -> np.ndarray:
        """A direction that moves one element only."""
        direction = np.zeros(self.value.size)
        direction[place] = 1.0
        return direction.reshape(self.value.shape)

    def single(self, place: int) -> Probe:
        """A careful probe along one element."""
        return self.prober.probe(self.slot, self._along(place) * self.scales[0], careful=True)


def _index(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(place, shape))
