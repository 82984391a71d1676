"""Line search: how far to go in a direction, by the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SUFFICIENT = 1e-4
"""Share of the decrease that the first slope promises, of which a step must bring as much."""
CURVATURE = 0.9
"""Share of the first slope that a step may leave."""


@dataclass(frozen=True)
class Point:
    """What is known at one place of the line.

    Attributes
    ----------
    step : float
        The place, as a multiple of the direction.
    loss : float
    gradient : ndarray
    slope : float
        Derivative of the loss along the line.
    """

    step: float
    loss: float
    gradient: np.ndarray
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    step: float,
    size: float,
    most: int,
    tolerance: float = 1e-9,
) -> tuple[Point, int]:
    """Find a place where the loss is low enough and the slope flat enough.

    ::

        loss <= start.loss + SUFFICIENT * step * start.slope
        |slope| <= CURVATURE * |start.slope|

    Parameters
    ----------
    evaluate : callable
        Gives the point at a place.
    start : Point
        At 0, with a negative slope.
    step : float
        First place to look at.
    size : float
        Largest element of the direction.
    most : int
        Looks after the first.
    tolerance : float
        Brackets that move no parameter by more are not narrowed.

    Returns
    -------
    point : Point
        The best that was found.
    count : int
        How often `evaluate` was called.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6.
    """
    before, point = start, evaluate(step)
    looks = 0
    while looks < most:
        if too_high(point, start) or (looks > 1 and point.loss >= before.loss):
            break
        if flat(point, start):
            return point, looks + 1
        if point.slope >= 0:
            break
        least = point.step + 0.01 * (point.step - before.step)
        following = interpolated(before, point, least, 10 * point.step)
        before, point = point, evaluate(following)
        looks += 1
    else:
        before = start
    return zoom(evaluate, start, [before, point], looks, most, size, tolerance)


def zoom(
    evaluate: Callable[[float], Point],
    start: Point,
    bracket: list[Point],
    looks: int,
    most: int,
    size: float,
    tolerance: float,
) -> tuple[Point, int]:
    """Narrow an interval that holds such a place; `strong_wolfe` has the other parameters."""
    stuck = False  # whether the last look was near an end already
    low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
    while looks < most:
        left, right = sorted(point.step for point in bracket)
        if (right - left) * size < tolerance:
            break
        step = interpolated(bracket[0], bracket[1], left, right)
        margin = 0.1 * (right - left)
        near = min(right - step, step - left) < margin
        if near and (stuck or step >= right or step <= left):
            step = right - margin if abs(step - right) < abs(step - left) else left + margin
            near = False
        stuck = near
        point = evaluate(step)
        looks += 1
        if too_high(point, start) or point.loss >= bracket[low].loss:
            bracket[high] = point
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
            continue
        done = flat(point, start)
        if not done and point.slope * (bracket[high].step - bracket[low].step) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = point
        if done:
            break
    return bracket[low], looks + 1


def too_high(point: Point, start: Point) -> bool:
    """Whether the loss fell too little for the length of the step."""
    return point.loss > start.loss + SUFFICIENT * point.step * start.slope


def flat(point: Point, start: Point) -> bool:
    """Whether the slope is a small enough part of the first."""
    return abs(point.slope) <= -CURVATURE * start.slope


def interpolated(first: Point, second: Point, low: float, high: float) -> float:
    """The minimum of the cubic through two points with their slopes, between `low` and `high`.

    The middle where there is none.
    """
    if first.step > second.step:
        first, second = second, first
    width = second.step - first.step
    middle = (low + high) / 2.0
    if width == 0.0:
        return middle
    mean = first.slope + second.slope - 3.0 * (second.loss - first.loss) / width
    square = mean * mean - first.slope * second.slope
    if not square >= 0.0 or math.isinf(square):
        return middle
    root = math.sqrt(square)
    below = second.slope - first.slope + 2.0 * root
    if below == 0.0:
        return middle
    place = second.step - width * ((second.slope + root - mean) / below)
    return min(max(place, low), high)
