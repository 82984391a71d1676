"""The command line: a run and its folder, resuming after a kill, and every error as one line."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn.__main__ as cli
from nn import runs
from nn.models import find_model, list_models
from nn.recipes import images
from nn.recipes.images import ImageClassification, load_digits
from nn.serialize import load_file, load_weights, save_file
from nn.settings import OPTIMIZERS, Settings

ROOT = Path(__file__).resolve().parent.parent.parent
# Four steps per epoch.
TINY = ["--limit", "64", "--batch-size", "16"]


@pytest.fixture
def no_pictures(monkeypatch):
    """Leave the pictures out: they take most of a tiny run's time."""
    monkeypatch.setattr(ImageClassification, "draw", lambda *args, **kwargs: [])
    monkeypatch.setattr(runs, "save_pictures", lambda *args, **kwargs: None)


def train(out: Path, *arguments: str) -> int:
    return cli.main(["train", "lenet5", *TINY, "--out", str(out), *arguments])


def error_of(capsys, *arguments: str, status: int) -> str:
    """The one line that a failing command prints to stderr."""
    try:
        code = cli.main(list(arguments))
    except SystemExit as exit:
        code = exit.code
    error = capsys.readouterr().err
    assert code == status, error
    assert error.count("\n") == 1, error
    assert "Traceback" not in error
    return error


