"""Every name of nn and optim that a user of PyTorch may type is there, with PyTorch's arguments."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

FUNCTIONS = """
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
adaptive_max_pool2d adaptive_max_pool3d alpha_dropout avg_pool1d avg_pool2d avg_pool3d
batch_norm bilinear binary_cross_entropy binary_cross_entropy_with_logits celu channel_shuffle
conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d cosine_embedding_loss
cosine_similarity cross_entropy ctc_loss dropout dropout2d dropout3d elu embedding embedding_bag
gaussian_nll_loss gelu glu grid_sample group_norm hardshrink hardsigmoid hardswish hardtanh
hinge_embedding_loss huber_loss instance_norm interpolate kl_div l1_loss layer_norm leaky_relu
linear local_response_norm logsigmoid margin_ranking_loss max_pool1d max_pool2d max_pool3d mish
mse_loss multi_head_attention_forward multi_margin_loss multilabel_margin_loss
multilabel_soft_margin_loss nll_loss normalize one_hot pad pairwise_distance pixel_shuffle
pixel_unshuffle poisson_nll_loss prelu relu relu6 rms_norm rrelu scaled_dot_product_attention
selu silu smooth_l1_loss soft_margin_loss softmin softplus softshrink softsign tanhshrink
threshold triplet_margin_loss triplet_margin_with_distance_loss unfold
"""
MODULES = """
AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss
BatchNorm1d BatchNorm2d BatchNorm3d Bilinear CELU CTCLoss ChannelShuffle CircularPad1d
CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d Conv1d Conv2d Conv3d
ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss CosineSimilarity
CrossEntropyLoss Dropout Dropout1d Dropout2d Dropout3d ELU Embedding EmbeddingBag
FeatureAlphaDropout Flatten Fold FractionalMaxPool2d FractionalMaxPool3d GELU GLU GRU GRUCell
GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss
Identity InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss LPPool1d LPPool2d
LPPool3d LSTM LSTMCell LayerNorm LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d
LazyConvTranspose2d LazyConvTranspose3d LazyLinear LeakyReLU Linear LocalResponseNorm LogSigmoid
LogSoftmax MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d
MaxUnpool3d Mish ModuleDict ModuleList MultiLabelMarginLoss MultiLabelSoftMarginLoss
MultiMarginLoss MultiheadAttention NLLLoss PReLU PairwiseDistance ParameterDict ParameterList
PixelShuffle PixelUnshuffle PoissonNLLLoss RMSNorm RNN RNNCell RReLU ReLU ReLU6 ReflectionPad1d
ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d SELU
Sequential SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax Softmax2d Softmin Softplus
Softshrink Softsign Tanh Tanhshrink Threshold Transformer TransformerDecoder
TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer TripletMarginLoss
TripletMarginWithDistanceLoss Unflatten Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d
ZeroPad1d ZeroPad2d ZeroPad3d
"""
METHODS = """
parameters named_parameters buffers named_buffers children named_children modules named_modules
add_module register_parameter register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook state_dict load_state_dict train eval requires_grad_ zero_grad apply to
double float half extra_repr get_submodule get_parameter
"""
UTILITIES = """
clip_grad_norm_ clip_grad_value_ parameters_to_vector vector_to_parameters
rnn.pack_padded_sequence rnn.pad_packed_sequence rnn.pack_sequence rnn.pad_sequence
parametrizations.weight_norm parametrizations.spectral_norm parametrizations.orthogonal
parametrize.register_parametrization parametrize.remove_parametrizations prune.l1_unstructured
prune.random_unstructured
"""
INITIALISERS = """
uniform_ normal_ constant_ ones_ zeros_ eye_ dirac_ xavier_uniform_ xavier_normal_ kaiming_uniform_
kaiming_normal_ trunc_normal_ orthogonal_ sparse_ calculate_gain
"""
OPTIMIZERS = """
SGD ASGD Adam AdamW Adamax NAdam RAdam Adagrad Adadelta Adafactor RMSprop Rprop LBFGS Muon
"""
SCHEDULES = """
LambdaLR MultiplicativeLR StepLR MultiStepLR ConstantLR LinearLR ExponentialLR PolynomialLR
CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR OneCycleLR ReduceLROnPlateau SequentialLR
ChainedScheduler
"""

# Where the names of a list are, here and (after "torch.") there.
PLACES = {
    "nn.functional": FUNCTIONS,
    "nn": MODULES,
    "nn.Module": METHODS,
    "nn.utils": UTILITIES,
    "nn.init": INITIALISERS,
    "optim": OPTIMIZERS,
    "optim.lr_scheduler": SCHEDULES,
}
NAMES = [(place, name) for place, names in PLACES.items() for name in names.split()]

# Arguments of PyTorch that mean nothing here, wherever they stand.
MEANINGLESS = {"foreach", "fused", "capturable", "differentiable", "_stacklevel", "out"}
MEANINGLESS |= {"args", "kwargs"}


def found(root: str, path: str) -> Any:
    """What a dotted name stands for."""
    parts = (f"{root}.{path}" if root else path).split(".")
    thing: Any = importlib.import_module(parts[0])
    for i, part in enumerate(parts[1:], 2):
        if not hasattr(thing, part):
            thing = importlib.import_module(".".join(parts[:i]))
        else:
            thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize(("place", "name"), NAMES)
def test_it_is_there(place, name):
    thing = found("", f"{place}.{name}")
    assert callable(thing)
    assert inspect.getdoc(thing)


def parameters(thing: Any) -> dict[str, Any]:
    """Names and defaults of the arguments; an object counts as its type."""
    return {
        p.name: p.default
        for p in inspect.signature(thing).parameters.values()
        if p.name not in MEANINGLESS
    }


def comparable(value: Any) -> Any:
    """A default as both libraries may write it."""
    plain = isinstance(value, int | float | str | tuple | list | None)
    return value if plain else getattr(value, "__name__", repr(value))


@pytest.mark.parametrize(("place", "name"), NAMES)
def test_it_takes_what_pytorch_takes(torch, place, name):
    """Every argument of PyTorch's, by the same name, in the same order, with the same default."""
    try:
        theirs = parameters(found("torch", f"{place}.{name}"))
    except ValueError:
        pytest.skip("compiled code in PyTorch: its arguments cannot be asked for")
    ours = parameters(found("", f"{place}.{name}"))
    wanted = [p for p in theirs if p not in ("self", "cls")]
    assert [p for p in ours if p in theirs and p != "self"] == wanted
    for p in wanted:
        assert comparable(ours[p]) == comparable(theirs[p]), p
