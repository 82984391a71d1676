"""Reverse-mode automatic differentiation with an explicit graph, on NumPy arrays.

>>> import autograd
>>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
>>> (x**2).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

import importlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if (Path(__file__).parent / "tracer.py").exists():
    warnings.warn(
        "files of the PyPI package 'autograd' (HIPS) lie in the folder of dagrad's 'autograd': the "
        "two share an import name and cannot share an environment; uninstall both, then install "
        "one",
        stacklevel=2,
    )

from . import kernels as kernels
from .differentiate import backward as backward
from .differentiate import grad as grad
from .dtypes import get_default_dtype as get_default_dtype
from .dtypes import set_default_dtype as set_default_dtype
from .families import contraction as contraction
from .families import elementwise as elementwise
from .families import movement as movement
from .families import reduction as reduction
from .families import structured as structured
from .gradcheck import GradcheckError as GradcheckError
from .gradcheck import gradcheck as gradcheck
from .gradcheck import gradgradcheck as gradgradcheck
from .graph import Node as Node
from .graph import Op as Op
from .graph import Spec as Spec
from .graph import Variable as Variable
from .kernels import empty_cache as empty_cache
from .kernels import get_conv_precision as get_conv_precision
from .kernels import get_num_threads as get_num_threads
from .kernels import set_conv_precision as set_conv_precision
from .kernels import set_num_threads as set_num_threads
from .modes import enable_grad as enable_grad
from .modes import inference_mode as inference_mode
from .modes import is_grad_enabled as is_grad_enabled
from .modes import is_inference_mode_enabled as is_inference_mode_enabled
from .modes import no_grad as no_grad
from .modes import set_grad_enabled as set_grad_enabled
from .ops.activation import gelu as gelu
from .ops.activation import relu as relu
from .ops.activation import sigmoid as sigmoid
from .ops.activation import silu as silu
from .ops.activation import softplus as softplus
from .ops.arithmetic import abs as abs
from .ops.arithmetic import add as add
from .ops.arithmetic import clamp as clamp
from .ops.arithmetic import clone as clone
from .ops.arithmetic import div as div
from .ops.arithmetic import eq as eq
from .ops.arithmetic import ge as ge
from .ops.arithmetic import gt as gt
from .ops.arithmetic import le as le
from .ops.arithmetic import lt as lt
from .ops.arithmetic import maximum as maximum
from .ops.arithmetic import minimum as minimum
from .ops.arithmetic import mul as mul
from .ops.arithmetic import ne as ne
from .ops.arithmetic import neg as neg
from .ops.arithmetic import pow as pow
from .ops.arithmetic import sign as sign
from .ops.arithmetic import sub as sub
from .ops.conv import conv2d as conv2d
from .ops.conv_line import conv1d as conv1d
from .ops.conv_transpose import conv_transpose1d as conv_transpose1d
from .ops.conv_transpose import conv_transpose2d as conv_transpose2d
from .ops.conv_transpose import conv_transpose3d as conv_transpose3d
from .ops.conv_volume import conv3d as conv3d
from .ops.diagonals import diag as diag
from .ops.diagonals import diag_embed as diag_embed
from .ops.diagonals import diagflat as diagflat
from .ops.diagonals import diagonal as diagonal
from .ops.diagonals import tril as tril
from .ops.diagonals import tril_indices as tril_indices
from .ops.diagonals import triu as triu
from .ops.diagonals import triu_indices as triu_indices
from .ops.dropout import dropout as dropout
from .ops.embedding import embedding as embedding
from .ops.gathering import gather as gather
from .ops.gathering import index_select as index_select
from .ops.gathering import masked_select as masked_select
from .ops.gathering import nonzero as nonzero
from .ops.gathering import take as take
from .ops.gathering import where as where
from .ops.index import take_along_dim as take_along_dim
from .ops.insert import fill as fill
from .ops.insert import index_add as index_add
from .ops.insert import index_copy as index_copy
from .ops.insert import index_fill as index_fill
from .ops.insert import index_put as index_put
from .ops.insert import masked_fill as masked_fill
from .ops.insert import masked_scatter as masked_scatter
from .ops.insert import put as put
from .ops.join import chunk as chunk
from .ops.join import column_stack as column_stack
from .ops.join import dsplit as dsplit
from .ops.join import dstack as dstack
from .ops.join import hsplit as hsplit
from .ops.join import hstack as hstack
from .ops.join import meshgrid as meshgrid
from .ops.join import split as split
from .ops.join import tensor_split as tensor_split
from .ops.join import unbind as unbind
from .ops.join import vsplit as vsplit
from .ops.join import vstack as vstack
from .ops.linalg import linear as linear
from .ops.linalg import matmul as matmul
from .ops.loss import cross_entropy as cross_entropy
from .ops.loss import log_softmax as log_softmax
from .ops.loss import mse_loss as mse_loss
from .ops.loss import nll_loss as nll_loss
from .ops.loss import softmax as softmax
from .ops.norm import batch_norm as batch_norm
from .ops.norm import group_norm as group_norm
from .ops.norm import layer_norm as layer_norm
from .ops.pool import avg_pool2d as avg_pool2d
from .ops.pool import max_pool2d as max_pool2d
from .ops.pool_adaptive import adaptive_avg_pool1d as adaptive_avg_pool1d
from .ops.pool_adaptive import adaptive_avg_pool2d as adaptive_avg_pool2d
from .ops.pool_adaptive import adaptive_avg_pool3d as adaptive_avg_pool3d
from .ops.pool_adaptive import adaptive_max_pool1d as adaptive_max_pool1d
from .ops.pool_adaptive import adaptive_max_pool2d as adaptive_max_pool2d
from .ops.pool_adaptive import adaptive_max_pool3d as adaptive_max_pool3d
from .ops.pool_back import max_unpool1d as max_unpool1d
from .ops.pool_back import max_unpool2d as max_unpool2d
from .ops.pool_back import max_unpool3d as max_unpool3d
from .ops.pool_dims import avg_pool1d as avg_pool1d
from .ops.pool_dims import avg_pool3d as avg_pool3d
from .ops.pool_dims import max_pool1d as max_pool1d
from .ops.pool_dims import max_pool3d as max_pool3d
from .ops.pool_power import local_response_norm as local_response_norm
from .ops.pool_power import lp_pool1d as lp_pool1d
from .ops.pool_power import lp_pool2d as lp_pool2d
from .ops.pool_power import lp_pool3d as lp_pool3d
from .ops.rearrange import flip as flip
from .ops.rearrange import fliplr as fliplr
from .ops.rearrange import flipud as flipud
from .ops.rearrange import repeat_interleave as repeat_interleave
from .ops.rearrange import roll as roll
from .ops.rearrange import rot90 as rot90
from .ops.rearrange import tile as tile
from .ops.reduce import amax as amax
from .ops.reduce import amin as amin
from .ops.reduce import argmax as argmax
from .ops.reduce import argmin as argmin
from .ops.reduce import logsumexp as logsumexp
from .ops.reduce import max as max
from .ops.reduce import mean as mean
from .ops.reduce import min as min
from .ops.reduce import std as std
from .ops.reduce import sum as sum
from .ops.reduce import var as var
from .ops.scattering import diagonal_scatter as diagonal_scatter
from .ops.scattering import scatter as scatter
from .ops.scattering import scatter_add as scatter_add
from .ops.scattering import scatter_reduce as scatter_reduce
from .ops.scattering import select_scatter as select_scatter
from .ops.scattering import slice_scatter as slice_scatter
from .ops.shape import cat as cat
from .ops.shape import expand as expand
from .ops.shape import flatten as flatten
from .ops.shape import mT as mT
from .ops.shape import pad as pad
from .ops.shape import permute as permute
from .ops.shape import reshape as reshape
from .ops.shape import squeeze as squeeze
from .ops.shape import stack as stack
from .ops.shape import transpose as transpose
from .ops.shape import unsqueeze as unsqueeze
from .ops.transcendental import cos as cos
from .ops.transcendental import erf as erf
from .ops.transcendental import exp as exp
from .ops.transcendental import log as log
from .ops.transcendental import sin as sin
from .ops.transcendental import sqrt as sqrt
from .ops.transcendental import tanh as tanh
from .ops.views import atleast_1d as atleast_1d
from .ops.views import atleast_2d as atleast_2d
from .ops.views import atleast_3d as atleast_3d
from .ops.views import broadcast_shapes as broadcast_shapes
from .ops.views import broadcast_tensors as broadcast_tensors
from .ops.views import broadcast_to as broadcast_to
from .ops.views import moveaxis as moveaxis
from .ops.views import movedim as movedim
from .ops.views import narrow as narrow
from .ops.views import ravel as ravel
from .ops.views import select as select
from .ops.views import swapaxes as swapaxes
from .ops.views import swapdims as swapdims
from .ops.views import t as t
from .ops.views import unflatten as unflatten
from .random import Generator as Generator
from .random import default_generator as default_generator
from .random import manual_seed as manual_seed
from .scalar import Scalar as Scalar
from .tensor import Tensor as Tensor
from .tensor import arange as arange
from .tensor import as_tensor as as_tensor
from .tensor import eye as eye
from .tensor import from_numpy as from_numpy
from .tensor import full as full
from .tensor import linspace as linspace
from .tensor import ones as ones
from .tensor import ones_like as ones_like
from .tensor import rand as rand
from .tensor import randint as randint
from .tensor import randn as randn
from .tensor import randperm as randperm
from .tensor import tensor as tensor
from .tensor import zeros as zeros
from .tensor import zeros_like as zeros_like
from .trace import Graph as Graph
from .trace import trace as trace
from .transforms.batching import VmapFallbackWarning as VmapFallbackWarning
from .transforms.batching import vmap as vmap
from .transforms.forward import jvp as jvp
from .transforms.reverse import value_and_grad as value_and_grad
from .transforms.reverse import vjp as vjp

if TYPE_CHECKING:
    from . import viz as viz
    from .viz import profile as profile


def __getattr__(name: str) -> Any:
    """Import what few programs need, and only when one asks for it."""
    if name == "viz":
        return importlib.import_module(".viz", __name__)
    if name == "profile":
        return importlib.import_module(".viz", __name__).profile
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
