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
# # Convolution, as seen
#
# **What you will learn**
#
# - what a convolution computes, number by number, and what a kernel does to a photograph
# - how to count the weights and the multiplications of a layer, and why two small kernels beat a
#   big one
# - how far a unit sees: its receptive field, drawn by its own gradient
# - what pooling keeps, what it forgets, and how it makes a network less sensitive to small shifts
# - that gradient descent finds a famous kernel by itself

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from autograd import tensor, viz

F = nn.functional

# %% [markdown]
# ## A window that slides
#
# Lay a small array of weights, the **kernel** $K$, over a place of the image $X$. Multiply what
# lies on top of each other, add it all up, write the sum down, move on by one pixel:
#
# $$
# Y_{i,j} = \sum_{u} \sum_{v} K_{u,v} \; X_{i+u,\; j+v}
# $$
#
# (Strictly this is a *cross-correlation*; a convolution in the sense of mathematics turns the
# kernel by 180 degrees first. A network learns its kernels, so it does not care, and everyone says
# convolution.)


# %%
def slide(image, kernel):
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    result = np.zeros((height, width), np.float32)
    for i in range(height):
        for j in range(width):
            window = image[i : i + kernel.shape[0], j : j + kernel.shape[1]]
            result[i, j] = (window * kernel).sum()
    return result


image = np.zeros((7, 7), np.float32)
image[1:6, 1:4] = 1.0
image[3, 4] = 1.0
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
by_hand = slide(image, kernel)

x, k = tensor(image[None, None], requires_grad=True), tensor(kernel[None, None])
y = F.conv2d(x, k)  # images are (N, channels, height, width), kernels (out, in, height, width)
course.result(
    "difference of our loops and conv2d",
    abs(by_hand - y.detach().numpy()[0, 0]).max(),
    at_most=1e-6,
)


# %%
def draw_numbers(axis, values, title, cmap="gray", limit=None):
    low = -limit if limit else None
    axis.imshow(values, cmap=cmap, vmin=low, vmax=limit)
    for (i, j), value in np.ndenumerate(values):
        strong = abs(value) > 0.6 * (limit or abs(values).max())
        dark = strong if limit else not strong
        axis.text(
            j,
            i,
            f"{value:g}",
            ha="center",
            va="center",
            color="white" if dark else "black",
            fontsize=9,
        )
    axis.set(title=title, xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)


_, axes = plt.subplots(1, 3, figsize=(9.0, 2.9), width_ratios=(7, 3.6, 5))
draw_numbers(axes[0], image, "image, 7 × 7")
draw_numbers(axes[1], kernel, "kernel, 3 × 3", "RdBu", 4)
draw_numbers(axes[2], by_hand, "result, 5 × 5", "RdBu", 6)
plt.show()

# %% [markdown]
# This kernel answers where brightness changes from left to right: positive where it grows, negative
# where it falls, zero where nothing happens. The result is smaller than the image, since the window
# has to fit; zeros around the image (*padding*) keep the size.
#
# One element of the result, opened by `viz.zoom`: nine products and their sum, with the gradient of
# that element with respect to each pixel, which is the kernel's weight.

# %%
print(viz.zoom(y, (0, 0, 2, 0)))

# %% [markdown]
# ## Photographs
#
# The same operation on a photograph: the kernel is everything. A colour image has three channels,
# and `groups=3` gives each of them the kernel on its own.

# %%
temple, flower = nn.data.photographs()  # (3, 427, 640) each, from 0 to 1


