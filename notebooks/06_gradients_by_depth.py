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
# # Vanishing and exploding gradients
#
# A deep network multiplies its gradient once for each layer. Forty factors of one half leave a
# millionth of a millionth; forty factors of two, the inverse of that. This notebook measures it,
# layer by layer, and then tries each of the cures.
#
# **What you will learn**
#
# - how to measure the gradient that reaches each layer;
# - which initial weights keep its size, and how to compute them on paper;
# - what batch norm and residuals do for the same network, and what they do not;
# - why a look at the weights' gradients alone can miss an explosion;
# - how clipping saves a recurrent network from a single bad step.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from autograd import viz
from course import COLOURS

# %% [markdown]
# ## Measuring
#
# `DeepMLP` is a perceptron of many equal layers, 40 here with 64 units each, with each cure as an
# option. The data are scikit-learn's handwritten digits of 64 pixels. One backward pass, before
# any training: how long is the gradient of the loss with respect to what each layer's linear map
# puts out, $\partial L / \partial z_l$?

# %%
images, labels = nn.data.digits()
images = images.reshape(len(images), -1)
order = np.random.default_rng(0).permutation(len(images))
train, test = order[:1437], order[1437:]
images = (images - images[train].mean(0)) / (images[train].std(0) + 0.05)

DEPTH = 40
batch = autograd.tensor(images[train[:128]].astype(np.float64))
target = autograd.tensor(labels[train[:128]])


def gradient_norms(**options):
    """Norm of the gradient at the output of each linear layer, and of each weight's gradient."""
    autograd.manual_seed(0)
    options = {"norm": None, "residual": False, **options}
    network = nn.models.DeepMLP(depth=DEPTH, **options).double()
    outputs = []
    for block in network.blocks:
        block.linear.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    loss = nn.functional.cross_entropy(network(batch), target)
    weights = [block.linear.weight for block in network.blocks]
    found = autograd.grad(loss, outputs + weights)
    norms = np.array([gradient.norm().item() for gradient in found])
    return norms[:DEPTH], norms[DEPTH:]


def ratio(norms):
    """Of the first layer's gradient to the last layer's: 1 would be ideal."""
    return norms[0] / norms[-1]


# %% [markdown]
# ## Initial weights
#
# Four ways to draw the weights at the beginning, for three activations: normal numbers with
# standard deviation 1 ("naive") or 0.01 ("small"), and the two that are named after Xavier Glorot
# and Kaiming He.

# %%
inits = {"naive": "naive", "small": "small", "xavier": "Xavier", "he": "He"}
names = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU"}
plain = {}
_, axes = plt.subplots(1, 3, figsize=(12, 3.8), sharey=True)
for axis, activation in zip(axes, names, strict=True):
    for init in inits:
        norms, weights = gradient_norms(activation=activation, init=init)
        plain[activation, init] = norms, weights
        axis.semilogy(np.arange(1, DEPTH + 1), norms, label=inits[init])
    axis.set(title=names[activation], xlabel="layer (the loss is at the right)", ylim=(1e-40, 1e35))
axes[0].set_ylabel(r"norm of $\partial L / \partial z_l$")
axes[2].legend(loc="lower right")
plt.show()

# %% [markdown]
# The gradient comes in at the right, about as large in all of them, and runs to the left. Nearly
# all lines are straight: on the logarithmic scale this means one factor for each layer.
#
# The factor can be computed. A layer of ReLUs with $n$ inputs and weights of standard deviation
# $\sigma$ passes back $n$ products of a gradient and a weight, half of them through units that
# are on. So each layer multiplies the norm by about
#
# $$
# \sigma \sqrt{n / 2},
# $$
#
# which is 1 if $\sigma = \sqrt{2 / n}$: these are He's weights. For tanh near zero, whose slope
# is 1, no half is lost, and $\sigma = \sqrt{1 / n}$ will do: Xavier's.

