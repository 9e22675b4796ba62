"""The classifier on features, on points whose classes are known."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.training import linear
from mobilenet_edge.training.linear import Examples


def cloud(counts: tuple[int, ...], seed: int, noise: float = 0.3, views: int = 1) -> tuple[Examples, np.ndarray]:
    """Points around a corner for each class, far from the origin and of unlike scale in each direction."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    corners = np.eye(len(counts), 6)[labels][:, None]
    points = corners + noise * generator.standard_normal((len(labels), views, 6))
    features = (50 + points * [1, 10, 100, 1, 1, 1]).astype(np.float32)
    targets = linear.one_hot(labels, len(counts), views)
    return Examples(features, targets, np.ones(len(labels), np.float32)), labels


def share(head: linear.Head, examples: Examples, labels: np.ndarray) -> float:
    return float((head.logits(examples.features[:, 0]).argmax(axis=1) == labels).mean())


def test_separable_classes_are_learned():
    train, _ = cloud((30, 30, 30), seed=1, noise=0.1, views=2)
    other, labels = cloud((50, 50, 50), seed=2, noise=0.1)
    fit = linear.fit(train, other)
    fresh, truth = cloud((50, 50, 50), seed=3, noise=0.1)
    assert share(fit.head, fresh, truth) == share(fit.complete, fresh, truth) == 1
    assert [point.step for point in fit.curve] == list(range(linear.EVERY, linear.STEPS + 1, linear.EVERY))
    best = min(fit.curve, key=lambda point: point.validation_loss)
    assert best.validation_accuracy == share(fit.head, other, labels) == 1
    assert fit.curve[0].loss > fit.curve[-1].loss


def test_same_examples_give_the_same_head():
    fits = [linear.fit(cloud((20, 20), 1)[0], cloud((9, 9), 2)[0]) for _ in range(2)]
    assert np.array_equal(fits[0].complete.kernel, fits[1].complete.kernel)


def test_blocks_of_features_give_the_same_head(monkeypatch):
    train, other = cloud((30, 30), seed=1, views=2)[0], cloud((20, 20), seed=2)[0]
    whole = linear.fit(train, other)
    monkeypatch.setattr(linear, "BLOCK", 6 * 7)
    blocks = linear.fit(train, other)
    assert blocks.complete.kernel == pytest.approx(whole.complete.kernel, abs=1e-3)
    assert [point.loss for point in blocks.curve] == pytest.approx([point.loss for point in whole.curve], rel=1e-3)


def test_only_the_complete_head_learns_from_validation_pictures():
    # The third class is among the validation pictures alone.
    train, _ = cloud((30, 30), seed=1)
    train = Examples(train.features, np.pad(train.targets, ((0, 0), (0, 0), (0, 1))), train.weights)
    validation, labels = cloud((5, 5, 30), seed=2, noise=0.1)
    third = labels == 2
    fit = linear.fit(train, validation)
    assert not (fit.head.logits(validation.features[third, 0]).argmax(axis=1) == 2).any()
    assert (fit.complete.logits(validation.features[third, 0]).argmax(axis=1) == 2).mean() > 0.9


def test_weight_of_a_picture_moves_the_border():
    train, _ = cloud((40, 40), seed=1, noise=1.0)
    other, _labels = cloud((200, 200), seed=2, noise=1.0)
    heavy = Examples(train.features, train.targets, np.repeat(np.array([1, 9], np.float32), 40))
    even, tilted = (linear.fit(examples, other).head for examples in (train, heavy))
    second = [(head.logits(other.features[:, 0]).argmax(axis=1) == 1).mean() for head in (even, tilted)]
    assert second[1] > second[0] + 0.1


def test_targets_are_distributions():
    targets = linear.one_hot(np.array([2, 0]), 4, 3)
    assert targets.shape == (2, 3, 4)
    assert targets.sum(axis=-1) == pytest.approx(np.ones((2, 3)))
    assert targets[0, 1] == pytest.approx([0.025, 0.025, 0.925, 0.025])
