"""The kernels of this library and whole training steps, with what they are measured beside."""

from . import elementwise as elementwise
from . import images as images
from . import products as products
from . import rows as rows
from . import sequences as sequences
from . import steps as steps
from . import updates as updates
