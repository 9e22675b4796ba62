"""A model on another machine: pictures are prepared here, tensors answered there, as here."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.stream import Picture
from mobilenet_edge.evaluation import inference, remote
from mobilenet_edge.evaluation.inference import Question
from mobilenet_edge.evaluation.remote import RemoteModel
from mobilenet_edge.formats import artifact
from mobilenet_edge.hosts.ssh import Ssh
from tests.evaluation.test_evaluate import colour_model

pytestmark = pytest.mark.slow
# In the place of ssh: runs the command for the device, its last argument, in a shell on this machine.
SSH = ("sh", "-c", 'for last; do :; done; exec sh -c "$last"', "ssh")


@pytest.mark.parametrize("dtype", ["FLOAT", "INT8"])
def test_the_answers_are_those_of_this_machine(tmp_path: Path, dtype: str, monkeypatch):
    model = artifact.read(colour_model(tmp_path / "colours.onnx", dtype=dtype))
    pictures = [Picture(str(n), Image.effect_noise((20, 20), n).convert("RGB"), 1) for n in range(1, 6)]
    # Two tensors a request: 8 x 8 x 3 values.
    monkeypatch.setattr(remote, "REQUEST_BYTES", 2 * 8 * 8 * 3 * (4 if dtype == "FLOAT" else 1))
    question = Question(1, PixelOptions())
    here = list(inference.here([model], pictures, question))
    with Ssh("pi", "pi@device", sys.executable, SSH) as host:
        there = list(inference.there([RemoteModel(model, host)], pictures, question))
    same = {"infer_ms": 0.0, "prepare_ms": 0.0}
    for (mine,), (theirs,) in zip(here, there, strict=True):
        assert (mine.host, theirs.host) == ("local", "pi")
        assert replace(mine, **same, host="pi") == replace(theirs, **same)
