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
# # Measures
#
# A loss is what a model is trained by; a measure is what we want to know. The first half of this
# notebook measures a classifier: which mistakes it makes, and what each of them costs. The second
# half measures how far two distributions are apart, and finds that not every distance can be
# trained by.
#
# **What you will learn**
#
# - to read a confusion matrix, and precision and recall from it;
# - why accuracy says little where one class is rare;
# - to choose a threshold for a wanted recall, on data that are not the test;
# - what the divergences of Kullback and Leibler and of Jensen and Shannon say of distributions
#   that do not overlap, and why the Wasserstein distance is different;
# - what the asymmetry of the Kullback-Leibler divergence does to a model.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim

# %% [markdown]
# ## A classifier of digits
#
# To have something to measure: one linear layer on the pixels of handwritten digits, trained with
# cross-entropy. It is far from the best that can be done, so that there are mistakes to look at.
# The training images are cut in two, and the second part is kept for choices.

# %%
data = course.images()
half = len(data.train_images) // 2
print(
    f"{data.name}: {half} to learn from, {half} to choose by, {len(data.test_images)} for the test"
)


def pixels(images):
    return images.reshape(len(images), -1).astype(np.float32) / 255


autograd.manual_seed(0)
model = nn.Linear(28 * 28, 10)
nn.train.fit(
    model,
    (pixels(data.train_images[:half]), data.train_labels[:half]),
    nn.CrossEntropyLoss(),
    optim.Adam(model.parameters(), lr=0.002),
    epochs=8,
    progress=False,
)


def scores_of(images):
    with autograd.no_grad():
        return model(autograd.tensor(pixels(images))).numpy()


scores, labels = scores_of(data.test_images), data.test_labels
course.result(
    "test accuracy of the linear layer", nn.metrics.accuracy(scores, labels), at_least=0.85
)

# %% [markdown]
# ## The confusion matrix
#
# Row by row the true digit, column by column what it was taken for. On the diagonal are the right
# answers; they are left pale here, so that the mistakes can be seen.

# %%
matrix = nn.metrics.confusion_matrix(scores, labels)
mistakes = matrix - np.diag(np.diag(matrix))

figure, axis = plt.subplots(figsize=(5.6, 5))
image = axis.imshow(mistakes, cmap="Oranges")
for row, column in np.argwhere(matrix):
    share = mistakes[row, column] / mistakes.max()
    colour = course.COLOURS[0] if row == column else "white" if share > 0.6 else "black"
    axis.text(
        column, row, str(matrix[row, column]), ha="center", va="center", color=colour, fontsize=9
    )
axis.set(xlabel="taken for", ylabel="true digit", xticks=range(10), yticks=range(10))
axis.grid(False)
figure.colorbar(image, label="mistakes", shrink=0.8)
plt.show()

row, column = np.unravel_index(mistakes.argmax(), mistakes.shape)
times, of = mistakes[row, column], matrix[row].sum()
print(f"most often, a {row} was taken for a {column}: {times} times of {of}")
course.result(
    "diagonal over all, less the accuracy",
    np.trace(matrix) / matrix.sum() - nn.metrics.accuracy(scores, labels),
    equals=0,
    within=1e-12,
)

# %% [markdown]
# Two questions can be asked of each digit. *Of all that were called a 5, how many are one?* That
# is the **precision**, a diagonal entry divided by the sum of its column. *Of all that are a 5,
# how many were found?* That is the **recall**, divided by the sum of its row. F1 is their
# harmonic mean, which is near the smaller of the two.

# %%
precision, recall, f1 = (
    np.asarray(measure(scores, labels, average=None))
    for measure in (nn.metrics.precision, nn.metrics.recall, nn.metrics.f1_score)
)
print("digit  precision  recall     F1")
for digit in range(10):
    print(f"{digit:5}{precision[digit]:11.3f}{recall[digit]:8.3f}{f1[digit]:7.3f}")

