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
# # A race of optimizers
#
# **What you will learn**
#
# - what a smaller batch costs and gains: noise in each step, and more steps for the same data
# - why the noise falls with the square root of the batch size
# - how momentum, Nesterov, Adagrad, RMSprop, AdaDelta and Adam find their way through a curved
#   valley, to a far minimum and off a saddle
# - how to race fairly: every method with each of many learning rates, and the same rule to choose
#   one
# - that the winner in the plane need not win on digits

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from autograd import tensor

F = nn.functional

# %% [markdown]
# ## All of the data, one sample, or a few
#
# Gradient descent moves the weights $w$ against the gradient of the loss, the mean over all $n$
# samples. *Stochastic* gradient descent takes one sample at a time, and *mini-batch* gradient
# descent a few:
#
# $$
# w \leftarrow w - \eta \, \frac{1}{|B|} \sum_{i \in B} \nabla \ell_i(w)
# $$
#
# Any batch $B$ that was drawn at random gives the right direction on average. To see it, we fit a
# line to 256 points. There are two weights, so the whole path can be drawn.

# %%
rng = np.random.default_rng(0)
x = rng.uniform(-1.0, 1.0, 256)
y = 1.5 * x + 0.5 + rng.normal(0.0, 0.6, 256)
inputs, targets = tensor(np.stack([x, np.ones(256)], axis=1)), tensor(y)
best, *_ = np.linalg.lstsq(inputs.numpy(), y, rcond=None)
RATE = 0.25


