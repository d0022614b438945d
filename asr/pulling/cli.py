"""``hotline asr models`` and ``hotline asr pull``."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Self

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from hotline.asr.cli_options import Format, FormatOption, clear_errors
from hotline.asr.models import USUAL_PLACE, known_models, model_path, models_in
from hotline.asr.pulling.catalogue import KnownModel, catalogue, known_model
from hotline.asr.pulling.listing import ModelRow, model_rows
from hotline.asr.trial import try_model
from hotline.config.loading import load_site
from hotline.core.errors import UsageError

if TYPE_CHECKING:
    from hotline.asr.pulling.pull import Pulled

SiteOption = Annotated[
    Path | None,
    typer.Option("--site", help="The site file: its model is marked, its data_dir/models looked in."),
]


def models(
    site: SiteOption = None,
    model: Annotated[Path | None, typer.Option("--model", help="A further folder to list.")] = None,
    try_path: Annotated[
        Path | None, typer.Option("--try", help="Try this model only, in a process of its own.")
    ] = None,
    probe: Annotated[bool, typer.Option(help="Try each that is here likewise.")] = False,
    output: FormatOption = Format.TABLE,
) -> None:
    """List the models that are known: size, rate, language, licence, where they lie, whether they work."""
    with clear_errors():
        if try_path is not None:
            _print_trial(try_path, output)
            return
        further = [model] if model is not None else []
        used: list[Path] = []
        if site is not None:
            loaded = load_site(site)
            used = [model_path(loaded.asr.model)]
            further += [*used, *models_in(loaded.data_dir / "models")]
        attempt = try_model if probe else None
        rows = model_rows(known_models(*further), catalogue(), used=used, attempt=attempt)
    if output is Format.JSON:
        typer.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
    else:
        for row in rows:
            _print_row(row)
        typer.echo("get one: hotline asr pull NAME", err=True)
    if any(row.problem for row in rows):
        raise typer.Exit(1)


def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of: hotline asr models.")],
    into: Annotated[
        Path | None,
        typer.Option("--into", help="The folder of models; data_dir/models of --site, or ~/.cache/vosk."),
    ] = None,
    site: SiteOption = None,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Another place: of the archive, or (with / at its end) of its folder."),
    ] = None,
    sha256: Annotated[str | None, typer.Option("--sha256", help="What the archive's must be.")] = None,
    archive: Annotated[
        Path | None, typer.Option("--archive", help="An archive brought by hand, in place of a download.")
    ] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Download a model, compare, unpack and try it; a pull that was ended goes on where it was."""
    from hotline.asr.pulling.pull import Pull  # an HTTP library that no other command needs

    with clear_errors():
        wanted = wanted_model(name, url, sha256, archive)
        place = into or (load_site(site).data_dir / "models" if site else USUAL_PLACE)
        if archive is not None and not archive.is_file():
            raise UsageError(f"there is no archive {archive}")
        attempt = try_model if wanted.engine == "vosk" else None
        with _Screen() as screen:
            into = place.expanduser().resolve()
            source = "--sha256" if sha256 else "the catalogue"
            pulled = Pull(wanted, into, attempt, screen, time.sleep, archive, source).run()
    if output is Format.JSON:
        document = {
            "name": wanted.name,
            "path": str(pulled.path),
            "new": pulled.new,
            "compared": pulled.compared,
            "trial": asdict(pulled.trial) if pulled.trial else None,
        }
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    _print_pulled(pulled)


def wanted_model(name: str, url: str | None, sha256: str | None, archive: Path | None) -> KnownModel:
    """The model of that name, from where and as the operator says.

    Raises:
        UsageError: nobody knows it, or it cannot be pulled.
    """
    known = known_model(name)
    if known is None and url is None and archive is None:
        hint = "hotline asr models lists those known; of your own: --url ADDRESS or --archive FILE"
        raise UsageError(f"no model is known as {name}", hint=hint)
    if known is not None and known.engine == "funasr":
        hint = "start that server and name it in the site file"
        raise UsageError(f"{name} runs in FunASR's own server, which fetches it by itself", hint=hint)
    facts = known.model_dump() if known else {"name": name, "url": url or ""}
    if url is not None:
        facts["url"] = url + (known.archive_name if known else f"{name}.zip") if url.endswith("/") else url
    if sha256 is not None:
        facts["sha256"] = sha256.lower()
    try:
        return KnownModel(**facts)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        option = {"url": "--url", "sha256": "--sha256"}.get(key, "NAME")
        raise UsageError(f"{option} is not well formed: {facts[key]}") from None


class _Screen:
    """Progress on stderr: the steps, and on a terminal a bar."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, soft_wrap=True, highlight=False)
        bar = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(TextColumn("{task.description}"), *bar, console=self._console)
        self._download = self._progress.add_task("downloaded", total=None, visible=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def step(self, words: str) -> None:
        self._console.print(words, markup=False)

    def bytes_here(self, done: int, total: int | None) -> None:
        self._progress.update(self._download, completed=done, total=total, visible=True)


def _print_trial(path: Path, output: Format) -> None:
    trial = try_model(path)
    typer.echo(json.dumps(asdict(trial), ensure_ascii=False) if output is Format.JSON else str(trial))


def _print_row(row: ModelRow) -> None:
    size = row.size_bytes or row.archive_bytes
    facts = [
        row.name,
        row.engine,
        row.language or "-",
        f"{row.sample_rate_hz} Hz" if row.sample_rate_hz else "-",
        f"{size / 1e6:.1f} MB" if size else "-",
        row.licence or "licence not stated",
    ]
    state = "used by the site" if row.used else "here" if row.installed else "not here"
    typer.echo("  ".join(facts))
    typer.echo(f"    {state}: {row.path or row.url}")
    for line in (row.about, row.seen, row.problem):
        if line:
            typer.echo(f"    {line}")


def _print_pulled(pulled: Pulled) -> None:
    typer.echo(f"{pulled.path}: {'installed' if pulled.new else 'it was here already'}")
    typer.echo(f"compared with {pulled.compared}")
    typer.echo(str(pulled.trial) if pulled.trial else "not tried: the engine of this model has no trial")
    typer.echo(f"use it: asr: {{model: {pulled.path}}} in the site file, then restart hotline serve")
