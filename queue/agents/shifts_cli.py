"""``hotline shifts``: who should be here on a day, and who was.

``server/`` knows how to get from a site file to a database, so it hands that in and registers the result.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.cli import Format, OutputFormat
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UsageError
from hotline.core.views import ShiftRow, ShiftView
from hotline.queue.agents.shifts import ShiftBook
from hotline.store.database import sessions_of
from hotline.store.ledger import Ledger
from hotline.store.migrate import upgrade

OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""


def shifts_command(open_site: OpenSite) -> Callable[..., None]:
    """The command. Errors are raised as HotlineError for the command line's own handler."""

    def shifts(
        site: Annotated[Path, typer.Option("--site", help="The site file (YAML).")],
        day: Annotated[
            str | None, typer.Option("--date", help="A day, as 2026-11-02; today if absent.")
        ] = None,
        output: Format = OutputFormat.TEXT,
    ) -> None:
        """Who should be here on a day, who was, and for how much of it."""
        on = _day(day)
        here, engine = open_site(site)
        view = asyncio.run(_look(here, engine, on))
        for problem in view.problems:
            typer.echo(problem, err=True)
        rows = [_row(row, here.zone) for row in view.rows]
        if output is OutputFormat.JSON:
            typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        else:
            _print(rows)

    return shifts


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise UsageError(f"not a day: {text}", hint="write 2026-11-02") from None


async def _look(site: Site, engine: AsyncEngine, day: date | None) -> ShiftView:
    clock = SystemClock()
    try:
        await upgrade(engine)
        book = ShiftBook(site, Ledger(sessions_of(engine)), clock)
        return await book.of(day or clock.now().astimezone(site.zone).date())
    finally:
        await engine.dispose()


def _row(row: ShiftRow, zone: ZoneInfo) -> dict[str, Any]:
    planned = [
        {
            "from": one.starts.astimezone(zone).isoformat(timespec="minutes"),
            "to": one.ends.astimezone(zone).isoformat(timespec="minutes"),
        }
        for one in row.planned
    ]
    return {
        "agent": row.agent,
        "name": row.name,
        "planned": planned,
        "due": row.due,
        "present": row.present,
        "state": row.state.value,
        "adherence": row.adherence,
        "late_seconds": round(row.late_seconds),
    }


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(caption="adherence = time present in the shifts / time of the shifts so far")
    for name in ("agent", "name", "planned", "due", "present", "state", "adherence", "late_seconds"):
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _cell(name: str, value: Any) -> str:
    if name == "planned":
        return " ".join(f"{one['from'][11:16]}-{one['to'][11:16]}" for one in value)
    if name == "adherence":
        return "—" if value is None else f"{value:.2%}"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
