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
# # Convolutional networks, from LeNet to ResNet
#
# **What you will learn**
#
# - how LeNet-5 turns an image into ten numbers, and how to train it well with few images
# - what a residual block is, why it can be stacked, and how to see it in its graph
# - how to look inside: filters, maps, confusions, and the mistakes that hurt most
# - how the famous networks AlexNet, VGG and ResNet spend their weights and their multiplications

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from autograd import tensor

F = nn.functional

# %% [markdown]
# ## The images, in three parts
#
# Handwritten digits. A tenth of those to train on is held back for *validation*, by which we
# choose; the *test* images are touched once, at the end. Ink is scaled to a deviation of one, and
# paper stays zero: so the zeros that convolutions and shifts put around an image look like paper.

# %%
images = course.images()
rng = np.random.default_rng(0)
order = rng.permutation(len(images.train_images))
held_out = len(order) // 10
ink = images.train_images[order].astype(np.float32)[:, None]
scale = ink[held_out:].std()
x_train, y_train = ink[held_out:] / scale, images.train_labels[order[held_out:]]
x_valid, y_valid = ink[:held_out] / scale, images.train_labels[order[:held_out]]
print(f"{images.name}: {len(x_train)} to train on, {len(x_valid)} to choose by,", end=" ")
print(f"{len(images.test_images)} to test with")

shown = [images.train_images[images.train_labels == digit][0] for digit in range(10)]
course.show_images(np.array(shown))

# %% [markdown]
# ## LeNet-5
#
# The network of 1998 that read cheques: two convolutions, each followed by pooling, then three
# linear layers. Going in, there are few maps with many pixels; coming out, many maps with few. Its
# images have 32 pixels, so ours of 28 get a border of 2.

# %%
autograd.manual_seed(0)
lenet = nn.Sequential(nn.ZeroPad2d(2), nn.models.LeNet5())
print(nn.summary(lenet, (1, 28, 28)))

# %% [markdown]
# Most weights are in the first linear layer, and most of the work is in the second convolution.
#
# A few thousand images are soon known by heart. Three remedies: each time an image is shown it is
# shifted by up to two pixels, so that the network hardly sees the same one twice; its class counts
# as certain to about nine tenths only (*label smoothing*), which punishes answers that are too
# sure; and weights decay. The learning rate rises, then falls to nothing (`OneCycleLR`).


# %%
def train(model, epochs, lr, batch_size=32):
    steps = epochs * -(-len(x_train) // batch_size)
    optimizer = optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    return nn.train.fit(
        model,
        (x_train, y_train),
        nn.CrossEntropyLoss(label_smoothing=0.1),
        optimizer,
        epochs=epochs,
        batch_size=batch_size,
        validation=(x_valid, y_valid),
        metrics={"accuracy": nn.metrics.accuracy},
        scheduler=optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps),
        schedule="step",
        augment=nn.data.RandomShift(2),
        progress=False,
    )


histories = {"LeNet-5": train(lenet, epochs=24, lr=3e-3)}
print(f"validation accuracy {histories['LeNet-5'][-1]['validation_accuracy']:.3f}")

# %% [markdown]
# ## Residual networks
#
# More layers should be able to do more; but He and others saw that stacked plainly, more of them
# train *worse*, already on the training images. Their remedy: let each block learn what to **add**
# to what came in,
#
# $$
# y = x + f(x), \qquad \frac{\partial y}{\partial x} = 1 + \frac{\partial f}{\partial x}.
# $$
#
# The gradient has a way back through every block on which nothing makes it smaller: the 1. Thirty
# convolutions with their usual initial weights show what that means. How much gradient arrives at
# each depth, counted from the input, with and without the way around?


# %%
def gradient_norms(shortcut, depth=30):
    autograd.manual_seed(0)
    states = [autograd.randn(1, 8, 12, 12, requires_grad=True)]
    for _ in range(depth):
        f = nn.Conv2d(8, 8, 3, padding=1)(F.relu(states[-1]))
        states.append(states[-1] + f if shortcut else f)
    gradients = autograd.grad((states[-1] ** 2).sum(), states)
    norms = np.array([g.norm().item() for g in gradients])
    return norms / norms[-1]


plain, residual = gradient_norms(shortcut=False), gradient_norms(shortcut=True)
_, axis = plt.subplots(figsize=(6.4, 2.8))
axis.plot(residual, label="with the way around")
axis.plot(plain, label="plain")
axis.set(yscale="log", xlabel="depth, in convolutions", ylabel="gradient / the last one's")
axis.legend()
plt.show()
course.result("plain: gradient that arrives after 30 layers", plain[0], at_most=1e-6)
course.result("residual: gradient that arrives after 30 blocks", residual[0], at_least=1.0)

