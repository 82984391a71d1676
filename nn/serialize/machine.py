"""A machine for pickles that can build plain data and nothing else.

Python's own pickle calls whatever a file names. This machine reads the same instructions, but the
only things that a file can name are the keys of a table that its user passes, and what runs for a
name is that table's function: there is no import, no attribute, no class of the user's in reach.
Instructions that only serve to make objects of classes (INST, OBJ, NEWOBJ, extension codes) are
refused by name.

What a file can cost is bounded by its own size: every instruction takes at least a byte and adds at
most one value, lengths are compared with what is left of the file before anything is read, what
calls copy is counted, and the keys of dicts and sets are single values or short flat tuples.

The instructions are those of Python's `pickletools`, protocols 2 to 5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from .files import CheckpointError

MAX_PROTOCOL = 5
MAX_DEPTH = 100  # of nested containers; a deeper nesting is a mistake or an attack

# Instructions of pickle that are refused, with what they are for.
REFUSED = {
    b"P": "PERSID",
    b"i": "INST",
    b"o": "OBJ",
    b"\x81": "NEWOBJ",
    b"\x92": "NEWOBJ_EX",
    b"\x82": "EXT1",
    b"\x83": "EXT2",
    b"\x84": "EXT4",
    b"\x97": "NEXT_BUFFER",
    b"\x98": "READONLY_BUFFER",
}
SINGLE = (str, int, float, bytes, type(None))  # what may be a key, or stand in one
MAX_MARKS = 1000  # open at a time
MAX_KEY_PARTS = 16  # of a tuple that is a key
MAX_KEY = 2**61 - 1  # ints from here on can be made to share one hash, all of them
MAX_INT_BYTES = 1250  # 10,000 bits, below Python's limit on the digits of an int in text
# A call may copy its arguments, and a file can name a long one again and again in a few bytes. What
# pickles of real data copy is about their size, once or twice.
MAX_COPIES = 16
MIN_COPIED = 2**20


class Name:
    """A global that a pickle names: a key of the machine's table, and nothing more."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Machine:
    """
    Runs one pickle.

    Parameters
    ----------
    data : bytes
    start : int
        Where in `data` the pickle begins.
    calls : mapping of str to callable
        What may be called, under its dotted name: gets the arguments, returns the value.
    values : mapping of str to object
        What may be named without a call.
    refuse : callable
        Gets the name of any other global; returns the error to raise.
    persistent : callable, optional
        Gets the id of a persistent object, returns the object.
    build : callable, optional
        Gets an object and its state (instruction BUILD); raises unless it knows both.
    """

    def __init__(
        self,
        data: bytes,
        start: int = 0,
        *,
        calls: Mapping[str, Callable[..., Any]],
        values: Mapping[str, Any],
        refuse: Callable[[str], CheckpointError],
        persistent: Callable[[Any], Any] | None = None,
        build: Callable[[Any, Any], None] | None = None,
    ) -> None:
        self.data = data
        self.position = start
        self.calls = calls
        self.values = values
        self.refuse = refuse
        self.persistent = persistent
        self.build_state = build
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.left = max(MAX_COPIES * len(data), MIN_COPIED)

    def run(self) -> Any:
        """
        The value of the pickle; `position` is then that of the first byte behind it.

        Raises
        ------
        CheckpointError
            If it is malformed, or asks for anything that is not in the tables.
        """
        try:
            while (code := self.take(1)) != b".":
                step = STEPS.get(code)
                if step is None:
                    if code in REFUSED:
                        raise CheckpointError(
                            f"instruction {REFUSED[code]} at byte {self.position - 1} is refused: "
                            "it makes objects of classes, and weights are plain data"
                        )
                    raise CheckpointError(f"unknown instruction {code!r} at {self.position - 1}")
                step(self)
            value = self.stack.pop()
            check_plain(value)
        except CheckpointError:
            raise
        except (
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
            RecursionError,
            struct.error,
        ) as error:
            raise CheckpointError(
                f"malformed before byte {self.position} ({type(error).__name__}: {error})"
            ) from error
        if self.marks or self.stack:
            raise CheckpointError("malformed: values are left over at its end")
        return value

    # --- Reading --------------------------------------------------------------------------------

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self.position + count
        if count < 0 or end > len(self.data):
            raise CheckpointError(
                f"truncated: {count} bytes wanted at byte {self.position} of {len(self.data)}"
            )
        found = self.data[self.position : end]
        self.position = end
        return found

    def number(self, form: str) -> int:
        """An integer of a form of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self, form: str) -> str:
        """Text after its length."""
        return self.take(self.number(form)).decode("utf-8", "surrogatepass")

    def line(self) -> str:
        """Text up to the end of a line."""
        end = self.data.find(b"\n", self.position)
        if end < 0:
            raise CheckpointError(f"truncated: no end of a line after byte {self.position}")
        return self.take(end + 1 - self.position)[:-1].decode("utf-8")

    # --- The stack ------------------------------------------------------------------------------

    def push(self, value: Any) -> None:
        """Put a value on top."""
        self.stack.append(value)

    def mark(self) -> None:
        """Begin a new stack above the one in use."""
        if len(self.marks) >= MAX_MARKS:
            raise CheckpointError(f"more than {MAX_MARKS} containers are open")
        self.marks.append(self.stack)
        self.stack = []

    def items(self) -> list[Any]:
        """All values above the last mark."""
        found = self.stack
        self.stack = self.marks.pop()
        return found

    def top(self, count: int) -> list[Any]:
        """The topmost values, taken off."""
        if len(self.stack) < count:
            raise CheckpointError(f"malformed: the stack is empty before byte {self.position}")
        found = self.stack[-count:]
        del self.stack[-count:]
        return found

    def below(self, kind: type) -> Any:
        """The container on top, which stays there."""
        found = self.stack[-1]
        if type(found) is not kind:
            raise CheckpointError(
                f"malformed: a {kind.__name__} expected before byte {self.position}, "
                f"met a {type(found).__name__}"
            )
        return found

    def remember(self, place: int) -> None:
        """Keep the top value under a number."""
        self.memo[place] = self.stack[-1]

    # --- Containers -----------------------------------------------------------------------------

    def set_items(self, pairs: list[Any]) -> None:
        """Put keys and values into the dict on top."""
        if len(pairs) % 2:
            raise CheckpointError("malformed: a key without a value")
        target = self.below(dict)
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            target[checked_key(key)] = value

    # --- Names and calls ------------------------------------------------------------------------

    def name(self, module: Any, name: Any) -> None:
        """Push what a name stands for, if it stands for anything."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise CheckpointError("malformed: the name of a global is no text")
        text = f"{module}.{name}"
        if text in self.values:
            self.push(self.values[text])
        elif text in self.calls:
            self.push(Name(text))
        else:
            raise self.refuse(text)

    def call(self) -> None:
        """REDUCE: run the table's function for a name."""
        called, args = self.top(2)
        if type(called) is not Name or type(args) is not tuple:
            raise CheckpointError(
                f"malformed: a call of a {type(called).__name__} before byte {self.position}"
            )
        self.count(args)
        self.push(self.calls[called.text](*args))

    def count(self, args: tuple[Any, ...]) -> None:
        """Take what a call may copy off what is allowed."""
        self.left -= sum(len(arg) for arg in args if hasattr(arg, "__len__"))
        if self.left < 0:
            raise CheckpointError("refused: it copies far more than it holds")

    def find(self) -> None:
        """BINPERSID: an object that is stored elsewhere."""
        (pid,) = self.top(1)
        if self.persistent is None:
            raise CheckpointError("refused: a reference to an object outside of the pickle")
        self.push(self.persistent(pid))

    def build(self) -> None:
        """BUILD: set the state of the object on top."""
        (state,) = self.top(1)
        if self.build_state is None:
            raise CheckpointError("refused: the state of an object")
        self.count(state if type(state) is tuple else (state,))
        self.build_state(self.stack[-1], state)


