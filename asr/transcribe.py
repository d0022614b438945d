"""Recognition of a file, without a call: the same engine, the same chunks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hotline.asr.engine import Engine, Final
from hotline.core.errors import UsageError
from hotline.speech.wav import WavError, read_wav

CHUNK_SECONDS = 0.1
LOWEST_RATE_HZ = 8_000
HIGHEST_RATE_HZ = 96_000


def read_speech(path: Path) -> tuple[bytes, int]:
    """The samples of a WAV file as the engine takes them, and their rate in Hz.

    Raises:
        UsageError: it cannot be read, or is not mono 16-bit PCM at a usable rate.
    """
    try:
        samples, rate_hz = read_wav(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except WavError as error:
        raise UsageError(str(error), hint="convert it: sox IN -r 16000 -c 1 -b 16 OUT.wav") from error
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise UsageError(f"{path}: {rate_hz} Hz; want {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz")
    return samples.astype("<i2").tobytes(), rate_hz


def transcribe(engine: Engine, pcm: bytes, sample_rate_hz: int) -> Iterator[Final]:
    """Recognise a whole recording; the utterances as they end."""
    stream = engine.open(sample_rate_hz)
    chunk_bytes = 2 * round(sample_rate_hz * CHUNK_SECONDS)
    for first in range(0, len(pcm), chunk_bytes):
        for heard in stream.push(pcm[first : first + chunk_bytes]):
            if isinstance(heard, Final) and heard.text:
                yield heard
    for heard in stream.end():
        if isinstance(heard, Final) and heard.text:
            yield heard
