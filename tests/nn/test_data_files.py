"""Scalers, and datasets in files."""

from __future__ import annotations

import pickle
import sys
import zipfile
from typing import Any

import numpy as np
import pytest

import autograd
from nn.data import (
    DataLoader,
    ImageFolder,
    MemmapDataset,
    MinMax,
    Standardize,
    TensorDataset,
    TransformedDataset,
    read_npz,
)

# ---------------------------------------------------------------- scaling


def test_standardize_is_scikit_learn_s():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rng = np.random.default_rng(0)
    train, test = rng.normal(5, 3, (20, 3)), rng.normal(0, 1, (7, 3))
    theirs = preprocessing.StandardScaler().fit(train)
    ours = Standardize().fit(train)
    np.testing.assert_allclose(ours.transform(test), theirs.transform(test), rtol=1e-12)
    np.testing.assert_allclose(ours.inverse(ours.transform(test)), test, rtol=1e-12)
    theirs = preprocessing.MinMaxScaler((-1, 2)).fit(train)
    found = MinMax(-1, 2).fit(train)
    np.testing.assert_allclose(found.transform(test), theirs.transform(test), rtol=1e-12)
    np.testing.assert_allclose(found.inverse(found.transform(test)), test, rtol=1e-9)


@pytest.mark.parametrize("scaler", [Standardize(), MinMax()])
def test_constant_columns_become_one_number(scaler):
    # 0.1 three times has a mean that differs from it in the last bit.
    data = np.array([[0.1, 1e20, 1.0], [0.1, 1e20, 2.0], [0.1, 1e20, 3.0]])
    scaled = scaler.fit_transform(data)
    assert (scaled[:, :2] == 0).all()
    np.testing.assert_array_equal(scaler.inverse(scaled)[:, :2], data[:, :2])


def test_very_large_and_very_small_columns():
    data = np.array([[1e200, 1e-200], [3e200, 3e-200]])
    np.testing.assert_allclose(Standardize().fit_transform(data), [[-1, -1], [1, 1]], rtol=1e-12)


def test_scalers_keep_types_and_channels():
    images = np.random.default_rng(0).integers(0, 255, (4, 2, 3, 3)).astype(np.uint8)
    scaler = Standardize(dim=(0, 2, 3)).fit(images)
    scaled = scaler.transform(autograd.from_numpy(images))
    assert (scaled.shape, scaled.dtype) == ((4, 2, 3, 3), np.float32)
    np.testing.assert_allclose(scaled.numpy().mean((0, 2, 3)), 0, atol=1e-6)
    assert scaler.transform(images.astype(np.float64)).dtype == np.float64
    again = Standardize(dim=(0, 2, 3))
    again.load_state_dict(scaler.state_dict())
    assert (again.transform(images) == scaler.transform(images)).all()
    loaded, _ = next(iter(DataLoader(TransformedDataset(TensorDataset(images, images), scaler), 4)))
    assert (loaded.numpy() == scaler.transform(images)).all()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Standardize().transform(np.zeros((1, 1))), RuntimeError, "fit it to the training"),
        (lambda: Standardize().state_dict(), RuntimeError, "not fitted"),
        (lambda: Standardize().fit(np.zeros((0, 2))), ValueError, "no samples"),
        (lambda: Standardize().fit(np.array([[1.0, np.nan]])), ValueError, r"column \(0, 1\)"),
        (lambda: Standardize(dim=2).fit(np.zeros((2, 2))), ValueError, r"the axes \(2,\)"),
        (lambda: Standardize().fit(np.array(["a"])), ValueError, "expected numbers"),
        (lambda: MinMax(1, 1), ValueError, "low must be below high"),
        (
            lambda: Standardize().fit(np.zeros((2, 3))).transform(np.zeros((2, 4))),
            ValueError,
            r"\(2, 4\) do not fit the columns of shape \(1, 3\)",
        ),
        (lambda: MinMax().load_state_dict({"shift": 0}), ValueError, "keys 'shift' and 'scale'"),
        (lambda: MinMax().load_state_dict({"shift": 0, "scale": 0}), ValueError, "scale not 0"),
    ],
)
def test_scalers_refuse(call, error, words):
    with pytest.raises(error, match=words):
        call()


# ---------------------------------------------------------------- arrays in files


