"""G.711 companding against the values of the Recommendation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from hotline.speech.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

Samples = npt.NDArray[np.int16]


@pytest.mark.parametrize(
    ("decode", "code", "sample"),
    [
        (alaw_decode, 0xD5, 8),
        (alaw_decode, 0x55, -8),
        (alaw_decode, 0xAA, 32256),
        (alaw_decode, 0x2A, -32256),
        (ulaw_decode, 0xFF, 0),
        (ulaw_decode, 0x7F, 0),
        (ulaw_decode, 0x80, 32124),
        (ulaw_decode, 0x00, -32124),
    ],
)
def test_known_codes(decode: Callable[[bytes], Samples], code: int, sample: int) -> None:
    """The smallest and largest steps of both laws are those of G.711's tables, on the 16-bit scale."""
    assert decode(bytes([code])).tolist() == [sample]


@pytest.mark.parametrize(
    ("encode", "decode", "doubled"),
    [(alaw_encode, alaw_decode, {}), (ulaw_encode, ulaw_decode, {0x7F: 0xFF})],
)
def test_codes_survive(
    encode: Callable[[Samples], bytes], decode: Callable[[bytes], Samples], doubled: dict[int, int]
) -> None:
    """Decoding and encoding again gives the same code; mu-law's two zeros become one."""
    codes = bytes(range(256))
    assert encode(decode(codes)) == bytes(doubled.get(code, code) for code in codes)


@pytest.mark.parametrize(("encode", "decode"), [(alaw_encode, alaw_decode), (ulaw_encode, ulaw_decode)])
def test_loudness_hardly_matters(
    encode: Callable[[Samples], bytes], decode: Callable[[bytes], Samples]
) -> None:
    """A tone keeps its signal-to-noise ratio over 30 dB of loudness: the point of companding."""
    for amplitude in (800, 4000, 25000):
        tone = (amplitude * np.sin(np.arange(8000) * 0.31)).astype(np.int16)
        noise = decode(encode(tone)).astype(float) - tone
        assert 10 * np.log10(np.mean(tone.astype(float) ** 2) / np.mean(noise**2)) > 33


def test_every_sample_is_near() -> None:
    """No sample is further off than half the widest step, the ends of the range included."""
    samples = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
    for decoded in (alaw_decode(alaw_encode(samples)), ulaw_decode(ulaw_encode(samples))):
        assert np.abs(decoded.astype(int) - samples).max() <= 1024
