"""What all file formats share: the error of a bad file, and writing whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import struct
import time
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

PathLike = str | os.PathLike[str]

TEMPORARY = ".dagrad-{}.tmp"
STALE_SECONDS = 3600.0  # a temporary file untouched for so long belongs to a process that died


class CheckpointError(ValueError):
    """A file is no checkpoint, is damaged, or does not fit what it is loaded into."""


# What zipfile and NumPy raise for bytes that make no sense.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    SyntaxError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    OverflowError,
)


@contextlib.contextmanager
def reading_archive(what: str) -> Iterator[None]:
    """Turn the errors of a damaged zip archive into `CheckpointError`."""
    try:
        yield
    except CheckpointError:
        raise
    except DAMAGE as error:
        raise CheckpointError(f"truncated, damaged, or no {what} ({error})") from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # the latter: a place before the file's start
            raise
        raise CheckpointError(f"damaged {what} ({error})") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that every reader, also after a crash, sees all of it or none."""
    target = path.resolve()
    folder = target.parent
    temporary = folder / TEMPORARY.format(secrets.token_hex(8))
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:  # in the user's words: the path given, not the temporary one
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    with contextlib.suppress(OSError):  # not every system and file system can
        _sync_folder(folder)
    with contextlib.suppress(OSError):
        _remove_stale(folder)


def _sync_folder(folder: Path) -> None:
    """Bring the folder's entries to the disk: the new name outlives a power cut from here on."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_stale(folder: Path) -> None:
    """Remove temporary files of processes that were killed while writing."""
    for file in folder.glob(TEMPORARY.format("*")):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < time.time() - STALE_SECONDS:
                file.unlink()
