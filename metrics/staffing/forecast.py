"""Calls per quarter hour of days to come, from those of days past. Pure.

calls(day, quarter) = level x time of year x kind of day x profile(kind of day, quarter)

- The kind of day is the weekday, or a holiday, or a weekend that is worked. What a holiday does is learned
  from the holidays there were; until there were some it is a Sunday, and a worked weekend an average
  working day.
- The level is an average of the days' levels in which recent days count more and single wild ones little.
  After a step (a campaign, a line merged) only the days since it count.
- The trend is the slope of the last eight weeks, as far as it stands out from the noise, and it dies down.
- The time of year is last year's move of the level, as far as years were alike (``yearly.py``).
- The profile is how a day's calls fall on its quarter hours: a weekday's own as far as there are calls
  enough to tell, else that of all working days or all weekends.
- Hours in which almost nothing came though much was due (an outage, a cut line) are taken for not measured.

`bench/staff_forecast.py` holds it against the seasonal methods of statsmodels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hotline.core.staffing import TooLittleHistory
from hotline.metrics.staffing.calendar import Day, DayKind
from hotline.metrics.staffing.level import level_of
from hotline.metrics.staffing.profile import Profiles, measured, profiles_of
from hotline.metrics.staffing.yearly import season_of

QUARTERS: Final = 96
MIN_DAYS: Final = 14
KINDS: Final = 9  # the weekdays from Monday, holiday, worked weekend
HOLIDAY, MADE_UP, SUNDAY = 7, 8, 6
_PRIOR_DAYS: Final = 1.0  # a guess about holidays and worked weekends weighs as much as one such day
_ROUNDS: Final = 3

Floats = NDArray[np.float64]
Kinds = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class History:
    """Calls offered on days in a row without a gap: ``calls[day, quarter]``.

    Attributes:
        earlier: the days just before them, as whole days: ``earlier_calls[day]``; for the time of year.
    """

    days: Sequence[Day]
    calls: Floats
    earlier: Sequence[Day] = ()
    earlier_calls: Floats = field(default_factory=lambda: np.zeros(0))

    def until(self, count: int) -> History:
        """Its first days alone."""
        return replace(self, days=self.days[:count], calls=self.calls[:count])


def forecast(history: History, days: Sequence[Day]) -> Floats:
    """Calls expected on days after the history, by day and quarter hour.

    Raises:
        TooLittleHistory: to tell anything.
    """
    if len(history.days) < MIN_DAYS or not history.calls.any():
        hint = (
            f"at least {MIN_DAYS} days with calls are needed; import older ones with hotline queue-log import"
        )
        raise TooLittleHistory(f"{len(history.days)} days of calls are too few for a forecast", hint=hint)
    kinds = _kinds(history.days)
    seen = measured(history.calls, kinds)
    effects = np.zeros(KINDS)
    for _ in range(_ROUNDS):
        profiles = profiles_of(history.calls, kinds, seen, effects)
        totals = _day_totals(history.calls, kinds, seen, profiles)
        effects = _effects(totals, kinds, effects)
    levels = np.log(totals) - effects[kinds]
    came = np.where(history.earlier_calls > 0, history.earlier_calls, np.nan)  # a day without: not measured
    before = np.log(came) - effects[_kinds(history.earlier)]
    level, season = level_of(levels), season_of(np.concatenate([before, levels]))
    expected = []
    for one in days:
        ahead, kind = (one.day - history.days[-1].day).days, _kind(one)
        calls = np.exp(level.at(ahead) + season.shift(ahead) + effects[kind])
        expected.append(calls * profiles.of(kind))
    return np.array(expected)


def _kind(one: Day) -> int:
    special = {DayKind.HOLIDAY: HOLIDAY, DayKind.MADE_UP: MADE_UP}
    return special.get(one.kind, one.day.weekday())


def _kinds(days: Sequence[Day]) -> Kinds:
    return np.array([_kind(one) for one in days], dtype=np.intp)


def _day_totals(calls: Floats, kinds: Kinds, seen: NDArray[np.bool_], profiles: Profiles) -> Floats:
    """Calls of each whole day, from the quarters that were measured; NaN where hardly any was."""
    shares = np.array([profiles.of(int(kind)) for kind in kinds])
    known = np.where(seen, shares, 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        totals = np.where(seen, calls, 0).sum(axis=1) / known
    return np.where(known > 0.3, np.maximum(totals, 0.5), np.nan)  # 0.5: the logarithm of a day without calls


def _effects(totals: Floats, kinds: Kinds, before: Floats) -> Floats:
    """What each kind of day does to the logarithm of its calls, beside the level around it."""
    logs = np.log(totals)
    beside = logs - _around(logs - before[kinds])
    effects = np.zeros(KINDS)
    known = ~np.isnan(beside)
    everyday = known & (kinds < HOLIDAY)
    for weekday in range(HOLIDAY):
        mine = beside[everyday & (kinds == weekday)]
        effects[weekday] = np.median(mine) if mine.size else 0.0
    effects[:HOLIDAY] -= effects[:HOLIDAY].mean()
    for kind, guess in ((HOLIDAY, effects[SUNDAY]), (MADE_UP, effects[:5].mean())):
        mine = beside[known & (kinds == kind)]
        effects[kind] = (_PRIOR_DAYS * guess + mine.sum()) / (_PRIOR_DAYS + mine.size)
    return effects


def _around(levels: Floats, days: int = 10) -> Floats:
    """The median of the days around each: follows steps, and no single day."""
    padded = np.pad(levels, days, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * days + 1)
    some = ~np.isnan(windows).all(axis=1)
    result = np.full(len(levels), np.nan)
    result[some] = np.nanmedian(windows[some], axis=1)
    return result
