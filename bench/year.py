"""Figures over a year of a big city, by the rollups beside a scan of the rows.

    python -m bench.year [--calls 9000000] [--only sqlite|postgresql] [--rounds 3] [--folder DIR]

A year is made up (``year_data.py``) and written past the product; then the product sums it up and
answers what a month report and the usual charts ask. Both sides go through the product's own ``Answers`` and
must give the same figures: once with the rollups, once counting the rows alone, which is an SQL statement
with a GROUP BY for each table and period (a scan is run once, the rollups ``--rounds`` times; shown are
medians). Nine million calls take some 15 GB, and an hour or more.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.common import head, machine, row
from bench.year_data import COLUMNS, DAYS, START, TABLES, year
from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.config.schema import Site
from hotline.core.clock import ManualClock
from hotline.core.figures import Comparison, Dimension, FigureAnswer, FigureQuestion, Grain
from hotline.metrics.measures.answering import Answers
from hotline.metrics.measures.summing import calendar_of, counting_of
from hotline.store.counting import Counting
from hotline.store.database import open_engine, sessions_of
from hotline.store.migrate import upgrade
from hotline.store.rolled import Span
from hotline.store.rollups import Rollups, Row
from tests.fixtures.postgres import fresh_database, running_cluster

END: Final = START + timedelta(days=DAYS)
NOW: Final = END + timedelta(hours=1)
OCTOBER: Final = (datetime(2025, 9, 30, 16, tzinfo=UTC), datetime(2025, 10, 31, 16, tzinfo=UTC))
WEEK: Final = (datetime(2025, 10, 12, 16, tzinfo=UTC), datetime(2025, 10, 19, 16, tzinfo=UTC))
YEAR: Final = (START, END)

BOTH: Final = tuple(Comparison)
REPORT: Final = ("calls", "offered", "answered", "answer_rate", "within_rate", "asa", "aht", "machine_served")
"""What a month report asks by line, each beside the month before and the year before."""

CHARTS: Final = (
    ("answer rate of the year by day", FigureQuestion("answer_rate", *YEAR, Grain.DAY)),
    ("answered by line and month", FigureQuestion("answered", *YEAR, Grain.MONTH, Dimension.LINE)),
    ("15 s rate by queue and week", FigureQuestion("within_rate", *YEAR, Grain.WEEK, Dimension.QUEUE)),
    ("offered of October by hour", FigureQuestion("offered", *OCTOBER, Grain.HOUR)),
    ("offered of a week by quarter hour", FigureQuestion("offered", *WEEK, Grain.QUARTER_HOUR)),
    ("calls of the year, beside others", FigureQuestion("calls", *YEAR, Grain.MONTH, compare=BOTH)),
    ("handling time by agent, October", FigureQuestion("aht", *OCTOBER, None, Dimension.AGENT)),
    (
        "an agent's answered of the year by day",
        FigureQuestion("answered", *YEAR, Grain.DAY, None, {Dimension.AGENT: "1042"}),
    ),
    ("occupancy of the year by week", FigureQuestion("occupancy", *YEAR, Grain.WEEK)),
    ("occupancy by agent, October", FigureQuestion("occupancy", *OCTOBER, None, Dimension.AGENT)),
)


@dataclass(frozen=True, slots=True)
class Timed:
    """What came of something, and how long it took."""

    seconds: float
    answers: Sequence[FigureAnswer]


Asking = Callable[[], Awaitable[Sequence[FigureAnswer]]]


def fill_sqlite(path: Path, site: Site, calls: int) -> None:
    """Write the year with sqlite3 itself; the triggers, which would mark each row, are away meanwhile."""
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in found:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("PRAGMA synchronous=OFF")
        for number, day in enumerate(year(site, calls)):
            for kind, names in COLUMNS.items():
                marks = ", ".join("?" * len(names))
                columns = ", ".join(names)
                rows = [tuple(map(_as_text, one)) for one in getattr(day, kind)]
                database.executemany(f"INSERT INTO {TABLES[kind]} ({columns}) VALUES ({marks})", rows)  # noqa: S608
            if number % 30 == 0:
                database.commit()
        for _, statement in found:
            database.execute(statement)
        database.execute("ANALYZE")
        database.commit()


def _as_text(value: Any) -> Any:
    """A moment as SQLAlchemy writes it for SQLite."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


async def fill_postgresql(engine: AsyncEngine, site: Site, calls: int) -> None:
    """Write the year with COPY, likewise."""
    triggered = [table for kind, table in TABLES.items() if kind != "points"]
    async with engine.begin() as connection:
        for table in triggered:
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        raw: Any = (await connection.get_raw_connection()).driver_connection
        for day in year(site, calls):
            for kind, names in COLUMNS.items():
                await raw.copy_records_to_table(TABLES[kind], records=getattr(day, kind), columns=names)
        for table in triggered:
            await connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    async with engine.connect() as connection:
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE"))


