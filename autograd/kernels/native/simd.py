"""Vector code as LLVM IR, written with Python operators.

A `Module` collects functions for one element type (float32 or float64) and one vector width; a
`Code` writes the body of one function. Between ``with`` and its end, operators on values append
instructions::

    def write(module):
        with module.function("scale", x=PTR, y=PTR, factor=FLOAT, n=INT) as k:
            factor = k.splat(k.factor)
            k.each_block(k.n, lambda i, rest: k.store(k.y, i, factor * k.load(k.x, i, rest), rest))

Numba code calls the functions by ``extern("scale")``. Loops become loops of the machine code;
Python's own ``for`` unrolls. Arithmetic is IEEE: nothing is reassociated or contracted, except
where `Code.fma` says so. On targets without fused multiply-add that is a product and a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir

from .target import Target

I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
POINTER = ir.PointerType()

PTR, INT, FLOAT = "pointer", "integer", "float"
"""Kinds of parameters; a float has the module's element type."""

# From LLVM 22 on, masked loads and stores have no operand for the alignment.
MASKED_ALIGNMENT = llvm.llvm_version_info[0] < 22


class Module:
    """Functions for one element type.

    Attributes
    ----------
    dtype : str
        "f4" or "f8"; the suffix of every symbol.
    target : Target
    lanes : int
        Elements in one vector.
    """

    def __init__(self, dtype: str, target: Target) -> None:
        self.dtype = dtype
        self.target = target
        self.element = ir.FloatType() if dtype == "f4" else ir.DoubleType()
        self.size = 4 if dtype == "f4" else 8
        self.integer = ir.IntType(8 * self.size)
        self.lanes = target.bits // (8 * self.size)
        self.module = ir.Module()

    def __str__(self) -> str:
        """The LLVM IR."""
        return str(self.module)

    @contextmanager
    def function(self, name: str, /, **parameters: str) -> Iterator[Code]:
        """Write a function; its parameters are attributes of the `Code`."""
        kinds = {PTR: POINTER, INT: I64, FLOAT: self.element}
        kind = ir.FunctionType(ir.VoidType(), [kinds[p] for p in parameters.values()])
        function = ir.Function(self.module, kind, f"{name}_{self.dtype}")
        function.attributes.add("nounwind")
        code = Code(self, function, list(parameters))
        yield code
        code.builder.ret_void()


class Value:
    """A number, a vector or a mask while code is written; its operators append instructions."""

    __slots__ = ("code", "ir")

    def __init__(self, code: Code, value: Any) -> None:
        self.code = code
        self.ir = value

    @property
    def type(self) -> Any:
        """The LLVM type."""
        return self.ir.type

    @property
    def floating(self) -> bool:
        """Whether the elements are floats."""
        return isinstance(element_of(self.ir.type), ir.FloatType | ir.DoubleType)

    def _binary(self, other: Any, on_floats: str, on_ints: str, swap: bool = False) -> Value:
        other = self.code.like(self, other)
        left, right = (other, self) if swap else (self, other)
        method = getattr(self.code.builder, on_floats if self.floating else on_ints)
        return Value(self.code, method(left.ir, right.ir))

    def __add__(self, other: Any) -> Value:
        return self._binary(other, "fadd", "add")

    def __radd__(self, other: Any) -> Value:
        return self._binary(other, "fadd", "add", swap=True)

    def __sub__(self, other: Any) -> Value:
        return self._binary(other, "fsub", "sub")

    def __rsub__(self, other: Any) -> Value:
        return self._binary(other, "fsub", "sub", swap=True)

    def __mul__(self, other: Any) -> Value:
        return self._binary(other, "fmul", "mul")

    def __rmul__(self, other: Any) -> Value:
        return self._binary(other, "fmul", "mul", swap=True)

    def __truediv__(self, other: Any) -> Value:
        return self._binary(other, "fdiv", "sdiv")

    def __rtruediv__(self, other: Any) -> Value:
        return self._binary(other, "fdiv", "sdiv", swap=True)

    def __floordiv__(self, other: Any) -> Value:
        """Quotient of non-negative integers."""
        return self._binary(other, "fdiv", "udiv")

    def __mod__(self, other: Any) -> Value:
        """Remainder of non-negative integers."""
        return self._binary(other, "frem", "urem")

    def __neg__(self) -> Value:
        builder = self.code.builder
        return Value(self.code, builder.fneg(self.ir) if self.floating else builder.neg(self.ir))

    def __and__(self, other: Any) -> Value:
        return self._binary(other, "and_", "and_")

    def __or__(self, other: Any) -> Value:
        return self._binary(other, "or_", "or_")

    def __xor__(self, other: Any) -> Value:
        return self._binary(other, "xor", "xor")

    def __invert__(self) -> Value:
        return Value(self.code, self.code.builder.not_(self.ir))

    def __lshift__(self, other: Any) -> Value:
        return self._binary(other, "shl", "shl")

    def __rshift__(self, other: Any) -> Value:
        """Logical shift: zeros come in."""
        return self._binary(other, "lshr", "lshr")

    def arithmetic_shift(self, other: Any) -> Value:
        """Shift right with copies of the sign."""
        return self._binary(other, "ashr", "ashr")

    def _compare(self, sign: str, other: Any) -> Value:
        other = self.code.like(self, other)
        builder = self.code.builder
        if self.floating:
            method = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
        else:
            method = builder.icmp_signed
        return Value(self.code, method(sign, self.ir, other.ir))

    def __lt__(self, other: Any) -> Value:
        return self._compare("<", other)

    def __le__(self, other: Any) -> Value:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> Value:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> Value:
        return self._compare(">=", other)

    def eq(self, other: Any) -> Value:
        """Equal; false for NaN."""
        return self._compare("==", other)

    def ne(self, other: Any) -> Value:
        """Different; true for NaN, so ``x.ne(x)`` finds them."""
        return self._compare("!=", other)


