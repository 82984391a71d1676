"""One trial: a subject at one size and type, checked first, then timed beside its rivals."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from . import clock, proof, roofs
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
    roof : float or None
        The part of what this machine can do (`roofs`) that ours reaches. Above 1 is an algorithm
        with fewer operations than the definition's, as Winograd's.
    peak, bandwidth : float or None
        Operations and bytes a second of that roof, at the size of this call.
    code : str
        What the machine code is made of (`proof`); "" where no compiler's work is known.
    digest : str
        Of the bits of the results; "" if two calls differ.
    scaling : float or None
        Time with the fewest threads measured / time with these.
    same_bits : bool or None
        Whether the results are those of the fewest threads, bit for bit.
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
    roof: float | None = None
    peak: float | None = None
    bandwidth: float | None = None
    code: str = ""
    digest: str = ""
    scaling: float | None = None
    same_bits: bool | None = None

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


def set_numba_threads(function: Callable[..., Any], count: int) -> None:
    """How many of Numba's threads a kernel may use; one that uses none does not start them."""
    if proof.shares_work(function):
        numba = importlib.import_module("numba")
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))


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


def digest_of(result: Any) -> str:
    """A hash of results, bit for bit."""
    state = hashlib.sha256()
    for array in arrays_of(result):
        state.update(f"{array.shape} {array.dtype} ".encode())
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()[:16]


def compare_threads(first: Result, other: Result) -> None:
    """Fill in what `other`, of more threads, gains over `first`, and whether it is the same."""
    if first.seconds is None or other.seconds is None:
        return
    other.scaling = first.seconds.median / other.seconds.median
    other.same_bits = bool(first.digest) and first.digest == other.digest


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
    set_numba_threads(subject.function, threads)
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
    digest = digest_of(contenders[OURS]())
    timings = clock.in_turn(contenders, seconds)
    last = contenders[OURS]()
    result.digest = digest if digest_of(last) == digest else ""
    evidence = proof.of_function(subject.function, inputs, dtype)
    result.code = "" if evidence is None else str(evidence)
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
        else sum(a.nbytes for a in (*arrays_of(list(inputs)), *arrays_of(last)))
    )
    result.gbytes = touched / result.seconds.median * 1e-9
    operations = 0.0
    if subject.flops is not None:
        operations = subject.flops(*inputs)
        result.gflops = operations / result.seconds.median * 1e-9
        result.intensity = operations / touched if touched else None
    if dtype in roofs.LETTERS:
        best = roofs.roof(threads, dtype)
        result.roof = best.seconds(operations, touched) / result.seconds.median
        result.peak, result.bandwidth = best.peak, best.bandwidth(touched)
    return result
