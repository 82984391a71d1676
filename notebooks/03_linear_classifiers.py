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
# # One line between two classes
#
# Logistic regression, the perceptron and the linear support vector machine are the same model: a
# weighted sum of the features, and a class by its sign. They differ in their loss alone, and that
# is where their characters come from.
#
# **What you will learn**
#
# - three losses of one quantity, the *margin*, and what each of them asks of a line;
# - why probabilities are trained with cross-entropy and not with squared error;
# - that the perceptron's famous rule is a step of gradient descent;
# - what a support vector is, seen on real tumours;
# - how settings are chosen on one part of the data, and the result told on another.

# %%
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

import autograd
import course
import nn
import optim
from autograd import viz

# %% [markdown]
# ## The data, in three parts
#
# Tumours of the breast, each described by 30 measures of its cells under the microscope. Class 1
# is malignant. We learn from three fifths, choose settings by one fifth, and look at the last
# fifth once, at the end.

# %%
table = nn.data.breast_cancer()
names = table.feature_names or []
order = np.random.default_rng(0).permutation(569)
validation, test, train = order[:114], order[114:228], order[228:]

inputs = nn.data.Standardize().fit(table.features[train]).transform(table.features)
classes = table.targets
print(f"{len(train)} to learn from, {len(validation)} to choose by, {len(test)} for the test")
print(f"malignant: {classes[train].mean():.0%} of those to learn from")


ALL = np.arange(30)


def part(places, columns=ALL):
    """Features and classes of some samples."""
    return inputs[places][:, columns], classes[places]


def accuracy(model, places, columns=ALL):
    x, y = part(places, columns)
    return nn.metrics.accuracy(model.predict(autograd.tensor(x)), y)


# %% [markdown]
# ## One quantity, three losses
#
# The model gives a *score* $f(x) = w \cdot x + b$, and says class 1 if it is above 0. With $y =
# 1$ for class 1 and $y = -1$ for class 0, the product $y f(x)$ is the *margin*: above 0 the
# sample is right, and the larger the better. What one would like to count are the samples below
# 0, but that count is flat nearly everywhere, so that it has no gradient to follow. Each model
# takes a slope instead:
#
# | model | loss of one sample | asks for |
# |---|---|---|
# | perceptron | $\max(0, -y f)$ | the right side |
# | support vector machine | $\max(0, 1 - y f)$ | the right side, by a margin of 1 |
# | logistic regression | $\log(1 + e^{-y f})$ | as much probability as can be had |

# %%
margin = autograd.linspace(-3.0, 3.0, 241, requires_grad=True)
kinds = {
    "perceptron": nn.models.Perceptron,
    "support vectors": nn.models.LinearSVM,
    "logistic": nn.models.LogisticRegression,
}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
left.step(
    margin.tolist(), margin.detach().numpy() < 0, color=course.COLOURS[6], label="wrong, counted"
)
for name, kind in kinds.items():
    # For samples of class 1 the margin is the score.
    values = autograd.stack([kind.loss(m.reshape(1), np.ones(1)) for m in margin])
    (slope,) = autograd.grad(values.sum(), margin)
    left.plot(margin.tolist(), values.tolist(), label=name)
    right.plot(margin.tolist(), slope.tolist())
left.set(xlabel="margin", ylabel="loss", title="loss")
right.set(xlabel="margin", ylabel="d loss / d margin", title="its slope")
left.legend()
plt.show()

# %% [markdown]
# The perceptron is content as soon as a sample is right. The support vector machine pulls on
# until the margin is 1, and then lets go: from there on the sample might as well not exist.
# Logistic regression never quite lets go.
#
# ## Why not squared error?
#
# Logistic regression makes a probability of its score, $p = \sigma(f)$. To be close to the right
# answer $t$, 0 or 1, one might well minimize $(p - t)^2$. Here are the slopes of both losses in
# the score, for a sample of class 1:
#
# $$\frac{\partial}{\partial f} (p - t)^2 = 2 (p - t) \, p (1 - p), \qquad
#   \frac{\partial}{\partial f} \left( -t \log p - (1 - t) \log(1 - p) \right) = p - t .$$

# %%
score = autograd.linspace(-10.0, 10.0, 241, requires_grad=True)
one = autograd.ones(241)
squared = (autograd.sigmoid(score) - one) ** 2
cross_entropy = nn.functional.binary_cross_entropy_with_logits(score, one, reduction="none")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
for name, loss in {"squared error": squared, "cross-entropy": cross_entropy}.items():
    (slope,) = autograd.grad(loss.sum(), score)
    left.plot(score.tolist(), loss.tolist(), label=name)
    right.plot(score.tolist(), slope.tolist())
