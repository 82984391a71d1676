"""to_png: a diagram as a bitmap, drawn by resvg (the extra ``plot``)."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

from .model import Diagram
from .style import Theme
from .svg.svg import Direction, Scene

# More pixels than this in one direction are refused by viewers, and take gigabytes to draw.
LARGEST = 30_000


def to_png(
    diagram: Diagram,
    path: str | Path | None = None,
    *,
    scale: float = 2.0,
    theme: Theme = "light",
    direction: Direction = "down",
) -> bytes:
    """Draw a diagram as PNG.

    Parameters
    ----------
    diagram : Diagram
    path : str or Path, optional
        A file to write.
    scale : float
        Pixels of the bitmap for one of the SVG; 2 is right for print and for sharp screens. Very
        large drawings get fewer, so that no side has more than 30,000.
    theme : {"light", "dark"}
        A bitmap cannot follow its reader: "auto" means "light".
    direction : {"down", "right"}

    Returns
    -------
    bytes
        The content of the file.

    Raises
    ------
    RuntimeError
        If the package resvg_py is not there.
    ValueError
        If `scale` is not a positive number, or there is no such theme or direction.
    """
    if isinstance(scale, bool) or not isinstance(scale, int | float):
        raise ValueError(f"scale must be a number, not {type(scale).__name__}")
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"scale must be positive and finite, not {scale}")
    try:
        import resvg_py
    except ImportError:
        raise RuntimeError(
            "a PNG needs the package resvg_py: pip install 'dagrad[plot]' "
            "(an SVG or HTML file needs nothing)"
        ) from None
    scene = Scene(diagram, direction)
    picture = scene.svg("light" if theme == "auto" else theme)
    scale = min(scale, LARGEST / max(scene.width, scene.height))
    content = bytes(
        resvg_py.svg_to_bytes(svg_string=picture, zoom=scale, font_files=_more_fonts() or None)
    )
    if path is not None:
        Path(path).write_bytes(content)
    return content


def _more_fonts() -> list[str]:
    """Fonts that come with matplotlib, for machines without any and for letters others lack."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        return []
    folder = Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf")
    return [str(folder / name) for name in names if (folder / name).is_file()]
