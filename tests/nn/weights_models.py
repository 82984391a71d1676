"""Small models that are written once and built here or in PyTorch: `library` is either's core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def cnn(library: Any, nn: Any) -> Any:
    """Two convolutions with batch normalisation, of images (N, 1, 12, 12)."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, stride=2, bias=False),
        nn.GroupNorm(2, 8),
        nn.GELU(),
        nn.Flatten(),
        nn.Linear(32, 5),
    )


def lstm(library: Any, nn: Any) -> Any:
    """An LSTM of two layers, both ways, and a linear layer on its last step: (N, T, 6)."""

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(6, 8, num_layers=2, bidirectional=True, batch_first=True)
            self.head = nn.Linear(16, 3)

        def forward(self, x: Any) -> Any:
            steps, _ = self.lstm(x)
            return self.head(steps[:, -1])

    return Reader()


def transformer(library: Any, nn: Any) -> Any:
    """Two encoder layers of PyTorch's own kind: (N, T, 8)."""

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.norm = nn.LayerNorm(8)

        def forward(self, x: Any) -> Any:
            return self.norm(self.encoder(x))

    return Encoder()


MODELS: dict[str, tuple[Callable[[Any, Any], Any], tuple[int, ...]]] = {
    "cnn": (cnn, (2, 1, 12, 12)),
    "lstm": (lstm, (2, 4, 6)),
    "transformer": (transformer, (2, 5, 8)),
}
