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
# # Autoencoders
#
# A network that only has to give back what it was shown learns nothing, unless the way is narrow.
# Then it must find out what a digit is made of, and nobody has to label anything.
#
# **What you will learn**
#
# - how much of a digit fits into 2 numbers or into 16, beside the best that a linear map can do;
# - what the plane of all digits looks like, with two numbers as its coordinates;
# - what convolutions save;
# - how a network removes noise that it has never seen, measured in decibels;
# - why deep networks of sigmoids would not learn for twenty years, and what greedy, layer-wise
#   training changed in 2006.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from course import COLOURS
from nn.models import Autoencoder, ConvAutoencoder, StackedAutoencoder

digits = course.images()
train = (digits.train_images[:, None] / 255).astype(np.float32)
test = autograd.tensor((digits.test_images[:, None] / 255).astype(np.float32))
print(f"{digits.name}: {len(train):,} digits to learn from, {len(test):,} to be judged by")

# %% [markdown]
# One function trains every model below. The target is the input: nothing else about it is special.
# The loss is cross-entropy, pixel by pixel, as the pixels lie between 0 and 1; the error that we
# report is the plain mean square, so that all methods can be compared.
#
# With a batch of 100, six thousand digits make 60 steps each epoch. The smaller set makes fewer,
# and gets more epochs in their place.


# %%
def fit(model, epochs, lr=0.002, make=optim.Adam, **options):
    epochs = round(epochs * 6000 / len(train))
    optimizer = make(model.parameters(), lr=lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    options = {"loss": nn.BCELoss(), "batch_size": 100, "progress": False} | options
    return nn.train.fit(
        model, (train, train), optimizer=optimizer, epochs=epochs, scheduler=schedule, **options
    )


def restored(model, images=test):
    with autograd.no_grad():
        return model(images)


def error(images):
    return nn.functional.mse_loss(images, test).item()


# %% [markdown]
# ## A narrow way
#
# The encoder $f$ maps 784 pixels to a short code, the decoder $g$ maps the code back, and both
# learn to make $g(f(x)) \approx x$. If $f$ and $g$ were linear and the loss were the squared error,
# the best code would be that of *principal component analysis*: the projections on the directions
# in which the data vary most. They come from the singular value decomposition, without any
# training, so they are the mark to beat.

# %%
flat = train.reshape(len(train), -1)
mean = flat.mean(0)
directions = np.linalg.svd(flat - mean, full_matrices=False)[2]


def pca(size):
    rows = test.numpy().reshape(len(test), -1) - mean
    basis = directions[:size]
    return autograd.tensor((mean + rows @ basis.T @ basis).reshape(test.shape))


PASSES = 16  # over the data

networks = {}
for size in (2, 8, 16):
    autograd.manual_seed(0)
    networks[size] = Autoencoder((784, 256, 128, 64, 2) if size == 2 else (784, 256, size))
    fit(networks[size], epochs=PASSES)

sizes = np.arange(1, 25)
errors = {size: error(restored(model)) for size, model in networks.items()}
plt.figure(figsize=(6.4, 3.4))
plt.plot(sizes, [error(pca(n)) for n in sizes], color=COLOURS[6], label="PCA, the best linear code")
plt.plot(list(errors), list(errors.values()), "o", color=COLOURS[0], label="autoencoder")
plt.xlabel("numbers in the code")
plt.ylabel("mean squared error, test digits")
plt.ylim(bottom=0)
plt.legend()
plt.show()

for size in (2, 8):
    course.result(
        f"error with {size} numbers, over that of PCA",
        errors[size] / error(pca(size)),
        at_most=0.95,
    )

# %% [markdown]
# The bend between the layers is what helps: digits do not lie on a flat sheet in the space of
# pixels, but on a curved one, and a curved one needs fewer coordinates.

# %%
rows = [test, pca(2), restored(networks[2]), pca(16), restored(networks[16])]
names = ["original", "PCA, 2", "network, 2", "PCA, 16", "network, 16"]


def gallery(rows, names, count=12, scale=0.62):
    """Draw the first images of each row, with the rows' names at the left."""
    _, axes = plt.subplots(
        len(rows), count, figsize=(scale * count + 1.3, scale * len(rows)), squeeze=False
    )
    for line, name, images in zip(axes, names, rows, strict=True):
        for axis, image in zip(line, np.asarray(images)[:count], strict=True):
            axis.imshow(image.reshape(28, 28), vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    plt.show()


gallery(rows, names)

# %% [markdown]
# ## The plane of all digits
#
# With a code of two numbers every digit is a point of the plane. The colours show the classes, of
# which the network was never told. On the right the decoder is asked what lies *between*: a grid
# over the plane, each point decoded.
#
# A few digits have codes far away from all others. So that they do not squeeze the rest, a place on
# an axis is a *rank*: at 0.3 stands the number that 30 % of the digits stay below.

# %%
narrow = networks[2]
with autograd.no_grad():
    codes = narrow.encode(test).numpy()
ranks = (codes.argsort(0).argsort(0) + 0.5) / len(codes)

count = 18
places = (np.arange(count) + 0.5) / count
first, second = np.quantile(codes, places, axis=0).T
grid = np.stack(np.meshgrid(first, second[::-1]), -1).reshape(-1, 2).astype(np.float32)
with autograd.no_grad():
    tiles = narrow.decode(autograd.tensor(grid)).numpy().reshape(count, count, 28, 28)

_, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.8))
for digit in range(10):
    points = ranks[digits.test_labels == digit]
    colour = plt.cm.tab10(digit)
    left.scatter(*points.T, s=9, alpha=0.6, color=colour, linewidths=0)
    left.text(
        *np.median(points, 0),
        str(digit),
        ha="center",
        va="center",
        weight="bold",
        bbox={"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": colour},
    )
