"""Module: the base class of layers and models, and the tensors that it holds."""

from .base import Module as Module
from .base import bracketed as bracketed
from .base import indented as indented
from .parameter import Buffer as Buffer
from .parameter import Parameter as Parameter
from .parameter import factory as factory
from .state import IncompatibleKeys as IncompatibleKeys
from .uninitialized import UninitializedBuffer as UninitializedBuffer
from .uninitialized import UninitializedParameter as UninitializedParameter
from .uninitialized import is_lazy as is_lazy