def test_npz_round_trip(tmp_path):
    arrays = {"x": np.arange(6.0).reshape(2, 3), "names": np.array(["a", "b"])}
    np.savez_compressed(tmp_path / "a.npz", **arrays)  # pyright: ignore[reportArgumentType]
    found = read_npz(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    assert all((found[name] == arrays[name]).all() for name in arrays)


def test_npz_refuses(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(ValueError, match=r"text\.npz: no NPZ archive"):
        read_npz(tmp_path / "text.npz")
    np.savez(tmp_path / "object.npz", bad=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"object\.npz, array 'bad': .*allow_pickle"):
        read_npz(tmp_path / "object.npz")
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("readme.txt", "no array")
    with pytest.raises(ValueError, match=r"array 'readme\.txt'"):
        read_npz(tmp_path / "other.npz")
    np.savez(tmp_path / "good.npz", x=np.arange(1000))
    data = bytearray((tmp_path / "good.npz").read_bytes())
    data[600] ^= 1
    (tmp_path / "good.npz").write_bytes(data)
    with pytest.raises(ValueError, match=r"good\.npz, array 'x'"):
        read_npz(tmp_path / "good.npz")


def test_memory_mapped_rows(tmp_path):
    x = np.arange(60, dtype=">f4").reshape(20, 3)
    np.save(tmp_path / "x.npy", x)
    raw = np.memmap(tmp_path / "y.raw", np.int64, "w+", shape=(20,))
    raw[:] = np.arange(20)
    data = MemmapDataset(tmp_path / "x.npy", raw)
    assert all(isinstance(array, np.memmap) for array in data.arrays)
    rows = [7, 0, 19, 7, -1]
    batch, labels = data.__getitems__(rows)
    assert batch.dtype == np.float32
    assert (batch.numpy() == x[rows]).all()
    assert labels.tolist() == [7, 0, 19, 7, 19]
    assert data[3][0].tolist() == [9.0, 10.0, 11.0]
    seen = sorted(int(y) for _, ys in DataLoader(data, 6, True, num_workers=2) for y in ys)
    assert seen == list(range(20))
    with pytest.raises(IndexError, match="rows 20 to 20 are not all in 20"):
        data[20]
    again = pickle.loads(pickle.dumps(MemmapDataset(tmp_path / "x.npy")))
    assert again[3][0].tolist() == [9.0, 10.0, 11.0]


def test_memory_mapped_files_are_checked(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 2)))
    np.save(tmp_path / "b.npy", np.zeros(4))
    np.save(tmp_path / "scalar.npy", np.zeros(()))
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object))
    np.savez(tmp_path / "c.npz", x=np.zeros(3))
    (tmp_path / "text.npy").write_text("x" * 200)
    for names, words in [
        (["a.npy", "b.npy"], r"different numbers of rows, \[3, 4\]"),
        (["scalar.npy"], r"scalar\.npy holds float64 of shape \(\)"),
        (["object.npy"], r"object\.npy: no NPY file of numbers"),
        (["text.npy"], r"text\.npy: no NPY file of numbers"),
        (["c.npz"], "an NPZ archive"),
        ([], "there is no file"),
    ]:
        with pytest.raises(ValueError, match=words):
            MemmapDataset(*(tmp_path / name for name in names))
    with pytest.raises(FileNotFoundError):
        MemmapDataset(tmp_path / "none.npy")


# ---------------------------------------------------------------- folders of images


@pytest.fixture
def pictures(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for name, colour in (("dog", (255, 0, 0)), ("cat", (0, 0, 51))):
        (tmp_path / name / "more").mkdir(parents=True)
        image.new("RGB", (6, 4), colour).save(tmp_path / name / "2.png")
        image.new("RGB", (6, 4), colour).save(tmp_path / name / "more" / "1.PNG")
        (tmp_path / name / "notes.txt").write_text("no image")
    return tmp_path


def test_folders_are_classes(pictures):
    data = ImageFolder(pictures)
    assert (data.classes, data.class_to_idx) == (["cat", "dog"], {"cat": 0, "dog": 1})
    assert data.targets == [0, 0, 1, 1]
    image, label = data[2]
    assert (image.shape, image.dtype, label) == ((3, 4, 6), np.float32, 1)
    assert image[:, 0, 0].tolist() == [1.0, 0.0, 0.0]
    images, labels = next(iter(DataLoader(data, 4, num_workers=2)))
    assert (images.shape, labels.tolist()) == ((4, 3, 4, 6), [0, 0, 1, 1])


def test_images_are_resized_and_made_grey(pictures):
    image, _ = ImageFolder(pictures, size=(2, 5), mode="L")[0]
    assert image.shape == (1, 2, 5)
    assert image[0, 0, 0] == np.float32(6 / 255)  # 0.114 of 51
    assert ImageFolder(pictures, size=3)[0][0].shape == (3, 3, 3)


def test_image_folders_are_checked(pictures, monkeypatch):
    options: list[tuple[dict[str, Any], str]] = [
        ({"mode": "CMYK"}, "mode must be 'RGB' or 'L'"),
        ({"size": 0}, "size must be an integer >= 1"),
        ({"size": (3, 3, 3)}, "size must be an integer >= 1"),
    ]
    for option, words in options:
        with pytest.raises(ValueError, match=words):
            ImageFolder(pictures, **option)
    (pictures / "cat" / "2.png").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"cat/2\.png: cannot be read as an image"):
        ImageFolder(pictures)[0]
    (pictures / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: holds no image"):
        ImageFolder(pictures)
    with pytest.raises(ValueError, match="holds no folder"):
        ImageFolder(pictures / "empty")
    with pytest.raises(FileNotFoundError):
        ImageFolder(pictures / "none")
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"pip install dagrad\[images\]"):
        ImageFolder(pictures)