# %%
WIDTH = 64
deviations = {"naive": 1.0, "small": 0.01, "xavier": WIDTH**-0.5, "he": (2 / WIDTH) ** 0.5}
worst = 0.0
for init, deviation in deviations.items():
    measured = ratio(plain["relu", init][0]) ** (1 / (DEPTH - 1))
    predicted = deviation * (WIDTH / 2) ** 0.5
    worst = max(worst, abs(measured / predicted - 1))
    print(f"ReLU, {inits[init]:<7} factor for each layer: {measured:.4f}, on paper {predicted:.4f}")
course.result("factor for each layer, largest error", worst, at_most=0.1)

for activation, init, goal in [
    ("relu", "naive", {"at_least": 1e20}),
    ("relu", "small", {"at_most": 1e-20}),
    ("relu", "he", {"at_least": 0.1}),
    ("tanh", "small", {"at_most": 1e-20}),
    ("tanh", "xavier", {"at_least": 0.05}),
    ("sigmoid", "xavier", {"at_most": 1e-15}),
]:
    name = f"{names[activation]}, {inits[init]}: first to last layer"
    course.result(name, ratio(plain[activation, init][0]), **goal)

# %% [markdown]
# The sigmoid is beyond help from this side: its slope is at most a quarter, and none of the four
# keeps its gradient alive at a useful size.
#
# ## Batch norm, and residuals
#
# Batch norm makes each unit's input a standard normal one, over the batch, whatever the weights
# are. A residual adds a layer's input to its output, so that one term of the derivative is the
# identity, which multiplies by 1. A bad case from above, sigmoid with Xavier's weights, with
# these two:

# %%
cures = {
    "none": {},
    "batch norm": {"norm": "batch"},
    "layer norm": {"norm": "layer"},
    "residual": {"residual": True},
    "both": {"norm": "batch", "residual": True},
}
titles = {"none": "no cure", "both": "batch norm and residual"}
_, axis = plt.subplots(figsize=(8, 3.6))
for name, options in cures.items():
    norms, _ = gradient_norms(activation="sigmoid", init="xavier", **options)
    axis.semilogy(np.arange(1, DEPTH + 1), norms, label=titles.get(name, name))
    if name in ("none", "batch norm", "residual", "both"):
        goal = {"at_most": 1e-15} if name == "none" else {"at_least": 0.1}
        course.result(
            f"sigmoid with {titles.get(name, name)}: first to last layer", ratio(norms), **goal
        )
axis.set(xlabel="layer", ylabel=r"norm of $\partial L / \partial z_l$", title="sigmoid, Xavier")
axis.legend(loc="lower right")
plt.show()

# %% [markdown]
# And now all of them together. Each cell is the ratio of the first layer's gradient to the last
# layer's, as a power of ten: 0 is ideal, red explodes, blue vanishes.

# %%
rows = [(activation, init) for activation in names for init in inits]
table = np.array(
    [
        [
            np.log10(ratio(gradient_norms(activation=activation, init=init, **options)[0]))
            for options in cures.values()
        ]
        for activation, init in rows
    ]
)

_, axis = plt.subplots(figsize=(8, 5.4))
axis.imshow(table, cmap="RdBu_r", vmin=-12, vmax=12, aspect="auto")
for (i, j), power in np.ndenumerate(table):
    colour = "white" if abs(power) > 7 else "black"
    axis.text(j, i, f"{power:+.1f}", ha="center", va="center", color=colour, fontsize=9)
axis.set_xticks(
    range(len(cures)),
    ["no cure", "batch norm", "layer norm", "residual", "batch norm\nand residual"],
)
axis.set_yticks(
    range(len(rows)), [f"{names[activation]}, {inits[init]}" for activation, init in rows]
)
axis.set_title("gradient of layer 1 beside that of layer 40, power of ten")
axis.grid(False)
plt.show()

