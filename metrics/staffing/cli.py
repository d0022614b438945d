"""``hotline staff``: how many agents calls need."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hotline.config.cli import Format, OutputFormat
from hotline.core.errors import UsageError
from hotline.metrics.staffing.erlang import Load, rostered
from hotline.metrics.staffing.what_if import Norm, Plan, as_row, plan


def staff(
    calls: Annotated[float | None, typer.Option("--calls", help="Calls offered in --per-minutes.")] = None,
    per_minutes: Annotated[float, typer.Option("--per-minutes", help="The time that --calls come in.")] = 60,
    aht: Annotated[
        float | None, typer.Option("--aht", help="Handling time in seconds: talk, hold and wrap-up.")
    ] = None,
    target: Annotated[float, typer.Option("--target", help="Share to be answered in time, 0 to 1.")] = 0.95,
    within: Annotated[float, typer.Option("--within", help="Seconds that count as in time.")] = 15,
    patience: Annotated[
        float | None,
        typer.Option("--patience", help="Mean seconds until callers give up (Erlang A); absent: never."),
    ] = None,
    shrinkage: Annotated[
        float, typer.Option("--shrinkage", help="Share of rostered time away: breaks, leave, training.")
    ] = 0,
    agents: Annotated[int | None, typer.Option("--agents", help="See what so many give.")] = None,
    output: Format = OutputFormat.TEXT,
) -> None:
    """How many agents calls need, by Erlang C, or by Erlang A where callers lose patience."""
    if calls is None or aht is None:
        hint = "as in: hotline staff --calls 100 --per-minutes 60 --aht 240 --target 0.95 --within 15"
        raise UsageError("calls and handling time are needed", hint=hint)
    if not per_minutes > 0:
        raise UsageError(f"calls in {per_minutes:g} minutes", hint="give minutes, more than 0")
    load = Load(calls * 60 / per_minutes, aht, patience)
    answer = plan(load, Norm(target, within, shrinkage), agents)
    if output is OutputFormat.JSON:
        print(json.dumps(as_row(answer), ensure_ascii=False, indent=2))
        return
    _print(answer)


def _print(answer: Plan) -> None:
    load, norm = answer.load, answer.norm
    model = "Erlang C" if load.patience_seconds is None else "Erlang A"
    print(f"{load.erlangs:.2f} erlangs, {model}")
    if norm.shrinkage:
        roster = f", {rostered(answer.needed, norm.shrinkage)} on the roster with {norm.shrinkage:.1%} away"
    else:
        roster = ""
    print(f"{answer.needed} agents answer {norm.target:.2%} within {norm.within_seconds:g} s{roster}")
    table = Table()
    for title in ("agents", f"within\n{norm.within_seconds:g} s", "wait at\nall", "ASA", "give up", "busy"):
        table.add_column(title, justify="right")
    for one in answer.around:
        table.add_row(
            str(one.agents),
            f"{one.service_level:.2%}",
            f"{one.wait_probability:.2%}",
            "grows" if one.asa_seconds is None else f"{one.asa_seconds:.1f} s",
            f"{one.abandon_share:.2%}",
            f"{one.occupancy:.1%}",
            style="bold" if one.agents == answer.given.agents else "",
        )
    Console(width=None if sys.stdout.isatty() else 200).print(table)
