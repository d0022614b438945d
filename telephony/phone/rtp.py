"""RTP packets (RFC 3550 section 5.1) and telephone events (RFC 4733), bytes in and values out."""

from __future__ import annotations

import struct
from dataclasses import dataclass

SAMPLE_RATE_HZ = 8000
FRAME_SAMPLES = 160  # 8000 Hz x 20 ms
FRAME_SECONDS = 0.020

_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_VERSION_2 = 0x80
_END_OF_EVENT = 0x80
#: dBm0 without its sign: what most phones send for a key.
_EVENT_VOLUME = 10

#: RFC 4733 section 3.2: the code of a key is its place here.
DTMF_KEYS = "0123456789*#ABCD"

#: RFC 5761 section 4: second bytes 192 to 223 are RTCP, on the same port or gone astray.
_RTCP_TYPES = range(192, 224)


class PacketError(ValueError):
    """Bytes from the network that are not a usable RTP packet."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet without its contributing sources, extension and padding."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        """The packet as a datagram; ``sequence`` and ``timestamp`` wrap."""
        return pack(
            self.payload_type, self.sequence, self.timestamp, self.ssrc, self.payload, marker=self.marker
        )

    @classmethod
    def unpack(cls, data: bytes) -> Packet:
        """Read a datagram; ``PacketError`` says what is wrong with it."""
        if len(data) < _HEADER.size:
            raise PacketError("RTP packet is shorter than its header")
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        if first & 0xC0 != _VERSION_2:
            raise PacketError("RTP version is not 2")
        if second in _RTCP_TYPES:
            raise PacketError("packet is RTCP")
        start, end = _HEADER.size + 4 * (first & 0x0F), len(data)
        if first & 0x10:
            if len(data) < start + 4:
                raise PacketError("RTP header extension is truncated")
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
        if first & 0x20:
            end -= data[-1]
        if start > end:
            raise PacketError("RTP packet is truncated")
        return cls(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """The payload of RFC 4733 section 2.3: a key, whether it was let go, and for how long it is held."""

    key: str
    ended: bool
    duration_samples: int

    def pack(self) -> bytes:
        """The four bytes of the event."""
        flags = (_END_OF_EVENT if self.ended else 0) | _EVENT_VOLUME
        return _EVENT.pack(DTMF_KEYS.index(self.key), flags, self.duration_samples & 0xFFFF)

    @classmethod
    def unpack(cls, payload: bytes) -> TelephoneEvent:
        """Read the four bytes; ``PacketError`` when they are fewer or name no key."""
        if len(payload) < _EVENT.size:
            raise PacketError("telephone event is truncated")
        code, flags, duration = _EVENT.unpack_from(payload)
        if code >= len(DTMF_KEYS):
            raise PacketError("telephone event is no key")
        return cls(DTMF_KEYS[code], bool(flags & _END_OF_EVENT), duration)


def pack(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool = False
) -> bytes:
    """Write one RTP packet (the hot path of a call: no object is made)."""
    second = payload_type | (0x80 if marker else 0)
    return _HEADER.pack(_VERSION_2, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload
