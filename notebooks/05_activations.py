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
# # Activations
#
# Without a bend between them, two linear layers are one linear layer. What the bend looks like
# decides how gradients come back through it.
#
# **What you will learn**
#
# - what fourteen activations look like, with their first and second derivatives, all taken from
#   the engine and checked against formulas;
# - what saturation costs: a unit that is badly wrong and does not move;
# - how ReLU units die, how to count the dead, and what a small leak changes;
# - what softmax does with large and small scores: its temperature;
# - how a maxout unit learns its own activation.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from autograd import viz
from course import COLOURS

# %% [markdown]
# ## The family
#
# Each entry has the library's layer and the derivative as textbooks give it. The curves below do
# not use these formulas: they come from the engine, forward by a call, the derivative by a
# backward pass, and the second derivative by a backward pass through the backward pass.

# %%
ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805  # of SELU


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def bell(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def bell_area(x):
    return np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x])


def step(left, right=1.0):
    return lambda x: np.where(x > 0, right, left)


activations = {
    "sigmoid": (nn.Sigmoid(), lambda x: sigmoid(x) * sigmoid(-x)),
    "hard sigmoid": (nn.Hardsigmoid(), lambda x: (np.abs(x) < 3) / 6),
    "tanh": (nn.Tanh(), lambda x: 1 - np.tanh(x) ** 2),
    "ReLU": (nn.ReLU(), step(0.0)),
    "leaky ReLU": (nn.LeakyReLU(0.1), step(0.1)),
    "PReLU (slope learned)": (nn.PReLU(init=0.25).double(), step(0.25)),
    "RReLU (slope drawn)": (nn.RReLU().eval(), step((1 / 8 + 1 / 3) / 2)),
    "ELU": (nn.ELU(), lambda x: np.where(x > 0, 1, np.exp(x))),
    "SELU": (nn.SELU(), lambda x: SCALE * np.where(x > 0, 1, ALPHA * np.exp(x))),
    "GELU": (nn.GELU(), lambda x: bell_area(x) + x * bell(x)),
    "SiLU": (nn.SiLU(), lambda x: sigmoid(x) * (1 + x * sigmoid(-x))),
    "softplus": (nn.Softplus(), sigmoid),
}
second = {
    "sigmoid": lambda x: sigmoid(x) * sigmoid(-x) * (1 - 2 * sigmoid(x)),
    "tanh": lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2),
    "ELU": lambda x: np.where(x > 0, 0, np.exp(x)),
    "SELU": lambda x: SCALE * ALPHA * np.where(x > 0, 0, np.exp(x)),
    "GELU": lambda x: bell(x) * (2 - x * x),
    "SiLU": lambda x: sigmoid(x) * sigmoid(-x) * (2 + x * (1 - 2 * sigmoid(x))),
    "softplus": lambda x: sigmoid(x) * sigmoid(-x),
}


# %%
def derivatives(function, points):
    x = autograd.tensor(points, requires_grad=True)
    y = function(x)
    (slope,) = autograd.grad(y.sum(), x, create_graph=True)
    bend = np.zeros_like(points)
    if slope.requires_grad:
        (found,) = autograd.grad(slope.sum(), x, allow_unused=True)
        bend = bend if found is None else found.numpy()
    return y.detach().numpy(), slope.detach().numpy(), bend


points = np.linspace(-6, 6, 480)  # none of them at a kink
worst = {"first": 0.0, "second": 0.0}
figure, axes = plt.subplots(3, 4, figsize=(12, 7.6), sharex=True, sharey=True)
for axis, (name, (function, formula)) in zip(axes.flat, activations.items(), strict=True):
    y, slope, bend = derivatives(function, points)
    worst["first"] = max(worst["first"], np.abs(slope - formula(points)).max())
    axis.plot(points, y, label="$f$")
    axis.plot(points, slope, label="$f'$")
    if name in second:
        worst["second"] = max(worst["second"], np.abs(bend - second[name](points)).max())
        axis.plot(points, bend, "--", linewidth=1.2, label="$f''$")
    axis.set(title=name, ylim=(-1.9, 3.1), xlim=(-6, 6))
axes[0, 0].legend(loc="upper left")
for axis in axes[2]:
    axis.set_xlabel("$x$")
plt.show()

for order, difference in worst.items():
    course.result(f"{order} derivatives, largest difference", difference, at_most=1e-12)

# %% [markdown]
# Of the pieces that are straight, $f''$ is zero and not drawn. Where two of them meet there is no
# derivative, only a choice. These are the library's, which are those of PyTorch:

# %%
for name, (function, _) in activations.items():
    _, slope, _ = derivatives(function, np.zeros(1))
    if name not in second and name != "hard sigmoid":
        print(f"{name:<22} slope taken at 0: {slope[0]:.4f}")

