"""The trainer: the loop over epochs, and all that changes while a model learns."""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import optim
from autograd import default_generator, detect_anomaly
from autograd.random import Generator
from optim import Optimizer
from optim.lr_scheduler import LRScheduler

from ..data import DataLoader
from ..data.seeding import as_int
from ..module import Module
from ..serialize import Checkpoint, PathLike
from .average import Swap, WeightAverage
from .callbacks import BatchResult, Callback, mode_of, monitored
from .evaluation import LossFunction, Metric, measure, samples_in, split
from .history import History, Record
from .interrupt import interruptions
from .saving import LAST, Progress, keep_run, load_trainer, run_exists, save_trainer


class TrainingError(RuntimeError):
    """Training cannot go on: the loss is no finite number."""


class Trainer:
    r"""
    A model in training: what it learns by, what it learns from, and how far it is.

    Parameters
    ----------
    model : Module
    optimizer : Optimizer
        Of the model's parameters.
    loss_fn : callable
        Mean loss over the samples of (outputs, targets).
    train_loader : DataLoader, or any iterable of batches
        Of pairs (inputs, targets); of several inputs, (first, second, ..., targets). Only the
        order of a DataLoader is saved and restored.
    validation_loader : DataLoader, or any iterable of batches, optional
    metrics : dict of str to callable, optional
        Functions of all outputs and all targets of the validation data, see `measure`; metric
        "accuracy" is in the records as "validation_accuracy".
    scheduler : LRScheduler, optional
        Of the optimizer. ReduceLROnPlateau is given the monitored number.
    schedule : {"epoch", "step"}, default "epoch"
        Whether the scheduler takes a step after each epoch or after each step of the optimizer.
    monitor : str, optional
        The number that says which epoch is best: an entry of the records. Default
        "validation_loss", or "train_loss" without validation data.
    mode : {"min", "max"}, optional
        Whether a low or a high one is good. Default: low, for a loss.
    clip_norm, clip_value : float, optional
        Limit of the norm of all gradients, or of each of their elements; at most one of the two.
    accumulate : int, default 1
        Batches whose gradients make one step, weighted by their sizes: the step is that of one
        batch of all their samples. At the end of an epoch there may be fewer.
    average : float, optional
        Decay of a moving average of the weights (see `WeightAverage`), which is validated, kept
        as the best, and in the model when training ends.
    augment : callable, optional
        Called with the first input of each training batch and `rng`; what it returns is trained
        on.
    callbacks : sequence of Callback
        Told what happens, in their order.
    detect_anomaly : bool, default False
        Look at every value of every op, slowly, so that a NaN names the op that made it.
    rng : autograd.Generator, optional
        What `augment` draws on; saved and restored with the rest, as is the library's own
        generator, on which models draw. Default: that one.

    Attributes
    ----------
    epoch : int
        Complete epochs.
    history : History
        For each of them "epoch", "lr" (as it began), "train_loss" (mean over the epoch, of the
        model as it changed), "validation_loss" and "validation_" with each metric's name. No
        times: the same seed gives the same history.
    stop_reason : str or None
        Why the last `fit` ended before its last epoch.
    extra : dict
        Kept in checkpoints with the rest.

    Raises
    ------
    ValueError
        If an option is out of its range, or two contradict each other.
    TypeError
        If `metrics` is no dict or a callback no `Callback`.

    Examples
    --------
    >>> import nn, optim
    >>> from nn.data import DataLoader, TensorDataset
    >>> data = TensorDataset(np.eye(2, dtype=np.float32), np.array([0, 1]))
    >>> model = nn.Linear(2, 2)
    >>> trainer = Trainer(
    ...     model,
    ...     optim.SGD(model.parameters(), lr=1.0),
    ...     nn.CrossEntropyLoss(),
    ...     DataLoader(data, batch_size=2, shuffle=True),
    ...     DataLoader(data, batch_size=2),
    ...     metrics={"accuracy": nn.metrics.accuracy},
    ... )
    >>> history = trainer.fit(epochs=20)
    >>> trainer.epoch, history[-1]["validation_accuracy"]
    (20, 1.0)
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        loss_fn: LossFunction,
        train_loader: Iterable[Any],
        validation_loader: Iterable[Any] | None = None,
        *,
        metrics: Mapping[str, Metric] | None = None,
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
        detect_anomaly: bool = False,
        rng: Generator = default_generator,
    ) -> None:
        if schedule not in ("epoch", "step"):
            raise ValueError(f"Trainer: schedule must be 'epoch' or 'step', not {schedule!r}")
        if clip_norm is not None and clip_value is not None:
            raise ValueError("Trainer: give clip_norm or clip_value, not both")
        for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if limit is not None and not limit > 0:
                raise ValueError(f"Trainer: {name} must be > 0, not {limit!r}")
        count = as_int(accumulate)
        if count is None or count < 1:
            raise ValueError(f"Trainer: accumulate must be an integer >= 1, not {accumulate!r}")
        if metrics and validation_loader is None:
            raise ValueError("Trainer: metrics are those of validation data, and there are none")
        if metrics is not None and not isinstance(metrics, Mapping):
            raise TypeError(f"Trainer: metrics must be a dict of names to functions, not {metrics}")
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"Trainer: a callback must be a Callback, not {callback!r}")
        default = "train_loss" if validation_loader is None else "validation_loss"
        self.monitor = default if monitor is None else monitor
        self.mode = mode_of(self.monitor, mode, "Trainer")
        self._wants_metric = scheduler is not None and _wants_metric(scheduler)
        if self._wants_metric and schedule == "step":
            raise ValueError(
                f"Trainer: {type(scheduler).__name__} needs {self.monitor}, which is known once an "
                "epoch; give schedule='epoch'"
            )
        self.model = model
        self.optimizer = optimizer
        self.loss_fn = loss_fn
        self.train_loader = train_loader
        self.validation_loader = validation_loader
        self.metrics = dict(metrics or {})
        self.scheduler = scheduler
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.accumulate = count
        self.average = None if average is None else WeightAverage(average)
        self.augment = augment
        self.callbacks = list(callbacks)
        self.detect_anomaly = detect_anomaly
        self.rng = rng
        # Dropout draws from the library's own, whatever else is given.
        self.generators = {"default": rng}
        if rng is not default_generator:
            self.generators["library"] = default_generator
        self.epoch = 0
        self.last_epoch = 0
        self.history = History()
        self.stop_reason: str | None = None
        self.progress = Progress()
        self.extra: dict[str, Any] = {}
        self._pending: list[int] = []  # sizes of the batches whose gradients await a step
        self._swap = Swap(model)
        self._folders: set[Path] = set()  # those whose run is this one

    # ---------------------------------------------------------------- the loop

    def fit(
        self, epochs: int, *, folder: PathLike | None = None, interruptible: bool = False
    ) -> History:
        """
        Train until `epochs` epochs are complete, those of a loaded checkpoint included.

        Parameters
        ----------
        epochs : int
        folder : path-like, optional
            Where a run is kept: ``last.safetensors`` (all that `load` needs, after each epoch),
            ``best.safetensors`` (the weights of the best epoch), ``metrics.jsonl`` (the history).
        interruptible : bool, default False
            Let the first Ctrl-C end the training after the step it is at, keep the place in the
            epoch, save it in `folder`, and return; a second one raises KeyboardInterrupt at once.

        Returns
        -------
        History

        Raises
        ------
        FileExistsError
            If `folder` holds a run that this trainer neither made nor loaded.
        TrainingError
            If a loss is infinite or NaN; names the epoch and the batch. The epoch is not counted.
        ValueError
            If `epochs` is no integer >= 0, or a loader gives no batch.
        """
        count = as_int(epochs)
        if count is None or count < 0:
            raise ValueError(f"Trainer.fit: epochs must be an integer >= 0, not {epochs!r}")
        self.last_epoch = count
        self.stop_reason = None
        self._swap.back()
        kept = None if folder is None else Path(folder)
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
            if (kept / LAST).exists() and kept.resolve() not in self._folders:
                raise run_exists(kept, "Trainer.fit: load it first to go on with it")
            self._folders.add(kept.resolve())
            keep_run(self, kept)  # now, so that an unwritable folder is told before the training
        with interruptions(self, interruptible), self._finally_telling():
            self._tell("on_fit_start")
            while self.epoch < count and self.stop_reason is None:
                if self._train_epoch():
                    self._complete_epoch()
                if kept is not None:
                    keep_run(self, kept)
        self.history.stop_reason = self.stop_reason
        return self.history

    @contextlib.contextmanager
    def _finally_telling(self) -> Iterator[None]:
        """Tell the callbacks of the end, however it comes; the averaged weights are in place."""
        try:
            yield
            if self.average is not None and self.average.weights:
                self.use(self.average.weights)
        finally:
            self._tell("on_fit_end")

    def _train_epoch(self) -> bool:
        """One pass over the training samples; whether it is complete."""
        resumed = self.progress.batches
        if not resumed:
            loader = self.train_loader
            state = loader.state_dict() if isinstance(loader, DataLoader) else None
            rate = float(self.optimizer.param_groups[0]["lr"])
            self.progress = Progress(rate=rate, loader=state)
        self._tell("on_epoch_start")
        self.model.train()
        try:
            # An overflow shows in the loss, which is checked; NumPy's warnings would add noise.
            with np.errstate(over="ignore", invalid="ignore"):
                for number, batch in enumerate(self._batches(resumed), start=resumed):
                    self._train_batch(number, batch)
                    if self.stop_reason is not None and not self._pending:
                        return False
                if self._pending:
                    self._step()
        except BaseException:
            self.progress, self._pending = Progress(), []
            raise
        if self.progress.count == 0:
            raise ValueError("Trainer.fit: the training loader gave no batch")
        return True

    def _batches(self, resumed: int) -> Iterator[Any]:
        """The batches of an epoch from number `resumed` on."""
        if not resumed:
            yield from self.train_loader
            return
        # What the loader draws to come to this place again must not be drawn twice.
        states = {name: rng.state_dict() for name, rng in self.generators.items()}
        if isinstance(self.train_loader, DataLoader):
            self.train_loader.load_state_dict(self.progress.loader)
        batches = iter(self.train_loader)
        for _ in range(resumed):
            next(batches, None)
        for name, rng in self.generators.items():
            rng.load_state_dict(states[name])
        yield from batches

    def _train_batch(self, number: int, batch: Any) -> None:
        inputs, targets = split(batch)
        if self.augment is not None:
            inputs = (self.augment(inputs[0], self.rng), *inputs[1:])
        size = samples_in(targets)
        if not self._pending:
            self.optimizer.zero_grad()
        with self._looking_for_anomalies(number):
            loss = self.loss_fn(self.model(*inputs), targets)
            value = loss.item()
            self._check_loss(value, "training loss", f", batch {number + 1}")
            (loss if self.accumulate == 1 else loss * size).backward()
        self._pending.append(size)
        if len(self._pending) == self.accumulate:
            self._step()
        progress = self.progress
        progress.batches = number + 1
        progress.total += value * size
        progress.count += size
        self._tell("on_batch_end", BatchResult(number, size, value))

    def _step(self) -> None:
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        if self.accumulate > 1:
            samples = sum(self._pending)
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad = parameter.grad / samples
        if self.clip_norm is not None:
            optim.clip_grad_norm_(parameters, self.clip_norm)
        if self.clip_value is not None:
            optim.clip_grad_value_(parameters, self.clip_value)
        self.optimizer.step()
        self._pending = []
        if self.scheduler is not None and self.schedule == "step":
            self.scheduler.step()
        if self.average is not None:
            self.average.update(self.model)

    def _complete_epoch(self) -> None:
        record: Record = {
            "epoch": self.epoch + 1,
            "lr": self.progress.rate,
            "train_loss": self.progress.total / self.progress.count,
        }
        if self.validation_loader is not None:
            with np.errstate(over="ignore", invalid="ignore"), self._averaged():
                found = measure(self.model, self.validation_loader, self.loss_fn, self.metrics)
            self._check_loss(found["loss"], "validation loss")
            record |= {f"validation_{name}": value for name, value in found.items()}
        if self.scheduler is not None and self.schedule == "epoch":
            step: Callable[..., None] = self.scheduler.step
            step(*([monitored(record, self.monitor, "Trainer")] if self._wants_metric else []))
        self.epoch += 1
        self.progress = Progress()
        self.history.records.append(record)
        self._tell("on_epoch_end", record)

    def _check_loss(self, value: float, name: str, where: str = "") -> None:
        if not math.isfinite(value):
            help = "" if self.detect_anomaly else ", detect_anomaly=True names the op"
            raise TrainingError(
                f"the {name} became {value} in epoch {self.epoch + 1}{where}; a lower learning "
                f"rate may help{help}"
            )

    @contextlib.contextmanager
    def _looking_for_anomalies(self, number: int) -> Iterator[None]:
        if not self.detect_anomaly:
            yield
            return
        try:
            with detect_anomaly():
                yield
        except RuntimeError as error:
            if not str(error).startswith("detect_anomaly: "):
                raise
            raise TrainingError(f"epoch {self.epoch + 1}, batch {number + 1}: {error}") from error

    def _tell(self, event: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self, *arguments)

    def stop(self, reason: str) -> None:
        """End the training after the present step; `fit` then returns with this `stop_reason`."""
        self.stop_reason = reason

    # ---------------------------------------------------------------- weights for use

    def weights_for_use(self) -> Mapping[str, Any]:
        """Return the averaged weights where they are averaged, else the model's own state."""
        if self.average is not None and self.average.weights:
            return self.average.weights
        return self.model.state_dict()

    def use(self, weights: Mapping[str, Any]) -> None:
        """
        Give the model other weights at the end of a fit: the best ones, or averaged ones.

        The next `fit`, and `save`, go on from those it was trained to.
        """
        self._swap.put(weights)

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """Put averaged weights into the model for a while."""
        if self.average is None or not self.average.weights:
            yield
            return
        swap = Swap(self.model)
        swap.put(self.average.weights)
        try:
            yield
        finally:
            swap.back()

    # ---------------------------------------------------------------- files

    def save(self, path: PathLike, extra: Mapping[str, Any] | None = None) -> None:
        """
        Write a checkpoint from which `load` goes on bit for bit, atomically.

        It holds the weights, optimizer, schedule, order of the loader, generator, history, moving
        average, the callbacks' states, and the place in an epoch that was interrupted.

        Parameters
        ----------
        path : path-like
        extra : dict, optional
            Anything else to be kept; the keys "history" and "trainer" are taken.

        Raises
        ------
        RuntimeError
            If it is called between the batches of one accumulated step.
        OSError
            If it cannot be written.
        """
        if self._pending:
            raise RuntimeError(
                "Trainer.save: between the batches of one accumulated step there is nothing to "
                f"go on from; {len(self._pending)} of {self.accumulate} are done"
            )
        save_trainer(self, path, self._swap.training, {**self.extra, **(extra or {})})

    def load(self, path: PathLike) -> Checkpoint:
        """
        Go back to a checkpoint of `save`.

        Raises
        ------
        CheckpointError
            If it is damaged or does not fit; nothing is changed then.
        OSError
            If it cannot be read.
        """
        info = load_trainer(self, path)
        self._swap, self._pending = Swap(self.model), []
        self._folders = {Path(path).resolve().parent}
        return info


def _wants_metric(scheduler: LRScheduler) -> bool:
    """Whether its `step` takes the monitored number, as that of ReduceLROnPlateau does."""
    return "metrics" in inspect.signature(scheduler.step).parameters
