"""Rollups on SQLite: a figure always equals its rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.core.clock import ManualClock
from hotline.metrics.rolling import LOOK_SECONDS, Rolling
from hotline.store.cells import ROLLED_DAYS
from hotline.store.counting import one_moment
from hotline.store.database import open_engine
from hotline.store.wanted import begin_of
from tests.fixtures import rollup_checks as checks
from tests.fixtures.migrated import upgrade

ONE_DATABASE = (HealthCheck.function_scoped_fixture,)  # each example begins by emptying it


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    yield made
    await made.dispose()


@settings(max_examples=12, suppress_health_check=ONE_DATABASE)
@given(st.sampled_from(checks.ZONES), checks.DOINGS, st.integers(0, 10_000))
async def test_figures_by_rollup_equal_those_by_rows(
    engine: AsyncEngine, zone: str, doings: Sequence[checks.Doing], seed: int
) -> None:
    """For random rows, changes, late rows, deletions, periods and dimensions."""
    await checks.check_figures_by_rollup_equal_those_by_rows(engine, zone, doings, seed)


async def test_cells_are_what_a_new_sum_gives(engine: AsyncEngine) -> None:
    """Cells that were mended again and again are those that are made from the rows at once."""
    await checks.check_cells_are_what_a_new_sum_gives(engine)


async def test_clean_days_are_read_from_cells(engine: AsyncEngine) -> None:
    """Only a day with a late row is counted from rows, until it is summed up again."""
    await checks.check_clean_days_are_read_from_cells(engine)


async def test_months_of_agents_are_read_from_cells(engine: AsyncEngine) -> None:
    """Only a month with a late row is added up by its days, until it is summed up again."""
    await checks.check_months_of_agents_are_read_from_cells(engine)


async def test_a_row_that_changes_while_its_day_is_summed_up(engine: AsyncEngine) -> None:
    """No sum is kept that lacks it."""
    await checks.check_a_row_that_changes_while_its_day_is_summed_up(engine)


async def test_whatever_a_call_says_of_itself_marks_its_waits_and_talks(engine: AsyncEngine) -> None:
    """Line, language and lists of callers are told of the call alone, and count its waits and talks."""
    await checks.check_whatever_a_call_says_of_itself_marks_its_waits_and_talks(engine)


async def test_the_task_sums_up_what_is_over_and_then_rests(engine: AsyncEngine) -> None:
    """The newest day first; today, whose rows still change, never."""
    await upgrade(engine)
    world = checks.World(engine, "Asia/Shanghai")
    for number in range(10):
        await world.do(checks.Doing("add", number))
    clock = ManualClock(checks.FIRST + timedelta(days=2))
    rolling = Rolling(world.rollups, clock)
    rests = [await rolling.step() for _ in range(5)]
    assert rests[-1] == LOOK_SECONDS and rests[0] < 1
    async with one_moment(world.sessions) as connection:
        days = [slot for (slot,) in await connection.execute(select(ROLLED_DAYS.c.slot))]
    begun = {begin_of(slot).astimezone(world.calendar.zone).date() for slot in days}
    assert max(begun) == date(2026, 10, 23) and min(begun) >= date(2026, 10, 22)


async def test_a_fault_in_summing_up_does_not_end_the_task(engine: AsyncEngine) -> None:
    """Nor the server with it: it is tried again."""
    await upgrade(engine)
    world, tried = checks.World(engine, "Asia/Shanghai"), asyncio.Event()

    async def next_day(now: datetime) -> date | None:
        if not faults:
            tried.set()
        raise faults.pop() if faults else asyncio.CancelledError

    faults = [ValueError("a fault of ours")]
    world.rollups.next_day = next_day  # type: ignore[method-assign]
    task = asyncio.create_task(Rolling(world.rollups, ManualClock(checks.NOW), start_seconds=0).run())
    async with asyncio.timeout(20):
        await tried.wait()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_the_marks_survive_every_migration(engine: AsyncEngine) -> None:
    """Each table whose rows are counted has its triggers at the newest migration."""
    await checks.check_the_marks_survive_every_migration(engine)
