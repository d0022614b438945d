"""The command line. Exit codes: 0 done, 1 a problem found, 2 wrong usage; errors are one line on stderr."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hotline import __version__
from hotline.config.cli import Format, OutputFormat
from hotline.config.loading import load_site
from hotline.config.secrets import Secrets
from hotline.core.errors import HotlineError, UsageError
from hotline.core.figures import Comparison, CountSide, Dimension
from hotline.server.commands import Commands
from hotline.server.paths import database_url

SiteOption = Annotated[Path, typer.Option("--site", help="The site file (YAML).")]

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A call-centre server for 12345 government hotlines, run beside Asterisk.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hotline {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A call-centre server for 12345 government hotlines, run beside Asterisk."""


@app.command("serve")
def serve_site(
    site: SiteOption,
    keep_asterisk: Annotated[
        bool | None,
        typer.Option(
            "--keep-asterisk/--stop-asterisk",
            help="What becomes of a managed Asterisk at the stop. By default it stays if calls are in it.",
        ),
    ] = None,
    log_level: Annotated[str, typer.Option("--log-level", help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    from hotline.server.logs import log_to_stderr
    from hotline.server.serve import serve

    if log_level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise UsageError(f"no log level {log_level}", hint="DEBUG, INFO, WARNING or ERROR")
    loaded = load_site(site)
    log_to_stderr(log_level)
    raise typer.Exit(asyncio.run(serve(loaded, keep_asterisk=keep_asterisk)))


@app.command()
def doctor(site: SiteOption, output: Format = OutputFormat.TEXT) -> None:
    """Look at everything the server needs, a line each; exit 1 if something is missing."""
    from hotline.server.doctor import Finding, examine

    loaded = load_site(site)

    async def look() -> list[Finding]:
        found = []
        async for finding in examine(loaded):
            found.append(finding)
            if output is OutputFormat.TEXT:
                mark = {True: "ok", False: "MISSING", None: "-"}[finding.ok]
                typer.echo(f"{mark:8} {finding.subject:22} {finding.detail}")
        return found

    findings = asyncio.run(look())
    if output is OutputFormat.JSON:
        rows = [{"subject": one.subject, "ok": one.ok, "detail": one.detail} for one in findings]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


@app.command("stats")
def print_stats(
    site: SiteOption,
    start: Annotated[
        str, typer.Option("--from", help="First day or moment, as 2026-11-02 or 2026-11-02T08:30.")
    ],
    end: Annotated[str, typer.Option("--to", help="Last day (included) or moment (not included).")],
    by: Annotated[Dimension, typer.Option("--by", help="What a row stands for.")] = Dimension.LINE,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="MEASURE", help="One figure, its formula, counts and rows."),
    ] = None,
    line: Annotated[str | None, typer.Option("--line", help="Explain: of this line alone.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Explain: of this queue alone.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="Explain: of this agent alone.")] = None,
    caller_list: Annotated[
        str | None, typer.Option("--caller-list", help="Explain: of callers on this list alone.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="Explain: of this handling unit (承办单位) alone.")
    ] = None,
    side: Annotated[
        CountSide, typer.Option("--side", help="Explain: whose rows to list.")
    ] = CountSide.NUMERATOR,
    compare: Annotated[
        list[Comparison] | None, typer.Option("--compare", help="Explain: beside this period, too.")
    ] = None,
    rows_at_most: Annotated[int, typer.Option("--rows", min=0, help="Explain: how many rows.")] = 20,
    output: Format = OutputFormat.TEXT,
) -> None:
    """Figures of a period from the ledger's rows: counts first, rates from them; or one of them explained."""
    from hotline.metrics.cli import print_rows, stats
    from hotline.metrics.explain_cli import explained, print_explanation
    from hotline.metrics.measures.calendar import moment

    loaded = load_site(site)
    url = database_url(loaded, Secrets(loaded.data_dir))
    asked = {
        Dimension.LINE: line,
        Dimension.QUEUE: queue,
        Dimension.AGENT: agent,
        Dimension.CALLER_LIST: caller_list,
        Dimension.UNIT: unit,
    }
    only = {dimension: key for dimension, key in asked.items() if key is not None}
    if explain is not None:
        beside = tuple(dict.fromkeys(compare or ()))
        told = asyncio.run(explained(loaded, url, explain, (start, end), only, side, rows_at_most, beside))
        print_explanation(told, as_json=output is OutputFormat.JSON)
        return
    if only:
        raise UsageError(
            "--line, --queue, --agent, --caller-list and --unit go with --explain",
            hint="add --explain answer_rate",
        )
    rows = asyncio.run(stats(loaded, url, moment(loaded.zone, start), moment(loaded.zone, end, end=True), by))
    print_rows(rows, as_json=output is OutputFormat.JSON)


def main() -> None:
    """Run the command line; every error of ours is one line and an exit code."""
    try:
        app()
    except HotlineError as error:
        typer.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
