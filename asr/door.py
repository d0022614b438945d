"""The AudioSocket server of a worker process: who may come in, and what becomes of what they send.

A connection must name itself within `IDENTITY_SECONDS` by a UUID that the server said to expect; anything
else is closed and counted. From then on its audio goes to the decoder. A peer that sends faster than real
time is read no faster than that; one that sends nothing for `IDLE_SECONDS` is let go.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from hotline.asr.decoder import Decoder, DecoderLeg
from hotline.asr.leg import SAMPLE_BYTES, LegAudio, Pace
from hotline.asr.messages import Connected, Expect, Gone, Message
from hotline.asr.reasons import Reason
from hotline.telephony.audiosocket import (
    Audio,
    AudioSocketParser,
    AudioSocketProtocolError,
    AudioSocketTruncated,
    Error,
    Frame,
    Hangup,
    Identity,
    pack_hangup,
)

IDENTITY_SECONDS: Final = 3.0
IDLE_SECONDS: Final = 600.0
AHEAD_SECONDS: Final = 15.0  # audio beyond real time before a peer is slowed down
STRANGERS: Final = 64  # connections that have not named themselves yet; further ones are closed
TICK_SECONDS: Final = 0.04
LATE_SECONDS: Final = 0.1  # a tick this late says that this process was held up, not the network
_WIRE_OVERHEAD: Final = 1.02  # 3 bytes of header to each 320 or 640 of audio


class Door:
    """The server's side of every connection of one worker.

    Args:
        decoder: where the audio goes.
        chunk_seconds: audio to collect before it is recognised.
        max_legs: expected and connected legs together; further orders are refused.
        send: tells the server; called on the loop.
        monotonic: the clock.

    Attributes:
        counts: what happened; the names are explained at `AsrStats.counts`.
    """

    def __init__(
        self,
        decoder: Decoder,
        *,
        chunk_seconds: float,
        max_legs: int,
        send: Callable[[Message], None],
        monotonic: Callable[[], float],
        identity_seconds: float = IDENTITY_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.identity_seconds = identity_seconds
        self.idle_seconds = idle_seconds
        self.decoder = decoder
        self.chunk_seconds = chunk_seconds
        self.monotonic = monotonic
        self.strangers: set[Connection] = set()
        self._max_legs = max_legs
        self._send = send
        self._expected: dict[str, Expect] = {}
        self._legs: dict[str, Connection] = {}
        self._emptied = asyncio.Event()

    @property
    def backlog_seconds(self) -> float:
        """Audio of all legs that waits for recognition."""
        return sum(one.audio.backlog_seconds for one in self._legs.values() if one.audio is not None)

    async def release_all(self) -> None:
        """End every leg; done when the last text of the last one is told."""
        self._expected.clear()
        self._emptied.clear()
        for connection in list(self._legs.values()):
            connection.finish(Reason.RELEASED)
        if self._legs:
            await self._emptied.wait()

    def connection(self) -> Connection:
        """Make the protocol of a new connection."""
        return Connection(self)

    def expect(self, order: Expect) -> None:
        """Let the connection with this UUID in."""
        if len(self._expected) + len(self._legs) >= self._max_legs:
            self._send(Gone(order.leg, Reason.NO_CAPACITY))
        else:
            self._expected[order.leg] = order

    def release(self, leg: str) -> None:
        """End a leg: its last text, then Gone, then its connection closes."""
        if leg in self._legs:
            self._legs[leg].finish(Reason.RELEASED)
        else:
            self._expected.pop(leg, None)
            self._send(Gone(leg, Reason.RELEASED))

    def admit(self, connection: Connection, leg: str) -> Expect | None:
        """A connection named itself: its order, or None when it is not to come in."""
        order = self._expected.pop(leg, None)
        if order is None:
            self.counts["duplicate_uuid" if leg in self._legs else "unknown_uuid"] += 1
            return None
        self._legs[leg] = connection
        self._send(Connected(leg, self.monotonic()))
        return order

    def gone(self, leg: str, reason: Reason) -> None:
        """Nothing follows of a leg: close its connection and say so."""
        connection = self._legs.pop(leg, None)
        if connection is None:
            return
        self.counts.update(connection.audio_counts())
        connection.shut()
        self._send(Gone(leg, reason))
        if not self._legs:
            self._emptied.set()

    def totals(self) -> dict[str, float]:
        """Everything counted, the audio of live legs included."""
        total = Counter(self.counts)
        for connection in self._legs.values():
            total.update(connection.audio_counts())
        total["engine_failures"] = self.decoder.failures
        total.update(self.decoder.engine_counts)
        return dict(total)

    def close(self) -> None:
        """Close every connection at once."""
        for connection in [*self.strangers, *self._legs.values()]:
            connection.shut()

    async def keep_time(self) -> None:
        """Fill pauses, slow and let go of peers, until cancelled."""
        due = self.monotonic() + TICK_SECONDS
        while True:
            await asyncio.sleep(max(0.0, due - self.monotonic()))
            now = self.monotonic()
            if now - due < LATE_SECONDS:  # else let the sockets be read first
                self.tick(now)
            due = now + TICK_SECONDS

    def tick(self, now: float) -> None:
        """Let time pass for every leg."""
        for connection in list(self._legs.values()):
            connection.tick(now)


class Connection(asyncio.Protocol):
    """One AudioSocket connection, from the first byte to the last."""

    def __init__(self, door: Door) -> None:
        self.audio: LegAudio | None = None
        self._door = door
        self._parser = AudioSocketParser()
        self._transport: asyncio.Transport | None = None
        self._identity_due: asyncio.TimerHandle | None = None
        self._order: Expect | None = None
        self._leg: DecoderLeg | None = None
        self._pace: Pace | None = None
        self._slowed = False
        self._finished = False
        self._received_bytes = 0
        self._active_at = door.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for its name."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport
        if len(self._door.strangers) >= STRANGERS:
            self._door.counts["no_identity"] += 1
            transport.abort()
            return
        self._door.strangers.add(self)
        loop = asyncio.get_running_loop()
        self._identity_due = loop.call_later(self._door.identity_seconds, self._no_identity)

    def data_received(self, data: bytes) -> None:
        """Act on the frames in it."""
        if self._finished or self._transport is None:
            return
        now = self._door.monotonic()
        try:
            frames = self._parser.receive(data)
        except AudioSocketProtocolError as error:
            self._act(error.frames, now)
            self._refuse(Reason.GARBAGE)
            return
        self._act(frames, now)
        if self._pace is not None and self._pace.received(len(data), now) > AHEAD_SECONDS:
            self._slow()

    def eof_received(self) -> None:
        """The peer is done; closing follows by itself."""
        try:
            self._parser.receive_eof()
        except AudioSocketTruncated:
            self.finish(Reason.BROKEN)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        self._transport = None
        self._named()
        self.finish(Reason.BROKEN if exc is not None else Reason.HUNG_UP)

    def finish(self, reason: Reason) -> None:
        """Have the rest recognised; `Door.gone` follows. Idempotent."""
        if self._finished:
            return
        self._finished = True
        if self._transport is not None:
            self._transport.pause_reading()
        if self._leg is not None:
            self._door.decoder.finish(self._leg, reason)
        elif self._order is not None:
            self._door.gone(self._order.leg, reason)
        else:
            self.shut()

    def shut(self) -> None:
        """Close the connection, telling Asterisk that its tap is over."""
        self._finished = True
        self._named()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(pack_hangup())
            self._transport.close()

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._finished:
            return
        if now - self._active_at > self._door.idle_seconds:
            self._door.counts["idle"] += 1
            self.finish(Reason.IDLE)
            return
        if self.audio is None or self._leg is None:
            return
        if self._slowed and self._pace is not None and self._transport is not None:
            if self._pace.received(0, now) < AHEAD_SECONDS / 2:
                self._slowed = False
                self._transport.resume_reading()
            return  # what it sent fills the time
        self.audio.tick(now)
        self._door.decoder.offer(self._leg)

    def audio_counts(self) -> dict[str, int]:
        """Milliseconds heard, thrown away and filled in."""
        if self.audio is None:
            return {}
        return {
            "audio_ms": round(self._received_bytes * 1000 / (self.audio.sample_rate_hz * SAMPLE_BYTES)),
            "dropped_audio_ms": round(self.audio.dropped_seconds * 1000),
            "filled_audio_ms": round(self.audio.filled_seconds * 1000),
        }

    def _act(self, frames: list[Frame] | tuple[Frame, ...], now: float) -> None:
        for frame in frames:
            if self._finished:
                return
            match frame:
                case Identity(uuid):
                    self._named()
                    self._order = self._door.admit(self, str(uuid))
                    if self._order is None:
                        self.shut()
                        return
                case Audio(payload, sample_rate_hz):
                    self._hear(payload, sample_rate_hz, now)
                case Hangup() | Error():
                    self.finish(Reason.HUNG_UP)
        if self._leg is not None and not self._finished:
            self._door.decoder.offer(self._leg)

    def _hear(self, payload: bytes, sample_rate_hz: int, now: float) -> None:
        if self._order is None:
            return
        if self.audio is None:
            self.audio = LegAudio(sample_rate_hz, self._order.answered, self._door.chunk_seconds)
            self._leg = DecoderLeg(self._order.leg, self.audio, self._order.grammar, self._order.hot_words)
            self._pace = Pace(sample_rate_hz * SAMPLE_BYTES * _WIRE_OVERHEAD, now)
        elif self.audio.sample_rate_hz != sample_rate_hz:
            self._refuse(Reason.GARBAGE)
            return
        if payload:
            self._active_at = now
            self._received_bytes += len(payload)
            self.audio.audio(payload, now)

    def _refuse(self, reason: Reason) -> None:
        self._door.counts["garbage"] += 1
        self._named()
        self.finish(reason)

    def _slow(self) -> None:
        if not self._slowed and self._transport is not None and not self._finished:
            self._slowed = True
            self._door.counts["floods"] += 1
            self._transport.pause_reading()

    def _no_identity(self) -> None:
        self._door.counts["no_identity"] += 1
        self.shut()

    def _named(self) -> None:
        """No longer a stranger: named, refused or gone."""
        self._door.strangers.discard(self)
        if self._identity_due is not None:
            self._identity_due.cancel()
            self._identity_due = None
