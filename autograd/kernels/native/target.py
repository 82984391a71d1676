"""The machine that code is made for: its CPU, its features, and the vector width that is used."""

import functools
import os
from dataclasses import dataclass

import llvmlite.binding as llvm

WIDTHS = {"avx512": 512, "avx2": 256, "neon": 128, "generic": 128}
"""Vector units by name, with their width in bits."""

VARIABLE = "AUTOGRAD_SIMD"

# What "avx512" means here: everything that the kernels' instructions need, as of Skylake-X.
AVX512 = ("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd")
AVX2 = ("avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "popcnt")


@dataclass(frozen=True)
class Target:
    """What the compiler is told.

    Attributes
    ----------
    unit : str
        A name of `WIDTHS`.
    cpu, features : str
        In LLVM's words.
    """

    unit: str
    cpu: str
    features: str

    @property
    def bits(self) -> int:
        """Width of one vector register that the kernels use."""
        return WIDTHS[self.unit]

    @property
    def registers(self) -> int:
        """Number of vector registers."""
        return 32 if self.unit in ("avx512", "neon") else 16

    @property
    def fma(self) -> bool:
        """Whether a multiply-add is one instruction."""
        return self.unit != "generic"


def available() -> tuple[str, ...]:
    """Return the vector units that this CPU can run, the best one first."""
    features = llvm.get_host_cpu_features()
    triple = llvm.get_default_triple()
    names: list[str] = []
    if triple.startswith("x86_64"):
        has_avx2 = all(features.get(name, False) for name in AVX2)
        if has_avx2 and all(features.get(name, False) for name in AVX512):
            names.append("avx512")
        if has_avx2:
            names.append("avx2")
    elif triple.startswith(("aarch64", "arm64")):
        names.append("neon")
    return (*names, "generic")


@functools.cache
def target() -> Target:
    """Return the target of this process: the host, or less where AUTOGRAD_SIMD says so."""
    units = available()
    wanted = os.environ.get(VARIABLE) or units[0]
    if wanted not in WIDTHS:
        raise ValueError(f"{VARIABLE}={wanted!r}: the names are {', '.join(WIDTHS)}")
    if wanted not in units:
        raise ValueError(f"{VARIABLE}={wanted!r}: this CPU runs {', '.join(units)}")
    if wanted == units[0]:
        # Explicit vectors must not be split in two on CPUs whose default is to prefer 256 bits.
        features = llvm.get_host_cpu_features().flatten() + ",-prefer-256-bit"
        return Target(wanted, llvm.get_host_cpu_name(), features)
    if wanted == "avx2":
        return Target(wanted, "haswell", ",".join(f"+{name}" for name in AVX2))
    return Target(wanted, "x86-64" if wanted == "generic" and units[0] != "neon" else "generic", "")


@functools.cache
def machine() -> llvm.TargetMachine:
    """Return LLVM's target machine for `target`."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    goal = target()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=goal.cpu,
        features=goal.features,
        opt=3,
        reloc="default",
        codemodel="jitdefault",
        jit=True,
    )
