"""Is it vector code, and is it parallel? What the compilers made of a function, read back.

Numba says nothing when it could not vectorise a loop, and little when ``parallel=True`` found
nothing to share out. Its machine code and its diagnostics do tell, and so do our own objects.
"""

from __future__ import annotations

import dis
import functools
import inspect
import re
import shutil
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograd.kernels.native.objects import image
from autograd.kernels.native.unit import UNITS

ROOT = Path(__file__).resolve().parent.parent

COMPILING = """
import sys
import autograd.kernels
from autograd.kernels.native import build
from autograd.kernels.native.unit import UNITS
sys.stdout.write(build.assembly_of(UNITS[sys.argv[1]].code))
"""
"""Prints a unit's assembly. In a process of its own: Numba keeps what it lowers, for good."""

BITS = {"z": 512, "y": 256, "x": 128}

PACKED = re.compile(
    r"v?(?:(?:add|sub|mul|div|sqrt|max|min|cmp\w*|round|rndscale|scalef|hadd|fn?m(?:add|sub)\d+)p[sd]"
    r"|p(?:add|sub|mul|max|min|abs|madd|avg|cmp|sll|srl|sra)\w*)$"
)
"""Arithmetic on vectors, for x86. Moves and bitwise operations prove nothing: copies and zeros are
written with vector registers everywhere."""

SCALAR = re.compile(r"v?(?:add|sub|mul|div|sqrt|max|min|cmp\w*|fn?m(?:add|sub)\d+)s[sd]$")

ARM_ARITHMETIC = re.compile(r"f(?:n?m(?:add|sub|ul|la|ls)|add|sub|div|sqrt|max|min)\w*$")
ARM_VECTOR = re.compile(r"\bv\d+\.(?:4s|2d|8h|16b)")

LABEL = re.compile(r'^(?:[0-9a-f]+ <(?P<dumped>.+)>|"?(?P<written>[A-Za-z_][\w.$@]*)"?):')
INSTRUCTION = re.compile(r"^\s+(?:[0-9a-f]+:\s+)?(?P<name>[a-z][\w.]*)(?:\s+(?P<operands>.*))?$")

RELOCATION = re.compile(r"\bR_\w+\s+(?:\.text\+0x(?P<place>[0-9a-f]+)|(?P<symbol>[^\s+-]+))")
NAME = re.compile(r"[A-Za-z_][\w.$]*")


@dataclass(frozen=True)
class Evidence:
    """
    What the machine code of a function is made of.

    Attributes
    ----------
    bits : int
        Widest vector register with arithmetic in it; 0 without any.
    packed, scalar : int
        Instructions of arithmetic on vectors, and on single floats.
    fma : bool
        Fused multiply-adds are among those on vectors.
    loops : int or None
        Parallel loops of a Numba function with ``parallel=True``.
    """

    bits: int
    packed: int
    scalar: int
    fma: bool
    loops: int | None = None

    def __str__(self) -> str:
        """Few words, for a table."""
        if self.bits:
            words = f"{self.bits}-bit{' FMA' * self.fma}"
        else:
            words = "scalar" if self.scalar else "no arithmetic on floats"
        if self.loops is not None:
            shared = f"{self.loops} parallel loop{'s'[: self.loops != 1]}"
            words += f", {shared}" if self.loops else ", parallel=True, but no loop is"
        return words


def functions_of(text: str) -> dict[str, list[tuple[str, str]]]:
    """Instructions, with their operands, of each function of an assembly or a disassembly."""
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    # A disassembly names what is called by a register with a relocation, by address if it is local.
    starts = {int(at, 16): name for at, name in re.findall(r"(?m)^([0-9a-f]+) <(.+)>:", text)}
    for line in text.splitlines():
        label = LABEL.match(line)
        if label:
            current = found.setdefault(label["dumped"] or label["written"], [])
            continue
        relocation = RELOCATION.search(line)
        if relocation:
            place = relocation["place"]
            goal = starts.get(int(place, 16), "") if place else relocation["symbol"]
            current.append(("", goal))
            continue
        instruction = INSTRUCTION.match(line)
        if instruction:
            current.append((instruction["name"], instruction["operands"] or ""))
    return found


