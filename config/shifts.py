"""Who should be here when: weekly patterns in the site file, and the days that differ in a file of their own.

The patterns are written once. What changes from day to day (leave, swaps, holidays) the supervisor keeps
in a table, saved as CSV, one row for each agent and day that differs::

    日期,坐席,开始,结束        or   date,agent,from,to
    2026-11-02,1001,08:00,16:00
    2026-11-03,1001,,              off that day

A day that the table names for an agent is as the table says, whatever the pattern; several rows are several
shifts. An end at or before its start is on the next day.
"""

from __future__ import annotations

import csv
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field

from hotline.config.section import Name, Section, Text

COLUMNS: Final = {"日期": "date", "坐席": "agent", "开始": "from", "结束": "to"}
MAX_ROSTER_BYTES: Final = 20_000_000  # 900 agents, every day of a year: 10 MB

Hours = tuple[time, time]
"""Begin and end of a shift in the site's zone; an end at or before the begin is on the next day."""


def clock_time(text: str) -> time:
    """``8:00``, ``08:00`` or ``24:00`` (midnight at the end of the day).

    Raises:
        ValueError: anything else.
    """
    hours, _, minutes = text.strip().partition(":")
    if (hours, minutes) == ("24", "00"):
        return time(0, 0)
    if not (hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2):
        raise ValueError(f"{text.strip()!r} is no time of day; write 08:00")
    return time(int(hours), int(minutes))


def _as_clocks_are_written(value: object) -> object:
    return clock_time(value) if isinstance(value, str) else value


ClockTime = Annotated[time, BeforeValidator(_as_clocks_are_written)]
"""A time of day as people write it."""


class Shift(Section):
    """A weekly pattern: these agents, on these days, between these times of day in the site's zone."""

    name: Text
    agents: Annotated[tuple[Name, ...], Field(min_length=1)]
    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)  # ISO: 1 is Monday
    starts: ClockTime
    ends: ClockTime  # at or before starts: on the next day


@dataclass(frozen=True, slots=True)
class Roster:
    """What the table says: the shifts of an agent on a day it names; none of them: off.

    Attributes:
        problems: rows that were passed over, each with its place and what to do.
    """

    hours: Mapping[tuple[date, str], tuple[Hours, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_roster(path: Path, agents: Container[str]) -> Roster:
    """The table in a file, in UTF-8 or as Excel saves it in China (GB18030); a senseless row costs itself.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_ROSTER_BYTES + 1)
    if len(data) > MAX_ROSTER_BYTES:
        return Roster(problems=(f"{path}: larger than {MAX_ROSTER_BYTES} bytes; keep this year's rows only",))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    return parse_roster(text, agents, str(path))


def roster_of(path: Path | None, agents: Container[str]) -> Roster:
    """The table a site names, if any; one that cannot be read leaves the patterns, and says so."""
    if path is None:
        return Roster()
    try:
        return read_roster(path, agents)
    except OSError as error:
        return Roster(problems=(f"{path}: {error.strerror}; only the site file's shifts count",))


def parse_roster(text: str, agents: Container[str], name: str) -> Roster:
    """The same from text; ``name`` is how problems call it."""
    rows = csv.reader(text.splitlines())
    header = [COLUMNS.get(cell.strip(), cell.strip()) for cell in next(rows, [])]
    if not set(COLUMNS.values()) <= set(header):
        return Roster(problems=(f"{name}:1: the first row must be 日期,坐席,开始,结束 (date,agent,from,to)",))
    hours: dict[tuple[date, str], tuple[Hours, ...]] = {}
    problems: list[str] = []
    for cells in rows:
        row = {key: cell.strip() for key, cell in zip(header, cells, strict=False)}
        if not any(row.values()):
            continue
        try:
            key = _day(row.get("date", "")), _agent(row.get("agent", ""), agents)
            found = _hours(row.get("from", ""), row.get("to", ""))
        except ValueError as error:
            problems.append(f"{name}:{rows.line_num}: {error}")
            continue
        hours[key] = (*hours.get(key, ()), *found)
    return Roster(hours, tuple(problems))


def _day(text: str) -> date:
    try:
        year, month, day = text.replace("/", "-").split("-")  # Excel writes 2026/11/2
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ValueError(f"{text!r} is no day; write 2026-11-02") from None


def _agent(text: str, agents: Container[str]) -> str:
    if text not in agents:
        raise ValueError(f"there is no agent {text!r}; use the ids of the site file")
    return text


def _hours(start: str, end: str) -> tuple[Hours, ...]:
    if not start and not end:
        return ()
    return ((clock_time(start), clock_time(end)),)


def shifts_of(
    agent: str, day: date, patterns: tuple[Shift, ...], roster: Roster, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """The agent's shifts that begin on ``day`` of the site's zone, in order; aware."""
    hours = roster.hours.get((day, agent))
    if hours is None:
        hours = tuple(
            (shift.starts, shift.ends)
            for shift in patterns
            if agent in shift.agents and day.isoweekday() in shift.days
        )
    return sorted(_span(day, starts, ends, zone) for starts, ends in hours)


def _span(day: date, starts: time, ends: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    last = day if ends > starts else day + timedelta(days=1)
    return _moment(day, starts, zone), _moment(last, ends, zone)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)  # spans are real time, also over a clock change
