# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Normalisation
#
# Batch norm, layer norm, instance norm and group norm do the same sum, $(x - \text{mean}) /
# \text{deviation}$. They differ in one thing: over which numbers the mean is taken.
#
# **What you will learn**
#
# - batch norm with pencil and paper: training, evaluation, the running statistics, and the
#   gradient;
# - which numbers each of the four norms averages over, found by asking the engine;
# - what the signals inside a deep network look like with batch norm and without, before and while
#   it learns;
# - why it allows learning rates that otherwise end in ruin;
# - what goes wrong with small batches, and with a forgotten `model.eval()`.

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from course import COLOURS

# %% [markdown]
# ## Batch norm by hand: training
#
# In training, each feature is normalised by mean and variance of the batch, with the variance
# divided by $n$ ("biased"). Then come a learned scale $\gamma$ and shift $\beta$:
#
# $$
# \hat x = \frac{x - \mu}{\sqrt{v + \varepsilon}}, \qquad y = \gamma \hat x + \beta .
# $$
#
# For later, the layer keeps running statistics. Each batch moves them by the momentum $m = 0.1$
# towards its own, and this time the variance is the "unbiased" one, divided by $n - 1$:
#
# $$
# \bar\mu \leftarrow (1 - m)\,\bar\mu + m\,\mu, \qquad
# \bar v \leftarrow (1 - m)\,\bar v + m\,\frac{n}{n - 1} v .
# $$

# %%
rng = np.random.default_rng(0)
layer = nn.BatchNorm1d(3).double()
gamma, beta = np.array([0.5, 1.0, 2.0]), np.array([0.0, 1.0, -1.0])
layer.load_state_dict({**layer.state_dict(), "weight": gamma, "bias": beta})

running_mean, running_var = np.zeros(3), np.ones(3)
largest = {"output": 0.0, "running mean": 0.0, "running variance": 0.0}
for _ in range(5):
    x = rng.normal(3.0, 2.0, size=(8, 3))
    y = layer(autograd.tensor(x)).detach().numpy()

    mean = x.sum(0) / 8
    variance = ((x - mean) ** 2).sum(0) / 8
    expected = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
    running_mean = 0.9 * running_mean + 0.1 * mean
    running_var = 0.9 * running_var + 0.1 * variance * 8 / 7

    for name, ours, theirs in [
        ("output", y, expected),
        ("running mean", layer.running_mean, running_mean),
        ("running variance", layer.running_var, running_var),
    ]:
        largest[name] = max(largest[name], np.abs(np.asarray(ours) - theirs).max())

for name, difference in largest.items():
    course.result(f"training, {name}: largest difference", difference, at_most=1e-12)

# %% [markdown]
# ## Evaluation
#
# In evaluation nothing is measured: the running statistics stand in for those of the batch, so
# that the answer for one sample does not depend on the others. What is left is a fixed straight
# line for each feature, which can be multiplied into the linear layer before it.

# %%
layer.eval()
x = rng.normal(size=(8, 3))
y = layer(autograd.tensor(x)).detach().numpy()
expected = gamma * (x - running_mean) / np.sqrt(running_var + 1e-5) + beta
course.result("evaluation: largest difference", np.abs(y - expected).max(), at_most=1e-12)

autograd.manual_seed(0)
linear = nn.Linear(4, 3).double().eval()
fused = nn.utils.fuse_linear_bn_eval(linear, layer)
inputs = autograd.randn(8, 4, dtype=np.float64)
difference = (fused(inputs) - layer(linear(inputs))).abs().max().item()
course.result("fused into one linear layer: largest difference", difference, at_most=1e-12)

# %% [markdown]
# ## The gradient
#
# The mean and the variance depend on $x$, too, so each sample's gradient contains all others.
# Written out, with $g$ for the gradient that arrives at $y$ and $\langle\cdot\rangle$ for the
# mean over the batch,
#
# $$
# \frac{\partial L}{\partial x} = \frac{\gamma}{\sqrt{v + \varepsilon}}
# \Big( g - \langle g \rangle - \hat x \, \langle g \hat x \rangle \Big) .
# $$
#
# What is subtracted is what would shift or stretch the whole batch: normalisation undoes such
# changes, and so they get no gradient.

# %%
layer.train()
x, g = rng.normal(size=(8, 3)), rng.normal(size=(8, 3))
given = autograd.tensor(x, requires_grad=True)
(found,) = autograd.grad((layer(given) * autograd.tensor(g)).sum(), given)

