"""``hotline asterisk``: the exchange's generated files, and an Asterisk to run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hotline.config.loading import load_site
from hotline.core.errors import HotlineError, UsageError
from hotline.telephony.asterisk_config.places import run_dir_of
from hotline.telephony.asterisk_config.secrets import secrets_of
from hotline.telephony.asterisk_config.write import write_config
from hotline.telephony.asterisk_fetch import fetch_asterisk
from hotline.telephony.asterisk_program import find_asterisk

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The exchange: its configuration, and one to run."
)


@app.command()
def config(
    site: Annotated[Path, typer.Option("--site", help="The site file (YAML).")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write into.")],
    managed: Annotated[
        bool, typer.Option("--managed", help="Whole files, as an Asterisk of our own gets them.")
    ] = False,
) -> None:
    """Write the Asterisk files of a site, to be included by an Asterisk that runs already."""
    loaded = load_site(site)
    places = find_asterisk(loaded.asterisk.program).places(run_dir_of(loaded)) if managed else None
    changed = write_config(loaded, secrets_of(loaded), out, managed, places)
    for path in changed:
        typer.echo(f"written  {path}")
    if not changed:
        typer.echo(f"{out}: nothing to change")
    elif not managed:
        typer.echo(f"Which line to add where: {out / 'README.txt'}")


@app.command()
def find() -> None:
    """Say which Asterisk would be run; exit 1 if there is none."""
    program = find_asterisk()
    typer.echo(f"Asterisk {program.version}: {program.command[-1]}")


@app.command()
def fetch() -> None:
    """Unpack Debian's Asterisk 22 under the cache folder unless the machine has one that will do."""
    try:
        program = find_asterisk()
    except HotlineError:
        program = fetch_asterisk(typer.echo)
    typer.echo(f"Asterisk {program.version}: {program.command[-1]}")


def main() -> None:
    """Run these commands alone, as the set-up does."""
    try:
        app()
    except HotlineError as error:
        typer.echo(str(error), err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)


if __name__ == "__main__":
    main()
