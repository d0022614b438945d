"""The shift book and ``hotline shifts`` on a real database, with a roster that changes under them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from hotline.config.schema import Agent, Line, Queue, Site
from hotline.config.shifts import Shift
from hotline.core.clock import ManualClock
from hotline.core.errors import UsageError
from hotline.core.events import AgentState
from hotline.queue.agents.shifts import ShiftBook
from hotline.queue.agents.shifts_cli import shifts_command
from hotline.store.database import open_engine, sessions_of
from hotline.store.ledger import Changes, IntervalRecord, Ledger
from tests.fixtures.migrated import upgrade

ZONE = ZoneInfo("Asia/Shanghai")


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def site_of(folder: Path) -> Site:
    """A day shift for 1001, a night shift for 1002, nobody expects 1003."""
    return Site(
        data_dir=folder,
        lines=(Line(id="12345", name="热线", dids=("12345",)),),
        queues=(Queue(name="12345", title="综合"),),
        agents=tuple(Agent(id=one, name=one, extension=one) for one in ("1001", "1002", "1003")),
        shifts=(
            Shift.model_validate({"name": "早", "agents": ["1001"], "starts": "08:00", "ends": "16:00"}),
            Shift.model_validate({"name": "夜", "agents": ["1002"], "starts": "22:00", "ends": "6:00"}),
        ),
        roster=folder / "排班.csv",
    )


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncEngine:
    """A database in which 1001 came at 8:30 and 1002 stayed all night until 5."""
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(engine)
    rows = [
        IntervalRecord("1001", "signed_out", "", local(1, 12), local(2, 8, 30)),
        IntervalRecord("1001", "ready", "", local(2, 8, 30)),
        IntervalRecord("1002", "ready", "", local(1, 21), local(2, 5)),
        IntervalRecord("1002", "signed_out", "", local(2, 5)),
    ]
    await Ledger(sessions_of(engine)).save(Changes(intervals=rows))
    return engine


async def test_the_board_of_the_moment_with_last_nights_shift(tmp_path: Path, engine: AsyncEngine) -> None:
    """At ten: who is late, who left the night shift early; the roster's word counts from the next look on."""
    site, clock = site_of(tmp_path), ManualClock(wall=local(2, 10))
    book = ShiftBook(site, Ledger(sessions_of(engine)), clock)
    try:
        view = await book.now()
        assert "only the site file's shifts count" in view.problems[0]
        first, second = view.rows
        assert (first.agent, first.due, first.present, first.adherence) == ("1001", True, True, 0.75)
        assert first.late_seconds == 1800 and first.state is AgentState.READY
        assert (second.due, second.present, second.adherence) == (False, False, 0.875)
        assert [one.starts for one in second.planned] == [local(1, 22), local(2, 22)]
        assert site.roster is not None
        site.roster.write_text("date,agent,from,to\n2026-11-02,1001,,\n2026-11-02,1003,9:00,10:00\n")
        view = await book.now()
        assert view.problems == ()
        assert [(row.agent, row.adherence) for row in view.rows] == [
            ("1001", None), ("1002", 0.875), ("1003", 0.0),
        ]  # fmt: skip
    finally:
        await engine.dispose()


def test_the_command_shows_a_day_that_is_over(tmp_path: Path) -> None:
    """Only the shifts that began on it, to their ends; a wrong day is refused in words."""

    async def prepare() -> None:
        engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
        await upgrade(engine)
        row = IntervalRecord("1002", "ready", "", local(1, 23), local(2, 6) + timedelta(minutes=5))
        await Ledger(sessions_of(engine)).save(Changes(intervals=[row]))
        await engine.dispose()

    asyncio.run(prepare())
    app = typer.Typer()
    app.command("shifts")(
        shifts_command(
            lambda path: (site_of(tmp_path), open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db"))
        )
    )
    (tmp_path / "排班.csv").write_text("date,agent,from,to\n2026-11-01,1001,,\n")
    command = ["--site", "site.yaml", "--date", "2026-11-01"]
    shown = CliRunner().invoke(app, [*command, "--format", "json"])
    assert json.loads(shown.stdout) == [
        {
            "agent": "1002", "name": "1002", "due": False, "present": True, "state": "ready",
            "planned": [{"from": "2026-11-01T22:00+08:00", "to": "2026-11-02T06:00+08:00"}],
            "adherence": 0.875, "late_seconds": 3600,
        }
    ]  # fmt: skip
    table = CliRunner().invoke(app, command).stdout
    assert "22:00-06:00" in table and "87.50%" in table
    wrong = CliRunner().invoke(app, ["--site", "site.yaml", "--date", "yesterday"])
    assert isinstance(wrong.exception, UsageError)
