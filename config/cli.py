"""``hotline check FILE``: every problem of a site file, with its line and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hotline.config.loading import Checked, check_site
from hotline.config.problems import Problem, Severity

__all__ = ["Format", "OutputFormat", "SiteFile", "app", "check", "print_checked", "print_problems"]

app = typer.Typer(add_completion=False)


class OutputFormat(StrEnum):
    """How a command prints what it found."""

    TEXT = "text"
    JSON = "json"


SiteFile = Annotated[Path, typer.Argument(metavar="FILE", help="The site file (YAML).")]
Format = Annotated[OutputFormat, typer.Option("--format", help="text for people, json for programs.")]


@app.command()
def check(file: SiteFile, output: Format = OutputFormat.TEXT) -> None:
    """Say every problem of a site file, with its line and a hint; exit 1 if the site cannot run."""
    print_checked(check_site(file), output)


def print_checked(checked: Checked, output: OutputFormat) -> None:
    """Print what came of a check; exit 1 if the site cannot run."""
    print_problems(checked.file, checked.problems, output)
    if checked.site is None:
        raise typer.Exit(1)


def print_problems(file: Path, problems: Iterable[Problem], output: OutputFormat) -> None:
    """Print problems: errors and warnings to stdout, one a line, with their count at the end."""
    found = list(problems)
    errors = sum(problem.severity is Severity.ERROR for problem in found)
    if output is OutputFormat.JSON:
        summary = {"file": str(file), "ok": not errors, "problems": [problem.as_row() for problem in found]}
        typer.echo(json.dumps(summary, ensure_ascii=False, indent=2))
        return
    for problem in found:
        mark = "" if problem.severity is Severity.ERROR else "warning: "
        typer.echo(f"{mark}{problem}")
    warnings = len(found) - errors
    if errors:
        typer.echo(f"{file}: {_counted(errors, 'problem')} — mend them and check again", err=True)
    else:
        typer.echo(f"{file}: ok" + (f", {_counted(warnings, 'warning')}" if warnings else ""))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
