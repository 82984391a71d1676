"""Averages of a model's weights along its training, under the names of torch.optim.swa_utils."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Tensor, no_grad
from optim.swa_utils import SWALR as SWALR
from optim.swa_utils import AverageFunction, MultiAverageFunction
from optim.swa_utils import get_ema_avg_fn as get_ema_avg_fn
from optim.swa_utils import get_ema_multi_avg_fn as get_ema_multi_avg_fn
from optim.swa_utils import get_swa_avg_fn as get_swa_avg_fn
from optim.swa_utils import get_swa_multi_avg_fn as get_swa_multi_avg_fn

from .layers.norm_channel import _BatchNorm
from .module import Module, factory


class AveragedModel(Module):
    r"""A copy of a model whose parameters are averages of what the model's were.

    The first update copies the parameters; each later one moves the averages, without other
    arguments to the plain mean of all.

    Parameters
    ----------
    model : Module
        Is copied.
    device : None or "cpu"
        There is one device.
    avg_fn : callable, optional
        Of an average, the present value and the number of values so far; returns the new average.
    multi_avg_fn : callable, optional
        The same for lists of averages and of values of one dtype; changes the averages in place,
        such as `get_ema_multi_avg_fn` gives.
    use_buffers : bool
        Average the buffers, too. Otherwise they are copied from the model at each update.

    Attributes
    ----------
    module : Module
        The copy.
    n_averaged : Tensor
        How many values were taken in, int64.

    Raises
    ------
    ValueError
        If both functions are given, or another device.
    TypeError
        If `model` is not a Module.

    References
    ----------
    P. Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", 2018.
    B. T. Polyak and A. B. Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.

    Examples
    --------
    >>> import autograd, nn
    >>> from nn.swa_utils import AveragedModel
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average.module.weight.item(), average.n_averaged.item()
    (3.0, 3)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: AverageFunction | None = None,
        multi_avg_fn: MultiAverageFunction | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(model, Module):
            raise TypeError(f"AveragedModel: model is of type {type(model).__name__}, not a Module")
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel: give avg_fn or multi_avg_fn, not both")
        factory("AveragedModel", device, None)
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", Tensor(np.zeros((), np.int64)))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the averaged copy."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of a model into the averages.

        Parameters
        ----------
        model : Module
            Of the same form as the one that was copied.

        Raises
        ------
        ValueError
            If its parameters or buffers are of other shapes; nothing is changed then.
        """
        averages, values = list(self.module.parameters()), list(model.parameters())
        copies, buffers = list(self.module.buffers()), list(model.buffers())
        check_forms("parameter", averages, values)
        check_forms("buffer", copies, buffers)
        with no_grad():
            if self.use_buffers:
                averages, values = [*averages, *copies], [*values, *buffers]
                copies, buffers = [], []
            pairs = [(a.detach(), v.detach()) for a, v in zip(averages, values, strict=True)]
            if self.n_averaged.item() == 0:
                for average, value in pairs:
                    average.copy_(value)
            else:
                self._average(pairs)
            for own, other in zip(copies, buffers, strict=True):
                own.detach().copy_(other.detach())
            self.n_averaged.add_(1)

    def _average(self, pairs: list[tuple[Tensor, Tensor]]) -> None:
        """Take values into averages, by the function that was given."""
        if self.avg_fn is not None:
            for average, value in pairs:
                average.copy_(self.avg_fn(average, value, self.n_averaged))
            return
        update = self.multi_avg_fn or get_swa_multi_avg_fn()
        for dtype in dict.fromkeys(average.dtype for average, _ in pairs):
            several = [pair for pair in pairs if pair[0].dtype == dtype]
            update([a for a, _ in several], [v for _, v in several], self.n_averaged)


def check_forms(what: str, own: list[Any], given: list[Any]) -> None:
    """Raise ValueError unless two lists of tensors are of the same shapes."""
    shapes, others = [t.shape for t in own], [t.shape for t in given]
    if shapes == others:
        return
    where = next((i for i, (a, b) in enumerate(zip(shapes, others, strict=False)) if a != b), None)
    met = (
        f"{len(others)} {what}s, and the averaged one {len(shapes)}"
        if where is None
        else f"{what} {where} of shape {others[where]}, and the averaged one {shapes[where]}"
    )
    raise ValueError(f"AveragedModel.update_parameters: the model has {met}")


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the statistics of a model's batch normalisations anew, from all batches of a loader.

    An averaged model has never seen a batch: its activations have other means and variances than
    those of the models that it is an average of.

    Parameters
    ----------
    loader : iterable
        Of inputs, or of tuples or lists whose first entry is the input.
    model : Module
    device : None or "cpu"
        There is one device.

    Raises
    ------
    ValueError
        If another device is given.

    Examples
    --------
    >>> import autograd, nn
    >>> from nn.swa_utils import update_bn
    >>> model = nn.BatchNorm1d(1)
    >>> batches = [autograd.tensor([[1.0], [3.0]]), autograd.tensor([[5.0], [7.0]])]
    >>> update_bn(batches, model)
    >>> model.running_mean
    tensor([4.])
    """
    factory("update_bn", device, None)
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta = [module.momentum for module in norms]
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.train()
        for module in norms:
            module.reset_running_stats()
            module.momentum = None  # the plain average over all batches
        for batch in loader:
            model(batch[0] if isinstance(batch, list | tuple) else batch)
    finally:
        for module, momentum in zip(norms, momenta, strict=True):
            module.momentum = momentum
        for module, training in modes:
            module.training = training
