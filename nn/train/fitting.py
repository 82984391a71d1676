"""Training in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Tensor, default_generator
from autograd.random import Generator
from optim import Optimizer
from optim.lr_scheduler import LRScheduler

from ..data import DataLoader, IterableDataset, TensorDataset, random_split
from ..module import Module
from ..serialize import CheckpointError, PathLike, load_checkpoint
from .callbacks import Callback, EarlyStopping, ProgressBar, TensorBoard
from .evaluation import LossFunction, Metric
from .history import History
from .saving import LAST, run_exists
from .trainer import Trainer

SPLIT = "split_seed"  # in a checkpoint: what the held-out samples were drawn by


def fit(
    model: Module,
    data: Any,
    loss: LossFunction,
    optimizer: Optimizer,
    *,
    epochs: int = 10,
    validation: Any = None,
    batch_size: int = 32,
    metrics: Mapping[str, Metric] | None = None,
    early_stopping: int | EarlyStopping | None = None,
    scheduler: LRScheduler | None = None,
    schedule: str = "epoch",
    monitor: str | None = None,
    mode: str | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    accumulate: int = 1,
    average: float | None = None,
    augment: Callable[[Any, Generator], Any] | None = None,
    callbacks: Sequence[Callback] = (),
    folder: PathLike | None = None,
    resume: bool = False,
    tensorboard: PathLike | None = None,
    progress: bool | None = None,
    detect_anomaly: bool = False,
    rng: Generator = default_generator,
) -> History:
    """
    Train `model` on `data`, for classification, regression, or any other loss.

    Ctrl-C ends the training after the step it is at: what is learnt stays in the model, and with
    a `folder` also on disk, to go on with by ``resume=True``. A second Ctrl-C raises
    KeyboardInterrupt.

    Parameters
    ----------
    model : Module
    data : DataLoader, Dataset, or tuple of arrays or tensors
        The last entry of a sample is its target, the others are inputs. Of a Dataset or of arrays
        batches are made in a fresh random order each epoch. Arrays of floats are converted to the
        dtype of the model's parameters.
    loss : callable
        Mean loss over the samples of (outputs, targets).
    optimizer : Optimizer
        Of the model's parameters.
    epochs : int, default 10
        Complete epochs when it ends, those of a resumed run included.
    validation : DataLoader, Dataset, tuple, or float, optional
        As `data`; or the share of `data` (which is then no DataLoader) that is held out at random.
    batch_size : int, default 32
        Where no DataLoader is given.
    metrics, scheduler, schedule, monitor, mode : optional
        See `Trainer`.
    clip_norm, clip_value, accumulate, average, augment, detect_anomaly : optional
        See `Trainer`.
    rng : autograd.Generator, optional
        See `Trainer`. The orders and the held-out samples are drawn from `rng` too.
    early_stopping : int or EarlyStopping, optional
        A patience, in epochs without a better monitored number, or all of it.
    callbacks : sequence of Callback
        Told what happens, in their order, after early stopping.
    folder : path-like, optional
        Where ``last.safetensors``, ``best.safetensors`` and ``metrics.jsonl`` are kept, each epoch.
    resume : bool, default False
        Go on with the run in `folder`, if it holds one: bit for bit as if it had not stopped.
    tensorboard : path-like, optional
        Folder for event files, see `TensorBoard`.
    progress : bool, optional
        A bar for each epoch: always, never, or (None) where stderr is a terminal.

    Returns
    -------
    History

    Raises
    ------
    FileExistsError
        If `folder` holds a run and `resume` is False.
    TrainingError
        If a loss is infinite or NaN; names epoch and batch, and with `detect_anomaly` the op.
    CheckpointError
        If the run in `folder` is damaged or another one than this.
    ValueError, TypeError
        If `data` or an option is not as said above.

    Examples
    --------
    >>> import autograd, nn, optim
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(64, 2))
    >>> y = (x[:, 0] > x[:, 1]).astype(np.int64)
    >>> _ = autograd.manual_seed(0)
    >>> model = nn.Linear(2, 2)
    >>> history = fit(
    ...     model,
    ...     (x, y),
    ...     nn.CrossEntropyLoss(),
    ...     optim.Adam(model.parameters(), lr=0.1),
    ...     epochs=20,
    ...     validation=0.25,
    ...     metrics={"accuracy": nn.metrics.accuracy},
    ... )
    >>> history[-1]["validation_accuracy"] > 0.9
    True
    """
    if resume and folder is None:
        raise ValueError("fit: resume=True needs the folder of the run")
    last = None if folder is None else Path(folder) / LAST
    if last is not None and last.exists() and not resume:
        raise run_exists(Path(last).parent, "fit: go on with it by resume=True")
    resuming = resume and last is not None and last.exists()
    split_seed: int | None = None
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    data = _as_dataset(data, dtype, "data")
    if isinstance(validation, float):
        if isinstance(data, DataLoader) or not 0 < validation < 1:
            raise ValueError(
                f"fit: validation={validation} must be a share, > 0 and < 1, of a Dataset or of "
                "arrays; beside a DataLoader give validation data"
            )
        held_out = max(1, round(validation * len(data)))
        lengths = [len(data) - held_out, held_out]
        if lengths[0] < 1:
            raise ValueError(
                f"fit: validation={validation} of {len(data)} samples leaves none to train on"
            )
        # A resumed run must hold out the samples that it held out before.
        split_seed = _saved_split_seed(last) if resuming else _seed(rng)
        data, validation = random_split(data, lengths, generator=split_seed)
    elif validation is not None:
        validation = _as_dataset(validation, dtype, "validation")
    train_loader = as_loader(data, batch_size, rng)
    listeners: list[Callback] = []
    if early_stopping is not None:
        given = early_stopping
        listeners.append(given if isinstance(given, EarlyStopping) else EarlyStopping(given))
    listeners += callbacks
    if tensorboard is not None:
        listeners.append(TensorBoard(tensorboard))
    listeners.append(ProgressBar(progress))
    trainer = Trainer(
        model,
        optimizer,
        loss,
        train_loader,
        None if validation is None else as_loader(validation, batch_size),
        metrics=metrics,
        scheduler=scheduler,
        schedule=schedule,
        monitor=monitor,
        mode=mode,
        clip_norm=clip_norm,
        clip_value=clip_value,
        accumulate=accumulate,
        average=average,
        augment=augment,
        callbacks=listeners,
        detect_anomaly=detect_anomaly,
        rng=rng,
    )
    if split_seed is not None:
        trainer.extra[SPLIT] = split_seed
    if resuming and last is not None:
        trainer.load(last)
    return trainer.fit(epochs, folder=folder, interruptible=True)


def as_loader(
    data: Any, batch_size: int, rng: Generator | None = None
) -> DataLoader | Iterable[Any]:
    """
    Batches of a dataset, shuffled by a generator seeded from `rng` if there is one.

    A stream keeps its order; a DataLoader, and an iterable of batches, is left as it is.

    Examples
    --------
    >>> data = TensorDataset(np.zeros((5, 2)), np.zeros(5))
    >>> len(as_loader(data, 2))
    3
    """
    if isinstance(data, DataLoader) or not hasattr(data, "__getitem__"):
        return data
    if rng is None or isinstance(data, IterableDataset):
        return DataLoader(data, batch_size)
    # A generator of its own, so that the order does not depend on what the model draws.
    return DataLoader(data, batch_size, shuffle=True, generator=_seed(rng))


def _seed(rng: Generator) -> int:
    return int(rng.integers(0, 2**63 - 1, (1,))[0])


def _saved_split_seed(path: Path | None) -> int:
    extra = None if path is None else load_checkpoint(path).extra
    seed = extra.get(SPLIT) if isinstance(extra, dict) else None
    if not isinstance(seed, int):
        raise CheckpointError(f"{path}: the run did not hold out a share of its data")
    return seed


def _as_dataset(data: Any, dtype: np.dtype[Any], name: str) -> Any:
    """Arrays as a dataset; anything else that gives samples or batches as it is."""
    if isinstance(data, tuple) or (isinstance(data, list) and data and hasattr(data[0], "shape")):
        arrays = [entry if isinstance(entry, Tensor) else np.asarray(entry) for entry in data]
        return TensorDataset(
            *(
                entry.astype(dtype)
                if isinstance(entry, np.ndarray) and entry.dtype.kind == "f"
                else entry
                for entry in arrays
            )
        )
    if not (hasattr(data, "__getitem__") or hasattr(data, "__iter__")):
        raise TypeError(
            f"fit: {name} must be a DataLoader, a Dataset or a tuple of arrays, not "
            f"{type(data).__name__}"
        )
    return data
