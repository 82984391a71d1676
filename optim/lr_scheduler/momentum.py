"""Momentum that a schedule moves with the rate."""

from __future__ import annotations

from typing import Any

from ..optimizer import Optimizer


def check_momentum(who: str, optimizer: Optimizer) -> bool:
    """Whether the momentum of an optimizer is its first beta; ValueError if it has none."""
    if "betas" in optimizer.defaults:
        return True
    if "momentum" not in optimizer.defaults:
        raise ValueError(
            f"{who}: {type(optimizer).__name__} has neither momentum nor betas, which "
            "cycle_momentum=True would move; give cycle_momentum=False"
        )
    return False


def set_momentum(group: dict[str, Any], value: float, use_beta1: bool) -> None:
    """Set the momentum of a group."""
    if use_beta1:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


def begin_momentum(
    optimizer: Optimizer, lowest: list[float], highest: list[float], use_beta1: bool
) -> None:
    """Set the momentum of all groups to the highest, and note both ends."""
    for group, low, high in zip(optimizer.param_groups, lowest, highest, strict=True):
        set_momentum(group, high, use_beta1)
        group["max_momentum"] = high
        group["base_momentum"] = low
