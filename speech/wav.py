"""WAV files: mono, 16-bit PCM, the form Asterisk plays and Vosk hears."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["WavError", "read_wav", "write_wav"]


class WavError(ValueError):
    """The file is not mono 16-bit PCM WAV."""


def read_wav(path: Path) -> tuple[npt.NDArray[np.int16], int]:
    """Return the samples of a mono 16-bit PCM WAV file and their rate in Hz.

    Raises:
        WavError: if the file is of another kind; the message says which.
        OSError: if it cannot be read.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width = file.getnchannels(), file.getsampwidth()
            if channels != 1 or width != 2:
                raise WavError(f"{path}: {channels} channels of {8 * width} bits; want mono, 16 bits")
            data = file.readframes(file.getnframes())
            return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise WavError(f"{path}: not a PCM WAV file: {error}") from error


def write_wav(path: Path, samples: npt.NDArray[np.int16], sample_rate_hz: int) -> None:
    """Write int16 samples as a mono WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
