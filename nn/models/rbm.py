"""The restricted Boltzmann machine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, cat, linear, logsumexp, no_grad, sigmoid, softmax, softplus

from ..functional import one_hot
from ..init import normal_
from ..module import Module, Parameter
from .vectors import as_rows

WEIGHT_STD = 0.01  # Hinton 2010, "A practical guide to training restricted Boltzmann machines"
MOST_STATES = 20  # binary units whose states are enumerated: about a million
BLOCK = 1 << 12  # states at a time


class RBM(Module):
    r"""
    Restricted Boltzmann machine: a layer of binary pixels, a layer of binary features between them.

    The probability of a state is :math:`e^{-E(v, h)} / Z` with the energy
    :math:`E(v, h) = -a^T v - b^T h - h^T W v`. Given one layer the units of the other are
    independent, so both can be sampled in one go. Hinton 2002, "Training products of experts by
    minimizing contrastive divergence"; with `chains` persistent contrastive divergence: Tieleman
    2008, "Training restricted Boltzmann machines using approximations to the likelihood gradient".

    ============== ============== ==========
    parameter      shape          parameters
    ============== ============== ==========
    weight         (500, 784)     392000
    visible_bias   (784,)         784
    hidden_bias    (500,)         500
    ============== ============== ==========

    (Numbers for the default sizes: 393284 parameters.)

    Parameters
    ----------
    visible, hidden : int, default 784, 500
        Units of the two layers.
    k : int, default 1
        Gibbs steps from the data (or of the chains) for each batch.
    chains : int, default 0
        Persistent chains: so many samples are kept from one batch to the next, in place of new
        ones that begin at the data. They move in training mode only.
    num_classes : int, default 0
        The last units of the visible layer form a group of which exactly one is on: a label.

    Raises
    ------
    ValueError
        If a size is out of its range; in the call, if a sample has not `visible` elements.

    Examples
    --------
    `forward` gives the objective that contrastive divergence descends, for each sample, so that
    any optimizer trains the model:

    >>> import autograd, optim
    >>> model = RBM(visible=16, hidden=8)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> batch = autograd.bernoulli(autograd.full((20, 16), 0.3))
    >>> model(batch).mean().backward()
    >>> optimizer.step()
    >>> model.gibbs(batch, 3).shape
    (20, 16)
    """

    def __init__(
        self,
        visible: int = 784,
        hidden: int = 500,
        k: int = 1,
        chains: int = 0,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("visible", visible, 1),
            ("hidden", hidden, 1),
            ("k", k, 1),
            ("chains", chains, 0),
            ("num_classes", num_classes, 0),
        ):
            if not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"RBM: {name} must be an integer >= {least}, met {value!r}")
        if num_classes > visible:
            raise ValueError(
                f"RBM: num_classes={num_classes} of the visible={visible} units cannot be classes"
            )
        self.visible, self.hidden, self.k, self.num_classes = visible, hidden, k, num_classes
        self.weight = Parameter(autograd.empty(hidden, visible))
        self.visible_bias = Parameter(autograd.zeros(visible))
        self.hidden_bias = Parameter(autograd.zeros(hidden))
        normal_(self.weight, 0.0, WEIGHT_STD)
        self.register_buffer("chains", self.noise(chains) if chains else None)

    def forward(self, v: Any) -> Any:
        r"""
        Contrastive-divergence objective of each sample, :math:`F(v) - F(v_k)`, shape (N,).

        :math:`v_k` is where `k` Gibbs steps lead, a constant. The gradient of the mean is the
        update of Hinton 2002 (with hidden probabilities for hidden samples, of less variance).
        With persistent chains :math:`F(v_k)` is their mean.
        """
        v = self._rows(v)
        return self.objective(v, self.fantasies(v))

    def objective(self, v: Any, fantasies: Any) -> Any:
        """How much higher the free energy of data is than that of what the machine makes up."""
        negative = self.free_energy(fantasies)
        return self.free_energy(v) - (negative if self.chains is None else negative.mean())

    def fantasies(self, v: Any) -> Any:
        """
        What the machine makes up: `k` Gibbs steps from `v`, or of the persistent chains.

        Parameters
        ----------
        v : Tensor (N, visible)
            Not looked at if there are chains.

        Returns
        -------
        Tensor (N, visible), or (chains, visible)
            Of zeros and ones.
        """
        if self.chains is None:
            return self.gibbs(v, self.k)
        chains = self.gibbs(self.chains, self.k)
        if self.training:
            self.chains = chains
        return chains

    def match_visible_bias_(self, v: Any) -> RBM:
        """
        Set the visible biases so that a machine with weights 0 has the means of the samples `v`.

        Weights then learn from the first step on how units depend on each other: Hinton's guide.

        Examples
        --------
        >>> import autograd
        >>> model = RBM(visible=2, hidden=3).match_visible_bias_(autograd.tensor([[0.0, 1.0]] * 98))
        >>> model.visible_bias
        Parameter containing:
        tensor([-4.5951,  4.5951], requires_grad=True)
        """
        v = self._rows(v)
        if not len(v):
            raise ValueError("match_visible_bias_: expected at least one sample, met none")
        low, high = v.min().item(), v.max().item()
        if not 0 <= low <= high <= 1:
            raise ValueError(
                f"match_visible_bias_: samples must lie in [0, 1], met {low} to {high}; divide "
                "images of bytes by 255"
            )
        with no_grad():
            # One made-up sample of each kind, so that a unit that is never on has a finite bias.
            on, off = v.sum(0) + 1, (1 - v).sum(0) + 1
            self.visible_bias.copy_((on / off).log())
        return self

    # ---------------------------------------------------------------- the distribution

    def free_energy(self, v: Any) -> Any:
        r"""
        :math:`F(v) = -\log \sum_h e^{-E(v, h)}`, shape (N,): low where samples are probable.

        Examples
        --------
        >>> import autograd
        >>> RBM(visible=3, hidden=2).free_energy(autograd.zeros(1, 3)).detach()  # -2 log 2
        tensor([-1.3863])
        """
        v = self._rows(v)
        inputs = linear(v, self.weight, self.hidden_bias)
        return -(softplus(inputs).sum(1) + v @ self.visible_bias)

    def hidden_probability(self, v: Any) -> Any:
        """Probability that each hidden unit is on, given visible ones: (N, hidden)."""
        return sigmoid(linear(self._rows(v), self.weight, self.hidden_bias))

    def visible_probability(self, h: Any) -> Any:
        """Probability that each visible unit is on, given hidden ones: (N, visible)."""
        return self._visible(as_rows("RBM: hidden units", h, self.hidden) @ self.weight)

    def _visible(self, inputs: Any) -> Any:
        """Probabilities of visible units from what the hidden ones send them, biases aside."""
        inputs = inputs + self.visible_bias
        if not self.num_classes:
            return sigmoid(inputs)
        pixels = self.visible - self.num_classes
        return cat([sigmoid(inputs[:, :pixels]), softmax(inputs[:, pixels:], 1)], 1)

    def sample_hidden(self, v: Any) -> Any:
        """Binary hidden units, drawn given visible ones."""
        with no_grad():
            return autograd.bernoulli(self.hidden_probability(v))

    def sample_visible(self, h: Any) -> Any:
        """Binary visible units, drawn given hidden ones."""
        with no_grad():
            return self._draw(self.visible_probability(h))

    def _draw(self, p: Any) -> Any:
        """Visible units with the probabilities `p`; of the class units exactly one is on."""
        if not self.num_classes:
            return autograd.bernoulli(p)
        pixels = self.visible - self.num_classes
        classes = autograd.multinomial(p[:, pixels:], 1)[:, 0]
        labels = one_hot(classes, self.num_classes).to(p.dtype)
        return cat([autograd.bernoulli(p[:, :pixels]), labels], 1)

    def noise(self, n: int) -> Any:
        """Visible units (n, visible) of which each value is as probable as any other."""
        return self._draw(autograd.full((n, self.visible), 0.5, dtype=self.weight.dtype))

    def gibbs(self, v: Any, steps: int = 1, clamp: bool = False) -> Any:
        """
        Draw hidden from visible units and visible from hidden ones, `steps` times.

        Parameters
        ----------
        v : Tensor (N, visible)
        steps : int, default 1
        clamp : bool, default False
            Leave the class units as they are.

        Returns
        -------
        Tensor (N, visible)
            Of zeros and ones.
        """
        if steps < 0:
            raise ValueError(f"RBM.gibbs: steps must be at least 0, met {steps}")
        given = v = self._rows(v).detach()
        pixels = self.visible - self.num_classes
        for _ in range(steps):
            v = self.sample_visible(self.sample_hidden(v))
            if clamp:
                v = cat([v[:, :pixels], given[:, pixels:]], 1)
        return v

    # ---------------------------------------------------------------- how good it is

    def log_partition(self) -> Any:
        """
        Log Z, exact and with a gradient, by going through all states of the smaller layer.

        Raises
        ------
        ValueError
            If both layers have more than 20 units.

        Examples
        --------
        >>> import numpy as np
        >>> log_z = RBM(visible=3, hidden=2).log_partition()
        >>> bool(abs(log_z.item() - 5 * np.log(2)) < 0.1)  # weights near 0: 2 ** 5 equal states
        True
        """
        if self.hidden > MOST_STATES and (self.visible > MOST_STATES or self.num_classes):
            raise ValueError(
                f"log_partition: {self.visible} visible and {self.hidden} hidden units have too "
                f"many states to go through; one layer may have {MOST_STATES} at most; "
                "estimate_log_partition needs no such limit"
            )
        by_hidden = self.hidden <= self.visible or self.num_classes > 0
        units = self.hidden if by_hidden else self.visible
        parts = []
        for start in range(0, 1 << units, BLOCK):
            states = self._states(np.arange(start, min(start + BLOCK, 1 << units)), units)
            parts.append(self._sum_out_visible(states) if by_hidden else -self.free_energy(states))
        return logsumexp(cat(parts), 0)

    def _states(self, numbers: np.ndarray, units: int) -> Tensor:
        """The binary digits of `numbers`, one row each."""
        return autograd.tensor((numbers[:, None] >> np.arange(units)) & 1, dtype=self.weight.dtype)

    def _sum_out_visible(self, h: Any) -> Any:
        """Log of the sum over v of exp(-E(v, h)), for each row of h."""
        return h @ self.hidden_bias + self._log_sum(h @ self.weight + self.visible_bias)

    def _log_sum(self, inputs: Any) -> Any:
        """Log of the sum of exp(inputs · v) over all visible states."""
        pixels = self.visible - self.num_classes
        total = softplus(inputs[:, :pixels]).sum(1)
        return total + logsumexp(inputs[:, pixels:], 1) if self.num_classes else total

    def estimate_log_partition(self, chains: int = 100, steps: int = 1000) -> float:
        """
        Log Z by annealed importance sampling, for machines of any size.

        Chains go from the machine without weights, whose Z is known, in small steps to this one,
        and their weights' mean estimates the ratio of the two: Salakhutdinov and Murray 2008, "On
        the quantitative analysis of deep belief networks". More steps make it more accurate; with
        few of them it tends to be too low.

        Examples
        --------
        >>> import autograd
        >>> model = RBM(visible=6, hidden=4)
        >>> estimate = model.estimate_log_partition(chains=50, steps=100)
        >>> bool(abs(estimate - model.log_partition().item()) < 0.01)
        True
        """
        if chains < 1 or steps < 1:
            raise ValueError(
                f"estimate_log_partition: chains={chains} and steps={steps} must be at least 1"
            )
        with no_grad():
            bias = self.visible_bias.detach()
            base = self._log_sum(bias.reshape(1, -1)).item() + self.hidden * math.log(2)
            v = self._draw(self._visible(autograd.zeros(chains, self.visible, dtype=bias.dtype)))
            weights = np.zeros(chains)
            for step in range(steps):
                inputs = linear(v, self.weight, self.hidden_bias)
                now, then = step / steps, (step + 1) / steps
                gain = softplus(inputs * then).sum(1) - softplus(inputs * now).sum(1)
                weights += gain.numpy()
                h = autograd.bernoulli(sigmoid(inputs * then))
                v = self._draw(self._visible((h @ self.weight) * then))
        return base + float(np.logaddexp.reduce(weights)) - math.log(chains)

    def pseudo_likelihood(self, v: Any) -> Any:
        r"""
        Estimate of :math:`\sum_i \log p(v_i | v_{-i})` from one unit i of each sample, shape (N,).

        It needs no partition function, since flipping a single unit leaves Z as it is: the log of
        the sigmoid of how much the free energy rises by it.

        Raises
        ------
        ValueError
            With class units, of which no single one can be flipped.

        Examples
        --------
        >>> import autograd
        >>> RBM(visible=3, hidden=2).pseudo_likelihood(autograd.zeros(5, 3)).shape
        (5,)
        """
        if self.num_classes:
            raise ValueError("pseudo_likelihood: class units cannot be flipped one at a time")
        v = self._rows(v)
        place = autograd.randint(0, self.visible, (len(v),))
        flip = one_hot(place, self.visible).to(v.dtype)
        flipped = v * (1 - flip) + (1 - v) * flip
        rise = self.free_energy(flipped) - self.free_energy(v)
        return -self.visible * softplus(-rise)

    def class_scores(self, x: Any) -> Any:
        """
        Log p(class | x) of each class, exact, for machines with class units: (N, num_classes).

        Parameters
        ----------
        x : Tensor (N, visible - num_classes)

        Examples
        --------
        >>> import autograd
        >>> RBM(visible=6, hidden=4, num_classes=2).class_scores(autograd.zeros(3, 4)).shape
        (3, 2)
        """
        pixels = self.visible - self.num_classes
        if not self.num_classes:
            raise ValueError("class_scores: the machine has no class units")
        x = as_rows("RBM: class_scores", x, pixels)
        # Each class adds its column of weights to what the pixels send.
        shared = linear(x, self.weight[:, :pixels], self.hidden_bias)
        inputs = shared.unsqueeze(1) + self.weight[:, pixels:].T
        return autograd.log_softmax(softplus(inputs).sum(2) + self.visible_bias[pixels:], 1)

    def _rows(self, v: Any) -> Any:
        return as_rows("RBM", v, self.visible)

    def extra_repr(self) -> str:
        """Sizes and ways of training."""
        parts = [f"visible={self.visible}, hidden={self.hidden}, k={self.k}"]
        if self.chains is not None:
            parts.append(f"chains={len(self.chains)}")
        if self.num_classes:
            parts.append(f"num_classes={self.num_classes}")
        return ", ".join(parts)
