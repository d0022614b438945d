"""The two codecs of a telephone call, as RTP names them (RFC 3551 table 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hotline.speech.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Codec:
    """A companding law: one byte a sample at 8 kHz.

    Attributes:
        silence: the byte for amplitude nought.
        levels: the amplitude that each byte stands for, shape (256,), on the int16 scale.
    """

    name: str
    payload_type: int
    encode: Callable[[Samples], bytes]
    decode: Callable[[bytes], Samples]
    silence: bytes
    levels: npt.NDArray[np.float32]

    def level(self, payload: bytes) -> float:
        """Mean absolute amplitude of a packet, on the int16 scale; 0 of nothing."""
        if not payload:
            return 0.0
        return float(self.levels[np.frombuffer(payload, dtype=np.uint8)].mean())


def _codec(
    name: str, payload_type: int, encode: Callable[[Samples], bytes], decode: Callable[[bytes], Samples]
) -> Codec:
    levels = np.abs(decode(bytes(range(256))).astype(np.float32))
    return Codec(name, payload_type, encode, decode, encode(np.zeros(1, dtype=np.int16)), levels)


PCMA = _codec("PCMA", 8, alaw_encode, alaw_decode)
PCMU = _codec("PCMU", 0, ulaw_encode, ulaw_decode)
CODECS = {codec.name: codec for codec in (PCMA, PCMU)}
