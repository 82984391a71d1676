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
# # Perceptrons of many layers: what they can draw, and when they learn too much by heart
#
# **What you will learn**
#
# - why a line is not enough, and what hidden layers make of many lines
# - how to read digits from 256 pixels
# - how depth and width let a network learn its training data by heart, wrong labels included
# - what dropout, weight decay, early stopping and shifted images do against it, with their curves
# - why training loss, validation loss and accuracy can tell three different stories

# %%
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

import autograd
import course
import nn
import optim
from autograd import tensor

F = nn.functional

# %% [markdown]
# ## Two spirals
#
# Points on two arms that wind around each other, each arm a class. The networks below see 1000 of
# them, and are tested on 1000 others.

# %%
rng = np.random.default_rng(0)
train = nn.data.spirals(1000, rng=rng)
test = nn.data.spirals(1000, rng=rng)


def learn(hidden, epochs, seed=0):
    autograd.manual_seed(seed)
    model = nn.models.SpiralMLP(hidden=hidden)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    nn.train.fit(model, train, nn.CrossEntropyLoss(), optimizer, epochs=epochs, progress=False)
    return model


def accuracy(model, data):
    model.eval()
    with autograd.no_grad():
        return nn.metrics.accuracy(model(tensor(data[0])), data[1])


x, y = np.meshgrid(np.linspace(-1.15, 1.15, 200), np.linspace(-1.15, 1.15, 200))
plane = tensor(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32))
colours = LinearSegmentedColormap.from_list("arms", [course.COLOURS[0], "white", course.COLOURS[1]])


def draw(axis, values, title):
    """A function of the plane as colours, with its line of zeros."""
    values = values.numpy().reshape(x.shape)
    top = abs(values).max() + 1e-9
    axis.contourf(x, y, values, levels=np.linspace(-top, top, 24), cmap=colours, alpha=0.5)
    axis.contour(x, y, values, levels=[0.0], colors="black", linewidths=0.8)
    axis.set(title=title, xticks=[], yticks=[], aspect="equal")


def draw_boundary(axis, model, title, points=test):
    with autograd.no_grad():
        share = F.softmax(model(plane), dim=1)[:, 1] - 0.5
    draw(axis, share, title)
    for arm in (0, 1):
        mine = points[0][points[1] == arm]
        axis.plot(*mine.T, ".", color=course.COLOURS[arm], markersize=2.5)


# %% [markdown]
# Without a hidden layer the network is a linear classifier: it parts the plane by one straight
# line. With one hidden layer each unit brings a line of its own, and the sum of what lies beyond
# each can be bent. With two, the second layer makes bends of bends. All three are trained with
# the same steps.

# %%
figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.7))
linear, shallow, deep = (learn(hidden, epochs=60) for hidden in ((), (32,), (32, 32)))
names = ("no hidden layer", "one of 32 units", "two of 32 units")
for axis, model, name in zip(axes, (linear, shallow, deep), names, strict=True):
    draw_boundary(axis, model, f"{name}: {accuracy(model, test):.1%}")
plt.show()
course.result("spirals, linear classifier: test accuracy", accuracy(linear, test), at_most=0.7)
course.result("spirals, two hidden layers: test accuracy", accuracy(deep, test), at_least=0.97)

# %% [markdown]
# How does the boundary come about? The same network after a few epochs each:

# %%
figure, axes = plt.subplots(1, 4, figsize=(11, 3.1))
for axis, epochs in zip(axes, (0, 10, 20, 40), strict=True):
    stage = learn((32, 32), epochs)
    draw_boundary(axis, stage, f"{epochs} epochs: {accuracy(stage, test):.1%}")
plt.show()

# %% [markdown]
# ## What do the units see?
#
# Each unit is a function of the plane, so it can be drawn. A unit of the first layer is zero on
# one side of a line, and grows on the other side. A unit of the second layer, before its ReLU, is
# a weighted sum of such ramps: it bends at each of their lines. The eight units of each layer
# with the greatest spread:

