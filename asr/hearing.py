"""The asr room at work: hears both sides of every answered call.

    hearing = Hearing(site, ami, bus, TranscriptStore(sessions), clock)
    await hearing.start()       # workers ready, listening on the bus
    hearing.transcripts         # the Transcripts port
    hearing.stats               # numbers for the metrics
    await hearing.aclose()

It hears of calls on the bus and tells there what it heard. A call told as answered twice (the queue room does
so after it lost sight of the exchange) is tapped once. Everybody who talks with the caller is heard, each by
a tap of their own: in a three-way talk all three, after a transfer whoever has the caller. Each text says who
said it. Nothing here can touch a call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from hotline.asr.engines import VOSK, EngineOrder, keys_of, orders_of, probe, words_by_line
from hotline.asr.hidden import HiddenTimes
from hotline.asr.numbering import UtteranceCount, UtteranceNumbers
from hotline.asr.reasons import Reason
from hotline.asr.stats import AsrStats
from hotline.asr.tap import Manager, Tap, TapTools
from hotline.asr.transcripts import TranscriptBook
from hotline.asr.verdicts import Verdicts
from hotline.asr.worker_pool import WorkerPool
from hotline.asr.worker_process import Watch
from hotline.asr.written.lines import LineWriters
from hotline.asr.written.writer import load
from hotline.config.schema import Site
from hotline.core.bus import follow
from hotline.core.clock import Clock
from hotline.core.events import (
    CallAnswered,
    CallEnded,
    CallStarted,
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
        line: whose corrections and words its texts get; empty where nobody told it: the whole site's.
        chosen: queue entry -> the channel of the agent whom the queue chose.
        parties: channel -> who talks there with the caller: an agent's id, or a number.
        numbered: it is known how many utterances an earlier run of this server has numbered.
    """

    call_id: str
    answered_at: datetime
    caller_uniqueid: str
    line: str = ""
    ended: bool = False
    chosen: dict[str, str] = field(default_factory=dict)
    parties: dict[str, str] = field(default_factory=dict)
    counts: dict[Side, UtteranceCount] = field(
        default_factory=lambda: {side: UtteranceCount() for side in Side}
    )
    taps: dict[str, Tap] = field(default_factory=dict)  # by channel
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    hidden: HiddenTimes = field(default_factory=HiddenTimes)
    numbered: asyncio.Event = field(default_factory=asyncio.Event)

    def voices(self) -> dict[str, tuple[Side, str]]:
        """Everybody to be heard: channel -> side and party."""
        others = {uniqueid: (Side.AGENT, party) for uniqueid, party in self.parties.items()}
        return {self.caller_uniqueid: (Side.CALLER, ""), **others}


