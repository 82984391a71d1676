"""NumPy's archives of named arrays, .npz: no pickles, and nothing larger than the file allows."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from autograd import Tensor

from .arrays import as_array
from .files import CheckpointError, PathLike, reading_archive, write_atomically

# A compressed file may be small and its arrays large: up to so many times, or so many bytes.
MAX_RATIO = 100
SMALL = 2**28

READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def save_npz(tensors: Mapping[str, Tensor | np.ndarray], path: PathLike) -> None:
    """
    Write named arrays to NumPy's archive format, atomically.

    Parameters
    ----------
    tensors : dict of str to Tensor or ndarray
        Any shape, of the dtypes that `save_file` takes.
    path : path-like
        Replaced if it exists; nothing is added to its name.

    Raises
    ------
    TypeError
        If a name is no str, a value no array, or of another dtype.
    ValueError
        If a name is empty or has a part that an archive cannot hold.
    OSError
        If the file cannot be written; an existing one stays as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_npz({"fc.weight": np.ones(2)}, Path(folder, "w.npz"))
    ...     load_npz(Path(folder, "w.npz"))
    {'fc.weight': array([1., 1.])}
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, tensor in tensors.items():
            if not isinstance(name, str):
                raise TypeError(f"save_npz: names must be str, got {name!r}")
            if not name or "\0" in name or name.endswith(".npy"):
                raise ValueError(f"save_npz: the name {name!r} cannot be stored in an archive")
            array = as_array(tensor, f"save_npz: {name!r}")
            try:
                info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
                with archive.open(info, "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
            except UnicodeError as error:
                raise ValueError(f"save_npz: the name {name!r} cannot be stored") from error
    write_atomically(Path(path), file.getvalue())


def load_npz(path: PathLike) -> dict[str, np.ndarray]:
    """
    Arrays of a file of ``numpy.savez`` or `save_npz`; objects in it are refused, not unpickled.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    CheckpointError
        If the file is truncated, damaged or of another format, claims arrays larger than itself,
        or holds objects.
    OSError
        If it is missing or cannot be read.

    Examples
    --------
    >>> load_npz("no/such.npz")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no/such.npz'
    """
    path = Path(path)
    with path.open("rb"):
        pass
    try:
        with reading_archive(".npz file"), zipfile.ZipFile(path) as archive:
            return _read_arrays(archive, path.stat().st_size)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _read_arrays(archive: zipfile.ZipFile, size: int) -> dict[str, np.ndarray]:
    left = max(MAX_RATIO * size, SMALL)
    arrays: dict[str, np.ndarray] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name == info.filename or name in arrays:
            raise CheckpointError(f"{name[:80]!r} is no array, or there twice")
        left -= info.file_size
        if left < 0:
            raise CheckpointError(
                f"{name[:80]!r} would make the arrays more than {MAX_RATIO} times as large as the "
                "file; numpy.load reads it, if you trust it"
            )
        with archive.open(info) as entry:
            data = entry.read()
        header = io.BytesIO(data)
        version = np.lib.format.read_magic(header)
        if version not in READERS:
            raise CheckpointError(f"{name[:80]!r} is of an unknown version of the format")
        shape, fortran, dtype = READERS[version](header)
        if dtype.hasobject or dtype.names is not None or dtype.kind not in "biufc":
            raise CheckpointError(f"{name[:80]!r} is of {dtype}; arrays of numbers are expected")
        start = header.tell()
        if math.prod(shape) * dtype.itemsize != len(data) - start:
            raise CheckpointError(f"{name[:80]!r} should have the shape {shape}, but not the bytes")
        flat = np.frombuffer(bytearray(data[start:]), dtype)
        native = flat.astype(dtype.newbyteorder("="), copy=False)
        arrays[name] = native.reshape(shape, order="F" if fortran else "C")
    return arrays
