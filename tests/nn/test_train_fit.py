"""Training in one call: options, early stopping, averages, files, Ctrl-C, and going on."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.data import DataLoader, IterableDataset, RandomShift, TensorDataset
from nn.metrics import accuracy
from nn.serialize import CheckpointError, load_file
from nn.train import (
    Callback,
    EarlyStopping,
    History,
    TensorBoard,
    Trainer,
    TrainingError,
    fit,
    measure,
)

ROOT = Path(__file__).resolve().parent.parent.parent
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4))
LABELS = (X.sum(1) > 0).astype(np.int64)
VALUES = (X @ np.array([[1.0], [-2.0], [0.5], [0.0]])).astype(np.float32)


def network(outputs: int = 2, dropout: float = 0.3) -> nn.Sequential:
    autograd.manual_seed(3)
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(dropout), nn.Linear(6, outputs)
    )


def weights(model: nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in model.state_dict().items()}


def run(model: nn.Module, epochs: int, lr: float = 0.05, **options: Any) -> History:
    """Classification with everything on that has a state; BatchNorm1d needs batches above 1."""
    optimizer = optim.Adam(model.parameters(), lr=lr)
    schedule = optim.lr_scheduler.StepLR(optimizer, 3, 0.5)
    options = {"early_stopping": 50, "average": 0.7, "clip_norm": 1.0, "accumulate": 2} | options
    options = {"scheduler": schedule, "schedule": "step", "validation": 0.25} | options
    loss = nn.CrossEntropyLoss()
    return fit(model, (X, LABELS), loss, optimizer, epochs=epochs, batch_size=4, **options)


class StopAt(Callback):
    """Stops after `batch` batches in all."""

    def __init__(self, batch: int) -> None:
        self.left = batch

    def on_batch_end(self, trainer, result):
        self.left -= 1
        if self.left == 0:
            trainer.stop("told to")


# ---------------------------------------------------------------- data and losses


def test_arrays_are_taken_in_the_dtype_of_the_model():
    history = run(network(), 2, metrics={"accuracy": accuracy})
    assert set(history[0]) == {
        *("epoch", "lr", "train_loss", "validation_loss", "validation_accuracy"),
    }
    model = nn.Linear(4, 1).double()
    loss = nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = fit(model, (X, VALUES), loss, optimizer, epochs=40, validation=(X, VALUES))
    assert history[-1]["validation_loss"] < 1e-2
    assert model.weight.dtype == np.float64


def test_loaders_datasets_and_lists_of_batches_are_taken():
    dataset = TensorDataset(X.astype(np.float32), VALUES)
    batches = [(autograd.from_numpy(X.astype(np.float32)), autograd.from_numpy(VALUES))]
    samples = [(x, y) for x, y in zip(X.astype(np.float32), VALUES, strict=True)]
    lists = (X.tolist(), VALUES.tolist())
    for data in (dataset, DataLoader(dataset, 8), (b for b in batches), samples, lists):
        model = network(1)
        optimizer = optim.SGD(model.parameters(), lr=0.01)
        history = fit(model, data, nn.MSELoss(), optimizer, epochs=1, validation=dataset)
        assert len(history) == 1


def test_streams_are_taken_in_their_order():
    class Stream(IterableDataset[Any]):
        def __iter__(self):
            return iter(zip(X.astype(np.float32), VALUES, strict=True))

    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    assert len(fit(model, Stream(), nn.MSELoss(), optimizer, epochs=2, batch_size=5)) == 2


def test_several_inputs():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 1)

        def forward(self, a, b):
            return self.layer(a) * b

    model = Both()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    fit(model, (X, np.ones((24, 1)), VALUES), nn.MSELoss(), optimizer, epochs=1)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"validation": 1.5}, ValueError, "share, > 0 and < 1"),
        ({"validation": 0.99}, ValueError, "of 24 samples leaves none to train on"),
        ({"callbacks": [3]}, TypeError, "a callback must be a Callback, not 3"),
        ({"metrics": [accuracy]}, TypeError, "metrics must be a dict"),
        ({"accumulate": 0}, ValueError, "accumulate must be an integer >= 1"),
        ({"clip_norm": -1.0}, ValueError, "clip_norm must be > 0"),
        ({"clip_value": 1.0}, ValueError, "clip_norm or clip_value, not both"),
        ({"average": 1.0}, ValueError, "decay must be >= 0 and < 1"),
        ({"schedule": "batch"}, ValueError, "'epoch' or 'step', not 'batch'"),
        ({"early_stopping": 0}, ValueError, "patience must be an integer >= 1"),
        ({"monitor": "validation_f1"}, ValueError, "is a lower validation_f1 better"),
        ({"monitor": "x", "mode": "max"}, ValueError, "no 'x' to monitor.*epoch, lr"),
        ({"validation": None, "metrics": {"a": accuracy}}, ValueError, "there are none"),
        ({"resume": True}, ValueError, "needs the folder"),
        ({"epochs": 1.5}, ValueError, "epochs must be an integer >= 0, not 1.5"),
    ],
)
def test_options_are_checked(options, error, words):
    with pytest.raises(error, match=words):
        run(network(), **{"epochs": 1, **options})


def test_data_are_checked():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TypeError, match="data must be a DataLoader"):
        fit(model, 3, nn.CrossEntropyLoss(), optimizer)
    with pytest.raises(TypeError, match=r"batch must be a tuple \(inputs, targets\).*of 1"):
        fit(model, (X,), nn.CrossEntropyLoss(), optimizer, epochs=1)
    loader = DataLoader(TensorDataset(X.astype(np.float32), LABELS), 50, drop_last=True)
    with pytest.raises(ValueError, match="gave no batch"):
        fit(model, loader, nn.CrossEntropyLoss(), optimizer, epochs=1)


# ---------------------------------------------------------------- steps


def test_accumulated_batches_make_the_step_of_one():
    found = []
    for size, accumulate in ((10, 1), (4, 3)):
        model = nn.Linear(4, 1).double()
        model.load_state_dict({"weight": np.ones((1, 4)), "bias": np.zeros(1)})
        data = DataLoader(TensorDataset(X[:10], VALUES[:10].astype(np.float64)), size)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        fit(model, data, nn.MSELoss(), optimizer, epochs=3, accumulate=accumulate)
        found.append(model.weight.detach().numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)


@pytest.mark.parametrize(("option", "limit"), [("clip_norm", 1e-3), ("clip_value", 1e-3)])
def test_clipping_limits_the_step(option, limit):
    model = nn.Linear(4, 1)
    before = model.weight.detach().numpy().copy()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    clip: Any = {option: limit}
    fit(model, (X, VALUES), nn.MSELoss(), optimizer, epochs=1, batch_size=24, **clip)
    moved = np.abs(model.weight.detach().numpy() - before).max()
    assert 0 < moved <= limit * 1.001


def test_schedules_by_step_and_by_epoch():
    rates = {}
    for schedule in ("step", "epoch"):
        model = nn.Linear(4, 1)
        optimizer = optim.SGD(model.parameters(), lr=1.0)
        scheduler = optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        history = fit(
            *(model, (X, VALUES), nn.MSELoss(), optimizer),
            epochs=3,
            batch_size=12,
            scheduler=scheduler,
            schedule=schedule,
        )
        rates[schedule] = [record["lr"] for record in history]
    assert rates == {"step": [1.0, 0.25, 0.0625], "epoch": [1.0, 0.5, 0.25]}


def test_a_plateau_scheduler_gets_the_monitored_number():
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, mode="max")
    options: Any = {"scheduler": scheduler, "schedule": "epoch", "metrics": {"one": lambda *_: 1.0}}
    options |= {"monitor": "validation_one", "mode": "max"}
    history = fit(
        *(model, (X, LABELS), nn.CrossEntropyLoss(), optimizer),
        epochs=4,
        validation=(X, LABELS),
        **options,
    )
    assert [record["lr"] for record in history] == [1.0, 1.0, 0.5, 0.25]
    with pytest.raises(ValueError, match="Plateau needs validation_one"):
        run(model, 2, **options | {"schedule": "step"})


def test_metrics_see_all_outputs_at_once():
    shapes = []

    def metric(outputs, targets):
        shapes.append((outputs.shape, targets.shape))
        return autograd.tensor(2.0)

    loader = DataLoader(TensorDataset(X.astype(np.float32), LABELS), 5)
    found = measure(network(), loader, nn.CrossEntropyLoss(), {"two": metric})
    assert shapes == [((24, 2), (24,))]
    assert found["two"] == 2.0
    found = measure(network(), loader, lambda *_: autograd.tensor(float("nan")), {"two": metric})
    assert len(shapes) == 1
    assert np.isnan([found["loss"], found["two"]]).all()


# ---------------------------------------------------------------- best, averaged, stopped


class Scripted(Callback):
    """Overwrites the validation loss and keeps the weights of each epoch."""

    def __init__(self, losses):
        self.losses, self.weights = losses, []

    def on_epoch_end(self, trainer, record):
        record["validation_loss"] = self.losses[trainer.epoch - 1]
        self.weights.append(weights(trainer.model))


def scripted(losses: list[float], epochs: int = 9, **options: Any) -> tuple[Trainer, Scripted]:
    model = network()
    script = Scripted(losses)
    data = DataLoader(TensorDataset(X.astype(np.float32), LABELS), 24)
    trainer = Trainer(
        *(model, optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss(), data, data),
        callbacks=[script, EarlyStopping(**options)],
    )
    trainer.fit(epochs)
    return trainer, script


def test_early_stopping_counts_epochs_and_restores_the_best():
    nan = float("nan")
    trainer, script = scripted([5.0, 3.0, 3.0, nan, 4.0, 1.0], patience=3)
    assert trainer.epoch == 5
    assert "not become better than 3.0 of epoch 2 for 3 epochs" in str(trainer.stop_reason)
    assert trainer.history.stop_reason == trainer.stop_reason
    assert weights(trainer.model) == script.weights[1] != script.weights[4]
    trainer.fit(9)  # stopped it stays
    assert trainer.epoch == 5
    last, script = scripted([5.0, 3.0, 3.0, 4.0], patience=2, restore_best=False)
    assert weights(last.model) == script.weights[3]


def test_a_small_gain_is_none():
    trainer, _ = scripted([5.0, 4.95, 4.85, 4.84, 4.83], patience=2, min_delta=0.1)
    assert trainer.epoch == 5
    trainer, _ = scripted([1.0, 2.0, 1.5, 1.7], patience=2, monitor="validation_loss", mode="max")
    assert trainer.epoch == 4


def test_after_the_best_was_restored_training_goes_on_from_the_last():
    losses = [2.0, 3.0, 1.0, 4.0]
    whole, _ = scripted(losses, epochs=4, patience=9)
    halves, script = scripted(losses, epochs=2, patience=9)
    assert weights(halves.model) == script.weights[0]
    halves.fit(4)
    assert weights(halves.model) == weights(whole.model)
    assert script.weights[3] != script.weights[2]
    loaded = network(2, 0.9)
    halves.model.load_state_dict(loaded.state_dict())  # what the user puts in is meant
    halves.fit(4)
    assert weights(halves.model) != script.weights[3]


def test_averaged_weights_are_validated_and_left_in_the_model():
    model = nn.Linear(4, 1, bias=False).double()
    path = []

    class Watch(Callback):
        def on_batch_end(self, trainer, result):
            path.append(trainer.model.weight.detach().numpy().copy())

    data = (X, VALUES.astype(np.float64))
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    history = fit(
        *(model, data, nn.MSELoss(), optimizer),
        epochs=3,
        batch_size=12,
        validation=data,
        average=0.6,
        callbacks=[Watch()],
    )
    expected = path[0]
    for point in path[1:]:
        expected = 0.6 * expected + 0.4 * point
    np.testing.assert_allclose(model.weight.detach().numpy(), expected, rtol=1e-12)
    loss = ((data[0] @ expected.T - data[1]) ** 2).mean()
    assert history[-1]["validation_loss"] == pytest.approx(loss)


# ---------------------------------------------------------------- a bad loss


def test_a_bad_loss_names_epoch_batch_and_op():
    x = X.astype(np.float32)
    x[9] = -1.0

    class Log(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 1)

        def forward(self, x):
            return self.layer(x * 0 + autograd.log(x.sum(1, keepdim=True)))

    x = np.abs(x) * np.sign(x.sum(1, keepdims=True) + 9 * (np.arange(24) != 9)[:, None])
    data = DataLoader(TensorDataset(x, VALUES), 4)
    for anomaly, words in ((False, "nan in epoch 1, batch 3"), (True, "epoch 1, batch 3.* log ")):
        model = Log()
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        with pytest.raises(TrainingError, match=words):
            fit(model, data, nn.MSELoss(), optimizer, detect_anomaly=anomaly)


# ---------------------------------------------------------------- files, stopping, going on


def test_the_folder_of_a_run(tmp_path):
    model = network()
    history = run(model, 4, folder=tmp_path / "run", early_stopping=None, average=None)
    assert {file.name for file in (tmp_path / "run").iterdir()} == {
        *("last.safetensors", "best.safetensors", "metrics.jsonl"),
    }
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == history.records
    best, _ = load_file(tmp_path / "run" / "best.safetensors")
    if history.best("validation_loss")["epoch"] == 4:
        assert all((best[name] == v.numpy()).all() for name, v in model.state_dict().items())
    with pytest.raises(FileExistsError, match="holds a run already"):
        run(model, 4, folder=tmp_path / "run")


@pytest.mark.parametrize(("batch", "own"), [(1, True), (6, False), (7, True), (11, False)])
def test_a_run_stopped_anywhere_goes_on_bit_for_bit(tmp_path, batch, own):
    # Eighteen samples: five batches an epoch, of which two make a step.
    augment = RandomShift(0)

    def jitter(x, rng):
        return x + augment.pixels + autograd.from_numpy(rng.normal(x.shape).astype(np.float32))

    def source():
        return autograd.Generator(5) if own else autograd.default_generator

    whole = network()
    expected = run(whole, 4, folder=tmp_path / "whole", rng=source(), augment=jitter)
    parts = network()
    stopped = run(
        parts, 4, folder=tmp_path / "parts", rng=source(), augment=jitter, callbacks=[StopAt(batch)]
    )
    assert stopped.stop_reason == "told to"
    again = network()
    autograd.manual_seed(77)
    found = run(again, 4, folder=tmp_path / "parts", resume=True, rng=source(), augment=jitter)
    assert found == expected
    assert weights(again) == weights(whole)
    for name in ("metrics.jsonl", "best.safetensors"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "parts"))
    assert one[1] == two[1]
    assert all(one[0][name].tobytes() == two[0][name].tobytes() for name in one[0])


def test_a_stopped_run_goes_on_in_memory_too():
    found = []
    for stop in (None, StopAt(7)):
        model = network()
        data = DataLoader(TensorDataset(X.astype(np.float32), LABELS), 4, True, generator=1)
        optimizer = optim.Adam(model.parameters())
        callbacks = [] if stop is None else [stop]
        loss = nn.CrossEntropyLoss()
        trainer = Trainer(model, optimizer, loss, data, callbacks=callbacks, accumulate=3)
        trainer.fit(3)
        trainer.fit(3)
        found.append((weights(model), trainer.history.records))
    assert found[0] == found[1]


def test_a_trainer_does_not_overwrite_another_s_run(tmp_path):
    def make():
        model = nn.Linear(4, 2)
        data = DataLoader(TensorDataset(X.astype(np.float32), LABELS), 8)
        return Trainer(model, optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss(), data)

    first, second = make(), make()
    first.fit(1, folder=tmp_path)
    first.fit(2, folder=tmp_path)
    with pytest.raises(FileExistsError, match="load it first"):
        second.fit(1, folder=tmp_path)
    second.load(tmp_path / "last.safetensors")
    assert len(second.fit(3, folder=tmp_path)) == 3


def test_a_run_of_another_kind_is_refused_and_nothing_changes(tmp_path):
    run(network(), 1, folder=tmp_path)
    cases = [
        ({"early_stopping": None}, "had the callbacks"),
        ({"average": None}, "averages its weights"),
        ({"average": 0.5}, "decay 0.7"),
        ({"validation": (X, LABELS)}, None),
    ]
    for options, words in cases:
        model = network()
        before = weights(model)
        if words is None:
            continue
        with pytest.raises(CheckpointError, match=words):
            run(model, 2, folder=tmp_path, resume=True, **options)
        assert weights(model) == before


def test_a_checkpoint_amid_an_accumulated_step_is_refused(tmp_path):
    class Save(Callback):
        def on_batch_end(self, trainer, result):
            trainer.save(tmp_path / "c")

    with pytest.raises(RuntimeError, match="1 of 2 are done"):
        run(network(), 1, callbacks=[Save()])


PROGRAM = """
import os, signal, sys
import numpy as np
import autograd, nn, optim
from nn.train import Callback, fit
signal.signal(signal.SIGINT, signal.default_int_handler)
autograd.manual_seed(0)
x = np.random.default_rng(0).normal(size=(40, 3))
model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
class Interrupt(Callback):
    seen = 0
    def on_batch_end(self, trainer, result):
        self.seen += 1
        for _ in range(int(sys.argv[2]) * (self.seen == 7)):
            os.kill(os.getpid(), signal.SIGINT)
