"""What kind of day a day is in China: weekday, holiday, or a weekend worked in exchange (调休).

From chinese-calendar, which knows the years that the State Council has published. Days beyond them go by
their weekday, and whoever shows a forecast says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class DayKind(StrEnum):
    """How people spend a day."""

    ORDINARY = "ordinary"  # as its weekday says
    HOLIDAY = "holiday"  # a public holiday, its weekend days included
    MADE_UP = "made_up"  # a Saturday or Sunday that is worked


@dataclass(frozen=True, slots=True)
class Day:
    """A day with its kind. ``published``: the year's holidays are known."""

    day: date
    kind: DayKind
    published: bool = True


def day_of(day: date) -> Day:
    """The kind of a day; ordinary where the year is not published yet."""
    import chinese_calendar  # here, for only forecasts need it: a server starts without

    try:
        off, holiday = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return Day(day, DayKind.ORDINARY, published=False)
    if off and holiday is not None:
        return Day(day, DayKind.HOLIDAY)
    if not off and day.isoweekday() > 5:
        return Day(day, DayKind.MADE_UP)
    return Day(day, DayKind.ORDINARY)
