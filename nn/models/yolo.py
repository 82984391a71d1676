"""YOLO's first version: a detector that looks once, and answers for each cell of a grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

from ..layers.activation_bent import LeakyReLU
from ..layers.containers import Sequential
from ..layers.conv import Conv2d
from ..layers.norm_channel import BatchNorm2d
from ..layers.pool import MaxPool2d
from ..metrics import batched_nms
from ..module import Module

Found = list[dict[str, np.ndarray]]

STRIDE = 8  # pixels of a cell's side: one convolution of stride 2, two poolings
SLOPE = 0.1  # of the leaky rectifiers, as in the paper


def conv_block(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> Module:
    """
    Convolution that keeps the size (but for the stride), batch normalization, leaky rectifier.

    Examples
    --------
    >>> import autograd
    >>> conv_block(1, 4, 3, stride=2)(autograd.zeros(2, 1, 8, 8)).shape
    (2, 4, 4, 4)
    """
    return Sequential(
        Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False),
        BatchNorm2d(out_channels),
        LeakyReLU(SLOPE),
    )


class YOLOv1(Module):
    """
    "You only look once" for small images: boxes and classes for each cell of a grid, in one pass.

    ================ ============== ===========
    layer            output         parameters
    ================ ============== ===========
    conv 5x5, step 2 16 x 32 x 32   432
    conv 3x3, pool 2 32 x 16 x 16   4672
    conv 3x3, pool 2 64 x 8 x 8     18560
    conv 3x3         128 x 8 x 8    73984
    conv 3x3         128 x 8 x 8    147712
    conv 1x1         20 x 8 x 8     2580
    ================ ============== ===========

    247,940 parameters, for one input channel, ten classes, and two boxes in each cell. Each
    convolution but the last is followed by batch normalization and a leaky rectifier.

    The outputs of a cell are, for each of its boxes, x and y of the centre from 0 to 1 across the
    cell, square roots of width and height as shares of the image, and a confidence; then the
    probabilities of the classes, which all boxes of the cell share. All are plain numbers that
    are fitted by squares, see `YOLOLoss`. That the network gives the square roots, whose
    differences the paper's loss holds, is as in its authors' program; a width cannot be negative.

    Redmon, Divvala, Girshick and Farhadi 2016, "You only look once: unified, real-time object
    detection". What differs: six small convolutions where the paper has 24, batch normalization,
    and a last convolution where the paper has linear layers, so that a cell sees its
    surroundings, not the whole image.

    Parameters
    ----------
    in_channels : int, default 1
    num_classes : int, default 10
    boxes_per_cell : int, default 2
    image_size : int, default 64
        Width and height of the images; a multiple of 8, the pixels of a cell.

    Raises
    ------
    ValueError
        If a number is not positive, `image_size` is no multiple of 8, or, in the call, if the
        input is not (N, in_channels, image_size, image_size).

    Examples
    --------
    >>> import autograd
    >>> model = YOLOv1()
    >>> outputs = model(autograd.zeros(2, 1, 64, 64))
    >>> outputs.shape
    (2, 8, 8, 20)
    >>> len(model.decode(outputs))
    2
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        boxes_per_cell: int = 2,
        image_size: int = 64,
    ) -> None:
        super().__init__()
        check_geometry("YOLOv1", in_channels, num_classes, image_size, STRIDE)
        if boxes_per_cell < 1:
            raise ValueError(f"YOLOv1: boxes_per_cell must be at least 1, not {boxes_per_cell}")
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.boxes_per_cell = boxes_per_cell
        self.image_size = image_size
        self.backbone = Sequential(
            conv_block(in_channels, 16, 5, stride=2),
            conv_block(16, 32, 3),
            MaxPool2d(2),
            conv_block(32, 64, 3),
            MaxPool2d(2),
            conv_block(64, 128, 3),
            conv_block(128, 128, 3),
        )
        self.head = Conv2d(128, 5 * boxes_per_cell + num_classes, 1)

    def forward(self, x: Any) -> Any:
        """Map images (N, in_channels, size, size) to (N, S, S, 5 * boxes_per_cell + classes)."""
        check_images("YOLOv1", x, self.in_channels, self.image_size)
        return self.head(self.backbone(x)).permute(0, 2, 3, 1)

    def decode(self, outputs: Any, threshold: float = 0.2, iou_threshold: float = 0.5) -> Found:
        """
        Boxes in pixels from the outputs, in the form that `nn.metrics` takes.

        The score of a box is its confidence times the probability of the likeliest class of its
        cell (the paper keeps all classes). Of boxes of one class that overlap, the best is kept.

        Parameters
        ----------
        outputs : Tensor, (N, S, S, 5 * boxes_per_cell + num_classes)
        threshold : float, default 0.2
            Boxes of a lower score are left out.
        iou_threshold : float, default 0.5
            Of non-maximum suppression.

        Returns
        -------
        list of dict, one for each image
            "boxes" (K, 4) by two corners, within the image; "scores" (K,), best first; "labels"
            (K,).

        Raises
        ------
        ValueError
            If the outputs have another shape.
        """
        return decode_cells(
            outputs,
            self.boxes_per_cell,
            self.num_classes,
            self.image_size,
            threshold,
            iou_threshold,
        )


