"""``hotline asr export`` on a real database file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import typer
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from hotline.asr.export_cli import export_command
from hotline.config.schema import Site
from hotline.core.clock import SystemClock
from hotline.core.errors import UnknownName
from hotline.store.audit import AuditLog
from hotline.store.database import open_engine, sessions_of
from tests.fixtures.console import SITE
from tests.fixtures.migrated import upgrade
from tests.fixtures.search_checks import SearchedStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data_dir with one call."""

    async def fill() -> None:
        engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
        await upgrade(engine)
        await SearchedStore(engine).call("c1", "我的社保卡丢了", "怎么补办")
        await engine.dispose()

    asyncio.run(fill())
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    def open_site(path: Path) -> tuple[Site, AsyncEngine]:
        assert path == Path("site.yaml")
        return SITE, open_engine(f"sqlite+aiosqlite:///{folder}/hotline.db")

    app = typer.Typer()
    app.command()(export_command(open_site))
    return CliRunner().invoke(app, [*arguments, "--site", "site.yaml"])


def test_a_calls_text_is_printed_in_each_format(folder: Path) -> None:
    """Text, SRT and JSON, without the caller's number; each is in the audit log."""
    srt = run(folder, "c1", "--format", "srt")
    assert srt.exit_code == 0
    assert srt.stdout.startswith("1\n00:00:05,000 --> 00:00:08,000\n来电人：我的社保卡丢了\n")
    plain = run(folder, "c1").stdout
    assert "[00:10] 来电人：怎么补办" in plain and "1381234" not in plain
    whole = json.loads(run(folder, "c1", "--format", "json").stdout)
    assert [one["text"] for one in whole["segments"]] == ["我的社保卡丢了", "怎么补办"]

    async def audited() -> list[tuple[str, str, str]]:
        engine = open_engine(f"sqlite+aiosqlite:///{folder}/hotline.db")
        rows = await AuditLog(sessions_of(engine), SystemClock()).recent()
        await engine.dispose()
        return [(row.user, row.action, f"{row.subject} {row.detail}") for row in rows]

    assert asyncio.run(audited()) == [
        ("command line", "export_text", f"c1 {kind}") for kind in ("json", "txt", "srt")
    ]


def test_a_call_that_is_not_there_is_told(folder: Path) -> None:
    """An unknown call is an error that says where ids are found, and nothing is recorded."""
    failed = run(folder, "c9")
    assert isinstance(failed.exception, UnknownName)
    assert "c9" in str(failed.exception) and failed.exception.hint
