"""load and save: one pair of functions for every format of weights."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .arrays import save_file
from .checkpoint import load_weights
from .files import CheckpointError, PathLike, reading_archive
from .npz import load_npz, save_npz
from .pth import LEGACY_START, load_pth
from .pth_write import save_pth

SUFFIXES = (".safetensors", ".npz", ".pth", ".pt")


def load(path: PathLike, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """
    Weights or a checkpoint from a file of any format, which its first bytes tell.

    Nothing in a file is run, and PyTorch is not needed.

    Parameters
    ----------
    path : path-like
        A file of ``torch.save`` (.pth, .pt; of PyTorch 1.6 and later, or older), of safetensors
        (also a checkpoint of `save_checkpoint`, of which this is the model's state), or of
        ``numpy.savez`` (.npz).
    map_location : optional
        Stands in PyTorch's signature; there is one device here.
    weights_only : bool, default True
        Stands in PyTorch's signature; nothing else is ever read.

    Returns
    -------
    object
        A dict of str to Tensor or ndarray, for ``model.load_state_dict``; of a file of
        ``torch.save`` whatever it holds, see `load_pth`.

    Raises
    ------
    CheckpointError
        If the file is truncated, damaged or of another format, or holds something other than
        tensors and plain data.
    OSError
        If it is missing or cannot be read.
    ValueError
        If `map_location` is another device than "cpu", or `weights_only` is not true.

    Examples
    --------
    >>> import nn, tempfile
    >>> model, other = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(model.state_dict(), Path(folder, "linear.pth"))
    ...     other.load_state_dict(nn.load(Path(folder, "linear.pth")))
    <All keys matched successfully>
    >>> bool((model.weight == other.weight).all())
    True
    """
    if map_location is not None and str(map_location) != "cpu":
        raise ValueError(f"load: map_location {map_location!r}: 'cpu' is the only device here")
    if weights_only is not True:
        raise ValueError(
            "load: weights_only must be True: nothing in a file is run here. Of a whole model, "
            "save the weights with PyTorch: torch.save(model.state_dict(), path)"
        )
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(len(LEGACY_START))
    if start.startswith(b"PK"):
        return load_npz(path) if _is_npz(path) else load_pth(path)
    if start.startswith(LEGACY_START[:4]):
        return load_pth(path)
    return load_weights(path)


def save(state: Any, path: PathLike) -> None:
    """
    Write weights to a file, in the format that its suffix names; atomically.

    Parameters
    ----------
    state : dict of str to Tensor or ndarray
        For .pth and .pt anything that `save_pth` takes, such as
        ``{"model": model.state_dict(), "epoch": 3}``.
    path : path-like
        Ends in .safetensors, .npz, .pth or .pt. Replaced if it exists; a crash leaves the old
        file or the new.

    Raises
    ------
    TypeError
        If something in the state cannot be stored.
    ValueError
        If the suffix is none of these, or a name cannot be stored.
    OSError
        If the file cannot be written; an existing one stays as it was.

    Examples
    --------
    >>> import nn, tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save({"w": np.ones(2)}, Path(folder, "w.npz"))
    ...     nn.load(Path(folder, "w.npz"))
    {'w': array([1., 1.])}
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"save: {path.name!r} must end in one of {', '.join(SUFFIXES)}")
    if suffix in (".pth", ".pt"):
        save_pth(state, path)
        return
    if not isinstance(state, Mapping):
        raise TypeError(f"save: a dict of tensors expected, not a {type(state).__name__}")
    if suffix == ".npz":
        save_npz(state, path)
    else:
        save_file(state, path, {"format": "pt"})


def _is_npz(path: Path) -> bool:
    try:
        with reading_archive("zip file"), zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except CheckpointError:
        return False  # load_pth says what is wrong
    return not any(name.endswith("/data.pkl") for name in names)