# %% [markdown]
# Batch norm, of the same year, helps against this too. A block of ResNet has two convolutions, each
# with batch norm, and a ReLU after the sum. In its graph, the way around is the line from the input
# straight to the sum.

# %%
block = nn.models.ResidualBlock(4, 4)
nn.graph(block, (1, 4, 8, 8), direction="right", depth=1)

# %% [markdown]
# If the last batch norm of a block starts with scale zero, $f$ is zero at first and the block is
# the identity on what is positive, gradient included:

# %%
nn.init.zeros_(block.get_parameter("bn2.weight"))
x = autograd.rand(1, 4, 8, 8, requires_grad=True)
(slope,) = autograd.grad(block(x).sum(), x)
course.result(
    "block with f = 0: difference of output and input",
    (block(x) - x).abs().max().item(),
    at_most=0.0,
)
course.result(
    "block with f = 0: difference of the gradient and 1",
    (slope - 1).abs().max().item(),
    at_most=0.0,
)

# %% [markdown]
# The form for small images has three stages. The second and the third halve the sides and double
# the maps; there the shortcut takes every second pixel and adds maps of zeros. At the end, the mean
# of each map goes to one linear layer. The paper's smallest has 20 layers and is
# `nn.models.ResNet20`; ours has 8.

# %%
autograd.manual_seed(0)
resnet = nn.models.SmallResNet(depth=8, width=12, in_channels=1)
print(f"ResNet-20 {nn.summary(nn.models.ResNet20(), (3, 32, 32)).parameters:,} parameters")
print(f"ours      {nn.summary(resnet, (1, 28, 28)).parameters:,}")
print(f"LeNet-5   {nn.summary(lenet, (1, 28, 28)).parameters:,}")
histories["ResNet-8"] = train(resnet, epochs=9, lr=1e-2)
print(f"validation accuracy {histories['ResNet-8'][-1]['validation_accuracy']:.3f}")

# %%
_, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.4))
for colour, (name, history) in zip(course.COLOURS, histories.items(), strict=False):
    columns = history.to_dict()
    epochs = np.arange(1, len(history) + 1)
    left.plot(epochs, columns["train_loss"], color=colour, linestyle=":", label=f"{name}, training")
    left.plot(epochs, columns["validation_loss"], color=colour, label=f"{name}, validation")
    right.plot(epochs, columns["validation_accuracy"], color=colour, label=name)
left.set(xlabel="epoch", ylabel="cross-entropy, smoothed labels", title="Loss")
right.set(
    xlabel="epoch", ylabel="share right", ylim=(0.9, 1.0), title="Accuracy on validation images"
)
left.legend()
right.legend()
plt.show()

# %% [markdown]
# The training loss is measured on shifted images and while the weights still change, and so can lie
# above that of validation. With smoothed labels no loss gets near zero.
#
# ## The test
#
# Nothing is chosen any more, so the test images may be used.


# %%
def probabilities(model, pixels):
    model.eval()
    with autograd.no_grad():
        return F.softmax(model(tensor(pixels)), dim=1).numpy()


x_test = images.test_images.astype(np.float32)[:, None] / scale
y_test = images.test_labels
answers = {name: probabilities(m, x_test) for name, m in (("LeNet-5", lenet), ("ResNet-8", resnet))}
for name, p in answers.items():
    course.result(f"{name}, test accuracy", nn.metrics.accuracy(p, y_test), at_least=0.975)

# %%
confusion = nn.metrics.confusion_matrix(answers["ResNet-8"], y_test, 10)
_, axis = plt.subplots(figsize=(4.6, 4.2))
errors = np.where(np.eye(10, dtype=bool), 0, confusion)
axis.imshow(errors, cmap="Oranges", vmax=max(3, errors.max() * 1.5))
for (i, j), count in np.ndenumerate(confusion):
    if count:
        axis.text(j, i, str(count), ha="center", va="center", color="0.55" if i == j else "black")
axis.set(
    xlabel="answer",
    ylabel="digit",
    xticks=range(10),
    yticks=range(10),
    title="ResNet-8 on the test images",
)
axis.grid(visible=False)
plt.show()

# %% [markdown]
# ### The mistakes that cost most
#
# Sorted by how little probability the right answer got. Above each: the digit, the answer, and how
# sure the network was of it. Some would make a person hesitate too.

# %%
p = answers["ResNet-8"]
of_truth = p[np.arange(len(p)), y_test]
wrong = np.flatnonzero(p.argmax(1) != y_test)
worst = wrong[np.argsort(of_truth[wrong])][:10]
titles = [f"{y_test[i]} → {p[i].argmax()}\n{p[i].max():.0%} sure" for i in worst]
course.show_images(images.test_images[worst], titles)
both = (answers["LeNet-5"].argmax(1) != y_test) & (p.argmax(1) != y_test)
print(f"{len(wrong)} mistakes, of which LeNet-5 makes {both.sum()} too")

