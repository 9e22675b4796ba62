"""The sound files that the corpus is made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import seeds


@pytest.fixture(scope="session")
def sound(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    seeds.make(folder)
    return folder
