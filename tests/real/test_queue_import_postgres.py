"""``hotline queue-log import`` into a real PostgreSQL."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.core.clock import SystemClock
from hotline.queue.queue_log.files import in_order
from hotline.queue.queue_log.importing import LogImport
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import Ledger
from hotline.store.migrate import upgrade
from hotline.store.models import Call, QueueEntry
from tests.fixtures.believable_log import BelievableLog
from tests.fixtures.postgres import postgres_cluster, postgres_url

__all__ = ["postgres_cluster", "postgres_url"]
pytestmark = pytest.mark.real


async def test_rows_on_postgresql_are_what_the_callers_did(postgres_url: str, tmp_path: Path) -> None:
    """Imported once, and again from the start: every row there once, by queue and class."""
    log = BelievableLog(1, ("12345", "12315"), 3000, shuffled=True)
    (tmp_path / "queue_log").write_text("".join(log.lines()), encoding="utf-8")
    site = load_site(sample("demo"), {"HOTLINE_DATA_DIR": str(tmp_path)})
    engine = open_engine(postgres_url)
    try:
        await upgrade(engine)
        sessions = sessions_of(engine)
        for _ in range(2):
            work = LogImport(site, "old", Ledger(sessions), SystemClock(), print, lambda _: None)
            summary = await work.run(in_order([tmp_path / "queue_log"]), anew=True)
            assert summary.entries == log.truth.rows.total()
        async with sessions() as session:
            counted = select(QueueEntry.queue, QueueEntry.outcome, func.count()).group_by(
                QueueEntry.queue, QueueEntry.outcome
            )
            found = {(queue, outcome): rows for queue, outcome, rows in await session.execute(counted)}
            assert Counter(found) == log.truth.rows
            assert await session.scalar(select(func.count()).select_from(Call)) == log.truth.calls
    finally:
        await engine.dispose()
