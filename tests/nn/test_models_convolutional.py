"""AlexNet, VGG and ResNet: their published counts, torchvision's names, and torch's numbers."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

import autograd
import nn
from nn import models

# Of torchvision's networks of these names, and of the paper's AlexNet and ResNet-20.
PUBLISHED = {
    "AlexNet": 60_965_224,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "ResNet20": 269_722,
}
PUBLISHED_WITH_BATCH_NORM = {
    "vgg11": 132_868_840,
    "vgg13": 133_053_736,
    "vgg16": 138_365_992,
    "vgg19": 143_678_248,
}


@pytest.fixture
def without_values(monkeypatch):
    """Make models with zeros for weights: pages of zeros that nobody reads cost no memory."""

    def leave(tensor, *args, **kwargs):
        return tensor

    for place in (nn.layers.conv, nn.layers.linear):
        monkeypatch.setattr(place, "np", SimpleNamespace(empty=np.zeros))
        monkeypatch.setattr(place, "default_init", leave)
    for name in ("kaiming_normal_", "normal_"):
        monkeypatch.setattr(nn.init, name, leave)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_published(name, without_values):
    model = getattr(models, name)()
    assert sum(p.numel() for p in model.parameters()) == PUBLISHED[name]


@pytest.mark.parametrize("name", PUBLISHED_WITH_BATCH_NORM)
def test_parameters_with_batch_norm(name, without_values):
    model = getattr(models, name)(batch_norm=True)
    assert sum(p.numel() for p in model.parameters()) == PUBLISHED_WITH_BATCH_NORM[name]


@pytest.mark.parametrize(
    ("name", "multiply_adds"),
    [
        ("AlexNet", 724_406_816),  # by hand, below
        ("vgg16", 15_470_264_320),
        ("resnet18", 1_814_073_344),
        ("resnet34", 3_663_761_408),
        ("resnet50", 4_089_184_256),
    ],
)
def test_summary_agrees_with_the_published_numbers(name, multiply_adds, without_values):
    found = nn.summary(getattr(models, name)(), (3, 224, 224))
    assert found.parameters == PUBLISHED[name]
    assert found.multiply_adds == multiply_adds


def test_multiply_adds_of_alexnet_by_hand():
    """Positions times numbers in a window times maps, halved where there are two groups."""
    convolutions = [
        55**2 * 11**2 * 3 * 96,
        27**2 * 5**2 * 48 * 256,
        13**2 * 3**2 * 256 * 384,
        13**2 * 3**2 * 192 * 384,
        13**2 * 3**2 * 192 * 256,
    ]
    assert sum(convolutions) + 9216 * 4096 + 4096 * 4096 + 4096 * 1000 == 724_406_816


# What the docstrings say of single layers.
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: models.AlexNet(), (3, 224, 224)),
        (lambda: models.SmallAlexNet(), (1, 28, 28)),
    ],
)
def test_the_tables_of_alexnet(make, shape, without_values):
    model = make()
    rows = re.findall(
        r"^ +(?:conv|dropout|linear).*?  ?(\d+(?: x \d+ x \d+)?) +(\d+)$",
        type(model).__doc__ or "",
        re.MULTILINE,
    )
    layers = [layer for layer in nn.summary(model, shape).layers if layer.parameters]
    assert len(rows) == len(layers) == 8
    for (output, parameters), layer in zip(rows, layers, strict=True):
        assert layer.parameters == int(parameters)
        assert re.findall(r"\d+", layer.output_shape)[1:] == output.split(" x ")


def test_the_count_of_small_alexnet():
    for size in (28, 32):
        assert nn.summary(models.SmallAlexNet(), (1, size, size)).parameters == 121_546
    assert "121,546" in (models.SmallAlexNet.__doc__ or "")


# ------------------------------------------------------------------ torchvision's names

NORM = {"weight": 1, "bias": 1, "running_mean": 1, "running_var": 1, "num_batches_tracked": 0}


def norm(prefix, channels):
    return {f"{prefix}.{name}": (channels,) * dims for name, dims in NORM.items()}


def names_of_resnet(bottleneck, counts):
    """Keys and shapes, written down from torchvision's naming and the paper's table."""
    wanted = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    inputs = 64
    for stage, count in enumerate(counts):
        width = (64, 128, 256, 512)[stage]
        outputs = 4 * width if bottleneck else width
        for block in range(count):
            at = f"layer{stage + 1}.{block}"
            shapes = (
                [(width, inputs, 1, 1), (width, width, 3, 3), (outputs, width, 1, 1)]
                if bottleneck
                else [(width, inputs, 3, 3), (width, width, 3, 3)]
            )
            for i, shape in enumerate(shapes, start=1):
                wanted[f"{at}.conv{i}.weight"] = shape
                wanted |= norm(f"{at}.bn{i}", shape[0])
            if inputs != outputs or (stage > 0 and block == 0):
                wanted[f"{at}.downsample.0.weight"] = (outputs, inputs, 1, 1)
                wanted |= norm(f"{at}.downsample.1", outputs)
            inputs = outputs
    return wanted | {"fc.weight": (1000, inputs), "fc.bias": (1000,)}


@pytest.mark.parametrize(
    ("name", "bottleneck", "counts", "entries"),
    [
        ("resnet18", False, (2, 2, 2, 2), 122),
        ("resnet34", False, (3, 4, 6, 3), 218),
        ("resnet50", True, (3, 4, 6, 3), 320),
    ],
)
def test_resnets_have_torchvisions_names(name, bottleneck, counts, entries, without_values):
    found = {key: t.shape for key, t in getattr(models, name)().state_dict().items()}
    wanted = names_of_resnet(bottleneck, counts)
    assert list(found) == list(wanted)
    assert found == wanted
    assert len(found) == entries


# Where torchvision's convolutions are in `features`, without and with batch norm.
VGG_PLACES = {
    "vgg11": ([0, 3, 6, 8, 11, 13, 16, 18], [0, 4, 8, 11, 15, 18, 22, 25]),
    "vgg13": ([0, 2, 5, 7, 10, 12, 15, 17, 20, 22], [0, 3, 7, 10, 14, 17, 21, 24, 28, 31]),
    "vgg16": (
        [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28],
        [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40],
    ),
    "vgg19": (
        [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34],
        [0, 3, 7, 10, 14, 17, 20, 23, 27, 30, 33, 36, 40, 43, 46, 49],
    ),
}
VGG_WIDTHS = {
    "vgg11": (64, 128, 256, 256, 512, 512, 512, 512),
    "vgg13": (64, 64, 128, 128, 256, 256, 512, 512, 512, 512),
    "vgg16": (64, 64, 128, 128, 256, 256, 256, *[512] * 6),
    "vgg19": (64, 64, 128, 128, 256, 256, 256, 256, *[512] * 8),
}


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("name", VGG_PLACES)
def test_vggs_have_torchvisions_names(name, batch_norm, without_values):
    wanted = {}
    inputs = 3
    for place, width in zip(VGG_PLACES[name][batch_norm], VGG_WIDTHS[name], strict=True):
        wanted[f"features.{place}.weight"] = (width, inputs, 3, 3)
        wanted[f"features.{place}.bias"] = (width,)
        if batch_norm:
            wanted |= norm(f"features.{place + 1}", width)
        inputs = width
    for place, outputs, inputs in ((0, 4096, 25088), (3, 4096, 4096), (6, 1000, 4096)):
        wanted[f"classifier.{place}.weight"] = (outputs, inputs)
        wanted[f"classifier.{place}.bias"] = (outputs,)
    model = getattr(models, name)(batch_norm=batch_norm)
    found = {key: t.shape for key, t in model.state_dict().items()}
    assert list(found) == list(wanted)
    assert found == wanted


# ------------------------------------------------------------------ they learn, and refuse

SMALL = {
    "AlexNet": (lambda: models.AlexNet(4, hidden=16), (2, 3, 224, 224)),
    "SmallAlexNet": (lambda: models.SmallAlexNet(4), (2, 1, 28, 28)),
    "VGG": (lambda: models.VGG((1, 1, 1, 2, 1), 4, hidden=16, width=8), (2, 3, 32, 32)),
    "VGG, batch norm": (
        lambda: models.VGG((1, 2, 1, 1, 1), 4, batch_norm=True, hidden=16, width=8),
        (2, 3, 32, 32),
    ),
    "basic": (lambda: models.resnet18(num_classes=4, width=4), (2, 3, 64, 64)),
    "bottleneck": (
        lambda: models.ResNet(models.Bottleneck, (1, 2, 1, 1), 4, width=4),
        (2, 3, 64, 64),
    ),
    "SmallResNet": (lambda: models.SmallResNet(8, 4, 1, 4), (2, 1, 28, 28)),
    "ResNet20": (lambda: models.ResNet20(4), (2, 3, 32, 32)),
}


@pytest.mark.parametrize("name", SMALL)
def test_gradients_reach_every_parameter(name):
    autograd.manual_seed(0)
    make, shape = SMALL[name]
    model = make()
    y = model(autograd.randn(*shape))
    assert y.shape == (2, 4)
    nn.functional.cross_entropy(y, autograd.tensor([1, 3])).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert np.isfinite(parameter.grad.numpy()).all(), key
        assert parameter.grad.numpy().any(), key


@pytest.mark.parametrize("name", SMALL)
def test_one_image_and_none(name):
    make, (_, *shape) = SMALL[name]
    model = make().eval()
    autograd.manual_seed(0)
    images = autograd.randn(3, *shape)
    with autograd.no_grad():
        together = model(images).numpy()
        alone = model(images[1:2]).numpy()
        assert model(images[:0]).shape == (0, 4)
    np.testing.assert_allclose(alone[0], together[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("AlexNet", (1, 3, 222, 224)),
        ("AlexNet", (1, 3, 224, 255)),
        ("AlexNet", (1, 1, 224, 224)),
        ("SmallAlexNet", (1, 1, 24, 28)),
        ("SmallAlexNet", (1, 1, 33, 33)),
        ("SmallAlexNet", (28, 28)),
        ("VGG", (1, 3, 31, 40)),
        ("VGG", (1, 1, 32, 32)),
        ("basic", (1, 1, 64, 64)),
        ("basic", (3, 64, 64)),
        ("SmallResNet", (1, 3, 28, 28)),
        ("ResNet20", (1, 3, 0, 8)),
    ],
)
def test_other_shapes_are_refused(name, shape, without_values):
    model = SMALL[name][0]()
    with pytest.raises(
        ValueError, match=r"expected images \(N, \d, .*got " + re.escape(str(shape))
    ):
        model(autograd.zeros(*shape))


def test_sizes_of_alexnet():
    """The paper's 224, the 227 of its arithmetic, and the bounds of what is taken."""
    model = models.AlexNet(4, hidden=16).eval()
    with autograd.no_grad():
        for size in (223, 227, 254):
            assert model(autograd.zeros(1, 3, size, size)).shape == (1, 4)


