"""The profile: aggregate figures of the real data, which the generated data follow."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lakehouse.errors import LakehouseError

# The probabilities at which every curve of the profile has a value.
PROBABILITIES = (0, 0.005, 0.01, 0.05, *(round(0.1 * k, 1) for k in range(1, 10)), 0.95, 0.99, 0.995, 1)
_GRID = np.array(PROBABILITIES)


class ProfileError(LakehouseError):
    """Raised when the profile is missing or lacks a figure."""


@dataclass(frozen=True)
class Profile:
    """Shares (value -> fraction, summing to 1) and curves (values at `PROBABILITIES`), by name."""

    figures: dict[str, Any]

    def rate(self, name: str) -> float:
        """A single fraction or mean."""
        return float(self._figure("rates", name))

    def values(self, name: str) -> list[str]:
        """The values of the shares *name*, in their fixed order."""
        return list(self._figure("shares", name))

    def weights(self, name: str) -> np.ndarray:
        """The fractions of the shares *name*, summing to 1."""
        weights = np.array(list(self._figure("shares", name).values()), dtype=np.float64)
        return weights / weights.sum()

    def pick(self, name: str, chance: np.ndarray) -> np.ndarray:
        """Positions in `values(name)`, one for each number of *chance* in [0, 1)."""
        edges = np.cumsum(self.weights(name))
        return np.minimum(np.searchsorted(edges, chance, side="right"), len(edges) - 1)

    def pick_number(self, name: str, chance: np.ndarray) -> np.ndarray:
        """Like `pick`, for shares whose values are whole numbers."""
        return np.array([int(value) for value in self.values(name)], dtype=np.int64)[self.pick(name, chance)]

    def draw(self, name: str, chance: np.ndarray) -> np.ndarray:
        """Values of the curve *name* at the probabilities *chance*."""
        return np.interp(chance, _GRID, np.array(self._figure("curves", name), dtype=np.float64))

    def draw_by_category(self, name: str, category: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Values of the curve of each row's *category* (a position in `categories`)."""
        curves = self._category_curves[name]
        right = np.clip(np.searchsorted(_GRID, chance, side="right"), 1, len(_GRID) - 1)
        left = right - 1
        part = (chance - _GRID[left]) / (_GRID[right] - _GRID[left])
        return curves[category, left] * (1 - part) + curves[category, right] * part

    @property
    def categories(self) -> list[str]:
        """Product categories; the empty text stands for a product without one."""
        return self.values("category")

    @property
    def regions(self) -> list[dict[str, Any]]:
        """One entry per (state, first two digits of the zip prefix), with mean position, spread and shares."""
        regions: list[dict[str, Any]] = self._figure("regions")
        return regions

    def _figure(self, *names: str) -> Any:
        figure = self.figures
        for name in names:
            if name not in figure:
                raise ProfileError(
                    f"Generator profile: found no figure `{'.'.join(names)}`, expected one. "
                    "Measure the profile again with python -m lakehouse.generator.measure.",
                    figure=".".join(names),
                )
            figure = figure[name]
        return figure

    @cached_property
    def _category_curves(self) -> dict[str, np.ndarray]:
        by_category = self._figure("category_curves")
        return {
            name: np.array([curves.get(category, curves["*"]) for category in self.categories], dtype=np.float64)
            for name, curves in by_category.items()
        }


def load_profile(config: Path) -> Profile:
    """The profile in the folder *config*.

    Raises:
        ProfileError: the file does not exist.
    """
    path = config / "generator" / "profile.json"
    if not path.is_file():
        raise ProfileError(f"`{path}`: found no file, expected the generator's profile. Restore it.", file=str(path))
    return Profile(json.loads(path.read_text(encoding="utf-8")))
