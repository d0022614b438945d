"""``hotline figures import``: what other systems counted, from a report's data file into the database.

The file is that of ``hotline report`` (``metrics/report/imported.py``), so that one file serves both. Reports
take its sections (``metrics/report/stored.py``), the catalogue those counts that it has measures of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UsageError
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.data import FileSection, Sections, UnitCounts
from hotline.metrics.report.imported import alone, read_periods
from hotline.metrics.report.periods import bounds, named
from hotline.metrics.report.ratios import answers, sum_of_units
from hotline.metrics.report.stored import as_json, from_json
from hotline.metrics.report.words import SECTIONS
from hotline.store.counts import COUNT, PHONE
from hotline.store.database import sessions_of
from hotline.store.imported import ImportedCount, ImportedFigures, Period
from hotline.store.migrate import upgrade

TELEPHONE: Final = "电话"  # the channel whose rows are our own: one group with them
Given = Mapping[Period, Mapping[str, str]]
"""Of each period its sections, as JSON."""


def counts_of(found: Sections) -> list[ImportedCount]:
    """The counts of a data file that the catalogue has measures of."""
    known: dict[str, ImportedCount] = {}
    if (channels := found.channels) is not None:
        known |= _counts("channels", accepted=channels.whole)
    if found.units is not None:
        known |= _of_unit(sum_of_units(found.units.rows))
    if (orders := found.accepted) is not None:
        known |= _counts("accepted", accepted=orders.total, at_once=orders.at_once)
        known |= _counts("accepted", dispatched=orders.dispatched, on_time=orders.on_time)
        known |= _opinions("accepted", orders.called_back, orders.no_opinion, orders.satisfied)
    counts = list(known.values())
    for row in channels.rows if channels is not None else ():
        channel = PHONE if row.name == TELEPHONE else row.name
        counts.append(ImportedCount("accepted", row.count, "channels", channel=channel))
    for unit in found.units.rows if found.units is not None else ():
        counts += _of_unit(unit, unit.name).values()
    return counts


def _counts(section: str, unit: str = "", **values: int | None) -> dict[str, ImportedCount]:
    """Those that are known, by their figure."""
    return {
        name: ImportedCount(name, value, section, unit=unit)
        for name, value in values.items()
        if value is not None
    }


def _of_unit(unit: UnitCounts, name: str = "") -> dict[str, ImportedCount]:
    """Of a unit, or (no name) of all together."""
    orders = _counts(
        "units", name, valid_orders=unit.orders, units_on_time=unit.on_time, returns_rejected=unit.returned
    )
    return orders | _opinions("units", answers(unit), unit.no_opinion, unit.satisfied, name)


def _opinions(
    section: str, called_back: int | None, no_opinion: int | None, satisfied: int | None, unit: str = ""
) -> dict[str, ImportedCount]:
    if called_back is None:
        return {}
    said = max(called_back - (no_opinion or 0), 0)
    return _counts(section, unit, called_back=called_back, said_opinion=said, satisfied=satisfied)


def figures_commands(open_site: Callable[[Path], tuple[Site, AsyncEngine]]) -> typer.Typer:
    """The ``figures`` group. Errors are raised as HotlineError for the command line's own handler."""
    group = typer.Typer(no_args_is_help=True, help="Figures of other systems, beside our own.")

    @group.callback()
    def figures() -> None:
        """Figures of other systems, beside our own."""

    @group.command("import")
    def import_(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="A data file, .yaml, .xlsx or .csv.")],
        site: Annotated[Path, typer.Option("--site", help="The site file.")],
    ) -> None:
        """Take over what another system counted in a period: the whole file or nothing of it."""
        found = read_periods(file)
        here, engine = open_site(site)
        given = {bounds(named(one.period), here.zone): as_json(one) for one in found}
        if not all(given.values()):
            raise UsageError(f"{file}: no figure to import", hint="give accepted, channels or units in it")
        counted = asyncio.run(_save(engine, given, file.name))
        for one, counts in zip(found, counted.values(), strict=True):
            _tell(one, counts)

    return group


def _tell(found: FileSection, counts: Sequence[ImportedCount]) -> None:
    """What was imported of a period, and on stderr what does not add up in it."""
    given = as_json(found)
    sections = "、".join(SECTIONS[name] for name in given)
    units = f", {len(found.units.rows)} units" if found.units is not None else ""
    typer.echo(f"imported of {found.period} ({sections}{units}):")
    for one in (one for one in counts if one.section in given and not one.unit):
        group = TELEPHONE if one.channel == PHONE else one.channel
        typer.echo(f"  {COUNT[one.figure].name} {group}".rstrip() + f": {one.value:,}")
    for slip in disagreements(alone(found)):
        typer.echo(f"does not add up: {slip} ({found.period})", err=True)


async def _save(engine: AsyncEngine, given: Given, source: str) -> dict[Period, list[ImportedCount]]:
    try:
        await upgrade(engine)
        stored, now = ImportedFigures(sessions_of(engine)), SystemClock().now()
        return await stored.save(given, source, now, lambda sections: counts_of(from_json(sections)))
    finally:
        await engine.dispose()
