"""The loss of YOLO's third version: which anchor answers for which object, and by how much."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import sigmoid

from .. import functional as F
from ..module import Module
from .yolo import check_geometry
from .yolo_loss import check_targets, paired_iou
from .yolo_v3 import ANCHORS, STRIDES, anchor_places, shape_iou


class AnchorTargets(NamedTuple):
    """
    What the boxes of `YOLOv3` should be.

    Attributes
    ----------
    image, place : ndarray of int, (K,)
        The boxes that answer for an object, K in all: outputs[image, place].
    boxes : ndarray, (K, 4)
        x and y across the cell; logarithms of width and height as multiples of the anchor's.
    classes : ndarray, (K, num_classes)
        1 for the class.
    objectness : ndarray, (N, P)
        1 for those boxes, else 0.
    counted : ndarray, (N, P)
        0 where objectness does not matter, else 1.
    """

    image: np.ndarray
    place: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    objectness: np.ndarray
    counted: np.ndarray


def encode_anchors(
    targets: Any, places: np.ndarray, image_size: int, num_classes: int, ignore: float = 0.5
) -> AnchorTargets:
    """
    Give each object to the anchor of its shape, in the cell that holds its centre.

    Parameters
    ----------
    targets : Tensor, (N, M, 5)
        Rows (x1, y1, x2, y2, class), corners in pixels; those of a negative class are none.
    places : ndarray, (P, 5)
        See `anchor_places`.
    image_size, num_classes : int
    ignore : float, default 0.5
        Anchors that overlap an object by more than this but do not answer for it are not counted.

    Returns
    -------
    AnchorTargets
        Where two objects ask for one anchor, the first gets it, and the other none.

    Raises
    ------
    ValueError
        If the shape is another, a box is not within the image or its corners are not in order, or
        a class is not below `num_classes`.

    Examples
    --------
    >>> places = anchor_places([[[24.0, 32.0]], [[8.0, 8.0]]], 64)
    >>> encoded = encode_anchors([[[8.0, 0.0, 32.0, 32.0, 1.0]]], places, 64, 2)
    >>> places[encoded.place], encoded.boxes
    (array([[16., 16., 16., 24., 32.]]), array([[0.25, 0.  , 0.  , 0.  ]]))
    """
    rows = check_targets("encode_anchors", targets, image_size, num_classes)
    image, which = np.nonzero(rows[:, :, 4] >= 0)
    found = rows[image, which]
    centre, size = (found[:, :2] + found[:, 2:4]) / 2, found[:, 2:4] - found[:, :2]
    corner, side, anchor = places[:, :2], places[:, 2:3], places[:, 3:]
    # A centre at the edge of the image belongs to the last cell.
    cell = np.floor(centre[:, None] / side).clip(max=image_size // side - 1) * side
    inside = (cell == corner).all(axis=2)
    place = np.where(inside, shape_iou(size, anchor), -1.0).argmax(axis=1)

    middle = corner + side / 2
    priors = np.concatenate([middle - anchor / 2, middle + anchor / 2], axis=1)
    near = paired_iou(found[:, None, :4], priors) > ignore
    counted = np.ones((len(rows), len(places)))
    np.minimum.at(counted, image, np.where(near, 0.0, 1.0))
    counted[image, place] = 1.0
    objectness = np.zeros_like(counted)
    objectness[image, place] = 1.0

    # The same image and place twice: the first stays.
    first = np.unique(image * len(places) + place, return_index=True)[1]
    image, place, found, centre, size = (
        each[first] for each in (image, place, found, centre, size)
    )
    return AnchorTargets(
        image,
        place,
        np.concatenate(
            [(centre - corner[place]) / side[place], np.log(size / anchor[place])], axis=1
        ),
        np.eye(num_classes)[found[:, 4].astype(np.int64)],
        objectness,
        counted,
    )


class YOLOv3Loss(Module):
    r"""
    The loss of YOLO's third version: squares of the place, logistic losses of the rest.

    .. math::
        \lambda_\mathrm{coord} \sum_\mathrm{objects} \left[(\sigma(t_x) - \hat x)^2
        + (\sigma(t_y) - \hat y)^2 + (t_w - \hat t_w)^2 + (t_h - \hat t_h)^2\right]
        + \sum_\mathrm{boxes} H(\sigma(t_o), \hat o)
        + \sum_\mathrm{objects} \sum_c H(\sigma(t_c), \hat p_c)

    with the binary cross-entropy H; the mean over images. Which box answers for an object is
    settled by the shapes alone, before anything is learnt: the anchor that fits best, in the cell
    of the centre. Other anchors that overlap an object well are left out of the objectness.

    Redmon and Farhadi 2018, "YOLOv3: an incremental improvement".

    Parameters
    ----------
    anchors : array, (2, A, 2), optional
        As in `YOLOv3`.
    num_classes : int, default 10
    image_size : int, default 64
    lambda_coord : float, default 1.0
        How much the place counts beside the rest.
    ignore : float, default 0.5
        See `encode_anchors`.

    Raises
    ------
    ValueError
        If the anchors are none; in the call, if shapes do not fit, or a target is no box within
        the image.

    Examples
    --------
    >>> loss = YOLOv3Loss([[[24.0, 32.0]], [[8.0, 8.0]]], num_classes=1)
    >>> outputs = autograd.full((1, 80, 6), -20.0)  # no object anywhere, and none there
    >>> loss(outputs, -autograd.ones(1, 3, 5))
    tensor(1.6489e-07)
    """

    def __init__(
        self,
        anchors: Any = ANCHORS,
        num_classes: int = 10,
        image_size: int = 64,
        lambda_coord: float = 1.0,
        ignore: float = 0.5,
    ) -> None:
        super().__init__()
        check_geometry("YOLOv3Loss", 1, num_classes, image_size, max(STRIDES))
        self.places = anchor_places(anchors, image_size)
        self.num_classes = num_classes
        self.image_size = image_size
        self.lambda_coord = lambda_coord
        self.ignore = ignore

    def forward(self, outputs: Any, targets: Any) -> Any:
        """Mean loss of outputs (N, P, 5 + C) and targets (N, M, 5), see `encode_anchors`."""
        expected = (len(self.places), 5 + self.num_classes)
        if tuple(outputs.shape[1:]) != expected:
            raise ValueError(
                f"YOLOv3Loss: expected outputs (N, {', '.join(map(str, expected))}), met "
                f"{tuple(outputs.shape)}"
            )
        wanted = encode_anchors(
            targets, self.places, self.image_size, self.num_classes, self.ignore
        )
        count = len(wanted.counted)
        if count != outputs.shape[0]:
            raise ValueError(
                f"YOLOv3Loss: {outputs.shape[0]} outputs, but targets of {count} images"
            )
        boxes, classes, objectness, counted = (
            autograd.tensor(each.astype(outputs.dtype)) for each in wanted[2:]
        )
        found = outputs[wanted.image, wanted.place]
        misses = autograd.cat([sigmoid(found[:, :2]), found[:, 2:4]], 1) - boxes
        logistic = F.binary_cross_entropy_with_logits
        total = (
            self.lambda_coord * (misses * misses).sum()
            + logistic(outputs[:, :, 4], objectness, counted, reduction="sum")
            + logistic(found[:, 5:], classes, reduction="sum")
        )
        return total / max(count, 1)
