"""Datasets in files: arrays that are larger than the memory, NPZ archives, folders of images."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from autograd import from_numpy

from .dataset import Dataset
from .readers import PathLike
from .seeding import as_int

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".ppm", ".tif", ".tiff", ".webp")
MODES = {"L": 1, "RGB": 3}  # what pillow calls grey and colour, and their channels


def read_npz(path: PathLike) -> dict[str, np.ndarray]:
    """
    All arrays of an NPZ archive, as ``numpy.savez`` writes it, by their names.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no NPZ archive, is damaged, or holds Python objects, which are not loaded: they
        could run code.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder, "data.npz"), x=np.zeros((2, 3)), y=np.arange(2))
    ...     arrays = read_npz(Path(folder, "data.npz"))
    >>> {name: array.shape for name, array in arrays.items()}
    {'x': (2, 3), 'y': (2,)}
    """
    path = Path(path)
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError(f"{path}: no NPZ archive")
        file.seek(0)
        name = ""
        try:
            with np.load(file, allow_pickle=False) as archive:
                found = {}
                for name in archive.files:
                    found[name] = archive[name]
                    if not isinstance(found[name], np.ndarray):
                        raise ValueError("it is no NPY file")
                return found
        except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, OSError) as error:
            where = f"{path}, array {name!r}" if name else str(path)
            raise ValueError(f"{where}: {error}") from error


class MemmapDataset(Dataset[tuple[Any, ...]]):
    """
    Samples are the rows of NPY files, read when they are asked for: no file is loaded as a whole.

    Parameters
    ----------
    *sources : path-like, or np.memmap
        NPY files, as ``numpy.save`` and ``numpy.lib.format.open_memmap`` write them, or raw files
        opened by ``np.memmap``. Their first axes agree.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there is no source, one is no NPY file or holds Python objects, has no axis, or the
        first axes differ.

    Notes
    -----
    The operating system keeps what was read lately; a batch is read in the order of the file.
    A pickled dataset opens its files again.

    Examples
    --------
    >>> import tempfile
    >>> from nn.data import DataLoader
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "x.npy"), np.arange(10.0).reshape(5, 2))
    ...     np.save(Path(folder, "y.npy"), np.arange(5))
    ...     data = MemmapDataset(Path(folder, "x.npy"), Path(folder, "y.npy"))
    ...     x, y = next(iter(DataLoader(data, batch_size=2)))
    >>> x.numpy(), y.numpy()
    (array([[0., 1.],
           [2., 3.]]), array([0, 1]))
    """

    def __init__(self, *sources: PathLike | np.memmap) -> None:
        if not sources:
            raise ValueError("MemmapDataset: there is no file")
        self.sources = sources
        self.arrays = tuple(_mapped(source) for source in sources)
        for source, array in zip(sources, self.arrays, strict=True):
            name = "an np.memmap" if isinstance(source, np.memmap) else source
            if array.ndim == 0 or array.dtype.kind not in "biuf":
                raise ValueError(
                    f"MemmapDataset: {name} holds {array.dtype} of shape {array.shape}; expected "
                    "numbers, with a first axis of samples"
                )
        sizes = [len(array) for array in self.arrays]
        if len(set(sizes)) > 1:
            raise ValueError(f"MemmapDataset: the files have different numbers of rows, {sizes}")

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int, /) -> tuple[Any, ...]:
        """Row `index` of every file, in memory."""
        return tuple(rows[0] for rows in self.__getitems__([index]))

    def __getitems__(self, indices: list[int]) -> tuple[Any, ...]:
        """Batch of the rows `indices`."""
        rows = np.asarray(indices, dtype=np.intp)
        if rows.size and not -len(self) <= rows.min() <= rows.max() < len(self):
            raise IndexError(
                f"MemmapDataset: rows {rows.min()} to {rows.max()} are not all in {len(self)}"
            )
        order = np.argsort(rows, kind="stable")
        batch = []
        for array in self.arrays:
            taken = np.empty((len(rows), *array.shape[1:]), array.dtype.newbyteorder("="))
            taken[order] = array[rows[order]]
            batch.append(from_numpy(taken))
        return tuple(batch)

    def __getstate__(self) -> dict[str, Any]:
        return {"sources": self.sources}

    def __setstate__(self, state: dict[str, Any]) -> None:
        MemmapDataset.__init__(self, *state["sources"])


def _mapped(source: Any) -> np.ndarray:
    if isinstance(source, np.memmap):
        return source
    path = Path(source)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: no NPY file of numbers: {error}") from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError(f"{path}: an NPZ archive, of which rows cannot be read; see read_npz")
    return array


class ImageFolder(Dataset[tuple[np.ndarray, int]]):
    """
    Images in a folder that has one folder for each class.

    Parameters
    ----------
    root : path-like
        ``root/cat/1.png``, ``root/dog/2.jpg``, and so on, at any depth; the classes are the
        folders in sorted order.
    size : int or (int, int), optional
        Height and width that all are resized to. Needed where they differ.
    mode : {"RGB", "L"}, default "RGB"
        Colour, or grey.

    Attributes
    ----------
    classes : list of str
    class_to_idx : dict of str to int
    samples : list of (Path, int)
    targets : list of int

    Raises
    ------
    ImportError
        If pillow is not installed.
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it has no folder, one has no image, or an option is out of its range; when it is read,
        if an image is damaged. Names the path.

    Notes
    -----
    A sample is an array of float32 ``(C, H, W)`` from 0 to 1, and its class. The files are read
    when they are asked for; give the loader workers.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat", "dog"):
    ...         Path(folder, name).mkdir()
    ...         Image.new("RGB", (4, 4), "white").save(Path(folder, name, "1.png"))
    ...     data = ImageFolder(folder, size=2)
    ...     image, label = data[1]
    >>> data.classes, image.shape, float(image.max()), label
    (['cat', 'dog'], (3, 2, 2), 1.0, 1)
    """

    def __init__(
        self, root: PathLike, size: int | tuple[int, int] | None = None, mode: str = "RGB"
    ) -> None:
        try:
            import PIL.Image  # noqa: F401 - told now, not in the first epoch
        except ImportError as error:
            raise ImportError(
                f"images need pillow ({error}); install it by: pip install dagrad[images]"
            ) from error
        if mode not in MODES:
            raise ValueError(f"ImageFolder: mode must be 'RGB' or 'L', not {mode!r}")
        sides = (size, size) if not isinstance(size, tuple) else size
        if size is not None and (len(sides) != 2 or any((as_int(s) or 0) < 1 for s in sides)):
            raise ValueError(
                f"ImageFolder: size must be an integer >= 1 or two of them, not {size!r}"
            )
        self.root = Path(root)
        self.size: tuple[int, int] | None = None
        if size is not None:
            self.size = (int(sides[0] or 0), int(sides[1] or 0))
        self.mode = mode
        self.classes = sorted(entry.name for entry in self.root.iterdir() if entry.is_dir())
        if not self.classes:
            raise ValueError(f"{self.root}: holds no folder; expected one for each class")
        self.class_to_idx = {name: number for number, name in enumerate(self.classes)}
        self.samples: list[tuple[Path, int]] = []
        for name, number in self.class_to_idx.items():
            files = sorted(
                file
                for file in (self.root / name).rglob("*")
                if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()
            )
            if not files:
                raise ValueError(
                    f"{self.root / name}: holds no image ({', '.join(IMAGE_SUFFIXES)})"
                )
            self.samples += [(file, number) for file in files]

    @property
    def targets(self) -> list[int]:
        """Class of each image."""
        return [number for _, number in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int, /) -> tuple[np.ndarray, int]:
        """Image and class."""
        import PIL.Image

        path, label = self.samples[index]
        try:
            with PIL.Image.open(path) as opened:
                picture = opened.convert(self.mode)
        except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
            raise ValueError(f"{path}: cannot be read as an image: {error}") from error
        if self.size is not None:
            height, width = self.size
            picture = picture.resize((width, height), PIL.Image.Resampling.BILINEAR)
        pixels = np.asarray(picture, np.float32).reshape(*picture.size[::-1], MODES[self.mode])
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)) / np.float32(255), label
