"""What a site's history says of days to come: the plan, ``hotline staff --site``, ``GET /api/staffing``."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from hotline.config.loading import load_site
from hotline.config.schema import Agent, Line, Queue, Site
from hotline.config.shifts import Shift
from hotline.core.clock import ManualClock
from hotline.core.errors import UnknownName, UsageError
from hotline.core.staffing import StaffingPlan, StaffingQuestion, TooLittleHistory
from hotline.metrics.measures.summing import calendar_of
from hotline.metrics.staffing.erlang import Load, agents_needed, service
from hotline.metrics.staffing.planner import StaffingPlanner
from hotline.server.cli import app
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import Changes, EntryRecord, Ledger
from hotline.store.rollups import Rollups
from tests.fixtures.console import running_console
from tests.fixtures.migrated import upgrade

SITE = Site(
    lines=(
        Line(id="12345", name="热线", number="12345", dids=("12345",)),
        Line(id="12315", name="市场监管", number="12315", parent="12345", dids=("12315",)),
    ),
    queues=(Queue(name="12345", title="综合"), Queue(name="12315", title="市场监管")),
    agents=(
        Agent(id="1001", name="张三", extension="1001", skills={"12345": 1}),
        Agent(id="1002", name="李四", extension="1002", skills={"12345": 1, "12315": 2}),
        Agent(id="9001", name="王五", extension="9001", role="supervisor"),
    ),
    shifts=(
        Shift(name="早班", agents=("1001", "9001"), starts=time(8), ends=time(16)),
        Shift(name="中班", agents=("1002",), starts=time(10), ends=time(18)),
    ),
)
TODAY = date(2026, 11, 23)  # a Monday
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOURS = {9: 12, 10: 16, 14: 8}  # calls of an hour on a working day; half of them at weekends


def rows_of(days: int) -> list[EntryRecord]:
    """So many days: 200 s of talk and 40 s of wrap-up each; every tenth caller gives up after 60 s."""
    pick = random.Random(3)
    entries = []
    for back in range(days, -1, -1):  # today's own rows are there, too, and must not count
        day = TODAY - timedelta(days=back)
        for hour, calls in HOURS.items():
            for number in range(calls if day.isoweekday() < 6 else calls // 2):
                local = datetime.combine(day, time(hour), SITE.zone) + timedelta(seconds=pick.randrange(3600))
                at, name = local.astimezone(UTC), f"{day}-{hour}-{number}"
                gives_up, line = number % 10 == 9, "12315" if number % 4 == 0 else "12345"
                entries.append(
                    EntryRecord(
                        name, "n", name, "12345", 1, name, line, "live", at,
                        outcome="abandoned" if gives_up else "answered",
                        wait_ms=60_000 if gives_up else 6_000,
                        talk_ms=0 if gives_up else 200_000, wrap_up_ms=0 if gives_up else 40_000,
                        closed_at=at + timedelta(minutes=5),
                    )
                )  # fmt: skip
    return entries


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(made)
    yield made
    await made.dispose()


async def planned(engine: AsyncEngine, question: StaffingQuestion, *, days: int = 42) -> StaffingPlan:
    await Ledger(sessions_of(engine)).save(Changes(entries=rows_of(days)))
    return await StaffingPlanner(SITE, sessions_of(engine), ManualClock(wall=NOW)).plan(question)


def at(plan: StaffingPlan, clock: str) -> Any:
    return next(one for one in plan.quarters if f"{one.starts:%H:%M}" == clock)


async def test_a_day_to_come_is_planned_from_the_ledger(engine: AsyncEngine) -> None:
    """Calls, handling time, patience and agents of tomorrow follow from the rows of six weeks."""
    plan = await planned(engine, StaffingQuestion(TODAY + timedelta(days=1)))
    assert [one.day for one in plan.days] == [date(2026, 11, 24)]
    assert plan.days[0].calls == pytest.approx(36, rel=0.05)  # 12 + 16 + 8
    assert (plan.history_days, plan.history_from) == (41, date(2026, 10, 13))  # never the first day
    busy = sum(one.calls for one in plan.quarters if one.starts.hour == 10)
    assert busy == pytest.approx(16, rel=0.1)
    assert sum(one.calls for one in plan.quarters if one.starts.hour in (3, 20)) < 1
    quarter = at(plan, "10:15")
    assert quarter.aht_seconds == pytest.approx(240)
    waited = 20 * (2 * 60 + 34 * 6) + 8 * 18 * 6  # of four weeks, in which two gave up on each working day
    assert plan.patience_seconds == pytest.approx(waited / 40)
    load = Load(4 * quarter.calls, 240)
    assert quarter.needed == agents_needed(load, 0.95, 15) == quarter.rostered
    assert 0 < (quarter.needed_patience or 0) <= quarter.needed + 1
    assert plan.errors is not None and plan.errors.weeks == 1
    assert plan.errors.day_wape < 0.1


async def test_shifts_stand_beside_what_is_needed(engine: AsyncEngine) -> None:
    """Who is on shift and serves callers is planned; the gap and what callers get follow from it."""
    plan = await planned(engine, StaffingQuestion(TODAY + timedelta(days=1), patience_seconds=1e9))
    assert [at(plan, clock).planned for clock in ("07:45", "08:00", "10:00", "15:45", "16:00", "18:00")] == [
        0, 1, 2, 2, 1, 0,
    ]  # fmt: skip
    quarter = at(plan, "10:15")
    assert quarter.gap == 2 - quarter.needed < 0
    expected = service(Load(4 * quarter.calls, 240), 2, 15).service_level
    assert quarter.planned_service == pytest.approx(expected, abs=0.01)


async def test_a_question_may_suppose_otherwise(engine: AsyncEngine) -> None:
    """Twice the calls, another norm and handling time, a third of the agents away, a week, one line."""
    day = TODAY + timedelta(days=1)
    plain = await planned(engine, StaffingQuestion(day))
    planner = StaffingPlanner(SITE, sessions_of(engine), ManualClock(wall=NOW))
    more = await planner.plan(StaffingQuestion(day, volume=2.0))
    assert at(more, "10:15").calls == pytest.approx(2 * at(plain, "10:15").calls, abs=0.02)
    slow = await planner.plan(StaffingQuestion(day, aht_seconds=480, target=0.8, within_seconds=20))
    load = Load(4 * at(plain, "10:15").calls, 480)
    assert at(slow, "10:15").needed == agents_needed(load, 0.8, 20)
    away = await planner.plan(StaffingQuestion(day, shrinkage=0.5))
    assert at(away, "10:15").rostered == 2 * at(plain, "10:15").needed
    assert (at(away, "10:15").planned, at(away, "10:15").gap) == (2, 2 - at(away, "10:15").rostered)
    week = await planner.plan(StaffingQuestion(day, days=7))
    assert len(week.quarters) == 7 * 96
    assert week.days[4].calls == pytest.approx(18, rel=0.15)  # Saturday
    line = await planner.plan(StaffingQuestion(day, line="12315"))
    assert line.days[0].calls == pytest.approx(3 + 4 + 2, rel=0.1)
    assert at(line, "10:15").planned == 1  # one agent serves it


async def test_what_cannot_be_planned_says_why(engine: AsyncEngine) -> None:
    """No such line, too little history, a day out of reach, senseless numbers."""
    planner = StaffingPlanner(SITE, sessions_of(engine), ManualClock(wall=NOW))
    with pytest.raises(TooLittleHistory, match="0 days of calls are too few"):
        await planner.plan(StaffingQuestion(TODAY))
    with pytest.raises(UnknownName, match="no line 12399"):
        await planner.plan(StaffingQuestion(TODAY, line="12399"))
    for question in (
        StaffingQuestion(TODAY + timedelta(days=500)),
        StaffingQuestion(TODAY, days=15),
        StaffingQuestion(TODAY, volume=0),
    ):
        with pytest.raises(UsageError):
            await planner.plan(question)


async def test_days_that_were_summed_up_give_the_same_plan(engine: AsyncEngine) -> None:
    """By the sums of quarter hours or by the rows: the same calls, handling time and errors."""
    question = StaffingQuestion(TODAY + timedelta(days=1))
    by_rows = await planned(engine, question)
    rollups = Rollups(sessions_of(engine), calendar_of(SITE))
    while (day := await rollups.next_day(NOW)) is not None:
        assert await rollups.roll(day, NOW)
    planner = StaffingPlanner(SITE, sessions_of(engine), ManualClock(wall=NOW))
    asked: list[str] = []
    listen(engine.sync_engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert await planner.plan(question) == by_rows
    assert any("FROM rollup_wholes" in one or "FROM rollup_quarters" in one for one in asked)


async def test_last_year_is_asked_for_the_time_of_year(engine: AsyncEngine) -> None:
    """A busy December is expected again, four weeks ahead, where other months came again."""
    first, entries = TODAY - timedelta(days=500), []
    for number in range(500):
        day = first + timedelta(days=number)
        for call in range(16 if day.month in (8, 9, 12) else 8):
            at = datetime.combine(day, time(10), SITE.zone).astimezone(UTC) + timedelta(minutes=call)
            name = f"{day}-{call}"
            entries.append(
                EntryRecord(
                    name, "n", name, "12345", 1, name, "12345", "live", at, outcome="answered",
                    talk_ms=60_000, closed_at=at,
                )
            )  # fmt: skip
    await Ledger(sessions_of(engine)).save(Changes(entries=entries))
    planner = StaffingPlanner(SITE, sessions_of(engine), ManualClock(wall=NOW))
    plan = await planner.plan(StaffingQuestion(date(2026, 12, 21)))
    assert plan.history_days == 183 and plan.days[0].calls > 13
    assert (await planner.plan(StaffingQuestion(TODAY))).days[0].calls == pytest.approx(8, abs=1)


async def test_the_history_is_counted_once_a_day(engine: AsyncEngine) -> None:
    """Rows that come later do not change today's answer; the next day's rests on them."""
    clock = ManualClock(wall=NOW)
    await Ledger(sessions_of(engine)).save(Changes(entries=rows_of(42)))
    planner = StaffingPlanner(SITE, sessions_of(engine), clock)
    question = StaffingQuestion(TODAY + timedelta(days=3))
    first = await planner.plan(question)
    assert await planner.plan(question) == first
    clock.wall += timedelta(days=1)
    assert (await planner.plan(question)).history_days == first.history_days + 1


def test_the_command_prints_a_plan(tmp_path: Path) -> None:
    """``hotline staff --site FILE --day DAY`` reads the site's database: JSON for programs, else a table."""
    file = tmp_path / "site.yaml"
    file.write_text(
        "data_dir: data\nlines: [{id: '12345', name: 热线, dids: ['12345']}]\n"
        "queues: [{name: '12345', title: 综合}]\n"
        "agents: [{id: '1001', name: 张三, extension: 1001, skills: {'12345': 1}}]\n"
        "shifts: [{name: 早班, agents: ['1001'], starts: '08:00', ends: '16:00'}]\n",
        encoding="utf-8",
    )
    site = load_site(file, {})
    site.data_dir.mkdir()

    async def fill() -> None:
        engine = open_engine(f"sqlite+aiosqlite:///{site.data_dir}/hotline.db")
        await upgrade(engine)
        now = datetime.now(UTC)
        entries = [
            EntryRecord(
                f"{back}-{number}", "n", f"{back}-{number}", "12345", 1, f"{back}-{number}", "12345", "live",
                now - timedelta(days=back, minutes=number), outcome="answered", wait_ms=2_000, talk_ms=90_000,
                wrap_up_ms=10_000, closed_at=now,
            )
            for back in range(1, 22) for number in range(30)
        ]  # fmt: skip
        await Ledger(sessions_of(engine)).save(Changes(entries=entries))
        await engine.dispose()

    asyncio.run(fill())
    day = (datetime.now(site.zone).date() + timedelta(days=1)).isoformat()
    options = ["staff", "--site", str(file), "--day", day, "--line", "12345"]
    result = CliRunner().invoke(app, [*options, "--format", "json"], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    plan = json.loads(result.stdout)
    assert [one["day"] for one in plan["days"]] == [day] and len(plan["quarters"]) == 96
    assert plan["days"][0]["calls"] == pytest.approx(30, rel=0.2)
    assert plan["quarters"][33]["starts"] == f"{day}T08:15:00+08:00"
    assert plan["quarters"][33]["planned"] == 1
    assert {one["aht_seconds"] for one in plan["quarters"]} == {100.0}
    text = CliRunner().invoke(app, options, catch_exceptions=False).stdout
    assert f"{day} " in text and "calls expected" in text and "08:15" in text


async def test_supervisors_ask_over_http(tmp_path: Path) -> None:
    """The plan comes as JSON; agents get 403, an unknown line 404, too little history and nonsense 400."""
    async with running_console(tmp_path, site=SITE, clock=ManualClock(wall=NOW)) as console:
        chief = await console.user("chief", "supervisor")
        empty = await chief.get("/api/staffing?day=2026-11-24")
        assert (empty.status_code, empty.json()["error"]["code"]) == (400, "too_little_history")
        assert "too few for a forecast" in empty.json()["error"]["message"]
        await Ledger(sessions_of(console.engine)).save(Changes(entries=rows_of(42)))
        plan = (await chief.get("/api/staffing?day=2026-11-25&line=12315&volume=1.5&shrinkage=0.3")).json()
        assert (plan["line"], plan["volume"], plan["days"][0]["day"]) == ("12315", 1.5, "2026-11-25")
        assert plan["days"][0]["calls"] == pytest.approx(1.5 * 9, rel=0.1)
        assert plan["quarters"][0]["starts"] == "2026-11-24T16:00:00Z"
        assert (await chief.get("/api/staffing?day=2026-11-25&line=1")).status_code == 404
        for query in ("", "day=tomorrow", "day=2026-11-25&target=1", "day=2026-11-25&aht=nan"):
            assert (await chief.get(f"/api/staffing?{query}")).status_code == 400
        refused = await (await console.user("zhang", agent="1001")).get("/api/staffing?day=2026-11-25")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
