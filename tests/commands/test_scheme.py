"""What an int8 file says of its weights is what its target asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge.conversion import encode, origin
from mobilenet_edge.conversion import samples as calibration
from mobilenet_edge.conversion.assembly import Assembly, Settings
from mobilenet_edge.conversion.ethos import ACCELERATORS
from mobilenet_edge.conversion.target import TARGETS
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import synthetic


@pytest.mark.parametrize("target", [each for each in TARGETS if each != "edgetpu" and each not in ACCELERATORS])
def test_the_limit_on_sums_is_claimed_only_where_it_was_kept(target: str, tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(1, 1, 3, 4)).astype(np.float32)
    conv = Node("conv", "conv", ("image",), (8, 8, 4), weight, np.zeros(4, np.float32), activation="relu6")
    graph = Graph("tiny", "image", (8, 8, 3), (conv,))
    about = origin.describe(graph, "tiny", "tiny.keras")
    samples = calibration.Samples(synthetic.images(4, graph.input_shape), "synthetic")
    about = replace(about, target=target)
    (made,) = Assembly(graph, about, samples, Settings(("tflite",), ("int8",), tmp_path)).write()
    assert made.metadata is not None
    assert (encode.PAIRS in made.metadata.scheme) == TARGETS[target].pairs