# %%
figure, axes = plt.subplots(2, 8, figsize=(11, 3.2))
for row, (depth, name) in enumerate(((2, "first layer"), (3, "second layer"))):
    with autograd.no_grad():
        units = deep.layers[:depth](plane)
    strongest = np.argsort(-units.numpy().std(0))[:8]
    for axis, unit in zip(axes[row], strongest, strict=True):
        draw(axis, units[:, int(unit)], "")
    axes[row, 0].set_ylabel(name)
plt.show()

# %% [markdown]
# ## Digits of 256 pixels
#
# Handwritten digits, cut to their middle and averaged to 16 x 16 pixels. `PixelMLP` takes the
# pixels as one long row: it does not know which of them are neighbours.

# %%
images = course.images()


def small(pictures):
    """The 24 x 24 pixels in the middle, as means on a grid of 16 x 16, from 0 to 1."""
    middle = pictures[:, None, 2:26, 2:26] / np.float32(255)
    return F.adaptive_avg_pool2d(tensor(middle), 16).numpy()


digits = (small(images.train_images), images.train_labels)
test_digits = (small(images.test_images), images.test_labels)
print(f"{images.name}: {len(digits[0])} images to learn from, {len(test_digits[0])} to test on")
course.show_images(digits[0][:10, 0], [str(label) for label in digits[1][:10]])

# %% [markdown]
# Each time an image is used, it is moved by up to one pixel: what a digit is does not depend on
# that, and the network sees more than it was given. The learning rate rises at first, and then
# falls to nothing, so that the last steps settle.

# %%
autograd.manual_seed(0)
model = nn.models.PixelMLP(hidden=(256, 128), dropout=0.1)
optimizer = optim.AdamW(model.parameters(), lr=0.004)
epochs = 30
history = nn.train.fit(
    model,
    digits,
    nn.CrossEntropyLoss(),
    optimizer,
    epochs=epochs,
    batch_size=64,
    augment=nn.data.RandomShift(1),
    scheduler=optim.lr_scheduler.OneCycleLR(
        optimizer, 0.004, total_steps=epochs * -(-len(digits[0]) // 64)
    ),
    schedule="step",
    progress=False,
)
course.result("digits of 16 x 16: test accuracy", accuracy(model, test_digits), at_least=0.95)

# %% [markdown]
# What it gets wrong, with the right class and the network's answer:

# %%
with autograd.no_grad():
    answers = model(tensor(test_digits[0])).numpy().argmax(1)
wrong = np.flatnonzero(answers != test_digits[1])[:20]
course.show_images(
    test_digits[0][wrong, 0],
    [f"{test_digits[1][i]} not {answers[i]}" for i in wrong],
)

# %% [markdown]
# ## Learning by heart
#
# Now a hard case: only 500 images to learn from, and for each fifth of them somebody wrote down a
# class at random. The labels of the 900 other images to validate with, and of those to test on,
# are right.
#
# Networks of one to three hidden layers of different widths, 40 epochs each:

# %%
rng = np.random.default_rng(0)
labels = digits[1][:500].copy()
careless = rng.random(500) < 0.2
labels[careless] = rng.integers(0, 10, careless.sum())
print("labels that are wrong:", int((labels != digits[1][:500]).sum()), "of 500")
few, validation = (digits[0][:500], labels), (digits[0][-900:], digits[1][-900:])


def train_few(hidden, *, seed=0, decay=0.0, epochs=40, **options):
    dropout = options.pop("dropout", (0.0, 0.0))
    autograd.manual_seed(seed)
    model = nn.models.PixelMLP(hidden=hidden, dropout=dropout[0], input_dropout=dropout[1])
    optimizer = optim.AdamW(model.parameters(), lr=0.001, weight_decay=decay)
    history = nn.train.fit(
        model,
        few,
        nn.CrossEntropyLoss(),
        optimizer,
        epochs=epochs,
        batch_size=50,
        validation=validation,
        progress=False,
        **options,
    )
    return model, history


# %%
widths = (8, 16, 32, 64, 128, 256, 512)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.3), sharex=True)
for depth, marker in ((1, "o"), (2, "s"), (3, "^")):
    runs = [train_few((width,) * depth) for width in widths]
    numbers = (
        [history[-1]["train_loss"] for _, history in runs],
        [history[-1]["validation_loss"] for _, history in runs],
        [accuracy(model, test_digits) for model, _ in runs],
    )
    for axis, values in zip(axes, numbers, strict=True):
        axis.plot(widths, values, marker=marker, label=f"{depth} hidden")
