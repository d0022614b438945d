"""What a telephone does to a voice, and what it plays that is no voice.

The model must hear the same words through another microphone, loudness, line noise and G.711, and no words at
all in ring tones, busy tones, keys, music, noise and digital zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hotline.speech.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

__all__ = ["DTMF_HZ", "not_speech", "telephone"]

Samples = npt.NDArray[np.float64]

DTMF_HZ = {
    key: (low, high)
    for low, row in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, key in zip((1209, 1336, 1477, 1633), row, strict=True)
}
"""ITU-T Q.23: the two tones of each key."""

_CHINA_TONE_HZ = 450  # dial, ring-back and busy tone
_FULL_SCALE = 32767.0
_TELEPHONE_HZ = 8000
_COLOURED_SHARE = 0.5


def telephone(
    samples: Samples, rng: np.random.Generator, *, gain_db: tuple[float, float] = (-14.0, 4.0)
) -> npt.NDArray[np.int16]:
    """Return ``samples`` (int16 scale) through a random microphone, loudness, noise and codec."""
    tilt = rng.uniform(-0.45, 0.45)
    tilted = samples.copy()
    tilted[1:] += tilt * samples[:-1]
    if rng.random() < _COLOURED_SHARE:
        tilted = _coloured(tilted, rng)
    loud = tilted * 10 ** (rng.uniform(*gain_db) / 20)
    if rng.random() < 0.75:
        speech_rms = float(np.sqrt(np.mean(loud**2))) + 1.0
        loud = loud + _noise(len(loud), rng) * speech_rms * 10 ** (-rng.uniform(14, 50) / 20)
    return _codec(loud, rng)


def _coloured(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return it with bands weakened or raised, as throats, rooms and handsets do: no formant is sure."""
    hertz = np.fft.rfftfreq(len(samples), 1 / _TELEPHONE_HZ)
    gain_db = np.zeros(len(hertz))
    for _ in range(rng.integers(1, 4)):
        centre, width = rng.uniform(500, 3800), rng.uniform(150, 500)
        gain_db += rng.uniform(-24, 6) * np.exp(-(((hertz - centre) / width) ** 2))
    return np.asarray(np.fft.irfft(np.fft.rfft(samples) * 10 ** (gain_db / 20), len(samples)), np.float64)


def _codec(samples: Samples, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    clipped = np.clip(samples, -_FULL_SCALE, _FULL_SCALE).astype(np.int16)
    kind = rng.random()
    if kind < 0.45:
        return alaw_decode(alaw_encode(clipped))
    if kind < 0.65:
        return ulaw_decode(ulaw_encode(clipped))
    return clipped


def _noise(count: int, rng: np.random.Generator) -> Samples:
    """Return noise of unit power with a random slope from white to brown."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    slope = rng.uniform(0.0, 1.0)
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** -slope
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / (np.sqrt(np.mean(noise**2)) + 1e-9), np.float64)


def not_speech(rng: np.random.Generator, sample_rate_hz: int, seconds: float) -> npt.NDArray[np.int16]:
    """Return a random recording that holds no words."""
    count = int(seconds * sample_rate_hz)
    time = np.arange(count) / sample_rate_hz
    level = 10 ** (rng.uniform(2.0, 4.2))
    kind = rng.integers(8)
    if kind == 0:
        return np.zeros(count, np.int16)
    if kind == 1:
        return alaw_decode(bytes([int(rng.choice([0xD5, 0x55]))]) * count)  # the codec's own silence
    if kind == 2:
        sound = _noise(count, rng) * 10 ** rng.uniform(0.3, 3.4)
    elif kind == 3:
        sound = _cadence(time, rng) * np.sin(2 * np.pi * _CHINA_TONE_HZ * time) * level
    elif kind == 4:
        sound = _keys(time, rng) * level
    elif kind == 5:
        sound = np.sin(2 * np.pi * rng.uniform(80, 3400) * time) * level
    elif kind == 6:
        sound = _melody(time, rng) * level
    else:
        sound = _clicks(count, rng) * level
    if rng.random() < 0.5:
        sound = sound + _noise(count, rng) * 10 ** rng.uniform(0.3, 2.3)
    return _codec(sound, rng)


def _cadence(time: Samples, rng: np.random.Generator) -> Samples:
    on, off = ((1.0, 4.0), (0.35, 0.35), (0.7, 0.7), (0.4, 0.04), (time[-1] + 1, 0.0))[rng.integers(5)]
    return (((time + rng.uniform(0, on + off)) % (on + off)) < on).astype(np.float64)


def _keys(time: Samples, rng: np.random.Generator) -> Samples:
    sound = np.zeros_like(time)
    period, length = rng.uniform(0.12, 0.6), rng.uniform(0.05, 0.12)
    keys = list(DTMF_HZ.values())
    for start in np.arange(rng.uniform(0, period), time[-1], period):
        low, high = keys[rng.integers(len(keys))]
        pressed = (time >= start) & (time < start + length)
        sound += pressed * (np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time)) / 2
    return sound


def _melody(time: Samples, rng: np.random.Generator) -> Samples:
    """Return notes with overtones and chords, as music on hold has them."""
    sound = np.zeros_like(time)
    note_seconds = rng.uniform(0.15, 0.6)
    for start in np.arange(0, time[-1], note_seconds):
        sounding = (time >= start) & (time < start + note_seconds)
        envelope = np.exp(-(time[sounding] - start) * rng.uniform(0.5, 6))
        for _ in range(rng.integers(1, 4)):
            pitch_hz = 220 * 2 ** (rng.integers(0, 24) / 12)
            for overtone in range(1, 5):
                sound[sounding] += (
                    envelope * np.sin(2 * np.pi * pitch_hz * overtone * time[sounding]) / (3 * overtone)
                )
    return sound


def _clicks(count: int, rng: np.random.Generator) -> Samples:
    sound = np.zeros(count)
    for _ in range(rng.integers(1, 12)):
        start = int(rng.integers(count))
        length = min(int(rng.integers(2, 400)), count - start)
        sound[start : start + length] += rng.standard_normal(length) * np.exp(-np.arange(length) / 80)
    return sound
