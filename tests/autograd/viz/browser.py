"""A page in Chromium for tests: opened from a file, with everything that goes wrong noted.

with open_page(path) as page:
    page.keyboard.press("Space")
    assert page.problems == []
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = (
    "--no-sandbox",  # a container has no user namespaces
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@functools.cache
def missing() -> str:
    """Why no page can be opened here; "" if one can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed"
    if executable() is None:
        return "no Chromium: set CHROMIUM to its path"
    return ""


@functools.cache
def executable() -> str | None:
    """Path of the browser; None if there is none."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    return next((found for name in NAMES if (found := shutil.which(name))), None)


needs_browser = pytest.mark.skipif(bool(missing()), reason=missing() or "there is a browser")
"""Mark of tests that open pages: they are skipped, with the reason, where none can be opened."""


class Page:
    """A playwright page, and what went wrong on it.

    Attributes
    ----------
    problems : list of str
        Errors and warnings of the console, uncaught errors, and requests that left the page.
    """

    def __init__(self, page: Any, own: str) -> None:
        self._page = page
        self.problems: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", lambda request: self._request(request.url, own))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text}")

    def _request(self, url: str, own: str) -> None:
        if url.split("#")[0] != own and not url.startswith(("data:", "blob:", "about:")):
            self.problems.append(f"request: {url}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._page, name)


class _Running:
    """The one browser of the process: a start costs a second."""

    driver: Any = None
    browser: Any = None
    loop: Any = None


def start() -> None:
    """Start the browser if it does not run yet."""
    if _Running.browser is None:
        from playwright.sync_api import sync_playwright

        state = random.getstate()
        _Running.driver = sync_playwright().start()
        _Running.browser = _Running.driver.chromium.launch(
            executable_path=executable(), args=list(ARGUMENTS)
        )
        random.setstate(state)
        _Running.loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)


def stop() -> None:
    """End the browser if it runs."""
    if _Running.browser is not None:
        with _in_loop():
            _Running.browser.close()
            _Running.driver.stop()
        _Running.browser = _Running.driver = None


@contextmanager
def _in_loop() -> Iterator[None]:
    """Playwright's event loop counts as running only inside, so that others may run their own."""
    state = random.getstate()
    asyncio._set_running_loop(_Running.loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)
        random.setstate(state)


@contextmanager
def open_page(
    page: str | os.PathLike[str],
    width: int = 1280,
    height: int = 800,
    dark: bool = False,
    **options: Any,
) -> Iterator[Any]:
    """Open a page of HTML (or an SVG) from file://, as a reader would.

    Parameters
    ----------
    page : str or path
        The text of the page if it starts with "<", else the path of its file.
    width, height : int
        Of the window.
    dark : bool
        What the page finds in ``prefers-color-scheme``.
    **options
        Others of playwright's ``new_context``: ``reduced_motion="reduce"``, ``has_touch=True``.

    Yields
    ------
    playwright page
        With a list `problems` besides (see `Page`).
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        if isinstance(page, str) and page.lstrip().startswith("<"):
            if page.lstrip().startswith(("<svg", "<?xml")):
                path = path.with_suffix(".svg")
            path.write_text(page, encoding="utf-8")
        else:
            path = Path(page).resolve()
        start()
        with _in_loop():
            context = _Running.browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                **options,
            )
            try:
                opened = Page(context.new_page(), path.as_uri())
                opened.goto(path.as_uri())
                yield opened
            finally:
                context.close()
