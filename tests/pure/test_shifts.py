"""Shift patterns, the roster's table, and what presence amounts to."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hotline.config.schema import Agent
from hotline.config.shifts import Roster, Shift, clock_time, parse_roster, read_roster, shifts_of
from hotline.core.events import AgentState
from hotline.queue.agents.shifts import shift_row
from hotline.store.ledger import IntervalRecord

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = date(2026, 11, 2)
AGENTS = {"1001", "1002"}
DAY = Shift(name="早班", agents=("1001",), days=(1, 2, 3, 4, 5), starts="8:00", ends="16:00")
NIGHT = Shift(name="夜班", agents=("1002",), starts="22:00", ends="06:00")


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


def test_patterns_name_weekdays_and_may_pass_midnight() -> None:
    """Monday but not Saturday; the night shift ends on the next day."""
    patterns = (DAY, NIGHT)
    assert shifts_of("1001", MONDAY, patterns, Roster(), ZONE) == [(local(2, 8), local(2, 16))]
    assert shifts_of("1001", date(2026, 11, 7), patterns, Roster(), ZONE) == []
    assert shifts_of("1002", MONDAY, patterns, Roster(), ZONE) == [(local(2, 22), local(3, 6))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("8:00", time(8)), ("08:30", time(8, 30)), ("24:00", time(0)), (" 0:05 ", time(0, 5))],
)
def test_times_of_day_as_people_write_them(text: str, expected: time) -> None:
    """With or without the leading zero; 24:00 is the day's end."""
    assert clock_time(text) == expected


@pytest.mark.parametrize("text", ["", "8", "25:00", "8:60", "8:0", "八点", "08:00:00", "-1:00"])
def test_other_times_are_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError):
        clock_time(text)


def test_the_roster_takes_the_patterns_place_for_the_days_it_names() -> None:
    """Another shift, two shifts, and a day off; all other days stay as they are."""
    roster = parse_roster(
        "日期,坐席,开始,结束\n"
        "2026/11/2,1001,12:00,20:00\n"
        "2026-11-03,1001,08:00,11:00\n2026-11-03,1001,14:00,24:00\n"
        "2026-11-04,1001,,\n",
        AGENTS,
        "r.csv",
    )
    assert roster.problems == ()
    found = [shifts_of("1001", date(2026, 11, day), (DAY,), roster, ZONE) for day in (2, 3, 4, 5)]
    assert found == [
        [(local(2, 12), local(2, 20))],
        [(local(3, 8), local(3, 11)), (local(3, 14), local(4, 0))],
        [],
        [(local(5, 8), local(5, 16))],
    ]


def test_a_row_that_makes_no_sense_costs_itself_and_is_told_with_its_place() -> None:
    """Line number and remedy; the rows around it count."""
    text = (
        "date,agent,from,to\n5,1001,8:00,9:00\n2026-11-02,x,8:00,9:00\n2026-11-02,1001,8,9:00\n\n"
        "2026-11-02,1002,8:00,9:00\n"
    )
    roster = parse_roster(text, AGENTS, "r.csv")
    assert [problem.split(" ")[0] for problem in roster.problems] == ["r.csv:2:", "r.csv:3:", "r.csv:4:"]
    assert list(roster.hours) == [(MONDAY, "1002")]
    headless = parse_roster("2026-11-02,1001,8:00,9:00\n", AGENTS, "r.csv")
    assert headless.hours == {} and "the first row must be" in headless.problems[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_roster_is_read_as_excel_saves_it(tmp_path: Path, encoding: str) -> None:
    """With a byte order mark, or in the Chinese code page, and with CRLF."""
    file = tmp_path / "排班.csv"
    file.write_bytes("坐席,日期,开始,结束,备注\r\n1001,2026/11/2,8:00,9:00,早\r\n".encode(encoding))
    assert read_roster(file, AGENTS).hours == {(MONDAY, "1001"): ((time(8), time(9)),)}


CHEN = Agent(id="1001", name="陈", extension="1001")
PLANNED = [(local(2, 8), local(2, 12)), (local(2, 14), local(2, 18))]


def states(*changes: tuple[datetime, str]) -> list[IntervalRecord]:
    """Intervals from when to when, the last one open."""
    ends = [at for at, _ in changes[1:]]
    return [
        IntervalRecord("1001", state, "", at, until)
        for (at, state), until in zip(changes, [*ends, None], strict=True)
    ]


def test_adherence_is_time_present_over_shift_time_so_far() -> None:
    """Half an hour late, away for an hour, gone at noon, and back: breaks and wrap-ups are presence."""
    told = states(
        (local(1, 18), "signed_out"), (local(2, 8, 30), "ready"), (local(2, 9), "paused"),
        (local(2, 10), "unreachable"), (local(2, 11), "wrap_up"), (local(2, 12), "signed_out"),
        (local(2, 13, 45), "ready"),
    )  # fmt: skip
    noon = shift_row(CHEN, PLANNED, told, local(2, 12))
    assert (noon.adherence, noon.late_seconds, noon.due) == (0.625, 1800.0, False)
    assert not noon.present and noon.state is AgentState.SIGNED_OUT
    later = shift_row(CHEN, PLANNED, told, local(2, 16))
    assert (later.adherence, later.late_seconds, later.due, later.present) == (0.75, 0.0, True, True)


def test_nobody_came_and_nobody_is_due_yet() -> None:
    """Late by all of the shift so far; before the first shift there is nothing to say."""
    absent = shift_row(CHEN, PLANNED, [], local(2, 9))
    assert (absent.adherence, absent.late_seconds, absent.due, absent.present) == (0.0, 3600.0, True, False)
    early = shift_row(CHEN, PLANNED, [], local(2, 7))
    assert (early.adherence, early.late_seconds, early.due) == (None, 0.0, False)


def test_time_that_two_rows_tell_counts_once() -> None:
    """Also where a database holds overlapping rows adherence stays at most 1."""
    told = [
        IntervalRecord("1001", "ready", "", local(2, 7), local(2, 10)),
        IntervalRecord("1001", "talking", "", local(2, 8), None),
    ]
    row = shift_row(CHEN, PLANNED, told, local(2, 12))
    assert row.adherence == 1.0
