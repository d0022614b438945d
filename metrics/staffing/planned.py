"""How many agents the shifts bring, by quarter hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from hotline.config.schema import Line, Site
from hotline.config.shifts import Roster, shifts_of
from hotline.metrics.staffing.forecast import QUARTERS

QUARTER = timedelta(minutes=15)


def lines_under(site: Site, line_id: str) -> tuple[Line, ...]:
    """A line and all lines under it."""
    return tuple(line for line in site.lines if any(above.id == line_id for above in site.upward(line)))


def planned_agents(site: Site, roster: Roster, day: date, line_id: str | None) -> list[int]:
    """Agents who serve the line's queues and whose shifts cover the whole quarter hour, by quarter hour.

    An agent who serves several lines counts in full in each of them.
    """
    queues = None if line_id is None else {line.queue_name for line in lines_under(site, line_id)}
    present = [0] * QUARTERS
    starts = quarter_starts(site, day)
    for agent in site.agents:
        if not agent.skills or (queues is not None and not queues & agent.skills.keys()):
            continue
        spans = [
            span
            for begun in (day - timedelta(days=1), day)
            for span in shifts_of(agent.id, begun, site.shifts, roster, site.zone)
        ]
        for place, start in enumerate(starts):
            present[place] += _covered(start, start + QUARTER, spans)
    return present


def quarter_starts(site: Site, day: date) -> list[datetime]:
    """The beginnings of the quarter hours of a day's clock, aware, in the site's zone."""
    return [
        datetime(day.year, day.month, day.day, place // 4, place % 4 * 15, tzinfo=site.zone)
        for place in range(QUARTERS)
    ]


def _covered(start: datetime, end: datetime, spans: Sequence[tuple[datetime, datetime]]) -> bool:
    """Whether shifts cover all of it; one may begin where another ends."""
    for first, last in sorted(spans):
        if first <= start < last:
            start = last
    return start >= end