def of_assembly(text: str, entries: Callable[[str], bool] | None = None) -> Evidence:
    r"""
    Count instructions.

    Parameters
    ----------
    text : str
        Assembly, or what objdump prints.
    entries : callable, optional
        Which functions are meant, by name; those that they name are, too. Default: all.

    Examples
    --------
    >>> str(of_assembly("f:\n\tvfmadd231ps\t%zmm1, %zmm2, %zmm3\n\tretq\n"))
    '512-bit FMA'
    >>> str(of_assembly("f:\n\tvaddsd\t%xmm1, %xmm2, %xmm3\n"))
    'scalar'
    """
    functions = functions_of(text)
    wanted = [name for name in functions if entries is None or entries(name)]
    seen = set(wanted)
    bits = packed = scalar = 0
    fma = False
    while wanted:
        for name, operands in functions[wanted.pop()]:
            for goal in NAME.findall(operands):
                if goal in functions and goal not in seen:
                    seen.add(goal)
                    wanted.append(goal)
            width = width_of(name, operands)
            if width is None:
                continue
            packed += width > 0
            scalar += width == 0
            bits = max(bits, width)
            fma |= width > 0 and name.startswith(("vfm", "vfnm", "fmla", "fmls"))
    return Evidence(bits, packed, scalar, fma)


def width_of(name: str, operands: str) -> int | None:
    """Bits of a vector instruction of arithmetic, 0 for one on single floats, None for others."""
    if PACKED.match(name):
        letters = re.findall(r"%?([xyz])mm\d", operands)
        return max((BITS[letter] for letter in letters), default=None)
    if SCALAR.match(name):
        return 0
    if ARM_ARITHMETIC.match(name):
        return 128 if ARM_VECTOR.search(operands) else 0
    return None


def is_dispatcher(thing: Any) -> bool:
    """Whether something is a function under ``numba.njit`` or ``numba.jit``."""
    return hasattr(thing, "py_func") and hasattr(thing, "inspect_asm")


def of_dispatcher(function: Any, inputs: tuple[Any, ...] | None = None) -> Evidence | None:
    """
    Judge a Numba function, all that it was compiled for together.

    Parameters
    ----------
    inputs : tuple, optional
        Compile for them first, and judge that only; nothing is run.

    Returns
    -------
    Evidence or None
        None if it was compiled for nothing.
    """
    from numba import typeof
    from numba.core.types import Omitted

    signatures = list(function.signatures)
    if inputs is not None:
        rest = list(inspect.signature(function.py_func).parameters.values())[len(inputs) :]
        left_out = (Omitted(p.default) for p in rest if p.default is not p.empty)
        wanted = (*(typeof(value) for value in inputs), *left_out)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that no loop is parallel is told by what is returned
            function.compile(wanted)
        # Numba may have taken a compiled version that fits without being the same.
        signatures = [wanted] if wanted in function.overloads else signatures
    if not signatures:
        return None
    function = readable(function, signatures)
    found = of_assembly("\n".join(function.inspect_asm(s) for s in signatures))
    loops = None
    if function.targetoptions.get("parallel"):
        loops = max(parallel_loops(function.overloads[s].metadata) for s in signatures)
    return Evidence(found.bits, found.packed, found.scalar, found.fma, loops)


def readable(function: Any, signatures: list[Any]) -> Any:
    """A Numba function itself, or compiled anew if it came from Numba's cache.

    What comes from there can be neither disassembled nor asked for its loops.
    """
    if all(function.overloads[s].metadata is not None for s in signatures):
        return function
    import numba

    twin: Any = numba.jit(**function.targetoptions)(function.py_func)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for signature in signatures:
            twin.compile(signature)
    return twin


def parallel_loops(metadata: Any) -> int:
    """How many loops Numba shares out among threads, from what it kept of a compilation."""
    diagnostics = metadata.get("parfor_diagnostics")
    return diagnostics.count_parfors() if hasattr(diagnostics, "func_ir") else 0


