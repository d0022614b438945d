"""``hotline staff``: how many agents calls need, typed ones or those that a site may expect.

``server/`` knows how to get from a site file to a database, so it hands that in and registers the result.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.cli import Format, OutputFormat
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UsageError
from hotline.core.staffing import StaffingPlan, StaffingQuestion
from hotline.metrics.staffing.erlang import Load
from hotline.metrics.staffing.planner import StaffingPlanner
from hotline.metrics.staffing.printing import plan_row, print_plan, print_what_if
from hotline.metrics.staffing.what_if import Norm, as_row, plan
from hotline.store.database import sessions_of
from hotline.store.migrate import upgrade

OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""
TARGET, WITHIN_SECONDS = 0.95, 15.0


def staff_command(open_site: OpenSite) -> Callable[..., None]:
    """The command. Errors are raised as HotlineError for the command line's own handler."""

    def staff(
        calls: Annotated[
            float | None, typer.Option("--calls", help="Calls offered in --per-minutes.")
        ] = None,
        per_minutes: Annotated[float, typer.Option(help="The time that --calls come in.")] = 60,
        aht: Annotated[
            float | None, typer.Option(help="Handling time in seconds: talk, hold and wrap-up.")
        ] = None,
        target: Annotated[
            float | None, typer.Option(help="Share to be answered in time, 0 to 1; 0.95, or the site's norm.")
        ] = None,
        within: Annotated[
            float | None, typer.Option(help="Seconds that count as in time; 15, or the site's.")
        ] = None,
        patience: Annotated[
            float | None, typer.Option(help="Mean seconds until callers give up, for Erlang A.")
        ] = None,
        shrinkage: Annotated[
            float, typer.Option(help="Share of rostered time away: breaks, leave, training.")
        ] = 0,
        agents: Annotated[int | None, typer.Option(help="See what so many give.")] = None,
        site: Annotated[
            Path | None, typer.Option(help="The site file: expected calls in place of --calls.")
        ] = None,
        day: Annotated[str | None, typer.Option(help="The first day, as 2026-12-01.")] = None,
        days: Annotated[int, typer.Option(help="How many days; 7 is a week.")] = 1,
        line: Annotated[str | None, typer.Option(help="A line with those under it; all if absent.")] = None,
        volume: Annotated[float, typer.Option(help="Calls over those expected, as 1.2.")] = 1,
        output: Format = OutputFormat.TEXT,
    ) -> None:
        """How many agents calls need, by Erlang C, and by Erlang A where callers lose patience.

        Either calls are typed (--calls, --aht), or a site's are expected from its past (--site, --day).
        """
        as_json = output is OutputFormat.JSON
        if site is not None and calls is None:
            question = StaffingQuestion(
                _day(day), days, line, target, within, aht, patience, shrinkage, volume
            )
            expected = _expected(open_site, site, question)
            if as_json:
                print(json.dumps(plan_row(expected), ensure_ascii=False, indent=2))
            else:
                print_plan(expected)
            return
        if calls is None or aht is None or site is not None:
            hint = "give --calls 100 --per-minutes 60 --aht 240, or --site FILE --day 2026-12-01"
            raise UsageError("either typed calls or a site's", hint=hint)
        if not per_minutes > 0:
            raise UsageError(f"calls in {per_minutes:g} minutes", hint="give minutes, more than 0")
        load = Load(calls * 60 / per_minutes, aht, patience)
        norm = Norm(
            TARGET if target is None else target, WITHIN_SECONDS if within is None else within, shrinkage
        )
        answer = plan(load, norm, agents)
        if as_json:
            print(json.dumps(as_row(answer), ensure_ascii=False, indent=2))
        else:
            print_what_if(answer)

    return staff


def _expected(open_site: OpenSite, file: Path, question: StaffingQuestion) -> StaffingPlan:
    site, engine = open_site(file)

    async def ask() -> StaffingPlan:
        try:
            await upgrade(engine)
            return await StaffingPlanner(site, sessions_of(engine), SystemClock()).plan(question)
        finally:
            await engine.dispose()

    return asyncio.run(ask())


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise UsageError(f"no day: {text or 'none given'}", hint="write --day 2026-12-01") from None