def decode_cells(
    outputs: Any,
    boxes_per_cell: int = 2,
    num_classes: int = 10,
    image_size: int = 64,
    threshold: float = 0.2,
    iou_threshold: float = 0.5,
) -> Found:
    """
    `YOLOv1.decode` without a model, for the outputs of one with these numbers.

    Raises
    ------
    ValueError
        If the outputs have another shape.

    Examples
    --------
    >>> decode_cells(np.zeros((2, 8, 8, 20)))[1]["boxes"].shape
    (0, 4)
    """
    values = as_numbers(outputs)
    count = boxes_per_cell
    check_outputs("YOLOv1.decode", values, count, num_classes)
    boxes = cell_boxes(values[..., : 5 * count].reshape(*values.shape[:3], count, 5))
    confidence = values[..., 4 : 5 * count : 5].clip(min=0.0)
    chances = values[..., 5 * count :]
    scores = confidence * chances.max(axis=-1, keepdims=True).clip(min=0.0)
    labels = np.broadcast_to(chances.argmax(axis=-1)[..., None], scores.shape)
    flat = (len(values), values.shape[1] * values.shape[2] * count)
    return best_boxes(
        boxes.reshape(*flat, 4) * image_size,
        scores.reshape(flat),
        labels.reshape(flat),
        image_size,
        threshold,
        iou_threshold,
    )


def cell_boxes(predicted: np.ndarray) -> np.ndarray:
    """
    Boxes (..., rows, columns, B, 4) by two corners, as shares of the image, of what cells predict.

    Parameters
    ----------
    predicted : ndarray, (..., rows, columns, B, 5)
        x and y of the centre across the cell, square roots of width and height, confidence.

    Examples
    --------
    >>> cell_boxes(np.array([[[[0.5, 0.5, 0.5, 1.0, 1.0]]]]))[0, 0]
    array([[0.375, 0.   , 0.625, 1.   ]])
    """
    rows, columns = predicted.shape[-4:-2]
    x = (predicted[..., 0] + np.arange(columns)[:, None]) / columns
    y = (predicted[..., 1] + np.arange(rows)[:, None, None]) / rows
    width, height = predicted[..., 2] ** 2, predicted[..., 3] ** 2
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=-1)


