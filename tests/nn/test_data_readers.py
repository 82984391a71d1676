from __future__ import annotations

import builtins
import gzip
import re
import struct
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nn.data import digits, mnist, read_csv, read_idx

CODES = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}


def idx_bytes(array: np.ndarray) -> bytes:
    head = struct.pack(">HBB", 0, CODES[array.dtype.name], array.ndim)
    return (
        head
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


# ---------------------------------------------------------------- IDX


@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda name: hnp.arrays(name, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0))
    ),
    packed=st.booleans(),
)
def test_idx_round_trip(tmp_path_factory, array, packed):
    path = tmp_path_factory.mktemp("idx") / "array"
    data = idx_bytes(array)
    path.write_bytes(gzip.compress(data, mtime=0) if packed else data)
    back = read_idx(path)
    assert back.dtype == array.dtype
    assert back.dtype.isnative
    assert back.flags.writeable
    np.testing.assert_array_equal(back, array)


def test_gzip_is_told_by_content(tmp_path):
    data = idx_bytes(np.arange(5, dtype=np.int16))
    (tmp_path / "plain.gz").write_bytes(data)
    (tmp_path / "packed").write_bytes(gzip.compress(data))
    assert read_idx(tmp_path / "plain.gz").tolist() == [0, 1, 2, 3, 4]
    assert read_idx(str(tmp_path / "packed")).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("packed", [False, True])
def test_every_truncation_is_refused(tmp_path, packed):
    data = idx_bytes(np.arange(6, dtype=np.uint8).reshape(2, 3))
    data = gzip.compress(data) if packed else data
    path = tmp_path / "cut-idx"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"cut-idx: .*(truncated|not an IDX file)"):
            read_idx(path)


def test_a_gzip_file_of_a_truncated_idx_is_refused(tmp_path):
    data = idx_bytes(np.arange(6, dtype=np.uint8).reshape(2, 3))
    path = tmp_path / "cut.gz"
    for length in range(len(data)):
        path.write_bytes(gzip.compress(data[:length]))
        with pytest.raises(ValueError, match=r"cut\.gz: truncated IDX"):
            read_idx(path)


@pytest.mark.parametrize("packed", [False, True])
def test_trailing_bytes_are_refused(tmp_path, packed):
    data = idx_bytes(np.zeros(3, np.uint8)) + b"!"
    path = tmp_path / "long-idx"
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(ValueError, match=r"long-idx: trailing bytes .* \(3,\) of uint8 needs 3"):
        read_idx(path)


def test_bytes_after_the_gzip_data_are_refused(tmp_path):
    path = tmp_path / "long.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(3, np.uint8))) + b"garbage")
    with pytest.raises(ValueError, match=r"long\.gz: corrupt or truncated gzip"):
        read_idx(path)


def test_every_flipped_byte_of_gzip_data_is_noticed(tmp_path):
    array = np.random.default_rng(0).integers(0, 255, 40).astype(np.uint8)
    good = gzip.compress(idx_bytes(array), mtime=0)
    path = tmp_path / "flipped.gz"
    for position in range(10, len(good)):  # the ten bytes before hold time and system
        path.write_bytes(good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :])
        with pytest.raises(ValueError, match=r"flipped\.gz"):
            read_idx(path)


@pytest.mark.parametrize(
    "magic", ["00010801", "01000801", "00000701", "00000a01", "00000f01", "00000800", "00000821"]
)
def test_a_wrong_magic_number_is_refused(tmp_path, magic):
    path = tmp_path / "wrong-idx"
    path.write_bytes(bytes.fromhex(magic) + b"\0" * 200)
    with pytest.raises(ValueError, match=f"wrong-idx: not an IDX file: magic number {magic}"):
        read_idx(path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(2**32 - 1,), (2**32 - 1, 2**32 - 1), (3_000_000_000, 1, 1)])
def test_absurd_sizes_are_refused_without_allocating(tmp_path, packed, shape):
    head = struct.pack(">HBB", 0, 14, len(shape)) + struct.pack(f">{len(shape)}I", *shape)
    path = tmp_path / "absurd-idx"
    path.write_bytes(gzip.compress(head + b"\0" * 8) if packed else head + b"\0" * 8)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="absurd-idx: truncated IDX file"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_an_empty_array_of_a_shape_beyond_numpy_is_refused(tmp_path):
    path = tmp_path / "beyond-idx"
    shape = (0, 2**32 - 1, 2**32 - 1, 2**32 - 1)
    path.write_bytes(struct.pack(">HBB4I", 0, 8, 4, *shape))
    with pytest.raises(ValueError, match="beyond-idx: IDX shape"):
        read_idx(path)


def test_a_missing_file_is_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")


# ---------------------------------------------------------------- MNIST


