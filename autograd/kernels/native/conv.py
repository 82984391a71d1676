"""Convolution by register tiles: what the unit of that name consists of."""

from .conv_gather import channels as channels
from .conv_gather import channels_tasks as channels_tasks
from .conv_gather import pack as pack
from .conv_gather import pack_tasks as pack_tasks
from .conv_gather import pixels as pixels
from .conv_gather import pixels_tasks as pixels_tasks
from .conv_gradient import finish as finish
from .conv_gradient import finish_tasks as finish_tasks
from .conv_gradient import gradient as gradient
from .conv_gradient import gradient_tasks as gradient_tasks
from .conv_gradient import lay as lay
from .conv_gradient import lay_tasks as lay_tasks
from .conv_gradient import narrow_gradient as narrow_gradient
from .conv_gradient import narrow_gradient_tasks as narrow_gradient_tasks
from .conv_tiles import VECTORS as VECTORS
