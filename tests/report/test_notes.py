"""What stands under a table is true of its rows, and what does not apply is not said."""

from mobilenet_edge.records import Remark
from mobilenet_edge.report.notes import doubts, notes
from mobilenet_edge.report.rows import join

NOISY, HOT = Remark("text", text="noisy"), Remark("text", text="hot")
SYNTHETIC = {"source": "synthetic", "count": 100, "note": "synthetic calibration; accuracy unknown"}


def said(records):
    return "\n".join(notes(join(records)))


def test_how_the_latency_was_measured(profile):
    text = said([profile(), profile(threads=2), profile(format="onnx", runtime="onnxruntime", version="1.31.1")])
    assert "Runtimes: litert 2.3.0, onnxruntime 1.31.1." in text
    assert "threads: 1 to 2, runs per row: 10, rounds: 2." in text


def test_a_missing_p90_is_explained_only_where_one_is_missing(profile):
    assert "p90" not in said([profile()])
    (row,) = join([profile()])
    few = type(row.profile)(**{**vars(row.profile), "times_ns": (1, 2, 3)})
    assert "Rows without p90 have too few runs" in said([few])


def test_on_what_the_accuracy_was_measured(evaluation):
    text = said([evaluation(agreement=0.9, reference="float.keras", unreadable=("a.jpg", "b.jpg"))])
    assert "top-1: percent of 500 images of images, ± half of the 95 % interval (n)." in text
    assert "agreement: percent of images with the same prediction as float.keras." in text
    assert "2 image files could not be read and did not count." in text
    assert "different images" not in text


def test_different_images_are_pointed_out(evaluation):
    text = said([evaluation(data="a"), evaluation(data="b", precision="int8")])
    assert "500 images of a and 500 images of b" in text
    assert "compare only rows with the same images" in text


def test_published_figures_are_called_published(profile):
    assert "not measured on these files" in said([profile()])
    assert "QAT" not in said([profile()])
    assert "QAT: uint8 after quantisation-aware training" in said([profile(precision="int8")])
    assert "published" not in said([profile(variant="somebody")])


def test_the_mark_says_what_it_weighs(profile, evaluation):
    assert "median latency and published top-1 (none was measured)" in said([profile()])
    assert "with as many threads and the same images is at least as good in median latency and measured top-1" in said(
        [profile(), evaluation()]
    )
    assert "no other row is at least as good in file size and measured top-1" in said([evaluation()])
    assert "Pareto" not in said([profile(variant="somebody")])


def test_random_weights_and_synthetic_calibration_are_repeated(profile):
    records = [profile(weights="random"), profile(precision="int8", weights="random", calibration=SYNTHETIC)]
    text = said(records)
    assert "Weights are random in all rows" in text
    assert "Calibration of 1 of 2 rows: synthetic calibration; accuracy unknown." in text
    plain = said([profile(), profile(precision="int8", calibration={"source": "images", "count": 100, "note": ""})])
    assert "random" not in plain
    assert "Calibration" not in plain


def test_what_a_foreign_file_lacks_is_said_once(profile):
    foreign = {"variant": "somebody", "lacks": ("preprocessing", "labels")}
    text = said([profile(**foreign), profile(threads=2, **foreign)])
    assert text.count("somebody lacks: preprocessing, labels.") == 1


def test_repeated_measurements_are_mentioned(profile):
    assert "the latest profile" in said([profile(1.0), profile(2.0)])
    assert "repeated" not in said([profile(1.0)])


def test_each_doubt_is_listed_once_and_numbered(profile):
    records = [profile(doubts=(NOISY, HOT)), profile(threads=2, doubts=(HOT,))]
    assert list(doubts(join(records)).values()) == ["noisy", "hot"]
    text = said(records)
    assert "Doubt 1: noisy" in text
    assert "Doubt 2: hot" in text
    assert text.count("hot") == 1


def test_doubts_that_differ_in_their_numbers_become_one(profile):
    shares = enumerate((0.7, 0.3, 1.0), start=1)
    records = [profile(threads=threads, doubts=(Remark("other-programs", cores=share),)) for threads, share in shares]
    (text,) = doubts(join(records)).values()
    assert "0.3 to 1.0" in text


def test_why_a_latency_is_not_used(profile):
    text = said([profile(invalid=HOT), profile(precision="int8", doubts=(NOISY,))])
    row = "mobilenet_v1-a0.50-r160 float32 tflite"
    assert f"The latency of {row} is not used: hot." in text
    assert "Doubt 1: noisy" in text
    emulated = said([profile(threads=threads, host={"emulated": "qemu-aarch64"}) for threads in (1, 2)])
    assert "The latency of all rows is not used: run by the emulator qemu-aarch64" in emulated
    # Nothing is said of how such a latency was measured.
    assert "Latency:" not in emulated


def test_doubts_of_a_latency_that_is_not_used_are_not_repeated(profile):
    assert "noisy" not in said([profile(invalid=HOT, doubts=(NOISY,))])


def test_why_something_failed(profile, failure):
    text = said([profile(), failure("onnxruntime is not installed", precision="int8")])
    assert "mobilenet_v1-a0.50-r160 int8 tflite could not be profiled: onnxruntime is not installed" in text
    many = said([profile(), *(failure("no route", precision=each) for each in ("int8", "float16"))])
    assert "2 of 3 rows could not be profiled: no route" in many
    assert "all rows could not be built: no memory" in said(
        [failure("no memory", stage="build", format=None, precision=None)]
    )


def test_remarks_name_their_row_and_join_their_numbers(profile):
    text = said([profile(), profile(precision="int8", notes=(HOT,))])
    assert "mobilenet_v1-a0.50-r160 int8 tflite: hot." in text
    slow = [Remark("slower", precision="int8", format="tflite", slower=share) for share in (0.1, 0.2)]
    both = [profile(precision="int8", threads=each, notes=(note,)) for each, note in enumerate(slow, start=1)]
    assert "all rows: int8 is 10% to 20% slower" in said(both)


def test_the_limit_that_rows_reach(profile):
    # 76.5 M in 2 ms are 38.3 GMAC/s, of 76.5 half.
    limit = {"float32_gmacs": 76.5, "int8_gmacs": 153.0}
    assert "the rows reach 50 % of" in said([profile(2.0, limit=limit)])
    assert "reach 25 to 50 %" in said([profile(2.0, limit=limit), profile(2.0, precision="int8", limit=limit)])
    assert "Limit" not in said([profile()])


def test_the_interval_is_explained_where_there_is_one(profile):
    assert "± half of the 95 % interval, which includes" in said([profile()])
    (row,) = join([profile()])
    few = type(row.profile)(**{**vars(row.profile), "times_ns": (1, 2, 3)})
    assert "95 %" not in said([few])
