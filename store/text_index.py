"""The index of what was said: kept right behind the texts, never in their way.

Saving a text notes it in ``unindexed_texts``, in the text's own transaction. A background task takes such
notes, indexes the texts and strikes the notes off, in one transaction too: whatever ends the server between
the two, the next start finds the note. A text written again meanwhile has a new ``token`` and stays noted.
Texts from before the index, or indexed with other words, are gone through from the newest to the oldest, so
that a start waits for nothing.

SQLite holds the tokens in an FTS5 table, PostgreSQL in a tsvector with a GIN index. The tsvector is made of
the tokens as they are (as its ``simple`` configuration would leave them): PostgreSQL's own parser finds no
Chinese words in some locales.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from hotline.store.database import Sessions
from hotline.store.models import SearchProgress, TranscriptRow, UnindexedText
from hotline.store.search_words import SearchWordsOnDemand
from hotline.store.upsert import upsert

_PROGRESS = 1  # the only row
_STRUCK = ("of_call", "of_side", "of_utterance", "of_token")
_STRIKE_OFF = delete(UnindexedText).where(
    UnindexedText.call_id == bindparam("of_call"),
    UnindexedText.side == bindparam("of_side"),
    UnindexedText.utterance == bindparam("of_utterance"),
    UnindexedText.token == bindparam("of_token"),
)


@dataclass(frozen=True, slots=True)
class _Note:
    """A text that is to be indexed. ``token``: of this version of it."""

    call_id: str
    side: str
    utterance: int
    token: int


async def note_unindexed(session: AsyncSession, texts: Iterable[tuple[str, str, int]]) -> None:
    """Note texts that are written in this transaction; each is a call, a side and an utterance."""
    notes = [_Note(*text, secrets.randbits(62)) for text in texts]
    await upsert(session, UnindexedText, notes, ("call_id", "side", "utterance"))


class TextIndex:
    """Brings the index up to date, a batch at a time. Raises what the database raises, nothing half done."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def begin(self, edition: str) -> None:
        """Index with words of this edition from now on; old texts anew if it is another one."""
        async with self._sessions.begin() as session:
            row = await session.get(SearchProgress, _PROGRESS)
            if row is not None and row.edition == edition:
                return
            newest = await session.scalar(select(func.max(TranscriptRow.id)))
            below = (newest or 0) + 1
            await session.merge(SearchProgress(id=_PROGRESS, below=below, edition=edition))

    async def index_new(self, words: SearchWordsOnDemand, limit: int) -> int:
        """Index texts written since; how many were looked at."""
        same = (
            (TranscriptRow.call_id == UnindexedText.call_id)
            & (TranscriptRow.side == UnindexedText.side)
            & (TranscriptRow.utterance == UnindexedText.utterance)
        )
        query = (
            select(
                UnindexedText.call_id, UnindexedText.side, UnindexedText.utterance, UnindexedText.token,
                TranscriptRow.id, TranscriptRow.text, TranscriptRow.written,
            )
            .outerjoin(TranscriptRow, same)
            .limit(limit)
        )  # fmt: skip
        async with self._sessions() as session:
            found = list(await session.execute(query))
        if not found:
            return 0
        made = await _tokens(words, [(row.id, _both(row)) for row in found if row.id is not None])
        async with self._sessions.begin() as session:
            await _put(session, made)
            done = [dict(zip(_STRUCK, row, strict=False)) for row in found]
            await (await session.connection()).execute(_STRIKE_OFF, done)
        return len(found)

    async def index_old(self, words: SearchWordsOnDemand, limit: int) -> int:
        """Index the newest of the texts that were there before; how many, 0 when none is left."""
        async with self._sessions() as session:
            progress = await session.get(SearchProgress, _PROGRESS)
            if progress is None or progress.below <= 0:
                return 0
            query = (
                select(TranscriptRow.id, TranscriptRow.text, TranscriptRow.written)
                .where(TranscriptRow.id < progress.below)
                .order_by(TranscriptRow.id.desc())
                .limit(limit)
            )
            found = [(row.id, _both(row)) for row in await session.execute(query)]
        made = await _tokens(words, found)
        async with self._sessions.begin() as session:
            await _put(session, made)
            below = found[-1][0] if len(found) == limit else 0
            await session.merge(SearchProgress(id=_PROGRESS, below=below, edition=words.edition))
        return len(found)


def _both(row: Any) -> str:
    """A text as heard and as written: it is found by either."""
    return f"{row.text}\n{row.written}"


async def _tokens(words: SearchWordsOnDemand, texts: list[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    """The tokens of texts, on a thread."""
    if not texts:
        return []
    known = await words.get()
    return await asyncio.to_thread(lambda: [(key, sorted(known.tokens(said))) for key, said in texts])


async def _put(session: AsyncSession, made: list[tuple[int, list[str]]]) -> None:
    """Write index rows; one that is there is replaced."""
    if not made:
        return
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        statement = text(
            "INSERT INTO segment_words (rowid, words)"
            " VALUES (:key, array_to_tsvector(CAST(:tokens AS text[])))"
            " ON CONFLICT (rowid) DO UPDATE SET words = excluded.words"
        )
        await connection.execute(statement, [{"key": key, "tokens": tokens} for key, tokens in made])
        return
    replace = text("INSERT OR REPLACE INTO segment_words (rowid, words) VALUES (:key, :tokens)")
    await connection.execute(replace, [{"key": key, "tokens": " ".join(tokens)} for key, tokens in made])
