"""Figures that would take too long, on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.store import time_limits
from hotline.store.database import open_engine
from tests.fixtures import limit_checks as checks
from tests.fixtures.migrated import upgrade


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    await upgrade(made)
    yield made
    await made.dispose()


async def test_an_endless_statement_is_stopped(engine: AsyncEngine) -> None:
    """Nobody waits for ever, and the connection is good for what comes next."""
    await checks.check_an_endless_statement_is_stopped(engine)


async def test_an_answer_given_up_says_what_to_ask_instead(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells days that are not summed up yet from what is never summed up."""
    monkeypatch.setattr(time_limits, "STEPS", 1)  # the clock is looked at even in an empty database
    await checks.check_what_is_said_of_an_answer_given_up(engine, 1e-9)
