"""Whose code is running: the frames of the user's program among the library's own."""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType

# The packages whose own lines are of no interest to whoever looks for a mistake or reads a graph;
# models, and the losses that the command line draws, are code like the user's own.
LIBRARY = ("autograd", "nn", "optim")
LIKE_USERS = ("nn.models", "nn.pictures")


def is_user_code(frame: FrameType) -> bool:
    """Tell whether a frame runs code from outside the library."""
    module = frame.f_globals.get("__name__") or ""
    return module.startswith(LIKE_USERS) or module.partition(".")[0] not in LIBRARY


def user_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of the user's code, innermost first."""
    while frame is not None:
        if is_user_code(frame):
            yield frame
        frame = frame.f_back
