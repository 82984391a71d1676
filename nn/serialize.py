"""
Checkpoints: arrays in a safetensors file, everything else as JSON in its metadata.

A file is written whole or not at all, and reading one runs nothing that is in it: no pickle.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from autograd import Tensor, from_numpy
from autograd.random import Generator

from .data.seeding import as_int, as_numpy_generator, set_state

PathLike = str | os.PathLike[str]
AnyGenerator = np.random.Generator | Generator
Generators = AnyGenerator | Mapping[str, AnyGenerator]

# What the safetensors format and NumPy both have.
# fmt: off
DTYPES = frozenset((
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64",
))
# fmt: on
RESERVED = "__metadata__"  # safetensors keeps its metadata under this name
CHECKPOINT_KEY = "dagrad.checkpoint"  # of the metadata; holds the JSON
VERSION = 1
MAX_DEPTH = 100  # of nested states; a deeper one is a mistake or an attack
MAX_INT_BITS = 10_000  # below Python's limit on the digits of an int in text
TEMPORARY = ".dagrad-{}.tmp"
STALE_SECONDS = 3600.0  # a temporary file untouched for so long belongs to a process that died
MAX_NAMES_SHOWN = 8


class CheckpointError(ValueError):
    """A file is no checkpoint, is damaged, or does not fit what it is loaded into."""


class Stateful(Protocol):
    """What can be saved: models, optimizers, schedulers, loaders."""

    def state_dict(self) -> Mapping[str, Any]:
        """State, as nested dicts and lists of numbers, strings, None, arrays and Tensors."""
        ...

    def load_state_dict(self, state: Any, /) -> Any:
        """Take a state that `state_dict` returned."""
        ...


# ---------------------------------------------------------------- files of named arrays


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
        array = _as_array(tensor, repr(name))
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
        In memory of their own, writable.
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


def _as_array(value: Any, where: str) -> np.ndarray:
    """`value`, a Tensor or an ndarray, as an ndarray of a dtype that can be stored."""
    if isinstance(value, Tensor):
        value = value.detach().numpy()
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{where} must be a Tensor or an ndarray, not {type(value).__name__}")
    if value.dtype.name not in DTYPES:
        raise TypeError(f"{where} is an array of {value.dtype}, which safetensors cannot store")
    return np.asarray(value)


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that every reader, also after a crash, sees all of it or none."""
    target = path.resolve()
    folder = target.parent
    temporary = folder / TEMPORARY.format(secrets.token_hex(8))
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:  # in the user's words: the path given, not the temporary one
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    with contextlib.suppress(OSError):  # not every system and file system can
        _sync_folder(folder)
    with contextlib.suppress(OSError):
        _remove_stale(folder)


