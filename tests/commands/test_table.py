"""`mnet table`: which files are read, and what is refused."""

import json

import pytest

from mobilenet_edge import records
from mobilenet_edge.commands import table
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.records import Evaluation, Inspection, Profile


def identity(name):
    return {
        "artifact": f"{name}.tflite",
        "sha256": name,
        "size_bytes": 1000,
        "format": "tflite",
        "precision": "float32",
        "variant": name,
    }


def profile(name):
    return Profile(
        **identity(name),
        runtime="litert",
        runtime_version="2.3.0",
        threads=1,
        load_ms=1.0,
        first_ms=1.0,
        times_ns=(2_000_000,) * 10,
        round_sizes=(10,),
    )


def evaluation(name):
    return Evaluation(**identity(name), top1=0.5, top5=0.75, n=100, interval=(0.4, 0.6))


def variants(text):
    return [row["variant"] for each in json.loads(text)["tables"] for row in each["rows"]]


def test_files_are_joined(tmp_path):
    records.write(tmp_path / "profile.json", [profile("a"), profile("b")])
    records.write(tmp_path / "evaluation.json", [evaluation("b")])
    text = table.run([tmp_path / "profile.json", tmp_path / "evaluation.json"], "json")
    assert variants(text) == ["a", "b"]
    assert [row["top1_percent"] for row in json.loads(text)["tables"][0]["rows"]] == [None, 50.0]


def test_a_folder_means_its_json_files(tmp_path):
    records.write(tmp_path / "one.json", [profile("a")])
    records.write(tmp_path / "two.json", [profile("b")])
    (tmp_path / "notes.txt").write_text("no records")
    (tmp_path / "model.tflite").write_bytes(b"\x00")
    records.write(tmp_path / "deeper" / "three.json", [profile("c")])
    assert variants(table.run([tmp_path], "json")) == ["a", "b"]


def test_a_table_in_the_folder_is_no_record(tmp_path):
    records.write(tmp_path / "one.json", [profile("a")])
    text = table.run([tmp_path], "json")
    (tmp_path / "table.json").write_text(text)
    assert table.run([tmp_path], "json") == text


def test_a_table_given_by_name_is_refused(tmp_path):
    records.write(tmp_path / "one.json", [profile("a")])
    (tmp_path / "table.json").write_text(table.run([tmp_path], "json"))
    with pytest.raises(InputError, match=r"table\.json holds no records"):
        table.run([tmp_path / "table.json"])


def test_a_file_given_twice_counts_once(tmp_path):
    path = tmp_path / "one.json"
    records.write(path, [profile("a")])
    assert "repeated" not in table.run([tmp_path, path, path])


@pytest.mark.parametrize(("format", "start"), [("markdown", "### "), ("csv", "variant,alpha,"), ("json", "{")])
def test_each_format(tmp_path, format, start):
    records.write(tmp_path / "one.json", [profile("a")])
    text = table.run([tmp_path], format)
    assert text.startswith(start)
    assert not text.endswith("\n")


def test_markdown_is_what_one_gets(tmp_path):
    records.write(tmp_path / "one.json", [profile("a")])
    assert table.run([tmp_path]) == table.run([tmp_path], "markdown")


def test_an_unknown_format_names_those_there_are(tmp_path):
    with pytest.raises(UsageError, match="unknown table format 'html'; known: markdown, csv, json"):
        table.run([tmp_path], "html")


def test_nothing_to_tabulate_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"no profile and no evaluation in .*; measure with: mnet profile"):
        table.run([tmp_path])
    records.write(tmp_path / "none.json", [])
    inspection = Inspection(**identity("a"), metadata=None, ops={}, bytes={})
    records.write(tmp_path / "inspection.json", [inspection])
    with pytest.raises(InputError, match="no profile and no evaluation"):
        table.run([tmp_path])


@pytest.mark.parametrize("text", ["{", '{"other": 1}', "[1]", ""])
def test_a_broken_file_in_a_folder_is_not_passed_over(tmp_path, text):
    records.write(tmp_path / "one.json", [profile("a")])
    (tmp_path / "two.json").write_text(text)
    with pytest.raises(InputError, match=r"two\.json holds no records"):
        table.run([tmp_path])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*missing\.json: no such file"):
        table.run([tmp_path / "missing.json"])


def variant(name, ms):
    spec = {"alpha": float(name[1:5]), "resolution": int(name[7:]), "classes": 1000}
    own = {**identity(f"mobilenet_v1-{name}"), "spec": spec, "macs": 1000}
    times = {"times_ns": (round(ms * 1e6),) * 10, "round_sizes": (10,)}
    return Profile(
        **own, **times, runtime="litert", runtime_version="2.3.0", threads=1, load_ms=1.0, first_ms=1.0
    )  # fmt: skip


def test_scaling_is_a_table_of_its_own(tmp_path):
    records.write(tmp_path / "grid.json", [variant("a1.00-r224", 4.0), variant("a0.50-r224", 1.5)])
    (found,) = json.loads(table.run_scaling([tmp_path], "json"))
    assert [(row["predicted"], row["of_ms"]) for row in found["rows"]] == [(1.0, 1.0), (0.25, 0.375)]
    assert "of ms / predicted" in table.run_scaling([tmp_path])
    with pytest.raises(UsageError, match="cannot be written as csv; give --format markdown or json"):
        table.run_scaling([tmp_path], "csv")


def test_scaling_needs_a_grid(tmp_path):
    records.write(tmp_path / "one.json", [variant("a1.00-r224", 4.0), profile("mine")])
    with pytest.raises(InputError, match="no two measured MobileNets differ in alpha or rho alone"):
        table.run_scaling([tmp_path])
