"""A precision has its own colour; others get one after the other."""

import pytest

from mobilenet_edge.report.html import palette

GROUNDS = {"light": "#ffffff", "dark": "#1b1f23"}


def luminance(colour):
    """Relative luminance as WCAG 2.2 defines it."""
    parts = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", palette.COLOURS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_graphics_stand_out_from_their_ground(colour, ground):
    # WCAG 2.2, 1.4.11: graphical objects have a contrast of at least 3 to 1.
    one, other = sorted((luminance(getattr(colour, ground)), luminance(GROUNDS[ground])), reverse=True)
    assert (one + 0.05) / (other + 0.05) >= 3


def test_precisions_keep_their_colours():
    assert palette.assign(["int8"])["int8"] == palette.assign(["float32", "int8"])["int8"]


def test_other_values_get_one_after_the_other_and_begin_again():
    values = [f"device {index}" for index in range(7)]
    given = palette.assign(values)
    assert [given[each] for each in values] == [*palette.COLOURS, palette.COLOURS[0]]
