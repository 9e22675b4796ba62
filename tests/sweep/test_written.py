"""What a stage of a sweep made: with it, the manifest notices what is gone, and a cluster's worker sends it all."""

from __future__ import annotations

from pathlib import Path

from mobilenet_edge.conversion.micro.emit import Sources
from mobilenet_edge.conversion.micro.footprint import Footprint
from mobilenet_edge.conversion.pipeline import Files
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Contents
from mobilenet_edge.sweep.stages import execute

FILE = Artifact(Path("out/a.tflite"), "tflite", b"model", None, Contents({}, (), (), (), {}))


def test_an_export_is_its_files_and_their_sources():
    made = Files([FILE])
    assert execute._written(made) == {"a.tflite": b"model"}
    made.sources = (Sources({Path("out/a.h"): b"header", Path("out/a.cc"): b"array"}, Footprint(1, 2, "x")),)
    assert execute._written(made) == {"a.tflite": b"model", "a.h": b"header", "a.cc": b"array"}


def test_a_build_is_its_model():
    assert execute._written([FILE]) == {"a.tflite": b"model"}
