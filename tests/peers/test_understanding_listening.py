"""Calls understood from the bus: live, at the hang-up, after a restart, and while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.exc import OperationalError

from hotline.asr.understanding.ear import Ear
from hotline.asr.understanding.listening import CallListener
from hotline.asr.understanding.rules import RulesUnderstanding
from hotline.asr.understanding.saving import PointSaver
from hotline.config.schema import Line, Queue, Site
from hotline.config.understanding import shipped_rules
from hotline.core.bus import MemoryBus
from hotline.core.clock import SystemClock
from hotline.core.drafts import RequestType
from hotline.core.events import (
    AlarmKind,
    CallAnswered,
    CallEnded,
    CallStarted,
    CallUnderstood,
    Event,
    Side,
    SurveyBegan,
    TranscriptSegment,
    WordsHeard,
)
from hotline.core.understanding import (
    CallPoints,
    HeardCall,
    PointKind,
    Understanding,
    Understood,
    Utterance,
)
from hotline.core.views import Segment
from hotline.store.database import open_engine, sessions_of
from hotline.store.points import PointStore
from tests.fixtures.asr import eventually
from tests.fixtures.migrated import upgrade

SomeEvent = TypeVar("SomeEvent", bound=Event)
EAR = Ear(shipped_rules())
NUMBER = "13812341234"
SITE = Site(
    lines=(
        Line(id="12345", name="热线", number="12345"),
        Line(id="market", name="市场监管", number="12315", parent="12345"),
    ),
    queues=(Queue(name="12345", title="综合"),),
)


class Texts:
    """Kept texts of calls."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Segment]] = {}

    async def of_call(self, call_id: str) -> list[Segment]:
        return self.kept.get(call_id, [])


class SulkyStore(PointStore):
    """Is locked as often as told."""

    locked = 0

    async def save(self, calls: Sequence[CallPoints]) -> None:
        if self.locked:
            self.locked -= 1
            raise OperationalError("INSERT", {}, Exception("database is locked"))
        await super().save(calls)


@dataclass
class Listening:
    bus: MemoryBus
    listener: CallListener
    store: SulkyStore
    texts: Texts

    def told(self, kind: type[SomeEvent]) -> list[SomeEvent]:
        return [one.event for one in self.bus.since(0) or [] if isinstance(one.event, kind)]

    def unsaved(self) -> float:
        """Calls that wait for the database, as Prometheus is told."""
        return next(value for name, _, _, value in self.listener.numbers() if name == "points_unsaved")

    async def kept(self) -> CallPoints | None:
        """What the database has of the call, once nothing waits for it."""
        await eventually(lambda: not self.unsaved())
        return await self.store.of_call("c1")

    def begin(self, call_id: str = "c1", *, at: datetime | None = None) -> None:
        at = at or datetime.now(UTC) + timedelta(seconds=1)
        self.bus.publish(CallStarted(call_id, at, "market", "12315", NUMBER, ""))
        self.bus.publish(CallAnswered(call_id, at, "e", "market", "12345", "1001", 1.0, "u1", "u2"))

    def say(self, *texts: str, call_id: str = "c1", first: int = 1) -> None:
        for number, text in enumerate(texts, first):
            self.bus.publish(segment(call_id, number, text))

    def end(self, call_id: str = "c1") -> None:
        self.bus.publish(CallEnded(call_id, datetime.now(UTC)))


def segment(call_id: str, number: int, text: str) -> TranscriptSegment:
    now = datetime.now(UTC)
    return TranscriptSegment(call_id, now, Side.CALLER, number, 1, text, True, 1.0 * number, 2.0, 0.9, now)


@asynccontextmanager
async def listening(
    folder: Path, *, model: Understanding | None = None, late_seconds: float = 0.2
) -> AsyncIterator[Listening]:
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'hotline.db'}")
    await upgrade(engine)
    bus, texts, store = MemoryBus(), Texts(), SulkyStore(sessions_of(engine))
    listener = CallListener(SITE, bus, texts, store, SystemClock(), EAR, model, late_seconds=late_seconds)
    running = asyncio.create_task(listener.run())
    await asyncio.sleep(0)  # subscribed
    try:
        yield Listening(bus, listener, store, texts)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await engine.dispose()