by_hand = np.abs(np.diag(matrix) / matrix.sum(axis=0) - precision).max()
by_hand += np.abs(np.diag(matrix) / matrix.sum(axis=1) - recall).max()
course.result("precision and recall, by hand and by the library", by_hand, at_most=1e-12)

# %% [markdown]
# ## One digit against the rest
#
# Now a question with two answers: *is it an 8?* About one image in ten is. Compare a model that
# has learnt nothing, and always says no, with ours:

# %%
wanted = 8


def eights(images, labels):
    """How much more an 8 is favoured than the best other digit; and whether it is one."""
    scores = scores_of(images)
    others = np.delete(scores, wanted, axis=1).max(axis=1)
    return scores[:, wanted] - others, (labels == wanted).astype(np.int64)


def measures(answer):
    """Accuracy, precision and recall of answers 0 and 1 for the test."""
    each = (nn.metrics.accuracy, nn.metrics.precision, nn.metrics.recall)
    return [float(measure(answer.astype(np.int64), is_eight)) for measure in each]


favour, is_eight = eights(data.test_images, data.test_labels)
always_no, ours = measures(np.zeros_like(is_eight)), measures(favour > 0)
print("                   accuracy  precision  recall")
print("always no         {:9.3f}{:9.3f}{:9.3f}".format(*always_no))
print("the linear layer  {:9.3f}{:9.3f}{:9.3f}".format(*ours))
course.result("accuracy of always no", always_no[0], at_least=0.85)
course.result("recall of always no", always_no[2], equals=0)

# %% [markdown]
# Where a class is rare, accuracy flatters the one who never finds it.
#
# ## Precision for recall
#
# The layer says 8 when its score for 8 is the highest, that is, when the *favour* is above 0.
# Nobody forces us to cut at 0. A lower threshold finds more eights (recall rises) and is wrong
# more often (precision falls). All thresholds together give the precision-recall curve.

# %%
curve = nn.metrics.precision_recall_curve(favour, is_eight)
area = float(nn.metrics.average_precision(favour, is_eight))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
left.plot(curve.recall, curve.precision)
left.plot(ours[2], ours[1], "o", color=course.COLOURS[1], label="threshold 0")
left.axhline(is_eight.mean(), color=course.COLOURS[6], linestyle="--", label="guessing")
left.set(xlabel="recall", ylabel="precision", ylim=(0, 1.03), title=f"area {area:.3f}")
left.legend()
right.plot(curve.thresholds, curve.precision[:-1], label="precision")
right.plot(curve.thresholds, curve.recall[:-1], label="recall")
right.axvline(0, color=course.COLOURS[6], linestyle="--")
right.set(xlabel="threshold of the favour for 8", ylim=(0, 1.03), title="what a threshold buys")
right.legend()
plt.show()
course.result("area under the precision-recall curve", area, at_least=0.75)

# %% [markdown]
# Which point is the right one depends on what mistakes cost. A doctor who screens for a disease
# wants hardly any case missed; a mail filter must not throw away a letter. Say that we want a
# recall of 0.95. The threshold is then read off the curve of the *second part of the training
# data*, and only afterwards do we see what it is worth on the test.

# %%
chosen_by = eights(data.train_images[half:], data.train_labels[half:])
aim = 0.95
guide = nn.metrics.precision_recall_curve(*chosen_by)
threshold = guide.thresholds[guide.recall[:-1] >= aim].max()

for cut in (0.0, threshold):
    _, found_precision, found_recall = measures(favour >= cut)
    print(f"threshold {cut:5.2f}: precision {found_precision:.3f}, recall {found_recall:.3f}")
course.result("test recall at the chosen threshold", found_recall, equals=aim, within=0.06)

# %% [markdown]
# The test's recall is near the one that we aimed at, and not exactly it: a threshold is learnt
# from data too, and it could be learnt only from as many eights as there are.
#
# ## How far apart are two distributions?
#
# A model that draws pictures, or words, is not right or wrong: it has a distribution $q$, which
# should be like that of the data, $p$. Three measures of how unlike they are:
#
# $$\mathrm{KL}(p \| q) = \sum_x p(x) \log \frac{p(x)}{q(x)}, \qquad
#   \mathrm{JS}(p, q) = \tfrac12 \mathrm{KL}(p \| m) + \tfrac12 \mathrm{KL}(q \| m), \quad
#   m = \tfrac12 (p + q),$$
#
# and the **Wasserstein distance**: the least work of shovelling the heap $p$ into the shape of
# $q$, counted as mass times way.
#
# Here two heaps of equal shape, of width 1, are moved apart.

