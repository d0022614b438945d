"""What the time of year does: how the level moved a year ago, as far as years have been alike. Pure.

Heating in November, enrolment in July: last year's move from one month to the next tells this year's, if such
moves have told it before. How far they have is measured: the moves of four weeks of the last year are
compared with those of the year before it, and a likeness that its own error explains counts for nothing.
A year is 52 weeks, so that weekdays stay. Festivals of the moon's calendar are left to the kinds of days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

YEAR_DAYS: Final = 364
WEEK: Final = 7
MONTH_DAYS: Final = 28
MIN_MOVES: Final = 8  # of weeks that can be compared; fewer tell nothing
_OVERLAP: Final = 2.0  # moves of four weeks share three with the next: their error is twice as large
_DOUBT: Final = 4.0  # a likeness of two standard errors counts half
_MOST: Final = 0.7  # a move beyond it, as a logarithm, is no season

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Season:
    """Weekly means of the levels (``weeks[day]`` ends with ``day``), and how far last year tells this."""

    weeks: Floats
    likeness: float = 0.0

    def shift(self, ahead_days: int) -> float:
        """What to add to the level so many days after the last one."""
        if not self.likeness:
            return 0.0
        last = len(self.weeks) - 1 - YEAR_DAYS
        then = last + (ahead_days - 1) % YEAR_DAYS + 1 + WEEK // 2  # its week lies around the day
        move = self.weeks[min(then, len(self.weeks) - 1)] - self.weeks[last]
        return self.likeness * float(np.clip(np.nan_to_num(move), -_MOST, _MOST))


def season_of(levels: Floats) -> Season:
    """What the levels of days in a row tell of the year; nothing for less than fifteen months."""
    known = np.isfinite(levels)
    count = np.convolve(known, np.ones(WEEK))[: len(levels)]
    summed = np.convolve(np.where(known, levels, 0), np.ones(WEEK))[: len(levels)]
    weeks = np.where(count >= 3, summed / np.maximum(count, 1), np.nan)
    ends = np.arange(len(levels) - 1, max(len(levels) - YEAR_DAYS, YEAR_DAYS + MONTH_DAYS + WEEK), -WEEK)
    now, ago = weeks[ends] - weeks[ends - MONTH_DAYS], weeks[ends - YEAR_DAYS]
    then = ago - weeks[ends - YEAR_DAYS - MONTH_DAYS]
    both = np.isfinite(now) & np.isfinite(then)
    if both.sum() < MIN_MOVES:
        return Season(weeks)
    return Season(weeks, _likeness(np.clip(then[both], -_MOST, _MOST), np.clip(now[both], -_MOST, _MOST)))


def _likeness(then: Floats, now: Floats) -> float:
    """The slope of this year's moves over last year's, from 0 to 1, less what its error leaves in doubt."""
    power = float((then**2).sum()) + 1e-9
    slope = float((then * now).sum()) / power
    if slope <= 0:
        return 0.0
    error = _OVERLAP * np.sqrt(float(((now - slope * then) ** 2).sum()) / (len(then) - 1) / power) + 1e-9
    sure = (slope / error) ** 2
    return min(slope * float(sure / (sure + _DOUBT)), 1.0)
