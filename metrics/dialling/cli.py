"""``hotline dial``: one test call now. ``hotline test-calls``: those of a period, also for the score.

``server/`` knows how to get from a site file to a database and to a recogniser, so it hands that in.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import yaml
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.cli import Format, OutputFormat
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UsageError
from hotline.core.trials import TrialCall, TrialOrder
from hotline.metrics.dialling.desk import Transcribe, TrialDesk
from hotline.metrics.dialling.sheets import as_row, for_score
from hotline.metrics.measures.calendar import moment
from hotline.store.database import sessions_of
from hotline.store.migrate import upgrade
from hotline.store.trials import TrialStore

OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""

T = TypeVar("T")

SiteOption = Annotated[Path, typer.Option("--site", help="The site file (YAML).")]


def dial_command(open_site: OpenSite, transcriber: Callable[[Site], Transcribe]) -> Callable[..., None]:
    """The command ``dial``. Errors are raised as HotlineError for the command line's own handler."""

    def dial(
        number: Annotated[str, typer.Argument(help="What to dial, or the name of a plan of the site file.")],
        site: SiteOption,
        keys: Annotated[str, typer.Option(help="Keys to press, each when it is quiet.")] = "",
        seconds: Annotated[int, typer.Option(min=1, max=300, help="How long after the answer.")] = 60,
        ring_seconds: Annotated[int, typer.Option(min=1, max=180, help="How long to let it ring.")] = 60,
        unit: Annotated[str, typer.Option(help="Whose service is tried.")] = "",
        via: Annotated[str, typer.Option(help="HOST:PORT of another SIP server.")] = "",
        output: Format = OutputFormat.TEXT,
    ) -> None:
        """Make one test call now and say what it was like."""
        here, engine = open_site(site)
        order = TrialOrder(number, "", unit, "", via, keys, seconds, ring_seconds)

        async def act(store: TrialStore) -> TrialCall:
            desk = TrialDesk(here, store, SystemClock(), transcriber(here))
            return await desk.call(desk.plan(number) or _checked(order))

        row = as_row(asyncio.run(_with_store(engine, act)))
        typer.echo(
            json.dumps(row, ensure_ascii=False, indent=2) if output is OutputFormat.JSON else _text(row)
        )

    return dial


def test_calls_command(open_site: OpenSite) -> Callable[..., None]:
    """The command ``test-calls``."""

    def test_calls(
        site: SiteOption,
        start: Annotated[str, typer.Option("--from", help="A day or a moment, as 2026-11-02.")],
        end: Annotated[str, typer.Option("--to", help="Likewise; a day is included.")],
        score: Annotated[
            bool, typer.Option("--score", help="The marks, as `hotline score` reads them.")
        ] = False,
        output: Format = OutputFormat.TEXT,
    ) -> None:
        """Test calls of a period, with the listener's marks."""
        here, engine = open_site(site)
        period = moment(here.zone, start), moment(here.zone, end, end=True)
        trials = asyncio.run(_with_store(engine, lambda store: store.between(*period)))
        found: Any = for_score(trials) if score else [as_row(trial) for trial in trials]
        if output is OutputFormat.JSON:
            typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        elif score:
            typer.echo(yaml.safe_dump(found, allow_unicode=True, sort_keys=False), nl=False)
        else:
            typer.echo("\n\n".join(_text(row) for row in found))

    return test_calls


async def _with_store(engine: AsyncEngine, act: Callable[[TrialStore], Awaitable[T]]) -> T:
    try:
        await upgrade(engine)
        return await act(TrialStore(sessions_of(engine)))
    finally:
        await engine.dispose()


def _checked(order: TrialOrder) -> TrialOrder:
    """An order as typed.

    Raises:
        UsageError: the number or the keys make no sense.
    """
    if not set(order.number.removeprefix("+")) <= set("0123456789*#") or not order.number.strip("+"):
        raise UsageError(f"no number and no plan of the site file: {order.number}", hint="digits, * and #")
    if not set(order.keys) <= set("0123456789*#"):
        raise UsageError(f"no keys: {order.keys}", hint="digits, * and #")
    return order


def _text(row: dict[str, Any]) -> str:
    """What is known, a line a thing."""
    marks = " ".join(f"{part} {points:g}" for part, points in row["marks"].items() if points is not None)
    shown = {name: value for name, value in (row | {"marks": marks}).items() if value not in (None, "")}
    return "\n".join(f"{name:<16}{value}" for name, value in shown.items())