@pytest.mark.parametrize("stages", [(), (1, 1, 1, 1), (1, 1, 0, 1, 1), (1, 1, 1, 1, 1, 1)])
def test_wrong_stages_of_vgg(stages):
    with pytest.raises(ValueError, match="5 counts of at least 1"):
        models.VGG(stages)


@pytest.mark.parametrize("layers", [(), (1, 1, 1), (1, 1, 1, 0)])
def test_wrong_layers_of_resnet(layers):
    with pytest.raises(ValueError, match="4 counts of at least 1"):
        models.ResNet(models.BasicBlock, layers)


@pytest.mark.parametrize("depth", [-4, 0, 2, 7, 18, 21])
def test_wrong_depths(depth):
    with pytest.raises(ValueError, match=f"SmallResNet: depth must be 6n.*met {depth}"):
        models.SmallResNet(depth)


def test_a_residual_block_cannot_narrow():
    with pytest.raises(ValueError, match="from 8 channels to 4"):
        models.ResidualBlock(8, 4)


def test_the_shortcut_of_a_small_block():
    """With the last scale at zero, a block passes on every second pixel, and zeros."""
    block = models.ResidualBlock(2, 5, stride=2)
    nn.init.zeros_(block.get_parameter("bn2.weight"))
    x = autograd.rand(1, 2, 5, 7)
    y = block(x).detach().numpy()
    np.testing.assert_array_equal(y[:, 1:3], x.numpy()[:, :, ::2, ::2])
    assert not y[:, [0, 3, 4]].any()


