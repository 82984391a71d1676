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
# # Curves from steps
#
# A straight line cannot be bent, however long one trains it. Here is the cheapest way out: add up
# steps. With it a linear model becomes a network with one hidden layer, and this notebook shows
# why such a network can be any curve.
#
# **What you will learn**
#
# - what the *bias of a model* is: an error that more data and more training do not remove;
# - that every piecewise linear curve is a sum of ramps, and a ramp is made of two ReLUs;
# - that a sum of k sigmoids is a network with k hidden units, and how its error falls with k;
# - why gradient descent may find a worse curve than a ruler does, and when.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from autograd import viz

autograd.manual_seed(0)
x, y = nn.data.wavy_curve(401, rng=np.random.default_rng(0))
train, test = slice(0, None, 2), slice(1, None, 2)  # every second point is kept for the test
x_train, y_train, x_test, y_test = map(autograd.tensor, (x[train], y[train], x[test], y[test]))


def rmse(model, inputs, targets):
    """Root of the mean squared error."""
    return nn.functional.mse_loss(model(inputs), targets).item() ** 0.5


# %% [markdown]
# ## A line has a bias
#
# The curve to be learnt has waves that become shorter from left to right. The best of all
# straight lines is known in closed form.

# %%
line = nn.models.LinearRegression(1).solve(x_train, y_train)

figure, axis = plt.subplots(figsize=(7, 3.2))
axis.plot(x, y, color=course.COLOURS[6], label="the curve")
axis.plot(x, line(autograd.tensor(x)).detach(), label="the best line")
axis.set(xlabel="x", ylabel="y")
axis.legend()
plt.show()
course.result("test RMSE of the best line", rmse(line, x_test, y_test), at_least=0.3)

# %% [markdown]
# What is left is not noise (there is none here) and not bad luck: no line is closer. The set of
# functions that we search is too small. That is the *bias* of a model, and the only remedy is a
# larger set.
#
# ## A ramp from two ReLUs
#
# A ReLU is $\max(0, z)$: flat, then rising for ever. Subtract a second one that starts a little
# later, and the rise ends: a *hard sigmoid*, a step with a ramp in it,
#
# $$h(z) = \max(0, z) - \max(0, z - 1) .$$

# %%
z = autograd.linspace(-1.0, 2.0, 200)
figure, axes = plt.subplots(1, 2, figsize=(10, 3), sharey=True)
axes[0].plot(z, autograd.relu(z), label="relu(z)")
axes[0].plot(z, -autograd.relu(z - 1.0), label="-relu(z - 1)")
axes[1].plot(z, autograd.relu(z) - autograd.relu(z - 1.0), label="their sum: a hard sigmoid")
axes[1].plot(z, autograd.sigmoid(4.0 * z - 2.0), "--", label="a soft one, sigmoid(4z - 2)")
for axis in axes:
    axis.set(xlabel="z", ylim=(-1.1, 2.1))
    axis.legend()
plt.show()

# %% [markdown]
# ## Any piecewise linear curve, without training
#
# Let a curve go straight from point to point, $(x_0, y_0), \ldots, (x_k, y_k)$. Start at $y_0$.
# Between $x_0$ and $x_1$ add a ramp of height $y_1 - y_0$; it stays at that height from then on.
# Between $x_1$ and $x_2$ add the next ramp, and so on:
#
# $$y(x) = y_0 + \sum_{i=1}^{k} (y_i - y_{i-1}) \;
#   h\left(\frac{x - x_{i-1}}{x_i - x_{i-1}}\right) .$$
#
# `HardSigmoidSum.through` writes just these numbers into the weights of a network. Below, five
# ramps and their sum.

# %%
corners = np.array([0.0, 0.2, 0.42, 0.7, 0.9, 1.0])
heights = np.interp(corners, x[:, 0], y[:, 0])
built = nn.models.HardSigmoidSum.through(corners, heights)

ramps = (built.steps(autograd.tensor(x)) * built.outer.weight).detach().numpy()
figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True)
axes[0].plot(x, ramps, linewidth=2)
axes[0].set(xlabel="x", title="five ramps")
axes[1].plot(x, y, color=course.COLOURS[6], linewidth=1)
axes[1].plot(x, built(autograd.tensor(x)).detach(), linewidth=2)
axes[1].plot(corners, heights, "o", color=course.COLOURS[1])
axes[1].set(xlabel="x", title="their sum, and the curve that they follow")
plt.show()

apart = np.abs(
    built(autograd.tensor(x)).detach().numpy()[:, 0] - np.interp(x[:, 0], corners, heights)
)
course.result(
    "largest difference of the sum of ramps and the drawn line", apart.max(), at_most=1e-5
)

# %% [markdown]
# A smooth curve is nearly straight if one looks closely enough, so that with more corners the
# ramps come as close to it as we like. **A network with one hidden layer can be any curve**: that
# is all there is to it.
#
# Here is the whole formula as a graph, for one ramp: two ReLUs, a difference, an affine map.

# %%
one_ramp = nn.models.HardSigmoidSum(1)
viz.graph(one_ramp(autograd.tensor([[0.4]])))

# %% [markdown]
# ## Learning where the steps should be
#
# `through` had to be told the corners. Gradient descent chooses them: it moves each step, makes
# it steeper or flatter, higher or lower, all at once. `SigmoidSum` is the same with soft steps,
#
# $$y(x) = b + \sum_{i=1}^{k} c_i \, \sigma(w_i x + b_i) ,$$
#
# which is a network with $k$ hidden units, and $3k + 1$ numbers to learn. Both kinds are trained
# alike, from 1 to 100 steps.


