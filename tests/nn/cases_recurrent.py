"""RNN, LSTM, GRU, their cells, and packed sequences."""

from __future__ import annotations

import importlib
from typing import Any

from tests.nn.cases import Case, drawn

X = drawn(4, 3, 2)  # steps, batch, features


def packed(enforce_sorted: bool, batch_first: bool = False) -> Any:
    """Call on a packed batch; what comes out is padded again."""

    def use(library: Any, module: Any, x: Any, *hx: Any) -> Any:
        place = "torch.nn.utils.rnn" if library.__name__ == "torch" else "nn.utils.rnn"
        rnn = importlib.import_module(place)
        lengths = [4, 2, 1] if enforce_sorted else [2, 4, 1]
        sequences = rnn.pack_padded_sequence(
            x, lengths, batch_first=batch_first, enforce_sorted=enforce_sorted
        )
        output, after = module(sequences, *hx)
        padded, counts = rnn.pad_packed_sequence(output, batch_first, -1.5, total_length=5)
        return padded, counts, output.data, after

    return use


def pair(*shape: int, out: int | None = None) -> tuple[Any, Any]:
    return drawn(*shape[:-1], out or shape[-1], seed=1), drawn(*shape, seed=2)


CASES = [
    Case("RNN", (2, 3), call=(X,)),
    Case("RNN", (2, 3, 1, "relu"), call=(X, drawn(1, 3, 3))),
    Case("RNN", (2, 3), {"num_layers": 2, "bias": False, "bidirectional": True}, call=(X,)),
    Case("RNN", (2, 3), {"batch_first": True, "nonlinearity": "relu"}, call=(drawn(3, 4, 2),)),
    Case("RNN", (2, 3), call=(drawn(4, 2), drawn(1, 3))),
    Case("RNN", (2, 3), call=(X, drawn(1, 3, 3)), use=packed(True), note="packed"),
    Case("GRU", (2, 3), call=(X,)),
    Case("GRU", (2, 3, 2, False, True, 0.0, True), call=(drawn(3, 4, 2), drawn(4, 3, 3))),
    Case("GRU", (2, 3), {"bidirectional": True, "batch_first": True}, call=(drawn(4, 2),)),
    Case("GRU", (2, 3, 2), {"dropout": 0.5}, call=(X,), modes=("eval",)),
    Case("GRU", (2, 3, 2), {"dropout": 1.0}, call=(X,)),
    Case("GRU", (2, 3), {"bidirectional": True}, call=(X,), use=packed(False), note="unsorted"),
    Case("LSTM", (2, 3), call=(X,)),
    Case("LSTM", (2, 17), call=(drawn(3, 9, 2), pair(1, 9, 17))),
    Case("LSTM", (2, 3, 3, True, False, 0.25, True), call=(X,), modes=("eval",)),
    Case("LSTM", (2, 3), {"num_layers": 2, "bias": False}, call=(X, pair(2, 3, 3))),
    Case("LSTM", (2, 3), {"batch_first": True}, call=(drawn(3, 4, 2),)),
    Case("LSTM", (2, 3), {"proj_size": 2}, call=(X, pair(1, 3, 3, out=2))),
    Case(
        "LSTM",
        (2, 4),
        {"proj_size": 1, "num_layers": 2, "bidirectional": True, "bias": False},
        call=(drawn(4, 2), pair(4, 4, out=1)),
    ),
    Case("LSTM", (2, 3), call=(X,), use=packed(True), note="packed"),
    Case(
        "LSTM",
        (2, 3),
        {"bidirectional": True, "num_layers": 2, "batch_first": True},
        call=(drawn(3, 4, 2), pair(4, 3, 3)),
        use=packed(False, batch_first=True),
        note="unsorted",
    ),
    Case("LSTM", (2, 3), {"proj_size": 1}, call=(X,), use=packed(False), note="unsorted"),
    Case("RNNCell", (2, 3), call=(drawn(4, 2), drawn(4, 3))),
    Case("RNNCell", (2, 3, False, "relu"), call=(drawn(2), drawn(3))),
    Case("RNNCell", (2, 3), {"nonlinearity": "relu"}, call=(drawn(4, 2),)),
    Case("LSTMCell", (2, 3), call=(drawn(4, 2), pair(4, 3))),
    Case("LSTMCell", (2, 3), {"bias": False}, call=(drawn(2), pair(3))),
    Case("LSTMCell", (2, 3), call=(drawn(4, 2),)),
    Case("GRUCell", (2, 3), call=(drawn(4, 2), drawn(4, 3))),
    Case("GRUCell", (2, 3), {"bias": False}, call=(drawn(2), drawn(3))),
    Case("GRUCell", (2, 3), call=(drawn(2),)),
]