def checked_key(key: Any) -> Any:
    """`key` if it is a single value or a flat tuple of them."""
    flat = key if type(key) is tuple else (key,)
    sound = len(flat) <= MAX_KEY_PARTS and all(isinstance(item, SINGLE) for item in flat)
    if not sound or any(isinstance(item, int) and abs(item) >= MAX_KEY for item in flat):
        raise CheckpointError(f"malformed: a {type(key).__name__} as a key")
    return key


def check_plain(value: Any) -> None:
    """Refuse names left over, containers in themselves, and nesting deeper than MAX_DEPTH.

    Each container is looked at once, however often it is shared: a small file can say in a few
    lines what would take ages to write out.
    """
    depths: dict[int, int] = {}  # of those that are done
    open_now: set[int] = set()
    pending: list[tuple[Any, bool]] = [(value, False)]
    while pending:
        item, done = pending.pop()
        if type(item) is Name:
            raise CheckpointError(f"malformed: {item.text} stands where a value should")
        if type(item) is dict:
            inner = list(item.values())
        elif type(item) in (list, tuple):
            inner = item
        else:
            continue
        key = id(item)
        if done:
            open_now.discard(key)
            depths[key] = depth = 1 + max((depths.get(id(i), 0) for i in inner), default=0)
            if depth > MAX_DEPTH:
                raise CheckpointError(f"nested deeper than {MAX_DEPTH} levels")
        elif key not in depths:
            if key in open_now:
                raise CheckpointError("a container that holds itself")
            open_now.add(key)
            pending.append((item, True))
            pending += [(i, False) for i in inner if id(i) not in depths]


