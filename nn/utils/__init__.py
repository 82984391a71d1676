"""Tools for parameters and for batches of sequences, under PyTorch's names."""

from optim.clip import clip_grad_norm_ as clip_grad_norm_
from optim.clip import clip_grad_value_ as clip_grad_value_
from optim.clip import clip_grads_with_norm_ as clip_grads_with_norm_
from optim.clip import get_total_norm as get_total_norm

from . import parametrizations as parametrizations
from . import parametrize as parametrize
from . import prune as prune
from . import rnn as rnn
from . import stateless as stateless
from .convert import parameters_to_vector as parameters_to_vector
from .convert import vector_to_parameters as vector_to_parameters
from .fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
from .fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
from .fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
from .fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
from .hooks import remove_spectral_norm as remove_spectral_norm
from .hooks import remove_weight_norm as remove_weight_norm
from .hooks import spectral_norm as spectral_norm
from .hooks import weight_norm as weight_norm
from .initial import skip_init as skip_init
