"""Recognition of a file, without a call: the same engine, the same chunks."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from hotline.asr.engine import Engine, Final, Heard
from hotline.core.errors import UsageError
from hotline.speech.wav import WavError, read_wav

CHUNK_SECONDS = 0.1
AHEAD_SECONDS = 5.0  # of audio that an engine on another machine has not answered yet
NEWS_SECONDS = 0.5  # sending is no news, and may be all that is waited for
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
    """Recognise a whole recording; the utterances as they end.

    Raises:
        EngineError: the engine gave up; what was yielded before counts.
    """
    news = threading.Event()
    stream = engine.open(sample_rate_hz, wake=news.set)
    chunk_bytes = 2 * round(sample_rate_hz * CHUNK_SECONDS)
    for first in range(0, len(pcm), chunk_bytes):
        yield from _finals(stream.push(pcm[first : first + chunk_bytes]))
        while stream.behind_seconds > AHEAD_SECONDS:
            news.wait(NEWS_SECONDS)
            news.clear()
            yield from _finals(stream.push(b""))
    yield from _finals(stream.end())
    while not stream.over:
        news.wait(NEWS_SECONDS)
        news.clear()
        yield from _finals(stream.push(b""))


def _finals(heard: Iterable[Heard]) -> Iterator[Final]:
    return (one for one in heard if isinstance(one, Final) and one.text)
