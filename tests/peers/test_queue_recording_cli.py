"""``hotline recordings``: pruning, holding and releasing from the command line, on a real database file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from hotline.config.schema import RecordingSection, Site
from hotline.core.clock import SystemClock
from hotline.core.errors import SetupError, UnknownName
from hotline.queue.recording.cli import recording_commands
from hotline.store.audit import AuditLog
from hotline.store.database import Sessions, open_engine, sessions_of
from hotline.store.recordings import RecordingRecord, RecordingStore
from tests.fixtures.console import SITE
from tests.fixtures.migrated import upgrade

T = TypeVar("T")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data_dir with recordings of 1, 40 and 50 days ago, each of 1,000 bytes."""

    async def fill(sessions: Sessions) -> None:
        for age_days in (1, 40, 50):
            (tmp_path / f"{age_days}.wav").write_bytes(bytes(1000))
            started_at = SystemClock().now() - timedelta(days=age_days)
            await RecordingStore(sessions).add(
                RecordingRecord(f"c{age_days}", "12345", started_at, 60, 1000, "", False, f"{age_days}.wav")
            )

    on_database(tmp_path, fill)
    return tmp_path


def on_database(folder: Path, work: Callable[[Sessions], Awaitable[T]]) -> T:
    async def run() -> T:
        engine = open_engine(f"sqlite+aiosqlite:///{folder}/hotline.db")
        try:
            await upgrade(engine)
            return await work(sessions_of(engine))
        finally:
            await engine.dispose()

    return asyncio.run(run())


def run(folder: Path, *arguments: str) -> Result:
    site = SITE.model_copy(update={"data_dir": folder, "recording": RecordingSection(keep_days=30)})

    def open_site(path: Path) -> tuple[Site, AsyncEngine]:
        assert path == Path("site.yaml")
        return site, open_engine(f"sqlite+aiosqlite:///{folder}/hotline.db")

    return CliRunner().invoke(recording_commands(open_site), [*arguments, "--site", "site.yaml"])


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.wav"))


def test_a_dry_run_only_says_what_would_go(folder: Path) -> None:
    """How many, of which days, how large; nothing is deleted."""
    result = run(folder, "prune", "--dry-run")
    assert result.exit_code == 0 and "would delete 2 recordings of " in result.stdout
    assert "2000 bytes" in result.stdout
    assert files(folder) == ["1.wav", "40.wav", "50.wav"]


def test_pruning_deletes_and_says_so_in_json(folder: Path) -> None:
    """What is too old goes, and programs can read what went."""
    told = json.loads(run(folder, "prune", "--format", "json").stdout)
    assert (told["deleted"], told["recordings"], told["size_bytes"]) == (True, 2, 2000)
    assert told["oldest"] < told["newest"]
    assert files(folder) == ["1.wav"]
    assert json.loads(run(folder, "prune", "--format", "json").stdout)["oldest"] is None


def test_what_is_on_hold_stays_until_it_is_released(folder: Path) -> None:
    """A held recording survives pruning; released, it goes; both are in the audit log."""
    assert run(folder, "hold", "c50").stdout == "the recording of call c50 is on hold\n"
    run(folder, "prune")
    assert files(folder) == ["1.wav", "50.wav"]
    assert run(folder, "release", "c50").exit_code == 0
    run(folder, "prune")
    assert files(folder) == ["1.wav"]
    rows = on_database(folder, lambda sessions: AuditLog(sessions, SystemClock()).recent())
    assert [(row.action, row.user) for row in reversed(rows)] == [
        ("recording_hold", "command line"),
        ("recordings_prune", "command line"),
        ("recording_release", "command line"),
        ("recordings_prune", "command line"),
    ]


def test_holding_what_is_not_there_is_an_error(folder: Path) -> None:
    """An unknown call, or a file that is gone, must not look like a success to whoever needs the evidence."""
    unknown = run(folder, "hold", "c99")
    assert isinstance(unknown.exception, UnknownName) and "c99" in str(unknown.exception)
    (folder / "40.wav").unlink()
    gone = run(folder, "hold", "c40")
    assert isinstance(gone.exception, SetupError) and "c40" in str(gone.exception)
