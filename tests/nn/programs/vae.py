"""A variational autoencoder of small images, as written for PyTorch."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
rng = np.random.default_rng(0)


class VAE(nn.Module):
    def __init__(self, latent=4):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1),
            nn.BatchNorm2d(4),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4, 8, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Flatten(),
        )
        self.mean = nn.Linear(8 * 4 * 4, latent)
        self.log_var = nn.Linear(8 * 4 * 4, latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, 8 * 4 * 4),
            nn.Unflatten(1, (8, 4, 4)),
            nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x, noise):
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        z = mean + torch.exp(0.5 * log_var) * noise
        return self.decoder(z), mean, log_var


def run():
    model = VAE().to(device)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.from_numpy(rng.uniform(-0.2, 0.2, tuple(p.shape)).astype("float32")))
    optimizer = optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-4)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    images = torch.from_numpy(rng.random((16, 1, 16, 16), dtype=np.float32)).to(device)
    losses = []
    for _ in range(20):
        noise = torch.from_numpy(rng.standard_normal((16, 4)).astype("float32"))
        output, mean, log_var = model(images, noise)
        rebuilt = F.binary_cross_entropy(output, images, reduction="sum") / len(images)
        distance = -0.5 * torch.mean(torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=1))
        loss = rebuilt + distance
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        output, _, _ = model(images, torch.zeros(16, 4, device=device))
    return [*losses, output.mean().item(), output.std().item(), schedule.get_last_lr()[0]]
