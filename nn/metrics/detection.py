"""Boxes: their forms, how much two of them overlap, and which of many to keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from .inputs import Floats, Integers, choice, real_numbers

FORMS = ("xyxy", "xywh", "cxcywh")


def _boxes(who: str, value: Any, name: str = "boxes") -> Floats:
    """Boxes (N, 4) by two corners."""
    boxes = real_numbers(who, name, value)
    if boxes.ndim == 1 and not boxes.size:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{who}: expected {name} (N, 4), met {boxes.shape}")
    wrong = (boxes[:, 2:] < boxes[:, :2]).any(axis=1)
    if wrong.any():
        raise ValueError(
            f"{who}: {name} must be (x1, y1, x2, y2) with x1 <= x2 and y1 <= y2, met "
            f"{boxes[wrong][0].tolist()}"
        )
    return boxes


def box_convert(boxes: Any, in_fmt: str, out_fmt: str) -> Floats:
    """
    Boxes in another form.

    Parameters
    ----------
    boxes : Tensor, (..., 4)
    in_fmt, out_fmt : {"xyxy", "xywh", "cxcywh"}
        Two corners; a corner and the size; the centre and the size.

    Returns
    -------
    ndarray, (..., 4)

    Raises
    ------
    ValueError
        If a form is unknown or the last dimension is not 4.

    Examples
    --------
    >>> box_convert([[10.0, 20.0, 30.0, 60.0]], "xyxy", "cxcywh")
    array([[20., 40., 20., 40.]])
    """
    who = "box_convert"
    choice(who, "in_fmt", in_fmt, FORMS)
    choice(who, "out_fmt", out_fmt, FORMS)
    found = real_numbers(who, "boxes", boxes)
    if not found.ndim or found.shape[-1] != 4:
        raise ValueError(f"{who}: expected boxes (..., 4), met {found.shape}")
    if in_fmt == out_fmt:
        return found.copy()
    first, second = found[..., :2], found[..., 2:]
    if in_fmt == "cxcywh":
        first = first - second / 2
    size = second - first if in_fmt == "xyxy" else second
    if out_fmt == "cxcywh":
        first = first + size / 2
    return np.concatenate([first, first + size if out_fmt == "xyxy" else size], axis=-1)


def box_area(boxes: Any) -> Floats:
    """
    Areas of boxes by two corners: ``(x2 - x1) * (y2 - y1)``.

    Parameters
    ----------
    boxes : Tensor, (N, 4)

    Returns
    -------
    ndarray, (N,)

    Raises
    ------
    ValueError
        If the shape is another, or the corners are not in order.

    Examples
    --------
    >>> box_area([[0.0, 0.0, 2.0, 3.0]])
    array([6.])
    """
    return _areas(_boxes("box_area", boxes))


def _areas(boxes: Floats) -> Floats:
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)


def _overlaps(boxes1: Floats, boxes2: Floats) -> tuple[Floats, Floats]:
    """Areas of intersection and of union of all pairs, (N, M)."""
    low = np.maximum(boxes1[:, None, :2], boxes2[:, :2])
    high = np.minimum(boxes1[:, None, 2:], boxes2[:, 2:])
    shared = np.prod((high - low).clip(min=0.0), axis=2)
    return shared, _areas(boxes1)[:, None] + _areas(boxes2) - shared


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def box_iou(boxes1: Any, boxes2: Any) -> Floats:
    """
    Intersection over union (the Jaccard index) of all pairs of boxes by two corners.

    Parameters
    ----------
    boxes1 : Tensor, (N, 4)
    boxes2 : Tensor, (M, 4)

    Returns
    -------
    ndarray, (N, M)
        0 for two boxes without area (torchvision: NaN).

    Raises
    ------
    ValueError
        If a shape is another, or corners are not in order.

    Examples
    --------
    >>> box_iou([[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0]])
    array([[0.33333333, 0.        ]])
    """
    shared, union = _overlaps(_boxes("box_iou", boxes1), _boxes("box_iou", boxes2, "boxes2"))
    return _ratio(shared, union)


def generalized_box_iou(boxes1: Any, boxes2: Any) -> Floats:
    """
    IoU, less the share of the smallest box around both that neither covers: from -1 to 1.

    Rezatofighi et al. 2019, "Generalized intersection over union: a metric and a loss for bounding
    box regression".

    Parameters
    ----------
    boxes1 : Tensor, (N, 4)
    boxes2 : Tensor, (M, 4)

    Returns
    -------
    ndarray, (N, M)

    Raises
    ------
    ValueError
        If a shape is another, or corners are not in order.

    Examples
    --------
    >>> generalized_box_iou([[0.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0, 1.0], [2.0, 0.0, 3.0, 1.0]])
    array([[ 1.        , -0.33333333]])
    """
    who = "generalized_box_iou"
    first, second = _boxes(who, boxes1), _boxes(who, boxes2, "boxes2")
    shared, union = _overlaps(first, second)
    low = np.minimum(first[:, None, :2], second[:, :2])
    high = np.maximum(first[:, None, 2:], second[:, 2:])
    around = np.prod(high - low, axis=2)
    return _ratio(shared, union) - _ratio(around - union, around)


def nms(boxes: Any, scores: Any, iou_threshold: float) -> Integers:
    """
    Non-maximum suppression: keep the box of highest score, drop what overlaps it, and so on.

    Parameters
    ----------
    boxes : Tensor, (N, 4)
        By two corners.
    scores : Tensor, (N,)
    iou_threshold : float
        A box is dropped if its IoU with one kept before is greater than this.

    Returns
    -------
    ndarray of int, (kept,)
        Indices of what is kept, the highest score first; of equal scores the first.

    Raises
    ------
    ValueError
        If shapes do not fit, corners are not in order, or a score is NaN.

    Examples
    --------
    >>> boxes = [[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.1], [5.0, 5.0, 6.0, 6.0]]
    >>> nms(boxes, [0.8, 0.9, 0.7], iou_threshold=0.5)
    array([1, 2])
    """
    return _suppressed("nms", boxes, scores, None, iou_threshold)


def batched_nms(boxes: Any, scores: Any, idxs: Any, iou_threshold: float) -> Integers:
    """
    Non-maximum suppression within each group, such as a class: other groups drop nothing.

    Parameters
    ----------
    boxes : Tensor, (N, 4)
        By two corners.
    scores : Tensor, (N,)
    idxs : integer Tensor, (N,)
        The group of each box.
    iou_threshold : float
        A box is dropped if its IoU with one of its group kept before is greater than this.

    Returns
    -------
    ndarray of int, (kept,)
        Indices of what is kept, the highest score first; of equal scores the first.

    Raises
    ------
    ValueError
        If shapes do not fit, corners are not in order, or a score is NaN.

    Examples
    --------
    >>> boxes = [[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.1], [0.0, 0.0, 2.0, 1.9]]
    >>> batched_nms(boxes, [0.8, 0.9, 0.7], [0, 0, 1], iou_threshold=0.5)
    array([1, 2])
    """
    return _suppressed("batched_nms", boxes, scores, idxs, iou_threshold)


def _suppressed(who: str, boxes: Any, scores: Any, idxs: Any, iou_threshold: float) -> Integers:
    corners = _boxes(who, boxes)
    ranks = real_numbers(who, "scores", scores, infinite=True)
    groups = np.zeros(len(corners)) if idxs is None else real_numbers(who, "idxs", idxs)
    if ranks.shape != corners.shape[:1] or groups.shape != ranks.shape:
        raise ValueError(
            f"{who}: boxes {corners.shape}, scores {ranks.shape} and idxs {groups.shape} do not fit"
        )
    left = np.argsort(-ranks, kind="stable")
    kept = []
    while left.size:
        first, left = left[0], left[1:]
        kept.append(first)
        shared, union = _overlaps(corners[first : first + 1], corners[left])
        near = _ratio(shared, union)[0] > iou_threshold
        left = left[~(near & (groups[left] == groups[first]))]
    return np.array(kept, np.int64)
