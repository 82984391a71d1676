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
# # A network on the blackboard
#
# Three layers of two sigmoid units each, 18 numbers in all: small enough to follow every one of
# them, forward and backward.
#
# **What you will learn**
#
# - how a network computes, unit by unit, and that arrays do nothing else;
# - that backpropagation is one multiplication for each arrow of the graph, and one addition
#   wherever arrows meet;
# - how to play that as a film in which you can pull at the numbers;
# - why the gradient of softmax with cross-entropy is simply $p - y$;
# - that gradient descent, started at these blackboard weights, finds the exclusive or.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import course
import nn
import optim
from autograd import Scalar, viz
from course import COLOURS

# %% [markdown]
# ## The network
#
# A unit multiplies its inputs by weights, adds a bias, and bends the sum with the sigmoid
# $\sigma(z) = 1 / (1 + e^{-z})$. Layer by layer,
#
# $$
# a_1 = \sigma\left(
#   \begin{pmatrix} 1 & -2 \\ -1 & 1 \end{pmatrix} x + \begin{pmatrix} 1 \\ 0 \end{pmatrix}
# \right), \quad
# a_2 = \sigma\left(\begin{pmatrix} 2 & -1 \\ -2 & -1 \end{pmatrix} a_1\right), \quad
# a_3 = \sigma\left(
#   \begin{pmatrix} 3 & -1 \\ -1 & 4 \end{pmatrix} a_2 + \begin{pmatrix} -2 \\ 2 \end{pmatrix}
# \right).
# $$
#
# The library has it as a model, so the first thing to do is to ask it.

# %%
network = nn.models.WorkedNetwork().double()
print(network)

for point in [(1.0, -1.0), (0.0, 0.0)]:
    print(point, "->", network(autograd.tensor(point, dtype=np.float64)).detach())

# %% [markdown]
# ## Every number a vertex
#
# Now the same with single numbers. A `Scalar` is a float that remembers how it was made. The
# dictionary `names` is for the pictures below: it keeps each number under the name that it has on
# the blackboard.

# %%
layers = [
    ([[1.0, -2.0], [-1.0, 1.0]], [1.0, 0.0]),
    ([[2.0, -1.0], [-2.0, -1.0]], [0.0, 0.0]),
    ([[3.0, -1.0], [-1.0, 4.0]], [-2.0, 2.0]),
]
names: dict[str, Scalar] = {}


def number(name, value):
    names[name] = value if isinstance(value, Scalar) else Scalar(value)
    return names[name]


weights = [
    [[number(f"w{layer}_{i}{j}", w) for j, w in enumerate(row, 1)] for i, row in enumerate(rows, 1)]
    for layer, (rows, _) in enumerate(layers, 1)
]
biases = [
    [number(f"b{layer}_{i}", b) for i, b in enumerate(row, 1)]
    for layer, (_, row) in enumerate(layers, 1)
]


def forward(x1, x2):
    a1, a2 = x1, x2
    for layer, (rows, bias) in enumerate(zip(weights, biases, strict=True), 1):
        z = [rows[i][0] * a1 + rows[i][1] * a2 + bias[i] for i in (0, 1)]
        a1, a2 = (number(f"a{layer}_{i + 1}", autograd.sigmoid(z[i])) for i in (0, 1))
    return a1, a2


# %%
zero1, zero2 = forward(Scalar(0.0), Scalar(0.0))
course.result("output 1 of (0, 0)", zero1.item(), equals=0.51, within=0.005)
course.result("output 2 of (0, 0)", zero2.item(), equals=0.85, within=0.005)

x1, x2 = number("x1", 1.0), number("x2", -1.0)
y1, y2 = forward(x1, x2)
course.result("output 1 of (1, -1)", y1.item(), equals=0.62, within=0.005)
course.result("output 2 of (1, -1)", y2.item(), equals=0.83, within=0.005)

# %% [markdown]
# A network needs something to be wrong about. Say that $(1, -1)$ ought to give $(1, 0)$; the loss
# is the squared distance from there, $L = (y_1 - 1)^2 + y_2^2$. One call fills in the gradient of
# all numbers.

