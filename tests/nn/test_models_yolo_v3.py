"""YOLO, third version: anchors, who answers for what, and the loss beside loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.models import YOLOv3, YOLOv3Loss, anchor_boxes, shape_iou, true_boxes
from nn.models.yolo_v3 import anchor_places
from nn.models.yolo_v3_loss import encode_anchors

RNG = np.random.default_rng(0)
ANCHORS = np.array([[[20.0, 24.0], [26.0, 14.0]], [[6.0, 12.0], [10.0, 10.0]]])
SIZE, CLASSES = 32, 3
PLACES = anchor_places(ANCHORS, SIZE)  # 2 x 2 x 2 and 4 x 4 x 2 boxes


def some_targets(images: int) -> np.ndarray:
    rows = np.full((images, 4, 5), -1.0)
    for image in rows:
        for k in range(RNG.integers(0, 4)):
            corner = RNG.uniform(0, SIZE - 5, 2)
            end = np.minimum(corner + RNG.uniform(3, 24, 2), SIZE)
            image[k] = [*corner, *end, RNG.integers(CLASSES)]
    return rows


def iou(a: Any, b: Any) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return width * height / (sum(areas) - width * height)


def cross_entropy(score: float, target: float) -> float:
    chance = 1.0 / (1.0 + math.exp(-score))
    return -(target * math.log(chance) + (1.0 - target) * math.log(1.0 - chance))


def loss_by_loops(outputs: np.ndarray, targets: np.ndarray, coord: float, ignore: float) -> float:
    total = 0.0
    for output, rows in zip(outputs, targets, strict=True):
        taken: dict[int, Any] = {}
        overlapped = set()
        for x1, y1, x2, y2, label in rows[rows[:, 4] >= 0]:
            x, y, width, height = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
            best, fit = -1, -1.0
            for place, (left, top, side, wide, high) in enumerate(PLACES):
                middle = left + side / 2, top + side / 2
                prior = (
                    middle[0] - wide / 2,
                    middle[1] - high / 2,
                    middle[0] + wide / 2,
                    middle[1] + high / 2,
                )
                if iou(prior, (x1, y1, x2, y2)) > ignore:
                    overlapped.add(place)
                if not (left <= x < left + side and top <= y < top + side):
                    continue
                shape = iou((0, 0, wide, high), (0, 0, width, height))
                if shape > fit:
                    best, fit = place, shape
            left, top, side, wide, high = PLACES[best]
            wanted = (x - left) / side, (y - top) / side, width / wide, height / high
            taken.setdefault(best, (*wanted, int(label)))
        for place, numbers in enumerate(output):
            if place not in taken:
                total += 0.0 if place in overlapped else cross_entropy(numbers[4], 0.0)
                continue
            x, y, width, height, label = taken[place]
            total += coord * (
                (1 / (1 + math.exp(-numbers[0])) - x) ** 2
                + (1 / (1 + math.exp(-numbers[1])) - y) ** 2
                + (numbers[2] - math.log(width)) ** 2
                + (numbers[3] - math.log(height)) ** 2
            )
            total += cross_entropy(numbers[4], 1.0)
            total += sum(cross_entropy(s, float(c == label)) for c, s in enumerate(numbers[5:]))
    return total / len(outputs)


# --- Anchors --------------------------------------------------------------------------------------


def test_shape_iou():
    some, others = RNG.random((5, 2)) + 0.1, RNG.random((3, 2)) + 0.1
    wanted = [[iou((0, 0, *a), (0, 0, *b)) for b in others] for a in some]
    np.testing.assert_allclose(shape_iou(some, others), wanted)


def test_anchors_find_groups():
    centres = np.array([[5.0, 20.0], [20.0, 20.0], [40.0, 12.0]])
    sizes = np.concatenate([centre * RNG.uniform(0.95, 1.05, (30, 2)) for centre in centres])
    found = anchor_boxes(sizes, 3, rng=np.random.default_rng(0))
    assert (np.diff(found.prod(axis=1)) > 0).all()
    np.testing.assert_allclose(found, centres, rtol=0.03)
    again = anchor_boxes(sizes, 3, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(found, again)


def test_more_anchors_fit_better():
    sizes = RNG.uniform(5, 30, (200, 2))
    fits = [
        shape_iou(sizes, anchor_boxes(sizes, k, rng=np.random.default_rng(0))).max(axis=1).mean()
        for k in (1, 3, 6)
    ]
    assert fits[0] < fits[1] < fits[2]
    twins = np.tile(sizes[:1], (3, 1))
    np.testing.assert_allclose(anchor_boxes(twins, 2, rng=np.random.default_rng(0)), twins[:2])
    every = anchor_boxes(sizes[:4], 4, rng=np.random.default_rng(0))
    np.testing.assert_allclose(shape_iou(sizes[:4], every).max(axis=1), 1.0)


def test_places_cover_the_image():
    assert PLACES.shape == (8 + 32, 5)
    for side, count in ((16, 8), (8, 32)):
        cells = PLACES[PLACES[:, 2] == side]
        assert len(cells) == count
        assert len({tuple(corner) for corner in cells[:, :2]}) == (SIZE // side) ** 2


# --- Who answers for what -------------------------------------------------------------------------


def encode(*rows: list[float], ignore: float = 0.5) -> Any:
    return encode_anchors(np.array([rows]), PLACES, SIZE, CLASSES, ignore)


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ([2.0, 2.0, 22.0, 26.0], [0, 0, 16, 20, 24]),  # the shape of a coarse anchor
        ([9.0, 1.0, 15.0, 13.0], [8, 0, 8, 6, 12]),  # the shape of a fine one
        ([13.0, 10.0, 19.0, 22.0], [16, 16, 8, 6, 12]),  # the centre on a corner of cells
        ([20.0, 22.0, 30.0, 32.0], [24, 24, 8, 10, 10]),
        ([np.nextafter(32.0, 0.0), 0.0, 32.0, 1.0], [24, 0, 8, 6, 12]),  # at the image's edge
    ],
)
def test_the_anchor_of_the_shape_answers(box, place):
    found = encode([*box, 1.0])
    assert PLACES[found.place].tolist() == [place]
    assert found.objectness.sum() == 1
    assert found.counted[0, found.place] == 1
    assert found.classes.tolist() == [[0, 1, 0]]


def test_anchors_that_overlap_do_not_count():
    found = encode([1.0, 0.0, 15.0, 16.0, 0.0], ignore=0.3)
    (left_out,) = np.nonzero(found.counted[0] == 0)
    assert found.place[0] not in left_out
    for place, (left, top, side, wide, high) in enumerate(PLACES):
        x, y = left + side / 2, top + side / 2
        prior = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        overlaps = iou(prior, (1, 0, 15, 16)) > 0.3 and place != found.place[0]
        assert (place in left_out) == overlaps
    assert len(left_out)


def test_the_first_object_keeps_the_anchor():
    found = encode([9.0, 1.0, 15.0, 13.0, 2.0], [9.0, 2.0, 15.0, 13.0, 1.0])
    assert len(found.place) == 1
    assert found.classes.tolist() == [[0, 0, 1]]


def test_what_is_encoded_is_decoded():
    model = YOLOv3(ANCHORS, num_classes=CLASSES, image_size=SIZE)
    targets = some_targets(20)
    encoded = encode_anchors(targets, PLACES, SIZE, CLASSES)
    outputs = np.full((20, len(PLACES), 5 + CLASSES), -40.0)
    offsets, sizes = encoded.boxes[:, :2], encoded.boxes[:, 2:]
    at = encoded.image, encoded.place
    outputs[at] = np.concatenate(
        [
            np.log(offsets / (1 - offsets)),
            sizes,
            np.full((len(sizes), 1), 40.0),
            80.0 * encoded.classes - 40.0,
        ],
        axis=1,
    )
    found = model.decode(outputs, threshold=0.5, iou_threshold=1.0)
    assert sum(len(image["labels"]) for image in found) == len(encoded.place) > 15
    for image, true in zip(found, true_boxes(targets), strict=True):
        overlap = nn.metrics.box_iou(image["boxes"], true["boxes"])
        if len(overlap):
            np.testing.assert_allclose(overlap.max(axis=1), 1.0, rtol=1e-9)
            np.testing.assert_array_equal(true["labels"][overlap.argmax(axis=1)], image["labels"])


# --- The loss -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("coord", "ignore"), [(5.0, 0.5), (1.0, 0.2), (2.0, 1.0)])
def test_loss_against_loops(coord, ignore):
    loss = YOLOv3Loss(ANCHORS, CLASSES, SIZE, coord, ignore)
    for _ in range(4):
        outputs, targets = RNG.normal(size=(3, len(PLACES), 8)), some_targets(3)
        found = loss(autograd.tensor(outputs), autograd.tensor(targets))
        assert found.item() == pytest.approx(loss_by_loops(outputs, targets, coord, ignore))


def test_gradient_of_the_loss():
    loss = YOLOv3Loss(ANCHORS[:, :1], 2, 16)
    targets = autograd.tensor([[[1.0, 2.0, 7.0, 12.0, 1.0], [2.0, 1.0, 16.0, 15.0, 0.0]]])
    outputs = autograd.tensor(RNG.normal(size=(1, 5, 7)), requires_grad=True)
    assert autograd.gradcheck(lambda o: loss(o, targets), (outputs,))


@pytest.mark.parametrize("rows", [0, 2])
def test_scenes_without_objects(rows):
    loss = YOLOv3Loss(ANCHORS, CLASSES, SIZE)
    outputs = autograd.tensor(RNG.normal(size=(2, len(PLACES), 8)), requires_grad=True)
    value = loss(outputs, -np.ones((2, rows, 5)))
    scores = outputs.detach().numpy()[:, :, 4]
    assert value.item() == pytest.approx(np.log1p(np.exp(scores)).sum() / 2)
    value.backward()
    assert outputs.grad is not None
    assert np.isfinite(outputs.grad.numpy()).all()
    assert loss(autograd.zeros(0, len(PLACES), 8), np.zeros((0, rows, 5))).item() == 0.0
    assert loss(autograd.zeros(2, len(PLACES), 8), -np.ones((2, rows, 5))).dtype == np.float32


# --- The model ------------------------------------------------------------------------------------


def test_parameters_and_shapes():
    model = YOLOv3(RNG.uniform(5, 30, (2, 3, 2)))

    def count(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    assert count(model) == 373_482
    assert [count(part) for part in model.stem] == [432, 4672, 5216, 18_560, 20_672]
    assert [count(part) for part in model.deep] == [73_984, 82_304]
    heads = (model.coarse, model.lift, model.join, model.fine)
    assert [count(part) for part in heads] == [5805, 8320, 147_712, 5805]
    assert model(autograd.zeros(2, 1, 64, 64)).shape == (2, 3 * (16 + 64), 15)
    wide = YOLOv3(ANCHORS, in_channels=3, num_classes=1, image_size=96)
    assert wide(autograd.zeros(1, 3, 96, 96)).shape == (1, 2 * (36 + 144), 6)


def test_no_object_is_expected_at_first():
    outputs = YOLOv3(ANCHORS, image_size=SIZE)(autograd.rand(4, 1, SIZE, SIZE))
    chances = 1 / (1 + np.exp(-outputs.detach().numpy()[..., 4]))
    assert np.median(chances) < 0.05


def test_the_order_of_the_outputs_is_that_of_the_places():
    model = YOLOv3(ANCHORS, num_classes=1, image_size=SIZE)
    model.eval()
    model.add_module("coarse", Places(2, SIZE // 16))
    model.add_module("fine", Places(2, SIZE // 8))
    outputs = model(autograd.zeros(1, 1, SIZE, SIZE)).numpy()[0]
    rows, columns, anchors, cells = outputs[:, :4].T
    sides = SIZE / cells
    np.testing.assert_array_equal(columns * sides, PLACES[:, 0])
    np.testing.assert_array_equal(rows * sides, PLACES[:, 1])
    np.testing.assert_array_equal(anchors, np.tile([0, 1], 20))


class Places(nn.Module):
    """In place of a head: says of each output its row, column, anchor, and the map's size."""

    def __init__(self, anchors: int, cells: int) -> None:
        super().__init__()
        self.anchors, self.cells = anchors, cells

    def forward(self, x: Any) -> Any:
        """The numbers."""
        rows, columns = np.indices((self.cells, self.cells))
        maps = [
            [rows, columns, np.full_like(rows, anchor), np.full_like(rows, self.cells), rows, rows]
            for anchor in range(self.anchors)
        ]
        return autograd.tensor(np.array(maps, float).reshape(1, -1, self.cells, self.cells))


def test_every_parameter_learns():
    model = YOLOv3(ANCHORS, num_classes=CLASSES, image_size=SIZE)
    targets = some_targets(6)
    loss = YOLOv3Loss(ANCHORS, CLASSES, SIZE)(model(autograd.rand(6, 1, SIZE, SIZE)), targets)
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert np.abs(parameter.grad.numpy()).max() > 0, name


def test_one_scene_can_be_learnt():
    model = YOLOv3(ANCHORS, num_classes=CLASSES, image_size=SIZE)
    loss = YOLOv3Loss(ANCHORS, CLASSES, SIZE)
    images = autograd.rand(2, 1, SIZE, SIZE)
    rows = np.array([[[3.0, 5.0, 12.0, 14.0, 1.0]], [[6.0, 4.0, 28.0, 30.0, 2.0]]])
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(80):
        optimizer.zero_grad()
        loss(model(images), rows).backward()
        optimizer.step()
    found = model.decode(model(images), threshold=0.3)
    assert nn.metrics.mean_average_precision(found, true_boxes(rows), (0.5,)).map == 1.0


def test_weights_and_anchors_travel():
    model = YOLOv3(ANCHORS, image_size=SIZE)
    other = YOLOv3(2 * ANCHORS, image_size=SIZE)
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(other.places, model.places)


GIVEN = autograd.zeros(1, 40, 8)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: YOLOv3(ANCHORS, image_size=40), "multiple of 16"),
        (lambda: YOLOv3(ANCHORS[0]), r"anchors \(2, A, 2\), met \(2, 2\)"),
        (lambda: YOLOv3(0 * ANCHORS), "positive anchors"),
        (lambda: YOLOv3(ANCHORS)(autograd.zeros(1, 1, 32, 32)), r"met \(1, 1, 32, 32\)"),
        (lambda: YOLOv3(ANCHORS).decode(np.zeros((1, 9, 15))), r"met \(1, 9, 15\)"),
        (lambda: YOLOv3Loss(ANCHORS, image_size=40), "multiple of 16"),
        (lambda: YOLOv3Loss(ANCHORS, 2, SIZE)(GIVEN, some_targets(1)), r"\(N, 40, 7\), met"),
        (lambda: YOLOv3Loss(ANCHORS, 3, SIZE)(GIVEN, some_targets(2)), "targets of 2 images"),
        (lambda: YOLOv3Loss(ANCHORS, 3, SIZE)(GIVEN, np.zeros((1, 5))), r"\(N, M, 5\)"),
        (lambda: YOLOv3Loss(ANCHORS, 3, SIZE)(GIVEN, np.full((1, 1, 5), np.nan)), "nan"),
        (lambda: anchor_boxes([[1.0, 0.0]], 1, rng=RNG), "positive sizes"),
        (lambda: anchor_boxes([[1.0, 2.0]], 2, rng=RNG), "2 anchors of 1 boxes"),
        (lambda: anchor_boxes([1.0, 2.0], 1, rng=RNG), r"met \(2,\)"),
    ],
)
def test_bad_arguments(call, words):
    with pytest.raises(ValueError, match=words):
        call()