def best_boxes(
    boxes: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray,
    image_size: int,
    threshold: float,
    iou_threshold: float,
) -> Found:
    """
    For each image the boxes that score enough, cut off at its border, without their doubles.

    Parameters
    ----------
    boxes : ndarray, (N, P, 4)
        By two corners, in pixels.
    scores, labels : ndarray, (N, P)
    image_size : int
    threshold, iou_threshold : float

    Raises
    ------
    ValueError
        If a score is NaN.

    Examples
    --------
    >>> box = np.array([[[1.0, 2.0, 3.0, 9.0], [1.0, 2.0, 3.0, 8.0]]])
    >>> best_boxes(box, np.array([[0.7, 0.6]]), np.array([[3, 3]]), 8, 0.5, 0.5)[0]["boxes"]
    array([[1., 2., 3., 8.]])
    """
    if np.isnan(scores).any():
        raise ValueError(f"decode: {np.isnan(scores).sum()} of {scores.size} scores are NaN")
    found: Found = []
    boxes = boxes.clip(0.0, image_size)
    for corners, chances, classes in zip(boxes, scores, labels, strict=True):
        enough = chances >= threshold
        corners, chances, classes = corners[enough], chances[enough], classes[enough]
        kept = batched_nms(corners, chances, classes, iou_threshold)
        found.append({"boxes": corners[kept], "scores": chances[kept], "labels": classes[kept]})
    return found


def true_boxes(targets: Any) -> Found:
    """
    Rows (x1, y1, x2, y2, class) of images in the form that `nn.metrics` takes.

    Parameters
    ----------
    targets : Tensor, (N, M, 5)
        Rows of a negative class are none.

    Returns
    -------
    list of dict, one for each image
        "boxes" (K, 4) and "labels" (K,).

    Raises
    ------
    ValueError
        If the targets have another shape.

    Examples
    --------
    >>> true_boxes([[[1.0, 2.0, 3.0, 4.0, 7.0], [0.0, 0.0, 0.0, 0.0, -1.0]]])
    [{'boxes': array([[1., 2., 3., 4.]]), 'labels': array([7])}]
    """
    rows = as_numbers(targets)
    if rows.ndim != 3 or rows.shape[2] != 5:
        raise ValueError(f"true_boxes: expected targets (N, M, 5), met {rows.shape}")
    images = [image[image[:, 4] >= 0] for image in rows]
    return [{"boxes": image[:, :4], "labels": image[:, 4].astype(np.int64)} for image in images]


def as_numbers(value: Any) -> np.ndarray:
    """
    A Tensor, array or list as an array of floats.

    Examples
    --------
    >>> as_numbers([[1, 2]])
    array([[1., 2.]])
    """
    array = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_geometry(
    who: str, in_channels: int, num_classes: int, image_size: int, stride: int
) -> None:
    """
    Refuse numbers that no detector can be made of.

    Raises
    ------
    ValueError
        Which says what they must be.

    Examples
    --------
    >>> check_geometry("YOLOv1", 1, 10, 64, 8)
    """
    if min(in_channels, num_classes, image_size) < 1 or image_size % stride:
        raise ValueError(
            f"{who}: in_channels and num_classes must be at least 1 and image_size a multiple of "
            f"{stride}, met {in_channels}, {num_classes} and {image_size}"
        )


def check_images(who: str, x: Any, in_channels: int, image_size: int) -> None:
    """
    Refuse images of another shape.

    Raises
    ------
    ValueError
        With the shape that is expected.

    Examples
    --------
    >>> import autograd
    >>> check_images("YOLOv1", autograd.zeros(1, 1, 64, 64), 1, 64)
    """
    expected = (in_channels, image_size, image_size)
    if len(x.shape) != 4 or tuple(x.shape[1:]) != expected:
        raise ValueError(
            f"{who}: expected images (N, {', '.join(map(str, expected))}), met {tuple(x.shape)}"
        )


def check_outputs(who: str, values: Any, boxes_per_cell: int, num_classes: int) -> None:
    """
    Refuse outputs of another shape than those of `YOLOv1`.

    Raises
    ------
    ValueError
        With the shape that is expected.

    Examples
    --------
    >>> check_outputs("YOLOLoss", np.zeros((1, 8, 8, 20)), 2, 10)
    """
    width = 5 * boxes_per_cell + num_classes
    if len(values.shape) != 4 or values.shape[1] != values.shape[2] or values.shape[3] != width:
        raise ValueError(
            f"{who}: expected outputs (N, S, S, {width}) for {boxes_per_cell} boxes and "
            f"{num_classes} classes, met {tuple(values.shape)}"
        )
