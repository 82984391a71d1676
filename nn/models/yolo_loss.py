"""The loss of YOLO's first version: which box answers for which object, and by how much."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import autograd

from ..module import Module
from .yolo import as_numbers, cell_boxes, check_outputs


class Assignment(NamedTuple):
    """
    What each output should be, and how much it counts: arrays of the outputs' shape.

    The loss of `YOLOLoss` is ``(weight * (outputs - wanted) ** 2).sum() / N``.
    """

    wanted: np.ndarray
    weight: np.ndarray


def encode_cells(targets: Any, cells: int, image_size: int, num_classes: int) -> np.ndarray:
    """
    Objects as a grid: each in the cell that holds its centre.

    Parameters
    ----------
    targets : Tensor, (N, M, 5)
        Rows (x1, y1, x2, y2, class), corners in pixels; those of a negative class are none.
    cells : int
        S, of the S x S grid.
    image_size : int
        In pixels.
    num_classes : int

    Returns
    -------
    ndarray of float64, (N, S, S, 5 + num_classes)
        x and y of the centre from 0 to 1 across the cell, square roots of width and height as
        shares of the image, 1 (there is an object), and 1 for its class; zeros in cells without.
        Of several objects in a cell the first is taken: more is beyond this detector. A centre on
        the border of two cells belongs to the right or lower one, at the edge of the image to the
        last.

    Raises
    ------
    ValueError
        If the shape is another, a box is not within the image or its corners are not in order, or
        a class is not below `num_classes`.

    Examples
    --------
    >>> grid = encode_cells([[[16.0, 0.0, 32.0, 64.0, 1.0]]], 2, 64, num_classes=2)
    >>> np.argwhere(grid[0, :, :, 4]), grid[0, 1, 0]
    (array([[1, 0]]), array([0.75, 0.  , 0.5 , 1.  , 1.  , 0.  , 1.  ]))
    """
    rows = check_targets("encode_cells", targets, image_size, num_classes)
    image, which = np.nonzero(rows[:, :, 4] >= 0)
    image, which = image[::-1], which[::-1]  # the last to be written stays: the first of a cell
    found = rows[image, which]
    centre = (found[:, :2] + found[:, 2:4]) / (2 * image_size) * cells
    corner = np.floor(centre).clip(max=cells - 1)
    column, row = corner.astype(np.int64).T
    grid = np.zeros((len(rows), cells, cells, 5 + num_classes))
    one_hot = np.eye(num_classes)[found[:, 4].astype(np.int64)]
    grid[image, row, column] = np.concatenate(
        [
            centre - corner,
            np.sqrt((found[:, 2:4] - found[:, :2]) / image_size),
            np.ones((len(found), 1)),
            one_hot,
        ],
        axis=1,
    )
    return grid


def check_targets(who: str, targets: Any, image_size: int, num_classes: int) -> np.ndarray:
    """
    Rows (x1, y1, x2, y2, class) as float64.

    Raises
    ------
    ValueError
        If they are none.

    Examples
    --------
    >>> check_targets("my_loss", np.zeros((2, 0, 5)), 64, 10).shape
    (2, 0, 5)
    """
    rows = as_numbers(targets).astype(np.float64)
    if rows.ndim != 3 or rows.shape[2] != 5:
        raise ValueError(
            f"{who}: expected targets (N, M, 5), rows (x1, y1, x2, y2, class), met {rows.shape}"
        )
    # Written so that a NaN is refused.
    real = ~(rows[:, :, 4] < 0)
    low, high, label = rows[real, :2], rows[real, 2:4], rows[real, 4]
    good = ((low >= 0) & (low < high) & (high <= image_size)).all(axis=1)
    good &= (label < num_classes) & (label == np.floor(label))
    if not good.all():
        raise ValueError(
            f"{who}: expected 0 <= x1 < x2 <= {image_size}, y likewise, and a class below "
            f"{num_classes}, met {rows[real][~good][0].tolist()}"
        )
    return rows


def paired_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """
    Intersection over union of boxes by two corners with those in the same place, broadcast.

    Examples
    --------
    >>> paired_iou(np.array([0.0, 0.0, 2.0, 2.0]), np.array([[1.0, 0.0, 2.0, 2.0]]))
    array([0.5])
    """
    low = np.maximum(boxes[..., :2], others[..., :2])
    high = np.minimum(boxes[..., 2:], others[..., 2:])
    shared = (high - low).clip(min=0.0).prod(axis=-1)
    areas = [(corners[..., 2:] - corners[..., :2]).prod(axis=-1) for corners in (boxes, others)]
    union = areas[0] + areas[1] - shared
    return np.divide(shared, union, out=np.zeros_like(union), where=union > 0)


class YOLOLoss(Module):
    r"""
    The loss of YOLO's first version: squares, of what each cell should have said.

    .. math::
        \lambda_\mathrm{coord} \sum_{i,j} 1^\mathrm{obj}_{ij} \left[(x_i - \hat x_i)^2
        + (y_i - \hat y_i)^2 + (\sqrt{w_i} - \sqrt{\hat w_i})^2
        + (\sqrt{h_i} - \sqrt{\hat h_i})^2\right]
        + \sum_{i,j} 1^\mathrm{obj}_{ij} (C_i - \hat C_i)^2
        + \lambda_\mathrm{noobj} \sum_{i,j} 1^\mathrm{noobj}_{ij} (C_i - \hat C_i)^2
        + \sum_i 1^\mathrm{obj}_i \sum_c (p_i(c) - \hat p_i(c))^2

    over the cells i and their boxes j; the mean over images. Of the boxes of a cell with an object
    one is responsible for it: the one that overlaps it most, or, where none does, the nearest. It
    alone learns the place, and its confidence should be its IoU with the object; that of every
    other box should be 0. IoU and choice are taken as constants, so no gradient flows through
    them.

    Redmon, Divvala, Girshick and Farhadi 2016, "You only look once".

    Parameters
    ----------
    num_classes : int, default 10
    boxes_per_cell : int, default 2
    image_size : int, default 64
        In pixels, as in `YOLOv1`.
    lambda_coord : float, default 5.0
    lambda_noobj : float, default 0.5
    rescore : bool, default True
        False: the confidence of a responsible box should be 1 in place of the IoU.

    Raises
    ------
    ValueError
        In the call, if shapes do not fit, or a target is no box within the image.

    Examples
    --------
    >>> outputs = autograd.zeros(1, 8, 8, 20)
    >>> targets = autograd.tensor([[[8.0, 8.0, 24.0, 40.0, 3.0]]])
    >>> YOLOLoss()(outputs, targets)  # 5 * (0 + 0 + 1/4 + 1/2) + 0 + 0 + 1
    tensor(4.7500)
    """

    def __init__(
        self,
        num_classes: int = 10,
        boxes_per_cell: int = 2,
        image_size: int = 64,
        lambda_coord: float = 5.0,
        lambda_noobj: float = 0.5,
        rescore: bool = True,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.boxes_per_cell = boxes_per_cell
        self.image_size = image_size
        self.lambda_coord = lambda_coord
        self.lambda_noobj = lambda_noobj
        self.rescore = rescore

    def forward(self, outputs: Any, targets: Any) -> Any:
        """Mean loss of outputs (N, S, S, 5B + C) and targets (N, M, 5), see `encode_cells`."""
        wanted, weight = self.assign(outputs, targets)
        misses = outputs - autograd.tensor(wanted)
        return (misses * misses * autograd.tensor(weight)).sum() / max(len(wanted), 1)

    def assign(self, outputs: Any, targets: Any) -> Assignment:
        """
        What each output should be, and how much it counts, given the responsible boxes.

        Parameters
        ----------
        outputs : Tensor, (N, S, S, 5 * boxes_per_cell + num_classes)
        targets : Tensor, (N, M, 5)

        Returns
        -------
        Assignment
        """
        values = as_numbers(outputs)
        count = self.boxes_per_cell
        check_outputs("YOLOLoss", values, count, self.num_classes)
        grid = encode_cells(targets, values.shape[1], self.image_size, self.num_classes)
        if len(grid) != len(values):
            raise ValueError(f"YOLOLoss: {len(values)} outputs, but targets of {len(grid)} images")
        predicted = values[..., : 5 * count].reshape(*values.shape[:3], count, 5)
        place = np.nonzero(grid[..., 4])
        boxes, objects = cell_boxes(predicted)[place], cell_boxes(grid[..., None, :5])[place]
        overlap = paired_iou(boxes, objects)
        distance = ((predicted[place][..., :4] - grid[place][:, None, :4]) ** 2).sum(axis=-1)
        # By overlap first; distances, brought below 1, decide where there is none.
        merit = np.where(overlap > 0, overlap, -distance / (1.0 + distance))
        chosen = merit.argmax(axis=1)
        responsible = (*place, chosen)

        wanted = np.zeros(predicted.shape)
        weight = np.zeros(predicted.shape)
        weight[..., 4] = self.lambda_noobj
        wanted[responsible] = grid[place][:, :5]
        weight[responsible] = [self.lambda_coord] * 4 + [1.0]
        if self.rescore:
            wanted[(*responsible, 4)] = overlap[np.arange(len(chosen)), chosen]
        flat = (*values.shape[:3], 5 * count)
        classes = (*values.shape[:3], self.num_classes)
        return Assignment(
            np.concatenate([wanted.reshape(flat), grid[..., 5:]], axis=-1, dtype=values.dtype),
            np.concatenate(
                [weight.reshape(flat), np.broadcast_to(grid[..., 4:5], classes)],
                axis=-1,
                dtype=values.dtype,
            ),
        )