deviation = np.sqrt(x.var(0) + 1e-5)
standard = (x - x.mean(0)) / deviation
by_hand = gamma / deviation * (g - g.mean(0) - standard * (g * standard).mean(0))
course.result("gradient: largest difference", np.abs(found.numpy() - by_hand).max(), at_most=1e-12)
course.result("gradient, summed over the batch", np.abs(found.numpy().sum(0)).max(), at_most=1e-12)

# %% [markdown]
# ## Four norms, and what each averages over
#
# A batch of images has samples, channels and places. Which numbers does one output depend on? The
# engine knows: the gradient of a single output is zero for all inputs that did not take part.
# Below, the output is that of the corner that is nearest to you, and each cube is one input.

# %%
SIZE = 4
norms = {
    "batch norm": (nn.BatchNorm1d(SIZE), (0, 2)),
    "layer norm": (nn.LayerNorm([SIZE, SIZE]), (1, 2)),
    "instance norm": (nn.InstanceNorm1d(SIZE), (2,)),
    "group norm, 2 groups": (nn.GroupNorm(2, SIZE), None),
}
block = autograd.randn(
    SIZE, SIZE, SIZE, dtype=np.float64
).requires_grad_()  # samples, channels, places
figure = plt.figure(figsize=(12, 3.6))
for i, (name, (norm, _)) in enumerate(norms.items(), 1):
    output = norm.double()(block)
    (gradient,) = autograd.grad(output[0, 0, -1], block)
    used = gradient.numpy() != 0
    norms[name] = norm, used
    axis = figure.add_subplot(1, 4, i, projection="3d")
    colours = np.where(used, COLOURS[1], "#f4f4f4")
    colours[0, 0, -1] = COLOURS[0]
    axis.voxels(np.ones_like(used), facecolors=colours, edgecolor="#555555", linewidth=0.5)
    axis.set(xlabel="sample", ylabel="channel", title=name)
    axis.set_zlabel("place", labelpad=-14)
    axis.set(xticks=[], yticks=[], zticks=[])
    axis.view_init(elev=25, azim=225)
plt.show()

for (name, (_, used)), count in zip(norms.items(), (16, 16, 4, 8), strict=True):
    course.result(f"{name}: numbers averaged over", used.sum(), equals=count)

# %% [markdown]
# Only the first of them looks across samples. The other three treat each sample by itself, and
# therefore do the same in training and evaluation. Group norm lies between two of them: with one
# group it is layer norm, with as many groups as channels it is instance norm. By hand, all three
# are one line:


# %%
def normalise(x, axes):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)


x = rng.normal(1.0, 2.0, size=(2, 6, 5, 5))
given = autograd.tensor(x)
in_groups = normalise(x.reshape(2, 3, 2, 5, 5), (2, 3, 4)).reshape(x.shape)
for name, norm, expected in [
    ("layer norm", nn.LayerNorm([6, 5, 5]), normalise(x, (1, 2, 3))),
    ("instance norm", nn.InstanceNorm2d(6), normalise(x, (2, 3))),
    ("group norm", nn.GroupNorm(3, 6), in_groups),
    ("group norm of one group", nn.GroupNorm(1, 6), normalise(x, (1, 2, 3))),
    ("group norm of single channels", nn.GroupNorm(6, 6), normalise(x, (2, 3))),
]:
    difference = np.abs(norm.double()(given).detach().numpy() - expected).max()
    course.result(f"{name}: largest difference", difference, at_most=1e-12)

# %% [markdown]
# ## Inside a deep network
#
# Ten layers of tanh, well started with Xavier's weights, learn scikit-learn's digits with a
# learning rate that is high: 1. At three times we look at what arrives at the tanh of each layer,
# for all training images. The dark band holds half of the numbers, the light one nine tenths.

# %%
images, labels = nn.data.digits()
images = images.reshape(len(images), -1)
order = rng.permutation(len(images))
train, test = order[:1437], order[1437:]
images = (images - images[train].mean(0)) / (images[train].std(0) + 0.05)


