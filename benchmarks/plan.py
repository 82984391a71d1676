"""What a command's words mean: which kernels, sizes, types and rivals."""

from __future__ import annotations

import argparse
import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograd.kernels.native.target import available, target
from autograd.kernels.threads import available_cores

from . import rivals
from .subjects import SUBJECTS, Size, Subject, load_file
from .trial import size_text

DTYPES = ("float32", "float64")
ENOUGH = 3.0
"""Seconds of timing for a trial, where no budget is given: some hundred rounds of most kernels."""
SUITE: dict[str, Subject] = {}
"""What `enter_suite` enters: a module registers its kernels only once."""
SHOWN = 12  # names in a message


@dataclass(frozen=True)
class Task:
    """One trial that is to be run."""

    subject: Subject
    size: Size
    dtype: str
    threads: int


def enter_suite() -> None:
    """Enter the kernels of this library."""
    if not SUITE:
        before = set(SUBJECTS)
        importlib.import_module("benchmarks.suite")
        SUITE.update((name, SUBJECTS[name]) for name in SUBJECTS if name not in before)
    for name, subject in SUITE.items():
        SUBJECTS.setdefault(name, subject)


def chosen(pattern: str) -> list[str]:
    """
    Names that a pattern means: a file of the user's, or parts of names.

    Raises
    ------
    LookupError
        If it means none.
    """
    if pattern.endswith(".py"):
        return load_file(Path(pattern))
    enter_suite()
    names = [name for name in SUBJECTS if pattern in name]
    if not names:
        raise LookupError(
            f"no kernel's name has {pattern!r} in it; `list` shows all {len(SUBJECTS)}"
        )
    return names


def size_of(text: str) -> Size:
    """
    A size as it is written.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> size_of("1000"), size_of("64x784x128")
    (1000, (64, 784, 128))
    """
    try:
        numbers = [int(part) for part in text.split("x")]
        if min(numbers) < 1:
            raise ValueError
    except ValueError:
        raise ValueError(f"--size {text}: expected numbers such as 1000 or 64x784x128") from None
    return tuple(numbers) if len(numbers) > 1 else numbers[0]


def parts(size: Size) -> int:
    """Of how many numbers a size is made."""
    return len(size) if isinstance(size, tuple) else 1


def sizes_of(subjects: Sequence[Subject], wanted: Sequence[str]) -> dict[str, Sequence[Size]]:
    """
    For each subject the sizes asked for that are of its kind; without any its own.

    Raises
    ------
    LookupError
        If a size is of no subject's kind.
    """
    if not wanted:
        return {subject.name: subject.sizes for subject in subjects}
    given = [size_of(text) for text in wanted]
    found: dict[str, Sequence[Size]] = {
        subject.name: [s for s in given if parts(s) in set(map(parts, subject.sizes))]
        for subject in subjects
    }
    for size in given:
        if not any(size in fitting for fitting in found.values()):
            shown = [f"{s.name} {size_text(s.sizes[0])}" for s in subjects[:SHOWN]]
            raise LookupError(
                f"--size {size_text(size)}: nothing chosen has sizes of {parts(size)} numbers; "
                f"there are {', '.join(shown)}{', ...' * (len(subjects) > SHOWN)}"
            )
    return found


def dtypes_of(wanted: Sequence[str] | None, quick: bool) -> list[str]:
    """
    Types asked for.

    Raises
    ------
    LookupError
        If one is not measured.
    """
    for name in wanted or ():
        if name not in DTYPES:
            raise LookupError(f"--dtype {name}: expected {' or '.join(DTYPES)}")
    return list(wanted or DTYPES[: 1 if quick else 2])


def threads_of(wanted: Sequence[int] | None) -> list[int]:
    """
    Numbers of threads, the fewest first.

    Raises
    ------
    ValueError
        If one is not positive.
    """
    for count in wanted or ():
        if count < 1:
            raise ValueError(f"--threads {count}: expected at least 1")
    return sorted(set(wanted or [1]))


def rival_filter(
    subjects: Sequence[Subject], words: str | None, quick: bool
) -> Callable[[str], bool]:
    """
    Which rivals are wanted, by name: "numpy,torch", "none" or "all".

    Raises
    ------
    LookupError
        If a name is no rival's.
    """
    if words is None:
        return lambda name: not (quick and rivals.is_compiled(name))
    if words in ("all", "none"):
        return lambda name: words == "all"
    names = [word.strip() for word in words.split(",")]

    def wanted(name: str) -> bool:
        # "torch" means its other forms, too, such as "torch fused", but not its compiler.
        return name in names or name.split(" ")[0] in names

    known = sorted({name for subject in subjects for name in subject.rivals})
    for word in names:
        if not any(word in (name, name.split(" ")[0]) for name in known):
            raise LookupError(
                f"--rivals {word}: there are {', '.join(known) or 'none'}, and all or none"
            )
    return wanted


def tasks(options: argparse.Namespace) -> tuple[list[Task], Callable[[str], bool]]:
    """
    All trials of a run, and the filter of rivals.

    The first sizes come first, so that a short run has seen every kernel.

    Raises
    ------
    LookupError
        If nothing is left to be measured.
    """
    subjects = [SUBJECTS[name] for name in chosen(options.pattern)]
    counts = threads_of(options.threads)
    dtypes = dtypes_of(options.dtype, options.quick)
    wanted = rival_filter(subjects, options.rivals, options.quick)
    sizes = sizes_of(subjects, options.size or ())
    # A kernel of one type only is measured in a quick run, too.
    own = {
        s.name: [d for d in dtypes if d in s.dtypes]
        or ([] if options.dtype else list(s.dtypes[:1]))
        for s in subjects
    }
    found = [
        ((d, rank), [Task(s, size, dtype, threads) for threads in counts])
        for s in subjects
        for d, dtype in enumerate(own[s.name])
        for rank, size in enumerate(sizes[s.name][: 1 if options.quick else None])
    ]
    found.sort(key=lambda entry: entry[0])
    if not found:
        raise LookupError(f"nothing chosen has the type {' or '.join(dtypes)}")
    return [task for _, group in found for task in group], wanted


class Budget:
    """Seconds for a run, and how they are shared out."""

    def __init__(
        self, seconds: float, begin: float, clock: Callable[[], float], most: float = math.inf
    ) -> None:
        if not (seconds > 0.0 and math.isfinite(seconds)):
            raise ValueError(f"--budget {seconds:g}: expected a number of seconds above 0")
        self.seconds, self.end, self.clock, self.most = seconds, begin + seconds, clock, most
        self.compiling = 0.0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self.end - self.clock())

    def share(self, tasks: int) -> float:
        """Seconds of timing for the next of so many trials; checking takes some, too."""
        return min(self.most, 0.7 * self.left / tasks)

    def patience(self) -> float:
        """How long a rival may compile: half of all the time goes into measuring."""
        return max(0.0, min(0.5 * self.seconds - self.compiling, 0.5 * self.left))


def crowded(counts: Sequence[int]) -> str:
    """What must be said of more threads than cores; "" if there are not."""
    cores = available_cores()
    if max(counts) <= cores:
        return ""
    return (
        f"this process may use {cores} core{'s'[: cores > 1]}: "
        f"{max(counts)} threads share them, and show no scaling"
    )


def lesser_unit() -> str:
    """What must be said of a vector unit below the CPU's best; "" if it is in force."""
    best = available()[0]
    if target().unit == best:
        return ""
    return (
        f"AUTOGRAD_SIMD={target().unit}: our kernels and the roofs use no {best}, which this CPU "
        "has and others may use"
    )
