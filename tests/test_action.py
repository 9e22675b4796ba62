"""The size check as an action of GitHub and as a hook of pre-commit, as far as they run without the service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mobilenet_edge.budget import baseline, budgets
from mobilenet_edge.budget.verdict import judge
from mobilenet_edge.cli.choices import CheckFormat
from mobilenet_edge.commands import check

ROOT = Path(__file__).parents[1]
ACTION = ROOT / ".github" / "actions" / "size-check" / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "size.yml"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def step(name: str) -> dict[str, Any]:
    (found,) = [each for each in read(ACTION)["runs"]["steps"] if each["name"] == name]
    return found


def environment(found: dict[str, Any], **inputs: str) -> dict[str, str]:
    """Fill `env` as the runner does, with the inputs' defaults."""
    values = {name: each["default"] for name, each in read(ACTION)["inputs"].items()} | inputs
    filled = {}
    for name, text in found["env"].items():
        key = re.fullmatch(r"\$\{\{ (inputs|github)\.(\w+) \}\}", text)
        assert key, text
        filled[name] = values[key[2]] if key[1] == "inputs" else str(ACTION.parent)
    return filled


def bash(script: str, env: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as `shell: bash` does: https://docs.github.com/actions/reference/workflows-and-actions."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def runner(tmp_path: Path):
    """Run the step that checks, with `mnet` where the first step would have put it."""
    temp, work = tmp_path / "temp folder", tmp_path / "work"
    (temp / "mnet" / "bin").mkdir(parents=True)
    (temp / "mnet" / "bin" / "mnet").symlink_to(Path(sys.executable).with_name("mnet"))
    (work / "configs").mkdir(parents=True)
    shutil.copy(ROOT / "configs" / "baseline.json", work / "configs")

    def run(budget: str, **inputs: str) -> tuple[int, str, str, str]:
        (work / "configs" / "budgets.toml").write_text(budget)
        outputs, summary = tmp_path / "outputs", tmp_path / "summary"
        outputs.write_text("")
        summary.write_text("")
        found = step("Check")
        env = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(outputs)}
        env |= {"GITHUB_STEP_SUMMARY": str(summary), **environment(found, **inputs)}
        done = bash(found["run"], env, work)
        return done.returncode, done.stdout + done.stderr, outputs.read_text(), summary.read_text()

    run.work = work
    return run


def artifact(folder: Path, name: str, size: int) -> Path:
    """Records stand in for a file: the step passes on whatever path it is given."""
    own = {"schema_version": 1, "kind": "inspection", "artifact": name, "sha256": name, "size_bytes": size}
    own |= {
        "format": "tflite",
        "precision": "int8",
        "variant": name,
        "metadata": None,
        "ops": {},
        "bytes": {"all": size},
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps([own]))
    return path


BUDGET = '[[budget]]\nvariant = "*"\nsize = "1 kB"\nmacs = "1"\n'


@pytest.mark.slow
def test_what_passes(runner):
    artifact(runner.work, "one", 1000)
    artifact(runner.work, "two words", 10)
    code, said, outputs, summary = runner(BUDGET, paths="one.json\n\ntwo words.json\n", only="size", json="made/x.json")
    assert (code, outputs) == (0, "passed=true\n")
    assert said == "2 passed: 2 artifacts, configs/budgets.toml\n"
    assert summary.startswith("### mnet check: passed")
    assert len(json.loads((runner.work / "made" / "x.json").read_text())["verdicts"]) == 2


@pytest.mark.slow
def test_what_fails(runner):
    artifact(runner.work, "one", 1001)
    code, said, outputs, summary = runner(BUDGET, paths="one.json", only="size\n", json="x.json")
    assert (code, outputs) == (1, "passed=false\n")
    assert said.startswith("::error file=configs/budgets.toml,line=3,title=size of one%3A failed::1.00 kB, limit 1 kB")
    assert "1 B over" in summary
    assert not json.loads((runner.work / "x.json").read_text())["passed"]


@pytest.mark.slow
def test_a_broken_budget_file_fails_with_its_own_code(runner):
    artifact(runner.work, "one", 1)
    code, said, outputs, _ = runner('[[budget]]\nsise = "1 kB"', paths="one.json", json="x.json")
    assert (code, outputs) == (3, "passed=false\n")
    assert "did you mean 'size'?" in said
    assert not (runner.work / "x.json").exists()


