"""``python -m nn export``: each format, from a model and from a run, and errors as one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nn.__main__ as cli
from autograd import manual_seed, tensor
from nn import runs
from nn.models import get_model
from nn.recipes.images import ImageClassification
from nn.serialize import load


@pytest.fixture
def run_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(runs, "save_pictures", lambda *args, **kwargs: None)
    monkeypatch.setattr(ImageClassification, "draw", lambda *args, **kwargs: [])
    folder = tmp_path / "run"
    short = ["--limit", "32", "--batch-size", "16", "--epochs", "1"]
    assert cli.main(["train", "mlp", *short, "--out", str(folder)]) == 0
    return folder


def test_weights_in_every_format(tmp_path, capsys):
    manual_seed(3)
    wanted = get_model("mlp").state_dict()
    for suffix in (".safetensors", ".npz", ".pth", ".pt"):
        out = tmp_path / f"mlp{suffix}"
        assert cli.main(["export", "mlp", str(out), "--seed", "3"]) == 0
        assert capsys.readouterr().out == f"wrote {out}\n"
        found = load(out)
        for name, value in wanted.items():
            np.testing.assert_array_equal(np.asarray(found[name]), value.numpy())
    # From one format to another.
    again = tmp_path / "again.npz"
    assert cli.main(["export", "mlp", str(again), "--weights", str(tmp_path / "mlp.pth")]) == 0
    for name, value in wanted.items():
        np.testing.assert_array_equal(load(again)[name], value.numpy())


def test_a_run_as_onnx(tmp_path, run_folder):
    pytest.importorskip("onnx", reason="the extra is not installed: pip install dagrad[onnx]")
    runtime = pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    out = tmp_path / "run.onnx"
    assert cli.main(["export", str(run_folder), str(out)]) == 0
    session = runtime.InferenceSession(out, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == {"model": "mlp"}
    model = get_model("mlp").eval()
    model.load_state_dict(load(run_folder / "model.safetensors"))
    x = np.random.default_rng(0).random((3, 1, 32, 32), dtype=np.float32)
    expected = model(tensor(x)).detach().numpy()
    np.testing.assert_allclose(session.run(None, {"x": x})[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nothing", "a.npz"], 2, "no run in the folder 'nothing'"),
        (["mlp", "a.txt"], 2, "must end in .onnx"),
        (["mlp", "no/such/folder/a.npz"], 1, "No such file"),
        (["mlp", "a.npz", "--weights", "no.pth"], 1, "no.pth: No such file"),
    ],
)
def test_errors_are_one_line(tmp_path, monkeypatch, capsys, arguments, status, words):
    monkeypatch.chdir(tmp_path)
    try:
        code = cli.main(["export", *arguments])
    except SystemExit as exit:
        code = exit.code
    error = capsys.readouterr().err
    assert (code, error.count("\n")) == (status, 1)
    assert words in error
    assert not list(tmp_path.iterdir())


def test_weights_of_another_model_are_refused(tmp_path, capsys):
    weights = tmp_path / "w.npz"
    assert cli.main(["export", "lenet5", str(weights)]) == 0
    out = tmp_path / "mlp.npz"
    assert cli.main(["export", "mlp", str(out), "--weights", str(weights)]) == 1
    assert "nothing was loaded" in capsys.readouterr().err
    assert not out.exists()
