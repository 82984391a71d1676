"""What programs ask of `torch.cuda` before they choose a device: there is none."""


def is_available() -> bool:
    """False: tensors live on the CPU.

    Examples
    --------
    >>> import autograd
    >>> autograd.cuda.is_available()
    False
    """
    return False


def device_count() -> int:
    """Return 0.

    Examples
    --------
    >>> import autograd
    >>> autograd.cuda.device_count()
    0
    """
    return 0
