"""The AudioSocket wire, sans I/O: bytes in, frames out, and the way back.

AudioSocket is how Asterisk hands one channel's audio to somebody else over TCP.
A frame is a type (1 byte), a payload length (2 bytes, big-endian) and the payload.
Asterisk opens the connection, sends the identity frame first and then one audio
frame for every 20 ms in which the party sent RTP; a party that sends no RTP makes
no frames, so a listener must keep time by its own clock.

Nothing here opens a socket. A shell feeds what it read to
`AudioSocketParser.receive` and acts on the frames it returns.

Source: Asterisk's res_audiosocket.c and res_audiosocket.h (22), and its page
"Configuration/Channel Drivers/AudioSocket".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from hotline.core.errors import PeerError

KIND_HANGUP: Final = 0x00
KIND_IDENTITY: Final = 0x01
KIND_DTMF: Final = 0x03
KIND_ERROR: Final = 0xFF

#: Audio kinds and their sample rates: signed linear, 16 bits, mono, little-endian.
SAMPLE_RATES_HZ: Final[dict[int, int]] = {
    0x10: 8_000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
_AUDIO_KINDS: Final = {rate: kind for kind, rate in SAMPLE_RATES_HZ.items()}

HEADER_BYTES: Final = 3  # type, then the payload's length
IDENTITY_BYTES: Final = 16  # a UUID as RFC 9562 writes it, big-endian
SAMPLE_BYTES: Final = 2
WIRE_MAX_PAYLOAD_BYTES: Final = 0xFFFF  # what the length field can say

#: Enough for 20 ms at 192 kHz (7,680 bytes) and for 60 ms at 96 kHz (11,520).
DEFAULT_MAX_PAYLOAD_BYTES: Final = 16_384

DTMF_DIGITS: Final = frozenset("0123456789*#ABCDabcd")

_HEADER: Final = struct.Struct(">BH")


class AudioSocketProtocolError(PeerError):
    """The peer broke the protocol; the connection is of no further use.

    Attributes:
        frames: the good frames that stood before the fault in the same piece of
            input. They are part of the stream and the caller should act on them.
    """

    def __init__(self, problem: str, frames: tuple[Frame, ...] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.frames = frames

    def __str__(self) -> str:
        """Say what the peer did."""
        return f"AudioSocket: {self.problem}"


class AudioSocketTruncated(AudioSocketProtocolError):
    """The connection ended inside a frame."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The first frame: which leg the audio belongs to."""

    uuid: UUID


