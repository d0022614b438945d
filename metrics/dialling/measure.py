"""What can be measured in the sound of a call. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

RATE_HZ: Final = 8000
FRAME_SAMPLES: Final = 160  # 8000 Hz x 20 ms
SILENT_DBFS: Final = -50.0  # a telephone line's noise lies below it
FULL_SCALE: Final = 32_768.0


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a sound is.

    Attributes:
        level_dbfs: root mean square of what is not silent, in dB under full scale; None: all is silent.
        silent_share: 0..1 of the frames of 20 ms; 1 for no sound at all.
    """

    level_dbfs: float | None
    silent_share: float


def loudness(samples: npt.NDArray[np.int16]) -> Loudness:
    """Measure int16 samples at 8 kHz, of any shape that is one long row."""
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    if not whole:
        return Loudness(None, 1.0)
    frames = samples[:whole].astype(np.float64).reshape(-1, FRAME_SAMPLES) / FULL_SCALE
    power = np.mean(frames * frames, axis=1)
    loud = power[power > 10 ** (SILENT_DBFS / 10)]
    if not len(loud):
        return Loudness(None, 1.0)
    level = 10 * math.log10(float(np.mean(loud)))
    return Loudness(round(level, 1), round(1 - len(loud) / len(power), 4))
