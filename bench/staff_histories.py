"""Made-up years of a hotline: weekdays, holidays, growth, steps, storms, outages, and chance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from hotline.metrics.staffing.calendar import DayKind, day_of
from hotline.metrics.staffing.forecast import Floats, History

_WEEK = (1.12, 1.06, 1.02, 1.0, 0.97, 0.58, 0.5)  # Monday to Sunday


@dataclass(frozen=True, slots=True)
class World:
    """What happens in a made-up year.

    Attributes:
        calls: a day, at the beginning, on an average working day.
        growth: a year, as a share.
        wander: how far the level strays in a week, as a share.
        steps, outages, storms: how many there are.
        holiday: calls of a holiday over those of a Sunday.
    """

    name: str
    calls: float
    growth: float = 0.1
    wander: float = 0.02
    steps: int = 0
    outages: int = 0
    storms: int = 0
    holiday: float = 0.8


WORLDS = (
    World("quiet year", 3000),
    World("small line", 60),
    World("steps", 3000, steps=3),
    World("outages", 3000, outages=6),
    World("storms", 3000, storms=5),
    World("all of it, big city", 26000, steps=2, outages=5, storms=4),
    World("all of it, middle city", 3000, steps=2, outages=5, storms=4),
)


def made_up(world: World, seed: int, *, first: date = date(2025, 1, 10), days: int = 294) -> History:
    """A history of so many days; the same seed makes the same."""
    chance = np.random.default_rng(seed)
    kinds = [day_of(first + timedelta(days=number)) for number in range(days)]
    level = np.log(world.calls) + world.growth / 365 * np.arange(days)
    level += np.cumsum(chance.normal(0, world.wander / np.sqrt(7), days))
    for start in chance.integers(60, days - 10, world.steps):
        level[start:] += chance.choice([-1, 1]) * chance.uniform(0.15, 0.4)
    for start in chance.integers(30, days, world.storms):
        level[start : start + 2] += chance.uniform(0.3, 0.8)
    level += chance.normal(0, 0.03, days)
    rate = np.zeros((days, 96))
    for number, one in enumerate(kinds):
        weekday = one.day.weekday()
        factor = {DayKind.HOLIDAY: world.holiday * _WEEK[6], DayKind.MADE_UP: 0.95}.get(
            one.kind, _WEEK[weekday]
        )
        rest = one.kind is DayKind.HOLIDAY or (one.kind is DayKind.ORDINARY and weekday > 4)
        rate[number] = np.exp(level[number]) * factor * _shape(rest=rest, weekday=weekday)
    for start in chance.integers(30, days - 1, world.outages):
        begin = int(chance.integers(28, 60))
        rate[start, begin : begin + int(chance.integers(8, 40))] = 0
    return History(kinds, chance.poisson(rate).astype(np.float64))


def seasonal(world: World, seed: int, *, first: date = date(2024, 1, 8), days: int = 728) -> History:
    """Two made-up years in which the time of year matters, each year's dates and sizes a little different."""
    history, chance = made_up(world, seed, first=first, days=days), np.random.default_rng(seed + 1000)
    year_day = np.array([one.day.timetuple().tm_yday for one in history.days])
    years = np.array([one.day.year for one in history.days])
    level = np.zeros(days)
    for year in sorted(set(years.tolist())):
        mine = years == year
        level[mine] += 0.12 * (1 + 0.3 * chance.normal()) * np.sin(2 * np.pi * (year_day[mine] - 100) / 365)
        for start, length, size in _SEASONS:
            begin = start + 3 * chance.normal()
            there = mine & (year_day >= begin) & (year_day < begin + length)
            level[there] += size * (1 + 0.25 * chance.normal())
    return History(history.days, chance.poisson(history.calls * np.exp(level)[:, None]).astype(np.float64))


_SEASONS = ((318, 35, 0.45), (180, 45, 0.25), (245, 10, 0.3))  # heating, enrolment, school: day, days, size


def _shape(*, rest: bool, weekday: int) -> Floats:
    """Two humps, the morning's the higher; weekends are flatter and later, Mondays steeper."""
    hour = np.arange(96) / 4
    morning = np.exp(-(((hour - (10.5 if rest else 9.75)) / (2.2 if rest else 1.5)) ** 2))
    afternoon = np.exp(-(((hour - 15.5) / 2.2) ** 2))
    evening = np.exp(-(((hour - 20) / 1.8) ** 2))
    shape = (1.25 if weekday == 0 else 1.0) * morning + 0.85 * afternoon + 0.3 * evening + 0.02
    return np.asarray(shape / shape.sum())
