"""The state of an interrupted fine-tuning: taken up again, or left alone where it is damaged."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mobilenet_edge.training import checkpoint
from mobilenet_edge.training.checkpoint import Epoch

CURVE = [Epoch(0, 2.0, 2.1, 0.2), Epoch(1, 1.0, float("nan"), 0.5)]


class Variable:
    """As much of a Keras variable as is used."""

    def __init__(self, value: float) -> None:
        self.value = np.full((2, 3), value, np.float32)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return self.value

    def assign(self, value: np.ndarray) -> None:
        self.value = value


class Model:
    """As much of a compiled Keras model as is used."""

    def __init__(self, value: float) -> None:
        self.weights = [np.full(shape, value, np.float32) for shape in ((4,), (2, 2))]
        self.trainable_variables: list[Any] = []
        self.optimizer = SimpleNamespace(variables=[Variable(value)], build=lambda variables: None)

    def get_weights(self) -> list[np.ndarray]:
        return self.weights

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.weights = weights


@pytest.fixture
def state(tmp_path: Path) -> Path:
    checkpoint.keep(Model(1), CURVE, tmp_path / "state")
    return tmp_path / "state"


def test_state_is_taken_up(state):
    model = Model(0)
    curve = checkpoint.restore(model, state)
    assert curve is not None
    assert [point.epoch for point in curve] == [0, 1]
    assert curve[0] == CURVE[0]
    assert all((array == 1).all() for array in (*model.weights, model.optimizer.variables[0].value))


def test_without_a_state_nothing_is_taken_up(tmp_path):
    assert checkpoint.restore(Model(0), tmp_path / "none") == []


def _cut(state: Path) -> None:
    data = (state / checkpoint.WEIGHTS).read_bytes()
    (state / checkpoint.WEIGHTS).write_bytes(data[: len(data) // 2])


def _flip(state: Path) -> None:
    data = bytearray((state / checkpoint.WEIGHTS).read_bytes())
    data[len(data) // 4] ^= 0xFF
    (state / checkpoint.WEIGHTS).write_bytes(data)


def _other_shapes(state: Path) -> None:
    np.savez(state / checkpoint.WEIGHTS, np.zeros(3), np.zeros((2, 2)), np.zeros((2, 3)))


def _objects(state: Path) -> None:
    np.savez(state / checkpoint.WEIGHTS, np.array([{}], object))


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _flip,
        _other_shapes,
        _objects,
        lambda state: (state / checkpoint.WEIGHTS).unlink(),
        lambda state: (state / checkpoint.WEIGHTS).write_bytes(b"PK\x03\x04"),
        lambda state: (state / checkpoint.CURVE).write_text("[{}]"),
        lambda state: (state / checkpoint.CURVE).write_text("{"),
        lambda state: (state / checkpoint.CURVE).write_text('[{"epoch": 3, "loss": 1}]'),
        lambda state: (state / checkpoint.CURVE).write_bytes(b"\xff\xfe"),
    ],
)
def test_damaged_state_is_left_alone(state, damage):
    damage(state)
    model = Model(0)
    assert checkpoint.restore(model, state) is None
    assert all((array == 0).all() for array in (*model.weights, model.optimizer.variables[0].value))
