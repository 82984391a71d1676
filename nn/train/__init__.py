"""Training: a loop over epochs whose state survives being stopped at any moment."""

from .average import WeightAverage as WeightAverage
from .callbacks import BatchResult as BatchResult
from .callbacks import Callback as Callback
from .callbacks import EarlyStopping as EarlyStopping
from .callbacks import ProgressBar as ProgressBar
from .callbacks import TensorBoard as TensorBoard
from .evaluation import Evaluation as Evaluation
from .evaluation import evaluate as evaluate
from .evaluation import measure as measure
from .fitting import as_loader as as_loader
from .fitting import fit as fit
from .history import History as History
from .history import Record as Record
from .history import write_metrics as write_metrics
from .trainer import Trainer as Trainer
from .trainer import TrainingError as TrainingError