left.set(xlabel="score f (right: above 0)", ylabel="loss", ylim=(0, 6), title="loss")
right.set(xlabel="score f", ylabel="d loss / d f", title="its slope")
left.legend()
plt.show()

# %% [markdown]
# Far to the left the sample is *confidently wrong*. Cross-entropy pulls there with full force.
# Squared error is flat: the worse the mistake, the weaker the correction. The factor $p (1 - p)$,
# the slope of the sigmoid, is to blame; in cross-entropy the logarithm cancels it.
#
# So let us start two trainings from the same bad place, all weights at -1: most features are
# larger in malignant tumours, so that nearly all tumours are on the wrong side by a wide margin.


# %%
def bad_start():
    model = nn.models.LogisticRegression(30)
    for parameter in model.parameters():
        nn.init.constant_(parameter, -1.0)
    return model


x_train, y_train = (autograd.tensor(array) for array in part(train))
truth = y_train.float()
losses = {
    "squared error": lambda scores: nn.functional.mse_loss(autograd.sigmoid(scores), truth),
    "cross-entropy": lambda scores: nn.models.LogisticRegression.loss(scores, y_train),
}
print(f"at the start {accuracy(bad_start(), train):.1%} of the training samples are right")

history, first_gradient = {}, {}
for name, loss in losses.items():
    model = bad_start()
    (gradient,) = autograd.grad(loss(model(x_train)), model.weight)
    first_gradient[name] = float(gradient.norm())
    optimizer = optim.SGD(model.parameters(), lr=0.2)
    right = []
    for _ in range(300):
        right.append(accuracy(model, train))
        optimizer.zero_grad()
        loss(model(x_train)).backward()
        optimizer.step()
    history[name] = right
    print(f"{name}: first gradient {first_gradient[name]:.4f}, in the end {right[-1]:.1%} right")

# %%
figure, axis = plt.subplots(figsize=(7, 3.4))
for name, right in history.items():
    axis.plot(right, label=name)
axis.set(xlabel="step", ylabel="share that is right", ylim=(0, 1), title="from the same bad start")
axis.legend()
plt.show()

course.result(
    "first gradient, cross-entropy over squared error",
    first_gradient["cross-entropy"] / first_gradient["squared error"],
    at_least=5,
)
course.result(
    "training accuracy of cross-entropy after 300 steps",
    history["cross-entropy"][-1],
    at_least=0.95,
)
course.result(
    "training accuracy of squared error after 300 steps", history["squared error"][-1], at_most=0.9
)

# %% [markdown]
# The library can be asked why a gradient is so small. Here is its answer for the tumour of lowest
# score, a malignant one:

# %%
model = bad_start()
lowest = int(model(x_train).argmin())
print(f"class {y_train[lowest].item()}")
sample = x_train[lowest : lowest + 1]
print(viz.why(model.weight, lambda: (autograd.sigmoid(model(sample)) - 1.0).square().sum()))

# %% [markdown]
# The sigmoid has eaten the gradient. (The mend that is proposed is the one for hidden layers. At
# the end of a network, where a probability is wanted, the mend is cross-entropy.)
#
# ## The perceptron's rule is a gradient step
#
# In 1958 there was no talk of gradients. Rosenblatt's rule goes through the samples one by one:
# if a sample is on the wrong side, $y f(x) < 0$, add $\eta \, y \, x$ to the weights; otherwise
# do nothing. But the gradient of $\max(0, -y \, w \cdot x)$ in $w$ is $-y \, x$ on the wrong side
# and 0 on the right one. It is the same thing, and we check it number by number: one pass over
# the data by the rule, in NumPy, and one by gradient descent.

# %%
autograd.manual_seed(0)
model = nn.models.Perceptron(30, dtype=np.float64)
nn.init.normal_(model.weight, std=0.1)
w, b = model.weight.detach().numpy()[0].copy(), float(model.get_parameter("bias").item())
optimizer = optim.SGD(model.parameters(), lr=0.1)
moved = 0
for x, label in zip(*part(train), strict=True):
    x = x.astype(np.float64)
    y = 2 * label - 1
    if y * (w @ x + b) < 0:
        w, b = w + 0.1 * y * x, b + 0.1 * y
        moved += 1
    optimizer.zero_grad()
    model.loss(model(autograd.tensor(x[None])), [label]).backward()
    optimizer.step()

print(f"{moved} of {len(train)} samples moved the line")
apart = np.abs(model.weight.detach().numpy()[0] - w).max()
course.result("largest difference of a weight, rule and gradient", apart, at_most=1e-12)

# %% [markdown]
# (Exactly on the line, $y f = 0$, the rule moves and the gradient does not. So a perceptron
# trained by gradient must not start at $w = 0$, where every sample is on the line.)
#
# ## Training all three
#
# Each is trained for several strengths of *weight decay*, which pulls the weights towards zero;
# of a support vector machine it makes the margin wide, since the margin is $2 / \|w\|$ wide. The
# validation part chooses, and only the chosen model sees the test. The perceptron never comes to
# rest as long as one sample is wrong; therefore all of them keep a running average of their last
# weights.


