"""A file as it was committed, from a real repository."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from mobilenet_edge.budget import git
from mobilenet_edge.errors import InputError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    run("init", "--quiet", "--initial-branch=main")
    (tmp_path / "sub").mkdir()
    commit("b.json", "one", "sub/c.json", "deep")
    return tmp_path


def run(*words):
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True).stdout.strip()


def commit(*pairs):
    for path, text in zip(pairs[::2], pairs[1::2], strict=True):
        with open(path, "w") as file:  # noqa: PTH123 - relative to the repository
            file.write(text)
        run("add", path)
    run("commit", "--quiet", "--message", "x")


def test_a_file_is_shown_as_it_was(repository):
    commit("b.json", "two")
    assert git.show("main", "b.json") == b"two"
    assert git.show("HEAD^1", "b.json") == b"one"


def test_the_path_is_relative_to_the_current_folder(repository, monkeypatch):
    monkeypatch.chdir(repository / "sub")
    assert git.show("main", "c.json") == b"deep"
    assert git.show("main", "../b.json") == b"one"
    assert git.show("main", str(repository / "b.json")) == b"one"


def test_no_filter_of_the_repository_is_run(repository):
    # textconv would be run by `git show`; its program would leave the file.
    run("config", "diff.x.textconv", "touch ran; cat")
    commit(".gitattributes", "*.json diff=x\n")
    assert git.show("main", "b.json") == b"one"
    assert not (repository / "ran").exists()


@pytest.mark.parametrize("ref", ["", "-x", "--output=stolen"])
def test_a_ref_is_never_an_option(repository, ref):
    with pytest.raises(InputError, match="names no commit"):
        git.show(ref, "b.json")
    assert not (repository / "stolen").exists()


def test_what_is_not_there_is_told_with_the_next_step(repository):
    with pytest.raises(InputError, match="no commit 'origin/main' here; a shallow clone may lack it"):
        git.show("origin/main", "b.json")
    with pytest.raises(InputError, match=r"commit main has no d\.json; write it with: mnet check"):
        git.show("main", "d.json")


def test_nothing_in_a_ref_is_shell(repository):
    with pytest.raises(InputError, match="no commit"):
        git.show("main; touch ran; $(touch ran)", "b.json")
    assert not (repository / "ran").exists()


def test_the_commit_is_named_and_so_are_changes_to_it(repository):
    name, date = git.head()
    assert name == run("rev-parse", "HEAD")
    assert date == run("show", "--no-patch", "--format=%cI")
    (repository / "b.json").write_text("changed")
    assert git.head() == (f"{name}-dirty", date)


def test_outside_of_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    name, date = git.head()
    assert name is None
    assert date.endswith("+00:00")
    with pytest.raises(InputError, match="no commit 'main' here"):
        git.show("main", "b.json")


def test_without_git_a_baseline_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.head()[0] is None
    with pytest.raises(InputError, match="git is not installed; give the baseline as a file"):
        git.show("main", "b.json")
