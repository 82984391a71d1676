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
# # Detection: you only look once
#
# A classifier says *what* is in a picture. A detector also says *where*, for as many things as
# there are. YOLO does both in a single pass: it lays a grid over the picture, and each cell answers
# for the things whose centre it holds.
#
# **What you will learn**
#
# - how boxes become numbers that a network can give: a cell, an offset, a size, a confidence;
# - the loss of YOLO's first version, term by term, and which box is *responsible* for an object;
# - what a threshold and non-maximum suppression do to the raw answers;
# - how detectors are judged: overlap, precision over recall, mean average precision;
# - what anchors and a second, coarser map change, as in YOLO's third version.

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

import autograd
import course
import nn
import optim
from nn.models import YOLOLoss, YOLOv1, YOLOv3, YOLOv3Loss, anchor_boxes, shape_iou, true_boxes
from nn.models.yolo_loss import encode_cells
from nn.report import draw_detections

autograd.manual_seed(0)
rng = np.random.default_rng(0)

# %% [markdown]
# ## Scenes
#
# `digit_scenes` puts one to three digits of many sizes on a dark canvas, between strokes and torn
# pieces of other digits that are there to mislead. Each scene comes with rows
# $(x_1, y_1, x_2, y_2, \text{class})$: the box around the ink, in pixels, and the digit. Training,
# validation and test take their digits from images that the others never see.

# %%
digits = course.images()
cut = len(digits.train_images) * 5 // 6
sources = {
    "train": (7000, digits.train_images[:cut], digits.train_labels[:cut]),
    "validation": (300, digits.train_images[cut:], digits.train_labels[cut:]),
    "test": (1000, digits.test_images, digits.test_labels),
}
scenes = {
    name: nn.data.digit_scenes(count, images, labels, rng=rng)
    for name, (count, images, labels) in sources.items()
}
for name, (images, boxes) in scenes.items():
    print(f"{name:10} scenes {images.shape}, {int((boxes[:, :, 4] >= 0).sum())} digits")
print(f"digits from {digits.name}")


# %%
def show_scenes(images, found, true, rows=2, columns=6):
    _, axes = plt.subplots(rows, columns, figsize=(1.6 * columns, 1.65 * rows))
    for axis, image, some, all_of_them in zip(axes.flat, images, found, true, strict=False):
        draw_detections(axis, image, some, all_of_them)
    plt.show()


images, boxes = scenes["validation"]
truth = true_boxes(boxes)
nothing = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "scores": np.zeros(0)}
show_scenes(images, [nothing] * 12, truth)

# %% [markdown]
# *Twelve scenes. Broken lines are the boxes that are to be found, with the digit beside them.*
#
# ## Boxes as numbers
#
# The 64 x 64 pixels are divided into $S \times S = 8 \times 8$ cells. The cell that holds the
# **centre** of an object has to announce it. For each cell the network gives $B = 2$ boxes of five
# numbers and ten class probabilities, so 20 numbers:
#
# - $x, y$: the centre, from 0 to 1 across the cell;
# - $\sqrt w, \sqrt h$: roots of width and height, as shares of the picture. An error of two pixels
#   is then worse for a small box than for a large one;
# - $C$: the confidence, which should be the overlap (IoU) of the box with the object, and 0 where
#   there is none;
# - $p(c)$: the chances of the classes, if there is an object. Both boxes share them.

# %%
example = 3
grid = encode_cells(boxes[example : example + 1], cells=8, image_size=64, num_classes=10)
_, axis = plt.subplots(figsize=(3.6, 3.6))
draw_detections(axis, images[example], nothing, truth[example])
for line in np.arange(0, 65, 8) - 0.5:
    axis.axhline(line, color="white", linewidth=0.4, alpha=0.6)
    axis.axvline(line, color="white", linewidth=0.4, alpha=0.6)
for row, column in np.argwhere(grid[0, :, :, 4] > 0):
    axis.add_patch(Rectangle((8 * column - 0.5, 8 * row - 0.5), 8, 8, color="C4", alpha=0.45))
    x, y = grid[0, row, column, :2]
    axis.plot(8 * (column + x) - 0.5, 8 * (row + y) - 0.5, "o", color="white", markersize=4)
plt.show()