def descend(batch_size, epochs):
    """The weights after each step, and the seconds that it took."""
    order = np.random.default_rng(1)
    weights = tensor([-1.0, -1.0], dtype=np.float64, requires_grad=True)
    optimizer = optim.SGD([weights], lr=RATE)
    path, start = [weights.detach().numpy().copy()], time.perf_counter()
    for _ in range(epochs):
        for batch in np.split(order.permutation(256), 256 // batch_size):
            loss = F.mse_loss(inputs[batch] @ weights, targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            path.append(weights.detach().numpy().copy())
    return np.array(path), time.perf_counter() - start


def distance(path, goal):
    return np.hypot(*(path - goal).T)


EPOCHS = 30
descend(256, 1)  # the first call loads the kernels
paths = {size: descend(size, EPOCHS) for size in (256, 16, 1)}

# %%
a, b = np.meshgrid(np.linspace(-1.4, 2.6, 80), np.linspace(-1.4, 1.6, 80))
errors = a[..., None] * x + b[..., None] - y
figure, axes = plt.subplots(1, 3, figsize=(11, 3.3), sharey=True)
for axis, (size, (path, _)), colour in zip(axes, paths.items(), course.COLOURS, strict=False):
    axis.contour(a, b, (errors**2).mean(-1), levels=14, colors="silver", linewidths=0.8)
    first = path[: 2 * 256 // size + 1] if size < 256 else path
    axis.plot(*first.T, ".-", color=colour, markersize=3, linewidth=0.8)
    axis.plot(*best, "k*", markersize=9)
    epochs = EPOCHS if size == 256 else 2
    axis.set(title=f"batches of {size}: {epochs} epochs", xlabel="slope")
axes[0].set_ylabel("intercept")
plt.show()

# %% [markdown]
# An *epoch* goes once through the data. In thirty of them the full batch makes thirty steps, on a
# smooth path to the minimum (the star). Batches of 16 are there after two epochs, and then wander
# about it; single samples never come to rest: at the minimum the mean of the gradients is zero,
# but each sample's own is not.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.3), sharey=True)
for size, (path, _) in paths.items():
    away = distance(path, best)
    style = {"linewidth": 0.6 if size == 1 else 1.4, "zorder": size, "label": f"batches of {size}"}
    left.semilogy(np.arange(len(path)) * size / 256, away, **style)
    right.loglog(np.arange(1, len(path) + 1), away, **style)
left.set(xlabel="epochs", ylabel="distance from the minimum")
right.set(xlabel="steps")
left.legend()
plt.show()

noise = {}
for size, (path, seconds) in paths.items():
    noise[size] = distance(path, best)[-len(path) // 3 :].mean()
    print(
        f"batches of {size:3}: {256 // size:3} steps for each epoch, about "
        f"{1000 * seconds / EPOCHS:.2g} ms here; distance over the last 10 epochs {noise[size]:.4f}"
    )
course.result("full batch: distance from the minimum", noise[256], at_most=0.05)
course.result("batches of 16: distance from the minimum", noise[16], at_most=0.15)
course.result("single samples: distance from the minimum", noise[1], at_least=0.1)

# %% [markdown]
# The milliseconds are of the machine that ran this page. All three do the same arithmetic in an
# epoch, but a step of many samples is done by the fast loops of a kernel, and 256 steps of one
# sample are not.
#
# How noisy is a gradient? The mean of $b$ samples has a standard deviation of $\sigma /
# \sqrt{b}$: four times the samples halve the noise. Measured at the start, over 2000 batches of
# each size:

# %%
sizes = 2 ** np.arange(8)
gradients = 2.0 * (inputs.numpy() @ [-1.0, -1.0] - y)[:, None] * inputs.numpy()  # of each sample
spread = []
for size in sizes:
    batches = rng.integers(0, 256, (2000, size))
    spread.append(np.sqrt(gradients[batches].mean(1).var(0).sum()))
slope, height = np.polyfit(np.log(sizes), np.log(spread), 1)

_, axis = plt.subplots(figsize=(5.5, 3))
axis.loglog(sizes, spread, "o", label="measured")
axis.loglog(sizes, np.exp(height) * sizes**slope, label=f"slope {slope:.2f}")
axis.set(xlabel="batch size", ylabel="noise of the gradient")
axis.legend()
plt.show()
course.result("exponent of the noise", slope, equals=-0.5, within=0.03)

# %% [markdown]
# ## Seven ways to use a gradient
#
# | method | what it adds | step |
# |---|---|---|
# | gradient descent | | $\eta\, g$ |
# | momentum | goes on in the direction it had | $\eta\, v$ with $v \leftarrow 0.9\, v + g$ |
# | Nesterov | looks ahead along it | $\eta\, (g + 0.9\, v)$ |
# | Adagrad | each weight has its own rate, ever smaller | $\eta\, g / \sqrt{\sum g^2}$ |
# | RMSprop | forgets old gradients | $\eta\, g / \sqrt{\overline{g^2}}$ |
# | AdaDelta | keeps the weights' unit | $\eta\, g \sqrt{\overline{\Delta^2} / \overline{g^2}}$ |
# | Adam | momentum and RMSprop | $\eta\, \bar{g} / \sqrt{\overline{g^2}}$ |
#
# A bar is a running mean, and $\Delta$ stands for the steps before. Squares and roots are those
# of each weight by itself; small constants in the denominators, and Adam's correction of its
# first means, are left out here.
#
# To be fair, each method races with 25 learning rates, four to a factor of ten, and everything
# else as the library has it. All rates run at once: each has its own point and its own parameter
# group.

# %%
METHODS = {
    "gradient descent": optim.SGD,
    "momentum": lambda groups: optim.SGD(groups, momentum=0.9),
    "Nesterov": lambda groups: optim.SGD(groups, momentum=0.9, nesterov=True),
    "Adagrad": optim.Adagrad,
    "RMSprop": optim.RMSprop,
    "AdaDelta": optim.Adadelta,
    "Adam": optim.Adam,
}
COLOURS = dict(zip(METHODS, course.COLOURS, strict=True))
RATES = 10.0 ** np.arange(-4, 2.1, 0.25)


def race(function, start, method, steps):
    """Paths (steps + 1, rates, 2) from the same start with each learning rate."""
    points = [tensor(start, dtype=np.float64, requires_grad=True) for _ in RATES]
    groups = [{"params": [p], "lr": rate} for p, rate in zip(points, RATES, strict=True)]
    optimizer = METHODS[method](groups)
    paths = [np.tile(start, (len(RATES), 1))]
    for _ in range(steps):
        x, y = autograd.stack(points, dim=1)
        function(x, y).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        paths.append(np.stack([p.detach().numpy() for p in points]))
    return np.array(paths)


# %% [markdown]
# The rule: of the rates whose path never leaves the picture, the one that comes within 0.01 of
# the minimum first, and stays there. If none does, the one that ends nearest.


# %%
def winner(paths, goals, box):
    """Of the chosen rate: its place in RATES, path, distances, and first step to stay near."""
    away = np.min([np.hypot(*(paths - goal).transpose(2, 0, 1)) for goal in goals], axis=0)
    (left, right), (low, high) = box
    inside = (paths >= (left, low)).all((0, 2)) & (paths <= (right, high)).all((0, 2))
    near = away <= 0.01
    arrival = np.where(near[-1], len(near) - (~near[::-1]).argmax(0), len(near))
    arrival[near.all(0)] = 0
    place = min(np.flatnonzero(inside), key=lambda rate: (arrival[rate], away[-1, rate]))
    return place, paths[:, place], away[:, place], arrival[place]


def tournament(function, start, goals, box, steps):
    with np.errstate(all="ignore"):  # a rate that is too large may end in overflow
        races = {method: race(function, start, method, steps) for method in METHODS}
        return {method: winner(paths, goals, box) for method, paths in races.items()}


def draw_contours(axis, function, box, levels):
    (left, right), (low, high) = box
    x, y = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200))
    axis.contourf(x, y, function(x, y), levels=levels, cmap="Blues", alpha=0.55, extend="both")
    axis.contour(x, y, function(x, y), levels=levels, colors="slategray", linewidths=0.4)
    axis.set(xlim=box[0], ylim=box[1], xticks=[], yticks=[])
    axis.grid(visible=False)


def draw_paths(function, results, goals, box, levels):
    _, axes = plt.subplots(2, 4, figsize=(10, 5))
    last = axes.flat[-1]
    for axis, (method, (place, path, away, arrival)) in zip(
        axes.flat, results.items(), strict=False
    ):
        draw_contours(axis, function, box, levels)
        axis.plot(*path.T, ".-", color=COLOURS[method], markersize=3, linewidth=1)
        axis.plot(*np.transpose(goals), "k*", markersize=8)
        when = f"{arrival} steps" if arrival < len(path) else f"{away[-1]:.2g} away"
        axis.set_title(f"{method}\nrate {RATES[place]:.2g}: {when}", fontsize=9)
        last.loglog(np.arange(1, len(away) + 1), away, color=COLOURS[method], linewidth=1)
    last.set(ylim=(1e-6, 10), xlabel="step")
    last.set_title("distance from\nthe minimum", fontsize=9)
    plt.show()


# %% [markdown]
# ## Rosenbrock's valley
#
# $f(x, y) = (1 - x)^2 + 100\, (y - x^2)^2$ is a narrow, bent valley. To find the valley is easy;
# to go along its flat ground to the minimum at (1, 1) is not. Stars mark the minima, and the last
# picture has the distance from them, in the colours of the paths.


# %%
def rosenbrock(x, y):
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


goals, box = [(1.0, 1.0)], ((-2.2, 2.0), (-1.0, 3.2))
valley = tournament(rosenbrock, (-1.5, 2.0), goals, box, steps=4000)
draw_paths(rosenbrock, valley, goals, box, levels=10.0 ** np.arange(-1, 4))
for method, (_, _, away, arrival) in valley.items():
    if arrival < len(away):
        course.result(f"Rosenbrock, {method}: distance after 4000 steps", away[-1], at_most=0.01)
    else:
        print(f"{method}: {away[-1]:.3f} from the minimum after 4000 steps")

# %% [markdown]
# Plain gradient descent must use a rate that is small enough for the steep walls, and then crawls
# along the ground. Momentum adds up what the small steps have in common. A division by the
# gradient's own size makes steps of about the same length everywhere, steep or flat; what is left
# is to slow down at the end.
#
# ## Beale's function
#
# $f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2$ has steep walls and a
# wide flat ground, with the minimum at (3, 0.5).


# %%
def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


goals, box = [(3.0, 0.5)], ((-1.0, 4.5), (-2.0, 2.3))
plain = tournament(beale, (1.0, 1.5), goals, box, steps=4000)
draw_paths(beale, plain, goals, box, levels=10.0 ** np.arange(-1.5, 4, 0.5))
for method, (_, _, away, arrival) in plain.items():
    if arrival < len(away):
        course.result(f"Beale, {method}: distance after 4000 steps", away[-1], at_most=0.01)
    else:
        print(f"{method}: {away[-1]:.3f} from the minimum after 4000 steps")

# %% [markdown]
# Look at the last picture: RMSprop and AdaDelta come near the minimum, and then go around it.
# Divided by its own size even the smallest gradient makes a step of the same length, so only a
# falling rate would bring them to rest. Adam's mean of the gradients cancels what points here and
# there, and Adagrad's rates do fall.
#
# ## Off a saddle
#
# At a saddle the gradient is zero, but it is no minimum: $f(x, y) = x^2 + (y^4 / 2 - y^2) / 10$
# has one in the middle, and minima at (0, 1) and (0, -1). All start at $y = 0.001$, almost on the
# ridge, where the way down has hardly begun.


# %%
def saddle(x, y):
    return x**2 + (y**4 / 2 - y**2) / 10


goals, box = [(0.0, 1.0), (0.0, -1.0)], ((-1.7, 1.7), (-1.5, 1.5))
ridge = tournament(saddle, (-1.5, 0.001), goals, box, steps=300)
draw_paths(saddle, ridge, goals, box, levels=np.linspace(-0.3, 1.7, 11) ** 3)
for method, (_, _, away, arrival) in ridge.items():
    if arrival < len(away):
        course.result(f"saddle, {method}: distance after 300 steps", away[-1], at_most=0.01)
    else:
        print(f"{method}: {away[-1]:.3f} from the nearest minimum after 300 steps")

# %% [markdown]
# Plain gradient descent, momentum and Nesterov first fall to the ridge, and wait there: the slope
# along it is in proportion to $y$ itself, which must grow step by step from almost nothing.
# Divided by its own size, a tiny slope counts as much as any other: the adaptive methods leave at
# once. To leave early is not yet to arrive early, as momentum's and Adam's circles around the
# goal show.
#
# ## On digits
#
# Now a network with some 50,000 weights, on handwritten digits: five epochs in batches of 64,
# with each of five learning rates. Each method is drawn with the rate that ends with the lowest
# loss on the training data, for this is what an optimizer is asked to make small.

# %%
images = course.images()
pixels = (images.train_images.reshape(-1, 784) / 255).astype(np.float32)
data = (pixels, images.train_labels)


def learn(method, rate, epochs=5):
    """Loss on all training data, before the first epoch and after each."""
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = METHODS[method]([{"params": list(model.parameters()), "lr": rate}])
    with autograd.no_grad():
        losses = [F.cross_entropy(model(tensor(pixels)), tensor(data[1])).item()]
    history = nn.train.fit(
        model,
        data,
        nn.CrossEntropyLoss(),
        optimizer,
        epochs=epochs,
        batch_size=64,
        validation=data,
        progress=False,
    )
    return losses + [epoch["validation_loss"] for epoch in history]


grid = {
    "gradient descent": 10.0 ** np.arange(-1.5, 0.6, 0.5),
    "momentum": 10.0 ** np.arange(-2.5, -0.4, 0.5),
    "Nesterov": 10.0 ** np.arange(-2.5, -0.4, 0.5),
    "Adagrad": 10.0 ** np.arange(-2.5, -0.4, 0.5),
    "RMSprop": 10.0 ** np.arange(-3.5, -1.4, 0.5),
    "AdaDelta": 10.0 ** np.arange(-0.5, 1.6, 0.5),
    "Adam": 10.0 ** np.arange(-3.5, -1.4, 0.5),
}
curves = {method: [learn(method, rate) for rate in rates] for method, rates in grid.items()}

# %%
print(f"{images.name}, {len(pixels)} images")
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), sharey=True)
for method, runs in curves.items():
    final = np.array([run[-1] for run in runs])
    rate, run = grid[method][final.argmin()], runs[final.argmin()]
    left.semilogy(
        run, marker="o", markersize=4, color=COLOURS[method], label=f"{method}, {rate:.2g}"
    )
    right.loglog(grid[method], final, marker="o", markersize=4, color=COLOURS[method])
    course.result(f"digits, {method}: loss after five epochs", final.min(), at_most=0.2)
