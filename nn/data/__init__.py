"""Data: datasets, a loader of batches, readers of files, encodings of labels."""

from .collate import default_collate as default_collate
from .dataset import Dataset as Dataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .dataset import random_split as random_split
from .encode import one_hot as one_hot
from .loader import DataLoader as DataLoader
from .readers import Table as Table
from .readers import digits as digits
from .readers import mnist as mnist
from .readers import read_csv as read_csv
from .readers import read_idx as read_idx
from .transforms import Compose as Compose
from .transforms import Cutout as Cutout
from .transforms import GaussianNoise as GaussianNoise
from .transforms import ImageTransform as ImageTransform
from .transforms import RandomHorizontalFlip as RandomHorizontalFlip
from .transforms import RandomRotation as RandomRotation
from .transforms import RandomShift as RandomShift
from .transforms import RandomVerticalFlip as RandomVerticalFlip
from .transforms import Transform as Transform
