"""Random numbers that are computed from their place: a counter, not a state.

Any part of a random array can so be made on its own, by any thread, and made again in backward
instead of being kept.
"""

import numpy as np
import numpy.typing as npt

from .common import Floats, Indices, Sample
from .dispatch import fast, reference
from .native import Unit

UNIT = Unit("random", "autograd.kernels.native.random")

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
STEPS = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
LOW = np.uint64(0xFFFFFFFF)
CHUNK = 64
"""Numbers that 16 counters make: word j of counter i stands at 16 j + i."""

PIECE = 1024
"""Chunks that the reference makes at a time."""


@reference
def dropout(x: Floats, key: Indices, /, *, p: float) -> Floats:
    """Zeros with probability p, the rest of x scaled by 1 / (1 - p).

    ::

        y = x * m,  m[i] = 0 if word[i] < 2**32 * p else 1 / (1 - p)

    Words are those of Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
    1, 2, 3"). Element i of x, in row-major order, has word ``i % 64 // 16`` of the counter
    ``16 * (i // 64) + i % 16``.

    Parameters
    ----------
    x : array
    key : int64 array (2,)
        The bits of Philox's key, and of the upper half of its counter.
    p : float
        From 0 to 1.

    Returns
    -------
    array
        New, C-contiguous, of the shape and dtype of x. The same key drops the same elements.
    """
    threshold, scale = _numbers(p)
    y = np.empty(x.shape, x.dtype.newbyteorder("="))
    source, target = x.reshape(-1), y.reshape(-1)
    piece = PIECE * CHUNK
    for begin in range(0, x.size, piece):
        part = source[begin : begin + piece]
        words = _words(key, begin // CHUNK, -(-part.size // CHUNK)).reshape(-1)[: part.size]
        factors = np.where(words >= np.uint64(threshold), scale, 0.0).astype(y.dtype)
        np.multiply(part, factors, out=target[begin : begin + piece])
    return y


def _words(key: Indices, first: int, chunks: int) -> npt.NDArray[np.uint64]:
    """The words of `chunks` chunks, (chunks, 4, 16)."""
    counter = np.arange(16 * first, 16 * (first + chunks), dtype=np.uint64)
    low, high = key.astype(np.int64).view(np.uint64).tolist()
    words = [
        counter & LOW,
        counter >> np.uint64(32),
        np.full_like(counter, high & 0xFFFFFFFF),
        np.full_like(counter, high >> 32),
    ]
    keys = [low & 0xFFFFFFFF, low >> 32]
    for _ in range(ROUNDS):
        a, b = (words[2 * i] * np.uint64(MULTIPLIERS[i]) for i in (0, 1))
        words = [
            (b >> np.uint64(32)) ^ words[1] ^ np.uint64(keys[0]),
            b & LOW,
            (a >> np.uint64(32)) ^ words[3] ^ np.uint64(keys[1]),
            a & LOW,
        ]
        keys = [(k + step) & 0xFFFFFFFF for k, step in zip(keys, STEPS, strict=True)]
    return np.stack([word.reshape(chunks, 16) for word in words], axis=1)


def _numbers(p: float) -> tuple[int, float]:
    """The word from which on an element stays, and what it is multiplied by."""
    return min(round(p * 2.0**32), 2**32 - 1), 0.0 if p == 1.0 else 1.0 / (1.0 - p)


UNIT.kernel("dropout(x: T[*n], key: i8[two], threshold: int, scale: float) -> y: T like x")


@fast(dropout, UNIT, floats_only=True)
def _dropout(x: Floats, key: Indices, /, *, p: float) -> Floats:
    if key.shape != (2,):
        raise ValueError(f"dropout: key has shape {key.shape}, expected (2,)")
    threshold, scale = _numbers(p)
    return UNIT.dropout(x, key, threshold, scale)


SAMPLES = (
    Sample("small", ((1000,),), {"p": 0.5}),
    Sample("layer", ((128, 784),), {"p": 0.1}),
)
