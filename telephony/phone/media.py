"""The sound of a call: one RTP stream out, paced by a shared ticker, and one in, recorded.

A stream sends a frame every 20 ms from the first moment to the last, speech or silence, because a tap in
Asterisk has no other clock. All streams of an event loop share one timer, so that a call costs one ``sendto``
a tick and no task.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections import Counter, deque

from hotline.telephony.phone.codec import Codec, Samples
from hotline.telephony.phone.recorder import Recorder
from hotline.telephony.phone.rtp import (
    DTMF_KEYS,
    FRAME_SAMPLES,
    FRAME_SECONDS,
    Packet,
    PacketError,
    TelephoneEvent,
    pack,
)
from hotline.telephony.phone.ticker import Ticker

#: A key is held for 100 ms and followed by 100 ms of quiet; its end is said three times (RFC 4733, 2.5.1.4).
KEY_FRAMES = 5
PAUSE_FRAMES = 5
END_REPEATS = 3

#: Keys and clips waiting their turn; what exceeds this is refused with ``ValueError``.
MAX_QUEUED = 256


class Playback:
    """A clip on its way out; ``await clip.done()`` returns once its last frame is out or it was stopped."""

    def __init__(self, payload: bytes) -> None:
        self.stopped = False
        self._payload = payload
        self._position = 0
        self._sent_at: list[float] = []
        self._done = asyncio.Event()

    @property
    def started(self) -> bool:
        """Whether the first frame is out."""
        return bool(self._sent_at)

    async def done(self) -> None:
        """Wait until it has been played or stopped."""
        await self._done.wait()

    def sent_at(self, offset_seconds: float) -> float | None:
        """When (``loop.time()``) the sound up to this offset had been spoken, or None if it never was.

        A microphone hands over a frame when it is full, so a frame's last sample was spoken when the frame
        was sent and its first one 20 ms before.
        """
        frame = max(0, math.ceil(offset_seconds / FRAME_SECONDS - 1e-6) - 1)
        if frame >= len(self._sent_at):
            return None
        return self._sent_at[frame] - (frame + 1) * FRAME_SECONDS + offset_seconds

    def next_frame(self, now: float, silence: bytes) -> bytes | None:
        """The next 160 bytes, the last ones padded; None once there are no more."""
        if self._position >= len(self._payload) or self.stopped:
            self.finish()
            return None
        frame = self._payload[self._position : self._position + FRAME_SAMPLES]
        self._position += FRAME_SAMPLES
        self._sent_at.append(now)
        if self._position >= len(self._payload):
            self._done.set()
        return frame.ljust(FRAME_SAMPLES, silence)

    def stop(self) -> None:
        """Say no more of it."""
        self.stopped = True
        self._done.set()

    def finish(self) -> None:
        """Called by the stream when nothing more will be sent."""
        self.stopped = self.stopped or self._position < len(self._payload)
        self._done.set()


class AudioStream(asyncio.DatagramProtocol):
    """Both directions of a call's RTP on one socket.

    `negotiated` starts sending; until then the port is held, and what comes in is dropped. Only packets from
    the negotiated address are heard: everything else is counted and dropped.

    Attributes:
        muted: silence goes out instead of what is played; the clips go on meanwhile, as speech would.
        held: likewise, while the call is on hold.
        suppresses_silence: no packets go out while nothing is played or what is played is not to be heard.
    """

    def __init__(self, ticker: Ticker, *, max_recorded_seconds: float) -> None:
        self.counts: Counter[str] = Counter()
        self.muted = self.held = self.suppresses_silence = False
        self.recorder = Recorder(max_seconds=max_recorded_seconds)
        self.digits_heard: deque[str] = deque(maxlen=MAX_QUEUED)  # oldest forgotten
        self._ticker = ticker
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._remote: tuple[str, int] | None = None
        self._codec: Codec | None = None
        self._payload_type = 0
        self._event_type: int | None = None
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._silence = b""
        self._marker = True
        self._clips: deque[Playback] = deque()
        self._keys: deque[str | asyncio.Event] = deque()
        self._key_frame = 0
        self._key_timestamp = 0
        self._last_event_timestamp: int | None = None
        self._key_came = asyncio.Event()

    @classmethod
    async def open(cls, host: str, ticker: Ticker, *, max_recorded_seconds: float) -> AudioStream:
        """Bind a free port on ``host``."""
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_datagram_endpoint(
            lambda: cls(ticker, max_recorded_seconds=max_recorded_seconds), local_addr=(host, 0)
        )
        return stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a datagram endpoint has no other kind

    @property
    def port(self) -> int:
        """Where our RTP is received."""
        if self._transport is None:
            raise RuntimeError("the stream is closed")
        return int(self._transport.get_extra_info("sockname")[1])

    def negotiated(
        self, remote: tuple[str, int], codec: Codec, payload_type: int, event_type: int | None, *, send: bool
    ) -> None:
        """Take what offer and answer agreed on; may change in mid-call.

        Args:
            remote: where to send, and from where alone to listen.
            codec: of both directions.
            payload_type: its number in this call.
            event_type: the number of RFC 4733 events, or None when the other side knows none.
            send: False while the other side wants no sound (hold).
        """
        self._remote, self._codec, self._payload_type, self._event_type = (
            remote,
            codec,
            payload_type,
            event_type,
        )
        self._silence = codec.silence * FRAME_SAMPLES
        if send and self._transport is not None:
            self._ticker.join(self._tick)
        else:
            self._ticker.leave(self._tick)

    def play(self, samples: Samples) -> Playback:
        """Queue a clip of int16 samples at 8 kHz; it starts with the next tick after those queued before it.

        Raises:
            RuntimeError: nothing has been negotiated yet, or the call is over.
            ValueError: too many clips wait.
        """
        if self._codec is None or self._transport is None:
            raise RuntimeError("the call has no sound: it is not answered yet or over")
        if len(self._clips) >= MAX_QUEUED:
            raise ValueError(f"more than {MAX_QUEUED} clips wait to be played")
        clip = Playback(self._codec.encode(samples))
        self._clips.append(clip)
        return clip

    def press(self, keys: str) -> asyncio.Event:
        """Queue keys (``0-9 * # A-D``); the event is set when the last one was let go.

        Raises:
            RuntimeError: the other side knows no RFC 4733 events, or the call is over.
            ValueError: a key does not exist, or too many wait.
        """
        if self._event_type is None or self._transport is None:
            raise RuntimeError("keys cannot be sent: no telephone events were negotiated")
        if any(key not in DTMF_KEYS for key in keys) or not keys:
            raise ValueError(f"keys are of {DTMF_KEYS}")
        if len(self._keys) + len(keys) > MAX_QUEUED:
            raise ValueError(f"more than {MAX_QUEUED} keys wait to be sent")
        sent = asyncio.Event()
        self._keys.extend([*keys, sent])
        return sent

    async def wait_digits(self, count: int) -> str:
        """Wait until ``count`` keys of the other side have come, and return all that came."""
        while len(self.digits_heard) < count:
            self._key_came.clear()
            await self._key_came.wait()
        return "".join(self.digits_heard)

    def close(self) -> None:
        """Stop sending and free the port; clips and keys that wait are done with."""
        self._ticker.leave(self._tick)
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        for clip in self._clips:
            clip.finish()
        self._clips.clear()
        for key in self._keys:
            if isinstance(key, asyncio.Event):
                key.set()
        self._keys.clear()
        self.recorder.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take one packet; whatever does not belong is counted and dropped."""
        if self._remote is None or addr[:2] != self._remote or self._codec is None:
            self.counts["foreign"] += 1
            return
        try:
            packet = Packet.unpack(data)
            if packet.payload_type == self._payload_type:
                self.recorder.add(packet, self._codec, self._loop.time())
            elif packet.payload_type == self._event_type:
                self._hear_key(packet)
            else:
                self.counts["unknown_payload"] += 1
        except PacketError:
            self.counts["malformed"] += 1

    def error_received(self, exc: Exception) -> None:
        """The other side's port is closed, mostly at the end of a call."""
        self.counts["unreachable"] += 1

    def _hear_key(self, packet: Packet) -> None:
        """Every packet of one key press bears the same timestamp (RFC 4733 section 2.2.1)."""
        event = TelephoneEvent.unpack(packet.payload)
        if packet.timestamp != self._last_event_timestamp:
            self._last_event_timestamp = packet.timestamp
            self.digits_heard.append(event.key)
            self._key_came.set()

    def _tick(self) -> None:
        while self._keys and isinstance(waiting := self._keys[0], asyncio.Event):
            waiting.set()
            self._keys.popleft()
        if self._keys:
            self._tick_key(str(self._keys[0]))
        else:
            self._send_audio()
        self._timestamp += FRAME_SAMPLES

    def _send_audio(self) -> None:
        """One packet, or none: then the next one is marked as where talk begins (RFC 3551 section 4.1)."""
        audio = self._next_audio()
        if audio is self._silence and self.suppresses_silence:
            self._marker = True
        else:
            self._send(self._payload_type, audio, self._timestamp)

    def _tick_key(self, key: str) -> None:
        """One tick of a key: held, let go (said three times), then a pause with sound."""
        frame = self._key_frame
        if frame == 0:
            self._key_timestamp, self._marker = self._timestamp, True
        if frame < KEY_FRAMES + END_REPEATS - 1 and self._event_type is not None:
            ended = frame >= KEY_FRAMES - 1
            held = min(frame + 1, KEY_FRAMES) * FRAME_SAMPLES
            self._send(self._event_type, TelephoneEvent(key, ended, held).pack(), self._key_timestamp)
        else:
            self._send(self._payload_type, self._next_audio(), self._timestamp)
        self._key_frame += 1
        if self._key_frame >= KEY_FRAMES + END_REPEATS - 1 + PAUSE_FRAMES:
            self._key_frame = 0
            self._keys.popleft()

    def _next_audio(self) -> bytes:
        now = self._loop.time()
        while self._clips:
            frame = self._clips[0].next_frame(now, self._silence[:1])
            if frame is not None:
                return self._silence if self.muted or self.held else frame
            self._clips.popleft()
        return self._silence

    def _send(self, payload_type: int, payload: bytes, timestamp: int) -> None:
        if self._transport is None or self._remote is None:
            return
        data = pack(payload_type, self._sequence, timestamp, self._ssrc, payload, marker=self._marker)
        self._transport.sendto(data, self._remote)
        self._sequence += 1
        self._marker = False
        self.counts["sent"] += 1
