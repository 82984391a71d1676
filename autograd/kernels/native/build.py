"""From Numba functions and LLVM IR to one object file.

A unit's bodies are typed and lowered by Numba for each dtype, its vector code comes as LLVM IR from
simd.py; both are linked, with a small entry for each kernel that takes its arguments from an array
of words, and optimised together. The outcome needs neither Numba nor Python to run. Only a process
that must compile imports this module.
"""

import gc
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import codegen, compiler, registry
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUContext

from . import simd
from .signature import Code, Kernel
from .target import machine, target

I64, I32, F32, F64 = ir.IntType(64), ir.IntType(32), ir.FloatType(), ir.DoubleType()
POINTER = ir.PointerType()

ELEMENTS = {
    "f4": types.float32,
    "f8": types.float64,
    "i8": types.int64,
    "i4": types.int32,
    "u4": types.uint32,
    "u1": types.uint8,
    "b1": types.uint8,
}
"""Element types of a signature as Numba sees them."""


def object_of(code: Code) -> bytes:
    """Compile a unit."""
    return machine().emit_object(linked(code))


def assembly_of(code: Code) -> str:
    """The machine code of a unit as text, to see what became of a loop."""
    return machine().emit_assembly(linked(code))


def linked(code: Code) -> llvm.ModuleRef:
    """Everything of a unit as one optimised module."""
    with global_compiler_lock, without_machine_code():
        return joined(*pieces(code))


def pieces(code: Code) -> tuple[list[str], list[str]]:
    """The LLVM IR of a unit's parts, and the symbols by which it is entered."""
    source = importlib.import_module(code.source)
    entries: list[str] = []
    parts: list[str] = []
    for dtype in code.dtypes:
        vectors = simd.Module(dtype, target())
        for write in getattr(source, "VECTORS", ()):
            write(vectors)
        parts.append(str(vectors))
    for name, (function, signature) in getattr(source, "EXPORTS", {}).items():
        symbol, text = lowered(function, signature)
        parts += [text, plain_entry(name, symbol, signature)]
        entries.append(name)
    for kernel in code.kernels.values():
        for function, role in bodies(source, kernel):
            for dtype in kernel.dtypes:
                symbol, text = lowered(function, signature_of(kernel, dtype, role))
                name = kernel.symbol(role, dtype)
                parts += [text, slot_entry(name, symbol, kernel, dtype, role)]
                entries.append(name)
    return parts, entries


@contextmanager
def without_machine_code() -> Iterator[None]:
    """Let Numba stop at LLVM IR, which halves its time; held with its lock.

    It would otherwise optimise every function and turn it into machine code of its own, before the
    whole unit is. The cycle collector waits too: nothing of this is garbage before the end.
    """

    def skip(*_: Any) -> None: ...

    patches = (
        (codegen.CPUCodeLibrary, "_optimize_functions", skip),
        (codegen.CPUCodeLibrary, "_optimize_final_module", skip),
        (codegen.JITCodeLibrary, "_finalize_specific", skip),
        # Numba's engine would keep them, and link what cannot be linked at the next compilation.
        (codegen.JITCPUCodegen, "_add_module", skip),
        # A builtin that is not equal to any other stands for the function that is not made.
        (CPUContext, "get_executable", lambda *_: [].append),
    )
    before = [getattr(owner, name) for owner, name, _ in patches]
    collecting = gc.isenabled()
    gc.disable()
    for owner, name, replacement in patches:
        setattr(owner, name, replacement)
    try:
        yield
    finally:
        for (owner, name, _), method in zip(patches, before, strict=True):
            setattr(owner, name, method)
        if collecting:
            gc.enable()


def bodies(source: Any, kernel: Kernel) -> Iterator[tuple[Callable[..., Any], str]]:
    """The function that runs a kernel's tasks and, where there is one, that which counts them."""
    yield getattr(source, kernel.name), "run"
    if hasattr(source, f"{kernel.name}_tasks"):
        yield getattr(source, f"{kernel.name}_tasks"), "tasks"


def signature_of(kernel: Kernel, dtype: str, role: str) -> Any:
    """The Numba types of a body: its arguments, results and symbols, then first, last, worker."""
    parameters = [parameter_type(p.kind, p.element, dtype) for p in kernel.parameters]
    parameters += [types.int64] * len(kernel.symbols)
    if role == "tasks":
        return types.int64(*parameters)
    return types.void(*parameters, types.int64, types.int64, types.int64)


