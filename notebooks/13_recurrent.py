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
# # Recurrent networks: remembering
#
# **What you will learn**
#
# - A recurrent network is one small step, done again and again with the same weights.
# - How the steps of a plain RNN, an LSTM and a GRU look in a few lines of `autograd`, and that
#   the library's layers compute the same.
# - Why a plain RNN forgets: its gradient dies on the way back. Why an LSTM need not.
# - The adding problem: what gates are good for, measured.
# - A model that writes, one character at a time, and what "temperature" does to its style.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

import autograd
import course
import nn
import optim
from autograd import sigmoid, tanh, viz

# %% [markdown]
# ## One step
#
# A recurrent network reads $x_1, x_2, \dots$ and keeps a state $h$. In each step the new state
# depends on the input and on the state before. The plain (Elman) RNN:
#
# $$h_t = \tanh(W_x x_t + b_x + W_h h_{t-1} + b_h)$$
#
# The **LSTM** has a second state $c$, its memory. Three gates, numbers between 0 and 1, say how
# much of $c$ is kept ($f$), how much of the new value $g$ is written ($i$), and how much is shown
# ($o$):
#
# $$c_t = f \odot c_{t-1} + i \odot g \qquad\quad h_t = o \odot \tanh(c_t)$$
#
# The **GRU** does it with two gates and no second state: $z$ mixes old and new, $r$ says how much
# of the past the new value sees.
#
# $$n = \tanh(W_x^n x_t + b_x^n + r \odot (W_h^n h_{t-1} + b_h^n)) \qquad\quad
#   h_t = (1 - z) \odot n + z \odot h_{t-1}$$
#
# Typed in, with all gates of a step in one product:


# %%
def rnn_step(x, h, wx, wh, bx, bh):
    return tanh(x @ wx.T + bx + h @ wh.T + bh)


