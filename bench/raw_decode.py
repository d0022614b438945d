"""Vosk and nothing else, as fast as it can: what the path of `bench.hearing` is compared with.

    python -m bench.raw_decode MODEL CHUNK_MILLISECONDS LIVE_VOICES FILE...

Decodes files (16-bit, 16 kHz) in chunks, three times: one file after another; all files in turns, a chunk of
each; and so many voices in turns again, each chunk when it would have been spoken. Prints ``{"texts": [...],
"spent": s, "spent_in_turns": s, "spent_live": s}``: the texts by file, and processor seconds for a second of
audio.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

RATE_HZ = 16_000


class Voice:
    """One file and its recogniser."""

    def __init__(self, vosk: Any, model: Any, pcm: bytes, chunk_bytes: int) -> None:
        self._recogniser = vosk.KaldiRecognizer(model, float(RATE_HZ))
        self._recogniser.SetWords(True)
        self._pcm, self._chunk_bytes = pcm, chunk_bytes
        self._heard: list[str] = []

    def hear(self, chunk: int) -> bool:
        """Decode this chunk of it; whether there was one."""
        pcm = self._pcm[chunk * self._chunk_bytes : (chunk + 1) * self._chunk_bytes]
        if pcm and self._recogniser.AcceptWaveform(pcm):
            self._heard.append(json.loads(self._recogniser.Result())["text"])
        elif pcm:
            self._recogniser.PartialResult()
        return bool(pcm)

    def text(self) -> str:
        """All of it."""
        self._heard.append(json.loads(self._recogniser.FinalResult())["text"])
        return "".join(self._heard).replace(" ", "")


def decode(voices: Sequence[Voice], every_seconds: float = 0.0) -> tuple[list[str], float]:
    """Voices in turns, a chunk of each in so many seconds; their texts, and processor seconds."""
    began, began_at = time.process_time(), time.monotonic()
    for chunk in count():
        time.sleep(max(0.0, began_at + chunk * every_seconds - time.monotonic()))
        if not any([voice.hear(chunk) for voice in voices]):
            break
    texts = [voice.text() for voice in voices]
    return texts, time.process_time() - began


def seconds_of(sounds: Sequence[bytes]) -> float:
    """How long they are together."""
    return sum(map(len, sounds)) / 2 / RATE_HZ


def main() -> None:
    """Decode and print."""
    import vosk

    folder, chunk_milliseconds, live_voices, *files = sys.argv[1:]
    vosk.SetLogLevel(-1)
    model = vosk.Model(folder)
    chunk_bytes = RATE_HZ * int(chunk_milliseconds) // 1000 * 2
    sounds = [Path(file).read_bytes() for file in files]
    spoken = list(islice(cycle(sounds), int(live_voices)))
    alone = [decode([Voice(vosk, model, pcm, chunk_bytes)]) for pcm in sounds]
    _, in_turns = decode([Voice(vosk, model, pcm, chunk_bytes) for pcm in sounds])
    _, live = decode([Voice(vosk, model, pcm, chunk_bytes) for pcm in spoken], int(chunk_milliseconds) / 1000)
    found = {
        "texts": [text for texts, _ in alone for text in texts],
        "spent": sum(spent for _, spent in alone) / seconds_of(sounds),
        "spent_in_turns": in_turns / seconds_of(sounds),
        "spent_live": live / seconds_of(spoken),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