# %% [markdown]
# Two of the rectifiers have a slope of their own on the left. PReLU's is a parameter, with a
# gradient like any other: each negative input adds itself times what comes from above. RReLU's is
# drawn anew for each number in training, which is noise against overfitting, and is the mean of
# the range in evaluation.

# %%
prelu = nn.PReLU(init=0.25).double()
x = autograd.tensor([-2.0, -1.0, 3.0], dtype=np.float64)
(slope_gradient,) = autograd.grad(prelu(x).sum(), prelu.weight)
course.result("PReLU, gradient of its slope", slope_gradient.item(), equals=-3)

autograd.manual_seed(0)
x = np.linspace(-4, 2, 400).astype(np.float32)
_, axis = plt.subplots(figsize=(6, 3))
axis.plot(x, nn.RReLU()(autograd.tensor(x)).numpy(), ".", markersize=3, label="training")
axis.plot(x, nn.RReLU().eval()(autograd.tensor(x)).numpy(), label="evaluation")
axis.set(xlabel="$x$", ylabel="$f(x)$", title="RReLU")
axis.legend()
plt.show()

# %% [markdown]
# ## Saturation
#
# Far from zero a sigmoid is flat: it passes on almost nothing of the gradient that reaches it.
# Here is the slope of each activation at $-10$ and at $10$.

# %%
slopes = {}
for name, (function, _) in activations.items():
    _, slopes[name], _ = derivatives(function, np.array([-10.0, 10.0]))
    print(f"{name:<22} {slopes[name][0]:12.3g} {slopes[name][1]:12.3g}")

course.result("sigmoid, slope at 10", slopes["sigmoid"][1], at_most=1e-4)
course.result("tanh, slope at 10", slopes["tanh"][1], at_most=1e-8)
course.result("hard sigmoid, slope at 10", slopes["hard sigmoid"][1], equals=0)
course.result("ReLU, slope at -10", slopes["ReLU"][0], equals=0)
course.result("leaky ReLU, slope at -10", slopes["leaky ReLU"][0], equals=0.1, within=1e-12)

# %% [markdown]
# What that means for learning: one sigmoid unit with the input 1 starts at weight 2 and bias 2,
# so it says 0.98, and is told that 0 is right. With the squared error, the gradient contains the
# slope of the sigmoid, and the unit that is most wrong learns least. Cross-entropy divides by
# just this slope: its gradient is $p - y$.

# %%
outputs = {}
for name, loss_function in {
    "squared error": nn.functional.mse_loss,
    "cross-entropy": nn.functional.binary_cross_entropy,
}.items():
    unit = nn.Linear(1, 1)
    for parameter in unit.parameters():
        nn.init.constant_(parameter, 2.0)
    optimizer = optim.SGD(unit.parameters(), lr=0.15)
    outputs[name] = []
    for _ in range(300):
        optimizer.zero_grad()
        output = autograd.sigmoid(unit(autograd.ones(1, 1)))
        loss_function(output, autograd.zeros(1, 1)).backward()
        outputs[name].append(output.item())
        optimizer.step()

_, axis = plt.subplots(figsize=(6, 3))
for name, curve in outputs.items():
    axis.plot(curve, label=name)
axis.set(xlabel="step", ylabel="output (0 is right)", title="a saturated unit unlearns a mistake")
axis.legend()
plt.show()

steps = {name: int(np.argmax(np.array(curve) < 0.5)) for name, curve in outputs.items()}
print("steps until the output is below one half:", steps)
course.result(
    "squared error, times as many steps",
    steps["squared error"] / steps["cross-entropy"],
    at_least=3,
)

# %% [markdown]
# ## Dead units
#
# A ReLU unit that is negative for every sample has the gradient zero for every sample: nothing
# will ever change its weights. It is dead. One large step of the optimizer is enough to get a
# unit there.
#
# Below, a network with two hidden layers of 64 units learns scikit-learn's handwritten digits
# with learning rates from good to far too large, once with ReLU and once with a leak of 0.1 on
# the left. After each epoch we count the units that are never active on the training images.

# %%
images, labels = nn.data.digits()
images = images.reshape(len(images), -1)
order = np.random.default_rng(0).permutation(len(images))
train, test = order[:1437], order[1437:]
images = images - images[train].mean(0)


def network_of(activation):
    return nn.Sequential(
        nn.Linear(64, 64), activation(), nn.Linear(64, 64), activation(), nn.Linear(64, 10)
    )


def count_dead(network):
    """Count hidden units that are not positive for any training image."""
    with autograd.no_grad():
        first = network[:2](autograd.tensor(images[train]))
        second = network[2:4](first)
    return sum(int((hidden.numpy() <= 0).all(0).sum()) for hidden in (first, second))


