"""People who hum: each on a pitch of their own, so that who hears whom can be told from the sound."""

from __future__ import annotations

import asyncio

import numpy as np

from hotline.telephony.phone.call import Call
from hotline.telephony.phone.codec import Samples

LOUD = 1000.0  # of the 8000 that somebody hums with
LISTEN_SAMPLES = 2400  # 8000 Hz x 0.3 s
SILENT_SECONDS = 0.6  # no packet for so long: nothing is heard


def tone(seconds: float, hertz: float) -> Samples:
    """A steady pitch."""
    time = np.arange(round(seconds * 8000)) / 8000
    return (8000 * np.sin(2 * np.pi * hertz * time + 0.3)).astype(np.int16)


def strength(samples: Samples, hertz: float) -> float:
    """Amplitude of one frequency in the samples."""
    time = np.arange(len(samples)) / 8000
    return float(abs(np.mean(samples * np.exp(-2j * np.pi * hertz * time))) * 2)


async def hears(call: Call, *pitches: float, of: tuple[float, ...], within_seconds: float = 8.0) -> None:
    """Wait until this phone hears exactly these pitches out of ``of``, for a third of a second on end."""
    wanted, heard = set(pitches), None
    try:
        async with asyncio.timeout(within_seconds):
            while heard != wanted:
                heard = await _heard_now(call, of)
    except TimeoutError:
        raise AssertionError(f"wanted {sorted(wanted)} Hz, heard {sorted(heard or ())}") from None


async def _heard_now(call: Call, of: tuple[float, ...]) -> set[float]:
    begun = len(call.heard.samples())
    try:
        while len(call.heard.samples()) - begun < LISTEN_SAMPLES:
            async with asyncio.timeout(SILENT_SECONDS):
                await call.heard.wait_packet()
    except TimeoutError:
        return set()
    new = call.heard.samples()[begun:]
    return {pitch for pitch in of if strength(new, pitch) > LOUD}
