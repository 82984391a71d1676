"""Where values left the graph: what was recorded of it, in words, and whether it mattered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...graph import Node, Variable
from ..places import assigned_name
from ..record import Event, Keep, Recording, note_of
from .answer import Cause
from .code import names_in, switched_off_at
from .evidence import live_users

NUMBERS = ("item", "tolist")


@dataclass(slots=True)
class Case:
    """What is known when a gradient is None.

    Attributes
    ----------
    tensor : Variable
    name : str
    loss : Variable or None
    recording : Recording or None
    keep : Keep or None
        Everything that ran, if `why` ran it.
    entries : dict
        (kind, source) of a cause -> ids of what was made of the values that left there.
    remarks : list of str
    """

    tensor: Variable
    name: str
    loss: Variable | None
    recording: Recording | None
    keep: Keep | None
    entries: dict[tuple[str, Any], set[int]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    _users: Mapping[Node, list[Node]] | None = None

    @property
    def users(self) -> Mapping[Node, list[Node]]:
        """Node -> live nodes made of it; looked up once, and only if it is asked for."""
        if self._users is None:
            self._users = live_users()
        return self._users

    @property
    def events(self) -> list[Event]:
        """Where values left the graph, as far as recorded."""
        return [] if self.recording is None else self.recording.events


def cut(event: Event, start: str, sure: bool = True) -> Cause:
    """The cause that is an event; `start` says how it touches what was asked about."""
    source = event.source
    if event.how == "no_grad":
        found = None if source is None else switched_off_at(source)
        where = " (entered by a caller)" if found is None else f" ({found[0]} at {found[1]})"
        kind = "inference_mode" if found is not None and "inference" in found[0] else "no_grad"
        mend = "move it out of the block"
        if found is not None and found[0].startswith("@"):
            mend = f"take {found[0]} off the function, or call it for evaluation only"
        return Cause(
            kind, f"{start} {event.op}, run while nothing was recorded{where}", mend, source,
            sure=sure,
        )  # fmt: skip
    if event.how == "constant":
        return Cause(
            "no_rule",
            f"{start} {event.op}, which has no gradient on purpose: its result moves in steps",
            "use a smooth form in its place (a sigmoid for a comparison, a softmax for a choice), "
            "or where() with this as its condition only",
            source,
            sure=sure,
        )
    if event.how == "numpy":
        return Cause(
            "numpy",
            f"{start} numpy(): what NumPy computes is not recorded",
            "use the function of the same name in autograd",
            source,
            sure=sure,
        )
    if event.how == "detach":
        into_numpy = source is not None and (".numpy()" in source.text or "np." in source.text)
        if into_numpy:
            return Cause(
                "numpy",
                f"{start} detach() on the way into NumPy: what NumPy computes is not recorded",
                "use the function of the same name in autograd",
                source,
                sure=sure,
            )
        return Cause(
            "detached",
            f"{start} detach() (or .data), which cuts the graph",
            "leave it out if a gradient should flow here",
            source,
            sure=sure,
        )
    return Cause(
        "item",
        f"{start} {event.how}(): a plain number has no graph",
        "keep the tensor, and call it on the finished loss only, to print it",
        source,
        sure=sure,
    )


# --- Cuts ---------------------------------------------------------------------------------------


def with_cuts(case: Case, node: Node, made: list[Node], causes: list[Cause]) -> list[Cause]:
    """Put the places where values left the graph before `causes`."""
    found = cuts_of(case, node, made) or cuts_of(case, node, made, numbers=True)
    told = {(cause.kind, cause.source) for cause in found}
    return found + [c for c in causes if (c.kind, c.source) not in told] if found else causes


def cuts_of(case: Case, node: Node, made: list[Node], *, numbers: bool = False) -> list[Cause]:
    """Where what was made of a node left the graph: what reached the loss first.

    With `numbers`, also as numbers of which nobody knows what became.
    """
    reach = {node, *made}
    name = case.name
    found: list[tuple[bool, int, Cause]] = []
    for event in case.events:
        for reference in event.inputs:
            variable = reference()
            if variable is None or variable.node not in reach or not variable.requires_grad:
                continue
            who = name if variable.node is node else f"`{name_of(variable)}`, made of {name},"
            if variable.node is not node and not name_of(variable):
                who = f"what was made of {name}"
            key = cut(event, "")
            arrives = _arrives(case, event, (key.kind, key.source))
            # A number that was printed cuts nothing: only without another cause is it one.
            if arrives is False or (not arrives and event.how in NUMBERS and not numbers):
                continue
            start = f"{who} went into"
            found.append((arrives is None, event.time, cut(event, start, arrives is True)))
            break
    found.sort(key=lambda entry: entry[:2])
    told: dict[tuple[str, Any], Cause] = {}
    for _, _, cause in found:
        told.setdefault((cause.kind, cause.source), cause)
    if len(told) == 1:  # there is no other way out of the graph
        return [replace(cause, sure=True) for cause in told.values()]
    return list(told.values())


def suspects(case: Case) -> list[Cause]:
    """Cuts of things that are gone by now: one of them may have been made of the tensor."""
    gone = [
        event
        for event in case.events
        if event.how in ("detach", "numpy", "no_grad")
        and event.inputs
        and all(reference() is None for reference in event.inputs)
    ]
    # A line that speaks of the tensor (or of the module that owns it) is the likeliest.
    word = case.name.split(".")[0]
    spoken = [e for e in gone if e.source is not None and word in names_in(e.source)]
    found: dict[tuple[str, Any], Cause] = {}
    for event in spoken or gone:
        start = f"what was made of {case.name}" if spoken else "something that is gone by now"
        cause = cut(event, f"{start} went into", bool(spoken))
        found.setdefault((cause.kind, cause.source), cause)
    if found and not spoken:
        case.remarks.append(
            f"Whether it was made of {case.name} cannot be told any more. why(tensor, function), "
            "where the function runs the step and returns the loss, follows it for certain."
        )
    return list(found.values())


def choices(case: Case) -> list[Cause]:
    """Uses of the tensor itself by ops that have no gradient, such as argmax."""
    found: dict[tuple[str, Any], Cause] = {}
    for event in case.events:
        if event.how == "constant" and any(r() is case.tensor for r in event.inputs):
            cause = cut(event, f"{case.name} went into")
            found.setdefault((cause.kind, cause.source), cause)
    return list(found.values())


def _arrives(case: Case, event: Event, cause: tuple[str, Any]) -> bool | None:
    """Whether the result of an event went into the loss; None if that cannot be told."""
    result = None if event.result is None else event.result()
    if result is not None:
        case.entries.setdefault(cause, set()).add(id(result))
    if case.loss is not None and result is case.loss:
        return True
    if case.keep is None or case.loss is None:
        return None
    made, left = _followed(case.keep, event, result)
    case.entries.setdefault(cause, set()).update(made)
    if id(case.loss) in made:
        return True
    return None if left else False


def _followed(keep: Keep, event: Event, result: Any) -> tuple[set[int], bool]:
    """The ids of all that was made of a result, by identity, and by memory through NumPy.

    Also whether it left the sight of the library on the way: what NumPy or Python computes is
    not seen.
    """
    made = set() if result is None else {id(result)}
    left = event.how in ("numpy", *NUMBERS)
    inputs = {id(reference()) for reference in event.inputs}
    number = _number(event)
    arrays: list[np.ndarray] = []
    for given, gave in keep.calls:
        if isinstance(gave, np.ndarray):
            if id(given[0]) in (inputs if event.how == "numpy" else made):
                arrays.append(gave)
                left = True
            continue
        entered = {id(item) for item in given if _shares(item, arrays)}
        same = number is not None and any(i.__class__ is float and i == number for i in given)
        if entered or same or any(id(item) in made for item in given):
            made |= {*entered, id(gave)}
    return made, left


def _number(event: Event) -> float | None:
    """The number that ``item()`` gave, if it is a telling one."""
    variable = event.inputs[0]() if event.how == "item" and event.inputs else None
    if variable is None:
        return None
    value = float(np.asarray(variable.value).reshape(-1)[0])
    return None if value in (0.0, 1.0) else value


def _shares(item: Any, arrays: list[Any]) -> bool:
    """Whether an operand without a history lies in the memory of one of `arrays`."""
    if isinstance(item, Variable) and not item.is_leaf:
        return False  # its own graph tells where it came from
    value = item.value if isinstance(item, Variable) else item
    if not isinstance(value, np.ndarray):
        return False
    return any(np.may_share_memory(value, array) for array in arrays)


def name_of(thing: Variable | Node) -> str:
    """The name that the user's code gave to something recorded; "" if none was seen."""
    note = note_of(thing)
    if note is None:
        return ""
    assigned = "" if note.code is None else assigned_name(note.code, note.instruction)
    return note.name or assigned
