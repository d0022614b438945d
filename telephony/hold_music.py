"""What a waiting caller hears where the site gives no music: a soft melody we compute ourselves."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

SAMPLE_RATE_HZ = 8000
NOTE_SECONDS = 0.6
AMPLITUDE = 2600  # about -22 dBFS: below a voice, above a carrier's silence detection
MELODY_HZ = (392.0, 440.0, 523.3, 587.3, 659.3, 587.3, 523.3, 440.0)  # pentatonic: G A C D E D C A
OVERTONES = ((1.0, 1.0), (2.0, 0.35), (3.0, 0.12))


def melody(rounds: int = 4) -> bytes:
    """16-bit mono PCM at 8 kHz: plucked notes that ring into one another, joined end to start."""
    step = int(SAMPLE_RATE_HZ * NOTE_SECONDS)
    length = step * len(MELODY_HZ)
    mixed = np.zeros(length)
    seconds = np.arange(3 * step) / SAMPLE_RATE_HZ
    envelope = np.minimum(seconds / 0.01, 1.0) * np.exp(-seconds * 2.2)
    for index, pitch in enumerate(MELODY_HZ):
        note = (
            sum(gain * np.sin(2 * np.pi * pitch * factor * seconds) for factor, gain in OVERTONES) * envelope
        )
        mixed[(np.arange(note.size) + index * step) % length] += note
    mixed *= AMPLITUDE / np.max(np.abs(mixed))
    return np.tile(mixed.astype("<i2"), rounds).tobytes()


def write_hold_music(folder: Path) -> None:
    """Put the melody into ``folder`` unless a sound file is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(path.suffix.startswith((".wav", ".sln", ".alaw", ".ulaw", ".g722")) for path in folder.iterdir()):
        return
    with wave.open(str(folder / "hotline.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(melody())
