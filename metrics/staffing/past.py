"""Counts of quarter hours as a history: calls by day, handling time by hour, patience. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from hotline.metrics.staffing.calendar import day_of
from hotline.metrics.staffing.forecast import MIN_DAYS, QUARTERS, Floats, History
from hotline.store.counts import COUNT

COUNTS: Final = tuple(
    COUNT[name]
    for name in ("offered", "talked", "talk_ms", "wrap_up_ms", "abandoned", "wait_ms", "abandoned_wait_ms")
)
RECENT_DAYS: Final = 28
MIN_GAVE_UP: Final = 20  # fewer tell nothing of patience
_PRIOR_CALLS: Final = 50.0  # of the mean handling time, in each hour: few calls of an hour tell little


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a line.

    Attributes:
        aht_seconds: talk and wrap-up over calls whose talk is over, by hour of the day; None without one.
        patience_seconds: mean time until callers give up: the waits of the answered and the abandoned over
            the number of the abandoned, its likeliest value where patience is exponential. Short abandons,
            which are no matter of patience, are left out. None where hardly anybody gave up.
    """

    history: History
    aht_seconds: tuple[float, ...] | None
    patience_seconds: float | None


def past_of(
    starts: Sequence[datetime], sums: Sequence[Mapping[str, int]], earlier: Sequence[int] = ()
) -> Past:
    """Put counts of quarter hours into days of their zone, from the first with calls to the last.

    The very first day is left out where there are more than enough: it rarely is a whole one.

    Args:
        starts: the beginnings of all quarter hours of days in a row, in the site's zone.
        sums: the sums of `COUNTS` of each.
        earlier: the calls offered on each of the days just before them.
    """
    first = next((at.date() for at, one in zip(starts, sums, strict=True) if one.get("offered")), None)
    if first is None:
        return Past(History((), np.zeros((0, QUARTERS))), None, None)
    last = starts[-1].date()
    calls = np.zeros(((last - first).days + 1, QUARTERS))
    recent = last - timedelta(days=RECENT_DAYS)
    talked, handled_ms = np.zeros(24), np.zeros(24)
    waited_ms = gave_up = 0
    for at, one in zip(starts, sums, strict=True):
        if not one or at.date() < first:
            continue
        calls[(at.date() - first).days, at.hour * 4 + at.minute // 15] += one.get("offered", 0)
        if at.date() > recent:
            talked[at.hour] += one.get("talked", 0)
            handled_ms[at.hour] += one.get("talk_ms", 0) + one.get("wrap_up_ms", 0)
            waited_ms += one.get("wait_ms", 0) + one.get("abandoned_wait_ms", 0)
            gave_up += one.get("abandoned", 0)
    known = _since_first(earlier) if first == starts[0].date() else []
    skip = 1 if len(calls) > MIN_DAYS and not known else 0
    days = tuple(day_of(first + timedelta(days=number)) for number in range(skip, len(calls)))
    patience = waited_ms / gave_up / 1000 if gave_up >= MIN_GAVE_UP and waited_ms else None
    before = tuple(day_of(first - timedelta(days=number)) for number in range(len(known), 0, -1))
    return Past(
        History(days, calls[skip:], before, np.array(known, dtype=np.float64)),
        _aht(talked, handled_ms),
        patience,
    )


def _since_first(calls: Sequence[int]) -> list[int]:
    """The days after the first with calls, which rarely is a whole one."""
    first = next((number for number, one in enumerate(calls) if one), len(calls))
    return list(calls[first + 1 :])


def _aht(talked: Floats, handled_ms: Floats) -> tuple[float, ...] | None:
    if not talked.sum() or not handled_ms.sum():
        return None
    mean = handled_ms.sum() / talked.sum()
    hours = (handled_ms + _PRIOR_CALLS * mean) / (talked + _PRIOR_CALLS) / 1000
    return tuple(float(seconds) for seconds in hours)
