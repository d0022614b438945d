"""``hotline recordings``: what is kept, what is deleted, and what must not be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.cli import Format, OutputFormat
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import SetupError, UnknownName
from hotline.queue.recording.retention import Retention
from hotline.store.audit import AuditLog
from hotline.store.database import Sessions, sessions_of
from hotline.store.migrate import upgrade
from hotline.store.recordings import RecordingStore

T = TypeVar("T")
OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""

BY = "command line"  # who did it, in the audit log
SiteFile = Annotated[Path, typer.Option("--site", help="The site file.")]
CallId = Annotated[str, typer.Argument(help="The call's id, as the pages' addresses show it.")]


def recording_commands(open_site: OpenSite) -> typer.Typer:
    """The ``recordings`` group. Errors are raised as HotlineError for the command line's own handler."""
    group = typer.Typer(no_args_is_help=True, help="Recordings: delete what is too old, keep what is needed.")

    @group.command("prune")
    def prune(
        site: SiteFile,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
        output: Format = OutputFormat.TEXT,
    ) -> None:
        """Delete recordings older than the site keeps them; never one on hold."""
        here, engine = open_site(site)

        async def work(sessions: Sessions) -> None:
            clock = SystemClock()
            retention = Retention(here, RecordingStore(sessions), AuditLog(sessions, clock), clock)
            pruned = await retention.prune(BY, dry_run=dry_run)
            if output is OutputFormat.JSON:
                moments = {"oldest": pruned.oldest, "newest": pruned.newest}
                row = {
                    "deleted": not dry_run,
                    "recordings": pruned.recordings,
                    "size_bytes": pruned.size_bytes,
                    **{name: moment and moment.isoformat() for name, moment in moments.items()},
                    "files_gone": pruned.files_gone,
                    "undeletable": pruned.undeletable,
                }
                typer.echo(json.dumps(row, indent=2))
            else:
                typer.echo(f"{'would delete' if dry_run else 'deleted'} {pruned}")
            if pruned.undeletable:
                raise SetupError(
                    f"{pruned.undeletable} recordings could not be deleted: {pruned.why}",
                    hint="see who owns the files below data_dir/recordings",
                )

        _with_database(engine, work)

    @group.command("hold")
    def hold(call_id: CallId, site: SiteFile) -> None:
        """Keep a call's recording whatever its age, until it is released."""
        _set_held(*open_site(site), call_id, held=True)

    @group.command("release")
    def release(call_id: CallId, site: SiteFile) -> None:
        """Let a call's recording be deleted when its time comes."""
        _set_held(*open_site(site), call_id, held=False)

    return group


def _set_held(site: Site, engine: AsyncEngine, call_id: str, *, held: bool) -> None:
    async def work(sessions: Sessions) -> None:
        store = RecordingStore(sessions)
        if not await store.hold(call_id, held):
            raise UnknownName(f"call {call_id} has no recording", hint="the page of the call shows its id")
        row = await store.one(call_id)
        if held and (row is None or not (site.data_dir / row.path).is_file()):
            raise SetupError(
                f"the file of call {call_id}'s recording is gone", hint="look for it in a backup"
            )
        action = "recording_hold" if held else "recording_release"
        await AuditLog(sessions, SystemClock()).record(BY, action, call_id)
        typer.echo(f"the recording of call {call_id} is {'on hold' if held else 'released'}")

    _with_database(engine, work)


def _with_database(engine: AsyncEngine, work: Callable[[Sessions], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            await upgrade(engine)
            return await work(sessions_of(engine))
        except (SQLAlchemyError, OSError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SetupError(f"this could not be done: {reason}", hint="see hotline doctor") from error
        finally:
            await engine.dispose()

    return asyncio.run(run())
