"""What a wrong rule got wrong: the common slips, tried one after the other.

Each guess is a change that would make the rule right. It is put to the rule itself, with other
gradients or other saved values, and holds only if the result then agrees with the differences
along every probe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...gradcheck import common_factor
from ..summary import number
from .argument import Argument
from .probe import Probe

# Elements that are looked at one by one.
ELEMENTS = 24
# A value must vary by this part of itself to be told from a constant.
VARIED = 0.05
# Factors that people forget or write once too often.
COMMON_FACTORS = {
    -1.0: "the sign is wrong",
    2.0: "it is twice what it should be",
    0.5: "it is half of what it should be",
    -2.0: "it is -2 times what it should be: sign and factor",
    -0.5: "it is -1/2 of what it should be: sign and factor",
}


def slip(argument: Argument, wrong: Probe, *, names: Sequence[str]) -> str:
    """Say what was most likely done wrong in the rule of an argument; "" if nothing fits.

    Parameters
    ----------
    argument : Argument
    wrong : Probe
        Along an element that is wrong.
    names : sequence of str
        Of the result and the operands, as the rule calls them.
    """
    places = np.flatnonzero(np.isfinite(argument.value))
    if places.size > ELEMENTS:
        places = np.sort(np.random.default_rng(0).choice(places, ELEMENTS, replace=False))
    probes = [argument.single(int(p)) for p in places]
    guesses = _Guesses(argument, [wrong, *probes], places, names)
    return next(iter(guesses.all()), "")


class _Guesses:
    def __init__(
        self,
        argument: Argument,
        probes: list[Probe],
        places: np.ndarray,
        names: Sequence[str],
    ) -> None:
        self.argument, self.probes, self.names = argument, probes, names
        self.call = argument.prober.call
        self.saved = tuple(argument.rule.node.saved or ())
        found = [argument.compare(p) for p in probes[1:]]
        steps = np.array(
            [p.direction.reshape(-1)[i] for p, i in zip(probes[1:], places, strict=False)]
        )
        self.places = places
        with np.errstate(all="ignore"):
            self.says = np.array([c.says for c in found]) / steps
            self.shows = np.array([c.shows for c in found]) / steps
        self.limits = np.array([c.limit for c in found]) / np.abs(steps)

    def all(self) -> Iterator[str]:
        """Every guess that holds, the likeliest first."""
        factor = self._factor(self.says)
        if factor in COMMON_FACTORS:
            yield COMMON_FACTORS[factor]
        if not np.any(self.says) and np.any(np.abs(self.shows) > self.limits):
            yield "it sends zero"
        yield from self._upstream()
        yield from self._other_argument()
        yield from self._transposed()
        yield from self._other_values()
        yield from self._chain_factor()
        yield from self._sum()
        if factor is not None:
            yield f"it is {number(factor)} times what it should be" + self._sizes(factor)

    # --- Guesses ------------------------------------------------------------------------------

    def _upstream(self) -> Iterator[str]:
        a = self.argument
        twice = a.sends(2.0 * a.upstream)
        if _near(twice, a.piece) and np.any(a.piece):
            yield "it does not depend on the gradient that arrives: multiply by g"
        elif _near(twice, 4.0 * np.asarray(a.piece)) and np.any(a.piece):
            yield "it multiplies by the gradient that arrives twice"

    def _other_argument(self) -> Iterator[str]:
        a = self.argument
        for slot, value in enumerate(self.call.values):
            if slot == a.slot or np.shape(value) != a.value.shape or not _real(value):
                continue
            other = [
                a.prober.probe(slot, p.direction, careful=True)
                for p in self.probes
                if np.any(p.direction)
            ]
            if self._holds(a.sends, other):
                yield f"it is the gradient of {self.names[1 + slot]}: rules swapped?"

    def _transposed(self) -> Iterator[str]:
        a = self.argument
        if _square(a.value):
            yield from self._if(lambda g: _turned(a.sends(g)), "it is transposed")
        if _square(a.upstream):
            yield from self._if(
                lambda g: a.sends(_turned(g)), "it would be right with g transposed"
            )

    def _other_values(self) -> Iterator[str]:
        a = self.argument
        known = [a.prober.base, *self.call.values]
        for at, value in enumerate(self.saved):
            if not isinstance(value, np.ndarray | np.floating | float) or not _real(value):
                continue
            name = self.names[at]
            if _square(value):
                turned = self._with(at, _turned(value))
                yield from self._if(turned, f"it would be right with {name} transposed")
            for other, replacement in enumerate(known):
                if other != at and _real(replacement) and np.shape(replacement) == np.shape(value):
                    text = f"it would be right with {self.names[other]} in place of {name}"
                    yield from self._if(self._with(at, replacement), text)

    def _chain_factor(self) -> Iterator[str]:
        """A value by which the rule should be multiplied, or should not have been."""
        for at, value in enumerate([self.argument.prober.base, *self.call.values]):
            if not _real(value) or np.shape(value) != self.argument.value.shape:
                continue
            there = np.asarray(value, np.float64).reshape(-1)[self.places]
            if np.ptp(there) <= VARIED * np.abs(there).max():
                continue
            name = self.names[at]
            lacking = self._factor(self.says * there)
            if lacking is not None:
                times = "" if lacking == 1.0 else f"{number(1.0 / lacking)}·"
                yield f"the factor {times}{name} is missing: chain rule?"
            with np.errstate(all="ignore"):
                extra = self._factor(self.says / there)
            if extra is not None:
                times = "" if extra == 1.0 else f"{number(extra)}·"
                yield f"the factor {times}{name} is one too many"

    def _sum(self) -> Iterator[str]:
        """Only a part of what a dimension should have been summed over."""
        a = self.argument
        for dim, size in enumerate(a.upstream.shape):
            if size < 2:
                continue
            first = np.zeros_like(a.upstream)
            index = (slice(None),) * dim + (slice(0, 1),)
            first[index] = a.upstream[index]
            if any(np.any(p.change[index]) for p in self.probes) and all(
                a.compare(p, upstream=first).agrees for p in self.probes
            ):
                yield (
                    f"it takes only the first along dimension {dim} of the gradient that arrives: "
                    "a sum is missing (of broadcasting?)"
                )

    def _sizes(self, factor: float) -> str:
        """Which number of elements the factor is, if it is one."""
        for name, value in zip(
            self.names, [self.argument.prober.base, *self.call.values], strict=False
        ):
            shape = np.shape(value)
            for dim, size in enumerate(shape):
                if size > 1 and (np.isclose(factor, size) or np.isclose(factor * size, 1.0)):
                    return f": {size} is the size of dimension {dim} of {name}; mean or sum?"
            total = int(np.prod(shape))
            if total > 1 and (np.isclose(factor, total) or np.isclose(factor * total, 1.0)):
                return f": {total} is the number of elements of {name}; mean or sum?"
        return ""

    # --- Trying them --------------------------------------------------------------------------

    def _with(self, at: int, value: Any) -> Callable[[np.ndarray], Any]:
        saved = tuple(value if i == at else v for i, v in enumerate(self.saved))
        return lambda g: self.argument.sends(g, saved)

    def _if(self, sends: Callable[[np.ndarray], Any], text: str) -> Iterator[str]:
        if self._holds(sends, self.probes):
            yield text

    def _holds(self, sends: Callable[[np.ndarray], Any], probes: list[Probe]) -> bool:
        try:
            return bool(probes) and all(self.argument.compare(p, sends).agrees for p in probes)
        except Exception:  # a guess may not even fit the rule's shapes, whatever it then raises
            return False

    def _factor(self, says: np.ndarray) -> float | None:
        """By what `says` is too large, if that is the same at all elements."""
        with np.errstate(all="ignore"):
            counts = np.abs(self.shows) > self.limits
            if not counts.any() or not np.isfinite(says).all():
                return None
            if np.any(np.abs(says[~counts]) > 10.0 * self.limits[~counts]):
                return None
            factor = common_factor(says[counts], self.shows[counts])
        if factor is None:
            return None
        nice = round(factor * 2.0) / 2.0
        return nice if nice and abs(factor - nice) < 1e-3 * abs(nice) else factor


def _near(a: Any, b: Any) -> bool:
    return a is not None and b is not None and bool(np.allclose(a, b, rtol=1e-6, atol=0.0))


def _real(value: Any) -> bool:
    return value is not None and np.asarray(value).dtype.kind == "f"


def _square(value: Any) -> bool:
    shape = np.shape(value)
    return len(shape) > 1 and shape[-1] == shape[-2] > 1


def _turned(value: Any) -> Any:
    return None if value is None else np.swapaxes(np.asarray(value), -1, -2)
