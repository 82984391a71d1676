"""Compiled units on disk.

One file for each unit, whose name holds a hash of everything the code depends on: sources,
versions, CPU, vector unit. A file is believed only if it lies in a folder that is this user's alone
to write, and its checksum fits; any other is compiled anew. Files appear by renaming, so no process
ever sees half of one, and processes that miss the same file wait for the first of them.
"""

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

MAGIC = b"dagrad object 1\n"
VARIABLE = "AUTOGRAD_CACHE_DIR"
WAIT_SECONDS = (
    120.0  # Twice what a slow machine compiles for; then everybody compiles for themselves.
)


def folder() -> Path:
    """Return where compiled code is kept; it need not exist."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "dagrad"


def load(name: str, key: str) -> bytes | None:
    """Return the object kept under a name and key, or None."""
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: there is no home folder
        place = folder()
        if not is_private(place):
            return None
        return checked(path_of(place, name, key).read_bytes())
    return None


def checked(content: bytes) -> bytes | None:
    """Return what a file holds, or None if it is not whole or not ours."""
    head = len(MAGIC) + 32
    if content[: len(MAGIC)] != MAGIC or len(content) <= head:
        return None
    payload = content[head:]
    return payload if hashlib.sha256(payload).digest() == content[len(MAGIC) : head] else None


def obtain(name: str, key: str, make: Callable[[], bytes]) -> bytes:
    """Return the object kept under a name and key, making and keeping it where there is none."""
    found = load(name, key)
    if found is not None:
        return found
    with alone():
        found = load(name, key)
        if found is None:
            found = make()
            keep(name, key, found)
    return found


def keep(name: str, key: str, payload: bytes) -> None:
    """Write a file; a folder that cannot be written costs one warning."""
    try:
        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not is_private(place):
            raise PermissionError(f"{place} can be written by other users")
        handle, temporary = tempfile.mkstemp(dir=place, prefix=f"{name}-", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + hashlib.sha256(payload).digest() + payload)
            Path(temporary).replace(path_of(place, name, key))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError) as error:
        warn_once(
            f"compiled kernels cannot be kept ({error}); every process will compile its own. Set "
            f"{VARIABLE} to a folder that can be written"
        )


def path_of(place: Path, name: str, key: str) -> Path:
    """Where a unit's file lies."""
    return place / f"{name}-{key[:32]}.o"


def is_private(place: Path) -> bool:
    """Whether nobody but this user (and root) can put files into a folder."""
    if not hasattr(os, "getuid"):
        return True
    status = place.stat()
    return status.st_uid in (os.getuid(), 0) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the folder's lock. The system drops it with the process, however that ends."""
    handle = None
    with contextlib.suppress(ImportError, OSError, RuntimeError):
        import fcntl

        place = folder()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(place / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.05)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


_warned: set[str] = set()


def warn_once(message: str) -> None:
    """Warn of something that would otherwise repeat for every unit."""
    if message not in _warned:
        _warned.add(message)
        warnings.warn(message, RuntimeWarning, stacklevel=2)
