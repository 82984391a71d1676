"""A Transformer encoder that learns to say each number's rank, as written for PyTorch."""

import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(2)


class Sorter(nn.Module):
    def __init__(self, length, width=16):
        super().__init__()
        self.enter = nn.Linear(1, width)
        layer = nn.TransformerEncoderLayer(
            width, nhead=2, dim_feedforward=32, dropout=0.0, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.leave = nn.Linear(width, length)
        places = torch.arange(length).unsqueeze(1) * torch.exp(
            torch.arange(0, width, 2) * (-math.log(100.0) / width)
        )
        self.register_buffer("waves", torch.cat([places.sin(), places.cos()], dim=1))

    def forward(self, x):
        return self.leave(self.encoder(self.enter(x.unsqueeze(-1)) + 0.1 * self.waves))


def run():
    length = 5
    numbers = torch.tensor(rng.random((64, length)), dtype=torch.float32)
    ranks = numbers.argsort(dim=1).argsort(dim=1)
    loader = DataLoader(TensorDataset(numbers, ranks), batch_size=16, shuffle=False)
    model = Sorter(length)
    for name, p in model.named_parameters():
        values = rng.uniform(-0.3, 0.3, tuple(p.shape)) + (1.0 if "norm" in name else 0.0)
        nn.init.constant_(p, 0.0)
        p.data += torch.tensor(values, dtype=torch.float32)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=3e-3
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=16)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    losses = []
    for _ in range(4):
        for batch, target in loader:
            optimizer.zero_grad()
            loss = criterion(model(batch).transpose(1, 2), target)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    with torch.no_grad():
        right = (model(numbers).argmax(-1) == ranks).float().mean().item()
    checkpoint = {k: v.clone() for k, v in model.state_dict().items()}
    twin = Sorter(length)
    twin.load_state_dict(checkpoint)
    with torch.no_grad():
        gap = (twin(numbers) - model(numbers)).abs().max().item()
    return [*losses, right, gap]
