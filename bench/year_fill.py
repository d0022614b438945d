"""Writing a made-up year past the product, as fast as the databases take it.

Indexes and triggers are away meanwhile and made again afterwards, word for word: what is then measured is the
database as the product's own migrations leave it.
"""

from __future__ import annotations

import csv
import io
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.year_data import KINDS, DayRows

MAY_BE_EMPTY: Final = ("caller_name", "menu_path", "reason", "language")  # which CSV cannot tell from NULL
DAYS_AT_ONCE: Final = 30


def fill_sqlite(path: Path, days: Iterable[DayRows]) -> None:
    """With sqlite3 itself, without a journal."""
    tables = ", ".join(f"'{kind.table}'" for kind in KINDS)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        query = f"SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ({tables})"  # noqa: S608
        away = [one for one in database.execute(query) if one[0] in ("trigger", "index")]
        for kind, name, _ in away:
            database.execute(f"DROP {kind} {name}")
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=FILE"):
            database.execute(f"PRAGMA {pragma}")
        told = _Told()
        database.execute("BEGIN")
        for number, day in enumerate(days):
            for kind_of in KINDS:
                columns, marks = ", ".join(kind_of.columns), ", ".join("?" * len(kind_of.columns))
                into = f"INSERT INTO {kind_of.table} ({columns}) VALUES ({marks})"  # noqa: S608
                told.rows += database.executemany(into, day[kind_of.table]).rowcount
            if number % DAYS_AT_ONCE == DAYS_AT_ONCE - 1:
                database.execute("COMMIT")
                told.so_far(number + 1)
                database.execute("BEGIN")
        database.execute("COMMIT")
        told.so_far(number + 1)
        for _, _, statement in sorted(away):  # indexes first
            database.execute(statement)
        told.indexed()
        database.execute("PRAGMA journal_mode=WAL")


async def fill_postgresql(engine: AsyncEngine, days: Iterable[DayRows]) -> None:
    """With COPY, in one transaction."""
    told = _Told()
    async with engine.begin() as connection:
        for setting in ("TIME ZONE 'UTC'", "maintenance_work_mem = '1GB'"):
            await connection.execute(text(f"SET LOCAL {setting}"))
        names = [kind.table for kind in KINDS]
        found = await connection.execute(
            text(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(:names)"
                " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
            ),
            {"names": names},
        )
        indexes = [tuple(one) for one in found]
        for name, _ in indexes:
            await connection.execute(text(f"DROP INDEX {name}"))
        for name in names:
            await connection.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
        raw: Any = (await connection.get_raw_connection()).driver_connection
        for number, day in enumerate(days):
            for kind in KINDS:
                written = io.StringIO()
                csv.writer(written).writerows(day[kind.table])
                done = await raw.copy_to_table(
                    kind.table, source=io.BytesIO(written.getvalue().encode()), columns=kind.columns,
                    format="csv", force_not_null=[one for one in kind.columns if one in MAY_BE_EMPTY] or None,
                )  # fmt: skip
                told.rows += int(done.split()[-1])
            if number % DAYS_AT_ONCE == DAYS_AT_ONCE - 1:
                told.so_far(number + 1)
        told.so_far(number + 1)
        for _, statement in indexes:
            await connection.execute(text(statement))
        for name in names:
            await connection.execute(text(f"ALTER TABLE {name} ENABLE TRIGGER USER"))
    async with engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE"))  # as autovacuum does in time
    told.indexed()


class _Told:
    """How far it has come."""

    def __init__(self) -> None:
        self.rows, self._began, self._filled_seconds = 0, time.perf_counter(), 0.0

    def so_far(self, days: int) -> None:
        self._filled_seconds = time.perf_counter() - self._began
        rate = self.rows / self._filled_seconds
        print(f"{days} days: {self.rows:,} rows, {rate:,.0f} rows/s", flush=True)

    def indexed(self) -> None:
        seconds = time.perf_counter() - self._began - self._filled_seconds
        print(f"indexes and the like: {seconds:.0f} s", flush=True)
