"""Recurrent networks: one number for a whole sequence, and a model of the next character."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, no_grad
from autograd.random import Generator, default_generator

from ..layers.embedding import Embedding
from ..layers.linear import Linear
from ..layers.recurrent import GRU, LSTM, RNN
from ..layers.recurrent_base import RNNBase
from ..module import Module

CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}


def _recurrent(who: str, cell: str, inputs: int, hidden: int, layers: int, dropout: float) -> Any:
    if cell not in CELLS:
        raise ValueError(f"{who}: cell must be one of {', '.join(CELLS)}, met {cell!r}")
    return CELLS[cell](inputs, hidden, layers, batch_first=True, dropout=dropout)


def _open_forget_gates(layer: RNNBase, value: float) -> None:
    # The rows are those of the gates i, f, g, o in turn.
    forget = slice(layer.hidden_size, 2 * layer.hidden_size)
    with no_grad():
        for names in layer._names():
            getattr(layer, names["bias_ih"])[forget] = value
            getattr(layer, names["bias_hh"])[forget] = 0.0


class SequenceRegressor(Module):
    """
    Reads a sequence step by step, and answers with numbers at its end.

    ============ ============== ===========
    layer        output         parameters
    ============ ============== ===========
    LSTM         steps x 32     4608
    last step    32
    linear       1              33
    ============ ============== ===========

    (Numbers for two inputs at each step and the defaults; with a GRU it has 3489 parameters, with
    a plain RNN 1185.)

    Hochreiter and Schmidhuber 1997, "Long short-term memory", where it is put to the adding
    problem, `nn.data.adding_problem`. That the forget gates begin open is advised by Gers,
    Schmidhuber and Cummins 2000, "Learning to forget": a cell that begins by forgetting half of
    what it holds at each step has lost all of it before it can learn to keep it.

    Parameters
    ----------
    input_size : int
        Numbers at each step.
    hidden_size : int, default 32
    output_size : int, default 1
    cell : {"LSTM", "GRU", "RNN"}
    num_layers : int, default 1
    dropout : float, default 0
        Between the layers, in training.
    forget_bias : float, default 1
        Where the biases of an LSTM's forget gates start; other cells have none.

    Raises
    ------
    ValueError
        If `cell` is another; in the call, if the input is not (N, steps, input_size).

    Examples
    --------
    >>> import autograd
    >>> SequenceRegressor(2)(autograd.zeros(5, 100, 2)).shape
    (5, 1)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int = 32,
        output_size: int = 1,
        cell: str = "LSTM",
        num_layers: int = 1,
        dropout: float = 0.0,
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__()
        self.recurrent = _recurrent(
            "SequenceRegressor", cell, input_size, hidden_size, num_layers, dropout
        )
        self.head = Linear(hidden_size, output_size)
        if cell == "LSTM":
            _open_forget_gates(self.recurrent, forget_bias)

    def forward(self, x: Any) -> Any:
        """Map sequences (N, steps, input_size) to numbers (N, output_size)."""
        width = self.recurrent.input_size
        if len(x.shape) != 3 or x.shape[2] != width or x.shape[1] == 0:
            raise ValueError(
                f"SequenceRegressor: expected sequences (N, steps, {width}) of at least one step, "
                f"met {x.shape}"
            )
        states, _ = self.recurrent(x)
        return self.head(states[:, -1])


