"""Models, and the names under which the command line finds them."""

from .deep_mlp import DeepMLP as DeepMLP
from .lenet import LeNet5 as LeNet5
from .mlp import MLP as MLP
from .perceptrons import PixelMLP as PixelMLP
from .perceptrons import SpiralMLP as SpiralMLP
from .recurrent import CharLanguageModel as CharLanguageModel
from .recurrent import SequenceRegressor as SequenceRegressor
from .registry import MODELS as MODELS
from .registry import ModelEntry as ModelEntry
from .registry import find_model as find_model
from .registry import get_model as get_model
from .registry import list_models as list_models
from .sorting import SortingTransformer as SortingTransformer
from .worked import WorkedNetwork as WorkedNetwork
