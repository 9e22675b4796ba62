"""Which files of a folder are records."""

from mobilenet_edge import records
from mobilenet_edge.commands import sources
from tests.report.html.grid import SPECS, identity, profile


def test_tables_and_checks_in_a_folder_are_passed_over(tmp_path):
    records.write(tmp_path / "records.json", [profile(identity(SPECS[0]), 1.0)])
    (tmp_path / "tradeoff.json").write_text('{"schema_version": 1, "tables": []}')
    (tmp_path / "check.json").write_text('{"kind": "check"}')
    assert len(sources.read([tmp_path])) == 1


def test_a_file_counts_once_though_its_folder_is_given_too(tmp_path):
    records.write(tmp_path / "records.json", [profile(identity(SPECS[0]), 1.0)])
    assert len(sources.read([tmp_path, tmp_path / "records.json"])) == 1
