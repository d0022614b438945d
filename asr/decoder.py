"""The one thread of a worker process that reads and recognises: every recogniser lives and dies in it.

It works in rounds, one every chunk's length: each leg is read and recognised in turn. One after another is a
third of the work of one now and then, because code, model and tables are still in the processor's caches;
and a word waits no longer for its round than it would for its leg's own chunk to fill. A leg that is behind
gets a longer chunk, which costs less, but no second turn before the others. Between two turns pings are
answered and texts fetched that an engine elsewhere has ready. What is bounded: pings by who sends them (one
at a time), one entry a leg in the orders, audio by `LegAudio`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hotline.asr.chain import Chain, ChainStream, Known
from hotline.asr.connection import Connection
from hotline.asr.engine import Engaged, EngineError
from hotline.asr.engine import Final as FinalText
from hotline.asr.messages import Hears, Told
from hotline.asr.reasons import Reason

log = logging.getLogger(__name__)

LONGEST_CHUNK_SECONDS: Final = 0.4


@dataclass(slots=True, eq=False)
class DecoderLeg:
    """A leg as the decoder sees it; but for ``ending`` it belongs to the decoder's thread.

    Attributes:
        connection: where its audio comes from.
        stream: where it goes; opened with the first of it.
        audio_at: when the newest audio that was recognised arrived.
        ending: why nothing more comes or is wanted.
        read_out: nothing more is read of it.
        over: nothing more of it is told.
    """

    connection: Connection
    stream: ChainStream | None = None
    audio_at: float = 0.0
    ending: Reason | None = None
    read_out: bool = False
    over: bool = False

    @property
    def name(self) -> str:
        """The UUID that Asterisk gave."""
        return self.connection.order.leg


@dataclass(slots=True)
class _Orders:
    """What was asked for; taken all at once."""

    legs: list[DecoderLeg] = field(default_factory=list)
    pings: list[int] = field(default_factory=list)
    woken: list[DecoderLeg] = field(default_factory=list)


class Decoder:
    """Runs recognition in its own thread.

    Args:
        engines: loaded already.
        chunk_seconds: the usual chunk, and from one round to the next.
        told: called with each text, from the decoder's thread.
        gone: called once a leg is finished, after its last text, likewise.
        alive: called with the number of each ping, likewise.

    Attributes:
        busy_seconds: time spent in rounds.
        failures: streams that the engine gave up.
    """

    def __init__(
        self,
        engines: Chain,
        chunk_seconds: float,
        *,
        told: Callable[[Told | Hears], None],
        gone: Callable[[str, Reason], None],
        alive: Callable[[int], None],
    ) -> None:
        self.busy_seconds = 0.0
        self.failures = 0
        self._engines = engines
        engines.breathe = self._answer_pings
        self._chunk_seconds = chunk_seconds
        self._told, self._gone, self._alive = told, gone, alive
        self._legs: list[DecoderLeg] = []
        self._due = 0.0  # when the next round begins, in monotonic seconds
        self._orders = _Orders()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="decoder", daemon=True)

    @property
    def engine_counts(self) -> dict[str, int]:
        """What the engines counted; see `Chain.counts`."""
        return dict(self._engines.counts)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def hear(self, leg: DecoderLeg) -> None:
        """Read and recognise this leg from the next round on."""
        with self._wake:
            self._orders.legs.append(leg)
            self._wake.notify()

    def finish(self, leg: DecoderLeg, reason: Reason) -> None:
        """Recognise what came until now, tell it, and report the leg gone."""
        with self._wake:
            leg.ending = leg.ending or reason
            self._due = 0.0
            self._wake.notify()

    def ping(self, number: int) -> None:
        """Have ``alive`` called from the decoder's thread."""
        with self._wake:
            self._orders.pings.append(number)
            self._wake.notify()

    def stop(self, timeout_seconds: float) -> bool:
        """End the thread; False if it did not in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (orders := self._next()) is not None:
            self._obey(orders)
            if self._legs and time.monotonic() >= self._due:
                began = time.perf_counter()
                self._round()
                self.busy_seconds += time.perf_counter() - began

    def _next(self) -> _Orders | None:
        """Wait for orders or the next round; None at the stop."""
        with self._wake:
            while not (self._stopping or self._has_orders()):
                wait_seconds = self._due - time.monotonic() if self._legs else None
                if wait_seconds is not None and wait_seconds <= 0:
                    break
                self._wake.wait(wait_seconds)
            return None if self._stopping else self._taken_orders()

    def _has_orders(self) -> bool:
        return bool(self._orders.pings or self._orders.woken or self._orders.legs)

    def _taken_orders(self) -> _Orders:
        orders, self._orders = self._orders, _Orders()
        return orders

    def _obey(self, orders: _Orders) -> None:
        for number in orders.pings:
            self._alive(number)
        self._legs += orders.legs
        for woken in orders.woken:
            self._recognise(woken, b"")

    def _attend(self) -> None:
        """Orders are not kept waiting for a whole round."""
        if self._has_orders():
            with self._wake:
                orders = self._taken_orders()
            self._obey(orders)

    def _answer_pings(self) -> None:
        """Between two pieces of work on one leg, such as audio that another engine left unheard."""
        with self._wake:
            pings, self._orders.pings = self._orders.pings, []
        for number in pings:
            self._alive(number)

    def _round(self) -> None:
        """One turn for every leg; the next round is a chunk later, or at once if audio still waits."""
        with self._wake:
            now = time.monotonic()
            on_time = now - self._due < self._chunk_seconds
            self._due = (self._due if on_time else now) + self._chunk_seconds
        behind = False
        for leg in list(self._legs):
            self._attend()
            behind |= self._turn(leg)
        self._legs = [leg for leg in self._legs if not leg.over]
        if behind:
            self._due = 0.0

    def _turn(self, leg: DecoderLeg) -> bool:
        """Read it and recognise a chunk; whether audio still waits."""
        if leg.over:
            return False
        connection = leg.connection
        if not leg.read_out:
            found = connection.read(time.monotonic())
            leg.ending = leg.ending or found
            leg.read_out = leg.ending is not None
        longest_seconds = max(LONGEST_CHUNK_SECONDS, self._chunk_seconds)
        chunk = connection.audio.take(longest_seconds) if connection.audio is not None else None
        if chunk is not None:
            leg.audio_at = chunk.arrived
            self._recognise(leg, chunk.pcm)
        waits = not leg.over and connection.backlog_seconds > 0
        if leg.read_out and leg.ending is not None and not leg.over and not waits:
            self._end(leg, leg.ending)
        return waits

    def _end(self, leg: DecoderLeg, reason: Reason) -> None:
        """The leg is gone once its stream is over: an engine elsewhere tells its last texts later."""
        if leg.stream is not None:
            self._guarded(leg, leg.stream.end)
        if not leg.over and (leg.stream is None or leg.stream.over):
            leg.over = True  # a late turn must not open it again
            leg.stream = None
            self._gone(leg.name, reason)

    def _recognise(self, leg: DecoderLeg, pcm: bytes) -> None:
        audio, order = leg.connection.audio, leg.connection.order
        if leg.over or audio is None:
            return
        if leg.stream is None:
            leg.stream = self._engines.open(
                audio.sample_rate_hz,
                order.grammar,
                hot_words=order.hot_words,
                wake=lambda: self._wake_for(leg),
            )
        stream = leg.stream
        self._guarded(leg, lambda: stream.push(pcm, audio.backlog_seconds))

    def _guarded(self, leg: DecoderLeg, work: Callable[[], Sequence[Known]]) -> None:
        try:
            heard = work()
        except EngineError as error:
            self._fail(leg, error)
            return
        for one in heard:
            self._told(_told(leg, one))

    def _fail(self, leg: DecoderLeg, error: EngineError) -> None:
        log.error("a stream failed: %s", error)
        self.failures += 1
        leg.over = True
        leg.stream = None
        self._gone(leg.name, Reason.ENGINE_FAILED)

    def _wake_for(self, leg: DecoderLeg) -> None:
        with self._wake:
            if leg not in self._orders.woken:
                self._orders.woken.append(leg)
            self._wake.notify()


def _told(leg: DecoderLeg, heard: Known) -> Told | Hears:
    if isinstance(heard, Engaged):
        return Hears(leg.name, heard.engine, heard.reason)
    assert leg.connection.audio is not None  # noqa: S101 - something was heard of it
    audio = leg.connection.audio
    at = audio.call_seconds
    if isinstance(heard, FinalText):
        words = [[w.text, at(w.start_seconds), at(w.end_seconds), w.confidence] for w in heard.words]
        start, end = at(heard.start_seconds), at(heard.end_seconds)
        return Told(leg.name, heard.text, True, start, max(start, end), heard.confidence, leg.audio_at, words)
    start = at(heard.start_seconds)
    return Told(leg.name, heard.text, False, start, max(start, audio.pushed_until()), None, leg.audio_at)