@dataclass(frozen=True, slots=True)
class Hangup:
    """The peer is done: nothing follows."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A piece of one party's voice.

    Attributes:
        payload: 16-bit signed little-endian mono samples; never an odd number of bytes.
        sample_rate_hz: the rate that the frame's type names.
    """

    payload: bytes
    sample_rate_hz: int

    @property
    def duration_seconds(self) -> float:
        """How long the piece lasts."""
        return len(self.payload) / (SAMPLE_BYTES * self.sample_rate_hz)


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key that the party pressed."""

    digit: str


@dataclass(frozen=True, slots=True)
class Error:
    """The peer reports a fault of its own.

    Attributes:
        code: the bytes that came with it: empty, or one byte from Asterisk
            (0x01 hung up, 0x02 a frame could not be forwarded, 0x04 out of memory).
    """

    code: bytes


Frame = Identity | Hangup | Audio | Dtmf | Error


class AudioSocketParser:
    """Turns a byte stream into frames, however the bytes are cut.

    Args:
        max_payload_bytes: longer payloads are refused as soon as their header is read,
            so that at most one frame of this length is ever held.
        expect_identity: the stream must open with an identity frame. True for what
            Asterisk sends; False for reading what is sent to Asterisk.

    Attributes:
        unknown_frames: frames whose type is not known; they are skipped, because the
            length says where the next one starts and later versions may add types.
        ended: a hang-up frame was read. What comes after it is ignored.
    """

    def __init__(
        self, *, max_payload_bytes: int = DEFAULT_MAX_PAYLOAD_BYTES, expect_identity: bool = True
    ) -> None:
        if not IDENTITY_BYTES <= max_payload_bytes <= WIRE_MAX_PAYLOAD_BYTES:
            raise ValueError(f"max_payload_bytes must be {IDENTITY_BYTES} to {WIRE_MAX_PAYLOAD_BYTES}")
        self._max_payload_bytes = max_payload_bytes
        self._identity_due = expect_identity
        self._identity_allowed = expect_identity
        self._buffer = bytearray()
        self._failure: str | None = None
        self.unknown_frames = 0
        self.ended = False

    @property
    def pending_bytes(self) -> int:
        """Bytes held of a frame that is not whole yet; at most the header and the limit."""
        return len(self._buffer)

    def receive(self, data: bytes) -> list[Frame]:
        """Take what was read from the socket; return the frames that are now whole.

        Raises:
            AudioSocketProtocolError: the peer broke the protocol. Act on its `frames`,
                then close the connection: every further call raises again.
        """
        if self._failure is not None:
            raise AudioSocketProtocolError(self._failure)
        frames: list[Frame] = []
        # Fed in slices so that a big read is never copied whole into the buffer.
        view = memoryview(data)
        while view and not self.ended:
            taken = self._max_payload_bytes + HEADER_BYTES
            self._buffer += view[:taken]
            view = view[taken:]
            try:
                self._drain(frames)
            except _Violation as violation:
                self._failure = str(violation)
                self._buffer.clear()
                raise AudioSocketProtocolError(self._failure, tuple(frames)) from None
        return frames

    def receive_eof(self) -> None:
        """Tell the parser that the connection is at its end; a hang-up frame is not needed.

        Raises:
            AudioSocketTruncated: a frame was cut in two.
        """
        if self._buffer and not self.ended:
            raise AudioSocketTruncated(f"the connection ended {len(self._buffer)} bytes into a frame")

    def _drain(self, frames: list[Frame]) -> None:
        position = 0
        buffer = self._buffer
        try:
            while len(buffer) - position >= HEADER_BYTES and not self.ended:
                kind, length = _HEADER.unpack_from(buffer, position)
                self._check_header(kind, length)
                end = position + HEADER_BYTES + length
                if len(buffer) < end:
                    break
                frame = self._frame(kind, bytes(buffer[position + HEADER_BYTES : end]))
                position = end
                if frame is not None:
                    frames.append(frame)
        finally:
            del buffer[:position]
        if self.ended:
            buffer.clear()

    def _check_header(self, kind: int, length: int) -> None:
        """Refuse a frame by its header alone, before any of its payload is waited for."""
        if self._identity_due and kind not in (KIND_IDENTITY, KIND_HANGUP, KIND_ERROR):
            raise _Violation(f"the stream opens with frame type 0x{kind:02x} where an identity is due")
        if kind == KIND_IDENTITY and not self._identity_due:
            raise _Violation(
                "a second identity frame" if self._identity_allowed else "an identity frame the wrong way"
            )
        if length > self._max_payload_bytes:
            raise _Violation(
                f"a payload of {length} bytes in frame type 0x{kind:02x}; "
                f"at most {self._max_payload_bytes} are accepted"
            )
        if kind == KIND_IDENTITY and length != IDENTITY_BYTES:
            raise _Violation(f"an identity of {length} bytes instead of {IDENTITY_BYTES}")
        if kind == KIND_DTMF and length != 1:
            raise _Violation(f"a key of {length} bytes instead of 1")
        if kind in SAMPLE_RATES_HZ and length % SAMPLE_BYTES:
            raise _Violation(f"audio of {length} bytes, which is no whole number of samples")

    def _frame(self, kind: int, payload: bytes) -> Frame | None:
        rate_hz = SAMPLE_RATES_HZ.get(kind)
        if rate_hz is not None:
            return Audio(payload, rate_hz)
        if kind == KIND_IDENTITY:
            self._identity_due = False
            return Identity(UUID(bytes=payload))
        if kind == KIND_HANGUP:
            self.ended = True
            return Hangup()
        if kind == KIND_DTMF:
            digit = payload.decode("latin-1")
            if digit not in DTMF_DIGITS:
                raise _Violation(f"a key frame with byte 0x{payload[0]:02x}, which is no key")
            return Dtmf(digit)
        if kind == KIND_ERROR:
            return Error(payload)
        self.unknown_frames += 1
        return None


class _Violation(Exception):
    """Carries the text of a violation up to `AudioSocketParser.receive`."""


def pack_identity(uuid: UUID) -> bytes:
    """Write an identity frame."""
    return _pack(KIND_IDENTITY, uuid.bytes)


def pack_hangup() -> bytes:
    """Write a hang-up frame."""
    return _pack(KIND_HANGUP, b"")


def pack_audio(payload: bytes, sample_rate_hz: int) -> bytes:
    """Write an audio frame.

    Args:
        payload: 16-bit signed little-endian mono samples.
        sample_rate_hz: one of `SAMPLE_RATES_HZ`'s values.

    Raises:
        ValueError: no frame type has this rate, or the payload is half a sample or too long.
    """
    kind = _AUDIO_KINDS.get(sample_rate_hz)
    if kind is None:
        raise ValueError(f"AudioSocket has no frame type for {sample_rate_hz} Hz")
    if len(payload) % SAMPLE_BYTES:
        raise ValueError(f"audio of {len(payload)} bytes is no whole number of samples")
    return _pack(kind, payload)


def pack_dtmf(digit: str) -> bytes:
    """Write a frame with one key.

    Raises:
        ValueError: it is not one key of a telephone.
    """
    if digit not in DTMF_DIGITS:
        raise ValueError("a key is one of 0-9, *, # and A-D")
    return _pack(KIND_DTMF, digit.encode("ascii"))


def pack_error(code: bytes = b"") -> bytes:
    """Write an error frame; the code's meaning is the sender's own."""
    return _pack(KIND_ERROR, code)


def pack_frame(frame: Frame) -> bytes:
    """Write any frame: the twin of `AudioSocketParser`."""
    match frame:
        case Identity(uuid):
            return pack_identity(uuid)
        case Hangup():
            return pack_hangup()
        case Audio(payload, sample_rate_hz):
            return pack_audio(payload, sample_rate_hz)
        case Dtmf(digit):
            return pack_dtmf(digit)
        case Error(code):
            return pack_error(code)


def _pack(kind: int, payload: bytes) -> bytes:
    if len(payload) > WIRE_MAX_PAYLOAD_BYTES:
        raise ValueError(f"a payload of {len(payload)} bytes does not fit in a frame")
    return _HEADER.pack(kind, len(payload)) + payload