left.set(xlabel="epoch", ylabel="training loss", ylim=(0.01, 5))
right.set(xlabel="learning rate", ylabel="training loss after five epochs")
right.tick_params(labelleft=True)
left.legend(fontsize=8, ncols=2)
plt.show()

# %% [markdown]
# With a rate of its own, each method learns the digits. The differences between methods are small
# beside those that a wrong rate makes, as the picture on the right shows. So the last question is
# how easy a good rate is to guess. Here are the rates that were chosen:

# %%
print(f"{'':17} Rosenbrock   Beale  saddle  digits   largest / smallest")
spans = {}
for method, runs in curves.items():
    chosen = [RATES[results[method][0]] for results in (valley, plain, ridge)]
    chosen.append(grid[method][np.argmin([run[-1] for run in runs])])
    spans[method] = max(chosen) / min(chosen)
    numbers = "".join(f"{rate:8.2g}" for rate in chosen)
    print(f"{method:17}   {numbers} {spans[method]:12.0f}")
course.result("gradient descent: span of good rates", spans["gradient descent"], at_least=100)
course.result("RMSprop: span of good rates", spans["RMSprop"], at_most=30)

# %% [markdown]
# What the division by the gradient's size buys is less a lower loss than a rate that is easier to
# guess: it is the length of a step, and depends less on how steep the loss happens to be.
#
# ## Things to try
#
# - `RATE` of 0.5, and of 0.02: what does each do to the noise of single samples?
# - Let the rate of single samples fall, `optim.lr_scheduler.ExponentialLR`: does the path come to
#   rest?
# - `momentum=0.99` and `momentum=0.5` in Rosenbrock's valley.
# - `optim.RMSprop` with `alpha=0.9`, or `momentum=0.9`: does it now come within 0.01?
# - Start the saddle at $y = 0$ exactly. Who gets away, and why?
# - `optim.LBFGS` looks at the curvature. How many steps does it take through the valley?
