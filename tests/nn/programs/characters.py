"""A character model with an LSTM, trained in windows and sampled from, as written for PyTorch."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.default_rng(1)
TEXT = "the quick brown fox jumps over the lazy dog. " * 4
LETTERS = sorted(set(TEXT))
DATA = torch.tensor([LETTERS.index(c) for c in TEXT], dtype=torch.long)


class Characters(nn.Module):
    def __init__(self, size, width=24, layers=2):
        super().__init__()
        self.embedding = nn.Embedding(size, width)
        self.lstm = nn.LSTM(width, width, num_layers=layers, batch_first=True)
        self.head = nn.Linear(width, size)
        self.head.weight = self.embedding.weight

    def forward(self, x, state=None):
        y, state = self.lstm(self.embedding(x), state)
        return self.head(y), state


def run():
    model = Characters(len(LETTERS))
    for p in model.parameters():
        p.data = torch.from_numpy(rng.uniform(-0.3, 0.3, tuple(p.shape)).astype("float32"))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=3e-3)
    losses, state = [], None
    for step in range(24):
        begin = step % 8 * 20
        window = DATA[begin : begin + 21].unsqueeze(0)
        logits, state = model(window[:, :-1], state)
        state = tuple(s.detach() for s in state)
        loss = F.cross_entropy(logits.view(-1, len(LETTERS)), window[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    letter, state, drawn = DATA[:1].view(1, 1), None, []
    with torch.no_grad():
        for _ in range(8):
            logits, state = model(letter, state)
            letter = logits[:, -1].argmax(dim=-1, keepdim=True)
            drawn.append(float(letter))
    return [*losses, *drawn, float(sum(p.numel() for p in model.parameters()))]
