"""The audio of one leg between the socket and the recogniser: bounded, paced by the clock, with true times.

Sans I/O: whoever reads the socket calls ``audio`` and ``tick`` with the present, then ``take``, all in one
thread. Three things make the recogniser's clock (audio pushed so far) differ from the
call's clock, and all are undone here:

* a party that sends no RTP makes no frames. After `GAP_SECONDS` the pause is filled with silence by the
  clock, so that utterances end; after `MAX_FILL_SECONDS` nothing more is said until there is audio again;
* a network that stalls delivers everything late and at once;
* audio beyond `MAX_BACKLOG_SECONDS` is dropped, oldest first, and counted.

The leg's audio is a row of runs, each of unbroken audio. A run knows where it began on the call's clock;
audio that would end in the future moves its run back, because the network can delay a frame but not send it
early.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from typing import Final

SAMPLE_BYTES: Final = 2
GAP_SECONDS: Final = (
    0.35  # longer than a usual stall of 300 ms, shorter than the pause that ends an utterance
)
MAX_FILL_SECONDS: Final = 3.0  # the longest pause that any endpoint rule waits for, and some more
LAG_SECONDS: Final = 0.3  # audio this much behind the clock: frames were lost on the way
MAX_BACKLOG_SECONDS: Final = 15.0
STALL_SECONDS: Final = 120.0  # of audio at once is believed after a stall: Asterisk itself keeps no more
_MAX_PIECES: Final = 4096  # 750 are usual in a full backlog: frames of a few samples must not fill memory
_KEPT_MARKS: Final = 256


@dataclass(slots=True)
class _Run:
    """Unbroken audio. ``start`` is on the call's clock, ``floor`` the earliest it can have been."""

    start: float
    floor: float
    seconds: float = 0.0

    @property
    def end(self) -> float:
        return self.start + self.seconds


@dataclass(frozen=True, slots=True)
class _Piece:
    pcm: bytes
    arrived: float
    run: _Run
    run_offset: float


@dataclass(frozen=True, slots=True)
class _Mark:
    """From ``stream_seconds`` on, the pushed audio is the run's, from ``run_offset`` on."""

    stream_seconds: float
    run: _Run
    run_offset: float


@dataclass(frozen=True, slots=True)
class Chunk:
    """Audio for the recogniser, and when the newest of it arrived (monotonic seconds)."""

    pcm: bytes
    arrived: float


class Pace:
    """How far a peer is ahead of the clock. A telephone never is; one that sends on is read no faster.

    Args:
        bytes_per_second: what it should send.
        now: monotonic seconds.
    """

    def __init__(self, bytes_per_second: float, now: float) -> None:
        self._bytes_per_second = bytes_per_second
        self._ahead_seconds = 0.0
        self._at = now

    def received(self, size_bytes: int, now: float) -> float:
        """Note what came; return how many seconds too much it is by now (or, below zero, to spare)."""
        passed, self._at = now - self._at, now
        self._ahead_seconds = max(-STALL_SECONDS, self._ahead_seconds - passed)
        self._ahead_seconds += size_bytes / self._bytes_per_second
        return self._ahead_seconds


