"""``hotline report``: monthly reports and bulletins, to be edited and rendered again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.cli import Format, OutputFormat
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import SetupError, UsageError
from hotline.metrics.report.checks import disagreements
from hotline.metrics.report.data import ReportData, Span
from hotline.metrics.report.draft import finished, new_draft, read_draft, reviewed
from hotline.metrics.report.gather import Gathering
from hotline.metrics.report.imported import alone, read_data
from hotline.metrics.report.periods import from_to, period_of
from hotline.metrics.report.topic import gather_topic
from hotline.metrics.report.writing import format_of, write_report
from hotline.store.database import Sessions, sessions_of
from hotline.store.migrate import upgrade

OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""

SiteFile = Annotated[Path, typer.Option("--site", help="The site file.")]
PeriodName = Annotated[
    str, typer.Argument(metavar="PERIOD", help="As 2026-10, 2026-W41 or 2026-10-05: what the command is for.")
]
Outs = Annotated[
    list[Path],
    typer.Option("--out", help="Where to: .html, .docx, .xlsx, .pdf or .json; several may be given."),
]
DataFile = Annotated[
    Path | None, typer.Option("--data", help="What the server does not know, as .yaml, .xlsx or .csv.")
]

ScoresFile = Annotated[
    Path | None,
    typer.Option(
        "--scores", help="Sub-centres' figures, as for hotline score (.yaml), or what it printed (.json)."
    ),
]


def report_commands(open_site: OpenSite) -> typer.Typer:
    """The ``report`` group. Errors are raised as HotlineError for the command line's own handler."""
    group = typer.Typer(no_args_is_help=True, help="Reports: 运行情况通报 and bulletins, as documents.")

    def write(found: ReportData, outs: list[Path], output: OutputFormat) -> None:
        draft = new_draft(found, SystemClock().now())
        for out in outs:
            write_report(draft, draft.document, out)
        _tell(found, outs, output)

    def add(span: Span, about: str) -> None:
        @group.command(span.value, help=about)
        def of_period(
            name: PeriodName,
            site: SiteFile,
            out: Outs,
            data: DataFile = None,
            scores: ScoresFile = None,
            output: Format = OutputFormat.TEXT,
        ) -> None:
            period = period_of(span, name)
            _check_outs(out)
            imported = None if data is None else read_data(data)
            here, engine = open_site(site)

            async def gather(site: Site, sessions: Sessions) -> ReportData:
                return await Gathering(site, sessions, SystemClock()).of(period, imported, scores)

            write(asyncio.run(_with_database(here, engine, gather)), out, output)

    add(Span.MONTH, "The monthly report (运行情况通报).")
    add(Span.WEEK, "A week's bulletin.")
    add(Span.DAY, "A day's bulletin.")

    @group.command("topic")
    def topic(
        words: Annotated[str, typer.Argument(help="What was said: one word, or several that all were.")],
        site: SiteFile,
        start: Annotated[str, typer.Option("--from", help="First day, as 2026-10-01.")],
        last: Annotated[str, typer.Option("--to", help="Last day, included.")],
        out: Outs,
        output: Format = OutputFormat.TEXT,
    ) -> None:
        """A special (专题报告) on calls in which something was said: days, places, phrases, samples."""
        period = from_to(start, last)
        _check_outs(out)
        here, engine = open_site(site)

        async def gather(site: Site, sessions: Sessions) -> ReportData:
            return await gather_topic(site, sessions, SystemClock(), words, period)

        write(asyncio.run(_with_database(here, engine, gather)), out, output)

    group.command("check")(check)
    group.command("render")(render)
    return group


def render(
    draft: Annotated[Path, typer.Argument(metavar="DRAFT", help="A report that was written as .json.")],
    out: Outs,
    final: Annotated[bool, typer.Option("--final", help="Mark it as final, in DRAFT too.")] = False,
    by: Annotated[str, typer.Option("--by", help="Who says that it is final.")] = "",
    output: Format = OutputFormat.TEXT,
) -> None:
    """Make a report's files from its edited draft; its figures are checked again."""
    _check_outs(out)
    if final != bool(by.strip()):
        raise UsageError(
            "a final report has somebody who says so", hint="give --final and --by NAME together"
        )
    try:
        content = draft.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{draft} cannot be read: {error.strerror}", hint="give a report made as .json"
        ) from error
    found = read_draft(content, str(draft))
    document = reviewed(found)
    if final:
        found = finished(found, by.strip(), SystemClock().now())
        document = reviewed(found)
        write_report(found, document, draft)
    for one in out:
        write_report(found, document, one)
    _tell(found.data, out, output)


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A data file, .yaml, .xlsx or .csv.")],
    output: Format = OutputFormat.TEXT,
) -> None:
    """The arithmetic of a data file, before any report is made of it; exit 1 if something does not add up."""
    found = _tell(alone(read_data(file)), [], output)
    if found:
        raise typer.Exit(1)
    if output is OutputFormat.TEXT:
        typer.echo(f"{file}: all of it adds up")


async def _with_database(
    site: Site, engine: AsyncEngine, gather: Callable[[Site, Sessions], Awaitable[ReportData]]
) -> ReportData:
    """What ``gather`` finds; the engine is closed afterwards."""
    try:
        await upgrade(engine)
        return await gather(site, sessions_of(engine))
    finally:
        await engine.dispose()


def _check_outs(outs: list[Path]) -> None:
    """Refuse before any work what could not be written after it."""
    for out in outs:
        format_of(out)
        if not out.absolute().parent.is_dir():
            raise SetupError(f"there is no folder {out.parent}", hint="make it first")


def _tell(data: ReportData, outs: list[Path], output: OutputFormat) -> list[str]:
    """Say what was written, and on stderr what does not add up, which is returned."""
    found = [str(one) for one in disagreements(data)]
    if output is OutputFormat.JSON:
        row = {"period": data.period.name, "files": [str(out) for out in outs], "disagreements": found}
        typer.echo(json.dumps(row, ensure_ascii=False, indent=2))
    else:
        for out in outs:
            typer.echo(f"written: {out}")
    for one in found:
        typer.echo(f"does not add up: {one}", err=True)
    return found
