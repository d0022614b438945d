"""The commands of the rooms, each imported when it is typed: a report does not wait for recognition's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import typer
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.core import TyperGroup
from typer.main import get_command, get_group

from hotline.config.loading import load_site
from hotline.config.schema import Site
from hotline.config.secrets import Secrets
from hotline.server.paths import database_url
from hotline.store.database import open_engine

Command = Any
"""Click's: some releases of typer bring their own copy, others use the package."""


def open_site(path: Path) -> tuple[Site, AsyncEngine]:
    """A site and an engine on its database, for commands that need both."""
    site = load_site(path)
    site.data_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    return site, open_engine(database_url(site, Secrets(site.data_dir)))


def _one(command: Callable[..., Any]) -> Command:
    alone = typer.Typer(add_completion=False)
    alone.command()(command)
    return get_command(alone)


def _check() -> Command:
    from hotline.server.site_check import check

    return _one(check)


def _demo() -> Command:
    from hotline.server.demo.cli import demo

    return _one(demo)


def _ivr() -> Command:
    from hotline.ivr.cli import app

    return get_group(app)


def _asr() -> Command:
    from hotline.asr.cli import app
    from hotline.asr.export_cli import export_command

    found = get_group(app)
    found.add_command(_one(export_command(open_site)), "export")
    return found


def _user() -> Command:
    from hotline.agent_console.cli import user_commands

    return get_group(user_commands(open_site))


def _queue_log() -> Command:
    from hotline.queue.queue_log.cli import queue_log_commands

    return get_group(queue_log_commands(open_site))


def _shifts() -> Command:
    from hotline.queue.agents.shifts_cli import shifts_command

    return _one(shifts_command(open_site))


def _asterisk() -> Command:
    from hotline.telephony.cli import app

    return get_group(app)


def _score() -> Command:
    from hotline.metrics.scoring.cli import score_command

    return _one(score_command(open_site))


def _staff() -> Command:
    from hotline.metrics.staffing.cli import staff_command

    return _one(staff_command(open_site))


def _recordings() -> Command:
    from hotline.queue.recording.cli import recording_commands

    return get_group(recording_commands(open_site))


def _report() -> Command:
    from hotline.metrics.report.cli import report_commands

    return get_group(report_commands(open_site))


def _figures() -> Command:
    from hotline.metrics.imported import figures_commands

    return get_group(figures_commands(open_site))


def _dial() -> Command:
    from hotline.metrics.dialling.cli import dial_command
    from hotline.server.transcribing import FileTranscriber

    return _one(dial_command(open_site, FileTranscriber))


def _test_calls() -> Command:
    from hotline.metrics.dialling.cli import test_calls_command

    return _one(test_calls_command(open_site))


_LATER: Final[dict[str, Callable[[], Command]]] = {
    "check": _check,
    "demo": _demo,
    "ivr": _ivr,
    "asr": _asr,
    "user": _user,
    "queue-log": _queue_log,
    "shifts": _shifts,
    "asterisk": _asterisk,
    "score": _score,
    "staff": _staff,
    "recordings": _recordings,
    "report": _report,
    "figures": _figures,
    "dial": _dial,
    "test-calls": _test_calls,
}


class Commands(TyperGroup):
    """The root's own commands, and those of the rooms."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, for the help."""
        return [*super().list_commands(ctx), *_LATER]

    def get_command(self, ctx: Any, cmd_name: str) -> Command | None:
        """The command of a name; None if there is none."""
        if cmd_name not in _LATER:
            return super().get_command(ctx, cmd_name)
        found = _LATER[cmd_name]()
        found.name = cmd_name
        return found
