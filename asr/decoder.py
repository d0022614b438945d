"""The one thread of a worker process that recognises: every recogniser lives and dies in it.

Legs with audio waiting take turns, a chunk each, so that a leg that is behind does not hold up the others; a
leg that is behind gets longer chunks, which cost less. Pings come before audio. What is bounded: one entry a
leg in the row of turns, pings by who sends them (one at a time), audio by `LegAudio`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hotline.asr.chain import Chain, ChainStream, Known
from hotline.asr.engine import Engaged, EngineError
from hotline.asr.engine import Final as FinalText
from hotline.asr.leg import LegAudio
from hotline.asr.messages import Hears, Told
from hotline.asr.reasons import Reason

log = logging.getLogger(__name__)

LONGEST_CHUNK_SECONDS: Final = 0.4


@dataclass(slots=True, eq=False)
class DecoderLeg:
    """A leg as the decoder sees it. ``stream``, ``audio_at`` and ``over`` belong to the decoder's thread."""

    leg: str
    audio: LegAudio
    grammar: Sequence[str] | None
    hot_words: Sequence[str] = ()
    stream: ChainStream | None = None
    audio_at: float = 0.0
    waiting: bool = False
    ending: Reason | None = None
    over: bool = False  # nothing more of it is told


@dataclass(slots=True)
class _Orders:
    """What was asked for, newest last; taken all at once."""

    pings: deque[int] = field(default_factory=deque)
    wake: deque[DecoderLeg] = field(default_factory=deque)


class Decoder:
    """Runs recognition in its own thread.

    Args:
        engines: loaded already.
        chunk_seconds: the usual chunk.
        told: called with each text, from the decoder's thread.
        gone: called once a leg is finished, after its last text, likewise.
        alive: called with the number of each ping, likewise.

    Attributes:
        busy_seconds: time spent recognising.
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
        self._turns: deque[DecoderLeg] = deque()
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

    def offer(self, leg: DecoderLeg) -> None:
        """Audio came for this leg; it gets its turn once a chunk is there."""
        if leg.audio.ready and not leg.waiting and not leg.over:
            self._line_up(leg)

    def finish(self, leg: DecoderLeg, reason: Reason) -> None:
        """Recognise what waits, tell it, and report the leg gone."""
        if leg.ending is None:
            leg.ending = reason
        self._line_up(leg)

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
        while True:
            with self._wake:
                while not (self._stopping or self._turns or self._has_orders()):
                    self._wake.wait()
                if self._stopping:
                    return
                orders, self._orders = self._orders, _Orders()
                leg = self._turns.popleft() if self._turns else None
                if leg is not None:
                    leg.waiting = False
            for number in orders.pings:
                self._alive(number)
            for woken in orders.wake:
                self._recognise(woken, b"")
            if leg is not None:
                self._turn(leg)

    def _answer_pings(self) -> None:
        """Between two pieces of work on one leg, such as audio that another engine left unheard."""
        with self._wake:
            pings, self._orders.pings = self._orders.pings, deque()
        for number in pings:
            self._alive(number)

    def _has_orders(self) -> bool:
        return bool(self._orders.pings or self._orders.wake)

    def _turn(self, leg: DecoderLeg) -> None:
        if leg.over:
            return
        chunk = leg.audio.take(max(LONGEST_CHUNK_SECONDS, self._chunk_seconds))
        if chunk is not None:
            leg.audio_at = chunk.arrived
            self._recognise(leg, chunk.pcm)
        elif leg.ending is not None:
            self._end(leg, leg.ending)
            return
        if leg.ending is None:
            self.offer(leg)
        else:
            self._line_up(leg)

    def _end(self, leg: DecoderLeg, reason: Reason) -> None:
        """The leg is gone once its stream is over: an engine elsewhere tells its last texts later."""
        if leg.stream is not None:
            self._guarded(leg, leg.stream.end)
        if not leg.over and (leg.stream is None or leg.stream.over):
            leg.over = True  # a late turn must not open it again
            leg.stream = None
            self._gone(leg.leg, reason)

    def _line_up(self, leg: DecoderLeg) -> None:
        with self._wake:
            if not leg.waiting:
                leg.waiting = True
                self._turns.append(leg)
                self._wake.notify()

    def _recognise(self, leg: DecoderLeg, pcm: bytes) -> None:
        if leg.over:
            return
        if leg.stream is None:
            leg.stream = self._engines.open(
                leg.audio.sample_rate_hz,
                leg.grammar,
                hot_words=leg.hot_words,
                wake=lambda: self._wake_for(leg),
            )
        stream = leg.stream
        self._guarded(leg, lambda: stream.push(pcm, leg.audio.backlog_seconds))
        if leg.ending is not None and stream.over:
            self._end(leg, leg.ending)

    def _guarded(self, leg: DecoderLeg, work: Callable[[], Sequence[Known]]) -> None:
        began = time.perf_counter()
        try:
            heard = work()
        except EngineError as error:
            self._fail(leg, error)
            return
        finally:
            self.busy_seconds += time.perf_counter() - began
        for one in heard:
            self._told(_told(leg, one))

    def _fail(self, leg: DecoderLeg, error: EngineError) -> None:
        log.error("a stream failed: %s", error)
        self.failures += 1
        leg.over = True
        leg.stream = None
        self._gone(leg.leg, Reason.ENGINE_FAILED)

    def _wake_for(self, leg: DecoderLeg) -> None:
        with self._wake:
            if leg not in self._orders.wake:
                self._orders.wake.append(leg)
            self._wake.notify()


def _told(leg: DecoderLeg, heard: Known) -> Told | Hears:
    if isinstance(heard, Engaged):
        return Hears(leg.leg, heard.engine, heard.reason)
    at = leg.audio.call_seconds
    if isinstance(heard, FinalText):
        words = [[w.text, at(w.start_seconds), at(w.end_seconds), w.confidence] for w in heard.words]
        start, end = at(heard.start_seconds), at(heard.end_seconds)
        return Told(leg.leg, heard.text, True, start, max(start, end), heard.confidence, leg.audio_at, words)
    start = at(heard.start_seconds)
    return Told(leg.leg, heard.text, False, start, max(start, leg.audio.pushed_until()), None, leg.audio_at)
