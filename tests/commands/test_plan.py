"""`mnet plan`: which variants are shown, which are filtered out, and what is said then."""

import json
import subprocess
import sys

import pytest

from mobilenet_edge.cli import main
from mobilenet_edge.commands import plan
from mobilenet_edge.errors import UsageError
from mobilenet_edge.model.spec import PUBLISHED_ALPHAS, PUBLISHED_RESOLUTIONS
from mobilenet_edge.units import parse_bytes


def run(*arguments, **options):
    return plan.run(*arguments, **options)[0]


def variants(text):
    return [
        line.split()[1].removeprefix("mobilenet_v1-") for line in text.split("\n") if line.startswith("| mobilenet")
    ]


def test_without_a_question_all_16_published_variants():
    found = variants(run())
    assert len(found) == len(set(found)) == 16
    assert found == [
        f"a{alpha:.2f}-r{side}" for alpha in PUBLISHED_ALPHAS[::-1] for side in PUBLISHED_RESOLUTIONS[::-1]
    ]


@pytest.mark.parametrize(
    ("alphas", "resolutions", "expected"),
    [
        ([0.5], [160], ["a0.50-r160"]),
        ([0.5], [], ["a0.50-r224", "a0.50-r192", "a0.50-r160", "a0.50-r128"]),
        ([], [96], ["a1.00-r96", "a0.75-r96", "a0.50-r96", "a0.25-r96"]),
        ([0.25, 0.33], [96, 128], ["a0.33-r128", "a0.33-r96", "a0.25-r128", "a0.25-r96"]),
        ([0.5, 0.5], [160, 160], ["a0.50-r160"]),
    ],
)
def test_asked_values_are_multiplied_and_a_missing_side_is_the_published_one(alphas, resolutions, expected):
    assert variants(run(alphas, resolutions)) == expected


def test_classes_change_the_name_and_the_published_figures():
    text = run([0.5], [160], classes=10)
    assert variants(text) == ["a0.50-r160-c10"]
    assert "59.1" not in text


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        # 49.2 and 41.0 MMACs, and all that are smaller.
        ({"max_macs": 50_000_000}, ["a0.50-r128", "a0.25-r224", "a0.25-r192", "a0.25-r160", "a0.25-r128"]),
        ({"max_size": 1_000_000}, ["a0.25-r224", "a0.25-r192", "a0.25-r160", "a0.25-r128"]),
        ({"min_top1": 69.0}, ["a1.00-r224", "a1.00-r192"]),
        ({"max_macs": 200_000_000, "min_top1": 65.0}, ["a1.00-r128", "a0.75-r160"]),
        ({"max_macs": 200_000_000, "max_size": 3_000_000, "min_top1": 65.0}, ["a0.75-r160"]),
    ],
)
def test_limits(limits, expected):
    assert variants(run(**limits)) == expected


def test_a_limit_that_is_just_met_is_met():
    assert variants(run([0.5], [160], max_macs=76_524_800, max_size=1_371_424, min_top1=59.1)) == ["a0.50-r160"]
    assert variants(run([0.5], [160], max_macs=76_524_799)) == []
    assert variants(run([0.5], [160], max_size=1_371_423)) == []


def test_when_nothing_fits_the_limit_that_removes_the_last_is_named():
    assert run(max_macs=50_000_000, min_top1=60) == (
        "No variant fits: --min-top1 60 removes the last 5 within --max-macs 50.0 M.\n"
        "The closest is mobilenet_v1-a0.50-r128, with published top-1 56.3 %."
    )


def test_when_the_first_limit_removes_all_the_smallest_is_closest():
    assert run(max_macs=1_000_000) == (
        "No variant fits: --max-macs 1.00 M removes the last 16.\n"
        "The closest is mobilenet_v1-a0.25-r128, with 13.6 M MACs."
    )


def test_of_equally_small_variants_the_sharpest_is_closest():
    # Size does not depend on rho, accuracy does.
    assert run(max_size=300_000).endswith("The closest is mobilenet_v1-a0.25-r224, with at least 493.5 kB in int8.")


def test_one_variant_that_does_not_fit():
    assert "removes the last variant.\n" in run([0.5], [160], max_macs=1_000_000)


