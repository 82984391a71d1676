"""Which choice is the fastest here: keyword arguments of a user's kernel, threads, vector units.

Every choice is checked first, all take turns, and the best is told with the interval of its ratio
to the default. Nothing is changed: what to set is said, and left to the user.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import autograd
from autograd.kernels.native.target import available, target
from autograd.kernels.threads import available_cores

from . import clock, rivals, trial
from .stats import Ratio, ratio
from .subjects import Built, Size, Subject
from .tables import duration, times

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 9
MOST = 64
"""Choices beyond this are not tried: their turns would leave each of them too few rounds."""


@dataclass
class Tuned:
    """
    What was found for a kernel, a size and a type.

    Attributes
    ----------
    default : str
        The choice that is in force without doing anything.
    seconds : dict of str to float
        Median of each choice that is right.
    ratios : dict of str to Ratio
        Time of the default over that of each other choice: above 1 the choice is the faster one.
    refused : dict of str to str
        Choices that are wrong, and why.
    disturbed : bool
        Others used the machine meanwhile.
    """

    key: str
    default: str
    seconds: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    disturbed: bool = False

    @property
    def best(self) -> str:
        """The fastest choice that is certainly faster than the default, or the default."""
        sure = {name: r.median for name, r in self.ratios.items() if r.verdict == "faster"}
        return max(sure, key=sure.__getitem__) if sure else self.default

    def lines(self) -> Iterator[str]:
        """What is told of it."""
        yield self.key
        for name, seconds in sorted(self.seconds.items(), key=lambda item: item[1]):
            text = f"    {name:40}{duration(seconds):>9}"
            if name in self.ratios:
                r = self.ratios[name]
                text += f"  {times(r.median)} ({times(r.low)} .. {times(r.high)}) {r.verdict}"
            else:
                text += "  the default"
            yield text
        for name, why in self.refused.items():
            yield f"    {name}: {why}"
        if self.disturbed:
            yield "    other processes used the machine meanwhile: measure again"
        if self.best == self.default:
            yield f"    -> keep {self.default}: no other choice is certainly faster"
        else:
            r = self.ratios[self.best]
            yield (
                f"    -> {self.best}: {times(r.median)} times as fast as {self.default} "
                f"(95 % interval {times(r.low)} .. {times(r.high)})"
            )


def choices(subject: Subject) -> dict[str, dict[str, Any]]:
    """
    Keyword arguments of every choice, by the words that name it.

    Raises
    ------
    ValueError
        If there are too many, or the function has no such argument.
    """
    if isinstance(subject.function, Built):
        raise ValueError(f"{subject.name}: tune=... needs a function, not something built")
    names = list(subject.tune)
    known = inspect.signature(getattr(subject.function, "py_func", subject.function)).parameters
    for name in names:
        if name not in known:
            raise ValueError(f"{subject.name}: tune: the function has no argument {name!r}")
    all_of = list(itertools.product(*subject.tune.values()))
    if len(all_of) > MOST:
        raise ValueError(f"{subject.name}: {len(all_of)} choices are too many; {MOST} at most")
    pairs = [dict(zip(names, values, strict=True)) for values in all_of]
    return {", ".join(f"{n}={v}" for n, v in chosen.items()): chosen for chosen in pairs}


def compared(found: Tuned, timings: clock.Timings) -> Tuned:
    """Fill in times and ratios."""
    found.disturbed = timings.disturbed
    for name in timings.seconds:
        found.seconds[name] = timings.spread(name).median
        if name != found.default:
            found.ratios[name] = ratio(timings.seconds[name], timings.seconds[found.default])
    return found


def arguments(subject: Subject, size: Size, dtype: str, seconds: float) -> Tuned:
    """
    Try the choices that a user gave.

    Raises
    ------
    ValueError
        If the function without any of them is wrong.
    """
    inputs, right = trial.exact(subject, size, dtype)
    limit = subject.tolerance[dtype]
    function: Any = subject.function
    parameters = inspect.signature(getattr(function, "py_func", function)).parameters
    own = {name: parameters[name].default for name in subject.tune if name in parameters}
    found = Tuned(f"{subject.name} {trial.size_text(size)} {dtype}", "without arguments")
    tried: dict[str, Callable[..., Any]] = {}
    for words, chosen in choices(subject).items():
        if chosen == own:
            found.default = words
        tried[words] = functools.partial(function, **chosen)
    if found.default not in tried:
        tried = {found.default: function, **tried}
    contenders = {}
    for words, variant in tried.items():
        call, _, problem = trial.checked(words, variant, inputs, right, limit)
        if call is not None:
            contenders[words] = call
        elif words == found.default:
            raise ValueError(f"{found.key}: {words}, the default, is wrong: {problem}")
        else:
            found.refused[words] = problem
    return compared(found, clock.in_turn(contenders, seconds))


def threads(subject: Subject, size: Size, dtype: str, seconds: float) -> Tuned:
    """Try every number of threads up to that of the cores."""
    inputs, _ = trial.exact(subject, size, dtype)
    call = rivals.contender(trial.OURS, subject.function, inputs)

    def with_threads(count: int) -> Callable[[], Any]:
        def run() -> Any:
            autograd.set_num_threads(count)
            return call()

        return run

    default = autograd.get_num_threads()
    counts = sorted({*range(1, available_cores() + 1), default})
    found = Tuned(f"{subject.name} {trial.size_text(size)} {dtype}", thread_words(default))
    try:
        timings = clock.in_turn({thread_words(n): with_threads(n) for n in counts}, seconds)
    finally:
        autograd.set_num_threads(default)
    return compared(found, timings)


def thread_words(count: int) -> str:
    """What a number of threads is called: as it is set for a process."""
    return f"AUTOGRAD_NUM_THREADS={count}"


class Worker:
    """A process that runs one kernel for one vector unit, when it is told to."""

    def __init__(self, unit: str, subject: Subject, size: Size, dtype: str, threads: int) -> None:
        words = [subject.name, json.dumps(size), dtype]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.tune", *words],
            cwd=ROOT,
            env={
                **os.environ,
                "AUTOGRAD_SIMD": unit,
                "AUTOGRAD_NUM_THREADS": str(threads),
                "PYTHONPATH": os.pathsep.join(
                    filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
                ),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, words: str) -> str:
        """Say something, and wait for the answer; "" from a process that has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(words + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()
        except BrokenPipeError:
            return ""

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()


def units(subject: Subject, size: Size, dtype: str) -> Tuned:
    """
    Try every vector unit of this CPU, each in a process of its own, in turn.

    A unit whose kernels were never compiled here compiles them first.

    Raises
    ------
    ValueError
        If the kernel is wrong with the unit that is in force.
    """
    found = Tuned(
        f"{subject.name} {trial.size_text(size)} {dtype}", f"AUTOGRAD_SIMD={target().unit}"
    )
    names = [f"AUTOGRAD_SIMD={unit}" for unit in available()]
    count = autograd.get_num_threads()
    with ExitStack() as stack:
        workers = {}
        for name in names:
            worker = stack.enter_context(Worker(name.split("=")[1], subject, size, dtype, count))
            answer = worker.ask("check")
            if answer == "right":
                workers[name] = worker
            else:
                found.refused[name] = answer or "its process ended"
        if found.default not in workers:
            raise ValueError(f"{found.key}: {found.default}: {found.refused[found.default]}")
        load = clock.Load()
        timings = clock.Timings({name: [] for name in workers})
        for number in range(ROUNDS):
            order = list(workers)
            first = number % len(order)
            for name in order[first:] + order[:first]:
                timings.seconds[name].append(float(workers[name].ask("time")))
        # The workers' time counts as that of others: what is beyond one core is foreign.
        timings.foreign.append(max(0.0, load.foreign() - count))
    return compared(found, timings)


def answer() -> None:
    """Be a worker: check the kernel, or time some calls, whenever a line says so."""
    from . import plan
    from .subjects import SUBJECTS

    name, size, dtype = sys.argv[1:]
    plan.enter_suite()
    subject, read = SUBJECTS[name], json.loads(size)
    inputs, right = trial.exact(subject, tuple(read) if isinstance(read, list) else read, dtype)
    call, calls = None, 1
    for words in sys.stdin:
        if words.strip() == "check":
            limit = subject.tolerance[dtype]
            made = trial.checked(trial.OURS, subject.function, inputs, right, limit)
            call = made[0]
            if call is not None:
                calls = clock.calls_for(call)
            print("right" if call is not None else made[2], flush=True)
        elif call is not None:
            print(clock.timed(call, calls) / calls, flush=True)


if __name__ == "__main__":
    answer()
