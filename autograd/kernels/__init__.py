"""Array kernels: ndarrays in, ndarrays out, and no knowledge of what calls them.

Each kernel is one function with one contract, its docstring, and runs the best implementation there
is unless told otherwise; see README.md in this folder.
"""

from .avg_pool import avg_pool2d as avg_pool2d
from .avg_pool import avg_pool2d_backward as avg_pool2d_backward
from .common import conv_output_size as conv_output_size
from .common import pool_output_size as pool_output_size
from .conv import conv2d as conv2d
from .conv import conv2d_input as conv2d_input
from .conv import conv2d_weight as conv2d_weight
from .dispatch import MODES as MODES
from .dispatch import current_mode as current_mode
from .dispatch import implementation as implementation
from .dispatch import use as use
from .elementwise import relu as relu
from .elementwise import relu_backward as relu_backward
from .matmul import linear as linear
from .matmul import matmul as matmul
from .max_pool import max_pool2d as max_pool2d
from .max_pool import max_pool2d_backward as max_pool2d_backward
from .max_pool import max_pool2d_gather as max_pool2d_gather
from .max_pool import max_pool2d_input as max_pool2d_input
from .max_pool import max_pool2d_values as max_pool2d_values
from .memory import empty as empty
from .memory import empty_cache as empty_cache
from .norm import batch_norm as batch_norm
from .norm import batch_norm_apply as batch_norm_apply
from .norm import batch_norm_backward as batch_norm_backward
from .norm import batch_norm_stats as batch_norm_stats
from .norm import group_norm as group_norm
from .norm import group_norm_backward as group_norm_backward
from .norm import layer_norm as layer_norm
from .norm import layer_norm_backward as layer_norm_backward
from .softmax import cross_entropy as cross_entropy
from .softmax import log_softmax as log_softmax
from .softmax import log_softmax_backward as log_softmax_backward
from .softmax import softmax as softmax
from .softmax import softmax_backward as softmax_backward
from .threads import get_num_threads as get_num_threads
from .threads import set_num_threads as set_num_threads
from .update import adam_step as adam_step
from .update import add_to as add_to
from .update import rmsprop_step as rmsprop_step
from .update import scale_by as scale_by
from .update import sgd_step as sgd_step
from .update import sum_of_squares as sum_of_squares