def parameter_type(kind: str, element: str, dtype: str) -> Any:
    """The Numba type of one parameter."""
    if kind == "int":
        return types.int64
    if kind == "float":
        return ELEMENTS.get(dtype, types.float64)
    return types.CPointer(ELEMENTS[dtype if element == "T" else element])


def lowered(function: Callable[..., Any], signature: Any) -> tuple[str, str]:
    """Type and lower one function; returns its symbol and its LLVM IR."""
    function = getattr(function, "py_func", function)
    flags: Any = compiler.Flags()
    flags.no_compile = True
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    flags.nrt = False
    flags.no_rewrites = True
    flags.error_model = "numpy"
    flags.enable_looplift = False
    context = registry.cpu_target
    outcome = compiler.compile_extra(
        context.typing_context,
        context.target_context,
        function,
        signature.args,
        signature.return_type,
        flags,
        {},
    )
    outcome.library.finalize()
    return outcome.fndesc.llvm_func_name, outcome.library.get_llvm_str()


def plain_entry(name: str, symbol: str, signature: Any) -> str:
    """A C function of integers around a Numba function."""
    module = ir.Module()
    arguments = [I64] * len(signature.args)
    entry = ir.Function(module, ir.FunctionType(I64, arguments), name)
    builder = ir.IRBuilder(entry.append_basic_block())
    builder.ret(call_numba(builder, symbol, list(entry.args), I64))
    return str(module)


def slot_entry(name: str, symbol: str, kernel: Kernel, dtype: str, role: str) -> str:
    """A C function (slots, first, last, worker) around a kernel's body."""
    module = ir.Module()
    tail = [] if role == "tasks" else [I64] * 3
    entry = ir.Function(module, ir.FunctionType(I64, [POINTER, *tail]), name)
    builder = ir.IRBuilder(entry.append_basic_block())
    values: list[Any] = []
    kinds = [p.kind for p in kernel.parameters] + ["int"] * len(kernel.symbols)
    for i, kind in enumerate(kinds):
        slot = builder.gep(entry.args[0], [I64(i)], source_etype=I64)
        if kind == "array":
            values.append(builder.load(slot, typ=POINTER))
        elif kind == "int":
            values.append(builder.load(slot, typ=I64))
        else:
            value = builder.load(slot, typ=F64)
            values.append(builder.fptrunc(value, F32) if dtype == "f4" else value)
    values += entry.args[1:]
    returned = call_numba(builder, symbol, values, I64 if role == "tasks" else POINTER)
    builder.ret(returned if role == "tasks" else I64(0))
    return str(module)


def call_numba(builder: ir.IRBuilder, symbol: str, values: list[Any], returns: Any) -> Any:
    """Call by Numba's convention: status f(result*, exception**, arguments...)."""
    kind = ir.FunctionType(I32, [POINTER, POINTER, *(v.type for v in values)])
    callee = ir.Function(builder.module, kind, symbol)
    result, exception = builder.alloca(returns), builder.alloca(POINTER)
    builder.call(callee, [result, exception, *values])
    return builder.load(result, typ=returns)


def joined(parts: list[str], entries: list[str]) -> llvm.ModuleRef:
    """Link IR modules, keep only `entries` visible, and optimise."""
    host = machine()
    whole = llvm.parse_assembly(header() + parts[0])
    for text in parts[1:]:
        whole.link_in(llvm.parse_assembly(text))
    keep = set(entries)
    for function in whole.functions:
        if not function.is_declaration and function.name not in keep:
            function.linkage = llvm.Linkage.internal
    for variable in whole.global_variables:
        if not variable.is_declaration:
            variable.linkage = llvm.Linkage.internal
    whole.verify()
    optimise(whole, host)
    return whole


def header() -> str:
    """What every module says of the machine."""
    host = machine()
    return f'target triple = "{host.triple}"\ntarget datalayout = "{host.target_data}"\n'


def optimise(module: llvm.ModuleRef, host: llvm.TargetMachine) -> None:
    """Run LLVM's pipeline of level 3."""
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.slp_vectorization = True
    passes = llvm.create_pass_builder(host, options)
    passes.getModulePassManager().run(module, passes)
