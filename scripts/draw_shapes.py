"""Draw eight classes of shapes with clutter and noise, as class folders for `make demo-train`.

A picture has five to nine shapes of one class, of random place, size and colour, with lines and blobs around and over
them. Some classes are alike on purpose (circle and hexagon, star and gear), so that small models err. The same seed
draws the same pixels.

    python scripts/draw_shapes.py results/shapes --count 90
"""

from __future__ import annotations

import argparse
import io
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mobilenet_edge import files

SIDE = 112
# Shapes are drawn larger and scaled down, since Pillow draws no smooth edges.
FINENESS = 3
Points = list[tuple[float, float]]
Colour = tuple[int, int, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=90, help="pictures of each class")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in SHAPES:
        for number in range(options.count):
            data = io.BytesIO()
            draw(name, random.Random(f"{options.seed} {name} {number}")).save(data, "PNG")
            files.write_bytes(options.out / name / f"{number:03}.png", data.getvalue())
    print(f"{options.count * len(SHAPES)} pictures of {len(SHAPES)} classes in {options.out}")


def draw(name: str, generator: random.Random) -> Image.Image:
    """Draw one picture of shapes of a class, RGB, `SIDE` pixels wide and high."""
    image = _gradient(generator).resize((SIDE * FINENESS,) * 2)
    pen = ImageDraw.Draw(image)
    for _ in range(generator.randint(3, 7)):
        _clutter(pen, generator)
    for _ in range(generator.randint(5, 9)):
        radius = generator.uniform(0.09, 0.17) * image.width
        x, y = (generator.uniform(radius, image.width - radius) for _ in range(2))
        turn, squeeze = generator.uniform(-0.25, 0.25), generator.uniform(0.8, 1)
        outline = [_placed(point, x, y, radius, turn, squeeze) for point in SHAPES[name]()]
        pen.polygon(outline, fill=_light(generator))
    for _ in range(generator.randint(1, 3)):
        _clutter(pen, generator)
    image = image.resize((SIDE, SIDE), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(generator.uniform(0, 1)))
    noise = np.random.default_rng(generator.getrandbits(32)).normal(0, generator.uniform(5, 25), (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def _regular(corners: int) -> Points:
    return [(math.cos(2 * math.pi * i / corners), math.sin(2 * math.pi * i / corners)) for i in range(corners)]


def _spiked(spikes: int, inner: float) -> Points:
    return [
        (x * (inner if index % 2 else 1), y * (inner if index % 2 else 1))
        for index, (x, y) in enumerate(_regular(2 * spikes))
    ]


def _cross() -> Points:
    a, b = 0.33, 0.94
    return [(a, a), (b, a), (b, -a), (a, -a), (a, -b), (-a, -b), (-a, -a), (-b, -a), (-b, a), (-a, a), (-a, b), (a, b)]


def _crescent() -> Points:
    outer = [(math.cos(t), math.sin(t)) for t in np.linspace(0.6, 2 * math.pi - 0.6, 40)]
    inner = [(0.45 + 0.68 * math.cos(t), 0.68 * math.sin(t)) for t in np.linspace(2 * math.pi - 0.97, 0.97, 40)]
    return outer + inner


def _heart() -> Points:
    turns = np.linspace(0, 2 * math.pi, 60)
    return [
        (math.sin(t) ** 3, -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 17)
        for t in turns
    ]


SHAPES: dict[str, Callable[[], Points]] = {
    "circle": lambda: _regular(60),
    "crescent": _crescent,
    "cross": _cross,
    "gear": lambda: _spiked(9, 0.72),
    "heart": _heart,
    "hexagon": lambda: _regular(6),
    "star": lambda: _spiked(5, 0.45),
    "triangle": lambda: _regular(3),
}


def _placed(
    point: tuple[float, float], x: float, y: float, radius: float, turn: float, squeeze: float
) -> tuple[float, float]:
    across, down = point[0] * radius, point[1] * radius * squeeze
    return (
        x + across * math.cos(turn) - down * math.sin(turn),
        y + across * math.sin(turn) + down * math.cos(turn),
    )


def _gradient(generator: random.Random) -> Image.Image:
    """Four corners of random colours, for Pillow to blend."""
    pixels = [[_colour(generator) for _ in range(2)] for _ in range(2)]
    return Image.fromarray(np.array(pixels, np.uint8)).resize((16, 16), Image.Resampling.BICUBIC)


def _clutter(pen: ImageDraw.ImageDraw, generator: random.Random) -> None:
    """Draw a line or a small blob."""
    side = SIDE * FINENESS
    x, y = (generator.uniform(0, side) for _ in range(2))
    if generator.random() < 0.5:
        end = tuple(generator.uniform(0, side) for _ in range(2))
        pen.line([(x, y), end], fill=_colour(generator), width=generator.randint(2, 12))
    else:
        across, down = (generator.uniform(0.02, 0.08) * side for _ in range(2))
        pen.ellipse([x - across, y - down, x + across, y + down], fill=_colour(generator))


def _colour(generator: random.Random) -> Colour:
    """Draw a dark colour, of background and clutter."""
    return generator.randint(0, 110), generator.randint(0, 110), generator.randint(0, 110)


def _light(generator: random.Random) -> Colour:
    """Draw a light colour, of a shape."""
    return generator.randint(150, 255), generator.randint(150, 255), generator.randint(150, 255)


if __name__ == "__main__":
    main()
