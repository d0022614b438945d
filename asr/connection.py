"""One AudioSocket connection that has named itself, read by the thread that recognises.

Each round the decoder reads what came since the last one: a chunk's worth of frames costs one read, and no
thread has to wake another. A peer that sends faster than real time is read no faster than that; one that
sends nothing for `IDLE_SECONDS` is let go.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from typing import Final

from hotline.asr.leg import SAMPLE_BYTES, LegAudio, Pace
from hotline.asr.messages import Expect
from hotline.asr.reasons import Reason
from hotline.telephony.audiosocket import (
    Audio,
    AudioSocketParser,
    AudioSocketProtocolError,
    AudioSocketTruncated,
    Error,
    Frame,
    Hangup,
    pack_hangup,
)

IDLE_SECONDS: Final = 600.0
AHEAD_SECONDS: Final = 15.0  # audio beyond real time before a peer is slowed down
READ_BYTES: Final = 65_536  # two seconds at 16 kHz
MOST_READS: Final = 4  # a round, so that one peer does not hold up the others
PIECE_FRAMES: Final = 10  # of a read that found many: the recogniser takes its turns in such pieces
_WIRE_OVERHEAD: Final = 1.02  # 3 bytes of header to each 320 or 640 of audio


class Connection:
    """The audio of one leg as it comes off the wire.

    Args:
        connected: the socket, not blocking; ``close`` closes it.
        parser: that has read the peer's name from it.
        order: what the server said of the leg.
        chunk_seconds: see `LegAudio`.
        now: monotonic seconds.
        idle_seconds: without audio, before the peer is let go.

    Attributes:
        audio: None until the first of it came.
        floods: how often the peer had to be slowed down.
    """

    def __init__(
        self,
        connected: socket.socket,
        parser: AudioSocketParser,
        order: Expect,
        chunk_seconds: float,
        now: float,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.order = order
        self.audio: LegAudio | None = None
        self.floods = 0
        self._socket = connected
        self._parser = parser
        self._chunk_seconds = chunk_seconds
        self._idle_seconds = idle_seconds
        self._pace: Pace | None = None
        self._slowed = False
        self._received_bytes = 0
        self._active_at = now

    @property
    def backlog_seconds(self) -> float:
        """Audio that was read and waits for recognition."""
        return 0.0 if self.audio is None else self.audio.backlog_seconds

    def read(self, now: float) -> Reason | None:
        """Take in what came and let time pass; return why nothing more will come, None while it may."""
        if self._slowed and self._pace is not None:
            self._slowed = self._pace.received(0, now) >= AHEAD_SECONDS / 2
            return None  # what it sent fills the time
        if (ending := self._receive(now)) is not None:
            return ending
        if now - self._active_at > self._idle_seconds:
            return Reason.IDLE
        if self.audio is not None and not self._slowed:
            self.audio.tick(now)
        return None

    def counts(self) -> dict[str, int]:
        """Milliseconds heard, thrown away and filled in; floods."""
        if self.audio is None:
            return {}
        return {
            "audio_ms": round(self._received_bytes * 1000 / (self.audio.sample_rate_hz * SAMPLE_BYTES)),
            "dropped_audio_ms": round(self.audio.dropped_seconds * 1000),
            "filled_audio_ms": round(self.audio.filled_seconds * 1000),
            "floods": self.floods,
        }

    def close(self) -> None:
        """Close it, telling Asterisk that its tap is over."""
        turn_away(self._socket)

    def _receive(self, now: float) -> Reason | None:
        for _ in range(MOST_READS):
            try:
                data = self._socket.recv(READ_BYTES)
            except BlockingIOError:
                return None
            except OSError:
                return Reason.BROKEN
            if not data:
                return self._at_end()
            if (ending := self._take(data, now)) is not None:
                return ending
            if self._pace is not None and self._pace.received(len(data), now) > AHEAD_SECONDS:
                self._slowed = True
                self.floods += 1
                return None
            if len(data) < READ_BYTES:
                return None
        return None

    def _at_end(self) -> Reason:
        try:
            self._parser.receive_eof()
        except AudioSocketTruncated:
            return Reason.BROKEN
        return Reason.HUNG_UP

    def _take(self, data: bytes, now: float) -> Reason | None:
        frames: Sequence[Frame]
        try:
            frames, fault = self._parser.receive(data), None
        except AudioSocketProtocolError as error:
            frames, fault = error.frames, Reason.GARBAGE
        voice: list[bytes] = []
        for frame in frames:
            match frame:
                case Audio(payload, sample_rate_hz) if self._is_of_the_leg(sample_rate_hz, now):
                    voice.append(payload)
                case Audio():
                    fault = Reason.GARBAGE  # another rate in the middle of a stream
                    break
                case Hangup() | Error():
                    fault = Reason.HUNG_UP
                    break
        self._hear(voice, now)
        return fault

    def _is_of_the_leg(self, sample_rate_hz: int, now: float) -> bool:
        if self.audio is None:
            self.audio = LegAudio(sample_rate_hz, self.order.answered, self._chunk_seconds)
            self._pace = Pace(sample_rate_hz * SAMPLE_BYTES * _WIRE_OVERHEAD, now)
        return self.audio.sample_rate_hz == sample_rate_hz

    def _hear(self, voice: list[bytes], now: float) -> None:
        for first in range(0, len(voice), PIECE_FRAMES):
            pcm = b"".join(voice[first : first + PIECE_FRAMES])
            if pcm and self.audio is not None:
                self._active_at = now
                self._received_bytes += len(pcm)
                self.audio.audio(pcm, now)


def turn_away(connected: socket.socket) -> None:
    """Say goodbye to a peer and close its socket."""
    with contextlib.suppress(OSError):
        connected.send(pack_hangup())
    connected.close()
