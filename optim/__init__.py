"""Optimizers, learning-rate schedules and gradient clipping, under PyTorch's names."""

from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD
