"""``hotline queue-log import``: history of another system, from its queue_log.

``server/`` knows how to get from a site file to a database, so it hands that in and registers the result.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.cli import Format, OutputFormat
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UsageError
from hotline.queue.queue_log.files import LogFile, in_order
from hotline.queue.queue_log.importing import LogImport, Summary
from hotline.store.database import sessions_of
from hotline.store.ledger import Ledger
from hotline.store.migrate import upgrade

OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""


def queue_log_commands(open_site: OpenSite) -> typer.Typer:
    """The ``queue-log`` group. Errors are raised as HotlineError for the command line's own handler."""
    group = typer.Typer(no_args_is_help=True, help="Asterisk's queue_log, the record of its queues.")

    @group.callback()
    def of_files() -> None:
        """Asterisk's queue_log, the record of its queues."""

    @group.command("import")
    def import_logs(
        files: Annotated[
            list[Path], typer.Argument(metavar="FILE...", help="queue_log files, also rotated and .gz.")
        ],
        site: Annotated[Path, typer.Option("--site", help="The site file (YAML).")],
        node: Annotated[
            str | None, typer.Option("--node", help="The exchange that wrote them; the site's own if absent.")
        ] = None,
        anew: Annotated[
            bool, typer.Option("--anew", help="Read again also what an earlier import has read.")
        ] = False,
        output: Format = OutputFormat.TEXT,
    ) -> None:
        """Bring the calls of another system's queue_log into the ledger; run it again to go on or to add."""
        here, engine = open_site(site)
        name = node or here.site.node
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name):
            raise UsageError(f"no name for an exchange: {name}", hint="at most 40 letters, digits, - and _")
        with _many_objects():
            summary = asyncio.run(_import(here, engine, name, in_order(files), anew=anew))
        if output is OutputFormat.JSON:
            typer.echo(json.dumps(_as_row(summary, here.zone), ensure_ascii=False, indent=2))
        else:
            typer.echo(_as_text(summary, here.zone))
        if summary.lines and summary.malformed == summary.lines:
            raise typer.Exit(1)

    return group


@contextmanager
def _many_objects() -> Iterator[None]:
    """Look for garbage in cycles seldom: an import makes millions of objects, none in a cycle.

    Looking as often as usual takes a quarter of the import's time.
    """
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


async def _import(site: Site, engine: AsyncEngine, node: str, files: list[LogFile], *, anew: bool) -> Summary:
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    try:
        await upgrade(engine)
        with bar:
            task = bar.add_task("queue_log", total=sum(file.size_bytes for file in files))
            work = LogImport(
                site,
                node,
                Ledger(sessions_of(engine)),
                SystemClock(),
                lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True),
                lambda count: bar.update(task, completed=count),
                stop.is_set,
            )
            return await work.run(files, anew=anew)
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on where it was", highlight=False)
        raise
    finally:
        await engine.dispose()


def _as_row(summary: Summary, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "node": summary.node,
        "lines": summary.lines,
        "malformed": summary.malformed,
        "without_beginning": summary.strays,
        "calls": summary.calls,
        "entries": summary.entries,
        "outcomes": {outcome.value: rows for outcome, rows in summary.outcomes.items()},
        "agent_intervals": summary.intervals,
        "still_open": summary.open_calls,
        "from": _moment(summary.first_at, zone),
        "to": _moment(summary.last_at, zone),
        "unknown_queues": summary.unknown_queues,
        "unknown_agents": summary.unknown_agents,
        "went_on": summary.went_on,
    }


def _as_text(summary: Summary, zone: ZoneInfo) -> str:
    period = f"{_moment(summary.first_at, zone)} to {_moment(summary.last_at, zone)}"
    classes = ", ".join(f"{outcome.value} {rows}" for outcome, rows in summary.outcomes.items() if rows)
    rows = [
        f"lines      {summary.lines}" + (" (went on where an earlier import was)" if summary.went_on else ""),
        f"skipped    {summary.malformed} malformed, {summary.strays} about calls begun before the first line",
        f"period     {period if summary.first_at else 'none'}",
        f"entries    {summary.entries} of {summary.calls} calls" + (f": {classes}" if classes else ""),
    ]
    if summary.intervals:
        rows.append(f"agents     {summary.intervals} times in one state")
    if summary.open_calls:
        rows.append(f"still open {summary.open_calls} calls: run it again when the log has their ends")
    return "\n".join(rows)


def _moment(at: datetime | None, zone: ZoneInfo) -> str | None:
    return at.astimezone(zone).isoformat() if at else None
