"""Infer how pixels were scaled in training from the first batch norm of a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import pixels as pixel_names
from mobilenet_edge.data.preprocess import Colour, Preprocess
from mobilenet_edge.graph.run import taps
from mobilenet_edge.model.norm import Norm, Wide

# Places of the first convolution that are looked at, over all pictures.
_PLACES: Final = 50_000
# Fewer pictures than these say too little of pixels, and of the order of colours.
LEAST: Final = 10
LEAST_FOR_COLOUR: Final = 30
# The right rule came to medians of .001 to .15 on ten photographs or more, others to .3 and more, and statistics that
# were drawn at random to .33 and more under the best.
_FITS: Final = 0.2
_CLEAR: Final = 4.0
# How far a stated rule must be off to be called wrong.
_WRONG: Final = 0.4
# BGR against RGB, by means: the right order was never the worse on 30 photographs, and 1.0 to 15 times the better.
_CLEAR_COLOUR: Final = 1.5
_WRONG_COLOUR: Final = 3.0
# Mean and deviation of the pixels of photographs. Pictures of mostly white, or of hardly any contrast, look under a
# wrong rule as photographs do under the right one.
_BRIGHTNESS: Final = (64.0, 192.0)
_CONTRAST: Final = 40.0
# Pixels from one to the next that these are taken from; all of a hundred pictures take half a second.
_SPARSE: Final = 4


@dataclass(frozen=True)
class Candidate:
    """A rule, and how unlike training the pictures are under it.

    Attributes:
        rule: Its `scale`, `offset` and `colour`.
        mean: Divergence in nats, mean over live channels.
        median: Likewise, the median, which one channel that differs does not move.
    """

    rule: Preprocess
    mean: float
    median: float

    @property
    def pixels(self) -> str:
        """As `--pixels` takes them."""
        return pixel_names.name(self.rule)


@dataclass(frozen=True)
class Inference:
    """What a first batch norm says of the pixels.

    Attributes:
        best: The likeliest rule where it is clearly so, else None.
        runner_up: The likeliest with other pixels.
        colour: Order of channels under the best rule, None where it is not clear.
        certainty: How many times further off the other order is.
        ranking: Every rule that was tried, the likeliest first.
    """

    best: Candidate | None
    runner_up: Candidate
    colour: Colour | None
    certainty: float
    ranking: tuple[Candidate, ...]

    def apply(self, rule: Preprocess) -> Preprocess:
        """Return a rule with what was assumed and is inferred put in."""
        if self.best is None:
            return rule
        colour = self.colour if self.colour and rule.of("colour") == "assumed" else None
        if colour is not None:
            if colour != rule.colour:
                rule = replace(rule, colour=colour, scale=rule.scale[::-1], offset=rule.offset[::-1])
            rule = rule.known("inferred", "colour")
        if rule.of("pixels") == "assumed":
            scale, offset = self.best.rule.scale, self.best.rule.offset
            turned = rule.colour != self.best.rule.colour
            rule = rule.with_pixels(*((scale[::-1], offset[::-1]) if turned else (scale, offset)), "inferred")
        return replace(rule, evidence=self.evidence())

    def evidence(self) -> str:
        """Say what it rests on."""
        if self.best is None:
            return ""
        return f"{self.best.median:.2g} nats off training, {self.runner_up.median:.2g} for {self.runner_up.pixels}"

    def objection(self, rule: Preprocess) -> str | None:
        """Name the better rule, as options, where a rule that somebody stated cannot be that of training."""
        best = self.best
        if best is None:
            return None
        used = next(each for each in self.ranking if _same(each.rule, rule))
        if used.pixels != best.pixels and used.median >= max(_WRONG, _CLEAR * best.median):
            better = f"--pixels {best.pixels}" + (f" --colour {self.colour}" if self.colour else "")
            return f"{better} ({used.median:.2g} nats off training, {best.median:.2g} with it)"
        if self.colour not in (None, rule.colour) and self.certainty >= _WRONG_COLOUR:
            return f"--colour {self.colour} (the other order is {self.certainty:.2g} times as far off training)"
        return None


def infer(norm: Norm, pixels: NDArray[np.uint8], rule: Preprocess) -> Inference | None:
    """Compare pictures under the usual rules, and under `rule`, with what the first batch norm saw in training.

    It abstains on statistics that no rule comes near, on fewer than ten pictures, and on pictures that are not like
    photographs in brightness or contrast; of the order of colours also on fewer than 30, and on those that are bluer
    than red. docs/models.md has what was measured.

    Args:
        norm: Of the convolution that reads the image.
        pixels: (n, height, width, channels) uint8, red, green, blue or grey.
        rule: The rule that would be used.

    Returns:
        None where the batch norm was never trained.
    """
    if not norm.trained:
        return None
    ranking = rank(norm, pixels, rule)
    likeliest = ranking[0]
    runner_up = next(each for each in ranking if each.pixels != likeliest.pixels)
    clear = likeliest.median <= _FITS and runner_up.median >= _CLEAR * likeliest.median
    if not clear or len(pixels) < LEAST or not _photographic(pixels):
        return Inference(None, runner_up, None, 1.0, tuple(ranking))
    orders = {each.rule.colour: each.mean for each in ranking if each.pixels == likeliest.pixels}
    if len(orders) < 2:
        return Inference(likeliest, runner_up, None, 1.0, tuple(ranking))
    (colour, least), (_, other) = sorted(orders.items(), key=lambda each: each[1])
    certainty = other / least
    red, _, blue = pixels[:, ::_SPARSE, ::_SPARSE].mean(axis=(0, 1, 2))
    sure = certainty >= _CLEAR_COLOUR and len(pixels) >= LEAST_FOR_COLOUR and red > blue
    return Inference(likeliest, runner_up, colour if sure else None, certainty, tuple(ranking))


def rank(norm: Norm, pixels: NDArray[np.uint8], rule: Preprocess) -> list[Candidate]:
    """Rank the usual rules and `rule` by how alike pictures and training are under each, the likeliest first.

    The convolution is linear, so the mean and covariance of the patches that it sees give its outputs under every rule.
    """
    mean, covariance = _patches(norm, pixels)
    found = []
    usual = list(_usual(pixels.shape[-1]))
    for candidate in usual if any(_same(each, rule) for each in usual) else [*usual, rule]:
        weight = _weight(norm, candidate)
        variance = np.einsum("io,ij,jo->o", weight, covariance, weight)
        divergence = norm.divergence(mean @ weight + norm.node.offset, variance)
        found.append(Candidate(candidate, float(divergence.mean()), float(np.median(divergence))))
    return sorted(found, key=lambda each: each.median)


def _same(one: Preprocess, other: Preprocess) -> bool:
    return one.colour == other.colour and np.allclose(
        (*one.scale, *one.offset), (*other.scale, *other.offset), rtol=1e-5, atol=1e-8
    )


def _photographic(pixels: NDArray[np.uint8]) -> bool:
    low, high = _BRIGHTNESS
    few = pixels[:, ::_SPARSE, ::_SPARSE]
    return bool(low <= few.mean() <= high and few.std() >= _CONTRAST)


def _usual(channels: int) -> Iterator[Preprocess]:
    orders: tuple[Colour, ...] = ("grey",) if channels == 1 else ("rgb", "bgr")
    for pixels in pixel_names.NAMED.values():
        for colour in orders if len(pixels.scale) <= channels else ():
            scale, offset = pixels.ordered(colour)
            yield Preprocess(colour=colour, scale=scale, offset=offset)


def _patches(norm: Norm, pixels: NDArray[np.uint8]) -> tuple[Wide, Wide]:
    """Mean and covariance of what a kernel sees: at each of its places the pixel, and 1 inside the picture."""
    node = replace(norm.node, shape=_shape(norm, pixels))
    x = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1)
    places = len(pixels) * node.shape[0] * node.shape[1]
    seen = taps(node, x, max(2, places // _PLACES)).transpose(1, 0, 2)
    rows = seen.reshape(len(seen), -1).astype(np.float64)
    mean = rows.mean(axis=0)
    rows -= mean
    return mean, rows.T @ rows / len(rows)


def _shape(norm: Norm, pixels: NDArray[np.uint8]) -> tuple[int, ...]:
    node = norm.node
    sides = (
        (side + sum(padding) - kernel) // node.stride + 1
        for side, padding, kernel in zip(pixels.shape[1:3], node.padding, node.kernel.shape[:2], strict=True)
    )
    return (*sides, node.kernel.shape[-1])


def _weight(norm: Norm, rule: Preprocess) -> Wide:
    """The kernel on raw patches: (places of the kernel * (channels + 1), out)."""
    kernel = norm.node.kernel.astype(np.float64)
    scaled = kernel * np.array(rule.scale)[:, None]
    if rule.colour == "bgr":
        scaled = scaled[:, :, ::-1]
    constant = np.einsum("hwco,c->hwo", kernel, np.array(rule.offset))[:, :, None]
    return np.concatenate([scaled, constant], axis=2).reshape(-1, kernel.shape[-1])