for axis, name in zip(axes, ("training loss", "validation loss", "test accuracy"), strict=True):
    axis.set_xscale("log", base=2)
    axis.set(xlabel="units of each hidden layer", title=name)
axes[0].legend()
plt.show()

# %% [markdown]
# The training loss falls with every unit that is added: the widest networks know nearly all
# labels, the wrong ones too. The validation loss falls and then rises again. Too few units cannot
# say what a digit looks like; too many have room for each single image. Depth makes both ends
# steeper.
#
# ## Four cures
#
# Two hidden layers of 512 units, and against learning by heart
#
# - **dropout**: in each training step half of the hidden units and a fifth of the pixels are left
#   out, so that no unit can rely on a certain other one;
# - **weight decay**: each step also makes each weight a little smaller;
# - **early stopping**: the validation loss has the last word, and the weights of its best epoch
#   are kept;
# - **shifted images**: each image is moved by up to one pixel each time.

# %%
cures = {
    "none": {},
    "dropout 0.5, pixels 0.2": {"dropout": (0.5, 0.2)},
    "weight decay": {"decay": 8.0},
    "early stopping": {"early_stopping": 5},
    "shifted images": {"augment": nn.data.RandomShift(1)},
}
runs = {
    name: [train_few((512, 512), seed=seed, **options) for seed in range(3)]
    for name, options in cures.items()
}

# %%
figure, axes = plt.subplots(1, 5, figsize=(12, 3.1), sharey=True)
for axis, (name, ((_, history), *_)) in zip(axes, runs.items(), strict=True):
    curves = history.to_dict()
    for key in ("train_loss", "validation_loss"):
        axis.plot(curves["epoch"], curves[key], label=key.replace("_loss", ""))
    best = int(np.argmin(curves["validation_loss"]))
    axis.plot(curves["epoch"][best], curves["validation_loss"][best], "ko", markersize=4)
    axis.set(title=name, xlabel="epoch", ylim=(0, 2.4), xlim=(0, 41))
axes[0].set_ylabel("cross-entropy")
axes[0].legend()
plt.show()

# %% [markdown]
# The dot is the lowest validation loss of each run. Without a cure the blue curve goes to zero
# and the other turns around and rises. With early stopping the curves are the same, but end soon
# after the turn.
#
# The table has means of three runs, with other initial weights and another order of the images.

# %%
print(f"{'cure':26} test accuracy   last validation loss   lowest")
table = {}
for name, three in runs.items():
    table[name] = np.mean([accuracy(model, test_digits) for model, _ in three])
    last = np.mean([history[-1]["validation_loss"] for _, history in three])
    low = np.mean([min(e["validation_loss"] for e in history) for _, history in three])
    print(f"{name:26} {table[name]:13.1%} {last:22.2f} {low:8.2f}")
for name in list(cures)[1:]:
    course.result(f"{name}: gain in test accuracy", table[name] - table["none"], at_least=0.01)

# %% [markdown]
# Three numbers, three stories. Without a cure the training loss is the best of all, and the
# accuracy the worst. A low validation loss helps, but is not the same as accuracy: the loss also
# asks how sure the network is of its answers, and one that is trained on wrong labels does well
# to be unsure.
#
# Which cure is best depends on the data. Shifting is of another kind than the rest: it adds
# knowledge, that a digit stays what it is when it moves. The others know nothing of images, and
# help with any data.
#
# ## Things to try
#
# - `nn.data.spirals(1000, turns=3.0, rng=rng)`: how many units does it take?
# - `SpiralMLP(activation="tanh")`: are the boundaries smoother, and is the training as fast?
# - Leave out the wrong labels (`careless[:] = False`). Which cures still help?
# - All cures at once. Is it better, or is it too much of a good thing?
# - Dropout of 0.1 to 0.9, drawn against the test accuracy.
# - 5000 images to learn from, with the same share of wrong labels: what is left of the
#   differences?
