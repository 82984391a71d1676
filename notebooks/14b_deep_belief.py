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
# # Networks that dream
#
# In 2006 three layers of coin-tossing units learnt to write digits, and began what is now called
# deep learning. Here they are: Boltzmann machines, a stack of them, and the algorithm that lets the
# stack learn from its own dreams.
#
# **What you will learn**
#
# - what a restricted Boltzmann machine is, and why its likelihood cannot be computed;
# - how contrastive divergence learns all the same, which gradient it follows, and how far that is
#   from the true one, measured where the truth can be enumerated;
# - how a deep belief network is built, layer by layer, and tuned by wake and sleep;
# - how to tell whether a generative model has become better, in nats;
# - what unlabelled digits are worth when only few have labels.

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from course import COLOURS
from nn.models import RBM, DeepBeliefNetwork

digits = course.images()
grey = (digits.train_images / 255).astype(np.float32).reshape(-1, 784)
grey_test = (digits.test_images / 255).astype(np.float32).reshape(-1, 784)
black = (grey > 0.5).astype(np.float32)  # units are on or off, and so are the pixels
black_test = autograd.tensor((grey_test > 0.5).astype(np.float32))
test_labels = autograd.tensor(digits.test_labels)
print(f"{digits.name}: {len(grey):,} digits to learn from, {len(grey_test):,} to be judged by")


def epochs(number):
    """As many steps for the smaller set of digits as for 6,000 of them."""
    return round(number * 6000 / len(grey))


def mean_of_outputs(outputs, _):
    """The loss of a model whose output is its objective."""
    return outputs.mean()


# %% [markdown]
# ## The machine
#
# Visible units $v$ are pixels, hidden units $h$ are features, all of them 0 or 1. A state has an
# energy, and the lower it is, the more probable is the state:
#
# $$E(v, h) = -a^\top v - b^\top h - h^\top W v, \qquad p(v, h) = \frac{e^{-E(v, h)}}{Z}, \qquad
# Z = \sum_{v, h} e^{-E(v, h)}.$$
#
# *Restricted* means that no two units of the same layer are connected. So the hidden ones, given
# the visible, are independent coins, $p(h_j = 1 \mid v) = \sigma(b_j + W_j v)$, and can be summed
# out: what remains is the *free energy*
#
# $$F(v) = -a^\top v - \sum_j \log(1 + e^{b_j + W_j v}), \qquad p(v) = \frac{e^{-F(v)}}{Z}.$$
#
# The catch is $Z$: with 784 pixels it has $2^{784}$ terms. For a tiny machine we can write them all
# down, and check every formula.

# %%
autograd.manual_seed(0)
tiny = RBM(visible=8, hidden=6).double()  # as exact as a computer is
with autograd.no_grad():
    for parameter in tiny.parameters():
        parameter.normal_(0, 2)

v = np.array(list(itertools.product([0.0, 1.0], repeat=8)))
h = np.array(list(itertools.product([0.0, 1.0], repeat=6)))
w, a, b = (p.detach().numpy() for p in (tiny.weight, tiny.visible_bias, tiny.hidden_bias))
weight_of_state = np.exp((v @ a)[:, None] + h @ b + v @ w.T @ h.T)  # e to the minus energy
z = weight_of_state.sum()
print(f"{weight_of_state.size:,} states, log Z = {np.log(z):.6f}")

free = tiny.free_energy(autograd.tensor(v)).detach().numpy()
course.result(
    "free energy, largest difference from summing states",
    np.abs(free + np.log(weight_of_state.sum(1))).max(),
    at_most=1e-10,
)
course.result(
    "log Z, difference from summing states",
    abs(tiny.log_partition().item() - np.log(z)),
    at_most=1e-10,
)


def gradient(model):
    """Of the weights, as an array."""
    found = model.weight.grad
    assert found is not None
    return found.numpy().copy()


# %% [markdown]
# ## Learning without Z
#
# The gradient of the log-likelihood has two parts. One pulls the free energy down where the data
# are, the other pushes it up wherever the machine itself puts probability:
#
# $$-\frac{\partial \log p(v)}{\partial \theta} = \frac{\partial F(v)}{\partial \theta}
# - \mathbb{E}_{u \sim p}\left[\frac{\partial F(u)}{\partial \theta}\right].$$
#
# The second part needs samples $u$ of the machine. *Contrastive divergence* (Hinton 2002) takes
# them cheaply: begin at the data, toss the hidden coins, toss the visible ones, and stop after $k$
# rounds. The well-known update is $\langle h v^\top \rangle_{\text{data}} - \langle h v^\top
# \rangle_{k}$. An autograd engine needs no such formula: it is the gradient of $F(v) - F(v_k)$
# with $v_k$ held constant, which is what the model's `forward` returns.

