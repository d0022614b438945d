"""Searching what was said, on a real PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.fixtures import search_checks
from tests.fixtures.postgres import engine, postgres_cluster, postgres_url

__all__ = ["engine", "postgres_cluster", "postgres_url"]
pytestmark = pytest.mark.real


async def test_what_was_said_is_found_on_postgresql(engine: AsyncEngine) -> None:
    """By word, by part of a sentence, by several words of one call, and by line, agent and period."""
    await search_checks.check_what_was_said_is_found(engine)


async def test_an_agent_finds_the_own_part_only_on_postgresql(engine: AsyncEngine) -> None:
    """What was said after an agent handed the caller on is not found by that agent."""
    await search_checks.check_an_agent_finds_the_own_part_only(engine)


async def test_pages_hold_every_call_once_on_postgresql(engine: AsyncEngine) -> None:
    """Paging by the last key shows each call once, with all its utterances, also of calls at once."""
    await search_checks.check_pages_hold_every_call_once(engine)


async def test_the_index_follows_the_texts_on_postgresql(engine: AsyncEngine) -> None:
    """A text that was corrected is found by its new words and no longer by the old ones."""
    await search_checks.check_the_index_follows_the_texts(engine)


async def test_old_texts_are_indexed_behind_the_start_on_postgresql(engine: AsyncEngine) -> None:
    """Texts from before the index become searchable bit by bit, the newest first."""
    await search_checks.check_old_texts_are_indexed_behind_the_start(engine)


async def test_a_text_written_while_it_is_indexed_stays_noted_on_postgresql(engine: AsyncEngine) -> None:
    """A text that changes while the index reads it is indexed again."""
    await search_checks.check_a_text_written_while_it_is_indexed_stays_noted(engine)
