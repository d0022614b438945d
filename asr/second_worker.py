"""The process that decodes recordings with the larger model: one at a time, at the lowest priority.

It reads requests and answers in lines of JSON, and ends with its standard input, so with its server:

    in:   the number of bytes, a line break, and so many bytes of A-law, left and right in turn
    out:  {"ready": name} once; for each request {"side", "text", "words", "start", "end", "confidence"} as
          heard, a word as [text, start, end, confidence]; then {"done": true}
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from hotline.asr.engine import Engine
from hotline.asr.engine import Final as FinalText
from hotline.asr.vosk_engine import open_engine
from hotline.core.events import Side
from hotline.speech.g711 import alaw_decode

NICE: Final = 19
RATE_HZ: Final = 8000
CHANNELS: Final = (Side.CALLER, Side.AGENT)
CHUNK_BYTES: Final = RATE_HZ // 5 * len(CHANNELS)  # 0.2 s of both


def decode(engine: Engine, chunks: Iterable[bytes]) -> Iterator[tuple[Side, FinalText]]:
    """Recognise both channels of A-law as they come; whole samples of both in each chunk."""
    streams = {side: engine.open(RATE_HZ) for side in CHANNELS}
    for chunk in chunks:
        both = np.frombuffer(chunk, np.uint8).reshape(-1, len(CHANNELS))
        for channel, (side, stream) in enumerate(streams.items()):
            samples = alaw_decode(np.ascontiguousarray(both[:, channel]).tobytes())
            for heard in stream.push(samples.astype("<i2").tobytes()):
                if isinstance(heard, FinalText) and heard.text:
                    yield side, heard
    for side, stream in streams.items():
        for heard in stream.end():
            if isinstance(heard, FinalText) and heard.text:
                yield side, heard


def serve(engine: Engine, requests: BinaryIO) -> Iterator[dict[str, object]]:
    """The answers to all requests, until there are no more."""
    yield {"ready": engine.name}
    while line := requests.readline():
        for side, final in decode(engine, _chunks(requests, int(line))):
            yield {
                "side": side.value,
                "text": final.text,
                "words": [astuple(word) for word in final.words],
                "start": final.start_seconds,
                "end": final.end_seconds,
                "confidence": final.confidence,
            }
        yield {"done": True}


def _chunks(requests: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        chunk = requests.read(min(CHUNK_BYTES, size))
        if not chunk:
            raise EOFError("the server ended in the middle of a recording")
        size -= len(chunk)
        yield chunk


if __name__ == "__main__":
    os.nice(NICE)
    for answer in serve(open_engine(Path(sys.argv[1])), sys.stdin.buffer):
        print(json.dumps(answer), flush=True)