async def test_a_call_is_understood_while_it_goes_on_and_kept_afterwards(tmp_path: Path) -> None:
    """Type and topic live; a summary at once with the hang-up, in the database, with what it rests on."""
    async with listening(tmp_path) as here:
        here.begin()
        here.say("我要投诉人民路二百六十号的健身房", "充了三千元的卡不给退钱")
        await eventually(lambda: len(here.told(CallUnderstood)) == 2)
        live = await here.listener.of_call("c1")
        assert live is not None and live.request_type is RequestType.COMPLAINT and not live.ended
        assert live.one(PointKind.SUMMARY) is None
        topic = live.one(PointKind.TOPIC)
        assert topic is not None and topic.value == "消费维权" and "line:12315" in topic.rules
        here.end()
        await eventually(lambda: bool([one for one in here.told(CallUnderstood) if one.settled]))
        kept = await here.kept()
        assert kept is not None and (kept.ended, kept.source) == (True, "rules")
        summary = kept.one(PointKind.SUMMARY)
        assert summary is not None and summary.value.startswith("投诉·消费维权：")
        known = [one for one in here.told(CallUnderstood) if one.ended]
        assert [one.settled for one in known] == [False, True] and known[-1].topic == "消费维权"
        assert await here.listener.of_call("c1") == kept
        assert here.listener.proposals(kept)[0].field == "request_type"


async def test_the_summary_does_not_wait_for_the_survey(tmp_path: Path) -> None:
    """The agent wraps up while the caller is asked: for both of them the talk is over."""
    async with listening(tmp_path) as here:
        here.begin()
        here.say("我要投诉人民路二百六十号的健身房", "充了三千元的卡不给退钱")
        await eventually(lambda: len(here.told(CallUnderstood)) == 2)
        here.bus.publish(SurveyBegan("c1", datetime.now(UTC)))
        kept = None
        while kept is None:
            kept = await here.kept()
        assert kept.ended and kept.one(PointKind.SUMMARY) is not None
        here.end()
        await eventually(lambda: bool([one for one in here.told(CallUnderstood) if one.settled]))
        assert [one.settled for one in here.told(CallUnderstood) if one.ended] == [False, True]


async def test_a_text_that_comes_after_the_hang_up_is_taken_in(tmp_path: Path) -> None:
    """The last words are recognised a moment later: the summary changes, and what is kept."""
    async with listening(tmp_path, late_seconds=30) as here:
        here.begin()
        here.say("我想问一下")
        here.end()
        await eventually(lambda: any(one.ended for one in here.told(CallUnderstood)))
        here.say("公积金怎么提取", first=2)
        await eventually(lambda: here.told(CallUnderstood)[-1].topic == "住房公积金")
        kept = await here.kept()
        assert kept is not None and kept.one(PointKind.TOPIC) is not None


async def test_alarming_words_are_told_once_a_call_and_kind(tmp_path: Path) -> None:
    """At once, with line and agent; said again, or after the hang-up, they are told no more."""
    async with listening(tmp_path, late_seconds=30) as here:
        here.begin()
        here.say("着火了", "着火了快来", "你们都是白痴")
        await eventually(lambda: len(here.told(CallUnderstood)) == 3)
        urgent, abusive = here.told(WordsHeard)
        assert (urgent.kind, urgent.words, urgent.line, urgent.agent, urgent.utterance) == (
            AlarmKind.URGENT, "着火", "market", "1001", 1,
        )  # fmt: skip
        assert (abusive.kind, abusive.words, abusive.utterance) == (AlarmKind.ABUSIVE, "白痴", 3)
        assert NUMBER not in str((urgent, abusive))


async def test_what_was_said_before_this_server_is_read_back(tmp_path: Path) -> None:
    """A restart in the middle of a call: at its end all of it is understood."""
    async with listening(tmp_path) as here:
        said = segment("c1", 1, "我要投诉健身房不给退钱")
        here.texts.kept["c1"] = [
            Segment("c1", Side.CALLER, 1, 1, said.text, True, 1.0, 2.0, 0.9, said.at),
            Segment("c1", Side.CALLER, 2, 1, "谢谢再见", True, 3.0, 4.0, 0.9, said.at),
        ]
        here.begin(at=datetime.now(UTC) - timedelta(minutes=5))
        here.say("谢谢再见", first=2)
        here.end()
        await eventually(lambda: any(one.settled for one in here.told(CallUnderstood)))
        kept = await here.kept()
        assert kept is not None and kept.request_type is RequestType.COMPLAINT


async def test_a_call_nobody_was_heard_on_is_nothing(tmp_path: Path) -> None:
    """No row, no event, and nothing stays in memory."""
    async with listening(tmp_path) as here:
        here.begin()
        here.end()
        here.begin("c2")
        here.say("我要投诉", call_id="c2")
        here.end("c2")
        await eventually(lambda: any(one.settled for one in here.told(CallUnderstood)))
        assert {one.call_id for one in here.told(CallUnderstood)} == {"c2"}
        assert await here.listener.of_call("c1") is None


