"""A model's name, its data, its task and the settings that suit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .task import Task


@dataclass(frozen=True)
class Recipe:
    """
    How the command line trains a model.

    Attributes
    ----------
    model : str
        Its name in `nn.models.MODELS`.
    data : tuple of str
        What it can be trained on, as help shows it; the first is the default. What stands after a
        colon is for the user to give: ``"mnist:FOLDER"``.
    task : type of Task
    defaults : dict
        Settings where they differ from those of `Settings`.

    Examples
    --------
    >>> from nn.recipes import find_recipe
    >>> find_recipe("lenet5").data
    ('digits', 'mnist:FOLDER')
    """

    model: str
    data: tuple[str, ...]
    task: type[Task]
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The data without what the user gives."""
        return tuple(name.partition(":")[0] for name in self.data)