class Signals(nn.train.Callback):
    """Keeps quantiles of what arrives at each activation, before and after each epoch."""

    def __init__(self):
        self.quantiles = []

    def on_fit_start(self, trainer):
        """Look before the training."""
        self.look(trainer.model)

    def on_epoch_end(self, trainer, record):
        """Look after an epoch."""
        self.look(trainer.model)

    def look(self, model):
        """Run a copy, so that nothing of the model changes, with the statistics of its batch."""
        found = []
        for layer in (model := copy.deepcopy(model).train()).blocks:
            (layer.norm or layer.linear).register_forward_hook(
                lambda module, inputs, output: found.append(output.numpy())
            )
        with autograd.no_grad():
            model(autograd.tensor(images[train]))
        levels = (0.05, 0.25, 0.5, 0.75, 0.95)
        self.quantiles.append(np.array([np.quantile(output, levels) for output in found]))


def learn(norm, rate, depth=10, **options):
    autograd.manual_seed(0)
    model = nn.models.DeepMLP(
        depth=depth, activation="tanh", init="xavier", norm=norm, residual=False
    )
    history = nn.train.fit(
        model,
        (images[train[:1436]], labels[train[:1436]]),  # so that no batch is of one
        nn.CrossEntropyLoss(),
        optim.SGD(model.parameters(), lr=rate),
        validation=(images[test], labels[test]),
        metrics={"accuracy": nn.metrics.accuracy},
        progress=False,
        **{"epochs": 8, "batch_size": 64, **options},
    )
    return model, history.to_dict()


# %%
kinds = {"without": None, "with batch norm": "batch"}
signals = {name: Signals() for name in kinds}
for name, norm in kinds.items():
    learn(norm, 1.0, callbacks=[signals[name]])

_, axes = plt.subplots(2, 3, figsize=(12, 5.4), sharex=True, sharey=True)
for row, name in zip(axes, kinds, strict=True):
    for axis, epoch in zip(row, (0, 1, 8), strict=True):
        low, left, middle, right, high = signals[name].quantiles[epoch].T
        layers = np.arange(1, 11)
        axis.fill_between(layers, low, high, alpha=0.2, color=COLOURS[0], linewidth=0)
        axis.fill_between(layers, left, right, alpha=0.45, color=COLOURS[0], linewidth=0)
        axis.plot(layers, middle, color=COLOURS[0])
        for edge in (-2, 2):
            axis.axhline(edge, color=COLOURS[1], linestyle=":", linewidth=1)
        when = f"after epoch {epoch}" if epoch else "before training"
        axis.set(title=f"{name}, {when}", ylim=(-13, 13))
    row[0].set_ylabel("input of tanh")
for axis in axes[1]:
    axis.set(xlabel="layer", xticks=[1, 4, 7, 10])
plt.show()

widths = {name: np.ptp(found.quantiles[-1][-1]) for name, found in signals.items()}
course.result("last layer without: width of nine tenths", widths["without"], at_least=8)
course.result("last layer with: width of nine tenths", widths["with batch norm"], at_most=5)

# %% [markdown]
# Outside of the dotted lines tanh is flat, so what arrives there passes no gradient back. Without
# batch norm the last layers end up there after a single epoch; with it they do not.
#
# ## Learning rates
#
# The same network, with learning rates over two powers of ten:

# %%
rates = (0.01, 0.1, 0.5, 1.0)
histories = {(name, rate): learn(norm, rate)[1] for name, norm in kinds.items() for rate in rates}

_, axes = plt.subplots(1, 3, figsize=(12, 3.6))
for axis, name in zip(axes, kinds, strict=False):
    for rate in rates:
        history = histories[name, rate]
        axis.semilogy(history["epoch"], history["train_loss"], label=f"rate {rate:g}")
    axis.set(
        title=f"training loss, {name}", xlabel="epoch", ylabel="cross-entropy", ylim=(0.02, 20)
    )
axes[1].legend(ncols=2, loc="upper right")
for name in kinds:
    reached = [histories[name, rate]["validation_accuracy"][-1] for rate in rates]
    axes[2].semilogx(rates, reached, "o-", label=name)
axes[2].set(title="test accuracy after 8 epochs", xlabel="learning rate", ylim=(0, 1.03))
axes[2].legend(loc="lower left")
plt.show()

for name, rate, goal in [
    ("without", 0.1, {"at_least": 0.9}),
    ("with batch norm", 0.1, {"at_least": 0.9}),
    ("without", 1.0, {"at_most": 0.5}),
    ("with batch norm", 1.0, {"at_least": 0.7}),
]:
    accuracy = histories[name, rate]["validation_accuracy"][-1]
    course.result(f"{name}, learning rate {rate:g}: test accuracy", accuracy, **goal)