# %% [markdown]
# *A scene under its grid. The cells in orange hold the centres, and so are the ones to answer.*

# %%
for row, column in np.argwhere(grid[0, :, :, 4] > 0):
    x, y, root_w, root_h, there, *chances = grid[0, row, column]
    print(
        f"cell ({row}, {column}): x {x:.2f}  y {y:.2f}  root w {root_w:.2f}  root h {root_h:.2f}"
        f"  C {there:.0f}  class {np.argmax(chances)}"
    )

# %% [markdown]
# ## The network
#
# Six small convolutions. The picture is halved three times, once by a stride and twice by pooling,
# so that the last map has one column of numbers for each cell. The last convolution is 1 x 1: every
# cell is read by the same weights.

# %%
detector = YOLOv1(in_channels=1, num_classes=10, boxes_per_cell=2, image_size=64)
print(nn.summary(detector, (1, 64, 64)))

# %% [markdown]
# ## The loss
#
# Everything is a squared error, and the question is only which of the 1,280 outputs should be
# what. For cell $i$ and its box $j$ (Redmon et al. 2016):
#
# $$
# \begin{aligned}
# L = {} & \lambda_\text{coord} \sum_{ij} 1^\text{obj}_{ij}
#   \left[(x_i-\hat x_i)^2 + (y_i-\hat y_i)^2
#   + (\sqrt{w_i}-\sqrt{\hat w_i})^2 + (\sqrt{h_i}-\sqrt{\hat h_i})^2\right] \\
# & + \sum_{ij} 1^\text{obj}_{ij}\,(C_i-\hat C_i)^2
#   + \lambda_\text{noobj} \sum_{ij} 1^\text{noobj}_{ij}\,(C_i-\hat C_i)^2
#   + \sum_i 1^\text{obj}_i \sum_c (p_i(c)-\hat p_i(c))^2
# \end{aligned}
# $$
#
# Of the two boxes of a cell with an object, the one that overlaps it most is *responsible*
# ($1^\text{obj}_{ij}=1$). Only that one learns the place; the other's confidence should be 0 like
# that of all empty cells. Those are by far the most, so they are weighted down
# ($\lambda_\text{noobj} = 0.5$) and the place is weighted up ($\lambda_\text{coord} = 5$).
#
# `YOLOLoss.assign` returns the two arrays behind the formula: what each output should be, and how
# much it counts. The loss is the weighted sum of squares.

# %%
loss = YOLOLoss(num_classes=10, boxes_per_cell=2, image_size=64)
detector.eval()
outputs = detector(autograd.tensor(images[example : example + 1]))
wanted, weight = loss.assign(outputs, boxes[example : example + 1])
row, column = np.argwhere(grid[0, :, :, 4] > 0)[0]

names = [f"{name}{box}" for box in (1, 2) for name in ("x ", "y ", "rw", "rh", "C ")]
print(f"cell ({row}, {column}), before any training\n     output  wanted  weight")
for k, name in enumerate([*names, *(f"p{c} " for c in range(10))]):
    given = outputs[0, row, column, k].item()
    print(f"{name} {given:8.2f}{wanted[0, row, column, k]:8.2f}{weight[0, row, column, k]:8.1f}")

by_hand = (weight * (outputs.detach().numpy() - wanted) ** 2).sum()
difference = abs(by_hand - loss(outputs, boxes[example : example + 1]).item())
course.result("loss by hand and by YOLOLoss, difference", difference, at_most=1e-5)

# %% [markdown]
# The overlap that a confidence should have is taken as a constant: no gradient flows through it.
# With that settled, the gradient of the loss is checked against finite differences, on a grid of
# 2 x 2 cells in double precision.

# %%
small = YOLOLoss(num_classes=2, boxes_per_cell=2, image_size=16, rescore=False)
objects = np.array([[[1.0, 1.0, 9.0, 7.0, 0.0], [8.0, 8.0, 15.0, 15.0, 1.0]]])
start = autograd.tensor(rng.normal(0.5, 0.2, (1, 2, 2, 12)), requires_grad=True)
agrees = autograd.gradcheck(lambda outputs: small(outputs, objects), (start,))
course.result("gradcheck of the loss agrees", float(agrees), equals=1)


