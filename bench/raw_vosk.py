"""Vosk and nothing else, in a process of its own: what the product's latency is compared with.

    python -m bench.raw_vosk MODEL CHUNK_MILLISECONDS

Reads orders, a JSON object a line: ``pcm`` (base64, 16-bit, 8 kHz) is fed in chunks paced in real time from
the moment ``start`` (monotonic seconds) on, as it would come from a sound card. Writes a line for each text:
``[utterance, text, final, when]``, and an empty list when the audio is over.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from typing import Any

RATE_HZ = 8000
SAMPLE_BYTES = 2


def feed(recogniser: Any, pcm: bytes, start: float, chunk_seconds: float, utterance: int) -> int:
    """Recognise ``pcm`` as it would arrive; return the number of the next utterance."""
    size = round(RATE_HZ * chunk_seconds) * SAMPLE_BYTES
    shown = ""
    for count, first in enumerate(range(0, len(pcm), size), start=1):
        time.sleep(max(0.0, start + count * chunk_seconds - time.monotonic()))
        final = bool(recogniser.AcceptWaveform(pcm[first : first + size]))
        if final:
            text = json.loads(recogniser.Result())["text"]
        else:
            text = json.loads(recogniser.PartialResult()).get("partial", "")
        if text and (final or text != shown):
            tell([utterance, text.replace(" ", ""), final, time.monotonic()])
            utterance += final
        shown = "" if final else text
    tell([])
    return utterance


def tell(line: list[object]) -> None:
    """Write one line."""
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main() -> None:
    """Obey orders until there are no more."""
    import vosk

    model, chunk_milliseconds = sys.argv[1:]
    vosk.SetLogLevel(-1)
    recogniser = vosk.KaldiRecognizer(vosk.Model(model), float(RATE_HZ))
    recogniser.SetWords(True)
    tell([])
    utterance = 1
    for line in sys.stdin:
        order = json.loads(line)
        pcm = base64.b64decode(order["pcm"])
        utterance = feed(recogniser, pcm, order["start"], int(chunk_milliseconds) / 1000, utterance)


if __name__ == "__main__":
    main()
