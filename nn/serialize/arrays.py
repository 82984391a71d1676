"""Named arrays in a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from autograd import Tensor

from .files import CheckpointError, PathLike, write_atomically

# What the safetensors format and NumPy both have.
# fmt: off
DTYPES = frozenset((
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64",
))
# fmt: on
RESERVED = "__metadata__"  # safetensors keeps its metadata under this name


def save_file(
    tensors: Mapping[str, Tensor | np.ndarray],
    path: PathLike,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """
    Write named arrays to a safetensors file, atomically: a crash leaves the old file or the new.

    Parameters
    ----------
    tensors : dict of str to Tensor or ndarray
        Any shape (0-d, empty and non-contiguous too), of bool, (u)int8 to (u)int64, float16 to
        float64 or complex64. Big-endian arrays are stored in the format's little-endian.
    path : path-like
        Replaced if it exists; a symbolic link stays one and its target is replaced.
    metadata : dict of str to str, optional

    Raises
    ------
    TypeError
        If a name or metadata is no str, a value no array, or a dtype has no place in the format.
    ValueError
        If a name is ``"__metadata__"`` or no valid Unicode.
    OSError
        If the file cannot be written (missing or read-only folder, full disk); the path in it is
        `path`, and an existing file stays as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"w": np.ones(2, np.float32)}, Path(folder, "w.safetensors"), {"by": "me"})
    ...     load_file(Path(folder, "w.safetensors"))
    ({'w': array([1., 1.], dtype=float32)}, {'by': 'me'})
    """
    arrays: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str):
            raise TypeError(f"save_file: names must be str, got {name!r}")
        if name == RESERVED:
            raise ValueError(f"save_file: the name {RESERVED!r} is reserved by the file format")
        # order="C" and not ascontiguousarray, which makes 0-d arrays 1-d.
        array = as_array(tensor, repr(name))
        arrays[name] = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
    metadata = dict(metadata or {})
    for key, text in metadata.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"save_file: metadata must map str to str, got {key!r}: {text!r}")
    try:
        data = to_safetensors(arrays, metadata or None)
    except (UnicodeError, SafetensorError) as error:
        raise ValueError(f"save_file: cannot be stored as safetensors: {error}") from error
    write_atomically(Path(path), data)


def load_file(path: PathLike) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """
    Arrays and metadata of a safetensors file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    arrays : dict of str to ndarray
        In memory of their own, writable. bfloat16, which NumPy lacks, is read as float32, which
        holds each of its numbers exactly.
    metadata : dict of str to str

    Raises
    ------
    CheckpointError
        If the file is truncated, malformed, of another format, or holds a dtype NumPy lacks.
    OSError
        If it is missing, a folder, or cannot be read.

    Examples
    --------
    >>> load_file("no/such.safetensors")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no/such.safetensors'
    """
    path = Path(path)
    with path.open("rb"):  # Python's own errors for what cannot be opened
        pass
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
            names = list(file.keys())
            arrays = {}
            for name in names:
                try:
                    if file.get_slice(name).get_dtype() == "BF16":
                        arrays[name] = _read_bfloat16(path, name)
                    else:
                        arrays[name] = file.get_tensor(name)
                except (TypeError, AttributeError, KeyError) as error:
                    raise CheckpointError(
                        f"{path}: tensor {name!r} has a dtype that NumPy lacks ({error})"
                    ) from error
    except SafetensorError as error:
        raise CheckpointError(
            f"{path}: truncated, damaged, or not a safetensors file ({error})"
        ) from error
    return arrays, metadata


def _read_bfloat16(path: Path, name: str) -> np.ndarray:
    """One tensor of a file whose header safetensors has found sound."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entry = json.loads(file.read(length))[name]
        start, end = entry["data_offsets"]
        file.seek(8 + length + start)
        data = file.read(end - start)
    return widen_bfloat16(np.frombuffer(data, "<u2")).reshape(entry["shape"])


def widen_bfloat16(bits: np.ndarray) -> np.ndarray:
    """Bfloat16 numbers, given as 16-bit integers, in float32: their bits, and zeros behind."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def as_array(value: Any, where: str) -> np.ndarray:
    """`value`, a Tensor or an ndarray, as an ndarray of a dtype that can be stored."""
    if isinstance(value, Tensor):
        value = value.detach().numpy()
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{where} must be a Tensor or an ndarray, not {type(value).__name__}")
    if value.dtype.name not in DTYPES:
        raise TypeError(f"{where} is an array of {value.dtype}, which cannot be stored")
    return np.asarray(value)
