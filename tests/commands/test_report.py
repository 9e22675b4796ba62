"""`mnet report`: what is written where, and what is refused."""

import json

import pytest

from mobilenet_edge import records
from mobilenet_edge.cli import main
from mobilenet_edge.commands import report
from mobilenet_edge.errors import InputError, MissingExtraError
from mobilenet_edge.report.html import document
from tests.report.html.grid import SPECS, history, identity, judged, long, profile


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    records.write(folder / "records.json", [profile(identity(SPECS[0]), 1.0)])
    return folder


@pytest.mark.slow
def test_page_tables_and_pictures(results, tmp_path, capsys):
    out = tmp_path / "report"
    with pytest.raises(SystemExit) as ended:
        main(["report", str(results), "--out", str(out)])
    assert ended.value.code == 0
    names = [
        "report.html", "tradeoff.md", "tradeoff.csv", "tradeoff.json", "accuracy-latency.svg", "accuracy-latency.png",
        "accuracy-size.svg", "accuracy-size.png", "latency.svg", "latency.png",
    ]  # fmt: skip
    assert capsys.readouterr().out.splitlines()[: len(names)] == [str(out / name) for name in names]
    assert sorted(names) == sorted(path.name for path in out.iterdir())
    assert json.loads((out / "tradeoff.json").read_text())["tables"][0]["rows"][0]["median_ms"] > 1
    assert (out / "tradeoff.md").read_text().startswith("### Intel")


@pytest.mark.slow
def test_a_history_in_the_folder_or_alone(results, tmp_path):
    lines = "".join(f"{json.dumps(line)}\n" for line in history())
    (results / "history.jsonl").write_text(lines)
    assert "history.svg" in [path.name for path in report.run([results], tmp_path / "report")]
    alone = report.run([results / "history.jsonl"], tmp_path / "alone")
    assert [path.name for path in alone] == ["report.html", "history.svg", "history.png"]


@pytest.mark.slow
def test_a_report_of_a_report_is_the_same(results, tmp_path):
    # Tables in a folder are no records; the page and the pictures are passed over.
    first = {path.name: path.read_bytes() for path in report.run([results], results)}
    assert {path.name: path.read_bytes() for path in report.run([results], results)} == first


@pytest.mark.slow
def test_pictures_of_an_earlier_report_do_not_stay(results, tmp_path):
    out = tmp_path / "report"
    records.write(tmp_path / "long.json", [long(identity(SPECS[0]))])
    (out / "mine").mkdir(parents=True)
    (out / "mine.svg").write_text("not of the report")
    assert out / "trace.svg" in report.run([tmp_path / "long.json"], out)
    report.run([results], out)
    assert not (out / "trace.svg").exists()
    assert (out / "mine.svg").exists()


def test_nothing_to_report(tmp_path):
    records.write(tmp_path / "records.json", [])
    with pytest.raises(InputError, match="create them with: mnet sweep"):
        report.run([tmp_path], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_what_is_missing_is_said_before_anything_is_written(results, tmp_path, monkeypatch):
    monkeypatch.setattr(document, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"mobilenet-edge\[report\]"):
        report.run([results], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_file_that_is_none_is_one_line(tmp_path, capsys):
    (tmp_path / "records.json").write_text("{")
    with pytest.raises(SystemExit) as ended:
        main(["report", str(tmp_path / "records.json"), "--out", str(tmp_path / "report")])
    assert ended.value.code == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_pictures_are_looked_for_before_anything_is_written(tmp_path):
    records.write(tmp_path / "records.json", judged())
    with pytest.raises(InputError, match="has none of the 12 pictures whose answer changed"):
        report.run([tmp_path / "records.json"], tmp_path / "report", tmp_path)
    assert not (tmp_path / "report").exists() or not list((tmp_path / "report").iterdir())


@pytest.mark.slow
def test_changed_pictures_are_inside_the_page(tmp_path):
    from PIL import Image

    records.write(tmp_path / "records.json", judged())
    (tmp_path / "data" / "bird").mkdir(parents=True)
    Image.new("RGB", (40, 30), "red").save(tmp_path / "data" / "bird" / "0.jpg")
    with pytest.raises(SystemExit) as stop:
        main(["report", str(tmp_path / "records.json"), "--pictures", str(tmp_path / "data"), "--out", str(tmp_path)])
    assert stop.value.code == 0
    assert (tmp_path / "report.html").read_text().count("data:image/jpeg;base64,") == 1