# %% [markdown]
# With a rate that suits it, this well-started network does not need batch norm. What it gains is
# room: it also learns at rates at which the other does not learn at all.
#
# ## Pitfalls
#
# **A batch of one.** Its variance is zero, so there is nothing to normalise by. In training that
# is an error; in evaluation it is fine.

# %%
layer = nn.BatchNorm1d(3)
try:
    layer(autograd.randn(1, 3))
except ValueError as error:
    print(error)
print(layer.eval()(autograd.zeros(1, 3)).shape)

# %% [markdown]
# **A batch of two.** One of two numbers is always one deviation above their mean, the other one
# below. Whatever goes in, $\pm 1$ comes out: all that is left is which of the two was larger.

# %%
pair = autograd.tensor([[1.0, -5.0, 300.0], [2.0, 7.0, -40.0]], dtype=np.float64)
output = nn.BatchNorm1d(3).double()(pair).detach()
print(output.numpy().round(3))
course.result("batch of two, distance from 1", (output.abs() - 1).abs().max().item(), at_most=1e-4)

# %% [markdown]
# So batch norm needs batches. Layer norm does not: it never looks at the neighbours.

# %%
sizes = (2, 4, 16, 64)
reached = {}
for name, norm in {"batch norm": "batch", "layer norm": "layer"}.items():
    for size in sizes:
        _, history = learn(norm, 0.05, epochs=3, batch_size=size, depth=3)
        reached[name, size] = history["validation_accuracy"][-1]

_, axis = plt.subplots(figsize=(6, 3))
for name in ("batch norm", "layer norm"):
    axis.semilogx(sizes, [reached[name, size] for size in sizes], "o-", base=2, label=name)
axis.set(
    xlabel="batch size", ylabel="test accuracy", title="three layers, three epochs", ylim=(0, 1.03)
)
axis.set_xticks(sizes, [str(size) for size in sizes])
axis.legend(loc="lower right")
plt.show()

course.result("batch norm, batches of 2: test accuracy", reached["batch norm", 2], at_most=0.8)
course.result("layer norm, batches of 2: test accuracy", reached["layer norm", 2], at_least=0.9)

# %% [markdown]
# **A forgotten `model.eval()`.** In training mode, what the network says about an image depends
# on the images beside it, and asking changes the running statistics. Here is one test image among
# three others, thirty times.

# %%
model, _ = learn("batch", 0.1)
image, label = images[test[0]], labels[test[0]]
companions = [images[rng.choice(test, 3)] for _ in range(30)]
chances = {}
for mode in ("training mode", "evaluation mode"):
    network = copy.deepcopy(model).train(mode == "training mode")
    before = network.state_dict()["blocks.0.norm.running_mean"].numpy().copy()
    chances[mode] = []
    for others in companions:
        with autograd.no_grad():
            scores = network(autograd.tensor(np.vstack([image, others])))
        chances[mode].append(autograd.softmax(scores, 1)[0, int(label)].item())
    moved = np.abs(network.state_dict()["blocks.0.norm.running_mean"].numpy() - before).max()
    print(f"{mode:<16} running mean moved by {moved:.3f}")

_, axis = plt.subplots(figsize=(9, 2.8))
for mode, values in chances.items():
    axis.plot(values, "o-", label=mode, markersize=4, linewidth=0.8)
axis.set(xlabel="try", ylabel="probability", title="the right class of one image", ylim=(0, 1.05))
axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
plt.show()

course.result("training mode, spread", np.ptp(chances["training mode"]), at_least=0.1)
course.result("evaluation mode, spread", np.ptp(chances["evaluation mode"]), at_most=1e-5)

# %% [markdown]
# **Things to try**
#
# - Set the momentum of all batch norms to `None`: the running statistics become plain means. What
#   changes in the evaluation after one epoch?
# - Replace tanh by ReLU with He's weights in `learn`: where does each learning rate end?
# - Feed the trained network with test images that are half as bright. Whose accuracy falls less,
#   with running statistics or with those of the batch?
# - Put `norm="layer"` into the picture of the signals.
# - Multiply a linear layer's weights by 10 before a batch norm: what happens to the output, and
#   to the gradient of these weights?
