"""Why ``.grad`` is None: what never asked for a gradient, never got one, or lost it again."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from ...differentiate import RETAIN
from ...engine import leading_to
from ...graph import Node, Variable, toposort
from ...modes import mode
from ..model import Source
from ..record import note_of
from ..summary import number
from .answer import Cause
from .cuts import NUMBERS, Case, choices, cut, cuts_of, name_of, suspects, with_cuts
from .evidence import made_from, was_walked
from .results import causes_of_intermediate
from .size import norm

CERTAIN = (
    "With `with viz.record() as recording:` around the step, or as why(tensor, function), where "
    "the function runs the step and returns the loss, why can name the line."
)


def causes_of_none(case: Case) -> list[Cause]:
    """Find out why ``case.tensor.grad`` is None; most likely cause first."""
    tensor = case.tensor
    if not mode.grad:
        case.remarks.append("Recording is switched off right here: no_grad() is in force.")
    if tensor.node is None or not tensor.requires_grad:
        return [_not_asked(case, tensor, case.name)]
    if tensor.node.op is not None:
        hooks = tensor.node.hooks or {}
        if RETAIN not in hooks:
            return causes_of_intermediate(case, tensor.node)
    return _asked(case, tensor.node)


# --- It does not require grad -------------------------------------------------------------------


def _not_asked(case: Case, variable: Variable, name: str) -> Cause:
    """Why a variable does not require grad."""
    for event in reversed(case.events):
        if event.result is not None and event.result() is variable:
            return cut(event, f"{name} is the result of")
    dtype = variable.dtype
    if dtype is not float and dtype.kind != "f":
        return Cause(
            "integer",
            f"{name} holds {dtype}: only floating-point tensors have gradients",
            f"if it is to be learned, make it float before use: {name} = "
            f"{name}.to(np.float32).requires_grad_()",
        )
    note = note_of(variable)
    if note is not None and note.code is not None:
        inner = _cut_nearby(case, name, note.source)
        if inner is not None:
            return inner
        return Cause(
            "requires_grad",
            f"{name} was computed from values none of which requires grad",
            "call requires_grad_() on the tensor that it should be differentiated by, before use",
            note.source,
        )
    if variable.role == "parameter":
        text = f"{name} is frozen: a parameter with requires_grad=False"
    else:
        text = f"{name} does not require grad: it was made without requires_grad=True"
    if case.keep is None and variable.role != "parameter":
        case.remarks.append(
            f"If {name} is the result of a computation, it was detached, or made inside no_grad() "
            f"or from data alone. {CERTAIN}"
        )
    return Cause(
        "requires_grad", text, f"{name}.requires_grad_() before the forward pass that uses it"
    )


def _cut_nearby(case: Case, name: str, source: Source | None) -> Cause | None:
    """The last cut in the function that made a result, on its own line if there is one."""
    if source is None:
        return None
    place = (source.file, source.function)
    near = [
        event
        for event in case.events
        if event.how not in NUMBERS
        and event.source is not None
        and (event.source.file, event.source.function) == place
        and event.source.line <= source.line
    ]
    same = [event for event in near if event.source == source]
    if not near:
        return None
    start = f"{name} was computed from values that do not require grad: they went into"
    return cut((same or near)[-1], start, bool(same))


# --- It asked, and got nothing ------------------------------------------------------------------


def _asked(case: Case, node: Node) -> list[Cause]:
    name, loss = case.name, case.loss
    made = made_from(node, case.users)
    if loss is not None and loss.node is None:
        causes = [_not_asked(case, loss, "the loss")]
        return with_cuts(case, node, made, causes)
    if loss is not None and loss.node is not None:
        order = toposort([loss.node])
        leading = leading_to({node}, order)
        if loss.node not in leading:
            return _unreachable(case, node, made)
        below = [other for other in order if other in leading and other is not node]
    else:
        below = made
    blocked = _blocked(node, below)
    if blocked:
        return blocked
    note = note_of(node)
    if note is not None and note.gradient is not None:
        return _delivered(case, note.gradient)
    walked = [other for other in below if was_walked(other)]
    if walked:
        return _walked(case, node, walked)
    cuts = cuts_of(case, node, made) if loss is None else []
    if cuts:
        return cuts
    if below or loss is not None:
        what = "this loss" if loss is not None else f"anything that {name} went into"
        traces = any(other.op is not None and other.op.saves_values for other in below)
        causes = [
            Cause(
                "backward_not_called",
                f"backward() has not been called on {what}",
                "loss.backward() before .grad is read",
                _source(below[-1]) if below else None,
                sure=traces,
            )
        ]
        if not traces:  # a pass over ops that keep no values changes nothing in them
            causes.append(
                Cause(
                    "reset",
                    "or it was, and .grad was set to None since, as zero_grad() does",
                    "read .grad between backward() and zero_grad()",
                    sure=False,
                )
            )
        return causes
    return _unused(case, note is not None)


def _blocked(node: Node, below: Sequence[Node]) -> list[Cause]:
    """Direct users whose op has no rule for this operand, if there are no others."""
    causes = []
    for user in below:
        for slot, link in enumerate(user.inputs):
            if link is not node or user.op is None:
                continue
            if user.op.joint is not None or user.op.rules[slot] is not None:
                return []
            argument = user.op.inputs[slot]
            causes.append(
                Cause(
                    "no_rule",
                    f"it is used as the {argument} of {user.op.name} only, for which that op has "
                    "no gradient on purpose",
                    "make it act on the result by a smooth op too",
                    _source(user),
                )
            )
    return causes


def _delivered(case: Case, gradient: Any) -> list[Cause]:
    """A backward pass brought a gradient, and it is not there any more."""
    name, size = case.name, number(norm(gradient))
    return [
        Cause(
            "reset",
            f"a backward pass brought a gradient of norm {size} to {name}, and .grad was set to "
            "None since, as zero_grad() does",
            "read .grad between backward() and zero_grad()",
        ),
        Cause(
            "excluded",
            f"or that pass was autograd.grad(...), or backward(inputs=...) without {name}: they "
            "leave .grad alone",
            "take what grad() returns, or call loss.backward()",
            sure=False,
        ),
    ]


def _walked(case: Case, node: Node, walked: Sequence[Node]) -> list[Cause]:
    """A backward pass came past, and left nothing."""
    name = case.name
    users = [other for other in walked if any(link is node for link in other.inputs)]
    noted = [note for note in map(note_of, users) if note is not None and note.gradient is not None]
    excluded = Cause(
        "excluded",
        f"a backward pass came through {_op(walked[-1])} and left {name} out: "
        f"backward(inputs=...) or autograd.grad(...) named other tensors",
        f"add {name} to inputs=, or leave it out",
        _source(walked[-1]),
        sure=bool(noted) or not users,
    )
    if noted or not users:
        return [excluded]
    reset = Cause(
        "reset",
        f"a backward pass came through {_op(users[-1])}, which uses {name}, and .grad is None: it "
        "was reset since, as zero_grad() does",
        "read .grad between backward() and zero_grad()",
        _source(users[-1]),
        sure=False,
    )
    return [reset, excluded]


def _unused(case: Case, noted: bool) -> list[Cause]:
    """No graph that is alive uses it."""
    name = case.name
    cuts = suspects(case)
    if noted and (cuts := cuts or choices(case)):
        return cuts
    note = note_of(case.tensor)
    if note is not None and note.gradient is not None:
        return _delivered(case, note.gradient)
    if case.recording is not None and not noted:
        if case.keep is None:
            case.remarks.append(f"Outside of a recording no_grad() leaves no trace. {CERTAIN}")
        return [
            Cause(
                "unused",
                f"no graph that is alive uses {name}, and nothing in the last recording did",
                "use it in the forward pass, or leave it out of the model",
            )
        ]
    if noted:
        return [
            Cause(
                "dead_end",
                f"{name} was used, but no graph that is alive depends on it: what was made of it "
                "was dropped without a backward pass",
                "call backward() on a loss that it went into",
            )
        ]
    case.remarks.append(CERTAIN)
    return [
        Cause(
            "unused",
            f"no graph that is alive uses {name}: it took no part in the forward pass",
            "use it in the forward pass, or leave it out of the model",
            sure=case.loss is not None,
        ),
        Cause(
            "reset",
            "or its graph is gone and .grad was set to None since, as zero_grad() does",
            "read .grad between backward() and zero_grad()",
            sure=False,
        ),
    ]


def _unreachable(case: Case, node: Node, made: list[Node]) -> list[Cause]:
    """The loss does not depend on it."""
    name = case.name
    causes = _used_too_early(case)
    if causes:
        return causes
    if not made:
        cuts = cuts_of(case, node, made)
        if cuts:
            return cuts
        note = note_of(node)
        return _unused(case, note is not None)
    ends = [other for other in made if not case.users.get(other)]
    for end in ends:
        if was_walked(end) or any(was_walked(o) for o in made if end in case.users.get(o, ())):
            causes.append(
                Cause(
                    "another_loss",
                    f"{name} leads to {_op(end)}{_named(end)}, on which a backward pass ran, and "
                    "not to this loss",
                    "ask about that loss, or add the two",
                    _source(end),
                )
            )
    causes = cuts_of(case, node, made) + causes
    causes = causes or cuts_of(case, node, made, numbers=True)
    if not causes:
        for end in ends:
            causes.append(
                Cause(
                    "dead_end",
                    f"{name} leads to {_op(end)}{_named(end)} only, of which this loss is not made",
                    "use that result in the loss, or call backward on it",
                    _source(end),
                )
            )
        if case.recording is None:
            case.remarks.append(CERTAIN)
    return causes


def _used_too_early(case: Case) -> list[Cause]:
    """Uses in the loss's graph from before the tensor required grad: as a constant."""
    assert case.loss is not None
    assert case.loss.node is not None
    causes = []
    for user in toposort([case.loss.node], leaves=False):
        links = [link() for link in user.inputs if isinstance(link, weakref.ref)]
        if any(link is case.tensor for link in links):
            causes.append(
                Cause(
                    "too_late",
                    f"{_op(user)} used {case.name} as a constant: it did not require grad yet",
                    "call requires_grad_() before the forward pass",
                    _source(user),
                )
            )
    return causes[:1]


# --- Words --------------------------------------------------------------------------------------


def _source(node: Node) -> Source | None:
    note = note_of(node)
    return None if note is None else note.source


def _op(node: Node) -> str:
    return node.op.name if node.op is not None else "the leaf itself"


def _named(node: Node) -> str:
    name = name_of(node)
    return f" `{name}`" if name else ""
