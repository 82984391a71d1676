"""The models that the command line knows, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..module import Module
from .alexnet import AlexNet, SmallAlexNet
from .autoencoder import Autoencoder, ConvAutoencoder, StackedAutoencoder
from .curves import HardSigmoidSum, SigmoidSum
from .deep_belief import DeepBeliefNetwork
from .deep_mlp import DeepMLP
from .lenet import LeNet5
from .linear_classifiers import LinearSVM, LogisticRegression, Perceptron
from .maxout import MaxoutNetwork
from .mlp import MLP
from .perceptrons import PixelMLP, SpiralMLP
from .rbm import RBM
from .recurrent import CharLanguageModel, SequenceRegressor
from .regression import LinearRegression
from .resnet import resnet18, resnet34, resnet50
from .resnet_small import ResNet20
from .sorting import SortingTransformer
from .vgg import vgg11, vgg13, vgg16, vgg19
from .worked import WorkedNetwork
from .yolo import YOLOv1
from .yolo_v3 import YOLOv3


@dataclass(frozen=True)
class ModelEntry:
    """
    A model that can be made by name.

    Attributes
    ----------
    name : str
    factory : callable
        Makes the model; one that classifies images takes ``in_channels=`` and ``num_classes=``.
    input_shape : tuple of int
        Of one example, without the batch.
    description : str
        One line.
    dtype : str
        Of the input.

    Examples
    --------
    >>> MODELS["lenet5"].input_shape
    (1, 32, 32)
    """

    name: str
    factory: Callable[..., Module]
    input_shape: tuple[int, ...]
    description: str
    dtype: str = "float32"


ENTRIES = (
    ModelEntry(
        "lenet5",
        LeNet5,
        (1, 32, 32),
        "LeNet-5 (LeCun et al. 1998) with ReLU and max pooling, for 32x32 images",
    ),
    ModelEntry(
        "mlp",
        MLP,
        (1, 32, 32),
        "perceptron with 32 hidden units on the means of 4x4 pixels of 32x32 images",
    ),
    ModelEntry(
        "alexnet",
        AlexNet,
        (3, 224, 224),
        "AlexNet (Krizhevsky et al. 2012), grouped; 61 million parameters, 3 GB: try --limit 64",
    ),
    ModelEntry(
        "small_alexnet",
        SmallAlexNet,
        (1, 32, 32),
        "AlexNet's ideas at the size of digits: groups, response normalisation, dropout",
    ),
    ModelEntry(
        "resnet20",
        ResNet20,
        (3, 32, 32),
        "ResNet-20 (He et al. 2016) for small images, shortcuts without parameters",
    ),
    ModelEntry(
        "resnet18",
        resnet18,
        (3, 224, 224),
        "ResNet-18 (He et al. 2016), torchvision's names; 12 million parameters: try --limit 64",
    ),
    ModelEntry(
        "resnet34",
        resnet34,
        (3, 224, 224),
        "ResNet-34 (He et al. 2016), torchvision's names; 22 million parameters: try --limit 64",
    ),
    ModelEntry(
        "resnet50",
        resnet50,
        (3, 224, 224),
        "ResNet-50 (He et al. 2016), torchvision's names; 26 million parameters: try --limit 64",
    ),
    ModelEntry(
        "vgg11",
        vgg11,
        (3, 224, 224),
        "VGG-11 (Simonyan, Zisserman 2015); 133 million parameters, 6 GB: try --limit 64",
    ),
    ModelEntry(
        "vgg13",
        vgg13,
        (3, 224, 224),
        "VGG-13 (Simonyan, Zisserman 2015); 133 million parameters, 6 GB: try --limit 64",
    ),
    ModelEntry(
        "vgg16",
        vgg16,
        (3, 224, 224),
        "VGG-16 (Simonyan, Zisserman 2015); 138 million parameters, 6 GB: try --limit 64",
    ),
    ModelEntry(
        "vgg19",
        vgg19,
        (3, 224, 224),
        "VGG-19 (Simonyan, Zisserman 2015); 144 million parameters, 6 GB: try --limit 64",
    ),
    ModelEntry(
        "worked_network",
        WorkedNetwork,
        (2,),
        "the 2-2-2-2 sigmoid network of the blackboard; learns the exclusive or",
    ),
    ModelEntry(
        "deep_mlp",
        DeepMLP,
        (64,),
        "perceptron of 20 layers with batch norm and residuals, for 64 pixels",
    ),
    ModelEntry(
        "maxout",
        MaxoutNetwork,
        (64,),
        "perceptron of maxout units (Goodfellow et al. 2013), for 64 pixels",
    ),
    ModelEntry(
        "linear_regression",
        partial(LinearRegression, 10),
        (10,),
        "linear regression of the progress of diabetes from ten measures of a patient",
    ),
    ModelEntry(
        "daily_views",
        partial(LinearRegression, 28),
        (28,),
        "linear regression of tomorrow's views from those of four weeks",
    ),
    ModelEntry(
        "sigmoid_sum",
        partial(SigmoidSum, 50),
        (1,),
        "a curve as a sum of 50 sigmoids",
    ),
    ModelEntry(
        "hard_sigmoid_sum",
        partial(HardSigmoidSum, 50),
        (1,),
        "a piecewise linear curve as a sum of 50 hard sigmoids, of two ReLUs each",
    ),
    ModelEntry(
        "logistic_regression",
        partial(LogisticRegression, 30),
        (30,),
        "logistic regression (Cox 1958): malignant tumours, from 30 measures of their cells",
    ),
    ModelEntry(
        "perceptron",
        partial(Perceptron, 30),
        (30,),
        "Rosenblatt's perceptron (1958), on the same tumours",
    ),
    ModelEntry(
        "linear_svm",
        partial(LinearSVM, 30),
        (30,),
        "linear support vector machine (Cortes, Vapnik 1995), on the same tumours",
    ),
    ModelEntry(
        "yolo_v1",
        YOLOv1,
        (1, 64, 64),
        "small YOLO of the first version (Redmon et al. 2016): boxes from the cells of a grid",
    ),
    ModelEntry(
        "yolo_v3",
        YOLOv3,
        (1, 64, 64),
        "small YOLO of the third version (Redmon, Farhadi 2018): anchors on two maps",
    ),
    ModelEntry(
        "adding_lstm",
        partial(SequenceRegressor, 2, forget_bias=2.0),
        (100, 2),
        "LSTM (Hochreiter, Schmidhuber 1997) that adds two marked numbers among 100 steps",
    ),
    ModelEntry(
        "adding_rnn",
        partial(SequenceRegressor, 2, cell="RNN"),
        (100, 2),
        "plain recurrent network on the same task, which it does not learn",
    ),
    ModelEntry(
        "char_lm",
        CharLanguageModel,
        (64,),
        "GRU that writes Python's manual, character by character (after Graves 2013)",
        "int64",
    ),
    ModelEntry(
        "spirals",
        SpiralMLP,
        (2,),
        "perceptron with two hidden layers of 32 units, for points on two spirals",
    ),
    ModelEntry(
        "digits256",
        PixelMLP,
        (1, 16, 16),
        "perceptron with 128 and 64 hidden units on the 256 pixels of 16x16 images",
    ),
    ModelEntry(
        "sorting",
        SortingTransformer,
        (10,),
        "small Transformer (Vaswani et al. 2017) that sorts strings of ten digits",
        "int64",
    ),
    ModelEntry(
        "autoencoder",
        Autoencoder,
        (1, 28, 28),
        "dense autoencoder of 28x28 images, with a code of 32 numbers",
    ),
    ModelEntry(
        "conv_autoencoder",
        ConvAutoencoder,
        (1, 28, 28),
        "convolutional autoencoder of 28x28 images, with a code of 32 numbers",
    ),
    ModelEntry(
        "denoising",
        partial(ConvAutoencoder, code_size=64),
        (1, 28, 28),
        "convolutional autoencoder that takes noise away (Vincent et al. 2008)",
    ),
    ModelEntry(
        "stacked_autoencoder",
        StackedAutoencoder,
        (1, 28, 28),
        "deep autoencoder of sigmoids, pre-trained layer by layer (Bengio et al. 2007)",
    ),
    ModelEntry(
        "rbm",
        partial(RBM, hidden=100),
        (1, 28, 28),
        "restricted Boltzmann machine (Hinton 2002), by contrastive divergence",
    ),
    ModelEntry(
        "deep_belief",
        partial(DeepBeliefNetwork, k=3, chains=100),
        (1, 28, 28),
        "deep belief network (Hinton et al. 2006), tuned by wake and sleep; makes up digits",
    ),
)

MODELS: dict[str, ModelEntry] = {entry.name: entry for entry in ENTRIES}


def list_models() -> list[str]:
    """
    Names of all models, sorted.

    Examples
    --------
    >>> "lenet5" in list_models()
    True
    """
    return sorted(MODELS)


def find_model(name: str) -> ModelEntry:
    """
    The entry of a model.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists those that are known.

    Examples
    --------
    >>> find_model("lenet6")
    Traceback (most recent call last):
    ...
    ValueError: unknown model 'lenet6'; known are: ..., lenet5, ...
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; known are: {', '.join(list_models())}")
    return MODELS[name]


def get_model(name: str, **arguments: Any) -> Module:
    """
    Make a model by name.

    Parameters
    ----------
    name : str
    **arguments
        For its factory.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> get_model("lenet5", num_classes=3).get_submodule("fc3")
    Linear(in_features=84, out_features=3, bias=True)
    """
    return find_model(name).factory(**arguments)