right.imshow(tiles.transpose(0, 2, 1, 3).reshape(28 * count, -1), extent=(0, 1, 0, 1))
right.grid(False)
left.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title="codes of test digits")
right.set_title("what the decoder makes of each point")
for axes in (left, right):
    axes.set(xlabel="first number, by rank", ylabel="second number, by rank")
plt.show()

# %% [markdown]
# Is the plane sorted, or does it only look so? Give each test digit the class of its nearest
# neighbours among the training digits, once in the plane of the autoencoder and once in that of
# PCA.


# %%
def neighbours(of_train, of_test, k=15):
    """Share of test digits whose nearest training digits are mostly of their class."""
    distance = ((of_test[:, None] - of_train[None]) ** 2).sum(2)
    near = digits.train_labels[np.argpartition(distance, k, axis=1)[:, :k]]
    votes = nn.data.one_hot(near, 10).sum(1)
    return (votes.argmax(1) == digits.test_labels).mean()


with autograd.no_grad():
    plane = narrow.encode(autograd.tensor(train)).numpy()
projected = [(rows - mean) @ directions[:2].T for rows in (flat, test.numpy().reshape(-1, 784))]
by_network, by_pca = neighbours(plane, codes), neighbours(*projected)
print(f"right by neighbours: {by_network:.1%} in the network's plane, {by_pca:.1%} in PCA's")
course.result("right by neighbours, network minus PCA", by_network - by_pca, at_least=0.1)

# %% [markdown]
# ## Layers that know which pixels are neighbours
#
# A dense layer would learn as well if all pixels were shuffled. A convolution cannot be fooled like
# that, and does with far fewer weights. Two convolutions of stride 2 lead from $28 \times 28$ to
# $7 \times 7$; two transposed ones lead back.

# %%
autograd.manual_seed(0)
convolutional = ConvAutoencoder(code_size=16)
fit(convolutional, epochs=8, lr=0.003)


def size_of(model):
    return sum(p.numel() for p in model.parameters())


dense = networks[16]
for name, model in (("dense", dense), ("convolutional", convolutional)):
    print(f"{name:14}{size_of(model):9,} parameters, error {error(restored(model)):.5f}")