# %% [markdown]
# ## Looking inside
#
# LeNet's first six kernels, and what they make of a digit. Blue weights count ink, red weights
# count against it. Compare the maps: some kernels answer only to strokes of one direction, and no
# one asked for that.

# %%
five = tensor(x_test[y_test == 5][:1])
with autograd.no_grad():
    first = F.relu(lenet[1].conv1(lenet[0](five)))
    second = F.relu(lenet[1].conv2(F.max_pool2d(first, 2)))
kernels = lenet[1].conv1.weight.detach().numpy()[:, 0]

figure, axes = plt.subplots(2, 7, figsize=(9.0, 2.8))
for axis in axes.flat:
    axis.axis("off")
axes[1, 0].imshow(five.numpy()[0, 0])
axes[1, 0].set_title("image", fontsize=9)
limit = abs(kernels).max()
for i in range(6):
    axes[0, i + 1].imshow(kernels[i], cmap="RdBu", vmin=-limit, vmax=limit)
    axes[1, i + 1].imshow(first.numpy()[0, i], cmap="magma")
    axes[0, i + 1].set_title(f"kernel {i + 1}", fontsize=9)
    axes[1, i + 1].set_title(f"map {i + 1}", fontsize=9)
plt.show()

# %% [markdown]
# The sixteen maps of the second layer: coarser, and each bright at few places. They no longer look
# like the digit; they say *what* is *roughly where*.

# %%
course.show_images(second.numpy()[0], columns=8)

# %% [markdown]
# The first kernels of the residual network see only 3 × 3 pixels. What they lack in size, the
# layers after them make up for.

# %%
small = resnet.conv1.weight.detach().numpy()[:, 0]
_, axes = plt.subplots(1, len(small), figsize=(9.0, 0.9))
for axis, weights in zip(axes, small, strict=True):
    axis.imshow(weights, cmap="RdBu", vmin=-abs(small).max(), vmax=abs(small).max())
    axis.axis("off")
plt.show()

# %% [markdown]
# ## The large ones
#
# For photographs of 224 × 224 and a thousand classes the same ideas were built larger: AlexNet
# (2012), VGG (2014) and ResNet (2015). We build each, and let `nn.summary` count; the goals are the
# published numbers.

# %%
published = {
    "AlexNet": (nn.models.AlexNet, 60_965_224),
    "VGG-16": (nn.models.vgg16, 138_357_544),
    "ResNet-50": (nn.models.resnet50, 25_557_032),
}
summaries = {}
for name, (make, count) in published.items():
    summaries[name] = nn.summary(make(), (3, 224, 224))
    course.result(f"{name}, parameters", summaries[name].parameters, equals=count)

# %%
_, axes = plt.subplots(1, 2, figsize=(9.0, 2.4), sharey=True)
kinds = (("Conv2d", "convolutions"), ("Linear", "linear layers"))
for axis, what, unit in zip(
    axes,
    ("parameters", "multiply_adds"),
    ("parameters, millions", "multiply-adds, billions"),
    strict=True,
):
    left_edge = np.zeros(len(summaries))
    for colour, (kind, label) in zip(course.COLOURS, kinds, strict=False):
        amounts = [
            sum(getattr(layer, what) for layer in found.layers if layer.type == kind)
            for found in summaries.values()
        ]
        amounts = np.array(amounts) / (1e6 if what == "parameters" else 1e9)
        axis.barh(list(summaries), amounts, left=left_edge, color=colour, label=label, height=0.6)
        left_edge += amounts
    axis.set(xlabel=unit)
    axis.invert_yaxis() if axis is axes[0] else None
axes[0].legend()
plt.show()

# %% [markdown]
# Weights and work are in different places. In AlexNet and VGG most parameters sit in the first
# linear layers, which multiply each of them once; convolutions have few, and use each at every
# place. ResNet drops those linear layers for a mean over each map: the fewest parameters of the
# three, in 50 layers.
#
# `nn.models.vgg16` and `nn.models.resnet50` have the names of torchvision's, so that weights that
# were trained for weeks can be loaded: `model.load_state_dict(nn.load("resnet50.pth"))`.
#
# ## Things to try
#
# - Train LeNet-5 without `augment`. How far apart are training and validation loss then?
# - Cut the training images to 600. Which of the two networks suffers more?
# - Make the residual network deeper (`depth=14`) or wider (`width=16`): what does it cost, what
#   does it bring?
# - Take out the shortcut: in a subclass of `ResidualBlock`, return `relu(y)`. Does depth 8 care?
#   Depth 26?
# - Average the answers of the two networks. How many of the mistakes are left?
# - Train `nn.models.SmallAlexNet` from the command line: `python -m nn train small_alexnet`.
