"""What a page is written for; tests/browser/test_page.py runs it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilenet_edge.bundle import web
from mobilenet_edge.data.preprocess import FITS
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.formats.contents import Contents, Tensor
from tests.bundle.conftest import ARTIFACT, deployment
from tests.bundle.test_script import rule, taken


@pytest.mark.parametrize("head", [head for head in Head if head is not Head.labels])
@pytest.mark.parametrize("fit", FITS)
def test_the_program_is_plain(fit, head):
    made = rule(fit, "bgr", filter="hamming")
    text = web.write(deployment(made, taken(made, "NCHW", "int8"), head=head, grid=(0.5, -3)))
    assert max(map(len, text.splitlines())) <= 120
    assert "(each - -3) * 0.5" in text


def test_what_it_is_not_written_for():
    for filter in ("nearest", "bicubic", "lanczos"):
        with pytest.raises(UsageError, match=f"{filter}; take --for pi"):
            web.write(deployment(rule(filter=filter)))
    with pytest.raises(UsageError, match="several labels"):
        web.write(deployment(head=Head.labels))


@pytest.mark.parametrize(("form", "dtype"), [("tflite", "float32"), ("onnx", "float16")])
def test_other_files_are_refused(form, dtype):
    tensors = {name: Tensor(name, (1, 3), dtype) for name in ("image", "scores")}
    contents = Contents(tensors, ("image",), ("scores",), (), {})
    with pytest.raises(UsageError, match="mnet export --format onnx"):
        web.require_onnx(replace(ARTIFACT, format=form, contents=contents))
