"""The house around the code: what README and its kin promise is there, and no file tells whose machine it came from."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest

import mobilenet_edge
from mobilenet_edge import errors

ROOT = Path(__file__).parents[1]
# What is made, not written: the patterns of .gitignore.
MADE = re.compile(
    r"\.venv.*|\.git|results|dist|__pycache__|.*\.egg-info|\.(mypy|pytest|ruff)_cache|\.hypothesis|\.cache"
)
MACHINE = re.compile(
    r"""(?<![\w.~$}>*-])/(home/(?!pi\b)|(Users|root|work|mnt|opt|srv)/)\w  # somebody's folder; every Pi has /home/pi
    | \bfile://[\w/] | \bpypi[.]org | pythonhosted[.]org | --(extra-)?index-url[ =]\w+://  # a place packages come from
    """,
    re.VERBOSE,
)
VERBS = (
    "plan", "build", "train", "export", "evaluate", "profile", "inspect", "table", "sweep", "check", "compare",
    "setup-host", "doctor", "recommend",
)  # fmt: skip


def written() -> Iterator[Path]:
    """Every text file of the repository."""
    for top in sorted(ROOT.iterdir()):
        if not MADE.fullmatch(top.name):
            yield from (path for path in [top, *sorted(top.rglob("*"))] if path.is_file() and not _made(path))


def _made(path: Path) -> bool:
    return any(MADE.fullmatch(part) for part in path.relative_to(ROOT).parts)


@cache
def pages() -> list[Path]:
    return [path for path in written() if path.suffix == ".md"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def examples(text: str) -> Iterator[list[str]]:
    """The words of every `mnet …` and `make …` line of a page's code blocks, without their comments."""
    for line in text.splitlines():
        command = re.match(r" {4,}(?:\S+=\S+ )*((?:mnet|make) .*)", line)
        if command:
            yield shlex.split(command[1], comments=True)


def anchors(text: str) -> set[str]:
    """The fragments that GitHub gives to a page's headings."""
    headings = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


WIDE = {"COLUMNS": "240", "TERMINAL_WIDTH": "240", "NO_COLOR": "1", "TERM": "dumb"}


@cache
def mnet_help(*verb: str) -> str:
    """What `mnet … --help` prints, on a terminal too wide to cut an option short."""
    from mobilenet_edge import cli

    with patch.dict(os.environ, WIDE), redirect_stdout(io.StringIO()) as shown, pytest.raises(SystemExit) as stop:
        cli.main([*verb, "--help"])
    assert stop.value.code in (None, 0)
    return shown.getvalue()


def test_verbs_are_in_the_help_and_in_the_readme():
    shown = {words[1] for words in examples((ROOT / "README.md").read_text()) if words[0] == "mnet"}
    assert set(VERBS) <= shown & set(mnet_help().split())


def test_examples_use_options_that_exist():
    lines = [(name(page), words) for page in pages() for words in examples(page.read_text())]
    for page, words in lines:
        if words[0] == "mnet" and len(words) > 1:
            shown = mnet_help(*words[1:2]) if not words[1].startswith("-") else mnet_help()
            # A synopsis has brackets around an option.
            options = {option for word in words for option in re.findall(r"^\[?(--[a-z0-9-]+)", word)}
            missing = {option for option in options if not re.search(rf"(?<!\S){option}(?![\w-])", shown)}
            assert not missing, f"{page}: {' '.join(words)}: no such option"


def test_make_targets_in_the_text_exist():
    there = targets()
    for page in pages():
        named = {words[1] for words in examples(page.read_text()) if words[0] == "make"}
        named |= set(re.findall(r"`make ([a-z-]+)", page.read_text()))
        assert named <= there.keys(), name(page)


def links() -> Iterator[tuple[Path, str]]:
    """Every page with each of its links within the repository."""
    for page in pages():
        text = re.sub(r"`[^`\n]*`", "", page.read_text())
        yield from ((page, link) for link in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text) if "://" not in link)


def test_links_lead_somewhere():
    for page, link in links():
        target, _, fragment = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.is_relative_to(ROOT), f"{name(page)}: {link}"
        assert path.exists(), f"{name(page)}: {link}"
        assert not fragment or fragment in anchors(path.read_text()), f"{name(page)}: {link}"