def test_blocks_can_start_as_the_identity():
    for make, norm in ((models.resnet18, "bn2"), (models.resnet50, "bn3")):
        model = make(num_classes=2, width=4, zero_init_residual=True)
        for stage in (model.layer1, model.layer4):
            for block in stage:
                assert not getattr(block, norm).weight.detach().numpy().any()


def test_local_response_norm_of_alexnet_is_the_papers(without_values):
    """Squares of five channels are added up; PyTorch's alpha is for their mean."""
    layer = models.AlexNet(2, hidden=16).features[2]
    a = np.random.default_rng(0).random((1, 7, 1, 1)).astype(np.float32) * 50
    wanted = [
        a[0, i, 0, 0]
        / (2 + 1e-4 * sum(a[0, j, 0, 0] ** 2 for j in range(max(0, i - 2), min(7, i + 3)))) ** 0.75
        for i in range(7)
    ]
    found = layer(autograd.tensor(a)).numpy().ravel()
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


# ------------------------------------------------------------------ against torch


def torch_block(torch, inputs, width, stride, bottleneck):
    layers = torch.nn
    outputs = 4 * width if bottleneck else width

    class Block(layers.Module):
        def __init__(self):
            super().__init__()
            if bottleneck:
                self.conv1 = layers.Conv2d(inputs, width, 1, bias=False)
                self.bn1 = layers.BatchNorm2d(width)
                self.conv2 = layers.Conv2d(width, width, 3, stride, 1, bias=False)
                self.bn2 = layers.BatchNorm2d(width)
                self.conv3 = layers.Conv2d(width, outputs, 1, bias=False)
                self.bn3 = layers.BatchNorm2d(outputs)
            else:
                self.conv1 = layers.Conv2d(inputs, width, 3, stride, 1, bias=False)
                self.bn1 = layers.BatchNorm2d(width)
                self.conv2 = layers.Conv2d(width, width, 3, 1, 1, bias=False)
                self.bn2 = layers.BatchNorm2d(width)
            if stride != 1 or inputs != outputs:
                self.downsample = layers.Sequential(
                    layers.Conv2d(inputs, outputs, 1, stride, bias=False),
                    layers.BatchNorm2d(outputs),
                )

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            if bottleneck:
                y = self.bn3(self.conv3(torch.relu(y)))
            return torch.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))

    return Block(), outputs


def torch_resnet(torch, counts, bottleneck):
    layers = torch.nn

    class Net(layers.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = layers.Conv2d(3, 64, 7, 2, 3, bias=False)
            self.bn1 = layers.BatchNorm2d(64)
            inputs = 64
            for stage, count in enumerate(counts):
                blocks = []
                for i in range(count):
                    stride = 2 if stage > 0 and i == 0 else 1
                    block, inputs = torch_block(torch, inputs, 64 * 2**stage, stride, bottleneck)
                    blocks.append(block)
                setattr(self, f"layer{stage + 1}", layers.Sequential(*blocks))
            self.fc = layers.Linear(inputs, 1000)

        def forward(self, x):
            x = torch.relu(self.bn1(self.conv1(x)))
            x = layers.functional.max_pool2d(x, 3, 2, 1)
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(x.mean((2, 3)))

    return Net()


def torch_resnet20(torch):
    """Of the paper's section 4.2, with shortcuts that pad by zeros on both sides."""
    layers = torch.nn

    class Block(layers.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.stride, self.more = stride, (outputs - inputs) // 2
            self.conv1 = layers.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = layers.BatchNorm2d(outputs)
            self.conv2 = layers.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = layers.BatchNorm2d(outputs)

        def forward(self, x):
            y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            x = x[:, :, :: self.stride, :: self.stride]
            return torch.relu(y + layers.functional.pad(x, (0, 0, 0, 0, self.more, self.more)))

    class Net(layers.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = layers.Conv2d(3, 16, 3, 1, 1, bias=False)
            self.bn1 = layers.BatchNorm2d(16)
            inputs = 16
            for stage, outputs in enumerate((16, 32, 64)):
                strides = (2 if stage else 1, 1, 1)
                sizes = ((inputs, outputs), (outputs, outputs), (outputs, outputs))
                blocks = [Block(*size, stride) for size, stride in zip(sizes, strides, strict=True)]
                setattr(self, f"layer{stage + 1}", layers.Sequential(*blocks))
                inputs = outputs
            self.fc = layers.Linear(64, 10)

        def forward(self, x):
            x = torch.relu(self.bn1(self.conv1(x)))
            return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))

    return Net()


def test_resnet20_learns_as_torchs_does(torch):
    """In training: the loss, and every gradient."""
    torch.manual_seed(0)
    theirs, ours = torch_resnet20(torch), models.ResNet20()
    copied_from(ours, theirs, torch)
    random = np.random.default_rng(1)
    x = random.standard_normal((4, 3, 32, 32)).astype(np.float32)
    y = np.array([3, 1, 4, 1])
    loss = nn.functional.cross_entropy(ours(autograd.tensor(x)), autograd.tensor(y))
    wanted = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(y))
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-4)
    loss.backward()
    wanted.backward()
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert p.grad is not None
        g, h = p.grad.numpy(), q.grad.numpy()
        np.testing.assert_allclose(g, h, rtol=1e-2, atol=1e-3 * abs(h).max(), err_msg=name)


