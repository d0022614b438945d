"""The asr room at work: hears both sides of every answered call.

    hearing = Hearing(site, ami, bus, TranscriptStore(sessions), clock)
    await hearing.start()       # workers ready, listening on the bus
    hearing.transcripts         # the Transcripts port
    hearing.stats               # numbers for the metrics
    await hearing.aclose()

It hears of calls on the bus and tells there what it heard. A call told as answered twice (the queue room does
so after it lost sight of the exchange) is tapped once. Whoever takes a call over is heard in the agent's
place; of several at once, whoever was there first. Nothing here can touch a call.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from hotline.asr.hidden import HiddenTimes
from hotline.asr.models import model_path
from hotline.asr.numbering import UtteranceNumbers
from hotline.asr.reasons import Reason
from hotline.asr.stats import AsrStats
from hotline.asr.tap import Manager, Tap, TapTools
from hotline.asr.transcripts import TranscriptBook
from hotline.asr.vosk_engine import probe_model
from hotline.asr.worker_pool import WorkerPool
from hotline.asr.worker_process import Watch
from hotline.config.schema import Site
from hotline.core.bus import follow
from hotline.core.clock import Clock
from hotline.core.events import (
    CallAnswered,
    CallEnded,
    EntryClosed,
    Event,
    LegLost,
    Outcome,
    PartyJoined,
    PartyLeft,
    RecordingChanged,
    RecordingState,
    Side,
)
from hotline.core.ports import Bus, Feed
from hotline.store.transcripts import TranscriptStore

log = logging.getLogger(__name__)

FEED_LIMIT: Final = 20_000  # events unread; beyond that this room comes back and replays them
CLOSE_SECONDS: Final = 4.0  # for the last texts of live calls at the stop
UTTERANCES_A_SECOND: Final = 2  # more cannot be: half a second of silence ends one


@dataclass(slots=True, eq=False)
class _HeardCall:
    """A call that was answered.

    Attributes:
        answered_at: its first answer: the zero of its transcript's times.
        caller_uniqueid: the caller's channel.
        queued_uniqueid: the channel of the agent whom the queue chose.
        parties: the channels that talk with the caller, the longest first.
    """

    call_id: str
    answered_at: datetime
    caller_uniqueid: str
    entry_id: str = ""
    ended: bool = False
    queued_uniqueid: str = ""
    parties: list[str] = field(default_factory=list)
    numbers: dict[Side, UtteranceNumbers] = field(default_factory=dict)
    taps: dict[Side, Tap] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    hidden: HiddenTimes = field(default_factory=HiddenTimes)


class Hearing:
    """Taps answered calls and publishes LegTapped, LegLost and TranscriptSegment.

    Args:
        site: its ``asr`` section.
        manager: the AMI client; it need not be connected yet.
        bus: where calls are told of, and texts.
        store: where final texts are kept.
        clock: the present.
        engine: ``module:function`` in place of the section's engine.
        watch: when a worker counts as frozen.
    """

    def __init__(
        self,
        site: Site,
        manager: Manager,
        bus: Bus,
        store: TranscriptStore,
        clock: Clock,
        *,
        engine: str | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.stats = AsrStats()
        self.transcripts = TranscriptBook(store, self.stats)
        self._section = site.asr
        self._pause_hides_text = site.recording.pause_hides_text
        self._bus = bus
        self._clock = clock
        self._own_engine = engine is None
        self._model: Path = model_path(site.asr.model)
        self.pool = WorkerPool(site.asr, self._model, self.stats, clock, engine=engine, watch=watch)
        self._tools = TapTools(self.pool, manager, bus.publish, self.transcripts, clock, self.stats)
        self._calls: dict[str, _HeardCall] = {}
        self._started_at = clock.now()
        self._feed: Feed | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Have the workers ready and listen to the bus.

        Raises:
            SetupError: the model is missing or broken, or a port is taken.
        """
        self._started_at = self._clock.now()
        self._feed = self._bus.subscribe("asr", limit=FEED_LIMIT)
        if self._section.enabled:
            try:
                if self._own_engine:
                    log.info("model %s", await asyncio.to_thread(probe_model, self._model))
                await self.pool.start()
            except BaseException:
                self._feed.close()
                raise
        self.transcripts.start()
        self._reader = asyncio.create_task(self._read(self._feed), name="hearing")

    async def aclose(self) -> None:
        """End every tap, keep the last texts, end the workers; idempotent."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        if self._feed is not None:
            self._feed.close()
        tasks = set()
        for call in self._calls.values():
            for tap in call.taps.values():
                tap.talk_ended()
            tasks |= call.tasks
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._calls.clear()
        await self.pool.aclose()
        await self.transcripts.aclose()

    async def _read(self, feed: Feed) -> None:
        async for envelope in follow(self._bus, feed, "asr", limit=FEED_LIMIT):
            self.take(envelope.event)

    def take(self, event: Event) -> None:
        """Act on an event of the bus; the same event twice does nothing the second time."""
        match event:
            case CallAnswered():
                self._answered(event)
            case EntryClosed(call_id=call_id, entry_id=entry_id, outcome=Outcome.ANSWERED):
                call = self._calls.get(call_id)
                if call is not None and call.entry_id == entry_id:
                    self._left(call, call.queued_uniqueid)
            case PartyJoined():
                self._joined(event)
            case PartyLeft(call_id=call_id, uniqueid=uniqueid):
                call = self._calls.get(call_id)
                if call is not None and uniqueid in call.parties:
                    self._left(call, uniqueid)
            case RecordingChanged() if self._pause_hides_text:
                self._recording_changed(event)
            case CallEnded(call_id=call_id):
                call = self._calls.get(call_id)
                if call is not None:
                    call.ended = True
                    self._talk_ended(call)
                    self._forget_if_done(call)

    def _recording_changed(self, event: RecordingChanged) -> None:
        call = self._calls.get(event.call_id)
        if call is None:
            return
        seconds = (event.at - call.answered_at).total_seconds()
        if event.state is RecordingState.PAUSED:
            call.hidden.begin(seconds)
        else:
            call.hidden.end(seconds)

    def _answered(self, event: CallAnswered) -> None:
        call = self._calls.get(event.call_id)
        if call is None:
            call = self._calls[event.call_id] = _HeardCall(event.call_id, event.at, event.caller_uniqueid)
        elif call.entry_id == event.entry_id and not self._section.enabled:
            return
        if call.entry_id != event.entry_id or event.agent_uniqueid not in call.parties:
            call.parties = [event.agent_uniqueid]
        call.entry_id, call.queued_uniqueid = event.entry_id, event.agent_uniqueid
        self._hear_parties(call, known_before=event.at < self._started_at)

    def _joined(self, event: PartyJoined) -> None:
        """A transfer, a third party or a callback; after a restart it may be the first heard of the call."""
        call = self._calls.get(event.call_id)
        new = call is None
        if call is None:
            call = self._calls[event.call_id] = _HeardCall(event.call_id, event.at, event.caller_uniqueid)
        if event.uniqueid not in call.parties:
            call.parties.append(event.uniqueid)
        self._hear_parties(call, known_before=new)

    def _left(self, call: _HeardCall, uniqueid: str) -> None:
        if uniqueid in call.parties:
            call.parties.remove(uniqueid)
        if call.parties:
            self._hear_parties(call)
        else:
            self._talk_ended(call)

    def _hear_parties(self, call: _HeardCall, *, known_before: bool = False) -> None:
        """Tap the caller and whoever talks with the caller, as far as they are not heard already.

        ``known_before``: an earlier run of this server may have numbered texts of this call.
        """
        if call.ended:
            return
        channels = {Side.CALLER: call.caller_uniqueid, Side.AGENT: call.parties[0]}
        if not self._section.enabled:
            for side in channels:
                self.stats.legs_lost[Reason.DISABLED.value] += 1
                self._bus.publish(LegLost(call.call_id, self._clock.now(), side, Reason.DISABLED.value))
            return
        changed = {
            side: uniqueid
            for side, uniqueid in channels.items()
            if side not in call.taps or call.taps[side].uniqueid != uniqueid or call.taps[side].talk_over
        }
        if not changed:
            return
        replaced = [call.taps[side] for side in changed if side in call.taps]
        for tap in replaced:
            tap.talk_ended()
        self._prepare(call, changed)
        work = self._hear(call, [call.taps[side] for side in changed], replaced, known_before)
        task = asyncio.create_task(work, name="hearing a call")
        call.tasks.add(task)
        task.add_done_callback(lambda done: self._heard(call, done))

    def _prepare(self, call: _HeardCall, channels: dict[Side, str]) -> None:
        """Make the taps at once, so that the end of the talk finds them."""
        now = self._clock.now()
        age_seconds = max(0.0, (now - call.answered_at).total_seconds())
        for side, uniqueid in channels.items():
            numbers = call.numbers.setdefault(side, UtteranceNumbers(call.call_id, side))
            answered = self._clock.monotonic() - age_seconds
            call.taps[side] = Tap(numbers, uniqueid, answered, self._tools, call.hidden)

    async def _hear(self, call: _HeardCall, taps: list[Tap], replaced: list[Tap], restarted: bool) -> None:
        for tap in replaced:
            await tap.finished.wait()  # its last text comes first
        if restarted:
            await self._number_on(call)
        async with asyncio.TaskGroup() as group:
            for tap in taps:
                group.create_task(tap.run(), name=f"tap {tap.numbers.side.value}")

    async def _number_on(self, call: _HeardCall) -> None:
        """Go on after the numbers of an earlier run of this server, or, not knowing them, well above."""
        try:
            last = await self.transcripts.last_utterances(call.call_id)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("earlier texts of a call cannot be read: %s", type(error).__name__)
            age_seconds = max(0.0, (self._clock.now() - call.answered_at).total_seconds())
            last = dict.fromkeys(Side, int(age_seconds * UTTERANCES_A_SECOND) + 1)
        for side, numbers in call.numbers.items():
            numbers.last = max(numbers.last, last.get(side, 0))

    def _talk_ended(self, call: _HeardCall) -> None:
        for tap in call.taps.values():
            tap.talk_ended()

    def _heard(self, call: _HeardCall, task: asyncio.Task[None]) -> None:
        call.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call %s is no longer heard", call.call_id, exc_info=error)
        self._forget_if_done(call)

    def _forget_if_done(self, call: _HeardCall) -> None:
        if call.ended and not call.tasks:
            self._calls.pop(call.call_id, None)
            self.transcripts.call_ended(call.call_id)
