"""Rows on their way to a SQLite file: bad ones, and more than memory may hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.queue.writer import LedgerWriter
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import Ledger, TailRecord
from tests.fixtures.migrated import upgrade
from tests.fixtures.store_checks import entry_record
from tests.fixtures.writer_checks import BAD_ROWS, check_a_bad_row_holds_up_no_other


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(made)
    yield made
    await made.dispose()


@pytest.mark.parametrize("bad", BAD_ROWS)
async def test_a_bad_row_holds_up_no_other(engine: AsyncEngine, bad: dict[str, Any]) -> None:
    """It is set aside and counted; the rows beside it and after it are saved."""
    await check_a_bad_row_holds_up_no_other(engine, bad)


async def test_once_rows_were_dropped_the_position_stays(engine: AsyncEngine) -> None:
    """The next start reads queue_log from before them: they are not lost."""
    ledger = Ledger(sessions_of(engine))
    writer = LedgerWriter(ledger, limit=3)
    before = TailRecord("p", 7, 8)
    writer.put(tail=before)
    task = asyncio.create_task(writer.run())
    await asyncio.wait_for(writer.settled(), 20)
    rows = [entry_record(number) for number in range(5)]
    writer.put(entries={row.entry_id: row for row in rows}, tail=TailRecord("p", 7, 900))
    writer.put(tail=TailRecord("p", 7, 1_000))
    await asyncio.wait_for(writer.settled(), 20)
    writer.close()
    await asyncio.wait_for(task, 20)
    assert writer.dropped == 2
    assert await ledger.tail("p") == before
