"""Readers of data files: IDX (MNIST's format), CSV, and scikit-learn's embedded digits."""

from __future__ import annotations

import csv
import functools
import gzip
import math
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .seeding import as_int

PathLike = str | os.PathLike[str]
Pair = tuple[np.ndarray, np.ndarray]

# The third byte of an IDX file names the element type; everything is big endian.
IDX_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
READ_CHUNK = 1 << 20  # memory grows with what is read, not with what a gzipped header states
MAX_DIMS = 32  # the least that any NumPy holds

MNIST_FILES = {
    "train-images": "train-images-idx3-ubyte",
    "train-labels": "train-labels-idx1-ubyte",
    "test-images": "t10k-images-idx3-ubyte",
    "test-labels": "t10k-labels-idx1-ubyte",
}


def read_idx(path: PathLike) -> np.ndarray:
    """
    Array in an IDX file, plain or gzip-compressed (told by the content, not by the name).

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ndarray
        Of the file's shape and dtype (uint8, int8, int16, int32, float32 or float64) in native
        byte order, writable.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no IDX file, is truncated, has trailing bytes, is corrupt gzip, or states a size
        that differs from the file's; the message has the path, what was met and what was
        expected. Nothing is allocated on the word of a header alone.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels-idx1-ubyte")
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 2]))
    ...     read_idx(path)
    array([7, 0, 2], dtype=uint8)
    """
    path = Path(path)
    with path.open("rb") as raw:
        size = os.fstat(raw.fileno()).st_size
        packed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        raw.seek(0)
        if not packed:
            return _parse_idx(raw, path, size, packed=False)
        try:
            with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
                return _parse_idx(stream, path, size, packed=True)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: corrupt or truncated gzip data ({error})") from error


def _parse_idx(stream: BinaryIO | gzip.GzipFile, path: Path, size: int, packed: bool) -> np.ndarray:
    """Array in `stream`, the content of the file at `path` that takes `size` bytes on disk."""
    magic = stream.read(4)
    if len(magic) < 4:
        raise ValueError(
            f"{path}: truncated IDX file: {len(magic)} bytes, expected a 4-byte magic number"
        )
    if magic[:2] != b"\0\0" or magic[2] not in IDX_DTYPES or not 1 <= magic[3] <= MAX_DIMS:
        codes = ", ".join(f"{code:02x}" for code in IDX_DTYPES)
        raise ValueError(
            f"{path}: not an IDX file: magic number {magic.hex()}, expected 0000, a type out of "
            f"{codes}, and 1 to {MAX_DIMS:02x} (hexadecimal) dimensions"
        )
    dtype = np.dtype(IDX_DTYPES[magic[2]])
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise ValueError(
            f"{path}: truncated IDX file: {len(sizes)} bytes of sizes after the magic number, "
            f"expected {4 * magic[3]} for {magic[3]} dimensions"
        )
    shape = tuple(np.frombuffer(sizes, dtype=">u4").tolist())
    need = math.prod(shape) * dtype.itemsize
    header = 4 + len(sizes)
    stated = f"shape {shape} of {dtype.newbyteorder('=')} needs {need} bytes after the header"
    if not packed and header + need != size:
        kind = "truncated IDX file" if header + need > size else "trailing bytes in IDX file"
        raise ValueError(f"{path}: {kind}: {stated}, the file has {size - header}")
    data = bytearray()
    while len(data) < need:
        chunk = stream.read(min(READ_CHUNK, need - len(data)))
        if not chunk:
            raise ValueError(f"{path}: truncated IDX file: {stated}, the file has {len(data)}")
        data += chunk
    if stream.read(1):  # also makes gzip verify its checksum
        raise ValueError(f"{path}: trailing bytes in IDX file: {stated}, the file has more")
    try:
        array = np.ndarray(shape, dtype, buffer=data)
    except ValueError as error:  # an empty array with other sizes beyond NumPy's
        raise ValueError(f"{path}: IDX shape {shape} is beyond NumPy: {error}") from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def mnist(folder: PathLike) -> tuple[Pair, Pair]:
    """
    Training and test sets of a folder with MNIST's four IDX files (or files in their form).

    Parameters
    ----------
    folder : path-like
        Holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
        ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, each with or without ``.gz``,
        also in the spelling ``train-images.idx3-ubyte``.

    Returns
    -------
    (train_images, train_labels), (test_images, test_labels) : tuples of ndarray
        Images uint8 ``(N, 28, 28)``, labels int64 ``(N,)``.

    Raises
    ------
    FileNotFoundError
        If the folder or any of the files is missing; lists all that are.
    ValueError
        If a file is malformed (see `read_idx`), images are not uint8 of 28x28, or the counts of
        images and labels differ.

    Examples
    --------
    >>> mnist("no/such/folder")
    Traceback (most recent call last):
    ...
    FileNotFoundError: no/such/folder: no such folder
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    paths = {part: _find_idx(folder, name) for part, name in MNIST_FILES.items()}
    missing = [MNIST_FILES[part] for part, path in paths.items() if path is None]
    if missing:
        raise FileNotFoundError(
            f"{folder}: missing {', '.join(missing)} (looked for each with and without .gz)"
        )
    train, test = (
        _images_and_labels(paths[f"{part}-images"], paths[f"{part}-labels"])
        for part in ("train", "test")
    )
    return train, test


def _find_idx(folder: Path, name: str) -> Path | None:
    for stem in (name, name.replace("-idx", ".idx")):
        for path in (folder / stem, folder / f"{stem}.gz"):
            if path.is_file():
                return path
    return None


def _images_and_labels(images_path: Path | None, labels_path: Path | None) -> Pair:
    if images_path is None or labels_path is None:
        raise FileNotFoundError("MNIST files are missing")
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(
            f"{images_path}: expected images of uint8 (N, 28, 28), got {images.dtype} "
            f"{images.shape}"
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise ValueError(
            f"{labels_path}: expected labels of uint8 (N,), got {labels.dtype} {labels.shape}"
        )
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path} has {len(images)} images, but {labels_path} {len(labels)} labels"
        )
    return images, labels.astype(np.int64)


def digits() -> Pair:
    """
    The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn.

    Returns
    -------
    images : ndarray of float32, shape ``(1797, 8, 8)``
        Ink from 0 to 1, in steps of 1/16.
    labels : ndarray of int64, shape ``(1797,)``

    Raises
    ------
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> images, labels = digits()
    >>> images.shape, float(images.max()), labels[:3]
    ((1797, 8, 8), 1.0, array([0, 1, 2]))
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "the digits data set comes with scikit-learn; install it by: pip install dagrad[data]"
        ) from error
    bunch: Any = load_digits()
    return (bunch.images / 16).astype(np.float32), bunch.target.astype(np.int64)


