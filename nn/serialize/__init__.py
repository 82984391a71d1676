"""Weights and checkpoints in files.

A file is written whole or not at all, and reading one runs nothing that is in it.
"""

from .arrays import DTYPES as DTYPES
from .arrays import RESERVED as RESERVED
from .arrays import load_file as load_file
from .arrays import save_file as save_file
from .checkpoint import CHECKPOINT_KEY as CHECKPOINT_KEY
from .checkpoint import Checkpoint as Checkpoint
from .checkpoint import Generators as Generators
from .checkpoint import Stateful as Stateful
from .checkpoint import load_checkpoint as load_checkpoint
from .checkpoint import load_weights as load_weights
from .checkpoint import save_checkpoint as save_checkpoint
from .files import STALE_SECONDS as STALE_SECONDS
from .files import CheckpointError as CheckpointError
from .files import PathLike as PathLike
from .files import write_atomically as write_atomically
from .formats import load as load
from .formats import save as save
from .npz import load_npz as load_npz
from .npz import save_npz as save_npz
from .pth import load_pth as load_pth
from .pth_write import save_pth as save_pth
from .states import pack as pack
from .states import unpack as unpack
