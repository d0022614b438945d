"""Days, weeks and months of the site's zone: what they are called, and which came before. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hotline.core.errors import UsageError
from hotline.metrics.report.data import Period, Span

TREND: Final = {Span.DAY: 7, Span.WEEK: 6, Span.MONTH: 6}
"""How many periods a trend shows, the report's own last."""

LONGEST_RANGE_DAYS: Final = 366
_EXAMPLES: Final = {Span.DAY: "2026-10-05", Span.WEEK: "2026-W41", Span.MONTH: "2026-10"}


def period_of(span: Span, name: str) -> Period:
    """The period of a name as typed.

    Raises:
        UsageError: there is no such day, week or month.
    """
    try:
        if span is Span.MONTH and re.fullmatch(r"\d{4}-\d{2}", name):
            return month_of(date.fromisoformat(f"{name}-01"))
        if span is Span.WEEK and (found := re.fullmatch(r"(\d{4})-W(\d{1,2})", name)):
            return week_of(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        if span is Span.DAY and re.fullmatch(r"\d{4}-\d{2}-\d{2}", name):
            return day_of(date.fromisoformat(name))
    except ValueError:
        pass  # of the right shape, and still no day there ever was: refused below like any other
    raise UsageError(f"not a {span.value}: {name}", hint=f"write it like {_EXAMPLES[span]}")


def named(name: str) -> Period:
    """The day, week or month of a name as typed.

    Raises:
        UsageError: it is none of them.
    """
    span = Span.WEEK if "W" in name else Span.MONTH if name.count("-") == 1 else Span.DAY
    return period_of(span, name)


def month_of(day: date) -> Period:
    """The month that a day is in."""
    start = day.replace(day=1)
    after = (start + timedelta(days=31)).replace(day=1)
    return Period(span=Span.MONTH, name=f"{start:%Y-%m}", start=start, last=after - timedelta(days=1))


def week_of(day: date) -> Period:
    """The ISO week that a day is in, Monday to Sunday."""
    start = day - timedelta(days=day.isoweekday() - 1)
    year, week, _ = start.isocalendar()
    return Period(span=Span.WEEK, name=f"{year}-W{week:02}", start=start, last=start + timedelta(days=6))


def day_of(day: date) -> Period:
    """One day."""
    return Period(span=Span.DAY, name=day.isoformat(), start=day, last=day)


def from_to(start: str, last: str) -> Period:
    """From one day to another, both included.

    Raises:
        UsageError: one of them is no day, or they stand the wrong way round, or years apart.
    """
    first, end = period_of(Span.DAY, start).start, period_of(Span.DAY, last).start
    if not 0 <= (end - first).days < LONGEST_RANGE_DAYS:
        hint = f"--to is not before --from, and at most {LONGEST_RANGE_DAYS} days are looked at"
        raise UsageError(f"no period: {start} to {last}", hint=hint)
    return Period(span=Span.RANGE, name=f"{start}..{last}", start=first, last=end)


def day_name(day: date) -> str:
    """10月5日."""
    return f"{day.month}月{day.day}日"


_OF: Final = {Span.DAY: day_of, Span.WEEK: week_of, Span.MONTH: month_of}


def holding(span: Span, day: date) -> Period:
    """The day, week or month that ``day`` is in."""
    return _OF[span](day)


def before(period: Period) -> Period:
    """The period before."""
    return holding(period.span, period.start - timedelta(days=1))


def leading_to(period: Period) -> list[Period]:
    """The periods of the trend, oldest first."""
    found = [period]
    while len(found) < TREND[period.span]:
        found.insert(0, before(found[0]))
    return found


def bounds(period: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Its first moment, and the first that is no longer in it."""
    return (
        datetime.combine(period.start, time(), zone),
        datetime.combine(period.last + timedelta(days=1), time(), zone),
    )