async def test_a_locked_database_loses_nothing(tmp_path: Path) -> None:
    """What an ended call was about waits in memory, is shown from there, and is kept once it can be."""
    async with listening(tmp_path) as here:
        here.store.locked = 2
        here.begin()
        here.say("我要投诉")
        here.end()
        await eventually(lambda: any(one.settled for one in here.told(CallUnderstood)))
        assert await here.listener.of_call("c1") is not None
        await eventually(lambda: here.unsaved() == 0)
        assert (await here.store.of_call("c1")) is not None


async def test_a_stop_saves_what_is_unsaved(tmp_path: Path) -> None:
    """A call that ended in the last moment before the stop is kept."""
    async with listening(tmp_path, late_seconds=30) as here:
        here.begin()
        here.say("我要投诉")
        here.end()
        await eventually(lambda: any(one.ended for one in here.told(CallUnderstood)))
    async with listening(tmp_path) as again:
        assert await again.store.of_call("c1") is not None


async def test_a_call_that_is_saved_again_keeps_no_older_findings(tmp_path: Path) -> None:
    """The newer row and its findings replace the older ones, whole; other calls stay as they are."""
    async with listening(tmp_path) as here:
        rules = RulesUnderstanding(EAR)

        async def about(call_id: str, text: str) -> CallPoints:
            said = HeardCall(call_id, frozenset(), (Utterance(Side.CALLER, 1, text),))
            return CallPoints(
                call_id, datetime.now(UTC), 0, True, (await rules.understand(said)).points, "rules"
            )

        first, second = await about("c1", "我要投诉人民路五号健身房"), await about("c1", "我想问一下")
        other = await about("c2", "我要投诉")
        await here.store.save([first, other])
        assert await here.store.of_call("c1") == first
        await here.store.save([second])
        assert (await here.store.of_call("c1"), await here.store.of_call("c2")) == (second, other)


def test_the_oldest_unsaved_calls_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away for hours does not fill the memory; what is lost is counted."""
    monkeypatch.setattr("hotline.asr.understanding.saving.UNSAVED_LIMIT", 3)
    saver = PointSaver(None)  # type: ignore[arg-type]  # is not asked
    for number in range(5):
        saver.put(CallPoints(f"c{number}", datetime.now(UTC), 1, True, ()))
    assert (saver.waiting, saver.dropped) == (3, 2)


class Echo:
    """A model that says what it was told."""

    def __init__(self) -> None:
        self.asked: list[HeardCall] = []

    async def understand(self, call: HeardCall) -> Understood:
        self.asked.append(call)
        return Understood((), "echo", dropped=4)


class Inventive(RulesUnderstanding):
    """A model that only invented things: all of it was dropped."""

    async def understand(self, call: HeardCall) -> Understood:
        return Understood((await super().understand(call)).points, "inventive", dropped=7)


class Broken:
    """A model with a fault of ours in it."""

    async def understand(self, call: HeardCall) -> Understood:
        raise RuntimeError("bug")


async def test_a_model_is_asked_once_with_the_whole_call(tmp_path: Path) -> None:
    """After the last text; what it makes of the call is kept in place of the rules' result."""
    model = Echo()
    async with listening(tmp_path, model=model) as here:
        here.begin()
        here.say("我要投诉", "健身房")
        here.end()
        await eventually(lambda: any(one.settled for one in here.told(CallUnderstood)))
        (call,) = model.asked
        assert [one.text for one in call.utterances] == ["我要投诉", "健身房"] and "12315" in call.lines
        kept = await here.kept()
        assert kept is not None and (kept.source, kept.dropped) == ("echo", 4)


async def test_what_a_model_invented_is_counted_with_the_call(tmp_path: Path) -> None:
    """Nothing else changed: still it is kept how much was dropped, and whose it was."""
    async with listening(tmp_path, model=Inventive(EAR)) as here:
        here.begin()
        here.say("我要投诉健身房")
        here.end()
        await eventually(lambda: any(one.settled for one in here.told(CallUnderstood)))
        kept = await here.kept()
        assert kept is not None and (kept.source, kept.dropped) == ("inventive", 7)
        assert here.listener.counts.parts_dropped == 7


async def test_a_fault_in_the_model_leaves_the_rules_result(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Kept, told as settled, counted; and nothing that was said is in the log."""
    async with listening(tmp_path, model=Broken()) as here:
        here.begin()
        here.say("我要投诉健身房")
        here.end()
        await eventually(lambda: any(one.settled for one in here.told(CallUnderstood)))
        kept = await here.kept()
        assert kept is not None and kept.source == "rules" and here.listener.counts.faults == 1
    assert "健身房" not in caplog.text and NUMBER not in caplog.text