def element_of(kind: Any) -> Any:
    """The element type of a vector type; of another type, itself."""
    return kind.element if isinstance(kind, ir.VectorType) else kind


class Variable:
    """A value that changes, as in a loop; LLVM turns it into a register."""

    def __init__(self, code: Code, first: Value) -> None:
        self.code = code
        self.kind = first.type
        with code.builder.goto_entry_block():
            self.place = code.builder.alloca(self.kind)
        self.set(first)

    def get(self) -> Value:
        """Read it."""
        return Value(self.code, self.code.builder.load(self.place, typ=self.kind))

    def set(self, value: Value) -> None:
        """Write it."""
        self.code.builder.store(value.ir, self.place)


class Code:
    """The body of one function while it is written."""

    def __init__(self, module: Module, function: ir.Function, names: list[str]) -> None:
        self.module = module
        self.function = function
        self.lanes = module.lanes
        self.vector = ir.VectorType(module.element, module.lanes)
        self.integers = ir.VectorType(module.integer, module.lanes)
        self.masks = ir.VectorType(I1, module.lanes)
        # Variables live in the entry block; the code proper begins in the second one.
        entry = function.append_basic_block("entry")
        self.builder = ir.IRBuilder(entry)
        body = function.append_basic_block("body")
        self.builder.branch(body)
        self.builder.position_at_end(body)
        self.parameters: dict[str, Value] = {}
        for name, argument in zip(names, function.args, strict=True):
            argument.name = name
            self.parameters[name] = Value(self, argument)

    def __getattr__(self, name: str) -> Value:
        """The function's parameters."""
        try:
            return self.__dict__["parameters"][name]
        except KeyError:
            raise AttributeError(name) from None

    # --- Constants ----------------------------------------------------------------------------

    def like(self, model: Value, other: Any) -> Value:
        """`other` as a value of the type of `model`; Python numbers become constants."""
        if isinstance(other, Value):
            if isinstance(model.type, ir.VectorType) and not isinstance(other.type, ir.VectorType):
                return self.splat(other)
            return other
        element = element_of(model.type)
        constant = ir.Constant(element, float(other) if model.floating else int(other))
        if isinstance(model.type, ir.VectorType):
            constant = ir.Constant(model.type, [constant] * model.type.count)
        return Value(self, constant)

    def integer(self, value: int) -> Value:
        """A 64-bit integer."""
        return Value(self, I64(value))

    def number(self, value: float) -> Value:
        """A scalar of the element type."""
        return Value(self, ir.Constant(self.module.element, value))

    def splat(self, value: Any) -> Value:
        """A vector with one number in all lanes: a Python number or a scalar."""
        if not isinstance(value, Value):
            constant = ir.Constant(self.module.element, float(value))
            return Value(self, ir.Constant(self.vector, [constant] * self.lanes))
        vector = ir.VectorType(value.type, self.lanes)
        one = self.builder.insert_element(ir.Constant(vector, ir.Undefined), value.ir, I32(0))
        zeros = ir.Constant(ir.VectorType(I32, self.lanes), None)
        return Value(self, self.builder.shuffle_vector(one, one, zeros))

    def bit_splat(self, value: int) -> Value:
        """An integer vector with one number in all lanes."""
        constant = ir.Constant(self.module.integer, value)
        return Value(self, ir.Constant(self.integers, [constant] * self.lanes))

    def lane_numbers(self) -> Value:
        """0, 1, 2, ... as an integer vector."""
        lanes = [ir.Constant(self.module.integer, i) for i in range(self.lanes)]
        return Value(self, ir.Constant(self.integers, lanes))

    # --- Memory -------------------------------------------------------------------------------

    def place(self, pointer: Value, index: Any = 0) -> Value:
        """The address of element `index` of the module's type."""
        index = index if isinstance(index, Value) else self.integer(index)
        return Value(
            self, self.builder.gep(pointer.ir, [index.ir], source_etype=self.module.element)
        )

    def load(self, pointer: Value, index: Any = 0, mask: Value | None = None) -> Value:
        """A vector from memory of any alignment; lanes that a mask leaves out are 0, unread."""
        address = self.place(pointer, index)
        if mask is None:
            return Value(
                self, self.builder.load(address.ir, align=self.module.size, typ=self.vector)
            )
        zeros = ir.Constant(self.vector, None)
        alignment = [I32(self.module.size)] if MASKED_ALIGNMENT else []
        return self.intrinsic(
            f"llvm.masked.load.v{self.lanes}{self.letter}.p0",
            self.vector,
            [address.ir, *alignment, mask.ir, zeros],
        )

    def store(self, pointer: Value, index: Any, value: Value, mask: Value | None = None) -> None:
        """Write a vector; lanes that a mask leaves out stay untouched."""
        address = self.place(pointer, index)
        if mask is None:
            self.builder.store(value.ir, address.ir, align=self.module.size)
            return
        alignment = [I32(self.module.size)] if MASKED_ALIGNMENT else []
        self.intrinsic(
            f"llvm.masked.store.v{self.lanes}{self.letter}.p0",
            ir.VoidType(),
            [value.ir, address.ir, *alignment, mask.ir],
        )

    def load_scalar(self, pointer: Value, index: Any = 0) -> Value:
        """One element."""
        return Value(
            self, self.builder.load(self.place(pointer, index).ir, typ=self.module.element)
        )

    def store_scalar(self, pointer: Value, index: Any, value: Value) -> None:
        """Write one element."""
        self.builder.store(value.ir, self.place(pointer, index).ir)

    def first_lanes(self, count: Value) -> Value:
        """The mask of the first `count` lanes."""
        narrow = self.module.integer
        small = self.builder.trunc(count.ir, narrow) if narrow.width < 64 else count.ir
        return self.lane_numbers() < self.splat(Value(self, small))

    # --- Arithmetic ---------------------------------------------------------------------------

    @property
    def letter(self) -> str:
        """The element type in the names of LLVM's intrinsics."""
        return "f32" if self.module.dtype == "f4" else "f64"

    def intrinsic(self, name: str, returns: Any, arguments: list[Any]) -> Value:
        """Call one of LLVM's functions."""
        kind = ir.FunctionType(returns, [a.type for a in arguments])
        function = self.module.module.globals.get(name)
        if function is None:
            function = ir.Function(self.module.module, kind, name)
        return Value(self, self.builder.call(function, arguments))

    def _on_vectors(self, name: str, *values: Value) -> Value:
        kind = values[0].type
        suffix = f"v{kind.count}{self.letter}" if isinstance(kind, ir.VectorType) else self.letter
        return self.intrinsic(f"llvm.{name}.{suffix}", kind, [v.ir for v in values])

    def fma(self, a: Value, b: Any, c: Any) -> Value:
        """A * b + c, rounded once where the machine can."""
        name = "fma" if self.module.target.fma else "fmuladd"
        return self._on_vectors(name, a, self.like(a, b), self.like(a, c))

    def sqrt(self, x: Value) -> Value:
        """Square root."""
        return self._on_vectors("sqrt", x)

    def absolute(self, x: Value) -> Value:
        """X without its sign."""
        return self._on_vectors("fabs", x)

    def copysign(self, x: Value, sign: Value) -> Value:
        """X with the sign of another."""
        return self._on_vectors("copysign", x, sign)

    def select(self, mask: Value, a: Any, b: Any) -> Value:
        """A where the mask is set, else b."""
        model = a if isinstance(a, Value) else b
        a, b = self.like(model, a), self.like(model, b)
        return Value(self, self.builder.select(mask.ir, a.ir, b.ir))

    def larger(self, a: Value, b: Any) -> Value:
        """A if a > b, else b: so b where either is NaN."""
        b = self.like(a, b)
        return self.select(a > b, a, b)

    def smaller(self, a: Value, b: Any) -> Value:
        """A if a < b, else b: so b where either is NaN."""
        b = self.like(a, b)
        return self.select(a < b, a, b)

    def rounded(self, x: Value) -> Value:
        """The nearest integer, ties to even, for |x| < 2**22 (float64: 2**51)."""
        shift = 1.5 * 2.0 ** (23 if self.module.dtype == "f4" else 52)
        return (x + shift) - shift

    def bits(self, x: Value) -> Value:
        """The bit pattern of floats as integers."""
        if isinstance(x.type, ir.VectorType):
            return Value(self, self.builder.bitcast(x.ir, self.integers))
        return Value(self, self.builder.bitcast(x.ir, self.module.integer))

    def from_bits(self, x: Value) -> Value:
        """Floats of the given bit patterns."""
        if isinstance(x.type, ir.VectorType):
            return Value(self, self.builder.bitcast(x.ir, self.vector))
        return Value(self, self.builder.bitcast(x.ir, self.module.element))

    def as_number(self, x: Value) -> Value:
        """An integer as a scalar of the element type."""
        return Value(self, self.builder.sitofp(x.ir, self.module.element))

    def widened(self, x: Value) -> Value:
        """Floats as float64, lane by lane."""
        kind = ir.DoubleType()
        if isinstance(x.type, ir.VectorType):
            kind = ir.VectorType(kind, x.type.count)
        return x if x.type == kind else Value(self, self.builder.fpext(x.ir, kind))

    def narrowed(self, x: Value) -> Value:
        """Float64 as the element type, lane by lane."""
        kind = self.module.element
        if isinstance(x.type, ir.VectorType):
            kind = ir.VectorType(kind, x.type.count)
        return x if x.type == kind else Value(self, self.builder.fptrunc(x.ir, kind))

    # --- Across lanes -------------------------------------------------------------------------

    def folded(self, x: Value, combine: Callable[[Value, Value], Value]) -> Value:
        """One number from all lanes, halves combined again and again: always in the same order."""
        width = self.lanes
        while width > 1:
            width //= 2
            high = self.shuffle(x, x, [i + width for i in range(width)])
            low = self.shuffle(x, x, list(range(width)))
            x = combine(low, high)
        return Value(self, self.builder.extract_element(x.ir, I32(0)))

    def shuffle(self, a: Value, b: Value, lanes: list[int]) -> Value:
        """Lanes picked from a, followed by b."""
        picked = ir.Constant(ir.VectorType(I32, len(lanes)), [I32(i) for i in lanes])
        return Value(self, self.builder.shuffle_vector(a.ir, b.ir, picked))

    def sum_lanes(self, x: Value) -> Value:
        """Sum of the lanes."""
        return self.folded(x, lambda a, b: a + b)

    def any_lane(self, mask: Value) -> Value:
        """Whether a mask is set anywhere."""
        bits = ir.IntType(self.lanes)
        return Value(
            self, self.builder.icmp_unsigned("!=", self.builder.bitcast(mask.ir, bits), bits(0))
        )

    # --- Control ------------------------------------------------------------------------------

    def variable(self, first: Any) -> Variable:
        """A value that loops may change; a Python float begins as a vector of it."""
        return Variable(self, first if isinstance(first, Value) else self.splat(first))

    @contextmanager
    def loop(self, start: Any, stop: Any, step: Any = 1) -> Iterator[Value]:
        """``for i in range(start, stop, step)`` with a positive step."""
        start, stop, step = (
            v if isinstance(v, Value) else self.integer(v) for v in (start, stop, step)
        )
        counter = self.variable(start)
        head = self.function.append_basic_block("head")
        body = self.function.append_basic_block("loop")
        after = self.function.append_basic_block("after")
        self.builder.branch(head)
        self.builder.position_at_end(head)
        i = counter.get()
        self.builder.cbranch((i < stop).ir, body, after)
        self.builder.position_at_end(body)
        yield i
        counter.set(counter.get() + step)
        self.builder.branch(head)
        self.builder.position_at_end(after)

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """``if condition:``."""
        with self.builder.if_then(condition.ir):
            yield

    def each_block(
        self, count: Value, write: Callable[[Value, Value | None], None], unroll: int = 1
    ) -> None:
        """Call write(i, mask) for all vectors of `count` elements.

        The code is written up to three times: `unroll` whole vectors at a time, one at a time, and
        the rest under a mask (None elsewhere).
        """
        done = self.integer(0)
        for width in dict.fromkeys((self.lanes * unroll, self.lanes)):
            stop = count - (count - done) % self.like(count, width)
            with self.loop(done, stop, width) as i:
                for j in range(0, width, self.lanes):
                    write(i + j, None)
            done = stop
        with self.when(done < count):
            write(done, self.first_lanes(count - done))
