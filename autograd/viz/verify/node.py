"""One recorded node: every argument that a gradient flows to, checked and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...engine import check_unchanged
from ...gradcheck import random_weights
from ...graph import Node
from ..summary import number
from .argument import Argument, Wrong
from .call import Call, Rule, alone, draws
from .probe import Prober
from .slips import slip

Status = Literal["right", "wrong", "kink", "none", "imprecise", "skipped"]

# How far a rule in the graph's own precision may be from the same in float64, as part of its
# largest element: more than the float32 convolutions and reductions of a deep model lose.
SINGLE = 2e-3
DOUBLE = 1e-7


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one argument of one node.

    Attributes
    ----------
    status : str
        "right" or "wrong"; "kink": not differentiable here; "none": no gradient on purpose;
        "imprecise": right, but the graph's own precision is too low for it; "skipped": could not
        be checked.
    slot : int
        Position of the argument.
    argument : str
        Its name.
    element : tuple of int or None
        Its wrong element.
    output : tuple of int or None
        The element of the result whose derivative `rule` and `difference` are; None if it is the
        derivative of the whole result weighted at random.
    rule, difference : float or None
        What the rule sends back there, and what central differences show.
    reason : str
        What is likely wrong, or why it was not checked.
    """

    status: Status
    slot: int
    argument: str
    element: tuple[int, ...] | None = None
    output: tuple[int, ...] | None = None
    rule: float | None = None
    difference: float | None = None
    reason: str = ""