def _sync_folder(folder: Path) -> None:
    """Bring the folder's entries to the disk: the new name outlives a power cut from here on."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_stale(folder: Path) -> None:
    """Remove temporary files of processes that were killed while writing."""
    for file in folder.glob(TEMPORARY.format("*")):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < time.time() - STALE_SECONDS:
                file.unlink()


# ---------------------------------------------------------------- nested states


def pack(
    state: Any, prefix: str = "", arrays: dict[str, np.ndarray] | None = None
) -> tuple[dict[str, np.ndarray], Any]:
    """
    Split a nested state into named arrays and a skeleton that JSON can hold.

    Parameters
    ----------
    state : nested dict, list or tuple of Tensor, ndarray, NumPy scalar, number, str, bool and None
        Keys of dicts are str or int.
    prefix : str
        Put before the arrays' names, which are the paths to them: ``"state/0/exp_avg"``.
    arrays : dict, optional
        Gets the arrays (not copied); default a new dict.

    Returns
    -------
    arrays : dict of str to ndarray
    skeleton : JSON value
        ``unpack(skeleton, arrays)`` restores the state, with every type and every bit of a float.

    Raises
    ------
    TypeError
        If something else is in the state; says where.
    ValueError
        If it is nested deeper than 100 levels (or holds itself), or an int is beyond 10,000 bits.

    Examples
    --------
    >>> arrays, skeleton = pack({"step": 3, "state": {0: np.zeros(2)}})
    >>> arrays
    {'state/0': array([0., 0.])}
    >>> skeleton
    {'step': 3, 'state': {'$dict': [[0, {'$array': 'state/0'}]]}}
    """
    arrays = {} if arrays is None else arrays
    return arrays, _pack(state, (), prefix, arrays)


def _pack(value: Any, path: tuple[str, ...], prefix: str, arrays: dict[str, np.ndarray]) -> Any:
    where = f"state at {prefix + '/'.join(path)!r}"
    if len(path) > MAX_DEPTH:
        raise ValueError(f"{where[:60]}... is nested deeper than {MAX_DEPTH} levels")

    def inner(key: object, item: Any) -> Any:
        return _pack(item, (*path, str(key)), prefix, arrays)

    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Tensor | np.ndarray):
        name = _free_name(prefix + "/".join(path), arrays)
        arrays[name] = _as_array(value, where)
        return {"$tensor" if isinstance(value, Tensor) else "$array": name}
    if isinstance(value, np.generic):
        if value.dtype.name not in DTYPES:
            raise TypeError(f"{where} is a NumPy scalar of {value.dtype}, which cannot be stored")
        return {
            "$scalar": [
                value.dtype.name,
                value.astype(value.dtype.newbyteorder("<")).tobytes().hex(),
            ]
        }
    if isinstance(value, int):
        if value.bit_length() > MAX_INT_BITS:
            raise ValueError(f"{where} is an int beyond {MAX_INT_BITS} bits")
        return int(value)
    if isinstance(value, float):
        # repr() of a finite float reads back to the same bits; inf and nan are no JSON.
        return float(value) if np.isfinite(value) else {"$float": struct.pack(">d", value).hex()}
    if isinstance(value, tuple):
        return {"$tuple": [inner(position, item) for position, item in enumerate(value)]}
    if isinstance(value, list):
        return [inner(position, item) for position, item in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str | int) or isinstance(key, bool):
                raise TypeError(f"{where} has the key {key!r}; keys must be str or int")
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: inner(key, item) for key, item in value.items()}
        return {"$dict": [[key, inner(key, item)] for key, item in value.items()]}
    raise TypeError(f"{where} is of type {type(value).__name__}, which cannot be stored")


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    """`name`, or one like it that is new and that the file format can hold."""
    name = name.encode("utf-8", "backslashreplace").decode("utf-8")
    free, count = name, 1
    while free in taken or free == RESERVED:
        free, count = f"{name}~{count}", count + 1
    return free


def unpack(skeleton: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """
    State that `pack` split; the inverse of it.

    Parameters
    ----------
    skeleton : JSON value
    arrays : dict of str to ndarray
        Handed on without a copy.

    Returns
    -------
    nested state

    Raises
    ------
    CheckpointError
        If the skeleton is not of `pack`'s form, or an array is missing.

    Examples
    --------
    >>> unpack({"betas": {"$tuple": [0.9, {"$float": "7ff0000000000000"}]}}, {})
    {'betas': (0.9, inf)}
    """
    try:
        return _unpack(skeleton, arrays, 0)
    except (TypeError, ValueError, AttributeError, struct.error) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"malformed state: {error}") from error


def _unpack(node: Any, arrays: Mapping[str, np.ndarray], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise CheckpointError(f"malformed state: nested deeper than {MAX_DEPTH} levels")
    if isinstance(node, list):
        return [_unpack(item, arrays, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    tag = next(iter(node), "")
    if len(node) != 1 or not tag.startswith("$"):
        return {key: _unpack(item, arrays, depth + 1) for key, item in node.items()}
    body = node[tag]
    if tag in ("$array", "$tensor"):
        if body not in arrays:
            raise CheckpointError(f"array {body!r} is missing")
        return arrays[body] if tag == "$array" else from_numpy(arrays[body])
    if tag == "$float":
        return struct.unpack(">d", bytes.fromhex(body))[0]
    if tag == "$scalar":
        name, digits = body
        if name not in DTYPES:
            raise CheckpointError(f"malformed state: unknown dtype {name!r}")
        dtype = np.dtype(name)
        (scalar,) = np.frombuffer(bytes.fromhex(digits), dtype.newbyteorder("<")).astype(dtype)
        return scalar
    if tag == "$tuple":
        return tuple(_unpack(item, arrays, depth + 1) for item in body)
    if tag == "$dict":
        return {key: _unpack(item, arrays, depth + 1) for key, item in body}
    raise CheckpointError(f"malformed state: unknown tag {tag!r}")


# ---------------------------------------------------------------- checkpoints


@dataclass(frozen=True)
class Checkpoint:
    """
    What a checkpoint says beside the states it restored.

    Attributes
    ----------
    epoch : int
        As given to `save_checkpoint`.
    extra : nested state
        As given to `save_checkpoint`.
    parts : tuple of str
        States in the file, out of "model", "optimizer", "scheduler", "loader" and "rng".
    """

    epoch: int
    extra: Any
    parts: tuple[str, ...]


def save_checkpoint(
    path: PathLike,
    *,
    model: Stateful,
    optimizer: Stateful | None = None,
    scheduler: Stateful | None = None,
    loader: Stateful | None = None,
    epoch: int,
    rng: Generators | None = None,
    extra: Any = None,
) -> None:
    """
    Write all that is needed to go on with a run to one safetensors file, atomically.

    The model's arrays have their state_dict keys as names, so any reader of safetensors finds the
    weights; arrays of the other parts have names that begin with ``@``.

    Parameters
    ----------
    path : path-like
        Replaced if it exists; a crash leaves the old file or the new.
    model : has ``state_dict()``
    optimizer, scheduler, loader : have ``state_dict()``, optional
    epoch : int
    rng : np.random.Generator, autograd.Generator or dict of str to them, optional
        Generators whose states are saved.
    extra : nested state, optional
        Anything `pack` takes; floats come back bit for bit, inf and nan too.

    Raises
    ------
    TypeError, ValueError
        If something in a state cannot be stored; says where. Nothing is written.
    OSError
        If the file cannot be written; an existing one stays as it was.

    Examples
    --------
    >>> import tempfile
    >>> from nn.data import DataLoader
    >>> loader = DataLoader(range(8), shuffle=True, generator=0)
    >>> rng = np.random.default_rng(0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "run.safetensors")
    ...     save_checkpoint(path, model=loader, epoch=3, rng=rng, extra={"best": 0.98})
    ...     before = rng.random()
    ...     info = load_checkpoint(path, model=loader, rng=rng)
    >>> info.epoch, info.extra, rng.random() == before
    (3, {'best': 0.98}, True)
    """
    number = as_int(epoch)
    if number is None:
        raise TypeError(f"save_checkpoint: epoch must be an int, not {type(epoch).__name__}")
    arrays: dict[str, np.ndarray] = {}
    states: dict[str, Any] = {"model": model.state_dict()}
    if not isinstance(states["model"], Mapping):
        raise TypeError("save_checkpoint: model.state_dict() must return a dict")
    for name, part in (("optimizer", optimizer), ("scheduler", scheduler), ("loader", loader)):
        if part is not None:
            states[name] = part.state_dict()
    if rng is not None:
        states["rng"] = {
            name: generator.bit_generator.state for name, generator in _generators(rng).items()
        }
    parts = {
        name: pack(state, "" if name == "model" else f"@{name}/", arrays)[1]
        for name, state in states.items()
    }
    head = {
        "version": VERSION,
        "epoch": number,
        "parts": parts,
        "extra": pack(extra, "@extra/", arrays)[1],
    }
    text = json.dumps(head, allow_nan=False, separators=(",", ":"))
    save_file(arrays, path, {"format": "np", CHECKPOINT_KEY: text})


def load_checkpoint(
    path: PathLike,
    *,
    model: Stateful | None = None,
    optimizer: Stateful | None = None,
    scheduler: Stateful | None = None,
    loader: Stateful | None = None,
    rng: Generators | None = None,
) -> Checkpoint:
    """
    Restore what is passed from a file of `save_checkpoint`: all of it, or nothing.

    Parameters
    ----------
    path : path-like
    model, optimizer, scheduler, loader : have ``state_dict`` and ``load_state_dict``, optional
        Each gets its state from the file; a part not passed is passed over.
    rng : np.random.Generator, autograd.Generator or dict of str to them, optional
        As given to `save_checkpoint`; gets the saved state.

    Returns
    -------
    Checkpoint
        The epoch, the extras and the names of the states in the file.

    Raises
    ------
    CheckpointError
        If the file is damaged or no checkpoint, lacks a part that is asked for, or does not fit
        (the message lists missing, unexpected and mis-shaped keys of the model). Whatever raises,
        all that is passed is left as it was.
    OSError
        If the file is missing or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "weights.safetensors")
    ...     save_file({"w": np.ones(2)}, path)
    ...     load_checkpoint(path)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    nn.serialize.CheckpointError: ...weights.safetensors: a safetensors file, but no checkpoint...
    """
    path = Path(path)
    epoch, extra, states = _read_checkpoint(path)
    wanted = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "loader": loader}
    targets = {name: part for name, part in wanted.items() if part is not None}
    for name in (*targets, *(["rng"] if rng is not None else [])):
        if name not in states:
            raise CheckpointError(
                f"{path}: no state of the {name} in this checkpoint; it has "
                f"{', '.join(states) or 'none'}"
            )
    if model is not None:
        _check_fit(path, states["model"], model.state_dict())
    new_bits = [] if rng is None else _check_generators(path, states["rng"], _generators(rng))
    before = {name: _snapshot(part) for name, part in targets.items()}
    touched: list[str] = []
    try:
        for name, part in targets.items():
            touched.append(name)
            part.load_state_dict(states[name])
    except BaseException as error:
        for name in reversed(touched):
            try:
                targets[name].load_state_dict(before[name])
            except Exception as again:
                error.add_note(f"the {name} did not take its old state back: {again}")
        if not isinstance(error, Exception):
            raise
        reason = " ".join(str(error).split())  # PyTorch's lists of keys are of several lines
        raise CheckpointError(
            f"{path}: the {touched[-1]} does not take its saved state: {reason}"
        ) from error
    for bits, state in new_bits:
        bits.state = state
    return Checkpoint(epoch, extra, tuple(states))


def load_weights(path: PathLike) -> dict[str, Any]:
    """
    Model state in a checkpoint, or all arrays of any other safetensors file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to Tensor or ndarray
        For ``model.load_state_dict``.

    Raises
    ------
    CheckpointError
        If the file is damaged.
    OSError
        If it is missing or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"w": np.ones(2)}, Path(folder, "w.safetensors"))
    ...     load_weights(Path(folder, "w.safetensors"))
    {'w': array([1., 1.])}
    """
    arrays, metadata = load_file(path)
    if CHECKPOINT_KEY not in metadata:
        return dict(arrays)
    return _parse_checkpoint(Path(path), arrays, metadata)[2]["model"]


def _read_checkpoint(path: Path) -> tuple[int, Any, dict[str, Any]]:
    """Epoch, extra and states of a checkpoint file, with everything in it checked."""
    arrays, metadata = load_file(path)
    if CHECKPOINT_KEY not in metadata:
        raise CheckpointError(
            f"{path}: a safetensors file, but no checkpoint of save_checkpoint; load_weights reads "
            "plain weights"
        )
    return _parse_checkpoint(path, arrays, metadata)


def _parse_checkpoint(
    path: Path, arrays: dict[str, np.ndarray], metadata: dict[str, str]
) -> tuple[int, Any, dict[str, Any]]:
    try:
        head = json.loads(metadata[CHECKPOINT_KEY], parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: malformed checkpoint header: {error}") from error
    if not isinstance(head, dict) or as_int(head.get("version")) is None:
        raise CheckpointError(f"{path}: malformed checkpoint header: no version")
    if head["version"] != VERSION:
        raise CheckpointError(
            f"{path}: checkpoint version {head['version']}, this release reads version {VERSION}"
        )
    epoch = as_int(head.get("epoch"))
    parts = head.get("parts")
    if epoch is None or not isinstance(parts, dict) or "extra" not in head:
        raise CheckpointError(f"{path}: malformed checkpoint header: epoch, parts or extra missing")
    try:
        states = {name: unpack(skeleton, arrays) for name, skeleton in parts.items()}
        extra = unpack(head["extra"], arrays)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    if not all(isinstance(state, dict) for state in states.values()) or "model" not in states:
        raise CheckpointError(f"{path}: malformed checkpoint header: a state is no dict")
    return epoch, extra, states


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _generators(rng: Generators) -> dict[str, np.random.Generator]:
    named = rng if isinstance(rng, Mapping) else {"default": rng}
    for name, generator in named.items():
        if not isinstance(name, str) or not isinstance(generator, AnyGenerator):
            raise TypeError(
                "rng must be a np.random.Generator, an autograd.Generator or a dict of names to "
                f"them, got {name!r}: {type(generator).__name__}"
            )
    return {name: as_numpy_generator(generator) for name, generator in named.items()}


def _check_generators(
    path: Path, states: dict[str, Any], generators: dict[str, np.random.Generator]
) -> list[tuple[Any, Any]]:
    """Pairs of a bit generator and its new state, each tried on a bit generator of its kind."""
    pairs = []
    for name, generator in generators.items():
        bits: Any = generator.bit_generator
        if name not in states:
            raise CheckpointError(
                f"{path}: no state of a generator {name!r}; it has {', '.join(states) or 'none'}"
            )
        try:
            set_state(type(bits)(), states[name])
        except ValueError as error:
            raise CheckpointError(f"{path}: generator {name!r}: {error}") from error
        pairs.append((bits, states[name]))
    return pairs


def _snapshot(part: Stateful) -> Any:
    """State of `part` in memory of its own."""
    arrays, skeleton = pack(part.state_dict())
    return unpack(skeleton, {name: array.copy() for name, array in arrays.items()})


def _check_fit(path: Path, saved: Mapping[str, Any], current: Mapping[str, Any]) -> None:
    problems = [
        *_listed("missing", (repr(key) for key in current if key not in saved)),
        *_listed("unexpected", (repr(key) for key in saved if key not in current)),
        *_listed(
            "of another shape",
            (
                f"{key!r} ({_shape(saved[key])} in the file, {_shape(value)} in the model)"
                for key, value in current.items()
                if key in saved and _shape(saved[key]) != _shape(value)
            ),
        ),
    ]
    if problems:
        raise CheckpointError(f"{path}: does not fit the model: {'; '.join(problems)}")


def _listed(title: str, names: Iterator[str]) -> Iterator[str]:
    found = list(names)
    if found:
        more = len(found) - MAX_NAMES_SHOWN
        shown = ", ".join(found[:MAX_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        yield f"{title}: {shown}"


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor | np.ndarray) else None