def _frame(machine: Machine) -> None:
    machine.number("<Q")  # a hint for readers of streams


def _protocol(machine: Machine) -> None:
    if (version := machine.number("<B")) > MAX_PROTOCOL:
        raise CheckpointError(f"pickle protocol {version}; known are those up to {MAX_PROTOCOL}")


def _append(machine: Machine) -> None:
    (item,) = machine.top(1)
    machine.below(list).append(item)


def _appends(machine: Machine) -> None:
    items = machine.items()
    machine.below(list).extend(items)


def _add_items(machine: Machine) -> None:
    items = machine.items()
    machine.below(set).update(checked_key(item) for item in items)


def _dict(machine: Machine) -> None:
    items = machine.items()
    machine.push({})
    machine.set_items(items)


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.top(1)
    else:
        machine.items()


def _stack_global(machine: Machine) -> None:
    machine.name(*machine.top(2))


def _integer(machine: Machine, form: str) -> None:
    size = machine.number(form)
    if size > MAX_INT_BYTES:
        raise CheckpointError(f"refused: an integer of {size} bytes")
    machine.push(int.from_bytes(machine.take(size), "little", signed=True))


STEPS: dict[bytes, Callable[[Machine], Any]] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"\x8a": lambda m: _integer(m, "<B"),
    b"\x8b": lambda m: _integer(m, "<i"),
    b"G": lambda m: m.push(m.number(">d")),
    b"X": lambda m: m.push(m.text("<I")),
    b"\x8c": lambda m: m.push(m.text("<B")),
    b"\x8d": lambda m: m.push(m.text("<Q")),
    # Texts of Python 2, which PyTorch reads as UTF-8.
    b"T": lambda m: m.push(m.text("<i")),
    b"U": lambda m: m.push(m.text("<B")),
    b"B": lambda m: m.push(m.take(m.number("<I"))),
    b"C": lambda m: m.push(m.take(m.number("<B"))),
    b"\x8e": lambda m: m.push(m.take(m.number("<Q"))),
    b"\x96": lambda m: m.push(m.take(m.number("<Q"))),  # a bytearray, given as bytes
    b"(": Machine.mark,
    b"0": _pop,
    b"1": Machine.items,
    b"2": lambda m: m.push(m.stack[-1]),
    b")": lambda m: m.push(()),
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b"\x8f": lambda m: m.push(set()),
    b"\x85": lambda m: m.push(tuple(m.top(1))),
    b"\x86": lambda m: m.push(tuple(m.top(2))),
    b"\x87": lambda m: m.push(tuple(m.top(3))),
    b"t": lambda m: m.push(tuple(m.items())),
    b"l": lambda m: m.push(m.items()),
    b"d": _dict,
    b"\x91": lambda m: m.push(frozenset(checked_key(item) for item in m.items())),
    b"a": _append,
    b"e": _appends,
    b"s": lambda m: m.set_items(m.top(2)),
    b"u": lambda m: m.set_items(m.items()),
    b"\x90": _add_items,
    b"q": lambda m: m.remember(m.number("<B")),
    b"r": lambda m: m.remember(m.number("<I")),
    b"\x94": lambda m: m.remember(len(m.memo)),
    b"h": lambda m: m.push(m.memo[m.number("<B")]),
    b"j": lambda m: m.push(m.memo[m.number("<I")]),
    b"c": lambda m: m.name(m.line(), m.line()),
    b"\x93": _stack_global,
    b"R": Machine.call,
    b"Q": Machine.find,
    b"b": Machine.build,
}
