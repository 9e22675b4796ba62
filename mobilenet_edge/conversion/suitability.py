"""Judge calibration pictures: how many they are, how different, and how like those that the model was trained on.

The likeness is, in each layer, the median channel's Kullback-Leibler divergence of activations from the batch norm's
statistics, in nats, and of the layers the ninth decile. What it was measured to be (0.25/224 of ImageNet for pixels of
-1..1, and MLPerf Tiny's vww_96 of COCO for 0..1):

    pictures                               0.25/224       vww_96
    30 photographs                         .02            .07
    20 of a few kinds of animals           .05            .22
    3 photographs; one copied              .12; .22       .23; .28
    red and blue swapped; grey             .05; .05       .06; .08
    half as bright                         .60            .15
    smooth noise; white noise              .34; .62       .46; 1.2
    0..1 for -1..1, or the other way round .64            1.5

Statistics that contradict each other, as those of weights recovered from quantised models, are not used: behind a 1 x 1
convolution the mean must be what the batch norm before it predicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from mobilenet_edge.conversion import passes
from mobilenet_edge.conversion.samples import Samples
from mobilenet_edge.data.likeness import distinct
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.graph import Array
from mobilenet_edge.model.coherence import coherent
from mobilenet_edge.model.norm import Moments, divergence
from mobilenet_edge.model.read import Model
from mobilenet_edge.quantise.places import Places
from mobilenet_edge.records.remark import Remark

# Pictures from which on more of them gain nothing that could be measured: docs/quantisation.md.
ENOUGH: Final = 30
# Divergence from which on pictures are unlike those of training, chosen on the two models above.
UNLIKE: Final = 0.3
# Pictures and places of a layer, over all pictures, that a divergence is taken from.
_LOOKED_AT: Final = 30
_PLACES: Final = 4_000


def remarks(model: Model, samples: Samples, rule: Preprocess) -> Iterator[Remark]:
    """Yield what speaks against the pictures that a model is calibrated with; nothing of noise."""
    if samples.source != "images":
        return
    count = len(samples.images)
    different = distinct(samples.images, rule.range[1] - rule.range[0])
    if count < ENOUGH:
        yield Remark("few-calibration-images", count=count, enough=ENOUGH)
    if different < min(count, ENOUGH):
        yield Remark("alike-calibration-images", count=count, distinct=different)
    found = unlikeness(model, samples.images)
    if found is not None and found >= UNLIKE:
        yield Remark("unlike-training", divergence_nats=found, limit_nats=UNLIKE)


def unlikeness(model: Model, images: Array) -> float | None:
    """Measure how far activations on some images are from those that the batch norms saw in training.

    Args:
        model: The model.
        images: float32 (n, h, w, c), preprocessed.

    Returns:
        The layers' ninth decile of the median over their channels of the Kullback-Leibler divergence, in nats, of
        one normal distribution from the other. None where there are no statistics, or none of a training.
    """
    trained = statistics(model)
    if not coherent(model.graph, trained):
        return None
    images = images[:: -(-len(images) // _LOOKED_AT)]
    places = {name: Places.choose(model.graph[name], len(images), _PLACES) for name in trained}
    observed = passes.choose().observe(model.graph, images, places)
    medians = []
    for name, moments in trained.items():
        if moments.alive.any():
            pixels = observed[name].pixels.astype(np.float64)
            medians.append(np.median(divergence(pixels.mean(axis=0), pixels.var(axis=0), moments)))
    return float(np.quantile(medians, 0.9))


def statistics(model: Model) -> dict[str, Moments]:
    """Return the statistics of training of each node that a trained batch norm is folded into, by its name."""
    nodes = {node.name: node for node in model.graph.nodes}
    return {
        norm.node.name: norm.folded(nodes[norm.node.name])
        for norm in model.norms
        if norm.trained and norm.node.name in nodes
    }
