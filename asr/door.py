"""The AudioSocket server of a worker process: who may come in, and what becomes of a leg.

A connection must name itself within `IDENTITY_SECONDS` by a UUID that the server said to expect; anything
else is closed and counted. From then on the decoder reads it (`connection.py`) until the leg is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Callable
from typing import Final

from hotline.asr.connection import Connection, turn_away
from hotline.asr.decoder import Decoder, DecoderLeg
from hotline.asr.messages import Connected, Expect, Gone, Message
from hotline.asr.reasons import Reason
from hotline.telephony.audiosocket import (
    HEADER_BYTES,
    IDENTITY_BYTES,
    AudioSocketParser,
    AudioSocketProtocolError,
    Frame,
    Identity,
)

log = logging.getLogger(__name__)

IDENTITY_SECONDS: Final = 3.0
ORDER_SECONDS: Final = 0.5  # a name may come before the server's word that it will
STRANGERS: Final = 64  # connections that have not named themselves yet; further ones are closed
ACCEPT_AGAIN_SECONDS: Final = 0.5  # after one could not be taken: out of descriptors
COUNTED_ENDINGS: Final = frozenset({Reason.IDLE, Reason.GARBAGE})


class Door:
    """The server's side of every connection of one worker.

    Args:
        decoder: who reads and recognises the audio.
        chunk_seconds: how much audio is recognised at a time.
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
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._decoder = decoder
        self._chunk_seconds = chunk_seconds
        self._monotonic = monotonic
        self._max_legs = max_legs
        self._send = send
        self._expected: dict[str, Expect] = {}
        self._legs: dict[str, DecoderLeg] = {}
        self._strangers: set[asyncio.Task[None]] = set()
        self._ordered = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def backlog_seconds(self) -> float:
        """Audio of all legs that waits for recognition."""
        return sum(leg.connection.backlog_seconds for leg in self._legs.values())

    async def let_in(self, listening: socket.socket) -> None:
        """Take connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connected, _ = await loop.sock_accept(listening)
            except ConnectionError:
                continue  # it left before it was let in
            except OSError as error:
                log.error("no connection can be taken: %s", error)
                await asyncio.sleep(ACCEPT_AGAIN_SECONDS)
                continue
            if len(self._strangers) >= STRANGERS:
                self.counts["no_identity"] += 1
                connected.close()
                continue
            stranger = asyncio.create_task(self._meet(connected), name="stranger")
            self._strangers.add(stranger)
            stranger.add_done_callback(self._strangers.discard)

    async def release_all(self) -> None:
        """End every leg; done when the last text of the last one is told."""
        self._expected.clear()
        self._emptied.clear()
        for leg in self._legs.values():
            self._decoder.finish(leg, Reason.RELEASED)
        if self._legs:
            await self._emptied.wait()

    def expect(self, order: Expect) -> None:
        """Let the connection with this UUID in."""
        if len(self._expected) + len(self._legs) >= self._max_legs:
            self._send(Gone(order.leg, Reason.NO_CAPACITY))
        else:
            self._expected[order.leg] = order
            self._ordered.set()

    def release(self, leg: str) -> None:
        """End a leg: its last text, then Gone, then its connection closes."""
        if leg in self._legs:
            self._decoder.finish(self._legs[leg], Reason.RELEASED)
        else:
            self._expected.pop(leg, None)
            self._send(Gone(leg, Reason.RELEASED))

    def gone(self, leg: str, reason: Reason) -> None:
        """Nothing follows of a leg: close its connection and say so."""
        connection = self._legs.pop(leg).connection
        self.counts.update(connection.counts())
        self.counts[reason.value] += reason in COUNTED_ENDINGS
        connection.close()
        self._send(Gone(leg, reason))
        if not self._legs:
            self._emptied.set()

    def totals(self) -> dict[str, float]:
        """Everything counted, the audio of live legs included."""
        total = Counter(self.counts)
        for leg in self._legs.values():
            total.update(leg.connection.counts())
        total["engine_failures"] = self._decoder.failures
        total.update(self._decoder.engine_counts)
        return dict(total)

    def close(self) -> None:
        """Close every connection at once. The decoder has stopped."""
        for stranger in self._strangers:
            stranger.cancel()
        for leg in self._legs.values():
            leg.connection.close()

    async def _meet(self, connected: socket.socket) -> None:
        """Learn who it is, and have it heard or turn it away."""
        parser = AudioSocketParser()
        order: Expect | None = None
        try:
            async with asyncio.timeout(IDENTITY_SECONDS):
                frame = await _first_frame(connected, parser)
            order = await self._order_of(str(frame.uuid)) if isinstance(frame, Identity) else None
        except TimeoutError:
            self.counts["no_identity"] += 1
        except AudioSocketProtocolError:
            self.counts["garbage"] += 1
        except OSError:
            log.debug("a connection broke before it had a name")
        finally:
            if order is None:
                turn_away(connected)
        if order is not None:
            now = self._monotonic()
            leg = DecoderLeg(Connection(connected, parser, order, self._chunk_seconds, now))
            self._legs[order.leg] = leg
            self._send(Connected(order.leg, now))
            self._decoder.hear(leg)

    async def _order_of(self, leg: str) -> Expect | None:
        """A connection named itself: its order, or None when it is not to come in."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ORDER_SECONDS):
                while leg not in self._expected and leg not in self._legs:
                    self._ordered.clear()
                    await self._ordered.wait()
        order = self._expected.pop(leg, None)
        if order is None:
            self.counts["duplicate_uuid" if leg in self._legs else "unknown_uuid"] += 1
        return order


async def _first_frame(connected: socket.socket, parser: AudioSocketParser) -> Frame | None:
    """The frame that a stream opens with, and not a byte more; None when there is none.

    Raises:
        AudioSocketProtocolError: it opens with something else.
        OSError: the connection broke.
    """
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(connected, HEADER_BYTES + IDENTITY_BYTES - parser.pending_bytes):
        if frames := parser.receive(data):
            return frames[0]
    return None