batch_norm = np.abs(table[:, 1]).max()
course.result("batch norm: farthest from 1, power of ten", batch_norm, at_most=4)
course.result("both: farthest from 1, power of ten", np.abs(table[:, 4]).max(), at_most=2)

# %% [markdown]
# What there is to see:
#
# - Batch norm makes the initial weights irrelevant: in its column, the numbers of one activation
#   are alike.
# - It is not free. With ReLU, each layer of it multiplies the gradient by about $\sqrt{\pi / (\pi
#   - 1)}$ (Yang et al. 2019, "A mean field theory of batch normalization"), which the next cell
#   compares with what was measured.
# - Layer norm does nothing for the sigmoid's small slope.
# - A residual cures what vanishes, not what explodes: to a branch of size 1 it adds another 1. It
#   wants a branch that is small, or normalised.

# %%
norms, _ = gradient_norms(activation="relu", init="he", norm="batch")
measured = ratio(norms) ** (1 / (DEPTH - 1))
predicted = (np.pi / (np.pi - 1)) ** 0.5
print(f"batch norm with ReLU: factor {measured:.4f} for each layer, in theory {predicted:.4f}")
course.result(
    "batch norm's factor, measured to theory", measured / predicted, equals=1, within=0.05
)

# %% [markdown]
# ## Where not to look
#
# Many tools show the norms of the weights' gradients. A weight's gradient is what comes in from
# below times what comes back from above. In a network of ReLUs, where one of the two has grown
# (or shrunk) by many layers, the other has not, so that their product is about the same in all of
# them: an explosion does not show.

# %%
print("ReLU:    first to last layer   of the gradient at z    of the weights' gradients")
for init in inits:
    at_z, at_weights = plain["relu", init]
    print(f"{inits[init]:<30} {ratio(at_z):14.2e} {ratio(at_weights):24.2g}")
at_z, at_weights = plain["relu", "naive"]
course.result("ReLU, naive, weights: first to last layer", ratio(at_weights), at_least=0.01)

# %% [markdown]
# The library looks at the whole way. Asked about the first weights of the sigmoid network, it
# says:

# %%
autograd.manual_seed(0)
network = nn.models.DeepMLP(
    depth=DEPTH, activation="sigmoid", init="xavier", norm=None, residual=False
).double()
answer = viz.why(
    network.blocks[0].linear.weight,
    lambda: nn.functional.cross_entropy(network(batch), target),
)
print("The gradient is:", answer.verdict)
print(answer.causes[0].text)
print("Mend:", answer.causes[0].mend)

# %% [markdown]
# ## Does it learn?
#
# The same seven networks of 30 layers, trained for ten epochs by Adam with one and the same
# learning rate:

# %%
contenders = {
    "sigmoid, Xavier": ("sigmoid", "xavier", None, False),
    "sigmoid, batch norm": ("sigmoid", "xavier", "batch", False),
    "sigmoid, residual": ("sigmoid", "xavier", None, True),
    "ReLU, small": ("relu", "small", None, False),
    "ReLU, He": ("relu", "he", None, False),
    "ReLU, He, both": ("relu", "he", "batch", True),
    "ReLU, small, residual": ("relu", "small", None, True),
}
histories = {}
for name, (activation, init, norm, residual) in contenders.items():
    autograd.manual_seed(0)
    network = nn.models.DeepMLP(
        depth=30, activation=activation, init=init, norm=norm, residual=residual
    )
    histories[name] = nn.train.fit(
        network,
        (images[train], labels[train]),
        nn.CrossEntropyLoss(),
        optim.Adam(network.parameters(), lr=0.001),
        epochs=10,
        batch_size=64,
        validation=(images[test], labels[test]),
        metrics={"accuracy": nn.metrics.accuracy},
        progress=False,
    ).to_dict()

