"""LeNet-5 trained beside PyTorch: losses and gradients agree, step by step."""

import numpy as np
import pytest

import autograd
import nn
import optim

OPTIMIZERS = {
    "SGD": {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4},
    "Adam": {"lr": 1e-3},
    "AdamW": {"lr": 1e-3},
    "RMSprop": {"lr": 1e-3},
}


def twin_lenet(torch):
    """The same network in PyTorch."""
    t = torch.nn

    class LeNet5(t.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = t.Conv2d(1, 6, 5)
            self.conv2 = t.Conv2d(6, 16, 5)
            self.fc1 = t.Linear(400, 120)
            self.fc2 = t.Linear(120, 84)
            self.fc3 = t.Linear(84, 10)

        def forward(self, x):
            x = t.functional.max_pool2d(t.functional.relu(self.conv1(x)), 2)
            x = t.functional.max_pool2d(t.functional.relu(self.conv2(x)), 2).flatten(1)
            x = t.functional.relu(self.fc2(t.functional.relu(self.fc1(x))))
            return self.fc3(x)

    return LeNet5()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lenet5_over_ten_steps(torch, name, dtype):
    autograd.manual_seed(0)
    ours = nn.models.LeNet5().to(np.dtype(dtype))
    theirs = twin_lenet(torch).to(getattr(torch, dtype))
    state = [torch.tensor(v.numpy().copy()) for v in ours.state_dict().values()]
    theirs.load_state_dict(dict(zip(theirs.state_dict(), state, strict=True)))
    optimizer = getattr(optim, name)(ours.parameters(), **OPTIMIZERS[name])
    twin = getattr(torch.optim, name)(theirs.parameters(), **OPTIMIZERS[name])
    generator = np.random.default_rng(0)
    # In float64 the two run apart for all ten steps. In float32 the weights are made equal before
    # each step: RMSprop and Adam divide small gradients by their size, which turns the rounding
    # of a gradient near 0 into a visible step, in either library.
    apart = dtype == "float64"
    tolerance = 1e-9 if apart else 1e-5
    for step in range(10):
        x = generator.standard_normal((32, 1, 32, 32)).astype(dtype)
        target = generator.integers(0, 10, 32)
        optimizer.zero_grad()
        twin.zero_grad()
        if not apart:
            with torch.no_grad():
                for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
                    q.copy_(torch.tensor(p.detach().numpy().copy()))
        loss = nn.functional.cross_entropy(ours(autograd.tensor(x)), autograd.tensor(target))
        their_loss = torch.nn.functional.cross_entropy(
            theirs(torch.tensor(x)), torch.tensor(target)
        )
        np.testing.assert_allclose(loss.item(), their_loss.item(), rtol=tolerance)
        loss.backward()
        their_loss.backward()
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert p.grad is not None
            wanted = q.grad.numpy()
            np.testing.assert_allclose(
                p.grad.numpy(),
                wanted,
                rtol=tolerance,
                atol=tolerance * float(np.abs(wanted).max()),
                err_msg=f"{name}, gradient at step {step}",
            )
        optimizer.step()
        twin.step()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(
            p.detach().numpy(), q.detach().numpy(), rtol=0, atol=1e-9 if apart else 1e-3
        )
