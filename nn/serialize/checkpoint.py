"""Checkpoints: arrays in a safetensors file, everything else as JSON in its metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autograd import Tensor
from autograd.random import Generator

from ..data.seeding import as_int, as_numpy_generator, set_state
from .arrays import load_file, save_file
from .files import CheckpointError, PathLike
from .states import pack, unpack

AnyGenerator = np.random.Generator | Generator
Generators = AnyGenerator | Mapping[str, AnyGenerator]

CHECKPOINT_KEY = "dagrad.checkpoint"  # of the metadata; holds the JSON
VERSION = 1
MAX_NAMES_SHOWN = 8


class Stateful(Protocol):
    """What can be saved: models, optimizers, schedulers, loaders."""

    def state_dict(self) -> Mapping[str, Any]:
        """State, as nested dicts and lists of numbers, strings, None, arrays and Tensors."""
        ...

    def load_state_dict(self, state: Any, /) -> Any:
        """Take a state that `state_dict` returned."""
        ...


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
    nn.serialize.files.CheckpointError: ...weights.safetensors: a safetensors file, but...
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