# %% [markdown]
# ## Training
#
# AdamW, a learning rate that rises and falls once, six passes over the scenes. After each, the
# mean average precision on the validation scenes is measured (what that is comes below). By them
# the learning rate was chosen; the test scenes are not touched until the end.


# %%
def score(decode):
    """A metric for `fit`: mean average precision at an overlap of one half."""

    def metric(outputs, targets):
        found = decode(outputs, threshold=0.02)
        return nn.metrics.mean_average_precision(found, true_boxes(targets), (0.5,), "all").map

    return metric


def train(model, loss, epochs, rate):
    optimizer = optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    steps = epochs * -(-len(scenes["train"][0]) // 32)
    return nn.train.fit(
        model,
        scenes["train"],
        loss,
        optimizer,
        epochs=epochs,
        validation=scenes["validation"],
        metrics={"mAP": score(model.decode)},
        scheduler=optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps),
        schedule="step",
        progress=False,
    )


history = train(detector, loss, epochs=6, rate=6e-3)


# %%
def show_history(history):
    _, (left, right) = plt.subplots(1, 2)
    epochs = [record["epoch"] for record in history]
    for name, label in [("train_loss", "training"), ("validation_loss", "validation")]:
        left.plot(epochs, [record[name] for record in history], marker="o", label=label)
    left.set(xlabel="epoch", ylabel="loss per scene", ylim=(0, None))
    left.legend()
    right.plot(epochs, [record["validation_mAP"] for record in history], marker="o", color="C2")
    right.set(xlabel="epoch", ylabel="validation mAP at IoU 0.5", ylim=(0, 1))
    plt.show()


show_history(history)

# %% [markdown]
# ## From outputs to boxes
#
# A box's score is its confidence times the chance of its likeliest class. All 128 boxes of a scene
# have a score, most of them next to none. Two things clean up: a **threshold**, and
# **non-maximum suppression**, which takes the best box, drops those of its class that overlap it by
# more than one half, and goes on with the next.


# %%
def detect(model, images, **options):
    """Boxes in many images, some hundred at a time."""
    model.eval()
    found = []
    with autograd.no_grad():
        for part in np.array_split(images, max(1, len(images) // 200)):
            found += model.decode(model(autograd.tensor(part)), **options)
    return found


raw = detect(detector, images, threshold=0.1, iou_threshold=1.0)
busy = int(np.argmax([len(image["labels"]) for image in raw]))
steps = {
    "score at least 0.05": {"threshold": 0.05, "iou_threshold": 1.0},
    "score at least 0.2": {"threshold": 0.2, "iou_threshold": 1.0},
    "and no doubles": {"threshold": 0.2, "iou_threshold": 0.5},
}
_, axes = plt.subplots(1, 3, figsize=(9, 3.3))
for k, (axis, (title, options)) in enumerate(zip(axes, steps.items(), strict=True)):
    (left,) = detect(detector, images[busy : busy + 1], **options)
    draw_detections(axis, images[busy], left, truth[busy], named=k == 2)
    axis.set_title(f"{title}: {len(left['labels'])} boxes")
plt.show()

# %% [markdown]
# *Blue boxes are right, orange ones wrong; the numbers are the class and the score in per cent.*
#
# ## How good is it?
#
# A box is **right** if its class is, and if its IoU with an object that no better box has found yet
# is at least one half. Lower the threshold from 1 to 0, and more and more boxes count: recall (the
# share of objects found) rises, precision (the share of boxes that are right) falls. The area under
# that curve, made monotone, is the **average precision** of a class; the mean over the ten classes
# is **mAP**. Now, and only now, the test scenes.

# %%
test_images, test_boxes = scenes["test"]
test_truth = true_boxes(test_boxes)
found = detect(detector, test_images, threshold=0.02)
first = nn.metrics.mean_average_precision(found, test_truth, (0.5,), "all")
course.result("test mAP at IoU 0.5, first version", first.map, at_least=0.85)


# %%
def show_precision(axis, detections, colour, label=None):
    curve = nn.metrics.detection_curve(detections, test_truth)
    axis.plot(curve.recall, curve.precision, color=colour, label=label)
    axis.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))