# %%
places = np.linspace(-3.0, 15.0, 3601)
width = places[1] - places[0]


def heap(centre):
    """A heap like half a wave, 1 wide, that is 0 outside."""
    inside = np.abs(places - centre) <= 0.5
    heights = np.where(inside, np.cos(np.pi * (places - centre)), 0.0)
    return np.maximum(heights, 0.0) / heights.sum()


distances = np.arange(0.0, 10.01, 0.1)
kl, js, wasserstein = (
    np.array([measure(heap(0.0), heap(d)) for d in distances])
    for measure in (
        nn.metrics.kl_divergence,
        nn.metrics.js_divergence,
        lambda p, q: nn.metrics.wasserstein_histogram(p, q, places),
    )
)

figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
for d, colour in ((0.0, 0), (0.6, 1), (3.0, 2)):
    axes[0].fill_between(
        places, heap(d) / width, color=course.COLOURS[colour], alpha=0.5, label=f"distance {d:g}"
    )
axes[0].set(xlabel="x", ylabel="density", xlim=(-1, 6.5), title="the heaps")
axes[0].legend(loc="upper right")
axes[1].plot(distances, wasserstein, label="Wasserstein")
axes[1].plot(distances, js, label="Jensen-Shannon")
axes[1].axhline(np.log(2), color=course.COLOURS[6], linestyle="--", linewidth=1, label="log 2")
axes[1].set(
    xlabel="distance of the heaps",
    ylabel="measure",
    ylim=(0, 4),
    xlim=(0, 4),
    title="their measures",
)
axes[1].legend()
plt.show()

print(f"KL: {kl[0]:g} at distance 0, infinite from distance {distances[np.isinf(kl)].min():.1f} on")
course.result("JS at distance 10", js[-1], equals=float(np.log(2)), within=1e-6)
course.result("JS at distance 2 less JS at distance 10", js[20] - js[-1], equals=0, within=1e-12)
course.result(
    "largest difference of Wasserstein and the distance",
    np.abs(wasserstein - distances).max(),
    at_most=0.01,
)

# %% [markdown]
# - **KL** is infinite as soon as $p$ has mass where $q$ has none.
# - **JS** is finite, but once the heaps no longer overlap it is $\log 2$ at *every* distance. It
#   says that they are different, and nothing else.
# - **Wasserstein** is the distance itself.
#
# ## What that means for learning
#
# Let a gradient move $q$ towards $p$. It has to know in which direction the measure falls. Heaps
# with soft edges this time (Gaussian bells, which overlap everywhere, if only a little), so that
# all three can be differentiated; autograd takes the slopes.

# %%
x = autograd.linspace(-15.0, 25.0, 2001, dtype=np.float64)
step = 40.0 / 2000


def bell(centre, spread=1.0):
    """Probabilities of a normal distribution on the places x."""
    return autograd.softmax(-0.5 * ((x - centre) / spread) ** 2, dim=0)


def kl_of(p, q):
    return (p * (p.log() - q.log())).sum()


def js_of(p, q):
    middle = (p + q) / 2
    return (kl_of(p, middle) + kl_of(q, middle)) / 2


def wasserstein_of(p, q):
    return (p.cumsum(0) - q.cumsum(0)).abs().sum() * step


centre = autograd.tensor(0.0, dtype=np.float64, requires_grad=True)
apart = np.linspace(0.1, 10.0, 100)
slopes = {"Kullback-Leibler": kl_of, "Jensen-Shannon": js_of, "Wasserstein": wasserstein_of}
figure, axis = plt.subplots(figsize=(7.5, 3.8))
last = {}
for (name, measure), colour in zip(slopes.items(), (2, 1, 0), strict=True):
    p = bell(0.0)
    found = [
        autograd.grad(measure(p, bell(centre + distance)), centre)[0].item() for distance in apart
    ]
    axis.semilogy(apart, found, color=course.COLOURS[colour], label=name)
    last[name] = found[-1]
