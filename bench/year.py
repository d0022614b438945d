"""Figures over a year of a big city, by the sums that the server keeps beside a scan of the rows.

    python -m bench.year [--calls 9000000] [--only sqlite|postgresql] [--rounds 3] [--folder DIR]
                         [--database URL] [--no-scan]

A year is made up (``year_data.py``) and written past the product (``year_fill.py``); then the product sums
it up and makes a month report and whatever charts the history page can ask for (``year_asks.py``). Both sides
go through the product's own code and must say the same: once with the sums, once counting the rows alone,
which is an SQL statement with a GROUP BY for each table and period (a scan is run once, the sums ``--rounds``
times; shown are medians). ``--database`` names a database of one's own, which is filled if it is empty, and
kept; without it nothing is left. Nine million calls take some 15 GB.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.common import head, machine, row
from bench.year_asks import CHARTS, NOW, Chart, every_chart, looked_at
from bench.year_data import DAYS, city_site, year
from bench.year_fill import fill_postgresql, fill_sqlite
from hotline.config.loading import load_site
from hotline.config.schema import Site
from hotline.core.clock import ManualClock
from hotline.core.errors import UsageError
from hotline.metrics.measures.answering import Answers
from hotline.metrics.measures.summing import calendar_of, counting_of
from hotline.metrics.report.data import Span as ReportSpan
from hotline.metrics.report.gather import Gathering
from hotline.metrics.report.periods import period_of
from hotline.store.cells import ROLLED_DAYS
from hotline.store.counting import Counting
from hotline.store.database import open_engine, sessions_of
from hotline.store.migrate import upgrade
from hotline.store.models import Call
from hotline.store.rolled import Span
from hotline.store.rollups import Rollups, Row
from tests.fixtures.postgres import fresh_database, running_cluster

MONTH: Final = period_of(ReportSpan.MONTH, "2025-10")
FORMATS: Final = ("html", "docx", "xlsx", "pdf", "json")
T = TypeVar("T")
LIMIT_SECONDS: Final = 1.0  # of a chart


async def sum_up(rollups: Rollups) -> None:
    """Have every day summed up, and say how long that took."""
    days: list[float] = []
    writes: list[float] = []
    write = rollups.write

    async def timed_write(
        span: Span, token: int, quarters: list[Row], agents: list[Row], points: list[Row]
    ) -> bool:
        began = time.perf_counter()
        done = await write(span, token, quarters, agents, points)
        writes.append(time.perf_counter() - began)
        return done

    rollups.write = timed_write  # type: ignore[method-assign]  # to see how long SQLite's other writers wait
    while True:
        began = time.perf_counter()
        day = await rollups.next_day(NOW)
        if day is None:
            break
        assert await rollups.roll(day, NOW)
        days.append(time.perf_counter() - began)
    months: list[float] = []
    while (month := await rollups.next_month(NOW)) is not None:
        began = time.perf_counter()
        assert await rollups.roll_month(month)
        months.append(time.perf_counter() - began)
    if months:
        print(f"{len(months)} months of agents summed up, each in {statistics.median(months) * 1000:.0f} ms")
    if days:
        day_ms, write_ms = (statistics.median(one) * 1000 for one in (days, writes))
        print(
            f"{len(days)} days summed up in {sum(days):.0f} s: a day {day_ms:.0f} ms, of which the last step,"
            f" in which others wait to write, {write_ms:.0f} ms (longest {max(writes) * 1000:.0f})\n",
            flush=True,
        )


@dataclass(frozen=True, slots=True)
class Took(Generic[T]):
    """What came of something, how long it took, and how much processor time our own process did."""

    seconds: float
    processor_seconds: float
    found: T


async def timed(work: Callable[[], Awaitable[T]], rounds: int = 1) -> Took[T]:
    """The median of some rounds, and what came of the last."""
    times, processor_times = [], []
    for _ in range(max(1, rounds)):
        began, processor_began = time.perf_counter(), time.process_time()
        found = await work()
        times.append(time.perf_counter() - began)
        processor_times.append(time.process_time() - processor_began)
    return Took(statistics.median(times), statistics.median(processor_times), found)


@asynccontextmanager
async def without_sums(engine: AsyncEngine) -> AsyncIterator[None]:
    """As if no day was summed up."""

    async def put(fingerprint: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(update(ROLLED_DAYS).values(fingerprint=fingerprint))

    async with engine.connect() as connection:
        (kept,) = set(await connection.scalars(select(ROLLED_DAYS.c.fingerprint)))
    await put("away")
    try:
        yield
    finally:
        await put(kept)


async def compare(engine: AsyncEngine, site: Site, rounds: int, name: str) -> None:
    """The month report and some charts on both sides."""
    sessions, clock = sessions_of(engine), ManualClock(NOW)
    rolled = Answers(site, counting_of(site, sessions), clock)
    scanned = Answers(site, Counting(sessions, None), clock)
    head(name, "sums s", "processor s", "rows s", "processor s", "ratio", "equal")

    async def report() -> Any:
        return await Gathering(site, sessions, clock).of(MONTH)

    ours = await timed(report, rounds)
    async with without_sums(engine):
        theirs = await timed(report)
    _beside("month report: all its figures", ours, theirs)
    for chart in CHARTS:
        ours = await timed(lambda chart=chart: looked_at(rolled, chart), rounds)  # type: ignore[misc]
        theirs = await timed(lambda chart=chart: looked_at(scanned, chart))  # type: ignore[misc]
        _beside(chart.name, ours, theirs)
    print()


def _beside(what: str, ours: Took[Any], theirs: Took[Any]) -> None:
    equal, ratio = ours.found == theirs.found, theirs.seconds / ours.seconds
    row(
        what, f"{ours.seconds:.3f}", f"{ours.processor_seconds:.3f}", f"{theirs.seconds:.2f}",
        f"{theirs.processor_seconds:.2f}", f"{ratio:.{0 if ratio >= 10 else 1}f}", "yes" if equal else "NO",
    )  # fmt: skip
    assert equal, what


async def sweep(engine: AsyncEngine, site: Site, name: str) -> None:
    """Every kind of chart that the history page can ask for, by the sums: the slowest of each kind."""
    answers = Answers(site, counting_of(site, sessions_of(engine)), ManualClock(NOW))
    found: dict[tuple[str, str], tuple[Took[Any], Chart]] = {}
    asked = refused = over = 0
    for chart in every_chart():
        try:
            took = await timed(lambda chart=chart: looked_at(answers, chart))  # type: ignore[misc]
        except UsageError:
            refused += 1  # not known by that, or more figures than one answer holds
            continue
        asked, over = asked + 1, over + (took.seconds > LIMIT_SECONDS)
        key = (chart.by, chart.grain)
        if key not in found or took.seconds > found[key][0].seconds:
            found[key] = took, chart
    head(f"{name}: by", "grain", "slowest chart", "s", "processor s")
    for (by, grain), (took, chart) in found.items():
        row(by, grain, chart.name, f"{took.seconds:.2f}", f"{took.processor_seconds:.2f}")
    print(
        f"\n{asked} charts asked, {over} took over {LIMIT_SECONDS:.0f} s; {refused} are not to be asked\n",
        flush=True,
    )


async def command(file: Path, name: str) -> None:
    """``hotline report month`` as a person types it: the whole process, each format by itself."""
    for form in FORMATS:
        out = file.parent / f"report.{form}"
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("hotline")), "report", "month", MONTH.name,
            "--site", str(file), "--out", str(out), stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        code = await process.wait()
        print(
            f"{name}: hotline report month --out .{form}: {time.perf_counter() - began:.2f} s (code {code})",
            flush=True,
        )


async def measure(url: str, folder: Path, given: argparse.Namespace) -> None:
    """Fill a database if it is empty, have it summed up, and ask."""
    file = city_site(folder, url)
    site, engine = load_site(file), open_engine(url)
    name = engine.dialect.name
    try:
        await upgrade(engine)
        if await _calls(engine) == 0:
            began = time.perf_counter()
            days = year(site, given.calls, first=given.first_day, number=given.days)
            if name == "sqlite":
                await engine.dispose()
                await asyncio.to_thread(fill_sqlite, Path(engine.url.database or ""), days)
            else:
                await fill_postgresql(engine, days)
            print(f"{name}: filled in {time.perf_counter() - began:.0f} s", flush=True)
        await sum_up(Rollups(sessions_of(engine), calendar_of(site)))
        calls, size = await _calls(engine), await _size_bytes(engine) / 1e9
        print(f"{name}: {calls:,} calls, {size:.2f} GB, load average {os.getloadavg()[0]:.1f}\n", flush=True)
        await command(file, name)
        if given.scan:
            await compare(engine, site, given.rounds, name)
        if given.sweep:
            await sweep(engine, site, name)
    finally:
        await engine.dispose()


async def _calls(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(Call)) or 0


async def _size_bytes(engine: AsyncEngine) -> int:
    if engine.dialect.name == "sqlite":
        file = Path(engine.url.database or "")
        return await asyncio.to_thread(lambda: file.stat().st_size)
    async with engine.connect() as connection:
        return await connection.scalar(text("SELECT pg_database_size(current_database())")) or 0


async def main() -> None:
    """Both databases, one after the other, or the one that is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=9_000_000)
    parser.add_argument("--first-day", type=int, default=0, help="of those that are made, from 0")
    parser.add_argument("--days", type=int, default=DAYS, help="that are made, as dense as the year")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--folder", type=Path, help="where the SQLite file is made")
    parser.add_argument("--database", help="its address, as a site file has it")
    parser.add_argument("--no-sweep", dest="sweep", action="store_false", help="the charts by name alone")
    parser.add_argument("--no-scan", dest="scan", action="store_false", help="the sums alone")
    given = parser.parse_args()
    machine()
    with TemporaryDirectory(dir=given.folder) as made:
        folder = Path(made)
        if given.database is not None:
            await measure(given.database, folder, given)
            return
        if given.only != "postgresql":
            await measure(f"sqlite+aiosqlite:///{folder / 'year.db'}", folder, given)
        if given.only != "sqlite":
            with running_cluster() as cluster:
                await measure(await asyncio.to_thread(fresh_database, cluster), folder, given)


if __name__ == "__main__":
    asyncio.run(main())