# %%
data = autograd.tensor(v[::5])
autograd.manual_seed(1)
tiny.zero_grad()
tiny(data).mean().backward()

autograd.manual_seed(1)
sampled = tiny.gibbs(data, 1)
with autograd.no_grad():
    positive = tiny.hidden_probability(data).T @ data / len(data)
    negative = tiny.hidden_probability(sampled).T @ sampled / len(data)
difference = np.abs(gradient(tiny) + (positive - negative).numpy()).max()
course.result(
    "gradient of the difference of free energies, less Hinton's rule", difference, at_most=1e-10
)

# %% [markdown]
# How wrong is it? For the tiny machine the true gradient is known: that of $F(v) + \log Z$, where
# the engine differentiates through the sum over all states. And what CD-$k$ follows *on average* is
# known as well: a round of tossing is a matrix of $256 \times 256$ probabilities, so that the
# distribution after $k$ rounds needs no tossing at all.

# %%
tiny.zero_grad()
(tiny.free_energy(data).mean() + tiny.log_partition()).backward()
true = gradient(tiny)
features = positive.numpy()


def pushed(p):
    """Gradient of the weights if the samples have the distribution `p` over all v."""
    hidden = tiny.hidden_probability(autograd.tensor(v)).detach().numpy()
    return (hidden * p[:, None]).T @ v - features


course.result(
    "gradient of the likelihood, less that of the enumeration",
    np.abs(true - pushed(weight_of_state.sum(1) / z)).max(),
    at_most=1e-10,
)

up = weight_of_state / weight_of_state.sum(1, keepdims=True)  # p(h | v)
down = weight_of_state / weight_of_state.sum(0)  # p(v | h), a column for each h
one_round = up @ down.T
p = np.zeros(len(v))
p[::5] = 1 / len(data)
rounds = range(1, 33)
bias = []
for _ in rounds:
    p = p @ one_round
    bias.append(np.linalg.norm(pushed(p) - true) / np.linalg.norm(true))

plt.figure(figsize=(6.0, 3.0))
plt.semilogy(rounds, bias, "o-", markersize=4)
plt.xlabel("rounds of tossing, k")
plt.ylabel("error of the gradient,\nas a share of its length")
plt.show()
course.result("error of CD-1, as a share of the gradient", bias[0], at_least=0.1)
course.result("error of CD-32, as a share of the gradient", bias[-1], at_most=0.01)

# %% [markdown]
# ## Features of digits
#
# Now a machine for real digits, trained as any other model, by `nn.train.fit`. Its likelihood is
# out of reach, but the *ratio* of two probabilities is not, since $Z$ cancels. So one can ask for
# each pixel how probable its value is, given all the others: the pseudo-likelihood.

# %%
autograd.manual_seed(0)
machine = RBM(visible=784, hidden=100)
machine.match_visible_bias_(autograd.tensor(black))


def judge(model):
    """Nats for each test digit: pseudo-likelihood, and cross-entropy of one round trip."""
    with autograd.no_grad():
        pseudo = model.pseudo_likelihood(black_test).mean().item()
        back = model.visible_probability(model.hidden_probability(black_test))
        lost = nn.functional.binary_cross_entropy(back, black_test, reduction="sum").item()
    return pseudo, lost / len(black_test)


before = judge(machine)
nn.train.fit(
    machine,
    (black, black),
    mean_of_outputs,
    optim.SGD(machine.parameters(), lr=0.1, momentum=0.5, weight_decay=1e-3),
    epochs=epochs(12),
    batch_size=100,
    progress=False,
)
after = judge(machine)
course.result("pseudo-likelihood gained (nats)", after[0] - before[0], at_least=60)
course.result("cross-entropy of the way back, after over before", after[1] / before[1], at_most=0.6)

weights = machine.weight.detach().numpy().reshape(-1, 28, 28)
strength = np.abs(weights).sum((1, 2)).argsort()[::-1]
_, axes = plt.subplots(3, 12, figsize=(8.6, 2.3))
for axis, unit in zip(axes.flat, strength, strict=False):
    limit = np.abs(weights[unit]).max()
    axis.imshow(weights[unit], cmap="RdBu_r", vmin=-limit, vmax=limit)
    axis.axis("off")
plt.show()

