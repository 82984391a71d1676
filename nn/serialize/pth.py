"""PyTorch's files, read without PyTorch: what ``torch.save`` writes, of today and of before 1.6."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .files import CheckpointError, PathLike, reading_archive
from .torch_values import Kind, Storage, finder, fitting, machine_for

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # first number of a file from before PyTorch 1.6
LEGACY_PROTOCOL = 1001
LEGACY_START = b"\x80\x02\x8a\x0a" + LEGACY_MAGIC.to_bytes(10, "little") + b"."


def load_pth(path: PathLike) -> Any:
    """
    What ``torch.save`` wrote to a file: a state dict, or a checkpoint with state dicts in it.

    PyTorch is not needed, and nothing in the file is run. The file may hold tensors, dicts, lists,
    tuples, sets, numbers, text, bytes, None, sizes, dtypes, and NumPy arrays and numbers; anything
    else (a whole model, say) is refused by name.

    Parameters
    ----------
    path : path-like
        Of the zip format (PyTorch 1.6 and later) or of the older one.

    Returns
    -------
    object
        Tensors that require no gradients, also for Parameters; those that shared memory when they
        were saved share it again. An OrderedDict or Counter comes as a dict, a size as a tuple, a
        dtype as NumPy's (bfloat16 as its name), a device as text, complex tensors as ndarrays.
        bfloat16 is read as float32, which holds it exactly.

    Raises
    ------
    CheckpointError
        If the file is truncated, damaged, of another format, compressed, or holds something else,
        such as a dtype that NumPy lacks.
    OSError
        If it is missing or cannot be read.

    Examples
    --------
    >>> load_pth("no/such.pth")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no/such.pth'
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(len(LEGACY_START))
    try:
        if start.startswith(b"PK"):
            return _load_zip(path)
        if start == LEGACY_START:
            return _load_legacy(path.read_bytes())
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    raise CheckpointError(f"{path}: truncated, or not a file of torch.save")


def _load_zip(path: Path) -> Any:
    """An archive with a pickle, ``data.pkl``, and a file of bytes for each storage."""
    with reading_archive("zip file of torch.save"), zipfile.ZipFile(path) as archive:
        records = {info.filename: info for info in archive.infolist()}
        # Never more bytes than the file has, whatever its directory says of them.
        left = path.stat().st_size
        pickles = [n for n in records if n.count("/") == 1 and n.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise CheckpointError("a zip file, but not of torch.save: no data.pkl in it")
        folder = pickles[0].removesuffix("data.pkl")

        def read(name: str) -> bytearray:
            nonlocal left
            info = records.get(folder + name)
            if info is None:
                raise CheckpointError(f"{name} is missing")
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                raise CheckpointError(f"{name} is compressed, which torch.save never does")
            left -= info.file_size
            if left < 0 or info.file_size != info.compress_size:
                raise CheckpointError(f"{name} claims more bytes than the file has")
            found = bytearray(info.file_size)
            file: Any  # its readinto is not in the type
            with archive.open(info) as file:  # which compares the checksum at the end
                if file.readinto(found) != len(found):
                    raise CheckpointError(f"{name} is truncated")
            return found

        big = False
        if folder + "byteorder" in records:
            order = bytes(read("byteorder")).strip()
            if order not in (b"little", b"big"):
                raise CheckpointError(f"unknown byte order {order[:20]!r}")
            big = order == b"big"
        storages: dict[str, Storage] = {}

        def storage(kind: Kind, key: str, count: int) -> Storage:
            if key not in storages:
                raw = np.frombuffer(read(f"data/{key}"), np.uint8)
                storages[key] = Storage(raw, kind, big)
            return fitting(storages[key], kind, key, count)

        return machine_for(bytes(read("data.pkl")), 0, finder(storage)).run()


def _load_legacy(data: bytes) -> Any:
    """Five pickles (magic number, version, machine, object, keys), then the storages."""
    machine = machine_for(data, len(LEGACY_START), None)
    if machine.run() != LEGACY_PROTOCOL:
        raise CheckpointError(f"not version {LEGACY_PROTOCOL} of the old format")
    machine = machine_for(data, machine.position, None)
    system = machine.run()
    if not isinstance(system, dict):
        raise CheckpointError("malformed: no description of the machine")
    start = machine.position  # storages are little-endian here, whatever the machine was

    # The object comes before the bytes of its storages, so it is read twice: once to learn where
    # it ends and which storages it needs, and again when they are there.
    wanted: dict[str, tuple[Kind, int]] = {}

    def note(kind: Kind, key: str, count: int) -> Storage:
        wanted[key] = kind, count
        return Storage(np.empty(0, np.uint8), kind)

    machine = machine_for(data, start, finder(note), scan=True)
    machine.run()
    machine = machine_for(data, machine.position, None)
    keys = machine.run()
    if not isinstance(keys, list):
        raise CheckpointError("malformed: no list of storages")
    place = machine.position
    storages: dict[str, Storage] = {}
    for key in keys:
        if not isinstance(key, str) or key not in wanted or key in storages:
            raise CheckpointError("malformed: a storage that no tensor uses")
        kind, _ = wanted[key]
        count = int.from_bytes(data[place : place + 8], "little")
        place += 8
        end = place + count * kind.size
        if end > len(data):
            raise CheckpointError(f"truncated: storage {key} claims {count} elements")
        raw = np.frombuffer(bytearray(data[place:end]), np.uint8)
        storages[key] = Storage(raw, kind)
        place = end

    def storage(kind: Kind, key: str, count: int) -> Storage:
        if key not in storages:
            raise CheckpointError(f"storage {key} is missing")
        return fitting(storages[key], kind, key, count)

    return machine_for(data, start, finder(storage)).run()
