"""The deep belief network: Boltzmann machines stacked, and tuned by wake and sleep."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import autograd
import optim
from autograd import bernoulli, cat, no_grad, sigmoid, softplus

from ..functional import one_hot
from ..layers.containers import ModuleList, Sequential
from ..layers.linear import Linear
from ..module import Module
from .rbm import RBM
from .vectors import as_rows, check_sizes, classifier_of

if TYPE_CHECKING:
    from ..train.history import History


class DeepBeliefNetwork(Module):
    r"""
    A generative model of several layers of binary causes, with a Boltzmann machine at the top.

    Downwards, `generative` layers make pixels out of causes; upwards, `recognition` layers guess
    the causes of pixels; the two uppermost layers are an `RBM`, which holds the prior. `pretrain`
    learns one machine after the other, each on the causes that the ones below it found (Hinton,
    Osindero and Teh 2006, "A fast learning algorithm for deep belief nets"), and splits each into
    its two directions. `forward` is the objective that tunes them all together, by wake and sleep
    (Hinton, Dayan, Frey and Neal 1995, "The wake-sleep algorithm for unsupervised neural
    networks") around contrastive divergence in the top, as the paper of 2006 does.

    ======================= ==============  ==========
    part                    units           parameters
    ======================= ==============  ==========
    recognition.0           784 to 400      314000
    generative.0            400 to 784      314384
    top (RBM)               400 and 400     160800
    ======================= ==============  ==========

    (Numbers for the default sizes: 789184 parameters.)

    Parameters
    ----------
    sizes : sequence of int, default (784, 400, 400)
        From pixels to the uppermost causes.
    num_classes : int, default 0
        Units for a label, beside the last but one layer: the network then learns pictures with
        their labels, classifies, and makes pictures of a class that is asked for.
    k : int, default 1
        Gibbs steps in the top machine for each batch.
    chains : int, default 0
        Persistent chains of the top machine, see `RBM`.

    Attributes
    ----------
    recognition, generative : ModuleList
        Linear layers, both from the pixels' side: ``generative[i]`` leads back over
        ``recognition[i]``.
    top : RBM

    Raises
    ------
    ValueError
        If a size is out of its range; in the call, if a sample has another number of elements
        than the first size, or labels are missing or one too many.

    Examples
    --------
    >>> import autograd, optim
    >>> model = DeepBeliefNetwork((16, 8, 6))
    >>> data = autograd.bernoulli(autograd.full((50, 16), 0.3))
    >>> _ = model.pretrain(data, epochs=1)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.01)
    >>> model(data).mean().backward()
    >>> optimizer.step()
    >>> model.sample(4, steps=10).shape
    (4, 16)
    """

    def __init__(
        self,
        sizes: Sequence[int] = (784, 400, 400),
        num_classes: int = 0,
        k: int = 1,
        chains: int = 0,
    ) -> None:
        super().__init__()
        self.sizes = check_sizes("DeepBeliefNetwork", sizes)
        if not isinstance(num_classes, int | np.integer) or num_classes < 0:
            raise ValueError(
                f"DeepBeliefNetwork: num_classes must be an integer >= 0, met {num_classes!r}"
            )
        self.num_classes = num_classes
        pairs = list(pairwise(self.sizes[:-1]))
        self.recognition = ModuleList(Linear(lower, upper) for lower, upper in pairs)
        self.generative = ModuleList(Linear(upper, lower) for lower, upper in pairs)
        self.top = RBM(self.sizes[-2] + num_classes, self.sizes[-1], k, chains, num_classes)

    def forward(self, v: Any, labels: Any = None) -> Any:
        """
        Objective of wake and sleep for each sample, shape (N,).

        Awake, causes are guessed from the data, and the generative layers learn to make the data
        from them; the top machine learns them by contrastive divergence. Asleep, a fantasy comes
        down from the top, whose causes are known, and the recognition layers learn to guess them.
        Every target is a drawn sample, so that no gradient flows from one layer to another.

        Parameters
        ----------
        v : Tensor (N, ...)
            In [0, 1].
        labels : Tensor of int (N,)
            With `num_classes`.
        """
        awake = self._causes(v)
        loss = 0.0
        for layer, lower, upper in zip(self.generative, awake, awake[1:], strict=False):
            loss = loss - _log_probability(layer(upper), lower)
        memory = self._with_labels(awake[-1], labels)
        fantasies = self.top.fantasies(memory)
        loss = loss + self.top.objective(memory, fantasies)
        asleep = self._fantasies(fantasies[:, : self.sizes[-2]])
        for layer, lower, upper in zip(self.recognition, asleep, asleep[1:], strict=False):
            surprise = -_log_probability(layer(lower), upper)
            loss = loss + (surprise if len(surprise) == len(memory) else surprise.mean())
        return loss

    # ---------------------------------------------------------------- up and down

    def _causes(self, v: Any) -> list[Any]:
        """The data, and drawn causes of each layer below the top machine's hidden units."""
        states = [as_rows("DeepBeliefNetwork", v, self.sizes[0])]
        with no_grad():
            for layer in self.recognition:
                states.append(bernoulli(sigmoid(layer(states[-1]))))
        return states

    def _fantasies(self, causes: Any) -> list[Any]:
        """What is drawn from the last but one layer's causes down to the pixels, pixels first."""
        states = [causes]
        with no_grad():
            for layer in reversed(list(self.generative)):
                states.append(bernoulli(sigmoid(layer(states[-1]))))
        return states[::-1]

    def _with_labels(self, causes: Any, labels: Any) -> Any:
        """The top machine's visible units: causes, and labels if there are any."""
        if (labels is None) == (self.num_classes > 0):
            wanted = "labels are needed" if self.num_classes else "there are no units for labels"
            raise ValueError(f"DeepBeliefNetwork: num_classes={self.num_classes}: {wanted}")
        if labels is None:
            return causes
        if tuple(labels.shape) != (len(causes),):
            raise ValueError(
                f"DeepBeliefNetwork: expected labels of shape ({len(causes)},), met "
                f"{tuple(labels.shape)}"
            )
        units = one_hot(autograd.as_tensor(labels), self.num_classes)
        return cat([causes, units.to(causes.dtype)], 1)

    def encode(self, v: Any) -> Any:
        """Probabilities of the last but one layer's causes, without drawing: (N, sizes[-2])."""
        v = as_rows("DeepBeliefNetwork", v, self.sizes[0])
        for layer in self.recognition:
            v = sigmoid(layer(v))
        return v

    def sample(self, n: int, steps: int = 200, labels: Any = None, start: Any = None) -> Any:
        """
        New samples: Gibbs steps in the top machine, then down through the generative layers.

        Parameters
        ----------
        n : int
        steps : int, default 200
        labels : sequence of int, optional
            One class for each sample, with `num_classes`; without it the machine chooses.
        start : Tensor (n, ...), optional
            Samples in whose causes the Gibbs steps begin; without it they begin in noise.

        Returns
        -------
        Tensor (n, sizes[0])
            Probabilities of the pixels.
        """
        inner = self.sizes[-2]
        if start is not None and len(start) != n:
            raise ValueError(
                f"DeepBeliefNetwork.sample: n={n} samples cannot start from {len(start)}"
            )
        with no_grad():
            memory = self.top.noise(n)
            causes = memory[:, :inner] if start is None else self._causes(start)[-1]
            if labels is not None:
                memory = self._with_labels(causes, autograd.as_tensor(labels))
            else:
                memory = cat([causes, memory[:, inner:]], 1)
            memory = self.top.gibbs(memory, steps, clamp=labels is not None)
            states = self._fantasies(memory[:, :inner])
            if not len(self.generative):
                return self.top.visible_probability(self.top.sample_hidden(memory))[:, :inner]
            return sigmoid(self.generative[0](states[1]))

    # ---------------------------------------------------------------- learning, layer by layer

    def pretrain(
        self,
        v: Any,
        labels: Any = None,
        *,
        epochs: int = 10,
        batch_size: int = 100,
        lr: float = 0.1,
        momentum: float = 0.5,
        weight_decay: float = 2e-4,
        progress: bool | None = False,
    ) -> list[History]:
        """
        Learn the machines one by one from the pixels on, and set all weights by them.

        Parameters
        ----------
        v : Tensor or ndarray (N, ...)
            In [0, 1]; what lies between is a probability, of which each batch draws anew.
        labels : Tensor or ndarray of int (N,)
            With `num_classes`; the top machine alone sees them.
        epochs, batch_size, lr, momentum, weight_decay :
            Of each machine, trained by SGD with a rate that falls from `lr` to a twentieth of it;
            biases do not decay.
        progress : bool, optional
            See `nn.train.fit`.

        Returns
        -------
        list of History
            One for each machine.
        """
        from ..train import fit  # here, since programs that only use a model need no trainer

        dtype = self.top.weight.dtype
        causes = as_rows("DeepBeliefNetwork", autograd.as_tensor(v), self.sizes[0]).to(dtype)
        histories = []
        for index in range(len(self.sizes) - 1):
            last = index == len(self.sizes) - 2
            if last:
                causes = self._with_labels(causes, labels)
            machine = self.top if last else RBM(self.sizes[index], self.sizes[index + 1]).to(dtype)
            machine.match_visible_bias_(causes)
            biases = [machine.visible_bias, machine.hidden_bias]
            groups = [
                {"params": [machine.weight], "weight_decay": weight_decay},
                {"params": biases},
            ]
            optimizer = optim.SGD(groups, lr=lr, momentum=momentum)
            histories.append(
                fit(
                    machine,
                    (causes, causes),
                    _mean_of_outputs,
                    optimizer,
                    epochs=epochs,
                    batch_size=batch_size,
                    scheduler=optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, epochs),
                    augment=_drawn,
                    progress=progress,
                )
            )
            if not last:
                self._split(index, machine)
                causes = machine.hidden_probability(causes).detach()
        return histories

    def _split(self, index: int, machine: RBM) -> None:
        """Set the layers of both directions to those of a machine."""
        up = cast("Linear", self.recognition[index])
        down = cast("Linear", self.generative[index])
        with no_grad():
            up.weight.copy_(machine.weight)
            down.weight.copy_(machine.weight.T)
            cast("Any", up.bias).copy_(machine.hidden_bias)
            cast("Any", down.bias).copy_(machine.visible_bias)

    # ---------------------------------------------------------------- how good it is

    def bound(self, v: Any, labels: Any = None, log_partition: float = 0.0) -> Any:
        r"""
        Lower bound of :math:`\log p(v)` (with labels, of :math:`\log p(v, y)`), shape (N,).

        :math:`\log p(v, h) - \log q(h | v)` at causes drawn from the recognition layers: its
        expectation is below :math:`\log p(v)` by how wrong recognition is.

        Parameters
        ----------
        v : Tensor (N, ...)
            Of zeros and ones.
        labels : Tensor of int (N,)
            With `num_classes`.
        log_partition : float
            Of the top machine: ``model.top.estimate_log_partition()``.

        Examples
        --------
        >>> import autograd
        >>> model = DeepBeliefNetwork((16, 8, 6))
        >>> log_z = model.top.log_partition().item()
        >>> model.bound(autograd.zeros(3, 16), log_partition=log_z).shape
        (3,)
        """
        states = self._causes(v)
        with no_grad():
            total = -self.top.free_energy(self._with_labels(states[-1], labels)) - log_partition
            for up, down, lower, upper in zip(
                self.recognition, self.generative, states, states[1:], strict=False
            ):
                total = total + _log_probability(down(upper), lower)
                total = total - _log_probability(up(lower), upper)
        return total

    def class_scores(self, v: Any) -> Any:
        """
        Log p(class | causes of v) by the top machine, with `num_classes`: (N, num_classes).

        Examples
        --------
        >>> import autograd
        >>> DeepBeliefNetwork((16, 8, 6), num_classes=3).class_scores(autograd.zeros(2, 16)).shape
        (2, 3)
        """
        return self.top.class_scores(self.encode(v))

    def classifier(self, num_classes: int) -> Sequential:
        """
        A perceptron that starts where the recognition layers and the top machine are.

        Its output layer is new. Label units have no part in it.

        Examples
        --------
        >>> import autograd
        >>> DeepBeliefNetwork((16, 8, 6)).classifier(3)(autograd.zeros(2, 16)).shape
        (2, 3)
        """
        last = Linear(self.sizes[-2], self.sizes[-1], dtype=self.top.weight.dtype)
        with no_grad():
            last.weight.copy_(self.top.weight[:, : self.sizes[-2]])
            cast("Any", last.bias).copy_(self.top.hidden_bias)
        return classifier_of([*cast("list[Linear]", list(self.recognition)), last], num_classes)


def _log_probability(scores: Any, states: Any) -> Any:
    """Log-probability of binary states under units whose log-odds are `scores`, shape (N,)."""
    return (states * scores - softplus(scores)).sum(1)


def _drawn(batch: Any, _: Any) -> Any:
    return bernoulli(batch)


def _mean_of_outputs(outputs: Any, _: Any) -> Any:
    """The loss of a model whose output is its objective."""
    return outputs.mean()
