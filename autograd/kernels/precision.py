"""How exact float32 convolutions are: the switch between two sets of algorithms.

Winograd's convolution multiplies sums and differences of pixels, so its rounding errors follow the
largest numbers of a tile rather than those that an output adds up. For an error of at most
``e * sum |x| |w|``, the largest e of any output was, beside float64 (4 images of 64 x 28 x 28 to 64
channels; forward, input gradient, weight gradient):

=================== ======================= ======================= =======================
data                F(4x4), in "fast"       F(2x2), in "exact"      PyTorch, direct
=================== ======================= ======================= =======================
normal              1.0e-6  0.7e-6  1.0e-7  1.1e-7  1.3e-7  0.4e-7  1.0e-7  1.0e-7  2.3e-7
max(normal, 0) + 3  1.5e-7  0.7e-6  0.2e-7  1.2e-7  1.3e-7  0.3e-7  0.8e-7  1.0e-7  1.8e-7
normal + 1000       1.3e-7  2.0e-7  2.3e-7  1.4e-7  1.4e-7  3.2e-7  0.8e-7  0.8e-7  3.6e-6
=================== ======================= ======================= =======================

The root mean square is 0.6e-7 for F(4x4), 0.2e-7 for F(2x2) and 0.15e-7 for direct convolution of
normal data.

Where numbers of very different sizes meet, errors are small beside the largest of them only. An
error is at most ``e * sum over channels of max |x| * sum |w|``, with the largest of all pixels that
the tile reads, for e = 5e-6 with F(4x4) and 1e-6 with F(2x2); this was held against one channel of
1e4 times the others, too. A lone pixel of 1e4 thus costs other outputs of its tile three to four
digits, where direct convolution keeps them; in a weight gradient, the kernel's other taps.
"""

MODES = ("fast", "exact")
"""What can be asked for."""

TILES = {"fast": (4, 2), "exact": (2,)}
"""Sizes of Winograd tiles that a mode allows, see winograd.py."""

_mode = "fast"


def get_conv_precision() -> str:
    """Return how exact float32 convolutions are: "fast" or "exact".

    Examples
    --------
    >>> import autograd
    >>> autograd.get_conv_precision()
    'fast'
    """
    return _mode


def set_conv_precision(mode: str) -> None:
    """Choose how exact float32 convolutions are, for the whole process.

    It concerns 3 x 3 kernels at stride 1, forward and backward; all others, and float64, are
    computed directly in both modes. The mode counts when a kernel runs: a backward pass follows the
    mode at its own time.

    Parameters
    ----------
    mode : {"fast", "exact"}
        "fast", the default, may use the Winograd algorithm F(4x4, 3x3), whose errors on normal data
        are at most 2e-6 of the sum of the absolute products, about ten times those of direct
        convolution and five hundred times below those of TF32, which is what GPUs commonly train
        with. "exact" allows only F(2x2, 3x3), whose errors are those of direct convolution, unless
        single pixels are some orders of magnitude above their neighbours: see
        autograd/kernels/precision.py for what was measured. It takes about 1.6 times as long.

    Raises
    ------
    ValueError
        For another mode.

    Examples
    --------
    >>> import autograd
    >>> autograd.set_conv_precision("exact")
    >>> autograd.get_conv_precision()
    'exact'
    >>> autograd.set_conv_precision("fast")
    """
    global _mode
    if mode not in MODES:
        raise ValueError(
            f"set_conv_precision: unknown mode {mode!r}; the modes are {', '.join(MODES)}"
        )
    _mode = mode