_, axes = plt.subplots(1, 2, figsize=(12, 3.8))
for i, (name, history) in enumerate(histories.items()):
    style = "--" if name in ("sigmoid, Xavier", "ReLU, small") else "-"
    axes[0].semilogy(history["epoch"], history["train_loss"], style, color=COLOURS[i])
    axes[1].plot(
        history["epoch"], history["validation_accuracy"], style, color=COLOURS[i], label=name
    )
axes[0].set(xlabel="epoch", ylabel="cross-entropy", title="training loss")
axes[1].set(xlabel="epoch", ylabel="accuracy", title="test accuracy", ylim=(0, 1.03))
axes[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
plt.show()

for name, goal in {
    "sigmoid, Xavier": {"at_most": 0.2},
    "sigmoid, batch norm": {"at_least": 0.9},
    "sigmoid, residual": {"at_least": 0.85},
    "ReLU, small": {"at_most": 0.2},
    "ReLU, He": {"at_least": 0.6},
    "ReLU, He, both": {"at_least": 0.9},
    "ReLU, small, residual": {"at_least": 0.95},
}.items():
    course.result(f"{name}: test accuracy", histories[name]["validation_accuracy"][-1], **goal)

# %% [markdown]
# ## Time is depth: clipping
#
# A recurrent network applies one and the same layer at every step, so its gradient is multiplied
# by one and the same matrix, again and again. Below, the gradient that reaches the input of each
# of 60 steps, for recurrent weights that are an orthogonal matrix times a scale. All inputs are
# 0, so that the units stay at 0, where tanh has the slope 1.

# %%
STEPS = 60


def recurrent(scale, inputs=1, **options):
    autograd.manual_seed(0)
    network = nn.RNN(inputs, 32, batch_first=True, **options)
    nn.init.orthogonal_(network.weight_hh_l0, gain=scale)
    return network


_, axis = plt.subplots(figsize=(8, 3.2))
for scale in (0.8, 1.0, 1.2):
    network = recurrent(scale, inputs=32, bias=False)
    nn.init.eye_(network.weight_ih_l0)  # each unit has an input of its own
    sequence = autograd.zeros(1, STEPS, 32, requires_grad=True)
    output, _ = network(sequence)
    (gradient,) = autograd.grad(output[:, -1].sum(), sequence)
    norms = gradient.norm(dim=(0, 2)).numpy()
    axis.semilogy(range(1, STEPS + 1), norms, label=f"scale {scale}")
    factor = (norms[0] / norms[-1]) ** (1 / (STEPS - 1))
    course.result(f"scale {scale}: factor for each step", factor, equals=scale, within=0.001)
axis.set(xlabel="time step", ylabel="norm of the gradient", title="back through time")
axis.legend()
plt.show()

# %% [markdown]
# An explosion in a recurrent network is not there all the time: it comes in single steps, at a
# cliff of the loss. The smallest such network has one unit, $h_{t+1} = w\,\sigma(h_t) + b$, and
# is asked to be at 0.7 after 50 steps (after Pascanu, Mikolov and Bengio 2013, "On the difficulty
# of training recurrent neural networks"). Its loss has a wall:


# %%
def cliff(w, b):
    h = autograd.full_like(w, 0.5)
    for _ in range(50):
        h = w * autograd.sigmoid(h) + b
    return (h - 0.7) ** 2


def descend(clip):
    place = autograd.tensor([6.0, -2.6], dtype=np.float64, requires_grad=True)
    optimizer = optim.SGD([place], lr=0.005)
    path, norms = [place.tolist()], []
    for _ in range(300):
        optimizer.zero_grad()
        cliff(place[0], place[1]).backward()
        norms.append(nn.utils.clip_grad_norm_(place, clip).item())
        optimizer.step()
        path.append(place.tolist())
    return np.array(path), np.array(norms)


w, b = np.meshgrid(np.linspace(4.5, 6.5, 161), np.linspace(-3.3, -1.9, 161))
height = cliff(autograd.tensor(w), autograd.tensor(b)).numpy()
paths = {"free": descend(float("inf")), "clipped": descend(1.0)}

_, axes = plt.subplots(1, 2, figsize=(12, 4.2))
axes[0].contourf(w, b, height, 30, cmap="Greys")
for i, (name, (path, norms)) in enumerate(paths.items()):
    axes[0].plot(*path.T, ".-", color=COLOURS[1 - i], markersize=3, label=f"{name}")
    axes[1].semilogy(norms, color=COLOURS[1 - i], label=f"{name}, before clipping" if i else name)
axes[0].plot(6.0, -2.6, "o", color="white", markeredgecolor="black")
axes[0].set(
    xlim=(4.5, 6.5), ylim=(-3.3, -1.9), xlabel="$w$", ylabel="$b$", title="loss: white is 0"
)
axes[0].legend(loc="upper right", frameon=True)
axes[1].set(xlabel="step", ylabel="gradient's norm", title="the gradient along the way")
axes[1].legend()
plt.show()

lengths = {
    name: np.linalg.norm(np.diff(path, axis=0), axis=1).max() for name, (path, _) in paths.items()
}
course.result("longest step, free", lengths["free"], at_least=5)
course.result("longest step, clipped", lengths["clipped"], at_most=0.005001)

# %% [markdown]
# The free path bounces along the wall until it meets a steep place, and one step throws it far
# out of the picture. Clipping keeps the direction of the gradient and shortens it to 1, so that a
# cliff costs a step like any other.
#
# Now a network of 32 units with a task: remember the sum of five signs, and report it after 55
# empty steps.


# %%
def remember(clip, scale=1.2, steps=300):
    rng = np.random.default_rng(0)
    network, head = recurrent(scale), nn.Linear(32, 1)
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = optim.SGD(parameters, lr=0.01, momentum=0.9)
    losses, norms = [], []
    for _ in range(steps):
        sequence = np.zeros((32, STEPS, 1), dtype=np.float32)
        sequence[:, :5] = rng.choice([-1.0, 1.0], (32, 5, 1))
        optimizer.zero_grad()
        output, _ = network(autograd.tensor(sequence))
        loss = nn.functional.mse_loss(head(output[:, -1]), autograd.tensor(sequence.sum(1)))
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(parameters, clip).item())
        losses.append(loss.item())
        optimizer.step()
    return np.array(losses), np.array(norms)


