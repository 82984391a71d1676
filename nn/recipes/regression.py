"""Numbers from numbers: linear regression on patients and on a series, curves from steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..data import Standardize, daily_views, diabetes, lagged, wavy_curve
from ..functional import mse_loss
from ..models import LinearRegression
from ..module import Module
from ..report import save_lines, save_predictions
from ..settings import reporting
from ..train import Record
from .recipe import Recipe
from .task import Part, Parts, Task, cut, outputs_of

SHARES = [0.2, 0.2]  # of all samples, for validation and for the test
PREDICTIONS = "predictions.png"
PAST = 28  # days: four weeks average a good part of the chance away, more bring little
YEAR = 365
VALIDATION_DAYS = 120  # the last before the test
SHOWN_DAYS = 84  # a year of days would be too dense to see
CURVE_POINTS = 801  # every second for training, the others for validation and test in turn


def rmse(outputs: Any, targets: Any) -> float:
    """
    Root of the mean squared error.

    Examples
    --------
    >>> rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    1.4142135623730951
    """
    return float(np.sqrt(((np.asarray(outputs) - np.asarray(targets)) ** 2).mean()))


class Regression(Task):
    """
    Base of what predicts one number: squared error, and its root in the targets' own unit.

    Models see targets that are standardised, by the numbers ``target mean`` and ``target std`` of
    what the parts are about.
    """

    metrics: ClassVar = {"rmse": rmse}

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Mean squared error."""
        return mse_loss(outputs, targets)

    def in_units(self, targets: np.ndarray) -> np.ndarray:
        """Standardised targets (N, 1) as numbers (N,) in their own unit."""
        about = self.parts.about
        return targets[:, 0] * about["target std"] + about["target mean"]

    def predicted(self, model: Module) -> np.ndarray:
        """What the model says of the test, in the targets' own unit."""
        return self.in_units(outputs_of(model, self.parts.test))

    def test(self, model: Module) -> dict[str, Any]:
        """The loss; root of the mean squared, and mean absolute error in the targets' unit."""
        figures = super().test(model)
        predicted, true = self.predicted(model), self.in_units(self.parts.test[1])
        figures["rmse"] = rmse(predicted, true)
        figures["mae"] = float(np.abs(predicted - true).mean())
        return figures


class Linear(Regression):
    """A linear regression, beside the best weights in closed form."""

    def test(self, model: Module) -> dict[str, Any]:
        """Errors, and those of the closed form."""
        figures = super().test(model)
        x, y = self.parts.train
        exact = LinearRegression(x.shape[1]).solve(x, y)
        figures["closed_form_rmse"] = super().test(exact)["rmse"]
        return figures

    def told(self, figures: Mapping[str, Any]) -> str:
        """Both kinds of errors."""
        return (
            f"test RMSE {figures['rmse']:.4g} (the closed form: "
            f"{figures['closed_form_rmse']:.4g}), mean absolute error {figures['mae']:.4g}"
        )


class Diabetes(Linear):
    """How far the disease goes within a year, from ten measures of a patient."""

    def load(self, rng: np.random.Generator) -> Parts:
        """Patients at random in three parts, standardised by the training part."""
        with reporting(ImportError):
            table = diabetes()
        places = [part[: self.settings.limit] for part in cut(len(table.targets), SHARES, rng)]
        x, y = table.features, table.targets[:, None]
        of_x, of_y = (Standardize().fit(array[places[0]]) for array in (x, y))
        about: dict[str, Any] = {}
        for name, scaler in ((table.feature_names, of_x), (["target"], of_y)):
            state = scaler.state_dict()
            for i, column in enumerate(name or []):
                about[f"{column} mean"] = float(state["shift"][0, i])
                about[f"{column} std"] = float(state["scale"][0, i])
        train, validation, test = ((of_x.transform(x[p]), of_y.transform(y[p])) for p in places)
        return Parts(train, validation, test, about)

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and predictions against what is true."""
        files = super().draw(model, history, figures, folder)
        save_predictions(
            folder / PREDICTIONS,
            self.predicted(model),
            self.in_units(self.parts.test[1]),
            title=f"diabetes: test RMSE {figures['rmse']:.1f}",
            name="progress of the disease",
        )
        return [*files, PREDICTIONS]


class DailyViews(Linear):
    """The views of tomorrow from those of four weeks: three years to learn, one for the test."""

    def load(self, rng: np.random.Generator) -> Parts:
        """Windows in the order of time, standardised by the training part."""
        views = daily_views(4 * YEAR, rng=rng)
        border = 3 * YEAR - VALIDATION_DAYS
        mean, std = float(views[:border].mean()), float(views[:border].std())
        x, y = lagged((views - mean) / std, PAST)
        day = np.arange(PAST, len(views))

        def days(first: int, last: int) -> Part:
            chosen = np.flatnonzero((day >= first) & (day < last))[: self.settings.limit]
            return x[chosen], y[chosen]

        return Parts(
            days(0, border),
            days(border, 3 * YEAR),
            days(3 * YEAR, 4 * YEAR),
            {"target mean": mean, "target std": std},
        )

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves, and the first weeks of the test."""
        files = super().draw(model, history, figures, folder)
        true, predicted = self.in_units(self.parts.test[1]), self.predicted(model)
        shown = slice(0, SHOWN_DAYS)
        save_lines(
            folder / PREDICTIONS,
            np.arange(len(true))[shown],
            {"views": true[shown], "predicted the day before": predicted[shown]},
            title=f"daily views: test RMSE {figures['rmse']:.2f} thousand",
            names=("day of the test", "views (thousands)"),
        )
        return [*files, PREDICTIONS]


class Curve(Regression):
    """A curve whose waves become shorter from left to right, from its points."""

    def load(self, rng: np.random.Generator) -> Parts:
        """Points of the curve: the three parts lie between each other."""
        x, y = wavy_curve(CURVE_POINTS, rng=rng)
        order = rng.permutation(len(x[::2]))  # so that a limit leaves points everywhere
        train = order * 2
        validation, test = (rng.permutation(np.arange(start, len(x), 4)) for start in (1, 3))
        places = [part[: self.settings.limit] for part in (train, validation, test)]
        first, second, third = ((x[part], y[part]) for part in places)
        return Parts(first, second, third, {"target mean": 0.0, "target std": 1.0})

    def draw(
        self, model: Module, history: Sequence[Record], figures: Mapping[str, Any], folder: Path
    ) -> list[str]:
        """Curves of the training, and the fitted curve."""
        files = super().draw(model, history, figures, folder)
        order = np.argsort(self.parts.test[0][:, 0])
        save_lines(
            folder / PREDICTIONS,
            self.parts.test[0][order, 0],
            {
                "the curve": self.parts.test[1][order, 0],
                self.settings.model: self.predicted(model)[order],
            },
            title=f"{self.settings.model}: test RMSE {figures['rmse']:.4f}",
        )
        return [*files, PREDICTIONS]


CURVE = {"epochs": 80, "batch_size": 16, "lr": 0.02, "lr_step": 20, "lr_decay": 0.3}

RECIPES = (
    Recipe(
        "linear_regression",
        ("diabetes",),
        Diabetes,
        {"epochs": 60, "lr": 0.02, "lr_step": 20, "lr_decay": 0.3},
    ),
    Recipe(
        "daily_views",
        ("views",),
        DailyViews,
        {"epochs": 40, "lr": 5e-3, "lr_step": 15, "lr_decay": 0.3},
    ),
    Recipe("sigmoid_sum", ("waves",), Curve, CURVE),
    Recipe("hard_sigmoid_sum", ("waves",), Curve, CURVE),
)
