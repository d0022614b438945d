"""How wrong forecasts of past weeks would have been, beside the same days of the week before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hotline.metrics.staffing.calendar import Day
from hotline.metrics.staffing.forecast import MIN_DAYS, History, forecast

WEEK: Final = 7
WEEKS: Final = 8
Floats = NDArray[np.float64]
Method = Callable[[History, Sequence[Day]], Floats]


@dataclass(frozen=True, slots=True)
class Errors:
    """Of quarter hours and of whole days, as shares of the calls that came.

    Attributes:
        wape: the differences without their sign, summed, over the calls: 0.1 is 10 % off.
        bias: the differences summed, over the calls: above 0 too many were expected.
        day_wape: like wape, of the sums of days.
    """

    wape: float
    bias: float
    day_wape: float


@dataclass(frozen=True, slots=True)
class Backtest:
    """Errors over ``weeks`` past weeks, each from the days before it; ``naive``: as the week before."""

    weeks: int
    ours: Errors
    naive: Errors


def backtest(history: History, weeks: int = WEEKS) -> Backtest | None:
    """Forecast each of the last weeks from the days before; None if there are not enough of them."""
    pieces = list(past_weeks(history, weeks))
    if not pieces:
        return None
    truth = np.concatenate([came for _, _, came in pieces])
    ours = np.concatenate([forecast(before, days) for before, days, _ in pieces])
    as_before = np.concatenate([naive(before, days) for before, days, _ in pieces])
    if not truth.any():
        return None
    return Backtest(len(pieces), errors(truth, ours), errors(truth, as_before))


def past_weeks(history: History, weeks: int) -> Iterator[tuple[History, Sequence[Day], Floats]]:
    """The days before a week, the week's days, and the calls that came; the oldest week first."""
    for back in range(weeks, 0, -1):
        start = len(history.days) - WEEK * back
        before = history.until(max(0, start))
        if start >= 2 * MIN_DAYS and before.calls.any():
            yield before, history.days[start : start + WEEK], history.calls[start : start + WEEK]


def naive(history: History, days: Sequence[Day]) -> Floats:
    """The calls of the same weekday a week before."""
    return np.asarray(history.calls[-WEEK:][: len(days)])


def errors(truth: Floats, expected: Floats) -> Errors:
    """How far what was expected is from what came."""
    calls = float(truth.sum())
    difference = expected - truth
    return Errors(
        wape=float(np.abs(difference).sum()) / calls,
        bias=float(difference.sum()) / calls,
        day_wape=float(np.abs(difference.sum(axis=1)).sum()) / calls,
    )