@pytest.mark.slow
def test_nothing_in_an_input_is_shell_or_an_option(runner):
    hostile = "$(touch ran)`touch ran`; touch ran #\n--update"
    code, said, _, _ = runner(BUDGET, paths=hostile, baseline="$(touch ran)", only="size; touch ran")
    assert code in (2, 3)
    assert not (runner.work / "ran").exists()
    assert "mnet:" in said


def test_inputs_reach_the_shell_only_as_variables():
    for each in read(ACTION)["runs"]["steps"]:
        assert "${{" not in each["run"]
        assert each["shell"] == "bash"
        subprocess.run(["bash", "-n", "-c", each["run"]], check=True)


def test_each_input_is_used_and_explained():
    found = read(ACTION)
    used = set(re.findall(r"inputs\.(\w+)", ACTION.read_text()))
    assert used == set(found["inputs"])
    assert all(each["description"] for each in (found, *found["inputs"].values(), *found["outputs"].values()))


@pytest.mark.slow
def test_the_step_that_installs_takes_the_checkout_of_the_action(tmp_path):
    # A stand-in for Python says what it was asked, and "makes" an environment with itself in it.
    log, python = tmp_path / "log", tmp_path / "python"
    python.write_text(
        f'#!/bin/bash\necho "$@" >> {log}\n[[ $2 == venv ]] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"\nexit 0\n'
    )
    python.chmod(0o755)
    found = step("Install mnet")
    env = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(tmp_path), **environment(found, python=str(python))}
    done = bash(found["run"], env, tmp_path)
    assert done.returncode == 0, done.stderr
    made, installed = log.read_text().splitlines()
    assert made == f"-m venv {tmp_path}/mnet"
    assert Path(installed.split()[-1]).resolve() == ROOT


def test_the_workflow_uses_the_action_with_inputs_that_it_has():
    (job,) = read(WORKFLOW)["jobs"].values()
    (use,) = [each for each in job["steps"] if each.get("uses", "").startswith("./")]
    assert (ROOT / use["uses"] / "action.yml").is_file()
    assert set(use["with"]) <= set(read(ACTION)["inputs"])
    (made,) = [each["run"] for each in job["steps"] if each.get("run", "").startswith("make demo")]
    assert made.endswith(f"OUT={use['with']['paths']}")


def test_the_budgets_of_this_repository_hold_for_its_baseline():
    loaded = budgets.load(ROOT / budgets.PATH)
    before = baseline.read(str(ROOT / str(loaded.baseline)))
    subjects = before.subjects
    # Against itself nothing grew, and every budget matches something.
    assert {each.outcome for each in judge(loaded, subjects, before)} == {"passed"}


def test_formats_of_the_option_are_those_of_the_verb():
    assert tuple(CheckFormat) == tuple(check.FORMATS)


def test_the_hook_runs_a_verb_with_options_that_it_has():
    (hook,) = read(ROOT / ".pre-commit-hooks.yaml")
    assert hook["entry"] == "mnet check"
    assert hook["pass_filenames"] is False
    assert {"id", "name", "entry", "language"} <= set(hook)
    for path in ("results/a.int8.tflite", "a.onnx", "configs/budgets.toml"):
        assert re.search(hook["files"], path)
    assert not re.search(hook["files"], "README.md")


def test_the_lines_in_the_docs_are_yaml_with_inputs_that_exist():
    use, job = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(), re.DOTALL))
    (only,) = use
    assert only["uses"].endswith("/.github/actions/size-check@main")
    assert set(only["with"]) <= set(read(ACTION)["inputs"])
    assert job["size"]["artifacts"]["reports"]["junit"] in job["size"]["script"][-1]


@pytest.mark.slow
def test_the_line_for_gitlab_writes_its_report(runner):
    (*_, job) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(), re.DOTALL)
    *_, line = yaml.safe_load(job)["size"]["script"]
    (runner.work / "models").mkdir()
    artifact(runner.work / "models", "one", 1001)
    (runner.work / "configs" / "budgets.toml").write_text('[[budget]]\nsize = "1 kB"\n')
    done = bash(line, {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}, runner.work)
    assert (done.returncode, done.stderr) == (1, "")
    assert 'failures="1"' in (runner.work / "check.xml").read_text()