def metrics(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def script(text: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, after `text` has tampered with it."""
    imports = "import os, signal, sys\nimport nn.__main__ as cli\nfrom nn import runs\n"
    code = f"{imports}{text}\nsys.exit(cli.main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        # One BLAS thread: two, on cores that other tests use too, wait for each other by spinning
        # and take twenty times as long.
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


# In the middle of the third epoch, after step 10 of 4 per epoch.
# (A shell gives its background jobs, and so their children, an ignored SIGINT.)
SIGNAL_IN_EPOCH_3 = """
signal.signal(signal.SIGINT, signal.default_int_handler)
from nn.recipes.images import ImageClassification
steps, call = [], ImageClassification.loss
def counted(self, scores, targets):
    from autograd import is_grad_enabled
    if is_grad_enabled():
        steps.append(1)
        if len(steps) == 11:
            os.kill(os.getpid(), signal.{signal})
    return call(self, scores, targets)
ImageClassification.loss = counted
"""

# Between the third checkpoint and its line in metrics.jsonl.
KILL_BEFORE_METRICS = """
write = runs.write_metrics
def killed(path, records):
    if len(records) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, records)
runs.write_metrics = killed
"""


# ------------------------------------------------------------------ a run


def test_a_run_leaves_its_results(tmp_path, capsys):
    assert train(tmp_path / "run", "--epochs", "2") == 0
    printed = capsys.readouterr()
    assert {file.name for file in (tmp_path / "run").iterdir()} == set(runs.RUN_FILES)
    assert "61,706 parameters" in printed.out
    assert printed.out.count("train loss") == 2
    assert "test accuracy" in printed.out
    assert "predicted" in printed.out
    assert printed.err == ""  # the progress bar is quiet where stderr is no terminal

    one, two, test = metrics(tmp_path / "run")
    assert [one["epoch"], two["epoch"], test["epoch"]] == [1, 2, 2]
    confusion = np.array(test["test_confusion"])
    assert confusion.sum() == 64
    assert test["test_accuracy"] == confusion.trace() / 64

    _, metadata = load_file(tmp_path / "run" / "model.safetensors")
    about = json.loads(metadata[runs.MODEL_KEY])
    assert (about["model"], about["data"]) == ("lenet5", "digits")
    model = find_model("lenet5").factory()
    model.load_state_dict(load_weights(tmp_path / "run" / "model.safetensors"))
    assert about["std"] > 0
    assert about["test_accuracy"] == test["test_accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_defaults_reach_98_percent_of_digits(tmp_path, seed):
    done = script("", "train", "lenet5", "--seed", seed, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert metrics(tmp_path)[-1]["test_accuracy"] >= 0.98


@pytest.mark.slow
def test_fifteen_epochs_reach_96_percent_of_mnist(tmp_path, mnist):
    arguments = ["--data", f"mnist:{mnist}", "--epochs", "15", "--out", str(tmp_path)]
    done = script("", "train", "lenet5", *arguments)
    assert done.returncode == 0, done.stderr
    assert metrics(tmp_path)[-1]["test_accuracy"] >= 0.96


def test_mnist_files_are_read(tmp_path, no_pictures, mnist):
    out = tmp_path / "run"
    assert train(out, "--data", f"mnist:{mnist}", "--epochs", "1") == 0
    assert len(metrics(out)) == 2


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_the_same_seed_gives_the_same_run(tmp_path, no_pictures, optimizer):
    arguments = ["--epochs", "2", "--seed", "5", "--optimizer", optimizer]
    for name in ("a", "b"):
        assert train(tmp_path / name, *arguments) == 0
    assert train(tmp_path / "c", *arguments, "--seed", "6") == 0
    for name in ("metrics.jsonl", "model.safetensors"):
        first, second, other = ((tmp_path / run / name).read_bytes() for run in "abc")
        assert first == second
        assert first != other


def test_without_out_each_run_has_a_folder_of_its_own(tmp_path, no_pictures, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["train", "lenet5", *TINY, "--epochs", "1"]
    assert cli.main(command) == 0
    assert cli.main(command) == 0
    assert {folder.name for folder in (tmp_path / "runs").iterdir()} == {"lenet5", "lenet5-2"}
    capsys.readouterr()
    assert cli.main(["train", "lenet5", "--resume", "--epochs", "2"]) == 0  # the newest
    assert "lenet5-2" in capsys.readouterr().out
    assert len(metrics(tmp_path / "runs" / "lenet5-2")) == 3
    assert len(metrics(tmp_path / "runs" / "lenet5")) == 2


def test_splits_do_not_overlap_and_use_training_statistics():
    splits = load_digits("digits", np.random.default_rng(0))
    sizes = [len(labels) for _, labels in (splits.train, splits.validation, splits.test)]
    assert sizes == [1294, 144, 359]
    pixels, _ = splits.train
    assert pixels.shape == (1294, 1, 32, 32)
    assert pixels.dtype == np.float32
    assert abs(pixels.mean()) < 1e-4
    assert abs(pixels.std() - 1) < 1e-4
    assert abs(splits.test[0].mean()) > 1e-4
    everything = np.concatenate([splits.train[0], splits.validation[0], splits.test[0]])
    assert len(np.unique(everything.reshape(1797, -1), axis=0)) == 1797
    again = load_digits("digits", np.random.default_rng(0))
    other = load_digits("digits", np.random.default_rng(1))
    assert splits.checksum() == again.checksum() != other.checksum()


def test_pictures_are_left_out_without_matplotlib(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert train(tmp_path / "run", "--epochs", "1") == 0
    printed = capsys.readouterr()
    assert "pip install dagrad[plot]" in printed.err
    assert "curves.png" not in printed.out
    assert (tmp_path / "run" / "model.safetensors").exists()
    assert not (tmp_path / "run" / "curves.png").exists()


# ------------------------------------------------------------------ resuming


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = script("", "train", "lenet5", *TINY, "--epochs", "4", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize(
    ("tampering", "epochs"),
    [(SIGNAL_IN_EPOCH_3.format(signal="SIGKILL"), 2), (KILL_BEFORE_METRICS, 2)],
    ids=["middle of an epoch", "between the two files"],
)
def test_a_killed_run_goes_on_bit_for_bit(tmp_path, whole_run, tampering, epochs):
    out = tmp_path / "run"
    killed = script(tampering, "train", "lenet5", *TINY, "--epochs", "4", "--out", str(out))
    assert killed.returncode == -9, killed.stderr
    assert [record["epoch"] for record in metrics(out)] == list(range(1, epochs + 1))
    resumed = script("", "train", "lenet5", "--out", str(out), "--resume")
    assert resumed.returncode == 0, resumed.stderr
    for name in ("metrics.jsonl", "model.safetensors"):
        assert (out / name).read_bytes() == (whole_run / name).read_bytes()
    one, two = (load_file(folder / "checkpoint.safetensors") for folder in (out, whole_run))
    assert one[1] == two[1]
    assert all((one[0][name] == two[0][name]).all() for name in two[0])


def test_ctrl_c_says_where_the_checkpoint_lies(tmp_path, whole_run):
    out = tmp_path / "run"
    tampering = SIGNAL_IN_EPOCH_3.format(signal="SIGINT")
    stopped = script(tampering, "train", "lenet5", *TINY, "--epochs", "4", "--out", str(out))
    assert stopped.returncode == 130
    (line,) = stopped.stderr.splitlines()
    assert str(out / "checkpoint.safetensors") in line
    assert "2 of 4 epochs" in line
    arguments = line.split("python -m nn ")[1].split()
    assert script("", *arguments).returncode == 0
    assert (out / "model.safetensors").read_bytes() == (
        whole_run / "model.safetensors"
    ).read_bytes()


def test_a_finished_run_takes_more_epochs(tmp_path, no_pictures, whole_run):
    out = tmp_path / "run"
    assert train(out, "--epochs", "2") == 0
    assert train(out, "--epochs", "4", "--resume") == 0
    assert (out / "metrics.jsonl").read_bytes() == (whole_run / "metrics.jsonl").read_bytes()
    before = (out / "model.safetensors").read_bytes()
    assert train(out, "--resume") == 0  # nothing left to train; tested anew
    assert (out / "model.safetensors").read_bytes() == before
    assert len(metrics(out)) == 5


@pytest.fixture
def short_run(tmp_path, no_pictures, capsys) -> Path:
    assert train(tmp_path / "run", "--epochs", "2") == 0
    capsys.readouterr()
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch-size", "8"], "--batch-size 16, not 8"),
        (["--optimizer", "sgd"], "--optimizer adam, not sgd"),
        (["--lr", "0.5", "--seed", "3"], "--seed 0, not 3"),
        (["--limit", "9"], "--limit 64, not 9"),
        (["--epochs", "1"], "2 epochs behind it already; --epochs 1 is less"),
    ],
)
def test_resuming_otherwise_is_refused(short_run, capsys, arguments, words):
    before = {file.name: file.read_bytes() for file in short_run.iterdir()}
    command = ["train", "lenet5", "--out", str(short_run), "--resume", *arguments]
    assert words in error_of(capsys, *command, status=1)
    assert {file.name: file.read_bytes() for file in short_run.iterdir()} == before


def test_resuming_on_other_data_is_refused(short_run, capsys, mnist):
    command = ["train", "lenet5", "--out", str(short_run), "--resume", "--data", f"mnist:{mnist}"]
    assert "other data (digits)" in error_of(capsys, *command, status=1)


def test_a_folder_that_holds_a_run_is_refused(short_run, capsys):
    error = error_of(capsys, "train", "lenet5", "--out", str(short_run), status=1)
    assert "holds a run already" in error
    assert "--resume" in error


@pytest.mark.parametrize(
    "damage", ["empty", "truncated", "flipped", "weights", "no settings", "epochs"]
)
def test_a_corrupt_checkpoint_is_one_sentence(short_run, capsys, damage):
    path = short_run / "checkpoint.safetensors"
    data = path.read_bytes()
    if damage == "weights":
        save_file({"w": np.ones(2)}, path)
    elif damage == "no settings":
        from nn.serialize import save_checkpoint

        save_checkpoint(path, model=find_model("lenet5").factory(), epoch=1)
    elif damage == "epochs":
        assert data.count(b'"epochs\\":2') == 1
        path.write_bytes(data.replace(b'"epochs\\":2', b'"epochs\\":0'))
    else:
        changed = {"empty": b"", "truncated": data[: len(data) // 2], "flipped": b"\xff" + data[1:]}
        path.write_bytes(changed[damage])
    error = error_of(capsys, "train", "lenet5", "--out", str(short_run), "--resume", status=1)
    assert "checkpoint.safetensors" in error


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a command"),
        (["fly"], "invalid choice: 'fly'"),
        (["train"], "name a model: "),
        (["train", "lenet6"], "unknown model 'lenet6'; known are: "),
        (["train", "lenet5", "--data", "cifar"], "unknown data 'cifar'; known are: digits, mnist:"),
        (["train", "lenet5", "--data", "mnist:"], "unknown data 'mnist:'"),
        (["train", "lenet5", "--data", ""], "unknown data ''"),
        (["train", "lenet5", "--epochs", "0"], "--epochs: must be an integer >= 1, not '0'"),
        (["train", "lenet5", "--batch-size", "-3"], "must be an integer >= 1, not '-3'"),
        (["train", "lenet5", "--batch-size", "2.5"], "must be an integer >= 1, not '2.5'"),
        (["train", "lenet5", "--lr", "nan"], "--lr: must be a finite number > 0, not 'nan'"),
        (["train", "lenet5", "--lr", "inf"], "must be a finite number > 0, not 'inf'"),
        (["train", "lenet5", "--lr", "0"], "must be a finite number > 0, not '0'"),
        (["train", "lenet5", "--seed", "-1"], "must be an integer from 0 to 2**64 - 1, not '-1'"),
        (["train", "lenet5", "--seed", "9" * 5000], "must be an integer from 0"),
        (["train", "lenet5", "--shift", "17"], "must be an integer from 0 to 16, not '17'"),
        (["train", "lenet5", "--lr-decay", "0"], "must be a number > 0 and <= 1, not '0'"),
        (["train", "lenet5", "--label-smoothing", "1"], "must be a number >= 0 and < 1, not '1'"),
        (["train", "lenet5", "--limit", "0"], "must be an integer >= 1, not '0'"),
        (
            ["train", "lenet5", "--optimizer", "lion"],
            "unknown optimizer 'lion'; known are: sgd, adam",
        ),
        (["train", "lenet5", "--out", ""], "--out: must not be empty"),
        (["train", "lenet5", "--no-such"], "unrecognized arguments: --no-such"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(capsys, arguments, words):
    assert words in error_of(capsys, *arguments, status=2)


def test_out_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        error = error_of(capsys, "train", "lenet5", *TINY, "--out", str(out), status=1)
        assert str(tmp_path / "file") in error


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, read-only for everybody")
def test_out_in_a_read_only_place(capsys):
    error = error_of(capsys, "train", "lenet5", *TINY, "--out", "/proc/run", status=1)
    assert "/proc/run" in error


def test_nothing_to_resume(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = ["train", "lenet5", "--resume"]
    assert "no run of lenet5 under runs" in error_of(capsys, *command, status=1)
    assert "no such folder" in error_of(capsys, *command, "--out", "none", status=1)
    assert "holds no checkpoint" in error_of(capsys, *command, "--out", str(tmp_path), status=1)


def write_idx(path: Path, array: np.ndarray) -> None:
    sizes = np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()))


def write_mnist(folder: Path, count: int = 12, label: int = 3) -> Path:
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", np.zeros((count, 28, 28), np.uint8))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", np.full(count, label, np.uint8))
    return folder


def test_blank_images_can_be_trained_on(tmp_path, no_pictures):
    data = write_mnist(tmp_path)
    assert train(tmp_path / "run", "--data", f"mnist:{data}", "--epochs", "1") == 0


def test_bad_mnist_folders(tmp_path, capsys):
    command = ["train", "lenet5", "--out", str(tmp_path / "run"), "--data"]
    error = error_of(capsys, *command, f"mnist:{tmp_path / 'none'}", status=1)
    assert "no such folder" in error
    error = error_of(capsys, *command, f"mnist:{tmp_path}", status=1)
    assert "missing train-images-idx3-ubyte" in error

    file = write_mnist(tmp_path) / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-9])
    error = error_of(capsys, *command, f"mnist:{tmp_path}", status=1)
    assert "train-images-idx3-ubyte.gz: corrupt or truncated" in error

    write_mnist(tmp_path, label=10)
    error = error_of(capsys, *command, f"mnist:{tmp_path}", status=1)
    assert "labels must be 0 to 9" in error
    write_mnist(tmp_path, count=0)
    assert "0 images to train on" in error_of(capsys, *command, f"mnist:{tmp_path}", status=1)
    assert not (tmp_path / "run").exists()  # claimed only once the data are good


def test_digits_need_scikit_learn(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    error = error_of(capsys, "train", "lenet5", "--out", str(tmp_path), status=1)
    assert "pip install dagrad[data]" in error


def test_output_that_nobody_reads(tmp_path):
    command = ["train", "lenet5", *TINY, "--epochs", "3", "--out", str(tmp_path / "run")]
    with subprocess.Popen(
        [sys.executable, "-m", "nn", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
    assert process.returncode == 1
    assert error == "python -m nn: stopped, as its output was closed\n"


def test_a_rate_too_high_is_one_sentence(tmp_path, capsys):
    command = ["train", "lenet5", *TINY, "--out", str(tmp_path / "run"), "--lr", "1e30"]
    assert "loss became" in error_of(capsys, *command, status=1)


def test_a_mistake_in_the_program_keeps_its_traceback(tmp_path, monkeypatch):
    def broken(*args):
        raise ValueError("a mistake")

    monkeypatch.setattr(images, "evaluate", broken)
    with pytest.raises(ValueError, match="a mistake"):
        train(tmp_path / "run", "--epochs", "1")


# ------------------------------------------------------------------ help and start


@pytest.mark.parametrize("arguments", [["--list"], ["train", "--list"]])
def test_list_names_every_model(capsys, arguments):
    assert cli.main(arguments) == 0
    printed = capsys.readouterr().out
    for name in list_models():
        assert f"\n{name}\n" in "\n" + printed
        assert find_model(name).description in printed
    assert "1x32x32" in printed


def test_help_names_options_and_defaults(capsys):
    with pytest.raises(SystemExit) as exit:
        cli.main(["train", "--help"])
    assert exit.value.code == 0
    printed = " ".join(capsys.readouterr().out.split())
    for option in ("data", "epochs", "batch-size", "lr", "optimizer", "seed", "out", "resume"):
        assert f"--{option}" in printed
    assert f"lenet5 {Settings('').epochs})" in printed
    assert "train lenet5 --data mnist:" in printed


def test_starting_loads_neither_matplotlib_nor_scikit_learn():
    text = "assert not {'matplotlib', 'sklearn', 'scipy', 'pandas'} & set(sys.modules)"
    done = script(text, "--list")
    assert done.returncode == 0, done.stderr


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "nn", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python -m nn ")


# ------------------------------------------------------------------ pictures


def test_a_graph_in_the_terminal(capsys):
    assert cli.main(["graph", "lenet5"]) == 0
    printed = capsys.readouterr().out
    assert "conv1: Conv2d · 156 parameters" in printed
    assert "1×16×5×5" in printed


@pytest.mark.parametrize("name", ["graph.svg", "graph.html", "graph.mmd", "graph.json"])
def test_a_graph_in_a_file(tmp_path, capsys, name):
    file = tmp_path / name
    assert cli.main(["graph", "mlp", "--out", str(file), "--depth", "1", "--batch", "3"]) == 0
    assert capsys.readouterr().out == f"wrote {file}\n"
    assert "fc1" in file.read_text(encoding="utf-8")
    assert "3×32" in file.read_text(encoding="utf-8") or name == "graph.json"


def test_a_film_of_a_model_that_has_learnt_nothing(tmp_path, capsys):
    file = tmp_path / "film.html"
    assert cli.main(["film", "mlp", "--out", str(file), "--example", "3"]) == 0
    assert capsys.readouterr().out == f"wrote {file}\n"
    page = file.read_text(encoding="utf-8")
    assert "test image 3" in page
    assert len(page) < 1_000_000


def test_a_film_of_a_trained_model(tmp_path, capsys, no_pictures):
    assert train(tmp_path / "run", "--epochs", "1") == 0
    file = tmp_path / "film.html"
    arguments = ["film", "lenet5", "--run", str(tmp_path / "run"), "--out", str(file)]
    assert cli.main(arguments) == 0
    assert file.stat().st_size < 1_000_000
    capsys.readouterr()
    error = error_of(capsys, *arguments, "--example", "64", status=1)
    assert "--example 64: there are 64 test samples, from 0" in error
    error = error_of(capsys, "film", "mlp", "--run", str(tmp_path / "run"), status=1)
    assert "holds a run with model lenet5, not mlp" in error


def test_a_film_of_no_run(tmp_path, capsys):
    error = error_of(capsys, "film", "mlp", "--run", str(tmp_path / "none"), status=1)
    assert "none" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["graph", "lenet5", "--out", "graph.jpeg"], "must end in .svg, .html"),
        (["film", "mlp", "--out", "film.svg"], "must end in .html"),
        (["graph", "lenet6"], "unknown model 'lenet6'"),
        (["graph"], "MODEL"),
        (["graph", "lenet5", "--depth", "0"], "must be an integer >= 1"),
    ],
)
def test_pictures_that_cannot_be(capsys, arguments, message):
    assert message in error_of(capsys, *arguments, status=2)


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    file = tmp_path / "absent" / "graph.svg"
    error = error_of(capsys, "graph", "mlp", "--out", str(file), status=1)
    assert "No such file or directory" in error
