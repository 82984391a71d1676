"""Draw the pictures of the documentation again: ``python docs/draw.py``.

Needs the extra ``dev`` and, for the screenshots, a Chromium. The pictures are the same on every
run but for how a browser draws text.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Scalar, viz
from nn import data

IMAGES = Path(__file__).resolve().parent / "images"
NOTEBOOKS = IMAGES.parent.parent / "notebooks"
# Of each notebook, the number of a picture among its pictures, in rows.
COURSE = (
    (("08_mlp", 1), ("11_convolution", 3)),
    (("15_detection", 10), ("13_recurrent", 1)),
    (("16_attention", 2), ("14_autoencoders", 4)),
)
WIDTH, GAP = 720, 16  # pixels of a column
DESKTOP, PHONE = (1280, 800), (390, 844)


def expression() -> Scalar:
    """Four numbers: one of them is used twice."""
    w, x, b = Scalar(0.8), Scalar(-1.5), Scalar(0.4)
    z = w * x + b
    y = autograd.tanh(z)
    loss: Any = (y - b) ** 2
    return loss


def lenet() -> Any:
    """A function that gives the loss of an untrained LeNet-5 on one digit."""
    autograd.manual_seed(0)
    model = nn.models.LeNet5()
    images, labels = data.digits()
    pixels = np.kron(images[0], np.ones((4, 4)))[None, None].astype(np.float32)
    image = autograd.tensor((pixels - pixels.mean()) / pixels.std())
    label = autograd.tensor(labels[:1])

    def step() -> autograd.Tensor:
        scores = model(image)
        loss = nn.functional.cross_entropy(scores, label)
        return loss

    return step


def trap() -> tuple[autograd.Tensor, Any]:
    """A tensor whose gradient is NaN though its loss is not, and the step that it takes part in."""
    x = autograd.tensor([4.0, 0.0, 1.0], requires_grad=True)

    def step() -> Any:
        logs = autograd.log(x)
        safe = autograd.where(x > 0.0, x * logs, 0.0)
        entropy = -safe.sum()
        return entropy

    return x, step


def neuron() -> viz.Zoom:
    """One element of a hidden layer."""
    w = autograd.tensor([[0.5, -1.0], [2.0, 0.3], [-0.7, 1.2]], requires_grad=True)
    b = autograd.tensor([0.1, -0.2], requires_grad=True)
    x = autograd.tensor([[1.0, 2.0, -1.0]])
    hidden = autograd.tanh(x @ w + b)
    return viz.zoom(hidden, (0, 1))


def pictures() -> None:
    """Draw what needs no browser."""
    viz.graph(expression).save(IMAGES / "expression.svg")
    viz.graph(expression, order=1, direction="right").save(IMAGES / "gradient.svg")
    viz.graph(lenet(), depth=1).save(IMAGES / "lenet5.svg")
    neuron().graph.save(IMAGES / "zoom.svg")
    x, step = trap()
    viz.why(x, step).graph.save(IMAGES / "why.svg")


def stored_picture(name: str, number: int) -> Any:
    """A picture of a notebook of the course, as it is stored."""
    from PIL import Image

    cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    pictures = [
        output["data"]["image/png"]
        for cell in cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    return Image.open(io.BytesIO(base64.b64decode(pictures[number]))).convert("RGB")


def course() -> None:
    """Lay some pictures of the course beside each other."""
    from PIL import Image

    rows = []
    for row in COURSE:
        tiles = [stored_picture(*place) for place in row]
        # As high as each other, and together as wide as the page.
        scale = (len(row) * WIDTH) / sum(tile.width / tile.height for tile in tiles)
        rows.append(
            [tile.resize((round(scale * tile.width / tile.height), round(scale))) for tile in tiles]
        )
    height = sum(row[0].height + GAP for row in rows) - GAP
    page = Image.new("RGB", (2 * WIDTH + GAP, height), "white")
    top = 0
    for row in rows:
        left = 0
        for tile in row:
            page.paste(tile, (left, top))
            left += tile.width + GAP
        top += row[0].height + GAP
    page.quantize(256).save(IMAGES / "course.png", optimize=True)


def screenshots() -> None:
    """Photograph the pages, on a desk and on a phone."""
    from playwright.sync_api import sync_playwright

    films = {"film": viz.film(expression).html, "film-lenet5": viz.film(lenet()).html}
    shots = [
        ("film", "film", DESKTOP, "light", 10),
        ("film-phone", "film", PHONE, "light", 10),
        ("film-lenet5", "film-lenet5", DESKTOP, "dark", 17),
    ]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for name, film, (width, height), scheme, step in shots:
            file = Path(folder, f"{film}.html")
            file.write_text(films[film], encoding="utf-8")
            viewport: Any = {"width": width, "height": height}
            page = browser.new_page(viewport=viewport, color_scheme=scheme)  # pyright: ignore[reportArgumentType] - "light" or "dark"
            page.goto(f"{file.as_uri()}#step={step}")
            page.wait_for_timeout(600)
            page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


def main() -> None:
    """Draw everything, or leave the screenshots out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--no-browser", action="store_true", help="leave the screenshots out")
    options = parser.parse_args()
    pictures()
    course()
    if not options.no_browser:
        screenshots()
    for file in sorted(IMAGES.iterdir()):
        print(f"{file.stat().st_size / 1024:7.1f} KiB  {file.name}")


if __name__ == "__main__":
    main()
