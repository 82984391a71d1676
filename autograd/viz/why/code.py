"""What the text of the user's code says: where recording was switched off, and what was rebound."""

from __future__ import annotations

import functools
import linecache
from collections.abc import Iterator
from itertools import islice
from types import FrameType
from typing import TYPE_CHECKING

from ..model import Source

if TYPE_CHECKING:
    import ast

# A longer expression is no name.
LONGEST_NAME = 40
SWITCHES = ("no_grad", "inference_mode", "set_grad_enabled")


def switched_off_at(source: Source) -> tuple[str, Source] | None:
    """The switch that holds at a line, and where: a ``with``, a decorator, or a plain call.

    None if the text of the file does not show it, as when a caller in another file opened it.
    """
    tree = _tree(source.file)
    if tree is None:
        return None
    here = list(_around(tree, source.line))
    found = _enclosing(here, source) or _called_before(here, tree, source)
    # A function may be called from inside a `with` of the same file.
    names = {source.function}
    for _ in range(len(SWITCHES)):
        if found is not None or not names:
            break
        calls = [c for c in _walk_calls(tree) if _last_name(c.func) in names]
        names = set()
        for call in calls:
            around = list(_around(tree, call.lineno))
            found = found or _enclosing(around, source)
            names |= {getattr(n, "name", "") for n in around if _is_function(n)}
    return found


def first_argument(frame: FrameType) -> str:
    """The text of the first argument of the call that a frame is at; "" if it is not to be had."""
    import ast

    tree = _tree(frame.f_code.co_filename)
    here = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    if tree is None or here is None:
        return ""
    for call in _walk_calls(tree):
        at = (call.lineno, call.end_lineno, call.col_offset, call.end_col_offset)
        if at == here and call.args and not isinstance(call.args[0], ast.Starred):
            text = ast.unparse(call.args[0])
            return text if len(text) <= LONGEST_NAME else ""
    return ""


def rebinds(source: Source) -> str:
    """The name that a line assigns from an expression that uses the same name; "" if none.

    ``w = w - lr * w.grad`` gives "w".
    """
    import ast

    tree = _tree(source.file)
    if tree is None:
        return ""
    for node in _around(tree, source.line):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = ast.unparse(node.targets[0])
            used = {ast.unparse(n) for n in ast.walk(node.value) if isinstance(n, ast.expr)}
            if target in used:
                return target
    return ""


def names_in(source: Source) -> set[str]:
    """The variables and attributes that the statement at a line speaks of."""
    import ast

    tree = _tree(source.file)
    around = [] if tree is None else list(_around(tree, source.line))
    if not around:
        return set()
    return {_last_name(n) for n in ast.walk(around[-1]) if isinstance(n, ast.expr)} - {""}


def _enclosing(around: list[ast.AST], source: Source) -> tuple[str, Source] | None:
    import ast

    for node in reversed(around):  # innermost first
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                name = _switch(item.context_expr)
                if name == "enable_grad":
                    return None
                if name:
                    return f"with {name}", _line(source, item.context_expr.lineno)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                name = _switch(decorator)
                if name in SWITCHES:
                    return f"@{name}", _line(source, decorator.lineno)
            return None  # what stands around a definition does not hold when it is called
    return None


def _called_before(
    around: list[ast.AST], tree: ast.Module, source: Source
) -> tuple[str, Source] | None:
    """The last ``set_grad_enabled(...)`` statement above the line, in its function or module."""
    import ast

    scopes = [tree, *(n for n in around if _is_function(n))]
    for scope in reversed(scopes):
        lines = [
            node.lineno
            for node in ast.walk(scope)
            if isinstance(node, ast.Expr)
            and _switch(node.value) == "set_grad_enabled"
            and node.lineno <= source.line
        ]
        if lines:
            return "set_grad_enabled", _line(source, max(lines))
    return None


def _switch(expression: ast.expr) -> str:
    """The name of a switch of recording that an expression makes; "" if it makes none."""
    import ast

    call = expression.func if isinstance(expression, ast.Call) else expression
    name = _last_name(call)
    if name == "set_grad_enabled" and isinstance(expression, ast.Call) and expression.args:
        value = expression.args[0]
        if isinstance(value, ast.Constant) and value.value:
            return "enable_grad"
    return name if name in (*SWITCHES, "enable_grad") else ""


def _last_name(expression: ast.expr) -> str:
    return getattr(expression, "attr", getattr(expression, "id", ""))


def _is_function(node: ast.AST) -> bool:
    import ast

    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _walk_calls(tree: ast.Module) -> Iterator[ast.Call]:
    import ast

    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _around(tree: ast.Module, line: int) -> Iterator[ast.AST]:
    """The statements that enclose a line, outermost first."""
    import ast

    body: list[ast.AST] = list(tree.body)
    while body:
        node = body.pop(0)
        first = min([getattr(node, "lineno", 0), *_decorator_lines(node)])
        if isinstance(node, ast.ExceptHandler | ast.stmt | ast.match_case) and (
            isinstance(node, ast.match_case) or first <= line <= (node.end_lineno or 0)
        ):
            if not isinstance(node, ast.match_case):
                yield node
            body = [
                child
                for child in ast.iter_child_nodes(node)
                if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
            ] + ([] if not isinstance(node, ast.match_case) else body)


def _decorator_lines(node: ast.AST) -> list[int]:
    return [d.lineno for d in getattr(node, "decorator_list", [])]


def _line(source: Source, line: int) -> Source:
    text = linecache.getline(source.file, line).strip()
    return Source(source.file, line, source.function, text)


def _tree(file: str) -> ast.Module | None:
    return _parsed(file, "".join(linecache.getlines(file)))


@functools.lru_cache(maxsize=64)
def _parsed(file: str, text: str) -> ast.Module | None:
    import ast

    try:
        return ast.parse(text, file) if text else None
    except (SyntaxError, ValueError):
        return None
