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
# # Linear regression
#
# A straight line (or, with several features, a flat plane) is the smallest model that learns. All
# that comes later in the course is here already: data, a loss, its gradient, and steps downhill.
#
# **What you will learn**
#
# - the weights of least squared error in closed form, and that gradient descent ends at the same
#   ones;
# - what decides how many steps that takes, and why features should be brought to one scale;
# - squared, absolute and Huber loss, and what each of them does when some of the data are wrong;
# - how a series is predicted from its own past, and how much past is worth knowing.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim

autograd.manual_seed(0)
rng = np.random.default_rng(0)

# %% [markdown]
# ## The data
#
# People with diabetes: ten measures of each, and a number that says how far the disease had gone
# one year later. A fifth of the people is kept for the test: nothing is learnt from them.

# %%
table = nn.data.diabetes()
order = rng.permutation(len(table.targets))
train, test = order[89:], order[:89]
x, y = table.features.astype(np.float64), table.targets.astype(np.float64)[:, None]

print(f"{len(train)} to learn from, {len(test)} for the test")
print(f"to be predicted: from {y.min():.0f} to {y.max():.0f}\n")
print("feature      mean   spread")
for name, column in zip(table.feature_names or [], x[train].T, strict=True):
    print(f"{name:8}{column.mean():9.2f}{column.std():9.2f}")

# %% [markdown]
# ## The closed form
#
# The model is $\hat y = w \cdot x + b$, the loss the mean of squared errors
#
# $$L(w, b) = \frac1n \sum_i (w \cdot x_i + b - y_i)^2 .$$
#
# $L$ is a bowl, and at its lowest point the gradient is zero. With centred data that is a system
# of linear equations, $X^\top X w = X^\top y$, which `LinearRegression.solve` solves at once (by
# a singular value decomposition, which is kinder to rounding than $X^\top X$).

# %%
scaler = nn.data.Standardize().fit(x[train])
x = scaler.transform(x)
x_train, y_train, x_test, y_test = map(autograd.tensor, (x[train], y[train], x[test], y[test]))

exact = nn.models.LinearRegression(10, dtype=np.float64).solve(x_train, y_train)


def errors(model, inputs, targets):
    residual = (model(inputs) - targets).detach().numpy()
    return {"RMSE": np.sqrt((residual**2).mean()), "MAE": np.abs(residual).mean()}


nothing = np.sqrt(((y[test] - y[train].mean()) ** 2).mean())
print(f"always the mean: test RMSE {nothing:.1f}")
course.result("test RMSE of the closed form", errors(exact, x_test, y_test)["RMSE"], at_most=60)

# %% [markdown]
# ## Gradient descent
#
# Where there is no closed form (that is, nearly always) one goes downhill in small steps: $w
# \leftarrow w - \eta \, \partial L / \partial w$. On this bowl we can say beforehand how fast
# that is. The curvatures of $L$ along its axes are the eigenvalues of its Hessian $2 X^\top X /
# n$. With the best step size, $\eta = 2 / (\lambda_{\max} + \lambda_{\min})$, each step shrinks
# the distance to the lowest point by at least the factor
#
# $$\frac{\kappa - 1}{\kappa + 1}, \qquad \kappa = \lambda_{\max} / \lambda_{\min} .$$


# %%
def curvatures(inputs):
    """Eigenvalues of the Hessian of the mean squared error in the weights, smallest first."""
    return np.linalg.eigvalsh(2 * inputs.T @ inputs / len(inputs))


low, *_, high = curvatures(x[train])
kappa = high / low
rate = 2 / (high + low)
print(f"curvatures from {low:.4f} to {high:.2f}: kappa = {kappa:.0f}, step size {rate:.3f}")

model = nn.models.LinearRegression(10, dtype=np.float64)
for parameter in model.parameters():
    nn.init.zeros_(parameter)
optimizer = optim.SGD(model.parameters(), lr=rate)
distance = []
for _ in range(6000):
    optimizer.zero_grad()
    nn.functional.mse_loss(model(x_train), y_train).backward()
    optimizer.step()
    distance.append(float((model.weight - exact.weight).norm()))

apart = max(
    float((a - b).abs().max()) for a, b in zip(model.parameters(), exact.parameters(), strict=True)
)
course.result("largest difference of a weight, closed form and descent", apart, at_most=1e-6)

