"""Damaged files of every kind are refused in one line or read right; scripts/hostile/hardening.py reads all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import flatbuffer, opened, run, seeds, texts, verbs

from mobilenet_edge.commands import inspect
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats import contradictions
from mobilenet_edge.formats.artifact import read
from mobilenet_edge.report import inventory

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

# Every so many-th file: about 3,900 of them.
STEP = 5
# For the files that a runtime opens, a process or three each.
SECONDS = 60


def test_the_sound_files_pass(sound):
    # A table of them alone would be empty.
    untabulated = ("check.json", "failure.json", "inspection.json")
    for path in sound.iterdir():
        (sound / "sound.toml").write_text(seeds.BUDGETS)
        for verb in verbs.VERBS[path.suffix][:1] if path.name not in untabulated else ():
            assert verbs.code(verb, path) == 0, path.name
    (sound / "sound.toml").unlink()


def test_every_file_is_refused_in_one_line_or_read_right(sound):
    found = run.read(sound, STEP)
    assert len(found) > 2000
    assert [each for each in found if each.bad] == []


def test_a_runtime_that_opens_them_never_takes_mnet_along(sound):
    found = opened.run(sound, seconds=SECONDS)
    assert found
    assert [each for each in found if each.bad] == []


def test_metadata_that_lies_is_shown_by_inspect(sound):
    path = Path(sound.parent, "lie.tflite")
    name = f"{seeds.VARIANT}.int8.tflite"
    cases = list(texts.lies(name, (sound / name).read_bytes()))
    assert len(cases) == 6  # element type, classes, precision, size of images, labels, grid
    for case in cases:
        path.write_bytes(case.data)
        (found,) = inspect.run([path])
        assert found.contradictions, case.name
        assert "contradicts itself: " in inventory.text(found)


def test_a_model_that_claims_100_gb_is_refused_by_arithmetic(sound):
    data = (sound / f"{seeds.VARIANT}.float32.tflite").read_bytes()
    place, length = next(each for each in flatbuffer.survey(data).named("Tensor", "shape") if each[1] == 4)
    # 1 * 91,288 * 91,288 * 3 floats of 4 bytes: 100 GB.
    path = Path(sound.parent, "large.tflite")
    path.write_bytes(flatbuffer.changed(data, place + 4, f"{length}i", 1, 91_288, 91_288, 3))
    with pytest.raises(InputError, match=r"has 1e\+11 bytes by its shape"):
        contradictions.refuse(read(path))