def test_functions_that_contributing_walks_through_exist():
    walks = re.findall(r"`([\w/]+\.py):(\w+)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert walks
    for module, function in walks:
        source = (ROOT / "mobilenet_edge" / module).read_text()
        assert re.search(rf"^\s*def {function}\(", source, re.MULTILINE), f"{module}:{function}"


def test_contributing_lists_every_package():
    listed = re.findall(r"^\| `([\w.]+)/?` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    packages = {path.parent.name for path in ROOT.glob("mobilenet_edge/*/__init__.py")}
    assert set(listed) - {"api.py"} == packages


def test_pages_can_be_found_from_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert [name(page) for page in ROOT.glob("docs/*.md") if f"({name(page)})" not in readme] == []


def test_exit_codes_in_the_readme_are_those_of_the_errors():
    codes = {each.exit_code for each in vars(errors).values() if isinstance(each, type)}
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)}
    assert codes <= told
    assert told - codes == {0}  # done: no exception of ours


def test_nothing_tells_whose_machine_this_was():
    found = []
    for path in written():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{name(path)}:{text.count(chr(10), 0, at.start()) + 1}: {at[0]}" for at in MACHINE.finditer(text)]
    assert found == []


@pytest.mark.parametrize("prefix", ["/home", "/Users", "/work", "file://", "--index-url https:/"])
def test_machine_path_is_seen(prefix):
    assert MACHINE.search(f'open("{prefix}/someone/model.tflite")')


@pytest.mark.parametrize("text", ["results/home/x", "$ROOT/work/x", "~/work/x", "/proc/cpuinfo", "/home/pi/x"])
def test_other_paths_are_left_alone(text):
    assert not MACHINE.search(text)


def targets() -> dict[str, str]:
    """The Makefile's targets, with what they say of themselves."""
    return dict(re.findall(r"^([a-z][a-z-]*):[^=\n]*?## (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_target_says_what_it_does():
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == targets().keys()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_alone_lists_the_targets():
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(re.search(rf"make {target} +{re.escape(what)}", shown) for target, what in targets().items())


def test_ci_runs_targets_that_exist():
    script = (ROOT / ".ci" / "run").read_text()
    run = re.findall(r"^step make ([a-z-]+)", script, re.MULTILINE)
    assert {"lint", "test", "demo", "test-base"} <= set(run) <= targets().keys()
    configs = re.findall(r"^step make .* CONFIG=(\S+)", script, re.MULTILINE)
    assert configs
    assert all((ROOT / config).is_file() for config in configs)


def test_ci_script_can_be_run():
    assert (ROOT / ".ci" / "run").stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True)
    assert ".ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize(
    ("python", "message"),
    [
        # Stand-ins that refuse the one question each is asked about.
        ('case "$2" in *version_info\\ *) exit 1;; esac', "needs Python 3.11 or newer"),
        ('case "$2" in *ensurepip*) exit 1;; *print*) echo python3.11-venv;; esac', "apt install python3.11-venv"),
    ],
)
def test_unfit_python_is_refused_in_one_line(tmp_path, python, message):
    stand_in = tmp_path / "python"
    stand_in.write_text(f"#!/bin/sh\n{python}\n")
    stand_in.chmod(0o755)
    for path in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / path, tmp_path / path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").touch()
    # An outer make's flags would be taken over by this one.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", "setup", f"PYTHON={stand_in}"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert message in said[0]
    assert not (tmp_path / ".venv").exists()


def test_changelog_knows_the_version():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## Unreleased" in text or f"## {mobilenet_edge.__version__}" in text


def test_licence_is_the_whole_text():
    text = (ROOT / "LICENSE").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


# Says what pytest would collect from, without importing it.
COLLECT = """
import pytest

class Hollow(pytest.File):
    def collect(self):
        return []

class Files:
    def pytest_pycollect_makemodule(self, module_path, parent):
        print(module_path)
        return Hollow.from_parent(parent, path=module_path)

pytest.main(["--collect-only", "-p", "no:cacheprovider"], plugins=[Files()])
"""


@pytest.mark.slow
def test_every_file_of_tests_is_collected():
    tracked = subprocess.run(["git", "ls-files", "tests"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    there = {str(ROOT / line) for line in tracked.splitlines() if re.search(r"/test_[^/]*\.py$", line)}
    done = subprocess.run([sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True)
    assert there
    assert there <= set(done.stdout.splitlines())