_, axes = plt.subplots(1, 2)
show_precision(axes[0], found, "C0")
axes[1].bar(range(10), first.map_per_class, color="C0")
axes[1].set(xlabel="digit", ylabel="average precision", xticks=range(10), ylim=(0, 1.02))
axes[1].grid(visible=False, axis="x")
plt.show()

# %% [markdown]
# *Left: precision over recall, all classes together. Right: the area by class.*
#
# To draw boxes one has to say from which score on they count. That is chosen on the validation
# scenes.


# %%
def best_threshold(model):
    """The score at which F1, the harmonic mean of precision and recall, is best in validation."""
    precision, recall, scores = nn.metrics.detection_curve(
        detect(model, images, threshold=0.02), truth
    )
    f1 = 2 * precision * recall / (precision + recall + 1e-12)
    return float(scores[f1[:-1].argmax()])


threshold = best_threshold(detector)
print(f"boxes with a score of at least {threshold:.2f}")
sure = detect(detector, test_images, threshold=threshold)
show_scenes(test_images, sure, test_truth)

# %% [markdown]
# *The first twelve test scenes. Blue: right. Orange: wrong. Yellow and broken: not found.*
#
# And the six scenes with most mistakes:

# %%
matches = nn.metrics.match_detections(sure, test_truth)
wrong = [int((~right).sum()) for right in matches]
missed = [
    len(true["labels"]) - int(right.sum()) for true, right in zip(test_truth, matches, strict=True)
]
worst = np.argsort(-np.add(wrong, missed), kind="stable")[:6]
show_scenes(test_images[worst], [sure[k] for k in worst], [test_truth[k] for k in worst], rows=1)

# %% [markdown]
# ## Anchors and two maps: the third version
#
# A cell of the first version has to say width and height out of nothing, and it has one set of
# classes for both of its boxes. YOLO's later versions start each box from an **anchor**, a typical
# shape, and learn only how it has to be stretched:
#
# $$
# b_x = c_x + \sigma(t_x), \quad b_y = c_y + \sigma(t_y), \quad
# b_w = a_w e^{t_w}, \quad b_h = a_h e^{t_h} .
# $$
#
# The anchors come from the training boxes by k-means. Its distance is $1 - \text{IoU}$ of boxes
# laid over each other, because with Euclid's large boxes would count more than small ones.

# %%
rows = scenes["train"][1]
rows = rows[rows[:, :, 4] >= 0]
sizes = rows[:, 2:4] - rows[:, :2]

fits = {}
for count in range(1, 9):
    anchors = anchor_boxes(sizes, count, rng=np.random.default_rng(0))
    fits[count] = shape_iou(sizes, anchors).max(axis=1).mean()
anchors = anchor_boxes(sizes, 6, rng=np.random.default_rng(0))

_, (left, right) = plt.subplots(1, 2)
left.plot(list(fits), list(fits.values()), marker="o")
left.set(xlabel="anchors", ylabel="mean IoU with the best anchor", ylim=(0, 1))
few = rng.choice(len(sizes), 2000, replace=False)
nearest = shape_iou(sizes, anchors).argmax(axis=1)
jitter = rng.uniform(-0.5, 0.5, (2000, 2))
right.scatter(*(sizes[few] + jitter).T, c=[f"C{k}" for k in nearest[few]], s=3, alpha=0.6)
right.scatter(*anchors.T, marker="+", s=150, color="black", linewidths=2)
right.set(xlabel="width of a box (pixels)", ylabel="height of a box (pixels)")
plt.show()

# %% [markdown]
# *Left: how well the best anchor fits, by their number. Right: boxes of the training scenes,
# coloured by the anchor that fits best; crosses are the six anchors.*
#
# The three small anchors belong to a fine map of 8 x 8 cells, the three large ones to a coarse map
# of 4 x 4 that sees more of the picture. The coarse map is doubled in size and joined to the fine
# one, so that the fine one too knows what is around. An object is given to **one** anchor, by its
# shape, before anything is learnt. Objectness and classes are logistic: classes need not exclude
# each other, and an anchor that overlaps an object well without being its own is not punished for
# saying so (Redmon and Farhadi 2018).

# %%
scales = np.stack([anchors[3:], anchors[:3]])
third_loss = YOLOv3Loss(scales, num_classes=10, image_size=64)
third_detector = YOLOv3(scales, in_channels=1, num_classes=10, image_size=64)
third_history = train(third_detector, third_loss, epochs=6, rate=6e-3)
show_history(third_history)