# %%
steps = np.arange(1, len(distance) + 1)
promised = np.linalg.norm(exact.weight.tolist()) * ((kappa - 1) / (kappa + 1)) ** steps
figure, axis = plt.subplots(figsize=(7, 3.4))
axis.semilogy(steps, distance, label="gradient descent")
axis.semilogy(steps, promised, "--", color=course.COLOURS[6], label="what theory promises at least")
axis.set(xlabel="step", ylabel="distance to the exact weights", ylim=(1e-8, 1e2))
axis.legend()
plt.show()

# %% [markdown]
# The descent runs below the dashed line and parallel to it, until all digits of a float are
# right.
#
# ## Why features are brought to one scale
#
# So far the features were *standardized*: each has mean 0 and standard deviation 1. What if they
# are not? To see it we keep two of them, the body mass index (in kg/m², spread of several units)
# and `s5` (the logarithm of a blood value, spread of half a unit), centred but otherwise as they
# came. Each picture shows the loss as a map with contour lines, and the way of gradient descent
# with the best step size for that map.


# %%
def descend(inputs, targets, steps):
    """The weights at each step of gradient descent from 0, with the best step size."""
    low, high = curvatures(inputs)
    weight = autograd.zeros(2, 1, dtype=np.float64, requires_grad=True)
    optimizer = optim.SGD([weight], lr=2 / (high + low))
    inputs, targets = autograd.tensor(inputs), autograd.tensor(targets)
    path = []
    for _ in range(steps):
        path.append(weight.detach().numpy().ravel().copy())
        optimizer.zero_grad()
        nn.functional.mse_loss(inputs @ weight, targets).backward()
        optimizer.step()
    return np.array(path)


def loss_at(weights, inputs, targets):
    """Mean squared error at weights (..., 2)."""
    return ((weights @ inputs.T - targets[:, 0]) ** 2).mean(axis=-1)


two = table.features[train][:, [2, 8]].astype(np.float64)
two -= two.mean(axis=0)
centred = y[train] - y[train].mean()
cases = {"in their own units": two, "standardized": two / two.std(axis=0)}

figure, axes = plt.subplots(1, 2, figsize=(10, 4.4))
needed = {}
for axis, (title, inputs) in zip(axes, cases.items(), strict=True):
    path = descend(inputs, centred, 400)
    best = np.linalg.lstsq(inputs, centred)[0].ravel()
    middle, reach = path.max(axis=0) / 2, 0.65 * path.max()
    sides = [np.linspace(m - reach, m + reach, 120) for m in middle]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    least = loss_at(best, inputs, centred)
    height = loss_at(grid, inputs, centred) - least
    levels = np.geomspace(height.max() / 3000, height.max(), 12)
    axis.contourf(*sides, height, levels=levels, norm="log", cmap="Blues", extend="min", alpha=0.8)
    axis.plot(*path.T, "o-", color=course.COLOURS[1], markersize=3, linewidth=0.8)
    axis.plot(*best, "*", color="black", markersize=12)
    axis.set(xlabel="weight of the body mass index", ylabel="weight of s5", title=title)
    axis.set(aspect="equal")
    axis.grid(False)
    gap = loss_at(path, inputs, centred) / least - 1
    needed[title] = int(np.argmax(gap < 0.001))
plt.show()

for title, inputs in cases.items():
    low, high = curvatures(inputs)
    print(
        f"{title}: kappa {high / low:.1f}, {needed[title]} steps to within 0.1 % of the least loss"
    )
course.result(
    "steps in own units for one with scaled features",
    needed["in their own units"] / needed["standardized"],
    at_least=5,
)

# %% [markdown]
# On the left the bowl is a ravine: the step size has to be small enough for its steep walls, so
# that the path swings from wall to wall and creeps along the floor. On the right it is nearly
# round, and the gradient points nearly at the goal. With all ten features and the offset $b$ the
# difference is far greater:

# %%
raw = np.column_stack([table.features[train].astype(np.float64), np.ones(len(train))])
scaled = np.column_stack([x[train], np.ones(len(train))])
for title, inputs in {"own units": raw, "standardized": scaled}.items():
    low, *_, high = curvatures(inputs)
    print(f"{title}: kappa = {high / low:.3g}")

# %% [markdown]
# The mean and spread that we scale by are those of the *training* people. A model may not know
# anything of the test, not even its mean.
#
# ## Three losses, and data with mistakes
#
# The squared error is one way to say how bad a residual $r = \hat y - y$ is. Others are the
# absolute error $|r|$ and Huber's loss, which is quadratic up to $\delta$ and straight beyond.
# Beside them their slopes, taken by autograd: the slope is the *pull* that one sample has on the
# weights.

