"""Final texts on their way to the database: in batches, never in the way, never lost while memory lasts."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from hotline.asr.stats import AsrStats
from hotline.asr.transcripts import CALL_SEGMENTS_LIMIT, TranscriptBook
from hotline.core.events import Side, TranscriptSegment
from hotline.core.views import Segment
from hotline.store.database import open_engine, sessions_of
from hotline.store.transcripts import TranscriptStore
from tests.fixtures.asr import eventually
from tests.fixtures.migrated import upgrade

AT = datetime(2026, 11, 2, 1, 0, 0, 123000, tzinfo=UTC)


def text(
    utterance: int, words: str = "您好", *, call: str = "c1", side: Side = Side.CALLER, final: bool = True
) -> TranscriptSegment:
    return TranscriptSegment(
        call_id=call,
        at=AT,
        side=side,
        utterance=utterance,
        revision=2,
        text=words,
        final=final,
        start_seconds=utterance * 1.5,
        end_seconds=utterance * 1.5 + 1.25,
        confidence=0.75 if final else None,
        audio_at=AT,
    )


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}")
    await upgrade(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def store(database: AsyncEngine) -> TranscriptStore:
    return TranscriptStore(sessions_of(database))


class SulkyStore(TranscriptStore):
    """Refuses as often as told, and single texts for good."""

    def __init__(self, store: TranscriptStore, refusals: int = 0, poison: str = "") -> None:
        super().__init__(store._sessions)
        self.refusals = refusals
        self.poison = poison
        self.batches: list[int] = []

    async def save(self, segments: Sequence[Segment]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise OperationalError("insert", {}, sqlite3.OperationalError("database is locked"))
        if self.poison and any(self.poison in segment.text for segment in segments):
            raise DataError("insert", {}, ValueError("not for this column"))
        self.batches.append(len(segments))
        await super().save(segments)


async def test_final_texts_come_back_as_they_were(store: TranscriptStore) -> None:
    """Every field survives the database; saving again replaces instead of doubling."""
    book = TranscriptBook(store, AsrStats())
    book.start()
    book.record(text(1, "您好𠮷"))
    book.record(text(1, "请讲", side=Side.AGENT))
    book.record(text(2, "我想", final=False))
    await book.aclose()
    await store.save([segment for segment in await store.of_call("c1") if segment.utterance == 1])
    segments = await store.of_call("c1")
    assert [(s.side, s.text, s.final, s.revision) for s in segments] == [
        (Side.AGENT, "请讲", True, 2),
        (Side.CALLER, "您好𠮷", True, 2),
    ]
    assert (segments[1].start_seconds, segments[1].end_seconds) == (1.5, 2.75)
    assert (segments[1].confidence, segments[1].at) == (0.75, AT)
    assert await store.last_utterances("c1") == {Side.CALLER: 1, Side.AGENT: 1}


async def test_both_forms_of_a_text_are_kept(store: TranscriptStore, database: AsyncEngine) -> None:
    """As heard and as written; a row from before there were two is read as heard."""
    await store.save([Segment("c1", Side.CALLER, 1, 1, "三百元", True, 0, 1, 0.9, AT, "", "300元。")])
    await store.save([Segment("c1", Side.CALLER, 2, 1, "好的", True, 2, 3, 0.9, AT)])
    async with database.begin() as connection:
        await connection.execute(sql("update segments set written = '' where utterance = 2"))
    forms = [(one.text, one.written) for one in await store.of_call("c1")]
    assert forms == [("三百元", "300元。"), ("好的", "好的")]


async def test_a_burst_is_one_transaction(store: TranscriptStore) -> None:
    """Texts of many calls that come together are saved together."""
    sulky = SulkyStore(store)
    book = TranscriptBook(sulky, AsrStats())
    book.start()
    for number in range(100):
        book.record(text(1, call=f"c{number}"))
    await book.aclose()
    assert sulky.batches == [100]


async def test_a_database_that_refuses_for_a_while_loses_nothing(store: TranscriptStore) -> None:
    """Refused saves are tried again; text is live meanwhile, and stays in memory until it is saved."""
    stats = AsrStats()
    sulky = SulkyStore(store, refusals=3)
    book = TranscriptBook(sulky, stats)
    book.start()
    book.record(text(1))
    book.call_ended("c1")
    await eventually(lambda: stats.save_failures >= 2)
    assert [segment.text for segment in await book.of_call("c1")] == ["您好"]
    await eventually(lambda: stats.segments_waiting == 0)
    assert [segment.text for segment in await store.of_call("c1")] == ["您好"]
    assert stats.segments_dropped == 0
    await book.aclose()


async def test_a_locked_database_delays_no_live_text(tmp_path: Path, store: TranscriptStore) -> None:
    """Another program holds the write lock: recording returns at once, and what waits is saved afterwards."""
    stats = AsrStats()
    book = TranscriptBook(store, stats)
    book.start()
    other = sqlite3.connect(tmp_path / "hotline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(1, 200):
        book.record(text(number))
    assert loop.time() - began < 0.5
    assert len(await book.of_call("c1")) == 199
    other.execute("COMMIT")
    other.close()
    await eventually(lambda: stats.segments_waiting == 0)
    assert len(await store.of_call("c1")) == 199
    await book.aclose()


async def test_one_text_that_the_database_refuses_for_good_does_not_hold_up_the_others(
    store: TranscriptStore,
) -> None:
    """The others of its batch are saved; it alone is given up and counted."""
    stats = AsrStats()
    book = TranscriptBook(SulkyStore(store, poison="毒"), stats)
    book.start()
    for number, words in enumerate(["一", "毒", "三"], 1):
        book.record(text(number, words))
    await book.aclose()
    assert [segment.text for segment in await store.of_call("c1")] == ["一", "三"]
    assert stats.segments_dropped == 1


async def test_what_waits_is_bounded_and_the_oldest_goes_first(store: TranscriptStore) -> None:
    """A database that never comes back costs a known amount of memory; what is lost is counted."""
    stats = AsrStats()
    sulky = SulkyStore(store, refusals=1)
    book = TranscriptBook(sulky, stats, waiting_limit=10)
    for number in range(1, 31):
        book.record(text(number))
    assert (stats.segments_waiting, stats.segments_dropped) == (10, 20)
    book.start()
    await book.aclose()
    assert [segment.utterance for segment in await store.of_call("c1")] == list(range(21, 31))


async def test_an_ended_call_is_forgotten_in_memory_and_read_from_the_database(
    store: TranscriptStore,
) -> None:
    """Memory holds live calls; the past is the database's."""
    book = TranscriptBook(store, AsrStats())
    book.start()
    book.record(text(1))
    book.record(text(2, "我", final=False))
    book.call_ended("c1")
    await eventually(lambda: not book._live)
    assert [segment.text for segment in await book.of_call("c1")] == ["您好"]
    await book.aclose()


