"""``hotline asr export``: one call's text as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import SetupError, UnknownName
from hotline.core.transcript_files import CallText, FileKind, as_shown, write_file
from hotline.store.audit import AuditLog
from hotline.store.database import sessions_of
from hotline.store.history import StoredHistory
from hotline.store.migrate import upgrade
from hotline.store.transcripts import TranscriptStore

OpenSite = Callable[[Path], tuple[Site, AsyncEngine]]
"""From a site file's path to the site and an engine on its database."""

BY = "command line"  # who did it, in the audit log


class FormatName(StrEnum):
    """How to write it."""

    TEXT = "text"
    SRT = "srt"
    JSON = "json"


def export_command(open_site: OpenSite) -> Callable[..., None]:
    """The command. Errors are raised as HotlineError for the command line's own handler."""

    def export(
        call_id: Annotated[str, typer.Argument(help="The call's id, as the pages' addresses show it.")],
        site: Annotated[Path, typer.Option("--site", help="The site file.")],
        output: Annotated[FormatName, typer.Option("--format", help="text, srt or json.")] = FormatName.TEXT,
    ) -> None:
        """Print what was said in a call; recorded in the audit log."""
        here, engine = open_site(site)
        typer.echo(asyncio.run(_export(here, engine, call_id, FileKind[output.name])), nl=False)

    return export


async def _export(site: Site, engine: AsyncEngine, call_id: str, kind: FileKind) -> str:
    try:
        await upgrade(engine)
        sessions = sessions_of(engine)
        call = await StoredHistory(sessions).one(call_id, agent=None)
        if call is None:
            raise UnknownName(f"there is no call {call_id}", hint="the page of the call shows its id")
        segments = await TranscriptStore(sessions).of_call(call_id)
        await AuditLog(sessions, SystemClock()).record(BY, "export_text", call_id, kind.value)
    except (SQLAlchemyError, OSError) as error:
        raise SetupError(
            f"the text cannot be read: {type(error).__name__}", hint="see hotline doctor"
        ) from error
    finally:
        await engine.dispose()
    names = {agent.id: agent.name for agent in site.agents}
    zone = ZoneInfo(site.site.timezone)
    return write_file(
        CallText(
            replace(call, caller_number=""), as_shown(segments, whole=True), names, zone, site.site.language
        ),
        kind,
    )
