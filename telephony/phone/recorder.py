"""What a phone hears: the packets of one stream, kept to a limit, put in order when they are asked for."""

from __future__ import annotations

import asyncio
from collections import deque

import numpy as np

from hotline.telephony.phone.codec import Codec, Samples
from hotline.telephony.phone.rtp import FRAME_SAMPLES, SAMPLE_RATE_HZ, Packet

#: Mean absolute amplitude above which a packet is sound and not the noise of a line.
SOUND_LEVEL = 100.0

#: A jump of the timestamp by more than this is a new stream (a transfer, a bridge), not a gap to fill.
MAX_GAP_SAMPLES = 10 * SAMPLE_RATE_HZ


class Recorder:
    """Keeps the last ``max_seconds`` of a stream (oldest packets dropped) and knows when sound came.

    Attributes:
        packets: packets taken since the beginning.
        first_sound_at: ``loop.time()`` of the first packet with sound in it, or None.
        last_sound_at: likewise of the latest.
    """

    def __init__(self, *, max_seconds: float) -> None:
        self.packets = 0
        self.first_sound_at: float | None = None
        self.last_sound_at: float | None = None
        frames = max(1, round(max_seconds * SAMPLE_RATE_HZ / FRAME_SAMPLES))
        self._kept: deque[tuple[int, int, bytes, Codec]] = deque(maxlen=frames)
        self._ssrc: int | None = None
        self._place = 0  # of the newest packet, in samples from the stream's beginning
        self._timestamp = 0
        self._closed = False
        self._changed = asyncio.Event()

    def add(self, packet: Packet, codec: Codec, now: float) -> None:
        """Take one packet of sound."""
        if packet.ssrc != self._ssrc or self.packets == 0:
            self._ssrc = packet.ssrc
            step = FRAME_SAMPLES
        else:
            step = (packet.timestamp - self._timestamp + 2**31) % 2**32 - 2**31  # may be late, so negative
            if abs(step) > MAX_GAP_SAMPLES:
                step = FRAME_SAMPLES
        self._timestamp = packet.timestamp
        self._place += step
        self._kept.append((self._place, self.packets, packet.payload, codec))
        self.packets += 1
        if codec.level(packet.payload) > SOUND_LEVEL:
            self.last_sound_at = now
            if self.first_sound_at is None:
                self.first_sound_at = now
        self._wake()

    def samples(self) -> Samples:
        """All that is kept as int16 samples at 8 kHz, lost packets as silence."""
        if not self._kept:
            return np.zeros(0, dtype=np.int16)
        start = min(place for place, _, _, _ in self._kept)
        end = max(place + len(payload) for place, _, payload, _ in self._kept)
        sound = np.zeros(end - start, dtype=np.int16)
        for place, _, payload, codec in self._kept:
            sound[place - start : place - start + len(payload)] = codec.decode(payload)
        return sound

    def level(self, last_seconds: float) -> float:
        """Mean absolute amplitude of the last packets, on the int16 scale; 0.0 when there are none."""
        wanted = max(1, round(last_seconds * SAMPLE_RATE_HZ / FRAME_SAMPLES))
        levels = [codec.level(payload) for _, _, payload, codec in list(self._kept)[-wanted:]]
        return sum(levels) / len(levels) if levels else 0.0

    async def wait_sound(self) -> float:
        """Wait for the first sound and return when it came (``loop.time()``).

        Raises:
            EOFError: the call ended before.
        """
        while self.first_sound_at is None:
            await self.wait_packet()
        return self.first_sound_at

    async def wait_quiet(self, seconds: float) -> None:
        """Wait until the other side has spoken and then been quiet for this long.

        Raises:
            EOFError: the call ended before.
        """
        loop = asyncio.get_running_loop()
        await self.wait_sound()
        while self.last_sound_at is not None and loop.time() - self.last_sound_at < seconds:
            await self.wait_packet()

    def close(self) -> None:
        """The call is over: who waits is told so; what was heard stays."""
        self._closed = True
        self._wake()

    async def wait_packet(self) -> None:
        """Wait for the next packet; ``EOFError`` if the call ends before."""
        if self._closed:
            raise EOFError("the call ended before that was heard")
        await self._changed.wait()  # of the event that stands now: `_wake` puts a new one in its place

    def _wake(self) -> None:
        """Wake everyone who waits now; later ones wait for the next packet."""
        self._changed.set()
        self._changed = asyncio.Event()
