"""The audit: on packages made for the purpose, and on what CI really runs."""

from __future__ import annotations

import base64
import hashlib
import json
import runpy
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
script = runpy.run_path(str(ROOT / "scripts" / "audit.py"))
LOCK = (
    "# made by make lock\na-b==1.0 \\\n    --hash=sha256:00\nold==2 ; python_version < '3' \\\n    --hash=sha256:00\n"
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with one package of one module."""
    code = b"x = 1\n"
    (tmp_path / "a_b.py").write_bytes(code)
    info = tmp_path / "a_b-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a_b\nVersion: 1.0\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(code).digest()).rstrip(b"=").decode()
    (info / "RECORD").write_text(f"a_b.py,sha256={digest},{len(code)}\na_b-1.0.dist-info/RECORD,,\n")
    return tmp_path


def installed(site: Path) -> list[Distribution]:
    return list(distributions(path=[str(site)]))


def test_what_was_locked_and_left_alone_has_no_problem(site: Path) -> None:
    here = installed(site)
    assert list(script["versions"](LOCK, here)) == []
    assert list(script["changed"](here)) == []
    assert list(script["strangers"](here, site)) == []


@pytest.mark.parametrize(
    ("lock", "problem"),
    [
        (LOCK.replace("a-b==1.0", "a-b==1.1"), "a-b is 1.0, the lock has 1.1"),
        (LOCK + "c==3\n", "c is not installed, the lock has 3"),
        ("", "a-b 1.0 is not in the lock"),
    ],
)
def test_another_version_is_named(lock: str, problem: str, site: Path) -> None:
    assert list(script["versions"](lock, installed(site))) == [problem]


def test_a_changed_file_is_named(site: Path) -> None:
    (site / "a_b.py").write_text("x = 2\n")
    assert list(script["changed"](installed(site))) == ["a_b: a_b.py was changed"]
    (site / "a_b.py").unlink()
    assert list(script["changed"](installed(site))) == ["a_b: a_b.py is missing"]


def test_a_package_without_a_record_is_named(site: Path) -> None:
    (site / "a_b-1.0.dist-info" / "RECORD").unlink()
    assert list(script["changed"](installed(site))) == ["a_b has no RECORD to compare with"]


@pytest.mark.parametrize("name", ["start.pth", "a_c.py", "lib.so"])
def test_code_of_no_package_is_named(name: str, site: Path) -> None:
    (site / name).write_text("")
    (site / "notes.txt").write_text("")
    assert list(script["strangers"](installed(site), site)) == [f"{name} belongs to no package"]


@pytest.mark.parametrize(
    "uses",
    ["someone/thing@v1", "someone/thing@main", "actions/checkout@main", "actions/checkout", "docker://alpine:3",
     "someone/thing@11bd719", "'someone/thing@v1'"],
)  # fmt: skip
def test_what_can_be_exchanged_is_named(uses: str) -> None:
    (found,) = script["unpinned"]("ci.yml", f"permissions: {{}}\njobs:\n  - uses: {uses}  # v1\n")
    assert found == f"ci.yml:3: {uses.strip(chr(39))} can be exchanged; name it by its commit"


@pytest.mark.parametrize("uses", ["actions/checkout@v4", "./.github/actions/own", f"someone/thing/part@{'0a' * 20}"])
def test_what_cannot_is_not(uses: str) -> None:
    assert list(script["unpinned"]("ci.yml", f"permissions:\n  contents: read\njobs:\n  - uses: {uses}\n")) == []


def test_a_workflow_says_its_permissions() -> None:
    assert list(script["unpinned"]("ci.yml", "jobs:\n")) == ["ci.yml does not say its permissions"]


def test_what_ci_runs_cannot_be_exchanged() -> None:
    paths = script["workflows"]()
    assert "ci.yml" in {path.name for path in paths}
    assert [problem for path in paths for problem in script["unpinned"](path.name, path.read_text())] == []


def test_advisories_are_problems() -> None:
    known = [
        {
            "name": "a",
            "version": "1",
            "vulns": [{"id": "X-1", "fix_versions": ["2"]}, {"id": "X-2", "fix_versions": []}],
        },
        {"name": "b", "version": "1", "vulns": []},
    ]
    check = script["reported"]("advisories", json.dumps({"dependencies": known}), "")
    assert check.problems == ("a 1: X-1, fixed in 2", "a 1: X-2, fixed in no version")
    assert not check.not_tried


def test_a_package_that_was_passed_over_is_not_taken_for_safe() -> None:
    known = [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}]
    check = script["reported"]("advisories", json.dumps({"dependencies": known}), "")
    assert check.lines() == ["advisories: not tried: the service knows nothing of 1 of 2"]


@pytest.mark.parametrize("out", ["", "{}", "[]"])
def test_no_answer_is_said_and_is_no_problem(out: str) -> None:
    check = script["reported"]("advisories", out, "Traceback\nConnectionError: no route")
    assert check.problems == ()
    assert check.lines() == ["advisories: not tried: the service was not reached (ConnectionError: no route)"]
