"""What a report counts and what that is compared with, in its site's calendar. Pure.

A period that is over is compared with the whole one before and with that of the year before; one that goes on
with the beginnings of those, up to the same day and time, by the very rule that the history page has.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hotline.core.figures import Comparison, Grain
from hotline.metrics.measures.calendar import Shift
from hotline.metrics.report.data import Period, ReportData, Source, Span
from hotline.metrics.report.periods import bounds

Between = tuple[datetime, datetime]
"""From a moment up to another that is no longer in it; aware."""

_PART = {Span.DAY: Grain.DAY, Span.WEEK: Grain.WEEK, Span.MONTH: Grain.MONTH}
_SAME = {Span.DAY: "前一日同期", Span.WEEK: "上周同期", Span.MONTH: "上月同期"}
LAST_YEAR = "上年同期"


def counted(period: Period, until: datetime | None, zone: ZoneInfo) -> Between:
    """What is counted: the period, of one that goes on as much as has passed, of one to come nothing."""
    start, end = bounds(period, zone)
    return start, end if until is None else max(start, until)


def compared(period: Period, until: datetime | None, zone: ZoneInfo, to: Comparison) -> Between | None:
    """What that is compared with; None: there is no such time (a leap day a year ago), or nothing to."""
    shift = Shift(zone, *bounds(period, zone), _PART.get(period.span), to)
    start, end = (shift(moment) for moment in counted(period, until, zone))
    return (start, end) if start < end else None


def labels(data: ReportData, section: str) -> tuple[str, str]:
    """What the changes of a section are called: 环比 and 同比, or with which days they compare.

    An imported section of a period that goes on is compared as whoever gave it did.
    """
    if data.until is None or data.sources.get(section) is Source.IMPORTED:
        return "环比", "同比"
    return f"较{_SAME[data.period.span]}", f"较{LAST_YEAR}"


def until_words(data: ReportData) -> str:
    """截至11月21日08:49; of a day the time alone; empty if the period is over."""
    if data.until is None:
        return ""
    clock = f"{data.until:%H:%M}"
    return f"截至{clock if data.period.span is Span.DAY else f'{_day(data.until)}{clock}'}"


def basis_words(data: ReportData) -> str:
    """With what a report of an unfinished period is compared, to the minute."""
    zone, told = ZoneInfo(data.timezone), []
    for name, to in ((_SAME[data.period.span], Comparison.BEFORE), (LAST_YEAR, Comparison.YEAR_BEFORE)):
        found = compared(data.period, data.until, zone, to)
        if found is not None:
            start, end = (moment.astimezone(zone) for moment in found)
            told.append(f"{name}（{start:%Y-%m-%d %H:%M}至{end:%Y-%m-%d %H:%M}）")
    return "、".join(told)


def _day(moment: datetime) -> str:
    return f"{moment.month}月{moment.day}日"
