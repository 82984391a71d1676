"""Losses: every constructor argument at least once, every reduction, each shape that is allowed."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.nn.cases import Case, Fixed, chosen, drawn

REDUCTIONS = ("none", "sum")  # the mean is what is left


def weighing(name: str, count: int, *also: str, **kwargs: Any) -> Callable[[Any], Any]:
    """Make a loss with a `weight` (and others) for each of `count` classes."""

    def build(lib: Any) -> Any:
        library = importlib.import_module("autograd" if lib.__name__ == "nn" else "torch")
        given = {key: library.tensor(drawn(count, seed=5)) for key in ("weight", *also)}
        return getattr(lib, name)(**given, **kwargs)

    return build


def quietly(library: Any, module: Any, *args: Any) -> Any:
    """Without PyTorch's warning that the mean of a divergence is not the divergence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return module(*args)


def of_logits(library: Any, module: Any, scores: Any, *args: Any) -> Any:
    return module(library.log_softmax(scores, -1), *args)


def manhattan(a: Any, b: Any) -> Any:
    return abs(a - b).sum(-1)


def likely(*shape: int, seed: int = 0) -> np.ndarray:
    """Probabilities."""
    return 1.0 / (1.0 + np.exp(-drawn(*shape, seed=seed)))


def signs(*shape: int) -> Fixed:
    return Fixed(2.0 * chosen(2, *shape) - 1.0)


X, T = drawn(4, 3), drawn(4, 3, seed=1)
CLASSES, YES = chosen(3, 4), Fixed(chosen(2, 4, 3).astype(float))
P = likely(4, 3)
SUMMING_UP = [
    case
    for reduction in REDUCTIONS
    for case in [
        Case("L1Loss", kwargs={"reduction": reduction}, call=(X, T)),
        Case("SmoothL1Loss", kwargs={"reduction": reduction, "beta": 0.5}, call=(X, T)),
        Case("HuberLoss", (reduction, 0.7), call=(X, T)),
        Case("MSELoss", kwargs={"reduction": reduction}, call=(X, T)),
        Case("BCELoss", kwargs={"reduction": reduction}, call=(P, Fixed(likely(4, 3, seed=1)))),
        Case("BCEWithLogitsLoss", kwargs={"reduction": reduction}, call=(X, likely(4, 3, seed=1))),
        Case("KLDivLoss", kwargs={"reduction": reduction, "log_target": True}, call=(X, T)),
        Case("GaussianNLLLoss", kwargs={"reduction": reduction, "full": True}, call=(X, T, P)),
        Case(
            "PoissonNLLLoss", kwargs={"reduction": reduction, "full": True}, call=(X, Fixed(P * 3))
        ),
        Case("HingeEmbeddingLoss", (0.5,), {"reduction": reduction}, call=(X, signs(4, 3))),
        Case("MarginRankingLoss", (0.5,), {"reduction": reduction}, call=(X, T, signs(4, 3))),
        Case("CosineEmbeddingLoss", (0.2,), {"reduction": reduction}, call=(X, T, signs(4))),
        Case("SoftMarginLoss", kwargs={"reduction": reduction}, call=(X, signs(4, 3))),
        Case("MultiMarginLoss", (2, 0.5), {"reduction": reduction}, call=(X, CLASSES)),
        Case("MultiLabelMarginLoss", kwargs={"reduction": reduction}, call=(X, chosen(3, 4, 3))),
        Case("MultiLabelSoftMarginLoss", kwargs={"reduction": reduction}, call=(X, YES)),
        Case(
            "TripletMarginLoss",
            (0.5, 1.0, 1e-3, True),
            {"reduction": reduction},
            call=(X, T, drawn(4, 3, seed=2)),
        ),
        Case(
            "TripletMarginWithDistanceLoss",
            kwargs={"distance_function": manhattan, "swap": True, "reduction": reduction},
            call=(X, T, drawn(4, 3, seed=2)),
        ),
    ]
]