# %%
def fit(model, steps=4000):
    """Train on all points at once with Adam, the step size falling like a cosine."""
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x_train), y_train).backward()
        optimizer.step()
        schedule.step()
    return model


counts = [1, 2, 3, 5, 7, 10, 20, 30, 50, 100]
soft, hard, ruled = {}, {}, {}
print("   k   soft steps   hard steps   ruler")
for k in counts:
    autograd.manual_seed(0)
    soft[k] = fit(nn.models.SigmoidSum(k))
    autograd.manual_seed(0)
    hard[k] = fit(nn.models.HardSigmoidSum(k))
    even = np.linspace(0.0, 1.0, k + 1)
    ruled[k] = nn.models.HardSigmoidSum.through(even, np.interp(even, x[:, 0], y[:, 0]))
    errors = [rmse(models[k], x_test, y_test) for models in (soft, hard, ruled)]
    print("{:4}{:13.5f}{:13.5f}{:13.5f}".format(k, *errors))

# %%
shown = [1, 3, 7, 20]
figure, axes = plt.subplots(2, len(shown), figsize=(12, 5), sharex=True, sharey=True)
for row, (name, models) in zip(axes, {"soft": soft, "hard": hard}.items(), strict=True):
    for axis, k in zip(row, shown, strict=True):
        axis.plot(x, y, color=course.COLOURS[6], linewidth=3, alpha=0.4)
        axis.plot(x, line(autograd.tensor(x)).detach(), ":", color=course.COLOURS[6], linewidth=1)
        colour = course.COLOURS[0 if name == "soft" else 1]
        axis.plot(x, models[k](autograd.tensor(x)).detach(), color=colour)
        axis.set_title(f"{k} {name} step{'s' * (k > 1)}")
for axis in axes[1]:
    axis.set_xlabel("x")
plt.show()

# %% [markdown]
# In grey the curve, dotted the best line. One step is no better than the line, and the single
# hard one even ended flat. Three soft steps have the large waves; from there it is a matter of
# corners.

# %%
figure, axis = plt.subplots(figsize=(7.5, 4.2))
for (name, models), style in zip(
    {
        "soft steps, trained": soft,
        "hard steps, trained": hard,
        "hard steps, by the ruler": ruled,
    }.items(),
    ("o-", "s-", "^--"),
    strict=True,
):
    axis.loglog(counts, [rmse(models[k], x_test, y_test) for k in counts], style, label=name)
axis.axhline(
    rmse(line, x_test, y_test), color=course.COLOURS[6], linestyle=":", label="the best line"
)
axis.set(xlabel="steps k", ylabel="test RMSE")
axis.set_xticks(counts, [str(k) for k in counts])
axis.minorticks_off()
axis.legend()
plt.show()

course.result("test RMSE of 100 soft steps", rmse(soft[100], x_test, y_test), at_most=0.005)
course.result("test RMSE of 100 hard steps", rmse(hard[100], x_test, y_test), at_most=0.005)
course.result(
    "the best line over 100 soft steps",
    rmse(line, x_test, y_test) / rmse(soft[100], x_test, y_test),
    at_least=60,
)
slope = np.polyfit(
    np.log(counts[-4:]), np.log([rmse(ruled[k], x_test, y_test) for k in counts[-4:]]), 1
)[0]
course.result("slope of the ruler's line", slope, equals=-2, within=0.1)

# %% [markdown]
# Three things can be read from this picture.
#
# **The error falls with k**, and the bias of the line is left far behind. In the end it is level:
# the last digits are limited by the training, no longer by the number of steps.
#
# **The ruler's line has slope -2**: twice as many corners, a quarter of the error. That is the
# Taylor series at work, what a straight piece misses grows with the square of its length.
#
# **With few steps training beats the ruler**, because it puts the corners where the curve bends,
# and a soft step bends by itself. **With many steps the ruler wins**: there is always a better
# set of weights than the one that training ended at. Being *able* to represent a function and
# *finding* it are two different things.
#
# ## Why hard steps are harder
#
# The gradient of a hard step is zero wherever it is flat, so that a point of the curve speaks
# only to the ramps that it lies under. A ramp between two neighbouring points, or beyond the
# ends, hears nothing any more and stays where it is, whatever its error: it is lost.


# %%
def lost(model):
    """How many steps have no slope at any training point."""
    steps = model.steps(x_train).detach().numpy()
    return int(((steps <= 0.0) | (steps >= 1.0)).all(axis=0).sum())


for k in (10, 30, 100):
    print(
        f"of {k:3} steps lost after training: {lost(soft[k])} soft ones, {lost(hard[k])} hard ones"
    )

# %% [markdown]
# ## Things to try
#
# - Train with plain `optim.SGD`. How many steps of training does it need for the error of Adam's,
#   if it ever gets there?
# - Start `HardSigmoidSum` from `through` with evenly spaced corners, and train it from there.
#   Does it keep the ruler's advantage?
# - Add noise: `wavy_curve(401, noise=0.1, ...)`. For which k is the *test* error least now? That
#   is variance, the other half of the story.
# - Continue the curve to x = 1.5. What do the two kinds of steps say where they saw no points?
# - Give all steps the same place and height at the start. Why do they stay together for ever?