# %%
delta = 0.5
residual = autograd.linspace(-2.5, 2.5, 301, requires_grad=True)
zero = autograd.zeros(301)
losses = {
    "squared": nn.MSELoss(reduction="none"),
    "absolute": nn.L1Loss(reduction="none"),
    "Huber": nn.HuberLoss(reduction="none", delta=delta),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
for name, loss in losses.items():
    value = loss(residual, zero)
    (pull,) = autograd.grad(value.sum(), residual)
    left.plot(residual.tolist(), value.tolist(), label=name)
    right.plot(residual.tolist(), pull.tolist())
left.set(xlabel="residual r", ylabel="loss", ylim=(-0.1, 3), title="loss")
right.set(
    xlabel="residual r",
    ylabel="d loss / d r",
    ylim=(-3, 3),
    title="its slope: the pull of a sample",
)
left.legend()
plt.show()

twin = nn.functional.smooth_l1_loss(residual, zero, reduction="none", beta=delta) * delta
course.result(
    "largest difference of Huber and delta times smooth L1",
    float((losses["Huber"](residual, zero) - twin).abs().max()),
    at_most=1e-6,
)

# %% [markdown]
# `smooth_l1_loss` is Huber's loss divided by $\delta$, as the last line checks. Squared error
# pulls without bound: a residual ten times as large pulls ten times as hard. The other two pull
# with a bounded force.
#
# That matters when data are wrong. For one training person in twelve we append a zero to the
# target, a slip of the keyboard, and train with each loss. The test data stay right, and each
# model is judged by its mean absolute error there.

# %%
unit = 100.0  # targets in hundreds, so that delta = 0.5 means 50
wrong = rng.random(len(train)) < 1 / 12
slipped = np.where(wrong[:, None], 10 * y[train], y[train])
print(f"{wrong.sum()} of {len(train)} targets are ten times too large")


def trained(loss, targets):
    model = nn.models.LinearRegression(10, dtype=np.float64)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 1500)
    nn.train.fit(
        model,
        (x[train], targets / unit),
        loss,
        optimizer,
        epochs=1500,
        batch_size=len(train),
        scheduler=schedule,
        progress=False,
    )
    return model


mae = {}
models = {}
for name, loss in {
    "squared": nn.MSELoss(),
    "absolute": nn.L1Loss(),
    "Huber": nn.HuberLoss(delta=delta),
}.items():
    models[name] = trained(loss, slipped)
    clean = errors(trained(loss, y[train]), x_test, y_test / unit)["MAE"] * unit
    mae[name] = errors(models[name], x_test, y_test / unit)["MAE"] * unit
    print(f"{name:9} test MAE {clean:6.1f} with right data, {mae[name]:6.1f} with mistakes")
course.result("test MAE of the absolute loss, with mistakes", mae["absolute"], at_most=50)
course.result("test MAE of Huber's loss, with mistakes", mae["Huber"], at_most=50)
course.result(
    "test MAE of the squared loss over that of Huber's", mae["squared"] / mae["Huber"], at_least=1.5
)

# %%
bmi = table.features[train][:, 2]
figure, axis = plt.subplots(figsize=(8, 4))
axis.scatter(bmi[~wrong], slipped[~wrong], s=10, color=course.COLOURS[6], alpha=0.5, label="right")
axis.scatter(
    bmi[wrong], slipped[wrong], s=22, marker="x", color="black", label="ten times too large"
)
sweep = np.zeros((50, 10))
sweep[:, 2] = np.linspace(x[train][:, 2].min(), x[train][:, 2].max(), 50)
places = scaler.inverse(sweep)[:, 2]
for (name, fitted), style in zip(models.items(), ("-", "-", "--"), strict=True):
    axis.plot(
        places, fitted(autograd.tensor(sweep)).detach().numpy() * unit, style, label=f"{name} loss"
    )
axis.set(xlabel="body mass index (kg/m²)", ylabel="disease after one year", ylim=(0, 900))
axis.legend(ncols=2, fontsize=9)
plt.show()

# %% [markdown]
# The plane of each loss, along the body mass index, all other features at their mean. (Some
# mistakes lie above the picture.) The wrong numbers are few, and yet they lift the squared loss's
# plane far above most people; the other two hardly notice.
#
# ## A series, predicted from its past
#
# Linear regression needs features, and for a series they lie at hand: its own last numbers. Here
# is a video channel, generated so that we know what is in it: steady growth, a weekly cycle, and
# chance on each day. Three years to learn from, one for the test.

