"""Places in the user's code: frames, source lines, and the names that a line gives to a result."""

from __future__ import annotations

import functools
import linecache
import sys
from collections.abc import Iterator
from itertools import islice
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from ..frames import user_frames
from ..graph import Variable
from .model import Source

if TYPE_CHECKING:
    import ast

KEEPS_LOCALS = sys.version_info < (3, 13)
CO_OPTIMIZED = 1  # of the flags of a function's code; inspect, which names it, is slow to import

# Longer lists and dictionaries of a user are not searched for variables.
LONGEST_CONTAINER = 256


def locals_of(frame: FrameType) -> dict[str, Any]:
    """The local variables of a frame, leaving nothing behind.

    Before Python 3.13 the frame of a function keeps what ``f_locals`` gives out, and with it
    every variable in it, after the function has deleted it.
    """
    given = frame.f_locals
    found = dict(given)
    # Three references are the frame's, this function's and the argument's; a fourth is a user's
    # who called locals(), and keeps it.
    if KEEPS_LOCALS and frame.f_code.co_flags & CO_OPTIMIZED and sys.getrefcount(given) <= 3:
        given.clear()
    return found


def bindings(frame: FrameType) -> Iterator[tuple[str, Any]]:
    """The variables and modules that the names of a frame lead to, with those names.

    Looks into lists, tuples and dictionaries (``ws[2]``), and at the attributes of ``self``.
    """
    inside = []
    local = locals_of(frame)
    top = frame.f_code.co_name == "<module>"
    for name, thing in local.items():
        if (name.startswith("_") and top) or not name.isidentifier():
            continue  # what an interpreter keeps: the last result in a console, and so on
        if isinstance(thing, Variable) or hasattr(type(thing), "named_parameters"):
            yield name, thing
        elif isinstance(thing, list | tuple | dict) and len(thing) <= LONGEST_CONTAINER:
            inside.append((name, thing))
    owner = local.get("self")
    if owner is not None and not isinstance(owner, Variable):
        for name, thing in list(getattr(owner, "__dict__", {}).items()):
            if isinstance(thing, Variable):
                yield name, thing
            elif isinstance(thing, list | tuple | dict) and len(thing) <= LONGEST_CONTAINER:
                inside.append((name, thing))
    for name, container in inside:
        pairs = container.items() if isinstance(container, dict) else enumerate(container)
        for key, thing in list(pairs):
            if isinstance(thing, Variable):
                yield f"{name}[{key!r}]", thing


def named_in(frame: FrameType | None, thing: Any) -> str:
    """The name that the user's code, from `frame` outwards, has for `thing`; "" if none."""
    for user in user_frames(frame):
        for name, candidate in bindings(user):
            if candidate is thing:
                return name
    return ""


def source_at(code: CodeType, instruction: int) -> Source:
    """The source line of an instruction (an offset in bytes, as ``frame.f_lasti``)."""
    line = _position(code, instruction)[0] or code.co_firstlineno
    text = linecache.getline(code.co_filename, line).strip()
    return Source(code.co_filename, line, code.co_name, text)


def assigned_name(code: CodeType, instruction: int) -> str:
    """The target to which the source line assigns what an instruction computes; "" if none.

    ``h1 = relu(z)`` gives "h1" for the call, and nothing for the parts of a longer expression.
    """
    return _targets(code.co_filename).get(_position(code, instruction), "")


Position = tuple[int | None, int | None, int | None, int | None]


def _position(code: CodeType, instruction: int) -> Position:
    """Line, end line, column and end column of an instruction."""
    if instruction < 0:
        return (code.co_firstlineno, None, None, None)
    return next(islice(code.co_positions(), instruction // 2, None), (None, None, None, None))


@functools.lru_cache(maxsize=256)
def _parsed(file: str, text: str) -> dict[Position, str]:
    import ast

    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError):
        return {}
    found: dict[Position, str] = {}
    for node in ast.walk(tree):
        value: ast.AST | None = None
        target: ast.AST | None = None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            value, target = node.value, node.targets[0]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            value, target = node.value, node.target
        elif isinstance(node, ast.AugAssign):
            value, target = node, node.target
        if value is not None and isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            where = (value.lineno, value.end_lineno, value.col_offset, value.end_col_offset)  # pyright: ignore[reportAttributeAccessIssue] - both are expressions or statements
            found[where] = ast.unparse(target).removeprefix("self.")
    return found


def _targets(file: str) -> dict[Position, str]:
    """Every assignment of a file: position of the value -> the target."""
    return _parsed(file, "".join(linecache.getlines(file)))
