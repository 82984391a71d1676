"""YOLO's third version, in small: anchors at two scales, and logistic losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
from autograd import Tensor

from ..layers.containers import Sequential
from ..layers.conv import Conv2d
from ..layers.upsample import Upsample
from ..module import Module
from .yolo import Found, as_numbers, best_boxes, check_geometry, check_images, conv_block

Floats = NDArray[np.float64]

STRIDES = (16, 8)  # pixels of a cell's side, of the coarse and of the fine map
RARE = 0.01  # what the chance of an object starts at: most of the boxes never hold one
LARGEST = 8.0  # of the logarithms of widths: beyond any image, and none overflows
# What `anchor_boxes` makes of the digits of `nn.data.digit_scenes`, rounded: the large ones first.
ANCHORS = (((14.0, 24.0), (20.0, 25.0), (26.0, 27.0)), ((7.0, 19.0), (12.0, 16.0), (17.0, 18.0)))
ROUNDS = 300  # after which k-means stops, if it has not settled


def shape_iou(sizes: Any, anchors: Any) -> Floats:
    """
    Intersection over union of boxes that share their centre: how well an anchor fits.

    Parameters
    ----------
    sizes : array, (N, 2)
        Widths and heights.
    anchors : array, (K, 2)

    Returns
    -------
    ndarray, (N, K)

    Examples
    --------
    >>> shape_iou([[2.0, 4.0]], [[2.0, 2.0], [4.0, 4.0]])
    array([[0.5, 0.5]])
    """
    first, second = as_numbers(sizes)[:, None], as_numbers(anchors)[None]
    shared = np.minimum(first, second).prod(axis=2)
    return shared / (first.prod(axis=2) + second.prod(axis=2) - shared)


def anchor_boxes(sizes: Any, count: int, *, rng: np.random.Generator) -> Floats:
    """
    Anchors: the typical shapes of boxes, by k-means with the distance 1 - IoU.

    Parameters
    ----------
    sizes : array, (N, 2)
        Widths and heights of the boxes of a training set, all positive.
    count : int
        Anchors, at most N.
    rng : np.random.Generator
        Draws the boxes to begin with, each with chances by the squared distance from those before.

    Returns
    -------
    ndarray, (count, 2)
        Widths and heights, by area.

    Raises
    ------
    ValueError
        If the shape is another, a size is not positive, or there are fewer boxes than anchors.

    Examples
    --------
    >>> sizes = [[2.0, 4.0], [2.0, 4.2], [9.0, 9.0], [9.0, 9.4]]
    >>> anchor_boxes(sizes, 2, rng=np.random.default_rng(0))
    array([[2. , 4.1],
           [9. , 9.2]])
    """
    shapes = as_numbers(sizes).astype(np.float64)
    if shapes.ndim != 2 or shapes.shape[1] != 2 or not (shapes > 0).all():
        raise ValueError(f"anchor_boxes: expected positive sizes (N, 2), met {shapes.shape}")
    if not 1 <= count <= len(shapes):
        raise ValueError(f"anchor_boxes: {count} anchors of {len(shapes)} boxes")
    anchors = shapes[rng.integers(len(shapes), size=1)]
    while len(anchors) < count:  # k-means++: the next begins far from those that are there
        far = (1.0 - shape_iou(shapes, anchors).max(axis=1)).clip(min=0.0) ** 2
        chances = far / far.sum() if far.sum() > 0 else None
        anchors = np.concatenate([anchors, shapes[rng.choice(len(shapes), 1, p=chances)]])
    nearest = np.full(len(shapes), -1)
    for _ in range(ROUNDS):
        before, nearest = nearest, shape_iou(shapes, anchors).argmax(axis=1)
        if (nearest == before).all():
            break
        for k in range(count):
            if (nearest == k).any():
                anchors[k] = shapes[nearest == k].mean(axis=0)
    return anchors[np.argsort(anchors.prod(axis=1), kind="stable")]


def anchor_places(anchors: Any, image_size: int) -> Floats:
    """
    Where each box of `YOLOv3` starts from, in the order of its outputs.

    Parameters
    ----------
    anchors : array, (2, A, 2)
        Widths and heights in pixels, of the coarse and of the fine map.
    image_size : int

    Returns
    -------
    ndarray, (P, 5)
        Left and upper border of the cell, its side, and the anchor's width and height, in pixels.

    Raises
    ------
    ValueError
        If the anchors have another shape, or are not positive.

    Examples
    --------
    >>> anchor_places([[[9.0, 8.0]], [[3.0, 4.0]]], 16)[:3]
    array([[ 0.,  0., 16.,  9.,  8.],
           [ 0.,  0.,  8.,  3.,  4.],
           [ 8.,  0.,  8.,  3.,  4.]])
    """
    shapes = as_numbers(anchors).astype(np.float64)
    if shapes.ndim != 3 or shapes.shape[::2] != (2, 2) or not (shapes > 0).all():
        raise ValueError(f"YOLOv3: expected positive anchors (2, A, 2), met {shapes.shape}")
    places = []
    for stride, of_map in zip(STRIDES, shapes, strict=True):
        y, x = np.indices((image_size // stride,) * 2).reshape(2, -1) * stride
        corners = np.stack([x, y, np.full(len(x), stride)], axis=1)
        places.append(
            np.hstack([np.repeat(corners, len(of_map), axis=0), np.tile(of_map, (len(x), 1))])
        )
    return np.concatenate(places)


class Residual(Module):
    """
    Darknet's block: half as many channels and back, added to what came in.

    Examples
    --------
    >>> Residual(8)(autograd.zeros(1, 8, 4, 4)).shape
    (1, 8, 4, 4)
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = Sequential(
            conv_block(channels, channels // 2, 1), conv_block(channels // 2, channels, 3)
        )

    def forward(self, x: Any) -> Any:
        """Map (N, channels, H, W) to the same shape."""
        return x + self.body(x)


class YOLOv3(Module):
    """
    A small YOLO of the third version: boxes start from anchors, on a coarse and on a fine map.

    =================== ============= ===========
    layer               output        parameters
    =================== ============= ===========
    conv 5x5, step 2    16 x 32 x 32  432
    conv 3x3, step 2    32 x 16 x 16  4672
    residual block      32 x 16 x 16  5216
    conv 3x3, step 2    64 x 8 x 8    18560
    residual block      64 x 8 x 8    20672
    conv 3x3, step 2    128 x 4 x 4   73984
    residual block      128 x 4 x 4   82304
    coarse head: 1x1    45 x 4 x 4    5805
    conv 1x1, doubled   64 x 8 x 8    8320
    conv 3x3 of both    128 x 8 x 8   147712
    fine head: 1x1      45 x 8 x 8    5805
    =================== ============= ===========

    373,482 parameters, for one input channel, ten classes, and three anchors for each map. Each
    convolution but the heads' is followed by batch normalization and a leaky rectifier; a
    residual block is 1x1 to half the channels and 3x3 back.

    A box has x and y (through a sigmoid, across its cell), width and height (logarithms of what
    the anchor's are multiplied by), objectness, and scores of the classes, each through a sigmoid
    of its own. Redmon and Farhadi 2018, "YOLOv3: an incremental improvement"; the paper has 53
    layers and three maps.

    Parameters
    ----------
    anchors : array, (2, A, 2), optional
        Widths and heights in pixels: those of the coarse map (large objects) first. See
        `anchor_boxes`. Default: three for each map, for scenes of digits.
    in_channels : int, default 1
    num_classes : int, default 10
    image_size : int, default 64
        Width and height of the images; a multiple of 16.

    Raises
    ------
    ValueError
        If an argument is not as said, or, in the call, if the input is not (N, in_channels,
        image_size, image_size).

    Examples
    --------
    >>> model = YOLOv3([[[24.0, 28.0]], [[12.0, 16.0]]])
    >>> model(autograd.zeros(2, 1, 64, 64)).shape  # 4 * 4 + 8 * 8 boxes
    (2, 80, 15)
    """

    places: Tensor

    def __init__(
        self,
        anchors: Any = ANCHORS,
        in_channels: int = 1,
        num_classes: int = 10,
        image_size: int = 64,
    ) -> None:
        super().__init__()
        check_geometry("YOLOv3", in_channels, num_classes, image_size, max(STRIDES))
        self.in_channels = in_channels
        self.num_classes = num_classes
        self.image_size = image_size
        # A buffer: weights are of no use with other anchors.
        self.register_buffer("places", autograd.tensor(anchor_places(anchors, image_size)).float())
        outputs = len(as_numbers(anchors)[0]) * (5 + num_classes)
        self.stem = Sequential(
            conv_block(in_channels, 16, 5, stride=2),
            conv_block(16, 32, 3, stride=2),
            Residual(32),
            conv_block(32, 64, 3, stride=2),
            Residual(64),
        )
        self.deep = Sequential(conv_block(64, 128, 3, stride=2), Residual(128))
        self.coarse = Conv2d(128, outputs, 1)
        self.lift = Sequential(conv_block(128, 64, 1), Upsample(scale_factor=2))
        self.join = conv_block(128, 128, 3)
        self.fine = Conv2d(128, outputs, 1)
        for head in (self.coarse, self.fine):
            with autograd.no_grad():
                bias = head.get_parameter("bias")
                bias[4 :: 5 + num_classes] = np.log(RARE / (1.0 - RARE))

    def forward(self, x: Any) -> Any:
        """Map images to (N, P, 5 + classes): the coarse map's boxes by row, column and anchor."""
        check_images("YOLOv3", x, self.in_channels, self.image_size)
        near = self.stem(x)
        far = self.deep(near)
        joined = self.join(autograd.cat([self.lift(far), near], 1))
        maps = self.coarse(far), self.fine(joined)
        width = 5 + self.num_classes
        # Sizes but the batch's are plain numbers, so that an exported model takes any batch.
        rows = [
            each.permute(0, 2, 3, 1).reshape(-1, math.prod(each.shape[1:]) // width, width)
            for each in maps
        ]
        return autograd.cat(rows, 1)

    def decode(self, outputs: Any, threshold: float = 0.2, iou_threshold: float = 0.5) -> Found:
        """
        Boxes in pixels from the outputs, in the form that `nn.metrics` takes.

        The score is the chance of an object times that of its likeliest class.

        Parameters
        ----------
        outputs : Tensor, (N, P, 5 + num_classes)
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
        return decode_anchors(outputs, self.places, self.image_size, threshold, iou_threshold)


def decode_anchors(
    outputs: Any,
    places: Any,
    image_size: int = 64,
    threshold: float = 0.2,
    iou_threshold: float = 0.5,
) -> Found:
    """
    `YOLOv3.decode` without a model, for the outputs of one whose boxes start from `places`.

    Raises
    ------
    ValueError
        If the outputs have another shape.

    Examples
    --------
    >>> places = anchor_places([[[24.0, 28.0]], [[12.0, 16.0]]], 64)
    >>> decode_anchors(np.full((1, 80, 7), -9.0), places)[0]["boxes"].shape
    (0, 4)
    """
    values, cells = as_numbers(outputs), as_numbers(places)
    if values.ndim != 3 or values.shape[1] != len(cells) or values.shape[2] < 6:
        raise ValueError(
            f"YOLOv3.decode: expected outputs (N, {len(cells)}, 5 + classes), met {values.shape}"
        )
    corner, side, anchor = cells[:, :2], cells[:, 2:3], cells[:, 3:]
    centre = corner + side * _sigmoid(values[..., :2])
    half = anchor * np.exp(values[..., 2:4].clip(max=LARGEST)) / 2
    chances = _sigmoid(values[..., 4:])
    return best_boxes(
        np.concatenate([centre - half, centre + half], axis=-1),
        chances[..., 0] * chances[..., 1:].max(axis=-1),
        chances[..., 1:].argmax(axis=-1),
        image_size,
        threshold,
        iou_threshold,
    )


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * values)
