"""Schedules of the learning rate, stepped once an epoch (or as often as you like)."""

from .base import LRScheduler as LRScheduler
from .base import LRScheduler as _LRScheduler  # noqa: F401 - what PyTorch called it until 2.0
from .compound import ChainedScheduler as ChainedScheduler
from .compound import SequentialLR as SequentialLR
from .cosine import CosineAnnealingLR as CosineAnnealingLR
from .cosine import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cyclic import CyclicLR as CyclicLR
from .factors import ConstantLR as ConstantLR
from .factors import ExponentialLR as ExponentialLR
from .factors import LinearLR as LinearLR
from .factors import MultiStepLR as MultiStepLR
from .factors import PolynomialLR as PolynomialLR
from .factors import StepLR as StepLR
from .lambdas import LambdaLR as LambdaLR
from .lambdas import MultiplicativeLR as MultiplicativeLR
from .one_cycle import OneCycleLR as OneCycleLR
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau
