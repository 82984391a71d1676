"""YOLO, first version: the loss beside loops over the paper's formula, encoding and decoding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.models import YOLOLoss, YOLOv1, true_boxes
from nn.models.yolo_loss import encode_cells, paired_iou

RNG = np.random.default_rng(0)
SIZE = 32  # of the images in most tests: 4 x 4 cells


def targets_of(*images: list[list[float]]) -> np.ndarray:
    """Rows of each image, filled up to the same number."""
    most = max(len(rows) for rows in images)
    filled = [rows + [[0.0, 0.0, 0.0, 0.0, -1.0]] * (most - len(rows)) for rows in images]
    return np.array(filled).reshape(len(images), most, 5)


def some_targets(images: int, classes: int, size: int = SIZE) -> np.ndarray:
    rows = []
    for _ in range(images):
        corners = RNG.uniform(0, size - 4, (RNG.integers(0, 4), 2))
        ends = np.minimum(corners + RNG.uniform(2, size / 2, corners.shape), size)
        labels = RNG.integers(0, classes, (len(corners), 1))
        rows.append(np.concatenate([corners, ends, labels], axis=1).tolist())
    return targets_of(*rows)


def iou(a: Any, b: Any) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    union = sum(areas) - width * height
    return width * height / union if union else 0.0


def loss_by_loops(
    outputs: np.ndarray, targets: np.ndarray, boxes: int, classes: int, size: int, rescore: bool
) -> float:
    """The paper's formula, term by term, over single cells and boxes."""
    total, cells = 0.0, outputs.shape[1]
    for output, rows in zip(outputs, targets, strict=True):
        objects: dict[tuple[int, int], Any] = {}
        for x1, y1, x2, y2, label in rows[rows[:, 4] >= 0]:
            x, y = (x1 + x2) / 2 / size * cells, (y1 + y2) / 2 / size * cells
            column, row = min(int(x), cells - 1), min(int(y), cells - 1)
            width, height = (x2 - x1) / size, (y2 - y1) / size
            objects.setdefault((row, column), (x - column, y - row, width, height, int(label)))
        for row in range(cells):
            for column in range(cells):
                cell = output[row, column]
                guesses = [cell[5 * b : 5 * b + 5] for b in range(boxes)]
                if (row, column) not in objects:
                    total += 0.5 * sum(guess[4] ** 2 for guess in guesses)
                    continue
                x, y, width, height, label = objects[row, column]

                def corners(x, y, w, h, at=(column, row)):
                    x, y = (x + at[0]) / cells, (y + at[1]) / cells
                    return x - w / 2, y - h / 2, x + w / 2, y + h / 2

                true = corners(x, y, width, height)
                overlaps = [iou(corners(g[0], g[1], g[2] ** 2, g[3] ** 2), true) for g in guesses]
                wanted = np.array([x, y, width**0.5, height**0.5])
                distances = [((g[:4] - wanted) ** 2).sum() for g in guesses]
                ranks = [
                    (-o, d if o == 0 else 0.0) for o, d in zip(overlaps, distances, strict=True)
                ]
                best = ranks.index(min(ranks))
                for b, guess in enumerate(guesses):
                    if b != best:
                        total += 0.5 * guess[4] ** 2
                        continue
                    total += 5.0 * (
                        (guess[0] - x) ** 2
                        + (guess[1] - y) ** 2
                        + (guess[2] - np.sqrt(width)) ** 2
                        + (guess[3] - np.sqrt(height)) ** 2
                    )
                    total += (guess[4] - (overlaps[b] if rescore else 1.0)) ** 2
                total += sum(
                    (chance - (c == label)) ** 2 for c, chance in enumerate(cell[5 * boxes :])
                )
    return total / len(outputs)


# --- The loss -------------------------------------------------------------------------------------


@pytest.mark.parametrize("boxes", [1, 2, 3])
@pytest.mark.parametrize("rescore", [True, False])
def test_loss_against_loops(boxes, rescore):
    classes = 3
    loss = YOLOLoss(classes, boxes, SIZE, rescore=rescore)
    for _ in range(5):
        outputs = RNG.normal(0.4, 0.3, (4, 4, 4, 5 * boxes + classes))
        targets = some_targets(4, classes)
        found = loss(autograd.tensor(outputs), autograd.tensor(targets))
        wanted = loss_by_loops(outputs, targets, boxes, classes, SIZE, rescore)
        assert found.item() == pytest.approx(wanted, rel=1e-12)


def test_gradient_of_the_loss():
    """With a constant confidence the loss is smooth, but where the responsible box changes."""
    loss = YOLOLoss(2, 2, 16, rescore=False)
    targets = autograd.tensor(
        targets_of([[1.0, 1.0, 9.0, 7.0, 0.0]], [[8.0, 2.0, 15.0, 15.0, 1.0]])
    )
    outputs = autograd.tensor(RNG.normal(0.5, 0.2, (2, 2, 2, 12)), requires_grad=True)
    assert autograd.gradcheck(lambda o: loss(o, targets), (outputs,))


def test_no_gradient_flows_through_the_overlap():
    """The gradient is that of the squares, with responsibility and IoU held where they are."""
    loss = YOLOLoss(3, 2, SIZE)
    outputs = autograd.tensor(RNG.normal(0.5, 0.2, (3, 4, 4, 13)), requires_grad=True)
    targets = some_targets(3, 3)
    loss(outputs, targets).backward()
    wanted, weight = loss.assign(outputs, targets)
    expected = 2.0 * weight * (outputs.detach().numpy() - wanted) / 3
    assert outputs.grad is not None
    np.testing.assert_allclose(outputs.grad.numpy(), expected, rtol=1e-12, atol=1e-15)


def test_the_box_that_overlaps_most_is_responsible():
    loss = YOLOLoss(1, 2, SIZE)
    targets = targets_of([[8.0, 8.0, 16.0, 16.0, 0.0]])  # the cell in row 1, column 1
    outputs = np.zeros((1, 4, 4, 11))
    outputs[0, 1, 1, :4] = [0.5, 0.5, 0.9, 0.9]  # all too large, and nearer to nothing
    outputs[0, 1, 1, 5:9] = [0.6, 0.5, 0.5, 0.5]
    wanted, weight = loss.assign(outputs, targets)
    assert weight[0, 1, 1].tolist() == [0, 0, 0, 0, 0.5, 5, 5, 5, 5, 1, 1]
    assert wanted[0, 1, 1, 5:9].tolist() == [0.5, 0.5, 0.5, 0.5]
    assert wanted[0, 1, 1, 9] == pytest.approx(iou([8.8, 8, 16.8, 16], [8, 8, 16, 16]))


def test_without_overlap_the_nearest_is_responsible():
    loss = YOLOLoss(1, 2, SIZE)
    targets = targets_of([[8.0, 8.0, 16.0, 16.0, 0.0]])
    outputs = np.zeros((1, 4, 4, 11))
    outputs[0, 1, 1, :4] = [9.0, 9.0, 0.1, 0.1]
    outputs[0, 1, 1, 5:9] = [2.0, 2.0, 0.1, 0.1]
    wanted, weight = loss.assign(outputs, targets)
    assert weight[0, 1, 1, 5:10].tolist() == [5, 5, 5, 5, 1]
    assert wanted[0, 1, 1, 9] == 0.0  # the overlap that it has


@pytest.mark.parametrize("rows", [0, 3])
def test_scenes_without_objects(rows):
    outputs = autograd.tensor(RNG.normal(size=(2, 4, 4, 13)), requires_grad=True)
    loss = YOLOLoss(3, 2, SIZE)(outputs, -np.ones((2, rows, 5)))
    confidence = outputs.detach().numpy()[..., [4, 9]]
    assert loss.item() == pytest.approx(0.5 * (confidence**2).sum() / 2)
    loss.backward()
    assert outputs.grad is not None
    assert np.isfinite(outputs.grad.numpy()).all()
    assert YOLOLoss(3, 2, SIZE)(autograd.zeros(0, 4, 4, 13), np.zeros((0, rows, 5))).item() == 0.0


def test_dtype_is_that_of_the_outputs():
    outputs = autograd.zeros(1, 4, 4, 13)
    assert YOLOLoss(3, 2, SIZE)(outputs, some_targets(1, 3)).dtype == np.float32


# --- Encoding and decoding ------------------------------------------------------------------------


def as_outputs(grid: np.ndarray, boxes: int) -> np.ndarray:
    """What a perfect network says: the last box of each cell answers."""
    empty = np.zeros((*grid.shape[:3], 5 * (boxes - 1)))
    return np.concatenate([empty, grid], axis=-1)


def test_what_is_encoded_is_decoded():
    model = YOLOv1(num_classes=4, image_size=64)
    corners = np.indices((4, 4)).reshape(2, -1).T * 16 + RNG.uniform(0, 7, (16, 2))
    ends = corners + RNG.uniform(1, 8, (16, 2))
    rows = np.concatenate([corners, ends, RNG.integers(0, 4, (16, 1))], axis=1).reshape(2, 8, 5)
    found = model.decode(as_outputs(encode_cells(rows, 8, 64, 4), 2), threshold=0.5)
    for image, true in zip(found, true_boxes(rows), strict=True):
        order = [np.lexsort(each["boxes"].T[:2]) for each in (image, true)]
        np.testing.assert_allclose(
            image["boxes"][order[0]], true["boxes"][order[1]], rtol=1e-12, atol=1e-12
        )
        np.testing.assert_array_equal(image["labels"][order[0]], true["labels"][order[1]])
        np.testing.assert_allclose(image["scores"], 1.0)


@pytest.mark.parametrize(
    ("box", "cell", "offset"),
    [
        ([4.0, 4.0, 12.0, 12.0], (1, 1), (0.0, 0.0)),  # the centre on a corner of four cells
        ([4.0, 0.0, 12.0, 8.0], (0, 1), (0.0, 0.5)),  # on the border of two
        ([0.0, 0.0, 2.0, 2.0], (0, 0), (0.125, 0.125)),
        ([30.0, 28.0, 32.0, 32.0], (3, 3), (0.875, 0.75)),
        ([np.nextafter(32.0, 0.0), 0.0, 32.0, 8.0], (0, 3), None),  # rounds to the image's edge
    ],
)
def test_centres_on_borders(box, cell, offset):
    grid = encode_cells([[[*box, 0.0]]], 4, 32, 1)
    assert [tuple(place) for place in np.argwhere(grid[0, :, :, 4])] == [cell]
    if offset:
        np.testing.assert_allclose(grid[0, cell[0], cell[1], :2], offset)
    (found,) = YOLOv1(num_classes=1, image_size=32).decode(as_outputs(grid, 2))
    np.testing.assert_allclose(found["boxes"], [box], atol=1e-9)


def test_the_first_object_of_a_cell_stays():
    rows = targets_of([[1.0, 1.0, 5.0, 5.0, 2.0], [0.0, 0.0, 7.0, 7.0, 1.0]])
    grid = encode_cells(rows, 4, 32, 3)
    assert grid[0, 0, 0].tolist() == [3 / 8, 3 / 8, 8**-0.5, 8**-0.5, 1, 0, 0, 1]
    assert grid[..., 4].sum() == 1


def test_decoding_clips_ranks_and_suppresses():
    model = YOLOv1(num_classes=2, image_size=32)
    outputs = np.zeros((1, 4, 4, 12))
    outputs[0, 0, 0] = [0, 0, 0.5, 0.5, 0.8, 0, 0, 0.5, 0.5, 0.9, 0.1, 1.0]
    outputs[0, 3, 3] = [1, 1, 1, 1, 0.95, 0.5, 0.5, 0.1, 0.1, -3.0, 1.0, -4.0]
    (found,) = model.decode(outputs)
    np.testing.assert_allclose(found["boxes"], [[16, 16, 32, 32], [0, 0, 4, 4]])
    np.testing.assert_allclose(found["scores"], [0.95, 0.9])
    assert found["labels"].tolist() == [0, 1]
    assert len(model.decode(outputs, threshold=0.92)[0]["boxes"]) == 1
    assert len(model.decode(outputs, iou_threshold=1.0)[0]["boxes"]) == 3  # with the double
    assert model.decode(np.zeros((0, 4, 4, 12))) == []
    (nothing,) = model.decode(np.zeros((1, 4, 4, 12)))
    assert nothing["boxes"].shape == (0, 4)


def test_true_boxes():
    rows = targets_of([[1.0, 2.0, 3.0, 4.0, 7.0]], [])
    found = true_boxes(autograd.tensor(rows))
    assert [len(image["labels"]) for image in found] == [1, 0]
    assert found[0]["labels"].dtype == np.int64
    with pytest.raises(ValueError, match=r"\(2, 5\)"):
        true_boxes(np.zeros((2, 5)))


def test_paired_iou():
    some, others = (
        np.concatenate([c, c + RNG.random((6, 2))], axis=1) for c in RNG.random((2, 6, 2))
    )
    wanted = [iou(a, b) for a, b in zip(some, others, strict=True)]
    np.testing.assert_allclose(paired_iou(some, others), wanted)
    assert paired_iou(np.zeros(4), np.zeros(4)) == 0.0


# --- The model ------------------------------------------------------------------------------------


def test_parameters_and_shapes():
    model = YOLOv1()
    assert sum(p.numel() for p in model.parameters()) == 247_940
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in model.backbone]
    assert [size for size in sizes if size] == [432, 4672, 18_560, 73_984, 147_712]
    assert sum(p.numel() for p in model.head.parameters()) == 2580
    assert model(autograd.zeros(3, 1, 64, 64)).shape == (3, 8, 8, 20)
    wide = YOLOv1(in_channels=3, num_classes=4, boxes_per_cell=3, image_size=96)
    assert wide(autograd.zeros(1, 3, 96, 96)).shape == (1, 12, 12, 19)


def test_every_parameter_learns():
    model, loss = YOLOv1(num_classes=3, image_size=SIZE), YOLOLoss(3, 2, SIZE)
    images = autograd.rand(4, 1, SIZE, SIZE)
    loss(model(images), some_targets(4, 3)).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert np.abs(parameter.grad.numpy()).max() > 0, name


def test_one_scene_can_be_learnt():
    model, loss = YOLOv1(num_classes=3, image_size=SIZE), YOLOLoss(3, 2, SIZE)
    images = autograd.rand(2, 1, SIZE, SIZE)
    rows = targets_of([[3.0, 5.0, 17.0, 21.0, 1.0]], [[12.0, 2.0, 30.0, 16.0, 2.0]])
    optimizer = optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        value = loss(model(images), rows)
        value.backward()
        optimizer.step()
    found = model.decode(model(images), threshold=0.3)
    assert nn.metrics.mean_average_precision(found, true_boxes(rows), (0.5,)).map == 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: YOLOv1(image_size=60), "multiple of 8, met 1, 10 and 60"),
        (lambda: YOLOv1(num_classes=0), "at least 1"),
        (lambda: YOLOv1(boxes_per_cell=0), "boxes_per_cell"),
        (lambda: YOLOv1()(autograd.zeros(1, 64, 64)), r"\(N, 1, 64, 64\), met \(1, 64, 64\)"),
        (lambda: YOLOv1()(autograd.zeros(2, 3, 64, 64)), r"met \(2, 3, 64, 64\)"),
        (lambda: YOLOv1().decode(np.zeros((1, 8, 8, 19))), r"\(N, S, S, 20\).*met \(1, 8, 8, 19\)"),
        (lambda: YOLOv1().decode(np.full((1, 8, 8, 20), np.nan)), "128 of 128 scores are NaN"),
        (lambda: YOLOLoss()(autograd.zeros(1, 8, 20), np.zeros((1, 1, 5))), r"met \(1, 8, 20\)"),
        (lambda: YOLOLoss()(autograd.zeros(1, 8, 8, 20), np.zeros((1, 5))), r"\(N, M, 5\)"),
        (lambda: YOLOLoss()(autograd.zeros(1, 8, 8, 20), -np.ones((2, 1, 5))), "of 2 images"),
        (lambda: encode_cells([[[0, 0, 65, 8, 1]]], 8, 64, 10), "x2 <= 64"),
        (lambda: encode_cells([[[8, 0, 8, 8, 1]]], 8, 64, 10), "x1 < x2"),
        (lambda: encode_cells([[[0, 0, 8, 8, 10]]], 8, 64, 10), "class below 10"),
        (lambda: encode_cells([[[0, 0, 8, 8, 0.5]]], 8, 64, 10), "a class"),
        (lambda: encode_cells([[[0, 0, np.nan, 8, 1]]], 8, 64, 10), "met .*nan"),
        (lambda: encode_cells([[[0, 0, 8, 8, np.nan]]], 8, 64, 10), "met .*nan"),
    ],
)
def test_bad_arguments(call, words):
    with pytest.raises(ValueError, match=words):
        call()
