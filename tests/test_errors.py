"""Every expected failure belongs to one family and has the exit code that the design promises."""

import inspect

import pytest

from mobilenet_edge import errors
from mobilenet_edge.errors import MissingExtraError, MnetError

CODES = {
    "MnetError": 1,
    "UsageError": 2,
    "InputError": 3,
    "MissingExtraError": 4,
    "BuildError": 5,
    "HostError": 6,
    "Interrupted": 130,
}
FAMILY = [each for _, each in inspect.getmembers(errors, inspect.isclass)]


def test_the_family_is_whole():
    assert {each.__name__: each.exit_code for each in FAMILY} == CODES


@pytest.mark.parametrize("kind", FAMILY, ids=lambda each: each.__name__)
def test_every_one_is_caught_as_the_family_and_says_what_it_means(kind):
    assert issubclass(kind, MnetError)
    assert kind.__doc__


def test_a_missing_extra_names_the_command():
    error = MissingExtraError("writing .onnx files needs the onnx package", "export")
    expected = "writing .onnx files needs the onnx package; install it with: pip install 'mobilenet-edge[export]'"
    assert str(error) == expected


def test_the_extras_it_names_exist():
    import ast
    import tomllib
    from pathlib import Path

    root = Path(errors.__file__).parents[1]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {
        call.args[1].value
        for text in map(Path.read_text, (root / "mobilenet_edge").rglob("*.py"))
        if "MissingExtraError(" in text
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "MissingExtraError"
        and len(call.args) == 2
        and isinstance(call.args[1], ast.Constant)
    }
    assert named
    assert named <= extras.keys()
