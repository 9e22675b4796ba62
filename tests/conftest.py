"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real weights and images; see CONTRIBUTING.md."""
    folder = Path(os.environ.get("MNET_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real weights and images at {folder}; set MNET_DATA")
    return folder
