"""What Numba lacks for writing kernels: pointers, atomics, and calls of code that is not Numba's.

Kernel bodies take typed pointers (``p[i]`` reads and writes, unchecked) and integers; the bounds
are checked before a body runs, by the signature that declares it (see unit.py). Only the compiler
imports this module.
"""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as numba_intrinsic

BYTE, INT32, INT64 = types.uint8, types.int32, types.int64
FLOAT32, FLOAT64 = types.float32, types.float64

SUFFIX = {types.float32: "f4", types.float64: "f8"}
"""How a symbol that exists once for each dtype is told apart."""

I64 = ir.IntType(64)

# Numba's types describe neither: an intrinsic is called without its first parameter.
intrinsic: Any = numba_intrinsic
njit: Any = numba.njit

helper = njit(
    error_model="numpy",
    no_cfunc_wrapper=True,
    no_cpython_wrapper=True,
    no_rewrites=True,  # of array expressions, which there are none of
    _nrt=False,
)
"""Decorates a function that kernel bodies call."""


@intrinsic
def at(_typing: Any, pointer: Any, index: Any) -> Any:
    """`pointer + index`, counted in elements."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        element = context.get_data_type(pointer.dtype)
        return builder.gep(arguments[0], [arguments[1]], source_etype=element)

    return pointer(pointer, types.int64), generate


@intrinsic
def cast(_typing: Any, source: Any, dtype: Any) -> Any:
    """A pointer to `dtype` from another pointer or an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = context.get_value_type(signature.return_type)
        if isinstance(source, types.CPointer):
            return builder.bitcast(arguments[0], target)
        return builder.inttoptr(arguments[0], target)

    return types.CPointer(dtype.instance_type)(source, dtype), generate


@intrinsic
def address(_typing: Any, pointer: Any) -> Any:
    """The address of a pointer; 0 is the null pointer."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ptrtoint(arguments[0], I64)

    return types.int64(pointer), generate


def words(count: int) -> Any:
    """Return a function that Numba code calls for `count` int64 on the stack of its caller."""

    @intrinsic
    def reserve(_typing: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            return cgutils.alloca_once(builder, I64, size=count)

        return types.CPointer(types.int64)(), generate

    return reserve


def room(count: int) -> Any:
    """Return a function that Numba code calls for room on the stack of its caller.

    There are `count` elements of the type that the pointer in its argument has.
    """

    @intrinsic
    def reserve(_typing: Any, model: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            return cgutils.alloca_once(builder, context.get_data_type(model.dtype), size=count)

        return model(model), generate

    return reserve


def extern(name: str, result: Any = types.void, *, generic: bool = True) -> Any:
    """Return a function that Numba code can call: the symbol `name` of the same unit.

    A generic symbol exists once for each dtype; the first pointer argument selects it.
    """

    @intrinsic
    def call(_typing: Any, *parameters: Any) -> Any:
        symbol = name
        if generic:
            symbol += "_" + next(
                SUFFIX[p.dtype]
                for p in parameters
                if isinstance(p, types.CPointer) and p.dtype in SUFFIX
            )

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            values = [builder.extract_value(arguments[0], i) for i in range(len(parameters))]
            returned = ir.VoidType() if result is types.void else context.get_value_type(result)
            kind = ir.FunctionType(returned, [v.type for v in values])
            callee = cgutils.get_or_insert_function(builder.module, kind, symbol)
            outcome = builder.call(callee, values)
            return context.get_dummy_value() if result is types.void else outcome

        return result(types.StarArgTuple(parameters)), generate

    return call


@intrinsic
def call_address(_typing: Any, code: Any, *parameters: Any) -> Any:
    """Call the machine code at an address with integers and pointers; it returns an int64."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        values = [builder.extract_value(arguments[1], i) for i in range(len(parameters))]
        kind = ir.FunctionType(I64, [v.type for v in values])
        return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), values)

    return types.int64(types.int64, types.StarArgTuple(parameters)), generate


def code_address(name: str) -> Any:
    """Return a function that Numba code can call for the address of the symbol `name`."""

    @intrinsic
    def get(_typing: Any) -> Any:
        def generate(_context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            kind = ir.FunctionType(I64, [])
            return builder.ptrtoint(cgutils.get_or_insert_function(builder.module, kind, name), I64)

        return types.int64(), generate

    return get


# --- Atomics on int64, sequentially consistent --------------------------------------------------


@intrinsic
def atomic_load(_typing: Any, pointer: Any) -> Any:
    """Read *pointer."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(arguments[0], "seq_cst", 8, typ=I64)

    return types.int64(pointer), generate


@intrinsic
def atomic_store(_typing: Any, pointer: Any, value: Any) -> Any:
    """Write *pointer."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[1], arguments[0], "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(pointer, types.int64), generate


@intrinsic
def atomic_add(_typing: Any, pointer: Any, value: Any) -> Any:
    """Add to *pointer; returns what was there before."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", arguments[0], arguments[1], "seq_cst")

    return types.int64(pointer, types.int64), generate


@intrinsic
def atomic_swap_if(_typing: Any, pointer: Any, expected: Any, value: Any) -> Any:
    """Write *pointer if it holds `expected`; returns whether it did."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pair = builder.cmpxchg(*arguments, "seq_cst", "seq_cst")
        return builder.extract_value(pair, 1)

    return types.boolean(pointer, types.int64, types.int64), generate


@intrinsic
def relax(_typing: Any) -> Any:
    """Tell the core that this is a waiting loop."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        machine = builder.module.triple
        nothing = ir.FunctionType(ir.VoidType(), [])
        if machine.startswith("x86_64"):
            pause = cgutils.get_or_insert_function(builder.module, nothing, "llvm.x86.sse2.pause")
            builder.call(pause, [])
        elif machine.startswith(("aarch64", "arm64")):
            hint = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(ir.VoidType(), [ir.IntType(32)]),
                "llvm.aarch64.hint",
            )
            builder.call(hint, [ir.IntType(32)(1)])
        return context.get_dummy_value()

    return types.void(), generate