class LegAudio:
    """One leg's audio.

    Args:
        sample_rate_hz: of 16-bit mono samples.
        answered: when the call was answered (monotonic seconds): the zero of its transcript.
        chunk_seconds: how much silence is put in at a time, at least.

    Attributes:
        dropped_seconds: audio thrown away because recognition fell behind.
        filled_seconds: silence put in for audio that did not come.
    """

    def __init__(self, sample_rate_hz: int, answered: float, chunk_seconds: float) -> None:
        self.sample_rate_hz = sample_rate_hz
        self.dropped_seconds = 0.0
        self.filled_seconds = 0.0
        self._answered = answered
        self._chunk_seconds = chunk_seconds
        self._bytes_per_second = sample_rate_hz * SAMPLE_BYTES
        self._pieces: deque[_Piece] = deque()
        self._backlog_bytes = 0
        self._run: _Run | None = None
        self._run_is_silence = False
        self._heard_until = 0.0  # end of the newest real audio on the call's clock
        self._last_arrival: float | None = None
        self._gap_filled_seconds = 0.0
        self._marks: list[_Mark] = []
        self._taken_bytes = 0

    @property
    def backlog_seconds(self) -> float:
        """Audio that waits for the recogniser."""
        return self._backlog_bytes / self._bytes_per_second

    def audio(self, pcm: bytes, now: float) -> None:
        """Take audio that arrived ``now``."""
        if not pcm:
            return
        seconds = len(pcm) / self._bytes_per_second
        end = now - self._answered
        self._last_arrival = now
        self._gap_filled_seconds = 0.0
        run = self._run
        if run is None or self._run_is_silence or end - (run.end + seconds) > LAG_SECONDS:
            run = self._run = _Run(start=end - seconds, floor=self._heard_until)
            self._run_is_silence = False
        elif run.end + seconds > end:
            run.start = max(run.floor, end - seconds - run.seconds)
        self._append(pcm, now, run, seconds)
        self._heard_until = run.end

    def tick(self, now: float) -> None:
        """Let time pass: fill a pause of the peer with silence, up to its limit."""
        if self._last_arrival is None or self._gap_filled_seconds >= MAX_FILL_SECONDS:
            return
        missing = now - self._last_arrival - self._gap_filled_seconds
        if now - self._last_arrival < GAP_SECONDS or missing < self._chunk_seconds:
            return
        missing = min(missing, MAX_FILL_SECONDS - self._gap_filled_seconds)
        samples = max(1, round(missing * self.sample_rate_hz))
        seconds = samples / self.sample_rate_hz
        if self._run is None or not self._run_is_silence:
            self._run = _Run(start=self._heard_until, floor=self._heard_until)
            self._run_is_silence = True
        self._append(bytes(samples * SAMPLE_BYTES), now, self._run, seconds)
        self._gap_filled_seconds += seconds
        self.filled_seconds += seconds

    def take(self, max_seconds: float) -> Chunk | None:
        """Hand out what waits, at most about ``max_seconds``; None when nothing does."""
        taken: list[bytes] = []
        taken_bytes = 0
        limit = max_seconds * self._bytes_per_second
        arrived = 0.0
        while self._pieces and (not taken or taken_bytes + len(self._pieces[0].pcm) <= limit):
            piece = self._pieces.popleft()
            self._mark(piece, (self._taken_bytes + taken_bytes) / self._bytes_per_second)
            taken.append(piece.pcm)
            taken_bytes += len(piece.pcm)
            arrived = piece.arrived
        self._backlog_bytes -= taken_bytes
        self._taken_bytes += taken_bytes
        return Chunk(b"".join(taken), arrived) if taken else None

    def call_seconds(self, stream_seconds: float) -> float:
        """A time on the recogniser's clock as seconds since the call was answered; never below zero."""
        if not self._marks:
            return 0.0
        at = bisect_right(self._marks, stream_seconds, key=lambda mark: mark.stream_seconds) - 1
        mark = self._marks[max(0, at)]
        return max(0.0, mark.run.start + mark.run_offset + stream_seconds - mark.stream_seconds)

    def pushed_until(self) -> float:
        """Where on the call's clock the audio handed out so far ends."""
        return self.call_seconds(self._taken_bytes / self._bytes_per_second)

    def _append(self, pcm: bytes, now: float, run: _Run, seconds: float) -> None:
        self._pieces.append(_Piece(pcm, now, run, run.seconds))
        run.seconds += seconds
        self._backlog_bytes += len(pcm)
        limit_bytes = MAX_BACKLOG_SECONDS * self._bytes_per_second
        while len(self._pieces) > 1 and (
            self._backlog_bytes > limit_bytes or len(self._pieces) > _MAX_PIECES
        ):
            dropped = len(self._pieces.popleft().pcm)
            self._backlog_bytes -= dropped
            self.dropped_seconds += dropped / self._bytes_per_second

    def _mark(self, piece: _Piece, stream_seconds: float) -> None:
        last = self._marks[-1] if self._marks else None
        if last is not None and last.run is piece.run:
            expected = last.run_offset + stream_seconds - last.stream_seconds
            if abs(expected - piece.run_offset) < 1e-6:
                return
        self._marks.append(_Mark(stream_seconds, piece.run, piece.run_offset))
        if len(self._marks) > _KEPT_MARKS:
            del self._marks[: _KEPT_MARKS // 2]
