from __future__ import annotations

import pytest

from mobilenet_edge import cli
from mobilenet_edge.hosts import ahead


@pytest.mark.parametrize(("words", "waiting"), [((), 4), (("--rounds", "1"), 2), (("--host", "pi@nowhere"), None)])
def test_workers_of_the_memory_and_of_the_rounds_start_first(monkeypatch, words, waiting):
    limits = []
    monkeypatch.setattr(ahead.workers, "start", lambda: limits.append(max(ahead.workers._limits)))
    with pytest.raises(SystemExit):
        cli.main(["profile", "missing.tflite", *words])
    assert limits == ([] if waiting is None else [waiting])