MEANS = [
    Case("L1Loss", call=(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, -3.0])), note="a tie"),
    Case("SmoothL1Loss", call=(X, T)),
    Case("SmoothL1Loss", kwargs={"beta": 0.0}, call=(X, T)),
    Case("HuberLoss", call=(X, T)),
    Case("HuberLoss", call=(np.array([0.0, 1e200, -1e200]), np.array([1.0, 0.0, 0.0]))),
    Case("BCELoss", call=(np.array([0.0, 1.0, 0.0, 1.0]), Fixed(np.array([0.0, 0.0, 1.0, 1.0])))),
    Case("BCELoss", call=(P, likely(4, 3, seed=1)), build=weighing("BCELoss", 3), note="weighted"),
    Case("BCEWithLogitsLoss", call=(np.array([1e4, -1e4, 1e4]), Fixed(np.array([0.0, 0.0, 1.0])))),
    Case(
        "BCEWithLogitsLoss",
        call=(X, likely(4, 3, seed=1)),
        build=weighing("BCEWithLogitsLoss", 3, "pos_weight"),
        note="weighted",
    ),
    Case("KLDivLoss", call=(X, P), use=quietly),
    Case("KLDivLoss", kwargs={"log_target": True}, call=(X, T), use=quietly),
    Case("KLDivLoss", kwargs={"reduction": "batchmean"}, call=(X, P)),
    Case("KLDivLoss", kwargs={"reduction": "batchmean"}, call=(X[0, 0:1], Fixed(np.zeros(1)))),
    Case("GaussianNLLLoss", call=(X, T, P[:, 0])),
    Case("GaussianNLLLoss", call=(X, T, P[:, :1])),
    Case("GaussianNLLLoss", call=(X, T, P[:1])),
    Case("GaussianNLLLoss", kwargs={"eps": 0.5}, call=(X, T, P), note="below eps"),
    Case("PoissonNLLLoss", kwargs={"log_input": False}, call=(P, Fixed(P * 3))),
    Case("PoissonNLLLoss", kwargs={"log_input": False, "eps": 0.1, "full": True}, call=(P, P * 3)),
    Case("PoissonNLLLoss", kwargs={"full": True}, call=(X, Fixed(np.round(P * 4)))),
    Case("HingeEmbeddingLoss", call=(X, Fixed(np.round(T)))),
    Case("MarginRankingLoss", call=(X[:, 0], T[:, 0], signs(4))),
    Case("CosineEmbeddingLoss", call=(X[0], T[0], Fixed(np.array(-1.0)))),
    Case("CosineEmbeddingLoss", call=(np.zeros((2, 3)), X[:2], signs(2)), note="of nothing"),
    Case("SoftMarginLoss", call=(X, Fixed(T))),
    Case("SoftMarginLoss", call=(np.array([300.0, -300.0]), Fixed(np.array([1.0, 1.0])))),
    Case("MultiMarginLoss", call=(X[0], np.array(2))),
    Case(
        "MultiMarginLoss", call=(X, CLASSES), build=weighing("MultiMarginLoss", 3), note="weighted"
    ),
    Case(
        "MultiMarginLoss",
        call=(X, CLASSES),
        build=weighing("MultiMarginLoss", 3, p=2, margin=2.0, reduction="none"),
        note="weighted squares",
    ),
    Case("MultiLabelMarginLoss", call=(X[0], np.array([2, -1, 0]))),
    Case("MultiLabelMarginLoss", call=(X[:2], np.array([[-1, 2, 0], [1, 1, -1]]))),
    Case("MultiLabelSoftMarginLoss", call=(X[0], likely(3))),
    Case(
        "MultiLabelSoftMarginLoss",
        call=(X, YES),
        build=weighing("MultiLabelSoftMarginLoss", 3),
        note="weighted",
    ),
    Case("TripletMarginLoss", call=(X, T, drawn(4, 3, seed=2))),
    Case("TripletMarginLoss", (2.0,), {"p": 3}, call=(X[0], T[0], X[1])),
    Case("TripletMarginWithDistanceLoss", kwargs={"margin": 2.0}, call=(X, T, drawn(4, 3, seed=2))),
    Case(
        "CrossEntropyLoss",
        call=(X, CLASSES),
        build=weighing("CrossEntropyLoss", 3, label_smoothing=0.1, ignore_index=1),
        note="weighted",
    ),
    Case("NLLLoss", kwargs={"reduction": "none"}, call=(drawn(2, 3, 4), chosen(3, 2, 4))),
]

# The gradient is compared in the scores: that in log-probabilities differs from PyTorch's.
TEXTS = np.array([[1, 1, 2], [2, 1, 3], [3, 3, 3]])
LINE = np.array([1, 1, 2, 1, 3, 3])
S = drawn(6, 3, 4)
ALIGNMENTS = [
    Case("CTCLoss", call=(S, TEXTS, (6, 5, 6), (2, 3, 1)), use=of_logits),
    Case("CTCLoss", call=(S, TEXTS, np.array([6, 4, 3]), np.array([2, 3, 0])), use=of_logits),
    Case("CTCLoss", call=(S, LINE, (6, 5, 6), (2, 2, 2)), use=of_logits, note="in one line"),
    Case("CTCLoss", (3, "none"), call=(S, TEXTS % 3, (6, 5, 6), (1, 3, 2)), use=of_logits),
    Case("CTCLoss", (0, "sum", True), call=(S, TEXTS, (6, 2, 0), (3, 3, 1)), use=of_logits),
    Case("CTCLoss", (0, "none", True), call=(S, TEXTS, (6, 2, 6), (3, 3, 3)), use=of_logits),
    Case("CTCLoss", call=(S[:, 0], TEXTS[0], np.array(6), np.array(3)), use=of_logits),
    Case("CTCLoss", (0, "none"), call=(S[:, 0], TEXTS[0, 1:], (5,), (2,)), use=of_logits),
]

CASES = [*SUMMING_UP, *MEANS, *ALIGNMENTS]
