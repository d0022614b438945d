"""``hotline score``: units ranked by a scheme, with every cell's formula if wanted."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.cli import Format, OutputFormat
from hotline.config.loading import load_site
from hotline.config.problems import SiteProblems
from hotline.config.schema import Site
from hotline.config.scoring import Scheme
from hotline.core.errors import UsageError
from hotline.metrics.dialling.sheets import marks_by_unit
from hotline.metrics.report.periods import bounds, named
from hotline.metrics.scoring.schemes import known_schemes
from hotline.metrics.scoring.score import UnitScore, as_row, ranking
from hotline.metrics.scoring.units import Heard, read_units
from hotline.store.database import sessions_of
from hotline.store.migrate import upgrade
from hotline.store.trials import TrialStore

OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""


def score_command(open_site: OpenSite) -> Callable[..., None]:
    """The command. Errors are raised as HotlineError for the command line's own handler."""

    def score(
        file: Annotated[
            Path,
            typer.Argument(metavar="FILE", help="Units and their figures; see config/samples/score.yaml."),
        ],
        site: Annotated[
            Path | None, typer.Option("--site", help="The site file, for schemes of its own.")
        ] = None,
        period: Annotated[
            str | None,
            typer.Option(
                "--period",
                help="As 2026-10: units without test calls in FILE get the site's own marks of that time.",
            ),
        ] = None,
        explain: Annotated[
            bool, typer.Option("--explain", help="Each cell's formula with its numbers.")
        ] = False,
        output: Format = OutputFormat.TEXT,
    ) -> None:
        """Score and rank units by a scheme; exit 1 with every problem of the file if there is one."""
        if period is not None and site is None:
            raise UsageError("the marks of a period are a site's", hint="give --site FILE with --period")
        own_site = None if site is None else load_site(site)
        heard = _heard(open_site, site, period) if site is not None and period is not None else {}
        try:
            scheme, units = read_units(file, known_schemes(own_site), heard)
        except SiteProblems as problems:
            for problem in problems.problems:
                typer.echo(str(problem), err=True)
            raise typer.Exit(1) from None
        scores = ranking(scheme, units)
        if output is OutputFormat.JSON:
            print(json.dumps([as_row(one, explain=explain) for one in scores], ensure_ascii=False, indent=2))
            return
        _print_table(scheme, scores)
        if explain:
            _print_formulas(scheme, scores)

    return score


def _heard(open_site: OpenSite, file: Path, period: str) -> Heard:
    """The listeners' marks of a day, a week or a month, by unit."""
    site, engine = open_site(file)
    start, end = bounds(named(period), site.zone)

    async def ask() -> Heard:
        try:
            await upgrade(engine)
            return marks_by_unit(await TrialStore(sessions_of(engine)).between(start, end))
        finally:
            await engine.dispose()

    return asyncio.run(ask())


def _print_table(scheme: Scheme, scores: list[UnitScore]) -> None:
    table = Table(title=scheme.title)
    table.add_column("名次", justify="right")
    table.add_column("单位")
    for group in scheme.groups:
        table.add_column(f"{group.title}\n{group.weight:f} %", justify="right")
    table.add_column("总分", justify="right")
    for score in scores:
        groups = [str(score.groups[group.name].points) for group in scheme.groups]
        table.add_row(str(score.rank), score.name, *groups, str(score.total))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _print_formulas(scheme: Scheme, scores: list[UnitScore]) -> None:
    for score in scores:
        print(f"\n{score.rank}. {score.name}: {score.formula}")
        for group in scheme.groups:
            scored = score.groups[group.name]
            print(f"  {group.title} ({group.name}): {scored.formula}")
            for part in group.parts:
                print(f"    {part.title} ({part.name}): {scored.cells[part.name].formula}")
