"""Intervals of shares, and the exact test of paired answers; both follow from the binomial distribution."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

CONFIDENCE: Final = 0.95
Z95: Final = 1.959963984540054  # the normal distribution's 97.5 % point
# Halvings of 0..1 that reach the precision of a double.
_HALVINGS: Final = 60


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Compute the Wilson score interval of a share (E. B. Wilson, 1927).

    Unlike the textbook's p ± z·sqrt(p·(1-p)/n) it stays within 0..1 and holds its level near both ends and for small n.

    Returns:
        Bounds of the share; 95 % for the default `z`.
    """
    _check(successes, n)
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # With none or all right one bound is the share itself, which rounding would miss by an ulp.
    return max(0.0, min(share, (centre - half) / scale)), min(1.0, max(share, (centre + half) / scale))


def clopper_pearson(successes: int, n: int) -> tuple[float, float]:
    """Compute the exact 95 % interval of a share (Clopper and Pearson, Biometrika 26, 1934).

    It contains a share if and only if the two-sided test with twice the smaller tail does not reject that share.
    """
    _check(successes, n)
    return _lower_bound(successes, n), 1 - _lower_bound(n - successes, n)


def mcnemar(gained: int, lost: int) -> float:
    """Compute the two-sided p-value of McNemar's test, exactly (McNemar, Psychometrika 12, 1947).

    If two models are equally good, each picture that only one of them has right is as likely to be of either. The
    p-value is twice the smaller tail of that binomial distribution, at most 1.

    Args:
        gained: Number of pictures that only the second model has right.
        lost: Number of pictures that only the first model has right.
    """
    n, fewer = gained + lost, min(gained, lost)
    term = total = 1
    for index in range(fewer):
        term = term * (n - index) // (index + 1)
        total += term
    p_value: float = 2 * total / 2**n
    return min(1.0, p_value)


def _lower_bound(successes: int, n: int) -> float:
    """Find the share at which `successes` or more have a probability of 2.5 %."""
    if successes == 0:
        return 0.0
    counts = np.arange(successes, n + 1)
    log_choose = math.lgamma(n + 1) - np.array(
        [math.lgamma(count + 1) + math.lgamma(n - count + 1) for count in counts.tolist()]
    )
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        logs = log_choose + counts * math.log(share) + (n - counts) * math.log1p(-share)
        low, high = (low, share) if np.exp(logs).sum() > (1 - CONFIDENCE) / 2 else (share, high)
    return (low + high) / 2


def _check(successes: int, n: int) -> None:
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} successes of {n}")
