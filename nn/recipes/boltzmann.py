"""Boltzmann machines and deep belief networks, on handwritten digits in black and white."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from autograd import no_grad, tensor

from ..functional import binary_cross_entropy
from ..models import RBM, DeepBeliefNetwork
from ..module import Module
from ..report import save_image_rows
from ..train import Record
from .autoencoders import digits_from_zero_to_one
from .images import DATA
from .recipe import Recipe
from .task import Parts, Task, batches

FEATURES, DREAMS = "features.png", "dreams.png"
ROWS, COLUMNS = 4, 12  # of features and dreams
DREAM_STEPS = 1000
PRETRAINING_EPOCHS = 20  # of each machine, as the digits make few batches


class Divergence(Task):
    """Train a model whose output is the objective to descend, on black and white digits."""

    def load(self, rng: np.random.Generator) -> Parts:
        """Images of zeros and ones, and as many targets, at which nothing looks."""
        digits = digits_from_zero_to_one(self.settings.data, rng, self.settings.limit)
        train, validation, test = (
            ((images > 0.5).astype(np.float32), np.zeros(len(images), np.int64))
            for images in digits
        )
        return Parts(train, validation, test)

    def loss(self, outputs: Any, targets: Any) -> Any:
        """The mean of what the model gives."""
        return outputs.mean()


class BoltzmannMachine(Divergence):
    """Features of digits, by contrastive divergence."""

    def pretrain(self, model: Module) -> None:
        """Set the visible biases by how often each pixel is on."""
        cast("RBM", model).match_visible_bias_(tensor(self.parts.train[0]))

    def test(self, model: Module) -> dict[str, Any]:
        """Pseudo-likelihood, and what is lost on the way to the features and back, in nats."""
        machine = cast("RBM", model)
        pseudo = lost = 0.0
        with no_grad():
            for images, _ in batches(self.parts.test):
                v = images.flatten(1)
                back = machine.visible_probability(machine.hidden_probability(v))
                lost += binary_cross_entropy(back, v, reduction="sum").item()
                pseudo += machine.pseudo_likelihood(v).sum().item()
        count = self.parts.sizes[2]
        return {
            **super().test(model),
            "pseudo_likelihood": pseudo / count,
            "cross_entropy": lost / count,
        }

    def told(self, figures: Mapping[str, Any]) -> str:
        """Both figures, for each image."""
        return (
            f"test pseudo-likelihood {figures['pseudo_likelihood']:.1f} nats, cross-entropy of the "
            f"way to the features and back {figures['cross_entropy']:.1f} nats"
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and the weights of the strongest hidden units."""
        files = super().draw(model, history, figures, folder)
        weights = cast("RBM", model).weight.detach().numpy()
        strongest = np.abs(weights).sum(1).argsort()[::-1][: ROWS * COLUMNS]
        tiles = weights[strongest].reshape(ROWS, COLUMNS, *self.entry.input_shape[1:])
        title = f"{self.settings.model}: weights of its hidden units"
        rows = {f"{COLUMNS * i + 1} to {COLUMNS * (i + 1)}": row for i, row in enumerate(tiles)}
        save_image_rows(folder / FEATURES, rows, title=title, signed=True)
        return [*files, FEATURES]


class WakeSleep(Divergence):
    """A deep belief network: machines one by one, and then all together."""

    def pretrain(self, model: Module) -> None:
        """Greedily, from the pixels on."""
        network = cast("DeepBeliefNetwork", model)
        network.pretrain(self.parts.train[0], epochs=PRETRAINING_EPOCHS)
        count = len(network.sizes) - 1
        print(f"{count} machines trained one by one, {PRETRAINING_EPOCHS} epochs each")

    def test(self, model: Module) -> dict[str, Any]:
        """Lower bound of the log-likelihood, with an estimate of the partition function."""
        network = cast("DeepBeliefNetwork", model)
        log_z = network.top.estimate_log_partition()
        total = 0.0
        for images, _ in batches(self.parts.test):
            total += network.bound(images, log_partition=log_z).sum().item()
        return {
            **super().test(model),
            "bound": total / self.parts.sizes[2],
            "log_partition": log_z,
        }

    def told(self, figures: Mapping[str, Any]) -> str:
        """The bound, for each image."""
        return (
            f"test log-likelihood at least {figures['bound']:.1f} nats (variational bound), with "
            f"log Z of the top machine about {figures['log_partition']:.1f}"
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and digits that the network makes up."""
        files = super().draw(model, history, figures, folder)
        network = cast("DeepBeliefNetwork", model)
        dreams = network.sample(ROWS * COLUMNS, DREAM_STEPS).numpy()
        tiles = dreams.reshape(ROWS, COLUMNS, *self.entry.input_shape[1:])
        title = f"{self.settings.model}: digits that it makes up"
        rows = {f"{COLUMNS * i + 1} to {COLUMNS * (i + 1)}": row for i, row in enumerate(tiles)}
        save_image_rows(folder / DREAMS, rows, title=title)
        return [*files, DREAMS]


RECIPES = (
    Recipe(
        "rbm",
        DATA,
        BoltzmannMachine,
        {"optimizer": "sgd", "lr": 0.01, "epochs": 20, "lr_step": 15, "lr_decay": 0.1},
    ),
    Recipe(
        "deep_belief",
        DATA,
        WakeSleep,
        {"optimizer": "sgd", "lr": 2e-3, "epochs": 30, "lr_step": 20, "lr_decay": 0.1},
    ),
)
