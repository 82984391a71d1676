"""PyTorch's files: what is read, and that nothing in a hostile one runs or costs much."""

from __future__ import annotations

import builtins
import collections
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from nn.serialize import CheckpointError, load, load_file, load_pth, save
from nn.serialize.machine import MAX_DEPTH, Machine

from .weights_models import MODELS

WEIGHTS = Path(__file__).resolve().parent / "weights"


def zipped(path: Path, pickled: bytes, compression: int = 0, **storages: bytes) -> Path:
    """A file of torch.save's form around any pickle; storages as _0=..., _1=..."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, data in storages.items():
            archive.writestr(f"archive/data/{name[1:]}", data)
    return path


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def integer(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def sizes(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor(
    first: int = 0,
    shape: tuple[int, ...] = (4,),
    strides: tuple[int, ...] = (1,),
    *,
    key: str = "0",
    count: int = 4,
    kind: str = "FloatStorage",
) -> bytes:
    """The instructions that make a tensor of a storage."""
    pid = text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text("cpu")
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n((" + pid + integer(count) + b"tQ" + integer(first)
    ) + (sizes(shape) + sizes(strides) + b"\x89ccollections\nOrderedDict\n)RtR")


FOUR = np.arange(4, dtype="<f4").tobytes()


# ---------------------------------------------------------------- files that PyTorch made


FILES = sorted(path.name for path in WEIGHTS.glob("*.*"))


@pytest.mark.parametrize("file", FILES)
def test_models_of_pytorch_give_its_outputs(file):
    path = WEIGHTS / file
    name, suffix = path.stem.removesuffix("-legacy"), path.suffix
    build, _ = MODELS[name]
    try:
        model = build(autograd, nn)
    except AttributeError as error:
        pytest.skip(str(error))
    if suffix == ".safetensors":
        state, metadata = load_file(path)
        assert metadata["format"] == "pt"
        data, output = state.pop("@input"), state.pop("@output")
    else:
        saved = load(path)
        assert saved["epoch"] == 3
        state, data, output = (saved["model"], *(saved[k].numpy() for k in ("input", "output")))
    assert not model.load_state_dict(state).missing_keys
    assert list(model.state_dict()) == list(state) or suffix == ".safetensors"
    model.eval()
    with autograd.no_grad():
        np.testing.assert_allclose(model(autograd.tensor(data)).numpy(), output, atol=1e-5)


def everything(torch: Any) -> dict[str, Any]:
    base = torch.arange(12.0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    return {
        "model": model.state_dict(),
        "optimizer": torch.optim.Adam(model.parameters()).state_dict(),
        "parameter": model[0].weight,
        "strided": base[2:8:2],
        "transposed": base.view(3, 4).T,
        "expanded": base[:2].expand(5, 2),
        "empty": torch.empty(0, 3),
        "single": torch.tensor(3),
        "bfloat16": torch.tensor([1.5, -3e38, float("inf")], dtype=torch.bfloat16),
        "others": [
            torch.tensor([0, 1, 2]).to(getattr(torch, name))
            for name in ("bool", "uint8", "int8", "int16", "int32", "int64")
        ],
        "floats": [
            torch.tensor([0, 1, 2]).to(getattr(torch, name))
            for name in ("float16", "float64", "complex64")
        ],
        "plain": [1, (2.5, None, True), {3}, 1 + 2j, "ü", 1 << 90, -(1 << 40), b"\xff\x00"],
        "array": np.arange(6.0).reshape(2, 3).T,
        "number": np.float64(0.1),
        "size": torch.Size([2, 3]),
        "dtypes": [torch.float32, torch.bfloat16],
        "device": torch.device("cpu"),
        "counter": collections.Counter({3: 1}),
    }


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"_use_new_zipfile_serialization": False},
        {"pickle_protocol": 3},
        {"pickle_protocol": 4},
        {"pickle_protocol": 5},
    ],
    ids=str,
)
def test_all_that_torch_saves_is_read(torch, tmp_path, options):
    path = tmp_path / "all.pth"
    saved = everything(torch)
    torch.save(saved, path, **options)
    found = load_pth(path)
    assert list(found) == list(saved)

    def compare(ours: Any, theirs: Any) -> None:
        if isinstance(theirs, torch.Tensor):
            theirs = theirs.detach()
            wanted = (theirs.float() if theirs.dtype == torch.bfloat16 else theirs).numpy()
            assert np.asarray(ours).dtype == wanted.dtype
            np.testing.assert_array_equal(np.asarray(ours), wanted)
        elif isinstance(theirs, np.ndarray):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
        elif isinstance(theirs, dict):
            assert type(ours) is dict
            assert list(ours) == list(theirs)
            for key, value in theirs.items():
                compare(ours[key], value)
        elif isinstance(theirs, list):
            for a, b in zip(ours, theirs, strict=True):
                compare(a, b)
        else:
            assert ours == theirs

    for name in found.keys() - {"dtypes", "device", "size"}:
        compare(found[name], saved[name])
    assert found["dtypes"] == [np.dtype(np.float32), "bfloat16"]
    assert found["device"] == "cpu"
    assert found["size"] == (2, 3)
    assert type(found["number"]) is np.float64
    # What shared memory shares it again, and is writable.
    assert np.shares_memory(found["strided"].numpy(), found["transposed"].numpy())
    assert np.shares_memory(found["parameter"].numpy(), found["model"]["0.weight"].numpy())
    assert not found["parameter"].requires_grad
    found["strided"].numpy()[0] = 7.0
    assert found["transposed"].numpy()[2, 0] == 7.0


def test_dtypes_without_a_storage_type(torch, tmp_path):
    path = tmp_path / "u16.pth"
    torch.save({"w": torch.tensor([1, 60000], dtype=torch.uint16)}, path)
    np.testing.assert_array_equal(load(path)["w"].numpy(), np.array([1, 60000], np.uint16))
    torch.save({"w": torch.ones(2).to(torch.float8_e4m3fn)}, path)
    with pytest.raises(CheckpointError, match=r"torch\.float8_e4m3fn, a dtype that NumPy lacks"):
        load(path)


def test_whole_models_are_refused_with_advice(torch, tmp_path):
    path = tmp_path / "model.pth"
    torch.save(torch.nn.Linear(2, 3), path)
    with pytest.raises(CheckpointError, match=r"Linear.*torch\.save\(model\.state_dict\(\), path"):
        load(path)


def test_torch_reads_what_is_saved_here(torch, tmp_path):
    path = tmp_path / "ours.pth"
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    shared = autograd.arange(3)
    extra = {"a": shared, "b": shared, "c": np.ones((0, 4)), "d": np.asfortranarray(np.eye(2, 3))}
    plain = [1, -1, 1 << 70, (2.5, None, True), "ü", b"\xff\x00", {5: "five"}]
    save({"model": model.state_dict(), "extra": extra, "plain": plain, "number": np.int8(3)}, path)
    found = torch.load(path)  # weights_only, as it is by default
    assert found["plain"] == plain
    assert found["number"].item() == 3
    assert found["extra"]["a"].data_ptr() == found["extra"]["b"].data_ptr()
    np.testing.assert_array_equal(found["extra"]["d"].numpy(), np.eye(2, 3))
    assert found["extra"]["c"].shape == (0, 4)
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    theirs.load_state_dict(found["model"])
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), model.state_dict()[name].numpy())
    ours = load(path)
    np.testing.assert_array_equal(ours["extra"]["a"].numpy(), [0, 1, 2])
    assert ours["plain"] == plain


# ---------------------------------------------------------------- files made by hand


def test_big_endian_files(tmp_path):
    path = tmp_path / "big.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", b"\x80\x02" + tensor() + b".")
        archive.writestr("x/byteorder", b"big")
        archive.writestr("x/data/0", np.arange(4, dtype=">f4").tobytes())
    np.testing.assert_array_equal(load(path).numpy(), np.arange(4, dtype=np.float32))


def test_bools_are_zero_or_one(tmp_path):
    data = b"\x80\x02" + tensor(kind="BoolStorage") + b"."
    found = load(zipped(tmp_path / "b.pth", data, _0=bytes([0, 1, 2, 255])))
    assert found.numpy().tobytes() == bytes([0, 1, 1, 1])


def test_views_of_storages_in_the_old_format(tmp_path):
    # What PyTorch before 0.4 wrote: a storage that is a part of another one.
    def dump(value: Any) -> bytes:
        return pickle.dumps(value, 2)

    plain = tensor(shape=(2,), count=4)
    assert plain.count(integer(4) + b"tQ") == 1
    view = plain.replace(integer(4) + b"tQ", integer(4) + b"(" + text("v") + b"K\x01K\x03ttQ")
    head = dump(0x1950A86A20F9469CFC6C) + dump(1001) + dump({"little_endian": True})
    path = tmp_path / "old.pth"
    path.write_bytes(
        head + b"\x80\x02" + view + b"." + dump(["0"]) + (4).to_bytes(8, "little") + FOUR
    )
    np.testing.assert_array_equal(load(path).numpy(), [1.0, 2.0])


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (tensor(count=5), "should have 5 elements"),
        (tensor(count=2**50), "should have"),
        (tensor(count=-1), "malformed"),
        (tensor(shape=(5,)), "reaches outside"),
        (tensor(first=1), "reaches outside"),
        (tensor(first=-1), "malformed"),
        (tensor(strides=(2,)), "reaches outside"),
        (tensor(strides=(-1,)), "malformed"),
        (tensor(shape=(2, 2), strides=(1,)), "malformed"),
        (tensor(shape=(2**30,), strides=(0,)), "more than once"),
        (tensor(shape=(2**40, 2**40), strides=(0, 0)), "larger than any memory"),
        (tensor(shape=(2**61, 0), strides=(0, 0)), "larger than any memory"),
        (tensor(shape=(1,) * 65, strides=(1,) * 65), "larger than any memory"),
        (tensor(key="1"), "data/1 is missing"),
        (tensor(key="../0"), "is missing"),
        (tensor(kind="Bogus"), r"asks for torch\.Bogus"),
    ],
)
def test_tensors_that_do_not_fit_their_storage_are_refused(tmp_path, made, words):
    with pytest.raises(CheckpointError, match=words):
        load(zipped(tmp_path / "t.pth", b"\x80\x02" + made + b".", _0=FOUR))


# ---------------------------------------------------------------- hostile pickles


class Payload:
    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def payloads(target: str) -> dict[str, bytes]:
    """Pickles that would make a folder, each by other means."""
    made = text(target)
    return {
        "REDUCE": pickle.dumps({"w": Payload(os.mkdir, (target,))}, 2),
        "STACK_GLOBAL": pickle.dumps(Payload(os.mkdir, (target,)), 4),
        "eval": pickle.dumps(Payload(builtins.eval, (f"__import__('os').mkdir({target!r})",)), 2),
        "INST": b"(" + made + b"ios\nmkdir\n.",
        "OBJ": b"(cos\nmkdir\n" + made + b"o.",
        "NEWOBJ": b"cos\nmkdir\n" + made + b"\x85\x81.",
        "NEWOBJ allowed": b"ccollections\nOrderedDict\n)\x81.",
        "NEWOBJ_EX": b"cos\nmkdir\n" + made + b"\x85}\x92.",
        "EXT1": b"\x82\x01" + made + b"\x85R.",
        "EXT4": b"\x84\x01\x00\x00\x00" + made + b"\x85R.",
        "PERSID": b"Pos\n.",
        "dotted": b"\x80\x04" + b"\x8c\x0bcollections\x8c\x12OrderedDict.update\x93)R.",
        "attribute": b"cbuiltins\ngetattr\n" + text("x") + made + b"\x86R.",
        "call of text": made + made + b"\x85R.",
        "call of a tensor's class": b"ctorch\nTensor\n)R.",
        "maker of a maker": b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch\nSize\nN)NtR.",
        "state of text": made + b"}b.",
        "state of a list": b"]}b.",
        "state of a name": b"ccollections\nOrderedDict\n}b.",
        "object array": b"cnumpy\ndtype\n" + text("O") + b"\x85R.",
        "structured array": b"cnumpy\ndtype\n" + text("O,O") + b"\x85R.",
    }


@pytest.mark.parametrize("kind", sorted(payloads("")))
def test_nothing_in_a_file_runs(tmp_path, kind):
    folder = tmp_path / "made"
    data = payloads(str(folder))[kind]
    with pytest.raises(CheckpointError):
        load(zipped(tmp_path / "p.pth", data))
    legacy = tmp_path / "old.pth"
    head = b"".join(pickle.dumps(v, 2) for v in (0x1950A86A20F9469CFC6C, 1001, {}))
    legacy.write_bytes(head + data)
    with pytest.raises(CheckpointError):
        load(legacy)
    assert not folder.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"a.",
        b"(.",
        b"NN.",
        b"]N]a.",
        b"h\x00.",
        b"\x80\x09N.",
        b"\xffN.",
        b"B\xff\xff\xff\xffN.",
        b"\x8e" + b"\xff" * 8 + b".",
        b"\x8b\xff\xff\xff\xffN.",
        b"X\x01\x00\x00\x00\xff.",
        b"}]Ns.",  # a list as a key
        b"}N)\x85\x85Ns.",
        b"}(Nu.",
        b"ccollections\nOrderedDict\n.",
        b"cbuiltins\nbytearray\n\x8a\x06\xff\xff\xff\xff\xff\x00\x85R.",
        b"ctorch\nSize\nX\x01\x00\x00\x00a\x85R.",
        b"ccollections\nOrderedDict\n(NNNtR.",
        b"ccollections",
        b"NQ.",
        b"(" * 2000,
        b"]q\x00h\x00a.",  # holds itself
        b"]" * (MAX_DEPTH + 2) + b"a" * (MAX_DEPTH + 1) + b".",
        b")" + b"\x85" * 100_000 + b".",
        b"}" + b")" + b"\x85" * 100_000 + b"Ns.",  # whose hash would run deep
        b"\x8f(" + b")" + b"\x85" * 100_000 + b"\x90.",
        b"}(" + b"N" * 17 + b"tNs.",  # a long key
        b"}" + integer(2**61 - 1) + b"Ns.",  # whose hash others can be made to share
        b"\x8b" + struct.pack("<i", 5000) + bytes(5000) + b".",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_malformed_pickles_are_refused(tmp_path, data):
    with pytest.raises(CheckpointError):
        load(zipped(tmp_path / "m.pth", data))


def test_shared_values_are_looked_at_once():
    # Each list holds the one before twice: 2 to the power of 60 values, if written out.
    data = b"]q\x00" + b"".join(
        b"](h%ch%ce" % (n, n) + b"q%c" % (n + 1) for n in range(60)
    )  # the stack keeps all of them
    data = data + b"\x94(" + b"l."
    with pytest.raises(CheckpointError, match="left over"):
        run(data)
    inner = (
        b"]q\x00" + b"0" + b"".join(b"](h%ch%ce" % (n, n) + b"q%c0" % (n + 1) for n in range(60))
    )
    assert len(run(inner + b"h\x3c.")) == 2


@pytest.mark.parametrize(
    "again",
    [
        b"c_codecs\nencode\nh\x00" + text("latin1") + b"\x86R0",
        b"cbuiltins\nset\nh\x01\x85R0",
        b"ctorch\nSize\nh\x01\x85R0",
        b"cnumpy._core.multiarray\n_reconstruct\n)R(K\x01h\x03h\x04\x89h\x02tb0",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_copies_of_one_value_without_end_are_refused(tmp_path, again):
    # A long text, a long list, long bytes, their shape and dtype; then each again and again.
    size = 20_000
    data = text("x" * size) + b"q\x000" + b"](" + b"K\x05" * size + b"eq\x010"
    data += b"B" + struct.pack("<I", size) + bytes(size) + b"q\x020" + sizes((size,)) + b"q\x030"
    data += b"cnumpy\ndtype\n" + text("u1") + b"\x85Rq\x040"
    with pytest.raises(CheckpointError, match="copies far more than it holds"):
        load(zipped(tmp_path / "c.pth", data + again * 1000 + b"N."))


def test_storages_are_converted_once(tmp_path):
    first = tensor(kind="IntStorage")
    data = b"](" + first + tensor(kind="BFloat16Storage", count=8, shape=(8,)) * 3 + b"e."
    found = load(zipped(tmp_path / "s.pth", data, _0=FOUR))
    assert np.shares_memory(found[1].numpy(), found[2].numpy())
    assert np.shares_memory(found[1].numpy(), found[3].numpy())


def run(data: bytes) -> Any:
    return Machine(data, calls={}, values={}, refuse=CheckpointError).run()


def test_files_cut_anywhere_are_refused(tmp_path):
    for name in ("cnn.pth", "cnn-legacy.pth", "cnn.safetensors"):
        whole = (WEIGHTS / name).read_bytes()
        path = tmp_path / name
        for end in sorted({*range(0, 40, 3), *range(40, len(whole), 331), len(whole) - 1}):
            path.write_bytes(whole[:end])
            with pytest.raises(CheckpointError):
                load(path)


def test_flipped_bits_are_refused_or_change_a_number(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cnn.pth", "cnn-legacy.pth"):
        whole = (WEIGHTS / name).read_bytes()
        path = tmp_path / name
        # Mostly in the pickle, which is at the beginning of both.
        places = [*rng.integers(0, 3000, 150), *rng.integers(0, len(whole), 30)]
        for place in places:
            broken = bytearray(whole)
            broken[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(broken)
            try:
                load(path)
            except CheckpointError:
                continue


def test_damaged_numbers_in_a_zip_file_are_seen(tmp_path):
    path = zipped(tmp_path / "t.pth", b"\x80\x02" + tensor() + b".", _0=FOUR)
    whole = path.read_bytes()
    place = whole.index(FOUR) + 6
    path.write_bytes(whole[:place] + b"\x77" + whole[place + 1 :])
    with pytest.raises(CheckpointError, match="damaged, or no zip file"):
        load(path)


def test_zip_bombs_are_refused(tmp_path):
    made = b"\x80\x02" + tensor(count=10**7, shape=(10**7,)) + b"."
    path = zipped(tmp_path / "z.pth", made, zipfile.ZIP_DEFLATED, _0=bytes(4 * 10**7))
    assert path.stat().st_size < 10**5
    with pytest.raises(CheckpointError, match=r"is compressed, which torch\.save never does"):
        load(path)
    # Entries of the directory that all show the same bytes of the file.
    one = b"\x80\x02](" + b"".join(tensor(key=str(n), count=1, shape=(1,)) for n in range(8))
    path = zipped(tmp_path / "o.pth", one + b"e.", 0, **{f"_{n}": bytes(4096) for n in range(8)})
    whole = bytearray(path.read_bytes())
    place, first = -1, None
    while (place := whole.find(b"PK\x01\x02", place + 1)) >= 0:
        if b"data/" in whole[place + 46 : place + 60]:
            first = first or whole[place + 42 : place + 46]
            whole[place + 42 : place + 46] = first
    path.write_bytes(whole)
    with pytest.raises(CheckpointError):
        load(path)


def test_directories_that_claim_too_much_are_refused(tmp_path):
    path = zipped(tmp_path / "t.pth", b"\x80\x02" + tensor() + b".", _0=FOUR)
    whole = bytearray(path.read_bytes())
    place = whole.rindex(b"PK\x01\x02")
    for form in (b"\xff\xff\xff\x7f" * 2, b"\xff\xff\xff\x7f" + b"\x10\x00\x00\x00"):
        whole[place + 20 : place + 28] = form
        path.write_bytes(whole)
        with pytest.raises(CheckpointError):
            load(path)


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"\x80\x02N.", b"hello"])
def test_other_files_are_refused(tmp_path, data):
    path = tmp_path / "other.pth"
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"other\.pth"):
        load(path)
    with pytest.raises(CheckpointError, match=r"other\.pth"):
        load_pth(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.pth")


def test_a_failed_load_leaves_the_model_alone(tmp_path):
    model = nn.Linear(2, 3)
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    path = tmp_path / "w.pth"
    save({"weight": np.ones((3, 2)), "bias": np.ones(4)}, path)
    with pytest.raises(RuntimeError, match="nothing was loaded"):
        model.load_state_dict(load(path))
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({"a": object()}, TypeError),
        ({(1,): 2}, TypeError),
        ({"a": np.array(["x"])}, TypeError),
        ({"a": np.array([object()])}, TypeError),
        ({"a": 1 << 3000}, ValueError),
    ],
)
def test_what_cannot_be_saved_leaves_the_file_alone(tmp_path, state, error):
    path = tmp_path / "w.pth"
    path.write_bytes(b"old")
    with pytest.raises(error, match="save_pth"):
        save(state, path)
    nested: Any = []
    nested.append(nested)
    with pytest.raises(ValueError, match="nested deeper"):
        save(nested, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["w.pth"]  # noqa: PTH208 - names are all that is wanted
