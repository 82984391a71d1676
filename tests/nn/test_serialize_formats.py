"""safetensors across libraries, .npz, and the functions that choose a format."""

from __future__ import annotations

import importlib
import io
import json
import os
import struct
import zipfile
from typing import Any

import numpy as np
import pytest

import nn
from nn.serialize import CheckpointError, load, load_file, load_npz, save, save_file, save_npz

ARRAYS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "half": np.array([1.5, np.inf], np.float16),
    "count": np.array(3, np.int64),
    "empty": np.empty((0, 4), np.uint8),
    "layer.0.mask": np.array([True, False]),
    "big": np.arange(3, dtype=">i4"),
}


def test_safetensors_of_torch_and_back(torch, tmp_path):
    theirs: Any = importlib.import_module("safetensors.torch")
    path = tmp_path / "w.safetensors"
    model = torch.nn.Linear(2, 3)
    bits = torch.tensor([1.5, -3e38, float("nan")], dtype=torch.bfloat16)
    state = {**model.state_dict(), "half": bits.half(), "b": bits.reshape(3, 1)}
    theirs.save_file(state, path, {"format": "pt", "author": "ü"})
    arrays, metadata = load_file(path)
    assert metadata == {"format": "pt", "author": "ü"}
    assert set(arrays) == set(state)
    for name, value in state.items():
        wanted = (value.float() if name == "b" else value).detach().numpy()
        assert arrays[name].dtype == wanted.dtype
        np.testing.assert_array_equal(arrays[name], wanted)
        assert arrays[name].flags.writeable

    ours = nn.Linear(2, 3)
    save(ours.state_dict(), path)
    found = theirs.load_file(path)
    model.load_state_dict(found)
    np.testing.assert_array_equal(found["weight"].numpy(), ours.weight.detach().numpy())


def test_bfloat16_is_widened_bit_by_bit(tmp_path):
    bits = np.array([[0x3F80, 0x8000], [0x7F80, 0x0001]], "<u2")
    entry = {"w": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}
    head = json.dumps(entry).encode()
    path = tmp_path / "b.safetensors"
    path.write_bytes(struct.pack("<Q", len(head)) + head + bits.tobytes())
    found = load(path)["w"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.view(np.uint32), bits.astype(np.uint32) << 16)


@pytest.mark.parametrize(
    "entries",
    [
        {"a": [0, 8], "b": [4, 12]},  # overlap
        {"a": [0, 8], "b": [12, 20]},  # a hole
        {"a": [8, 0]},
        {"a": [0, 2**63]},
        {"a": [-8, 0]},
        {"a": [4, 12]},
        {"a": [0, 8], "b": [0, 8]},  # both the same
    ],
)
def test_hostile_headers_are_refused(tmp_path, entries):
    head = json.dumps(
        {name: {"dtype": "F32", "shape": [2], "data_offsets": o} for name, o in entries.items()}
    ).encode()
    path = tmp_path / "h.safetensors"
    path.write_bytes(struct.pack("<Q", len(head)) + head + bytes(20))
    with pytest.raises(CheckpointError, match=r"h\.safetensors"):
        load(path)


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**63, 2**64 - 1])
def test_headers_of_any_claimed_length_are_refused(tmp_path, length):
    path = tmp_path / "h.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b'{"a"' + b"[" * 500)
    with pytest.raises(CheckpointError, match=r"h\.safetensors"):
        load(path)


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pth", ".pt"])
def test_every_format_gives_back_what_it_got(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    save(ARRAYS, path)
    found = load(path)
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        got = np.asarray(found[name])
        assert got.dtype == array.dtype.newbyteorder("=")
        assert got.shape == array.shape
        np.testing.assert_array_equal(got, array)
    before = path.read_bytes()
    save(ARRAYS, path)
    assert path.read_bytes() == before  # the same state, the same file
    with pytest.raises(TypeError):
        save({"a": object()}, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208 - names are all that is wanted


def test_the_suffix_names_the_format(tmp_path):
    with pytest.raises(ValueError, match=r"'w\.bin' must end in one of \.safetensors, \.npz"):
        save(ARRAYS, tmp_path / "w.bin")
    with pytest.raises(TypeError, match="a dict of tensors expected, not a list"):
        save([1], tmp_path / "w.npz")
    # Reading goes by the contents.
    save(ARRAYS, tmp_path / "w.npz")
    other = (tmp_path / "w.npz").rename(tmp_path / "w.pth")
    assert set(load(other)) == set(ARRAYS)


def test_arguments_of_torch_load(tmp_path):
    path = tmp_path / "w.pth"
    save(ARRAYS, path)
    assert set(nn.load(path, "cpu", weights_only=True)) == set(ARRAYS)
    with pytest.raises(ValueError, match="'cpu' is the only device"):
        load(path, map_location="cuda")
    with pytest.raises(ValueError, match="nothing in a file is run here"):
        load(path, weights_only=False)


def test_npz_of_numpy_and_back(tmp_path):
    path = tmp_path / "w.npz"
    for write in (np.savez, np.savez_compressed):
        write(path, **ARRAYS)
        for name, array in load_npz(path).items():
            np.testing.assert_array_equal(array, ARRAYS[name])
            assert array.flags.writeable
    save_npz(ARRAYS, path)
    with np.load(path, allow_pickle=False) as found:
        assert set(found.files) == set(ARRAYS)
        np.testing.assert_array_equal(found["fortran"], ARRAYS["fortran"])
    save_npz({}, path)
    assert load(path) == {}


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def archive(path: Any, **files: bytes) -> Any:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name.replace("_", "."), data)
    return path


class Payload:
    def __reduce__(self) -> Any:
        return (os.mkdir, ("ran",))


def test_objects_in_npz_are_not_unpickled(tmp_path):
    objects = np.empty(1, object)
    objects[0] = Payload()
    path = archive(tmp_path / "o.npz", a_npy=npy(objects))
    with pytest.raises(CheckpointError, match="arrays of numbers are expected"):
        load(path)
    assert not os.path.exists("ran")  # noqa: PTH110 - as the payload would have made it


def test_hostile_npz_are_refused(tmp_path):
    good = npy(np.arange(3.0))
    bad = {
        "shape": good.replace(b"(3,)", b"(9,)"),
        "huge": good.replace(b"(3,), }     ", b"(2**63,), }"),
        "digits": good.replace(b"(3,), }         ", b"(99999999999,), }"),
        "negative": good.replace(b"(3,), } ", b"(-3,), }"),
        "dtype": good.replace(b"'<f8'", b"'|O' "),
        "text": npy(np.array(["abc"])),
        "fields": npy(np.zeros(2, [("a", "f4")])),
        "call": good.replace(b"(3,), }                  ", b"__import__('os'), }     "),
        "magic": b"\x93NUMPX" + good[6:],
        "version": good[:6] + b"\x07\x00" + good[8:],
        "truncated": good[:-1],
        "empty": b"",
    }
    for name, data in bad.items():
        assert data != good, name
        path = archive(tmp_path / "b.npz", a_npy=data)
        with pytest.raises(CheckpointError, match=r"b\.npz"):
            load_npz(path)
    path = archive(tmp_path / "b.npz", a_txt=good)
    with pytest.raises(CheckpointError, match="is no array"):
        load(path)


def test_npz_bombs_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("nn.serialize.npz.SMALL", 10_000)
    path = archive(tmp_path / "z.npz", a_npy=npy(np.zeros(10**5)))
    with pytest.raises(CheckpointError, match="more than 100 times as large as the file"):
        load(path)


def test_npz_cut_anywhere_are_refused(tmp_path):
    path = tmp_path / "w.npz"
    save_npz(ARRAYS, path)
    whole = path.read_bytes()
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        with pytest.raises(CheckpointError, match=r"w\.npz"):
            load_npz(path)


@pytest.mark.parametrize("name", ["", "a.npy", "a\0b", "\ud800"])
def test_names_that_an_archive_cannot_hold(tmp_path, name):
    with pytest.raises(ValueError, match="cannot be stored"):
        save_npz({name: np.ones(1)}, tmp_path / "n.npz")
    assert not (tmp_path / "n.npz").exists()


def test_metadata_and_names_are_kept(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"a/b c": np.ones(1), "ü": np.ones(2)}, path, {"": "x", "k": "\n"})
    arrays, metadata = load_file(path)
    assert set(arrays) == {"a/b c", "ü"}
    assert metadata == {"": "x", "k": "\n"}
