"""When a scheduled report is due. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hotline.config.reporting import ScheduledReport
from hotline.metrics.report.data import Period, Span
from hotline.metrics.report.periods import before, holding


def newest_due(report: ScheduledReport, now: datetime, zone: ZoneInfo) -> Period:
    """The newest period whose report should be there by ``now``.

    Only that one is made: whoever misses an older one after a long absence makes it by hand.
    """
    local = now.astimezone(zone)
    period = before(holding(Span(report.what), local.date()))
    while due_at(report, period, zone) > now:
        period = before(period)
    return period


def due_at(report: ScheduledReport, period: Period, zone: ZoneInfo) -> datetime:
    """When the report of a period is to be made: the day that ``on`` names after its end."""
    day: date = period.last + timedelta(days=report.on)
    return datetime.combine(day, report.at, zone)