class CountDead(nn.train.Callback):
    """Notes the number of dead units in the history."""

    def on_epoch_end(self, trainer, record):
        """Count them."""
        record["dead"] = count_dead(trainer.model)


def learn(network, rate, epochs=15, count=True):
    return nn.train.fit(
        network,
        (images[train], labels[train]),
        nn.CrossEntropyLoss(),
        optim.Adam(network.parameters(), lr=rate),
        epochs=epochs,
        validation=(images[test], labels[test]),
        metrics={"accuracy": nn.metrics.accuracy},
        callbacks=[CountDead()] if count else [],
        progress=False,
    )


# %%
kinds = {"ReLU": nn.ReLU, "leaky ReLU": lambda: nn.LeakyReLU(0.1)}
rates = (0.003, 0.03, 0.1, 0.3)
histories = {}
for name, activation in kinds.items():
    for rate in rates:
        autograd.manual_seed(0)
        histories[name, rate] = learn(network_of(activation), rate)

_, axes = plt.subplots(1, 3, figsize=(12, 3.4))
for axis, name in zip(axes, kinds, strict=False):
    for rate in rates:
        history = histories[name, rate].to_dict()
        axis.plot(history["epoch"], history["dead"], label=f"learning rate {rate:g}")
    axis.set(title=f"{name}: dead units of 128", xlabel="epoch", ylabel="units", ylim=(-3, 90))
axes[1].legend()
for name in kinds:
    reached = [histories[name, rate][-1]["validation_accuracy"] for rate in rates]
    axes[2].semilogx(rates, reached, "o-", label=name)
axes[2].set(title="test accuracy", xlabel="learning rate", ylim=(0, 1.05))
axes[2].legend()
plt.show()

for name in kinds:
    for rate in (0.003, 0.3):
        last = histories[name, rate][-1]
        print(f"{name:<10} at {rate:<5} {last['dead']:3} dead, {last['validation_accuracy']:.1%}")

# %%
course.result("ReLU at 0.3, dead units", histories["ReLU", 0.3][-1]["dead"], at_least=40)
course.result("leaky ReLU at 0.3, dead units", histories["leaky ReLU", 0.3][-1]["dead"], at_most=10)
accuracy = histories["leaky ReLU", 0.3][-1]["validation_accuracy"]
course.result("leaky ReLU at 0.3, test accuracy", accuracy, at_least=0.8)

# %% [markdown]
# The other way to die is to be born dead: with biases of $-2$, no unit of this network is ever
# positive. A network of ReLUs then has no gradient at all, whatever the optimizer. With the leak
# there is a small one, which Adam, who divides each gradient by its own size, makes the most of.

# %%
born_dead, scores = {}, {}
for name, activation in kinds.items():
    autograd.manual_seed(0)
    network = born_dead[name] = network_of(activation)
    for layer in (network[0], network[2]):
        nn.init.constant_(layer.bias, -2.0)
    before = count_dead(network)
    last = learn(network, 0.005)[-1]
    scores[name] = last["validation_accuracy"]
    print(f"{name:<10} dead at first: {before}, after {last['epoch']} epochs: {last['dead']}")

course.result("born dead, ReLU, test accuracy", scores["ReLU"], at_most=0.2)
course.result("born dead, leaky ReLU, test accuracy", scores["leaky ReLU"], at_least=0.95)

# %% [markdown]
# When a gradient is zero, `viz.why` looks for the reason in the graph:

# %%
batch, target = autograd.tensor(images[train[:64]]), autograd.tensor(labels[train[:64]])


def step_of_the_dead():
    return nn.functional.cross_entropy(born_dead["ReLU"](batch), target)


answer = viz.why(born_dead["ReLU"][0].weight, step_of_the_dead)
print("The gradient is:", answer.verdict)
for cause in answer.causes:
    print(cause.text)
    print("Mend:", cause.mend)

# %% [markdown]
# ## Which one, then?
#
# The same network and the same learning rate, a good one, with each activation:

# %%
scores = {}
for name, (layer, _) in activations.items():
    autograd.manual_seed(0)
    network = network_of(kinds.get(name, type(layer)))
    scores[name] = learn(network, 0.003, epochs=8)[-1]["validation_accuracy"]
autograd.manual_seed(0)
history = learn(nn.models.MaxoutNetwork(), 0.003, epochs=8, count=False)
scores["maxout"] = history[-1]["validation_accuracy"]

for name, score in scores.items():
    print(f"{name:<22} {score:.1%}")
course.result("lowest test accuracy", min(scores.values()), at_least=0.85)