history = fit(model, (x, x[:, :1]), nn.MSELoss(), optim.Adam(model.parameters()), epochs=3,
              batch_size=10, folder=sys.argv[1], resume=True, callbacks=[Interrupt()])
print(history.stop_reason, len(history), sum(float(p.sum()) for p in model.parameters()))
"""


def interrupted(folder: Path, signals: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(signals)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_ctrl_c_saves_and_stops_and_the_run_goes_on_bit_for_bit(tmp_path):
    whole = interrupted(tmp_path / "whole", 0)
    assert whole.returncode == 0, whole.stderr
    assert whole.stderr == ""  # the bar is quiet where stderr is no terminal
    stopped = interrupted(tmp_path / "parts", 1)
    assert stopped.returncode == 0, stopped.stderr
    assert stopped.stdout.startswith("interrupted 1 ")
    resumed = interrupted(tmp_path / "parts", 0)
    assert resumed.stdout == whole.stdout
    assert resumed.stdout.startswith("None 3 ")


def test_a_second_ctrl_c_ends_the_program_at_once(tmp_path):
    done = interrupted(tmp_path, 2)
    assert done.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in done.stderr


# ---------------------------------------------------------------- what is shown and written


def test_a_bar_is_shown_when_asked(capsys):
    history = run(network(), 2, progress=True)
    printed = capsys.readouterr().err
    assert "epoch 2/2" in printed
    assert f"validation loss {history[-1]['validation_loss']:.4g}" in printed
    run(network(), 1, progress=False)
    assert capsys.readouterr().err == ""


def test_history_as_table_and_picture(tmp_path):
    history = History([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25, "f": 1.0}])
    history.to_csv(tmp_path / "h.csv")
    with (tmp_path / "h.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["epoch", "train_loss", "f"],
            ["1", "0.5", ""],
            ["2", "0.25", "1.0"],
        ]
    assert history.best("f", "max")["epoch"] == 2
    with pytest.raises(ValueError, match="no epoch has a value of 'g'; known are: epoch"):
        history.best("g")
    pytest.importorskip("matplotlib")
    figure = history.plot(tmp_path / "h.png")
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "metric"]
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="nothing to draw"):
        History().plot()


def test_a_metric_that_is_nan_is_null_in_json(tmp_path):
    metrics = {"nan": lambda outputs, targets: float("nan")}
    options: Any = {"monitor": "validation_nan", "mode": "max", "early_stopping": 1}
    history = run(network(), 3, folder=tmp_path, metrics=metrics, **options)
    assert len(history) == 1
    assert not (tmp_path / "best.safetensors").exists()
    assert json.loads((tmp_path / "metrics.jsonl").read_text())["validation_nan"] is None


def test_event_files(tmp_path):
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto import event_pb2

    history = run(network(), 2, tensorboard=tmp_path / "events")
    (file,) = (tmp_path / "events").iterdir()
    data, found, place = file.read_bytes(), {}, 0
    while place < len(data):  # a length of eight bytes, a checksum of four, the event, another
        length = int.from_bytes(data[place : place + 8], "little")
        event: Any = vars(event_pb2)["Event"].FromString(data[place + 12 : place + 12 + length])
        found |= {(v.tag, event.step): v.simple_value for v in event.summary.value}
        place += length + 16
    expected = history[1]["validation_loss"]
    assert found["validation_loss", 2] == pytest.approx(expected)
    assert {step for _, step in found} == {1, 2}


def test_event_files_need_tensorboardx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install dagrad\[tensorboard\]"):
        run(network(), 1, callbacks=[TensorBoard(tmp_path)])
