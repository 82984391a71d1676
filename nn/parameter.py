"""Parameter, Buffer and their kin, under the name that PyTorch gives their module."""

from .module import Buffer as Buffer
from .module import Parameter as Parameter
from .module import UninitializedBuffer as UninitializedBuffer
from .module import UninitializedParameter as UninitializedParameter
from .module import is_lazy as is_lazy