# %%
YEAR = 365
views = nn.data.daily_views(4 * YEAR, rng=np.random.default_rng(0))
border = 3 * YEAR
SKIP = 70  # days that only the past of others is made of

figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), width_ratios=[2, 1])
axes[0].plot(np.arange(border), views[:border], linewidth=0.6, label="to learn from")
axes[0].plot(np.arange(border, len(views)), views[border:], linewidth=0.6, label="test")
axes[0].set(xlabel="day", ylabel="views (thousands)", title="four years")
axes[0].legend()
axes[1].plot(np.arange(42) / 7, views[:42], "o-", markersize=3)
axes[1].set(xlabel="week", ylabel="views (thousands)", title="its first six weeks")
plt.show()

# %% [markdown]
# `lagged(series, past)` cuts the series into windows of `past` days and the day that follows
# each. For a fair comparison every model gets the same days to predict.


# %%
def error_from(past):
    """Root of the mean squared test error, predicting each day from so many before it."""
    x, y = nn.data.lagged(views, past, SKIP)
    days = np.arange(SKIP, len(views))
    model = nn.models.LinearRegression(past).solve(x[days < border], y[days < border])
    inputs, targets = (autograd.tensor(array[days >= border]) for array in (x, y))
    return errors(model, inputs, targets)["RMSE"], model


lengths = np.arange(1, SKIP + 1)
rmse = np.array([error_from(past)[0] for past in lengths])

# The noise that no model can foresee: we know it, since we made the series.
smooth = nn.data.daily_views(4 * YEAR, noise=0.0, rng=np.random.default_rng(0))
floor = np.sqrt(((views - smooth)[border:] ** 2).mean())

figure, axis = plt.subplots(figsize=(8, 3.6))
axis.plot(lengths, rmse)
axis.axhline(floor, color=course.COLOURS[6], linestyle="--", label="the chance in the data")
for past in (1, 7, 28, 56):
    axis.plot(past, rmse[past - 1], "o", color=course.COLOURS[1])
    axis.annotate(f"{past}", (past, rmse[past - 1]), xytext=(3, 6), textcoords="offset points")
axis.set(
    xlabel="past days that are known",
    ylabel="test RMSE (thousands)",
    ylim=(0, None),
    xticks=range(0, 71, 7),
)
axis.legend()
plt.show()

for past, goal in {1: 4.0, 7: 1.9, 28: 1.6, 56: 1.6}.items():
    course.result(f"test RMSE from {past} past days (thousands)", rmse[past - 1], at_most=goal)
course.result("7 days over 1 day", rmse[6] / rmse[0], at_most=0.6)
course.result("28 days over 7 days", rmse[27] / rmse[6], at_most=0.95)
course.result("56 days over 28 days", rmse[55] / rmse[27], equals=1, within=0.05)

# %% [markdown]
# The error falls steeply when the window first holds a whole week: now the same weekday is in it.
# It falls a little more with each further week, which averages the chance away, and then it is
# level. What is left is nearly all chance, and no longer window can remove that. The weights show
# what the model has found:

# %%
_, model = error_from(28)
weights = model.weight.detach().numpy().ravel()[::-1]
back = np.arange(1, 29)
figure, axis = plt.subplots(figsize=(8, 3))
axis.bar(back, weights, color=[course.COLOURS[1 if day % 7 == 0 else 0] for day in back])
axis.set(
    xlabel="days back", ylabel="weight", xticks=range(0, 29, 7), title="what counts for tomorrow"
)
plt.show()
weekday = weights[back % 7 == 0].sum() / weights.sum()
course.result("share of the weights on the same weekday", weekday, at_least=0.5)

# %% [markdown]
# ## Things to try
#
# - Give gradient descent `momentum=0.9`: how many steps does it need now, and why does theory
#   speak of $\sqrt\kappa$?
# - Choose a step size just above $2 / \lambda_{\max}$ and watch the path in the left map.
# - Let the mistakes be one in three, or all in one direction of one feature. When does Huber's
#   loss fail too?
# - Set $\delta$ to 0.01 and to 10: which of the other two losses do you get?
# - Take only 120 days to learn from. Where is the best length of the past now, and why not at 56?
# - Predict the logarithm of the views. Growth is then a straight line; does the error become
#   smaller?
