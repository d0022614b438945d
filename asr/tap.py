"""One tap: finds a worker, has Asterisk connect, passes texts on, and does it all again when the leg is lost.

Asterisk's ChanSpy listens on an AudioSocket channel that exists for it alone: the call does not know of it.
Its options: u the channel is named by its unique id, q no beep, o only what that channel says, E and S leave
when it hangs up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import uuid4

from hotline.asr.engine import Word
from hotline.asr.engines import LineWords
from hotline.asr.hidden import HiddenTimes
from hotline.asr.messages import Told
from hotline.asr.numbering import UtteranceNumbers
from hotline.asr.reasons import ENDINGS, Reason
from hotline.asr.stats import AsrStats
from hotline.asr.tap_state import TapEvent, TapState, after
from hotline.asr.worker_pool import NoPlace, WorkerPool
from hotline.core.backoff import backoff
from hotline.core.clock import Clock
from hotline.core.events import EngineChanged, LegLost, LegTapped, TranscriptSegment
from hotline.telephony.ami.errors import AmiDisconnected, AmiError, AmiTimeout

log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 5.0
ENDING_SECONDS: Final = 0.5  # Asterisk ends a tap a moment before its events say that the call is over
LAST_TEXT_SECONDS: Final = 3.0
STEADY_SECONDS: Final = 5.0  # a tap that held this long was a good one: the next try comes soon
_UNIQUEID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,150}")  # no comma: it would add options


class Manager(Protocol):
    """The part of the AMI client that taps use."""

    async def originate(
        self, channel: str, *, application: str = ..., data: str = ..., ring_timeout_seconds: float = ...
    ) -> object:
        """Call a channel and join it to an application; raises AmiError when that fails."""
        ...


class Book(Protocol):
    """Where texts are kept."""

    def record(self, event: TranscriptSegment) -> None: ...


@dataclass(frozen=True, slots=True)
class TapTools:
    """What every tap works with."""

    pool: WorkerPool
    manager: Manager
    publish: Callable[[LegTapped | LegLost | EngineChanged | TranscriptSegment], object]
    book: Book
    clock: Clock
    stats: AsrStats


class Tap:
    """Listens to one channel until told that the talk is over.

    Args:
        numbers: of this voice of the call.
        uniqueid: the channel.
        answered: when the call was answered, in monotonic seconds: the zero of its transcript.
        tools: see there.
        hidden: what of the call is not to be written down.
        words: what is likely to be said.
    """

    def __init__(
        self,
        numbers: UtteranceNumbers,
        uniqueid: str,
        answered: float,
        tools: TapTools,
        hidden: HiddenTimes,
        words: LineWords,
    ) -> None:
        self.state = TapState.SEEKING
        self.uniqueid = uniqueid
        self.numbers = numbers
        self.answered = answered
        self.tools = tools
        self.words = words
        self._hidden = hidden
        self.finished = asyncio.Event()
        self._over = asyncio.Event()
        self._attempt: _Attempt | None = None
        self._lost_told = False

    @property
    def talk_over(self) -> bool:
        """There is nothing more to hear."""
        return self._over.is_set()

    def talk_ended(self) -> None:
        """Have ``run`` collect the last text and return; idempotent."""
        self._over.set()
        if self._attempt is not None:
            self._attempt.wake()

    async def run(self) -> None:
        """Listen until the talk ends."""
        try:
            if _UNIQUEID.fullmatch(self.uniqueid):
                await self._listen()
            else:
                self._lose(Reason.REFUSED, self.tools.clock.now())
                await self._over.wait()
        finally:
            self._finish()

    def go(self, event: TapEvent) -> None:
        """Something happened to this tap."""
        was, self.state = self.state, after(self.state, event)
        live = self.tools.stats.legs_live
        live[self.numbers.side] += (self.state is TapState.HEARING) - (was is TapState.HEARING)

    def now_heard(self, at: datetime, engine: str) -> None:
        """Audio comes."""
        self.go(TapEvent.CONNECTED)
        self._lost_told = False
        self.tools.stats.legs_tapped += 1
        self.tools.publish(LegTapped(self.numbers.call_id, at, self.numbers.side, engine, self.numbers.party))

    def now_by(self, engine: str, reason: str) -> None:
        """Another engine took over."""
        numbers, at = self.numbers, self.tools.clock.now()
        self.tools.publish(EngineChanged(numbers.call_id, at, numbers.side, engine, reason, numbers.party))

    def tell(self, segment: TranscriptSegment) -> None:
        """Pass a text on; of what was said while the recording was paused, only that it is nothing."""
        if self._hidden.touch(segment.start_seconds, segment.end_seconds):
            segment = replace(segment, text="", written="", confidence=None)
        self.tools.book.record(segment)
        self.tools.publish(segment)
        if segment.final:
            self.tools.stats.finals += 1
        else:
            self.tools.stats.partials += 1

    async def _listen(self) -> None:
        delays = backoff(initial_seconds=0.1, max_seconds=5.0)
        losses = 0  # in a row, without having heard anything for a while
        while not self.talk_over:
            self._attempt = attempt = _Attempt(self)
            reason = await attempt.run()
            if attempt.heard_seconds >= STEADY_SECONDS:
                delays = backoff(initial_seconds=0.1, max_seconds=5.0)
                losses = 0
            if self.talk_over or (reason in ENDINGS and await self._ends_within(ENDING_SECONDS)):
                return
            self.go(TapEvent.LOST)
            self._lose(reason, attempt.ended_at or self.tools.clock.now())
            if reason in (Reason.NO_CAPACITY, Reason.NO_WORKER, Reason.GAVE_WAY):
                await self._room_or_end()
                continue
            losses += 1
            # A worker that dies once is no fault of this leg's; one that dies each time may be.
            if losses > 1 or reason not in (Reason.WORKER_DIED, Reason.WORKER_FROZEN):
                await self._ends_within(next(delays))

    async def _ends_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    async def _room_or_end(self) -> None:
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(self.tools.pool.wait_for_room()),
            asyncio.create_task(self._over.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _finish(self) -> None:
        if self.state not in (TapState.ENDING, TapState.OVER):
            self.go(TapEvent.TALK_ENDED)
        self.go(TapEvent.FINISHED)
        self._cut_off(self.tools.clock.now())
        self.finished.set()

    def _lose(self, reason: Reason, at: datetime) -> None:
        """Say that this side is not heard: once for each gap."""
        self._cut_off(at)
        if not self._lost_told:
            self._lost_told = True
            self.tools.stats.legs_lost[reason.value] += 1
            self.tools.publish(
                LegLost(self.numbers.call_id, at, self.numbers.side, reason.value, self.numbers.party)
            )

    def _cut_off(self, at: datetime) -> None:
        """What was heard of an utterance that is not going to be finished is kept."""
        if (segment := self.numbers.cut_off(at)) is not None:
            self.tell(segment)


class _Attempt:
    """One try at hearing a tap's channel: a place with a worker, a connection, texts, an end."""

    def __init__(self, tap: Tap) -> None:
        self.heard = False
        self._connected_at: float | None = None
        self.ended_at: datetime | None = None
        self._tap = tap
        self._tools = tap.tools
        self._leg = str(uuid4())
        self._engine = ""
        self._refused: Reason | None = None
        self._gone: Reason | None = None
        self._done = False
        self._news = asyncio.Event()

    @property
    def heard_seconds(self) -> float:
        """How long there was a connection."""
        if self._connected_at is None:
            return 0.0
        return self._tools.clock.monotonic() - self._connected_at

    def wake(self) -> None:
        """Something happened that ``run`` waits for."""
        self._news.set()

    async def run(self) -> Reason:
        """Try, hear, end; return why it ended."""
        try:
            words, side = self._tap.words, self._tap.numbers.side
            place = self._tools.pool.place(
                self._leg, side, self._tap.answered, self, words.grammar, words.hot_words
            )
        except NoPlace as full:
            return full.reason
        self._engine = place.engine
        self._tap.go(TapEvent.PLACED)
        dial = asyncio.create_task(self._dial(place.address), name="tap")
        try:
            await self._until(lambda: self.heard or self._refused is not None, CONNECT_SECONDS)
            if self.heard:
                await self._until(lambda: False, None)
                await self._collect()
        finally:
            self._done = True
            dial.cancel()
            await asyncio.gather(dial, return_exceptions=True)
            self._tools.pool.release(self._leg)
        if self._tap.talk_over:
            return Reason.RELEASED
        if self.heard and self._gone is not None:
            return self._gone
        reason = self._gone or self._refused or Reason.NOT_CONNECTED
        self._tools.stats.tap_failures[reason.value] += 1
        return reason

    async def _until(self, arrived: Callable[[], bool], seconds: float | None) -> None:
        """Wait for ``arrived``, the leg's or the talk's end, or the time given."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (arrived() or self._gone is not None or self._tap.talk_over):
                    self._news.clear()
                    await self._news.wait()

    async def _collect(self) -> None:
        """If it is the talk that is over: end the leg and wait for its last text."""
        if not self._tap.talk_over or self._gone is not None:
            return
        self._tap.go(TapEvent.TALK_ENDED)
        self._tools.pool.release(self._leg)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_TEXT_SECONDS):
                while self._gone is None:
                    self._news.clear()
                    await self._news.wait()

    async def _dial(self, address: str) -> None:
        """Ask Asterisk for the tap. That it was made says nothing yet; the worker tells of the connection."""
        try:
            await self._tools.manager.originate(
                f"AudioSocket/{address}/{self._leg}/c(slin16)",
                application="ChanSpy",
                data=f"{self._tap.uniqueid},uqoES",
                ring_timeout_seconds=CONNECT_SECONDS,
            )
        except (AmiDisconnected, AmiTimeout):
            self._refused = Reason.EXCHANGE_UNREACHABLE
        except AmiError as error:
            log.warning("call %s: a tap was refused: %s", self._tap.numbers.call_id, error)
            self._refused = Reason.REFUSED
        self._news.set()

    def connected(self, at: float) -> None:
        """The worker has the connection."""
        if not self._done and not self.heard and self._tap.state is TapState.DIALLING:
            self.heard = True
            self._connected_at = self._tools.clock.monotonic()
            self._tap.now_heard(self._moment(at), self._engine)
            self._news.set()

    def hears(self, engine: str, reason: str) -> None:
        """An engine took the leg."""
        if not self._done and engine != self._engine:
            self._engine = engine
            self._tap.now_by(engine, reason)

    def told(self, told: Told) -> None:
        """The worker heard something."""
        if self._done:
            return
        segment = self._tap.numbers.number(
            told.text,
            final=told.final,
            words=tuple(Word(*word) for word in told.words),
            start_seconds=round(told.start_seconds, 3),
            end_seconds=round(told.end_seconds, 3),
            confidence=told.confidence,
            at=self._tools.clock.now(),
            audio_at=self._moment(told.audio_at),
        )
        if segment is not None:
            self._tap.tell(segment)

    def gone(self, reason: Reason) -> None:
        """Nothing follows of this leg."""
        if self._gone is None:
            self.ended_at = self._tools.clock.now()
            self._gone = reason
            self._news.set()

    def _moment(self, monotonic: float) -> datetime:
        clock = self._tools.clock
        return clock.now() - timedelta(seconds=max(0.0, clock.monotonic() - monotonic))
