"""The raw voices of one call into one two-channel sound: left the caller, right whoever answered.

Pure: it reads through functions it is given. Every raw file keeps time from the moment in its name, so each
sample has its place on one clock. That clock begins with the first answer, like the clock of the call's
transcript; what the caller said while waiting falls away, and what an agent who calls back said before the
citizen answered. Several who answered, one after another or together
in a three-way talk, share the right channel.

The sound is A-law in a WAV file: what came over the telephone, unchanged, 16 bytes a millisecond of talk for
both sides. Any second of it can be found by arithmetic, and every browser plays it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from hotline.core.events import Side
from hotline.speech.g711 import alaw_decode, alaw_encode

RATE_HZ: Final = 8000
CHANNELS: Final = 2
BLOCK_SAMPLES: Final = 16_000  # 2 s
HEADER_BYTES: Final = 58
LEVEL_SAMPLES: Final = 800  # a level every 100 ms
LEVEL_COLUMNS: Final = 400
QUIETEST_DB: Final = -60.0
_SIDES: Final = (Side.CALLER, Side.AGENT)

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Voice:
    """One raw file: whose voice, from when on, how many A-law bytes, and how to read some of them."""

    side: Side
    began_at: datetime
    samples: int
    read: Callable[[int, int], bytes]  # (first sample, count) -> A-law bytes, fewer at the end

    @property
    def ends_at(self) -> datetime:
        return self.began_at + timedelta(seconds=self.samples / RATE_HZ)


@dataclass(slots=True)
class JoinedSound:
    """A call's two-channel sound. Iterate ``pieces`` once; ``levels`` is whole after that.

    Attributes:
        began_at: the first answer: where the sound's clock is zero.
        samples: of each channel.
    """

    began_at: datetime
    samples: int
    _voices: Sequence[Voice]
    _levels: dict[Side, list[float]] = field(default_factory=lambda: {side: [] for side in Side})

    @property
    def size_bytes(self) -> int:
        """Of the WAV file."""
        return HEADER_BYTES + self.samples * CHANNELS

    def pieces(self) -> Iterator[bytes]:
        """The WAV file: its header, then two seconds at a time."""
        yield wav_header(self.samples)
        for first in range(0, self.samples, BLOCK_SAMPLES):
            count = min(BLOCK_SAMPLES, self.samples - first)
            block = np.empty((count, CHANNELS), np.uint8)
            for channel, side in enumerate(_SIDES):
                heard = self._mixed(side, first, count)
                block[:, channel] = np.frombuffer(alaw_encode(heard), np.uint8)
                self._levels[side] += _levels_db(heard)
            yield block.tobytes()

    def levels(self) -> dict[Side, bytes]:
        """How loud each side is over time, for a picture: at most LEVEL_COLUMNS bytes, 0 quiet to 255."""
        return {side: _columns(levels) for side, levels in self._levels.items()}

    def _mixed(self, side: Side, first: int, count: int) -> Samples:
        total = np.zeros(count, np.int32)
        for voice in self._voices:
            if voice.side is not side:
                continue
            offset = first - round((voice.began_at - self.began_at).total_seconds() * RATE_HZ)
            place = max(0, -offset)  # where in this block the voice begins
            wanted = min(count - place, voice.samples - max(0, offset))
            if wanted > 0:
                heard = alaw_decode(voice.read(max(0, offset), wanted))
                total[place : place + len(heard)] += heard
        return np.clip(total, -32768, 32767).astype(np.int16)


def join(voices: Sequence[Voice]) -> JoinedSound | None:
    """The call's sound; None if nobody answered, so that there is nothing to keep."""
    answered = [voice.began_at for voice in voices if voice.side is Side.AGENT]
    if not answered:
        return None
    # whoever calls back is recorded before the citizen answers, whose voice then begins with the talk
    citizen = [voice.began_at for voice in voices if voice.side is Side.CALLER]
    began_at = max(min(answered), min(citizen, default=min(answered)))
    seconds = max((voice.ends_at - began_at).total_seconds() for voice in voices)
    return JoinedSound(began_at, max(0, round(seconds * RATE_HZ)), voices)


def wav_header(samples: int) -> bytes:
    """A WAV header of two channels of A-law (RFC 2361: format 6; such a file has a ``fact`` chunk)."""
    data_bytes = samples * CHANNELS
    form = struct.pack("<HHIIHHH", 6, CHANNELS, RATE_HZ, RATE_HZ * CHANNELS, CHANNELS, 8, 0)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"fact" + struct.pack("<II", 4, samples)
    chunks += b"data" + struct.pack("<I", data_bytes)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + data_bytes) + b"WAVE" + chunks


def _levels_db(heard: Samples) -> list[float]:
    blocks = [heard[at : at + LEVEL_SAMPLES].astype(np.float64) for at in range(0, len(heard), LEVEL_SAMPLES)]
    powers = (float(np.mean(block**2)) for block in blocks)
    return [10 * np.log10(max(power, 1.0) / 32768**2) for power in powers]


def _columns(levels_db: Sequence[float]) -> bytes:
    """The loudest moment of each column."""
    if not levels_db:
        return b""
    columns = min(LEVEL_COLUMNS, len(levels_db))
    starts = np.arange(columns) * len(levels_db) // columns
    loudest = np.maximum.reduceat(np.asarray(levels_db), starts)
    scaled = np.clip((loudest - QUIETEST_DB) / -QUIETEST_DB, 0, 1) * 255
    return scaled.round().astype(np.uint8).tobytes()