def referenced(function: Any) -> Iterator[Any]:
    """Yield a function and all functions that its code names, each once, deeply."""
    waiting, seen = [function], set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        yield thing
        if isinstance(thing, functools.partial):
            waiting.append(thing.func)
        body = getattr(thing, "py_func", thing)
        if isinstance(body, types.FunctionType):
            waiting += [v for v in named_by(body) if followed(v)]


def shares_work(function: Any) -> bool:
    """Whether a function is, or names, one with Numba's ``parallel=True``."""
    return any(
        is_dispatcher(thing) and bool(thing.targetoptions.get("parallel"))
        for thing in referenced(function)
    )


def followed(thing: Any) -> bool:
    """Whether what a function names may lead to compiled code."""
    return isinstance(thing, types.FunctionType | functools.partial) or is_dispatcher(thing)


def named_by(function: types.FunctionType) -> Iterator[Any]:
    """Yield what the names in a function's code stand for, and what its closure holds."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # not filled yet
            yield cell.cell_contents
    base: Any = None
    for step in dis.get_instructions(function):
        if step.opname == "LOAD_GLOBAL":
            base = function.__globals__.get(step.argval)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(base, types.ModuleType):
            base = getattr(base, step.argval, None)
        else:
            base = None
            continue
        yield base


@dataclass(frozen=True)
class NativeCall:
    """A kernel of a unit, by name."""

    unit: str
    kernel: str


def native_calls(function: Callable[..., Any], inputs: tuple[Any, ...]) -> list[NativeCall]:
    """Call a function, and tell which compiled kernels of this library it called in turn."""
    met: dict[int, Any] = {}  # the callees themselves, too: an id is free once its owner is gone

    def note(_frame: Any, event: str, callee: Any) -> None:
        if event == "c_call":
            met[id(callee)] = callee

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function(*inputs)
    finally:
        sys.setprofile(before)
    known = {
        id(unit.__dict__[kernel]): NativeCall(name, kernel)
        for name, unit in UNITS.items()
        for kernel in unit.code.kernels
        if kernel in unit.__dict__
    }
    return [known[callee] for callee in met if callee in known]


@functools.cache
def text_of(unit: str) -> str:
    """The machine code of a unit: disassembled from the cache, else compiled once more."""
    tool = shutil.which("objdump") or shutil.which("llvm-objdump")
    if tool:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "unit.o")
            path.write_bytes(image(UNITS[unit].code))
            words = [tool, "-dr", "--no-show-raw-insn", str(path)]
            told = subprocess.run(words, capture_output=True, text=True, check=False)
        if told.returncode == 0 and functions_of(told.stdout):
            return told.stdout
    words = [sys.executable, "-c", COMPILING, unit]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@functools.cache
def of_native(call: NativeCall, letter: str) -> Evidence:
    """Judge a kernel of a unit, with all that it calls, for "f4" or "f8"."""
    kernel = UNITS[call.unit].code.kernels[call.kernel]
    letter = letter if letter in kernel.dtypes else kernel.dtypes[0]
    entry = kernel.symbol("run", letter)
    return of_assembly(text_of(call.unit), lambda name: name == entry)


def of_function(function: Any, inputs: tuple[Any, ...], dtype: str) -> Evidence | None:
    """
    Judge whatever compiled code a call leads to: the widest of it, and all parallel loops.

    The function is called once, unless it is Numba's.

    Returns
    -------
    Evidence or None
        None if no code is known, as for plain NumPy.
    """
    if is_dispatcher(function):
        return of_dispatcher(function, inputs)
    letter = "f8" if dtype == "float64" else "f4"
    found = [of_native(call, letter) for call in native_calls(function, inputs)]
    judged = (of_dispatcher(thing) for thing in referenced(function) if is_dispatcher(thing))
    found += [evidence for evidence in judged if evidence is not None]
    if not found:
        return None
    shared = [evidence.loops for evidence in found if evidence.loops is not None]
    return Evidence(
        max(evidence.bits for evidence in found),
        sum(evidence.packed for evidence in found),
        sum(evidence.scalar for evidence in found),
        any(evidence.fma for evidence in found),
        sum(shared) if shared else None,
    )