course.result(
    "convolutional over dense: parameters", size_of(convolutional) / size_of(dense), at_most=0.3
)
course.result(
    "convolutional over dense: error",
    error(restored(convolutional)) / error(restored(dense)),
    at_most=1.4,
)
gallery([test, restored(dense), restored(convolutional)], ["original", "dense", "convolutional"])

# %% [markdown]
# ## Taking noise away
#
# Now the input is spoilt, and the target is clean (Vincent, Larochelle, Bengio and Manzagol 2008).
# Each batch gets fresh noise: `augment=` changes the inputs and leaves the targets alone, so that
# this one word makes a denoiser out of an autoencoder. The loss is the mean square here, because
# that is what we shall measure.
#
# The measure is the *peak signal-to-noise ratio*, for pixels between 0 and 1
#
# $$\text{PSNR} = -10 \log_{10} \text{MSE} \quad\text{in decibels:}$$
#
# ten more mean a tenth of the squared error.

# %%
NOISE = 0.5
autograd.manual_seed(0)
denoiser = ConvAutoencoder(code_size=64)
fit(denoiser, epochs=8, lr=0.003, loss=nn.MSELoss(), augment=nn.data.GaussianNoise(NOISE))

noise = np.random.default_rng(0).normal(0, NOISE, test.shape).astype(np.float32)
noisy = test + autograd.tensor(noise)


def psnr(images):
    return -10 * np.log10(error(images))


clipped = noisy.clamp(0, 1)
blurred = nn.functional.avg_pool2d(clipped, 3, stride=1, padding=1)
clean = restored(denoiser, noisy)
candidates = {
    "as it came": noisy,
    "cut to 0 .. 1": clipped,
    "and blurred": blurred,
    "denoised": clean,
}
for name, images in candidates.items():
    print(f"{name:14}{psnr(images):6.2f} dB")
course.result("error of the denoised digits", error(clean), at_most=0.025)
course.result("PSNR gained over the noisy digits (dB)", psnr(clean) - psnr(noisy), at_least=8)
course.result("PSNR gained over the cut ones (dB)", psnr(clean) - psnr(clipped), at_least=5)

# %%
gallery([test, clipped, blurred, clean], ["clean", "noisy", "blurred", "denoised"])

# %% [markdown]
# The noise at test time is not the noise of the training, and no clean version of these digits was
# ever shown to the network. What it has learnt is where digits lie: it moves a spoilt one to the
# nearest place that could be a digit. How far does that carry? Below the noise grows; the network
# knows only noise of deviation 0.5.

# %%
levels = np.linspace(0.1, 1.5, 8)
curves = {"cut to 0 .. 1": [], "denoised": []}
for level in levels:
    spoilt = test + autograd.tensor((noise * (level / NOISE)).astype(np.float32))
    curves["cut to 0 .. 1"].append(psnr(spoilt.clamp(0, 1)))
    curves["denoised"].append(psnr(restored(denoiser, spoilt)))
plt.figure(figsize=(6.4, 3.2))
for (name, values), colour in zip(curves.items(), (COLOURS[6], COLOURS[0]), strict=True):
    plt.plot(levels, values, "o-", color=colour, label=name)
plt.axvline(NOISE, color="0.6", linestyle=":")
plt.text(NOISE + 0.02, plt.ylim()[1], "trained here", va="top", color="0.4")
plt.xlabel("standard deviation of the noise")
plt.ylabel("PSNR (dB)")
plt.legend()
plt.show()

# %% [markdown]
# On the left the curves cross: with hardly any noise it is better to leave the picture as it is
# than to squeeze it through 64 numbers.

# %% [markdown]
# ## Deep, layer by layer
#
# Before 2006 hardly anybody could train a network of more than two or three layers. The units were
# sigmoids, whose slope is at most $1/4$: with small weights every layer on the way back takes most
# of the gradient away. Hinton and Salakhutdinov (2006), and Bengio, Lamblin, Popovici and
# Larochelle (2007) found a way around it:
#
# 1. train the first layer alone, as an autoencoder of the pixels;
# 2. train the second as an autoencoder of the first one's codes, then the third, and so on;
# 3. put all of them together, and only then train the whole.
#
# `pretrain` does the first two. We compare with the same network, the same optimizer and the same
# number of passes over the data, from random weights.

