"""Every name that a user of PyTorch may type is there."""

from __future__ import annotations

import pytest

from tests import surface


@pytest.mark.parametrize("text", [surface.DIFFERENTIABLE, surface.OTHERS, surface.TRANSFORMS])
def test_no_name_is_missing(text):
    assert [item.name for item in surface.names(text) if not item.present] == []


def test_what_is_missing_is_told(monkeypatch, capsys):
    monkeypatch.setattr(surface, "TRANSFORMS", "vmap no_such_name")
    assert surface.main() == 1
    assert "missing: no_such_name" in capsys.readouterr().out
