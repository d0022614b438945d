"""``hotline stats`` against rows counted by hand: classes, sums, days, with and without summer time."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.loading import load_site
from hotline.config.samples import path as sample
from hotline.config.schema import Site
from hotline.core.clock import ManualClock
from hotline.core.errors import UsageError
from hotline.core.events import Outcome
from hotline.core.figures import Dimension
from hotline.core.views import AgentDay
from hotline.metrics.cli import stats
from hotline.metrics.figures import LedgerFigures
from hotline.metrics.measures.calendar import moment
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import CallRecord, Changes, EntryRecord, Ledger
from tests.fixtures.migrated import upgrade

DAYS = [
    ("Asia/Shanghai", date(2026, 11, 2), 24),
    ("Europe/Berlin", date(2026, 3, 29), 23),  # the clock goes forward
    ("Europe/Berlin", date(2026, 10, 25), 25),  # and back
    ("America/Santiago", date(2026, 9, 6), 23),  # at midnight: the day begins at one o'clock
    ("Asia/Kathmandu", date(2026, 11, 2), 24),  # 5:45 from Greenwich
]
LINES = ("12345", "12315", "12358", "12333", "a line the site has no more")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(made)
    yield made
    await made.dispose()


def site_in(zone: str, folder: Path) -> Site:
    site = load_site(sample("demo"), {"HOTLINE_DATA_DIR": str(folder)})
    return site.model_copy(update={"site": site.site.model_copy(update={"timezone": zone})})


async def fill(engine: AsyncEngine, zone: str, day: date) -> None:
    """A row every ten minutes of three days, and on the borders of the middle one to the millisecond."""
    pick = random.Random(1)
    start = datetime.combine(day - timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
    moments = [start + timedelta(minutes=10 * number) for number in range(3 * 144)]
    for border in (day, day + timedelta(days=1)):
        midnight = datetime.combine(border, time(), ZoneInfo(zone)).astimezone(UTC)
        moments += [midnight + timedelta(milliseconds=offset) for offset in (-1, 0, 1)]
    entries = []
    for number, at in enumerate(moments):
        outcome = pick.choice([*Outcome, Outcome.ANSWERED, Outcome.ANSWERED, None])
        wait_ms, talk_ms = pick.choice((0, 14_999, 15_000, 15_001, 40_000)), pick.randrange(300_000)
        entries.append(
            EntryRecord(
                f"{number}",
                "n",
                f"{number}",
                "q",
                1,
                f"{number}",
                pick.choice(LINES),
                "live",
                at,
                1,
                outcome=outcome.value if outcome else None,
                wait_ms=wait_ms,
                talk_ms=talk_ms if outcome is Outcome.ANSWERED else 0,
            )
        )
    await Ledger(sessions_of(engine)).save(Changes(entries=entries))


def of_day(folder: Path, zone: str, day: date) -> list[tuple[str, str | None, int, int]]:
    """Line, class, wait and talk of the rows whose own local date is ``day``: read without our code."""
    database = sqlite3.connect(folder / "hotline.db")
    found = database.execute(
        "SELECT joined_at, line, outcome, wait_ms, talk_ms FROM queue_entries"
    ).fetchall()
    database.close()
    return [
        (line, outcome, wait_ms, talk_ms)
        for at, line, outcome, wait_ms, talk_ms in found
        if datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() == day
    ]


@pytest.mark.parametrize(("zone", "day", "hours"), DAYS)
async def test_a_days_figures_are_the_rows_of_that_day(
    engine: AsyncEngine, tmp_path: Path, zone: str, day: date, hours: int
) -> None:
    """Each class, the answers in time, the sums; children count to their parent; every row counts once."""
    await fill(engine, zone, day)
    site = site_in(zone, tmp_path)
    start, end = moment(site.zone, f"{day}"), moment(site.zone, f"{day}", end=True)
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)
    figures = {row["line"]: row for row in await stats(site, str(engine.url), start, end)}
    rows = of_day(tmp_path, zone, day)
    members = {line: {line} for line in LINES} | {"12315": {"12315", "12358"}, "total": set(LINES)}
    for name, lines in members.items():
        mine = [row for row in rows if row[0] in lines]
        classes = Counter(outcome for _, outcome, _, _ in mine)
        answered = [(wait_ms, talk_ms) for _, outcome, wait_ms, talk_ms in mine if outcome == "answered"]
        row = figures[name]
        assert {outcome: row[outcome.value] for outcome in Outcome} == {
            outcome: classes[outcome.value] for outcome in Outcome
        }
        assert (row["offered"], row["still_open"]) == (len(mine), classes[None])
        assert row["offered"] == sum(row[outcome.value] for outcome in Outcome) + row["still_open"]
        assert row["answered_within_15"] == sum(wait_ms <= 15_000 for wait_ms, _ in answered)
        assert row["wait_seconds_total"] == sum(wait_ms for wait_ms, _ in answered) / 1000
        assert row["talk_seconds_total"] == sum(talk_ms for _, talk_ms in answered) / 1000


@pytest.mark.parametrize(("zone", "day", "hours"), DAYS)
async def test_days_add_up_to_their_period(
    engine: AsyncEngine, tmp_path: Path, zone: str, day: date, hours: int
) -> None:
    """Three days by themselves and together hold the same rows: none twice, none between two days."""
    await fill(engine, zone, day)
    site = site_in(zone, tmp_path)
    first, last = day - timedelta(days=1), day + timedelta(days=1)
    days = [first, day, last]
    single = [await _total(site, engine, one, one) for one in days]
    together = await _total(site, engine, first, last)
    for name in ("offered", "still_open", *(outcome.value for outcome in Outcome)):
        assert together[name] == sum(one[name] for one in single)


async def _total(site: Site, engine: AsyncEngine, first: date, last: date) -> dict[str, int]:
    rows = await stats(
        site, str(engine.url), moment(site.zone, f"{first}"), moment(site.zone, f"{last}", end=True)
    )
    return rows[-1]


def test_moments_count_in_the_sites_zone_unless_they_name_another(tmp_path: Path) -> None:
    """A moment at the end is not included; a day is."""
    site = site_in("Asia/Shanghai", tmp_path)
    assert moment(site.zone, "2026-11-02T08:30").astimezone(UTC) == datetime(2026, 11, 2, 0, 30, tzinfo=UTC)
    assert moment(site.zone, "2026-11-02T08:30+00:00").astimezone(UTC) == datetime(
        2026, 11, 2, 8, 30, tzinfo=UTC
    )
    assert moment(site.zone, "2026-11-02", end=True).astimezone(UTC) == datetime(2026, 11, 2, 16, tzinfo=UTC)
    for wrong in ("yesterday", "2026-13-01", "9999-12-31", "2026-11-02T25:00"):
        with pytest.raises(UsageError, match="not a day or a moment"):
            moment(site.zone, wrong, end=True)


def test_an_empty_period_is_wrong_usage(tmp_path: Path) -> None:
    """The days the wrong way round are said, not counted as nothing."""
    site = site_in("Asia/Shanghai", tmp_path)
    start, end = moment(site.zone, "2026-11-03"), moment(site.zone, "2026-11-01", end=True)
    with pytest.raises(UsageError, match="period is empty"):
        asyncio.run(stats(site, f"sqlite+aiosqlite:///{tmp_path}/hotline.db", start, end))


async def test_languages_have_figures_of_their_own(engine: AsyncEngine, tmp_path: Path) -> None:
    """Rows from before languages were known stand under an empty one."""
    base = EntryRecord("1", "n", "u", "12345", 1, "u", "12345", "live", datetime(2026, 11, 2, 4, tzinfo=UTC))
    rows = [
        replace(base, entry_id=str(n), queue=str(n), language=said) for n, said in enumerate(("en", "en", ""))
    ]
    await Ledger(sessions_of(engine)).save(Changes(entries=rows))
    site = site_in("Asia/Shanghai", tmp_path)
    start, end = moment(site.zone, "2026-11-02"), moment(site.zone, "2026-11-02", end=True)
    found = await stats(site, str(engine.url), start, end, Dimension.LANGUAGE)
    assert {row["line"]: row["offered"] for row in found} == {"en": 2, "": 1, "total": 3}


async def test_queues_have_figures_of_their_own(engine: AsyncEngine, tmp_path: Path) -> None:
    """Ring, hold and wrap-up of answered rows, by queue; a call handed on is offered in the next one too."""
    base = EntryRecord("1", "n", "u", "12345", 1, "u", "12345", "live", datetime(2026, 11, 2, 4, tzinfo=UTC))
    first = replace(
        base, outcome="answered", wait_ms=4000, ring_ms=1500, talk_ms=60_000, hold_ms=12_250, wrap_up_ms=8000
    )
    second = replace(base, entry_id="2", queue="12333", outcome="abandoned", wait_ms=9000)
    await Ledger(sessions_of(engine)).save(Changes(entries=[first, second]))
    site = site_in("Asia/Shanghai", tmp_path)
    start, end = moment(site.zone, "2026-11-02"), moment(site.zone, "2026-11-02", end=True)
    figures = {row["line"]: row for row in await stats(site, str(engine.url), start, end, Dimension.QUEUE)}
    own = figures["12345"]
    assert (own["offered"], own["ring_seconds_total"], own["hold_seconds_total"]) == (1, 1.5, 12.25)
    assert (own["wrap_up_seconds_total"], own["aht_seconds"]) == (8.0, 68.0)
    assert (figures["12333"]["abandoned"], figures["12333"]["aht_seconds"]) == (1, None)
    assert figures["total"]["offered"] == 2 and figures["12315"]["offered"] == 0


async def test_menu_time_counts_once_a_call(engine: AsyncEngine, tmp_path: Path) -> None:
    """With the first wait, whatever came of it; a call handed on does not bring it along."""
    at = datetime(2026, 11, 2, 4, tzinfo=UTC)
    call = CallRecord("u", "n", "12345", "12345", "138", "", at, None, "", None, 9500, False)
    first = EntryRecord("1", "n", "u", "12345", 1, "u", "12345", "live", at, outcome="key_exit")
    second = replace(
        first, entry_id="2", queue="12333", joined_at=at + timedelta(seconds=5), outcome="answered"
    )
    await Ledger(sessions_of(engine)).save(Changes(calls=[call], entries=[first, second]))
    site = site_in("Asia/Shanghai", tmp_path)
    start, end = moment(site.zone, "2026-11-02"), moment(site.zone, "2026-11-02", end=True)
    figures = {row["line"]: row for row in await stats(site, str(engine.url), start, end, Dimension.QUEUE)}
    times = {name: row["menu_seconds_total"] for name, row in figures.items()}
    assert (times["12345"], times["12333"], times["total"]) == (9.5, 0.0, 9.5)


async def test_todays_calls_by_agent(engine: AsyncEngine, tmp_path: Path) -> None:
    """Answered ones from midnight of the site's zone on; a talk that goes on counts as answered only."""
    clock = ManualClock(datetime(2026, 11, 2, 4, tzinfo=UTC))
    figures = LedgerFigures(site_in("Asia/Shanghai", tmp_path), sessions_of(engine), clock)
    midnight = datetime(2026, 11, 1, 16, tzinfo=UTC)
    rows = [
        ("1001", timedelta(), 60_000, True),
        ("1001", timedelta(hours=1), 90_500, True),
        ("1001", timedelta(hours=2), 0, False),
        ("1002", timedelta(milliseconds=-1), 60_000, True),
        ("1003", timedelta(hours=3), 0, False),
    ]
    entries = [
        EntryRecord(
            f"{number}", "n", f"{number}", "q", 1, f"{number}", "12345", "live", midnight + after,
            agent=agent, outcome="answered", talk_ms=talk_ms, closed_at=clock.now() if over else None,
        )
        for number, (agent, after, talk_ms, over) in enumerate(rows)
    ]  # fmt: skip
    await Ledger(sessions_of(engine)).save(Changes(entries=entries))
    today = sorted(await figures.agents_today(), key=lambda one: one.agent)
    assert today == [AgentDay("1001", 3, 150.5, 75.25), AgentDay("1003", 1, 0.0, None)]
    await Ledger(sessions_of(engine)).save(Changes(entries=[replace(entries[3], joined_at=midnight)]))
    assert len(await figures.agents_today()) == 2, "asked again at once"
    clock.advance(6)
    assert len(await figures.agents_today()) == 3
