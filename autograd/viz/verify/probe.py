"""Probes: how the result of one call changes along one direction of one operand.

A probe holds the change of every element of the result, so that it can be weighted afterwards with
any gradient that might arrive. Where the slopes to both sides differ, and go on to differ for
smaller steps, there is no derivative: such elements of the result are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...gradcheck import both_sides
from .call import Call

# A second, smaller step tells a kink (its jump stays) from curvature (its jump shrinks as much).
FINER = 32.0
# How much of the slope the two sides may differ by before they are looked at again.
SUSPICIOUS = 0.01
# Rounding errors of a result, in units of its last place, that a difference is made of.
ROUNDINGS = 4.0
# Directions move every element in proportion to itself, but none by less than this part of the
# largest: the smallest would be lost in rounding.
SMALLEST_STEP = 0.1


@dataclass(frozen=True, slots=True)
class Probe:
    """What a small step along `direction` does to the result.

    Attributes
    ----------
    direction : ndarray
        In the shape of the operand.
    change : ndarray
        The derivative of each element of the result along it; 0 where there is none.
    sure : ndarray of bool
        Which elements of the result have a derivative along it.
    error : ndarray
        Likely error of `change` through rounding.
    """

    direction: np.ndarray
    change: np.ndarray
    sure: np.ndarray
    error: np.ndarray

    def shows(self, upstream: np.ndarray) -> float:
        """The derivative of the result weighted with `upstream`."""
        return float(np.sum(np.where(self.sure, upstream, 0.0) * self.change))

    def doubt(self, upstream: np.ndarray) -> float:
        """How far `shows` may be off through rounding."""
        weighted = np.where(self.sure, upstream, 0.0) * self.error
        return float(np.sqrt(np.sum(weighted * weighted)))


class Prober:
    """Makes probes of one call in double precision.

    Parameters
    ----------
    call : Call
        In float64.
    eps : float, optional
        The step; default the cube root of the precision of the result, where the errors of
        rounding and of curvature are least.
    """

    def __init__(self, call: Call, eps: float | None = None) -> None:
        self.call = call
        self.base = call.result()
        # What an op computes in single precision on purpose, such as a cast, needs larger steps.
        self.unit = float(np.finfo(self.base.dtype).eps)
        self.step = float(np.cbrt(self.unit)) if eps is None else eps

    def probe(self, slot: int, direction: np.ndarray, *, careful: bool = False) -> Probe:
        """Step along `direction` of operand number `slot`.

        Parameters
        ----------
        careful : bool
            Take a second step in any case, and leave out what the two do not agree on.
        """
        with np.errstate(all="ignore"):
            forth, back, noise = self._slopes(slot, direction, self.step)
            change = (forth + back) / 2.0
            sure = np.isfinite(change)
            jump = np.abs(forth - back)
            odd = jump > SUSPICIOUS * (np.abs(forth) + np.abs(back)) + 10.0 * noise
            odd |= ~sure
            if odd.any() or careful:
                forth, back, finer_noise = self._slopes(slot, direction, self.step / FINER)
                finer, finer_jump = (forth + back) / 2.0, np.abs(forth - back)
                settled = finer_jump <= jump / 4.0 + 10.0 * finer_noise
                settled |= ~np.isfinite(jump) & (finer_jump <= SUSPICIOUS * np.abs(finer))
                settled &= np.isfinite(finer)
                change = np.where(odd, finer, change)
                noise = np.where(odd, finer_noise, noise)
                sure = np.where(odd, settled, sure)
                if careful:  # a step of the function itself has slopes that grow without end
                    gap = np.abs(finer - change)
                    limit = 0.05 * (np.abs(finer) + np.abs(change)) + 10.0 * finer_noise
                    sure &= ~(gap > limit)
        change = np.where(sure, change, 0.0)
        return Probe(self._as_stepped(slot, direction), change, sure, np.where(sure, noise, 0.0))

    def _slopes(
        self, slot: int, direction: np.ndarray, step: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The slopes forth and back, and the error that rounding may make in each."""
        value = np.asarray(self.call.values[slot])
        up, down = both_sides(lambda x: self.call.result(slot, x), value, direction, step)
        up, down, base = (np.asarray(a, np.float64) for a in (up, down, self.base))
        noise = ROUNDINGS * self.unit * np.maximum(np.abs(base), np.abs(up)) / step
        return (up - base) / step, (base - down) / step, noise

    def _as_stepped(self, slot: int, direction: np.ndarray) -> np.ndarray:
        """The direction as it is once the moved operand is rounded."""
        value = np.asarray(self.call.values[slot])
        up, down = both_sides(lambda x: x.astype(value.dtype), value, direction, self.step)
        with np.errstate(all="ignore"):
            stepped = np.asarray((up - down) / (2.0 * self.step))
        return np.where(np.isfinite(stepped), stepped, 0.0)


def scales(value: Any) -> list[np.ndarray]:
    """How far to move each element, in units of the step: the first that serves is right.

    The first moves all elements by much the same. Where a function has an edge close to some
    elements (the logarithm of a tiny number), each has to move in proportion to itself; and where
    all are tiny beside what they are added to, they have to move by as much as that.
    """
    size = np.abs(np.asarray(value, np.float64))
    finite = np.isfinite(size)
    size = np.where(finite, size, 0.0)
    largest = float(size.max()) if size.size else 0.0
    largest = largest or 1.0
    even = np.maximum(size, SMALLEST_STEP * largest)
    own = np.where(size > 0.0, size, SMALLEST_STEP * largest)
    return [np.where(finite, s, 0.0) for s in (even, own, np.ones_like(size))]
