"""What all tests of verbs share."""

from __future__ import annotations

import math

import pytest

from mobilenet_edge import progress


@pytest.fixture(autouse=True)
def no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine shows progress each minute; what a verb says must not depend on that."""
    monkeypatch.setattr(progress, "LINE_SECONDS", math.inf)
