"""Rollups on a real PostgreSQL: a figure always equals its rows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.store.migrate import upgrade
from hotline.store.models import QueueEntry
from tests.fixtures import rollup_checks as checks
from tests.fixtures.postgres import engine, postgres_cluster, postgres_url

__all__ = ["engine", "postgres_cluster", "postgres_url"]
pytestmark = pytest.mark.real
ONE_DATABASE = (HealthCheck.function_scoped_fixture,)  # each example begins by emptying it


@settings(max_examples=4, suppress_health_check=ONE_DATABASE)
@given(st.sampled_from(checks.ZONES), checks.DOINGS, st.integers(0, 10_000))
async def test_figures_by_rollup_equal_those_by_rows_on_postgresql(
    engine: AsyncEngine, zone: str, doings: Sequence[checks.Doing], seed: int
) -> None:
    """For random rows, changes, late rows, deletions, periods and dimensions."""
    await checks.check_figures_by_rollup_equal_those_by_rows(engine, zone, doings, seed)


async def test_cells_are_what_a_new_sum_gives_on_postgresql(engine: AsyncEngine) -> None:
    """Cells that were mended again and again are those that are made from the rows at once."""
    await checks.check_cells_are_what_a_new_sum_gives(engine)


async def test_clean_days_are_read_from_cells_on_postgresql(engine: AsyncEngine) -> None:
    """Only a day with a late row is counted from rows, until it is summed up again."""
    await checks.check_clean_days_are_read_from_cells(engine)


async def test_months_of_agents_are_read_from_cells_on_postgresql(engine: AsyncEngine) -> None:
    """Only a month with a late row is added up by its days, until it is summed up again."""
    await checks.check_months_of_agents_are_read_from_cells(engine)


async def test_a_row_that_changes_while_its_day_is_summed_up_on_postgresql(engine: AsyncEngine) -> None:
    """No sum is kept that lacks it."""
    await checks.check_a_row_that_changes_while_its_day_is_summed_up(engine)


async def test_whatever_a_call_says_of_itself_marks_its_waits_and_talks_on_postgresql(
    engine: AsyncEngine,
) -> None:
    """Line, language and lists of callers are told of the call alone, and count its waits and talks."""
    await checks.check_whatever_a_call_says_of_itself_marks_its_waits_and_talks(engine)


async def test_the_marks_survive_every_migration_on_postgresql(engine: AsyncEngine) -> None:
    """Each table whose rows are counted has its triggers at the newest migration."""
    await checks.check_the_marks_survive_every_migration(engine)


async def test_a_change_that_is_not_committed_yet_is_waited_for(engine: AsyncEngine) -> None:
    """Its slot was marked before, so it wrote no mark of its own: the sum must not be made without it."""
    await upgrade(engine)
    world = checks.World(engine, "Asia/Shanghai")
    await world.do(checks.Doing("add", 1))
    day = await world.rollups.next_day(checks.NOW)
    assert day is not None
    at = world.calendar.begin(day) + timedelta(hours=3)

    def row(number: int) -> dict[str, object]:
        key = f"late{number}"
        return {
            "entry_id": key, "node": "n", "uniqueid": key, "queue": "12345", "visit": 1, "call_id": key,
            "line": "12345", "source": "live", "joined_at": at, "outcome": "answered",
        }  # fmt: skip

    async with engine.begin() as connection:
        await connection.execute(insert(QueueEntry).values(row(1)))
    async with engine.connect() as connection, connection.begin() as change:
        await connection.execute(insert(QueueEntry).values(row(2)))
        rolling = asyncio.create_task(_roll(world))
        done, _ = await asyncio.wait({rolling}, timeout=1)
        assert not done, "summed up while a change was under way"
        await change.commit()
    await rolling
    await world.check(Random(1))
    await world.check(Random(2))


async def _roll(world: checks.World) -> None:
    """Sum up everything, however often the lock is not to be had."""
    while True:
        try:
            await world.roll_all()
            return
        except DBAPIError:
            await asyncio.sleep(0.05)