class Table(NamedTuple):
    """
    What `read_csv` returns.

    Attributes
    ----------
    features : ndarray of float32 (or the `dtype` asked for), shape ``(N, F)``
    targets : ndarray of int64 or that dtype, shape ``(N,)``
    feature_names : list of str, length F, or None
        From the header, where there is one.
    class_names : list of str, or None
        Label of each class index, where labels were mapped to indices.
    """

    features: NDArray[np.floating[Any]]
    targets: np.ndarray
    feature_names: list[str] | None
    class_names: list[str] | None


Record = tuple[int, list[str]]  # the line a record begins on, and its cells


def read_csv(
    path: PathLike,
    target: int | str = -1,
    *,
    header: bool | None = None,
    delimiter: str = ",",
    task: Literal["auto", "classes", "values"] = "auto",
    dtype: Any = np.float32,
) -> Table:
    r"""
    Features and targets of a CSV file of numbers.

    Parameters
    ----------
    path : path-like
        UTF-8 text; blank lines are skipped, quoting is as in RFC 4180.
    target : int or str, default -1
        The target's column: its position (negative from the end) or its name in the header. All
        others are features.
    header : bool, optional
        Whether the first line holds names. None finds out: it does if no feature cell on it is a
        number, or if `target` is a name.
    delimiter : str, default ","
    task : {"auto", "classes", "values"}
        What the targets are. "classes": labels of any kind, sorted (as numbers where all are
        integers) and mapped to 0, 1, ...; "values": numbers. "auto": int64 as they stand where
        all are integers, numbers where all are, classes where none is.
    dtype : float16, float32 or float64, default float32
        Of the features, and of targets that are numbers.

    Returns
    -------
    Table
        ``(features, targets, feature_names, class_names)``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a line has another number of cells than the first, a cell is empty or no finite number
        (the message names line and column), the target column is not there, or there is no data.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "flowers.csv")
    ...     _ = path.write_text("length,width,kind\n5.1,3.5,rose\n4.9,3.0,iris\n")
    ...     table = read_csv(path, target="kind")
    >>> table.features
    array([[5.1, 3.5],
           [4.9, 3. ]], dtype=float32)
    >>> table.targets, table.class_names, table.feature_names
    (array([1, 0]), ['iris', 'rose'], ['length', 'width'])
    """
    path = Path(path)
    if task not in ("auto", "classes", "values"):
        raise ValueError(f"read_csv: task must be 'auto', 'classes' or 'values', got {task!r}")
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"read_csv: dtype must be one of floats, got {dtype}")
    if len(delimiter) != 1:
        raise ValueError(f"read_csv: delimiter must be one character, got {delimiter!r}")
    records = list(_records(path, delimiter))
    if not records:
        raise ValueError(f"{path}: no data rows")
    first_line, first = records[0]
    width = len(first)
    for line, cells in records:
        if len(cells) != width:
            raise ValueError(
                f"{path}, line {line}: {len(cells)} cells, expected {width} as on line {first_line}"
            )
    if width < 2:
        raise ValueError(
            f"{path}: only one column with delimiter {delimiter!r}; expected features and a target"
        )
    column = _target_column(path, target, first, header)
    if header is None:
        header = isinstance(target, str) or _is_header(path, first_line, first, column)
    rows = records[1:] if header else records
    if not rows:
        raise ValueError(f"{path}: no data rows after the header")
    titles = first if header else [str(position) for position in range(width)]
    others = [position for position in range(width) if position != column]
    features = np.array(
        [
            [_cell(path, line, titles[position], cells[position], dtype) for position in others]
            for line, cells in rows
        ],
        dtype=dtype,
    )
    labels = [(line, cells[column]) for line, cells in rows]
    targets, class_names = _targets(path, titles[column], labels, task, dtype)
    names = [first[position] for position in others] if header else None
    return Table(features, targets, names, class_names)