# %% [markdown]
# Each picture shows the weights of one hidden unit: red pixels speak for its feature, blue ones
# against it. They have become detectors of strokes and of their ends.
#
# ## A stack of machines
#
# A *deep belief network* (Hinton, Osindero and Teh 2006) trains one machine on the pixels, a second
# one on the features that the first one finds, and so on. Then it splits each lower machine into
# two: *recognition* weights, which lead up from pixels to causes, and *generative* weights, which
# lead down. The topmost stays a Boltzmann machine. Beside the causes it sees ten units for the
# label, one of which is on, so that one may ask for digits of a class.
#
# The top machine keeps *persistent chains* (`chains=100`, Tieleman 2008): samples that go on from
# batch to batch, and wander farther from the data than a few rounds can.

# %%
autograd.manual_seed(0)
network = DeepBeliefNetwork((784, 400, 400), num_classes=10, k=3, chains=100)
network.pretrain(black, digits.train_labels, epochs=epochs(10))
print(network)


# %% [markdown]
# How good a model of digits is it? The average of $\log p(v, y)$ over test digits and their labels
# would say. It has a lower bound that can be computed, the *variational bound*, with the
# recognition weights as $q$:
#
# $$\log p(v, y) \ge \mathbb{E}_{h \sim q(h \mid v)}\left[\log p(v \mid h) + \log p(h, y)
# - \log q(h \mid v)\right].$$
#
# The prior $p(h, y)$ is the top machine's, and needs its $Z$. *Annealed importance sampling* (Neal
# 2001; Salakhutdinov and Murray 2008) estimates it: begin with a machine without weights, whose
# $Z$ is known, and turn the weights on in a thousand small steps. First see whether that works, on
# a machine whose $Z$ is known.

# %%
autograd.manual_seed(0)
estimate = tiny.estimate_log_partition(chains=200, steps=1000)
course.result(
    "annealing: error of log Z (nats)", abs(estimate - tiny.log_partition().item()), at_most=0.1
)


def judged(model):
    """Mean bound of log p(digit, label) on test digits, log Z, and share of classes found."""
    log_z = model.top.estimate_log_partition(chains=100, steps=1000)
    model_bound = model.bound(black_test, test_labels, log_z).mean().item()
    with autograd.no_grad():
        right = nn.metrics.accuracy(model.class_scores(black_test), test_labels)
    return model_bound, log_z, right


asked = np.repeat(np.arange(10), 10)


def dreams(model):
    autograd.manual_seed(5)
    return model.sample(100, steps=1000, labels=asked).numpy().reshape(10, 10, 28, 28)


bound_before, log_z_before, right_before = judged(network)
dreams_before = dreams(network)

# %% [markdown]
# ## Wake and sleep
#
# Greedy training never lets an upper layer tell a lower one what it needs. *Wake-sleep* (Hinton,
# Dayan, Frey and Neal 1995) does, and without backpropagation: no gradient passes through more
# than one layer.
#
# - **Awake**, causes are guessed from a digit, bottom-up. The generative weights learn to make the
#   digit from these causes.
# - **Asleep**, the network dreams: a sample of the top machine comes down to the pixels. Here the
#   true causes are known, and the recognition weights learn to guess them.
#
# In between, the top machine learns by contrastive divergence. All of it is one objective, that of
# `forward`, so that an ordinary optimizer takes the steps.

# %%
autograd.manual_seed(0)
tuning = epochs(16)
optimizer = optim.SGD(network.parameters(), lr=0.05, momentum=0.5, weight_decay=2e-4)
nn.train.fit(
    network,
    (black, digits.train_labels, digits.train_labels),
    mean_of_outputs,
    optimizer,
    epochs=tuning,
    batch_size=100,
    scheduler=optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, tuning),
    progress=False,
)
bound_after, log_z_after, right_after = judged(network)
dreams_after = dreams(network)

print("                     before   after")
print(f"bound (nats)       {bound_before:8.1f}{bound_after:8.1f}")
print(f"log Z of the top   {log_z_before:8.1f}{log_z_after:8.1f}")
print(f"classes found      {right_before:8.1%}{right_after:8.1%}")
course.result("bound gained by wake and sleep (nats)", bound_after - bound_before, at_least=5)
course.result("bound after wake and sleep (nats)", bound_after, at_least=-115)

# %%
_, axes = plt.subplots(1, 2, figsize=(9.2, 4.8))
for axis, tiles, title in zip(
    axes,
    (dreams_before, dreams_after),
    ("after greedy training", "after wake and sleep"),
    strict=True,
):
    axis.imshow(tiles.transpose(0, 2, 1, 3).reshape(280, 280), vmin=0, vmax=1)
    axis.set_xticks([])
    axis.set_yticks(14 + 28 * np.arange(10), range(10))
    axis.tick_params(length=0)
    axis.set(ylabel="class asked for", title=title)
    axis.grid(False)
plt.show()

