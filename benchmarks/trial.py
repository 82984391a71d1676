"""One trial: a subject at one size and type, checked first, then timed beside its rivals."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from . import clock, proof, rivals, roofs
from .check import arrays_of, mismatch
from .first_call import FirstCall
from .stats import Ratio, Spread, ratio
from .subjects import Built, Size, Subject, cast

OURS = "ours"
NOT_INSTALLED = "not installed"
NO_TIME = "no time left to compile it: give a larger --budget"
LINE = 88  # letters of a refusal that fit into a line of the table


def size_text(size: Size) -> str:
    """A size as it is written."""
    return "x".join(map(str, size)) if isinstance(size, tuple) else str(size)


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
    first : dict of str to float
        Of every contender, the seconds until it was ready, compiled, and compared.
    numba : (str, float) or None
        "compile", or "load" from its cache, and the seconds of the first call that did it.
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
    stopped : bool
        Ctrl-C ended the timing early.
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
    first: dict[str, float] = field(default_factory=dict)
    numba: tuple[str, float] | None = None
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
    stopped: bool = False

    @property
    def key(self) -> str:
        """What must be equal for two results to be compared."""
        return f"{self.name} {size_text(self.size)} {self.dtype} {self.threads}t"

    def as_record(self) -> dict[str, Any]:
        """Plain data, for a line of JSON."""
        return asdict(self)


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


@functools.lru_cache(maxsize=1)
def exact(
    subject: Subject, size: Size, dtype: str
) -> tuple[tuple[Any, ...], list[list[np.ndarray]]]:
    """Inputs of a type, and what is right: kept for the next number of threads."""
    inputs = cast(subject.inputs(size, np.random.default_rng(0)), dtype)
    # What correct is starts from the rounded inputs, so that only the arithmetic is judged.
    found = subject.reference(*cast(inputs, "float64"))
    return inputs, [copies(one) for one in (found if subject.calls > 1 else [found])]


def copies(result: Any) -> list[np.ndarray]:
    """The arrays of a result, whatever happens to it afterwards."""
    return [np.array(a) for a in arrays_of(result)]


def refusal(error: Exception) -> str:
    """What is told of a contender that raised something, on one line."""
    words = str(error).strip().split("\n")[0]
    return f"raised {type(error).__name__}: {words}"[:LINE]


def checked(
    name: str,
    function: Callable[..., Any] | Built,
    inputs: tuple[Any, ...],
    wanted: Any,
    limit: float,
) -> tuple[Callable[[], Any] | None, list[list[np.ndarray]], str]:
    """A contender that is ready and right, its first results, and what is wrong if it is not."""
    try:
        with rivals.others_warnings():
            call = rivals.contender(name, function, inputs)
            found = [copies(call()) for _ in wanted]
        for number, (one, right) in enumerate(zip(found, wanted, strict=True), 1):
            problem = mismatch(one, right, limit)
            if problem is not None:
                return None, [], f"call {number}: {problem}" if len(wanted) > 1 else str(problem)
    except Exception as error:  # a user's kernel, or a rival, may raise anything: it is told
        return None, [], refusal(error)
    return call, found, ""


def run(
    subject: Subject,
    size: Size,
    dtype: str,
    threads: int,
    seconds: float,
    wanted: Callable[[str], bool] = lambda name: True,
    patience: float = float("inf"),
) -> Result:
    """
    Check and time a subject.

    Parameters
    ----------
    seconds : float
        How long the timing may take.
    wanted : callable
        Which rivals, by name.
    patience : float
        Rivals that take longer to compile are left out.
    """
    result = Result(subject.name, size, dtype, threads)
    inputs, right = exact(subject, size, dtype)
    rivals.set_numba_threads(subject.function, threads)
    limit = subject.tolerance[dtype]
    contenders: dict[str, Callable[[], Any]] = {}
    digest, last = "", None
    for name, function in {OURS: subject.function, **subject.rivals}.items():
        if name != OURS and not wanted(name):
            continue
        if not rivals.installed(name):
            result.refused[name] = NOT_INSTALLED
            continue
        if rivals.seconds_to_make(name, function) > patience:
            result.refused[name] = NO_TIME
            continue
        begin, watched = time.perf_counter(), FirstCall(function)
        call, found, problem = checked(name, function, inputs, right, limit)
        result.first[name] = time.perf_counter() - begin
        if name == OURS:
            result.numba = watched.found()
        if call is not None:
            contenders[name] = call
        elif name == OURS:
            result.wrong = problem
            return result
        else:
            result.refused[name] = problem
        if name == OURS:
            digest, last = digest_of(found), found
    timings = clock.in_turn(contenders, seconds, collect=subject.calls > 1)
    same = subject.calls > 1 or digest_of([copies(contenders[OURS]())]) == digest
    result.digest = digest if same else ""
    evidence = evidence_of(subject, contenders[OURS], inputs, dtype)
    result.code = "" if evidence is None else str(evidence)
    result.times = timings.seconds
    result.seconds = timings.spread(OURS)
    result.disturbed, result.stopped = timings.disturbed, timings.stopped
    result.ratios = {
        name: ratio(timings.seconds[OURS], times)
        for name, times in timings.seconds.items()
        if name != OURS
    }
    judge(result, subject, inputs, sum(a.nbytes for one in last or [] for a in one))
    return result


def evidence_of(
    subject: Subject, call: Callable[[], Any], inputs: tuple[Any, ...], dtype: str
) -> proof.Evidence | None:
    """What the machine code of ours is made of; `call` is what is timed."""
    if isinstance(subject.function, Built):
        return proof.of_function(call, (), dtype)
    return proof.of_function(subject.function, inputs, dtype)


def judge(result: Result, subject: Subject, inputs: tuple[Any, ...], returned: int) -> None:
    """Fill in the rates, and how near they are to the roof; `returned` are bytes of results."""
    assert result.seconds is not None
    if subject.bytes is not None:
        touched = float(subject.bytes(*inputs))
    else:
        touched = float(sum(a.nbytes for a in arrays_of(list(inputs))) + returned)
    operations = float(subject.flops(*inputs)) if subject.flops is not None else 0.0
    if touched:
        result.gbytes = touched / result.seconds.median * 1e-9
    if operations:
        result.gflops = operations / result.seconds.median * 1e-9
        result.intensity = operations / touched if touched else None
    if result.dtype in roofs.LETTERS and (touched or operations):
        best = roofs.roof(result.threads, result.dtype)
        result.roof = best.seconds(operations, touched) / result.seconds.median
        result.peak, result.bandwidth = best.peak, best.bandwidth(touched)
