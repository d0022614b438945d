"""How a day's calls fall on its quarter hours, by kind of day. Pure.

Kinds are numbers: 0 to 6 the weekdays from Monday, 7 a holiday, 8 a weekend that is worked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kinds = NDArray[np.intp]
Seen = NDArray[np.bool_]

_HALF_LIFE_DAYS: Final = 42.0
_PRIOR_CALLS: Final = 150.0  # so many calls of a quarter hour make a weekday's own share half of what is used
_HOUR: Final = 4  # quarters
_DUE_CALLS: Final = 12.0  # an hour with fewer is too quiet to tell an outage
_OUTAGE: Final = 0.2  # less than this share of what was due
_NEW_LEVEL_DAYS: Final = 3  # more such days in a row are no outage but how it is now
_WORKING, _WEEKEND, _ALL = (0, 1, 2, 3, 4, 8), (5, 6, 7), tuple(range(9))


@dataclass(frozen=True, slots=True)
class Profiles:
    """Shares of a day's calls by kind and quarter hour; each row sums to 1."""

    shares: Floats

    def of(self, kind: int) -> Floats:
        """The shares of one kind of day."""
        return np.asarray(self.shares[kind])


def measured(calls: Floats, kinds: Kinds) -> Seen:
    """Which quarter hours count: not those of hours in which almost nothing came though much was due."""
    hours = calls.reshape(len(calls), -1, _HOUR).sum(axis=2)
    due = np.zeros_like(hours)
    for kind in range(7):
        mine = kinds == kind
        if mine.any():
            due[mine] = np.median(hours[mine], axis=0)
    out = (due >= _DUE_CALLS) & (hours < _OUTAGE * due)  # of holidays nothing is due
    out &= ~_lasting(out.sum(axis=1) > 12)[:, None]
    return np.repeat(~out, _HOUR, axis=1)


def _lasting(days: Seen) -> Seen:
    """The days of runs that are too long for an outage."""
    result = np.zeros_like(days)
    start = None
    for day, flagged in enumerate([*days, False]):
        if flagged and start is None:
            start = day
        if not flagged and start is not None:
            result[start:day] = day - start > _NEW_LEVEL_DAYS
            start = None
    return result


def profiles_of(calls: Floats, kinds: Kinds, seen: Seen, effects: Floats) -> Profiles:
    """The shares of every kind: its own as far as its calls tell, else those of the days most like it."""
    age = np.arange(len(calls) - 1, -1, -1.0)
    weight = (0.5 ** (age / _HALF_LIFE_DAYS))[:, None] * seen
    totals = np.where(seen.mean(axis=1) > 0.5, calls.sum(axis=1), 0)[:, None]
    came, due = weight * calls, weight * totals
    whole = _smooth(came.sum(axis=0) / np.maximum(due.sum(axis=0), 1), float(came.sum() / calls.shape[1]))
    shares = np.zeros((len(_ALL), calls.shape[1]))
    for group in (_WORKING, _WEEKEND):
        like = _shares(came, due, np.isin(kinds, group), whole)
        for kind in group:
            own = _shares(came, due, kinds == kind, like)
            shares[kind] = own / own.sum()
    return Profiles(shares)


def _shares(came: Floats, due: Floats, days: Seen, like: Floats) -> Floats:
    """Calls over the calls of their days, pulled towards ``like`` where there are few of them."""
    prior = _PRIOR_CALLS / np.maximum(like, 1e-6)
    return np.asarray((came[days].sum(axis=0) + prior * like) / (due[days].sum(axis=0) + prior))


def _smooth(shares: Floats, calls: float) -> Floats:
    """Neighbouring quarters shared out, the more the fewer calls each has."""
    passes = int(np.clip(20 / (calls + 1), 0, 8))
    for _ in range(passes):
        shares = (np.roll(shares, 1) + 2 * shares + np.roll(shares, -1)) / 4
    return np.asarray(shares / shares.sum())
