"""What the commands of ``hotline asr`` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hotline.core.errors import HotlineError, UsageError


class Format(StrEnum):
    """How to print."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="table or json.")]
ModelOption = Annotated[
    Path | None, typer.Option("--model", help="A Vosk model folder; the package's small one when absent.")
]


@contextmanager
def clear_errors() -> Iterator[None]:
    """An error is one message on stderr: exit code 2 for wrong usage, 1 for a problem found."""
    try:
        yield
    except UsageError as error:
        typer.echo(f"hotline asr: {error}", err=True)
        raise typer.Exit(2) from None
    except (HotlineError, OSError) as error:
        typer.echo(f"hotline asr: {error}", err=True)
        raise typer.Exit(1) from None
