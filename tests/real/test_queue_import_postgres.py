"""``hotline queue-log import`` into a real PostgreSQL."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

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


FAILING = (
    "CREATE SEQUENCE tries",
    """CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF nextval('tries') <= 2 THEN RAISE 'for now' USING ERRCODE = '{code}'; END IF; RETURN NEW;
       END $$""",
    "CREATE TRIGGER failing BEFORE INSERT ON calls FOR EACH STATEMENT EXECUTE FUNCTION fail()",
)
"""The first two saves fail with an error of PostgreSQL's own; a sequence is not rolled back."""


@pytest.mark.parametrize("code", ["deadlock_detected", "disk_full"])
async def test_an_import_outlasts_what_passes(postgres_url: str, tmp_path: Path, code: str) -> None:
    """A deadlock with a server, a disk that is full for a moment: tried again, nothing is missing."""
    log = BelievableLog(2, ("12345", "12315"), 50)
    (tmp_path / "queue_log").write_text("".join(log.lines()), encoding="utf-8")
    site = load_site(sample("demo"), {"HOTLINE_DATA_DIR": str(tmp_path)})
    engine = open_engine(postgres_url)
    try:
        await upgrade(engine)
        async with engine.begin() as connection:
            for statement in FAILING:
                await connection.execute(text(statement.replace("{code}", code)))
        work = LogImport(site, "old", Ledger(sessions_of(engine)), SystemClock(), print, lambda _: None)
        await work.run(in_order([tmp_path / "queue_log"]))
        async with engine.connect() as connection:
            rows = await connection.scalar(text("SELECT count(*) FROM queue_entries"))
            tries = await connection.scalar(text("SELECT last_value FROM tries"))
        assert rows == log.truth.rows.total() and tries > 2
    finally:
        await engine.dispose()
