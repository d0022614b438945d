"""Figures that would take too long, on a real PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.store.migrate import upgrade
from tests.fixtures import limit_checks as checks
from tests.fixtures.postgres import engine, postgres_cluster, postgres_url

__all__ = ["engine", "postgres_cluster", "postgres_url"]
pytestmark = pytest.mark.real


async def test_an_endless_statement_is_stopped_on_postgresql(engine: AsyncEngine) -> None:
    """Nobody waits for ever, and the connection is good for what comes next."""
    await checks.check_an_endless_statement_is_stopped(engine)


async def test_an_answer_given_up_says_what_to_ask_instead_on_postgresql(engine: AsyncEngine) -> None:
    """It tells days that are not summed up yet from what is never summed up."""
    await upgrade(engine)
    async with engine.connect() as other, other.begin():
        await other.execute(text("LOCK TABLE queue_entries IN ACCESS EXCLUSIVE MODE"))  # counting has to wait
        await checks.check_what_is_said_of_an_answer_given_up(engine, 0.2)