# %% [markdown]
# None of these digits exists. Each began as noise in the top machine, took a thousand Gibbs steps
# with its label held fixed, and came down through the generative weights.
#
# Can they be read? A network that was trained on real digits, and never saw a dream, is asked.

# %%
autograd.manual_seed(0)
reader = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10))
nn.train.fit(
    reader,
    (black, digits.train_labels),
    nn.CrossEntropyLoss(),
    optim.Adam(reader.parameters(), lr=0.002),
    epochs=epochs(8),
    batch_size=100,
    progress=False,
)
reader.eval()


def legible(images):
    """Share of dreams that the reader takes for the class that was asked for."""
    with autograd.no_grad():
        return nn.metrics.accuracy(reader(autograd.tensor(images.reshape(100, 784))), asked)


with autograd.no_grad():
    print(f"real digits read right: {nn.metrics.accuracy(reader(black_test), test_labels):.1%}")
print(f"dreams before wake and sleep: {legible(dreams_before):.0%}")
course.result("dreams that are read as asked", legible(dreams_after), at_least=0.45)
course.result(
    "dreams read as asked, gained by wake and sleep",
    legible(dreams_after) - legible(dreams_before),
    at_least=0.03,
)

# %% [markdown]
# ## Few labels
#
# Labels cost money, pictures do not. Take all training digits without their labels to pre-train
# two layers, and then only a few with labels to tune a classifier. Beside it stand the same network
# from random weights, and one with ReLUs, which is the better start without pre-training. Each is
# trained with five different draws of the labelled digits.

# %%
autograd.manual_seed(0)
features = DeepBeliefNetwork((784, 400, 400))
features.pretrain(grey, epochs=epochs(15), momentum=0.9, lr=0.05, weight_decay=0.0)


def with_relu():
    return nn.Sequential(
        nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 10)
    )


starts = {
    "pre-trained": lambda: features.classifier(10),
    "sigmoids, random weights": lambda: DeepBeliefNetwork((784, 400, 400)).classifier(10),
    "ReLUs, random weights": with_relu,
}


def accuracy(start, chosen):
    model = start()
    nn.train.fit(
        model,
        (grey[chosen], digits.train_labels[chosen]),
        nn.CrossEntropyLoss(),
        optim.Adam(model.parameters(), lr=0.002),
        epochs=4000 // len(chosen),
        batch_size=20,
        progress=False,
    )
    with autograd.no_grad():
        return nn.metrics.accuracy(model(autograd.tensor(grey_test)), test_labels)


counts = (50, 100, 200, 400)
accuracies = {name: np.zeros((len(counts), 5)) for name in starts}
for row, count in enumerate(counts):
    for seed in range(5):
        chosen = np.random.default_rng(seed).permutation(len(grey))[:count]
        for name, start in starts.items():
            autograd.manual_seed(seed)
            accuracies[name][row, seed] = accuracy(start, chosen)

# %%
plt.figure(figsize=(6.6, 3.6))
for (name, values), colour in zip(accuracies.items(), COLOURS[:2] + COLOURS[6:], strict=True):
    plt.plot(counts, 100 * values.mean(1), "o-", color=colour, label=name)
    plt.fill_between(
        counts, 100 * values.min(1), 100 * values.max(1), color=colour, alpha=0.12, linewidth=0
    )
plt.xscale("log")
plt.xticks(counts, [str(count) for count in counts])
plt.minorticks_off()
plt.xlabel("digits with labels")
plt.ylabel("test accuracy (%)")
plt.legend()
plt.show()

ours, *others = accuracies.values()
at = counts.index(100)
for name, other in zip(list(accuracies)[1:], others, strict=True):
    course.result(
        f"accuracy gained with 100 labels, over {name}",
        (ours - other)[at].mean(),
        at_least=0.03 if name.startswith("sigmoids") else 0.01,
    )
course.result(
    "draws of 100 labels in which pre-training wins",
    (ours[at] > np.maximum(*(other[at] for other in others))).sum(),
    at_least=4,
)

# %% [markdown]
# The lines are means, the bands reach from the worst draw to the best. The fewer the labels, the
# more the digits without them are worth.

# %% [markdown]
# ## Things to try
#
# - Set `chains=0`: how do the dreams change, and what does the bound say?
# - Hold the label fixed at 3, begin in the causes of a real 8 (`start=`), and draw the picture
#   after 1, 10, 100 and 1,000 steps.
# - Cover the lower half of a digit, and let the machine of 100 features fill it in: after each
#   Gibbs step, put the upper half back.
# - Train with `k=1` and `k=10` in the top machine. Which costs more, which gains more?
# - Give the network a third layer, `(784, 400, 400, 400)`.
# - How many labels does the network without pre-training need to reach what the other one reaches
#   with 100?