def apply(kernel, image, **options):
    """Slide one kernel over each channel of an image (channels, height, width)."""
    channels = len(image)
    kernels = np.repeat(kernel.astype(np.float32)[None, None], channels, axis=0)
    options.setdefault("padding", tuple(n // 2 for n in kernels.shape[2:]))
    with autograd.no_grad():
        return F.conv2d(tensor(image[None]), tensor(kernels), groups=channels, **options).numpy()[0]


def gaussian(size, sigma):
    place = np.arange(size) - size // 2
    bell = np.exp(-(place**2) / (2 * sigma**2))
    return bell / bell.sum()


mean = np.full((9, 9), 1 / 81)
bell = np.outer(gaussian(15, 2.5), gaussian(15, 2.5))
dot = np.zeros((15, 15))
dot[7, 7] = 1.0  # this kernel copies the image
sharpen = dot + 1.5 * (dot - bell)  # the image, and more of what a blur takes away


def show_photographs(panels, size=(9.0, 2.35)):
    _, axes = plt.subplots(1, len(panels), figsize=size)
    for axis, (title, picture) in zip(axes, panels.items(), strict=True):
        picture = picture.transpose(1, 2, 0) if picture.ndim == 3 else picture
        colour = picture.ndim == 3
        axis.imshow(picture.clip(0, 1) if colour else picture, cmap="gray")
        axis.set_title(title)
        axis.axis("off")
    plt.show()


def middle(picture):
    return picture[:, 120:280, 200:420]


show_photographs(
    {
        "photograph": middle(flower),
        "mean of 9 × 9": middle(apply(mean, flower)),
        "Gaussian bell": middle(apply(bell, flower)),
        "sharpened": middle(apply(sharpen, flower)),
    },
    size=(9.6, 2.0),
)

# %% [markdown]
# A mean counts all pixels of its square alike; a Gaussian bell counts near ones more, and what is
# as far in any direction the same. The bell is the product of a column and a row, so it can be slid
# in two passes: the same picture for $2k$ multiplications per pixel in place of $k^2$.

# %%
column, row = gaussian(15, 2.5)[:, None], gaussian(15, 2.5)[None, :]
once = apply(bell, temple)
twice = apply(row, apply(column, temple))
course.result(
    "difference of one pass with the bell and two with its factors",
    abs(once - twice).max(),
    at_most=1e-5,
)
print(f"multiplications per pixel: {bell.size} in one pass, {column.size + row.size} in two")

# %% [markdown]
# ### Edges
#
# Sobel's two kernels are the slopes of brightness, to the right and downwards: $G_x$ and $G_y$.
# Together they are the gradient of the picture, and its length $\sqrt{G_x^2 + G_y^2}$ draws the
# edges.

# %%
sobel_x = kernel
sobel_y = sobel_x.T
grey = temple.mean(0, keepdims=True)
slope_x, slope_y = apply(sobel_x, grey)[0], apply(sobel_y, grey)[0]
edges = np.hypot(slope_x, slope_y)
edges[[0, -1]] = edges[:, [0, -1]] = 0  # where the window saw the zeros outside
show_photographs(
    {
        "photograph": temple,
        "slope to the right": slope_x.clip(-1.5, 1.5),
        "length of both": edges.clip(0, 2.0),
    }
)

# %% [markdown]
# ## Shifting first or last is the same
#
# All places share one kernel. So a shifted image gives a shifted result, which is called
# **equivariance**: what was learnt about one corner of the image holds in every other.

# %%
shift_first = apply(sobel_x, np.roll(grey, (5, 12), axis=(1, 2)))
shift_last = np.roll(apply(sobel_x, grey), (5, 12), axis=(1, 2))
inside = (slice(None), slice(6, -1), slice(13, -1))  # away from where the image was cut and rolled
course.result(
    "difference of shifting first and last",
    abs(shift_first - shift_last)[inside].max(),
    at_most=1e-6,
)

# %% [markdown]
# ## What a layer costs
#
# A layer has many kernels, and each looks at all channels of its input. From $C$ channels to $M$
# maps with windows of $k \times k$:
#
# $$
# \text{parameters} = k^2 C M + M, \qquad
# \text{multiply-adds} = H' W' \cdot k^2 C M
# $$
#
# where $H' \times W'$ is the size of the result: a layer has few weights, and uses each very often.
# We ask a real layer, the first of VGG, and compare with the formulas.

# %%
first = nn.Sequential(nn.Conv2d(3, 64, kernel_size=3, padding=1))
found = nn.summary(first, (3, 224, 224))
print(found, "\n")
course.result("parameters from 3 channels to 64 maps", found.parameters, equals=3 * 3 * 3 * 64 + 64)
course.result("its multiply-adds", found.multiply_adds, equals=224 * 224 * 64 * 27)
dense = (224 * 224 * 3 + 1) * (224 * 224 * 64)
print(f"\nA linear layer of that shape would have {dense:,} parameters.")

# %% [markdown]
# ### Two small kernels or one large
#
# Two layers of 3 × 3 see as far as one of 5 × 5, as the next section draws. For 64 maps in and out:

# %%
two_small = nn.Sequential(
    nn.Conv2d(64, 64, 3, padding=1, bias=False),
    nn.ReLU(),
    nn.Conv2d(64, 64, 3, padding=1, bias=False),
)
one_large = nn.Sequential(nn.Conv2d(64, 64, 5, padding=2, bias=False))
small, large = (nn.summary(model, (64, 56, 56)) for model in (two_small, one_large))
course.result("weights of two 3 × 3 layers", small.parameters, equals=2 * 9 * 64**2)
course.result("weights of one 5 × 5 layer", large.parameters, equals=25 * 64**2)
course.result("multiply-adds of the two", small.multiply_adds, equals=56 * 56 * 2 * 9 * 64**2)
course.result("multiply-adds of the one", large.multiply_adds, equals=56 * 56 * 25 * 64**2)
print(f"\nThe two cost {small.multiply_adds / large.multiply_adds:.0%} of the one, and bend twice.")

# %% [markdown]
# ### How large is the result?
#
# With $p$ zeros on each side, a step (*stride*) of $s$ and gaps (*dilation*) of $d$, from $n$
# pixels come
#
# $$
# n' = \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1
# $$

# %%
wrong = 0
cases = [
    (28, 5, 0, 1, 1),
    (28, 3, 1, 1, 1),
    (32, 3, 2, 1, 2),
    (224, 7, 3, 2, 1),
    (227, 11, 0, 4, 1),
]
for size, k, p, s, d in cases:
    layer = nn.Conv2d(1, 1, k, stride=s, padding=p, dilation=d)
    measured = layer(autograd.zeros(1, 1, size, size)).shape[-1]
    formula = (size + 2 * p - d * (k - 1) - 1) // s + 1
    wrong += measured != formula
    print(f"{size:3} pixels, kernel {k:2}, padding {p}, stride {s}, dilation {d}: {measured}")
course.result("sizes that differ from the formula", wrong, equals=0)

# %% [markdown]
# ## How far does a unit see?
#
# Which pixels can change one number of the result? Those with respect to which its gradient is not
# zero: the unit's **receptive field**. So gradients draw it. All weights are set to one, to make
# each gradient count the ways by which a pixel reaches the unit.


# %%
def seen_from_the_middle(layers, size=19):
    """Gradient of the middle unit with respect to each pixel."""
    model = nn.Sequential(*layers)
    with autograd.no_grad():
        for weight in model.parameters():
            weight.fill_(1.0)
    pixels = autograd.ones(1, 1, size, size, requires_grad=True)
    output = model(pixels)
    middle = [n // 2 for n in output.shape[2:]]
    (ways,) = autograd.grad(output[0, 0, middle[0], middle[1]], pixels)
    return ways.numpy()[0, 0]


def width_of(field):
    """Pixels from the first to the last column that count."""
    columns = np.flatnonzero(field.any(axis=0))
    return int(columns[-1] - columns[0] + 1)


def conv(k, **options):
    return nn.Conv2d(1, 1, k, bias=False, **options)


stacks = {
    "one 5 × 5": [conv(5)],
    "two 3 × 3": [conv(3), conv(3)],
    "four 3 × 3": [conv(3) for _ in range(4)],
    "3 × 3 dilated by 2": [conv(3, dilation=2)],
    "dilated by 1, 2, 4": [conv(3, dilation=d) for d in (1, 2, 4)],
    "3 × 3 with stride 2, 3 × 3": [conv(3, stride=2), conv(3)],
    "pooling of 2, 3 × 3": [nn.AvgPool2d(2), conv(3)],
    "twice: 3 × 3, pooling of 2": [conv(3), nn.AvgPool2d(2), conv(3), nn.AvgPool2d(2)],
}
fields = {name: seen_from_the_middle(layers) for name, layers in stacks.items()}

_, axes = plt.subplots(2, 4, figsize=(9.0, 4.8))
for axis, (name, field) in zip(axes.flat, fields.items(), strict=True):
    ways = np.where(field == 0, np.nan, field / field.max())
    axis.imshow(ways, cmap="viridis", vmin=0, vmax=1)
    axis.set_title(f"{name}\n{width_of(field)} pixels wide", fontsize=9)
    axis.set(xticks=[], yticks=[], facecolor="0.93")
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# Bright is what reaches the unit in most ways; grey is what it cannot see. Stacks of small kernels
# look hardest at the middle. Stride and pooling make every later kernel reach further, and so does
# dilation, which costs no weight: with gaps that double, none of the pixels is left out.
#
# In numbers: layer $l$ with kernel $k_l$ and dilation $d_l$ adds $(k_l - 1)\, d_l$ steps, each as
# long as the product of all strides before it. A formula for this is short, and gradients check it:


# %%
def receptive_field(layers):
    width, step = 1, 1
    for layer in layers:
        pool = isinstance(layer, nn.AvgPool2d | nn.MaxPool2d)
        k, s, d = (
            (layer.kernel_size, layer.stride, 1)
            if pool
            else (layer.kernel_size[0], layer.stride[0], layer.dilation[0])
        )
        width += (k - 1) * d * step
        step *= s
    return width


course.result("how far one 5 × 5 sees", width_of(fields["one 5 × 5"]), equals=5)
course.result("how far two 3 × 3 see", width_of(fields["two 3 × 3"]), equals=5)
disagree = [name for name in stacks if width_of(fields[name]) != receptive_field(stacks[name])]
course.result("stacks where gradients and formula disagree", len(disagree), equals=0)

# %% [markdown]
# Thirteen convolutions and five poolings deep, a unit of VGG-16 sees most of a photograph of 224
# pixels. (One map for each layer is enough to see how far.)

# %%
vgg16 = []
for convolutions in (2, 2, 3, 3, 3):
    vgg16 += [conv(3, padding=1) for _ in range(convolutions)] + [nn.AvgPool2d(2)]
course.result(
    "how far the last units of VGG-16 see", width_of(seen_from_the_middle(vgg16, 320)), equals=212
)

# %% [markdown]
# ## Pooling
#
# Pooling makes an image smaller: of each block of pixels it keeps the largest (*max*) or the mean.
# The mean keeps the colour of the whole block; the maximum, taken in each channel, is drawn to what
# is bright.

# %%
pixels = tensor(flower[None, :, 60:340, 120:536])
show_photographs(
    {
        "photograph": pixels.numpy()[0],
        "mean of 8 × 8": F.avg_pool2d(pixels, 8).numpy()[0],
        "maximum of 8 × 8": F.max_pool2d(pixels, 8).numpy()[0],
    }
)

# %% [markdown]
# Their gradients say who is responsible for a result: for the maximum the winner alone, for the
# mean everyone a bit.

# %%
block = tensor([[[[0.1, 0.9, 0.3, 0.2], [0.4, 0.2, 0.8, 0.1]]]], requires_grad=True)
(of_max,) = autograd.grad(F.max_pool2d(block, 2).sum(), block)
(of_mean,) = autograd.grad(F.avg_pool2d(block, 2).sum(), block)
print("gradient of the maxima\n", of_max.numpy()[0, 0])
print("gradient of the means\n", of_mean.numpy()[0, 0])

# %% [markdown]
# ### A shift by one pixel
#
# Move the camera by one pixel: for a person nothing has happened, but every edge of the picture is
# in another place. How much of that is left after pooling, $f$? On the edges of the temple, $x$,
# and on the same picture one pixel to the right, $x'$, we measure
#
# $$
# \frac{\lVert f(x') - f(x) \rVert}{\lVert f(x) \rVert}
# $$

# %%
picture = tensor(edges[None, None, :416, :608])
shifted = tensor(np.roll(edges, 1, axis=1)[None, None, :416, :608])
sizes = [1, 2, 4, 8, 16]
change = {}
for name, pool in (("maximum", F.max_pool2d), ("mean", F.avg_pool2d)):
    change[name] = []
    for size in sizes:
        before, after = pool(picture, size).numpy(), pool(shifted, size).numpy()
        change[name].append(float(np.linalg.norm(after - before) / np.linalg.norm(before)))

_, axis = plt.subplots(figsize=(5.6, 3.0))
for marker, (name, values) in zip("os", change.items(), strict=True):
    axis.plot(sizes, values, marker=marker, label=name)
axis.set_xscale("log", base=2)
axis.set(
    xlabel="pixels on a side of the pooled block",
    ylabel="relative change",
    xticks=sizes,
    xticklabels=sizes,
    ylim=(0, None),
    title="What a shift by one pixel changes",
)
axis.legend()
plt.show()
course.result(
    "change by a shift after max pooling of 8, as part of that before",
    change["maximum"][3] / change["maximum"][0],
    at_most=0.5,
)

# %% [markdown]
# So a convolution follows a shift, and pooling forgets it, more of it the larger the block: the
# network is told that there is an edge, and only roughly where.
#
# ## A kernel that is learned
#
# We typed Sobel's kernel in. Now give a layer nothing but photograph and edges, let it start from
# random numbers, and minimise the mean squared error.

# %%
autograd.manual_seed(0)
layer = nn.Conv2d(1, 1, 3, bias=False)
example = tensor(grey[None, :, 150:300, 200:420])
wanted = F.conv2d(example, tensor(sobel_x[None, None]))
optimizer = optim.Adam(layer.parameters(), lr=0.1)
snapshots, losses = {}, []
for step in range(401):
    loss = F.mse_loss(layer(example), wanted)
    losses.append(loss.item())
    if step in (0, 20, 60, 400):
        snapshots[step] = layer.weight.detach().numpy()[0, 0].copy()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

_, axes = plt.subplots(1, 4, figsize=(9.0, 2.5))
for axis, (step, weights) in zip(axes, snapshots.items(), strict=True):
    draw_numbers(axis, weights.round(2) + 0.0, f"after {step} steps", "RdBu", 2.5)
plt.show()
course.result(
    "largest difference of the learned kernel from Sobel's",
    abs(snapshots[400] - sobel_x).max(),
    at_most=0.01,
)

# %% [markdown]
# The layer was shown edges, and found the kernel. In the next notebook no one shows it what to look
# for: its kernels are whatever helps to tell digits apart.
#
# ## Things to try
#
# - Blur the photograph twenty times with a 3 × 3 mean. What kernel is that like, in one pass?
# - Learn a kernel of 5 × 5 for the same edges (cut one pixel off each side of them). Is the answer
#   still the only one?
# - Take every second pixel of the photograph (`[:, ::2, ::2]`), once as it is and once after a
#   Gaussian blur. What becomes of fine patterns, such as the tiles of the roof?
# - In the receptive fields, put random weights in place of ones. What changes, and what cannot?
# - Shift by two or four pixels instead of one. From which block on does pooling still help?
# - Replace the dilations 1, 2, 4 by 2, 2, 2, and look at the holes.
