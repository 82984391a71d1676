"""Files that ``torch.load`` reads, written without PyTorch."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor

from .files import PathLike, write_atomically
from .machine import MAX_DEPTH

FOLDER = "archive"  # of all files in the archive, as torch.save names it
ALIGNMENT = 64  # of the bytes of a storage in the file, so that they can be mapped into memory
MAX_INT_BITS = 2039  # in the 255 bytes of the one instruction that torch.load takes
STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}


def save_pth(state: Any, path: PathLike) -> None:
    """
    Write a state dict, or a checkpoint with state dicts in it, as ``torch.save`` does; atomically.

    ``torch.load`` reads the file with ``weights_only=True``, as it does by default.

    Parameters
    ----------
    state : nested dict, list or tuple of Tensor, ndarray, number, str, bytes, bool and None
        Arrays and NumPy numbers are written as tensors. Tensors that show the same memory in the
        same way, such as tied weights, are stored once; other views get memory of their own.
    path : path-like
        Replaced if it exists; a crash leaves the old file or the new.

    Raises
    ------
    TypeError
        If something else is in the state, or a dtype has no place in the format; says where.
    ValueError
        If it is nested deeper than 100 levels, or an int is beyond 2,039 bits.
    OSError
        If the file cannot be written; an existing one stays as it was.

    Examples
    --------
    >>> import autograd, tempfile
    >>> from nn.serialize import load_pth
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "w.pth")
    ...     save_pth({"model": {"w": autograd.ones(2)}, "epoch": 3}, path)
    ...     load_pth(path)
    {'model': {'w': tensor([1., 1.])}, 'epoch': 3}
    """
    writer = _Writer()
    writer.put(state, ())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def add(name: str, data: bytes | memoryview) -> None:
            # A fixed date: the same state gives the same file.
            info = zipfile.ZipInfo(f"{FOLDER}/{name}", (1980, 1, 1, 0, 0, 0))
            start = file.tell() + 30 + len(info.filename)
            padding = -(start + 4) % ALIGNMENT
            info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
            archive.writestr(info, data)

        add("data.pkl", b"\x80\x02" + b"".join(writer.parts) + b".")
        add("byteorder", b"little")
        for number, array in enumerate(writer.arrays):
            stored = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            add(f"data/{number}", stored.reshape(-1).view(np.uint8).data)
        add("version", b"3\n")
    write_atomically(Path(path), file.getvalue())


class _Writer:
    """The pickle of a state, in pieces, and the arrays that it names."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.arrays: list[np.ndarray] = []
        self.numbers: dict[Any, int] = {}  # of the arrays, by the memory they show

    def put(self, value: Any, path: tuple[str, ...]) -> None:
        """Write one value."""
        where = f"state at {'/'.join(path)!r}"
        if len(path) > MAX_DEPTH:
            raise ValueError(f"save_pth: {where[:60]}... is nested deeper than {MAX_DEPTH} levels")
        if value is None or isinstance(value, bool):
            self.parts.append({None: b"N", True: b"\x88", False: b"\x89"}[value])
        elif isinstance(value, str):
            self.text(value)
        elif isinstance(value, bytes):
            self.parts.append(b"c_codecs\nencode\n")
            self.text(value.decode("latin-1"))
            self.text("latin1")
            self.parts.append(b"\x86R")
        elif isinstance(value, Tensor | np.ndarray | np.generic):
            self.tensor(value, where)
        elif isinstance(value, int):
            if value.bit_length() > MAX_INT_BITS:
                raise ValueError(f"save_pth: {where} is an int beyond {MAX_INT_BITS} bits")
            self.integer(value)
        elif isinstance(value, float):
            self.parts.append(b"G" + struct.pack(">d", value))
        elif isinstance(value, list | tuple):
            self.parts.append(b"](" if isinstance(value, list) else b"(")
            for position, item in enumerate(value):
                self.put(item, (*path, str(position)))
            self.parts.append(b"e" if isinstance(value, list) else b"t")
        elif isinstance(value, Mapping):
            self.parts.append(b"}(")
            for key, item in value.items():
                if not isinstance(key, str | int):
                    raise TypeError(f"save_pth: {where} has the key {key!r}; expected str or int")
                self.put(key, path)
                self.put(item, (*path, str(key)))
            self.parts.append(b"u")
        else:
            raise TypeError(f"save_pth: {where} is of type {type(value).__name__}")

    def text(self, text: str) -> None:
        """BINUNICODE."""
        data = text.encode("utf-8", "surrogatepass")
        self.parts.append(b"X" + struct.pack("<I", len(data)) + data)

    def integer(self, value: int) -> None:
        """BININT where it fits, else LONG1."""
        if -(2**31) <= value < 2**31:
            self.parts.append(b"J" + struct.pack("<i", value))
            return
        size = value.bit_length() // 8 + 1
        data = value.to_bytes(size, "little", signed=True)
        self.parts.append(b"\x8a" + struct.pack("<B", size) + data)

    def tensor(self, value: Any, where: str) -> None:
        """A call of PyTorch's _rebuild_tensor_v2, over a storage of its own."""
        array = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
        kind = STORAGES.get(array.dtype.name)
        if kind is None:
            raise TypeError(f"save_pth: {where} is of {array.dtype}, which the format has not")
        place = array.__array_interface__["data"][0] if array.size else id(array)
        key = (place, array.shape, array.strides, array.dtype)
        number = self.numbers.setdefault(key, len(self.arrays))
        if number == len(self.arrays):
            self.arrays.append(array)
        self.parts.append(b"ctorch._utils\n_rebuild_tensor_v2\n((")
        self.text("storage")
        self.parts.append(f"ctorch\n{kind}\n".encode())
        self.text(str(number))
        self.text("cpu")
        self.integer(array.size)
        self.parts.append(b"tQ")
        self.integer(0)
        for sizes in (array.shape, _strides(array.shape)):
            self.parts.append(b"(")
            for size in sizes:
                self.integer(size)
            self.parts.append(b"t")
        # Requires no gradient, and has no hooks.
        self.parts.append(b"\x89ccollections\nOrderedDict\n)RtR")


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """In elements, of an array that lies in order."""
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))
