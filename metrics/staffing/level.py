"""The level of a series of days: where it stands, and where it goes. Pure.

Levels are logarithms of a day's calls without what the kind of day does; NaN where a day was not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALF_LIFE_DAYS: Final = 5.0
TREND_DAYS: Final = 56
SHIFT_DAYS: Final = range(3, 64)  # how long ago a step may lie
BEFORE_DAYS: Final = 28  # what a step is measured against
_SURE: Final = 5.0  # standard errors that make a step
_STEP: Final = 0.05  # the smallest step worth a new start, as a logarithm
_DAMPING: Final = 0.96  # of the trend, each day


@dataclass(frozen=True, slots=True)
class Level:
    """The newest level and its slope per day, which dies down."""

    value: float
    slope: float = 0.0

    def at(self, ahead_days: int) -> float:
        """The level so many days after the last one."""
        return self.value + self.slope * (1 - _DAMPING**ahead_days) / (1 - _DAMPING)


def level_of(levels: Floats) -> Level:
    """Where a series stands and goes."""
    levels = _calm(levels)
    start, flat = 0, levels - _drift(levels) * np.arange(len(levels))
    while step := _last_step(flat[start:]):
        start += step
    since = levels[start:]
    slope = _slope(since[-TREND_DAYS:])
    return Level(_faded_mean(since, slope), slope)


def _calm(levels: Floats) -> Floats:
    """Wild days (a storm, a broken main) cut down to three standard deviations from those around them."""
    known = np.flatnonzero(~np.isnan(levels))
    values = levels[known]
    padded = np.pad(values, 3, mode="reflect" if len(values) > 3 else "edge")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 7), axis=1)
    bound = 3 * 1.4826 * float(np.median(np.abs(values - middle))) + 1e-9
    result = levels.copy()
    result[known] = np.clip(values, middle - bound, middle + bound)
    result[-2:] += (levels[-2:] - result[-2:]) / 2  # as likely the beginning of a new level as a storm
    return result


def _noise(levels: Floats) -> float:
    """The standard deviation of one day, from the differences of days that follow one another."""
    steps = np.diff(levels[~np.isnan(levels)])
    return 1.4826 * float(np.median(np.abs(steps))) / np.sqrt(2) + 1e-9 if steps.size else 1e-9


def _drift(levels: Floats) -> float:
    """The slope per day of most weeks: growth that is no step, and that no step changes."""
    weekly = levels[7:] - levels[:-7]
    known = weekly[~np.isnan(weekly)][-TREND_DAYS:]
    return float(np.median(known)) / 7 if known.size else 0.0


def _last_step(levels: Floats) -> int:
    """The first day after the clearest step of the last weeks; 0 if there is none."""
    noise, best, found = _noise(levels[-120:]), _SURE, 0
    for days in SHIFT_DAYS:
        start = len(levels) - days
        after, before = levels[max(start, 0) :], levels[max(0, start - BEFORE_DAYS) : max(start, 0)]
        after, before = after[~np.isnan(after)], before[~np.isnan(before)]
        if after.size < 3 or before.size < 7:
            continue
        newest = np.sort(after[-3:] - before.mean())
        if newest[0] * newest[-1] <= 0 or np.abs(newest).min() < 0.5 * np.abs(newest).max():
            continue  # a storm of two days is over on the third
        step = abs(float(after.mean() - before.mean()))
        sure = step / (noise * np.sqrt(1 / after.size + 1 / before.size))
        if step > _STEP and sure > best:
            best, found = sure, start
    return found


def _faded_mean(levels: Floats, slope: float) -> float:
    """The mean of the levels as they would be today, older days counting ever less."""
    age = np.arange(len(levels) - 1, -1, -1.0)
    weight = np.where(np.isnan(levels), 0, 0.5 ** (age / HALF_LIFE_DAYS))
    today = np.where(np.isnan(levels), 0, levels + slope * np.minimum(age, 14))
    return float((weight * today).sum() / weight.sum()) if weight.sum() else 0.0


def _slope(levels: Floats) -> float:
    """The slope per day, as far as it stands out from the noise; 0 for less than four weeks."""
    known = np.flatnonzero(~np.isnan(levels))
    if known.size < 28:
        return 0.0
    days, values = known - known.mean(), levels[known]
    slope = float((days * values).sum() / (days**2).sum())
    left = values - values.mean() - slope * days
    error = float(np.sqrt((left**2).sum() / (known.size - 2) / (days**2).sum())) + 1e-12
    sure = (slope / error) ** 2
    return slope * sure / (sure + 9)
