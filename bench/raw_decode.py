"""Vosk and nothing else, as fast as it can: what the path of `bench.hearing` is compared with.

    python -m bench.raw_decode MODEL CHUNK_MILLISECONDS FILE...

Decodes each file (16-bit, 16 kHz) in chunks, and prints ``{"texts": [...], "audio": s, "spent": s}``: the
texts by file, seconds of audio, seconds of processor time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

RATE_HZ = 16_000


def main() -> None:
    """Decode and print."""
    import vosk

    folder, chunk_milliseconds, *files = sys.argv[1:]
    vosk.SetLogLevel(-1)
    model = vosk.Model(folder)
    size = RATE_HZ * int(chunk_milliseconds) // 1000 * 2
    texts, audio_bytes = [], 0
    spent = -time.process_time()
    for file in files:
        pcm = Path(file).read_bytes()
        recogniser = vosk.KaldiRecognizer(model, float(RATE_HZ))
        recogniser.SetWords(True)
        heard = []
        for first in range(0, len(pcm), size):
            if recogniser.AcceptWaveform(pcm[first : first + size]):
                heard.append(json.loads(recogniser.Result())["text"])
            else:
                recogniser.PartialResult()
        heard.append(json.loads(recogniser.FinalResult())["text"])
        texts.append("".join(heard).replace(" ", ""))
        audio_bytes += len(pcm)
    spent += time.process_time()
    print(json.dumps({"texts": texts, "audio": audio_bytes / 2 / RATE_HZ, "spent": spent}))


if __name__ == "__main__":
    main()