# %% [markdown]
# In a shallow network that is well started, any bend will do. Depth is what tells them apart,
# which is the subject of the next notebook.
#
# ## Softmax and its temperature
#
# Softmax turns scores into probabilities, $p_i = e^{z_i / T} / \sum_j e^{z_j / T}$. The
# temperature $T$ is 1 if nobody speaks of it. Near zero all goes to the largest score, and the
# gradient dies as that of a saturated sigmoid does; when it is high, all classes become alike.

# %%
scores_of_four = autograd.tensor([2.0, 1.0, 0.5, -1.0], dtype=np.float64)
temperatures = np.logspace(-1.3, 2, 120)
chances, steepness = [], []
for temperature in temperatures:
    z = scores_of_four.clone().requires_grad_()
    p = autograd.softmax(z / temperature, 0)
    chances.append(p.detach().numpy())
    (gradient,) = autograd.grad(p[0], z)
    steepness.append(gradient.norm().item())
chances = np.array(chances)

_, axes = plt.subplots(1, 2, figsize=(10, 3.2))
for i, score in enumerate(scores_of_four.tolist()):
    axes[0].semilogx(temperatures, chances[:, i], label=f"score {score:g}")
axes[0].axhline(0.25, color=COLOURS[6], linewidth=0.8, linestyle=":")
axes[0].set(xlabel="temperature", ylabel="probability", title="softmax of four scores")
axes[0].legend()
axes[1].semilogx(temperatures, steepness, color=COLOURS[4])
axes[1].set(xlabel="temperature", ylabel="norm", title="gradient of the largest probability")
plt.show()

course.result("largest probability at T = 0.05", chances[0].max(), at_least=0.999)
course.result("distance from uniform at T = 100", np.abs(chances[-1] - 0.25).max(), at_most=0.01)

# %% [markdown]
# ## Maxout: an activation that is learned
#
# A maxout unit gives the largest of several linear functions, $\max_k (w_k x + b_k)$. That is a
# convex function made of straight pieces, and the pieces are learned. Eight of them shall become
# $x^2$.

# %%
line = autograd.linspace(-2.0, 2.0, 200).reshape(-1, 1)


def imitate(function, target, parameters):
    optimizer = optim.Adam(parameters, lr=0.02)
    for _ in range(800):
        optimizer.zero_grad()
        nn.functional.mse_loss(function(line), target).backward()
        optimizer.step()
    return nn.functional.mse_loss(function(line), target).item()


autograd.manual_seed(0)
convex = nn.models.Maxout(1, 1, pieces=8)
error = imitate(convex, line**2, convex.parameters())
course.result("maxout imitates a parabola, squared error", error, at_most=0.01)

plus, minus = nn.models.Maxout(1, 1, pieces=8), nn.models.Maxout(1, 1, pieces=8)
wave = (2.0 * line).sin()
parameters = [*plus.parameters(), *minus.parameters()]
error = imitate(lambda x: plus(x) - minus(x), wave, parameters)
course.result("two of them imitate a wave, squared error", error, at_most=0.02)

# %%
x = line.numpy()[:, 0]
every = convex.linear(line).detach().numpy()
used = np.unique(every.argmax(1))
_, axes = plt.subplots(1, 2, figsize=(10, 3.6))
axes[0].plot(x, every[:, used], color=COLOURS[5], linewidth=0.9)
axes[0].plot(x, x**2, ":", color=COLOURS[6], label="$x^2$")
axes[0].plot(x, convex(line).detach().numpy(), label="maxout")
axes[0].set(
    ylim=(-2, 4.3), xlabel="$x$", title=f"{len(used)} of the 8 pieces are the largest somewhere"
)
axes[0].legend(loc="upper center")
axes[1].plot(x, wave.numpy(), ":", color=COLOURS[6], label=r"$\sin 2x$")
axes[1].plot(x, (plus(line) - minus(line)).detach().numpy(), label="difference of two maxouts")
axes[1].set(ylim=(-1.2, 1.9), xlabel="$x$", title="not convex: it takes two")
axes[1].legend(loc="upper left")
plt.show()

bends = np.diff(convex(line).detach().double().numpy()[:, 0], 2)
course.result("maxout is convex, lowest second difference", bends.min(), at_least=-1e-5)

# %% [markdown]
# A piece that is nowhere the largest gets no gradient: maxout has its dead, too.
#
# **Things to try**
#
# - Start the hidden layers of the born-dead network with biases of $-0.5$ instead: does ReLU
#   recover? With which learning rates?
# - Replace the leak of 0.1 by 0.01, or by `nn.ELU`, and count the dead again.
# - Train the saturated sigmoid unit from weight and bias 4: how many steps does each loss need?
# - Plot the derivative of `nn.Hardswish` and `nn.Mish` beside that of SiLU.
# - Give the maxout unit 32 pieces, other seeds, another learning rate: how many pieces come into
#   use?