# %%
WIDTHS = (784, 256, 128, 64, 16)
PRETRAINING, TUNING = 6, PASSES - 6  # of each layer, and of the whole


def momentum(parameters, lr):
    return optim.SGD(parameters, lr=lr, momentum=0.9)


def tune(model, epochs, make, lr):
    """Train the whole; the test error after each epoch."""
    errors = [error(restored(model))]

    class Watch(nn.train.Callback):
        def on_epoch_end(self, trainer, record):
            errors.append(error(restored(model)))

    fit(model, epochs, lr, make, callbacks=[Watch()])
    return errors


curves = {}
autograd.manual_seed(0)
stacked = StackedAutoencoder(WIDTHS)
stacked.pretrain(train, epochs=round(PRETRAINING * 6000 / len(train)), lr=0.005)
pretrained = {name: value.clone() for name, value in stacked.state_dict().items()}
for name, make, lr in (("SGD", momentum, 0.5), ("Adam", optim.Adam, 0.002)):
    autograd.manual_seed(0)
    from_scratch = StackedAutoencoder(WIDTHS)
    curves[f"{name}, from random weights"] = tune(from_scratch, PRETRAINING + TUNING, make, lr)
    stacked.load_state_dict(pretrained)
    curves[f"{name}, pre-trained"] = tune(stacked, TUNING, make, lr)

# %%
plt.figure(figsize=(7.4, 3.6))
for (name, errors), style in zip(curves.items(), ("--", "-", "--", "-"), strict=True):
    x = np.linspace(PRETRAINING if "pre" in name else 0, PRETRAINING + TUNING, len(errors))
    plt.plot(x, errors, style, color=COLOURS["Adam" in name], label=name)
plt.axhline(error(pca(16)), color=COLOURS[6], linestyle=":", label="PCA with as many numbers")
plt.axvspan(0, PRETRAINING, color="0.93", zorder=0)
plt.text(0.2, 0.003, "single layers", color="0.4")
plt.ylim(0, 0.1)
plt.xlabel("passes over the data")
plt.ylabel("mean squared error, test digits")
plt.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

final = {name: errors[-1] for name, errors in curves.items()}
always_the_mean = error(autograd.tensor(np.broadcast_to(mean.reshape(28, 28), test.shape).copy()))
course.result(
    "SGD from random weights, over the mean digit's error",
    final["SGD, from random weights"] / always_the_mean,
    at_least=0.9,
)
for name in ("SGD", "Adam"):
    course.result(
        f"{name}: error pre-trained over from random weights",
        final[f"{name}, pre-trained"] / final[f"{name}, from random weights"],
        at_most=0.85,
    )

# %% [markdown]
# From random weights, plain descent stays where it shows the mean of all digits whatever it is
# given. Pre-trained, the very same network starts below that and goes on learning.
#
# Today one would do without: with ReLUs, better initial weights, normalisation and skip connections
# gradients come through, as the lesson on gradients by depth shows. What remains of the idea is
# worth more than ever: *learn from what has no labels first, then tune*. The second
# part of this lesson takes it to networks that can dream.

# %%
print(f"four layers of sigmoids each way, pre-trained: {final['Adam, pre-trained']:.4f}")
print(f"two layers with a ReLU, from random weights:   {error(restored(networks[16])):.4f}")

# %% [markdown]
# ## Things to try
#
# - Replace `ReLU` by `nn.Identity` in `Autoencoder((784, 2), nn.Identity)` and train it with
#   `nn.MSELoss()`: how close does it come to PCA?
# - Walk in a straight line between the codes of two digits of the 16-number network, and decode
#   eight points on the way. Do the same with the pixels.
# - Train the denoiser on `nn.data.Cutout(10)`: it then paints in what is missing.
# - Show the denoiser a picture of pure noise, feed its answer back, and do so twenty times.
# - Pre-train with `noise=0.3`, as Vincent and others did, and compare the errors after tuning.
