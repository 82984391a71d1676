"""The trainer: what it counts, saves and restores, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.data import DataLoader, RandomShift, TensorDataset
from nn.metrics import accuracy
from nn.report import confusion_text
from nn.serialize import CheckpointError, save_checkpoint
from nn.train import Callback, Trainer, TrainingError, evaluate, write_metrics


def make_trainer(lr: float = 0.1, dropout: float = 0.5) -> Trainer:
    """A small model that draws random numbers in the order of samples, in dropout and in shifts."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(24, 1, 4, 4)).astype(np.float32)
    labels = (images.mean(axis=(1, 2, 3)) > 0).astype(np.int64)
    autograd.manual_seed(1)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2)
    )
    optimizer = optim.Adam(model.parameters(), lr=lr)
    return Trainer(
        model,
        optimizer,
        nn.CrossEntropyLoss(),
        DataLoader(TensorDataset(images, labels), 5, shuffle=True, generator=2),
        DataLoader(TensorDataset(images, labels), 24),
        metrics={"accuracy": accuracy},
        scheduler=optim.lr_scheduler.StepLR(optimizer, 2, 0.5),
        augment=RandomShift(1),
    )


def weights(trainer: Trainer) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in trainer.model.state_dict().items()}


def validation_loader(trainer: Trainer) -> DataLoader:
    assert isinstance(trainer.validation_loader, DataLoader)
    return trainer.validation_loader


def test_going_on_from_a_checkpoint_equals_never_having_stopped(tmp_path):
    whole = make_trainer()
    whole.fit(4)
    first = make_trainer()
    first.fit(2)
    first.save(tmp_path / "c", {"note": 1})
    second = make_trainer()
    autograd.manual_seed(99)
    assert second.load(tmp_path / "c").extra["note"] == 1
    assert second.epoch == 2
    second.fit(4)
    assert second.history == whole.history
    assert weights(second) == weights(whole)
    assert [record["lr"] for record in whole.history] == [0.1, 0.1, 0.05, 0.05]


def test_fit_tells_of_every_batch_and_epoch():
    batches, epochs, events = [], [], []

    class Listener(Callback):
        def on_fit_start(self, trainer):
            events.append("start")

        def on_epoch_start(self, trainer):
            events.append(trainer.epoch)

        def on_batch_end(self, trainer, result):
            batches.append((result.size, result.loss))

        def on_epoch_end(self, trainer, record):
            epochs.append(record)

        def on_fit_end(self, trainer):
            events.append("end")

    trainer = make_trainer()
    trainer.callbacks.append(Listener())
    trainer.fit(2)
    assert events == ["start", 0, 1, "end"]
    assert [size for size, _ in batches] == [5, 5, 5, 5, 4] * 2
    assert epochs == trainer.history
    assert [record["epoch"] for record in epochs] == [1, 2]
    mean = sum(size * loss for size, loss in batches[5:]) / 24
    assert epochs[1]["train_loss"] == pytest.approx(mean)


def test_evaluate_counts_in_evaluation_mode_and_puts_the_mode_back():
    trainer = make_trainer()
    trainer.model.train()
    loader = validation_loader(trainer)
    before = autograd.default_generator.state_dict()
    result = evaluate(trainer.model, loader, trainer.loss_fn, 2)
    again = evaluate(trainer.model, loader, trainer.loss_fn, 2)
    assert trainer.model.training
    assert autograd.default_generator.state_dict() == before  # dropout drew nothing
    assert result.loss == again.loss
    assert result.count == 24
    assert result.accuracy == result.correct / 24 == result.confusion.trace() / 24


def test_evaluate_weighs_a_short_last_batch_by_its_size():
    trainer = make_trainer()
    dataset = validation_loader(trainer).dataset
    one = evaluate(trainer.model, DataLoader(dataset, 24), trainer.loss_fn, 2)
    many = evaluate(trainer.model, DataLoader(dataset, 7), trainer.loss_fn, 2)
    assert many.loss == pytest.approx(one.loss, rel=1e-6)
    assert (many.confusion == one.confusion).all()


@pytest.mark.parametrize("lr", [1e30, float("inf")])
def test_a_loss_that_is_no_number_ends_the_training(lr):
    trainer = make_trainer(lr)
    with pytest.raises(
        TrainingError, match=r"loss became (nan|inf) in epoch 1(, batch \d)?; a lower learning"
    ):
        trainer.fit(3)
    assert trainer.epoch == 0
    assert len(trainer.history) == 0


def test_a_mistake_in_the_program_is_not_taken_for_a_bad_loss():
    trainer = make_trainer()
    trainer.loss_fn = lambda scores, targets: scores.no_such_method()
    with pytest.raises(AttributeError):
        trainer.fit(1)


@pytest.mark.parametrize(
    "extra",
    [
        None,
        {"history": 3},
        {"history": []},
        {"history": [{"epoch": 2, "lr": 0.1, "train_loss": 1.0, "validation_loss": 1.0}]},
    ],
)
def test_a_checkpoint_without_its_history_is_refused(tmp_path, extra):
    trainer = make_trainer()
    save_checkpoint(tmp_path / "c", model=trainer.model, epoch=1, extra=extra)
    before = weights(trainer)
    with pytest.raises(CheckpointError, match="history"):
        trainer.load(tmp_path / "c")
    assert weights(trainer) == before


def test_metrics_replace_the_file_as_a_whole(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1}\n{"epo')
    write_metrics(path, [{"epoch": 1}, {"epoch": 2, "x": 0.1}])
    lines = path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"epoch": 1}, {"epoch": 2, "x": 0.1}]
    assert list(tmp_path.iterdir()) == [path]


def test_confusion_text_lines_up():
    confusion = np.array([[1200, 0, 3], [0, 0, 0], [1, 20, 300]])
    lines = confusion_text(confusion, ["cat", "dog", "horse"]).splitlines()
    assert lines[0].strip() == "predicted"
    assert len({line.rindex("%") for line in lines if "%" in line}) == 1
    assert [line.split() for line in lines[1:]] == [
        ["true", "cat", "dog", "horse", "right"],
        ["cat", "1200", ".", "3", "99.8", "%"],
        ["dog", ".", ".", ".", "-"],
        ["horse", "1", "20", "300", "93.5", "%"],
    ]
    assert confusion_text(np.array([[3]])).splitlines()[-1].split() == ["0", "3", "100.0", "%"]


def test_pictures_are_drawn(tmp_path: Path):
    pytest.importorskip("matplotlib")
    from nn.report import save_confusion, save_curves

    trainer = make_trainer()
    trainer.fit(1)
    save_curves(tmp_path / "curves.png", trainer.history.records, title="a", test_accuracy=0.5)
    save_confusion(tmp_path / "one.png", np.array([[5, 0], [0, 0]]), title="b")
    save_confusion(tmp_path / "many.png", np.eye(40, dtype=np.int64), title="c")
    for name in ("curves.png", "one.png", "many.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
