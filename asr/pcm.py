"""16-bit samples from the rate of a telephone to the rate of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hotline.speech.resample import StreamResampler

SAMPLE_BYTES: Final = 2


class RateConverter:
    """Converts one stream of 16-bit little-endian mono samples, chunk by chunk.

    Args:
        from_hz: what comes.
        to_hz: what is wanted; the same rate costs nothing.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._resampler: StreamResampler | None = None
        self._begun = False
        if from_hz != to_hz:
            from hotline.speech.resample import StreamResampler  # NumPy and soxr only where they are needed

            self._resampler = StreamResampler(from_hz, to_hz)

    def convert(self, pcm: bytes) -> bytes:
        """What is ready at the new rate: it lags some milliseconds behind."""
        if self._resampler is None or not pcm:
            return pcm
        self._begun = True
        return self._push(pcm)

    def rest(self) -> bytes:
        """What still lags; nothing may follow."""
        if self._resampler is None or not self._begun:
            return b""
        self._begun = False
        return self._push(b"", last=True)

    def _push(self, pcm: bytes, *, last: bool = False) -> bytes:
        import numpy as np

        assert self._resampler is not None  # noqa: S101 - for the type checker
        return self._resampler.push(np.frombuffer(pcm, "<i2"), last=last).astype("<i2").tobytes()
