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
# # Attention: a Transformer that sorts
#
# **What you will learn**
#
# - what attention computes, in four lines, and why the scores are divided by a square root
# - how several heads are the same thing, done side by side
# - how a small Transformer learns to sort strings of digits that it has never seen
# - how to read an attention map, and how to test what one believes to see in it
# - why a Transformer is lost without positions, and a proof of it

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from autograd import tensor, viz

F = nn.functional

# %% [markdown]
# ## Attention is a soft look-up
#
# A dictionary returns the value whose key equals the query. Attention compares the query $q$ with
# *every* key $k_j$, turns the scores into weights that sum to 1, and returns the weighted mean of
# the values $v_j$:
#
# $$
# \operatorname{attention}(Q, K, V) =
# \operatorname{softmax}\!\left(\frac{Q K^\top}{\sqrt{d}}\right) V
# $$
#
# $Q$ has a row for each query, $K$ and $V$ have one for each thing that can be looked up, and $d$
# is the number of features of a query and of a key. All of it has gradients, so queries, keys and
# values can be learned.


# %%
def attention(query, key, value):
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    weights = autograd.softmax(scores, dim=-1)
    return weights @ value


autograd.manual_seed(0)
query, key, value = autograd.randn(3, 4), autograd.randn(5, 4), autograd.randn(5, 2)
by_hand = attention(query, key, value)
library = F.scaled_dot_product_attention(query, key, value)
course.result(
    "scaled dot product: greatest difference from the library",
    (by_hand - library).abs().max().item(),
    at_most=1e-6,
)

# %% [markdown]
# The same four lines as a graph. Three arrays go in: the query and the keys meet in the first
# product, and only their softmax meets the values.

# %%
for array in (query, key, value):
    array.requires_grad_()
viz.graph(lambda: attention(query, key, value).sum())

# %% [markdown]
# ## Why the square root?
#
# A score is a sum of $d$ products. If queries and keys have numbers of variance 1, it has
# variance $d$: with many features the scores become large, the softmax gives almost all weight to
# one key, and almost no gradient is left for the others. Divided by $\sqrt{d}$, the scores have
# variance 1 for every $d$. Below, 16 keys are looked at by 2000 random queries: the largest of 16
# weights would be 1/16 if the attention were even.

# %%
rng = np.random.default_rng(0)
features = 2 ** np.arange(1, 11)
largest = {"divided by $\\sqrt{d}$": [], "not divided": []}
for d in features:
    q, k = tensor(rng.normal(size=(2000, 1, d))), tensor(rng.normal(size=(2000, 16, d)))
    scores = q @ k.transpose(1, 2)
    for name, scale in zip(largest, (d**0.5, 1.0), strict=True):
        weights = autograd.softmax(scores / scale, dim=-1)
        largest[name].append(weights.amax(-1).mean().item())

_, axis = plt.subplots(figsize=(6, 3))
for (name, means), marker in zip(largest.items(), "os", strict=True):
    axis.plot(features, means, marker=marker, label=name)
axis.set_xscale("log", base=2)
axis.set(xlabel="features $d$", ylabel="mean of the largest weight", ylim=(0, 1.05))
axis.legend()
plt.show()

# %% [markdown]
# ## Several heads
#
# One softmax can hardly look at two places at once. So `MultiheadAttention` projects queries,
# keys and values, cuts the features into equal parts, lets each part (a *head*) attend on its
# own, puts the results side by side, and projects once more.

# %%
layer = nn.MultiheadAttention(embed_dim=8, num_heads=2, batch_first=True)
x = autograd.randn(3, 6, 8)  # 3 sequences of 6 positions


def heads(y):
    return y.reshape(3, 6, 2, 4).transpose(1, 2)  # sequence, head, position, feature


with autograd.no_grad():
    learned = layer.state_dict()
    q, k, v = (x @ learned["in_proj_weight"].T + learned["in_proj_bias"]).chunk(3, dim=-1)
    each = attention(heads(q), heads(k), heads(v))
    by_hand = layer.out_proj(each.transpose(1, 2).reshape(3, 6, 8))
    library, _ = layer(x, x, x)
course.result(
    "two heads: greatest difference from MultiheadAttention",
    (by_hand - library).abs().max().item(),
    at_most=1e-6,
)

