"""Searching what was said, on a SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.store.database import open_engine
from tests.fixtures import search_checks


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/hotline.db")
    yield engine
    await engine.dispose()


async def test_what_was_said_is_found(engine: AsyncEngine) -> None:
    """By word, by part of a sentence, by several words of one call, and by line, agent and period."""
    await search_checks.check_what_was_said_is_found(engine)


async def test_an_agent_finds_the_own_part_only(engine: AsyncEngine) -> None:
    """What was said after an agent handed the caller on is not found by that agent."""
    await search_checks.check_an_agent_finds_the_own_part_only(engine)


async def test_pages_hold_every_call_once(engine: AsyncEngine) -> None:
    """Paging by the last key shows each call once, with all its utterances, also of calls at once."""
    await search_checks.check_pages_hold_every_call_once(engine)


async def test_the_index_follows_the_texts(engine: AsyncEngine) -> None:
    """A text that was corrected is found by its new words and no longer by the old ones."""
    await search_checks.check_the_index_follows_the_texts(engine)


async def test_old_texts_are_indexed_behind_the_start(engine: AsyncEngine) -> None:
    """Texts from before the index become searchable bit by bit, the newest first."""
    await search_checks.check_old_texts_are_indexed_behind_the_start(engine)


async def test_a_text_written_while_it_is_indexed_stays_noted(engine: AsyncEngine) -> None:
    """A text that changes while the index reads it is indexed again."""
    await search_checks.check_a_text_written_while_it_is_indexed_stays_noted(engine)
