"""``hotline score``: units ranked by a scheme, with every cell's formula if wanted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hotline.config.cli import Format, OutputFormat
from hotline.config.loading import load_site
from hotline.config.problems import SiteProblems
from hotline.config.scoring import Scheme
from hotline.metrics.scoring.schemes import known_schemes
from hotline.metrics.scoring.score import UnitScore, ranking
from hotline.metrics.scoring.units import read_units


def score(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Units and their figures; see config/samples/score.yaml.")
    ],
    site: Annotated[
        Path | None, typer.Option("--site", help="The site file, for schemes of its own.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Each cell's formula with its numbers.")] = False,
    output: Format = OutputFormat.TEXT,
) -> None:
    """Score and rank units by a scheme; exit 1 with every problem of the file if there is one."""
    own_site = None if site is None else load_site(site)
    try:
        scheme, units = read_units(file, known_schemes(own_site))
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


def as_row(score: UnitScore, *, explain: bool = False) -> dict[str, Any]:
    """A unit's score as a row for programs; with ``explain`` each number's formula beside it."""
    row: dict[str, Any] = {
        "name": score.name,
        "rank": score.rank,
        "scores": {
            name: {part: float(cell.points) for part, cell in group.cells.items()}
            for name, group in score.groups.items()
        },
        "groups": {name: float(group.points) for name, group in score.groups.items()},
        "total": float(score.total),
    }
    if explain:
        row["formulas"] = {
            "scores": {
                name: {part: cell.formula for part, cell in group.cells.items()}
                for name, group in score.groups.items()
            },
            "groups": {name: group.formula for name, group in score.groups.items()},
            "total": score.formula,
        }
    return row


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