# %% [markdown]
# ## Strings to sort
#
# The task: read ten digits, write them in order. The strings are all different, and those to test
# on are held out whole. A sharper question is asked as well: how does the network do on test
# strings whose *digits*, in any order, were never seen together?

# %%
strings = nn.data.digit_strings(22_000, rng=np.random.default_rng(0))
train, test = strings[:20_000], strings[20_000:]
answers = np.sort(test, axis=1)

seen = set(map(bytes, train))
print(
    "test strings that are among the training strings:",
    sum(map(seen.__contains__, map(bytes, test))),
)
seen_sorted = set(map(bytes, np.sort(train, axis=1)))
new = np.array([bytes(answer) not in seen_sorted for answer in answers])
print(f"test strings whose digits were never seen together: {new.sum()} of {len(test)}")
for string, answer in zip(test[:3], answers, strict=False):
    print(*string, " -> ", *answer)

# %% [markdown]
# ## The network
#
# `SortingTransformer` is an encoder of two layers with one head each, so that there are just two
# maps to look at. All ten digits of the answer are computed at once: position $i$ gives a score
# to each digit, and the $i$-th smallest should win.
#
# Attention itself does not know where anything stands. So a pattern of waves that is different
# for each position is added to the digits' embeddings.

# %%
autograd.manual_seed(1)
model = nn.models.SortingTransformer()
for name, part in model.named_children():
    print(f"{name:10} {sum(p.numel() for p in part.parameters()):6} parameters")

