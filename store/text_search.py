"""Searching what was said: which calls, which utterances, in a bounded time.

The index gives the utterances that may hold the longest of the words, newest first; each is compared letter
by letter, and of each call left over every utterance is looked at for all the words. A page ends with its
last call: the next one goes on below that call's newest utterance, and passes over calls that were there
before it.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any, Final

from sqlalchemy import Row, select, text

from hotline.core.clock import Clock
from hotline.core.events import Side
from hotline.core.text_search import letters, marks, pairs, terms
from hotline.core.views import CallFilter, FoundCall, FoundCalls, FoundUtterance
from hotline.store.database import Sessions
from hotline.store.history import StoredHistory, call_conditions
from hotline.store.models import Call, SearchProgress, TranscriptRow
from hotline.store.search_words import SearchWords, SearchWordsOnDemand

SEARCH_SECONDS: Final = 2.0  # then what was found so far is the page
AT_ONCE: Final = 2  # searches; others wait, and leave the database's connections to the rest of the console
SHOWN_UTTERANCES: Final = 10  # of a call
CALLS_AT_ONCE: Final = 50  # looked through for further words
NEWEST: Final = 2**62  # above every id
_MATCH: Final = {
    "sqlite": "segment_words MATCH :match",
    "postgresql": "words @@ CAST(CAST(:match AS text) AS tsquery)",
}

_Hits = tuple[tuple[FoundUtterance, ...], int]


class StoredTextSearch:
    """The TextSearch port over the store."""

    def __init__(self, sessions: Sessions, words: SearchWordsOnDemand, clock: Clock) -> None:
        self._sessions, self._words, self._clock = sessions, words, clock
        self._history = StoredHistory(sessions)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def find(
        self, query: str, wanted: CallFilter, *, limit: int, before: int | None = None
    ) -> FoundCalls:
        """Calls in which all the words were said; see the port.

        Raises:
            UsageError: there is nothing to search for.
            SetupError: the words of the index cannot be had.
        """
        asked = terms(query)
        words = await self._words.get()
        async with self._turns:
            return await self._find(asked, words, wanted, limit, NEWEST if before is None else before)

    async def _find(
        self, asked: tuple[str, ...], words: SearchWords, wanted: CallFilter, limit: int, before: int
    ) -> FoundCalls:
        ends = self._clock.monotonic() + SEARCH_SECONDS
        catching_up = await self._catching_up()
        tokens = pairs(asked[0]) | (set() if catching_up else words.words(asked[0]))
        hits: dict[str, _Hits] = {}
        seen: set[str] = set()
        below = before
        goes_on: int | None = below
        complete = True
        for size in _sizes():
            ids = await self._candidates(tokens, below, size)
            newest = await self._calls_saying(ids, asked[0], wanted)
            fresh = [call_id for call_id in newest if call_id not in seen]
            seen.update(fresh)
            at_once = limit if len(asked) == 1 else CALLS_AT_ONCE
            for first in range(0, len(fresh), at_once):
                some = fresh[first : first + at_once]
                for call_id, found in (await self._hits(some, asked, wanted.agent, before)).items():
                    hits[call_id] = found
                    if len(hits) == limit:
                        return await self._page(hits, wanted, newest[call_id], True, catching_up)
                goes_on = newest[some[-1]]
                if self._clock.monotonic() > ends:
                    return await self._page(hits, wanted, goes_on, False, catching_up)
            if len(ids) < size:
                goes_on = None
                break
            goes_on = below = ids[-1]
            if self._clock.monotonic() > ends:
                complete = False
                break
        return await self._page(hits, wanted, goes_on, complete, catching_up)

    async def _page(
        self, hits: dict[str, _Hits], wanted: CallFilter, before: int | None, complete: bool, behind: bool
    ) -> FoundCalls:
        calls = await self._history.some(list(hits), wanted.agent)
        found = [FoundCall(calls[call_id], *hits[call_id]) for call_id in hits if call_id in calls]
        return FoundCalls(tuple(found), before, complete, behind)

    async def _catching_up(self) -> bool:
        async with self._sessions() as session:
            row = (await session.execute(select(SearchProgress.below, SearchProgress.edition))).first()
            return row is None or row.below > 0 or row.edition != self._words.edition

    async def _candidates(self, tokens: set[str], below: int, size: int) -> list[int]:
        """Ids of utterances with all the tokens, newest first."""
        async with self._sessions() as session:
            connection = await session.connection()
            dialect = connection.dialect.name
            if dialect == "postgresql":
                await connection.execute(
                    text(f"SET LOCAL statement_timeout = {round(SEARCH_SECONDS * 2000)}")
                )
            statement = text(
                f"SELECT rowid FROM segment_words WHERE {_MATCH[dialect]} AND rowid < :below"  # noqa: S608
                " ORDER BY rowid DESC LIMIT :size"
            )
            match = (" & " if dialect == "postgresql" else " AND ").join(
                f"'{token}'" if dialect == "postgresql" else f'"{token}"' for token in sorted(tokens)
            )
            found = await connection.execute(statement, {"match": match, "below": below, "size": size})
            return list(found.scalars())

    async def _calls_saying(self, ids: Sequence[int], term: str, wanted: CallFilter) -> dict[str, int]:
        """Of the calls wanted, those that truly say ``term`` in these utterances, and the newest of them."""
        query = (
            select(TranscriptRow.id, TranscriptRow.call_id, TranscriptRow.text, TranscriptRow.written)
            .join(Call, Call.call_id == TranscriptRow.call_id)
            .where(TranscriptRow.id.in_(ids), *call_conditions(wanted))
            .order_by(TranscriptRow.id.desc())
        )
        async with self._sessions() as session:
            rows = (await session.execute(query)).all() if ids else []

        def say_it() -> dict[str, int]:
            newest: dict[str, int] = {}
            for row in rows:
                if row.call_id not in newest and term in _folded(row):
                    newest[row.call_id] = row.id
            return newest

        return await asyncio.to_thread(say_it)

    async def _hits(
        self, call_ids: Sequence[str], asked: tuple[str, ...], agent: str | None, before: int
    ) -> dict[str, _Hits]:
        """What was said in these calls, of those in which all of it was and that were on no earlier page."""
        columns = TranscriptRow.__table__.columns
        query = select(*columns).where(TranscriptRow.call_id.in_(call_ids)).order_by(TranscriptRow.start_ms)
        async with self._sessions() as session:
            rows = (await session.execute(query)).all()
        said: dict[str, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            said[row.call_id].append(row)
        until = dict.fromkeys(call_ids, math.inf)
        if agent is not None:
            for call_id in call_ids:
                if (part := await self._history.own_part(call_id, agent)) is not None:
                    until[call_id] = part.seconds

        def look() -> dict[str, _Hits]:
            found = ((one, _said_in(said[one], asked, before, until[one])) for one in call_ids)
            return {call_id: hits for call_id, hits in found if hits is not None}

        return await asyncio.to_thread(look)


def _said_in(rows: Sequence[Row[Any]], asked: tuple[str, ...], before: int, until: float) -> _Hits | None:
    """The utterances of one call that hold any of the terms; None unless all are said before ``until``."""
    missing = set(asked)
    found: list[FoundUtterance] = []
    for row in rows:
        folded = _folded(row)
        held = [term for term in asked if term in folded]
        if asked[0] in held and row.id >= before:
            return None
        if not held or row.start_ms / 1000 >= until:
            continue
        missing.difference_update(held)
        shown = row.written if marks(row.written, asked) else row.text
        found.append(
            FoundUtterance(
                side=Side(row.side),
                party=row.party,
                utterance=row.utterance,
                start_seconds=row.start_ms / 1000,
                end_seconds=row.end_ms / 1000,
                text=shown,
                marks=marks(shown, asked),
            )
        )
    return None if missing else (tuple(found[:SHOWN_UTTERANCES]), len(found))


def _folded(row: Any) -> str:
    """The letters of a text as heard and as written, apart."""
    return f"{letters(row.text).text}\n{letters(row.written).text}"


def _sizes() -> Iterator[int]:
    """Rows asked of the index at once: few for a word that is often said, more when filters leave little."""
    return chain((200, 1_000), repeat(4_000))
