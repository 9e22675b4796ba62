from __future__ import annotations

import os
from pathlib import Path

import pytest

import mobilenet_edge
from mobilenet_edge.hosts import environment

PACKAGE = str(Path(mobilenet_edge.__file__).parents[1])


def test_little_reaches_a_worker(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PATH", "/bin")
    found = environment.of_worker()
    assert "OMP_NUM_THREADS" not in found
    assert (found["PATH"], found["PYTHONPATH"], found["PYTHONSAFEPATH"]) == ("/bin", "/somewhere", "1")


def test_the_package_comes_before_the_users_own_path(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert environment.of_package()["PYTHONPATH"].split(os.pathsep) == [PACKAGE, "/somewhere"]


def test_no_empty_entry_makes_the_current_folder_importable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert environment.of_package()["PYTHONPATH"] == PACKAGE
    assert "PYTHONPATH" not in environment.of_worker()


def test_only_setup_gets_a_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", "http://proxy")
    assert "https_proxy" not in environment.of_worker("time")
    assert environment.of_worker("setup")["https_proxy"] == "http://proxy"
