"""Ctrl-C while a model trains."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .trainer import Trainer


@contextlib.contextmanager
def interruptions(trainer: Trainer, wanted: bool) -> Iterator[None]:
    """Let the first Ctrl-C stop `trainer` after its step, and the second raise as usual."""
    own = signal.default_int_handler
    # Only the main thread hears signals; and a handler that somebody has set is left alone.
    if (
        not wanted
        or threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not own
    ):
        yield
        return

    def stop(number: int, frame: Any) -> None:
        if trainer.stop_reason is not None:
            own(number, frame)
        trainer.stop("interrupted")

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, own)