class Examination:
    """The check of one node.

    Parameters
    ----------
    node : Node
    values : sequence
        The operands.
    eps : float or None
    tolerance : float
    samples : int
    seed : int
    """

    def __init__(
        self,
        node: Node,
        values: Sequence[Any],
        eps: float | None,
        tolerance: float,
        samples: int,
        seed: int,
    ) -> None:
        assert node.op is not None
        self.node, self.op = node, node.op
        self.eps, self.tolerance, self.samples, self.seed = eps, tolerance, samples, seed
        tracked = tuple(link.__class__ is Node for link in node.inputs)
        self.call = Call(node.op, values, node.params, tracked)
        self.slots = [i for i, t in enumerate(tracked) if t]

    def findings(self) -> list[Finding]:
        """One finding for each argument that a gradient flows to."""
        try:
            prober = self._prober()
        except Exception as error:  # an op of the user's own may raise anything
            return self._all("skipped", f"running it again raised {_told(error)}")
        if isinstance(prober, str):
            return self._all("skipped", prober)
        rule = Rule(prober.call.node())
        upstream = random_weights(np.random.default_rng([self.seed, 1]), prober.base)
        upstream = np.asarray(upstream)
        found = [self._argument(prober, rule, upstream, slot) for slot in self.slots]
        if all(f.status in ("right", "kink", "none") for f in found):
            found = self._in_the_graph(prober, rule, upstream, found)
        return found

    def _prober(self) -> Prober | str:
        """The call in float64, or in the graph's precision if it has no other; or why not."""
        try:
            call = self.call.in_float64()
            base = call.result()
        except Exception:  # an op of the user's own may take one type only
            call = self.call
            base = call.result()
        if base.dtype.kind != "f":
            return f"its result is {base.dtype}, which has no derivative"
        if not np.array_equal(base, call.result(), equal_nan=True):
            return "it gives another result each time it runs, so there are no differences to take"
        if base.size and not np.isfinite(base).any():
            return f"its result is not finite: {number(base.reshape(-1)[0])}"
        return Prober(call, self.eps)

    # --- One argument -------------------------------------------------------------------------

    def _argument(self, prober: Prober, rule: Rule, upstream: np.ndarray, slot: int) -> Finding:
        name = self._name(slot)
        rng = np.random.default_rng([self.seed, 2, slot])
        try:
            argument = Argument(prober, rule, slot, upstream, self.tolerance, rng)
        except Exception as error:  # a wrong rule may raise anything
            return Finding("wrong", slot, name, reason=f"its rule raised {_told(error)}")
        if rule.touched:
            touched, rule.touched = rule.touched, ""
            reason = f"its rule changes {touched} in place: other rules read it too"
            return Finding("wrong", slot, name, reason=reason)
        if argument.piece is None:
            return self._on_purpose(argument, slot, name)
        if not argument.value.size:
            return Finding("right", slot, name, reason="it has no elements")
        if not np.array_equal(argument.sends(upstream), argument.piece, equal_nan=True):
            reason = "its rule sends something else each time it runs"
            return Finding("wrong", slot, name, reason=reason)
        wrong = argument.check(self.samples)
        if wrong is not None:
            return self._failure(argument, wrong, slot, name)
        if argument.unsure.any() or argument.kinks:
            return Finding("kink", slot, name, reason=_kink_text(argument))
        return Finding("right", slot, name)

    def _on_purpose(self, argument: Argument, slot: int, name: str) -> Finding:
        reason = "no gradient on purpose"
        probe = argument.prober.probe(slot, np.ones(argument.value.shape), careful=True)
        if not argument.compare(probe).agrees:
            reason += ", though the result changes with it"
        return Finding("none", slot, name, reason=reason)

    def _failure(self, argument: Argument, wrong: Wrong, slot: int, name: str) -> Finding:
        many = len(self.call.values)
        operands = self.op.inputs
        if self.op.variadic:
            operands = tuple(f"{operands[0]}[{i}]" for i in range(many))
        reason = slip(argument, wrong.probe, names=("y", *operands))
        if not reason and not np.isfinite(wrong.rule):
            reason = f"the rule gives {number(wrong.rule)} where there is a slope"
        return Finding(
            "wrong", slot, name, wrong.element, wrong.output, wrong.rule, wrong.difference, reason
        )

    # --- The node as it is in the graph -------------------------------------------------------

    def _in_the_graph(
        self, prober: Prober, rule: Rule, upstream: np.ndarray, found: list[Finding]
    ) -> list[Finding]:
        """Compare what the live node sends, from what it saved, with the same in float64."""
        node = self.node
        if node.saved is None:
            return found
        try:
            check_unchanged(node)
        except RuntimeError as error:
            return self._all("skipped", f"backward will refuse: {error}")
        limit = DOUBLE if node.dtype in (float, np.float64) else SINGLE
        try:
            live = Rule(alone(node)).sends(upstream)
        except Exception as error:  # in float64 the rule ran: it is what was saved that is wrong
            return self._all("wrong", f"on what the node saved, its rule raised {_told(error)}")
        wide, fresh = rule.sends(upstream), None
        judged = []
        for finding in found:
            off = _distance(live[finding.slot], wide[finding.slot])
            if off <= limit:
                judged.append(finding)
                continue
            if fresh is None:
                fresh = Rule(self.call.node()).sends(upstream)
            where = finding.slot, finding.argument
            if _distance(live[finding.slot], fresh[finding.slot]) <= limit:
                reason = f"{node.dtype} is too coarse: off by {number(100.0 * off, 2)} %"
                judged.append(Finding("imprecise", *where, reason=reason))
            elif any(draws(v) for v in node.params.values()):
                reason = "it draws at random, and drew something else in the graph"
                judged.append(Finding("skipped", *where, reason=reason))
            else:
                reason = "what it saved was changed since, unseen by the graph"
                judged.append(Finding("wrong", *where, reason=reason))
        return judged

    def _name(self, slot: int) -> str:
        return f"{self.op.inputs[0]}[{slot}]" if self.op.variadic else self.op.inputs[slot]

    def _all(self, status: Status, reason: str) -> list[Finding]:
        return [Finding(status, slot, self._name(slot), reason=reason) for slot in self.slots]


def _distance(a: Any, b: Any) -> float:
    """The largest difference, as part of the largest element."""
    if a is None or b is None:
        return 0.0 if a is b else float("inf")
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    if a.shape != b.shape or not both.any():
        return 0.0 if a.shape == b.shape else float("inf")
    largest = float(np.abs(b[both]).max())
    gap = float(np.abs(a[both] - b[both]).max())
    return gap / largest if largest else (float("inf") if gap else 0.0)


def _kink_text(argument: Argument) -> str:
    count, size = int(argument.unsure.sum()), argument.unsure.size
    if not count:
        return f"not differentiable here: the slope at {list(argument.kinks[0])} is infinite"
    if count == size:
        return "not differentiable here" + (f" (all {size} results)" if size > 1 else "")
    return f"not differentiable here at {count} of {size} results; the others agree"


def _told(error: Exception) -> str:
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