# %%
def trained(kind, decay, columns=ALL, epochs=30):
    x, y = part(train, columns)
    autograd.manual_seed(0)
    model = kind(x.shape[1])
    optimizer = optim.SGD(model.parameters(), lr=0.05, weight_decay=decay)
    nn.train.fit(
        model,
        (x, y),
        model.loss,
        optimizer,
        epochs=epochs,
        batch_size=8,
        average=0.99,
        progress=False,
    )
    return model


decays = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)
print("validation accuracy by weight decay")
print(" " * 16 + "".join(f"{decay:8}" for decay in decays))
chosen = {}
for name, kind in kinds.items():
    models = [trained(kind, decay) for decay in decays]
    scores = [accuracy(model, validation) for model in models]
    print(f"{name:16}" + "".join(f"{score:8.3f}" for score in scores))
    chosen[name] = models[int(np.argmax(scores))]

# %%
for name, model in chosen.items():
    course.result(f"test accuracy, {name}", accuracy(model, test), at_least=0.96)

# %% [markdown]
# That was the one look at the test. One tumour of 114 is nearly one per cent, so that differences
# of that size between the three mean nothing; what can be said is that all of them are good, and
# that for these data the choice of the loss matters little. It matters for *what else* one gets,
# and two features are enough to see that.
#
# ## Lines and margins
#
# Now the models see two of the 30 features only.

# %%
columns = np.array([names.index("worst perimeter"), names.index("worst smoothness")])
x, y = part(train, columns)
signs = 2 * y - 1
low, high = x.min(axis=0) - 0.3, x.max(axis=0) + 0.3
across, up = np.meshgrid(np.linspace(low[0], high[0], 200), np.linspace(low[1], high[1], 200))
grid = autograd.tensor(np.column_stack([across.ravel(), up.ravel()]))

colours = course.COLOURS[:2]
shades = LinearSegmentedColormap.from_list("shades", ["#9cc9e8", "white", "#f3bd8f"])
figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), sharex=True, sharey=True)
for axis, (name, kind) in zip(axes, kinds.items(), strict=True):
    model = trained(kind, 0.001, columns)
    scores = model(grid).detach().reshape(*across.shape)
    margins = signs * model(autograd.tensor(x)).detach().numpy()
    pulls = margins < {"perceptron": 0.0, "support vectors": 1.0, "logistic": np.inf}[name]
    if name == "logistic":
        probability = autograd.sigmoid(scores)
        axis.contourf(across, up, probability, levels=np.linspace(0, 1, 11), cmap=shades)
    if name == "support vectors":
        axis.contour(across, up, scores, levels=[-1, 1], colors="black", linestyles="--")
    if not pulls.all():
        axis.scatter(*x[pulls].T, s=45, facecolors="none", edgecolors="black", linewidths=0.8)
    axis.contour(across, up, scores, levels=[0], colors="black")
    for sign, colour, label in zip((-1, 1), colours, table.class_names or [], strict=True):
        axis.scatter(*x[signs == sign].T, s=9, color=colour, label=label)
    axis.set(xlabel=f"{names[columns[0]]} (standardized)", title=name)
    known = accuracy(model, validation, columns)
    print(
        f"{name:16} pulled by {pulls.mean():4.0%} of the samples, validation accuracy {known:.3f}"
    )
axes[0].set_ylabel(f"{names[columns[1]]} (standardized)")
axes[0].legend(loc="upper right")
plt.show()

# %% [markdown]
# Circled are the samples whose loss is above 0, which pull at the line.
#
# - The perceptron's line rests on its mistakes alone. If there were none, it would stay wherever
#   it first had all on the right side, however close to them.
# - The support vector machine's line rests on the samples on the wrong side of the dashed margin,
#   its *support vectors*. All others could be deleted, and the line would stay where it is.
# - Every sample pulls at the line of logistic regression, the far ones hardly. In return it tells
#   for each place how sure it is: blue is benign, orange malignant, white undecided.
#
# ## Things to try
#
# - Start the squared error from weights at -0.3 instead of -1, and then at 0. When does it catch
#   up?
# - Train the support vector machine on its support vectors only, and compare the two lines.
# - Draw the margin for weight decays of 0.0001 and 0.1. Which one has more support vectors, and
#   why?
# - Swap the labels of five training samples far from the line. Which of the three moves most?
# - Replace `part(train)` by unscaled features. Which learning rates still work?
# - Is the logistic model's probability honest? Of all samples with p between 0.6 and 0.8, how
#   many are malignant?
