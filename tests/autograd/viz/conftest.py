"""The browser of the tests that open pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.autograd.viz import browser


@pytest.fixture(scope="session", autouse=True)
def running_browser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start it before the first test, which may leave no thread behind, and end it after the last.

    Only where a module that opens pages takes part.
    """
    modules = {getattr(item, "module", None) for item in request.session.items}
    wanted = any(hasattr(module, "open_page") for module in modules)
    if wanted and not browser.missing():
        browser.start()
    yield
    browser.stop()
