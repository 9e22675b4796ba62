from __future__ import annotations

from dataclasses import replace

from mobilenet_edge.records.profile import STAGES
from mobilenet_edge.report import portions, profiles

TIMES = {"decode_ms": 6.0, "prepare_ms": 2.0, "infer_ms": 1.9, "top_k_ms": 0.1, "total_ms": 10.2}
ENTRY = {
    "way": "pillow", "library": "Pillow", "version": "13.0.0", "resize": "bilinear, antialiased", "pictures": 20,
    "runs": 60, "equal": 20, "changed": 0, "max_difference": 0, "mean_difference": 0.0, "import_ms": 80.0,
    "load_ms": 3.0,
    **TIMES, **{f"first_{name}": 2 * TIMES[name] for name in STAGES},
}  # fmt: skip
OTHER = {
    **ENTRY, "way": "opencv", "library": "OpenCV", "equal": 0, "changed": 3, "mean_difference": 4.256,
    "max_difference": 90, "resize": "INTER_LINEAR, not antialiased",
}  # fmt: skip


def test_each_way_has_a_row_for_the_first_picture_and_one_for_the_others(profile):
    text = portions.text(replace(profile(), end_to_end=(ENTRY, OTHER)))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == ["with", "picture", "decode ms", "prepare ms", "infer ms", "top-k ms", "total ms"]
    assert rows[2] == ["Pillow 13.0.0", "first", "12.00 (60%)", "4.00 (20%)", "3.80 (19%)", "0.20 (1%)", "20.40"]
    assert rows[3] == ["Pillow 13.0.0", "following", "6.00 (60%)", "2.00 (20%)", "1.90 (19%)", "0.10 (1%)", "10.20"]
    assert [row[0] for row in rows[4:]] == ["OpenCV 13.0.0"] * 2


def test_the_difference_of_the_pictures_is_named(profile):
    text = portions.text(replace(profile(), end_to_end=(ENTRY, OTHER)))
    assert "- Pillow: the pixels are exactly those of mnet here." in text
    assert (
        "- OpenCV: the pixels are not those of mnet here: they differ by 4.26 of 255 grey levels on average, by 90 at "
        "most, and 3 of 20 answers change." in text
    )
    assert "resized by INTER_LINEAR, not antialiased. Before the first picture, importing took 80.00 ms" in text
    without = portions.text(replace(profile(), end_to_end=({**OTHER, "changed": None},)))
    assert "by 90 at most." in without


def test_it_stands_below_the_table_of_profiles(profile):
    assert "from file to answer" not in profiles.text([profile()])
    text = profiles.text([replace(profile(), end_to_end=(ENTRY,))])
    assert text.index("median ms") < text.index("tflite float32, 1 thread, local: from file to answer")
