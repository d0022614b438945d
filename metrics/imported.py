"""``hotline figures import``: counts of other systems, from the data file of a report into the catalogue.

The file is that of ``hotline report`` (``metrics/report/imported.py``), so that one file serves both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UsageError
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.data import FileSection, Period, ReportData, Sections, Source, Span
from hotline.metrics.report.imported import read_data
from hotline.metrics.report.periods import bounds, period_of
from hotline.metrics.report.ratios import sum_of_units
from hotline.store.counts import COUNT, PHONE
from hotline.store.database import sessions_of
from hotline.store.imported import ImportedCount, ImportedFigures
from hotline.store.migrate import upgrade

TELEPHONE: Final = "电话"  # the channel whose rows are our own: one group with them


def counts_of(found: FileSection) -> list[ImportedCount]:
    """The counts of a data file that the catalogue has measures of."""
    known: dict[str, int | None] = {}
    if found.channels is not None:
        known["accepted"] = found.channels.whole
    if found.units is not None:
        sums = sum_of_units(found.units.rows)
        known |= {"valid_orders": sums.orders, "returns_rejected": sums.returned}
        known |= _opinions(sums.called_back, sums.no_opinion, sums.satisfied)
    if (orders := found.accepted) is not None:
        known |= {"accepted": orders.total, "at_once": orders.at_once}
        known |= {"dispatched": orders.dispatched, "on_time": orders.on_time}
        if orders.called_back is not None:
            known |= _opinions(orders.called_back, orders.no_opinion, orders.satisfied)
    counts = [ImportedCount(name, "", value) for name, value in known.items() if value is not None]
    for row in found.channels.rows if found.channels is not None else ():
        counts.append(ImportedCount("accepted", PHONE if row.name == TELEPHONE else row.name, row.count))
    return counts


def _opinions(
    called_back: int | None, no_opinion: int | None, satisfied: int | None
) -> dict[str, int | None]:
    said = None if called_back is None else max(called_back - (no_opinion or 0), 0)
    return {"called_back": called_back, "said_opinion": said, "satisfied": satisfied}


def period_named(name: str) -> Period:
    """The month, week or day of a name.

    Raises:
        UsageError: it is none.
    """
    day = Span.DAY if len(name) == len("2026-10-05") else Span.MONTH
    return period_of(Span.WEEK if "W" in name else day, name)


def figures_commands(open_site: Callable[[Path], tuple[Site, AsyncEngine]]) -> typer.Typer:
    """The ``figures`` group. Errors are raised as HotlineError for the command line's own handler."""
    group = typer.Typer(no_args_is_help=True, help="Figures of other systems, beside our own.")

    @group.callback()
    def figures() -> None:
        """Figures of other systems, beside our own."""

    @group.command("import")
    def import_(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="A data file, .yaml or .xlsx.")],
        site: Annotated[Path, typer.Option("--site", help="The site file.")],
    ) -> None:
        """Take over what another system counted in a period, in place of what it said of it before."""
        found = read_data(file)
        period, counts = period_named(found.period), counts_of(found)
        if not counts:
            raise UsageError(f"{file}: no figure to import", hint="give accepted, channels or units in it")
        here, engine = open_site(site)
        asyncio.run(_save(engine, counts, bounds(period, here.zone), file.name))
        typer.echo(f"imported of {period.name}:")
        for one in counts:
            channel = TELEPHONE if one.channel == PHONE else one.channel
            typer.echo(f"  {COUNT[one.figure].name} {channel}".rstrip() + f": {one.value:,}")
        given = {name: value for name in Sections.model_fields if (value := getattr(found, name))}
        told = {"site": "", "period": period, "sources": dict.fromkeys(given, Source.IMPORTED)}
        for slip in disagreements(ReportData.model_validate(given | told)):
            typer.echo(f"does not add up: {slip}", err=True)

    return group


async def _save(
    engine: AsyncEngine, counts: list[ImportedCount], period: tuple[datetime, datetime], source: str
) -> None:
    try:
        await upgrade(engine)
        await ImportedFigures(sessions_of(engine)).save(period, counts, source, SystemClock().now())
    finally:
        await engine.dispose()