class Hearing:
    """Taps answered calls and publishes LegTapped, LegLost and TranscriptSegment.

    Args:
        site: its ``asr`` section, and its lines' words.
        manager: the AMI client; it need not be connected yet.
        bus: where calls are told of, and texts.
        store: where final texts are kept.
        clock: the present.
        engines: in place of the site's; not tried at the start.
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
        engines: Sequence[EngineOrder] | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.stats = AsrStats()
        self.transcripts = TranscriptBook(store, self.stats)
        self._section = site.asr
        self._site = site
        self._writers = LineWriters(site)
        self._pause_hides_text = site.recording.pause_hides_text
        self._bus = bus
        self._clock = clock
        self._own_engines = engines is None
        self._engines = orders_of(site) if engines is None else tuple(engines)
        self._words = words_by_line(site)
        keys = keys_of(site) if self._own_engines and site.asr.enabled else {}
        self.pool = WorkerPool(site.asr, self._engines, self.stats, clock, keys=keys, watch=watch)
        self._verdicts = Verdicts(site.data_dir)
        self._tools = TapTools(self.pool, manager, bus.publish, self.transcripts, clock, self.stats)
        self._calls: dict[str, _HeardCall] = {}
        self._callback_lines: dict[str, str] = {}  # of callbacks that are not over: nobody queued them
        self._started_at = clock.now()
        self._feed: Feed | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Have the workers ready and listen to the bus.

        Raises:
            SetupError: the model is missing or broken, or a port is taken.
        """
        load()
        self._started_at = self._clock.now()
        self._feed = self._bus.subscribe("asr", limit=FEED_LIMIT)
        if self._section.enabled:
            try:
                if self._own_engines:
                    await self._try_engines()
                await self.pool.start()
            except BaseException:
                self._feed.close()
                raise
        self.transcripts.start()
        self._reader = asyncio.create_task(self._read(self._feed), name="hearing")

    async def _try_engines(self) -> None:
        """A model that cannot be used ends the start; a server that does not answer may do so later."""
        for order in self._engines:
            if order.kind == VOSK:
                log.info("model %s", await asyncio.to_thread(self._verdicts.of, Path(order.model)))
            elif not order.url:
                log.info("model %s", await asyncio.to_thread(probe, order))

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
            case CallStarted(call_id=call_id, line=line, callback_of=str()):
                self._callback_lines[call_id] = line
            case CallAnswered():
                self._answered(event)
            case EntryClosed(call_id=call_id, entry_id=entry_id, outcome=Outcome.ANSWERED):
                call = self._calls.get(call_id)
                if call is not None and entry_id in call.chosen:
                    self._left(call, call.chosen[entry_id])
            case PartyJoined():
                self._joined(event)
            case PartyLeft(call_id=call_id, uniqueid=uniqueid):
                call = self._calls.get(call_id)
                if call is not None and uniqueid in call.parties:
                    self._left(call, uniqueid)
            case RecordingChanged() if self._pause_hides_text:
                self._recording_changed(event)
            case CallEnded(call_id=call_id):
                self._callback_lines.pop(call_id, None)
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
        known_before = event.at < self._started_at
        call = self._call(event.call_id, event.at, event.caller_uniqueid, known_before=known_before)
        call.line = event.line
        told_before = call.chosen.get(event.entry_id)
        if told_before is not None and not self._section.enabled:
            return
        if told_before is not None and told_before != event.agent_uniqueid:
            call.parties.pop(told_before, None)
        call.chosen[event.entry_id] = event.agent_uniqueid
        call.parties[event.agent_uniqueid] = event.agent
        self._hear_voices(call)

    def _joined(self, event: PartyJoined) -> None:
        """A transfer, a third party or a callback; after a restart it may be the first heard of the call."""
        call = self._call(event.call_id, event.at, event.caller_uniqueid, known_before=True)
        call.parties[event.uniqueid] = event.agent or event.party
        self._hear_voices(call)

    def _call(self, call_id: str, at: datetime, caller_uniqueid: str, *, known_before: bool) -> _HeardCall:
        """The call, made now if this is the first heard of it.

        ``known_before``: an earlier run of this server may have numbered texts of it.
        """
        call = self._calls.get(call_id)
        if call is None:
            line = self._callback_lines.get(call_id, "")
            call = self._calls[call_id] = _HeardCall(call_id, at, caller_uniqueid, line)
            if known_before and self._section.enabled:
                self._begin(call, self._number_on(call))
            else:
                call.numbered.set()
        return call

    def _left(self, call: _HeardCall, uniqueid: str) -> None:
        call.parties.pop(uniqueid, None)
        if call.parties:
            self._hear_voices(call)
        else:
            self._talk_ended(call)

    def _hear_voices(self, call: _HeardCall) -> None:
        """Tap the caller and everybody who talks with the caller, and nobody who has left."""
        if call.ended:
            return
        voices = call.voices()
        if not self._section.enabled:
            for side, party in voices.values():
                self.stats.legs_lost[Reason.DISABLED.value] += 1
                now = self._clock.now()
                self._bus.publish(LegLost(call.call_id, now, side, Reason.DISABLED.value, party))
            return
        for uniqueid in call.taps.keys() - voices.keys():
            call.taps.pop(uniqueid).talk_ended()
        for uniqueid, (side, party) in voices.items():
            tap = call.taps.get(uniqueid)
            if tap is None or tap.talk_over:
                self._hear(call, uniqueid, side, party)

    def _hear(self, call: _HeardCall, uniqueid: str, side: Side, party: str) -> None:
        """Tap a channel; the tap is there at once, so that the end of the talk finds it."""
        age_seconds = max(0.0, (self._clock.now() - call.answered_at).total_seconds())
        answered = self._clock.monotonic() - age_seconds
        write = self._writers.of(call.line).write
        numbers = UtteranceNumbers(call.call_id, side, call.counts[side], party, write)
        words = self._words.get(call.line, self._words[""])
        tap = call.taps[uniqueid] = Tap(numbers, uniqueid, answered, self._tools, call.hidden, words)

        async def listen() -> None:
            await call.numbered.wait()
            await tap.run()

        self._begin(call, listen())

    def _begin(self, call: _HeardCall, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, name="hearing a call")
        call.tasks.add(task)
        task.add_done_callback(lambda done: self._heard(call, done))

    async def _number_on(self, call: _HeardCall) -> None:
        """Go on after the numbers of an earlier run of this server, or, not knowing them, well above."""
        try:
            last = await self.transcripts.last_utterances(call.call_id)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("earlier texts of a call cannot be read: %s", type(error).__name__)
            age_seconds = max(0.0, (self._clock.now() - call.answered_at).total_seconds())
            last = dict.fromkeys(Side, int(age_seconds * UTTERANCES_A_SECOND) + 1)
        for side, count in call.counts.items():
            count.last = max(count.last, last.get(side, 0))
        call.numbered.set()

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