runs = {"free": remember(float("inf")), "clipped to 1": remember(1.0)}

_, axes = plt.subplots(1, 2, figsize=(12, 3.4))
for i, (name, (losses, norms)) in enumerate(runs.items()):
    axes[0].semilogy(losses, color=COLOURS[1 - i], label=name)
    axes[1].semilogy(norms, color=COLOURS[1 - i], label=name, linewidth=0.8)
axes[0].axhline(5.0, color=COLOURS[6], linestyle=":", label="always 0")
axes[0].set(xlabel="step", ylabel="squared error", title="a sum, remembered over 55 steps")
axes[1].set(xlabel="step", ylabel="gradient's norm", title="before clipping")
axes[0].legend()
plt.show()

course.result("remembered, free: squared error", runs["free"][0][-20:].mean(), at_least=2)
course.result("remembered, clipped: squared error", runs["clipped to 1"][0][-20:].mean(), at_most=1)

# %% [markdown]
# **Things to try**
#
# - Give the 40 layers another width: which of the lines move, and which stay?
# - Add `nn.GELU` to the activations of `nn/models/deep_mlp.py`: do He's weights fit it?
# - Multiply each residual branch by $1 / \sqrt{40}$: what becomes of "ReLU, He, residual"?
# - Train "ReLU, He, batch norm" without the residual for 30 layers, and then for 10.
# - Replace `nn.RNN` by `nn.LSTM` or `nn.GRU` in the memory task, without clipping.
# - Clip by value, `nn.utils.clip_grad_value_`, at the cliff: how does the direction change?
