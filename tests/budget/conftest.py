"""Budget files, subjects and records with the parts that a test does not care about filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mobilenet_edge.budget import budgets
from mobilenet_edge.budget.budgets import Budgets
from mobilenet_edge.budget.subject import Run, Subject
from mobilenet_edge.records import Evaluation, Inspection, Profile


class Make:
    """One function for each kind of thing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def budgets(self, text: str) -> Budgets:
        (self.folder / "budgets.toml").write_text(text)
        return budgets.load(self.folder / "budgets.toml")

    @staticmethod
    def subject(name: str = "a", **changes: Any) -> Subject:
        own = {"variant": name, "format": "tflite", "precision": "int8", "target": "generic", "size_bytes": 1000}
        return Subject(f"results/{name}.int8.tflite", **{**own, **changes})

    @staticmethod
    def run(host: str = "pi4", ms: float = 20.0, threads: int = 1, **changes: Any) -> Run:
        return Run(host, threads, ms, **changes)

    @staticmethod
    def identity(name: str = "a", **changes: Any) -> dict[str, Any]:
        own = {"artifact": f"results/{name}.int8.tflite", "sha256": name, "size_bytes": 1000}
        return {**own, "format": "tflite", "precision": "int8", "variant": name, **changes}

    @classmethod
    def profile(cls, name: str = "a", *, ms: float = 20.0, host: str = "pi4", **changes: Any) -> Profile:
        facts = {key: changes.pop(key) for key in ("emulated",) if key in changes}
        measured = {key: changes.pop(key) for key in ("invalid", "peak_rss_bytes", "threads") if key in changes}
        return Profile(
            **cls.identity(name, **changes), runtime="litert", runtime_version="2", load_ms=1.0, first_ms=1.0,
            times_ns=(round(ms * 1e6),) * 10, round_sizes=(10,), host={"name": host, **facts},
            **{"threads": 1, **measured},
        )  # fmt: skip

    @classmethod
    def evaluation(
        cls, name: str = "a", *, top1: float = 0.5, agreement: float | None = None, n: int = 100
    ) -> Evaluation:
        return Evaluation(**cls.identity(name), top1=top1, top5=1.0, n=n, interval=(0.0, 1.0), agreement=agreement)

    @classmethod
    def inspection(cls, name: str = "a", **changes: Any) -> Inspection:
        own = {"metadata": changes.pop("metadata", None), "bytes": changes.pop("bytes", {"weights": 1000})}
        return Inspection(**cls.identity(name, **changes), **own, ops={})


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return Make(tmp_path)