# %%
loss = number("loss", (y1 - 1.0) ** 2 + y2**2)
found = autograd.grad(loss, list(names.values()), retain_graph=True)
gradients = {name: gradient.item() for name, gradient in zip(names, found, strict=True)}

print(f"loss = {loss.item():.4f}")
for name in ("w3_11", "w2_11", "w1_11"):
    print(f"d loss / d {name} = {gradients[name]:+.5f}")

# %% [markdown]
# In the picture each line carries a weight and each circle what its unit puts out. In red stand
# the gradients: how much the loss would grow if that number grew by one.


# %%
def label(axis, x, y, text, name, background="white"):
    box = {"facecolor": background, "edgecolor": "none", "pad": 0.5}
    options = {"ha": "center", "fontsize": 9, "zorder": 3, "bbox": box}
    axis.text(x, y + 0.01, text, va="bottom", **options)
    axis.text(x, y - 0.01, f"{gradients[name]:+.2g}", va="top", color=COLOURS[1], **options)


def draw_network():
    _, axis = plt.subplots(figsize=(10, 4.2))
    place = {f"x{i}": (0, 1 - i) for i in (1, 2)}
    place |= {f"a{layer}_{i}": (layer, 1 - i) for layer in (1, 2, 3) for i in (1, 2)}
    for layer in (1, 2, 3):
        for i in (1, 2):
            for j in (1, 2):
                start = np.array(place[f"x{j}" if layer == 1 else f"a{layer - 1}_{j}"])
                way = np.array(place[f"a{layer}_{i}"]) - start
                arrow = {"arrowstyle": "->", "color": COLOURS[6]}
                ends = tuple(start + 0.84 * way), tuple(start + 0.16 * way)
                axis.annotate("", *ends, arrowprops=arrow)
                name = f"w{layer}_{i}{j}"
                x, y = start + (0.5 if i == j else 0.32) * way
                label(axis, x, y, f"{names[name].item():g}", name)
            name = f"b{layer}_{i}"
            height = 0.42 if i == 1 else -1.42
            label(axis, layer, height, f"bias {names[name].item():g}", name)
    for name, (x, y) in place.items():
        axis.plot(x, y, "o", markersize=44, color="white", markeredgecolor=COLOURS[0])
        label(axis, x, y, f"{names[name].item():.3g}", name, "none")
    axis.set(xlim=(-0.25, 3.25), ylim=(-1.6, 0.6))
    axis.set_title("input, two hidden layers, output: values (black), gradients of the loss (red)")
    axis.axis("off")
    plt.show()


draw_network()

# %% [markdown]
# Going left, the red numbers get small: each sigmoid on the way multiplies by its slope, which is
# $a (1 - a)$ and therefore never more than a quarter. Notebook 6 is about what becomes of that in
# deep networks.
#
# ## The graph, and the steps of the chain rule
#
# This is the graph that was recorded, with nothing left out. Below each operation an arrow says
# what it is multiplied by on the way back ("× 3"), and where several arrows leave a number, what
# each of them adds to its gradient.

# %%
viz.graph(loss, names=names, repeats=False)

# %% [markdown]
# The film plays this computation forward and then backward, one step at a time, and recomputes
# everything when you pull a slider. It is a single page; open it in a browser.

# %%
film = viz.film(loss, names=names, title="A network on the blackboard")
folder = course.ROOT / "runs" / "worked_network"
folder.mkdir(parents=True, exist_ok=True)
print(film.save(folder / "film.html").relative_to(course.ROOT))

# %% [markdown]
# Its first steps backward, in words. Each line is one multiplication: what arrives from above,
# times the slope of the operation, is what is handed on.

# %%
diagram = film.diagram
shown = {v.index: v.name or f"{v.op}#{v.index}" for v in diagram.vertices}
steps = [edge for edge in reversed(diagram.edges) if edge.slope is not None]
for edge in steps[:14]:
    upstream = diagram.vertices[edge.head].grad
    print(
        f"{shown[edge.head]:>12} -> {shown[edge.tail]:<12}"
        f"{upstream:+.4f} × {edge.slope:+.4f} = {edge.contribution:+.4f}"
    )

# %% [markdown]
# ## One unit on paper
#
# For a small graph the library writes out the chain rule as one would on paper. Here is the first
# output unit, with what reaches it from the layer before as given numbers.