def copied_from(ours, theirs, torch):
    """Fill both with the same numbers, running means and variances included."""
    random = np.random.default_rng(0)
    with torch.no_grad():
        for name, tensor in theirs.state_dict().items():
            if name.endswith("running_var"):
                tensor.copy_(torch.tensor(random.uniform(0.5, 2.0, tuple(tensor.shape))))
            elif name.endswith("running_mean"):
                tensor.copy_(torch.tensor(random.normal(0.0, 0.1, tuple(tensor.shape))))
    ours.load_state_dict({name: t.numpy() for name, t in theirs.state_dict().items()})


@pytest.mark.parametrize(
    ("name", "bottleneck", "counts"),
    [
        ("resnet18", False, (2, 2, 2, 2)),
        ("resnet34", False, (3, 4, 6, 3)),
        ("resnet50", True, (3, 4, 6, 3)),
    ],
)
def test_resnets_compute_what_torch_computes(torch, name, bottleneck, counts, without_values):
    torch.manual_seed(0)
    theirs = torch_resnet(torch, counts, bottleneck).eval()
    ours = getattr(models, name)().eval()
    copied_from(ours, theirs, torch)
    x = np.random.default_rng(1).standard_normal((1, 3, 64, 64)).astype(np.float32)
    with autograd.no_grad(), torch.no_grad():
        found, wanted = ours(autograd.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * abs(wanted).max())


@pytest.mark.parametrize("batch_norm", [False, True])
def test_vgg_computes_what_torch_computes(torch, batch_norm):
    """Of torchvision's list of layers, with few hidden units."""
    torch.manual_seed(0)
    layers = torch.nn
    features, inputs = [], 3
    for entry in (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"):
        if entry == "M":
            features.append(layers.MaxPool2d(2, 2))
            continue
        features.append(layers.Conv2d(inputs, entry, 3, padding=1))
        features += [layers.BatchNorm2d(entry)] if batch_norm else []
        features.append(layers.ReLU())
        inputs = entry
    theirs = layers.Sequential()
    theirs.add_module("features", layers.Sequential(*features))
    theirs.add_module("avgpool", layers.AdaptiveAvgPool2d((7, 7)))
    theirs.add_module("flatten", layers.Flatten())
    linear = (layers.Linear(25088, 8), layers.ReLU(), layers.Dropout(), layers.Linear(8, 8))
    theirs.add_module(
        "classifier",
        layers.Sequential(*linear, layers.ReLU(), layers.Dropout(), layers.Linear(8, 10)),
    )
    theirs.eval()
    ours = models.vgg11(num_classes=10, batch_norm=batch_norm, hidden=8).eval()
    copied_from(ours, theirs, torch)
    x = np.random.default_rng(1).standard_normal((2, 3, 64, 40)).astype(np.float32)
    with autograd.no_grad(), torch.no_grad():
        found, wanted = ours(autograd.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * abs(wanted).max())


def test_alexnet_computes_what_torch_computes(torch):
    torch.manual_seed(0)
    layers = torch.nn

    def norm():
        return layers.LocalResponseNorm(5, 5e-4, 0.75, 2.0)

    theirs = layers.Sequential()
    theirs.add_module(
        "features",
        layers.Sequential(
            layers.Conv2d(3, 96, 11, 4, 2),
            layers.ReLU(),
            norm(),
            layers.MaxPool2d(3, 2),
            layers.Conv2d(96, 256, 5, padding=2, groups=2),
            layers.ReLU(),
            norm(),
            layers.MaxPool2d(3, 2),
            layers.Conv2d(256, 384, 3, padding=1),
            layers.ReLU(),
            layers.Conv2d(384, 384, 3, padding=1, groups=2),
            layers.ReLU(),
            layers.Conv2d(384, 256, 3, padding=1, groups=2),
            layers.ReLU(),
            layers.MaxPool2d(3, 2),
        ),
    )
    ours = models.AlexNet(num_classes=2, hidden=16).features
    ours.load_state_dict(
        {name.removeprefix("features."): t.numpy() for name, t in theirs.state_dict().items()}
    )
    x = np.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(np.float32)
    with autograd.no_grad(), torch.no_grad():
        found, wanted = ours(autograd.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy()
    assert found.shape == (1, 256, 6, 6)
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * abs(wanted).max())
