"""Random numbers: one seeded default generator, and generators of one's own."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np


class Generator:
    """A source of random numbers whose state can be saved and set again.

    Wraps NumPy's PCG64; a lock makes each draw whole when threads share a generator.

    Parameters
    ----------
    seed : int, optional
        Without one, the operating system gives it.

    Examples
    --------
    >>> import autograd
    >>> a, b = autograd.Generator(1), autograd.Generator(1)
    >>> bool((a.random((3,)) == b.random((3,))).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self.numpy = np.random.Generator(np.random.PCG64(_seed(seed)))

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed`."""
        with self._lock:
            self.numpy.bit_generator.state = np.random.PCG64(_seed(seed)).state
        return self

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        """Uniform float64 in [0, 1)."""
        with self._lock:
            return self.numpy.random(shape)

    def normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """Standard normal float64."""
        with self._lock:
            return self.numpy.standard_normal(shape)

    def integers(self, low: int, high: int, shape: tuple[int, ...]) -> np.ndarray:
        """Uniform int64 in [low, high)."""
        with self._lock:
            return self.numpy.integers(low, high, shape)

    def key(self) -> np.ndarray:
        """128 random bits as two int64, for what computes its numbers from a key."""
        with self._lock:
            return self.numpy.bit_generator.random_raw(2).view(np.int64)

    def permutation(self, n: int) -> np.ndarray:
        """The numbers 0 .. n - 1 in random order."""
        with self._lock:
            return self.numpy.permutation(n)

    def __getstate__(self) -> dict[str, Any]:
        return self.state_dict()  # not the lock: a copy gets one of its own

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._lock = threading.Lock()
        self.numpy = np.random.Generator(np.random.PCG64())
        self.load_state_dict(state)

    def state_dict(self) -> dict[str, Any]:
        """The whole state, as numbers and strings."""
        with self._lock:
            return dict(self.numpy.bit_generator.state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        with self._lock:
            self.numpy.bit_generator.state = state


def _seed(seed: int | None) -> int | None:
    if seed is not None and (not isinstance(seed, int | np.integer) or seed < 0):
        raise ValueError(f"a seed must be an int of at least 0, not {seed!r}")
    return None if seed is None else int(seed)


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator and return it.

    Examples
    --------
    >>> import autograd
    >>> a = autograd.manual_seed(7).random((2,))
    >>> b = autograd.manual_seed(7).random((2,))
    >>> bool((a == b).all())
    True
    """
    return default_generator.manual_seed(seed)