# %%
w1, w2, b = Scalar(3.0), Scalar(-1.0), Scalar(-2.0)
a1, a2 = names["a2_1"].item(), names["a2_2"].item()


def unit():
    z = w1 * a1 + w2 * a2 + b
    y = autograd.sigmoid(z)
    loss = (y - 1.0) ** 2
    return loss


viz.derive(unit, wrt=[w1, b])

# %% [markdown]
# The gradient of `w1` is that of `w3_11` above: the second output does not depend on this weight.
#
# ## The same with arrays
#
# A layer of arrays does all its units, and all samples of a batch, at once. It computes the same
# numbers, only in another order.

# %%
x = autograd.tensor([1.0, -1.0], dtype=np.float64, requires_grad=True)
target = autograd.tensor([1.0, 0.0], dtype=np.float64)
array_loss = ((network(x) - target) ** 2).sum()
found = autograd.grad(array_loss, [x, *network.parameters()], retain_graph=True)
of_arrays = np.concatenate([gradient.numpy().ravel() for gradient in found])

order = ["x1", "x2"]
for layer in (1, 2, 3):
    order += [f"w{layer}_{i}{j}" for i in (1, 2) for j in (1, 2)] + [f"b{layer}_1", f"b{layer}_2"]
of_scalars = np.array([gradients[name] for name in order])
difference = np.abs(of_scalars - of_arrays).max()
course.result("gradients compared", len(of_scalars), equals=20)
course.result("scalars and arrays, largest difference", difference, at_most=1e-12)

# %%
viz.graph(array_loss, names={"x": x, "network": network})

# %% [markdown]
# ## Softmax and cross-entropy: why the gradient is $p - y$
#
# To choose between classes, the last layer gives scores $z$, softmax makes probabilities of them,
# and the loss is minus the logarithm of what the right class got. With the label as a vector $y$
# whose entries sum to one (a single 1 for a plain label),
#
# $$
# p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}, \qquad L = -\sum_i y_i \log p_i .
# $$
#
# The logarithm undoes the exponential:
#
# $$
# L = -\sum_i y_i z_i + \Big(\sum_i y_i\Big) \log \sum_j e^{z_j}
#   = -\sum_i y_i z_i + \log \sum_j e^{z_j} .
# $$
#
# Now the derivative is short. The first term gives $-y_i$, and the second $e^{z_i} / \sum_j
# e^{z_j}$, which is $p_i$ itself:
#
# $$
# \frac{\partial L}{\partial z_i} = p_i - y_i .
# $$
#
# First the Jacobian of softmax alone, $\partial p_i / \partial z_j = p_i (\delta_{ij} - p_j)$,
# and what the engine says:

# %%
z = autograd.tensor([2.0, -1.0, 0.5], dtype=np.float64, requires_grad=True)
p = autograd.softmax(z, 0).detach().numpy()
jacobian = autograd.jacobian(lambda z: autograd.softmax(z, 0), z).detach().numpy()
formula = np.diag(p) - np.outer(p, p)
print(jacobian.round(4))
course.result("softmax, largest difference", np.abs(jacobian - formula).max(), at_most=1e-12)

# %% [markdown]
# Then the loss in three ways, on 200 random rows of scores: written out with `exp` and `log`,
# with softmax as an operation, and the library's `cross_entropy`; with labels that are single
# classes, and with "soft" ones that spread over all.

# %%
rng = np.random.default_rng(0)
scores = 3.0 * rng.normal(size=(200, 5))
single = np.eye(5)[rng.integers(0, 5, 200)]
soft = rng.dirichlet(np.ones(5), 200)


def written_out(z, y):
    p = z.exp() / z.exp().sum(1, keepdim=True)
    return -(y * p.log()).sum()


def with_softmax(z, y):
    return -(y * autograd.softmax(z, 1).log()).sum()


def at_once(z, y):
    return nn.functional.cross_entropy(z, y, reduction="sum")


expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
worst = 0.0
for labels in (single, soft):
    for function in (written_out, with_softmax, at_once):
        z = autograd.tensor(scores, requires_grad=True)
        (gradient,) = autograd.grad(function(z, autograd.tensor(labels)), z)
        difference = np.abs(gradient.numpy() - (expected - labels)).max()
        worst = max(worst, difference)
        print(f"{function.__name__:<13} largest difference from p - y: {difference:.1e}")
course.result("p - y, largest difference", worst, at_most=1e-12)

z = autograd.tensor(scores[:8], requires_grad=True)
checked = autograd.gradcheck(at_once, (z, autograd.tensor(soft[:8])))
course.result("gradcheck agrees", float(checked), equals=1)

# %% [markdown]
# The three agree here. They part where numbers are large: written out, $e^{1000}$ is infinite,
# and infinite over infinite is not a number. The library's function subtracts the largest score
# first, which changes nothing but the size of what is computed.

# %%
large = autograd.tensor([[1000.0, 0.0]], dtype=np.float64)
truth = autograd.tensor([[0.0, 1.0]], dtype=np.float64)
with np.errstate(all="ignore"):
    print("written out:  ", written_out(large, truth).item())
print("cross_entropy:", at_once(large, truth).item())

# %% [markdown]
# ## It learns
#
# From the weights of the blackboard, gradient descent with momentum teaches the network the
# exclusive or: the first output shall say "both inputs are equal", the second "they differ". No
# straight line tells these two apart, so a single layer cannot do it.

# %%
corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
differ = corners[:, 0] != corners[:, 1]
points = autograd.tensor(2 * corners - 1)
targets = autograd.tensor(np.stack([~differ, differ], 1).astype(np.float32))

network = nn.models.WorkedNetwork()
optimizer = optim.SGD(network.parameters(), lr=1.0, momentum=0.9)
grid = np.stack(np.meshgrid(np.linspace(-1.6, 1.6, 60), np.linspace(-1.6, 1.6, 60)), -1)
losses, views = [], {}
for step in range(301):
    optimizer.zero_grad()
    loss = nn.functional.binary_cross_entropy(network(points), targets)
    loss.backward()
    losses.append(loss.item())
    if step in (0, 15, 45, 300):
        with autograd.no_grad():
            views[step] = network(autograd.tensor(grid.astype(np.float32)))[..., 1].numpy()
    optimizer.step()

answers = network(points).detach().numpy().argmax(1)
course.result("exclusive or, right answers", np.mean(answers == differ), equals=1)
course.result("exclusive or, last loss", losses[-1], at_most=0.02)

# %%
figure, axes = plt.subplots(1, 5, figsize=(12.5, 2.7), width_ratios=[1.5, 1, 1, 1, 1.25])
axes[0].semilogy(losses)
axes[0].set(xlabel="step", ylabel="cross-entropy", title="loss")
colours = {"cmap": "RdBu_r", "vmin": 0.0, "vmax": 1.0, "shading": "gouraud"}
for axis, (step, view) in zip(axes[1:], views.items(), strict=True):
    axis.grid(False)
    filled = axis.pcolormesh(grid[..., 0], grid[..., 1], view, **colours)
    if axis is axes[4]:
        figure.colorbar(filled, ax=axis, ticks=[0, 0.5, 1], label="says: they differ")
    for group, marker in ((differ, "s"), (~differ, "o")):
        axis.scatter(*points.numpy()[group].T, c="black", s=30, marker=marker, edgecolors="white")
    axis.set(title=f"after {step} steps", xlabel="input 1", xticks=[-1, 1], yticks=[-1, 1])
axes[1].set_ylabel("input 2")
plt.show()

# %% [markdown]
# Squares are the points whose inputs differ. What was learned is a stripe, "equal" inside of it
# and "they differ" on both sides, which no single line can say.
#
# **Things to try**
#
# - Open the film, pull `b3_1` to 6 and play the backward pass: which gradients vanish, and why?
# - Start at `w1 = w2` and `b1` equal for both units of each layer. Which gradients stay equal for
#   ever?
# - Replace the sigmoids of `forward` by `autograd.tanh` or `autograd.relu` and draw the network
#   again.
# - Teach the exclusive or with `nn.functional.mse_loss` instead: is it slower, and where does it
#   get stuck?
# - Train on (0, 1) corners instead of (-1, 1): how many more steps does it take?