# %%
third_found = detect(third_detector, test_images, threshold=0.02)
third = nn.metrics.mean_average_precision(third_found, test_truth, (0.5,), "all")
course.result("test mAP at IoU 0.5, third version", third.map, at_least=0.8)

# %% [markdown]
# The two side by side: precision over recall at an overlap of one half, and what becomes of mAP as
# more overlap is asked for.

# %%
versions = {"first version": found, "third version": third_found}
thresholds = np.linspace(0.3, 0.9, 7)
print("mAP at IoU    ", *(f"{threshold:5.1f}" for threshold in thresholds))
_, axes = plt.subplots(1, 2)
for k, (name, detections) in enumerate(versions.items()):
    show_precision(axes[0], detections, f"C{k}", name)
    result = nn.metrics.mean_average_precision(detections, test_truth, thresholds.tolist(), "all")
    axes[1].plot(thresholds, result.map_per_threshold, marker="o", color=f"C{k}", label=name)
    print(f"{name:14}", *(f"{average:.3f}" for average in result.map_per_threshold))
axes[1].set(xlabel="overlap (IoU) that is asked for", ylabel="mAP", ylim=(0, 1.02))
axes[0].legend(loc="lower left")
plt.show()

# %%
third_sure = detect(third_detector, test_images, threshold=best_threshold(third_detector))
show_scenes(test_images, third_sure, test_truth, rows=2)

# %% [markdown]
# *The first twelve test scenes again, as the third version sees them.*
#
# **What goes wrong, and how often?** Each object is found, or overlapped by a box of another class,
# or neither.


# %%
fates = ("found", "taken for another digit", "overlooked")


def fate(detections):
    """For each object of the test scenes the place in `fates`."""
    rights = nn.metrics.match_detections(detections, test_truth)
    all_of_them = []
    for some, true, right in zip(detections, test_truth, rights, strict=True):
        overlap = nn.metrics.box_iou(true["boxes"], some["boxes"]) >= 0.5
        own = overlap & (true["labels"][:, None] == some["labels"]) & right
        all_of_them.append(np.where(own.any(axis=1), 0, np.where(overlap.any(axis=1), 1, 2)))
    return np.concatenate(all_of_them)


test_rows = np.concatenate([true["boxes"] for true in test_truth])
lengths = (test_rows[:, 2:] - test_rows[:, :2]).max(axis=1)
edges = [14, 18, 22, 26, 31]
_, axis = plt.subplots(figsize=(5, 3.2))
for k, (name, detections) in enumerate(
    {"first version": sure, "third version": third_sure}.items()
):
    ends = fate(detections)
    words = [f"{what} {100 * (ends == place).mean():.1f} %" for place, what in enumerate(fates)]
    print(f"{name}: {', '.join(words)}")
    groups = [(low <= lengths) & (lengths < high) for low, high in pairwise(edges)]
    shares = [(ends[group] == 0).mean() for group in groups]
    axis.stairs(shares, edges, baseline=None, color=f"C{k}", linewidth=2, label=name)
axis.set(xlabel="longer side of the digit (pixels)", xticks=edges)
axis.set(ylabel="share found", ylim=(0, 1.02))
axis.legend(loc="lower center")
plt.show()

# %% [markdown]
# ## Things to try
#
# - Set `lambda_noobj=5.0` in `YOLOLoss`: what happens to the confidences, and to recall?
# - With `rescore=False` the confidence is taught 1 in place of the IoU. What becomes of mAP at an
#   overlap of 0.7, and why?
# - `digit_scenes(..., lengths=(8, 50))`: which of the two versions bears the wider range of sizes?
# - More objects, `objects=(4, 8)` on `size=96`: how many share a cell, and what does that cost?
# - Train the third version with one anchor for each map, and with five. Or on 20,000 scenes: its
#   curves say whether that helps.
# - All layers are convolutions: make a `YOLOv1(image_size=128)`, load the weights that were learnt
#   on 64 x 64 pixels into it, and show it four scenes as one. The digits are found, but what is
#   wrong with their boxes, and which of the outputs is to blame?