def lstm_step(x, state, wx, wh, bx, bh):
    h, c = state
    i, f, g, o = (x @ wx.T + bx + h @ wh.T + bh).chunk(4, dim=-1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru_step(x, h, wx, wh, bx, bh):
    (xr, xz, xn), (hr, hz, hn) = (x @ wx.T + bx).chunk(3, dim=-1), (h @ wh.T + bh).chunk(3, dim=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    return (1 - z) * tanh(xn + r * hn) + z * h


# %% [markdown]
# The whole network is a loop. Each step uses the *same* four parameters, which is what the graph
# of three steps of an RNN with two units shows. The steps are alike, so one is drawn, "× 3"; the
# parameters stand outside, and the gradients of all three steps meet there.

# %%
autograd.manual_seed(0)
small = nn.RNN(1, 2, dtype=np.float64)
wx, wh, bx, bh = small.parameters()
sequence = autograd.randn(3, 1, dtype=np.float64)


def three_steps():
    h = autograd.zeros(2, dtype=np.float64)
    for x in sequence:
        h = rnn_step(x, h, wx, wh, bx, bh)
    return (h * h).sum()


viz.graph(three_steps)

# %% [markdown]
# The library's layers do the loop in compiled code. The same weights must give the same outputs,
# and the same gradients of all parameters and inputs, up to rounding in float64.


# %%
def compare(layer, step):
    """Largest difference between a layer and its step in a loop, of outputs and gradients."""
    x = autograd.randn(20, 5, 3, dtype=np.float64, requires_grad=True)
    wanted = autograd.randn(20, 5, 8, dtype=np.float64)
    leaves = [x, *layer.parameters()]
    outputs, gradients = [], []
    for by_hand in (False, True):
        if by_hand:
            start = autograd.zeros(5, 8, dtype=np.float64)
            state = (start, start) if step is lstm_step else start
            steps = []
            for x_t in x:
                state = step(x_t, state, *layer.parameters())
                steps.append(state[0] if step is lstm_step else state)
            output = autograd.stack(steps)
        else:
            output, _ = layer(x)
        outputs.append(output)
        gradients.append(autograd.grad(((output - wanted) ** 2).sum(), leaves))
    pairs = [outputs, *zip(*gradients, strict=True)]
    return max((a - b).abs().max().item() for a, b in pairs)


for layer, step in ((nn.RNN, rnn_step), (nn.LSTM, lstm_step), (nn.GRU, gru_step)):
    difference = compare(layer(3, 8, dtype=np.float64), step)
    course.result(
        f"{layer.__name__}: layer and hand-rolled steps differ", difference, at_most=1e-12
    )

# %% [markdown]
# ## The adding problem
#
# Hochreiter and Schmidhuber (1997) asked their new LSTM a question that sounds trivial. A
# sequence of 100 steps has two numbers in each step: a value between 0 and 1, and a mark that is
# 1 at two steps only, one in each half. The answer, at the end: the sum of the two marked values.

# %%
STEPS = 100
rng = np.random.default_rng(0)
example, answer = nn.data.adding_problem(1, STEPS, rng=rng)
values, marks = example[0].T

_, axis = plt.subplots(figsize=(8, 2.4))
axis.bar(np.arange(STEPS), values, color=np.where(marks > 0, course.COLOURS[1], "#cccccc"))
axis.set(xlabel="step", ylabel="value", title=f"The orange ones add up to {answer[0, 0]:.3f}")
axis.grid(False)
plt.show()

# %% [markdown]
# To learn it, a network must carry a number over 50 steps and more, past dozens of others that do
# not matter. Who gives up and always answers 1 has a mean squared error of $1/6$: that is the
# baseline.
#
# Three networks, which differ in their cell alone, get the same sequences in the same order,
# never one twice, and the same optimizer.


# %%
def train(cell, steps=1500):
    autograd.manual_seed(0)
    rng = np.random.default_rng(0)
    model = nn.models.SequenceRegressor(2, hidden_size=32, cell=cell, forget_bias=2.0)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    errors = []
    for _ in range(steps):
        x, y = (autograd.tensor(a) for a in nn.data.adding_problem(64, STEPS, rng=rng))
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        errors.append(loss.item())
    return model, errors


trained = {cell: train(cell) for cell in ("LSTM", "GRU", "RNN")}

# %%
_, axis = plt.subplots()
for cell, (_, errors) in trained.items():
    axis.plot(np.convolve(errors, np.ones(25) / 25, "valid"), label=cell)
axis.axhline(1 / 6, color="k", linestyle=":", label="always 1")
axis.set(yscale="log", xlabel="training step", ylabel="mean squared error", ylim=(1e-4, 1))
axis.set_title("Nothing, for a long time; then those with gates find it")
axis.legend()
plt.show()

# %% [markdown]
# Fresh sequences, which none of them has seen, are the test.

# %%
test_x, test_y = (
    autograd.tensor(a) for a in nn.data.adding_problem(2000, STEPS, rng=np.random.default_rng(1))
)
course.result("test MSE, always 1", (test_y - 1).square().mean().item(), equals=1 / 6, within=0.01)
for cell, (model, _) in trained.items():
    with autograd.no_grad():
        error = nn.functional.mse_loss(model(test_x), test_y).item()
    goal = {"at_least": 0.1} if cell == "RNN" else {"at_most": 0.01}
    course.result(f"test MSE, {cell}", error, **goal)

# %% [markdown]
# ## Why the plain RNN fails: the gradient by lag
#
# To learn that step 20 matters, the loss at step 100 must have a gradient there. On its way back
# it is multiplied in each step by $\partial h_t / \partial h_{t-1}$. For the RNN that is
# $\operatorname{diag}(1 - h_t^2)\, W_h$: a product of 80 such matrices is next to nothing (or
# explodes). For the memory of an LSTM the direct way is $\partial c_t / \partial c_{t-1} = f$: a
# gate, which the network itself can hold open.
#
# Here is the gradient of the answer with respect to the input, by its distance from the end,
# before training and after.


# %%
def gradient_by_lag(model):
    """Norm of the gradient of the answer in the input of each step; the last step comes first."""
    x = test_x[:200].double().requires_grad_()
    (gradient,) = autograd.grad(model.double()(x).sum(), x)
    return gradient.norm(dim=2).mean(0).numpy()[::-1]


def untrained(cell):
    autograd.manual_seed(0)
    return nn.models.SequenceRegressor(2, 32, cell=cell, forget_bias=2.0)


before = {cell: gradient_by_lag(untrained(cell)) for cell in trained}
after = {cell: gradient_by_lag(model) for cell, (model, _) in trained.items()}

_, axes = plt.subplots(1, 2, sharey=True)
for axis, title, norms in zip(axes, ("before training", "after"), (before, after), strict=True):
    for cell, norm in norms.items():
        axis.plot(norm, label=cell)
    axis.set(yscale="log", xlabel="lag: steps before the end", title=title)
axes[0].set_ylabel("norm of the gradient")
axes[0].legend()
plt.show()

# %%
reach = {cell: norm[90:].mean() / norm[:10].mean() for cell, norm in after.items()}
for cell, share in reach.items():
    goal = {"at_most": 1e-3} if cell == "RNN" else {"at_least": 0.1}
    course.result(f"gradient at lags 90 to 99 over lags 0 to 9, trained {cell}", share, **goal)

# %% [markdown]
# ## Looking into the memory
#
# Where does the LSTM keep the first number? Here are nine copies of the sequence drawn above,
# which differ in its first marked value alone, from 0 to 1. The hand-rolled step, with the
# weights of the trained layer, shows what the layer keeps to itself: the memory $c$ of each unit
# after each step.

# %%
first, second = np.flatnonzero(marks)
copies = np.repeat(example.astype(np.float64), 9, axis=0)
copies[:, first, 0] = np.linspace(0.0, 1.0, 9)

lstm = trained["LSTM"][0].recurrent
state = (autograd.zeros(9, 32, dtype=np.float64), autograd.zeros(9, 32, dtype=np.float64))
memory = []
with autograd.no_grad():
    for x_t in autograd.tensor(copies).transpose(0, 1):
        state = lstm_step(x_t, state, *lstm.parameters())
        memory.append(state[1].numpy())
memory = np.stack(memory)  # steps, copies, units
spread = memory.std(axis=1).T
order = np.argsort(-spread[:, second - 1])

_, axes = plt.subplots(2, 1, figsize=(8, 5), sharex=True)
image = axes[0].imshow(spread[order[:16]], aspect="auto", cmap="Blues", interpolation="none")
plt.colorbar(image, ax=axes[0], label="spread of c")
axes[0].set(
    ylabel="rank of the unit",
    yticks=[0, 5, 10, 15],
    title="How much the memory depends on the first number",
)
axes[0].grid(False)
shades = plt.get_cmap("viridis")
for number, curve in zip(copies[:, first, 0], memory[:, :, order[0]].T, strict=True):
    axes[1].plot(curve, color=shades(number), linewidth=1)
numbers_shown = plt.cm.ScalarMappable(cmap="viridis")
plt.colorbar(numbers_shown, ax=axes[1], label="first marked value")
axes[1].set(xlabel="step", ylabel="c", title=f"The unit that tells most, {order[0]}")
for axis in axes:
    for step in (first, second):
        axis.axvline(step, color="k", linestyle="--", linewidth=0.8)
plt.show()

# %% [markdown]
# Nothing, until the first mark (dashed); then the copies part, in the order of their numbers, and
# stay apart to the end. That is a memory.

# %% [markdown]
# ## A network that writes
#
# A language model says after each character how likely each next one is: $p(x_{t+1} \mid x_1,
# \dots, x_t)$. Its measure is the mean of $-\log_2 p$ of what really came: **bits per
# character**. It is also how many bits per character the best compressor made of this model would
# need.
#
# The text is the language reference inside Python itself, what `help("while")` shows. The last
# tenth is held out.

# %%
text = nn.data.python_manual()
alphabet = nn.data.Alphabet(text)
numbers = alphabet.encode(text)
cut = len(numbers) * 9 // 10
read, held_out = numbers[:cut], numbers[cut:]
print(f"{len(text)} characters, {len(alphabet)} different ones")
print(text[60_000:60_400])

# %% [markdown]
# Two baselines count. The *unigram* model knows how often each character is there, the *bigram*
# model how often each pair is.

# %%
size = len(alphabet)
unigram = np.bincount(read, minlength=size) + 1.0
unigram /= unigram.sum()
pairs = np.full((size, size), 0.1)
np.add.at(pairs, (read[:-1], read[1:]), 1.0)
bigram = pairs / pairs.sum(1, keepdims=True)

baselines = {
    "uniform": math.log2(size),
    "unigram": -np.log2(unigram[held_out[1:]]).mean(),
    "bigram": -np.log2(bigram[held_out[:-1], held_out[1:]]).mean(),
}
for name, bits in baselines.items():
    print(f"{name:8} {bits:.3f} bits per character, perplexity {2**bits:.1f}")

# %% [markdown]
# The network: an embedding of 32 numbers for each character, a GRU with 192 units, a linear
# layer. It learns on windows of 64 characters. The learning rate rises and falls once
# (`OneCycleLR`).

# %%
autograd.manual_seed(0)
model = nn.models.CharLanguageModel(size, hidden_size=192)
windows = nn.data.next_windows(read, 64)
optimizer = optim.Adam(model.parameters())
epochs, batch = 6, 32
schedule = optim.lr_scheduler.OneCycleLR(
    optimizer, 0.01, epochs=epochs, steps_per_epoch=-(-len(windows[0]) // batch)
)


def loss(scores, following):
    return nn.functional.cross_entropy(scores.flatten(0, 1), following.flatten())


def write(length, temperature):
    numbers = model.generate(
        alphabet.encode("The "), length, temperature, generator=autograd.Generator(0)
    )
    return "The " + alphabet.decode(numbers)


first_words = write(60, 1.0)
history = nn.train.fit(
    model,
    windows,
    loss,
    optimizer,
    epochs=epochs,
    batch_size=batch,
    validation=nn.data.next_windows(held_out, 256),
    scheduler=schedule,
    schedule="step",
    clip_norm=1.0,
    progress=False,
)
curves = history.to_dict()
print(nn.summary(model, (64,), dtype=np.int64))

# %%
_, axis = plt.subplots()
for part in ("train", "validation"):
    axis.plot(curves["epoch"], np.array(curves[f"{part}_loss"]) / math.log(2), "o-", label=part)
for name, style in (("unigram", ":"), ("bigram", "--")):
    axis.axhline(baselines[name], color="k", linestyle=style, linewidth=1, label=name)
axis.set(xlabel="epoch", ylabel="bits per character", ylim=(1, 6))
axis.legend(ncols=2)
plt.show()

# %% [markdown]
# Each point for training is the mean over its epoch, in which the network was still worse; so it
# begins above the one for validation, which is measured at the epoch's end.

# %%
bits = curves["validation_loss"][-1] / math.log(2)
course.result("validation bits per character", bits, at_most=2.25)
course.result("bits saved against the unigram model", baselines["unigram"] - bits, at_least=2.3)
course.result("bits saved against the bigram model", baselines["bigram"] - bits, at_least=1.2)
print(f"perplexity {2**bits:.2f}: as unsure as among that many equally likely characters")

# %% [markdown]
# ### Where it is surprised
#
# A held-out passage, each character in the colour of its $-\log_2 p$: white is foreseen, red a
# surprise. Beginnings of words are hard, their ends easy.

# %%
begin = alphabet.decode(held_out).index("\n\n", len(held_out) // 3) + 1
passage = held_out[begin : begin + 700]
with autograd.no_grad():
    log_p = nn.functional.log_softmax(model(autograd.tensor(passage[None, :-1])), dim=-1)[0]
surprise = -log_p.numpy()[np.arange(len(passage) - 1), passage[1:]] / math.log(2)

lines, row, column = [], 0, 0
_, axis = plt.subplots(figsize=(8, 3.4))
colours = plt.get_cmap("Reds")
for character, b in zip(alphabet.decode(passage[1:]), surprise, strict=True):
    if row > 10:
        break
    axis.add_patch(Rectangle((column, -row), 1, 1, color=colours(min(b, 10) / 12)))
    shown = "¶" if character == "\n" else character
    axis.text(column + 0.5, 0.45 - row, shown, family="monospace", ha="center", va="center", size=8)
    row, column = (row + 1, 0) if character == "\n" else (row, column + 1)
axis.set(xlim=(0, 76), ylim=(-10.2, 1.2))
axis.axis("off")
plt.show()

# %% [markdown]
# ### Sampling
#
# To write, draw a character from $p$, read it, go on. Scores divided by a **temperature** below 1
# make the likely likelier, above 1 everything more alike; 0 takes the likeliest each time. First
# what the network wrote before training:

# %%
print(repr(first_words))
for temperature in (0.0, 0.5, 1.0, 1.5):
    print(f"\n----- temperature {temperature} -----\n{write(300, temperature)}")

# %% [markdown]
# ## Things to try
#
# - Make the adding problem longer: `STEPS = 200`, 400. Which of LSTM and GRU gives up first? Does
#   a larger `forget_bias` help?
# - Set `forget_bias=0.0`. How many more training steps does the LSTM need before its error falls?
# - Give the plain RNN a better start (Le, Jaitly and Hinton 2015): replace `model.recurrent` by
#   `nn.RNN(2, 32, nonlinearity="relu", batch_first=True)`, and start its memory as
#   `nn.init.eye_(model.recurrent.weight_hh_l0)`. Does its gradient reach further back?
# - Train `CharLanguageModel` with `cell="RNN"` and `"LSTM"`. How many bits do the gates save
#   here, where most of what matters is near?
# - Train it on a text of your own (`pathlib.Path(...).read_text()`), with `hidden_size=256` and
#   more epochs, and look where it is surprised.
