"""ITU-T G.711 companding: int16 samples to and from A-law and mu-law bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["alaw_decode", "alaw_encode", "ulaw_decode", "ulaw_encode"]

_ULAW_BIAS = 33  # on G.711's 14-bit scale
_ULAW_CLIP = 8191 - _ULAW_BIAS
_EVEN_BITS = 0x55  # A-law inverts every other bit on the line


def _ulaw_decode_table() -> npt.NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent = (code >> 4) & 0x07
    magnitude = (((((code & 0x0F) << 1) + _ULAW_BIAS) << exponent) - _ULAW_BIAS) << 2
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_decode_table() -> npt.NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ _EVEN_BITS
    exponent = (code >> 4) & 0x07
    mantissa = (code & 0x0F) << 4
    magnitude = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _ulaw_encode_table() -> npt.NDArray[np.uint8]:
    sample = np.arange(-32768, 32768, dtype=np.int32)
    magnitude = np.minimum(np.abs(sample >> 2), _ULAW_CLIP) + _ULAW_BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 5
    mantissa = (magnitude >> (exponent + 1)) & 0x0F
    code = np.where(sample < 0, 0x80, 0) | (exponent << 4) | mantissa
    table: npt.NDArray[np.uint8] = (~code & 0xFF).astype(np.uint8)
    return table


def _alaw_encode_table() -> npt.NDArray[np.uint8]:
    sample = np.arange(-32768, 32768, dtype=np.int32)
    # A negative sample is its one's complement, so that -1..-16 share the innermost negative step.
    magnitude = np.where(sample < 0, ~sample, sample) >> 4
    exponent = np.where(magnitude < 16, 0, np.floor(np.log2(np.maximum(magnitude, 16))).astype(np.int32) - 3)
    mantissa = np.where(exponent == 0, magnitude, magnitude >> np.maximum(exponent - 1, 0)) & 0x0F
    code = np.where(sample < 0, 0, 0x80) | (exponent << 4) | mantissa
    table: npt.NDArray[np.uint8] = (code ^ _EVEN_BITS).astype(np.uint8)
    return table


_ULAW_DECODE = _ulaw_decode_table()
_ALAW_DECODE = _alaw_decode_table()
_ULAW_ENCODE = _ulaw_encode_table()
_ALAW_ENCODE = _alaw_encode_table()


def ulaw_encode(samples: npt.NDArray[np.int16]) -> bytes:
    """Return int16 samples as mu-law, one byte a sample."""
    return _ULAW_ENCODE[samples.astype(np.int32) + 32768].tobytes()


def ulaw_decode(data: bytes) -> npt.NDArray[np.int16]:
    """Return mu-law bytes as int16 samples."""
    return _ULAW_DECODE[np.frombuffer(data, np.uint8)]


def alaw_encode(samples: npt.NDArray[np.int16]) -> bytes:
    """Return int16 samples as A-law, one byte a sample."""
    return _ALAW_ENCODE[samples.astype(np.int32) + 32768].tobytes()


def alaw_decode(data: bytes) -> npt.NDArray[np.int16]:
    """Return A-law bytes as int16 samples."""
    return _ALAW_DECODE[np.frombuffer(data, np.uint8)]
