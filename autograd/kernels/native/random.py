"""Dropout by the counter-based generator Philox4x32-10 (bodies)."""

from llvmlite import ir

from .language import at, extern, helper
from .simd import FLOAT, I32, I64, INT, PTR, Code, Module, Value

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
STEPS = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
LOW = 0xFFFFFFFF

CHUNK = 64
"""Elements that 16 counters make."""

GRAIN = 1 << 14
"""Elements in one task: some 6 us."""


def write_dropout(module: Module) -> None:
    """Y = x * m for `n` elements, the first of which is the first of chunk number `chunk`.

    The 32-bit words lie in lanes of 64 bits, where their products are one instruction.
    """
    parameters = {"x": PTR, "y": PTR, "n": INT, "chunk": INT, "key": INT, "stream": INT}
    with module.function("dropout_words", **parameters, threshold=INT, scale=FLOAT) as k:
        width = module.target.bits // 64
        scale = k.splat(k.scale)

        def write_chunk(i: Value, left: Value | None) -> None:
            counter = (i // CHUNK + k.chunk) * 16
            kept = [kept_lanes(k, counter + h, width) for h in range(0, 16, width)]
            for j in range(4):
                for lane in range(0, 16, k.lanes):
                    parts = [kept[(lane + h) // width][j] for h in range(0, k.lanes, width)]
                    keep = parts[0]
                    if len(parts) == 2:
                        keep = k.shuffle(parts[0], parts[1], list(range(2 * width)))
                    offset = 16 * j + lane
                    rest = None if left is None else k.first_lanes(left - offset)
                    x = k.load(k.x, i + offset, rest)
                    k.store(k.y, i + offset, x * k.select(keep, scale, 0.0), rest)

        whole = k.n - k.n % CHUNK
        with k.loop(0, whole, CHUNK) as i:
            write_chunk(i, None)
        with k.when(whole < k.n):
            write_chunk(whole, k.n - whole)


def kept_lanes(k: Code, first: Value, width: int) -> list[Value]:
    """Masks of the elements that stay, one for each word of the counters first, first + 1, ..."""
    kind = ir.VectorType(I64, width)
    numbers = Value(k, ir.Constant(kind, [I64(i) for i in range(width)]))
    counter = spread(k, first, width) + numbers
    stream = spread(k, k.stream, width)
    words = [counter & LOW, counter >> 32, stream & LOW, stream >> 32]
    keys = [k.key & LOW, k.key >> 32]
    for _ in range(ROUNDS):
        a, b = ((words[2 * i] & LOW) * MULTIPLIERS[i] for i in (0, 1))
        one, two = (spread(k, key, width) for key in keys)
        words = [(b >> 32) ^ words[1] ^ one, b, (a >> 32) ^ words[3] ^ two, a]
        # Products keep their upper halves until a word is used as a number again.
        words[0], words[2] = words[0] & LOW, words[2] & LOW
        keys = [(key + step) & LOW for key, step in zip(keys, STEPS, strict=True)]
    threshold = spread(k, k.threshold, width)
    return [(word & LOW) >= threshold for word in words]


def spread(k: Code, value: Value, width: int) -> Value:
    """A vector with one 64-bit integer in all lanes."""
    kind = ir.VectorType(I64, width)
    one = k.builder.insert_element(ir.Constant(kind, ir.Undefined), value.ir, I32(0))
    zeros = ir.Constant(ir.VectorType(I32, width), None)
    return Value(k, k.builder.shuffle_vector(one, one, zeros))


VECTORS = (write_dropout,)

dropout_words = extern("dropout_words")


@helper
def chunk(n, first, last):
    """Elements of the tasks first .. last-1: where they begin, and how many they are."""
    begin = first * GRAIN
    return begin, min(last * GRAIN, n) - begin


def dropout(x, key, _threshold, scale, y, n, two, threshold, first, last, worker):
    begin, count = chunk(n, first, last)
    source, target = at(x, begin), at(y, begin)
    dropout_words(source, target, count, begin // CHUNK, key[0], key[1], threshold, scale)


def dropout_tasks(x, key, _threshold, scale, y, n, two, threshold):
    return (n + GRAIN - 1) // GRAIN