# %%
_, axis = plt.subplots(figsize=(7, 2.6))
waves = nn.models.sorting.sinusoids(10, 32).numpy()
image = axis.imshow(waves, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
axis.set(xlabel="feature", ylabel="position")
axis.grid(visible=False)
plt.colorbar(image, label="added to the embedding")
plt.show()

# %% [markdown]
# ## Training
#
# Cross-entropy of each digit; what counts is the share of strings that are right from the first
# digit to the last.


# %%
def loss(scores, answers):
    return F.cross_entropy(scores.transpose(1, 2), answers)


def whole_strings(scores, answers):
    right = scores.numpy().argmax(-1) == answers.numpy()
    return float(right.all(axis=1).mean())


def learn(model, epochs=6):
    optimizer = optim.Adam(model.parameters(), lr=0.005)
    steps = epochs * -(-len(train) // 128)
    history = nn.train.fit(
        model,
        (train, np.sort(train, axis=1)),
        loss,
        optimizer,
        epochs=epochs,
        batch_size=128,
        validation=(test, answers),
        metrics={"whole": whole_strings},
        scheduler=optim.lr_scheduler.OneCycleLR(optimizer, 0.005, total_steps=steps),
        schedule="step",
        progress=False,
    )
    return [epoch["validation_whole"] for epoch in history]


with_positions = learn(model)
with autograd.no_grad():
    scores = model(tensor(test))
course.result(
    "share of held-out strings fully right", whole_strings(scores, tensor(answers)), at_least=0.98
)
course.result(
    "the same, of digits never seen together",
    whole_strings(scores[new], tensor(answers[new])),
    at_least=0.97,
)

# %% [markdown]
# ## What does it look at?
#
# An attention map has a row for each position that asks, here labelled with the digit that it
# writes, and a column for each position that is looked at, labelled with the digit that stands
# there. Dark is a large weight; each row sums to 1. Below are the two layers for one test string.
# In the third picture the columns of the second map were put in order of their digits, nothing
# else.

# %%
example = int(np.argmax([len(set(string)) for string in test]))  # the one with the fewest repeats
string, answer = test[example], answers[example]
first, second = (weights[0, 0].numpy() for weights in model.attention(tensor(string[None])))
order = np.argsort(string, kind="stable")

figure, axes = plt.subplots(1, 3, figsize=(11, 3.9))
for axis, weights, columns, title in (
    (axes[0], first, string, "layer 1"),
    (axes[1], second, string, "layer 2"),
    (axes[2], second[:, order], string[order], "layer 2, columns sorted"),
):
    image = axis.imshow(weights, cmap="Blues", vmin=0, vmax=1)
    axis.set_xticks(range(10), columns)
    axis.set_yticks(range(10), answer)
    axis.set(title=title, xlabel="digit that is looked at", ylabel="digit that is written")
    axis.grid(visible=False)
figure.colorbar(image, ax=axes, label="weight", shrink=0.8)
plt.show()

# %% [markdown]
# Read the second map from the top: each row looks at the next larger digit of the string,
# wherever it stands. Sorted, the weights lie along the diagonal: the map *is* the permutation
# that sorts the string, only soft. One map may be luck. So count over all test strings how often
# the darkest cell of a row stands on a digit that equals the right one.

# %%
rows = np.arange(len(test))[:, None]
shares = []
for weights in model.attention(tensor(test)):
    looked_at = test[rows, weights[:, 0].numpy().argmax(-1)]
    shares.append(float((looked_at == answers).mean()))
print("layer 1: {:.3f}, layer 2: {:.3f}".format(*shares))
course.result(
    "positions whose strongest weight in layer 2 is on the right digit", shares[1], at_least=0.6
)

# %% [markdown]
# And the first layer? Its map is pale, because it gathers. Averaged over all test strings, by
# position and digit: how much more (red) or less (blue) does a position look at a digit than if
# it looked at all places evenly?

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
digits = np.eye(10)[test]  # string, place, digit
for number, (axis, weights) in enumerate(
    zip(axes, model.attention(tensor(test)), strict=True), start=1
):
    mean = (weights[:, 0].numpy() @ digits).mean(0) - digits.mean((0, 1))
    top = abs(mean).max()
    image = axis.imshow(mean, cmap="RdBu_r", vmin=-top, vmax=top)
    axis.set(title=f"layer {number}", xlabel="digit", ylabel="position that asks")
    axis.set_xticks(range(10))
    axis.set_yticks(range(10), range(1, 11))
    axis.grid(visible=False)
    figure.colorbar(image, ax=axis, label="weight beyond an even look")
plt.show()

# %% [markdown]
# The second layer has a band: the first positions look at small digits, the last at large ones.
# But which digit is, say, the fourth smallest depends on all the others, and the band cannot say
# it. If it is the first layer that gathers what there is to know of the others, then nothing
# should work without its attention. A map shows where a layer looks; cutting it off shows whether
# that matters.

# %%
for number in (0, 1):
    cut = copy.deepcopy(model)
    cut.layers[number].self_attn.out_proj.weight.data.zero_()
    with autograd.no_grad():
        share = whole_strings(cut(tensor(test)), tensor(answers))
    course.result(f"strings right without the attention of layer {number + 1}", share, at_most=0.1)

# %% [markdown]
# ## Without positions
#
# Leave out the waves, and a Transformer cannot know which position it is computing. Every step
# treats all positions alike, so an input in another order gives the same rows of scores in that
# other order. Here it is before any training:

# %%
autograd.manual_seed(1)
blind = nn.models.SortingTransformer(positions=False)
order = np.random.default_rng(1).permutation(10)
with autograd.no_grad():
    moved = blind(tensor(test[:, order]))
    same = blind(tensor(test))[:, tensor(order)]
course.result(
    "without positions: change of the output but for its order",
    (moved - same).abs().max().item(),
    at_most=1e-5,
)

# %% [markdown]
# No weights can help: two strings with the same digits need the same answer, but get answers that
# differ in order. Training finds the best that is left to each position, which is to know its own
# digit and how many of each there are, not its rank.

# %%
without_positions = learn(blind)
course.result(
    "without positions: share of strings fully right", without_positions[-1], at_most=0.01
)

_, axis = plt.subplots(figsize=(6, 3))
for name, curve, marker in (
    ("with positions", with_positions, "o"),
    ("without", without_positions, "s"),
):
    axis.plot(range(1, 7), curve, marker=marker, label=name)
axis.set(xlabel="epoch", ylabel="held-out strings fully right", ylim=(-0.03, 1.05))
axis.legend(loc="center right")
plt.show()

# %% [markdown]
# ## Things to try
#
# - `autograd.manual_seed(0)` before the network is made: it sorts as well. Does its second layer
#   look at the digits that it writes, or at their neighbours?
# - `SortingTransformer(layers=1)`: how far does one layer come, and what does its map look like?
# - `heads=4`: do the heads share the work, or do they all look at the same digits?
# - Strings of only five digits (`test[:, :5]`), with the network trained on ten. Why does it
#   fail, and what would training data have to look like?
# - Sort downwards: what changes in the maps?
# - `nn.Parameter(autograd.randn(10, 32))` in place of the waves: are learned positions as good?
# - Fewer training strings: how many does it need before it sorts strings that it has not seen?