def _records(path: Path, delimiter: str) -> Iterator[Record]:
    # utf-8-sig: spreadsheets put a byte order mark in front.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
        line = 1
        try:
            for cells in reader:
                cells = [cell.strip() for cell in cells]
                if cells not in ([], [""]):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(f"{path}, line {line}: malformed CSV: {error}") from error
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 text: {error}") from error


def _target_column(path: Path, target: int | str, first: list[str], header: bool | None) -> int:
    if isinstance(target, str):
        if header is False:
            raise ValueError(
                f"{path}: target {target!r} is a name, but header=False says that there are none"
            )
        if first.count(target) != 1:
            problem = "more than one column is" if target in first else "no column is"
            raise ValueError(
                f"{path}: {problem} named {target!r}; the columns are {', '.join(first)}"
            )
        return first.index(target)
    position = as_int(target)
    if position is None:
        raise TypeError(f"read_csv: target must be an int or a str, not {type(target).__name__}")
    if not -len(first) <= position < len(first):
        raise ValueError(f"{path}: target column {position} is outside {len(first)} columns")
    return position % len(first)


def _is_header(path: Path, line: int, first: list[str], column: int) -> bool:
    numeric = [_number(cell) is not None for at, cell in enumerate(first) if at != column]
    if any(numeric) and not all(numeric):
        raise ValueError(
            f"{path}, line {line}: some cells are numbers and some are not, so it may be a header "
            "or a faulty row; pass header=True or header=False"
        )
    return not any(numeric)


def _number(cell: str) -> float | None:
    """Value of a cell, or None where it is no number; Python's own 1_000 is none in a CSV file."""
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _cell(path: Path, line: int, title: str, cell: str, dtype: np.dtype[Any]) -> float:
    value = _number(cell)
    if value is None or not abs(value) < _limit(dtype):
        problem = "empty" if not cell else f"{cell!r}, expected a finite number in {dtype}"
        raise ValueError(f"{path}, line {line}, column {title!r}: the cell is {problem}")
    return value


@functools.cache
def _limit(dtype: np.dtype[Any]) -> float:
    """The least number whose rounding to `dtype` is infinite."""
    info = np.finfo(dtype)
    most, digits = int(info.maxexp), int(info.nmant)
    return math.inf if dtype.itemsize >= 8 else 2.0**most - 2.0 ** (most - digits - 2)


def _targets(
    path: Path, title: str, labels: list[tuple[int, str]], task: str, dtype: np.dtype[Any]
) -> tuple[np.ndarray, list[str] | None]:
    for line, cell in labels:
        if not cell:
            raise ValueError(f"{path}, line {line}, column {title!r}: the cell is empty")
    whole = all(re.fullmatch(r"[+-]?[0-9]{1,18}", cell) for _, cell in labels)
    if task == "auto":
        if whole:
            return np.array([int(cell) for _, cell in labels], dtype=np.int64), None
        numeric = [_number(cell) is not None for _, cell in labels]
        if any(numeric) and not all(numeric):
            line, cell = labels[numeric.index(False)]
            raise ValueError(
                f"{path}, line {line}, column {title!r}: {cell!r} is not a number where others "
                "are; pass task='classes' if these are labels"
            )
        task = "values" if any(numeric) else "classes"
    if task == "values":
        values = [_cell(path, line, title, cell, dtype) for line, cell in labels]
        return np.array(values, dtype=dtype), None
    if whole:  # 1, +1 and 01 are one class
        numbers, codes = np.unique([int(cell) for _, cell in labels], return_inverse=True)
        names = [str(number) for number in numbers]
    else:
        found, codes = np.unique([cell for _, cell in labels], return_inverse=True)
        names = found.tolist()
    return codes.astype(np.int64), names
