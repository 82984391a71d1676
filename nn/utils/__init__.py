"""Tools for parameters and for batches of sequences, under PyTorch's names."""

from . import rnn as rnn
