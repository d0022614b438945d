"""Sample-rate conversion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

__all__ = ["StreamResampler", "resample"]


def resample(samples: npt.NDArray[np.int16], from_hz: int, to_hz: int) -> npt.NDArray[np.int16]:
    """Return a whole mono recording at another rate; the same array if the rate is the same already."""
    if from_hz == to_hz:
        return samples
    converted: npt.NDArray[np.int16] = soxr.resample(samples, from_hz, to_hz, quality="HQ")
    return converted


class StreamResampler:
    """Resamples one mono int16 stream chunk by chunk; not for several threads at once."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._same = from_hz == to_hz
        self._stream = None if self._same else soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16")

    def push(self, samples: npt.NDArray[np.int16], *, last: bool = False) -> npt.NDArray[np.int16]:
        """Return what is ready after ``samples``: the stream lags some milliseconds until ``last``."""
        if self._stream is None:
            return samples
        converted: npt.NDArray[np.int16] = self._stream.resample_chunk(samples, last=last)
        return converted