axis.set(xlabel="distance of the bells", ylabel="slope of the measure", ylim=(1e-6, 30))
axis.legend(loc="lower left")
plt.show()

course.result("slope of KL at distance 10", last["Kullback-Leibler"], equals=10, within=1e-3)
course.result("slope of JS at distance 10", last["Jensen-Shannon"], at_most=1e-4)
course.result("slope of Wasserstein at distance 10", last["Wasserstein"], equals=1, within=1e-3)

# %% [markdown]
# A model that is trained by JS (as the first generative adversarial networks were, in effect)
# gets no help when it is far off: the slope is gone. Wasserstein's slope is 1 at any distance. KL
# has the steepest slope of all, for bells; for distributions with an edge it was infinite above,
# and has no slope at all.
#
# ## KL is not symmetric, and that matters
#
# $\mathrm{KL}(p \| q)$ averages over $p$: it punishes $q$ for being small where the data are.
# $\mathrm{KL}(q \| p)$ averages over $q$: it punishes $q$ for being where no data are. Let $p$
# have two humps and let $q$ be a single bell, whose place and width are trained, by one and by
# the other.

# %%
p = 0.6 * bell(0.0) + 0.4 * bell(7.0, 0.8)


def best_bell(measure, steps=400):
    place = autograd.tensor(4.0, dtype=np.float64, requires_grad=True)
    log_spread = autograd.tensor(1.0, dtype=np.float64, requires_grad=True)
    optimizer = optim.Adam([place, log_spread], lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        measure(bell(place, log_spread.exp())).backward()
        optimizer.step()
    return place.item(), log_spread.exp().item()


forward = best_bell(lambda q: kl_of(p, q))
backward = best_bell(lambda q: kl_of(q, p))
print(f"least KL(p || q): place {forward[0]:.2f}, width {forward[1]:.2f}")
print(f"least KL(q || p): place {backward[0]:.2f}, width {backward[1]:.2f}")

figure, axis = plt.subplots(figsize=(8, 3.4))
axis.fill_between(x.tolist(), (p / step).tolist(), color=course.COLOURS[6], alpha=0.35, label="p")
axis.plot(x.tolist(), (bell(*forward) / step).tolist(), label="least KL(p || q)")
axis.plot(x.tolist(), (bell(*backward) / step).tolist(), label="least KL(q || p)")
axis.set(xlabel="x", ylabel="density", xlim=(-8, 15))
axis.legend()
plt.show()

mean = float((p * x).sum())
spread = float((p * (x - mean) ** 2).sum()) ** 0.5
course.result("place of the first, less the mean of p", forward[0] - mean, equals=0, within=0.01)
course.result("width of the first over the spread of p", forward[1] / spread, equals=1, within=0.01)
narrow, wide = bell(0.0), bell(0.0, 2.0)
course.result(
    "KL of a bell from one twice as wide, less the other way round",
    float(kl_of(narrow, wide) - kl_of(wide, narrow)),
    at_most=-0.1,
)

# %% [markdown]
# The first covers both humps, and has its top between them, where hardly anything is: it ends at
# the mean and the spread of $p$. (Maximum likelihood is this one.) The second chooses one hump
# and ignores the other.
#
# ## Things to try
#
# - Take another digit than 8. Which one has the largest area under its curve, and is it the one
#   that you would have guessed from the confusion matrix?
# - Let a missed 8 cost ten times as much as a false alarm. Which threshold is cheapest?
# - Draw `nn.metrics.roc_curve` for the same scores. Why does it look so much better where eights
#   are rare?
# - Start the single bell at 9 instead of 4. Which of the two results changes?
# - Train the single bell by JS and by Wasserstein. Where do they end, and from how far away do
#   they still find the way?
