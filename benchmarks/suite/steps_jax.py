"""The models of `steps` as pure functions of JAX, on weights by the same names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import rivals
from ..subjects import Arrays

Weights = dict[str, Any]


class Model:
    """Layers by name, on some weights; what a normalisation keeps goes into `kept`."""

    def __init__(self, jax: Any, weights: Weights) -> None:
        self.jax, self.weights = jax, weights
        self.kept: Weights = {}

    def linear(self, name: str, x: Any) -> Any:
        """A linear layer."""
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def conv(self, name: str, x: Any, stride: int = 1, padding: int = 0) -> Any:
        """A convolution, with its bias if there is one."""
        y = self.jax.lax.conv_general_dilated(
            x, self.weights[f"{name}.weight"], (stride, stride), [(padding, padding)] * 2
        )
        bias = self.weights.get(f"{name}.bias")
        return y if bias is None else y + bias[:, None, None]

    def pool(self, x: Any) -> Any:
        """Maxima of 2 x 2."""
        where = (1, 1, 2, 2), (1, 1, 2, 2), "VALID"
        return self.jax.lax.reduce_window(x, -float("inf"), self.jax.lax.max, *where)

    def batch_norm(self, name: str, x: Any) -> Any:
        """In training: normalised by this batch, and the running values moved."""
        axes, count = (0, 2, 3), x.size // x.shape[1]
        mean, variance = x.mean(axes), x.var(axes)
        for kind, new in (("mean", mean), ("var", variance * count / (count - 1))):
            old = self.weights[f"{name}.running_{kind}"]
            moved = 0.9 * old + 0.1 * self.jax.lax.stop_gradient(new)
            self.kept[f"{name}.running_{kind}"] = moved
        scale = self.weights[f"{name}.weight"] * self.jax.lax.rsqrt(variance + 1e-5)
        shift = self.weights[f"{name}.bias"] - mean * scale
        return x * scale[:, None, None] + shift[:, None, None]

    def layer_norm(self, name: str, x: Any) -> Any:
        """Each row centred and scaled."""
        part = (x - x.mean(-1, keepdims=True)) * self.jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)
        return part * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def dense(names: Sequence[str]) -> Callable[[Model, Any], Any]:
    """Linear layers with ReLU between them."""

    def forward(m: Model, x: Any) -> Any:
        for name in names[:-1]:
            x = m.jax.nn.relu(m.linear(name, x))
        return m.linear(names[-1], x)

    return forward


def lenet5(m: Model, x: Any) -> Any:
    """LeNet-5."""
    relu = m.jax.nn.relu
    x = m.pool(relu(m.conv("0", x, padding=2)))
    x = m.pool(relu(m.conv("3", x)))
    return dense(("7", "9", "11"))(m, x.reshape(x.shape[0], -1))


def resnet20(m: Model, x: Any) -> Any:
    """ResNet-20."""
    relu = m.jax.nn.relu
    x = relu(m.batch_norm("1", m.conv("0", x, padding=1)))
    for block in range(9):
        name, stride = str(3 + block), 2 if block in (3, 6) else 1
        y = relu(m.batch_norm(f"{name}.bn1", m.conv(f"{name}.conv1", x, stride, 1)))
        y = m.batch_norm(f"{name}.bn2", m.conv(f"{name}.conv2", y, 1, 1))
        if stride == 2:
            x = m.batch_norm(f"{name}.short.1", m.conv(f"{name}.short.0", x, stride))
        x = relu(y + x)
    return m.linear("14", x.mean((2, 3)))


def lstm(m: Model, x: Any) -> Any:
    """All outputs of the layer."""
    # Here, because sequences need this package.
    from .sequences import jax_lstm

    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return jax_lstm(m.jax, x, *(m.weights[name] for name in names))


def transformer(m: Model, x: Any) -> Any:
    """One encoder layer, normalised after each half."""
    from .sequences import jax_attend

    batch, places, width = x.shape
    w, b = m.weights["self_attn.in_proj_weight"], m.weights["self_attn.in_proj_bias"]
    joint = (x @ w.T + b).reshape(batch, places, 3, 4, width // 4)
    q, k, v = (joint[:, :, i].swapaxes(1, 2) for i in range(3))
    seen = jax_attend(m.jax, q, k, v).swapaxes(1, 2).reshape(x.shape)
    x = m.layer_norm("norm1", x + m.linear("self_attn.out_proj", seen))
    inner = m.linear("linear2", m.jax.nn.relu(m.linear("linear1", x)))
    return m.layer_norm("norm2", x + inner)


def classified(j: Any, y: Any, t: Any) -> Any:
    """Cross-entropy."""
    found = j.numpy.take_along_axis(j.nn.log_softmax(y, axis=-1), t[:, None], 1)
    return -found.mean()


MODELS: dict[str, tuple[Callable[[Model, Any], Any], Callable[[Any, Any, Any], Any]]] = {
    "digits-mlp": (dense(("0", "2")), classified),
    "mnist-mlp": (dense(("0", "2", "4")), classified),
    "lenet-5": (lenet5, classified),
    "resnet-20": (resnet20, classified),
    "lstm": (lstm, lambda j, y, t: (y * y).mean()),
    "transformer": (transformer, lambda j, y, t: ((y - t) ** 2).mean()),
}


def update(
    j: Any, optimizer: str, options: dict[str, Any], p: Weights, g: Weights, state: Any
) -> tuple[Weights, Any]:
    """New weights and state of SGD or Adam."""
    lr = options["lr"]
    if optimizer == "SGD" and "momentum" not in options:
        return {n: p[n] - lr * g[n] for n in p}, state
    if optimizer == "SGD":
        state = {n: options["momentum"] * state[n] + g[n] for n in p}
        return {n: p[n] - lr * state[n] for n in p}, state
    first, second, count = state
    count = count + 1.0
    first = {n: 0.9 * first[n] + 0.1 * g[n] for n in p}
    second = {n: 0.999 * second[n] + 0.001 * g[n] * g[n] for n in p}
    rate, root = lr / (1.0 - 0.9**count), j.numpy.sqrt(1.0 - 0.999**count)
    return {n: p[n] - rate * first[n] / (j.numpy.sqrt(second[n]) / root + 1e-8) for n in p}, (
        first,
        second,
        count,
    )


def step(
    name: str, optimizer: str, options: dict[str, Any], names: Sequence[str], own: Arrays
) -> Callable[[], float]:
    """A training step, compiled whole; the old weights are given away to be written over."""
    j = rivals.jax()
    x, t, *arrays = own
    forward, loss = MODELS[name]
    every = {n: j.numpy.array(a, copy=True) for n, a in zip(names, arrays, strict=True)}
    kept = {n: every.pop(n) for n in names if "running" in n or "num_batches" in n}

    def zeros() -> Weights:
        return {n: j.numpy.zeros_like(a) for n, a in every.items()}

    state = zeros()
    if optimizer == "Adam":
        state = zeros(), zeros(), j.numpy.zeros((), x.dtype)

    def whole(p: Weights, kept: Weights, state: Any, x: Any, t: Any) -> Any:
        def objective(p: Weights) -> tuple[Any, Weights]:
            model = Model(j, {**p, **kept})
            return loss(j, forward(model, x), t), model.kept

        (value, moved), g = j.value_and_grad(objective, has_aux=True)(p)
        p, state = update(j, optimizer, options, p, g, state)
        return p, {**kept, **moved}, state, value

    compiled = rivals.jax_compiled(whole, donate_argnums=(0, 1, 2))

    def call() -> float:
        nonlocal every, kept, state
        every, kept, state, value = compiled(every, kept, state, x, t)
        return float(value)

    return call
