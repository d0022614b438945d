"""Migrations, accounts, history and audit on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.core.errors import SetupError
from hotline.store.database import open_engine
from hotline.store.migrate import upgrade
from tests.fixtures import store_checks
from tests.fixtures.postgres import engine, postgres_cluster, postgres_url
from tests.fixtures.writer_checks import BAD_FOR_POSTGRESQL, BAD_ROWS, check_a_bad_row_holds_up_no_other

__all__ = ["engine", "postgres_cluster", "postgres_url"]
pytestmark = pytest.mark.real


async def test_migrations_make_the_models_on_postgresql(engine: AsyncEngine) -> None:
    """A fresh database ends up exactly as the models say, and a second start changes nothing."""
    await store_checks.check_migrations_make_the_models(engine)


async def test_programs_may_start_at_once_on_postgresql(postgres_url: str) -> None:
    """Four programs that bring up the same empty database do not trip over each other."""
    await store_checks.check_programs_may_start_at_once(postgres_url)


async def test_a_newer_database_is_refused_on_postgresql(engine: AsyncEngine) -> None:
    """An older program leaves a newer database alone and says so."""
    await store_checks.check_a_newer_database_is_refused(engine)


async def test_accounts_and_sessions_on_postgresql(engine: AsyncEngine) -> None:
    """Names are unique, sessions expire, are bounded and end with a disabled account."""
    await store_checks.check_accounts_and_sessions(engine)


async def test_history_on_postgresql(engine: AsyncEngine) -> None:
    """Newest first, by seat, before a moment; a transferred call belongs to both agents."""
    await store_checks.check_history(engine)


async def test_saving_on_postgresql(engine: AsyncEngine) -> None:
    """The newest version of a row stands, told once or twice, and comes back as it went in."""
    await store_checks.check_saving(engine)


async def test_a_save_is_all_or_nothing_on_postgresql(engine: AsyncEngine) -> None:
    """A row that is refused takes the others of its save, and the position in queue_log, with it."""
    await store_checks.check_a_save_is_all_or_nothing(engine)


async def test_recordings_on_postgresql(engine: AsyncEngine) -> None:
    """Rows come back as they went in, by age and line, never one on hold; pauses go with their recording."""
    await store_checks.check_recordings(engine)


async def test_audit_on_postgresql(engine: AsyncEngine) -> None:
    """Entries read back newest first, however long their subject was."""
    await store_checks.check_audit(engine)


async def test_imports_of_other_systems_on_postgresql(engine: AsyncEngine) -> None:
    """All of a file or nothing; a section and a file take the place of their former selves, others stay."""
    await store_checks.check_imports(engine)


async def test_notes_and_nuisance_marks_on_postgresql(engine: AsyncEngine) -> None:
    """Notes in order; the newest mark of a number holds, also for a program that starts later."""
    await store_checks.check_marks(engine)


async def test_drafts_of_orders_on_postgresql(engine: AsyncEngine) -> None:
    """Two who save at once, on a database that lets both try."""
    await store_checks.check_drafts(engine)


async def test_a_server_that_is_not_there_is_said_in_one_line() -> None:
    """A wrong port in database.url ends in a hint, not in a stack trace."""
    engine = open_engine("postgresql+asyncpg://hotline@127.0.0.1:1/hotline")
    try:
        with pytest.raises(SetupError, match="database cannot be used") as caught:
            await upgrade(engine)
        assert "\n" not in str(caught.value)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("bad", [*BAD_ROWS, *BAD_FOR_POSTGRESQL])
async def test_a_bad_row_holds_up_no_other_on_postgresql(engine: AsyncEngine, bad: dict[str, Any]) -> None:
    """Too large, too long, missing, a NUL: set aside and counted; what is beside it and after it is saved."""
    await check_a_bad_row_holds_up_no_other(engine, bad)
