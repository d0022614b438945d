"""``hotline ivr check / draw / try``: menus without a telephone."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hotline.config.cli import Format, OutputFormat, SiteFile, print_problems
from hotline.config.loading import check_site, load_site
from hotline.config.problems import ConfigError
from hotline.core.errors import HotlineError, UsageError
from hotline.ivr.drawing import draw
from hotline.ivr.interpreter import Collect, Play
from hotline.ivr.review import review
from hotline.ivr.walk import Walked, line_dialled, parse_keys, texts_of, walk, walk_with

__all__ = ["app"]

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Voice menus: check, draw and try them.")


@app.command("check")
def check_menus(file: SiteFile, output: Format = OutputFormat.TEXT) -> None:
    """Check a site's menus: what check finds, and what callers would suffer from; exit 1 if it cannot run."""
    checked = check_site(file)
    problems = list(checked.problems)
    if checked.site is not None:
        problems = sorted([*problems, *review(checked.site, file)], key=lambda problem: problem.line)
    print_problems(file, problems, output)
    if checked.site is None:
        raise typer.Exit(1)


@app.command("draw")
def draw_menus(
    file: SiteFile,
    out: Annotated[Path, typer.Option("--out", help="The SVG file to write; - for standard output.")],
) -> None:
    """Draw a site's menus as an SVG picture."""
    try:
        picture = draw(load_site(file))
        if str(out) == "-":
            typer.echo(picture, nl=False)
        else:
            out.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise _failed(UsageError(f"{out} cannot be written: {error.strerror}")) from error
    except HotlineError as error:
        raise _failed(error) from error


@app.command("try")
def try_menus(
    site: Annotated[Path, typer.Option("--site", help="The site file.")],
    did: Annotated[str, typer.Option("--did", help="The number the caller dials.")],
    keys: Annotated[
        str | None,
        typer.Option("--keys", help="Keys in order, as 1,0; - or nothing is silence, h hangs up."),
    ] = None,
    output: Format = OutputFormat.TEXT,
) -> None:
    """Walk a menu as a caller would; without --keys, key by key from the keyboard."""
    try:
        loaded = load_site(site)
        if keys is not None:
            walked = walk(loaded, did, parse_keys(keys))
        elif output is OutputFormat.JSON:
            raise UsageError("--format json needs the keys", hint="add --keys 1,0")
        else:
            line_dialled(loaded, did)
            walked = walk_with(loaded, did, lambda command: _ask(texts_of(loaded, _says(command))))
    except HotlineError as error:
        raise _failed(error) from error
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(as_json(walked), ensure_ascii=False, indent=2))
    else:
        _tell(walked, steps=keys is not None)


def as_json(walked: Walked) -> dict[str, object]:
    """Return a walk as JSON holds it: its steps in order and where it led."""
    return asdict(walked) | {"outcome": walked.outcome.value}


def _says(command: Play | Collect) -> tuple[str, ...]:
    return command.prompts if isinstance(command, Play) else ()


def _ask(texts: tuple[str, ...]) -> str:
    """Show what is said and read one key; an empty line is silence, the end of the input hanging up."""
    for text in texts:
        typer.echo(f"  {text}")
    while True:
        typer.echo("按键> ", nl=False)
        typed = sys.stdin.readline()
        if not typed:
            return "h"
        try:
            keys = parse_keys(typed.strip() or "-")
        except UsageError as error:
            typer.echo(str(error), err=True)
            continue
        if len(keys) == 1:
            return keys[0]
        typer.echo("one key at a time", err=True)


def _tell(walked: Walked, *, steps: bool) -> None:
    for step in walked.steps if steps else ():
        for name, text in zip(step.prompts, step.texts, strict=True):
            typer.echo(f"{step.menu:12} {name}: {text}")
        if step.key is not None:
            typer.echo(f"{step.menu:12} key {step.key}" if step.key in "0123456789*#" else _untold(step.key))
    way = " > ".join(walked.titles)
    queue = f"queue {walked.queue}" if walked.queue else "no queue"
    where = f"line {walked.line}, {queue}, path {walked.path or '-'} {way}".rstrip()
    typer.echo(f"{walked.outcome.value}: {where} (language {walked.language})")
    if walked.unused_keys:
        typer.echo(f"not used: {','.join(walked.unused_keys)} (the menu had ended)", err=True)


def _untold(key: str) -> str:
    return f"{'':12} (the caller hangs up)" if key == "h" else f"{'':12} (silence)"


def _failed(error: HotlineError) -> typer.Exit:
    """Tell an error in one line: 2 for wrong usage, 1 for a problem found."""
    typer.echo(str(error) if isinstance(error, (ConfigError, UsageError)) else f"error: {error}", err=True)
    return typer.Exit(2 if isinstance(error, UsageError) else 1)
