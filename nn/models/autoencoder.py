"""Autoencoders: dense, convolutional, and stacked layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import autograd
import optim
from autograd import flatten, no_grad, relu, sigmoid

from ..layers.activation import ReLU, Sigmoid
from ..layers.containers import ModuleList, Sequential
from ..layers.conv import Conv2d
from ..layers.conv_transpose import ConvTranspose2d
from ..layers.linear import Linear
from ..layers.losses_likelihood import BCELoss
from ..module import Module
from .vectors import as_rows, check_sizes, classifier_of

if TYPE_CHECKING:
    from ..train.history import History


class Autoencoder(Module):
    """
    Squeeze samples through a narrow code and restore them: what the code keeps is what matters.

    Rumelhart, Hinton and Williams 1986, "Learning internal representations by error propagation".
    Between the linear layers stands an activation; the code is linear, the output goes through a
    sigmoid, so that samples should lie in [0, 1].

    ============ ======== ==========
    layer        output   parameters
    ============ ======== ==========
    linear       256      200960
    linear       32       8224
    linear       256      8448
    linear       784      201488
    ============ ======== ==========

    (Numbers for the default sizes: 419120 parameters.)

    Parameters
    ----------
    sizes : sequence of int, default (784, 256, 32)
        From the input's width to the code's; the decoder goes back the same way.
    activation : callable, default ReLU
        Makes the module that stands between two linear layers.

    Attributes
    ----------
    encoder, decoder : Sequential

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one is no integer > 0; in the call, if a sample has
        another number of elements than the first size.

    Examples
    --------
    >>> import autograd
    >>> model = Autoencoder((784, 64, 2))
    >>> digits = autograd.rand(5, 1, 28, 28)
    >>> model.encode(digits).shape, model(digits).shape
    ((5, 2), (5, 1, 28, 28))
    """

    def __init__(
        self, sizes: Sequence[int] = (784, 256, 32), activation: Callable[[], Module] = ReLU
    ) -> None:
        super().__init__()
        self.sizes = check_sizes("Autoencoder", sizes)
        self.encoder = _perceptron(self.sizes, activation)
        self.decoder = _perceptron(self.sizes[::-1], activation)
        self.decoder.append(Sigmoid())

    def encode(self, x: Any) -> Any:
        """Map samples (N, ...) to codes (N, sizes[-1])."""
        return self.encoder(as_rows("Autoencoder", x, self.sizes[0]))

    def decode(self, code: Any) -> Any:
        """Map codes (N, sizes[-1]) to samples (N, sizes[0])."""
        return self.decoder(code)

    def forward(self, x: Any) -> Any:
        """Restore samples (N, ...) from their codes, in their shape."""
        return self.decode(self.encode(x)).reshape(x.shape)


def _perceptron(sizes: Sequence[int], activation: Callable[[], Module]) -> Sequential:
    """Linear layers with activations between them."""
    layers = Sequential(Linear(sizes[0], sizes[1]))
    for inner, outer in pairwise(sizes[1:]):
        layers.append(activation())
        layers.append(Linear(inner, outer))
    return layers


class ConvAutoencoder(Module):
    """
    An autoencoder of images whose layers know which pixels are neighbours.

    After Masci, Meier, Ciresan and Schmidhuber 2011, "Stacked convolutional auto-encoders for
    hierarchical feature extraction"; convolutions of stride 2 stand where the paper pools.

    ======================= ============ ==========
    layer                   output       parameters
    ======================= ============ ==========
    conv 3x3, stride 2      16 x 14 x 14 160
    conv 3x3, stride 2      32 x 7 x 7   4640
    linear                  32           50208
    linear                  32 x 7 x 7   51744
    transposed conv 4x4     16 x 14 x 14 8208
    transposed conv 4x4     1 x 28 x 28  257
    ======================= ============ ==========

    with ReLUs between the layers except around the code, and a sigmoid at the end. (Numbers for
    the defaults: 115217 parameters.)

    Parameters
    ----------
    in_channels : int, default 1
    code_size : int, default 32
    channels : (int, int), default (16, 32)
        Of the two convolutions.
    image_size : int, default 28
        Height and width of the images, a multiple of 4.

    Raises
    ------
    ValueError
        If a size is not as said above; in the call, if the images are not
        (N, in_channels, image_size, image_size).

    Examples
    --------
    >>> import autograd
    >>> model = ConvAutoencoder(code_size=8)
    >>> digits = autograd.rand(5, 1, 28, 28)
    >>> model.encode(digits).shape, model(digits).shape
    ((5, 8), (5, 1, 28, 28))
    """

    def __init__(
        self,
        in_channels: int = 1,
        code_size: int = 32,
        channels: tuple[int, int] = (16, 32),
        image_size: int = 28,
    ) -> None:
        super().__init__()
        few, many = check_sizes("ConvAutoencoder: channels", channels)
        if image_size < 4 or image_size % 4:
            raise ValueError(
                f"ConvAutoencoder: image_size must be a multiple of 4, met {image_size}"
            )
        check_sizes("ConvAutoencoder: in_channels and code_size", (in_channels, code_size))
        self.image_shape = (in_channels, image_size, image_size)
        self.map_shape = (many, image_size // 4, image_size // 4)
        cells = many * (image_size // 4) ** 2
        self.conv1 = Conv2d(in_channels, few, 3, stride=2, padding=1)
        self.conv2 = Conv2d(few, many, 3, stride=2, padding=1)
        self.to_code = Linear(cells, code_size)
        self.from_code = Linear(code_size, cells)
        self.deconv1 = ConvTranspose2d(many, few, 4, stride=2, padding=1)
        self.deconv2 = ConvTranspose2d(few, in_channels, 4, stride=2, padding=1)

    def encode(self, x: Any) -> Any:
        """Map images (N, in_channels, image_size, image_size) to codes (N, code_size)."""
        if tuple(x.shape[1:]) != self.image_shape:
            raise ValueError(
                f"ConvAutoencoder: expected images (N, {str(self.image_shape)[1:]}, met shape "
                f"{tuple(x.shape)}"
            )
        return self.to_code(flatten(relu(self.conv2(relu(self.conv1(x)))), 1))

    def decode(self, code: Any) -> Any:
        """Map codes (N, code_size) to images."""
        maps = relu(self.from_code(code)).reshape(code.shape[0], *self.map_shape)
        return sigmoid(self.deconv2(relu(self.deconv1(maps))))

    def forward(self, x: Any) -> Any:
        """Restore images from their codes."""
        return self.decode(self.encode(x))


class StackedAutoencoder(Module):
    """
    A deep autoencoder of logistic units whose layers are trained one at a time, then together.

    Each layer is first an autoencoder of its own, on the codes of the layers below; the stack of
    them is a good start for training the whole: Hinton and Salakhutdinov 2006, "Reducing the
    dimensionality of data with neural networks"; Bengio, Lamblin, Popovici and Larochelle 2007,
    "Greedy layer-wise training of deep networks". With `noise` in `pretrain` the layers are
    denoising ones: Vincent, Larochelle, Bengio and Manzagol 2008.

    ============ ======== ==========
    layer        output   parameters
    ============ ======== ==========
    linear       256      200960
    linear       64       16448
    linear       16       1040
    linear       64       1088
    linear       256      16640
    linear       784      201488
    ============ ======== ==========

    with a sigmoid after each. (Numbers for the default sizes: 437664 parameters.)

    Parameters
    ----------
    sizes : sequence of int, default (784, 256, 64, 16)
        From the input's width to the code's.

    Attributes
    ----------
    encoders, decoders : ModuleList
        Linear layers, both from the input's side: ``decoders[i]`` undoes ``encoders[i]``.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, or one is no integer > 0; in the call, if a sample has
        another number of elements than the first size.

    Examples
    --------
    >>> import autograd
    >>> model = StackedAutoencoder((16, 8, 4))
    >>> data = autograd.rand(20, 16)
    >>> [len(history) for history in model.pretrain(data, epochs=2)]
    [2, 2]
    >>> model.encode(data).shape, model(data).shape
    ((20, 4), (20, 16))
    """

    def __init__(self, sizes: Sequence[int] = (784, 256, 64, 16)) -> None:
        super().__init__()
        self.sizes = check_sizes("StackedAutoencoder", sizes)
        pairs = list(pairwise(self.sizes))
        self.encoders = ModuleList(Linear(inner, outer) for inner, outer in pairs)
        self.decoders = ModuleList(Linear(outer, inner) for inner, outer in pairs)

    def encode(self, x: Any) -> Any:
        """Map samples (N, ...) to codes (N, sizes[-1])."""
        code = as_rows("StackedAutoencoder", x, self.sizes[0])
        for layer in self.encoders:
            code = sigmoid(layer(code))
        return code

    def decode(self, code: Any) -> Any:
        """Map codes (N, sizes[-1]) to samples (N, sizes[0])."""
        for layer in reversed(list(self.decoders)):
            code = sigmoid(layer(code))
        return code

    def forward(self, x: Any) -> Any:
        """Restore samples (N, ...) from their codes, in their shape."""
        return self.decode(self.encode(x)).reshape(x.shape)

    def layer(self, index: int) -> Sequential:
        """
        One layer as an autoencoder of the codes below it; it shares this model's parameters.

        Examples
        --------
        >>> model = StackedAutoencoder((16, 8, 4))
        >>> model.layer(1)[0] is model.encoders[1]
        True
        """
        return Sequential(self.encoders[index], Sigmoid(), self.decoders[index], Sigmoid())

    def pretrain(
        self,
        x: Any,
        *,
        epochs: int = 10,
        batch_size: int = 100,
        lr: float = 0.002,
        noise: float = 0.0,
        progress: bool | None = False,
    ) -> list[History]:
        """
        Train the layers one by one, from the input on, each to restore the codes below it.

        Parameters
        ----------
        x : Tensor or ndarray (N, ...)
            In [0, 1].
        epochs, batch_size, lr :
            Of each layer, trained by Adam on the cross-entropy.
        noise : float, default 0
            Share of a layer's inputs that is set to 0 at random, while the clean ones are asked
            for: a stacked denoising autoencoder.
        progress : bool, optional
            See `nn.train.fit`.

        Returns
        -------
        list of History
            One for each layer.

        Raises
        ------
        ValueError
            If `noise` is not in [0, 1), or `x` has not the shape of the model's input.
        """
        from ..train import fit  # here, since programs that only use a model need no trainer

        if not 0 <= noise < 1:
            raise ValueError(f"pretrain: noise must be a share, >= 0 and < 1, met {noise!r}")
        dtype = self.encoders[0].weight.dtype
        codes = as_rows("StackedAutoencoder", autograd.as_tensor(x), self.sizes[0]).to(dtype)
        augment = (lambda batch, rng: _masked(batch, rng, noise)) if noise else None
        histories = []
        for index, encoder in enumerate(self.encoders):
            shallow = self.layer(index)
            optimizer = optim.Adam(shallow.parameters(), lr=lr)
            histories.append(
                fit(
                    shallow,
                    (codes, codes),
                    BCELoss(),
                    optimizer,
                    epochs=epochs,
                    batch_size=batch_size,
                    augment=augment,
                    progress=progress,
                )
            )
            with no_grad():
                codes = sigmoid(encoder(codes))
        return histories

    def classifier(self, num_classes: int) -> Sequential:
        """
        A network with copies of the encoder's layers and a new one for scores on top.

        Examples
        --------
        >>> import autograd
        >>> StackedAutoencoder((16, 8, 4)).classifier(3)(autograd.rand(2, 16)).shape
        (2, 3)
        """
        return classifier_of(cast("list[Linear]", list(self.encoders)), num_classes)


def _masked(batch: Any, rng: Any, share: float) -> Any:
    """The batch with a share of its numbers set to 0."""
    keep = rng.random(batch.shape) >= share
    return batch * keep.astype(np.dtype(batch.dtype))
