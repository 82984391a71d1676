"""One trial: a subject at one size and type, checked first, then timed beside its rivals."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from . import clock
from .check import arrays_of, mismatch
from .stats import Ratio, Spread, ratio
from .subjects import Size, Subject, cast

OURS = "ours"


@dataclass
class Result:
    """
    What a trial found.

    Attributes
    ----------
    name, size, dtype, threads
        What was measured.
    wrong : str
        What is wrong with ours; then nothing was timed.
    seconds : Spread or None
        Of one call of ours.
    times : dict of str to list of float
        Of every contender that is right, each round's time of one call, in the same order.
    ratios : dict of str to Ratio
        Rival / ours: above 1 ours is faster.
    refused : dict of str to str
        Rivals that are wrong or absent, and why.
    gflops, gbytes : float or None
        A second, at the median; bytes are those that must be touched.
    intensity : float or None
        Operations for each byte.
    disturbed : bool
        Others used the machine meanwhile.
    """

    name: str
    size: Size
    dtype: str
    threads: int
    wrong: str = ""
    seconds: Spread | None = None
    times: dict[str, list[float]] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    gflops: float | None = None
    gbytes: float | None = None
    intensity: float | None = None
    disturbed: bool = False

    @property
    def key(self) -> str:
        """What must be equal for two results to be compared."""
        size = "x".join(map(str, self.size)) if isinstance(self.size, tuple) else self.size
        return f"{self.name} {size} {self.dtype} {self.threads}t"

    def as_record(self) -> dict[str, Any]:
        """Plain data, for a line of JSON."""
        return asdict(self)


def torch_or_none() -> Any:
    """PyTorch, if it is installed."""
    return importlib.import_module("torch") if importlib.util.find_spec("torch") else None


def set_threads(count: int) -> None:
    """How many threads ours and PyTorch may use."""
    autograd = importlib.import_module("autograd")
    autograd.set_num_threads(count)
    torch = torch_or_none()
    if torch is not None:
        torch.set_num_threads(count)


def bound(function: Callable[..., Any], inputs: tuple[Any, ...]) -> Callable[[], Any]:
    """A call without arguments."""
    return lambda: function(*inputs)


def rivals_of(subject: Subject, inputs: tuple[Any, ...]) -> dict[str, Callable[[], Any]]:
    """Rivals that are installed, on their own kind of arrays."""
    found: dict[str, Callable[[], Any]] = {}
    torch = torch_or_none()
    for name, function in subject.rivals.items():
        if not name.startswith("torch"):
            found[name] = bound(function, inputs)
        elif torch is not None:
            own = tuple(torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in inputs)
            found[name] = bound(function, own)
    return found


def run(subject: Subject, size: Size, dtype: str, threads: int, seconds: float) -> Result:
    """
    Check and time a subject.

    Parameters
    ----------
    seconds : float
        How long the timing may take.
    """
    result = Result(subject.name, size, dtype, threads)
    exact = subject.inputs(size, np.random.default_rng(0))
    inputs = cast(exact, dtype)
    # What correct is starts from the rounded inputs, so that only the arithmetic is judged.
    reference = subject.reference(*cast(inputs, "float64"))
    contenders = {OURS: bound(subject.function, inputs), **rivals_of(subject, inputs)}
    for name in subject.rivals.keys() - contenders.keys():
        result.refused[name] = "not installed"
    limit = subject.tolerance[dtype]
    for name, call in list(contenders.items()):
        try:
            problem = mismatch(call(), reference, limit)
            text = "" if problem is None else str(problem)
        except Exception as error:  # a user's kernel, or a rival, may raise anything: it is told
            text = f"raised {type(error).__name__}: {error}"
        if text and name == OURS:
            result.wrong = text
            return result
        if text:
            result.refused[name] = text
            del contenders[name]
    timings = clock.in_turn(contenders, seconds)
    result.times = timings.seconds
    result.seconds = timings.spread(OURS)
    result.disturbed = timings.disturbed
    result.ratios = {
        name: ratio(timings.seconds[OURS], times)
        for name, times in timings.seconds.items()
        if name != OURS
    }
    touched = (
        subject.bytes(*inputs)
        if subject.bytes is not None
        else sum(a.nbytes for a in (*arrays_of(list(inputs)), *arrays_of(contenders[OURS]())))
    )
    result.gbytes = touched / result.seconds.median * 1e-9
    if subject.flops is not None:
        operations = subject.flops(*inputs)
        result.gflops = operations / result.seconds.median * 1e-9
        result.intensity = operations / touched if touched else None
    return result