def write_mnist(folder: Path, suffix: str = "", train: int = 5, test: int = 2) -> None:
    for name, count in (("train", train), ("t10k", test)):
        images = np.arange(count * 784).reshape(count, 28, 28).astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", images[:, 0, 0] % 10)):
            data = idx_bytes(array)
            path = folder / f"{name}-{kind}-ubyte{suffix}"
            path.write_bytes(gzip.compress(data) if suffix else data)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_of_a_small_folder(tmp_path, suffix):
    write_mnist(tmp_path, suffix)
    (images, labels), (test_images, test_labels) = mnist(tmp_path)
    assert (images.shape, images.dtype) == ((5, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((5,), np.int64)
    assert test_images.shape == (2, 28, 28)
    assert test_labels.tolist() == [0, 6]


def test_mnist_finds_the_other_spelling_and_prefers_plain_files(tmp_path):
    write_mnist(tmp_path)
    write_mnist(tmp_path, ".gz", train=3)
    (tmp_path / "t10k-images-idx3-ubyte").rename(tmp_path / "t10k-images.idx3-ubyte")
    (images, _), (test_images, _) = mnist(tmp_path)
    assert (len(images), len(test_images)) == (5, 2)


def test_mnist_lists_all_that_is_missing(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    (tmp_path / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"missing train-labels-idx1-ubyte, t10k-images-idx3-ubyte \("
    ):
        mnist(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        mnist(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("train-labels-idx1-ubyte", np.zeros(4, np.uint8), "5 images, but .* 4 labels"),
        ("train-labels-idx1-ubyte", np.zeros(5, np.int32), "expected labels of uint8"),
        ("t10k-images-idx3-ubyte", np.zeros((2, 27, 28), np.uint8), r"uint8 \(N, 28, 28\)"),
        ("t10k-images-idx3-ubyte", np.zeros((2, 28, 28), np.float32), "got float32"),
    ],
)
def test_mnist_checks_the_files_against_each_other(tmp_path, name, array, words):
    write_mnist(tmp_path)
    (tmp_path / name).write_bytes(idx_bytes(array))
    with pytest.raises(ValueError, match=words):
        mnist(tmp_path)


def test_the_real_mnist(request):
    (images, labels), (test_images, test_labels) = mnist(request.getfixturevalue("mnist"))
    assert images.shape[1:] == test_images.shape[1:] == (28, 28)
    assert len(images) == len(labels) >= 1000
    assert len(test_images) == len(test_labels) == 1000
    assert set(labels.tolist()) == set(test_labels.tolist()) == set(range(10))
    # A digit is dark ink in the middle of an empty page: mean ink near 0.13, corners blank.
    assert 0.1 < images.mean() / 255 < 0.16
    assert images[:, 0, 0].max() == 0


# ---------------------------------------------------------------- digits


def test_digits():
    images, labels = digits()
    assert (images.shape, images.dtype) == ((1797, 8, 8), np.float32)
    assert (labels.shape, labels.dtype) == ((1797,), np.int64)
    assert images.min() == 0
    assert images.max() == 1
    assert np.bincount(labels).min() > 170
    np.testing.assert_array_equal(images * 16, np.round(images * 16))


def test_digits_without_scikit_learn_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("sklearn"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    for module in [name for name in sys.modules if name.startswith("sklearn")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install dagrad\[data\]"):
        digits()


# ---------------------------------------------------------------- CSV


@pytest.fixture
def csv_file(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_csv_of_numbers_without_header(csv_file):
    table = read_csv(csv_file("1.5,2,0\n3,4e-1,1\n"))
    assert table.features.dtype == np.float32
    np.testing.assert_array_equal(table.features, np.array([[1.5, 2], [3, 0.4]], np.float32))
    assert table.targets.dtype == np.int64
    assert table.targets.tolist() == [0, 1]
    assert table[2:] == (None, None)


def test_csv_with_header_and_string_labels(csv_file):
    text = '\ufeffkind,"petal, length",width\r\n rose , 1,2\r\n\r\niris,3,4\r\n"rose",5,6'
    features, targets, names, classes = read_csv(csv_file(text), target="kind")
    assert names == ["petal, length", "width"]
    assert classes == ["iris", "rose"]
    assert targets.tolist() == [1, 0, 1]
    assert features.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_csv_target_by_position_and_real_targets(csv_file):
    table = read_csv(csv_file("1;0.5;2\n3;-0.25;4\n"), target=1, delimiter=";")
    assert table.targets.dtype == np.float32
    assert table.targets.tolist() == [0.5, -0.25]
    assert table.features.tolist() == [[1, 2], [3, 4]]
    assert read_csv(csv_file("1,2,3\n"), target=-3).targets.tolist() == [1]


def test_csv_task_decides_where_the_cells_do_not(csv_file):
    text = "1,10\n2,9\n3,+10\n"
    auto, classes, values = (
        read_csv(csv_file(text), task=task) for task in ("auto", "classes", "values")
    )
    assert (auto.targets.tolist(), auto.class_names) == ([10, 9, 10], None)
    assert (classes.targets.tolist(), classes.class_names) == ([1, 0, 1], ["9", "10"])
    assert (values.targets.tolist(), values.targets.dtype) == ([10, 9, 10], np.float32)
    labels = read_csv(csv_file("1,10\n2,n/a\n"), task="classes")
    assert (labels.targets.tolist(), labels.class_names) == ([0, 1], ["10", "n/a"])


@pytest.mark.parametrize(
    ("dtype", "largest", "beyond"),
    [
        (np.float16, "65519", "65520"),
        (np.float32, "3.4028235677e38", "3.4028235678e38"),
        (np.float64, "1.797e308", "1.8e308"),
    ],
)
def test_csv_dtype(csv_file, dtype, largest, beyond):
    table = read_csv(csv_file(f"{largest},0.1\n"), dtype=dtype)
    assert table.features.dtype == table.targets.dtype == dtype
    assert (table.features[0, 0], table.targets[0]) == (np.finfo(dtype).max, dtype(0.1)) or (
        dtype is np.float64 and table.features[0, 0] == 1.797e308
    )
    words = f"line 1, column '0': the cell is '{beyond}', expected a finite number in float"
    with pytest.raises(ValueError, match=re.escape(words)):
        read_csv(csv_file(f"{beyond},0.1\n"), dtype=dtype)
    with pytest.raises(TypeError, match="dtype must be one of floats, got int64"):
        read_csv(csv_file("1,2\n"), dtype=np.int64)


def test_csv_header_is_found_or_told(csv_file):
    assert read_csv(csv_file("a,b,y\n1,2,3\n")).feature_names == ["a", "b"]
    assert read_csv(csv_file("1,2,rose\n3,4,iris\n")).feature_names is None
    assert read_csv(csv_file("1,2,3\n4,5,6\n"), header=True).feature_names == ["1", "2"]
    assert read_csv(csv_file("1,2,y\n4,5,6\n"), target="y").feature_names == ["1", "2"]
    with pytest.raises(ValueError, match="line 1, column '0': the cell is 'a'"):
        read_csv(csv_file("a,b,y\n1,2,3\n"), header=False)
    with pytest.raises(ValueError, match="line 1: some cells are numbers and some are not"):
        read_csv(csv_file("1,b,0\n1,2,3\n"))


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "no data rows"),
        ("\n \n", {}, "no data rows"),
        ("a,b\n", {}, "no data rows after the header"),
        ("1,2,3\n4,5\n", {}, "line 2: 2 cells, expected 3 as on line 1"),
        ("1,2\n\n\n4,5,6\n", {}, "line 4: 3 cells, expected 2"),
        ('a,b\n"1",2\n"\n7",2,3\n', {}, "line 3: 3 cells"),
        ("x,y\n1,2\nz,3\n", {}, "line 3, column 'x': the cell is 'z', expected a finite number"),
        ("x,y\n1,2\n,3\n", {}, "line 3, column 'x': the cell is empty"),
        ("x,y\n1,2\n3,\n", {}, "line 3, column 'y': the cell is empty"),
        ("1,2\nnan,3\n", {}, "line 2, column '0': the cell is 'nan'"),
        ("1,2\n-inf,3\n", {}, "the cell is '-inf'"),
        ("1,2\n1e39,3\n", {}, "the cell is '1e39', expected a finite number in float32"),
        ("1,2\n1_0,3\n", {}, "the cell is '1_0'"),
        ("1,2\n1,x\n", {}, "line 2, column '1': 'x' is not a number where others are"),
        ("1,2\n1,x\n", {"task": "values"}, "line 2, column '1': the cell is 'x'"),
        ("1;2\n3;4\n", {}, "only one column with delimiter ','"),
        ("1,2\n", {"target": 2}, "target column 2 is outside 2 columns"),
        ("1,2\n", {"target": -3}, "target column -3 is outside"),
        ("a,b\n1,2\n", {"target": "c"}, "no column is named 'c'; the columns are a, b"),
        ("a,a,b\n1,2,3\n", {"target": "a"}, "more than one column is named 'a'"),
        ("a,b\n1,2\n", {"target": "a", "header": False}, "header=False"),
        ('1,"2\n3,4\n', {}, "malformed CSV"),
        (b"1,\xff\n", {}, "not UTF-8"),
        ("1,2\n", {"delimiter": ", "}, "one character"),
        ("1,2\n", {"task": "guess"}, "task must be"),
    ],
)
def test_csv_refuses(csv_file, text, options, words):
    with pytest.raises(ValueError, match=words):
        read_csv(csv_file(text), **options)


def test_csv_names_the_file(csv_file, tmp_path):
    with pytest.raises(ValueError, match=r"table\.csv, line 2"):
        read_csv(csv_file("1,2\n3\n"))
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(TypeError, match="target must be an int or a str, not float"):
        read_csv(csv_file("1,2\n"), target=1.0)  # pyright: ignore[reportArgumentType]


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 8), st.integers(1, 5)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_csv_reads_back_every_float32(tmp_path_factory, features):
    path = tmp_path_factory.mktemp("csv") / "floats.csv"
    lines = [",".join([*(repr(float(cell)) for cell in row), "7"]) for row in features]
    path.write_text("\n".join(lines))
    np.testing.assert_array_equal(read_csv(path).features, features)
