"""Draws from the distributions that `wfcommons` fitted to run times.

The package draws with scipy; these are the same distributions, by their definitions, from the standard library. Their
names and parameters are scipy's: shapes, then location, then scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

# What the package takes for the shortest: a tenth of the longest.
SMALLEST_SHARE = 0.1


def argus(random: Random, chi: float) -> float:
    """Density ~ x sqrt(1 - x²) exp(-chi² (1 - x²) / 2), by rejection on y = 1 - x²."""
    while True:
        y = random.random() ** (2 / 3)
        if random.random() < math.exp(-chi * chi * y / 2):
            return math.sqrt(1 - y)


def dweibull(random: Random, c: float) -> float:
    """A Weibull distribution and its mirror image."""
    value = random.weibullvariate(1, c)
    return value if random.random() < 0.5 else -value


def rdist(random: Random, c: float) -> float:
    """Density ~ (1 - x²)^(c/2 - 1) between -1 and 1."""
    return 2 * random.betavariate(c / 2, c / 2) - 1


def trapezoid(random: Random, c: float, d: float) -> float:
    """Rises from 0 to c, is flat to d, falls to 1; the inverse of its distribution function."""
    height = 2 / (1 - c + d)
    share = random.random()
    if share < height * c / 2:
        return math.sqrt(2 * share * c / height)
    if share <= 1 - height * (1 - d) / 2:
        return share / height + c / 2
    return 1 - math.sqrt(2 * (1 - share) * (1 - d) / height)


def norm(random: Random) -> float:
    return random.gauss(0, 1)


def beta(random: Random, a: float, b: float) -> float:
    return random.betavariate(a, b)


DRAW: dict[str, Callable[..., float]] = {
    function.__name__: function for function in (argus, beta, dweibull, norm, rdist, trapezoid)
}


@dataclass(frozen=True)
class Distribution:
    """A fitted distribution of seconds; without a name, always the shortest that was seen."""

    name: str | None
    shapes: tuple[float, ...]
    location: float
    scale: float
    shortest: float
    longest: float

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Distribution:
        fitted = facts["distribution"]
        if not fitted or fitted == "None":
            return cls(None, (), 0, 1, facts["min"], facts["max"])
        if fitted["name"] not in DRAW:
            raise ValueError(f"cannot draw from `{fitted['name']}`; known are {', '.join(DRAW)}")
        *shapes, location, scale = fitted["params"]
        return cls(fitted["name"], tuple(shapes), location, scale, facts["min"], facts["max"])

    def draw(self, random: Random) -> float:
        """Seconds, drawn as `wfcommons.utils.generate_rvs` does."""
        if self.name is None:
            return self.shortest
        share = DRAW[self.name](random, *self.shapes) * self.scale + self.location
        return max(SMALLEST_SHARE, share) * self.longest
