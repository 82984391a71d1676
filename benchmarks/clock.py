"""Contenders timed in turn, and how much of the machine others took meanwhile."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .stats import Spread, spread

TURN = 0.004
"""Seconds of one turn: far above the clock's grain, far below the scheduler's periods of load."""
PAUSE = 0.002
"""Seconds between turns of different contenders: the threads of some libraries spin for a while
after a call, and would have the next contender's core."""
WARMING = 4
"""A turn begins with a part of its calls that is not timed, one at least: what the others left in
the caches, and the sleep before, are no cost of this contender. (LeNet-5's step took 1.5 ms alone,
and 2.0 to 2.7 where each turn began cold.)"""
LEAST_ROUNDS = 5
BUSY = 0.15
"""Part of one core that others may take before a round counts as disturbed."""


@dataclass
class Timings:
    """What was measured of some contenders.

    Attributes
    ----------
    seconds : dict of str to list of float
        Of each contender, the time of one call in each round.
    foreign : list of float
        Of each round, the part of the machine's cores that other processes used.
    stopped : bool
        Ctrl-C ended it early.
    """

    seconds: dict[str, list[float]]
    foreign: list[float] = field(default_factory=list)
    stopped: bool = False

    @property
    def rounds(self) -> int:
        """Complete rounds."""
        return len(self.foreign)

    @property
    def disturbed(self) -> bool:
        """Whether others took part of the machine in most rounds."""
        return bool(self.foreign) and spread(self.foreign).median > BUSY

    def spread(self, name: str) -> Spread:
        """Median and quartiles of a contender's times."""
        return spread(self.seconds[name])


def machine_seconds() -> float | None:
    """CPU time that all processes of this machine have used; None where nobody counts it."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, soft, steal = (int(f) for f in fields[:8])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


class Load:
    """What others did since the last question."""

    def __init__(self) -> None:
        self.everyone, self.own, self.wall = machine_seconds(), time.process_time(), time.time()

    def foreign(self) -> float:
        """Cores that other processes used on average; 0 where nobody counts."""
        before = self.everyone, self.own, self.wall
        self.everyone, self.own, self.wall = machine_seconds(), time.process_time(), time.time()
        passed = self.wall - before[2]
        if self.everyone is None or before[0] is None or passed <= 0.0:
            return 0.0
        return max(0.0, (self.everyone - before[0] - (self.own - before[1])) / passed)


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the cycle collector out of what is timed."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def own_collection() -> Iterator[None]:
    """Let the cycle collector look only at what is made from now on, not at whole libraries."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def calls_for(function: Callable[[], object], turn: float = TURN) -> int:
    """How many calls take about one turn; the function has been called before."""
    calls = 1
    while True:
        taken = timed(function, calls)
        if taken >= turn / 2.0:
            return max(1, round(calls * turn / taken))
        calls = max(calls + 1, min(calls * 10, round(calls * turn / max(taken, 1e-9))))


def timed(function: Callable[[], object], calls: int) -> float:
    """Seconds that some calls take together."""
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return time.perf_counter() - start


def in_turn(
    contenders: Mapping[str, Callable[[], object]],
    seconds: float,
    *,
    turn: float = TURN,
    rounds: int | None = None,
    collect: bool = False,
) -> Timings:
    """
    Time contenders in turn, round after round, each round beginning with another one.

    Parameters
    ----------
    contenders : mapping of str to callable
        Each is called some times first.
    seconds : float
        How long all of it may take; five rounds are measured in any case.
    turn : float
        Seconds for which one contender runs before the next one comes.
    rounds : int, optional
        As many rounds, whatever they take.
    collect : bool
        Leave Python's collector of cycles at work: a graph that is made of them costs that, too.

    Returns
    -------
    Timings
        Ctrl-C ends it with the rounds that are complete, if there are any.

    Raises
    ------
    ValueError
        If there is no contender.

    Examples
    --------
    >>> found = in_turn({"sum": lambda: sum(range(1000)), "len": lambda: len("x")}, 0.05)
    >>> found.spread("sum").median > found.spread("len").median
    True
    """
    if not contenders:
        raise ValueError("in_turn: no contenders")
    names = list(contenders)
    found = Timings({name: [] for name in names})
    end = time.perf_counter() + seconds
    with own_collection() if collect else no_collection():
        for name in names:
            contenders[name]()
        calls = {name: calls_for(contenders[name], turn) for name in names}
        load = Load()
        try:
            while (
                found.rounds < rounds
                if rounds is not None
                else found.rounds < LEAST_ROUNDS or time.perf_counter() < end
            ):
                first = found.rounds % len(names)
                taken = {}
                for name in names[first:] + names[:first]:
                    if len(names) > 1:
                        time.sleep(PAUSE)
                    if collect:
                        gc.collect()  # nobody clears up after somebody else
                    timed(contenders[name], -(-calls[name] // WARMING))
                    taken[name] = timed(contenders[name], calls[name]) / calls[name]
                for name in names:
                    found.seconds[name].append(taken[name])
                found.foreign.append(load.foreign())
        except KeyboardInterrupt:
            if found.rounds < 2:
                raise
            found.stopped = True
    return found