class CharLanguageModel(Module):
    """
    Says after each character which one comes next, and so can write.

    ============ ============== ===========
    layer        output         parameters
    ============ ============== ===========
    embedding    steps x 32     3072
    GRU          steps x 128    62208
    linear       steps x 96     12384
    ============ ============== ===========

    (Numbers for 96 characters and the defaults.)

    Characters are numbers from 0; `nn.data.Alphabet` makes them of text. Graves 2013, "Generating
    sequences with recurrent neural networks".

    Parameters
    ----------
    num_characters : int, default 96
        Of the alphabet: printable ASCII and the line end.
    embedding_dim : int, default 32
    hidden_size : int, default 128
    cell : {"GRU", "LSTM", "RNN"}
    num_layers : int, default 1
    dropout : float, default 0
        Between the layers, in training.

    Raises
    ------
    ValueError
        If `cell` is another, or there is no character; in the call, if the input is not (N, steps).

    Examples
    --------
    >>> import autograd
    >>> model = CharLanguageModel(96)
    >>> model(autograd.zeros(2, 10, dtype=np.int64)).shape
    (2, 10, 96)
    >>> model.generate([0, 1, 2], 20).shape
    (20,)
    """

    def __init__(
        self,
        num_characters: int = 96,
        embedding_dim: int = 32,
        hidden_size: int = 128,
        cell: str = "GRU",
        num_layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if num_characters < 1:
            raise ValueError(
                f"CharLanguageModel: num_characters must be at least 1, met {num_characters}"
            )
        self.embedding = Embedding(num_characters, embedding_dim)
        self.recurrent = _recurrent(
            "CharLanguageModel", cell, embedding_dim, hidden_size, num_layers, dropout
        )
        self.head = Linear(hidden_size, num_characters)

    def forward(self, characters: Any) -> Any:
        """Map characters (N, steps) to scores (N, steps, num_characters) of those that follow."""
        scores, _ = self.advance(characters)
        return scores

    def advance(self, characters: Any, state: Any = None) -> tuple[Any, Any]:
        """
        Go on from `state` over some characters.

        Parameters
        ----------
        characters : Tensor of int, (N, steps)
        state : optional
            What the call before gave back; default: the beginning of a text.

        Returns
        -------
        scores : Tensor, (N, steps, num_characters)
        state

        Examples
        --------
        >>> import autograd
        >>> model = CharLanguageModel(4)
        >>> text = autograd.tensor([[0, 1, 2, 3]])
        >>> _, state = model.advance(text[:, :2])
        >>> scores, _ = model.advance(text[:, 2:], state)
        >>> bool(autograd.allclose(scores, model(text)[:, 2:], atol=1e-6))
        True
        """
        if len(characters.shape) != 2 or characters.shape[1] == 0:
            raise ValueError(
                "CharLanguageModel: expected characters (N, steps) of at least one step, met "
                f"{characters.shape}"
            )
        states, state = self.recurrent(self.embedding(characters), state)
        return self.head(states), state

    def generate(
        self,
        start: Any,
        length: int,
        temperature: float = 1.0,
        generator: Generator = default_generator,
    ) -> np.ndarray:
        """
        Write on, one drawn character at a time.

        Parameters
        ----------
        start : sequence of int
            The text so far, at least one character.
        length : int
            Characters to write.
        temperature : float, default 1
            Scores are divided by it: below 1 the likely becomes likelier; at 0 always the
            likeliest character is taken.
        generator : autograd.Generator, optional
            What the characters are drawn by.

        Returns
        -------
        ndarray of int64, (length,)
            What was written, without `start`.

        Raises
        ------
        ValueError
            If `start` is empty or no sequence, or `length` or `temperature` is negative.

        Examples
        --------
        >>> import autograd
        >>> model = CharLanguageModel(4)
        >>> one, two = (model.generate([0], 9, generator=autograd.Generator(1)) for _ in range(2))
        >>> bool((one == two).all())
        True
        """
        text = np.asarray(start)
        if text.ndim != 1 or not text.size or text.dtype.kind not in "iu":
            raise ValueError(
                "CharLanguageModel.generate: start must be a sequence of at least one int, met "
                f"{text.dtype} {text.shape}"
            )
        if length < 0 or not 0 <= temperature < np.inf:
            raise ValueError(
                "CharLanguageModel.generate: length and temperature must be at least 0 and "
                f"finite, met {length} and {temperature}"
            )
        training = self.training
        written = np.empty(length, np.int64)
        state, seen = None, text.astype(np.int64)
        self.eval()
        try:
            with no_grad():
                for i in range(length):
                    scores, state = self.advance(Tensor(seen[None]), state)
                    written[i] = _draw(scores[0, -1].numpy(), temperature, generator)
                    seen = written[i : i + 1]
        finally:
            self.train(training)
        return written


def _draw(scores: np.ndarray, temperature: float, generator: Generator) -> int:
    if temperature == 0:
        return int(scores.argmax())
    with np.errstate(over="ignore"):  # next to 0 all but the likeliest are at -inf
        logits = (scores - scores.max()).astype(np.float64) / temperature
    # Gumbel's way to draw from a softmax: the largest of scores with noise, at no risk of overflow.
    noise = -np.log(-np.log(np.maximum(generator.random(logits.shape), np.finfo(np.float64).tiny)))
    return int((logits + noise).argmax())