async def sum_up(rollups: Rollups) -> None:
    """Have every day summed up, and say how long that took."""
    days: list[float] = []
    writes: list[float] = []
    write = rollups.write

    async def timed(span: Span, token: int, quarters: list[Row], agents: list[Row]) -> bool:
        began = time.perf_counter()
        done = await write(span, token, quarters, agents)
        writes.append(time.perf_counter() - began)
        return done

    rollups.write = timed  # type: ignore[method-assign]  # to see how long SQLite's other writers wait
    while True:
        began = time.perf_counter()
        day = await rollups.next_day(NOW)
        if day is None:
            break
        assert await rollups.roll(day, NOW)
        days.append(time.perf_counter() - began)
    print(
        f"{len(days)} days summed up in {sum(days):.0f} s: a day {statistics.median(days) * 1000:.0f} ms, of"
        f" which the last step, in which others wait to write, {statistics.median(writes) * 1000:.0f} ms"
        f" (longest {max(writes) * 1000:.0f})\n",
        flush=True,
    )


async def timed(work: Asking, rounds: int) -> Timed:
    """The median of some rounds."""
    times, found = [], None
    for _ in range(rounds):
        began = time.perf_counter()
        found = await work()
        times.append(time.perf_counter() - began)
    return Timed(statistics.median(times), found or ())


def asking(
    answers: Answers, questions: Sequence[FigureQuestion]
) -> Callable[[], Awaitable[list[FigureAnswer]]]:
    """Ask them one after the other."""

    async def ask() -> list[FigureAnswer]:
        return [await answers.answer(question) for question in questions]

    return ask


async def measure(name: str, engine: AsyncEngine, site: Site, rounds: int) -> None:
    """Sum up, and ask everything on both sides."""
    sessions, clock = sessions_of(engine), ManualClock(NOW)
    await sum_up(Rollups(sessions, calendar_of(site)))
    rolled = Answers(site, counting_of(site, sessions), clock)
    scanned = Answers(site, Counting(sessions, None), clock)
    report = [FigureQuestion(one, *OCTOBER, None, Dimension.LINE, compare=BOTH) for one in REPORT]
    head(name, "rollups s", "rows s", "ratio", "equal")
    for what, questions in (
        (f"month report: {len(REPORT)} measures by line, compared", report),
        *((what, [question]) for what, question in CHARTS),
    ):
        ours = await timed(asking(rolled, questions), rounds)
        theirs = await timed(asking(scanned, questions), 1)
        equal = "yes" if ours.answers == theirs.answers else "NO"
        ratio = f"{theirs.seconds / ours.seconds:.0f}"
        row(what, f"{ours.seconds:.3f}", f"{theirs.seconds:.2f}", ratio, equal)
        assert ours.answers == theirs.answers, what
    print()


async def main() -> None:
    """Both databases, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=9_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--folder", type=Path, help="where the SQLite file is made")
    given = parser.parse_args()
    machine()
    site = load_site(sample("full"))
    if given.only != "postgresql":
        with TemporaryDirectory(dir=given.folder) as folder:
            await _on_sqlite(Path(folder) / "year.db", site, given)
    if given.only != "sqlite":
        with running_cluster() as cluster:
            await _on_postgresql(await asyncio.to_thread(fresh_database, cluster), site, given)


async def _on_sqlite(path: Path, site: Site, given: argparse.Namespace) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{path}")
    try:
        await upgrade(engine)
        began = time.perf_counter()
        await asyncio.to_thread(fill_sqlite, path, site, given.calls)
        size = await asyncio.to_thread(lambda: path.stat().st_size)
        _filled("sqlite", began, size)
        await measure("sqlite", engine, site, given.rounds)
    finally:
        await engine.dispose()


async def _on_postgresql(url: str, site: Site, given: argparse.Namespace) -> None:
    engine = open_engine(url)
    try:
        await upgrade(engine)
        began = time.perf_counter()
        await fill_postgresql(engine, site, given.calls)
        async with engine.connect() as connection:
            size = await connection.scalar(text("SELECT pg_database_size(current_database())"))
        _filled("postgresql", began, size or 0)
        await measure("postgresql", engine, site, given.rounds)
    finally:
        await engine.dispose()


def _filled(name: str, began: float, size_bytes: int) -> None:
    print(f"{name}: filled in {time.perf_counter() - began:.0f} s, {size_bytes / 1e9:.2f} GB", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