async def test_a_call_that_never_ends_is_bounded_in_memory(store: TranscriptStore) -> None:
    """The oldest texts of an endless call are only in the database."""
    book = TranscriptBook(store, AsrStats())
    for number in range(1, CALL_SEGMENTS_LIMIT + 50):
        book.record(text(number, final=False))
    assert len(book._live["c1"]) == CALL_SEGMENTS_LIMIT


async def test_a_text_taken_back_is_neither_shown_nor_saved(store: TranscriptStore) -> None:
    """An utterance that turned out to be nothing leaves no trace in the transcript."""
    book = TranscriptBook(store, AsrStats())
    book.start()
    book.record(text(1, "嗯", final=False))
    book.record(text(1, ""))
    assert await book.of_call("c1") == []
    await book.aclose()
    assert await store.of_call("c1") == []


async def test_without_a_database_live_text_is_still_given(store: TranscriptStore) -> None:
    """Reading falls back to what is in memory."""

    class GoneStore(TranscriptStore):
        async def of_call(self, call_id: str) -> list[Segment]:
            raise OperationalError("select", {}, sqlite3.OperationalError("unable to open database file"))

    book = TranscriptBook(GoneStore(store._sessions), AsrStats())
    book.record(text(1))
    assert [segment.text for segment in await book.of_call("c1")] == ["您好"]
