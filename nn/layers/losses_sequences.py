"""Losses of sequences, as modules."""

from __future__ import annotations

from typing import Any

from autograd import ctc_loss

from ..module import Module


class CTCLoss(Module):
    """
    Minus the log-likelihood of a text, summed over all its alignments in time.

    Graves et al. 2006, "Connectionist temporal classification: labelling unsegmented sequence data
    with recurrent neural networks".

    Parameters
    ----------
    blank : int, default 0
        The class that says nothing.
    reduction : {"mean", "sum", "none"}
        "mean" divides each loss by the length of its text (at least 1) first.
    zero_infinity : bool
        A text too long for its sequence has a loss of 0 and no gradient, not infinity and NaN.

    Raises
    ------
    ValueError
        In the call: if shapes or lengths do not fit, a text holds the blank, or the reduction is
        unknown.
    IndexError
        In the call: if a class is out of range.

    Examples
    --------
    >>> import autograd, nn
    >>> log_probs = autograd.full((2, 1, 2), 0.5).log()
    >>> nn.CTCLoss()(log_probs, autograd.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__()
        self.blank = blank
        self.reduction = reduction
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        """Compare log-probabilities (T, N, C) with texts (N, S) of the given lengths."""
        return ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
