"""Migrations, accounts, history and audit on a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.core.errors import SetupError
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import CallRecord, Changes, Ledger
from hotline.store.migrate import differences, upgrade
from hotline.store.models import Base
from tests.fixtures import store_checks


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/hotline.db"


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url)
    yield engine
    await engine.dispose()


async def test_migrations_make_the_models(engine: AsyncEngine) -> None:
    """A fresh database ends up exactly as the models say, and a second start changes nothing."""
    await store_checks.check_migrations_make_the_models(engine)


async def test_a_forgotten_migration_is_noticed(engine: AsyncEngine) -> None:
    """The comparison that guards the models does see a missing column."""
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE users DROP COLUMN display_name")
    assert await differences(engine) != []


async def test_programs_may_start_at_once(url: str) -> None:
    """Four programs that bring up the same empty database do not trip over each other."""
    await store_checks.check_programs_may_start_at_once(url)


async def test_a_newer_database_is_refused(engine: AsyncEngine) -> None:
    """An older program leaves a newer database alone and says so."""
    await store_checks.check_a_newer_database_is_refused(engine)


async def test_a_half_made_database_is_left_as_it_was(engine: AsyncEngine) -> None:
    """A migration that fails midway leaves none of its tables behind."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE users (other INTEGER)")
    with pytest.raises(SetupError, match="users already exists"):
        await upgrade(engine)
    async with engine.connect() as connection:
        names = (await connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='table'")).all()
    assert {name for (name,) in names} == {"users"}


async def test_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    """No stack trace for a wrong database.url."""
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/none/hotline.db")
    try:
        with pytest.raises(SetupError, match="database cannot be used") as caught:
            await upgrade(engine)
        assert "\n" not in str(caught.value)
    finally:
        await engine.dispose()


async def test_accounts_and_sessions(engine: AsyncEngine) -> None:
    """Names are unique, sessions expire, are bounded and end with a disabled account."""
    await store_checks.check_accounts_and_sessions(engine)


async def test_history(engine: AsyncEngine) -> None:
    """Newest first, by seat, before a moment; a transferred call belongs to both agents."""
    await store_checks.check_history(engine)


async def test_saving(engine: AsyncEngine) -> None:
    """The newest version of a row stands, told once or twice, and comes back as it went in."""
    await store_checks.check_saving(engine)


async def test_a_save_is_all_or_nothing(engine: AsyncEngine) -> None:
    """A row that is refused takes the others of its save, and the position in queue_log, with it."""
    await store_checks.check_a_save_is_all_or_nothing(engine)


async def test_recordings(engine: AsyncEngine) -> None:
    """Rows come back as they went in, by age and line, never one on hold; pauses go with their recording."""
    await store_checks.check_recordings(engine)


async def test_audit(engine: AsyncEngine) -> None:
    """Entries read back newest first, however long their subject was."""
    await store_checks.check_audit(engine)


async def test_imports_of_other_systems(engine: AsyncEngine) -> None:
    """All of a file or nothing; a section and a file take the place of their former selves, others stay."""
    await store_checks.check_imports(engine)


async def test_notes_and_nuisance_marks(engine: AsyncEngine) -> None:
    """Notes in order; the newest mark of a number holds, also for a program that starts later."""
    await store_checks.check_marks(engine)


async def test_drafts_of_orders(engine: AsyncEngine) -> None:
    """Kept as written; of two who save at once the second is told, and nothing is overwritten."""
    await store_checks.check_drafts(engine)


def test_every_table_of_the_models_is_covered() -> None:
    """The models were imported: an empty metadata would agree with anything."""
    assert {"calls", "queue_entries", "users", "sessions", "audit"} <= set(Base.metadata.tables)


async def test_a_start_with_more_open_calls_than_one_statement_takes(engine: AsyncEngine) -> None:
    """A server that was killed while it read a long past starts all the same, with all of it."""
    await upgrade(engine)
    async with engine.connect() as connection:  # the only one of the pool; newer SQLite's limit is 32,766
        raw = await connection.get_raw_connection()
        aio = raw.driver_connection
        assert aio is not None
        aio._conn.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 600)
    ledger = Ledger(sessions_of(engine))
    entries = [store_checks.entry_record(number) for number in range(1_300)]
    calls = [CallRecord(row.call_id, row.node, "", "", "", "", row.joined_at) for row in entries]
    await ledger.save(Changes(calls, entries))
    known = await ledger.recent("n1", timedelta(minutes=10))
    assert (len(known.calls), len(known.entries)) == (1_300, 1_300)
