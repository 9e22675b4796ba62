"""`mnet check` on files and records: what is read, what is printed, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mobilenet_edge import cli, records
from mobilenet_edge.budget import git
from mobilenet_edge.commands import check
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError, UsageError
from mobilenet_edge.formats import artifact
from mobilenet_edge.formats.metadata import Agreement, Metadata, Weights
from mobilenet_edge.formats.tflite import write as tflite
from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.records import Profile

FILE = Path("configs/budgets.toml")
# The model below has 1000 weights and 10 biases of 4 bytes, and 1000 MACs.
FITS = '[[budget]]\nartifact = "results/*.tflite"\nsize = "10 kB"\nmacs = "1k"\nmin_agreement = "90 %"\n'
SMALL = FITS.replace("10 kB", "4 KiB")


def write(path: str, *, width: int = 100, precision: str = "float32") -> Path:
    node = Node("dense", "dense", ("x",), (10,), np.ones((width, 10), np.float32), np.zeros(10, np.float32))
    about = Metadata(
        variant=Path(path).name.split(".")[0], precision=precision, classes=10, macs=10 * width,
        parameters=10 * width + 10, preprocess=Preprocess(), weights=Weights("random"),
        agreement=Agreement(30.0, 0.95, 20, held_out=True),
    )  # fmt: skip
    Path(path).parent.mkdir(exist_ok=True)
    artifact.write(Path(path), tflite.float_tflite(Graph("m", "x", (width,), (node,))), about)
    return Path(path)


def profile(path: Path, *, ms: float = 20.0, host: str = "pi4") -> Profile:
    return Profile(
        **artifact.read(path).identity(), runtime="litert", runtime_version="2", threads=1, load_ms=1.0, first_ms=1.0,
        times_ns=(round(ms * 1e6),) * 10, round_sizes=(10,), host={"name": host},
    )  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    FILE.parent.mkdir()
    FILE.write_text(FITS)
    write("results/one.tflite")
    return tmp_path


@pytest.fixture
def mnet(capsys):
    """Run the command line: exit code, stdout, stderr."""

    def run(*words) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main(list(map(str, words)))
        return (stop.value.code or 0, *capsys.readouterr())

    return run


def test_without_paths_the_files_of_the_budgets_are_checked(mnet):
    write("other/two.tflite")
    code, out, err = mnet("check")
    assert (code, err) == (0, "")
    assert out.endswith("3 passed: 1 artifact, configs/budgets.toml\n")
    assert "other" not in out


def test_what_fails_is_exit_code_1_and_says_where_the_bytes_go(mnet):
    FILE.write_text(SMALL)
    code, out, err = mnet("check")
    assert (code, err) == (1, "")
    assert "1 failed, 2 passed: 1 artifact" in out
    assert "Bytes by part of results/one.tflite" in out
    assert "| weights" in out


def test_a_budget_that_matches_nothing_fails(mnet):
    FILE.write_text(FITS + '[[budget]]\nvariant = "gone"\nsize = "1 MB"\n')
    code, out, _ = mnet("check")
    assert code == 1
    assert "MISSING" in out


def test_a_broken_file_is_exit_code_3_with_line_and_near_spelling(mnet):
    FILE.write_text(FITS + '[[budget]]\nsise = "1 MB"\n')
    code, out, err = mnet("check")
    assert (code, out) == (3, "")
    assert err == "mnet: configs/budgets.toml, line 7: unknown key 'budget[2].sise'; did you mean 'size'?\n"


def test_a_missing_file_is_exit_code_3(mnet):
    code, _, err = mnet("check", "--budgets", "none.toml")
    assert (code, err) == (3, "mnet: cannot read none.toml: no such file or directory; check the path\n")


def test_a_folder_means_its_artifacts_and_records(mnet):
    records.write(Path("results/profile.json"), [profile(Path("results/one.tflite"))])
    Path("results/table.json").write_text('{"tables": []}')
    Path("results/notes.txt").write_text("x")
    write("results/mine.tflite").rename("results/mine.keras")
    FILE.write_text('[[budget]]\ndevice = "pi4"\nlatency = "20 ms"\n')
    code, out, _ = mnet("check", "results")
    assert code == 0
    assert "on pi4, 1 thread" in out
    assert "1 passed: 1 artifact" in out


def test_a_broken_record_in_a_folder_is_not_passed_over(mnet):
    Path("results/profile.json").write_text("{")
    code, _, err = mnet("check", "results")
    assert code == 3
    assert "results/profile.json holds no records" in err


def test_a_latency_of_another_machine_neither_passes_nor_fails(mnet):
    records.write(Path("p.json"), [profile(Path("results/one.tflite"), host="local", ms=1.0)])
    FILE.write_text('[[budget]]\ndevice = "pi4"\nlatency = "20 ms"\n')
    code, out, _ = mnet("check", "p.json")
    assert code == 0
    assert "1 not applicable: 1 artifact" in out


def test_nothing_to_check_is_an_input_error():
    FILE.write_text('[[budget]]\nsize = "1 MB"\n')
    with pytest.raises(InputError, match=r"no artifact and no record in configs/budgets\.toml; give model files"):
        check.run([])
    Path("empty").mkdir()
    with pytest.raises(InputError, match="no artifact and no record in empty"):
        check.run([Path("empty")])


def test_a_check_is_the_baseline_of_the_next(mnet):
    FILE.write_text('baseline = "base.json"\n[[budget]]\nartifact = "results/*.tflite"\nsize = "+2 %"\n')
    code, out, _ = mnet("check", "--format", "json", "--out", "configs/base.json")
    assert (code, out) == (1, "")  # the first time there is nothing to compare with
    assert mnet("check")[0] == 0
    before = Path("results/one.tflite").stat().st_size
    write("results/one.tflite", width=110)
    after = Path("results/one.tflite").stat().st_size
    code, out, _ = mnet("check")
    assert code == 1
    assert f"{after / before - 1:+.2%}".replace("%", " %") in out
    assert "| +400 B |" in out  # ten more inputs to ten outputs, four bytes each
    assert "against configs/base.json" in out


def test_another_precision_under_the_same_path_is_a_change(mnet):
    FILE.write_text('baseline = "base.json"\n[[budget]]\nartifact = "results/*.tflite"\nsize = "+2 %"\n')
    write("results/one.tflite", precision="int8")
    mnet("check", "--format", "json", "--out", "configs/base.json")
    write("results/one.tflite", width=300)
    code, out, _ = mnet("check")
    assert code == 1
    assert "configs/base.json has it as one int8 tflite, and it is one float32 tflite now" in out


@pytest.mark.parametrize("words", [(), ("results",)])
def test_what_the_baseline_has_and_is_gone_is_missing_until_a_new_baseline(mnet, words):
    FILE.write_text('baseline = "base.json"\n[[budget]]\nartifact = "results/*.tflite"\nsize = "+2 %"\n')
    two = write("results/two.tflite")
    renew = ("check", "--format", "json", "--out", "configs/base.json")
    mnet(*renew)
    assert mnet("check", *words)[0] == 0
    two.unlink()
    code, out, _ = mnet("check", *words)
    assert code == 1
    assert "configs/base.json has it, and it is gone; if that is intended, write a new baseline" in out
    # A part of the files is no reason to miss the rest.
    assert mnet("check", "results/one.tflite")[0] == 0
    mnet(*renew)
    assert mnet("check", *words)[0] == 0


def test_records_are_a_baseline_too(mnet):
    assert mnet("inspect", "results/one.tflite", "--json", "base.json")[0] == 0
    FILE.write_text('[[budget]]\nartifact = "results/*.tflite"\nsize = "+0 %"\n')
    assert mnet("check", "--baseline", "base.json")[0] == 0
    write("results/one.tflite", width=110)
    assert mnet("check", "--baseline", "base.json")[0] == 1


def test_a_missing_baseline_that_was_asked_for_is_exit_code_3(mnet):
    assert mnet("check", "--baseline", "none.json")[0] == 3
    code, _, err = mnet("check", "--baseline", "git:-x:base.json")
    assert code == 3
    assert "git:-x names no commit" in err


@pytest.mark.slow
def test_a_baseline_from_git(mnet, folder, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    FILE.write_text('baseline = "base.json"\n[[budget]]\nartifact = "results/*.tflite"\nsize = "+0 %"\n')
    mnet("check", "--format", "json", "--out", "configs/base.json")
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for words in (["init", "-q", "-b", "main"], ["add", "configs/base.json"], ["commit", "-qm", "x"]):
        subprocess.run(["git", *identity, *words], check=True)
    Path("configs/base.json").unlink()
    code, out, _ = mnet("check", "--baseline", "git:main")
    assert code == 0
    assert "against configs/base.json at main" in out


def test_update_tightens_the_ratchet_in_the_file(mnet):
    FILE.write_text(FITS + "# kept\nratchet = true\n")
    size = Path("results/one.tflite").stat().st_size
    code, out, _ = mnet("check", "--update")
    assert code == 0
    assert f"Tightened size of results/*.tflite: 10 kB to {size / 1000:g} kB." in out
    made = FILE.read_text()
    assert made == FITS.replace("10 kB", f"{size / 1000:g} kB").replace("90", "95") + ("# kept\nratchet = true\n")
    assert mnet("check", "--update")[0] == 0
    assert FILE.read_text() == made
    write("results/one.tflite", width=101)
    assert mnet("check", "--update")[0] == 1
    assert FILE.read_text() == made


def test_without_update_the_file_stays(mnet):
    FILE.write_text(FITS + "ratchet = true\n")
    mnet("check")
    assert FILE.read_text() == FITS + "ratchet = true\n"


def test_only_looks_at_some_metrics(mnet):
    FILE.write_text(FITS + '[[budget]]\nartifact = "results/*"\nmin_top1 = "50 %"\n')
    assert mnet("check")[0] == 1
    code, out, _ = mnet("check", "--only", "size", "--only", "macs")
    assert code == 0
    assert "Only size, macs checked" in out
    with pytest.raises(UsageError, match=r"unknown metric 'sise'; did you mean 'size'\?"):
        check.run([], check.CheckOptions(only=("sise",)))


@pytest.mark.parametrize("format", check.FORMATS)
def test_every_format_goes_to_stdout_or_a_file(mnet, format):
    code, out, err = mnet("check", "--format", format)
    assert (code, err) == (0, "")
    assert mnet("check", "--format", format, "--out", "made") == (0, "", "")
    assert Path("made").read_text() == out
    assert out.strip()


def test_an_unknown_format_names_those_there_are():
    with pytest.raises(UsageError, match="unknown format 'xml'; known: text, json"):
        check.dump(check.run([]), "xml")


def test_the_job_summary_is_added_to_when_github_is_asked_for(mnet, folder, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    Path("summary.md").write_text("before\n")
    for format in set(check.FORMATS) - {"github"}:
        mnet("check", "--format", format)
    assert Path("summary.md").read_text() == "before\n"
    FILE.write_text(SMALL)
    code, out, _ = mnet("check", "--format", "github")
    assert code == 1
    assert out.startswith("::error file=configs/budgets.toml,line=3,")
    assert Path("summary.md").read_text().startswith("before\n### mnet check: failed\n")


def test_a_summary_that_cannot_be_written_is_told(mnet, folder, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder))
    code, _, err = mnet("check", "--format", "github")
    assert code == 3
    assert "cannot write the job summary" in err


def test_figures_are_added_to_a_history(mnet, monkeypatch):
    monkeypatch.setattr(git, "head", lambda: ("abc", "2026-01-02T03:04:05+00:00"))
    FILE.write_text(SMALL)
    records.write(Path("p.json"), [profile(Path("results/one.tflite"))])
    assert mnet("check", "results", "p.json", "--record", "history.jsonl")[0] == 1  # what failed is history too
    mnet("check", "--record", "history.jsonl")
    first, second = map(json.loads, Path("history.jsonl").read_text().splitlines())
    assert (first["commit"], first["variant"], first["host"], first["median_ms"]) == ("abc", "one", "pi4", 20.0)
    assert (second["size_bytes"], second["median_ms"]) == (first["size_bytes"], None)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_done(mnet):
    FILE.write_text(FITS + "ratchet = true\n")
    for option in ("--out", "--record"):
        code, out, err = mnet("check", "--update", option, "results")
        assert (code, out) == (3, "")
        assert "cannot write results: it is a folder" in err
    assert FILE.read_text() == FITS + "ratchet = true\n"


def test_a_check_beside_records_does_not_disturb_the_table(mnet):
    records.write(Path("results/profile.json"), [profile(Path("results/one.tflite"))])
    before = mnet("table", "results")
    mnet("check", "--format", "json", "--out", "results/check.json")
    assert mnet("table", "results") == before
    assert mnet("check", "results")[0] == 0


@pytest.mark.slow
def test_neither_tensorflow_nor_a_runtime_is_needed():
    hidden = ("tensorflow", "keras", "ai_edge_litert", "tflite_runtime", "onnxruntime", "onnx", "numpy", "PIL")
    hide = f"import sys; sys.modules.update(dict.fromkeys({hidden!r}))"
    code = f"{hide}; from mobilenet_edge.cli import main; main(['check'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 passed" in done.stdout
