"""The rows of a derivation: definitions, local derivatives, gradients, and products along paths."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ..formulas.formulas import Expr, Formula
from ..model import Vertex
from . import text
from .graph import Reading, steps_down
from .text import NOTHING, Row, Told

# How many numbers stand side by side under "Given".
IN_A_ROW = 6

Terms = list[tuple[Told | None, bool]]


class Rows:
    """Writes the rows about one graph.

    Parameters
    ----------
    reading : Reading
    numbers : bool
        Put numbers in.
    """

    def __init__(self, reading: Reading, numbers: bool) -> None:
        self.reading = reading
        self.numbers = numbers
        self.labels = reading.labels
        self.loss = reading.labels[reading.end]
        self._shown: list[Expr] = []
        self._arriving = False  # whether a G stands somewhere

    def given(self) -> list[Row]:
        """Leaves and constants that have a name: numbers side by side, arrays each in a row."""
        numbers: list[Told] = []
        arrays: list[Row] = []
        for vertex in self.reading.vertices:
            if vertex.op or not self.reading.is_named(vertex.index):
                continue
            label = text.name(self.labels[vertex.index])
            value = self.reading.number(vertex.index)
            if vertex.shape:
                if all(e.argument == "key" for e in self.reading.users[vertex.index]):
                    continue  # of a dropout: two random numbers, which tell nobody anything
                parts = text.chain((self._tiny(vertex.value), True))
                arrays.append(Row(label, parts, text.shape(vertex.shape)))
            elif self.numbers and value is not None:
                exact = self.reading.is_exact([vertex.index])
                signs = (" = ", " = ") if exact else (" ≈ ", r" \approx ")
                numbers.append(text.joined([label, text.single(value)], *signs))
        rows = [
            Row(text.joined(numbers[i : i + IN_A_ROW], ",  ", r",\quad "), ())
            for i in range(0, len(numbers), IN_A_ROW)
        ]
        return rows + arrays

    def definition(self, vertex: Vertex) -> Row:
        """What a step computes."""
        found = self.reading.formula(vertex.index)
        arrays = bool(vertex.shape) or None
        terms: Terms = [(self._written(found.value, vertex, arrays), True)]
        if self.numbers:
            if found.local:
                terms += self._worked_out(found.value, vertex)
            terms.append(self._result(vertex.value, vertex))
        label = text.name(self.labels[vertex.index])
        return Row(label, text.chain(*terms), text.shape(vertex.shape))

    def local(self, vertex: Vertex, useful: set[int]) -> list[Row]:
        """The derivatives of a step in those of its operands that are `useful`."""
        found = self.reading.formula(vertex.index)
        if vertex.index not in useful or not found.local:
            return []
        rows = []
        for tail in dict.fromkeys(e.tail for e in self.reading.operands[vertex.index]):
            uses = self.reading.uses(tail, vertex.index)
            if tail not in useful or not uses:
                continue
            expr = _sum([found.slope(e.slot) for e in uses])
            terms: Terms = [(self._written(expr, vertex, bool(vertex.shape) or None), True)]
            slope = self.reading.slope(tail, vertex.index)
            if self.numbers and slope is not None:
                terms += self._worked_out(expr, vertex)
                terms.append((text.single(slope), text.is_exact(slope, vertex.dtype)))
            left = text.partial(self.labels[vertex.index], self.labels[tail])
            about = text.words("for each element") if vertex.shape else NOTHING
            rows.append(Row(left, text.chain(*terms), about))
        return rows

    def gradient(self, vertex: Vertex) -> Row:
        """What flows to a node, summed over those that use it."""
        index = vertex.index
        if index == self.reading.end:
            return Row(text.total(self.loss, self.loss), text.chain((text.single(1.0), True)))
        heads = self.reading.heads(index)
        told = [self._term(vertex, head) for head in heads]
        terms: Terms = [(text.joined(told, " + ", " + "), True)]
        if self.numbers:
            terms += self._sum_of_products(index, heads)
            terms.append(self._result(vertex.grad, vertex))
        left = text.total(self.loss, self.labels[index])
        if vertex.shape and vertex.op:
            left = text.joined([text.arriving(self.labels[index]), left], " = ", " = ")
        about = text.shape(vertex.shape)
        if self.reading.is_hooked(index):
            about = text.words("(a hook changed the sum)")
        return Row(left, text.broken(told, "+") + text.chain(*terms)[1:], about)

    def unreached(self, label: str, is_part: bool) -> Row:
        """A derivative that is 0, and why."""
        why = f"`{self.loss}` does not depend on `{label}`"
        if is_part:
            why = f"each way from `{label}` to `{self.loss}` has a step without a derivative"
        left = text.total(self.loss, label)
        return Row(left, text.chain((text.single(0.0), True)), text.words(f"({why})"))

    def along(self, paths: Sequence[Sequence[int]]) -> list[Row]:
        """The products along all paths from a variable, and their sum."""
        index = paths[0][0]
        vertex = self.reading.vertices[index]
        left = text.total(self.loss, self.labels[index])
        if len(paths) == 1:
            return [self._path(left, paths[0])]
        names = {f"p{i}": text.words(f"path {i + 1}") for i in range(len(paths))}
        products = {f"p{i}": self.reading.product(path) for i, path in enumerate(paths)}
        expr = Expr(" + ".join(names))
        terms: Terms = [(text.expression(expr, names), True)]
        if self.numbers:
            exact = all(text.is_exact(p, vertex.dtype) for p in products.values())
            terms.append((text.expression(expr, products), exact))
            terms.append(self._result(vertex.grad, vertex))
        rows = [self._path(name, path) for name, path in zip(names.values(), paths, strict=True)]
        return [Row(left, text.chain(*terms)), *rows]

    def legend(self) -> list[Row]:
        """What the less known signs of the rows so far mean."""
        rows = []
        if self._arriving:
            told = f"G_v is d {self.loss}/d v, the gradient that arrives at v"
            latex = rf"G_{{v}} = {text.total(self.loss, 'v').latex}"
            rows.append(Row(Told(told, latex + r" \text{, the gradient that arrives at } v"), ()))
        lines: dict[str, str] = {}
        for expr in self._shown:
            lines |= dict(zip(expr.legend(), expr.legend(latex=True), strict=True))
        return rows + [Row(Told(plain, latex), ()) for plain, latex in lines.items()]

    # --- Terms ------------------------------------------------------------------------------------

    def _written(self, expr: Expr, vertex: Vertex, arrays: bool | None) -> Told:
        self._shown.append(expr)
        told = text.expression(expr, self.reading.names(vertex), arrays)
        if isinstance(expr.tree, ast.IfExp):  # "else 0 = 1" would be read wrongly
            return Told(f"({told.unicode})", told.latex)
        return told

    def _tiny(self, value: object) -> Told | None:
        return text.tiny(value) if self.numbers and value is not None else None

    def _result(self, value: object, vertex: Vertex) -> tuple[Told | None, bool]:
        """The last term: a number, which may be rounded, or a few elements."""
        exact = value is None or bool(vertex.shape) or text.is_exact(value, vertex.dtype)
        return self._tiny(value), exact

    def _worked_out(self, expr: Expr, vertex: Vertex) -> Terms:
        """The case that holds, with numbers put in."""
        values = self.reading.values(vertex)
        if values is None:
            return []
        case = expr.chosen(values)
        inputs = self.reading.op(vertex.index).inputs
        edges = self.reading.operands[vertex.index]
        read = [e.tail for e in edges if inputs[e.slot] in case.names]
        read += [vertex.index] if "y" in case.names else []
        return [(text.expression(case, values), self.reading.is_exact(read))]

    def _sum_of_products(self, index: int, heads: Sequence[int]) -> Terms:
        """What arrives at each user times its derivative, in numbers."""
        reading, dtype = self.reading, self.reading.vertices[index].dtype
        pieces, values = [], {}
        for i, head in enumerate(heads):
            slope = reading.slope(index, head)
            if slope is None or reading.vertices[head].grad is None:
                return []
            values |= {f"g{i}": float(reading.vertices[head].grad), f"s{i}": slope}
            pieces.append(f"s{i}" if head == reading.end else f"g{i} * s{i}")
        exact = all(text.is_exact(v, dtype) for v in values.values())
        return [(text.expression(Expr(" + ".join(pieces)), values), exact)]

    def _term(self, vertex: Vertex, head: int) -> Told:
        """What one user sends: a product of derivatives, or of arrays what its rule says."""
        user, label = self.reading.vertices[head], self.labels[head]
        found = self.reading.formula(head)
        above = text.total(self.loss, label)
        if found.local and self.reading.slope(vertex.index, head) is not None:
            step = text.partial(label, self.labels[vertex.index])
            return (
                step if head == self.reading.end else text.joined([above, step], " · ", r" \cdot ")
            )
        uses = self.reading.uses(vertex.index, head)
        expr = _sum([_flow(found, e.slot, vertex.shape != user.shape) for e in uses])
        self._shown.append(expr)
        names = self.reading.names(user)
        names["g"] = text.arriving(label, single=not user.shape)
        self._arriving |= head != self.reading.end
        if head == self.reading.end:
            names["g"] = 1.0
        return text.expression(expr, names, arrays=True)

    def _path(self, left: Told, path: Sequence[int]) -> Row:
        dtype = self.reading.vertices[path[0]].dtype
        steps = steps_down(path)
        told = [text.partial(self.labels[head], self.labels[tail]) for tail, head in steps]
        terms: Terms = [(text.joined(told, " · ", r" \cdot "), True)]
        if self.numbers:
            slopes = {f"s{i}": self.reading.slope(*step) or 0.0 for i, step in enumerate(steps)}
            exact = all(text.is_exact(s, dtype) for s in slopes.values())
            terms.append((text.expression(Expr(" * ".join(slopes)), slopes), exact))
            product = self.reading.product(path)
            terms.append((text.single(product), text.is_exact(product, dtype)))
        way = text.joined([text.name(self.labels[i]) for i in path], " → ", r" \to ")
        parts = text.broken(told, "·") + text.chain(*terms)[1:]
        return Row(left, parts, text.bracketed(way))


# --- Formulas made of formulas --------------------------------------------------------------------


def _flow(found: Formula, slot: int, repeated: bool) -> Expr:
    """What flows to an input, of any op: made of g, the gradient that arrives."""
    slope = found.slope(slot)
    assert slope is not None
    if not found.local:
        return slope
    tree: ast.expr = ast.Name("g")
    factor = ast.unparse(slope.tree)
    if factor == "-1":
        tree = ast.UnaryOp(ast.USub(), tree)
    elif factor != "1":
        tree = ast.BinOp(tree, ast.Mult(), slope.tree)
    if repeated:  # an operand that was broadcast gets the sum over its copies
        tree = ast.Call(ast.Name("sum"), [tree], [])
    return Expr(tree, arrays=True)


def _sum(expressions: Sequence[Expr | None]) -> Expr:
    """The sum over uses: ``x * x`` uses x twice."""
    first, *rest = [e for e in expressions if e is not None]
    tree = first.tree
    for other in rest:
        tree = ast.BinOp(tree, ast.Add(), other.tree)
    return Expr(tree, first.arrays)