def test_variants_without_a_published_figure_cannot_meet_a_top1():
    text = run([0.33, 0.5], [160], min_top1=50)
    assert variants(text) == ["a0.50-r160"]
    assert text.endswith("--min-top1 excludes mobilenet_v1-a0.33-r160, for lack of a published figure.")
    text = run([0.33], [96, 128, 160, 192, 224], min_top1=50)
    assert text.startswith("No variant is left: --min-top1 excludes ")
    assert text.endswith("mobilenet_v1-a0.33-r160 and 2 more, for lack of a published figure.")


def test_variants_left_out_are_named_beside_the_limit_too():
    text = run([0.25, 0.33], [160], max_macs=1_000_000, min_top1=40)
    assert "--max-macs 1.00 M removes the last variant." in text
    assert text.endswith("excludes mobilenet_v1-a0.33-r160, for lack of a published figure.")


@pytest.mark.parametrize("min_top1", [0.55, 0, -1, 101, float("nan")])
def test_a_share_for_a_percentage_is_refused(min_top1):
    with pytest.raises(UsageError, match="--min-top1 is in percent, from 1 to 100"):
        run(min_top1=min_top1)


def test_layers_explains_one_variant():
    text = run([0.5], [160], layers=True)
    assert text.startswith("mobilenet_v1-a0.50-r160: alpha 0.5, rho 160 px")
    assert "conv_preds" in text
    assert "1/N + 1/D_K²" in text


@pytest.mark.parametrize(("alphas", "resolutions", "count"), [([], [], 16), ([0.5], [], 4), ([0.5, 1.0], [160], 2)])
def test_layers_of_several_variants_is_refused(alphas, resolutions, count):
    with pytest.raises(UsageError, match=f"explains one variant, not {count}; give one --alpha and one --rho"):
        run(alphas, resolutions, layers=True)


def test_layers_of_a_variant_that_does_not_fit_is_a_sentence():
    assert run([0.5], [160], layers=True, max_macs=1_000_000).startswith("No variant fits")


@pytest.mark.parametrize(("alphas", "resolutions"), [([0.0], []), ([float("nan")], [160]), ([0.5], [100])])
def test_values_out_of_range_are_refused(alphas, resolutions):
    with pytest.raises(UsageError):
        run(alphas, resolutions)


@pytest.mark.slow
def test_nothing_heavy_is_imported():
    heavy = ("numpy", "rich", "tensorflow", "keras", "onnx", "onnxruntime", "PIL")
    code = (
        "import sys; from mobilenet_edge.commands import plan; plan.run(); "
        f"sys.exit(any(name in sys.modules for name in {heavy}))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=300).returncode == 0


def test_where_nothing_fits_the_answer_says_so_and_a_missing_unit_is_suspected():
    text, fits = plan.run(max_size=1)
    assert not fits
    assert text.endswith("for megabytes, give --max-size 1MB.")
    # What is advised is an option that works.
    assert plan.run(max_size=parse_bytes("1MB"))[1]


def test_the_values_are_those_of_the_table(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        main(["plan", "--alpha", "0.5", "--alpha", "0.33", "--rho", "160", "--json", "-"])
    published, unpublished = json.loads(capsys.readouterr().out)
    assert (published["variant"], published["resolution"], published["macs"]) == (
        "mobilenet_v1-a0.50-r160",
        160,
        76_524_800,
    )
    assert (published["int8_bytes"], published["published_top1_percent"]) == (1_371_424, 59.1)
    assert unpublished["published_top1_percent"] is None


def test_families_stand_one_after_another():
    text, fits = plan.run([1.0], [96], families=["mobilenet_v1", "mobilenet_v2"])
    assert fits
    assert variants(text) == ["a1.00-r96", "mobilenet_v2-a1.00-r96"]
    # The published ones of v2: five resolutions at four alphas, and two wider at 224.
    assert len(variants(plan.run(families=["mobilenet_v2"])[0])) == 22


def test_layers_of_v2_are_explained():
    text, _ = plan.run([0.35], [96], families=["mobilenet_v2"], layers=True)
    assert "block_16_project" in text
    assert "45.5 % float32 (not measured)" in text
