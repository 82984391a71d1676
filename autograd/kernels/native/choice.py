"""One of two numbers for each element, as a mask says (bodies).

Plain loops: LLVM makes vectors of them by itself, with one load of bytes and one blend.
"""

from .language import helper

GRAIN = 1 << 15
"""Elements in one task: some 5 us."""


@helper
def stop_of(n, last):
    return min(last * GRAIN, n)


def choose(mask, a, b, y, n, first, last, worker):
    for i in range(first * GRAIN, stop_of(n, last)):
        y[i] = a[i] if mask[i] else b[i]


def choose_tasks(mask, a, b, y, n):
    return (n + GRAIN - 1) // GRAIN


def choose_or(mask, a, b, y, n, first, last, worker):
    for i in range(first * GRAIN, stop_of(n, last)):
        y[i] = a[i] if mask[i] else b


def choose_or_tasks(mask, a, b, y, n):
    return (n + GRAIN - 1) // GRAIN


def or_choose(mask, a, b, y, n, first, last, worker):
    for i in range(first * GRAIN, stop_of(n, last)):
        y[i] = a if mask[i] else b[i]


def or_choose_tasks(mask, a, b, y, n):
    return (n + GRAIN - 1) // GRAIN
